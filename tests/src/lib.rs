//! The world, made small: clusters, vectors and end-to-end runs over real processes.
