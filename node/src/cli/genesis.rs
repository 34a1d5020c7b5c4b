//! `tanba genesis`: write, check and name the first facts of a network.

use std::{
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use serde::Serialize;
use tanba_genesis::{
    GENESIS_BYTES_MAX, GENESIS_TEXT_BYTES_MAX, GenesisDocument, Mistakes,
    file::read_join,
    template,
    text::{self, KINDS},
};
use tanba_ledger::{Timestamp, record::InstitutionRole};

use super::{CliError, Context, Exit, output::counted};
use crate::home::files;

/// `tanba genesis …`
#[derive(Debug, Args)]
pub struct GenesisArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a genesis file, from the institutions' join files or as a sheet to fill in
    New(NewArgs),
    /// Check a genesis file; every mistake is reported with its line and remedy
    Check(FileArgs),
    /// Print the chain id that a genesis file founds
    Hash(HashArgs),
}

#[derive(Debug, Args)]
struct NewArgs {
    /// The network's name: 3 to 32 of a-z, 0-9 and -
    #[arg(long)]
    network: String,
    /// The kind of network; it alone decides what is relaxed
    #[arg(long, value_parser = PossibleValuesParser::new(["devnet", "main"]))]
    kind: String,
    /// The time of block 0, in UTC: 2026-09-01T00:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    time: Option<Timestamp>,
    /// An institution's join file (`network` and one [[institutions]] section); may be repeated
    #[arg(long = "join", value_name = "FILE")]
    joins: Vec<PathBuf>,
    /// Write to this file instead of stdout; it must not exist
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct FileArgs {
    /// genesis.toml or genesis.bin
    file: PathBuf,
}

#[derive(Debug, Args)]
struct HashArgs {
    /// genesis.toml or genesis.bin
    file: PathBuf,
    /// Also write the canonical bytes to this file; it must not exist
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Does what `args` say.
pub fn run(args: GenesisArgs, ctx: &Context) -> Result<(), CliError> {
    match args.verb {
        Verb::New(args) => new(args, ctx),
        Verb::Check(args) => check(&args.file, ctx),
        Verb::Hash(args) => hash(args, ctx),
    }
}

/// Reads and checks a genesis file, in TOML or canonical bytes.
pub(crate) fn read(path: &Path) -> Result<GenesisDocument, CliError> {
    let name = path.display().to_string();
    let bytes = files::read_bounded(path, GENESIS_TEXT_BYTES_MAX.max(GENESIS_BYTES_MAX))?;
    if GenesisDocument::is_document(&bytes) {
        return Ok(GenesisDocument::from_bytes(&name, &bytes)?);
    }
    Ok(GenesisDocument::read_toml(&name, utf8(&name, &bytes)?)?)
}

fn utf8<'b>(name: &str, bytes: &'b [u8]) -> Result<&'b str, Mistakes> {
    let what = "the file is neither UTF-8 text nor a genesis document";
    std::str::from_utf8(bytes).map_err(|_| Mistakes::whole(name, what, "check that this is the right file"))
}

#[derive(Serialize)]
struct New {
    file: Option<String>,
    toml: String,
}

fn new(args: NewArgs, ctx: &Context) -> Result<(), CliError> {
    if !text::is_network_name(&args.network) {
        let message = format!("{:?} is no network name", args.network);
        let next_step = "write 3 to 32 of a-z, 0-9 and -, beginning with a letter";
        return Err(CliError::new(Exit::Usage, "NETWORK_NAME", message, next_step));
    }
    let kind = text::value_of(KINDS, &args.kind).expect("clap admits the kinds alone");
    let time = args.time.map_or_else(now, Ok)?;
    let toml = if args.joins.is_empty() {
        template::sheet(&args.network, kind, time)
    } else {
        template::assemble(&args.network, kind, time, read_joins(&args.joins)?)?.to_toml()
    };
    let file = args.out.as_ref().map(|path| path.display().to_string());
    if let Some(path) = &args.out {
        files::create_file(path, toml.as_bytes(), files::MODE_PUBLIC)?;
    }
    let made = New { file, toml };
    ctx.output.data("tanba.genesis.new.v1", &made, |out| match &made.file {
        Some(file) => writeln!(out, "{file}"),
        None => write!(out, "{}", made.toml),
    })?;
    ctx.output.note("next: fill in what is missing, then run `tanba genesis check`");
    Ok(())
}

