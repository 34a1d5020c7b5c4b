//! A node that mends its store. Damage ends a node's life: nothing that does not verify is served, and after the first
//! error nothing is trusted. [`run`] then sets the store aside and starts the node again in the same process, with the
//! keys it has and at the addresses it had; the node makes a store from genesis and fetches every block from its peers,
//! each proven. The journal stays where it is, and the start-up protocol decides when the node may vote.
//!
//! A disk that fails (full, unplugged, no permission) is another matter: making the store anew would not help, and the
//! node ends. So does one whose disk rots again and again.

use std::{
    collections::VecDeque,
    io::ErrorKind,
    path::PathBuf,
    pin::{Pin, pin},
    sync::Arc,
    time::{Duration, Instant},
};

use tanba_genesis::text::moment;
use tanba_ledger::{Height, merkle::ReadError};
use tanba_storage::{DiskStore, StoreError, disk::aside::Found};
use tokio::sync::watch;

use crate::{
    clock,
    config::Config,
    handle::{NodeStatus, Voting},
    home::Home,
    network::NetworkError,
    node::{Node, NodeError, NodeKeys},
    replica::Stop,
};

/// Starts again for damage within [`WINDOW`], at most.
const HEALINGS_MAX: usize = 3;

const WINDOW: Duration = Duration::from_secs(3_600);

/// When a node has ended of damage, the last user of its home and ports is gone within this: whoever was slow is not
/// waited for when the node ends, but must have let go before it starts again.
const LET_GO_WITHIN: Duration = Duration::from_secs(30);

/// From one look whether it is gone to the next.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs the node of `home` until `wish` is ready, through every damage that can be mended; gives its last status.
/// `started` is told of each start.
///
/// # Errors
/// As [`Node::start`] and [`Node::run_until`]. Damage is an error only if it cannot be mended: it came too often, the
/// store cannot be set aside, or `wish` came before the node ran again.
pub async fn run(
    home: &Home,
    config: &Config,
    keys: NodeKeys,
    wish: impl Future<Output = ()>,
    mut started: impl FnMut(&Node),
) -> Result<Arc<NodeStatus>, NodeError> {
    let mut wish = pin!(wish);
    let mut config = config.clone();
    let (mut healings, mut healed) = (Healings::default(), 0);
    // What the next start is to mend; none at the first.
    let mut mending: Option<NodeError> = None;
    loop {
        let (mut wished, mut head) = (false, None);
        let start = async || Node::start(home, &config, keys.clone(), healed).await;
        let begun = match mending.take() {
            None => start().await,
            Some(cause) => match unless(wish.as_mut(), when_let_go(start)).await {
                Some(begun) => begun,
                None => return Err(cause),
            },
        };
        let ended = match begun {
            Ok(node) => {
                started(&node);
                keep_addresses(&mut config, &node);
                let status = node.handle.status.clone();
                let until = async {
                    wish.as_mut().await;
                    wished = true;
                };
                let ended = node.run_until(until).await;
                let last = Arc::clone(&status.borrow());
                if ended.is_ok() {
                    return Ok(last);
                }
                head = Some(last.height);
                ended.expect_err("seen just now")
            }
            Err(error) => error,
        };
        let Some(damage) = damage(&ended) else { return Err(ended) };
        if wished {
            return Err(ended);
        }
        if !healings.allow(Instant::now()) {
            tracing::error!(%damage, "damaged again, after {HEALINGS_MAX} times within an hour: replace the disk");
            return Err(ended);
        }
        match damage {
            Damage::Store(what) => {
                tracing::error!("damage found: {what}");
                let aside = async || set_aside(home, &what, head);
                let Some(aside) = unless(wish.as_mut(), when_let_go(aside)).await else { return Err(ended) };
                let aside = aside?;
                healed += 1;
                tracing::error!(
                    "the store is set aside as {}; the node starts again and fetches every block from its peers",
                    aside.display()
                );
            }
            // What the journal still holds is judged at the next start, as after any loss of it.
            Damage::Journal(what) => tracing::error!("damage found: {what}; the node starts again"),
        }
        mending = Some(ended);
    }
}

