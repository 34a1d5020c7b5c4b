//! `cargo speed`: national signatures, messages like consents, and the vault, each beside its bound of the same run.
#![expect(clippy::print_stdout, reason = "this command's figures are its output")]

mod command;
mod verdict;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, ValueEnum};
use tanba_tests::speed::{Figure, gost, messages, vault};

/// Measures the national cryptography and the vault beside what the machine needs for them at least.
///
/// Fails if something takes much longer than the parts that it is made of. Figures by the second are the machine's.
#[derive(Parser, Debug)]
#[command(name = "cargo speed", bin_name = "cargo speed")]
struct Options {
    /// One part alone.
    #[arg(long, value_name = "PART")]
    only: Option<Part>,
    /// Where the vault is made; the system's folder for temporary files may lie in memory.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    folder: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Part {
    Gost,
    Messages,
    Vault,
}

fn main() -> ExitCode {
    let options: Options = match command::options("speed") {
        Ok(options) => options,
        Err(code) => return code,
    };
    verdict::conclude("speed", || run(&options))
}

fn run(options: &Options) -> Result<String, String> {
    let mut figures: Vec<Figure> = Vec::new();
    for part in [Part::Gost, Part::Messages, Part::Vault] {
        if options.only.is_some_and(|only| only != part) {
            continue;
        }
        let found = match part {
            Part::Gost => gost::measure(),
            Part::Messages => messages::measure(),
            Part::Vault => {
                vault::measure(&options.folder).map_err(|error| format!("speed: vault: {error}"))?
            }
        };
        found.iter().for_each(|figure| println!("{}", figure.line));
        figures.extend(found);
    }
    if let Some(slow) = figures.iter().find(|figure| !figure.holds()) {
        return Err(format!("speed: {}; at most {} is due", slow.line, slow.ratio_max));
    }
    let bounded = figures.iter().filter(|figure| figure.ratio.is_some()).count();
    Ok(format!("speed: {} figures, {bounded} within their bounds", figures.len()))
}
