//! `tanba version`: of the program, and of the formats it writes.

use serde::Serialize;
use tanba_ledger::block::HEADER_VERSION;

use super::{CliError, Context};

#[derive(Serialize)]
struct Version {
    version: &'static str,
    header_version: u16,
}

/// Prints the versions.
pub fn run(ctx: &Context) -> Result<(), CliError> {
    let version = Version { version: env!("CARGO_PKG_VERSION"), header_version: HEADER_VERSION };
    ctx.output.data("tanba.version.v1", &version, |out| {
        writeln!(out, "tanba {}\nblock headers: version {}", version.version, version.header_version)
    })
}