/// What `work` comes to, unless `wish` is ready first. Work is dropped where it waits, never in the middle of a write.
async fn unless<T>(wish: Pin<&mut impl Future<Output = ()>>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = wish => None,
        done = work => Some(done),
    }
}

/// What can be mended by starting anew.
#[derive(Debug)]
enum Damage {
    Store(String),
    Journal(String),
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Damage::Store(what) | Damage::Journal(what)) = self;
        f.write_str(what)
    }
}

/// What of an error is damage, if it is.
fn damage(error: &NodeError) -> Option<Damage> {
    match error {
        NodeError::Store(error) | NodeError::Stopped(Stop::Store(error)) => match error {
            StoreError::Damaged { place, what } => Some(Damage::Store(format!("{place}: {what}"))),
            StoreError::JournalDamaged { .. } => Some(Damage::Journal(error.to_string())),
            _ => None,
        },
        // The state under the head is not what its root says. What the store itself met comes as the store's error.
        NodeError::Stopped(Stop::Read(error @ (ReadError::Missing(_) | ReadError::Damaged(_)))) => {
            Some(Damage::Store(error.to_string()))
        }
        _ => None,
    }
}

/// When damage made the node start again: the last times.
#[derive(Debug, Default)]
struct Healings(VecDeque<Instant>);

impl Healings {
    /// Whether it may be done once more now; counts it then.
    fn allow(&mut self, now: Instant) -> bool {
        while self.0.front().is_some_and(|then| now.duration_since(*then) > WINDOW) {
            self.0.pop_front();
        }
        if self.0.len() >= HEALINGS_MAX {
            return false;
        }
        self.0.push_back(now);
        true
    }
}

/// Peers and clients know the node by its addresses: where the system chose a port, it is kept.
fn keep_addresses(config: &mut Config, node: &Node) {
    let endpoints = &node.endpoints;
    config.grpc.listen.set_port(endpoints.grpc.port());
    if let Some(p2p) = endpoints.p2p.first() {
        config.p2p.listen.set_port(p2p.port());
    }
    if let (Some(listen), Some(metrics)) = (&mut config.metrics_listen, endpoints.metrics) {
        listen.set_port(metrics.port());
    }
}

/// Does what needs the home and the ports for itself, as soon as nobody else uses them.
async fn when_let_go<T>(act: impl AsyncFn() -> Result<T, NodeError>) -> Result<T, NodeError> {
    let deadline = Instant::now() + LET_GO_WITHIN;
    loop {
        match act().await {
            Err(error) if is_in_use(&error) && Instant::now() < deadline => {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            done => return done,
        }
    }
}

/// Whether somebody still holds what the node needs: after damage its own parts that end late.
fn is_in_use(error: &NodeError) -> bool {
    match error {
        NodeError::Store(StoreError::InUse(_)) | NodeError::Network(NetworkError::PortInUse { .. }) => true,
        NodeError::Listen { kind, .. } => *kind == ErrorKind::AddrInUse,
        _ => false,
    }
}

fn set_aside(home: &Home, what: &str, head: Option<Height>) -> Result<PathBuf, NodeError> {
    let found = Found { what, when: &moment(clock::now()), head };
    Ok(DiskStore::set_aside(home.root(), &found)?)
}

/// Removes damaged stores that were set aside, but for the last, once this node has come to `height`, the highest head
/// they are known to have had, and follows its peers: what they had is there again, proven.
pub(crate) fn release_when_passed(
    home: &Home,
    height: Height,
    mut status: watch::Receiver<Arc<NodeStatus>>,
) -> Result<(), StoreError> {
    if !DiskStore::has_aside(home.root())? {
        return Ok(());
    }
    let root = home.root().to_owned();
    tokio::spawn(async move {
        // An error says that the node has ended; the next one goes on.
        if status.wait_for(|status| has_passed(status, height)).await.is_err() {
            return;
        }
        match tokio::task::spawn_blocking(move || DiskStore::release_aside(&root)).await {
            Ok(Ok(Some(last))) => tracing::info!(
                "this node has come to its peers and past what its damaged store is known to have had, each block \
                 proven; the store stays as {} and may be removed",
                last.display()
            ),
            Ok(Ok(None)) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "a damaged store that is needed no more was not removed")
            }
            Err(error) => tracing::warn!(%error, "a damaged store that is needed no more was not removed"),
        }
    });
    Ok(())
}

