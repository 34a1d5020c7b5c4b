//! What must hold at every step, whatever goes wrong: seen from outside, with no help of the code under test.
//!
//! * **Agreement**: one block at each height, and on every node the state whose root it names.
//! * **Time** rises from block to block, and never runs further ahead of the clocks than the live test lets it.
//! * **Nothing acknowledged is lost**: what a node called final is in its store for ever, at the same place.
//! * **No honest key contradicts itself**: not in any slot, whatever the node lived through.
//! * **Promises come first**: a signature and what it rests on are on disk when it is sent.
//! * **Nobody is made to say anything**: what honest members sign in a certificate, they said.
//! * **Certificates** hold exactly q different members of their height's set, each with a signature that holds.
//! * **No journal is lost by itself**: whoever's memory nobody touched is never silent for lost promises.
//! * **Nobody is convicted wrongly**: evidence of two signatures names only keys that may contradict themselves.
//! * **The law's core**: every diploma that became final was approved by two officers, and none is issued twice.

mod expected;

use std::collections::{BTreeMap, BTreeSet};

use tanba_consensus::{Utterance, message::SignedProposal, promise::Record};
use tanba_crypto::{Canonical, PublicKey};
use tanba_ledger::{
    Approval, Bin, Block, BlockHash, Certificate, ChainId, Fingerprint, Header, Height, Operation,
    SignedVote, Slot, Timestamp, Transaction, TransactionId, ValidatorSet, View, Vote,
    limits::CLOCK_AHEAD_MS_MAX,
};
use tanba_node::{
    handle::{NodeStatus, Voting},
    message::{Message, Response},
    replica::{action::Action, event::SubmissionId},
};
use tanba_storage::{Position, StoreError, StoreReader};

use self::expected::Expected;
pub use self::expected::{DISK_IS_FULL, Owed, SYNC_FAILED, is_damage};
use super::node::Node;
use crate::model;

/// A promise is looked for in so many last bytes of its journal.
const JOURNAL_TAIL_BYTES: usize = 1 << 20;

/// How journal records of three kinds begin; pinned by the vectors of the journal's format.
const CERTIFICATE: u8 = 2;
const LEADER_PROPOSAL: u8 = 3;
const OWN_PROPOSAL: u8 = 4;

fn beginning(kind: u8, vote: &Vote) -> Vec<u8> {
    [vec![kind], vote.to_canonical()].concat()
}

/// Which of the things a key says once in a slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    Proposal,
    Notarize,
    /// `Nullify` and `Finalize` exclude each other.
    Verdict,
}

impl Kind {
    const fn of(vote: &Vote) -> Kind {
        match vote {
            Vote::Notarize(..) => Kind::Notarize,
            Vote::Nullify(_) | Vote::Finalize(..) => Kind::Verdict,
        }
    }
}

/// The witness of one run.
#[derive(Debug)]
pub struct Witness {
    chain: ChainId,
    validators: ValidatorSet,
    history: BTreeMap<Height, (BlockHash, Header)>,
    issued: BTreeMap<(Bin, Fingerprint), Height>,
    said: BTreeMap<(PublicKey, Slot, Kind), Vec<u8>>,
    submitted: BTreeMap<SubmissionId, TransactionId>,
    acknowledged: BTreeMap<TransactionId, Position>,
    expected: BTreeMap<usize, Expected>,
    checked_to: BTreeMap<usize, Height>,
    /// The highest block that each node ever had, whatever became of its store.
    once_at: BTreeMap<usize, Height>,
    /// The latest time that the clock of any validator showed that keeps to the protocol, and to the time.
    latest_clock: Timestamp,
    /// Keys that may contradict themselves: more than one process, or none with a memory, used them.
    pub faithless: BTreeSet<PublicKey>,
}

impl Witness {
    /// Of a network of these validators.
    pub fn new(chain: ChainId, validators: ValidatorSet) -> Witness {
        Witness {
            chain,
            validators,
            history: BTreeMap::new(),
            issued: BTreeMap::new(),
            said: BTreeMap::new(),
            submitted: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            expected: BTreeMap::new(),
            checked_to: BTreeMap::new(),
            once_at: BTreeMap::new(),
            latest_clock: Timestamp::default(),
            faithless: BTreeSet::new(),
        }
    }

