//! How the node speaks to the network. Nothing here waits for a peer, and nothing queues without a bound: what
//! does not fit is refused to the caller or, for messages, replaces the oldest.

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tanba_crypto::PublicKey;
use tanba_ledger::record::PeerKind;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::{
    Admitted, Channel, GossipId, NetworkLimits, NetworkStats, RequestId, Topic, Verdict, gossip,
    links::Links, stats::Counters, sync::Payload,
};

/// Commands waiting for the network task, beside their bound in bytes.
const COMMANDS_MAX: usize = 4_096;

/// Why the network does not take something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SendError {
    /// The peer is not admitted or not connected.
    #[error("the peer is not connected")]
    NotConnected,
    /// Larger than the receiver would accept.
    #[error("{bytes} bytes are to be sent, the limit is {limit}")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The network task is behind. The same may be taken a moment later.
    #[error("the network is busy")]
    Busy,
    /// The network has stopped.
    #[error("the network has stopped")]
    Stopped,
}

/// Speaks to the network task. Cheap to clone; the network stops when the last handle is gone.
#[derive(Clone, Debug)]
pub struct NetworkHandle {
    pub(super) shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
    admitted: Arc<watch::Sender<Vec<Admitted>>>,
    stop: Arc<watch::Sender<bool>>,
    stopped: watch::Receiver<()>,
}

/// What handles and the network task share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) links: Arc<Links>,
    pub(super) counters: Arc<Counters>,
    pub(super) limits: NetworkLimits,
    pub(super) listen: OnceLock<Vec<SocketAddr>>,
    next_request: AtomicU64,
    command_bytes: Arc<Semaphore>,
    answer_bytes: Arc<Semaphore>,
}

/// What a handle asks of the network task. Bytes hold a part of a budget until they are on their way.
#[derive(Debug)]
pub(super) enum Command {
    Gossip { topic: Topic, bytes: Vec<u8>, permit: OwnedSemaphorePermit },
    Request { request: RequestId, to: PublicKey, payload: Payload },
    Answer { channel: Channel, payload: Payload },
    Report { id: GossipId, verdict: Verdict },
}

/// The network task's ends.
pub(super) struct Ends {
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) admitted: watch::Receiver<Vec<Admitted>>,
    pub(super) stop: watch::Receiver<bool>,
    /// Dropped when the task has ended, however it ended.
    pub(super) stopped: watch::Sender<()>,
}

impl NetworkHandle {
    pub(super) fn new(
        links: Arc<Links>,
        counters: Arc<Counters>,
        limits: NetworkLimits,
    ) -> (NetworkHandle, Arc<Shared>, Ends) {
        let shared = Arc::new(Shared {
            links,
            counters,
            listen: OnceLock::new(),
            next_request: AtomicU64::new(1),
            command_bytes: Arc::new(Semaphore::new(limits.command_bytes_max)),
            answer_bytes: Arc::new(Semaphore::new(limits.answers_out_bytes_max)),
            limits,
        });
        let (commands, commands_end) = mpsc::channel(COMMANDS_MAX);
        let (admitted, admitted_end) = watch::channel(Vec::new());
        let (stop, stop_end) = watch::channel(false);
        let (stopped_end, stopped) = watch::channel(());
        let handle = NetworkHandle {
            shared: shared.clone(),
            commands,
            admitted: Arc::new(admitted),
            stop: Arc::new(stop),
            stopped,
        };
        let ends =
            Ends { commands: commands_end, admitted: admitted_end, stop: stop_end, stopped: stopped_end };
        (handle, shared, ends)
    }

    /// Replaces the set of peers that may connect. Nobody may before the first call. Those no longer in it are
    /// disconnected; configured peers that are new in it are dialled. The node's own key is ignored. Takes effect
    /// a moment later; of two calls in quick succession only the second may.
    pub fn set_admitted(&self, admitted: Vec<Admitted>) {
        self.admitted.send_replace(admitted);
    }

    /// Queues a one-way message to `to`. If the peer is slow, its oldest waiting messages make room: send only
    /// what can be sent again. Messages to one peer arrive in order while its connection lasts, and none twice;
    /// those not yet written are lost with it.
    ///
    /// Fails if the peer is not connected or `bytes` exceeds [`NetworkLimits::message_bytes_max`].
    pub fn send(&self, to: &PublicKey, bytes: impl Into<Arc<[u8]>>) -> Result<(), SendError> {
        let bytes = bytes.into();
        within(bytes.len(), self.shared.limits.message_bytes_max)?;
        let link = self.shared.links.by_key(to).ok_or(SendError::NotConnected)?;
        let dropped = link.outbox.push(bytes).ok_or(SendError::NotConnected)?;
        self.shared.counters.messages_dropped.add(dropped);
        Ok(())
    }

