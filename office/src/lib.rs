//! A registrar's day, as rules over the vault: a class list comes in, diplomas on the ledger and holders' files go out,
//! and in between nothing is minted that its holder did not consent to and the university did not seal.
//!
//! Read in this order: [`state`] (how far a record and a batch came), [`roster`] and [`registry`] (what a class is made
//! from), [`prepare`], [`consents`] with [`statement`], [`seals`], [`batches`] with [`deal`], [`summary`] and [`approve`],
//! [`submit`], [`deliver`], then
//! [`rights`] (what a holder may ask for) and [`mod@expire`]. [`office`] holds them together, [`parts`] says which part
//! of a diploma lies under which key of the vault.
//!
//! # The way of a record
//!
//! ```text
//! prepare      consent        seal       batch      submit    the ledger     deliver
//!    |            |             |          |           |           |            |
//!  Draft -> Consented -> Sealed -> Batched -> Submitted -> Final -> Delivered
//!    |            |             |          |
//!    +-- Expired  +-------------+----------+-- Refused       every state -- Erased
//! ```
//!
//! | step | who | what must be there | what is checked before anything changes |
//! |---|---|---|---|
//! | `prepare` | registrar | a list, the national registry, the `Document` key | every cell; name, programme, series and number against the registry |
//! | `draft`, `consent` | the holder; two officers for one who signs paper | a draft | text, signatures, person, purpose, term, revocation; that it serves this diploma and no other |
//! | `refuse` | the holder | no transaction sent | |
//! | `to_seal`, `seal` | registrar | a consent | one signer, who signs for this BIN; bytes; revocation |
//! | `make_batches` | registrar | seals | twenty at least, or told so in every consent; one month; at most 64 scopes |
//! | `open_sample`, `approve` | approver, and registrar in either order | a batch | that the approver opened the whole sample; role, signature; two people, two keys |
//! | `begin_submission`, `finished` | registrar | both approvals | |
//! | `deliver` | the holder | a final transaction | that the file opens by the key that signed it |
//! | `restrict`, `withdraw`, `erase`, `hold` | see [`rights`] | | |
//!
//! Each step is refused by a code of its own ([`OfficeError::code`]), each may be repeated: what was done already answers
//! as it did. No step waits for a class: who consents late is in a later batch.
//!
//! # What is durable when
//!
//! There are two kinds of facts, and each has one home. What a record *has* (document, consent, seal, and that it was
//! destroyed) is the vault's word. What was *decided* about it (refused, in which batch, handed out) is one entry in the
//! table beside. The state of a record is computed from both, so that no crash can leave two answers.
//!
//! * A draft, consent or seal is there once the vault's own last barrier returned. What belongs to it (that the consent
//!   serves this record) was written before that barrier.
//! * A class is *ready* by one entry, written last. Until then no record of it can be consented to, and `prepare` under
//!   the same key goes on where it was cut short: ids were drawn and written before the first record was made.
//! * A batch is there by one entry, written after its transaction and the list of its records. Approvals, the opened
//!   sample and the outcome are in that same entry, so each is there or not. Removing the entry sends all records back
//!   to *Sealed*. What a crash left of a batch that never came to be is removed at opening.
//! * *Submitted* is durable before the transaction is handed out. Whoever finds it after a crash submits again; the
//!   ledger knows the transaction by its name.
//! * *Expired* and *Erased* are decided by the vault's destruction, which opening finishes.
//!
//! After an error of the system the office stops until it is opened again ([`OfficeError::Vault`] with the vault's own
//! codes): what is on disk is then unknown. Nothing is lost by that.
//!
//! # What lies where
//!
//! Personal data lies in the parts of the vault alone. The tables lie in the vault's database ([`tanba_vault::Beside`]):
//! one barrier covers both, and a copy of one is a copy of the other. They hold random names, counts, times and codes;
//! no fingerprint beside a record's name, because a record that was erased must not lead to its token.
//!
//! | byte | table | key | value |
//! |---|---|---|---|
//! | 01 | format | | layout number, network, institution |
//! | 02 | pending | | batches that are being made |
//! | 10 | class | class | rows, since when, a keyed digest of the list, ready |
//! | 11 | member | class, number | record, and what the registry has otherwise |
//! | 12 | record | record | class, since when, refused, expired, batch, delivered |
//! | 13 | used | mark of a consent | the record it was given for |
//! | 20 | batch | batch | expiry, approvals, sample, progress |
//! | 21 | body | batch | the transaction's body, in pieces |
//! | 22 | entry | batch, record | nothing: the records of a batch, in an order that says nothing |
//!
//! # Reads
//!
//! The office reads by the vault's one door, and what it reads for its own work counts against an officer's quota: three
//! reads a record for a registrar (what is signed, the seal, the batch), one for each record of a sample for an approver.
//! What a holder reads is logged and not counted.
//!
//! # What the office trusts
//!
//! The caller says who acts ([`Who`], [`Officer`]): certificates at the door are not its business. Trust roots,
//! revocation evidence, the national registry's answers, the moment and random bytes are arguments. It has no clock, no
//! randomness and no socket; it never holds an officer's key nor a holder's control key.

// The derives of canonical bytes name the crate `bincode`; ours stands in for it.
extern crate tanba_crypto as bincode;

pub mod approvals;
pub mod approve;
pub mod batches;
mod candidate;
pub mod consents;
pub mod deal;
pub mod deliver;
pub mod error;
pub mod expire;
pub mod message;
pub mod name;
pub mod office;
pub mod parts;
pub mod prepare;
pub mod registry;
pub mod rights;
pub mod roster;
pub mod seals;
pub mod state;
pub mod statement;
pub mod submit;
pub mod summary;
mod table;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;

pub use batches::{BatchOrder, Made};
pub use consents::{Checks, Consent, Offer};
pub use error::OfficeError;
pub use expire::Swept;
pub use message::{Language, RowCode};
pub use name::{BatchId, ClassId, ImportKey};
pub use office::{Config, ConsentTerms, Office, Officer, Who};
pub use prepare::{Class, Import, Line};
pub use registry::{FileRegistry, Graduate, NationalRegistry, RegistryUnavailable};
pub use roster::{Roster, RosterError, RosterRefused, Row};
pub use state::{Progress, State};
pub use statement::Choice;
pub use submit::Outcome;
pub use summary::Summary;
