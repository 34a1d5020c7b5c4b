//! From checkpoints to heads.

use super::{
    super::{
        CLOCK_TOLERANCE_MS, Head, HeadProof, LINKS_MAX, Link, LinkFlaw, ProofFailure, ProveError, prove_head,
    },
    world::*,
};
use crate::{Header, Height, Timestamp, limits::TRUST_PERIOD_MS};

fn prove(world: &World, checkpoint: u64) -> HeadProof {
    prove_head(world, &world.tip(), Height(checkpoint)).expect("a head")
}

fn verify(world: &World, proof: &HeadProof, checkpoint: u64) -> Result<Head, ProofFailure> {
    proof.verify(&world.checkpoint(checkpoint), world.now(), 60_000)
}

/// Why the first link of a forged proof is refused.
fn flaw(world: &World, proof: &HeadProof) -> LinkFlaw {
    match proof.verify(&world.checkpoint(0), world.now(), u64::MAX) {
        Err(ProofFailure::Link { at: 0, flaw }) => flaw,
        other => panic!("not refused at the first link: {other:?}"),
    }
}

#[test]
fn a_checkpoint_that_is_the_head_needs_no_link() {
    let mut world = World::of_four();
    assert_eq!(verify(&world, &prove(&world, 0), 0).map(|head| head.checkpoint().height), Ok(Height(0)));
    world.blocks(3);
    let proof = prove(&world, 3);
    assert_eq!(proof.links.len(), 0);
    assert_eq!(verify(&world, &proof, 3).map(|head| *head.checkpoint()), Ok(world.checkpoint(3)));
}

#[test]
fn an_unchanged_set_is_one_link_at_any_distance() {
    let mut world = World::of_four();
    world.blocks(20);
    for checkpoint in [0, 7, 19] {
        let proof = prove(&world, checkpoint);
        assert_eq!((proof.links.len(), proof.links[0].bridge.is_some()), (1, false));
        assert_eq!(
            verify(&world, &proof, checkpoint).map(|head| *head.checkpoint()),
            Ok(world.checkpoint(20))
        );
    }
}

#[test]
fn a_set_that_changed_a_little_is_skipped_over() {
    let mut world = World::of_four();
    world.blocks(2);
    world.block(Writes::default().validators(&[1, 2, 3, 5]));
    world.blocks(2);
    world.block(Writes::default().validators(&[1, 2, 5, 6]));
    world.blocks(2);
    let proof = prove(&world, 0);
    assert_eq!(proof.links.len(), 1, "two of the first four still sign: f + 1");
    assert!(proof.links[0].bridge.is_some());
    assert_eq!(verify(&world, &proof, 0).map(|head| *head.checkpoint()), Ok(world.checkpoint(8)));
}

#[test]
fn a_set_that_changed_altogether_takes_a_link_for_each_hold() {
    let mut world = World::of_four();
    world.block(Writes::default().validators(&[1, 2, 5, 6]));
    world.blocks(2);
    world.block(Writes::default().validators(&[5, 6, 7, 8]));
    world.blocks(2);
    let proof = prove(&world, 0);
    let heights: Vec<u64> = proof.links.iter().map(|link| link.header.height.0).collect();
    assert_eq!(heights, [4, 6]);
    assert_eq!(verify(&world, &proof, 0).map(|head| *head.checkpoint()), Ok(world.checkpoint(6)));
}

#[test]
fn a_sudden_change_is_followed_block_by_block() {
    let mut world = World::of_four();
    world.blocks(1);
    world.block(Writes::default().validators(&[5, 6, 7, 8]));
    world.block(Writes::default().validators(&[9, 10, 11, 12]));
    world.blocks(3);
    let proof = prove(&world, 0);
    let heights: Vec<u64> = proof.links.iter().map(|link| link.header.height.0).collect();
    assert_eq!(heights, [2, 3, 6]);
    assert!(verify(&world, &proof, 0).is_ok());
}

#[test]
fn too_many_changes_ask_for_a_newer_checkpoint() {
    let mut world = World::new(&[1]);
    for n in 0..=LINKS_MAX as u8 {
        world.block(Writes::default().validators(&[n + 2]));
    }
    assert_eq!(prove_head(&world, &world.tip(), Height(0)), Err(ProveError::LinksMany));
    assert!(verify(&world, &prove(&world, 5), 5).is_ok());
}

