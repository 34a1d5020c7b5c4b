//! `tanba status` and `tanba peers`: how a node is doing, in its own words.

use clap::Args;
use serde::Serialize;
use tanba_genesis::text::{KINDS, PEER_KINDS, moment, word_of};
use tanba_proto::ledger::v1::Voting;

use super::{
    CliError, Context,
    node::{NodeArgs, block_on},
    output::counted,
};

/// `tanba status`
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    node: NodeArgs,
}

/// `tanba peers`
#[derive(Debug, Args)]
pub struct PeersArgs {
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Serialize)]
struct Told {
    node: String,
    chain_id: String,
    kind: &'static str,
    version: String,
    height: u64,
    block: String,
    time: String,
    lowest_height: u64,
    network_height: u64,
    view: u32,
    voting: &'static str,
    abstaining_through_height: Option<u64>,
    transactions_waiting: u32,
    bytes_waiting: u64,
    peers_connected: u32,
    peers_known: u32,
    equivocations: u64,
}

/// Tells how the node is doing.
pub fn run(args: &StatusArgs, ctx: &Context) -> Result<(), CliError> {
    let told = block_on(async {
        let client = args.node.connect().await?;
        let (info, status) = (client.node_info().await?, client.node_status().await?);
        Ok(Told {
            node: client.address().to_owned(),
            chain_id: info.chain.0.to_string(),
            kind: word_of(KINDS, info.kind),
            version: info.software_version,
            height: info.as_of.height.0,
            block: info.as_of.hash.0.to_string(),
            time: moment(info.as_of.time),
            lowest_height: info.lowest.0,
            network_height: status.network_height,
            view: status.view,
            voting: voting_word(status.voting()),
            abstaining_through_height: status.abstaining_through_height,
            transactions_waiting: status.mempool_count,
            bytes_waiting: status.mempool_bytes,
            peers_connected: status.peers_connected,
            peers_known: status.peers_known,
            equivocations: status.equivocations,
        })
    })?;
    ctx.output.data("tanba.status.v1", &told, |out| {
        let mut line = |name: &str, text: String| writeln!(out, "{name:14} {text}");
        line("node", format!("{} (tanba {})", told.node, told.version))?;
        line("network", format!("{} ({})", told.chain_id, told.kind))?;
        line("head", format!("block {}, {}", told.height, told.time))?;
        line("", told.block.clone())?;
        let behind = told.network_height.saturating_sub(told.height);
        let behind = if behind == 0 { String::new() } else { format!(", {behind} behind its peers") };
        line("serves", format!("blocks {} to {}{behind}", told.lowest_height, told.height))?;
        let through = told.abstaining_through_height.map(|height| format!(" through {height}"));
        line("votes", format!("{}{}; view {}", told.voting, through.unwrap_or_default(), told.view))?;
        let waiting = counted(told.transactions_waiting, "transaction", "transactions");
        line("waiting", format!("{waiting}, {}", counted(told.bytes_waiting, "byte", "bytes")))?;
        line("peers", format!("{} of {} connected", told.peers_connected, told.peers_known))?;
        match told.equivocations {
            0 => Ok(()),
            seen => line("equivocations", seen.to_string()),
        }
    })
}

const fn voting_word(voting: Voting) -> &'static str {
    match voting {
        Voting::Unspecified => "unknown",
        Voting::Voting => "voting",
        Voting::Observer => "observer",
        Voting::Recovering => "recovering",
        Voting::Abstaining => "abstaining",
        Voting::Retired => "retired",
    }
}

#[derive(Serialize)]
struct Peer {
    key: String,
    bin: String,
    kind: &'static str,
    connected: bool,
    height: Option<u64>,
}

/// Lists the peers the node knows.
pub fn run_peers(args: &PeersArgs, ctx: &Context) -> Result<(), CliError> {
    let peers = block_on(async { Ok(args.node.connect().await?.peers().await?) })?;
    let told: Vec<Peer> = peers
        .iter()
        .map(|peer| Peer {
            key: peer.key.to_string(),
            bin: peer.bin.to_string(),
            kind: word_of(PEER_KINDS, peer.kind),
            connected: peer.connected,
            height: peer.height.map(|height| height.0),
        })
        .collect();
    ctx.output.data("tanba.peers.v1", &told, |out| {
        told.iter().try_for_each(|peer| {
            let connected = if peer.connected { "connected" } else { "away" };
            let height = peer.height.map_or_else(|| "-".to_owned(), |height| height.to_string());
            writeln!(out, "{} {:9} {connected:9} {height:>8}  {}", peer.bin, peer.kind, peer.key)
        })
    })
}