    /// Blocks that became final.
    pub fn blocks(&self) -> usize {
        self.history.len()
    }

    /// Transactions that a node called final.
    pub fn acknowledged_count(&self) -> usize {
        self.acknowledged.len()
    }

    /// The highest block that an honest node committed.
    pub fn highest(&self) -> (Height, BlockHash) {
        let last = self.history.last_key_value();
        last.map_or((Height::GENESIS, BlockHash(self.chain.0)), |(height, (hash, _))| (*height, *hash))
    }

    /// A client handed something in.
    pub fn submitted(&mut self, id: SubmissionId, transaction: TransactionId) {
        self.submitted.insert(id, transaction);
    }

    /// A validator that is not to be taken for one of the f looks at its clock.
    pub fn clock_shows(&mut self, now: Timestamp) {
        self.latest_clock = now.max(self.latest_clock);
    }

    /// Bytes of the node's store were changed: it may find that, until it has another store.
    pub fn expect_damage(&mut self, node: usize) {
        self.expected.entry(node).or_default().owed.damage = true;
    }

    /// The node's disk lies about what is durable: also from the middle of its store something may be missing.
    pub fn expect_gaps(&mut self, node: usize) {
        self.expected.entry(node).or_default().gaps = true;
    }

    /// What the node's store owes now.
    pub fn owed(&self, node: usize) -> Owed {
        self.expected.get(&node).map(|expected| expected.owed.clone()).unwrap_or_default()
    }

    /// The node has another store, which owes this: what it owed when it was copied, or nothing if it is new.
    pub fn store_replaced(&mut self, node: usize, owed: Owed) {
        self.expected.entry(node).or_default().owed = owed;
        self.checked_to.remove(&node);
    }

    /// From now on (or no more) the node may be stopped by its disk.
    pub fn expect_disk_errors(&mut self, node: usize, expected: bool) {
        self.expected.entry(node).or_default().disk_errors = expected;
    }

    /// From now on the node may find promises missing, or its key in use elsewhere.
    pub fn expect_lost_promises(&mut self, node: usize) {
        self.expected.entry(node).or_default().lost_promises = true;
    }

    /// Whether damage may be found.
    pub fn may_be_damaged(&self, node: usize) -> bool {
        self.expected.get(&node).is_some_and(Expected::may_be_damaged)
    }

    /// Whether a stop with this message was our doing.
    pub fn may_stop(&self, node: usize, why: &str) -> bool {
        self.expected.get(&node).is_some_and(|expected| expected.may_stop(why))
    }

    /// A node has begun a life: what it had acknowledged is there. What was above its head is looked at anew.
    pub fn started(&mut self, node: usize, opened: &Node) {
        let reader = opened.reader.as_ref().expect("a node that started has a store");
        if let Some(checked) = self.checked_to.get_mut(&node) {
            *checked = reader.tip().header.height.min(*checked);
        }
        if let Some(expected) = self.expected.get(&node) {
            expected.check_store(node, reader);
        }
    }

    /// A node calls a transaction final.
    pub fn acknowledged(&mut self, node: usize, head: Height, id: SubmissionId, position: Position) {
        let transaction = *self.submitted.get(&id).expect("only what was submitted is concluded");
        let known = *self.acknowledged.entry(transaction).or_insert(position);
        assert_eq!(known, position, "node {node} acknowledges a transaction at another place");
        self.expected.entry(node).or_default().acknowledge(head, transaction, position);
    }

    /// Everything acknowledged by anyone is in this store, as far as it is high enough.
    pub fn check_acknowledged(&self, node: usize, reader: &impl StoreReader) {
        let head = reader.tip().header.height;
        let nothing = Expected::default();
        let expected = self.expected.get(&node).unwrap_or(&nothing);
        for (transaction, position) in self.acknowledged.iter().filter(|(_, at)| at.height <= head) {
            expected.check_position(node, reader, transaction, *position);
        }
    }

