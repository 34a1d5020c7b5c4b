//! Equivocation: two signatures of one key that contradict each other, and everything that does not count.

use tanba_consensus::{Evidence, Input, Proposal, evidence::contradict};
use tanba_crypto::{Canonical, Verify};
use tanba_ledger::{Slot, ValidatorIndex, View, Vote, certificate::Electorate};

use crate::support::*;

fn evidence(script: &[&str]) -> Vec<Evidence> {
    let mut bench = Bench::new(3);
    bench.play(script);
    bench.evidence
}

#[test]
fn two_notarizes_two_finalizes_and_finalize_with_nullify_convict() {
    for pair in [
        ["notarize A @1 by 0", "notarize B @1 by 0"],
        ["finalize A @1 by 0", "finalize B @1 by 0"],
        ["finalize A @1 by 0", "nullify @1 by 0"],
        ["nullify @1 by 0", "finalize A @1 by 0"],
    ] {
        let found = evidence(&pair);
        let validators = set(4);
        let electorate = Electorate { chain: &CHAIN, height: HEIGHT, validators: &validators };
        assert_eq!(found.len(), 1, "{pair:?}");
        assert_eq!(found[0].offender(electorate), ValidatorIndex(0));
        assert_eq!(found[0].verify(electorate), Ok(()), "anyone can check it");
        assert_eq!(Evidence::from_canonical(&found[0].to_canonical(), 1024), Ok(found[0]));
    }
}

#[test]
fn two_proposals_of_one_leader_convict() {
    let found = evidence(&["propose A @1", "propose B @1"]);
    let validators = set(4);
    let electorate = Electorate { chain: &CHAIN, height: HEIGHT, validators: &validators };
    assert_eq!(found[0].offender(electorate), ValidatorIndex(0));
    assert_eq!(found[0].verify(electorate), Ok(()));
    assert_eq!(Evidence::from_canonical(&found[0].to_canonical(), 1024), Ok(found[0]));
}

#[test]
fn honest_pairs_convict_nobody() {
    for pair in [
        ["notarize A @1 by 0", "notarize A @1 by 0"],
        ["notarize A @1 by 0", "nullify @1 by 0"],
        ["notarize A @1 by 0", "finalize B @1 by 0"],
        ["notarize A @1 by 0", "notarize B @2 by 0"],
        ["finalize A @1 by 0", "nullify @2 by 0"],
        ["finalize A @1 by 0", "nullify @1 by 1"],
    ] {
        assert_eq!(evidence(&pair), [], "{pair:?}");
    }
}

#[test]
fn a_second_word_is_not_counted() {
    check(&["notarize A @1 by 0 1", "notarize B @1 by 2", "notarize A @1 by 2"], &["evidence"]);
}

#[test]
fn an_offender_is_reported_once_a_height() {
    let script = [
        "notarize A @1 by 0",
        "notarize B @1 by 0",
        "notarize C @1 by 0",
        "finalize A @1 by 0",
        "nullify @1 by 0",
    ];
    assert_eq!(evidence(&script).len(), 1);
}

#[test]
fn late_votes_convict_within_the_window_and_not_beyond() {
    for (heights, convicts) in [(1, 1), (CONFIG.evidence_window, 1), (CONFIG.evidence_window + 1, 0)] {
        let mut bench = Bench::new(3);
        bench.play(&["finalize A @1 by 0", "finalization A @1"]);
        for above in 1..=heights {
            bench.start(tanba_ledger::Height(HEIGHT.0 + above));
        }
        bench.play(&["finalize B @1 by 0"]);
        assert_eq!(bench.evidence.len(), convicts, "{heights} heights later");
    }
}

#[test]
fn late_proposals_convict_too() {
    let mut bench = Bench::new(3);
    bench.play(&["propose A @1", "finalization A @1"]);
    bench.start(HEIGHT.next());
    bench.play(&["propose B @1"]);
    assert_eq!(bench.evidence.len(), 1);
}

#[test]
fn votes_far_from_the_present_view_are_not_kept() {
    let mut bench = Bench::new(3);
    bench.play(&["notarize A @66 by 0", "notarize B @66 by 0"]);
    assert_eq!(bench.evidence, [], "beyond the window nothing is kept, so nothing is compared");
    bench.play(&["notarize A @65 by 0", "notarize B @65 by 0"]);
    assert_eq!(bench.evidence.len(), 1);
}

#[test]
fn views_nobody_lived_through_are_not_kept_once_the_height_is_decided() {
    let mut bench = Bench::new(3);
    bench.play(&["finalization A @1"]);
    bench.start(HEIGHT.next());
    bench.play(&["notarize A @9 by 0", "notarize B @9 by 0"]);
    assert_eq!(bench.evidence, []);
}

#[test]
fn votes_inside_certificates_convict() {
    // Member 0 said B to us; others hold a certificate in which it said A.
    assert_eq!(evidence(&["notarize B @1 by 0", "notarization A @1"]).len(), 1);
    assert_eq!(evidence(&["nullify @1 by 0", "answer finalization A @1"]).len(), 1);
}

#[test]
fn false_evidence_is_refused() {
    let validators = set(4);
    let electorate = Electorate { chain: &CHAIN, height: HEIGHT, validators: &validators };
    let vote = |said, voter| sign(vote(said), voter);
    let forged = tanba_ledger::SignedVote { voter: ValidatorIndex(1), ..vote("notarize B @1", 0) };
    for false_pair in [
        Evidence::Votes(vote("notarize A @1", 0), vote("notarize A @1", 0)),
        Evidence::Votes(vote("notarize A @1", 0), vote("nullify @1", 0)),
        Evidence::Votes(vote("notarize A @1", 0), vote("notarize B @1", 1)),
        Evidence::Votes(vote("notarize A @1", 1), forged),
    ] {
        assert!(false_pair.verify(electorate).is_err(), "{false_pair:?}");
    }
    let fresh = |view, block| Proposal { slot: slot(view), block, parent_view: View::NONE };
    let (a, b) = (sign_proposal(fresh(1, block('A')), 4), sign_proposal(fresh(5, block('B')), 4));
    assert!(Evidence::Proposals(a, a).verify(electorate).is_err());
    assert!(Evidence::Proposals(a, b).verify(electorate).is_err(), "one leader, two views");
}

#[test]
fn contradiction_is_symmetric() {
    let at = |view| Slot { height: HEIGHT, view: View(view) };
    let votes = [1, 2].into_iter().flat_map(|view| {
        let blocks = ['A', 'B'].map(block);
        [Vote::Nullify(at(view))]
            .into_iter()
            .chain(blocks.map(|block| Vote::Notarize(at(view), block)))
            .chain(blocks.map(|block| Vote::Finalize(at(view), block)))
    });
    let votes: Vec<Vote> = votes.collect();
    for a in &votes {
        assert!(!contradict(*a, *a));
        for b in &votes {
            assert_eq!(contradict(*a, *b), contradict(*b, *a));
        }
    }
}

#[test]
fn an_equivocator_cannot_vote_twice_towards_a_certificate() {
    let mut bench = Bench::new(3);
    bench.play(&["notarize A @1 by 0 1 2"]);
    bench.feed(Input::Vote(checked_vote(sign(vote("notarize B @1"), 0), &set(4))));
    bench.feed(Input::Vote(checked_vote(sign(vote("notarize B @1"), 1), &set(4))));
    bench.feed(Input::Vote(checked_vote(sign(vote("notarize B @1"), 2), &set(4))));
    assert_eq!(bench.seen(&["broadcast"]).iter().filter(|line| line.starts_with("broadcast")).count(), 1);
}
