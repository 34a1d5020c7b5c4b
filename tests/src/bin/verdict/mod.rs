//! How a command ends whose parts are expected to panic now and then: in one verdict line, whatever happens.
#![expect(clippy::print_stdout, reason = "the verdict of a command is printed")]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::Mutex,
};

/// What the last panic said and where. Most belong to the code under test, and are caught and reported with their
/// trace; one of the command itself ends in the verdict.
static PANICKED: Mutex<String> = Mutex::new(String::new());

/// Runs `command` and prints its verdict.
pub(crate) fn conclude(command: &str, run: impl FnOnce() -> Result<String, String>) -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        *PANICKED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = panic.to_string();
    }));
    let verdict = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let panic = PANICKED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        Err(format!("{command}: the command itself failed: {}", panic.replace('\n', " ")))
    });
    match verdict {
        Ok(line) => {
            println!("OK: {line}");
            ExitCode::SUCCESS
        }
        Err(line) => {
            println!("FAILED: {line}");
            ExitCode::FAILURE
        }
    }
}
