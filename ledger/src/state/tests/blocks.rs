//! Which blocks are valid, and what they leave behind.

use tanba_crypto::{Canonical, Hash};

use crate::{
    Bin, Block, BlockHash, ChainId, Header, Height, Operation, Timestamp, View,
    limits::{BLOCK_BYTES_MAX, LOADED_VIEW_MAX, TRANSACTION_BYTES_MAX, TRANSACTIONS_MAX},
    merkle::{Leaf, MemoryNodes, Node, NodeReader, ReadError, map, tree},
    operation::Reason,
    record::{KeyRole, Quota, RecordKey, Token},
    rules::Refusal,
    state::{BlockError, InvalidBlock, Record, Room, Weight, apply, check_room, room::fit},
    testkit::{World, award, bin, changes, fingerprint, keys},
};

/// A valid next block, and the world it extends.
fn next() -> (World, Block) {
    let world = World::new();
    let built = world.build(world.next_time(), &[world.issue(0, 1, 20)]);
    let (block, _) = built.block.expect("a block");
    (world, block)
}

#[track_caller]
fn invalid(change: impl FnOnce(&mut Header)) -> InvalidBlock {
    let (world, mut block) = next();
    change(&mut block.header);
    match world.judge(&block) {
        Err(BlockError::Invalid(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_built_is_valid_and_leads_to_the_tip_it_promised() {
    let mut world = World::new();
    let genesis = world.tip.hash;
    let block = world.block(&[world.issue(0, 1, 20), world.issue(1, 1, 1)]);
    assert_eq!((block.header.height, block.header.parent), (Height(1), genesis));
    assert_eq!((block.header.chain, block.header.count), (world.chain, 2));
    assert_eq!(world.tip.hash, block.hash());
    assert_eq!(block.header.history, tree::root([genesis.0.0]));
    assert_eq!(world.tip.history.root(), tree::root([genesis.0.0, block.hash().0.0]));
    let bytes = block.transactions.iter().map(Canonical::to_canonical);
    assert_eq!(block.header.transactions, tree::root(bytes));
    assert_eq!(world.tip.roots.root(), block.header.state);
}

#[test]
fn a_header_of_other_rules_chain_height_or_parent_is_invalid() {
    let (world, _) = next();
    assert_eq!(invalid(|header| header.version = 2), InvalidBlock::Version(2));
    let found = ChainId(Hash([7; 32]));
    let expected = world.chain;
    assert_eq!(invalid(|header| header.chain = found), InvalidBlock::WrongChain { found, expected });
    let (found, expected) = (Height(2), Height(1));
    assert_eq!(invalid(|header| header.height = found), InvalidBlock::WrongHeight { found, expected });
    let parent = BlockHash(Hash([7; 32]));
    let head = world.tip.hash;
    assert_eq!(invalid(|header| header.parent = parent), InvalidBlock::WrongParent { parent, head });
}

#[test]
fn time_moves_forward() {
    let (world, _) = next();
    let parent = world.tip.header.time;
    for time in [parent, Timestamp(parent.0 - 1)] {
        let expected = InvalidBlock::TimeNotAfterParent { time, parent };
        assert_eq!(invalid(|header| header.time = time), expected);
    }
}

#[test]
fn an_empty_block_is_valid_when_a_heartbeat_is_due() {
    let mut world = World::new();
    let parent = world.tip.header.time;
    let early = world.build(Timestamp(parent.0 + 4_999), &[]);
    assert!(early.block.is_none(), "nothing to do, nothing due");
    let (mut block, _) = world.build(Timestamp(parent.0 + 5_000), &[]).block.expect("a heartbeat");
    assert!(world.judge(&block).is_ok());
    block.header.time = Timestamp(parent.0 + 4_999);
    let expected = InvalidBlock::EmptyTooEarly { elapsed_ms: 4_999, heartbeat_ms: 5_000 };
    assert_eq!(world.judge(&block), Err(expected.into()));
    let before = world.tip.roots.clone();
    world.block_at(Timestamp(parent.0 + 5_000), &[]);
    assert_eq!(world.tip.roots, before, "a heartbeat changes no record");
}

#[test]
fn the_proposer_is_a_validator() {
    for proposer in [None, Some(bin(4)), Some(Bin::with_control_digit(1).expect("control digit"))] {
        let expected = InvalidBlock::ProposerNotValidator(proposer);
        assert_eq!(invalid(|header| header.proposer = proposer), expected);
    }
}

#[test]
fn every_root_and_name_in_the_header_is_checked() {
    let found = Hash([7; 32]);
    type Change = fn(&mut Header);
    let fields: [(&str, Change); 5] = [
        ("transactions", |header| header.transactions = Hash([7; 32])),
        ("state", |header| header.state = Hash([7; 32])),
        ("history", |header| header.history = Hash([7; 32])),
        ("validators", |header| header.validators = Hash([7; 32])),
        ("next_validators", |header| header.next_validators = Hash([7; 32])),
    ];
    for (name, change) in fields {
        match invalid(change) {
            InvalidBlock::WrongHash { field, found: in_header, .. } => {
                assert_eq!((field, in_header), (name, found));
            }
            other => panic!("{other:?}"),
        }
    }
    let expected = InvalidBlock::WrongCount { found: 2, expected: 1 };
    assert_eq!(invalid(|header| header.count = 2), expected);
}

#[test]
fn one_refused_transaction_makes_the_block_invalid() {
    let (world, mut block) = next();
    let forged = world.approved(
        world.body(1, Operation::Issue(award(50, 20))),
        &[(KeyRole::Registrar, &keys(1).registrar)],
    );
    block.transactions.push(forged.clone().into_inner());
    block.header.count = 2;
    block.header.transactions = tree::root(block.transactions.iter().map(Canonical::to_canonical));
    let refusal = Refusal::ApprovalMissing(KeyRole::Approver);
    let expected = InvalidBlock::Refused { index: 1, id: forged.id(), refusal };
    assert_eq!(world.judge(&block), Err(expected.into()));
}

#[test]
fn the_same_transaction_twice_makes_the_block_invalid() {
    let (world, mut block) = next();
    block.transactions.push(block.transactions[0].clone());
    block.header.count = 2;
    block.header.transactions = tree::root(block.transactions.iter().map(Canonical::to_canonical));
    match world.judge(&block) {
        Err(BlockError::Invalid(InvalidBlock::Refused { index: 1, refusal, .. })) => {
            assert_eq!(refusal.code(), "ALREADY_RECORDED");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_store_that_fails_is_not_the_proposers_fault() {
    struct Broken;
    impl NodeReader for Broken {
        fn node(&self, _: &Hash) -> Result<Node, ReadError> {
            Err(ReadError::Store("disk gone".into()))
        }
    }
    let (world, block) = next();
    let verified: Vec<_> = block.transactions.iter().map(|tx| world.verified(tx.clone())).collect();
    let judged = apply(&block.header, &verified, &world.tip, &Broken);
    assert_eq!(judged, Err(BlockError::Read(ReadError::Store("disk gone".into()))));
}

#[test]
fn no_block_exceeds_bytes_units_or_count() {
    let room = Room::in_view(View::FIRST);
    let light = Weight { bytes: 1, units: 1 };
    assert!(fit(room, vec![light; TRANSACTIONS_MAX]).is_ok());
    assert!(fit(room, vec![light; TRANSACTIONS_MAX + 1]).is_err());
    let heavy = |bytes, units| fit(room, [Weight { bytes, units }, light]);
    assert!(heavy(BLOCK_BYTES_MAX as u64 - 1, 1).is_ok());
    assert!(heavy(BLOCK_BYTES_MAX as u64, 1).is_err());
    assert!(heavy(1, room.units).is_err());
}

#[test]
fn a_block_over_the_limit_is_invalid_before_its_transactions_are_read() {
    let mut world = World::new();
    world.tip.params.issued_daily_max = 20_000;
    let batches: Vec<_> = (0..11).map(|n| world.issue(0, n * 1_000, 1_000)).collect();
    let built = world.build(world.next_time(), &batches[..1]);
    let (mut block, _) = built.block.expect("a block");
    block.transactions = batches.into_iter().map(tanba_crypto::Verified::into_inner).collect();
    block.header.count = 11;
    block.header.transactions = tree::root(block.transactions.iter().map(Canonical::to_canonical));
    let judged = world.judge(&block);
    assert!(matches!(judged, Err(BlockError::Invalid(InvalidBlock::TooLarge { .. }))), "{judged:?}");
}

#[test]
fn only_branches_of_the_newest_root_and_all_leaves_are_kept() {
    fn count(nodes: &MemoryNodes, at: &Hash) -> usize {
        match nodes.node(at) {
            Ok(Node::Branch(branch)) => 1 + count(nodes, &branch.left) + count(nodes, &branch.right),
            Ok(Node::Leaf(leaf)) if leaf.previous == Hash::ZERO => 1,
            Ok(Node::Leaf(leaf)) => 1 + count(nodes, &leaf.previous),
            Err(error) => panic!("{error}"),
        }
    }
    let mut world = World::new();
    world.block(&[world.issue(0, 1, 20)]);
    world.block(&[world.issue(0, 100, 20), world.issue(1, 1, 20)]);
    let suspend = Operation::Suspend(changes(0, &[(1, 1), (9, 1)], Reason::Investigation));
    world.block(&[world.operation(0, suspend)]);
    let roots = world.tip.roots.0.iter().filter(|root| **root != Hash::ZERO);
    assert_eq!(roots.map(|root| count(&world.nodes, root)).sum::<usize>(), world.nodes.len());
}

#[test]
fn a_fresh_block_of_a_later_view_is_smaller() {
    let mut world = World::new();
    world.tip.params.issued_daily_max = 10_000;
    let batches: Vec<_> = (0..6).map(|n| world.issue(0, n * 1_000, 1_000).into_inner()).collect();
    assert!(Weight::of(&batches[0]).bytes <= TRANSACTION_BYTES_MAX as u64);
    assert!(check_room(&batches, View(1)).is_ok());
    assert!(check_room(&batches, View(2)).is_err());
    let (last_loaded, above) = (View(LOADED_VIEW_MAX), View(LOADED_VIEW_MAX + 1));
    assert!(check_room(&batches[..1], last_loaded).is_ok(), "the largest transaction fits");
    assert!(check_room(&batches[..1], above).is_err());
}

#[test]
fn every_version_names_the_one_before_it() {
    let mut world = World::new();
    world.block(&[world.issue(0, 1, 20)]);
    let suspend = Operation::Suspend(changes(0, &[(1, 1)], Reason::Investigation));
    let reinstate = Operation::Reinstate(changes(0, &[(1, 2)], Reason::InvestigationClosed));
    world.block(&[world.operation(0, suspend), world.operation(0, reinstate)]);
    let key = RecordKey::token(bin(0), &fingerprint(1));
    let mut at = map::get(&world.nodes, &world.tip.roots.of(key.table), &key.key)
        .expect("memory reads")
        .expect("a token");
    let mut versions = Vec::new();
    loop {
        versions.push((at.version, at.changed_at));
        Record::<Token>::of(&at).expect("a token");
        if at.previous == Hash::ZERO {
            break;
        }
        at = match world.nodes.node(&at.previous) {
            Ok(Node::Leaf(leaf)) => leaf,
            other => panic!("{other:?}"),
        };
    }
    assert_eq!(versions, [(3, Height(2)), (2, Height(2)), (1, Height(1))]);
}

#[test]
fn a_quota_has_one_version_a_block() {
    let mut world = World::new();
    let block: Vec<_> = (0..5).map(|n| world.issue(0, n, 1)).collect();
    world.block(&block);
    let key = RecordKey::quota(bin(0));
    let leaf: Leaf = map::get(&world.nodes, &world.tip.roots.of(key.table), &key.key)
        .expect("memory reads")
        .expect("a quota");
    assert_eq!((leaf.version, leaf.previous), (1, Hash::ZERO));
    assert_eq!(Record::<Quota>::of(&leaf).expect("a quota").issued_total, 5);
}

#[test]
fn the_clock_decides_on_live_proposals_alone() {
    use crate::state::{Live, check_live};
    let (world, block) = next();
    let parent = world.tip.header.time;
    let at = |time: u64, now: u64| {
        let header = Header { time: Timestamp(parent.0 + time), ..block.header.clone() };
        check_live(&header, &world.tip, Timestamp(parent.0 + now))
    };
    assert_eq!(at(100_000, 100_000), Live::Now);
    assert_eq!(at(102_000, 100_000), Live::Now);
    assert_eq!(at(102_001, 100_000), Live::HoldUntil(Timestamp(parent.0 + 100_001)));
    assert_eq!(at(102_001, 100_001), Live::Now);
    assert_eq!(at(70_000, 100_000), Live::Now);
    let earliest = Timestamp(parent.0 + 70_000);
    assert_eq!(at(69_999, 100_000), Live::Stale { earliest });
    let header = Header { time: Timestamp(parent.0 + 1), ..block.header.clone() };
    let behind = Timestamp(parent.0 - 60_000);
    assert_eq!(check_live(&header, &world.tip, behind), Live::Now, "a parent ahead of all clocks");
}
