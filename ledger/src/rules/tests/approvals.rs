//! Who must approve: exactly a registrar and an approver, or exactly the holder.

use tanba_crypto::{SignatureError, Verify};

use super::{accepted, refused};
use crate::{
    Approval, Operation, Transaction,
    record::KeyRole,
    rules::Refusal,
    testkit::{World, award, bin, holder_act, holder_key, keys},
    transaction::factor,
};

fn issue(world: &World) -> crate::TransactionBody {
    world.body(0, Operation::Issue(award(1, 20)))
}

#[test]
fn a_registrar_and_an_approver_are_enough() {
    let world = World::new();
    accepted(&world, &world.issue(0, 1, 20));
}

#[test]
fn one_officer_cannot_mint() {
    let (world, keys) = (World::new(), keys(0));
    let alone = |role, key| world.approved(issue(&world), &[(role, key)]);
    let registrar = alone(KeyRole::Registrar, &keys.registrar);
    refused(&world, &registrar, Refusal::ApprovalMissing(KeyRole::Approver));
    let approver = alone(KeyRole::Approver, &keys.approver);
    refused(&world, &approver, Refusal::ApprovalMissing(KeyRole::Registrar));
}

#[test]
fn one_key_cannot_approve_in_two_roles() {
    let (world, keys) = (World::new(), keys(0));
    let body = issue(&world);
    let sign = |role| Approval::by_officer(&world.chain, body.id(), role, factor::KEY, &keys.registrar);
    let twice = Transaction {
        body: body.clone(),
        approvals: vec![sign(KeyRole::Registrar), sign(KeyRole::Approver)],
    };
    assert!(matches!(twice.verify(&world.chain), Err(SignatureError::Structure(_))));
    let key = keys.registrar.public();
    let other_role = world.approved(body.clone(), &[(KeyRole::Approver, &keys.registrar)]);
    let refusal = Refusal::WrongRole { key, claimed: KeyRole::Approver, held: KeyRole::Registrar };
    refused(&world, &other_role, refusal);
}

#[test]
fn a_key_of_another_institution_is_unknown() {
    let (world, own, other) = (World::new(), keys(0), keys(1));
    let officers = [(KeyRole::Registrar, &own.registrar), (KeyRole::Approver, &other.approver)];
    let transaction = world.approved(issue(&world), &officers);
    refused(&world, &transaction, Refusal::UnknownKey { key: other.approver.public(), institution: bin(0) });
}

#[test]
fn one_approval_too_many_is_refused() {
    let (world, keys) = (World::new(), keys(0));
    let three = [
        (KeyRole::Registrar, &keys.registrar),
        (KeyRole::Approver, &keys.approver),
        (KeyRole::Admin, &keys.admin),
    ];
    refused(&world, &world.approved(issue(&world), &three), Refusal::ApprovalUnneeded(keys.admin.public()));

    let mut with_holder = world.issue(0, 1, 20).into_inner();
    let holder = holder_key(1);
    with_holder.approve(Approval::by_holder(&world.chain, with_holder.id(), &holder));
    let expected = with_holder.approvals.iter().position(|approval| matches!(approval, Approval::Holder(_)));
    assert!(expected.is_some(), "the holder approved too");
    refused(&world, &world.verified(with_holder), Refusal::ApprovalUnneeded(holder.public()));
}

#[test]
fn an_officer_beside_the_holder_is_refused() {
    let mut world = World::new();
    world.block(&[world.issue(0, 1, 20)]);
    let (keys, holder) = (keys(0), holder_key(1));
    let mut both = world.holder_operation(0, 1, Operation::Restrict(holder_act(0, 1, 1))).into_inner();
    let approval =
        Approval::by_officer(&world.chain, both.id(), KeyRole::Registrar, factor::KEY, &keys.registrar);
    both.approve(approval);
    let both = world.verified(both);
    refused(&world, &both, Refusal::ApprovalUnneeded(keys.registrar.public()));
    let two_holders = {
        let body = world.body(0, Operation::Restrict(holder_act(0, 1, 1)));
        let mut two = world.by_holder(body, &holder).into_inner();
        two.approve(Approval::by_holder(&world.chain, two.id(), &holder_key(2)));
        world.verified(two)
    };
    let second = *two_holders.approvals[1].key();
    refused(&world, &two_holders, Refusal::ApprovalUnneeded(second));
}
