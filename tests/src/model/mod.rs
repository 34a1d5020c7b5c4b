//! The model: an exhaustive look at agreement, over the production engine, guard and start-up protocol.
//!
//! Read in this order: [`scope`] (what is looked at), [`node`] (one host of the real thing), [`machine`] (the
//! transition system), [`explore`](mod@explore) (the search), [`probe`] (progress).
//!
//! # The network and the liars
//!
//! Liars have signed everything. So what matters of the network is what can be made of honest signatures: a
//! certificate is deliverable to anyone from the moment enough honest votes were signed, whatever was lost, late,
//! repeated or reordered on the way; a proposal, as soon as its honest leader signed it, or any of a small
//! alphabet where a liar leads (two fresh blocks, and every block that an honest vote notarizes, again). The body
//! of a block can be had of an honest member that holds it, or of the liar that made it, who may refuse. Whether
//! a certificate counts is judged by production code, which is also shown forgeries with too few signers.
//!
//! # What is left out, and why nothing is lost
//!
//! * A promise is written, signed and handed back in the step that asks for it: these are the host's own acts,
//!   and nothing else reaches the engine in between. The power cuts in between are steps of their own.
//! * Builds and decisions are served at once, but in scopes with a slow host; a late build is what a late start
//!   of the height is.
//! * Bodies come with their proposals, but in scopes that count them; there whoever needs one pulls it, in a step
//!   of its own, and cannot vote, finalize or commit before. All who give it give the same.
//! * A proposal waits outside until its view is entered, for no rule reads it before; and only the first counts.
//!   Scopes that count votes deliver every one of them, to see the evidence.
//! * Of the certificates that different signers could make, the one by the lowest places is taken.
//! * Wide steps (the first search of each part) put off what nobody can notice; see
//!   [`Machine::expand_wide`](machine::Machine::expand_wide).
//! * Whoever restarts with its journal is answered by one peer after the other, for only their number counts; each
//!   of them may be starting too.
//! * Repetitions deliver nothing that cannot be delivered anyhow; that they suffice to go on is what [`probe`]
//!   tests, with the real messages.
//! * Views above the scope's are entered, but nothing is delivered or fires in them.
//!
//! # What is checked
//!
//! In every state: no two blocks of one height are decided, or can be; no two certificates can be made that
//! exclude each other. In every step of a host: no honest key contradicts itself, whatever its journal still
//! knows; every word rests on what is on its disk; the guard refuses nothing; the journal replays to the guard;
//! certificates hold a quorum; evidence names liars; nothing panics. From a sample of the states, and from all
//! without any further step: with a good network and silent liars everyone decides, then rests.
#![expect(clippy::result_large_err, reason = "a violation ends a search; it may be large")]

pub mod action;
pub mod explore;
pub mod fingerprint;
pub mod founded;
pub mod machine;
pub mod message;
pub mod names;
pub mod net;
pub mod node;
pub mod probe;
pub mod scope;
pub mod stage;
mod violation;

pub use explore::{Found, Part, Report, explore};
pub use scope::Scope;
pub use violation::Violation;
