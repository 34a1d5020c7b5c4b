//! Keys at rest: one file per key, mode 0600, sealed under a passphrase (Argon2id, RFC 9106, and
//! ChaCha20-Poly1305, RFC 8439). The public half is readable without the passphrase.
//!
//! A file without a passphrase says so, is made only where a devnet is asked for, and opens only where genesis
//! says `Devnet`: the network decides, not the operator. Private halves live in wiped memory and appear in no
//! `Debug`, log, error or argument list.
//!
//! [`Keystore`] is the directory; [`seal`] is what lies in a file; [`passphrase`] is what opens it.

pub mod passphrase;
pub mod seal;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use tanba_crypto::{PublicKey, SigningKey};
use tanba_ledger::record::{KeyRole, NetworkKind};
use zeroize::Zeroizing;

use crate::home::files::{self, FileError, MODE_PRIVATE};
pub use passphrase::{Passphrase, PassphraseError};
use seal::{KeyFile, SealError};

/// Bytes of a key file.
const KEY_FILE_BYTES_MAX: usize = 16 * 1024;

/// Keys of one keystore.
const KEYS_MAX: usize = 1_024;

/// What a stored key is for. All but [`Purpose::Control`] are roles on the ledger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Purpose {
    /// Votes.
    Validator,
    /// Identifies a node on the network.
    Node,
    /// Proposes batches and changes.
    Registrar,
    /// Confirms what a registrar proposed.
    Approver,
    /// Manages keys and nodes.
    Admin,
    /// Signs diploma documents.
    Document,
    /// Co-signs checkpoints.
    Witness,
    /// A holder's control key: restricts, lifts and withdraws one diploma.
    Control,
}

