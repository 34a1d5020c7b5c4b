//! R5: when a view is given up, and what is repeated while it lasts.

use tanba_consensus::{Config, Input};
use tanba_ledger::{Height, Slot, View, Vote};

use crate::support::*;

#[test]
fn a_timeout_nullifies_once() {
    check(&["work", "timeout @1", "timeout @1"], &["nullify @1"]);
}

#[test]
fn a_timeout_of_another_view_is_ignored() {
    check(&["work", "nullification @1", "timeout @1"], &["enter 2"]);
}

#[test]
fn an_invalid_block_nullifies_at_once() {
    check(&["hold", "work", "propose A @1", "unfit A @1"], &["nullify @1"]);
}

#[test]
fn a_view_we_finalized_in_is_never_nullified() {
    // After a restart the node stands in view 1 again only if the notarization was not on record; here it is.
    check(
        &["propose A @1", "notarization A @1", "restart", "timeout @1"],
        &["notarize A @1", "enter 2", "finalize A @1", "enter 2"],
    );
}

#[test]
fn a_word_of_ours_that_only_a_peer_remembers_still_binds() {
    check(&["work", "finalize A @1 by 3", "timeout @1"], &[]);
    check(&["work", "notarize B @1 by 3", "propose A @1"], &[]);
}

#[test]
fn timeouts_grow_by_a_step_and_are_capped() {
    let to_view = |view: u32| -> Vec<String> {
        let nullifications: Vec<String> = (1..view).map(|v| format!("nullification @{v}")).collect();
        vec![format!("answer {}", nullifications.join("; "))]
    };
    for (view, timer) in [(2, "timer 1500"), (3, "timer 2000"), (40, "timer 10000")] {
        let mut bench = Bench::new(3);
        let lines = to_view(view);
        bench.play(&[&lines[0], "work"]);
        assert_eq!(
            bench.seen(&["timer"]),
            [&format!("enter {view}"), timer],
            "linear, capped, reset per height"
        );
    }
}

#[test]
fn every_retry_repeats_votes_proposal_and_justification() {
    check_with(
        &["resend"],
        &["nullification @1", "propose B @2", "timeout @2", "retry @2", "retry @2"],
        &[
            "enter 2",
            "notarize B @2",
            "nullify @2",
            "resend @2: propose B @2; notarize B @2; nullify @2; nullification @1",
            "resend @2: propose B @2; notarize B @2; nullify @2; nullification @1",
        ],
    );
}

#[test]
fn the_last_finalize_is_repeated_too() {
    check_with(
        &["resend"],
        &["notarization A @1", "retry @2"],
        &["enter 2", "finalize A @1", "resend @2: finalize A @1; notarization A @1"],
    );
}

#[test]
fn a_restarted_node_enters_the_highest_view_it_justified_and_repeats_what_it_said() {
    let script = ["work", "nullification @1", "nullification @2", "timeout @3", "restart", "propose C @3"];
    check_with(
        &["resend"],
        &script,
        &[
            "enter 2",
            "enter 3",
            "nullify @3",
            "enter 3",
            "resend @3: nullify @3; nullification @1; nullification @2",
            "notarize C @3",
        ],
    );
}

/// Decides heights by votes of members 0, 1 and 3 alone, from the bench's height on.
fn heights_without_member_2(bench: &mut Bench, heights: u64) -> Height {
    let mut height = HEIGHT;
    for _ in 0..heights {
        for voter in [0, 1, 3] {
            let vote = Vote::Finalize(Slot { height, view: View(1) }, block('A'));
            bench.feed(Input::Vote(checked_vote(sign(vote, voter), &set(4))));
        }
        height = height.next();
        bench.start(height);
    }
    height
}

fn bring_to_turn_of_2(bench: &mut Bench, height: Height) -> Slot {
    let view = (1..=4).map(View).find(|view| set(4).leader(height, *view).at() == 2).expect("its turn comes");
    for below in 1..view.0 {
        let vote = Vote::Nullify(Slot { height, view: View(below) });
        bench.feed(Input::Justification(vec![checked_certificate(certificate_without(2, vote), &set(4))]));
    }
    Slot { height, view }
}

#[test]
fn a_silent_leader_is_skipped_without_waiting() {
    let mut bench = Bench::new(3);
    let height = heights_without_member_2(&mut bench, 8);
    let slot = bring_to_turn_of_2(&mut bench, height);
    bench.play(&["work"]);
    assert_eq!(bench.seen(&[]).last(), Some(&format!("nullify @{}", slot.view).as_str()));
}

#[test]
fn a_skip_needs_work_like_any_timeout() {
    let mut bench = Bench::new(3);
    let height = heights_without_member_2(&mut bench, 8);
    bring_to_turn_of_2(&mut bench, height);
    assert!(!bench.seen(&[]).iter().any(|line| line.starts_with("nullify")));
}

#[test]
fn seven_silent_heights_are_not_enough() {
    let mut bench = Bench::new(3);
    let height = heights_without_member_2(&mut bench, 7);
    bring_to_turn_of_2(&mut bench, height);
    bench.play(&["work"]);
    assert!(!bench.seen(&[]).iter().any(|line| line.starts_with("nullify")));
}

#[test]
fn one_late_message_clears_the_silence() {
    let mut bench = Bench::new(3);
    let height = heights_without_member_2(&mut bench, 8);
    let late = Vote::Notarize(Slot { height: HEIGHT.next(), view: View(1) }, block('A'));
    bench.feed(Input::Vote(checked_vote(sign(late, 2), &set(4))));
    bring_to_turn_of_2(&mut bench, height);
    bench.play(&["work"]);
    assert!(!bench.seen(&[]).iter().any(|line| line.starts_with("nullify")));
}

#[test]
fn the_skip_can_be_turned_off() {
    let mut bench = Bench::with(3, set(4), Config { silent_heights: 0, ..CONFIG });
    let height = heights_without_member_2(&mut bench, 8);
    bring_to_turn_of_2(&mut bench, height);
    bench.play(&["work"]);
    assert!(!bench.seen(&[]).iter().any(|line| line.starts_with("nullify")));
}
