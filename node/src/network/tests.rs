//! Real nodes on loopback. Each test waits for events under one generous deadline; none waits for time to pass.

use std::{collections::VecDeque, future::Future, net::SocketAddr, time::Duration};

use tanba_crypto::{Hash, PublicKey, SigningKey};
use tanba_ledger::{ChainId, record::PeerKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

/// Beyond it a test has failed; far more than any of them needs.
const DEADLINE: Duration = Duration::from_secs(60);

struct Node {
    handle: NetworkHandle,
    events: NetworkEvents,
    /// Taken from `events` while another was waited for.
    seen: VecDeque<NetworkEvent>,
    key: PublicKey,
}

fn signing_key(n: u8) -> SigningKey {
    SigningKey::ed25519(&[n; 32])
}

fn key(n: u8) -> PublicKey {
    signing_key(n).public()
}

fn admit(keys: &[u8]) -> Vec<Admitted> {
    keys.iter().map(|n| Admitted { key: key(*n), kind: PeerKind::Validator }).collect()
}

fn config(n: u8, dial: &[&Node]) -> NetworkConfig {
    NetworkConfig {
        chain: ChainId(Hash([7; 32])),
        node_key: signing_key(n),
        listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        dial: dial.iter().map(|node| (node.key, node.address())).collect(),
        limits: NetworkLimits::default(),
    }
}

async fn start(config: NetworkConfig, admitted: &[u8]) -> Node {
    let key = config.node_key.public();
    let (handle, events) = spawn(config).await.expect("the network starts");
    handle.set_admitted(admit(admitted));
    // Who dials a moment too early is refused, and would have to be awaited twice.
    let last = admitted.iter().map(|n| self::key(*n)).rfind(|other| *other != key);
    while last.is_some_and(|last| handle.shared.links.by_key(&last).is_none()) {
        tokio::task::yield_now().await;
    }
    Node { handle, events, seen: VecDeque::new(), key }
}

/// Two nodes that admit each other and are connected.
async fn pair() -> (Node, Node) {
    let mut a = start(config(1, &[]), &[1, 2]).await;
    let mut b = start(config(2, &[&a]), &[1, 2]).await;
    a.connected(2).await;
    b.connected(1).await;
    (a, b)
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime
        .expect("a runtime")
        .block_on(async { tokio::time::timeout(DEADLINE, test).await.expect("the test ends in time") });
}

impl Node {
    fn address(&self) -> SocketAddr {
        self.handle.listen_addresses()[0]
    }

    /// The first event that `pick` takes, among those left over and those to come.
    async fn wait<T>(&mut self, mut pick: impl FnMut(&NetworkEvent) -> Option<T>) -> T {
        if let Some((at, found)) =
            self.seen.iter().enumerate().find_map(|(at, event)| Some((at, pick(event)?)))
        {
            self.seen.remove(at);
            return found;
        }
        loop {
            let event = self.events.recv().await.expect("the network runs");
            match pick(&event) {
                Some(found) => return found,
                None => self.seen.push_back(event),
            }
        }
    }

    async fn connected(&mut self, n: u8) {
        self.wait(|event| (*event == NetworkEvent::Connected { key: key(n) }).then_some(())).await;
    }

    async fn disconnected(&mut self, n: u8) {
        self.wait(|event| (*event == NetworkEvent::Disconnected { key: key(n) }).then_some(())).await;
    }

    async fn message(&mut self) -> (PublicKey, Vec<u8>) {
        self.wait(|event| match event {
            NetworkEvent::Message { from, bytes } => Some((*from, bytes.clone())),
            _ => None,
        })
        .await
    }

    async fn gossip(&mut self) -> (GossipId, Topic, Vec<u8>) {
        self.wait(|event| match event {
            NetworkEvent::Gossip { id, topic, bytes, .. } => Some((*id, *topic, bytes.clone())),
            _ => None,
        })
        .await
    }

    async fn request(&mut self) -> (Channel, Vec<u8>) {
        self.wait(|event| match event {
            NetworkEvent::Request { channel, bytes, .. } => Some((*channel, bytes.clone())),
            _ => None,
        })
        .await
    }

    async fn response(&mut self, id: RequestId) -> Result<Vec<u8>, RequestFailure> {
        self.wait(|event| match event {
            NetworkEvent::Response { request, result, .. } if *request == id => Some(result.clone()),
            _ => None,
        })
        .await
    }

    /// Waits until a count is as wanted. Counts change with events of the network; between them the task yields.
    async fn counted(&self, wanted: impl Fn(NetworkStats) -> bool) {
        while !wanted(self.handle.stats()) {
            tokio::task::yield_now().await;
        }
    }
}

#[test]
fn messages_arrive_in_order_in_both_directions() {
    run(async {
        let (mut a, mut b) = pair().await;
        for n in 0..50u8 {
            a.handle.send(&b.key, vec![n]).expect("connected");
        }
        for n in 0..50u8 {
            assert_eq!(b.message().await, (a.key, vec![n]));
        }
        let large = vec![9; NetworkLimits::default().message_bytes_max];
        b.handle.send(&a.key, large.clone()).expect("connected");
        assert_eq!(a.message().await, (b.key, large));
    });
}

#[test]
fn a_request_has_its_answer_and_an_unanswered_one_fails() {
    run(async {
        let (mut a, mut b) = pair().await;
        let id = a.handle.request(b.key, b"head?".to_vec()).expect("taken");
        let (channel, bytes) = b.request().await;
        assert_eq!(bytes, b"head?");
        let answer = vec![3; NetworkLimits::default().answer_bytes_max];
        b.handle.answer(channel, answer.clone()).expect("taken");
        assert_eq!(a.response(id).await, Ok(answer));

        let id = a.handle.request(b.key, vec![]).expect("taken");
        b.request().await;
        b.handle.shutdown().await;
        let failure = a.response(id).await.expect_err("nobody answers");
        assert!(matches!(failure, RequestFailure::Disconnected | RequestFailure::Refused), "{failure}");
        let id = a.handle.request(key(9), vec![]).expect("taken");
        assert_eq!(a.response(id).await, Err(RequestFailure::NotConnected));
    });
}

#[test]
fn gossip_travels_on_only_after_it_was_accepted() {
    run(async {
        // A line: 1 - 2 - 3. The ends do not admit each other.
        let mut middle = start(config(2, &[]), &[1, 3]).await;
        let mut left = start(config(1, &[&middle]), &[2]).await;
        let mut right = start(config(3, &[&middle]), &[2]).await;
        for node in [&mut left, &mut right] {
            node.connected(2).await;
        }
        // What a node brings in follows its subscriptions on the same stream: the middle knows both listeners.
        for node in [&left, &right] {
            node.handle.gossip(Topic::Blocks, node.key.as_bytes().to_vec()).expect("taken");
            let (id, ..) = middle.gossip().await;
            middle.handle.report(id, Verdict::Ignore).expect("taken");
        }
        left.handle.gossip(Topic::Transactions, b"bad".to_vec()).expect("taken");
        left.handle.gossip(Topic::Transactions, b"good".to_vec()).expect("taken");
        for _ in 0..2 {
            let (id, topic, bytes) = middle.gossip().await;
            assert_eq!((id.from, topic), (left.key, Topic::Transactions));
            let verdict = if bytes == b"good" { Verdict::Accept } else { Verdict::Reject };
            middle.handle.report(id, verdict).expect("taken");
        }
        let (id, _, bytes) = right.gossip().await;
        assert_eq!((id.from, bytes.as_slice()), (middle.key, b"good".as_slice()));
        assert_eq!(middle.handle.stats().gossip_rejected, 1);
        assert!(right.seen.is_empty() && right.events.try_recv().is_none());
    });
}

#[test]
fn gossip_before_anybody_listens_waits_for_the_first_peer() {
    run(async {
        let a = start(config(1, &[]), &[2]).await;
        a.handle.gossip(Topic::Blocks, b"block".to_vec()).expect("taken");
        let mut b = start(config(2, &[&a]), &[1]).await;
        assert_eq!(b.gossip().await.2, b"block");
    });
}

#[test]
fn an_unknown_peer_is_cut_and_hears_nothing() {
    run(async {
        let a = start(config(1, &[]), &[2]).await;
        let mut stranger = start(config(3, &[&a]), &[1]).await;
        a.counted(|stats| stats.connections_refused >= 2).await;
        assert_eq!(a.handle.connected_peers(), []);
        assert_eq!(a.handle.send(&stranger.key, vec![1]), Err(SendError::NotConnected));
        let broadcast = a.handle.broadcast(vec![1]).expect("small enough");
        a.handle.gossip(Topic::Blocks, vec![1]).expect("taken");
        assert_eq!(broadcast, 0);
        a.counted(|stats| stats.connections_refused >= 3).await;
        let heard: Vec<NetworkEvent> = std::iter::from_fn(|| stranger.events.try_recv()).collect();
        let says_something = |event: &NetworkEvent| {
            !matches!(event, NetworkEvent::Connected { .. } | NetworkEvent::Disconnected { .. })
        };
        assert!(!heard.iter().any(says_something), "{heard:?}");
        assert_eq!(a.handle.stats().connections_established, 0);
    });
}

#[test]
fn a_node_of_another_chain_cannot_complete_the_handshake() {
    run(async {
        let a = start(config(1, &[]), &[2]).await;
        let foreign = NetworkConfig { chain: ChainId(Hash([8; 32])), ..config(2, &[&a]) };
        let foreign = start(foreign, &[1]).await;
        foreign.counted(|stats| stats.dials_failed >= 2).await;
        for node in [&a, &foreign] {
            assert_eq!(node.handle.stats().connections_established, 0);
        }
    });
}

#[test]
fn a_peer_that_announces_too_large_a_message_is_cut() {
    run(async {
        let generous = NetworkLimits::default();
        let strict = NetworkLimits { message_bytes_max: 1_000, ..generous };
        let mut a = start(NetworkConfig { limits: strict, ..config(1, &[]) }, &[2]).await;
        let mut b = start(config(2, &[&a]), &[1]).await;
        b.connected(1).await;
        b.handle.send(&a.key, vec![0; 1_000]).expect("connected");
        b.handle.send(&a.key, vec![0; 1_001]).expect("its own limit is larger");
        assert_eq!(a.message().await.1.len(), 1_000);
        a.disconnected(2).await;
        let stats = a.handle.stats();
        assert_eq!((stats.oversized_refused, stats.connections_cut, stats.messages_received), (1, 1, 1));
        a.connected(2).await;
    });
}

#[test]
fn an_oversized_request_fails_alone() {
    run(async {
        let strict =
            NetworkLimits { request_bytes_max: 100, answer_bytes_max: 100, ..NetworkLimits::default() };
        let mut a = start(NetworkConfig { limits: strict, ..config(1, &[]) }, &[2]).await;
        let mut b = start(config(2, &[&a]), &[1]).await;
        b.connected(1).await;
        let id = b.handle.request(a.key, vec![0; 101]).expect("its own limit is larger");
        assert_eq!(b.response(id).await, Err(RequestFailure::Refused));
        a.connected(2).await;
        let id = a.handle.request(b.key, vec![]).expect("taken");
        let (channel, _) = b.request().await;
        b.handle.answer(channel, vec![0; 101]).expect("its own limit is larger");
        assert_eq!(a.response(id).await, Err(RequestFailure::TooLarge));
        assert_eq!(a.handle.stats().oversized_refused, 2);
        b.handle.send(&a.key, vec![1]).expect("still connected");
        assert_eq!(a.message().await.1, [1]);
        assert_eq!(a.handle.stats().connections_established, 1, "it never was another connection");
    });
}

#[test]
fn our_own_oversized_bytes_are_refused_at_the_door() {
    run(async {
        let (a, b) = pair().await;
        let limits = NetworkLimits::default();
        let too_large = |limit: usize| Err(SendError::TooLarge { bytes: limit + 1, limit });
        let bytes = |limit: usize| vec![0; limit + 1];
        assert_eq!(
            a.handle.send(&b.key, bytes(limits.message_bytes_max)),
            too_large(limits.message_bytes_max)
        );
        assert_eq!(
            a.handle.request(b.key, bytes(limits.request_bytes_max)).map(|_| ()),
            too_large(limits.request_bytes_max)
        );
        assert_eq!(
            a.handle.gossip(Topic::Transactions, bytes(limits.gossip_transaction_bytes_max)),
            too_large(limits.gossip_transaction_bytes_max)
        );
    });
}

#[test]
fn garbage_on_the_port_does_no_harm() {
    run(async {
        let mut a = start(config(1, &[]), &[2]).await;
        for garbage in [
            vec![0xff; 100_000],
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            b"\x13/multistream/1.0.0\n\x07/noise\n\xff\xff".to_vec(),
        ] {
            let mut socket = tokio::net::TcpStream::connect(a.address()).await.expect("it listens");
            // The node may hang up before it has read everything; both are fine.
            let _ = socket.write_all(&garbage).await;
            let _ = socket.shutdown().await;
            let _ = socket.read_to_end(&mut Vec::new()).await;
        }
        a.counted(|stats| stats.connections_refused >= 3).await;
        let mut b = start(config(2, &[&a]), &[1]).await;
        b.connected(1).await;
        b.handle.send(&a.key, vec![1]).expect("connected");
        assert_eq!(a.message().await.1, [1]);
    });
}

#[test]
fn a_port_in_use_is_said_so() {
    run(async {
        let a = start(config(1, &[]), &[]).await;
        let second = NetworkConfig { listen: vec![a.address()], ..config(2, &[]) };
        let error = spawn(second).await.expect_err("the port is taken");
        assert!(matches!(&error, NetworkError::PortInUse { address } if *address == a.address()), "{error}");
    });
}

#[test]
fn a_peer_that_restarts_is_found_again() {
    run(async {
        let (a, mut b) = pair().await;
        let address = a.address();
        a.handle.shutdown().await;
        b.disconnected(1).await;
        drop(a);
        let mut a = start(NetworkConfig { listen: vec![address], ..config(1, &[]) }, &[2]).await;
        b.connected(1).await;
        a.connected(2).await;
        a.handle.send(&b.key, vec![1]).expect("connected");
        assert_eq!(b.message().await.1, [1]);
    });
}

#[test]
fn a_peer_that_is_no_longer_admitted_is_disconnected_and_may_return() {
    run(async {
        let (mut a, mut b) = pair().await;
        a.handle.set_admitted(admit(&[1]));
        a.disconnected(2).await;
        b.disconnected(1).await;
        assert_eq!(a.handle.connected_peers(), []);
        assert_eq!(a.handle.send(&b.key, vec![1]), Err(SendError::NotConnected));
        a.handle.set_admitted(admit(&[1, 2]));
        a.connected(2).await;
    });
}

#[test]
fn a_broadcast_reaches_validators_and_no_observer() {
    run(async {
        let mut a = start(config(1, &[]), &[]).await;
        let kinds = [(2, PeerKind::Validator), (3, PeerKind::Observer)];
        a.handle.set_admitted(kinds.map(|(n, kind)| Admitted { key: key(n), kind }).to_vec());
        let mut validator = start(config(2, &[&a]), &[1]).await;
        let mut observer = start(config(3, &[&a]), &[1]).await;
        a.connected(2).await;
        a.connected(3).await;
        assert_eq!(a.handle.broadcast(vec![1]), Ok(1));
        a.handle.send(&observer.key, vec![2]).expect("connected");
        assert_eq!(validator.message().await.1, [1]);
        assert_eq!(observer.message().await.1, [2]);
    });
}

#[test]
fn a_node_that_does_not_listen_bounds_what_it_holds() {
    run(async {
        // The receiver's budget holds 4 MiB and the streams' windows about half one; the sender queues 8 MiB.
        let (a, mut b) = pair().await;
        let count = 64;
        for n in 0..count {
            a.handle.send(&b.key, vec![n; 1024 * 1024]).expect("connected");
        }
        a.handle.send(&b.key, b"newest".to_vec()).expect("connected");
        let dropped = a.handle.stats().messages_dropped;
        assert!(dropped >= 64 - 16, "{dropped} dropped");
        let mut received = 0;
        while b.message().await.1 != b"newest" {
            received += 1;
        }
        assert_eq!(received + a.handle.stats().messages_dropped, u64::from(count));
    });
}

#[test]
fn nodes_that_dial_each_other_at_once_agree_on_being_connected() {
    run(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        drop(listener);
        let first = NetworkConfig { dial: vec![(key(2), address)], ..config(1, &[]) };
        let mut a = start(first, &[2]).await;
        let mut b = start(NetworkConfig { listen: vec![address], ..config(2, &[&a]) }, &[1]).await;
        a.connected(2).await;
        b.connected(1).await;
        for n in 0..20 {
            a.handle.send(&b.key, vec![n]).expect("connected");
            assert_eq!(b.message().await.1, [n]);
            b.handle.send(&a.key, vec![n]).expect("connected");
            assert_eq!(a.message().await.1, [n]);
        }
    });
}

