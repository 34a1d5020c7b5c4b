//! Suspend, reinstate, revoke, replace: by whom, from where to where.

use super::{accepted, amend_institution, record, refused, verdict, world_with};
use crate::{
    Operation, Timestamp,
    operation::Reason,
    record::{InstitutionState, Quota, RecordKey, Standing, Token},
    rules::Refusal,
    testkit::{GENESIS_TIME, HOUR_MS, World, bin, changes, fingerprint, holder_act, replacements},
};

/// A world in which university 0 has issued diplomas 1 to 20.
fn issued() -> World {
    issued_in(World::new())
}

fn issued_in(mut world: World) -> World {
    world.block(&[world.issue(0, 1, 20)]);
    world
}

fn suspend(tokens: &[(u64, u32)]) -> Operation {
    Operation::Suspend(changes(0, tokens, Reason::Investigation))
}

fn reinstate(tokens: &[(u64, u32)]) -> Operation {
    Operation::Reinstate(changes(0, tokens, Reason::InvestigationClosed))
}

fn revoke(tokens: &[(u64, u32)]) -> Operation {
    Operation::Revoke(changes(0, tokens, Reason::Fraud))
}

fn replace(tokens: &[(u64, u32)]) -> Operation {
    Operation::Replace(replacements(0, tokens))
}

fn token(world: &World, number: u64) -> crate::state::Record<Token> {
    record(world, &RecordKey::token(bin(0), &fingerprint(number))).expect("a token")
}

#[test]
fn a_suspension_is_lifted_and_every_step_is_a_version() {
    let mut world = issued();
    world.block(&[world.operation(0, suspend(&[(1, 1), (2, 1)]))]);
    let suspended = token(&world, 1);
    assert_eq!((suspended.version, suspended.standing), (2, Standing::Suspended));
    assert_eq!(suspended.reason, Some(Reason::Investigation));
    world.block(&[world.operation(0, reinstate(&[(1, 2)]))]);
    assert_eq!((token(&world, 1).version, token(&world, 1).standing), (3, Standing::Valid));
    assert_eq!(token(&world, 2).standing, Standing::Suspended);
}

#[test]
fn steps_on_one_token_may_follow_in_one_block() {
    let mut world = issued();
    world.block(&[
        world.operation(0, suspend(&[(1, 1)])),
        world.operation(0, reinstate(&[(1, 2)])),
        world.operation(0, revoke(&[(1, 3)])),
    ]);
    assert_eq!((token(&world, 1).version, token(&world, 1).standing), (4, Standing::Revoked));
}

#[test]
fn revoked_and_replaced_are_final() {
    let mut world = issued();
    world.block(&[world.operation(0, suspend(&[(3, 1), (4, 1)]))]);
    world.block(&[
        world.operation(0, revoke(&[(1, 1), (3, 2)])),
        world.operation(0, replace(&[(2, 1), (4, 2)])),
    ]);
    for (number, version) in [(1, 2), (2, 2), (3, 3), (4, 3)] {
        let standing = token(&world, number).standing;
        let refusal = Refusal::StandingFinal { fingerprint: fingerprint(number), standing };
        for operation in [suspend, reinstate, revoke, replace] {
            refused(&world, &world.operation(0, operation(&[(number, version)])), refusal.clone());
        }
    }
}

#[test]
fn only_a_valid_token_is_suspended_and_only_a_suspended_one_reinstated() {
    let mut world = issued();
    refused(&world, &world.operation(0, reinstate(&[(1, 1)])), Refusal::NotSuspended(fingerprint(1)));
    world.block(&[world.operation(0, suspend(&[(1, 1)]))]);
    refused(&world, &world.operation(0, suspend(&[(1, 2)])), Refusal::AlreadySuspended(fingerprint(1)));
}