    /// A node counts its promises as lost only where we took some.
    pub fn check_voice(&self, node: usize, voting: &Voting) {
        let silenced = matches!(voting, Voting::Retired | Voting::AbstainingThrough(_));
        let lost = self.expected.get(&node).is_some_and(|expected| expected.lost_promises);
        assert!(lost || !silenced, "node {node} is {voting:?}, and nobody touched its journal");
    }

    /// A node has evidence against these.
    pub fn check_convicted(&self, node: usize, offenders: &BTreeSet<PublicKey>) {
        let wronged = offenders.iter().find(|key| !self.faithless.contains(key));
        assert_eq!(wronged, None, "node {node} has evidence against an honest key");
    }

    /// A node's store had this head, if only in the step in which it died.
    pub fn was_at(&mut self, node: usize, head: Height) {
        let once_at = self.once_at.entry(node).or_default();
        *once_at = head.max(*once_at);
    }

    /// A node is at a height: everything below it is what everyone has.
    pub fn reached(&mut self, node: usize, sayer: &Node, status: &NodeStatus) {
        let reader = sayer.reader.as_ref().expect("a node that speaks runs");
        let checked = self.checked_to.get(&node).copied().unwrap_or(Height::GENESIS);
        let mut height = checked.next();
        while height <= status.height {
            let certified = match reader.block(height) {
                Ok(certified) => certified.expect("a store holds the blocks below its head"),
                Err(error) => {
                    // A rotten block is found by its node when it matters. The store answers nothing more in this
                    // life; the next is judged by the blocks above.
                    assert!(self.may_be_damaged(node), "node {node} cannot read block {height}: {error}");
                    if !matches!(error, StoreError::Stopped(_)) {
                        self.checked_to.insert(node, height);
                    }
                    return;
                }
            };
            let hash = certified.block.hash();
            let finalization = certified.finalization.expect("only genesis has none");
            if let Some((known, _)) = self.history.get(&height) {
                assert_eq!(*known, hash, "two nodes disagree at height {height}: node {node} has {hash}");
            } else {
                self.history.insert(height, (hash, certified.block.header.clone()));
                self.check_block(&certified.block);
            }
            assert_eq!(
                finalization.vote.block(),
                Some(hash),
                "the finalization at {height} is of another block"
            );
            self.check_certificate(&finalization, sayer);
            height = height.next();
        }
        let tip = reader.tip();
        if let Some((hash, header)) = self.history.get(&tip.header.height) {
            assert_eq!(tip.hash, *hash, "node {node} stands on another block than everyone");
            let state = tip.roots.root();
            assert_eq!(
                state, header.state,
                "node {node} has another state than its block {} names",
                header.height
            );
        }
        if status.height >= checked {
            self.checked_to.insert(node, status.height);
            self.was_at(node, status.height);
        }
    }

