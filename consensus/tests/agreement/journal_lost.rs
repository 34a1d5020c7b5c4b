//! Journal lost: what a validator does before its first word after a start.

use tanba_consensus::{
    Guard, GuardReset, Record, Recovery, Refusal, Utterance,
    recovery::{CheckedAnswer, Inquiry, Loss, Verdict},
};
use tanba_ledger::{Height, SignedVote, Slot, View, Vote};

use crate::support::*;

const OWN: usize = 3;

fn guard(records: &[Record]) -> Guard {
    let (mut guard, _) = Guard::create(CHAIN, key(OWN).public());
    guard.remember(records);
    guard
}

/// An answer that proves `height`, and shows these votes of ours.
fn answer(height: u64, votes: &[SignedVote]) -> CheckedAnswer {
    let vote = Vote::Finalize(Slot { height: Height(height), view: View(1) }, block('A'));
    let decided = (height > 0).then(|| checked_certificate(certificate_without(OWN, vote), &set(4)));
    let votes = votes.iter().map(|vote| checked_vote(*vote, &set(4))).collect();
    CheckedAnswer { decided, votes, proposals: Vec::new() }
}

fn begin(head: u64, journal: Result<&Guard, Loss>) -> Recovery {
    Recovery::begin(key(OWN).public(), set(4), Height(head), journal)
}

fn own_vote(said: &str) -> SignedVote {
    sign(vote(said), OWN)
}

#[test]
fn a_whole_journal_votes_as_soon_as_q_minus_1_others_answered() {
    let guard = guard(&[Record::Covers(Height(6))]);
    let mut recovery = begin(6, Ok(&guard));
    assert_eq!(recovery.verdict(), Verdict::Wait { answered: 0, needed: 2 });
    recovery.on_answer(key(0).public(), &answer(6, &[]), Some(&guard));
    recovery.on_answer(key(0).public(), &answer(6, &[]), Some(&guard));
    assert_eq!(recovery.verdict(), Verdict::Wait { answered: 1, needed: 2 }, "one peer counts once");
    recovery.on_answer(key(1).public(), &answer(0, &[]), Some(&guard));
    assert_eq!(recovery.verdict(), Verdict::Vote);
}

#[test]
fn answers_of_strangers_and_of_ourselves_do_not_count() {
    let guard = guard(&[]);
    let mut recovery = begin(0, Ok(&guard));
    for stranger in [8, 9, OWN] {
        recovery.on_answer(key(stranger).public(), &answer(6, &[]), Some(&guard));
    }
    assert_eq!(recovery.verdict(), Verdict::Wait { answered: 0, needed: 2 });
}

#[test]
fn ending_below_the_networks_head_is_downtime_and_no_loss() {
    let guard = guard(&[Record::Covers(Height(6))]);
    let mut recovery = begin(6, Ok(&guard));
    for peer in 0..2 {
        recovery.on_answer(key(peer).public(), &answer(900, &[]), Some(&guard));
    }
    assert_eq!((recovery.verdict(), recovery.loss()), (Verdict::Vote, None));
}

#[test]
fn a_lost_journal_waits_for_q_others_and_abstains_two_above_the_highest_proven() {
    for loss in [Loss::Missing, Loss::Damaged] {
        let mut recovery = begin(6, Err(loss));
        for (peer, height) in [(0, 6), (1, 9)] {
            recovery.on_answer(key(peer).public(), &answer(height, &[]), None);
        }
        assert_eq!(recovery.verdict(), Verdict::Wait { answered: 2, needed: 3 });
        recovery.on_answer(key(2).public(), &answer(7, &[]), None);
        assert_eq!(recovery.verdict(), Verdict::AbstainThrough(Height(11)));
    }
}

#[test]
fn our_own_head_counts_as_proven() {
    let mut recovery = begin(20, Err(Loss::Missing));
    for peer in 0..3 {
        recovery.on_answer(key(peer).public(), &answer(7, &[]), None);
    }
    assert_eq!(recovery.verdict(), Verdict::AbstainThrough(Height(22)));
}

#[test]
fn a_journal_that_ends_below_our_own_head_is_lost() {
    let recovery = begin(7, Ok(&guard(&[Record::Covers(Height(6))])));
    assert_eq!(recovery.loss(), Some(&Loss::EndsBelowHead { end: Height(6), head: Height(7) }));
    let recovery = begin(7, Ok(&guard(&[Record::OwnVote(own_vote("nullify @1"))])));
    assert_eq!(recovery.loss(), None, "a promise of that height covers it");
}

#[test]
fn a_signature_of_ours_that_the_journal_lacks_shows_the_loss() {
    let guard = guard(&[Record::Covers(Height(6)), Record::OwnVote(own_vote("nullify @1"))]);
    let mut recovery = begin(6, Ok(&guard));
    recovery.on_answer(key(0).public(), &answer(6, &[own_vote("nullify @1")]), Some(&guard));
    assert_eq!(recovery.loss(), None, "this one it knows");
    recovery.on_answer(key(1).public(), &answer(6, &[own_vote("notarize A @2")]), Some(&guard));
    assert_eq!(recovery.loss(), Some(&Loss::Shown(HEIGHT)));
    recovery.on_answer(key(2).public(), &answer(6, &[]), Some(&guard));
    assert_eq!(recovery.verdict(), Verdict::AbstainThrough(Height(8)));
}