    /// [`Self::send`] to every connected validator. How many that are.
    pub fn broadcast(&self, bytes: impl Into<Arc<[u8]>>) -> Result<usize, SendError> {
        let bytes = bytes.into();
        within(bytes.len(), self.shared.limits.message_bytes_max)?;
        let mut count = 0;
        for (kind, link) in self.shared.links.connected() {
            if kind == PeerKind::Validator
                && let Some(dropped) = link.outbox.push(bytes.clone())
            {
                self.shared.counters.messages_dropped.add(dropped);
                count += 1;
            }
        }
        Ok(count)
    }

    /// Brings a message into gossip. While no peer listens the newest few are kept for the first that does.
    ///
    /// Fails if `bytes` exceeds the topic's limit, or the network is busy.
    pub fn gossip(&self, topic: Topic, bytes: Vec<u8>) -> Result<(), SendError> {
        within(bytes.len(), gossip::bytes_max(topic, &self.shared.limits))?;
        let permit = acquire(&self.shared.command_bytes, bytes.len())?;
        self.command(Command::Gossip { topic, bytes, permit })
    }

    /// Asks a peer. Exactly one [`super::NetworkEvent::Response`] with the returned id follows, unless this fails.
    ///
    /// Fails if `bytes` exceeds [`NetworkLimits::request_bytes_max`], or the network is busy.
    pub fn request(&self, to: PublicKey, bytes: Vec<u8>) -> Result<RequestId, SendError> {
        within(bytes.len(), self.shared.limits.request_bytes_max)?;
        let permit = Some(acquire(&self.shared.command_bytes, bytes.len())?);
        let request = RequestId(self.shared.next_request.fetch_add(1, Ordering::Relaxed));
        self.command(Command::Request { request, to, payload: Payload { bytes, permit } })?;
        Ok(request)
    }

    /// Answers a peer's request. An answer that comes too late is dropped and counted.
    ///
    /// Fails if `bytes` exceeds [`NetworkLimits::answer_bytes_max`], or too many answers are on their way; the
    /// peer then sees its request time out, and asks another.
    pub fn answer(&self, channel: Channel, bytes: Vec<u8>) -> Result<(), SendError> {
        within(bytes.len(), self.shared.limits.answer_bytes_max)?;
        let permit = Some(acquire(&self.shared.answer_bytes, bytes.len())?);
        self.command(Command::Answer { channel, payload: Payload { bytes, permit } })
    }

    /// Says what became of a gossiped message. Call it once for each, soon: one not reported within about five
    /// seconds is not passed on.
    pub fn report(&self, id: GossipId, verdict: Verdict) -> Result<(), SendError> {
        self.command(Command::Report { id, verdict })
    }

    /// Where this node listens, with the ports the system chose.
    pub fn listen_addresses(&self) -> Vec<SocketAddr> {
        self.shared.listen.get().cloned().unwrap_or_default()
    }

    /// The connected peers, in order of key.
    pub fn connected_peers(&self) -> Vec<PublicKey> {
        self.shared.links.connected().into_iter().map(|(_, link)| link.key).collect()
    }

    /// What was counted so far.
    pub fn stats(&self) -> NetworkStats {
        self.shared.counters.snapshot()
    }

    /// Closes every connection and the listeners, and waits until that is done: a second or two at most.
    pub async fn shutdown(&self) {
        self.stop.send_replace(true);
        let mut stopped = self.stopped.clone();
        // The task never sends; this ends when it drops its end.
        while stopped.changed().await.is_ok() {}
    }

    fn command(&self, command: Command) -> Result<(), SendError> {
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::Busy,
            mpsc::error::TrySendError::Closed(_) => SendError::Stopped,
        })
    }
}

fn within(bytes: usize, limit: usize) -> Result<(), SendError> {
    if bytes > limit { Err(SendError::TooLarge { bytes, limit }) } else { Ok(()) }
}

fn acquire(budget: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, SendError> {
    budget.clone().try_acquire_many_owned(NetworkLimits::permits(bytes)).map_err(|_| SendError::Busy)
}
