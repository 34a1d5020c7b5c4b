//! Golden vectors: the bytes of what validators say, ask and keep, pinned in `tests/vectors/consensus.json` at the
//! root of the workspace. Votes and certificates are the ledger's: `ledger-votes.json`.
//!
//! Everything is made from the test kit's world, whose keys are the SHA-256 of their seeds: height 1, where
//! validator 3 leads view 2 and validator 0 leads view 3.
//!
//! A format that changes on purpose changes its version with it, and then:
//! `TANBA_WRITE_VECTORS=1 cargo test -p tanba-consensus --test vectors` writes the file anew. Read the diff.

#[path = "../../tests/vectors/golden.rs"]
mod golden;

use golden::Vectors;
use tanba_consensus::{
    Evidence, GuardReset, Proposal, Record, SignedProposal, Standing, Wanted,
    recovery::{Answer, Inquiry},
};
use tanba_crypto::{Hash, Verify};
use tanba_ledger::{
    BlockHash, Certificate, ChainId, Height, SignedVote, Slot, ValidatorIndex, ValidatorSet, View, Vote,
    certificate::Electorate,
    testkit::{World, keys, records},
};

const HEIGHT: Height = Height(1);

/// What the vectors speak of, at height 1 of the test kit's chain.
struct Height1 {
    chain: ChainId,
    set: ValidatorSet,
    block: BlockHash,
}

impl Height1 {
    fn new() -> Height1 {
        let block = BlockHash(Hash::plain(b"block"));
        Height1 { chain: World::new().chain, set: records().validators, block }
    }

    fn slot(&self, view: u32) -> Slot {
        Slot { height: HEIGHT, view: View(view) }
    }

    fn vote(&self, vote: Vote, voter: u16) -> SignedVote {
        SignedVote::sign(vote, ValidatorIndex(voter), &self.chain, &keys(usize::from(voter)).validator)
    }

    /// By validators 0, 2 and 3.
    fn certificate(&self, vote: Vote) -> Certificate {
        Certificate::assemble(vote, &[0, 2, 3].map(|voter| self.vote(vote, voter)), &self.set)
    }

    /// By the slot's leader.
    fn proposal(&self, view: u32, parent_view: u32, block: BlockHash) -> SignedProposal {
        let leader = self.set.leader(HEIGHT, View(view)).0;
        let proposal = Proposal { slot: self.slot(view), block, parent_view: View(parent_view) };
        let signed = SignedProposal::sign(proposal, &self.chain, &keys(usize::from(leader)).validator);
        let electorate = Electorate { chain: &self.chain, height: HEIGHT, validators: &self.set };
        assert_eq!(signed.verify(electorate), Ok(()));
        signed
    }

    fn standing(&self) -> Standing {
        Standing {
            slot: self.slot(3),
            proposal: Some(self.proposal(3, 1, self.block)),
            votes: vec![
                self.vote(Vote::Finalize(self.slot(1), self.block), 1),
                self.vote(Vote::Notarize(self.slot(3), self.block), 1),
            ],
            justification: vec![
                self.certificate(Vote::Notarize(self.slot(1), self.block)),
                self.certificate(Vote::Nullify(self.slot(2))),
            ],
        }
    }
}

#[test]
fn what_validators_say_ask_and_keep_has_its_bytes() {
    let mut vectors = Vectors::of("consensus.json");
    let at = Height1::new();
    messages(&mut vectors, &at);
    recovery(&mut vectors, &at);
    journal(&mut vectors, &at);
    vectors.check();
}

fn messages(vectors: &mut Vectors, at: &Height1) {
    for (name, view, parent_view) in [("fresh proposal", 2, 0), ("proposal of view 1's block", 3, 1)] {
        let signed = at.proposal(view, parent_view, at.block);
        let signing_bytes = hex::encode(signed.proposal.signing_bytes(&at.chain));
        vectors.value(name, &signed.proposal, &[("signing_bytes", signing_bytes)]);
        vectors.value::<SignedProposal>(&format!("{name}, signed by the leader"), &signed, &[]);
    }
    vectors.value("standing in view 3", &at.standing(), &[]);
    let bare = Standing { slot: at.slot(1), proposal: None, votes: vec![], justification: vec![] };
    vectors.value("standing at rest", &bare, &[]);
    vectors.value("wanted: views 1 to 3", &Wanted { first: at.slot(1), last: View(3) }, &[]);
    let nullify = at.vote(Vote::Nullify(at.slot(2)), 1);
    let finalize = at.vote(Vote::Finalize(at.slot(2), at.block), 1);
    vectors.value("evidence: nullified and finalized", &Evidence::Votes(nullify, finalize), &[]);
    let (first, second) =
        (at.proposal(2, 0, at.block), at.proposal(2, 0, BlockHash(Hash::plain(b"another block"))));
    vectors.value("evidence: two proposals", &Evidence::Proposals(first, second), &[]);
}

fn recovery(vectors: &mut Vectors, at: &Height1) {
    let inquiry = Inquiry { key: keys(3).validator.public(), above: Height(0) };
    vectors.value("inquiry of validator 3", &inquiry, &[]);
    let answer = Answer {
        decided: Some(at.certificate(Vote::Finalize(at.slot(2), at.block))),
        votes: vec![at.vote(Vote::Notarize(at.slot(2), at.block), 3)],
        proposals: vec![at.proposal(2, 0, at.block)],
    };
    vectors.value("answer to validator 3", &answer, &[]);
    let nothing = Answer { decided: None, votes: vec![], proposals: vec![] };
    vectors.value("answer of a validator at genesis", &nothing, &[]);
}

fn journal(vectors: &mut Vectors, at: &Height1) {
    let key = keys(3).validator.public();
    let reset = GuardReset { key, abstain_through: Height(5) };
    vectors.value("guard reset of validator 3", &reset, &[]);
    for record in [
        Record::Owner(at.chain, key),
        Record::Certificate(at.certificate(Vote::Nullify(at.slot(1)))),
        Record::LeaderProposal(at.proposal(3, 1, at.block)),
        Record::OwnProposal(at.proposal(2, 0, at.block)),
        Record::OwnVote(at.vote(Vote::Notarize(at.slot(2), at.block), 3)),
        Record::AbstainThrough(Height(5)),
        Record::Covers(HEIGHT),
        Record::Committed(HEIGHT),
        Record::Reset(reset),
    ] {
        vectors.value(&format!("journal: {}", name_of(&record)), &record, &[]);
    }
}

/// Without a wildcard: a new kind of record asks for its vector here.
fn name_of(record: &Record) -> &'static str {
    match record {
        Record::Owner(..) => "owner",
        Record::Certificate(_) => "certificate",
        Record::LeaderProposal(_) => "leader's proposal",
        Record::OwnProposal(_) => "own proposal",
        Record::OwnVote(_) => "own vote",
        Record::AbstainThrough(_) => "abstain through",
        Record::Covers(_) => "covers",
        Record::Committed(_) => "committed",
        Record::Reset(_) => "reset",
    }
}
