//! The loop: an event happens to a node, and what the node wants done is done over the simulated network.

use std::{collections::VecDeque, sync::Arc};

use tanba_consensus::limits::VIEWS_AHEAD_MAX;
use tanba_crypto::{Canonical, PublicKey};
use tanba_ledger::{Transaction, record::PeerKind};
use tanba_node::{
    handle::{NodeStatus, Outcome},
    message::{Message, Request, Response},
    replica::{
        action::Action,
        event::{ChannelId, Event, GossipId, RequestId, SubmissionId},
        timer::Timer,
    },
    serve,
};
use tanba_storage::StoreReader;

use super::{Cluster, Due, Question};
use crate::sim::{Fault, adversary};

/// Whatever happens, whoever asks hears something within this, in milliseconds.
const ANSWER_MS_MAX: u64 = 1_000;

/// After so many of 1,000 commits a node writes behind. On its own it would come to that after some thousand blocks.
const WRITES_BEHIND_PER_MILLE: u64 = 200;

impl Cluster {
    /// The next thing in the queue: something happens to a node now, or waits until the node has time for it.
    pub(super) fn happen(&mut self, due: Due) {
        let number = due.node;
        if self.nodes[number].replica.is_none() {
            return;
        }
        let pace = &self.nodes[number].pace;
        let (paused, busy) = (pace.paused_until_ms, pace.busy_until_ms);
        let wakes = due.event.is_none();
        let idle = self.waiting.get(&number).is_none_or(VecDeque::is_empty);
        let free_ms = paused.max(busy);
        if !wakes {
            if free_ms <= self.now_ms && idle {
                return self.happen_to(due);
            }
            let fault = match (paused >= busy, pace.event_ms > 0) {
                (true, _) => Fault::Pause,
                (false, true) => Fault::SlowNode,
                (false, false) => Fault::SlowDisk,
            };
            self.hits.count(fault);
            self.waiting.entry(number).or_default().push_back(due);
            if idle {
                self.wake(number, free_ms);
            }
            return;
        }
        if free_ms > self.now_ms {
            return self.wake(number, free_ms);
        }
        let next = self.waiting.get_mut(&number).and_then(VecDeque::pop_front);
        if let Some(next) = next {
            self.happen_to(next);
        }
        if self.waiting.get(&number).is_some_and(|waiting| !waiting.is_empty()) {
            self.wake(number, self.nodes[number].pace.busy_until_ms.max(self.now_ms));
        }
    }

    /// A node that was paused goes on at once.
    pub(crate) fn resume(&mut self, node: usize) {
        self.nodes[node].pace.paused_until_ms = 0;
        if self.waiting.get(&node).is_some_and(|waiting| !waiting.is_empty()) {
            self.wake(node, self.now_ms);
        }
    }

    fn wake(&mut self, node: usize, at_ms: u64) {
        self.numbered += 1;
        self.queue.insert((at_ms, self.numbered), Due { node, life: None, sent: None, event: None });
    }

