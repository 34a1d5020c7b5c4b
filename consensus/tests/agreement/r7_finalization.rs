//! R7: what a finalization does.

use tanba_consensus::Input;
use tanba_ledger::Vote;

use crate::support::*;

#[test]
fn a_quorum_of_finalizes_decides_once() {
    check_with(
        &["broadcast final"],
        &["finalize A @1 by 0 1 2", "finalization A @1"],
        &["broadcast finalization A @1", "decide A @1"],
    );
}

#[test]
fn a_finalization_of_any_view_decides() {
    check(
        &["notarization A @1", "nullification @2", "finalization A @1"],
        &["enter 2", "finalize A @1", "enter 3", "decide A @1"],
    );
    check(&["finalization A @9"], &["decide A @9"]);
}

#[test]
fn nothing_is_said_at_a_decided_height() {
    let script = ["finalization A @1", "work", "propose A @1", "timeout @1", "notarization A @1", "retry @1"];
    check_with(&["timer", "resend", "forward", "check"], &script, &["decide A @1"]);
}

#[test]
fn a_decided_view_repeats_nothing() {
    check_with(
        &["resend", "forward"],
        &["work", "finalization A @1", "retry @1", "timeout @1"],
        &["forward 0", "decide A @1"],
    );
}

#[test]
fn the_whole_way_of_a_block() {
    let script = ["propose A @1", "notarize A @1 by 0 1", "finalize A @1 by 0 1"];
    check(&script, &["notarize A @1", "enter 2", "finalize A @1", "decide A @1"]);
}

#[test]
fn a_single_validator_decides_by_itself() {
    let mut bench = Bench::with(0, set(1), CONFIG);
    bench.play(&["work", "built A @1"]);
    assert_eq!(bench.seen(&[]), ["propose A @1", "notarize A @1", "enter 2", "finalize A @1", "decide A @1"]);
}

#[test]
fn the_next_height_starts_in_view_1_at_rest() {
    let mut bench = Bench::new(3);
    bench.play(&["work", "finalization A @3"]);
    bench.guard.commit(HEIGHT);
    bench.start(HEIGHT.next());
    assert_eq!((bench.engine.height(), bench.engine.view().0), (Some(HEIGHT.next()), 1));
    assert!(bench.engine.is_resting());
}

#[test]
fn late_votes_of_a_decided_height_change_nothing() {
    let mut bench = Bench::new(3);
    bench.play(&["finalization A @1"]);
    bench.start(HEIGHT.next());
    let before = bench.seen(&[""]).len();
    for voter in 0..3 {
        let late = sign(Vote::Finalize(slot(1), block('A')), voter);
        bench.feed(Input::Vote(checked_vote(late, &set(4))));
    }
    assert_eq!(bench.seen(&[""]).len(), before);
}