impl Purpose {
    /// Every purpose, with the word that files and command lines use.
    pub const WORDS: &'static [(&'static str, Purpose)] = &[
        ("validator", Purpose::Validator),
        ("node", Purpose::Node),
        ("registrar", Purpose::Registrar),
        ("approver", Purpose::Approver),
        ("admin", Purpose::Admin),
        ("document", Purpose::Document),
        ("witness", Purpose::Witness),
        ("control", Purpose::Control),
    ];

    /// The word for this purpose.
    pub fn word(self) -> &'static str {
        tanba_genesis::text::word_of(Purpose::WORDS, self)
    }

    /// The role on the ledger; a holder's key has none.
    pub const fn ledger_role(self) -> Option<KeyRole> {
        match self {
            Purpose::Validator => Some(KeyRole::Validator),
            Purpose::Node => Some(KeyRole::Node),
            Purpose::Registrar => Some(KeyRole::Registrar),
            Purpose::Approver => Some(KeyRole::Approver),
            Purpose::Admin => Some(KeyRole::Admin),
            Purpose::Document => Some(KeyRole::Document),
            Purpose::Witness => Some(KeyRole::Witness),
            Purpose::Control => None,
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The name of a stored key: 1 to 64 of `a-z`, `0-9`, `-`, beginning with a letter or digit. It becomes a file
/// name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct KeyName(String);

impl KeyName {
    /// Checks length and alphabet.
    pub fn new(name: &str) -> Option<KeyName> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let good = (1..=64).contains(&name.len()) && name.bytes().all(allowed) && !name.starts_with('-');
        good.then(|| KeyName(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a new key is kept.
#[derive(Debug)]
pub enum Protection<'p> {
    /// Sealed under a passphrase.
    Sealed(&'p Passphrase),
    /// In the clear. Such a key is worthless outside a devnet: [`Keystore::unlock`] refuses it there.
    PlainForDevnet,
}

/// What anyone with the file may know of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyInfo {
    /// Its name in this keystore.
    pub name: KeyName,
    /// What it is for.
    pub purpose: Purpose,
    /// Its public half.
    pub public: PublicKey,
    /// Whether a passphrase seals it. If not, it is a devnet's.
    pub sealed: bool,
}

/// Why a key cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// A file or directory misbehaved; too open a mode is among it.
    #[error(transparent)]
    File(#[from] FileError),
    /// No key of that name.
    #[error("there is no key \"{name}\" in {dir}")]
    NotFound {
        /// The name.
        name: KeyName,
        /// The keystore.
        dir: PathBuf,
    },
    /// The file is not what a keystore wrote, or was changed.
    #[error("{path}: {error}")]
    Seal {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: SealError,
    },
    /// A key in the clear, and the network is no devnet.
    #[error("{0} is kept without a passphrase; such keys are for devnets alone")]
    PlainOutsideDevnet(PathBuf),
    /// No passphrase could be had.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// More keys than a keystore holds.
    #[error("{0} holds more than {KEYS_MAX} keys")]
    TooMany(PathBuf),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    NoRandomness(String),
}

impl KeystoreError {
    /// What to do about it.
    pub fn next_step(&self) -> String {
        match self {
            KeystoreError::File(error) => error.next_step(),
            KeystoreError::NotFound { .. } => "`tanba keys list` names the keys there are".to_owned(),
            KeystoreError::Seal { error: SealError::NotOpened, .. } => {
                "try the passphrase again; if it is right, restore the file from its backup".to_owned()
            }
            KeystoreError::Seal { .. } => "restore the file from its backup".to_owned(),
            KeystoreError::PlainOutsideDevnet(_) => {
                "make a sealed key with `tanba keys new` and have it registered".to_owned()
            }
            KeystoreError::Passphrase(error) => error.next_step().to_owned(),
            KeystoreError::TooMany(_) => "move the keys not needed here into another home".to_owned(),
            KeystoreError::NoRandomness(_) => "try again; if it persists, mend the system".to_owned(),
        }
    }
}

/// A directory of keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keystore {
    dir: PathBuf,
}

impl Keystore {
    /// The keystore in `dir`, which must exist and be closed to others.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Keystore, KeystoreError> {
        let dir = dir.into();
        files::check_private_dir(&dir)?;
        Ok(Keystore { dir })
    }

    /// Draws a new Ed25519 key and keeps it under `name`. Refuses a name that is taken.
    pub fn generate(
        &self,
        name: &KeyName,
        purpose: Purpose,
        protection: Protection<'_>,
    ) -> Result<KeyInfo, KeystoreError> {
        let mut seed = Zeroizing::new([0; 32]);
        random(seed.as_mut_slice())?;
        self.keep(name, purpose, &SigningKey::ed25519(&seed), protection)
    }

    /// Keeps a key that exists. Refuses a name that is taken.
    pub fn keep(
        &self,
        name: &KeyName,
        purpose: Purpose,
        key: &SigningKey,
        protection: Protection<'_>,
    ) -> Result<KeyInfo, KeystoreError> {
        let path = self.path(name);
        let file = match protection {
            Protection::PlainForDevnet => KeyFile::plain(purpose, key),
            Protection::Sealed(passphrase) => {
                let (mut salt, mut nonce) = ([0; 16], [0; 12]);
                random(&mut salt)?;
                random(&mut nonce)?;
                KeyFile::sealed(purpose, key, passphrase, salt, nonce)
            }
        };
        files::create_file(&path, &file.to_json(), MODE_PRIVATE)?;
        Ok(KeyInfo { name: name.clone(), purpose, public: key.public(), sealed: file.is_sealed() })
    }

    /// Every key, in order of name. A file that is no key of ours is an error, not skipped.
    pub fn list(&self) -> Result<Vec<KeyInfo>, KeystoreError> {
        let entries = fs::read_dir(&self.dir).map_err(FileError::io("list", &self.dir))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(FileError::io("list", &self.dir))?;
            let file = entry.file_name();
            let name = file.to_str().and_then(|file| file.strip_suffix(".json")).and_then(KeyName::new);
            names.extend(name);
            if names.len() > KEYS_MAX {
                return Err(KeystoreError::TooMany(self.dir.clone()));
            }
        }
        names.sort();
        names.iter().map(|name| self.info(name)).collect()
    }

    /// What is public of one key.
    pub fn info(&self, name: &KeyName) -> Result<KeyInfo, KeystoreError> {
        let file = self.read(name)?;
        Ok(KeyInfo {
            name: name.clone(),
            purpose: file.purpose(),
            public: file.public(),
            sealed: file.is_sealed(),
        })
    }

    /// Opens a key. `passphrase` is asked for only if the key is sealed.
    ///
    /// `kind` is the network's, from genesis: a key in the clear opens on a devnet alone.
    pub fn unlock(
        &self,
        name: &KeyName,
        kind: NetworkKind,
        passphrase: impl FnOnce() -> Result<Passphrase, PassphraseError>,
    ) -> Result<SigningKey, KeystoreError> {
        let file = self.read(name)?;
        let at = |error| KeystoreError::Seal { path: self.path(name), error };
        if file.is_sealed() {
            return file.open(&passphrase()?).map_err(at);
        }
        match kind {
            NetworkKind::Devnet => file.open_plain().map_err(at),
            NetworkKind::Main => Err(KeystoreError::PlainOutsideDevnet(self.path(name))),
        }
    }

    fn read(&self, name: &KeyName) -> Result<KeyFile, KeystoreError> {
        let path = self.path(name);
        if !path.exists() {
            return Err(KeystoreError::NotFound { name: name.clone(), dir: self.dir.clone() });
        }
        let bytes = files::read_private(&path, KEY_FILE_BYTES_MAX)?;
        KeyFile::from_json(&bytes).map_err(|error| KeystoreError::Seal { path, error })
    }

    /// Where a key lies.
    pub fn path(&self, name: &KeyName) -> PathBuf {
        self.dir.join(format!("{name}.json"))
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

fn random(bytes: &mut [u8]) -> Result<(), KeystoreError> {
    getrandom::fill(bytes).map_err(|error| KeystoreError::NoRandomness(error.to_string()))
}

#[cfg(test)]
mod tests;
