//! Chain, expiry, institution, audit head, lists.

use tanba_crypto::Hash;

use super::{accepted, record, refused, verdict_at, world_with};
use crate::{
    ChainId, Operation, Timestamp, TransactionBody,
    limits::{ENTRIES_MAX, EXPIRY_MS_MAX, SCOPES_MAX},
    operation::Reason,
    record::{NetworkKind, RecordKey},
    rules::{List, Refusal},
    testkit::{World, award, bin, changes, entries, holder_act, holder_key, scope},
    transaction::{AuditHead, factor},
};

/// A world that is no devnet; its officers' factors stay what the test kit signs with.
fn main_world() -> World {
    let mut world = World::new();
    world.tip.params.kind = NetworkKind::Main;
    world
}

fn with_audit(world: &World, first: u64, audit: Option<AuditHead>) -> TransactionBody {
    TransactionBody { audit, ..world.body(0, Operation::Issue(award(first, 1))) }
}

fn head(count: u64, n: u8) -> AuditHead {
    AuditHead { count, head: Hash([n; 32]) }
}

#[test]
fn a_transaction_for_another_network_is_refused() {
    let world = World::new();
    let elsewhere = ChainId(Hash([7; 32]));
    let mut foreign = world.clone();
    foreign.chain = elsewhere;
    refused(
        &world,
        &foreign.issue(0, 1, 20),
        Refusal::WrongChain { found: elsewhere, expected: world.chain },
    );
}

#[test]
fn a_transaction_applies_up_to_its_expiry_and_not_after() {
    let world = World::new();
    let transaction = world.issue(0, 1, 20);
    let expiry = transaction.body.expiry;
    assert!(verdict_at(&world, expiry, &transaction).is_ok());
    let time = expiry.saturating_add_ms(1);
    assert_eq!(verdict_at(&world, time, &transaction).err(), Some(Refusal::Expired { expiry, time }));
}

#[test]
fn an_expiry_more_than_a_day_ahead_is_refused() {
    let world = World::new();
    let time = world.next_time();
    let with_expiry = |expiry| {
        world.by_officers(0, TransactionBody { expiry, ..world.body(0, Operation::Issue(award(1, 20))) })
    };
    accepted(&world, &with_expiry(time.saturating_add_ms(EXPIRY_MS_MAX)));
    let expiry = time.saturating_add_ms(EXPIRY_MS_MAX + 1);
    refused(&world, &with_expiry(expiry), Refusal::ExpiryTooFar { expiry, time });
}

#[test]
fn an_institution_that_is_not_on_the_ledger_is_refused() {
    let world = World::new();
    let stranger = 9;
    let transaction = world.operation(stranger, Operation::Issue(award(1, 20)));
    refused(&world, &transaction, Refusal::UnknownInstitution(bin(stranger)));
}

#[test]
fn the_audit_head_is_required_outside_a_devnet_alone() {
    let world = main_world();
    refused(&world, &world.by_officers(0, with_audit(&world, 1, None)), Refusal::AuditMissing);
    accepted(&world, &world.by_officers(0, with_audit(&world, 1, Some(head(1, 1)))));
    accepted(&World::new(), &World::new().issue(0, 1, 1));
}

#[test]
fn one_audit_count_has_one_head() {
    let mut world = World::new();
    world.block(&[world.by_officers(0, with_audit(&world, 1, Some(head(5, 1))))]);
    accepted(&world, &world.by_officers(0, with_audit(&world, 2, Some(head(5, 1)))));
    let conflict = Refusal::AuditConflict { count: 5, held: Hash([1; 32]) };
    refused(&world, &world.by_officers(0, with_audit(&world, 2, Some(head(5, 2)))), conflict);
}

