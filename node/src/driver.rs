//! The one loop around the replica: events in, actions out, in order.
//!
//! The loop checks no transactions' signatures and reads no pages; threads beside it do ([`Checkers`]). The replica
//! checks votes, proposals and certificates itself, and bodies it finds in its journal. The loop waits for nobody else:
//! its work and its disk writes run in place (`block_in_place`), so that other tasks go on meanwhile.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tanba_crypto::{Canonical, PublicKey, Verified};
use tanba_ledger::{ChainId, Transaction, limits::TRANSACTION_BYTES_MAX, record::PeerKind};
use tanba_storage::{Store, StoreReader};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};

use crate::{
    checkers::{Checkers, PANICKED, Room},
    clock,
    handle::{NodeStatus, Outcome, Submission},
    message::{Message, Request, Response},
    metrics::Metrics,
    network::{
        Admitted, Channel, GossipId, NetworkEvent, NetworkEvents, NetworkHandle, RequestId, Topic, Verdict,
    },
    observe,
    replica::{
        Replica, Stop,
        action::{Action, Judgement},
        event::{self, Event, Now},
    },
    serve,
    timers::Timers,
};

/// Checked events that wait for the loop.
const CHECKED_MAX: usize = 16_384;

/// Submissions whose outcome is awaited.
const OUTCOMES_MAX: usize = 65_536;

/// Everything the loop is made of.
pub(crate) struct Driver<S: Store> {
    replica: Replica<S>,
    chain: ChainId,
    reader: S::Reader,
    network: NetworkHandle,
    metrics: Metrics,
    status: watch::Sender<Arc<NodeStatus>>,
    checkers: Checkers,
    checked: mpsc::Sender<Checked>,
    started: Instant,
    timers: Timers,
    backlog: VecDeque<Event>,
    requests: BTreeMap<RequestId, event::RequestId>,
    channels: BTreeMap<event::ChannelId, Channel>,
    gossip: BTreeMap<event::GossipId, GossipId>,
    clients: BTreeMap<event::SubmissionId, Client>,
    named: u64,
    disk: observe::Disk,
    message_bytes_sent: u64,
    refusals: u64,
    /// This node's own key: the registry lists it among the peers.
    own: PublicKey,
}

/// An event whose signatures were checked, with the room it takes until the loop has it.
#[derive(Debug)]
pub(crate) struct Checked {
    event: Event,
    _room: Option<Room>,
}

/// A client that waits.
struct Client {
    admitted: Option<oneshot::Sender<Result<tanba_ledger::TransactionId, crate::handle::Refusal>>>,
    outcome: Option<oneshot::Sender<Outcome>>,
}

/// Where the loop's events come from, beside its own timers.
pub(crate) struct Sources {
    /// The network.
    pub(crate) network: NetworkEvents,
    /// The API.
    pub(crate) submissions: mpsc::Receiver<Submission>,
    /// Turns true when the node is to stop.
    pub(crate) stop: watch::Receiver<bool>,
}

impl<S: Store> Driver<S> {
    /// A driver around `replica`, of the node whose node key is `own`.
    pub(crate) fn new(
        replica: Replica<S>,
        own: PublicKey,
        reader: S::Reader,
        network: NetworkHandle,
        metrics: Metrics,
        status: watch::Sender<Arc<NodeStatus>>,
    ) -> std::io::Result<(Driver<S>, mpsc::Receiver<Checked>)> {
        let (checked, checked_end) = mpsc::channel(CHECKED_MAX);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let driver = Driver {
            chain: reader.tip().chain(),
            replica,
            reader,
            network,
            metrics,
            status,
            checkers: Checkers::start(cores)?,
            checked,
            started: Instant::now(),
            timers: Timers::default(),
            backlog: VecDeque::new(),
            requests: BTreeMap::new(),
            channels: BTreeMap::new(),
            gossip: BTreeMap::new(),
            clients: BTreeMap::new(),
            named: 0,
            disk: observe::Disk::default(),
            message_bytes_sent: 0,
            refusals: 0,
            own,
        };
        Ok((driver, checked_end))
    }

