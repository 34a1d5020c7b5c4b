//! R0: a network with nothing to do does nothing.

use crate::support::*;

const ACTIVITY: &[&str] = &["timer", "retry timer", "resend", "forward", "build", "broadcast"];

#[test]
fn a_network_without_work_is_silent_and_runs_no_timer() {
    check_with(ACTIVITY, &["no work", "timeout @1", "retry @1"], &[]);
}

#[test]
fn own_work_goes_to_the_leader_and_arms_the_timers() {
    check_with(ACTIVITY, &["work"], &["timer 1000", "retry timer", "forward 0"]);
}

#[test]
fn after_a_retry_the_work_goes_to_all() {
    check_with(&["forward"], &["work", "retry @1"], &["forward 0", "forward all"]);
}

#[test]
fn one_peers_vote_wakes_nobody() {
    check_with(ACTIVITY, &["nullify @1 by 0", "timeout @1"], &[]);
}

#[test]
fn votes_by_more_than_f_members_wake() {
    check_with(&["timer"], &["nullify @1 by 0", "notarize A @1 by 1"], &["timer 1000"]);
}

#[test]
fn votes_for_another_view_do_not_wake() {
    check_with(ACTIVITY, &["nullify @2 by 0 1", "finalize A @3 by 2"], &[]);
}

#[test]
fn an_unjustified_proposal_does_not_wake() {
    check_with(ACTIVITY, &["propose A @2 on 1"], &[]);
}

#[test]
fn a_justified_proposal_wakes() {
    check_with(&["timer"], &["propose A @1"], &["timer 1000", "notarize A @1"]);
}

#[test]
fn work_that_goes_away_takes_the_timer_with_it() {
    check_with(
        ACTIVITY,
        &["work", "no work", "timeout @1", "retry @1"],
        &["timer 1000", "retry timer", "forward 0"],
    );
}

#[test]
fn returning_work_gets_its_full_time() {
    check_with(&["timer"], &["work", "no work", "timeout @1", "work"], &["timer 1000", "timer 1000"]);
}

#[test]
fn a_leader_without_work_builds_nothing_and_gives_nothing_up() {
    check_as(0, &["nullify @1 by 1"], &["build"], &[]);
}

#[test]
fn a_leader_without_work_joins_when_more_than_f_nullify() {
    check_as(0, &["nullify @1 by 1 2"], &["build"], &["nullify @1", "enter 2"]);
}

#[test]
fn a_resting_view_above_the_first_is_silent_too() {
    check_with(ACTIVITY, &["answer nullification @1", "timeout @2", "retry @2"], &["enter 2"]);
}

#[test]
fn a_notarized_block_is_brought_to_an_end_without_work() {
    check_with(
        &["timer", "retry timer"],
        &["answer notarization A @1"],
        &["enter 2", "timer 1540", "retry timer", "finalize A @1"],
    );
}
