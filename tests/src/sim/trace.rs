//! A run as text: what happened to whom, when, and what was done about it. Only the last lines are kept.

use std::collections::VecDeque;

use tanba_consensus::message::Standing;
use tanba_ledger::{Certificate, CertificateKind, Slot, Vote};
use tanba_node::{
    message::{CheckedResponse, Message, Request, Response},
    replica::{action::Action, event::Event},
};

/// Lines that are kept; a run of a minute has some ten thousand.
const LINES_MAX: usize = 200_000;

/// A trace that is written, or not.
#[derive(Clone, Debug, Default)]
pub struct Trace(Option<VecDeque<String>>);

impl Trace {
    /// Nothing is written down.
    pub const fn silent() -> Trace {
        Trace(None)
    }

    /// Everything is.
    pub fn written() -> Trace {
        Trace(Some(VecDeque::new()))
    }

    /// The lines, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flatten().map(String::as_str)
    }

    /// Notes what happens at a moment, in milliseconds.
    pub fn note(&mut self, at_ms: u64, what: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.0 {
            if lines.len() == LINES_MAX {
                lines.pop_front();
            }
            lines.push_back(format!("{:>4}.{:03} s  {}", at_ms / 1_000, at_ms % 1_000, what()));
        }
    }

    /// Notes what happens to a node.
    pub fn event(&mut self, at_ms: u64, node: usize, event: &Event) {
        self.note(at_ms, || format!("  node {node} <- {}", of_event(event)));
    }

    /// Notes what a node wants done.
    pub fn action(&mut self, at_ms: u64, node: usize, action: &Action) {
        if let Some(what) = of_action(action) {
            self.note(at_ms, || format!("  node {node} -> {what}"));
        }
    }
}

fn of_event(event: &Event) -> String {
    match event {
        Event::Started => "started".into(),
        Event::Connected(_) => "a peer is there".into(),
        Event::Disconnected(_) => "a peer is gone".into(),
        Event::Message { message, .. } => of_message(message),
        Event::Request { request, .. } => of_request(request),
        Event::Response { response: None, .. } => "no answer".into(),
        Event::Response { response: Some(response), .. } => match response {
            CheckedResponse::Blocks(list) => format!("{} blocks", list.len()),
            CheckedResponse::Body(body) => format!("body: {}", body.is_some()),
            CheckedResponse::Transactions(list) => format!("{} transactions", list.len()),
            CheckedResponse::Memory(answer) => format!("memory: {} votes of mine", answer.votes.len()),
        },
        Event::Transaction { transaction, .. } => format!("transaction {}", short(&transaction.id().0)),
        Event::Announced { announcement, .. } => format!("announced: height {}", announcement.height),
        Event::Submitted { transaction, .. } => format!("a client submits {}", short(&transaction.id().0)),
        Event::TimerFired(timer) => format!("{timer:?}"),
    }
}

fn of_action(action: &Action) -> Option<String> {
    Some(match action {
        Action::Send { message, .. } => format!("to one: {}", of_message(message)),
        Action::Broadcast(message) => format!("to all: {}", of_message(message)),
        Action::Announce(announcement) => format!("announces height {}", announcement.height),
        Action::Gossip(transaction) => format!("gossips {}", short(&transaction.id().0)),
        Action::Request { request, .. } => format!("asks: {}", of_request(request)),
        Action::Answer { response, .. } => match response {
            Response::Blocks(list) => format!("answers {} blocks", list.len()),
            Response::Body(body) => format!("answers body: {}", body.is_some()),
            Response::Transactions(list) => format!("answers {} transactions", list.len()),
            Response::Memory(answer) => format!("remembers {} votes", answer.votes.len()),
        },
        Action::Concluded { outcome, .. } => format!("tells a client {outcome:?}"),
        Action::Admitted { result: Err(refusal), .. } => format!("refuses a client: {}", refusal.code),
        Action::Committed { height, transactions, .. } => format!("COMMITS {height} ({transactions})"),
        Action::Status(status) => format!("is at {} {:?}", status.height, status.voting),
        Action::Schedule { .. }
        | Action::Judge { .. }
        | Action::AdmitPeers(_)
        | Action::Admitted { result: Ok(_), .. } => return None,
    })
}

/// One message, in a few words.
pub fn of_message(message: &Message) -> String {
    match message {
        Message::Proposal(message) => {
            let proposal = &message.proposal.proposal;
            let on = proposal.parent_view.0;
            format!("proposal {} {} on view {on}", of_slot(proposal.slot), short(&proposal.block.0))
        }
        Message::Vote(signed) => format!("{} by {}", of_vote(&signed.vote), signed.voter.0),
        Message::Certificate(certificate) => of_certificate(certificate),
        Message::Justification(list) => list.iter().map(of_certificate).collect::<Vec<_>>().join(", "),
        Message::Transactions(list) => format!("{} transactions", list.len()),
        Message::Head(head) => format!("head {head}"),
        Message::Standing(standing) => of_standing(standing),
        Message::Wanted(wanted) => format!("wants {} to {}", of_slot(wanted.first), wanted.last.0),
    }
}

fn of_standing(standing: &Standing) -> String {
    let votes: Vec<String> = standing.votes.iter().map(|signed| of_vote(&signed.vote)).collect();
    let grounds: Vec<String> = standing.justification.iter().map(of_certificate).collect();
    format!("stands at {}: {}; by {}", of_slot(standing.slot), votes.join(", "), grounds.join(", "))
}

fn of_request(request: &Request) -> String {
    match request {
        Request::Blocks(from) => format!("blocks from {from}"),
        Request::Body(block) => format!("body {}", short(&block.0)),
        Request::Transactions(block, names) => format!("{} transactions of {}", names.len(), short(&block.0)),
        Request::Memory(inquiry) => format!("what do you remember of me above {}", inquiry.above),
    }
}

fn of_certificate(certificate: &Certificate) -> String {
    let kind = match certificate.kind() {
        CertificateKind::Notarization => "notarization",
        CertificateKind::Nullification => "nullification",
        CertificateKind::Finalization => "finalization",
    };
    let block = certificate.vote.block().map(|block| format!(" {}", short(&block.0))).unwrap_or_default();
    format!("{kind} {}{block}", of_slot(certificate.slot()))
}

fn of_vote(vote: &Vote) -> String {
    let slot = of_slot(vote.slot());
    match vote {
        Vote::Notarize(_, block) => format!("notarize {slot} {}", short(&block.0)),
        Vote::Nullify(_) => format!("nullify {slot}"),
        Vote::Finalize(_, block) => format!("finalize {slot} {}", short(&block.0)),
    }
}

fn of_slot(slot: Slot) -> String {
    format!("{}/{}", slot.height, slot.view.0)
}

fn short(hash: &tanba_crypto::Hash) -> String {
    hash.to_string()[..8].to_owned()
}
