//! A node, put together: home, store, network, replica, API and metrics; started in this order and stopped in
//! the reverse one.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures::{FutureExt, TryFutureExt};
use serde::Serialize;
use tanba_crypto::SigningKey;
use tanba_storage::{DiskReader, DiskStore, Store, StoreError, StoreReader, replay::by_the_rules};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};

use crate::{
    api::{self, Backend, stopped},
    config::Config,
    delays,
    driver::{Driver, Sources},
    handle::{NodeHandle, NodeStatus, Voting},
    heal,
    home::{Home, HomeError, files},
    metrics::{self, Metrics},
    network::{self, NetworkConfig, NetworkError, NetworkHandle, NetworkLimits},
    parts::Parts,
    replica::{MempoolLimits, Replica, Stop},
    signer::Signer,
};

/// Submissions on their way to the replica.
const SUBMISSIONS_MAX: usize = 1_024;

/// How often it is seen whether derived state is due to be written, or the store has stopped, in milliseconds.
const WRITE_BEHIND_MS: u64 = 250;

/// The keys a running node holds.
#[derive(Clone, Debug)]
pub struct NodeKeys {
    /// Identifies the node on the network.
    pub node: SigningKey,
    /// Votes; observers have none.
    pub validator: Option<SigningKey>,
}