#[test]
fn another_vote_than_the_recorded_one_shows_the_loss_too() {
    let guard = guard(&[Record::Covers(Height(6)), Record::OwnVote(own_vote("notarize A @1"))]);
    let mut recovery = begin(6, Ok(&guard));
    recovery.on_answer(key(0).public(), &answer(6, &[own_vote("notarize B @1")]), Some(&guard));
    assert_eq!(recovery.loss(), Some(&Loss::Shown(HEIGHT)));
}

#[test]
fn signatures_at_committed_heights_show_nothing() {
    let mut guard = guard(&[Record::Covers(HEIGHT)]);
    guard.commit(HEIGHT);
    let mut recovery = begin(7, Ok(&guard));
    recovery.on_answer(key(0).public(), &answer(7, &[own_vote("finalize A @1")]), Some(&guard));
    assert_eq!(recovery.loss(), None);
}

#[test]
fn the_abstention_is_written_first_and_a_second_start_does_not_count_again() {
    let mut recovery = begin(6, Err(Loss::Missing));
    for peer in 0..3 {
        recovery.on_answer(key(peer).public(), &answer(6, &[own_vote("nullify @1")]), None);
    }
    let records = recovery.new_journal(CHAIN);
    let guard = Guard::replay(&records, CHAIN, key(OWN).public()).expect("our own");
    let refused = guard.admit(&Utterance::Vote(vote("nullify @1")), &[]);
    assert_eq!(refused, Err(Refusal::Abstaining { through: Height(8) }));
    let mut second = begin(6, Ok(&guard));
    for peer in 0..2 {
        second.on_answer(key(peer).public(), &answer(6, &[own_vote("nullify @1")]), Some(&guard));
    }
    assert_eq!(second.verdict(), Verdict::Vote, "the new journal is whole, and still silent");
    assert_eq!(guard.abstains_through(), Some(Height(8)));
}

#[test]
fn a_node_that_lost_its_store_too_never_votes_with_that_key_again() {
    let mut recovery = begin(0, Err(Loss::Missing));
    for peer in 0..3 {
        recovery.on_answer(key(peer).public(), &answer(50, &[]), None);
    }
    assert_eq!(recovery.verdict(), Verdict::Retire);
}

#[test]
fn a_guard_reset_frees_the_key_it_names_and_no_other() {
    let reset = |n: usize| GuardReset { key: key(n).public(), abstain_through: Height(60) };
    let mut recovery = begin(0, Err(Loss::Missing));
    recovery.on_reset(reset(0));
    assert_eq!(recovery.verdict(), Verdict::Retire);
    recovery.on_reset(reset(OWN));
    assert_eq!(recovery.verdict(), Verdict::AbstainThrough(Height(60)));
    let guard = Guard::replay(&recovery.new_journal(CHAIN), CHAIN, key(OWN).public()).expect("our own");
    assert!(!guard.may_speak_at(Height(60)) && guard.may_speak_at(Height(61)));
}

#[test]
fn catching_up_moves_the_head_and_the_set() {
    let mut recovery = begin(6, Err(Loss::Damaged));
    for peer in 0..3 {
        recovery.on_answer(key(peer).public(), &answer(6, &[]), None);
    }
    recovery.advance(Height(30), set(7));
    assert_eq!(recovery.verdict(), Verdict::Wait { answered: 3, needed: 5 }, "q others of the set of now");
    for peer in 4..6 {
        recovery.on_answer(key(peer).public(), &answer(6, &[]), None);
    }
    assert_eq!(recovery.verdict(), Verdict::AbstainThrough(Height(32)));
    assert_eq!(recovery.inquiry(), Inquiry { key: key(OWN).public(), above: Height(30) });
}

#[test]
fn a_single_validator_needs_nobody() {
    let (guard, _) = Guard::create(CHAIN, key(0).public());
    let recovery = Recovery::begin(key(0).public(), set(1), Height(0), Ok(&guard));
    assert_eq!(recovery.verdict(), Verdict::Vote);
}

#[test]
fn a_running_node_shows_what_a_forgetful_one_signed() {
    let mut bench = Bench::new(0);
    bench.play(&["propose A @1", "notarize A @1 by 2", "nullify @1 by 2 3", "answer notarization A @1"]);
    let ask = |n: usize| Inquiry { key: key(n).public(), above: Height(6) };
    let shown = bench.engine.answer_inquiry(&ask(2), None);
    assert!(shown.votes.contains(&sign(vote("notarize A @1"), 2)));
    assert!(shown.votes.contains(&sign(vote("nullify @1"), 2)));
    let shown = bench.engine.answer_inquiry(&ask(1), None);
    assert_eq!(shown.votes, [sign(vote("notarize A @1"), 1)], "known from a certificate alone");
    assert_eq!(bench.engine.answer_inquiry(&ask(0), None).proposals.len(), 1);
    let above = Inquiry { above: HEIGHT, ..ask(2) };
    assert_eq!(bench.engine.answer_inquiry(&above, None).votes, []);
    bench.start(HEIGHT.next());
    assert!(!bench.engine.answer_inquiry(&ask(2), None).votes.is_empty(), "also of heights just decided");
}

#[test]
fn a_node_speaks_only_after_its_start_up_protocol() {
    let mut bench = Bench::silent(3);
    bench.play(&["work", "propose A @1", "notarize A @1 by 0 1", "retry @1", "timeout @1"]);
    assert_eq!(bench.seen(&["timer", "resend", "forward"]), [""; 0]);
    bench.play(&["vote as 3"]);
    assert_eq!(bench.seen(&[]), ["notarize A @1", "enter 2", "finalize A @1"]);
}
