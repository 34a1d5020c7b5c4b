//! Floods of every kind on every port of a running node: what it holds in memory, and whether a client still gets its
//! diplomas.
//!
//! Four validators of real processes are founded; one of them, and the observer, are then taken away and their keys
//! used by the attacker, so that the three that are left can spare nobody. One of them is the victim. A client
//! issues diplomas through the victim all the while, from an address of its own.
//!
//! [`strangers`] are floods by anyone who reaches a port, [`callers`] those of the API's clients, [`peers`] those
//! of admitted nodes whose keys were stolen. [`Field::run`] runs one kind and measures.

pub mod callers;
pub mod peers;
pub mod strangers;

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tanba_crypto::{PublicKey, SigningKey};
use tanba_ledger::{ChainId, Transaction};
use tanba_node::client::End;
use tokio::{
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::network::{Network, OBSERVER};

/// What a node may hold in memory, whatever is done to it.
pub const MEMORY_BYTES_MAX: u64 = 512 << 20;

/// The node that is attacked, and through which the client issues.
pub const VICTIM: usize = 0;

/// The validator whose keys the attacker has.
pub const STOLEN: usize = 3;

/// Diplomas of one transaction of the client.
const DIPLOMAS: u64 = 1;

/// A diploma is final within this, whatever is done to the node.
pub const FINAL_WITHIN: Duration = Duration::from_secs(60);

/// What an attack does until it is dropped.
pub type Attack = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One kind of flood.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Port and what comes in through it.
    pub name: &'static str,
    /// Begins one of the attackers that run side by side; told which.
    pub attacker: fn(Arc<Scene>, usize) -> Attack,
    /// How many run side by side.
    pub attackers: usize,
}

/// What an attacker knows.
#[derive(Debug)]
pub struct Scene {
    /// Where peers reach the victim.
    pub p2p: SocketAddr,
    /// Where clients reach it.
    pub grpc: SocketAddr,
    /// Where it is scraped.
    pub metrics: SocketAddr,
    /// The network.
    pub chain: ChainId,
    /// The victim's node key.
    pub victim: PublicKey,
    /// A stolen node key of a validator.
    pub node_key: SigningKey,
    /// That validator's key.
    pub validator_key: SigningKey,
    /// A stolen node key of an observer.
    pub observer_key: SigningKey,
    /// Transactions with good approvals by officers of the stolen university.
    pub good: Vec<Transaction>,
    /// What the attackers have done so far: connections, frames, messages, calls.
    pub blows: AtomicU64,
}

impl Scene {
    /// Counts one blow.
    pub fn blow(&self) {
        self.blows.fetch_add(1, Ordering::Relaxed);
    }
}

/// Every kind, in order of port.
pub fn kinds() -> Vec<Kind> {
    [strangers::KINDS, callers::KINDS, peers::KINDS].concat()
}

/// What one kind of flood did.
#[derive(Clone, Debug)]
pub struct Damage {
    /// Most memory that the victim held, in bytes.
    pub memory_bytes: u64,
    /// Blows that were dealt.
    pub blows: u64,
    /// Diplomas made final meanwhile, through the victim.
    pub diplomas: usize,
    /// Median from submitting to final.
    pub median: Duration,
}

/// A network of three honest validators, the client's calm measure, and the attacker's knowledge.
pub struct Field {
    network: Network,
    scene: Arc<Scene>,
    issued: u64,
}

impl Field {
    /// Founds and starts it in `folder`, and takes the stolen nodes away.
    pub async fn prepare(program: &Path, folder: &Path) -> Field {
        let mut network = Network::run(program, folder).await;
        network.stop(STOLEN).await;
        network.stop(OBSERVER).await;
        let parties = network.founded.universities();
        let address = |text: &str| text.trim_start_matches("http://").parse().expect("an address");
        let node = &network.nodes[VICTIM];
        let key = |key: &Option<SigningKey>| key.clone().expect("a party with a node has its keys");
        let scene = Scene {
            p2p: parties[VICTIM].p2p.expect("the victim listens"),
            grpc: address(&node.grpc),
            metrics: address(node.metrics.as_deref().expect("devnets serve metrics")),
            chain: network.founded.genesis.chain_id(),
            victim: key(&parties[VICTIM].node).public(),
            node_key: key(&parties[STOLEN].node),
            validator_key: key(&parties[STOLEN].validator),
            observer_key: key(&network.founded.observer().node),
            good: (0..256).map(|n| network.issue(STOLEN, 1_000_000 + n * 20, 20)).collect(),
            blows: AtomicU64::new(0),
        };
        Field { network, scene: Arc::new(scene), issued: 0 }
    }

