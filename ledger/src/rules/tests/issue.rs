//! Who may issue, when, how much, and for which programmes.

use tanba_crypto::Hash;

use super::{accepted, amend_institution, record, refused, verdict_at, world_with};
use crate::{
    Day, Level, Month, Operation, Programme, Scope, Timestamp,
    operation::{Basis, Issue},
    record::{
        Batch, Capital, Institution, InstitutionState, Quota, RecordKey, RegimeKind, Standing, Token,
        Visibility,
    },
    rules::Refusal,
    testkit::{GENESIS_TIME, HOUR_MS, World, award, bin, entries, fingerprint, scope},
};

fn world_where_issuer(change: impl FnOnce(&mut Institution)) -> World {
    world_with(|records| change(&mut records.institutions[0].1))
}

fn day(year: u16, month: u8, of_month: u8) -> Day {
    Day::from_date(year, month, of_month).expect("a date")
}

fn today() -> Day {
    GENESIS_TIME.day()
}

fn issue(world: &World, change: impl FnOnce(&mut Issue)) -> tanba_crypto::Verified<crate::Transaction> {
    let mut issue = award(1, 20);
    change(&mut issue);
    world.operation(0, Operation::Issue(issue))
}

#[test]
fn an_issued_batch_and_its_tokens_are_recorded() {
    let mut world = World::new();
    let transaction = world.issue(0, 1, 20);
    world.block(std::slice::from_ref(&transaction));
    let batch = record::<Batch>(&world, &RecordKey::batch(transaction.id())).expect("a batch");
    assert_eq!((batch.issuer, batch.count, batch.small), (bin(0), 20, false));
    let token = record::<Token>(&world, &RecordKey::token(bin(0), &fingerprint(7))).expect("a token");
    assert_eq!((token.version, token.batch), (1, transaction.id()));
    assert_eq!((token.standing, token.visibility), (Standing::Valid, Visibility::Open));
    let quota = record::<Quota>(&world, &RecordKey::quota(bin(0))).expect("a quota");
    assert_eq!((quota.day, quota.issued_today, quota.issued_total), (today(), 20, 20));
}

#[test]
fn a_regulator_issues_nothing() {
    let world = World::new();
    refused(&world, &world.issue(4, 1, 20), Refusal::NotAUniversity(bin(4)));
}

#[test]
fn a_frozen_issuer_waits_until_the_freeze_ends() {
    let until = GENESIS_TIME.saturating_add_ms(HOUR_MS / 2);
    let world = world_where_issuer(|issuer| issuer.state = InstitutionState::FrozenUntil(until));
    refused(&world, &world.issue(0, 1, 20), Refusal::Frozen { institution: bin(0), until });
    assert!(verdict_at(&world, until, &world.issue(0, 1, 20)).is_ok());
}

#[test]
fn a_stopped_issuer_issues_nothing() {
    let world = world_where_issuer(|issuer| issuer.state = InstitutionState::Stopped);
    refused(&world, &world.issue(0, 1, 20), Refusal::Stopped(bin(0)));
}

#[test]
fn without_a_regime_nothing_is_issued() {
    let mut world = World::new();
    amend_institution(&mut world, |institution| institution.regime = None);
    refused(&world, &world.issue(0, 1, 20), Refusal::RegimeMissing(bin(0)));
}

#[test]
fn issuing_needs_a_regime_that_holds_on_the_day() {
    let in_term = |from, to| {
        world_where_issuer(|issuer| {
            let regime = issuer.regime.as_mut().expect("a regime");
            (regime.from, regime.to) = (from, to);
        })
    };
    let (yesterday, tomorrow) = (Day(today().0 - 1), Day(today().0 + 1));
    accepted(&in_term(today(), today()), &in_term(today(), today()).issue(0, 1, 20));
    let early = in_term(tomorrow, tomorrow);
    refused(&early, &early.issue(0, 1, 20), Refusal::RegimeNotYet { from: tomorrow, day: today() });
    let late = in_term(yesterday, yesterday);
    refused(&late, &late.issue(0, 1, 20), Refusal::RegimeEnded { to: yesterday, day: today() });
}

#[test]
fn a_permit_and_the_sandbox_need_capital_that_holds_on_the_day() {
    for kind in [RegimeKind::Permit, RegimeKind::AifcSandbox(1_000)] {
        let with_capital = |capital| {
            world_where_issuer(|issuer| {
                issuer.regime.as_mut().expect("a regime").kind = kind;
                issuer.capital = capital;
            })
        };
        let until = |to| Some(Capital { attestation: Hash([1; 32]), amount_kzt: 200_000_000, to });
        let without = with_capital(None);
        refused(&without, &without.issue(0, 1, 20), Refusal::CapitalMissing);
        let lapsed = with_capital(until(Day(today().0 - 1)));
        let refusal = Refusal::CapitalLapsed { to: Day(today().0 - 1), day: today() };
        refused(&lapsed, &lapsed.issue(0, 1, 20), refusal);
        let good = with_capital(until(today()));
        accepted(&good, &good.issue(0, 1, 20));
    }
}