#[test]
fn a_lower_audit_count_is_accepted_and_the_highest_is_kept() {
    let mut world = World::new();
    world.block(&[
        world.by_officers(0, with_audit(&world, 1, Some(head(5, 1)))),
        world.by_officers(0, with_audit(&world, 2, Some(head(4, 2)))),
    ]);
    let held = record::<AuditHead>(&world, &RecordKey::audit(bin(0))).expect("a head");
    assert_eq!(held.value, head(5, 1));
}

#[test]
fn a_holder_cannot_speak_for_the_audit_log() {
    let mut world = main_world();
    world.block(&[world.by_officers(0, with_audit(&world, 1, Some(head(1, 1))))]);
    let body = world.body(0, Operation::Restrict(holder_act(0, 1, 1)));
    accepted(&world, &world.by_holder(body.clone(), &holder_key(1)));
    let loud = TransactionBody { audit: Some(head(u64::MAX, 9)), ..body };
    refused(&world, &world.by_holder(loud, &holder_key(1)), Refusal::AuditByHolder);
}

#[test]
fn empty_and_too_long_lists_are_refused() {
    let world = World::new();
    let issue = |change: &dyn Fn(&mut crate::operation::Issue)| {
        let mut issue = award(1, 20);
        change(&mut issue);
        world.operation(0, Operation::Issue(issue))
    };
    let length = |list, count, count_max| Refusal::ListLength { list, count, count_max };
    refused(&world, &issue(&|issue| issue.entries.clear()), length(List::Entries, 0, ENTRIES_MAX));
    refused(
        &world,
        &issue(&|issue| issue.entries = entries(1, 1_001)),
        length(List::Entries, 1_001, ENTRIES_MAX),
    );
    refused(&world, &issue(&|issue| issue.scopes.clear()), length(List::Scopes, 0, SCOPES_MAX));
    let none = world.operation(0, Operation::Suspend(changes(0, &[], Reason::Investigation)));
    refused(&world, &none, length(List::Changes, 0, crate::limits::CHANGES_MAX));
}

#[test]
fn unsorted_and_repeated_lists_are_refused() {
    let world = World::new();
    let mut swapped = award(1, 20);
    swapped.entries.swap(3, 4);
    let mut repeated = award(1, 20);
    repeated.entries[1] = repeated.entries[0];
    let mut scopes = award(1, 20);
    scopes.scopes = vec![scope(), scope()];
    for (issue, list, at) in
        [(swapped, List::Entries, 4), (repeated, List::Entries, 1), (scopes, List::Scopes, 1)]
    {
        refused(&world, &world.operation(0, Operation::Issue(issue)), Refusal::ListOrder { list, at });
    }
}

#[test]
fn a_key_counts_in_its_term_alone() {
    let registrar = crate::testkit::keys(0).registrar.public();
    let with_term = |from: u64, to: Option<u64>| {
        world_with(|records| {
            let own = records.keys.iter_mut().find(|(_, key, _)| *key == registrar).expect("registered");
            (own.2.from, own.2.to) = (Timestamp(from), to.map(Timestamp));
        })
    };
    let world = World::new();
    let now = world.next_time().0;
    accepted(&with_term(now, Some(now + 1)), &with_term(now, Some(now + 1)).issue(0, 1, 20));
    let early = with_term(now + 1, None);
    let refusal = Refusal::KeyNotYetInForce { key: registrar, from: Timestamp(now + 1) };
    refused(&early, &early.issue(0, 1, 20), refusal);
    let late = with_term(0, Some(now));
    refused(&late, &late.issue(0, 1, 20), Refusal::KeyRetired { key: registrar, to: Timestamp(now) });
}

#[test]
fn an_officer_recognised_by_too_few_factors_is_refused() {
    let required = factor::KEY | factor::BIOMETRIC;
    let world = world_with(|records| records.params.factors_min = required);
    let first = *world.issue(0, 1, 20).approvals[0].key();
    refused(
        &world,
        &world.issue(0, 1, 20),
        Refusal::FactorsMissing { key: first, given: factor::KEY, required },
    );
}