    fn happen_to(&mut self, due: Due) {
        let Due { node: number, life, sent, event: Some(event) } = due else { return };
        let node = &self.nodes[number];
        if life.is_some_and(|life| life != node.life) || node.replica.is_none() {
            return;
        }
        if let Event::Response { id, .. } = &event {
            // Exactly one answer reaches who asked: the first, or that none came.
            if !self.answered.insert((number, node.life, *id)) {
                return;
            }
        }
        if let Some((from, nth)) = sent {
            self.links.arrives(from, number, nth, &mut self.hits);
        }
        self.trace.event(self.now_ms, number, &event);
        if !adversary::hears(self, number, &event) {
            return;
        }
        let node = &mut self.nodes[number];
        let now = node.now(self.now_ms);
        if node.is_validator() && node.pace.is_near() && !self.wicked.contains_key(&number) {
            self.witness.clock_shows(now.wall);
        }
        let writes = node.disk.writes();
        let (starts, head) = (matches!(event, Event::Started), node.head());
        let replica = node.replica.as_mut().expect("seen above");
        let handled = replica.handle(now, event);
        let wrote = node.disk.writes() > writes;
        let cost_ms = node.pace.event_ms + if wrote { node.pace.write_ms } else { 0 };
        node.pace.busy_until_ms = self.now_ms + cost_ms;
        let (refusals, (present, kept)) = (replica.refusals(), replica.views());
        self.witness.check_convicted(number, replica.offenders());
        let died_in_step = node.disk.has_lost_power();
        assert_eq!(refusals, 0, "node {number}'s guard refused what its agreement wanted to say");
        let highest = present.0.saturating_add(VIEWS_AHEAD_MAX);
        assert!(kept.0 <= highest, "node {number} keeps votes of view {} in view {}", kept.0, present.0);
        match handled {
            Ok(actions) if died_in_step => {
                // Everything was written; some of it was sent before the end.
                let sent = self.random.place(actions.len() + 1);
                for action in actions.into_iter().take(sent) {
                    self.perform(number, action, cost_ms);
                }
                self.die_in_step(number);
            }
            Err(_) if died_in_step => self.die_in_step(number),
            Ok(actions) => {
                for action in actions {
                    self.perform(number, action, cost_ms);
                }
                let committed = self.nodes[number].head() > head;
                if starts || committed && self.random.per_mille(WRITES_BEHIND_PER_MILLE) {
                    self.write_behind(number);
                }
            }
            Err(stop) => self.stop(number, &stop.to_string()),
        }
    }

    /// The node's other thread writes what is derived, and removes what died.
    fn write_behind(&mut self, number: usize) {
        let node = &self.nodes[number];
        let Some(write_behind) = &node.write_behind else { return };
        match write_behind.run() {
            _ if node.disk.has_lost_power() => self.die_in_step(number),
            Ok(()) => {}
            Err(error) => self.stop(number, &error.to_string()),
        }
    }

    fn perform(&mut self, node: usize, action: Action, late_ms: u64) {
        self.trace.action(self.now_ms, node, &action);
        if self.wicked.contains_key(&node) {
            adversary::says(self, node, action, late_ms);
        } else {
            self.witness.says(node, &self.nodes[node], &action);
            self.act(node, action, late_ms);
        }
    }

    /// Does what a node wants done.
    pub(crate) fn act(&mut self, node: usize, action: Action, late_ms: u64) {
        let from = self.nodes[node].key;
        match action {
            Action::Send { to, message } => {
                for to in self.known_as(&to) {
                    self.send_message(node, to, &message, late_ms);
                }
            }
            Action::Broadcast(message) => {
                for to in self.others(node, Some(PeerKind::Validator)) {
                    self.send_message(node, to, &message, late_ms);
                }
            }
            Action::Announce(announcement) => {
                for to in self.others(node, None) {
                    let event = || Event::Announced { from, gossip: GossipId(0), announcement };
                    self.send(node, to, late_ms, event);
                }
            }
            Action::Gossip(transaction) => {
                for to in self.others(node, None) {
                    self.offer(node, to, Some(GossipId(0)), &transaction, late_ms);
                }
            }
            Action::Request { id, to, request } => self.ask(node, id, to, &request, late_ms),
            Action::Answer { channel, response } => self.answer(channel, &response, late_ms),
            Action::Schedule { timer, delay_ms } => self.schedule(node, timer, delay_ms),
            Action::Concluded { id, outcome } => self.conclude(node, id, outcome),
            Action::AdmitPeers(_) | Action::Committed { .. } | Action::Judge { .. } => {}
            Action::Admitted { result: Ok(_), .. } => {}
            Action::Admitted { id, result: Err(refusal) } => {
                self.outcomes.insert(id, Outcome::Refused(refusal));
            }
            Action::Status(status) => self.reported(node, status),
        }
    }

    fn reported(&mut self, node: usize, status: Arc<NodeStatus>) {
        if !self.wicked.contains_key(&node) {
            self.witness.check_voice(node, &status.voting);
            self.witness.reached(node, &self.nodes[node], &status);
        }
        self.nodes[node].status = Some(status);
    }