#[test]
fn more_links_than_the_limit_are_refused_unread() {
    let mut world = World::of_four();
    world.blocks(1);
    let mut long = prove(&world, 0);
    long.links = vec![long.links[0].clone(); LINKS_MAX + 1];
    assert_eq!(verify(&world, &long, 0), Err(ProofFailure::LinksMany(LINKS_MAX + 1)));
}

#[test]
fn a_checkpoint_above_the_head_is_refused() {
    let world = World::of_four();
    let refused = prove_head(&world, &world.tip(), Height(1));
    assert_eq!(refused, Err(ProveError::AboveHead { head: Height(0), asked: Height(1) }));
}

#[test]
fn f_keys_of_the_trusted_set_vouch_for_nothing() {
    let mut world = World::of_four();
    world.blocks(3);
    // One stolen key of four, and three that nobody knows.
    let forged = forge(&world, &[4, 21, 22, 23]);
    assert_eq!(flaw(&world, &forged), LinkFlaw::Untrusted { trusted: 1, needed: 2 });
}

#[test]
fn signers_that_are_trusted_but_did_not_sign_do_not_count() {
    let mut world = World::new(&[31, 32, 33, 34]);
    world.blocks(3);
    // Three trusted keys are in the set, but only the first five of the seven sign.
    let mut forged = forge(&world, &[1, 2, 3, 4, 31, 32, 33]);
    forged.links[0].bridge = Some(set(&[31, 32, 33, 34]));
    assert_eq!(forged.links[0].finalization.signatures.len(), 5);
    assert_eq!(flaw(&world, &forged), LinkFlaw::Untrusted { trusted: 1, needed: 2 });
}

/// A distant header of an invented set with its own quorum, and the first four as its bridge.
fn forge(world: &World, members: &[u8]) -> HeadProof {
    let mut forged = prove(world, 0);
    let link = &mut forged.links[0];
    link.header.validators = set(members).hash();
    link.validators = set(members);
    link.finalization = finalization(&link.header, members, &world.chain());
    link.bridge = Some(set(&[1, 2, 3, 4]));
    forged
}

#[test]
fn a_quorum_of_a_set_that_the_header_does_not_name_is_nothing() {
    let mut world = World::of_four();
    world.blocks(3);
    let mut forged = prove(&world, 0);
    let link = &mut forged.links[0];
    link.header.state.0[0] ^= 1;
    link.validators = set(&[21, 22, 23, 24]);
    link.finalization = finalization(&link.header, &[21, 22, 23, 24], &world.chain());
    assert_eq!(flaw(&world, &forged), LinkFlaw::Validators);
}

#[test]
fn the_next_block_is_decided_by_the_announced_set_alone() {
    let mut world = World::of_four();
    world.blocks(1);
    // f + 1 trusted keys are enough to skip, not to decide the very next block under another set.
    let forged = forge(&world, &[1, 2, 21, 22]);
    assert_eq!(flaw(&world, &forged), LinkFlaw::Unannounced);
}

#[test]
fn a_next_block_on_another_parent_is_refused() {
    let mut world = World::of_four();
    world.blocks(1);
    let forged = resigned(&world, |header| header.parent.0.0[0] ^= 1);
    assert_eq!(flaw(&world, &forged), LinkFlaw::Parent);
}

/// The head's link with a changed header, signed again by the set itself.
fn resigned(world: &World, change: impl Fn(&mut Header)) -> HeadProof {
    let mut forged = prove(world, 0);
    let link = &mut forged.links[0];
    change(&mut link.header);
    link.finalization = finalization(&link.header, &[1, 2, 3, 4], &world.chain());
    forged
}

#[test]
fn headers_out_of_order_of_another_network_or_format_are_refused() {
    let mut world = World::of_four();
    world.blocks(2);
    let back = resigned(&world, |header| header.time = GENESIS);
    assert_eq!(flaw(&world, &back), LinkFlaw::Order);
    let low = resigned(&world, |header| header.height = Height(0));
    assert_eq!(flaw(&world, &low), LinkFlaw::Order);
    let elsewhere = resigned(&world, |header| header.chain.0.0[0] ^= 1);
    assert_eq!(flaw(&world, &elsewhere), LinkFlaw::Chain);
    let newer = resigned(&world, |header| header.version += 1);
    assert_eq!(flaw(&world, &newer), LinkFlaw::Version(2));
}

