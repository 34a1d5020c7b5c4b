//! What a command trusts: a checkpoint, or the genesis of a devnet, and how old an answer may be.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};
use tanba_crypto::Hash;
use tanba_genesis::GenesisDocument;
use tanba_ledger::{BlockHash, ChainId, Height, Timestamp, proof::Checkpoint, record::NetworkKind};

use super::{CliError, Context, Exit, genesis};
use crate::{
    client::Trust,
    clock,
    home::{HomeError, files},
    verify::Terms,
};

/// Bytes of a checkpoint file.
const CHECKPOINT_FILE_BYTES_MAX: usize = 4 * 1024;

const FORMAT: &str = "tanba-checkpoint/1";

/// What is trusted.
#[derive(Clone, Debug, Args)]
pub struct TrustArgs {
    /// Begin proofs at this block: a file of `tanba verify --save-checkpoint`, from whom you trust
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// The network's genesis.toml or genesis.bin; a devnet is trusted from there [default: the home's]
    #[arg(long, value_name = "FILE")]
    pub genesis: Option<PathBuf>,
    /// Refuse an answer older than this: 90s, 15m, 24h, 30d
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = parse_duration_ms)]
    pub max_age: u64,
}

/// A checkpoint as a file carries it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointFile {
    format: String,
    chain: String,
    height: u64,
    block: String,
    time_ms: u64,
}

impl TrustArgs {
    /// The genesis that was named, or the one of the home if there is one.
    pub fn genesis(&self, ctx: &Context) -> Result<Option<GenesisDocument>, CliError> {
        if let Some(path) = &self.genesis {
            return genesis::read(path).map(Some);
        }
        let Ok(home) = ctx.home() else { return Ok(None) };
        match home.genesis() {
            Ok(document) => Ok(Some(document)),
            Err(HomeError::Missing(_) | HomeError::NotInitialised(_) | HomeError::Nowhere) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// As [`TrustArgs::genesis`], for commands that cannot do without.
    pub fn genesis_needed(&self, ctx: &Context) -> Result<GenesisDocument, CliError> {
        self.genesis(ctx)?.ok_or_else(|| {
            let next_step = "name the network's genesis with --genesis, or an initialised home with --home";
            CliError::new(
                Exit::Usage,
                "GENESIS_NEEDED",
                "it is not said which network this is for",
                next_step,
            )
        })
    }

    /// The terms on which this machine believes, as of now.
    pub fn terms(&self, ctx: &Context) -> Result<Terms, CliError> {
        let checkpoint = self.checkpoint.as_deref().map(read_checkpoint).transpose()?;
        let mut genesis = self.genesis(ctx)?;
        if let (Some(checkpoint), Some(document)) = (&checkpoint, &genesis)
            && checkpoint.chain != document.chain_id()
        {
            if self.genesis.is_some() {
                let message = "the checkpoint is not of the network that the genesis founds";
                return Err(CliError::new(
                    Exit::ConfigInvalid,
                    "OTHER_NETWORK",
                    message,
                    "name files of one network",
                ));
            }
            // The home is of another network and was not asked for.
            genesis = None;
        }
        let kind = genesis.as_ref().map_or(NetworkKind::Main, GenesisDocument::kind);
        let founding = genesis.filter(|_| kind == NetworkKind::Devnet);
        let checkpoint =
            checkpoint.or_else(|| founding.map(|document| Checkpoint::of(&document.block().header)));
        let checkpoint = checkpoint.ok_or_else(|| {
            CliError::new(
                Exit::Usage,
                "TRUST_NEEDED",
                "there is nothing to trust: proofs must begin somewhere",
                "name a checkpoint with --checkpoint, or the genesis of a devnet with --genesis",
            )
        })?;
        let trust = Trust { checkpoint, now: clock::now(), max_age_ms: self.max_age };
        Ok(Terms { trust, kind })
    }
}

fn read_checkpoint(path: &Path) -> Result<Checkpoint, CliError> {
    let bytes = files::read_bounded(path, CHECKPOINT_FILE_BYTES_MAX)?;
    parse_checkpoint(&bytes).ok_or_else(|| {
        CliError::new(
            Exit::ConfigInvalid,
            "CHECKPOINT_INVALID",
            format!("{} is not a checkpoint of this version", path.display()),
            "get the file again from where it came",
        )
    })
}

/// Reads a checkpoint file; `None` for anything but this version's form.
pub fn parse_checkpoint(bytes: &[u8]) -> Option<Checkpoint> {
    let file: CheckpointFile = serde_json::from_slice(bytes).ok()?;
    let hash = |text: &str| Hash::from_hex(text).ok();
    (file.format == FORMAT).then_some(())?;
    Some(Checkpoint {
        chain: ChainId(hash(&file.chain)?),
        height: Height(file.height),
        hash: BlockHash(hash(&file.block)?),
        time: Timestamp(file.time_ms),
    })
}

/// Writes a checkpoint for the next time, in place of an older one.
pub fn save_checkpoint(path: &Path, checkpoint: &Checkpoint) -> Result<(), CliError> {
    Ok(files::replace_file(path, &checkpoint_json(checkpoint), files::MODE_PUBLIC)?)
}

fn checkpoint_json(checkpoint: &Checkpoint) -> Vec<u8> {
    let file = CheckpointFile {
        format: FORMAT.to_owned(),
        chain: checkpoint.chain.0.to_string(),
        height: checkpoint.height.0,
        block: checkpoint.hash.0.to_string(),
        time_ms: checkpoint.time.0,
    };
    let mut json = serde_json::to_vec_pretty(&file).expect("texts and numbers are JSON");
    json.push(b'\n');
    json
}

/// Reads a length of time in milliseconds: a number with `s`, `m`, `h` or `d`.
pub fn parse_duration_ms(text: &str) -> Result<u64, String> {
    let wrong = || "write a number and s, m, h or d: 90s, 15m, 24h, 30d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let unit_ms: u64 = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 24 * 3_600_000,
        _ => return Err(wrong()),
    };
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    count.checked_mul(unit_ms).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECKPOINT: Checkpoint = Checkpoint {
        chain: ChainId(Hash([1; 32])),
        height: Height(7),
        hash: BlockHash(Hash([2; 32])),
        time: Timestamp(1_800_000_000_000),
    };

    #[test]
    fn a_checkpoint_file_reads_back() {
        assert_eq!(parse_checkpoint(&checkpoint_json(&CHECKPOINT)), Some(CHECKPOINT));
    }

    #[test]
    fn another_format_is_no_checkpoint() {
        let text = String::from_utf8(checkpoint_json(&CHECKPOINT)).expect("JSON is text");
        assert_eq!(parse_checkpoint(text.replace("checkpoint/1", "checkpoint/2").as_bytes()), None);
        assert_eq!(parse_checkpoint(text.replace("0202", "02").as_bytes()), None);
    }

    #[test]
    fn lengths_of_time_have_a_unit() {
        assert_eq!(parse_duration_ms("15m"), Ok(900_000));
        assert_eq!(parse_duration_ms("2d"), Ok(172_800_000));
        for bad in ["", "15", "m", "-1m", "1.5h", "99999999999999999999d", "9999999999999999d", "1é"] {
            assert!(parse_duration_ms(bad).is_err(), "{bad}");
        }
    }
}