    /// Sends an event over the network: once, twice or never.
    pub(crate) fn send(&mut self, from: usize, to: usize, late_ms: u64, event: impl Fn() -> Event) {
        for delay_ms in self.links.fate(from, to, &mut self.random, &mut self.hits) {
            let sent = Some((from, self.numbered));
            self.put(late_ms + delay_ms, to, None, sent, event());
        }
    }

    /// Sends a message as its bytes: what the receiver could not read is not sent.
    pub(crate) fn send_message(&mut self, from: usize, to: usize, message: &Message, late_ms: u64) {
        let key = self.nodes[from].key;
        match message {
            Message::Transactions(list) => {
                for transaction in list {
                    self.offer(from, to, None, transaction, late_ms);
                }
            }
            message => {
                let Ok(read) = Message::read(&message.to_canonical()) else {
                    let wicked = self.wicked.contains_key(&from);
                    assert!(wicked, "node {from} says what nobody can read: {message:?}");
                    return;
                };
                self.send(from, to, late_ms, || Event::Message { from: key, message: read.clone() });
            }
        }
    }

    fn offer(
        &mut self,
        from: usize,
        to: usize,
        gossip: Option<GossipId>,
        transaction: &Transaction,
        late_ms: u64,
    ) {
        let checked = self.world.verified(transaction.clone());
        let length_bytes = transaction.to_canonical().len();
        let event = || Event::Transaction { gossip, transaction: checked.clone(), length_bytes };
        self.send(from, to, late_ms, event);
    }

    fn ask(&mut self, node: usize, id: RequestId, to: PublicKey, request: &Request, late_ms: u64) {
        let life = self.nodes[node].life;
        self.put(ANSWER_MS_MAX, node, Some(life), None, Event::Response { id, from: to, response: None });
        for asked in self.known_as(&to) {
            self.numbered += 1;
            let channel = ChannelId(self.numbered);
            self.questions.insert(channel, Question { asker: node, life, id, asked });
            // Blocks are served beside the replica, from what anyone may read.
            if let (Request::Blocks(height), Some(reader)) = (request, &self.nodes[asked].reader) {
                let page = match serve::blocks_page(reader, *height) {
                    Ok(page) => page,
                    Err(error) => {
                        self.stop(asked, &error.to_string());
                        continue;
                    }
                };
                self.perform(asked, Action::Answer { channel, response: page }, late_ms);
            } else {
                self.send(node, asked, late_ms, || Event::Request { channel, request: request.clone() });
            }
        }
    }

    fn answer(&mut self, channel: ChannelId, response: &Response, late_ms: u64) {
        let Some(Question { asker, life, id, asked }) = self.questions.remove(&channel) else { return };
        if self.nodes[asker].life != life {
            return;
        }
        let from = self.nodes[asked].key;
        let Ok(response) = Response::read(&response.to_canonical(), &self.world.chain) else {
            assert!(self.wicked.contains_key(&asked), "node {asked} answers what nobody can read");
            return;
        };
        for delay_ms in self.links.fate(asked, asker, &mut self.random, &mut self.hits) {
            let (sent, response) = (Some((asked, self.numbered)), Some(response.clone()));
            self.put(late_ms + delay_ms, asker, Some(life), sent, Event::Response { id, from, response });
        }
    }

    fn schedule(&mut self, node: usize, timer: Timer, delay_ms: u64) {
        let life = self.nodes[node].life;
        let truly_ms = self.nodes[node].truly_ms(delay_ms);
        if truly_ms != delay_ms {
            self.hits.count(Fault::ClockDrift);
        }
        self.put(truly_ms, node, Some(life), None, Event::TimerFired(timer));
    }

    fn conclude(&mut self, node: usize, id: SubmissionId, outcome: Outcome) {
        if let (Outcome::Final(position), false) = (&outcome, self.wicked.contains_key(&node)) {
            let reader = self.nodes[node].reader.as_ref().expect("a node that speaks runs");
            self.witness.acknowledged(node, reader.tip().header.height, id, *position);
        }
        self.outcomes.insert(id, outcome);
    }
}