fn read_joins(paths: &[PathBuf]) -> Result<Vec<(String, tanba_genesis::Join)>, CliError> {
    let mut joins = Vec::new();
    let mut mistakes = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let bytes = files::read_bounded(path, GENESIS_TEXT_BYTES_MAX)?;
        match utf8(&name, &bytes).and_then(|text| read_join(&name, text)) {
            Ok(join) => joins.push((name, join)),
            Err(found) => mistakes.extend(found.0),
        }
    }
    if mistakes.is_empty() { Ok(joins) } else { Err(Mistakes(mistakes).into()) }
}

/// This moment, to the second: block 0 needs no finer time.
fn now() -> Result<Timestamp, CliError> {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(elapsed) => Ok(Timestamp(elapsed.as_secs() * 1_000)),
        Err(error) => {
            let message = "this machine's clock stands before 1970";
            Err(CliError::new(Exit::Failure, "CLOCK", message, "set the clock, or name --time")
                .caused_by(error))
        }
    }
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    let time: jiff::Timestamp =
        text.parse().map_err(|_| "a time is written 2026-09-01T00:00:00Z".to_owned())?;
    let ms = u64::try_from(time.as_millisecond()).map_err(|_| "the time lies before 1970".to_owned())?;
    Ok(Timestamp(ms))
}

#[derive(Serialize)]
struct Summary {
    network: String,
    kind: &'static str,
    time: String,
    universities: usize,
    regulators: usize,
    validators: usize,
    keys: usize,
    accreditations: usize,
    chain_id: String,
}

impl Summary {
    fn of(document: &GenesisDocument) -> Summary {
        let genesis = document.genesis();
        let count = |role| genesis.members.iter().filter(|member| member.institution.role == role).count();
        Summary {
            network: genesis.network.clone(),
            kind: text::word_of(KINDS, document.kind()),
            time: text::moment(genesis.time),
            universities: count(InstitutionRole::University),
            regulators: count(InstitutionRole::Regulator),
            validators: genesis.validators.len(),
            keys: genesis.members.iter().map(|member| member.keys.len()).sum(),
            accreditations: genesis.members.iter().map(|member| member.accreditations.len()).sum(),
            chain_id: document.chain_id().to_string(),
        }
    }

    fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let Summary { network, kind, time, chain_id, .. } = self;
        writeln!(out, "network        {network} ({kind}), from {time}")?;
        let universities = counted(self.universities, "university", "universities");
        writeln!(
            out,
            "institutions   {universities}, {}",
            counted(self.regulators, "regulator", "regulators")
        )?;
        writeln!(out, "validators     {}", self.validators)?;
        writeln!(out, "keys           {}, each proven to be held", self.keys)?;
        writeln!(out, "accreditations {}", self.accreditations)?;
        writeln!(out, "chain id       {chain_id}")
    }
}

fn check(file: &Path, ctx: &Context) -> Result<(), CliError> {
    let summary = Summary::of(&read(file)?);
    ctx.output.data("tanba.genesis.check.v1", &summary, |out| summary.write(out))
}

#[derive(Serialize)]
struct Hashed {
    chain_id: String,
    file: Option<String>,
}

fn hash(args: HashArgs, ctx: &Context) -> Result<(), CliError> {
    let document = read(&args.file)?;
    if let Some(path) = &args.out {
        files::create_file(path, &document.to_bytes(), files::MODE_PUBLIC)?;
    }
    let file = args.out.map(|path| path.display().to_string());
    let hashed = Hashed { chain_id: document.chain_id().to_string(), file };
    ctx.output.data("tanba.genesis.hash.v1", &hashed, |out| writeln!(out, "{}", hashed.chain_id))
}
