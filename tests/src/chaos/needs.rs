//! What a scenario needs of this machine. Each is probed by being used; what is missing makes the scenario
//! skipped, with the reason.

use std::process::Command;

use super::Stopped;

fn skipped<T>(why: impl Into<String>) -> Result<T, Stopped> {
    Err(Stopped::Skipped(why.into()))
}

/// A program that starts and succeeds with these arguments.
pub(super) fn program(name: &str, arguments: &[&str]) -> Result<(), Stopped> {
    match Command::new(name).args(arguments).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            skipped(format!(
                "`{name}` does not work here: {}",
                said.lines().next().unwrap_or("no reason given")
            ))
        }
        Err(_) => skipped(format!("`{name}` is not installed")),
    }
}

/// Root: mounts, devices and namespaces need it.
pub(super) fn root() -> Result<(), Stopped> {
    let owner = std::fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own));
    match owner {
        Ok(0) => Ok(()),
        Ok(_) => skipped("needs root"),
        Err(_) => skipped("needs root, and a system that lists processes in /proc"),
    }
}

/// Something done once to see whether it can be done here, `what` in words.
pub(super) fn tried(what: &str, done: Result<(), Stopped>) -> Result<(), Stopped> {
    match done {
        Err(Stopped::Failed(why)) => {
            skipped(format!("{what} cannot be had here: {}", why.lines().next().unwrap_or("no reason given")))
        }
        done => done,
    }
}

/// Runs a command that was probed before; its failure is the scenario's.
pub(super) fn run(name: &str, arguments: &[&str]) -> Result<(), Stopped> {
    let output = Command::new(name).args(arguments).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    super::failed(format!("`{name} {}` failed: {}", arguments.join(" "), said.trim()))
}
