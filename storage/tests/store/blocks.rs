//! What is committed is read back, by every reader, at every time; what is not, is not seen.

use tanba_crypto::Hash;
use tanba_ledger::{
    BlockHash, ChainId, Height,
    merkle::{NodeReader, ReadError},
};
use tanba_storage::{Position, READABLE_BLOCKS, Store, StoreError, StoreReader};

use crate::{
    chain,
    rig::{Rig, commit, commit_to, everything, over_both_stores, replayed},
};

over_both_stores!(
    a_body_that_is_not_under_its_headers_root_is_not_handed_out,
    blocks_and_all_that_derives_from_them_outlive_a_reopening,
    a_crash_after_a_commit_loses_nothing,
    after_a_write_behind_nothing_is_applied_again,
    nothing_is_found_above_the_head_or_outside_the_chain,
    transactions_are_found_by_their_place,
    long_bodies_are_kept_in_pieces,
    a_reader_keeps_its_root_while_blocks_go_on,
    dead_branches_go_and_leaves_stay,
    a_store_of_another_network_is_refused,
    a_home_without_store_is_refused,
    a_store_is_founded_once,
    a_block_that_does_not_extend_the_head_is_our_own_mistake,
    a_replay_that_gives_another_state_is_damage,
    a_head_whose_certificate_does_not_verify_is_damage,
);

fn blocks_and_all_that_derives_from_them_outlive_a_reopening<R: Rig>() {
    let (mut rig, mut store) = R::founded();
    commit_to(&mut store, 9);
    let before = everything(&store.reader(), 9);
    let mut store = rig.reopen(store);
    assert_eq!(everything(&store.reader(), 9), before);
    commit_to(&mut store, 12);
    let before = everything(&store.reader(), 12);
    let store = rig.reopen(store);
    assert_eq!(everything(&store.reader(), 12), before);
}

fn a_crash_after_a_commit_loses_nothing<R: Rig>() {
    let (mut rig, mut store) = R::founded();
    commit_to(&mut store, 3);
    store.write_behind().run().expect("written behind");
    commit_to(&mut store, 7);
    let before = everything(&store.reader(), 7);
    replayed();
    rig.crash(store);
    let store = rig.open().expect("opened");
    assert_eq!(replayed(), 4, "blocks 4 to 7 are above the checkpoint");
    assert_eq!(everything(&store.reader(), 7), before);
}

fn after_a_write_behind_nothing_is_applied_again<R: Rig>() {
    let (mut rig, mut store) = R::founded();
    commit_to(&mut store, 20);
    store.write_behind().run().expect("written behind");
    let before = everything(&store.reader(), 20);
    replayed();
    rig.crash(store);
    let store = rig.open().expect("opened");
    assert_eq!(replayed(), 0);
    assert_eq!(everything(&store.reader(), 20), before);
}

fn nothing_is_found_above_the_head_or_outside_the_chain<R: Rig>() {
    let (_rig, mut store) = R::founded();
    commit_to(&mut store, 2);
    let reader = store.reader();
    assert_eq!(reader.block(Height(3)), Ok(None));
    assert_eq!(reader.header(Height(u64::MAX)), Ok(None));
    assert_eq!(reader.finalization(Height(3)), Ok(None));
    assert_eq!(reader.finalization(Height::GENESIS), Ok(None));
    assert_eq!(reader.height_of(&BlockHash(Hash::ZERO)), Ok(None));
    assert_eq!(reader.history_node(0, 3), Ok(None));
    assert_eq!(reader.history_node(2, 0), Ok(None), "four blocks complete it");
    assert_eq!(reader.node(&Hash::ZERO), Err(ReadError::Missing(Hash::ZERO)));
    commit(&mut store, 0).expect("a question without answer stops nothing");
}

fn transactions_are_found_by_their_place<R: Rig>() {
    let (_rig, mut store) = R::founded();
    commit_to(&mut store, 1);
    let block = commit(&mut store, 5).expect("committed");
    let third = block.transactions[2].id();
    let expected = Some(Position { height: Height(2), index: 2 });
    assert_eq!(store.reader().position(&third), Ok(expected));
    store.write_behind().run().expect("written behind");
    assert_eq!(store.reader().position(&third), Ok(expected));
    assert_eq!(store.reader().position(&chain::transaction(chain::chain_id(), 1).id()), Ok(None));
}

fn long_bodies_are_kept_in_pieces<R: Rig>() {
    let (mut rig, mut store) = R::founded();
    let block = commit(&mut store, 80).expect("committed");
    rig.crash(store);
    let store = rig.open().expect("opened");
    let found = store.reader().block(Height(1)).expect("readable").expect("there");
    assert_eq!(found.block, block);
    assert!(store.size_bytes().expect("measured") > 4 * 4096, "several pieces");
}

