//! Answers as of an earlier moment, all proven at the head.

use super::{
    super::{At, Bundle, Part, ProofFailure, ProveError, Verdict, prove_head, prove_status},
    world::*,
};
use crate::{Height, Timestamp, operation::Basis, record::Standing};

/// Issued at 2, suspended at 4, reinstated and revoked at 6, head at 8.
fn eventful() -> World {
    let mut world = World::of_four();
    let with = |standing| {
        let mut changed = token(1, 1);
        changed.standing = standing;
        changed
    };
    world.blocks(1);
    world.block(Writes::default().issue(1, Basis::Award, &[1, 2]));
    world.blocks(1);
    world.block(Writes::default().token(1, &with(Standing::Suspended)));
    world.blocks(1);
    let reinstated = Writes::default().token(1, &with(Standing::Valid));
    world.block(reinstated.token(1, &with(Standing::Revoked)));
    world.blocks(2);
    world
}

const STANDINGS: [Option<Standing>; 9] = [
    None,
    None,
    Some(Standing::Valid),
    Some(Standing::Valid),
    Some(Standing::Suspended),
    Some(Standing::Suspended),
    Some(Standing::Revoked),
    Some(Standing::Revoked),
    Some(Standing::Revoked),
];

#[test]
fn each_earlier_height_has_its_own_answer() {
    let world = eventful();
    for (height, expected) in (0..).zip(STANDINGS) {
        let status = world.ask(&question_at(1, At::Height(Height(height)))).expect("proven");
        assert_eq!(status.recorded.map(|recorded| recorded.token.standing), expected, "at {height}");
        assert_eq!(status.at_time, Some(world.headers[height as usize].time));
        assert_eq!(status.head, world.checkpoint(8));
    }
}

#[test]
fn each_moment_has_the_answer_of_the_block_before_it() {
    let world = eventful();
    for (height, expected) in (0..8).zip(STANDINGS) {
        for offset_ms in [0, 1, BLOCK_MS - 1] {
            let time = world.headers[height].time.saturating_add_ms(offset_ms);
            let status = world.ask(&question_at(1, At::Time(time))).expect("proven");
            assert_eq!(status.at, Height(height as u64));
            assert_eq!(status.recorded.map(|recorded| recorded.token.standing), expected);
        }
    }
    let head = world.ask(&question_at(1, At::Time(world.headers[8].time))).expect("proven");
    assert_eq!(head.at, Height(8));
}

#[test]
fn absence_now_is_absence_ever() {
    let world = eventful();
    for height in 0..=8 {
        let status = world.ask(&question_at(9, At::Height(Height(height))));
        assert_eq!(Verdict::of(&status, &gost(9)), Verdict::NotRecorded);
    }
}

#[test]
fn moments_off_the_chain_are_not_answered() {
    let world = eventful();
    let head = || prove_head(&world, &world.tip(), Height(0)).expect("a head");
    let ask = |at| prove_status(&world, head(), &question_at(1, at));
    assert_eq!(ask(At::Height(Height(9))), Err(ProveError::AboveHead { head: Height(8), asked: Height(9) }));
    let after = world.headers[8].time.saturating_add_ms(1);
    for at in [At::Time(after), At::Time(Timestamp(GENESIS.0 - 1))] {
        assert!(matches!(ask(at), Err(ProveError::OutsideChain { .. })));
    }
    let present = Bundle::Status(world.status_proof(0, &question(1)));
    for at in [At::Time(after), At::Height(Height(9))] {
        assert_eq!(world.verify(&present, &question_at(1, at)), Err(ProofFailure::AfterHead));
    }
}

#[test]
fn versions_that_do_not_reach_back_prove_nothing() {
    let world = eventful();
    let asked = question_at(1, At::Height(Height(3)));
    let good = world.status_proof(0, &asked);
    assert_eq!(good.token.earlier.len(), 3);
    for kept in 0..3 {
        let mut cut = good.clone();
        cut.token.earlier.truncate(kept);
        let refused = world.verify(&Bundle::Status(cut), &asked);
        assert_eq!(refused, Err(ProofFailure::Versions(Part::Token)), "{kept} versions kept");
    }
    let mut gap = good.clone();
    gap.token.earlier.remove(1);
    assert_eq!(world.verify(&Bundle::Status(gap), &asked), Err(ProofFailure::Versions(Part::Token)));
}

#[test]
fn an_invented_earlier_version_is_refused() {
    let world = eventful();
    let asked = question_at(1, At::Height(Height(4)));
    let mut bad = world.status_proof(0, &asked);
    let oldest = bad.token.earlier.last_mut().expect("the suspended version");
    oldest.value = tanba_crypto::Canonical::to_canonical(&token(1, 1));
    assert_eq!(world.verify(&Bundle::Status(bad), &asked), Err(ProofFailure::Versions(Part::Token)));
}

#[test]
fn a_version_cut_off_cannot_pass_for_absence() {
    let world = eventful();
    let asked = question_at(1, At::Height(Height(1)));
    let mut cut = world.status_proof(0, &asked);
    cut.token.earlier.pop();
    assert_eq!(world.verify(&Bundle::Status(cut), &asked), Err(ProofFailure::Versions(Part::Token)));
}

#[test]
fn a_moment_without_the_next_header_is_not_placed() {
    let world = eventful();
    let time = world.headers[4].time.saturating_add_ms(5);
    let asked = question_at(1, At::Time(time));
    let mut early = world.status_proof(0, &asked);
    // Without the headers at 4 and 5, an older one must not pass for the last before the moment.
    early.evidence.past.retain(|past| past.header.height < Height(4));
    let refused = world.verify(&Bundle::Status(early), &asked);
    assert_eq!(refused, Err(ProofFailure::Missing(Part::PastHeader)));
}

#[test]
fn a_second_header_for_one_height_does_not_move_a_moment() {
    let world = eventful();
    // After the revocation at 6 one asks for the moment just before it.
    let asked = question_at(1, At::Time(world.headers[5].time.saturating_add_ms(5)));
    let late = question_at(1, At::Time(world.headers[6].time.saturating_add_ms(5)));
    let mut bad = world.status_proof(0, &late);
    let mut invented = bad.evidence.past.iter().find(|past| past.header.height == Height(6)).cloned();
    invented.as_mut().expect("shown").header.time = world.headers[5].time;
    bad.evidence.past.extend(invented);
    let refused = world.verify(&Bundle::Status(bad), &asked);
    assert_eq!(refused, Err(ProofFailure::Missing(Part::PastHeader)));
}

#[test]
fn a_bucket_speaks_of_the_present_alone() {
    let world = eventful();
    let bucket = Bundle::Bucket(world.bucket_proof(0, &question(1), 0));
    for at in [At::Height(Height(3)), At::Time(world.headers[3].time)] {
        assert_eq!(world.verify(&bucket, &question_at(1, at)), Err(ProofFailure::BucketAtPast));
    }
    assert!(world.verify(&bucket, &question_at(1, At::Height(Height(8)))).is_ok());
}

#[test]
fn a_lost_subtree_of_history_is_damage() {
    let mut world = eventful();
    world.subtrees.remove(&(0, 3));
    let head = prove_head(&world, &world.tip(), Height(0)).expect("a head");
    let refused = prove_status(&world, head, &question_at(1, At::Height(Height(2))));
    assert!(matches!(refused, Err(ProveError::Damaged(_))), "{refused:?}");
}
