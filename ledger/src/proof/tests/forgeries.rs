//! A changed bundle is refused, or answers the same. It never answers otherwise.

use super::{
    super::{At, Bundle, Part, ProofFailure, Question},
    world::*,
};
use crate::{Height, operation::Basis, record::Standing};

/// Issues, a revocation, and a change of validators.
fn world() -> World {
    let mut world = World::of_four();
    world.block(Writes::default().issue(1, Basis::Award, &[1, 2]));
    world.block(Writes::default().validators(&[1, 2, 3, 5]));
    let mut revoked = token(1, 1);
    revoked.standing = Standing::Revoked;
    world.block(Writes::default().token(1, &revoked).issue(2, Basis::Archive, &[3, 4]));
    world.blocks(1);
    world
}

/// Changes every byte in turn, by a bit that wanders.
fn check_every_byte(world: &World, bundle: &Bundle, question: &Question) {
    let truth = world.verify(bundle, question).expect("the bundle is good");
    let bytes = bundle.to_bytes().expect("small");
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let Ok(changed) = Bundle::from_bytes(&changed) else { continue };
        if let Ok(status) = world.verify(&changed, question) {
            assert_eq!(status, truth, "byte {at} of {}", bytes.len());
        }
    }
}

#[test]
fn no_changed_byte_of_a_status_changes_the_answer() {
    let world = world();
    let bundle = Bundle::Status(world.status_proof(0, &question(1)));
    check_every_byte(&world, &bundle, &question(1));
}

#[test]
fn no_changed_byte_of_an_earlier_status_changes_the_answer() {
    let world = world();
    let asked = question_at(1, At::Time(world.headers[1].time.saturating_add_ms(3)));
    check_every_byte(&world, &Bundle::Status(world.status_proof(0, &asked)), &asked);
}

#[test]
fn no_changed_byte_of_an_absence_changes_the_answer() {
    let world = world();
    let bundle = Bundle::Status(world.status_proof(0, &question(9)));
    check_every_byte(&world, &bundle, &question(9));
}

#[test]
fn no_changed_byte_of_a_bucket_changes_an_answer() {
    let world = world();
    let bundle = Bundle::Bucket(world.bucket_proof(0, &question(1), 0));
    check_every_byte(&world, &bundle, &question(1));
}

#[test]
fn parts_left_out_are_missed() {
    let world = world();
    let good = world.status_proof(0, &question(2));
    let refusal = |change: fn(&mut crate::proof::Evidence)| {
        let mut bad = good.clone();
        change(&mut bad.evidence);
        world.verify(&Bundle::Status(bad), &question(2))
    };
    assert_eq!(refusal(|e| e.batches.clear()), Err(ProofFailure::Missing(Part::Batch)));
    assert_eq!(refusal(|e| e.institutions.clear()), Err(ProofFailure::Missing(Part::Institution)));
    assert_eq!(refusal(|e| e.accreditations.clear()), Err(ProofFailure::Missing(Part::Accreditation)));
    assert_eq!(refusal(|e| e.past.clear()), Err(ProofFailure::Missing(Part::PastHeader)));
}

#[test]
fn a_batch_cannot_stand_in_for_another() {
    let world = world();
    let mut bad = world.status_proof(0, &question(2));
    bad.evidence.batches = world.status_proof(0, &question(3)).evidence.batches;
    let refused = world.verify(&Bundle::Status(bad), &question(2));
    assert_eq!(refused, Err(ProofFailure::Missing(Part::Batch)));
}

#[test]
fn a_header_of_another_history_is_refused() {
    let world = world();
    let mut bad = world.status_proof(0, &question(2));
    bad.evidence.past[0].header.time = GENESIS;
    assert!(matches!(
        world.verify(&Bundle::Status(bad.clone()), &question(2)),
        Err(ProofFailure::Path { part: Part::PastHeader, .. })
    ));
    bad.evidence.past[0].header = world.headers[2].clone();
    assert_eq!(
        world.verify(&Bundle::Status(bad), &question(2)),
        Err(ProofFailure::Missing(Part::PastHeader))
    );
}

#[test]
fn a_path_in_a_tree_of_another_size_is_refused() {
    let world = world();
    let mut bad = world.status_proof(0, &question(2));
    bad.evidence.past[0].inclusion.size -= 1;
    let flaw = crate::merkle::ProofError::Bounds;
    let refused = world.verify(&Bundle::Status(bad), &question(2));
    assert_eq!(refused, Err(ProofFailure::Path { part: Part::PastHeader, flaw }));
}

#[test]
fn a_revocation_cannot_be_hidden_by_the_version_before_it() {
    let world = world();
    let asked = question_at(1, At::Height(Height(1)));
    let mut bad = world.status_proof(0, &asked);
    let valid = bad.token.earlier.pop().expect("the version before");
    bad.token.current.leaf = Some(valid);
    assert!(matches!(
        world.verify(&Bundle::Status(bad), &question(1)),
        Err(ProofFailure::Path { part: Part::Token, .. })
    ));
}
