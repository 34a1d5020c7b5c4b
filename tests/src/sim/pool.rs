//! Transactions that runs draw from. Making and signing them costs more than agreeing on them, so each is made
//! once a thread.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use tanba_crypto::Verified;
use tanba_ledger::{
    Operation, Transaction,
    record::KeyRole,
    testkit::{self, World},
};

/// Transactions of a pool.
const COUNT: u64 = 64;

/// Every so many, one issues a diploma that another one issues too.
const CLASH_EVERY: u64 = 8;

struct Pool {
    transactions: Rc<[Verified<Transaction>]>,
    kept: Verified<Transaction>,
    alone: Rc<Transaction>,
}

thread_local! {
    static POOLS: RefCell<HashMap<usize, Pool>> = RefCell::default();
}

/// The pool of a network of so many universities; every transaction is valid on genesis, not all of them
/// together.
pub fn transactions(universities: usize) -> Rc<[Verified<Transaction>]> {
    with(universities, |pool| pool.transactions.clone())
}

/// One that is not among them, and valid whatever became of them.
pub fn kept(universities: usize) -> Verified<Transaction> {
    with(universities, |pool| pool.kept.clone())
}

/// A mint that only one officer approved; its one signature holds.
pub fn approved_by_one(universities: usize) -> Rc<Transaction> {
    with(universities, |pool| pool.alone.clone())
}

fn with<T>(universities: usize, take: impl Fn(&Pool) -> T) -> T {
    POOLS.with_borrow_mut(|pools| take(pools.entry(universities).or_insert_with(|| fill(universities))))
}

fn fill(universities: usize) -> Pool {
    let world = World::founded(&testkit::records_of(universities));
    let university = |number: u64| number as usize % universities;
    let issue = |number: u64| {
        let first = if number % CLASH_EVERY == CLASH_EVERY - 1 { number - 1 } else { number };
        // The clashing one is approved by the same university, for the same diplomas and one more.
        let count = if first == number { 2 } else { 3 };
        world.issue(university(first), first * 4, count)
    };
    let body = world.body(0, Operation::Issue(testkit::award(1_000_000, 1)));
    let registrar = testkit::keys(0).registrar;
    let alone = world.approved(body, &[(KeyRole::Registrar, &registrar)]);
    Pool {
        transactions: (0..COUNT).map(issue).collect(),
        kept: world.issue(1, 2_000_000, 2),
        alone: Rc::new(alone.into_inner()),
    }
}
