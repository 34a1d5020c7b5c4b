//! How a command fails: a code for machines, a sentence, its cause, and what to do next.

use std::io;

use tanba_genesis::{Mistakes, mistake::MISTAKES_SHOWN_MAX};
use tanba_storage::StoreError;

use super::Exit;
use crate::{
    config::ConfigError,
    home::{HomeError, files::FileError},
    issue::{DossierError, Progress},
    keystore::{KeystoreError, PassphraseError, seal::SealError},
    logging::LoggingError,
};

/// A command's failure.
#[derive(Clone, Debug, PartialEq)]
pub struct CliError {
    /// The exit code.
    pub exit: Exit,
    /// Stable, for machines: `UPPER_SNAKE`.
    pub code: &'static str,
    /// For people, one sentence without a full stop.
    pub message: String,
    /// What lies behind it, where the sentence does not say.
    pub cause: Option<String>,
    /// What to do, in the imperative.
    pub next_step: String,
    /// More for machines, such as the places of mistakes in a file.
    pub details: Option<Box<serde_json::Value>>,
}

impl CliError {
    /// A failure with its sentence and what to do.
    pub fn new(
        exit: Exit,
        code: &'static str,
        message: impl Into<String>,
        next_step: impl Into<String>,
    ) -> CliError {
        let (message, next_step) = (message.into(), next_step.into());
        CliError { exit, code, message, cause: None, next_step, details: None }
    }

    /// The same with what lies behind it.
    pub fn caused_by(mut self, cause: impl ToString) -> CliError {
        self.cause = Some(cause.to_string());
        self
    }

    /// A command line that is not understood.
    pub fn usage(error: &clap::Error) -> CliError {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        CliError::new(Exit::Usage, "USAGE", first, "run the command with --help")
    }

    /// The answer could not be written to stdout.
    pub fn output(error: &io::Error) -> CliError {
        CliError::new(Exit::Failure, "OUTPUT", "cannot write the answer", "check where stdout goes")
            .caused_by(error)
    }
}

impl From<FileError> for CliError {
    fn from(error: FileError) -> CliError {
        let (exit, code) = match &error {
            FileError::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => (Exit::NotFound, "FILE_NOT_FOUND"),
                io::ErrorKind::PermissionDenied => (Exit::Permission, "FILE_PERMISSION"),
                _ => (Exit::Failure, "FILE_IO"),
            },
            FileError::Exists(_) => (Exit::Conflict, "FILE_EXISTS"),
            FileError::TooLong { .. } => (Exit::ConfigInvalid, "FILE_TOO_LONG"),
            FileError::TooOpen { .. } => (Exit::Permission, "FILE_TOO_OPEN"),
            FileError::NotADirectory(_) => (Exit::Conflict, "NOT_A_DIRECTORY"),
        };
        CliError::new(exit, code, error.to_string(), error.next_step())
    }
}

impl From<Mistakes> for CliError {
    fn from(mistakes: Mistakes) -> CliError {
        let shown = mistakes.0.iter().take(MISTAKES_SHOWN_MAX);
        let details = shown.map(|mistake| {
            serde_json::json!({
                "file": mistake.file,
                "line": mistake.at.map(|at| at.0),
                "column": mistake.at.map(|at| at.1),
                "path": mistake.finding.path,
                "what": mistake.finding.what,
                "remedy": mistake.finding.remedy,
            })
        });
        let details = serde_json::Value::Array(details.collect());
        let message = match mistakes.0.len() {
            1 => "there is a mistake".to_owned(),
            count => format!("there are {count} mistakes"),
        };
        let next_step = "mend each as its line says and run the command again";
        let error = CliError::new(Exit::ConfigInvalid, "FILE_MISTAKES", message, next_step);
        CliError { details: Some(Box::new(details)), ..error.caused_by(&mistakes) }
    }
}

