//! What opens a sealed key, and where it comes from: a file, an open file descriptor, or a prompt. Never an
//! argument or the environment's value itself: both can be read by other processes.

use std::{fmt, io::IsTerminal, path::Path};

use zeroize::Zeroizing;

use crate::home::files::{self, FileError};

/// Bytes of a passphrase.
pub const PASSPHRASE_BYTES_MAX: usize = 1_024;

/// Characters of a new passphrase, at least. Old ones open whatever they sealed.
pub const PASSPHRASE_CHARS_MIN: usize = 12;

/// A passphrase. Wiped on drop, shown by nothing.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// Nothing at all.
    #[error("the passphrase is empty")]
    Empty,
    /// Too long to be one.
    #[error("a passphrase has at most {PASSPHRASE_BYTES_MAX} bytes")]
    TooLong,
    /// Too short for a new key.
    #[error("a passphrase for a new key has at least {PASSPHRASE_CHARS_MIN} characters")]
    TooShort,
    /// The two entries differ.
    #[error("the two passphrases differ")]
    Differ,
    /// Nobody to ask and nowhere to read.
    #[error("a passphrase is needed and there is no terminal to ask at")]
    NoSource,
    /// The file or descriptor misbehaved.
    #[error(transparent)]
    File(#[from] FileError),
    /// The terminal misbehaved.
    #[error("cannot read from the terminal: {0}")]
    Terminal(std::io::Error),
}

impl PassphraseError {
    /// What to do about it.
    pub fn next_step(&self) -> &'static str {
        match self {
            PassphraseError::NoSource | PassphraseError::Terminal(_) => {
                "name a file of mode 0600 with --passphrase-file or TANBA_PASSPHRASE_FILE"
            }
            PassphraseError::File(FileError::TooOpen { .. }) => {
                "close the passphrase file to others: chmod 600"
            }
            PassphraseError::File(_) => "check the path of the passphrase file",
            PassphraseError::Empty | PassphraseError::TooLong | PassphraseError::TooShort => {
                "choose a passphrase of several words"
            }
            PassphraseError::Differ => "type the same passphrase twice",
        }
    }
}

impl Passphrase {
    /// A passphrase from bytes; one line break at the end is taken off.
    pub fn new(mut bytes: Zeroizing<Vec<u8>>) -> Result<Passphrase, PassphraseError> {
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        match bytes.len() {
            0 => Err(PassphraseError::Empty),
            1..=PASSPHRASE_BYTES_MAX => Ok(Passphrase(bytes)),
            _ => Err(PassphraseError::TooLong),
        }
    }

    /// Refuses what is too short for a new key.
    pub fn check_strength(&self) -> Result<(), PassphraseError> {
        // Bytes that begin a character: everything but UTF-8 continuations.
        let chars = self.0.iter().filter(|b| **b & 0xc0 != 0x80).count();
        if chars < PASSPHRASE_CHARS_MIN { Err(PassphraseError::TooShort) } else { Ok(()) }
    }

    /// What a file holds that only its owner may read.
    pub fn from_file(path: &Path) -> Result<Passphrase, PassphraseError> {
        Passphrase::new(files::read_private(path, PASSPHRASE_BYTES_MAX + 2)?)
    }

    /// What an inherited file descriptor holds, to its end. Whoever opened it decided who may read it.
    pub fn from_descriptor(descriptor: u32) -> Result<Passphrase, PassphraseError> {
        let path = format!("/dev/fd/{descriptor}");
        Passphrase::new(files::read_bounded(Path::new(&path), PASSPHRASE_BYTES_MAX + 2)?)
    }

    /// Asks at the terminal; nothing typed is shown.
    pub fn prompt(question: &str) -> Result<Passphrase, PassphraseError> {
        if !std::io::stdin().is_terminal() {
            return Err(PassphraseError::NoSource);
        }
        let typed = rpassword::prompt_password(question).map_err(PassphraseError::Terminal)?;
        Passphrase::new(Zeroizing::new(typed.into_bytes()))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether two entries are the same.
    pub fn is_same(&self, other: &Passphrase) -> bool {
        self.0 == other.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn of(text: &str) -> Result<Passphrase, PassphraseError> {
        Passphrase::new(Zeroizing::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn one_line_break_is_not_part_of_it() {
        let plain = of("long enough words").expect("a passphrase");
        assert!(of("long enough words\n").expect("a passphrase").is_same(&plain));
        assert!(of("long enough words\r\n").expect("a passphrase").is_same(&plain));
        assert!(!of("long enough words\n\n").expect("a passphrase").is_same(&plain));
        assert!(matches!(of("\n"), Err(PassphraseError::Empty)));
    }

    #[test]
    fn a_new_one_needs_twelve_characters_not_bytes() {
        let eleven = of("ұзынқұпиясө").expect("a passphrase");
        assert!(matches!(eleven.check_strength(), Err(PassphraseError::TooShort)));
        assert!(of("ұзынқұпиясөз").expect("a passphrase").check_strength().is_ok());
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("passphrase");
        fs::write(&path, "long enough words\n").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");
        assert!(matches!(
            Passphrase::from_file(&path),
            Err(PassphraseError::File(FileError::TooOpen { mode: 0o644, .. }))
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("chmod");
        assert!(Passphrase::from_file(&path).is_ok());
    }

    #[test]
    fn it_is_shown_by_nothing() {
        assert_eq!(format!("{:?}", of("long enough words")), "Ok(Passphrase(…))");
    }
}
