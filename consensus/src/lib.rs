//! Agreement on block hashes: height-scoped Simplex, sans-IO.
