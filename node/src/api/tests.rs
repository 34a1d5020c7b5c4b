//! The API from outside: a client of ours, or a stranger's bytes, over a real port, against a store in memory.

mod answers;
mod door;
mod proofs;
mod rig;
mod streams;
mod submissions;
mod verdicts;
