//! What can go wrong with what is kept. After the first of these no work is done with it any more; damage the node
//! then mends itself, and every other error ends it.

use tanba_ledger::{Height, merkle::ReadError};

/// What becomes of a damaged store; every message about damage ends with it.
pub const REMEDY: &str = "`tanba run` sets the folder `store` aside and fetches the blocks anew from its peers, each \
    proven; keep the folder `journal` where it is, and replace the disk if this happens again";

/// Why the store cannot be used, or used any more.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// The operating system refused: disk full, no permission, a broken device.
    #[error("{doing}: {source_text}")]
    Io {
        /// What was being done, with the path.
        doing: String,
        /// The system's words.
        source_text: String,
    },
    /// What is on disk is not what was written.
    #[error("the store is damaged at {place}: {what}. {REMEDY}")]
    Damaged {
        /// Which key, file or height.
        place: String,
        /// What does not fit.
        what: String,
    },
    /// What lies in the journal is not what was written. The store has no part in it.
    #[error("the promise journal is damaged at {place}: {what}")]
    JournalDamaged {
        /// Which file or body.
        place: String,
        /// What does not fit.
        what: String,
    },
    /// Too many damaged stores were set aside, and none made anew came as far as they had.
    #[error(
        "{kept} damaged stores lie in {home} already, and no new one has come as far as they had; replace the disk, \
         then remove all but the one whose DAMAGE.txt names the highest head"
    )]
    TooManyAside {
        /// How many.
        kept: usize,
        /// Where.
        home: String,
    },
    /// The store or its journal belongs to another network.
    #[error("the store or its journal is of network {found}, this node is configured for {expected}")]
    WrongNetwork {
        /// The chain in the store.
        found: String,
        /// The chain configured.
        expected: String,
    },
    /// The store or its journal was written by a version with another layout.
    #[error("the store or its journal has format {found}, this version reads {expected}")]
    WrongFormat {
        /// Found.
        found: u32,
        /// Expected.
        expected: u32,
    },
    /// Another process has the home open.
    #[error("{0} is in use by another process: one node per home")]
    InUse(String),
    /// The home already holds what was to be created.
    #[error("{0} exists already")]
    Exists(String),
    /// Syncs do not reach the disk: what is said to be final would not survive a power cut.
    #[error("writes are not made durable on this system: {0}")]
    NotDurable(String),
    /// There is no store in this home.
    #[error("there is no store in {0}: `tanba init` makes one")]
    Missing(String),
    /// The journal is missing or damaged; it takes nothing until it is rewritten.
    #[error("the promise journal is {0}: it must be rewritten before anything is added to it")]
    JournalLost(&'static str),
    /// An earlier error; no work is done after it.
    #[error("the store stopped after an earlier error: {0}")]
    Stopped(String),
    /// A height that should be there is not.
    #[error("no block at height {0}")]
    NoBlock(Height),
}

impl StoreError {
    /// What the operating system answered while `doing` something; for `map_err`.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> StoreError {
        move |error| StoreError::Io { doing: doing.into(), source_text: error.to_string() }
    }

    /// Damage of the journal found at `place`.
    pub(crate) fn journal_damaged(place: impl Into<String>, what: impl Into<String>) -> StoreError {
        StoreError::JournalDamaged { place: place.into(), what: what.into() }
    }

    /// Damage of the store found at `place`.
    pub fn damaged(place: impl Into<String>, what: impl Into<String>) -> StoreError {
        StoreError::Damaged { place: place.into(), what: what.into() }
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> ReadError {
        ReadError::Store(error.to_string())
    }
}
