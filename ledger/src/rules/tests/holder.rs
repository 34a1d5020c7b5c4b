//! Restrict, lift, withdraw: by the control key, or by the university on a signed request.

use tanba_crypto::Hash;

use super::{accepted, amend_institution, record, refused, verdict_at, world_with};
use crate::{
    Operation, Timestamp,
    operation::HolderAct,
    record::{InstitutionState, KeyRole, RecordKey, Standing, Token, Visibility},
    rules::Refusal,
    testkit::{GENESIS_TIME, HOUR_MS, World, bin, fingerprint, holder_act, holder_key},
};

fn issued() -> World {
    issued_in(World::new())
}

fn issued_in(mut world: World) -> World {
    world.block(&[world.issue(0, 1, 20)]);
    world
}

fn requested(version: u32) -> HolderAct {
    HolderAct { request: Some(Hash([5; 32])), ..holder_act(0, 1, version) }
}

fn token(world: &World) -> Token {
    record::<Token>(world, &RecordKey::token(bin(0), &fingerprint(1))).expect("a token").value
}

#[test]
fn the_holder_restricts_lifts_and_withdraws_without_the_university() {
    let mut world = issued();
    let steps = [
        (Operation::Restrict(holder_act(0, 1, 1)), Visibility::Restricted),
        (Operation::Lift(holder_act(0, 1, 2)), Visibility::Open),
        (Operation::Withdraw(holder_act(0, 1, 3)), Visibility::Withdrawn),
    ];
    for (operation, visibility) in steps {
        world.block(&[world.holder_operation(0, 1, operation)]);
        assert_eq!((token(&world).visibility, token(&world).standing), (visibility, Standing::Valid));
    }
}

#[test]
fn withdrawn_is_final() {
    let mut world = issued();
    world.block(&[world.holder_operation(0, 1, Operation::Withdraw(holder_act(0, 1, 1)))]);
    for operation in [Operation::Restrict, Operation::Lift, Operation::Withdraw] {
        let again = world.holder_operation(0, 1, operation(holder_act(0, 1, 2)));
        refused(&world, &again, Refusal::Withdrawn(fingerprint(1)));
    }
}

#[test]
fn only_an_open_token_is_restricted_and_only_a_restricted_one_lifted() {
    let mut world = issued();
    let lift = world.holder_operation(0, 1, Operation::Lift(holder_act(0, 1, 1)));
    refused(&world, &lift, Refusal::NotRestricted(fingerprint(1)));
    world.block(&[world.holder_operation(0, 1, Operation::Restrict(holder_act(0, 1, 1)))]);
    let again = world.holder_operation(0, 1, Operation::Restrict(holder_act(0, 1, 2)));
    refused(&world, &again, Refusal::AlreadyRestricted(fingerprint(1)));
    accepted(&world, &world.holder_operation(0, 1, Operation::Withdraw(holder_act(0, 1, 2))));
}

#[test]
fn another_holders_key_does_nothing() {
    let world = issued();
    let other = holder_key(2);
    let body = world.body(0, Operation::Withdraw(holder_act(0, 1, 1)));
    let refusal = Refusal::NotTheHolder { key: other.public(), fingerprint: fingerprint(1) };
    refused(&world, &world.by_holder(body, &other), refusal);
}

#[test]
fn officers_act_for_the_holder_on_a_named_request_alone() {
    let world = issued();
    accepted(&world, &world.operation(0, Operation::Withdraw(requested(1))));
    let unasked = world.operation(0, Operation::Withdraw(holder_act(0, 1, 1)));
    refused(&world, &unasked, Refusal::HolderApprovalMissing);
    let holder_with_request = world.holder_operation(0, 1, Operation::Withdraw(requested(1)));
    refused(&world, &holder_with_request, Refusal::ApprovalUnneeded(holder_key(1).public()));
    let registrar = crate::testkit::keys(0).registrar;
    let one =
        world.approved(world.body(0, Operation::Withdraw(requested(1))), &[(KeyRole::Registrar, &registrar)]);
    refused(&world, &one, Refusal::ApprovalMissing(KeyRole::Approver));
}

#[test]
fn the_successor_acts_on_a_request_and_a_stranger_does_not() {
    let stranger = issued();
    let refusal = Refusal::NotIssuerNorSuccessor { institution: bin(1), issuer: bin(0) };
    refused(&stranger, &stranger.operation(1, Operation::Restrict(requested(1))), refusal.clone());
    let own_key = stranger.holder_operation(1, 1, Operation::Restrict(holder_act(0, 1, 1)));
    refused(&stranger, &own_key, refusal);
    let heir = issued_in(world_with(|records| records.institutions[0].1.successor = Some(bin(1))));
    accepted(&heir, &heir.operation(1, Operation::Restrict(requested(1))));
}

#[test]
fn holders_act_while_the_university_is_frozen_or_stopped() {
    let until = GENESIS_TIME.saturating_add_ms(HOUR_MS);
    for state in [InstitutionState::FrozenUntil(until), InstitutionState::Stopped] {
        let mut world = issued();
        amend_institution(&mut world, |institution| institution.state = state);
        accepted(&world, &world.holder_operation(0, 1, Operation::Restrict(holder_act(0, 1, 1))));
        accepted(&world, &world.operation(0, Operation::Restrict(requested(1))));
    }
}

#[test]
fn an_act_names_the_version_so_a_replay_is_refused() {
    let mut world = issued();
    let act = world.holder_operation(0, 1, Operation::Restrict(holder_act(0, 1, 1)));
    world.block(std::slice::from_ref(&act));
    refused(&world, &act, Refusal::WrongVersion { fingerprint: fingerprint(1), named: 1, held: 2 });
}

#[test]
fn a_token_sees_four_acts_a_day() {
    let mut world = issued();
    for round in 0..2 {
        let version = 1 + 2 * round;
        world.block(&[
            world.holder_operation(0, 1, Operation::Restrict(holder_act(0, 1, version))),
            world.holder_operation(0, 1, Operation::Lift(holder_act(0, 1, version + 1))),
        ]);
    }
    let fifth = world.holder_operation(0, 1, Operation::Restrict(holder_act(0, 1, 5)));
    let day = GENESIS_TIME.day();
    refused(&world, &fifth, Refusal::DailyActsLimit { fingerprint: fingerprint(1), day });
    let on_request = world.operation(0, Operation::Withdraw(requested(5)));
    refused(&world, &on_request, Refusal::DailyActsLimit { fingerprint: fingerprint(1), day });

    let midnight = Timestamp(GENESIS_TIME.0 + 14 * HOUR_MS);
    world.block_at(Timestamp(midnight.0 - 1), &[]);
    let next_day = world.holder_operation(0, 1, Operation::Restrict(holder_act(0, 1, 5)));
    assert!(verdict_at(&world, midnight, &next_day).is_ok());
}
