//! Floods of every kind on every port of a running node: what it holds in memory, and whether a client still gets its
//! diplomas.
//!
//! Four validators of real processes are founded; one of them, and the observer, are then taken away and their keys
//! used by the attacker, so that the three that are left can spare nobody. One of them is the victim. A client
//! issues diplomas through the victim all the while, from an address of its own.
//!
//! [`strangers`] are floods by anyone who reaches a port, [`callers`] those of the API's clients, [`peers`] those
//! of admitted nodes whose keys were stolen, [`insiders`] those of such a node that also listens. [`Field::run`] runs
//! one kind and measures.

pub mod callers;
pub mod insiders;
pub mod peers;
pub mod strangers;

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tanba_crypto::{PublicKey, SigningKey};
use tanba_ledger::{ChainId, Transaction};
use tanba_node::client::End;
use tokio::{
    net::{TcpSocket, TcpStream},
    task::{JoinError, JoinSet},
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

/// A diploma is final within so many times the median in calm.
const SLOWED_MAX: u32 = 20;

/// What is shorter than this is no delay that anybody minds: some heights begin with the turn of the validator that is
/// gone.
const FINAL_WITHIN_MIN: Duration = Duration::from_secs(10);

/// A diploma is final within this, however slow the machine is in calm.
const FINAL_WITHIN_MAX: Duration = Duration::from_secs(60);

/// Once a flood is over, a diploma that is final within this ends its effect: in calm too the turn of the validator that
/// is gone costs a second.
const CALM_WITHIN: Duration = Duration::from_secs(2);

/// So many such diplomas, one after the other.
const CALM_DIPLOMAS: usize = 3;

/// What a flood left is worked off within this.
const RECOVERS_WITHIN: Duration = Duration::from_secs(60);

/// Blows, all attackers together, below which a flood was none.
const BLOWS_MIN: u64 = 32;

/// The blows of a flood must land within this: the one before it may have left the port's queue full.
const LANDS_WITHIN: Duration = Duration::from_secs(30);

/// Good transactions of the attacker's. Of one that was seen within a minute only the first is sent. Unoptimised nodes
/// take as long for an eighth of them.
const GOOD: u64 = if cfg!(debug_assertions) { 512 } else { 4_096 };

/// Nodes that are honest and run, the victim first.
const HONEST: [usize; 3] = [VICTIM, 1, 2];

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

/// `attackers` side by side, each begun by `attacker`.
const fn kind(name: &'static str, attackers: usize, attacker: fn(Arc<Scene>, usize) -> Attack) -> Kind {
    Kind { name, attacker, attackers }
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
    /// How many of those were taken one after the other: gossip that was seen a moment ago is not sent.
    taken: AtomicUsize,
    /// What the attackers have done so far: connections, drops, frames, messages, calls.
    blows: AtomicU64,
}

impl Scene {
    /// Counts one blow.
    pub fn blow(&self) {
        self.blows(1);
    }

    /// Counts blows.
    pub fn blows(&self, count: u64) {
        self.blows.fetch_add(count, Ordering::Relaxed);
    }

    /// The good transaction that was not taken for the longest time.
    pub fn next_good(&self) -> &Transaction {
        &self.good[self.taken.fetch_add(1, Ordering::Relaxed) % self.good.len()]
    }
}

/// Every kind, in order of port.
pub fn kinds() -> Vec<Kind> {
    [strangers::KINDS, callers::KINDS, peers::KINDS, insiders::KINDS].concat()
}

/// What one kind of flood did.
#[derive(Clone, Debug)]
pub struct Damage {
    /// Most memory that an honest node held, until what the flood left was worked off, in bytes.
    pub memory_bytes: u64,
    /// Blows that were dealt.
    pub blows: u64,
    /// Diplomas made final meanwhile, through the victim.
    pub diplomas: usize,
    /// Median from submitting to final.
    pub median: Duration,
    /// The longest, until what the flood left was worked off.
    pub slowest: Duration,
}

/// A network of three honest validators, the client's calm measure, and the attacker's knowledge.
pub struct Field {
    network: Network,
    scene: Arc<Scene>,
    issued: u64,
    /// A diploma is final within this.
    within: Duration,
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
            good: (0..GOOD).map(|n| network.issue(STOLEN, 1_000_000 + n * 20, 20)).collect(),
            taken: AtomicUsize::new(0),
            blows: AtomicU64::new(0),
        };
        Field { network, scene: Arc::new(scene), issued: 0, within: FINAL_WITHIN_MAX }
    }

    /// Issues diplomas in calm for so long. What follows is judged by it.
    pub async fn calm(&mut self, lasting: Duration) -> Result<Damage, String> {
        let calm = self.issue_for(lasting, &mut JoinSet::new()).await?;
        self.within = (calm.median * SLOWED_MAX).clamp(FINAL_WITHIN_MIN, FINAL_WITHIN_MAX);
        Ok(calm)
    }

    /// Issues diplomas for so long while `kind` floods the victim.
    ///
    /// Fails if an honest node ends, a diploma is not final in time ([`Field::within`]), memory passes
    /// [`MEMORY_BYTES_MAX`] at an honest node, an attacker gives up, or all together could do too little: a flood that
    /// did not happen shows nothing. Fails as well if what it left is not worked off in time; the next begins in calm.
    pub async fn run(&mut self, kind: Kind, lasting: Duration) -> Result<Damage, String> {
        self.scene.blows.store(0, Ordering::Relaxed);
        let mut attackers = JoinSet::new();
        for number in 0..kind.attackers {
            attackers.spawn((kind.attacker)(Arc::clone(&self.scene), number));
        }
        let damage = self.issue_for(lasting, &mut attackers).await;
        attackers.abort_all();
        while let Some(ended) = attackers.join_next().await {
            gave_up(ended)?;
        }
        let mut damage = damage?;
        if damage.blows < BLOWS_MIN {
            return Err(format!(
                "{} blows were dealt, fewer than {BLOWS_MIN}: this is no flood",
                damage.blows
            ));
        }
        self.recover(&mut damage).await?;
        Ok(damage)
    }

    /// Issues diplomas until several are as quick as in calm. What that takes of memory and time is the flood's.
    async fn recover(&mut self, damage: &mut Damage) -> Result<(), String> {
        let begun = Instant::now();
        let mut quick = 0;
        while quick < CALM_DIPLOMAS {
            let took = self.issue().await?;
            quick = if took <= CALM_WITHIN { quick + 1 } else { 0 };
            damage.slowest = damage.slowest.max(took);
            if begun.elapsed() > RECOVERS_WITHIN {
                return Err(format!("what it left is not worked off after {RECOVERS_WITHIN:?}"));
            }
        }
        damage.memory_bytes = self.memory_bytes()?;
        Ok(())
    }

    /// Most memory that an honest node held since [`Field::issue_for`] began; none has ended or passed the bound.
    fn memory_bytes(&mut self) -> Result<u64, String> {
        let mut most = 0;
        for node in HONEST {
            self.network.nodes[node].check_running().map_err(|error| error.to_string())?;
            let held = self.network.nodes[node].resident_bytes().ok_or("memory is not told")?;
            if held >= MEMORY_BYTES_MAX {
                let name = self.network.nodes[node].name();
                return Err(format!("{name} held {} MiB", held >> 20));
            }
            most = held.max(most);
        }
        Ok(most)
    }

    /// How long a diploma may take.
    pub fn within(&self) -> Duration {
        self.within
    }

    fn dealt(&self) -> u64 {
        self.scene.blows.load(Ordering::Relaxed)
    }

    /// Issues diplomas for so long, one at least, while attackers attack; longer until their blows land.
    async fn issue_for(&mut self, lasting: Duration, attackers: &mut JoinSet<()>) -> Result<Damage, String> {
        for node in HONEST {
            let pid = self.network.nodes[node].pid().ok_or_else(|| format!("node {node} has ended"))?;
            // "5" sets the high-water mark of resident memory back (proc(5), clear_refs).
            fs::write(format!("/proc/{pid}/clear_refs"), "5")
                .map_err(|error| format!("clear_refs: {error}"))?;
        }
        let begun = Instant::now();
        let mut took = Vec::new();
        let is_late = |begun: Instant| begun.elapsed() >= lasting.max(LANDS_WITHIN);
        while took.is_empty()
            || begun.elapsed() < lasting
            || (!attackers.is_empty() && self.dealt() < BLOWS_MIN && !is_late(begun))
        {
            took.push(self.issue().await?);
            attackers.try_join_next().map_or(Ok(()), gave_up)?;
        }
        took.sort();
        let memory_bytes = self.memory_bytes()?;
        Ok(Damage {
            memory_bytes,
            blows: self.dealt(),
            diplomas: took.len(),
            median: took[took.len() / 2],
            slowest: *took.last().expect("one at least"),
        })
    }

    /// Has the client issue one diploma through the victim; how long that took.
    async fn issue(&mut self) -> Result<Duration, String> {
        let transaction = self.network.issue(VICTIM, self.issued, DIPLOMAS);
        self.issued += DIPLOMAS;
        let begun = Instant::now();
        let heights = async || self.network.client(1).node_info().await.map(|info| info.as_of.height);
        let before = heights().await;
        loop {
            let left = self.within.saturating_sub(begun.elapsed());
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
                        "no diploma is final within {:?}; node 1 went {before:?} to {after:?}",
                        self.within
                    ));
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The end of an attacker: it attacks until it is aborted, or gave up.
fn gave_up(ended: Result<(), JoinError>) -> Result<(), String> {
    match ended {
        Err(error) if error.is_cancelled() => Ok(()),
        Err(panicked) => Err(format!("an attacker gave up: {panicked}")),
        Ok(()) => Err("an attacker gave up".to_owned()),
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
