//! `tanba keys`: make keys, list their public halves, and prove that a key is held.

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use serde::Serialize;
use tanba_crypto::Hash;
use tanba_genesis::{MemberKey, text};
use tanba_ledger::{Bin, record::NetworkKind};

use super::{CliError, Context, Exit, passphrase::PassphraseArgs};
use crate::{
    home::{Home, HomeError},
    keystore::{KeyInfo, KeyName, Keystore, Protection, Purpose},
};

/// `tanba keys …`
#[derive(Debug, Args)]
pub struct KeysArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a key and seal it under a passphrase
    New(NewArgs),
    /// List keys with their public halves
    List,
    /// Show one key's public half
    Show(ShowArgs),
    /// Prove that a key is held: prints its section for genesis
    Prove(ProveArgs),
}

#[derive(Debug, Args)]
struct NewArgs {
    /// What the key is for
    #[arg(long, value_parser = PossibleValuesParser::new(PURPOSES))]
    role: String,
    /// The key's name in this home [default: the role]
    #[arg(long, value_parser = parse_name)]
    name: Option<KeyName>,
    /// Keep the key without a passphrase; such a key is refused outside devnets
    #[arg(long, conflicts_with_all = ["passphrase_file", "passphrase_fd"])]
    devnet: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// The key's name
    #[arg(value_parser = parse_name)]
    name: KeyName,
}

#[derive(Debug, Args)]
struct ProveArgs {
    /// The key's name
    #[arg(value_parser = parse_name)]
    name: KeyName,
    /// The network's name, as genesis will say it
    #[arg(long)]
    network: String,
    /// The institution that holds the key
    #[arg(long, value_parser = parse_bin)]
    bin: Bin,
    /// Blinded commitment to the holder's certificate; may be left out on a devnet
    #[arg(long, value_name = "HEX", value_parser = parse_hash)]
    certificate: Option<Hash>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

const PURPOSES: [&str; 8] =
    ["validator", "node", "registrar", "approver", "admin", "document", "witness", "control"];

pub(crate) fn parse_name(text: &str) -> Result<KeyName, String> {
    KeyName::new(text).ok_or_else(|| "a key's name is 1 to 64 of a-z, 0-9 and -".to_owned())
}

pub(crate) fn parse_bin(text: &str) -> Result<Bin, String> {
    Bin::parse(text).map_err(|error| error.to_string())
}

pub(crate) fn parse_hash(text: &str) -> Result<Hash, String> {
    text::parse_hash(text).ok_or_else(|| "64 hex digits are due".to_owned())
}

#[derive(Serialize)]
struct Shown {
    name: String,
    role: &'static str,
    public: String,
    sealed: bool,
    file: String,
}

impl Shown {
    fn of(keys: &Keystore, info: &KeyInfo) -> Shown {
        Shown {
            name: info.name.to_string(),
            role: info.purpose.word(),
            public: info.public.to_string(),
            sealed: info.sealed,
            file: keys.path(&info.name).display().to_string(),
        }
    }

