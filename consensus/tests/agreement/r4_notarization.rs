//! R4: what a notarization does.

use crate::support::*;

#[test]
fn a_quorum_of_votes_is_broadcast_once_and_finalized() {
    check_with(
        &["broadcast"],
        &["propose A @1", "notarize A @1 by 0 1 2", "notarization A @1"],
        &["notarize A @1", "broadcast notarization A @1", "enter 2", "finalize A @1"],
    );
}

#[test]
fn fewer_votes_than_a_quorum_do_nothing() {
    check(&["notarize A @1 by 0 1", "notarize B @1 by 2"], &[]);
}

#[test]
fn repeated_votes_count_once() {
    check(&["notarize A @1 by 0 0 0", "notarize A @1 by 1 1 1"], &[]);
}

#[test]
fn enters_the_next_view_though_it_nullified_and_withholds_only_the_finalize() {
    check(&["work", "timeout @1", "notarization A @1"], &["nullify @1", "enter 2"]);
}

#[test]
fn finalize_is_withheld_after_nullify() {
    check(&["propose A @1", "timeout @1", "notarization A @1"], &["notarize A @1", "nullify @1", "enter 2"]);
}

#[test]
fn finalize_is_withheld_after_a_nullify_before_a_restart() {
    check(
        &["propose A @1", "timeout @1", "restart", "notarization A @1"],
        &["notarize A @1", "nullify @1", "enter 2"],
    );
}

#[test]
fn the_body_is_fetched_before_the_finalize() {
    check_with(&["check"], &["hold", "notarization A @1"], &["enter 2", "check A"]);
    check(&["hold", "notarization A @1", "stored A"], &["enter 2", "finalize A @1"]);
}

#[test]
fn a_notarization_of_any_view_leads_above_it() {
    check(&["notarization A @5"], &["enter 6", "finalize A @5"]);
}

#[test]
fn a_late_notarization_of_an_old_view_is_finalized_too() {
    check(
        &["nullification @1", "nullification @2", "notarization A @1"],
        &["enter 2", "enter 3", "finalize A @1"],
    );
}

#[test]
fn a_late_finalize_is_legal_after_nullifying_a_newer_view() {
    check(
        &["nullification @1", "work", "timeout @2", "notarization A @1"],
        &["enter 2", "nullify @2", "finalize A @1"],
    );
}

#[test]
fn a_late_notarization_becomes_the_view_to_build_on() {
    // Member 2 leads view 3.
    check_as(
        2,
        &["nullification @1", "nullification @2", "notarization A @1", "reproposal @3"],
        &[],
        &["enter 2", "enter 3", "finalize A @1", "propose A @3 on 1", "notarize A @3"],
    );
}

#[test]
fn an_older_notarization_does_not_replace_a_newer_one() {
    let script = ["notarization B @2", "nullification @1", "notarization A @1", "reproposal @3"];
    check_as(
        2,
        &script,
        &[],
        &["enter 3", "finalize B @2", "finalize A @1", "propose B @3 on 2", "notarize B @3"],
    );
}

#[test]
fn a_leader_that_has_proposed_keeps_what_it_builds_on() {
    let script = ["work", "nullification @1", "built B @2", "notarization A @1", "retry @2"];
    check_as(
        1,
        &script,
        &["resend"],
        &[
            "enter 2",
            "propose B @2",
            "notarize B @2",
            "finalize A @1",
            "resend @2: propose B @2; notarize B @2; finalize A @1; nullification @1",
        ],
    );
}

#[test]
fn a_block_refused_as_fresh_but_notarized_by_others_is_checked_anew() {
    check_with(
        &["check"],
        &["hold", "propose A @1", "unfit A @1", "notarization A @1", "stored A"],
        &["check A @1", "nullify @1", "enter 2", "check A"],
    );
}

#[test]
fn a_notarized_block_that_is_invalid_here_stops_the_node() {
    check(
        &["hold", "notarization A @1", "broken A", "nullification @2", "finalization A @1", "work"],
        &["enter 2", "diverged A @1"],
    );
}
