//! The simulator: one seed is one run of a whole cluster of the real replica under faults drawn from the seed.
//!
//! A run has two phases, as the model of partial synchrony has: first everything goes wrong that the seed armed,
//! while clients submit; then all is mended, and within a bound transactions must become final again. Whatever
//! happens, the [witness](crate::cluster::witness) checks every step.
//!
//! Read in this order: [`fault`] (what can go wrong), [`plan`] (what a seed arms), [`wreck`] (how it is done),
//! [`adversary`] (validators that lie), [`mod@run`] (the two phases), [`trace`].

pub mod adversary;
pub mod fault;
pub mod plan;
pub mod pool;
pub mod run;
pub mod trace;
pub mod wreck;

pub use adversary::{Adversary, Replay};
pub use fault::{Fault, Hits};
pub use plan::{Plan, Weakness};
pub use run::{RESUME_MS_MAX, Seen, Violation, run};
pub use trace::Trace;