    /// Runs until told to stop, or until the replica must.
    pub(crate) async fn run(
        mut self,
        mut sources: Sources,
        mut checked: mpsc::Receiver<Checked>,
    ) -> Result<(), Stop> {
        let stopping = sources.stop.clone();
        self.handle(Event::Started)?;
        loop {
            while let Some(event) = self.backlog.pop_front() {
                self.handle(event)?;
            }
            let event = tokio::select! {
                _ = sources.stop.wait_for(|stop| *stop) => return Ok(()),
                event = sources.network.recv() => match event {
                    Some(event) => self.translate(event),
                    // Told to stop as well, it may be the first to do so.
                    None if *stopping.borrow() => return Ok(()),
                    None => return Err(Stop::Network),
                },
                Some(checked) = checked.recv() => Some(checked.event),
                Some(submission) = sources.submissions.recv() => Some(self.take(submission)),
                timer = self.timers.next() => Some(Event::TimerFired(timer)),
                () = self.checkers.panicked() => panic!("{PANICKED}"),
            };
            if let Some(event) = event {
                self.handle(event)?;
            }
        }
    }

    fn handle(&mut self, event: Event) -> Result<(), Stop> {
        let now = Now { monotonic_ms: self.started.elapsed().as_millis() as u64, wall: clock::now() };
        let began = Instant::now();
        let actions = tokio::task::block_in_place(|| self.replica.handle(now, event))?;
        let took = began.elapsed();
        for action in actions {
            if let Action::Committed { height, time, transactions } = action {
                observe::committed(&self.metrics, height, time, transactions, took);
            } else {
                self.perform(action);
            }
        }
        let (journal_syncs, journal_bytes) = self.replica.journal_usage();
        self.disk.observe(&self.metrics, journal_syncs, journal_bytes);
        observe::refused(&self.metrics, self.replica.refusals(), &mut self.refusals);
        observe::messages_sent(&self.metrics, &self.network.stats(), &mut self.message_bytes_sent);
        Ok(())
    }

    fn name(&mut self) -> u64 {
        self.named += 1;
        self.named
    }

    /// Gives a client's submission a name and hands it on.
    fn take(&mut self, submission: Submission) -> Event {
        let id = event::SubmissionId(self.name());
        let outcome = submission.outcome.filter(|_| self.clients.len() < OUTCOMES_MAX);
        self.clients.insert(id, Client { admitted: Some(submission.admitted), outcome });
        let length_bytes = submission.transaction.to_canonical().len();
        Event::Submitted { id, transaction: submission.transaction, length_bytes }
    }

    /// Turns what the network says into an event, or into a job for the threads.
    fn translate(&mut self, event: NetworkEvent) -> Option<Event> {
        match event {
            NetworkEvent::Connected { key } => Some(Event::Connected(key)),
            NetworkEvent::Disconnected { key } => Some(Event::Disconnected(key)),
            NetworkEvent::Message { from, bytes } => {
                self.metrics.network_bytes_in(bytes.len() as u64);
                self.translate_message(from, &bytes)
            }
            NetworkEvent::Request { channel, bytes, .. } => {
                self.metrics.network_bytes_in(bytes.len() as u64);
                self.translate_request(channel, &bytes)
            }
            NetworkEvent::Response { request, from, result } => {
                let id = self.requests.remove(&request)?;
                let Ok(bytes) = result else { return Some(Event::Response { id, from, response: None }) };
                self.metrics.network_bytes_in(bytes.len() as u64);
                self.check_response(id, from, bytes)
            }
            NetworkEvent::Gossip { from, id, topic, bytes } => {
                self.metrics.network_bytes_in(bytes.len() as u64);
                self.translate_gossip(from, id, topic, bytes)
            }
        }
    }

    fn translate_gossip(
        &mut self,
        from: PublicKey,
        id: GossipId,
        topic: Topic,
        bytes: Vec<u8>,
    ) -> Option<Event> {
        match topic {
            Topic::Transactions => {
                self.check_gossiped(id, bytes);
                None
            }
            Topic::Blocks => match crate::message::Announcement::from_canonical(&bytes, bytes.len()) {
                Ok(announcement) => {
                    let gossip = self.name_gossip(id);
                    Some(Event::Announced { from, gossip, announcement })
                }
                Err(_) => {
                    self.metrics.peer_mistake();
                    self.report(id, Verdict::Reject);
                    None
                }
            },
        }
    }

