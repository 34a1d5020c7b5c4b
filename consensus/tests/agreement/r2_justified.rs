//! R2: which proposals count.

use tanba_consensus::{Proposal, SignedProposal};
use tanba_crypto::{SignatureError, Verify};
use tanba_ledger::{View, certificate::Electorate};

use crate::support::*;

fn verify(proposal: Proposal, signer: usize) -> Result<(), SignatureError> {
    let validators = set(4);
    let electorate = Electorate { chain: &CHAIN, height: HEIGHT, validators: &validators };
    SignedProposal::sign(proposal, &CHAIN, &key(signer)).verify(electorate)
}

const FRESH: Proposal = Proposal {
    slot: tanba_ledger::Slot { height: HEIGHT, view: View(2) },
    block: BLOCK,
    parent_view: View::NONE,
};
const BLOCK: tanba_ledger::BlockHash = tanba_ledger::BlockHash(tanba_crypto::Hash([65; 32]));

#[test]
fn only_the_leader_of_the_slot_proposes() {
    assert_eq!(verify(FRESH, 1), Ok(()));
    assert!(verify(FRESH, 0).is_err());
    let elsewhere = tanba_ledger::Slot { height: HEIGHT.next(), view: View(1) };
    assert!(verify(Proposal { slot: elsewhere, ..FRESH }, 1).is_err(), "another height's proposal");
}

#[test]
fn a_proposal_builds_on_an_earlier_view() {
    assert!(verify(Proposal { parent_view: View(2), ..FRESH }, 1).is_err());
    let nowhere = tanba_ledger::Slot { height: HEIGHT, view: View::NONE };
    assert!(verify(Proposal { slot: nowhere, ..FRESH }, 3).is_err());
}

#[test]
fn the_parent_view_and_the_block_are_signed() {
    let signed = SignedProposal::sign(FRESH, &CHAIN, &key(1));
    let validators = set(4);
    let electorate = Electorate { chain: &CHAIN, height: HEIGHT, validators: &validators };
    for proposal in [Proposal { parent_view: View(1), ..FRESH }, Proposal { block: block('B'), ..FRESH }] {
        assert!(SignedProposal { proposal, ..signed }.verify(electorate).is_err());
    }
}

#[test]
fn a_proposal_on_a_view_that_is_not_notarized_here_does_not_count() {
    check(&["nullification @1", "propose A @2 on 1"], &["enter 2"]);
}

#[test]
fn a_proposal_counts_once_its_notarization_arrives() {
    check(
        &["nullification @1", "propose A @2 on 1", "notarization A @1"],
        &["enter 2", "finalize A @1", "notarize A @2"],
    );
}

#[test]
fn another_block_than_the_notarized_one_does_not_count() {
    check(&["notarization A @1", "propose B @2 on 1"], &["enter 2", "finalize A @1"]);
}

#[test]
fn a_fresh_block_without_the_nullifications_between_does_not_count() {
    // We build on view 1; the leader claims that nothing was notarized.
    check(&["notarization A @1", "propose B @2"], &["enter 2", "finalize A @1"]);
}

#[test]
fn missing_nullifications_are_pulled_from_the_leader() {
    check_with(
        &["pull"],
        &["notarization A @1", "propose B @2"],
        &["enter 2", "finalize A @1", "pull 1 @1..1"],
    );
}

/// Two camps met in other systems and locked each other out: those who hold the notarization of a view, and
/// those who hold its nullification.
#[test]
fn whoever_holds_the_notarization_accepts_a_leader_with_the_nullification() {
    check(
        &["notarization A @1", "propose B @2", "answer nullification @1"],
        &["enter 2", "finalize A @1", "notarize B @2"],
    );
}

#[test]
fn whoever_holds_the_nullification_accepts_a_leader_with_the_notarization() {
    check(
        &["nullification @1", "notarization A @1", "propose A @2 on 1"],
        &["enter 2", "finalize A @1", "notarize A @2"],
    );
}

#[test]
fn every_view_between_must_be_nullified() {
    let skipping = ["notarization A @1", "nullification @2", "answer notarization B @3", "propose A @4 on 1"];
    check_as(
        0,
        &skipping,
        &["pull"],
        &["enter 2", "finalize A @1", "enter 3", "enter 4", "finalize B @3", "pull 3 @3..3"],
    );
}
