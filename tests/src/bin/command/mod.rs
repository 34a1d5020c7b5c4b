//! How the commands of this folder read their options: help goes out as it is, and what is not understood ends as
//! every run does, in one verdict line.
#![expect(clippy::print_stdout, reason = "the verdict of a command is printed")]

use std::process::ExitCode;

use clap::Parser;

/// The exit code for a command line that is not understood.
const MISUSED: u8 = 2;

/// Reads the options of `command`; an error is the code to exit with, all that is to be said having been said.
pub(crate) fn options<O: Parser>(command: &str) -> Result<O, ExitCode> {
    O::try_parse().map_err(|error| {
        if !error.use_stderr() {
            print!("{error}");
            return ExitCode::SUCCESS;
        }
        eprint!("{error}");
        println!("FAILED: {command}: {}", in_one_line(&error.to_string()));
        ExitCode::from(MISUSED)
    })
}

/// The first paragraph of an error, without the word that opens it.
fn in_one_line(error: &str) -> String {
    let paragraph = error.split("\n\n").next().unwrap_or(error);
    let lines: Vec<&str> = paragraph.lines().map(str::trim).collect();
    let line = lines.join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}
