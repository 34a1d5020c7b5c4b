//! `tanba completions <shell>`: a script that completes nouns, verbs and flags.

use clap::Args;
use clap_complete::Shell;
use serde::Serialize;

use super::{CliError, Context, grammar};

/// Which shell.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell that reads the script
    pub shell: Shell,
}

#[derive(Serialize)]
struct Script {
    shell: String,
    script: String,
}

/// Prints the script.
pub fn run(args: CompletionsArgs, ctx: &Context) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut grammar(), "tanba", &mut script);
    let script = Script {
        shell: args.shell.to_string(),
        script: String::from_utf8(script).expect("completion scripts are text"),
    };
    ctx.output.data("tanba.completions.v1", &script, |out| write!(out, "{}", script.script))
}
