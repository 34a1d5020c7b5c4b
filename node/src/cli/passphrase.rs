//! Where a command gets a passphrase: a descriptor, a file, the variable that names a file, or the terminal.

use std::path::PathBuf;

use clap::Args;

use crate::keystore::{KeyName, Passphrase, PassphraseError};

/// The environment variable that names a passphrase file. The passphrase itself never stands in the environment.
pub const PASSPHRASE_FILE_VARIABLE: &str = "TANBA_PASSPHRASE_FILE";

/// Where the passphrase is.
#[derive(Clone, Debug, Default, Args)]
pub struct PassphraseArgs {
    /// Read the passphrase from this file of mode 0600
    #[arg(long, value_name = "FILE", env = PASSPHRASE_FILE_VARIABLE, hide_env_values = true)]
    pub passphrase_file: Option<PathBuf>,
    /// Read the passphrase from this inherited file descriptor
    #[arg(long, value_name = "N", conflicts_with = "passphrase_file")]
    pub passphrase_fd: Option<u32>,
}

impl PassphraseArgs {
    /// The passphrase that opens the key of this name.
    pub fn existing(&self, name: &KeyName) -> Result<Passphrase, PassphraseError> {
        match self.given()? {
            Some(passphrase) => Ok(passphrase),
            None => Passphrase::prompt(&format!("Passphrase of key \"{name}\": ")),
        }
    }

    /// A passphrase for a new key: strong enough, and at the terminal typed twice.
    pub fn fresh(&self, name: &KeyName) -> Result<Passphrase, PassphraseError> {
        let passphrase = match self.given()? {
            Some(passphrase) => passphrase,
            None => {
                let first = Passphrase::prompt(&format!("New passphrase for key \"{name}\": "))?;
                first.check_strength()?;
                if !Passphrase::prompt("The same again: ")?.is_same(&first) {
                    return Err(PassphraseError::Differ);
                }
                first
            }
        };
        passphrase.check_strength()?;
        Ok(passphrase)
    }

    fn given(&self) -> Result<Option<Passphrase>, PassphraseError> {
        match (self.passphrase_fd, &self.passphrase_file) {
            (Some(descriptor), _) => Passphrase::from_descriptor(descriptor).map(Some),
            (None, Some(path)) => Passphrase::from_file(path).map(Some),
            (None, None) => Ok(None),
        }
    }
}