#[test]
fn the_end_of_the_network_is_seen_by_everyone() {
    run(async {
        let (mut a, _b) = pair().await;
        a.handle.shutdown().await;
        while a.events.recv().await.is_some() {}
        assert_eq!(a.handle.gossip(Topic::Blocks, vec![1]), Err(SendError::Stopped));
        assert_eq!(a.handle.connected_peers(), []);
    });
}

#[test]
fn a_node_that_does_not_listen_drops_gossip_and_counts_it() {
    run(async {
        let usual = NetworkLimits::default();
        let room = NetworkLimits::cost(usual.gossip_block_bytes_max);
        let few = NetworkLimits {
            gossip_transaction_bytes_max: 100_000,
            inbox_gossip_bytes_max: room,
            inbox_gossip_bytes_total_max: room,
            ..usual
        };
        let a = start(config(1, &[]), &[2]).await;
        let mut b = start(NetworkConfig { limits: few, ..config(2, &[&a]) }, &[1]).await;
        for n in 0..20u8 {
            a.handle.gossip(Topic::Transactions, vec![n; 100_000]).expect("taken");
        }
        b.counted(|stats| stats.gossip_received + stats.gossip_dropped == 20).await;
        let fitting = room / NetworkLimits::cost(100_000);
        assert_eq!(b.handle.stats().gossip_received, fitting as u64);
        for _ in 0..fitting {
            b.gossip().await;
        }
        a.handle.gossip(Topic::Transactions, vec![99; 100_001]).expect("its own limit is larger");
        b.counted(|stats| stats.oversized_refused == 1).await;
        a.handle.gossip(Topic::Blocks, vec![21]).expect("taken");
        assert_eq!(b.gossip().await.1, Topic::Blocks);
    });
}