#[test]
fn the_sandbox_caps_the_tokens_in_total() {
    let mut world = world_where_issuer(|issuer| {
        issuer.regime.as_mut().expect("a regime").kind = RegimeKind::AifcSandbox(45);
        issuer.capital = Some(Capital { attestation: Hash([1; 32]), amount_kzt: 1, to: day(2030, 1, 1) });
    });
    world.block(&[world.issue(0, 1, 25)]);
    accepted(&world, &world.issue(0, 101, 20));
    refused(&world, &world.issue(0, 101, 21), Refusal::CapReached { issued: 25, asked: 21, cap: 45 });
}

#[test]
fn every_scope_of_an_award_is_accredited() {
    let world = World::new();
    let other = Scope { programme: Programme::new("7M06101").expect("a code"), ..scope() };
    let mixed = issue(&world, |issue| issue.scopes.push(other.clone()));
    refused(&world, &mixed, Refusal::NotAccredited(other));
    let doctor = Scope { level: Level::new(8).expect("a level"), ..scope() };
    refused(&world, &issue(&world, |i| i.scopes = vec![doctor.clone()]), Refusal::NotAccredited(doctor));
}

#[test]
fn an_award_is_accredited_in_its_own_month() {
    let (from, to) = (day(2026, 5, 31), day(2026, 6, 1));
    let world =
        world_with(|records| (records.accreditations[0].2.from, records.accreditations[0].2.to) = (from, to));
    let in_month =
        |month| issue(&world, |issue| issue.awarded_month = Month::new(2026, month).expect("a month"));
    accepted(&world, &in_month(5));
    accepted(&world, &in_month(6));
    let month = Month::new(2026, 4).expect("a month");
    refused(&world, &in_month(4), Refusal::NotAccreditedThen { scope: scope(), month, from, to });
}

#[test]
fn the_archive_is_not_asked_for_accreditation() {
    let world = World::new();
    let old = Month::new(1998, 6).expect("a month");
    let of = |basis| issue(&world, |issue| (issue.basis, issue.awarded_month) = (basis, old));
    accepted(&world, &of(Basis::Archive));
    let (from, to) = (day(2022, 1, 1), day(2026, 12, 31));
    let refusal = Refusal::NotAccreditedThen { scope: scope(), month: old, from, to };
    refused(&world, &of(Basis::Award), refusal);
}

#[test]
fn a_month_of_award_that_has_not_begun_is_refused() {
    let world = World::new();
    let in_month =
        |month| issue(&world, |issue| issue.awarded_month = Month::new(2026, month).expect("a month"));
    accepted(&world, &in_month(7));
    let month = Month::new(2026, 8).expect("a month");
    refused(&world, &in_month(8), Refusal::AwardedInFuture { month, day: today() });
}

#[test]
fn the_daily_limit_holds_until_midnight_in_kazakhstan() {
    let mut world = World::new();
    world.block(&[world.issue(0, 1, 1_000)]);
    accepted(&world, &world.issue(0, 2_001, 500));
    let refusal = Refusal::DailyIssueLimit { issued: 1_000, asked: 501, daily_max: 1_500 };
    refused(&world, &world.issue(0, 2_001, 501), refusal);
    accepted(&world, &world.issue(1, 2_001, 501));

    // 10:00 in Kazakhstan at genesis: 14 hours to midnight.
    let midnight = GENESIS_TIME.saturating_add_ms(14 * HOUR_MS);
    world.block_at(Timestamp(midnight.0 - 2), &[]);
    let transaction = world.issue(0, 2_001, 501);
    let refusal = Refusal::DailyIssueLimit { issued: 1_000, asked: 501, daily_max: 1_500 };
    assert_eq!(verdict_at(&world, Timestamp(midnight.0 - 1), &transaction).err(), Some(refusal));
    assert!(verdict_at(&world, midnight, &transaction).is_ok());
}

#[test]
fn fewer_than_twenty_entries_are_flagged_small() {
    let world = World::new();
    let with =
        |count, small| issue(&world, |issue| (issue.entries, issue.small) = (entries(1, count), small));
    accepted(&world, &with(19, true));
    accepted(&world, &with(20, false));
    refused(&world, &with(19, false), Refusal::SmallNotDeclared { count: 19 });
    refused(&world, &with(20, true), Refusal::SmallWithoutNeed { count: 20 });
}

#[test]
fn a_fingerprint_is_recorded_once_for_each_issuer() {
    let mut world = World::new();
    let first = world.issue(0, 1, 20);
    world.block(std::slice::from_ref(&first));
    let refused_one = entries(1, 20)[0].fingerprint;
    refused(&world, &first, Refusal::AlreadyRecorded(refused_one));
    refused(&world, &world.issue(0, 20, 20), Refusal::AlreadyRecorded(fingerprint(20)));
    accepted(&world, &world.issue(1, 1, 20));
}
