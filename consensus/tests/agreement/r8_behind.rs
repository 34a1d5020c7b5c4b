//! R8: peers that lag are answered, also while we rest.

use crate::support::*;

const ANSWERS: &[&str] = &["send", "answers"];

#[test]
fn a_peer_in_a_lower_view_gets_our_justification_while_we_rest() {
    check_with(
        ANSWERS,
        &["nullification @1", "nullification @2", "peer 0 @1"],
        &["enter 2", "enter 3", "send 0: nullification @1; nullification @2", "answers timer"],
    );
}

#[test]
fn only_what_lifts_the_peer_is_sent() {
    check_with(
        &["send"],
        &["nullification @1", "nullification @2", "peer 0 @2"],
        &["enter 2", "enter 3", "send 0: nullification @2"],
    );
    check_with(
        &["send"],
        &["notarization A @4", "peer 0 @1"],
        &["enter 5", "finalize A @4", "send 0: notarization A @4"],
    );
}

#[test]
fn a_peer_is_answered_once_per_interval() {
    check_with(
        &["send"],
        &["nullification @1", "peer 0 @1", "peer 0 @1", "peer 2 @1", "answers", "peer 0 @1"],
        &["enter 2", "send 0: nullification @1", "send 2: nullification @1", "send 0: nullification @1"],
    );
}

#[test]
fn a_peer_behind_in_height_gets_the_finalization() {
    check_with(&["send"], &["peer 2 at height 5", "peer 2 at height 0"], &["send 2 height 5"]);
}

#[test]
fn a_peer_at_the_height_just_decided_gets_the_finalization_we_hold() {
    check_with(&["send"], &["finalization A @1", "peer 2 @1"], &["decide A @1", "send 2: finalization A @1"]);
}

#[test]
fn peers_level_with_us_or_ahead_get_nothing() {
    check_with(
        ANSWERS,
        &["nullification @1", "peer 0 @2", "peer 1 @7", "peer 2 at height 9", "peer 3 @1"],
        &["enter 2"],
    );
}

#[test]
fn a_page_holds_for_each_view_the_nullification_or_else_the_notarization() {
    let script = ["nullification @1", "notarization B @1", "notarization A @3", "ask 0 @1..9"];
    check_with(
        &["send"],
        &script,
        &[
            "enter 2",
            "finalize B @1",
            "enter 4",
            "finalize A @3",
            "send 0: nullification @1; notarization A @3",
        ],
    );
}

#[test]
fn a_page_is_bounded() {
    let views: Vec<String> = (1..=40).map(|view| format!("nullification @{view}")).collect();
    let mut bench = Bench::new(3);
    let answer = format!("answer {}", views.join("; "));
    bench.play(&[&answer, "ask 0 @1..40"]);
    let sent = bench.seen(&["send"]).pop().expect("an answer").matches("nullification").count();
    assert_eq!(sent, tanba_consensus::limits::PAGE_CERTIFICATES_MAX);
}

#[test]
fn what_we_do_not_hold_is_not_answered() {
    check_with(&["send"], &["ask 0 @1..3"], &[]);
}

#[test]
fn a_laggard_that_only_hears_a_repetition_reaches_the_view_and_votes_in_it() {
    // No proposal is needed to resynchronise: certificates alone carry a node to the present view.
    check(
        &["answer nullification @1; nullification @2", "nullify @3 by 0 1", "timeout @3"],
        &["enter 3", "nullify @3", "enter 4"],
    );
}
