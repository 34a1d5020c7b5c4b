//! Local settings of a node: where it listens, whom it dials, how it logs, and the limits that protect it alone.
//! What the network agrees on is not here: that comes from genesis and governance, and no setting relaxes it.
//!
//! A value comes from, in rising order: the default, `config.toml`, the environment (`TANBA__P2P__LISTEN`), the
//! command line (`--set p2p.listen=…`). Every setting is one line of [`settings::SETTINGS`], with its form, unit
//! and meaning; [`layers`] lays the sources over each other and remembers each value's origin. A key that no
//! setting has is an error that names the nearest.

pub mod layers;
pub mod settings;

use std::net::SocketAddr;

use tanba_crypto::PublicKey;

pub use layers::{ConfigError, Layers, Origin};
use settings::Value;

/// A node to dial: who must answer, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerAddress {
    /// Its node key; whoever cannot prove it is cut.
    pub key: PublicKey,
    /// Where it listens.
    pub address: SocketAddr,
}

/// How log lines are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// All settings, checked. Each field is described at its line of [`settings::SETTINGS`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Between nodes.
    pub p2p: P2pConfig,
    /// For clients.
    pub grpc: GrpcConfig,
    /// Where metrics are scraped; `None`: nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Logs.
    pub log: LogConfig,
    /// Transactions waiting.
    pub mempool: MempoolConfig,
    /// From the wish to stop to the end of waiting for what is under way, in milliseconds.
    pub shutdown_deadline_ms: u64,
}

/// Between nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct P2pConfig {
    /// Where this node listens.
    pub listen: SocketAddr,
    /// Nodes to dial at start.
    pub peers: Vec<PeerAddress>,
    /// Connections, in and out.
    pub connections_max: u64,
    /// Bytes queued towards one peer.
    pub peer_queue_bytes_max: u64,
}

/// For clients.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GrpcConfig {
    /// Where the public services listen.
    pub listen: SocketAddr,
}

/// Logs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogConfig {
    /// How lines are written.
    pub format: LogFormat,
    /// What is logged: levels by target, as `tracing` filters are written.
    pub filter: String,
}

/// Transactions waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MempoolConfig {
    /// Their bytes, together.
    pub bytes_max: u64,
    /// How many.
    pub transactions_max: u64,
}

impl Config {
    /// The settings that `layers` add up to. Values were checked against their form when they were laid.
    pub fn of(layers: &Layers) -> Config {
        let integer = |key| match layers.value(key) {
            Value::Integer(number) => *number,
            other => unreachable!("{key} is an integer, not {other:?}"),
        };
        let text = |key| match layers.value(key) {
            Value::Text(text) => text.as_str(),
            other => unreachable!("{key} is a text, not {other:?}"),
        };
        let list = |key| match layers.value(key) {
            Value::List(list) => list.as_slice(),
            other => unreachable!("{key} is a list, not {other:?}"),
        };
        let address = |text: &str| settings::parse_address(text).expect("checked by its form");
        let peer = |text: &String| settings::parse_peer(text).expect("checked by its form");
        Config {
            p2p: P2pConfig {
                listen: address(text("p2p.listen")),
                peers: list("p2p.peers").iter().map(peer).collect(),
                connections_max: integer("p2p.connections_max"),
                peer_queue_bytes_max: integer("p2p.peer_queue_bytes_max"),
            },
            grpc: GrpcConfig { listen: address(text("grpc.listen")) },
            metrics_listen: match text("metrics.listen") {
                settings::OFF => None,
                text => Some(address(text)),
            },
            log: LogConfig {
                format: if text("log.format") == "json" { LogFormat::Json } else { LogFormat::Text },
                filter: text("log.filter").to_owned(),
            },
            mempool: MempoolConfig {
                bytes_max: integer("mempool.bytes_max"),
                transactions_max: integer("mempool.transactions_max"),
            },
            shutdown_deadline_ms: integer("shutdown.deadline_ms"),
        }
    }
}

impl Default for Config {
    /// The defaults of [`settings::SETTINGS`].
    fn default() -> Config {
        Config::of(&Layers::defaults())
    }
}

#[cfg(test)]
mod tests;