    /// Issues diplomas for so long while `kind` floods the victim; without one, in calm.
    ///
    /// Fails if an honest node ends, a diploma is not final within [`FINAL_WITHIN`], memory passes
    /// [`MEMORY_BYTES_MAX`], or the attackers could do nothing: a flood that did not happen shows nothing.
    pub async fn run(&mut self, kind: Option<Kind>, within: Duration) -> Result<Damage, String> {
        let pid = self.network.nodes[VICTIM].pid().ok_or("the victim has ended")?;
        // "5" sets the high-water mark of resident memory back (proc(5), clear_refs).
        fs::write(format!("/proc/{pid}/clear_refs"), "5").map_err(|error| format!("clear_refs: {error}"))?;
        self.scene.blows.store(0, Ordering::Relaxed);
        let mut attackers = JoinSet::new();
        if let Some(kind) = kind {
            for number in 0..kind.attackers {
                attackers.spawn((kind.attacker)(Arc::clone(&self.scene), number));
            }
        }
        let begun = Instant::now();
        let mut took = Vec::new();
        while took.is_empty() || begun.elapsed() < within {
            took.push(self.issue().await?);
        }
        attackers.shutdown().await;
        took.sort();
        for node in [VICTIM, 1, 2] {
            self.network.nodes[node].check_running().map_err(|error| error.to_string())?;
        }
        let damage = Damage {
            memory_bytes: self.network.nodes[VICTIM].resident_bytes().ok_or("memory is not told")?,
            blows: self.scene.blows.load(Ordering::Relaxed),
            diplomas: took.len(),
            median: took[took.len() / 2],
        };
        let mib = damage.memory_bytes >> 20;
        match damage {
            Damage { memory_bytes: MEMORY_BYTES_MAX.., .. } => Err(format!("the victim held {mib} MiB")),
            Damage { blows: 0, .. } if kind.is_some() => Err("no blow was dealt".to_owned()),
            damage => Ok(damage),
        }
    }

    /// Has the client issue one diploma through the victim; how long that took.
    async fn issue(&mut self) -> Result<Duration, String> {
        let transaction = self.network.issue(VICTIM, self.issued, DIPLOMAS);
        self.issued += DIPLOMAS;
        let begun = Instant::now();
        let heights = async || self.network.client(1).node_info().await.map(|info| info.as_of.height);
        let before = heights().await;
        loop {
            let left = FINAL_WITHIN.saturating_sub(begun.elapsed());
            let client = self.network.client(VICTIM);
            match timeout(left, client.submit_and_track(&transaction)).await {
                Ok(Ok(End::Final { .. })) => return Ok(begun.elapsed()),
                Ok(Ok(End::Refused(refused))) => {
                    return Err(format!("the client's diploma is refused: {refused}"));
                }
                // A client that is told to come back comes back.
                Ok(Err(_)) => {}
                Err(_) => {
                    let after = heights().await;
                    return Err(format!(
                        "no diploma is final within {FINAL_WITHIN:?}; node 1 went {before:?} to {after:?}"
                    ));
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A connection from the `number`-th address of an attacker that has many; the client's own is none of them.
pub(crate) async fn connect_from(number: usize, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(address_of(number), 0))?;
    socket.connect(to).await
}

/// The `number`-th address of an attacker: 127.1.0.0 and on, which all lead to this machine.
pub(crate) fn address_of(number: usize) -> IpAddr {
    let [high, low] = (number as u16).to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, 1, high, low.max(1)))
}
