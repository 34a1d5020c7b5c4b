//! One test for each reason to refuse, over the small world.

mod approvals;
mod envelope;
mod holder;
mod issue;
mod standing;

use tanba_crypto::{Canonical, Verified};

use super::{CheckError, Context, Refusal, check_transaction};
use crate::{
    Timestamp, Transaction,
    record::{Institution, RecordKey},
    state::{BlockState, Changes, GenesisRecords, Record, StateReader, StateView},
    testkit::{World, bin, records},
};

/// What the rules say of a transaction a second after the tip.
fn verdict(world: &World, transaction: &Verified<Transaction>) -> Result<Changes, Refusal> {
    verdict_at(world, world.next_time(), transaction)
}

fn verdict_at(
    world: &World,
    time: Timestamp,
    transaction: &Verified<Transaction>,
) -> Result<Changes, Refusal> {
    let state = StateView::new(&world.tip.roots, &world.nodes);
    match check_transaction(&state, transaction, &Context::on(&world.tip, time)) {
        Ok(changes) => Ok(changes),
        Err(CheckError::Refused(refusal)) => Err(refusal),
        Err(CheckError::Read(error)) => panic!("memory reads: {error}"),
    }
}

#[track_caller]
fn accepted(world: &World, transaction: &Verified<Transaction>) {
    assert_eq!(verdict(world, transaction).err(), None);
}

#[track_caller]
fn refused(world: &World, transaction: &Verified<Transaction>, expected: Refusal) {
    assert_eq!(verdict(world, transaction).err(), Some(expected));
}

/// A world whose genesis differs from the usual one.
fn world_with(change: impl FnOnce(&mut GenesisRecords)) -> World {
    let mut records = records();
    change(&mut records);
    World::founded(&records)
}

/// Changes the record of university 0 behind the rules' back, as governance will one day.
fn amend_institution(world: &mut World, change: impl FnOnce(&mut Institution)) {
    let key = RecordKey::institution(bin(0));
    let mut institution = record::<Institution>(world, &key).expect("recorded").value;
    change(&mut institution);
    let mut changes = Changes::default();
    changes.put(key, &institution);
    let mut state = BlockState::new(&world.tip.roots, &world.nodes, world.tip.header.height);
    state.write(changes).expect("memory reads");
    let update = state.finish().expect("memory reads");
    world.nodes.extend(&update.nodes);
    world.tip.roots = update.roots;
}

/// A record of the world as it stands.
fn record<T: Canonical>(world: &World, key: &RecordKey) -> Option<Record<T>> {
    StateView::new(&world.tip.roots, &world.nodes).record(key).expect("memory reads")
}