#[test]
fn votes_of_another_kind_or_block_do_not_make_a_header_final() {
    let mut world = World::of_four();
    world.blocks(2);
    let good = prove(&world, 0);
    let mut other_block = good.clone();
    other_block.links[0].finalization = world.certificates[1].clone().expect("decided");
    assert_eq!(flaw(&world, &other_block), LinkFlaw::Votes);
    let mut notarized = good.clone();
    let slot = notarized.links[0].finalization.slot();
    notarized.links[0].finalization.vote = crate::Vote::Notarize(slot, world.headers[2].hash());
    assert_eq!(flaw(&world, &notarized), LinkFlaw::Votes);
    let mut broken = good.clone();
    broken.links[0].finalization.signatures.swap(0, 1);
    assert!(matches!(flaw(&world, &broken), LinkFlaw::Certificate(_)));
}

#[test]
fn a_bridge_is_shown_where_needed_and_nowhere_else() {
    let mut world = World::of_four();
    world.blocks(2);
    let mut needless = prove(&world, 0);
    needless.links[0].bridge = Some(set(&[1, 2, 3, 4]));
    assert_eq!(flaw(&world, &needless), LinkFlaw::Bridge);
    world.block(Writes::default().validators(&[1, 2, 3, 5]));
    world.blocks(2);
    let mut without: Link = prove(&world, 0).links.remove(0);
    assert!(without.bridge.take().is_some());
    let mut proof = prove(&world, 0);
    proof.links[0] = without;
    assert_eq!(flaw(&world, &proof), LinkFlaw::Bridge);
    proof.links[0].bridge = Some(set(&[1, 2, 3, 5]));
    assert_eq!(flaw(&world, &proof), LinkFlaw::Bridge);
}

#[test]
fn old_heads_and_checkpoints_are_stale_and_never_valid() {
    let mut world = World::of_four();
    world.blocks(4);
    let proof = prove(&world, 0);
    let at = |ms, max_age_ms| {
        let now = world.headers[4].time.saturating_add_ms(ms);
        proof.verify(&world.checkpoint(0), now, max_age_ms).map(drop)
    };
    assert_eq!(at(500, 500), Ok(()));
    assert_eq!(at(501, 500), Err(ProofFailure::Stale { age_ms: 501 }));
    let age_ms = TRUST_PERIOD_MS + 4 * BLOCK_MS;
    assert_eq!(at(TRUST_PERIOD_MS, u64::MAX), Err(ProofFailure::CheckpointStale { age_ms }));
}

#[test]
fn a_slow_clock_is_found_out() {
    let mut world = World::of_four();
    world.blocks(30);
    let proof = prove(&world, 0);
    let behind_ms = CLOCK_TOLERANCE_MS + 1;
    let now = Timestamp(world.headers[30].time.0 - behind_ms);
    let refused = proof.verify(&world.checkpoint(0), now, 60_000);
    assert_eq!(refused, Err(ProofFailure::ClockBehind { ahead_ms: behind_ms }));
}

#[test]
fn a_proof_from_another_checkpoint_is_refused() {
    let mut world = World::of_four();
    world.blocks(5);
    let proof = prove(&world, 2);
    assert_eq!(verify(&world, &proof, 1), Err(ProofFailure::OtherCheckpoint));
    let mut checkpoint = world.checkpoint(2);
    checkpoint.time = Timestamp(checkpoint.time.0 + 1);
    assert_eq!(proof.verify(&checkpoint, world.now(), 60_000), Err(ProofFailure::OtherCheckpoint));
    let mut checkpoint = world.checkpoint(0);
    checkpoint.chain.0.0[0] ^= 1;
    let from_genesis = prove(&world, 0);
    assert_eq!(from_genesis.verify(&checkpoint, world.now(), 60_000), Err(ProofFailure::OtherCheckpoint));
}

#[test]
fn roots_of_another_height_are_refused() {
    let mut world = World::of_four();
    world.blocks(1);
    let old = world.roots.clone();
    world.block(Writes::default().issue(1, crate::operation::Basis::Award, &[1]));
    let mut proof = prove(&world, 0);
    proof.roots = old;
    assert_eq!(verify(&world, &proof, 0), Err(ProofFailure::Roots));
}

#[test]
fn a_missing_certificate_is_damage() {
    let mut world = World::of_four();
    world.blocks(2);
    world.certificates[2] = None;
    let refused = prove_head(&world, &world.tip(), Height(0));
    assert!(matches!(refused, Err(ProveError::Damaged(_))), "{refused:?}");
}
