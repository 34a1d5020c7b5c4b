//! What a verifier is handed: the holder's whole file, or a presentation of part of it. One reader for both.

use serde::{Deserialize, de::IgnoredAny};
use tanba_credential::{
    HolderFile, OpenError, Opened, Presentation,
    holder::{self, HOLDER_FILE_BYTES_MAX},
};

/// An opened diploma, and the proof that came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What it says, and what to look for on the ledger.
    pub opened: Opened,
    /// A status proof as of the day it was put there. Unchecked bytes.
    pub proof: Option<Vec<u8>>,
}

/// The one key that tells which of the two a file is.
#[derive(Deserialize)]
struct Kind {
    presentation: Option<IgnoredAny>,
}

impl Shown {
    /// Reads and opens a holder's file or a presentation.
    pub fn read(bytes: &[u8]) -> Result<Shown, OpenError> {
        if bytes.len() > HOLDER_FILE_BYTES_MAX {
            return Err(OpenError::TooLong { length: bytes.len(), limit: HOLDER_FILE_BYTES_MAX });
        }
        let is_presentation =
            serde_json::from_slice::<Kind>(bytes).is_ok_and(|kind| kind.presentation.is_some());
        if is_presentation {
            let presentation = Presentation::from_json(bytes)?;
            return Ok(Shown { opened: presentation.open()?, proof: presentation.proof });
        }
        let file = HolderFile::from_json(bytes)?;
        Ok(Shown { opened: holder::open(&file)?, proof: file.proof })
    }
}