    fn line(&self) -> String {
        let sealed = if self.sealed { "" } else { "  (no passphrase: devnet only)" };
        format!("{:16} {:9} {}{sealed}", self.name, self.role, self.public)
    }
}

/// Does what `args` say.
pub fn run(args: KeysArgs, ctx: &Context) -> Result<(), CliError> {
    match args.verb {
        Verb::New(args) => new(args, ctx),
        Verb::List => list(ctx),
        Verb::Show(args) => show(args, ctx),
        Verb::Prove(args) => prove(args, ctx),
    }
}

fn new(args: NewArgs, ctx: &Context) -> Result<(), CliError> {
    let purpose = text::value_of(Purpose::WORDS, &args.role).expect("clap admits the roles alone");
    let name = args.name.unwrap_or_else(|| KeyName::new(purpose.word()).expect("roles are good names"));
    let home = ctx.home()?;
    if args.devnet && network_kind(&home)? == Some(NetworkKind::Main) {
        return Err(CliError::new(
            Exit::Permission,
            "KEY_PLAIN",
            "this home is of a main network, whose keys are sealed",
            "leave --devnet out",
        ));
    }
    home.create()?;
    let keys = Keystore::open(home.keys_dir())?;
    let made = if args.devnet {
        keys.generate(&name, purpose, Protection::PlainForDevnet)?
    } else {
        if keys.path(&name).exists() {
            // Before anyone types a passphrase twice.
            return Err(crate::home::files::FileError::Exists(keys.path(&name)).into());
        }
        keys.generate(&name, purpose, Protection::Sealed(&args.passphrase.fresh(&name)?))?
    };
    let shown = Shown::of(&keys, &made);
    ctx.output.data("tanba.keys.new.v1", &shown, |out| writeln!(out, "{}", shown.line()))?;
    let remark = if shown.sealed { "without its passphrase it is lost" } else { "for a devnet alone" };
    ctx.output.note(&format!("kept in {}; {remark}", shown.file));
    Ok(())
}

/// The kind of this home's network; `None` before the home is initialised.
fn network_kind(home: &Home) -> Result<Option<NetworkKind>, CliError> {
    match home.genesis() {
        Ok(genesis) => Ok(Some(genesis.kind())),
        Err(HomeError::Missing(_) | HomeError::NotInitialised(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn open(ctx: &Context) -> Result<(Home, Keystore), CliError> {
    let home = ctx.home()?;
    if !home.keys_dir().exists() {
        let message = format!("{} holds no keys", home.root().display());
        let next_step = "make one with `tanba keys new`, or name another home with --home";
        return Err(CliError::new(Exit::NotFound, "KEYS_NONE", message, next_step));
    }
    home.check()?;
    let keys = Keystore::open(home.keys_dir())?;
    Ok((home, keys))
}

fn list(ctx: &Context) -> Result<(), CliError> {
    let (_, keys) = open(ctx)?;
    let shown: Vec<Shown> = keys.list()?.iter().map(|info| Shown::of(&keys, info)).collect();
    ctx.output.data("tanba.keys.list.v1", &shown, |out| {
        shown.iter().try_for_each(|key| writeln!(out, "{}", key.line()))
    })
}

fn show(args: ShowArgs, ctx: &Context) -> Result<(), CliError> {
    let (_, keys) = open(ctx)?;
    let shown = Shown::of(&keys, &keys.info(&args.name)?);
    ctx.output.data("tanba.keys.show.v1", &shown, |out| writeln!(out, "{}", shown.line()))
}

#[derive(Serialize)]
struct Proven {
    network: String,
    bin: String,
    role: &'static str,
    key: String,
    proof: String,
    toml: String,
}

fn prove(args: ProveArgs, ctx: &Context) -> Result<(), CliError> {
    if !text::is_network_name(&args.network) {
        let message = format!("{:?} is no network name", args.network);
        let next_step = "write 3 to 32 of a-z, 0-9 and -, beginning with a letter";
        return Err(CliError::new(Exit::Usage, "NETWORK_NAME", message, next_step));
    }
    let (home, keys) = open(ctx)?;
    let info = keys.info(&args.name)?;
    let Some(role) = info.purpose.ledger_role() else {
        let message = format!("\"{}\" is a holder's key; genesis lists institutions' keys", args.name);
        return Err(CliError::new(Exit::Usage, "KEY_ROLE", message, "name a key of another role"));
    };
    // A key in the clear proves nothing outside devnets; before there is a genesis, it can only be a devnet's.
    let kind = network_kind(&home)?.unwrap_or(NetworkKind::Devnet);
    let key = keys.unlock(&args.name, kind, || args.passphrase.existing(&args.name))?;
    let certificate = args.certificate.unwrap_or(Hash::ZERO);
    let proven = MemberKey::proven(&args.network, args.bin, role, &key, certificate);
    let shown = Proven {
        network: args.network,
        bin: args.bin.to_string(),
        role: info.purpose.word(),
        key: proven.key.to_string(),
        proof: text::signature(&proven.proof),
        toml: proven.to_toml(),
    };
    ctx.output.data("tanba.keys.prove.v1", &shown, |out| write!(out, "{}", shown.toml))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_can_be_asked_for() {
        assert_eq!(PURPOSES.as_slice(), Purpose::WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>());
    }
}