    fn translate_message(&mut self, from: PublicKey, bytes: &[u8]) -> Option<Event> {
        match Message::read(bytes) {
            Ok(Message::Transactions(list)) => {
                // Without room they are lost: the sender repeats them while it has work.
                if let Some(room) = self.checkers.room(bytes.len(), list.len()) {
                    for transaction in list {
                        self.check_forwarded(transaction, room.clone());
                    }
                }
                None
            }
            Ok(message) => Some(Event::Message { from, message }),
            Err(error) => {
                self.metrics.peer_mistake();
                tracing::debug!(peer = ?from, %error, "a peer's message is refused");
                None
            }
        }
    }

    fn translate_request(&mut self, channel: Channel, bytes: &[u8]) -> Option<Event> {
        match Request::read(bytes) {
            Ok(Request::Blocks(height)) => {
                let (reader, network, metrics) =
                    (self.reader.clone(), self.network.clone(), self.metrics.clone());
                self.checkers.submit(move || match serve::blocks_page(&reader, height) {
                    Ok(page) => answer(&network, &metrics, channel, &page),
                    Err(error) => tracing::error!(%error, "a page of blocks could not be read"),
                });
                None
            }
            Ok(request) => {
                let id = event::ChannelId(self.name());
                self.channels.insert(id, channel);
                Some(Event::Request { channel: id, request })
            }
            Err(error) => {
                self.metrics.peer_mistake();
                tracing::debug!(%error, "a peer's question is refused");
                None
            }
        }
    }

    /// Checks an answer's transactions on a thread; a lost job is an unanswered question.
    fn check_response(&mut self, id: event::RequestId, from: PublicKey, bytes: Vec<u8>) -> Option<Event> {
        let (chain, checked, metrics) = (self.chain, self.checked.clone(), self.metrics.clone());
        let queued = self.checkers.submit(move || {
            let response = match Response::read(&bytes, &chain) {
                Ok(response) => Some(response),
                Err(error) => {
                    metrics.peer_mistake();
                    tracing::warn!(peer = ?from, %error, "a peer's answer is refused");
                    None
                }
            };
            // An answer is never repeated, so this thread waits for room; it fails only when the loop has ended.
            let event = Event::Response { id, from, response };
            let _ = checked.blocking_send(Checked { event, _room: None });
        });
        if queued { None } else { Some(Event::Response { id, from, response: None }) }
    }

    fn check_gossiped(&mut self, id: GossipId, bytes: Vec<u8>) {
        let (chain, checked, network) = (self.chain, self.checked.clone(), self.network.clone());
        let metrics = self.metrics.clone();
        let Some(room) = self.checkers.room(bytes.len(), 1) else { return self.report(id, Verdict::Ignore) };
        let gossip = self.name_gossip(id);
        let queued = self.checkers.submit(move || {
            let length_bytes = bytes.len();
            let read = Transaction::from_canonical(&bytes, TRANSACTION_BYTES_MAX);
            match read.ok().and_then(|transaction| Verified::check(transaction, &chain).ok()) {
                Some(transaction) => {
                    let event = Event::Transaction { gossip: Some(gossip), transaction, length_bytes };
                    deliver(&checked, event, room);
                }
                None => {
                    metrics.peer_mistake();
                    if let Err(error) = network.report(id, Verdict::Reject) {
                        tracing::debug!(%error, "gossip was not judged in time");
                    }
                }
            }
        });
        if !queued {
            self.report(id, Verdict::Ignore);
        }
    }

    fn check_forwarded(&mut self, transaction: Transaction, room: Room) {
        let (chain, checked) = (self.chain, self.checked.clone());
        // A job that finds no room is lost: the sender repeats it while it has work.
        self.checkers.submit(move || {
            let length_bytes = transaction.to_canonical().len();
            if length_bytes <= TRANSACTION_BYTES_MAX
                && let Ok(transaction) = Verified::check(transaction, &chain)
            {
                let event = Event::Transaction { gossip: None, transaction, length_bytes };
                deliver(&checked, event, room);
            }
        });
    }

    fn name_gossip(&mut self, id: GossipId) -> event::GossipId {
        // Names of messages that were never judged (their job failed) go with the oldest.
        while self.gossip.len() >= CHECKED_MAX {
            self.gossip.pop_first();
        }
        let name = event::GossipId(self.name());
        self.gossip.insert(name, id);
        name
    }

