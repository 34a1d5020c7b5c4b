//! Proofs over a small chain whose blocks are written record by record, without the rules: a verifier must
//! also stand chains that no honest node would have made.

mod bundles;
mod forgeries;
mod heads;
mod past;
mod receipts;
mod world;