    fn check_certificates<'a>(&mut self, list: impl IntoIterator<Item = &'a Certificate>, sayer: &Node) {
        for certificate in list {
            self.check_certificate(certificate, sayer);
        }
    }

    /// Counts signers by hand: exactly a quorum, all different, all members, every signature good.
    fn check_certificate(&mut self, certificate: &Certificate, sayer: &Node) {
        let members = self.validators.len();
        let tolerated = (members - 1) / 3;
        let mut signers = BTreeSet::new();
        for signed in certificate.votes() {
            let member = self.validators.get(signed.voter).expect("a signer is a member of the set");
            let message = certificate.vote.signing_bytes(&self.chain);
            let checked = member.key.verify(&message, &signed.signature);
            assert_eq!(checked, Ok(()), "a certificate holds a signature that does not verify");
            let (key, said) = (member.key, certificate.vote.to_canonical());
            let place = (key, certificate.slot(), Kind::of(&certificate.vote));
            // What was promised and not sent before the process ended is said with the next life's first word.
            let promised = |node: &Node| {
                let record = Record::OwnVote(signed).to_canonical();
                node.validator_key == key && node.disk.journal_ends_with(&record, JOURNAL_TAIL_BYTES)
            };
            if !self.said.contains_key(&place) && promised(sayer) {
                self.said.insert(place, said.clone());
            }
            assert!(
                self.faithless.contains(&key) || self.said.get(&place) == Some(&said),
                "member {} never said {:?}, and is quoted with it",
                signed.voter.0,
                certificate.vote
            );
            signers.insert(member.key);
        }
        let needed = members - tolerated;
        assert_eq!(signers.len(), needed, "a certificate of {} different signers", signers.len());
        assert_eq!(certificate.signatures.len(), needed, "a certificate of {needed} signatures");
    }

    /// The first sight of a final block.
    fn check_block(&mut self, block: &Block) {
        let height = block.header.height;
        let parent = height.previous().and_then(|below| self.history.get(&below));
        let mut latest = self.latest_clock.saturating_add_ms(CLOCK_AHEAD_MS_MAX);
        if let Some((hash, parent)) = parent {
            assert_eq!(block.header.parent, *hash, "block {height} does not extend the one below");
            assert!(block.header.time > parent.time, "block {height} is not later than the one below");
            latest = latest.max(parent.time.saturating_add_ms(1));
        }
        let time = block.header.time;
        assert!(
            time <= latest,
            "block {height} is of {time:?}, later than {latest:?}, which no clock justifies"
        );
        for transaction in &block.transactions {
            self.check_issue(height, transaction);
        }
    }

    fn check_issue(&mut self, height: Height, transaction: &Transaction) {
        let Operation::Issue(issue) = &transaction.body.operation else { return };
        let officers: BTreeSet<PublicKey> = transaction
            .approvals
            .iter()
            .filter(|approval| matches!(approval, Approval::Officer(_)))
            .map(|approval| *approval.key())
            .collect();
        assert!(
            officers.len() >= 2,
            "a final mint at {height} was approved by {} officer(s)",
            officers.len()
        );
        for entry in &issue.entries {
            let token = (transaction.body.institution, entry.fingerprint);
            let before = self.issued.insert(token, height);
            assert_eq!(before, None, "a diploma was issued twice, the second time at height {height}");
        }
    }

    /// An honest node wants something said.
    pub fn says(&mut self, number: usize, node: &Node, action: &Action) {
        match action {
            Action::Send { message, .. } | Action::Broadcast(message) => match &**message {
                Message::Vote(signed) => self.voted(number, node, signed),
                Message::Proposal(message) => {
                    self.proposed(number, node, &message.proposal);
                    self.check_certificates(&message.notarization, node);
                }
                Message::Standing(standing) => {
                    for signed in &standing.votes {
                        self.voted(number, node, signed);
                    }
                    if let Some(signed) = &standing.proposal {
                        self.proposed(number, node, signed);
                    }
                    self.check_certificates(&standing.justification, node);
                }
                Message::Certificate(certificate) => self.check_certificate(certificate, node),
                Message::Justification(list) => self.check_certificates(list, node),
                Message::Transactions(_) | Message::Head(_) | Message::Wanted(_) => {}
            },
            Action::Answer { response: Response::Blocks(blocks), .. } => {
                for certified in blocks {
                    self.check_certificate(&certified.finalization, node);
                    let (height, hash) = (certified.block.header.height, certified.block.hash());
                    let known = self.history.get(&height);
                    assert!(
                        known.is_none_or(|(known, _)| *known == hash),
                        "node {number} serves a wrong block"
                    );
                }
            }
            Action::Answer { response: Response::Memory(answer), .. } => {
                self.check_certificates(&answer.decided, node);
            }
            _ => {}
        }
    }

    /// A node shows a vote. Its own is on disk, whether it is said for the first time or once more.
    fn voted(&mut self, number: usize, node: &Node, signed: &SignedVote) {
        let own = node.validator_key;
        let member = self.validators.get(signed.voter).expect("an honest node names a member");
        if member.key == own {
            self.promised(number, node, &Record::OwnVote(*signed));
            let kind = Kind::of(&signed.vote);
            self.say_once(number, own, signed.vote.slot(), kind, signed.vote.to_canonical());
        }
    }

    /// A node shows a proposal: its own, or the leader's that it repeats.
    fn proposed(&mut self, number: usize, node: &Node, signed: &SignedProposal) {
        let (own, slot) = (node.validator_key, signed.proposal.slot);
        if self.validators.index_of(&own) == Some(self.validators.leader(slot.height, slot.view)) {
            self.promised(number, node, &Record::OwnProposal(*signed));
            self.say_once(number, own, slot, Kind::Proposal, signed.proposal.to_canonical());
        }
    }

    fn promised(&self, number: usize, node: &Node, record: &Record) {
        if self.faithless.contains(&node.validator_key) {
            return;
        }
        let there = node.disk.journal_ends_with(&record.to_canonical(), JOURNAL_TAIL_BYTES);
        assert!(there, "node {number} sends what is not in its journal: {record:?}");
        let (said, block) = match record {
            Record::OwnVote(signed) => (Utterance::Vote(signed.vote), signed.vote.block()),
            Record::OwnProposal(signed) => {
                let fresh = signed.proposal.is_fresh().then_some(signed.proposal.block);
                (Utterance::Proposal(signed.proposal), fresh)
            }
            other => unreachable!("nobody says {other:?}"),
        };
        if let Some(block) = block {
            // Once its height is committed, be it in this very step, no vote binds any more and the store has what it
            // needs; what was done to that since is no fault of the node's.
            let height = said.slot().height;
            let committed_once = self.once_at.get(&number).is_some_and(|at| *at >= height);
            let there = committed_once
                || node.head() >= Some(height)
                || node.disk.journal_bodies(&self.chain).contains(&block);
            assert!(there, "node {number} says {said:?}, and has not kept the block's body");
        }
        if said.slot().view > View::FIRST {
            let records = node.disk.journal_records(&self.chain);
            let journal: Result<Vec<Record>, _> = records.iter().map(|bytes| Record::read(bytes)).collect();
            let journal = journal.expect("a journal that was just written is read");
            let founded = model::founded::utterance(number, &said, &journal);
            assert!(founded.is_ok(), "node {number} says {said:?} without grounds: {founded:?}");
        }
        let Record::OwnVote(SignedVote { vote, .. }) = record else { return };
        // What it rests on begins with these bytes, whatever signatures follow.
        let grounds: Vec<Vec<u8>> = match vote {
            Vote::Finalize(slot, block) => vec![beginning(CERTIFICATE, &Vote::Notarize(*slot, *block))],
            Vote::Notarize(slot, block) => {
                let proposal = [slot.to_canonical(), block.to_canonical()].concat();
                [LEADER_PROPOSAL, OWN_PROPOSAL].map(|kind| [vec![kind], proposal.clone()].concat()).into()
            }
            Vote::Nullify(_) => return,
        };
        let there = grounds.iter().any(|ground| node.disk.journal_ends_with(ground, JOURNAL_TAIL_BYTES));
        assert!(there, "node {number} says {vote:?}, and what that rests on is not in its journal");
    }

    fn say_once(&mut self, number: usize, key: PublicKey, slot: Slot, kind: Kind, what: Vec<u8>) {
        if self.faithless.contains(&key) {
            return;
        }
        let known = self.said.entry((key, slot, kind)).or_insert_with(|| what.clone());
        assert_eq!(*known, what, "node {number} says two things ({kind:?}) in {slot:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::node::world;

    #[test]
    fn whoever_lost_promises_may_stop_for_that_and_for_nothing_else() {
        let world = world(4);
        let mut witness = Witness::new(world.chain, world.tip.validators.clone());
        let twin = "another process votes with this validator's key (seen at height 3)";
        assert!(!witness.may_stop(1, twin));
        witness.expect_lost_promises(1);
        assert!(witness.may_stop(1, twin));
        assert!(!witness.may_stop(1, "this node diverged: block 0 at height 3"));
        assert!(!witness.may_stop(2, twin));
    }
}
