//! Random operations against a naive model: a map of tokens with the rules of standing and visibility spelled
//! out by hand. The real state must accept exactly what the model accepts, hold what it holds, and have the
//! roots of a trie built from its leaves at once.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tanba_crypto::{Hash, Verified};

use crate::{
    Operation, Transaction,
    merkle::{Leaf, MemoryNodes, Node, NodeReader, map},
    operation::Reason,
    record::{RecordKey, Standing, Table, Token, Visibility},
    state::{LeftOut, StateReader, StateView},
    testkit::{World, bin, changes, fingerprint, holder_act, replacements},
};

/// What a test does: numbers are kept small, so that operations meet.
#[derive(Clone, Debug)]
enum Step {
    Issue { university: usize, first: u64, count: u64 },
    Stand { university: usize, kind: u8, tokens: Vec<(u64, u32)> },
    Hold { university: usize, kind: u8, number: u64, version: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    let token = || (0..6u64, 1..5u32);
    prop_oneof![
        (0..2usize, 0..6u64, 1..4u64).prop_map(|(university, first, count)| Step::Issue {
            university,
            first,
            count
        }),
        (0..2usize, 0..4u8, prop::collection::vec(token(), 1..3)).prop_map(
            |(university, kind, mut tokens)| {
                tokens.sort();
                tokens.dedup_by_key(|(number, _)| *number);
                Step::Stand { university, kind, tokens }
            }
        ),
        (0..2usize, 0..3u8, token()).prop_map(|(university, kind, (number, version))| Step::Hold {
            university,
            kind,
            number,
            version
        }),
    ]
}

#[derive(Clone, PartialEq, Debug)]
struct Naive {
    version: u32,
    standing: Standing,
    visibility: Visibility,
    acts: u8,
}

type Model = BTreeMap<(usize, u64), Naive>;

/// What the model makes of a step, or `None` if it refuses.
fn expected(model: &Model, step: &Step) -> Option<Model> {
    let mut next = model.clone();
    match step {
        Step::Issue { university, first, count } => {
            for number in *first..first + count {
                let fresh =
                    Naive { version: 1, standing: Standing::Valid, visibility: Visibility::Open, acts: 0 };
                if next.insert((*university, number), fresh).is_some() {
                    return None;
                }
            }
        }
        Step::Stand { university, kind, tokens } => {
            for (number, version) in tokens {
                let token =
                    next.get_mut(&(*university, *number)).filter(|token| token.version == *version)?;
                token.version += 1;
                token.standing = match (token.standing, kind) {
                    (Standing::Valid, 0) => Standing::Suspended,
                    (Standing::Suspended, 1) => Standing::Valid,
                    (Standing::Valid | Standing::Suspended, 2) => Standing::Revoked,
                    (Standing::Valid | Standing::Suspended, 3) => Standing::Replaced(Hash::plain(b"link")),
                    _ => return None,
                };
            }
        }
        Step::Hold { university, kind, number, version } => {
            let token = next.get_mut(&(*university, *number)).filter(|token| token.version == *version)?;
            token.version += 1;
            token.acts += 1;
            token.visibility = match (token.visibility, kind) {
                (Visibility::Open, 0) => Visibility::Restricted,
                (Visibility::Restricted, 1) => Visibility::Open,
                (Visibility::Open | Visibility::Restricted, 2) => Visibility::Withdrawn,
                _ => return None,
            };
            if token.acts > 4 {
                return None;
            }
        }
    }
    Some(next)
}

fn signed(world: &World, step: &Step) -> Verified<Transaction> {
    match step {
        Step::Issue { university, first, count } => world.issue(*university, *first, *count),
        Step::Stand { university, kind, tokens } => {
            let change = || changes(*university, tokens, Reason::Investigation);
            let operation = match kind {
                0 => Operation::Suspend(change()),
                1 => Operation::Reinstate(change()),
                2 => Operation::Revoke(change()),
                _ => Operation::Replace(replacements(*university, tokens)),
            };
            world.operation(*university, operation)
        }
        Step::Hold { university, kind, number, version } => {
            let act = holder_act(*university, *number, *version);
            let operation = match kind {
                0 => Operation::Restrict(act),
                1 => Operation::Lift(act),
                _ => Operation::Withdraw(act),
            };
            world.holder_operation(*university, *number, operation)
        }
    }
}

/// All leaves under a root.
fn leaves(nodes: &MemoryNodes, root: &Hash, into: &mut BTreeMap<Hash, Leaf>) {
    if *root == Hash::ZERO {
        return;
    }
    match nodes.node(root).expect("every node under the tip is there") {
        Node::Leaf(leaf) => drop(into.insert(leaf.key, leaf)),
        Node::Branch(branch) => {
            leaves(nodes, &branch.left, into);
            leaves(nodes, &branch.right, into);
        }
    }
}

fn holds(world: &World, model: &Model) {
    let state = StateView::new(&world.tip.roots, &world.nodes);
    for (university, number) in (0..2).flat_map(|u| (0..10).map(move |n| (u, n))) {
        let key = RecordKey::token(bin(university), &fingerprint(number));
        let held = state.record::<Token>(&key).expect("memory reads").map(|token| Naive {
            version: token.version,
            standing: token.standing,
            visibility: token.visibility,
            acts: token.acts_count,
        });
        assert_eq!(held.as_ref(), model.get(&(university, number)), "token {number} of {university}");
    }
    for table in Table::ALL {
        let (root, mut all) = (world.tip.roots.of(table), BTreeMap::new());
        leaves(&world.nodes, &root, &mut all);
        let at_once = map::update(&MemoryNodes::new(), &Hash::ZERO, &all).expect("memory reads");
        assert_eq!(at_once.root, root, "{table:?}: the leaves alone decide the root");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_state_accepts_and_holds_what_a_naive_model_does(
        blocks in prop::collection::vec(prop::collection::vec(step(), 1..10), 1..5)
    ) {
        let (mut world, mut model) = (World::new(), Model::new());
        // The first block makes most tokens, so that what follows has something to meet.
        let start = Step::Issue { university: 0, first: 0, count: 4 };
        model = expected(&model, &start).expect("the first issue");
        world.block(&[signed(&world, &start)]);
        for steps in blocks {
            let time = world.next_time();
            for step in steps {
                let transaction = signed(&world, &step);
                let before = world.tip.roots.clone();
                let built = world.build(time.max(world.next_time()), std::slice::from_ref(&transaction));
                match (expected(&model, &step), built.block) {
                    (Some(next), Some((block, delta))) => {
                        prop_assert_eq!(world.judge(&block), Ok(delta.clone()));
                        world.commit(delta);
                        model = next;
                        // What was accepted once is refused for ever: its versions are taken.
                        let again = world.build(world.next_time(), std::slice::from_ref(&transaction));
                        prop_assert!(again.block.is_none(), "a replay of {:?} went in", step);
                    }
                    (None, None) => {
                        prop_assert!(matches!(built.left_out[..], [(_, LeftOut::Refused(_))]));
                        prop_assert_eq!(&world.tip.roots, &before);
                    }
                    (said, block) => prop_assert!(
                        false, "{:?}: the model accepts: {}, the state: {}", step, said.is_some(), block.is_some()
                    ),
                }
            }
            holds(&world, &model);
        }
    }

    #[test]
    fn a_block_of_many_holds_what_its_transactions_hold_one_by_one(
        steps in prop::collection::vec(step(), 1..20)
    ) {
        let (mut world, mut model) = (World::new(), Model::new());
        let transactions: Vec<_> = steps.iter().map(|step| signed(&world, step)).collect();
        let built = world.build(world.next_time(), &transactions);
        let taken = built.block.as_ref().map_or_else(Vec::new, |(block, _)| block.transactions.clone());
        // The block's own order is the one that counts; each of its transactions must suit the model then.
        for transaction in &taken {
            let at = transactions.iter().position(|tx| tx.id() == transaction.id()).expect("a candidate");
            let next = expected(&model, &steps[at]);
            prop_assert!(next.is_some(), "{:?} went in", steps[at]);
            model = next.expect("checked above");
        }
        if let Some((block, delta)) = built.block {
            prop_assert_eq!(world.judge(&block), Ok(delta.clone()));
            world.commit(delta);
            holds(&world, &model);
        }
    }
}