fn a_reader_keeps_its_root_while_blocks_go_on<R: Rig>() {
    let (_rig, mut store) = R::founded();
    commit_to(&mut store, 2);
    let reader = store.reader();
    let tip = reader.tip();
    for round in 0..READABLE_BLOCKS {
        assert!(reader.node(&chain::root(&tip)).is_ok(), "{round} blocks later");
        commit(&mut store, 1).expect("committed");
        if round % 3 == 0 {
            store.write_behind().run().expect("written behind");
        }
    }
    assert!(reader.node(&chain::root(&tip)).is_ok(), "{READABLE_BLOCKS} blocks later");
    assert_eq!(tip.header.height, Height(2), "a tip is a value");
}

fn dead_branches_go_and_leaves_stay<R: Rig>() {
    for (written, each) in [(true, 1), (true, 4), (false, 1), (false, 4)] {
        let (_rig, mut store) = R::founded();
        commit_to(&mut store, 1);
        let old = chain::root(&store.reader().tip());
        if written {
            store.write_behind().run().expect("written behind");
        }
        for _ in 0..READABLE_BLOCKS + 2 * each {
            commit(&mut store, 1).expect("committed");
            if store.reader().tip().header.height.0.is_multiple_of(each) {
                store.write_behind().run().expect("written behind");
            }
        }
        let found = store.reader().node(&old);
        assert_eq!(found, Err(ReadError::Missing(old)), "on disk: {written}, written each {each} blocks");
        assert!(store.reader().node(&chain::leaf_hash(Height(1))).is_ok());
    }
}

fn a_store_of_another_network_is_refused<R: Rig>() {
    let rig = R::new();
    let (genesis, delta) = chain::genesis();
    rig.create(&genesis, delta).expect("founded");
    let other = ChainId(Hash([1; 32]));
    assert!(matches!(rig.open_as(&other).err(), Some(StoreError::WrongNetwork { .. })));
}

fn a_home_without_store_is_refused<R: Rig>() {
    assert!(matches!(R::new().open().err(), Some(StoreError::Missing(_))));
}

fn a_store_is_founded_once<R: Rig>() {
    let (rig, store) = R::founded();
    drop(store);
    let (genesis, delta) = chain::genesis();
    assert!(matches!(rig.create(&genesis, delta), Err(StoreError::Exists(_))));
}

fn a_block_that_does_not_extend_the_head_is_our_own_mistake<R: Rig>() {
    let (_rig, mut store) = R::founded();
    let reader = store.reader();
    let (block, certificate, delta) = chain::next(&reader.tip(), &reader, 1);
    store.commit(&block, &certificate, delta.clone()).expect("committed");
    let again = std::panic::AssertUnwindSafe(|| store.commit(&block, &certificate, delta.clone()));
    assert!(std::panic::catch_unwind(again).is_err());
    assert!(matches!(reader.block(Height(1)), Err(StoreError::Stopped(_))), "and the store's last");
}

fn a_replay_that_gives_another_state_is_damage<R: Rig>() {
    let (mut rig, mut store) = R::founded();
    let reader = store.reader();
    let (mut block, _, _) = chain::next(&reader.tip(), &reader, 1);
    // Committed with a root that the rules do not give.
    let mut delta = chain::replay(&block, &reader.tip(), &reader).expect("applies");
    delta.tip.roots.0[0] = Hash([7; 32]);
    block.header.state = delta.tip.roots.root();
    delta.tip.header = block.header.clone();
    delta.tip.hash = block.hash();
    store.commit(&block, &chain::certificate(&block), delta).expect("committed");
    rig.crash(store);
    let refusal = rig.open().err().expect("refused");
    assert!(matches!(refusal, StoreError::Damaged { .. }), "{refusal}");
    assert!(refusal.to_string().contains("sets the folder `store` aside"), "{refusal}");
}

fn a_body_that_is_not_under_its_headers_root_is_not_handed_out<R: Rig>() {
    let (_rig, mut store) = R::founded();
    let reader = store.reader();
    let (mut block, certificate, delta) = chain::next(&reader.tip(), &reader, 2);
    block.transactions.swap(0, 1);
    store.commit(&block, &certificate, delta).expect("the caller checks roots, not the store");
    let refusal = reader.block(Height(1)).expect_err("refused");
    assert!(refusal.to_string().contains("not the one under the header's root"), "{refusal}");
}

fn a_head_whose_certificate_does_not_verify_is_damage<R: Rig>() {
    for written in [true, false] {
        let (rig, mut store) = R::founded();
        commit_to(&mut store, 1);
        let reader = store.reader();
        let (block, mut certificate, delta) = chain::next(&reader.tip(), &reader, 1);
        certificate.signatures.swap(0, 1);
        store.commit(&block, &certificate, delta).expect("the caller checks signatures, not the store");
        if written {
            store.write_behind().run().expect("written behind");
        }
        drop((store, reader));
        let refusal = rig.open().err().expect("refused");
        assert!(refusal.to_string().contains("certificate does not verify"), "{refusal}");
    }
}
