//! Set changes: how fast, when, and who still serves.

use tanba_consensus::{
    Input,
    set_change::{Change, Handover, SetChangeError, check, take},
};
use tanba_ledger::{Height, Slot, ValidatorIndex, ValidatorSet, View, Vote};

use crate::support::*;

fn of(members: &[usize]) -> ValidatorSet {
    ValidatorSet::new(members.iter().map(|n| validator(*n)).collect()).expect("a set")
}

fn rotated(n: usize) -> tanba_ledger::Validator {
    tanba_ledger::Validator { key: key(n + 100).public(), ..validator(n) }
}

#[test]
fn keys_in_both_sets_are_at_least_the_greater_quorum() {
    let four = of(&[0, 1, 2, 3]);
    assert_eq!(check(&four, &four), Ok(()));
    assert_eq!(check(&four, &of(&[0, 1, 2])), Ok(()), "one removed");
    assert_eq!(check(&four, &of(&[0, 1, 2, 3, 4])), Ok(()), "one added");
    assert_eq!(check(&four, &of(&[0, 1, 2, 4])), Ok(()), "one replaced");
    assert_eq!(check(&four, &of(&[0, 1, 4, 5])), Err(SetChangeError::TooFast { shared: 2, needed: 3 }));
    assert_eq!(check(&four, &of(&[0, 1])), Err(SetChangeError::TooFast { shared: 2, needed: 3 }));
    // Three more would leave the old four short of the new quorum of five.
    let seven = of(&[0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(check(&four, &seven), Err(SetChangeError::TooFast { shared: 4, needed: 5 }));
}

#[test]
fn a_rotation_counts_like_a_removal_and_an_addition() {
    let mut members = set(4).members().to_vec();
    members[0] = rotated(0);
    members[1] = rotated(1);
    let next = ValidatorSet::new(members).expect("a set");
    assert_eq!(check(&set(4), &next), Err(SetChangeError::TooFast { shared: 2, needed: 3 }));
}

#[test]
fn below_four_validators_one_step_a_block() {
    assert_eq!(check(&of(&[0]), &of(&[0, 1])), Ok(()));
    assert_eq!(check(&of(&[0, 1, 2]), &of(&[0, 1])), Ok(()));
    let error = SetChangeError::TooManySteps { members: 3, steps: 2 };
    assert_eq!(check(&of(&[0, 1, 2]), &of(&[0, 1, 3])), Err(error));
}

#[test]
fn every_permitted_change_leaves_a_quorum_of_either_set_in_both() {
    for n in 4..=13_usize {
        for (removed, added) in (0..=n / 2).flat_map(|r| (0..=n / 2).map(move |a| (r, a))) {
            let next = of(&(removed..n + added).collect::<Vec<_>>());
            if check(&set(n), &next).is_ok() {
                let shared = n - removed;
                assert!(shared >= set(n).quorum() && shared >= next.quorum());
                assert!(removed <= set(n).faulty_max(), "never more than f leave at once");
            }
        }
    }
}

#[test]
fn a_second_change_waits_for_the_next_block() {
    let waiting = [Change::Remove(bin(0)), Change::Rotate(rotated(1)), Change::Add(validator(4))];
    let (next, taken) = take(&set(4), &waiting).expect("fits");
    assert_eq!((next.clone(), taken), (of(&[1, 2, 3]), 1));
    let (after, taken) = take(&next, &waiting[1..]).expect("fits");
    assert_eq!(taken, 1);
    assert_eq!(after.members()[0], rotated(1));
    let (last, taken) = take(&after, &waiting[2..]).expect("fits");
    assert_eq!((last.len(), taken), (4, 1));
}

#[test]
fn a_change_that_does_not_fit_is_an_error() {
    assert_eq!(take(&set(4), &[Change::Remove(bin(9))]), Err(SetChangeError::Unfit(bin(9))));
    assert_eq!(take(&set(4), &[Change::Rotate(validator(9))]), Err(SetChangeError::Unfit(bin(9))));
    assert_eq!(take(&set(4), &[Change::Add(validator(0))]), Err(SetChangeError::Unfit(bin(0))));
    assert!(matches!(take(&of(&[0]), &[Change::Remove(bin(0))]), Err(SetChangeError::Set(_))));
}

#[test]
fn a_removed_validator_serves_until_a_quorum_of_its_successors_has_arrived() {
    let mut handover = Handover::begin(HEIGHT, set(4));
    for (successor, height) in [(0, 8), (1, 7), (1, 9), (1, 9), (7, 9)] {
        handover.on_shown(ValidatorIndex(successor), Height(height));
        assert!(!handover.is_done());
    }
    handover.on_shown(ValidatorIndex(2), Height(8));
    assert!(handover.is_done());
}

#[test]
fn a_height_is_decided_by_its_own_set() {
    // Member 3 of four decides height 7; at height 8 it is member 2 of three, and two votes are no quorum of
    // four but would be, with its own, a quorum of three.
    let mut bench = Bench::new(3);
    bench.play(&["finalize A @1 by 0 1"]);
    assert_eq!(bench.seen(&[]), [""; 0]);
    bench.play(&["finalize A @1 by 2"]);
    assert_eq!(bench.seen(&[]), ["decide A @1"]);
    let mut bench = Bench::with(2, set(3), CONFIG);
    for voter in [0, 1] {
        let vote = Vote::Notarize(Slot { height: HEIGHT, view: View(1) }, block('A'));
        bench.feed(Input::Vote(checked_vote(sign(vote, voter), &set(3))));
    }
    assert_eq!(bench.seen(&["broadcast"]), [""; 0], "three of three must agree");
}
