//! `tanba init`: makes a home that a node can run in. It alone founds journal and store.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tanba_consensus::Guard;
use tanba_crypto::{Canonical, PublicKey};
use tanba_genesis::GenesisDocument;
use tanba_storage::{DiskStore, FileJournal, Store, replay::by_the_rules};

use super::{CliError, Context, genesis};
use crate::{
    config::settings,
    home::{Home, files},
    keystore::{Keystore, Purpose},
};

/// `tanba init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The network's genesis.toml or genesis.bin
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
}

#[derive(Serialize)]
struct Initialised {
    home: String,
    network: String,
    chain_id: String,
}

/// Does what `args` say.
pub fn run(args: InitArgs, ctx: &Context) -> Result<(), CliError> {
    let document = genesis::read(&args.genesis)?;
    let home = ctx.home()?;
    home.create()?;
    let keys = Keystore::open(home.keys_dir())?.list()?;
    let validator = keys.iter().find(|key| key.purpose == Purpose::Validator).map(|key| key.public);
    initialise(&home, &document, validator)?;
    let made = Initialised {
        home: home.root().display().to_string(),
        network: document.genesis().network.clone(),
        chain_id: document.chain_id().to_string(),
    };
    ctx.output.data("tanba.init.v1", &made, |out| {
        writeln!(out, "home     {}", made.home)?;
        writeln!(out, "network  {}", made.network)?;
        writeln!(out, "chain id {}", made.chain_id)
    })?;
    if validator.is_none() {
        ctx.output.note("the home holds no validator key: its node will observe");
    }
    ctx.output.note("compare the chain id with the other institutions before the node runs");
    Ok(())
}

/// Makes `home` ready for a node of the network that `document` founds: directories, settings, store, journal
/// and, last of all, `genesis.bin`. Keys that are there stay.
///
/// A `validator` key becomes the owner of the journal; a journal without one is an observer's.
///
/// Refuses a home that holds a genesis, a journal or a store: a second journal would let a validator vote twice.
pub fn initialise(
    home: &Home,
    document: &GenesisDocument,
    validator: Option<PublicKey>,
) -> Result<(), CliError> {
    home.create()?;
    home.check_uninitialised()?;
    if !home.config_file().exists() {
        files::create_file(&home.config_file(), settings::template().as_bytes(), files::MODE_PRIVATE)?;
    }
    DiskStore::create(home.root(), document.block(), document.delta().clone())?;
    let chain = document.chain_id();
    FileJournal::create(home.root(), &chain)?;
    if let Some(key) = validator {
        let (_, owner) = Guard::create(chain, key);
        DiskStore::open(home.root(), &chain, &by_the_rules)?.journal().append(&[owner.to_canonical()])?;
    }
    Ok(home.put_genesis(document)?)
}
