//! From a class list to a batch on the ledger: what lies behind `issue prepare`, `approve` and `submit`.
//!
//! The office's [`roster`] reads the registrar's list and tells every mistake in it before anything is made;
//! [`mod@prepare`] makes a holder's file per graduate and, by the office's rules of dealing, the transactions; [`output`]
//! puts them on disk, all or nothing.
//! [`dossier`] is what registrar and approver pass to each other, and the memory of how far a submission came;
//! [`batch_file`] is that of a batch. A list, a holder's file and a folder of them are personal data; a batch file
//! is not.

pub mod batch_file;
pub mod dossier;
pub mod files;
#[cfg(test)]
mod linkability;
pub mod output;
pub mod prepare;
pub mod random;
#[cfg(test)]
pub(crate) mod testkit;

pub use batch_file::BatchFile;
pub use dossier::{Dossier, DossierError, Progress};
pub use files::FileError;
pub use output::{Written, attach_proof, write_prepared};
pub use prepare::{Order, PrepareError, Prepared, prepare};
pub use random::{RandomError, RandomSource, RecordId, SystemRandom};
pub use tanba_office::{Language, Roster, RosterError, RosterRefused, Row, roster};
