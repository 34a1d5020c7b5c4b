//! Blocks whose transactions carry good signatures: what lies behind the check of signatures is attacked too.

use std::sync::OnceLock;

use tanba_crypto::{Canonical, Verified};
use tanba_ledger::{
    Approval, Block, Operation, Transaction,
    limits::BLOCK_BYTES_MAX,
    operation::Reason,
    record::KeyRole,
    state::apply,
    testkit::{self, UNIVERSITIES, World, changes, holder_act, holder_key},
    transaction::factor,
};

use crate::fuzz::{Bound, Target};

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "block-apply",
        input_bytes_max: 8 * 1024,
        // The transactions twice, and the paths of the state that they touch: up to 256 hashes for each of their parts.
        bound: Bound { factor: 100, constant_bytes: 256 * 1024 },
        seeds,
        words: &[],
        attack: build_and_judge,
    }]
}

/// A world in which diplomas 1 to 30 of university 0 are issued, and one is suspended.
fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let mut world = World::new();
        let issued = world.issue(0, 1, 30);
        world.block(&[issued]);
        let suspended = world.operation(0, Operation::Suspend(changes(0, &[(2, 1)], Reason::Investigation)));
        world.block(&[suspended]);
        world
    })
}

/// Signs what was decoded, as accomplices of the attacker would: its own officers, or holders.
fn signed(transaction: Transaction) -> Verified<Transaction> {
    let mut body = transaction.body;
    body.chain = world().chain;
    let institution = (0..UNIVERSITIES).find(|n| testkit::bin(*n) == body.institution).unwrap_or_default();
    let (id, keys) = (body.id(), testkit::keys(institution));
    let approvals = transaction.approvals.iter().take(4).map(|approval| match approval {
        Approval::Holder(_) => Approval::by_holder(&body.chain, id, &holder_key(1)),
        Approval::Officer(officer) => {
            let key = if officer.role == KeyRole::Approver { &keys.approver } else { &keys.registrar };
            Approval::by_officer(&body.chain, id, officer.role, factor::KEY, key)
        }
    });
    let approvals: Vec<Approval> = approvals.collect();
    let mut transaction = Transaction { body, approvals: Vec::new() };
    approvals.into_iter().for_each(|approval| transaction.approve(approval));
    let chain = world().chain;
    Verified::check(transaction, &chain).expect("signatures made here hold")
}

fn build_and_judge(bytes: &[u8]) {
    let Ok(block) = Block::from_canonical(bytes, BLOCK_BYTES_MAX) else { return };
    let transactions: Vec<Verified<Transaction>> =
        block.transactions.into_iter().take(8).map(signed).collect();
    let world = world();
    // A leader that lies: any header over these transactions. A refusal is an answer.
    drop(apply(&block.header, &transactions, &world.tip, &world.nodes));
    // A leader that is honest but was handed these transactions: what it builds is valid.
    let built = world.build(world.next_time(), &transactions);
    if let Some((block, delta)) = built.block {
        assert_eq!(world.judge(&block), Ok(delta), "what an honest leader builds is valid");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let world = world();
    let operations = [
        Operation::Revoke(changes(0, &[(3, 1)], Reason::CourtOrder)),
        Operation::Reinstate(changes(0, &[(2, 2)], Reason::InvestigationClosed)),
        Operation::Replace(testkit::replacements(0, &[(4, 1)])),
    ];
    let mut transactions = vec![world.issue(0, 40, 2), world.issue(1, 1, 20)];
    transactions.extend(operations.map(|operation| world.operation(0, operation)));
    for act in [Operation::Restrict, Operation::Withdraw] {
        transactions.push(world.holder_operation(0, 1, act(holder_act(0, 1, 1))));
    }
    let of = |transactions: &[Verified<Transaction>]| {
        let built = world.build(world.next_time(), transactions);
        built.block.map(|(block, _)| block.to_canonical())
    };
    transactions.iter().filter_map(|one| of(std::slice::from_ref(one))).chain(of(&transactions)).collect()
}