impl From<HomeError> for CliError {
    fn from(error: HomeError) -> CliError {
        let message = error.to_string();
        match error {
            HomeError::File(error) => error.into(),
            HomeError::Genesis(mistakes) => mistakes.into(),
            HomeError::Nowhere => CliError::new(
                Exit::ConfigInvalid,
                "HOME_NOWHERE",
                message,
                "name it with --home or TANBA_HOME",
            ),
            HomeError::Missing(_) | HomeError::NotInitialised(_) => CliError::new(
                Exit::NotFound,
                "HOME_NOT_INITIALISED",
                message,
                "run `tanba init --genesis FILE`, or name another home with --home",
            ),
            HomeError::Exists(path) => CliError::new(
                Exit::Conflict,
                "HOME_EXISTS",
                message,
                format!(
                    "name another home with --home; only if no node ever ran in this one, remove {} and try again",
                    path.display()
                ),
            ),
        }
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> CliError {
        match error {
            ConfigError::File(error) => error.into(),
            ConfigError::Mistakes(mistakes) => mistakes.into(),
            ConfigError::Outside { origin, what, remedy } => {
                let next_step = format!("mend the {origin}: {remedy}");
                CliError::new(Exit::ConfigInvalid, "SETTING_INVALID", format!("{origin}: {what}"), next_step)
            }
        }
    }
}

impl From<PassphraseError> for CliError {
    fn from(error: PassphraseError) -> CliError {
        let next_step = error.next_step();
        match error {
            PassphraseError::File(error) => error.into(),
            error => CliError::new(Exit::Permission, "PASSPHRASE", error.to_string(), next_step),
        }
    }
}

impl From<KeystoreError> for CliError {
    fn from(error: KeystoreError) -> CliError {
        let (message, next_step) = (error.to_string(), error.next_step());
        let (exit, code) = match error {
            KeystoreError::File(error) => return error.into(),
            KeystoreError::Passphrase(error) => return error.into(),
            KeystoreError::NotFound { .. } => (Exit::NotFound, "KEY_NOT_FOUND"),
            KeystoreError::Seal { error: SealError::NotOpened, .. } => (Exit::Permission, "KEY_NOT_OPENED"),
            KeystoreError::Seal { .. } => (Exit::Damaged, "KEY_DAMAGED"),
            KeystoreError::PlainOutsideDevnet(_) => (Exit::Permission, "KEY_PLAIN"),
            KeystoreError::TooMany(_) => (Exit::Failure, "KEYS_TOO_MANY"),
            KeystoreError::NoRandomness(_) => (Exit::Failure, "NO_RANDOMNESS"),
        };
        CliError::new(exit, code, message, next_step)
    }
}

impl From<DossierError> for CliError {
    fn from(error: DossierError) -> CliError {
        let message = error.to_string();
        let (exit, code, next_step) = match error {
            DossierError::File(error) => return error.into(),
            DossierError::Malformed(_) => (
                Exit::ConfigInvalid,
                "FILE_INVALID",
                "get the file again from whoever prepared it, or prepare anew",
            ),
            DossierError::Summary => (Exit::NotProven, "SUMMARY_FALSE", "do as the message says"),
            DossierError::Approval(_) => {
                (Exit::NotProven, "APPROVAL_INVALID", "have it prepared and signed anew")
            }
            DossierError::Role(_) => {
                (Exit::Permission, "APPROVAL_ROLE", "sign with --role registrar or --role approver")
            }
            DossierError::RoleTaken(_) | DossierError::SameKey => {
                (Exit::Permission, "APPROVAL_ROLE", "let the other officer sign with a key of their own")
            }
            DossierError::Progress(progress) => return out_of_order(progress, message),
        };
        CliError::new(exit, code, message, next_step)
    }
}

/// A step was asked for that does not follow on `progress`; says the one that does.
fn out_of_order(progress: Progress, message: String) -> CliError {
    let (exit, code, next_step) = match progress {
        Progress::Prepared => {
            (Exit::Permission, "APPROVAL_MISSING", "have registrar and approver sign first")
        }
        Progress::Approved => (Exit::Conflict, "OUT_OF_ORDER", "submit it"),
        Progress::Submitted => {
            (Exit::Conflict, "OUT_OF_ORDER", "submit it again, which is harmless, to learn how it ended")
        }
        Progress::Final { .. } => (Exit::Conflict, "OUT_OF_ORDER", "nothing is left to do with this file"),
    };
    CliError::new(exit, code, message, next_step)
}

impl From<LoggingError> for CliError {
    fn from(error: LoggingError) -> CliError {
        let next_step = "write a level (error, warn, info, debug, trace) or target=level, comma-separated";
        CliError::new(Exit::Usage, "LOG_FILTER", error.to_string(), next_step)
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> CliError {
        let (exit, code, next_step) = match &error {
            StoreError::Io { .. } => (
                Exit::Failure,
                "STORE_IO",
                "mend what the system says (disk full, permissions) and start again",
            ),
            // The message itself ends with the remedy.
            StoreError::Damaged { .. } => (Exit::Damaged, "STORE_DAMAGED", "do as the message says"),
            StoreError::TooManyAside { .. } => (Exit::Damaged, "STORE_DAMAGED", "do as the message says"),
            StoreError::JournalDamaged { .. } => (
                Exit::Damaged,
                "JOURNAL_DAMAGED",
                "start the node: it asks the other validators what it had signed",
            ),
            StoreError::WrongNetwork { .. } => {
                (Exit::ConfigInvalid, "STORE_NETWORK", "name the home of this network with --home")
            }
            StoreError::WrongFormat { .. } => {
                (Exit::ConfigInvalid, "STORE_FORMAT", "run the version of tanba that wrote it")
            }
            StoreError::InUse(_) => {
                (Exit::Conflict, "HOME_IN_USE", "stop the other process, or name another home")
            }
            StoreError::Exists(_) => (Exit::Conflict, "STORE_EXISTS", "name another home with --home"),
            StoreError::NotDurable(_) => {
                (Exit::Failure, "STORE_NOT_DURABLE", "put the home on a local disk whose syncs are real")
            }
            StoreError::Missing(_) => {
                (Exit::NotFound, "HOME_NOT_INITIALISED", "run `tanba init --genesis FILE`")
            }
            StoreError::JournalLost(_) => (
                Exit::SafetyRefusal,
                "JOURNAL_LOST",
                "start the node: it asks the other validators what it had signed",
            ),
            StoreError::Stopped(_) => (Exit::Failure, "STORE_STOPPED", "start the node again"),
            StoreError::NoBlock(_) => (Exit::NotFound, "NO_BLOCK", "ask for a height up to the head"),
        };
        CliError::new(exit, code, error.to_string(), next_step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_out_of_order_is_answered_with_the_one_that_follows() {
        let refused = |progress| {
            let error = CliError::from(DossierError::Progress(progress));
            (error.exit, error.next_step)
        };
        let (missing, done) = (refused(Progress::Prepared), refused(Progress::Final { height: 7, index: 0 }));
        assert_eq!(missing, (Exit::Permission, "have registrar and approver sign first".to_owned()));
        assert_eq!(refused(Progress::Approved), (Exit::Conflict, "submit it".to_owned()));
        assert_eq!(done, (Exit::Conflict, "nothing is left to do with this file".to_owned()));
    }
}
