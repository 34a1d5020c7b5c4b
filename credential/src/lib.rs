//! The diploma off the ledger: its document, what is told and what is kept salted, and the three commitments
//! that go on the ledger in its place: the fingerprint F, the GOST commitment G and the control commitment.
//!
//! Read in this order: [`requisites`] (what a diploma says, and the list of what it may say), [`disclosure`]
//! (one salted field, RFC 9901), [`leaves`] (the thirty-two digests and their root), [`document`] (the
//! SD-JWT), [`commitment`] (F, G and control), [`diploma`] (all of it made at once from given random bytes),
//! [`seal`] and [`consent`] (what university and graduate sign about it), then [`holder`] (the graduate's file) and
//! [`presentation`] (what the graduate shows).
//!
//! The crate has no clock, no randomness and no IO, and compiles for wasm32: the registrar's server, the
//! graduate's client and the employer's web page run the same code. It knows nothing of the ledger beyond
//! `tanba-crypto` and `tanba-eds`; whoever has both compares what is computed here with what is recorded there.

pub mod commitment;
pub mod consent;
pub mod diploma;
pub mod disclosure;
pub mod document;
mod encoding;
mod envelope;
pub mod export;
pub mod holder;
pub mod leaves;
mod opening;
pub mod presentation;
pub mod print_set;
pub mod requisites;
pub mod sd_jwt;
pub mod seal;

pub use diploma::{Diploma, Draw, DrawError};
pub use disclosure::{Decoy, Disclosure};
pub use document::{Document, IssuerBin};
pub use holder::HolderFile;
pub use opening::{OpenError, Opened, Part};
pub use presentation::{Presentation, Template};
pub use print_set::PrintSet;
pub use requisites::{Field, Requisites, Value};
