//! What a leader puts into a block.

use tanba_crypto::{Canonical, Verified};

use crate::{
    Operation, Transaction, View,
    limits::LOADED_VIEW_MAX,
    record::KeyRole,
    state::{Built, LeftOut, Room, Weight, build},
    testkit::{World, award, bin, holder_act, keys},
};

fn build_in(world: &World, room: Room, candidates: &[Verified<Transaction>]) -> Built {
    build(&world.tip, &world.nodes, world.next_time(), bin(0), room, candidates).expect("memory reads")
}

fn actors(built: &Built) -> Vec<crate::Bin> {
    let (block, _) = built.block.as_ref().expect("a block");
    block.transactions.iter().map(|transaction| transaction.body.institution).collect()
}

#[test]
fn refused_candidates_are_left_out_with_the_reason() {
    let world = World::new();
    let good = world.issue(0, 1, 20);
    let bad = world
        .approved(world.body(1, Operation::Issue(award(1, 20))), &[(KeyRole::Registrar, &keys(1).registrar)]);
    let built = build_in(&world, Room::in_view(View::FIRST), &[bad.clone(), good.clone(), good.clone()]);
    let (block, delta) = built.block.clone().expect("a block");
    assert_eq!(block.transactions, [good.clone().into_inner()]);
    assert_eq!(delta.transactions, [good.id()]);
    assert_eq!(world.judge(&block), Ok(delta));
    let mut reasons: Vec<_> = built.left_out.iter().map(|(id, why)| (*id, why.clone())).collect();
    reasons.sort_by_key(|(id, _)| *id != bad.id());
    assert!(
        matches!(&reasons[0], (id, LeftOut::Refused(why)) if *id == bad.id() && why.code() == "APPROVAL_MISSING")
    );
    assert!(
        matches!(&reasons[1], (id, LeftOut::Refused(why)) if *id == good.id() && why.code() == "ALREADY_RECORDED")
    );
}

#[test]
fn later_candidates_build_on_earlier_ones() {
    let world = World::new();
    let issue = world.issue(0, 1, 20);
    let restrict = world.holder_operation(0, 1, Operation::Restrict(holder_act(0, 1, 1)));
    let lift = world.holder_operation(0, 1, Operation::Lift(holder_act(0, 1, 2)));
    let built = build_in(&world, Room::in_view(View::FIRST), &[issue, restrict, lift]);
    assert_eq!(built.left_out, []);
    assert_eq!(actors(&built).len(), 3);
}

#[test]
fn a_flood_of_one_institution_does_not_keep_another_out() {
    let world = World::new();
    let flood: Vec<_> = (0..8).map(|n| world.issue(0, n * 20, 20)).collect();
    let others = [world.issue(1, 1, 20), world.issue(2, 1, 20)];
    let candidates: Vec<_> = flood.iter().chain(&others).cloned().collect();
    let four = Weight::of(&flood[0]).bytes * 4;
    let room = Room { bytes: four, ..Room::in_view(View::FIRST) };
    let built = build_in(&world, room, &candidates);
    assert_eq!(actors(&built), [bin(0), bin(1), bin(2), bin(0)]);
    assert_eq!(built.left_out.len(), 6);
    assert!(built.left_out.iter().all(|(_, why)| *why == LeftOut::NoRoom));
}

#[test]
fn what_follows_a_candidate_without_room_waits_behind_it() {
    let world = World::new();
    let large = world.issue(0, 1, 100);
    let small = world.issue(0, 200, 1);
    let other = world.issue(1, 1, 1);
    let room = Room { bytes: Weight::of(&large).bytes - 1, ..Room::in_view(View::FIRST) };
    let built = build_in(&world, room, &[large.clone(), small.clone(), other]);
    assert_eq!(actors(&built), [bin(1)]);
    assert_eq!(built.left_out, [(large.id(), LeftOut::NoRoom), (small.id(), LeftOut::NoRoom)]);
}

#[test]
fn a_block_of_a_later_view_stays_within_its_room() {
    let mut world = World::new();
    world.tip.params.issued_daily_max = 20_000;
    let candidates: Vec<_> = (0..10).map(|n| world.issue(0, n * 1_000, 1_000)).collect();
    for view in [View(1), View(2), View(9)] {
        let built = build_in(&world, Room::in_view(view), &candidates);
        let (block, _) = built.block.expect("a block");
        assert!(crate::state::check_room(&block.transactions, view).is_ok());
        let bytes: usize = block.transactions.iter().map(|tx| tx.to_canonical().len()).sum();
        assert!(bytes > 90_000, "view {view} has room for one large transaction at least");
    }
}

#[test]
fn a_view_that_comes_after_hours_has_room_for_nothing_but_a_heartbeat() {
    let world = World::new();
    let one = world.issue(0, 0, 1);
    for (view, fits) in [(LOADED_VIEW_MAX, true), (LOADED_VIEW_MAX + 1, false), (u32::MAX, false)] {
        let built = build_in(&world, Room::in_view(View(view)), std::slice::from_ref(&one));
        let taken = built.block.map_or(0, |(block, _)| block.transactions.len());
        assert_eq!((taken, built.left_out.len()), (usize::from(fits), usize::from(!fits)), "view {view}");
        assert_eq!(crate::state::check_room([&*one], View(view)).is_ok(), fits);
        assert!(crate::state::check_room([], View(view)).is_ok());
    }
}

#[test]
#[should_panic(expected = "a validator builds")]
fn nobody_else_builds() {
    let world = World::new();
    let room = Room::in_view(View::FIRST);
    drop(build(&world.tip, &world.nodes, world.next_time(), bin(5), room, []));
}
