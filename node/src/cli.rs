//! The command line: nouns, then verbs. Data goes to stdout, everything else to stderr; `--json` gives one
//! object a command for machines; exit codes are a promise ([`exit::Exit`]).
//!
//! Each noun is a file with its arguments and `run(args, ctx) -> Result<(), CliError>`. [`output`] alone prints.
//! A new noun is a file, a variant of [`Command`] and an arm of `Command::run`.

pub mod blocks;
pub mod completions;
pub mod config;
pub mod db;
pub mod devnet;
pub mod document;
pub mod eds;
pub mod error;
pub mod exit;
pub mod genesis;
pub mod holder;
pub mod init;
pub mod issue;
pub mod keys;
mod moment;
pub mod node;
pub mod officer;
pub mod output;
pub mod passphrase;
pub mod run;
pub mod status;
pub mod token;
pub mod trust;
pub mod verify;
pub mod version;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::{
    config::{Config, Layers, LogFormat},
    home::{HOME_VARIABLE, Home},
    logging,
};
pub use error::CliError;
pub use exit::Exit;
pub use output::Output;

/// What is logged where neither flag nor settings say: a command's answer is its output.
const COMMAND_LOG_FILTER: &str = "warn";

/// A permissioned ledger of diplomas: node, issuer's and verifier's tools in one.
#[derive(Debug, Parser)]
#[command(name = "tanba", version, about, after_help = exit::AFTER_HELP, propagate_version = true)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Default, Args)]
pub struct Global {
    /// The node's home directory [default: ~/.tanba]
    #[arg(long, global = true, env = HOME_VARIABLE, value_name = "DIR", hide_env_values = true)]
    pub home: Option<PathBuf>,
    /// Print one JSON object: {schema, ok, data | error}
    #[arg(long, global = true)]
    pub json: bool,
    /// What is logged to stderr: a level, or target=level, comma-separated
    #[arg(long, global = true, value_name = "FILTER")]
    pub log: Option<String>,
    /// Print data and errors, no remarks
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// The nouns.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a whole network here: issue, agree on, prove and revoke a class of diplomas
    Devnet(devnet::DevnetArgs),
    /// Make a home from a genesis: its settings, journal and store
    Init(init::InitArgs),
    /// Make, list and prove keys
    Keys(keys::KeysArgs),
    /// Write and check the first facts of a network
    Genesis(genesis::GenesisArgs),
    /// Show the settings in force
    Config(config::ConfigArgs),
    /// Run the node of a home
    Run(run::RunArgs),
    /// Check the store of a home
    Db(db::DbArgs),
    /// Issue diplomas from a class list: prepare, approve, submit
    Issue(issue::IssueArgs),
    /// Suspend, reinstate, revoke or replace diplomas, as their university
    Token(token::TokenArgs),
    /// Restrict, lift or withdraw a diploma, as its holder
    Holder(holder::HolderArgs),
    /// Check diplomas: genuine, in force, by whom
    Verify(verify::VerifyArgs),
    /// Check any issuer's signed document (SD-JWT)
    Document(document::DocumentArgs),
    /// Check the national electronic signature on a file, and the certificates behind it
    Eds(eds::EdsArgs),
    /// Tell how a node is doing
    Status(status::StatusArgs),
    /// List blocks, or follow new ones
    Blocks(blocks::BlocksArgs),
    /// List the peers a node knows
    Peers(status::PeersArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
    /// Print the versions of program and formats
    Version,
}

/// Settings on the command line, for commands that read the settings.
#[derive(Clone, Debug, Default, Args)]
pub struct SettingFlags {
    /// Override a setting; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = parse_setting)]
    pub set: Vec<(String, String)>,
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.trim().to_owned(), value.trim().to_owned())),
        None => Err("a setting is written KEY=VALUE".to_owned()),
    }
}

/// What a command works with.
#[derive(Clone, Debug)]
pub struct Context {
    /// What every command takes.
    pub global: Global,
    /// Where answers go.
    pub output: Output,
}

impl Context {
    /// The home that flag, environment or the user's directory names.
    pub fn home(&self) -> Result<Home, CliError> {
        Ok(Home::resolve(self.global.home.as_deref())?)
    }

    /// The settings in force, each with its origin: file of the home, environment, `--set`, `--log`.
    pub fn layers(&self, flags: &SettingFlags) -> Result<Layers, CliError> {
        // Variables whose name or value is no text give no setting: every setting is one.
        let variables =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        let mut set = flags.set.clone();
        set.extend(self.global.log.iter().map(|filter| ("log.filter".to_owned(), filter.clone())));
        Ok(Layers::load(&self.home()?.config_file(), variables, &set)?)
    }

    /// Starts logging as the settings say: for commands that run for long. Once, before anything is logged.
    pub fn start_logging(&self, config: &Config) -> Result<(), CliError> {
        Ok(logging::start(config.log.format, &config.log.filter)?)
    }

    /// Starts logging for a command that answers and ends.
    fn start_command_logging(&self) -> Result<(), CliError> {
        let filter = self.global.log.as_deref().unwrap_or(COMMAND_LOG_FILTER);
        Ok(logging::start(LogFormat::Text, filter)?)
    }
}