#[test]
fn requests_beyond_their_bounds_fail_and_the_rest_are_answered() {
    run(async {
        let asking = NetworkLimits { requests_to_peer_max: 3, ..NetworkLimits::default() };
        let serving = NetworkLimits { requests_from_peer_max: 2, ..NetworkLimits::default() };
        let mut a = start(NetworkConfig { limits: asking, ..config(1, &[]) }, &[2]).await;
        let mut b = start(NetworkConfig { limits: serving, ..config(2, &[&a]) }, &[1]).await;
        a.connected(2).await;
        let ids: Vec<RequestId> = (0..4).map(|n| a.handle.request(b.key, vec![n]).expect("taken")).collect();
        assert_eq!(a.response(ids[3]).await, Err(RequestFailure::TooMany));
        let open = [b.request().await, b.request().await];
        b.counted(|stats| stats.requests_refused == 1).await;
        for (channel, bytes) in open {
            b.handle.answer(channel, bytes).expect("taken");
        }
        let mut answers = Vec::new();
        for id in &ids[..3] {
            answers.push(a.response(*id).await.is_ok());
        }
        assert_eq!(answers.iter().filter(|answered| **answered).count(), 2);
    });
}

#[test]
fn limits_that_contradict_each_other_are_refused_at_start() {
    run(async {
        let limits = NetworkLimits { outbox_bytes_max: 1, ..NetworkLimits::default() };
        let error = spawn(NetworkConfig { limits, ..config(1, &[]) }).await.expect_err("no message fits");
        assert!(matches!(error, NetworkError::Limits(_)), "{error}");
    });
}