#[test]
fn an_operation_names_the_version_it_changes_so_a_replay_is_refused() {
    let mut world = issued();
    let first = world.operation(0, suspend(&[(1, 1)]));
    world.block(std::slice::from_ref(&first));
    let refusal = Refusal::WrongVersion { fingerprint: fingerprint(1), named: 1, held: 2 };
    refused(&world, &first, refusal);
    let ahead = Refusal::WrongVersion { fingerprint: fingerprint(1), named: 3, held: 2 };
    assert!(ahead.may_pass_later());
    refused(&world, &world.operation(0, reinstate(&[(1, 3)])), ahead);
}

#[test]
fn one_bad_change_refuses_them_all() {
    let world = issued();
    let mixed = world.operation(0, suspend(&[(1, 1), (2, 1), (99, 1)]));
    refused(&world, &mixed, Refusal::UnknownToken { issuer: bin(0), fingerprint: fingerprint(99) });
    assert_eq!(token(&world, 1).standing, Standing::Valid);
}

#[test]
fn a_standing_may_fall_after_the_holder_withdrew() {
    let mut world = issued();
    world.block(&[world.holder_operation(0, 1, Operation::Withdraw(holder_act(0, 1, 1)))]);
    accepted(&world, &world.operation(0, revoke(&[(1, 2)])));
}

#[test]
fn another_university_changes_nothing_unless_it_is_the_successor() {
    let stranger = issued();
    let refusal = Refusal::NotIssuerNorSuccessor { institution: bin(1), issuer: bin(0) };
    refused(&stranger, &stranger.operation(1, suspend(&[(1, 1)])), refusal);
    let heir = issued_in(world_with(|records| records.institutions[0].1.successor = Some(bin(1))));
    accepted(&heir, &heir.operation(1, suspend(&[(1, 1)])));
    accepted(&heir, &heir.operation(0, suspend(&[(1, 1)])));
}

#[test]
fn tokens_of_an_issuer_that_is_not_on_the_ledger_are_unknown() {
    let world = issued();
    let elsewhere = changes(9, &[(1, 1)], Reason::Fraud);
    refused(&world, &world.operation(0, Operation::Revoke(elsewhere)), Refusal::UnknownInstitution(bin(9)));
}

#[test]
fn a_frozen_institution_changes_no_standing_but_a_stopped_one_does() {
    let until = GENESIS_TIME.saturating_add_ms(HOUR_MS);
    let mut world = issued();
    amend_institution(&mut world, |institution| institution.state = InstitutionState::FrozenUntil(until));
    let suspension = world.operation(0, suspend(&[(1, 1)]));
    refused(&world, &suspension, Refusal::Frozen { institution: bin(0), until });
    amend_institution(&mut world, |institution| institution.state = InstitutionState::Stopped);
    accepted(&world, &suspension);
}

#[test]
fn status_outlives_the_regime() {
    let mut world = issued();
    let after = Timestamp(GENESIS_TIME.0 + 3 * 365 * 24 * HOUR_MS);
    world.block_at(after, &[]);
    assert!(matches!(verdict(&world, &world.issue(0, 50, 20)), Err(Refusal::RegimeEnded { .. })));
    accepted(&world, &world.operation(0, revoke(&[(1, 1)])));
    accepted(&world, &world.holder_operation(0, 1, Operation::Restrict(holder_act(0, 1, 1))));
}

#[test]
fn the_daily_limit_on_changes_counts_every_token() {
    let mut world = World::new();
    world.block(&[world.issue(0, 1, 120)]);
    let tokens = |range: std::ops::RangeInclusive<u64>| range.map(|n| (n, 1)).collect::<Vec<_>>();
    world.block(&[world.operation(0, suspend(&tokens(1..=60)))]);
    accepted(&world, &world.operation(0, suspend(&tokens(61..=100))));
    let refusal = Refusal::DailyChangeLimit { changed: 60, asked: 41, daily_max: 100 };
    refused(&world, &world.operation(0, suspend(&tokens(61..=101))), refusal);
    let quota = record::<Quota>(&world, &RecordKey::quota(bin(0))).expect("a quota");
    assert_eq!((quota.issued_today, quota.changed_today), (120, 60));
}
