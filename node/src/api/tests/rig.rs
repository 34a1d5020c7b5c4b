//! A node without agreement: a store in memory, a replica played by the test, and the API before them.

use std::{net::SocketAddr, sync::Arc};

use tanba_crypto::Verified;
use tanba_ledger::{
    Block, Certificate, Header, Height, SignedVote, Slot, Timestamp, Transaction, ValidatorIndex, View, Vote,
    proof::{At, Checkpoint, Question},
    state::{Delta, genesis_state},
    testkit::{self, World},
};
use tanba_storage::{MemoryDisk, MemoryJournal, MemoryReader, MemoryStore, Position, Store, StoreReader};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tonic::transport::{Channel, Endpoint};

use crate::{
    api::{Backend, serve},
    client::{Client, Trust},
    handle::{NodeHandle, NodeStatus, Outcome, Submission, Voting},
    metrics::Metrics,
};

/// What genesis is handed out as.
pub(super) const DOCUMENT: &[u8] = b"the genesis document";

/// A chain that the test grows, and what a replica would hold.
pub(super) struct Node {
    pub(super) world: World,
    pub(super) genesis: Header,
    pub(super) submissions: mpsc::Receiver<Submission>,
    store: MemoryStore,
    status: watch::Sender<Arc<NodeStatus>>,
    handle: NodeHandle,
}

/// The API of a node, served on a port.
pub(super) struct Served {
    pub(super) address: SocketAddr,
    pub(super) metrics: Metrics,
    pub(super) stop: watch::Sender<bool>,
    pub(super) server: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Node {
    pub(super) fn new() -> Node {
        let genesis = genesis_state(&testkit::records()).expect("records that fit together");
        let disk = MemoryDisk::new();
        MemoryStore::create(&disk, &genesis.block, genesis.delta).expect("founded");
        MemoryJournal::create(&disk, &genesis.chain).expect("founded");
        let no_replay = |_: &Block,
                         _: &_,
                         _: &dyn tanba_ledger::merkle::NodeReader|
         -> Result<Delta, String> { Err("nothing is above the checkpoint".into()) };
        let store = MemoryStore::open(&disk, &genesis.chain, &no_replay).expect("opened");
        let world = World::new();
        let (submit, submissions) = mpsc::channel(16);
        let (status, seen) = watch::channel(Arc::new(status_of(&world)));
        let handle = NodeHandle { submissions: submit, status: seen };
        Node { world, genesis: genesis.block.header, submissions, store, status, handle }
    }

    /// What the API is made of, over this node's store.
    pub(super) fn backend(&self) -> Backend<MemoryReader> {
        self.backend_over(self.store.reader())
    }

    pub(super) fn backend_over<R: StoreReader>(&self, reader: R) -> Backend<R> {
        Backend {
            reader,
            handle: self.handle.clone(),
            chain: self.world.chain,
            genesis: Arc::from(DOCUMENT),
            metrics: Metrics::new(),
        }
    }

    pub(super) async fn serve(&self) -> Served {
        serve_backend(self.backend()).await
    }

    /// Makes a block of these transactions final.
    pub(super) fn commit(&mut self, transactions: &[Verified<Transaction>]) -> Block {
        self.commit_at(self.world.next_time(), transactions)
    }

    pub(super) fn commit_at(&mut self, time: Timestamp, transactions: &[Verified<Transaction>]) -> Block {
        let built = self.world.build(time, transactions);
        assert_eq!(built.left_out, [], "every transaction goes in");
        let (block, delta) = built.block.expect("there is a block");
        let finalization = finalization(&self.world, &block);
        self.store.commit(&block, &finalization, delta.clone()).expect("committed");
        self.world.commit(delta);
        self.status.send_replace(Arc::new(status_of(&self.world)));
        block
    }

    /// Commits `count` blocks of one diploma each, numbers from `first` on, by university 0.
    pub(super) fn grow(&mut self, first: u64, count: u64) {
        for number in first..first + count {
            let issue = self.world.issue(0, number, 1);
            self.commit(&[issue]);
        }
    }

    /// Takes the next submission, admits it, makes it final in a block of its own and says so.
    pub(super) async fn accept_one(&mut self) -> Position {
        let submission = self.submissions.recv().await.expect("a submission");
        submission.admitted.send(Ok(submission.transaction.id())).expect("somebody waits");
        let block = self.commit(std::slice::from_ref(&submission.transaction));
        let position = Position { height: block.header.height, index: 0 };
        let outcome = submission.outcome.expect("the API follows what it submits");
        // Nobody waits any more if the client was told by the store.
        let _ = outcome.send(Outcome::Final(position));
        position
    }

    /// Trust in genesis, with a clock that shows the head's time.
    pub(super) fn trust(&self) -> Trust {
        let now = self.world.tip.header.time;
        Trust { checkpoint: Checkpoint::of(&self.genesis), now, max_age_ms: 0 }
    }
}

pub(super) async fn serve_backend<R: StoreReader>(backend: Backend<R>) -> Served {
    serve_at("127.0.0.1:0".parse().expect("an address"), backend).await
}

pub(super) async fn serve_at<R: StoreReader>(address: SocketAddr, backend: Backend<R>) -> Served {
    let listener = TcpListener::bind(address).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let metrics = backend.metrics.clone();
    let (stop, stopped) = watch::channel(false);
    let server = tokio::spawn(serve(listener, backend, stopped));
    Served { address, metrics, stop, server }
}

impl Served {
    /// A channel for a generated client.
    pub(super) fn channel(&self) -> Channel {
        let address = format!("http://{}", self.address);
        Endpoint::from_shared(address).expect("an address").connect_lazy()
    }

    pub(super) async fn client(&self) -> Client {
        Client::connect(&self.address.to_string()).await.expect("the node listens")
    }
}

/// A question about diploma `number` of university 0.
pub(super) fn question(number: u64) -> Question {
    Question { issuer: testkit::bin(0), fingerprint: testkit::fingerprint(number), at: At::Head }
}

pub(super) fn question_at(number: u64, height: u64) -> Question {
    Question { at: At::Height(Height(height)), ..question(number) }
}

fn finalization(world: &World, block: &Block) -> Certificate {
    let validators = &world.tip.validators;
    let vote = Vote::Finalize(Slot { height: block.header.height, view: View::FIRST }, block.hash());
    let sign = |index: ValidatorIndex| {
        let key = testkit::keys(index.at()).validator;
        SignedVote::sign(vote, index, &world.chain, &key)
    };
    let votes: Vec<SignedVote> = validators.indices().map(sign).collect();
    Certificate::assemble(vote, &votes, validators)
}

fn status_of(world: &World) -> NodeStatus {
    NodeStatus {
        height: world.tip.header.height,
        hash: world.tip.hash,
        time: world.tip.header.time,
        view: View::FIRST,
        voting: Voting::Observer,
        network_height: world.tip.header.height,
        mempool_count: 0,
        mempool_bytes: 0,
        equivocations: 0,
        peers: Vec::new(),
    }
}
