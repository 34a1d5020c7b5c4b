//! R6: what a nullification does.

use crate::support::*;

#[test]
fn a_quorum_of_nullifies_is_broadcast_once_and_leads_on() {
    check_with(
        &["broadcast"],
        &["nullify @1 by 0 1 2", "nullification @1"],
        &["broadcast nullification @1", "enter 2"],
    );
}

#[test]
fn a_later_nullification_is_followed_once_the_views_between_are_justified() {
    check_with(&["pull"], &["nullification @3"], &["pull 2 @1..2"]);
    check_with(
        &["pull"],
        &["nullification @3", "answer nullification @1; nullification @2"],
        &["pull 2 @1..2", "enter 4"],
    );
}

#[test]
fn a_notarization_between_completes_the_justification_as_well() {
    check(&["nullification @3", "answer notarization A @2"], &["enter 4", "finalize A @2"]);
}

#[test]
fn what_is_still_missing_is_asked_for_again_of_another_peer() {
    let script = ["nullification @3", "retry @1", "retry @1"];
    check_with(&["pull"], &script, &["pull 2 @1..2", "pull 0 @1..2", "pull 1 @1..2"]);
}

#[test]
fn a_long_gap_is_pulled_in_pages() {
    let page: Vec<String> = (1..=32).map(|view| format!("nullification @{view}")).collect();
    let answer = format!("answer {}", page.join("; "));
    check_with(&["pull"], &["nullification @60", &answer], &["pull 0 @1..32", "enter 33", "pull 0 @33..59"]);
}

#[test]
fn pulled_certificates_are_not_broadcast() {
    check_with(&["broadcast"], &["answer nullification @1"], &["enter 2"]);
}

#[test]
fn nullifying_and_notarizing_in_one_view_do_not_exclude_each_other() {
    check(&["propose A @1", "timeout @1"], &["notarize A @1", "nullify @1"]);
}
