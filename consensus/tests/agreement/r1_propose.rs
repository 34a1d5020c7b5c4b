//! R1: what leaders propose, and when.

use tanba_consensus::{Config, Delays};

use crate::support::*;

#[test]
fn a_leader_with_work_builds_and_votes_for_its_own_block() {
    check_as(0, &["work", "built A @1"], &["build"], &["build @1", "propose A @1", "notarize A @1"]);
}

#[test]
fn a_leader_proposes_once() {
    check_as(
        0,
        &["work", "built A @1", "no work", "work", "built B @1"],
        &["build"],
        &["build @1", "propose A @1", "notarize A @1"],
    );
}

#[test]
fn a_build_that_came_to_nothing_is_asked_for_again() {
    check_as(0, &["work", "no work", "work"], &["build"], &["build @1", "build @1"]);
}

#[test]
fn a_block_built_for_a_view_that_is_over_is_not_proposed() {
    check_as(0, &["work", "nullification @1", "built A @1"], &[], &["enter 2"]);
}

#[test]
fn the_next_leader_builds_on_the_decided_head_after_nullifications() {
    check_as(
        1,
        &["work", "nullification @1", "built B @2"],
        &["build"],
        &["enter 2", "build @2", "propose B @2", "notarize B @2"],
    );
}

#[test]
fn a_leader_on_a_notarized_view_waits_for_the_finalization_then_proposes_it_again() {
    let script = ["notarization A @1", "reproposal @2"];
    check_as(1, &script[..1], &["reproposal timer"], &["enter 2", "reproposal timer 40", "finalize A @1"]);
    check_as(1, &script, &[], &["enter 2", "finalize A @1", "propose A @2 on 1", "notarize A @2"]);
}

#[test]
fn a_notarized_block_is_proposed_again_without_work_and_without_its_body() {
    check_as(
        1,
        &["hold", "notarization A @1", "reproposal @2"],
        &["build"],
        &["enter 2", "propose A @2 on 1"],
    );
}

#[test]
fn a_finalization_during_the_wait_saves_the_proposal() {
    check_as(
        1,
        &["notarization A @1", "finalization A @1", "reproposal @2"],
        &[],
        &["enter 2", "finalize A @1", "decide A @1"],
    );
}

#[test]
fn a_built_block_gives_way_to_a_notarization_that_arrived_meanwhile() {
    // View 2 was entered by a nullification; then it turns out that view 1 was notarized as well.
    check_as(
        1,
        &["work", "nullification @1", "notarization A @1", "built B @2", "reproposal @2"],
        &[],
        &["enter 2", "finalize A @1", "propose A @2 on 1", "notarize A @2"],
    );
}

#[test]
fn a_restarted_leader_does_not_propose_again() {
    check_as(
        0,
        &["work", "built A @1", "restart", "work", "built B @1"],
        &["build", "resend"],
        &["build @1", "propose A @1", "notarize A @1", "resend @1: propose A @1; notarize A @1"],
    );
}

#[test]
fn a_fresh_block_waits_for_the_least_interval() {
    let delays = Delays { min_block_interval_ms: 200, ..CONFIG.delays };
    let mut bench = Bench::with(0, set(4), Config { delays, ..CONFIG });
    bench.play(&["work"]);
    assert_eq!(bench.seen(&["build", "interval", "timer"]), ["interval timer 200", "timer 1200"]);
    bench.play(&["interval"]);
    assert_eq!(bench.seen(&["build"]), ["build @1"]);
}