/// Why a node does not start, or why it stopped.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The home cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network does not start.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address} for {what}: {why}")]
    Listen {
        /// For whom.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// What kind of error.
        kind: std::io::ErrorKind,
        /// The system's words.
        why: String,
    },
    /// The replica had to stop.
    #[error(transparent)]
    Stopped(#[from] Stop),
    /// The API cannot be served.
    #[error("the API ended: {0}")]
    Api(#[from] tonic::transport::Error),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// A task of the node ended unasked, or with a panic: a mistake of this program.
    #[error("the node's own task {0} ended by itself; this is a mistake of the program")]
    Task(&'static str),
    /// Not everything ended in time after the wish to stop.
    #[error("the node did not stop within {0} ms")]
    Deadline(u64),
}

/// Where a running node is reached: what `run/endpoints.json` holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoints {
    /// The process.
    pub pid: u32,
    /// For nodes.
    pub p2p: Vec<SocketAddr>,
    /// For clients.
    pub grpc: SocketAddr,
    /// For Prometheus, if it is served.
    pub metrics: Option<SocketAddr>,
}

/// A node that runs.
#[derive(Debug)]
pub struct Node {
    /// Where it is reached.
    pub endpoints: Endpoints,
    /// How the process speaks with it.
    pub handle: NodeHandle,
    parts: Parts,
    reader: DiskReader,
    deadline_ms: u64,
}

impl Node {
    /// Starts a node. When this returns it listens everywhere; whether it votes, its status says.
    ///
    /// `healed`: how often this process has made the store anew. Must be called within a multi-threaded tokio
    /// runtime.
    pub async fn start(home: &Home, config: &Config, keys: NodeKeys, healed: u64) -> Result<Node, NodeError> {
        let genesis = home.genesis()?;
        let chain = genesis.chain_id();
        if !DiskStore::exists(home.root()) {
            // Initialising ends with genesis, so there was a store: it was set aside, or taken away. What the
            // journal tells of it is compared with the peers before this node votes.
            tracing::warn!(
                "the home holds no store: it is made anew and every block is fetched from the peers"
            );
            DiskStore::create(home.root(), genesis.block(), genesis.delta().clone())?;
        }
        let store = DiskStore::open(home.root(), &chain, &by_the_rules)?;
        let reader = store.reader();
        let write_behind = WriteBehindThread::start(&store).map_err(NodeError::Thread)?;
        let metrics = Metrics::new();
        metrics.store_healed(healed);
        let own = keys.node.public();

        let grpc = listen("gRPC", config.grpc.listen).await?;
        let scrape = match config.metrics_listen {
            Some(address) => Some(listen("metrics", address).await?),
            None => None,
        };
        let (network, events) = network::spawn(NetworkConfig {
            chain,
            node_key: keys.node,
            listen: vec![config.p2p.listen],
            dial: config.p2p.peers.iter().map(|peer| (peer.key, peer.address)).collect(),
            limits: network_limits(config),
        })
        .await?;

        let endpoints = Endpoints {
            pid: std::process::id(),
            p2p: network.listen_addresses(),
            grpc: grpc.local_addr().map_err(not_listening("gRPC", config.grpc.listen))?,
            metrics: match (&scrape, config.metrics_listen) {
                (Some(listener), Some(address)) => {
                    Some(listener.local_addr().map_err(not_listening("metrics", address))?)
                }
                _ => None,
            },
        };
        let json = serde_json::to_vec_pretty(&endpoints).expect("addresses are text");
        files::replace_file(&home.endpoints_file(), &json, files::MODE_PRIVATE).map_err(HomeError::from)?;

        let mempool = MempoolLimits {
            bytes_max: usize::try_from(config.mempool.bytes_max).unwrap_or(usize::MAX),
            count_max: usize::try_from(config.mempool.transactions_max).unwrap_or(usize::MAX),
        };
        let replica =
            Replica::open(store, keys.validator.map(Signer::new), delays::of(genesis.kind()), mempool)?;
        let passed = replica.height_once();
        let (stop, stopping) = watch::channel(false);
        let (submit, submissions) = mpsc::channel(SUBMISSIONS_MAX);
        let (status, statuses) = watch::channel(Arc::new(unknown_status(&reader)));
        let (driver, checked) =
            Driver::new(replica, own, reader.clone(), network.clone(), metrics.clone(), status)
                .map_err(NodeError::Thread)?;
        let handle = NodeHandle { submissions: submit, status: statuses };
        heal::release_when_passed(home, passed, handle.status.clone())?;
        let sources = Sources { network: events, submissions, stop: stopping.clone() };
        let backend = Backend {
            reader: reader.clone(),
            handle: handle.clone(),
            chain,
            genesis: genesis.to_bytes().into(),
            metrics: metrics.clone(),
        };
        let mut parts = Parts::new(stop);
        parts.add("driver", driver.run(sources, checked).err_into());
        parts.add("network", end_network(network, stopping.clone()));
        parts.add("api", api::serve(grpc, backend, stopping.clone()).err_into());
        if let Some(listener) = scrape {
            parts.add("metrics", metrics::http::serve(listener, metrics, stopping.clone()).map(Ok));
        }
        parts.add("write-behind", end_write_behind(write_behind, stopping));
        tracing::info!(%chain, grpc = %endpoints.grpc, p2p = ?endpoints.p2p, "the node runs");
        let deadline_ms = config.shutdown_deadline_ms;
        Ok(Node { endpoints, handle, parts, reader, deadline_ms })
    }

    /// Runs until `wish` is ready, or until a part of the node must end; then ends everything, within the deadline
    /// of the settings. What is final is on disk at every moment; stopping only spares the next start some work.
    ///
    /// # Errors
    /// [`NodeError::Store`] with the store's own first error, if there was one: whatever else ended, ended of it.
    pub async fn run_until(self, wish: impl Future<Output = ()>) -> Result<(), NodeError> {
        let ended = self.parts.run_until(wish, self.deadline_ms).await;
        self.reader.cause().map_or(ended, |cause| Err(cause.into()))
    }
}

/// The network's task runs beside; the driver sees if it ends unasked.
async fn end_network(network: NetworkHandle, mut stop: watch::Receiver<bool>) -> Result<(), NodeError> {
    stopped(&mut stop).await;
    network.shutdown().await;
    Ok(())
}

/// Ends with the thread, by itself when the disk fails, and else when the node stops.
async fn end_write_behind(
    mut write_behind: WriteBehindThread,
    mut stop: watch::Receiver<bool>,
) -> Result<(), NodeError> {
    let ended = tokio::select! {
        ended = &mut write_behind.ended => ended,
        () = stopped(&mut stop) => {
            write_behind.stop();
            write_behind.ended.await
        }
    };
    Ok(ended.map_err(|_| NodeError::Task("write-behind"))??)
}

/// Before the replica's first word: what the store alone tells.
fn unknown_status(reader: &impl StoreReader) -> NodeStatus {
    let tip = reader.tip();
    NodeStatus {
        height: tip.header.height,
        hash: tip.hash,
        time: tip.header.time,
        view: tanba_ledger::View::NONE,
        voting: Voting::Recovering,
        network_height: tip.header.height,
        mempool_count: 0,
        mempool_bytes: 0,
        equivocations: 0,
        peers: Vec::new(),
    }
}

async fn listen(what: &'static str, address: SocketAddr) -> Result<TcpListener, NodeError> {
    TcpListener::bind(address).await.map_err(not_listening(what, address))
}

fn not_listening(what: &'static str, address: SocketAddr) -> impl Fn(std::io::Error) -> NodeError {
    move |error| NodeError::Listen { what, address, kind: error.kind(), why: error.to_string() }
}

fn network_limits(config: &Config) -> NetworkLimits {
    NetworkLimits {
        connections_max: u32::try_from(config.p2p.connections_max).unwrap_or(u32::MAX),
        outbox_bytes_max: usize::try_from(config.p2p.peer_queue_bytes_max).unwrap_or(usize::MAX),
        ..NetworkLimits::default()
    }
}

/// The thread that writes derived state behind the blocks.
#[derive(Debug)]
struct WriteBehindThread {
    stop: std::sync::mpsc::Sender<()>,
    /// How it ended; dropped unsent if it panicked.
    ended: tokio::sync::oneshot::Receiver<Result<(), StoreError>>,
}

impl WriteBehindThread {
    fn start(store: &DiskStore) -> std::io::Result<WriteBehindThread> {
        let write_behind = store.write_behind();
        let (stop, stopped) = std::sync::mpsc::channel();
        let (tell, ended) = tokio::sync::oneshot::channel();
        let run = move || {
            // What an earlier life had no time to remove.
            write_behind.run()?;
            loop {
                match stopped.recv_timeout(Duration::from_millis(WRITE_BEHIND_MS)) {
                    Err(std::sync::mpsc::RecvTimeoutError::Timeout) if !write_behind.is_due() => {
                        // A read that failed, whoever asked, is the end as well.
                        write_behind.check()?;
                    }
                    Err(std::sync::mpsc::RecvTimeoutError::Timeout) => write_behind.run()?,
                    Ok(()) | Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
                        return write_behind.run();
                    }
                }
            }
        };
        std::thread::Builder::new().name("write-behind".to_owned()).spawn(move || {
            // Nobody waits any more when the deadline of stopping is over.
            let _ = tell.send(run());
        })?;
        Ok(WriteBehindThread { stop, ended })
    }

    /// Has it write once more and end.
    fn stop(&self) {
        // A thread that has ended already left its error behind.
        let _ = self.stop.send(());
    }
}