    fn report(&self, id: GossipId, verdict: Verdict) {
        if let Err(error) = self.network.report(id, verdict) {
            tracing::debug!(%error, "gossip was not judged in time");
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Send { to, message } => {
                if let Err(error) = self.network.send(&to, message.to_canonical()) {
                    tracing::debug!(peer = ?to, %error, "a message was not sent");
                }
            }
            Action::Broadcast(message) => {
                if let Err(error) = self.network.broadcast(message.to_canonical()) {
                    tracing::warn!(%error, "a message was not broadcast");
                }
            }
            Action::Announce(announcement) => self.say(Topic::Blocks, announcement.to_canonical()),
            Action::Gossip(transaction) => self.say(Topic::Transactions, transaction.to_canonical()),
            Action::Judge { gossip, judgement } => {
                if let Some(id) = self.gossip.remove(&gossip) {
                    self.report(id, verdict(judgement));
                }
            }
            Action::Request { id, to, request } => self.question(id, to, &request),
            Action::Answer { channel, response } => {
                if let Some(channel) = self.channels.remove(&channel) {
                    answer(&self.network, &self.metrics, channel, &response);
                }
            }
            Action::Schedule { timer, delay_ms } => self.timers.set(timer, Duration::from_millis(delay_ms)),
            Action::Admitted { id, result } => self.tell_admitted(id, result),
            Action::Concluded { id, outcome } => {
                observe::concluded(&self.metrics, &outcome);
                if let Some(client) = self.clients.remove(&id)
                    && let Some(waiting) = client.outcome
                {
                    // A client that has gone away misses nothing but the news.
                    drop(waiting.send(outcome));
                }
            }
            Action::AdmitPeers(peers) => {
                let admitted =
                    peers.into_iter().map(|(key, kind): (PublicKey, PeerKind)| Admitted { key, kind });
                self.network.set_admitted(admitted.collect());
            }
            Action::Committed { .. } => unreachable!("observed before"),
            Action::Status(status) => {
                let mut status = Arc::unwrap_or_clone(status);
                status.peers.retain(|peer| peer.key != self.own);
                observe::status(&self.metrics, &status);
                self.status.send_replace(Arc::new(status));
            }
        }
    }

    fn tell_admitted(
        &mut self,
        id: event::SubmissionId,
        result: Result<tanba_ledger::TransactionId, crate::handle::Refusal>,
    ) {
        let refused = result.is_err();
        if let Some(client) = self.clients.get_mut(&id)
            && let Some(waiting) = client.admitted.take()
        {
            drop(waiting.send(result));
        }
        if refused {
            self.clients.remove(&id);
        }
    }

    fn question(&mut self, id: event::RequestId, to: PublicKey, request: &Request) {
        let bytes = request.to_canonical();
        let count = bytes.len() as u64;
        match self.network.request(to, bytes) {
            Ok(named) => {
                self.metrics.network_bytes_out(count);
                self.requests.insert(named, id);
            }
            Err(error) => {
                tracing::debug!(peer = ?to, %error, "a question was not sent");
                self.backlog.push_back(Event::Response { id, from: to, response: None });
            }
        }
    }

    fn say(&self, topic: Topic, bytes: Vec<u8>) {
        self.metrics.network_bytes_out(bytes.len() as u64);
        if let Err(error) = self.network.gossip(topic, bytes) {
            tracing::debug!(%error, "gossip was not sent");
        }
    }
}

/// Hands a checked event to the loop. When the loop is so far behind, the event is lost: everything that comes
/// this way is repeated by its sender or times out.
fn deliver(checked: &mpsc::Sender<Checked>, event: Event, room: Room) {
    if checked.try_send(Checked { event, _room: Some(room) }).is_err() {
        tracing::warn!("checked events wait too long; one was dropped");
    }
}

fn answer(network: &NetworkHandle, metrics: &Metrics, channel: Channel, response: &Response) {
    let bytes = response.to_canonical();
    metrics.network_bytes_out(bytes.len() as u64);
    if let Err(error) = network.answer(channel, bytes) {
        tracing::debug!(%error, "an answer was not sent");
    }
}

fn verdict(judgement: Judgement) -> Verdict {
    match judgement {
        Judgement::Accept => Verdict::Accept,
        Judgement::Ignore => Verdict::Ignore,
        Judgement::Reject => Verdict::Reject,
    }
}
