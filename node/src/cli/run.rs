//! `tanba run`: runs the node of a home until it is told to stop.

use clap::Args;
use serde::Serialize;
use tanba_crypto::SigningKey;
use tanba_ledger::record::NetworkKind;
use tokio::signal::unix::{SignalKind, signal};

use super::{CliError, Context, Exit, SettingFlags, passphrase::PassphraseArgs};
use crate::{
    config::Config,
    heal,
    home::Home,
    keystore::{Keystore, Purpose},
    network::NetworkError,
    node::{Node, NodeError, NodeKeys},
    replica::Stop,
};

/// `tanba run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Stop when standard input closes: a node then ends with the process that started it
    #[arg(long)]
    stop_with_stdin: bool,
    #[command(flatten)]
    settings: SettingFlags,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

#[derive(Serialize)]
struct Ended {
    height: u64,
    block: String,
}

/// Does what `args` say.
pub fn run(args: RunArgs, ctx: &Context) -> Result<(), CliError> {
    let config = Config::of(&ctx.layers(&args.settings)?);
    ctx.start_logging(&config)?;
    let home = ctx.home()?;
    let kind = home.genesis()?.kind();
    let keys = unlock(&home, kind, &args.passphrase)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::from(NodeError::Thread(error)))?;
    runtime.block_on(async {
        let started = |node: &Node| {
            ctx.output.note(&format!("the node answers on {}; Ctrl-C stops it", node.endpoints.grpc));
        };
        let wish = async {
            tokio::select! {
                () = told_to_stop() => {}
                () = stdin_closed(), if args.stop_with_stdin => {}
            }
        };
        let last = heal::run(&home, &config, keys, wish, started).await?;
        let ended = Ended { height: last.height.0, block: last.hash.to_string() };
        ctx.output.data("tanba.run.v1", &ended, |out| {
            writeln!(out, "stopped at height {}, block {}", ended.height, ended.block)
        })
    })
}

/// The node key and, on a validator, the validator key: the one of its kind in the home's keystore.
fn unlock(home: &Home, kind: NetworkKind, passphrase: &PassphraseArgs) -> Result<NodeKeys, CliError> {
    let keystore = Keystore::open(home.keys_dir())?;
    let node = only(&keystore, Purpose::Node, kind, passphrase)?;
    let node = node.ok_or_else(|| {
        CliError::new(
            Exit::NotFound,
            "KEY_NOT_FOUND",
            "the home holds no node key",
            "run `tanba keys new --role node` and have it listed in genesis, or bring the key that is listed there",
        )
    })?;
    Ok(NodeKeys { node, validator: only(&keystore, Purpose::Validator, kind, passphrase)? })
}

fn only(
    keystore: &Keystore,
    purpose: Purpose,
    kind: NetworkKind,
    passphrase: &PassphraseArgs,
) -> Result<Option<SigningKey>, CliError> {
    let keys = keystore.list()?;
    let mut fitting = keys.iter().filter(|key| key.purpose == purpose);
    match (fitting.next(), fitting.next()) {
        (None, _) => Ok(None),
        (Some(key), None) => Ok(Some(keystore.unlock(&key.name, kind, || passphrase.existing(&key.name))?)),
        (Some(_), Some(_)) => Err(CliError::new(
            Exit::Conflict,
            "KEYS_AMBIGUOUS",
            format!("the home holds more than one {} key", purpose.word()),
            "move all but the one in use out of keys/",
        )),
    }
}

/// SIGINT or SIGTERM.
pub(super) async fn told_to_stop() {
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        _ => {
            tracing::error!(
                "signals cannot be received; stop the node with SIGKILL, which loses nothing final"
            );
            std::future::pending::<()>().await;
        }
    }
}

/// Whoever holds the other end of standard input is gone.
async fn stdin_closed() {
    let (closed, wait) = tokio::sync::oneshot::channel();
    // A thread of its own: a read from standard input cannot be cancelled, and must not hold up the end.
    let reader = std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let ended = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(closed.send(ended));
    });
    match reader {
        Ok(_) => drop(wait.await),
        Err(error) => {
            tracing::error!(%error, "standard input cannot be watched");
            std::future::pending::<()>().await;
        }
    }
}

impl From<NodeError> for CliError {
    fn from(error: NodeError) -> CliError {
        let message = error.to_string();
        match error {
            NodeError::Home(error) => error.into(),
            NodeError::Store(error) | NodeError::Stopped(Stop::Store(error)) => error.into(),
            NodeError::Listen { kind, .. } if kind != std::io::ErrorKind::AddrInUse => CliError::new(
                Exit::ConfigInvalid,
                "ADDRESS",
                message,
                "set an address of this machine that this user may listen on (`tanba config show`)",
            ),
            NodeError::Network(NetworkError::PortInUse { .. }) | NodeError::Listen { .. } => CliError::new(
                Exit::Conflict,
                "ADDRESS_IN_USE",
                message,
                "stop what listens there, or set another address (`tanba config show` names the settings)",
            ),
            NodeError::Network(_) => {
                CliError::new(Exit::Failure, "NETWORK", message, "mend the p2p settings and start again")
            }
            NodeError::Stopped(Stop::Diverged { .. }) => {
                CliError::new(Exit::Diverged, "DIVERGED", message, "do as the message says")
            }
            NodeError::Stopped(Stop::Read(_)) => {
                CliError::new(Exit::Damaged, "STORE_DAMAGED", message, "do as the message says")
            }
            NodeError::Stopped(Stop::Twin { .. }) => {
                CliError::new(Exit::SafetyRefusal, "KEY_IN_USE_ELSEWHERE", message, "do as the message says")
            }
            NodeError::Stopped(Stop::Journal(_)) => CliError::new(
                Exit::SafetyRefusal,
                "JOURNAL_UNUSABLE",
                message,
                "start the node in the home that `tanba init` made with this validator key",
            ),
            NodeError::Thread(_)
            | NodeError::Api(_)
            | NodeError::Task(_)
            | NodeError::Stopped(Stop::Network) => {
                CliError::new(Exit::Failure, "PROCESS", message, "see the log above and start the node again")
            }
            NodeError::Deadline(_) => CliError::new(
                Exit::Failure,
                "STOPPED_LATE",
                message,
                "nothing final is lost; raise shutdown.deadline_ms if this happens often",
            ),
        }
    }
}
