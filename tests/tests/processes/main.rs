//! Networks of real processes: four validators and an observer, as they are run, started, asked and hurt.
//!
//! [`shared`] is one network that nothing in its tests harms; the others found their own.

mod commands;
mod disk;
mod doors;
mod heal;
mod homes;
mod journal;
mod power;
mod refused;
mod shared;
mod slow_reader;

use std::path::Path;

use tempfile::TempDir;

/// The program that is run.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_tanba-under-test"))
}

/// A folder of its own, gone with the value.
fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}