impl Command {
    /// Does it. The answer of a command that was done may still have a code of its own.
    fn run(self, ctx: &Context) -> Result<Exit, CliError> {
        if !self.logs_by_settings() {
            ctx.start_command_logging()?;
        }
        let done = match self {
            Command::Verify(args) => return verify::run(args, ctx),
            Command::Document(args) => return document::run(args, ctx),
            Command::Eds(args) => return eds::run(args, ctx),
            Command::Db(args) => return db::run(&args, ctx),
            Command::Devnet(args) => devnet::run(args, ctx),
            Command::Init(args) => init::run(args, ctx),
            Command::Keys(args) => keys::run(args, ctx),
            Command::Genesis(args) => genesis::run(args, ctx),
            Command::Config(args) => config::run(args, ctx),
            Command::Run(args) => run::run(args, ctx),
            Command::Issue(args) => issue::run(&args, ctx),
            Command::Token(args) => token::run(&args, ctx),
            Command::Holder(args) => holder::run(&args, ctx),
            Command::Status(args) => status::run(&args, ctx),
            Command::Blocks(args) => blocks::run(&args, ctx),
            Command::Peers(args) => status::run_peers(&args, ctx),
            Command::Completions(args) => completions::run(args, ctx),
            Command::Version => version::run(ctx),
        };
        done.map(|()| Exit::Ok)
    }

    /// Whether the command calls [`Context::start_logging`] itself, once it has read the settings.
    fn logs_by_settings(&self) -> bool {
        match self {
            Command::Run(_) => true,
            Command::Devnet(_)
            | Command::Init(_)
            | Command::Keys(_)
            | Command::Genesis(_)
            | Command::Config(_)
            | Command::Db(_)
            | Command::Issue(_)
            | Command::Token(_)
            | Command::Holder(_)
            | Command::Verify(_)
            | Command::Document(_)
            | Command::Eds(_)
            | Command::Status(_)
            | Command::Blocks(_)
            | Command::Peers(_)
            | Command::Completions(_)
            | Command::Version => false,
        }
    }
}

/// The program: reads the process's arguments, does what they say, reports, and returns the exit code.
pub fn main() -> ExitCode {
    run(std::env::args_os().collect())
}

/// As [`main`], for given arguments; the first is the program's name.
pub fn run(args: Vec<OsString>) -> ExitCode {
    // Before the arguments are understood, all that can be known is whether the word stands there.
    let json = args.iter().skip(1).take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    match Cli::try_parse_from(args) {
        Ok(cli) => {
            let output = Output::new(cli.global.json, cli.global.quiet);
            let ctx = Context { global: cli.global, output };
            match cli.command.run(&ctx) {
                Ok(exit) => exit.into(),
                Err(error) => ctx.output.fail(&error),
            }
        }
        Err(usage) if json && usage.use_stderr() => Output::new(true, false).fail(&CliError::usage(&usage)),
        Err(usage) => {
            // Help and version go to stdout with code 0, mistakes to stderr with code 2.
            let code = if usage.use_stderr() { Exit::Usage } else { Exit::Ok };
            match usage.print() {
                Ok(()) => code.into(),
                Err(_) => Exit::Failure.into(),
            }
        }
    }
}

/// The grammar, for completions and checks.
pub fn grammar() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once(&"tanba").chain(args))
    }

    #[test]
    fn the_grammar_is_sound() {
        grammar().debug_assert();
    }

    #[test]
    fn global_flags_stand_before_or_after_the_command() {
        let before = parse(&["--json", "--home", "/h", "version"]).expect("parsed").global;
        let after = parse(&["version", "--json", "--home", "/h"]).expect("parsed").global;
        assert!(before.json && after.json);
        assert_eq!((&before.home, &before.home), (&after.home, &Some("/h".into())));
    }

    #[test]
    fn settings_are_key_and_value() {
        assert_eq!(parse_setting("p2p.listen=[::1]:1"), Ok(("p2p.listen".into(), "[::1]:1".into())));
        assert!(parse(&["config", "show", "--set", "p2p.listen"]).is_err());
    }

    #[test]
    fn the_workflows_of_the_help_texts_parse() {
        for line in [
            "issue prepare --roster class.csv --issuer 260740000011 --out d --small-consented --entries-max 20",
            "issue prepare --roster class.csv --university 1 --out d --dry-run",
            "issue approve d --role approver --key approver-2",
            "issue submit d --node 127.0.0.1:1",
            "token revoke --holder-file a.json --holder-file b.json --reason fraud --out c.json --yes",
            "token replace --holder-file a.json --by b.json --reason name-change --out c.json",
            "token approve c.json --role registrar",
            "token submit c.json --json",
            "holder withdraw --holder-file a.json --yes",
            "verify a.json --checkpoint c --max-age 24h --save p",
            "verify a.json --offline --bundle p --genesis g",
            "eds check a.cms --content a --roots d --crl c --crl e --ocsp o --at 2026-09-01T00:00:00Z --devnet",
            "document check a.jwt --issuer-key k.json --at 2026-09-01T00:00:00Z",
            "blocks --from 3 --follow",
        ] {
            let line = line.replace("260740000011", &tanba_ledger::testkit::bin(0).to_string());
            let words: Vec<&str> = line.split(' ').collect();
            assert!(
                parse(&words).is_ok(),
                "{line}: {:?}",
                parse(&words).err().map(|error| error.to_string())
            );
        }
    }

    #[test]
    fn what_a_command_cannot_do_without_is_asked_for() {
        for line in [
            "issue prepare --roster class.csv --out d",
            "issue approve d",
            "issue approve d --role admin",
            "token suspend --reason fraud --out c.json",
            "token suspend --fingerprint 11 --reason fraud --out c.json",
            "token suspend --holder-file a.json --out c.json",
            "token revoke --holder-file a.json --reason whim --out c.json",
            "verify a.json --bundle p",
            "verify",
            "eds check",
            "eds check a.cms --at yesterday",
            "document check --issuer-key k.json",
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            assert!(parse(&words).is_err(), "{line}");
        }
    }

    #[test]
    fn secrets_are_no_arguments() {
        assert!(parse(&["keys", "new", "--role", "node", "--passphrase", "x"]).is_err());
    }
}
