//! Golden vectors: the bytes of what nodes say to one another, pinned in `tests/vectors/node-messages.json` at the
//! root of the workspace. What the messages carry (votes, certificates, standings) has vectors of its own.
//!
//! A format that changes on purpose changes its version with it, and then:
//! `TANBA_WRITE_VECTORS=1 cargo test -p tanba-node --test vectors` writes the file anew. Read the diff.

#[path = "../../tests/vectors/golden.rs"]
mod golden;

use golden::Vectors;
use tanba_consensus::{Proposal, SignedProposal, Wanted, recovery::Inquiry};
use tanba_crypto::Hash;
use tanba_ledger::{
    Certificate, Height, SignedVote, Slot, ValidatorIndex, View, Vote,
    testkit::{World, keys},
};
use tanba_node::message::{
    Announcement, CertifiedBlock, Message, Outline, ProposalMessage, Request, Response,
};

#[test]
fn messages_between_nodes_are_pinned() {
    let mut world = World::new();
    let validators = world.tip.validators.clone();
    let transaction = world.issue(0, 0, 20);
    let block = world.block(std::slice::from_ref(&transaction));
    let slot = Slot { height: Height(1), view: View(1) };
    let vote = |kind: Vote, voter: u16| {
        SignedVote::sign(kind, ValidatorIndex(voter), &world.chain, &keys(usize::from(voter)).validator)
    };
    let certificate =
        |kind: Vote| Certificate::assemble(kind, &[0, 1, 2].map(|voter| vote(kind, voter)), &validators);
    let leader = usize::from(validators.leader(slot.height, slot.view).0);
    let proposal = Proposal { slot, block: block.hash(), parent_view: View::NONE };
    let message = ProposalMessage {
        proposal: SignedProposal::sign(proposal, &world.chain, &keys(leader).validator),
        notarization: None,
        outline: Some(Outline {
            header: block.header.clone(),
            transactions: block.transactions.iter().map(|transaction| transaction.bytes_hash()).collect(),
        }),
    };
    let notarize = Vote::Notarize(slot, block.hash());
    let finalization = certificate(Vote::Finalize(slot, block.hash()));
    let wanted = Wanted { first: slot, last: View(3) };
    let inquiry = Inquiry { key: keys(1).validator.public(), above: Height(7) };
    let name = Hash::plain(b"transaction");
    let certified = CertifiedBlock { block: block.clone(), finalization };

    let mut vectors = Vectors::of("node-messages.json");
    vectors.value("message: proposal", &Message::Proposal(Box::new(message)), &[]);
    vectors.value("message: vote", &Message::Vote(vote(notarize, 0)), &[]);
    vectors.value("message: certificate", &Message::Certificate(certificate(notarize)), &[]);
    vectors.value(
        "message: justification",
        &Message::Justification(vec![certificate(Vote::Nullify(slot))]),
        &[],
    );
    vectors.value("message: transactions", &Message::Transactions(vec![transaction.into_inner()]), &[]);
    vectors.value("message: head", &Message::Head(Height(7)), &[]);
    vectors.value("message: wanted", &Message::Wanted(wanted), &[]);
    vectors.value("request: blocks", &Request::Blocks(Height(7)), &[]);
    vectors.value("request: body", &Request::Body(block.hash()), &[]);
    vectors.value("request: transactions", &Request::Transactions(block.hash(), vec![name]), &[]);
    vectors.value("request: memory", &Request::Memory(inquiry), &[]);
    vectors.value("response: blocks", &Response::Blocks(vec![certified]), &[]);
    vectors.value("response: body", &Response::Body(Some(block.clone())), &[]);
    vectors.value("response: no body", &Response::Body(None), &[]);
    vectors.value("response: transactions", &Response::Transactions(block.transactions.clone()), &[]);
    vectors.value("announcement", &Announcement { height: Height(1), block: block.hash() }, &[]);
    vectors.check();
}
