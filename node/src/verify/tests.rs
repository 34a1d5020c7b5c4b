//! Verdicts over proven facts, and proofs that are checked again offline.
