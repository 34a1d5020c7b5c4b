//! The ledger of diplomas: its nouns, and the rules between them.
//!
//! A licensed university issues; what is kept of a diploma is a salted fingerprint, two more commitments and
//! its standing; nothing about a person is ever kept. Every function here is pure: same blocks, same state,
//! same root, on every machine and in ten years. No IO, no clock, no randomness; it compiles for wasm32.
//!
//! Read in this order: [`ids`] (the small words), [`transaction`] and [`operation`] (what institutions and
//! holders ask for), [`record`] (what the state remembers), [`block`], [`validators`] and [`certificate`]
//! (what makes a block final), [`limits`], then [`merkle`] (the trees), [`state`] (blocks in, roots out),
//! [`rules`] (every reason to refuse) and [`proof`] (what a verifier checks without trusting anyone).

// The derives of canonical bytes name the crate `bincode`; ours stands in for it.
extern crate tanba_crypto as bincode;

pub mod block;
pub mod certificate;
pub mod ids;
pub mod limits;
pub mod merkle;
pub mod operation;
pub mod proof;
pub mod record;
pub mod rules;
pub mod state;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
pub mod transaction;
pub mod validators;

pub use block::{Block, BlockHash, ChainId, Header};
pub use certificate::{Certificate, CertificateKind, SignedVote, Slot, Vote};
pub use ids::{Bin, Day, Fingerprint, Height, Level, Month, Programme, Scope, Timestamp, View};
pub use operation::Operation;
pub use transaction::{Approval, Transaction, TransactionBody, TransactionId};
pub use validators::{Validator, ValidatorIndex, ValidatorSet};
