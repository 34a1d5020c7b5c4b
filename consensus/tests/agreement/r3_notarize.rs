//! R3: one `Notarize` a view, for the first proposal that counts.

use crate::support::*;

#[test]
fn a_valid_stored_block_is_notarized() {
    check_with(&["check"], &["hold", "propose A @1"], &["check A @1"]);
    check(&["hold", "propose A @1", "fresh A @1"], &["notarize A @1"]);
}

#[test]
fn a_second_proposal_gets_no_vote() {
    check(&["propose A @1", "propose B @1"], &["notarize A @1", "evidence"]);
    check(&["hold", "propose A @1", "propose B @1", "fresh A @1"], &["evidence", "notarize A @1"]);
}

#[test]
fn only_the_present_view_is_voted_in() {
    check(&["propose A @2"], &[]);
    check(&["nullification @1", "propose A @1"], &["enter 2"]);
}

#[test]
fn a_proposal_that_came_early_is_voted_for_when_its_view_begins() {
    check(&["propose B @2", "nullification @1"], &["enter 2", "notarize B @2"]);
}

#[test]
fn a_late_block_is_notarized_even_after_our_nullify() {
    check(&["work", "timeout @1", "propose A @1"], &["nullify @1", "notarize A @1"]);
}

#[test]
fn a_restarted_voter_repeats_its_vote_and_makes_no_other() {
    check_with(
        &["resend"],
        &["propose A @1", "restart", "propose B @1"],
        &["notarize A @1", "resend @1: propose A @1; notarize A @1", "evidence"],
    );
}

#[test]
fn an_invalid_block_is_not_notarized() {
    check(&["hold", "propose A @1", "unfit A @1"], &["nullify @1"]);
}

#[test]
fn a_verdict_nobody_asked_for_counts_for_nothing() {
    check(&["hold", "fresh A @1", "propose A @1"], &[]);
}

#[test]
fn a_block_proposed_again_needs_no_live_check() {
    check_with(
        &["check"],
        &["hold", "notarization A @1", "propose A @2 on 1", "stored A"],
        &["enter 2", "check A", "finalize A @1", "notarize A @2"],
    );
}