/// Whether a node of this status has all that a store which came to `height` had. What a store had that cannot tell its
/// head only the peers know: until one of them has spoken nothing is passed.
fn has_passed(status: &NodeStatus, height: Height) -> bool {
    let hears = status.peers.iter().any(|peer| peer.connected && peer.height.is_some());
    let follows = hears && status.height >= status.network_height && status.height > Height::GENESIS;
    follows && status.height >= height && status.voting != Voting::Recovering
}

#[cfg(test)]
mod tests {
    use tanba_crypto::{Hash, SigningKey};
    use tanba_ledger::{BlockHash, Timestamp, View, record::PeerKind, testkit};

    use super::*;
    use crate::handle::PeerStatus;

    #[test]
    fn a_store_of_unknown_head_is_kept_until_a_peer_has_said_how_far_the_network_is() {
        let peer = |connected, height: Option<u64>| PeerStatus {
            key: SigningKey::ed25519(&[1; 32]).public(),
            bin: testkit::bin(1),
            kind: PeerKind::Validator,
            connected,
            height: height.map(Height),
        };
        let status = |network_height, peers| NodeStatus {
            height: Height(10),
            hash: BlockHash(Hash([0; 32])),
            time: Timestamp(0),
            view: View(0),
            voting: Voting::Observer,
            network_height: Height(network_height),
            mempool_count: 0,
            mempool_bytes: 0,
            equivocations: 0,
            peers,
        };
        let passed = |network_height, peers| has_passed(&status(network_height, peers), Height::GENESIS);
        assert!(!passed(10, vec![]), "the highest head it knows is its own");
        assert!(!passed(10, vec![peer(true, None)]));
        assert!(!passed(10, vec![peer(false, Some(10))]));
        assert!(!passed(100_000, vec![peer(true, Some(100_000))]));
        assert!(passed(10, vec![peer(true, Some(10))]));
        let known = status(10, vec![peer(true, Some(10))]);
        assert!(!has_passed(&known, Height(11)));
    }

    #[test]
    fn parts_that_end_late_are_waited_for_and_nothing_else_is() {
        let address = "127.0.0.1:1".parse().expect("an address");
        assert!(is_in_use(&NodeError::Network(NetworkError::PortInUse { address })));
        assert!(is_in_use(&NodeError::Store(StoreError::InUse("home".into()))));
        assert!(!is_in_use(&NodeError::Store(StoreError::Stopped("before".into()))));
    }

    #[test]
    fn a_disk_that_rots_each_time_is_given_up_and_an_hour_later_tried_again() {
        let mut healings = Healings::default();
        let begin = Instant::now();
        for minute in 0..3 {
            assert!(healings.allow(begin + Duration::from_secs(60 * minute)));
        }
        assert!(!healings.allow(begin + Duration::from_secs(3_599)));
        assert!(healings.allow(begin + Duration::from_secs(3_601)), "the first is more than an hour ago");
        assert!(!healings.allow(begin + Duration::from_secs(3_602)));
    }

    #[test]
    fn what_the_system_refuses_is_not_mended_by_starting_anew() {
        let full = StoreError::Io { doing: "writing".into(), source_text: "disk full".into() };
        let foreign = StoreError::WrongFormat { found: 2, expected: 1 };
        for error in [full, foreign, StoreError::Stopped("before".into())] {
            assert!(damage(&NodeError::Store(error.clone())).is_none(), "{error}");
            assert!(damage(&NodeError::Stopped(Stop::Store(error))).is_none());
        }
        assert!(damage(&NodeError::Stopped(Stop::Read(ReadError::Store("disk full".into())))).is_none());
        let rotten = StoreError::damaged("block 7", "the checksum does not fit");
        assert!(
            matches!(damage(&NodeError::Store(rotten)), Some(Damage::Store(what)) if what.contains("block 7"))
        );
    }
}
