//! Canonical bytes of every type that travels or lies on a disk. What is accepted must be written again as the same
//! bytes: a hash over bytes is a hash over the value.

use tanba_consensus::{
    limits::{RECORD_BYTES_MAX, STANDING_BYTES_MAX},
    message::{SignedProposal, Standing, Wanted},
    promise::Record,
    recovery::{Answer, Inquiry},
};
use tanba_crypto::Canonical;
use tanba_genesis::{GENESIS_BYTES_MAX, GenesisDocument};
use tanba_ledger::{
    Block, Certificate, ChainId, Header, Operation, SignedVote, Transaction, ValidatorSet,
    limits::{BLOCK_BYTES_MAX, TRANSACTION_BYTES_MAX},
    merkle::Node,
    proof::{BUNDLE_BYTES_MAX, Bundle, Checkpoint, CosignedCheckpoint, HeadProof, Question, Receipt},
    record::{Batch, Institution, Params, Token},
};
use tanba_node::message::{Announcement, MESSAGE_BYTES_MAX, Message, RESPONSE_BYTES_MAX, Request, Response};

use super::vectors;
use crate::fuzz::{Bound, Target};

/// A decoder believes claimed lengths up to 16 times the size class of its input, and a class is at most four times
/// the input (`tanba_crypto::canonical`); the bytes written again and a refusal's words come on top.
const BOUND: Bound = Bound { factor: 72, constant_bytes: 8 * 1024 };

/// Long enough for a block, a proof or a page of blocks.
const INPUT_BYTES_MAX: usize = 16 * 1024;

macro_rules! target {
    ($name:literal, $seeds:expr, as $read:ty, $bytes_max:expr) => {
        target!($name, $seeds, |bytes| read_as::<$read>(bytes, $bytes_max))
    };
    ($name:literal, $seeds:expr, $attack:expr) => {
        Target {
            name: concat!("canonical-", $name),
            input_bytes_max: INPUT_BYTES_MAX,
            bound: BOUND,
            seeds: || $seeds,
            words: &[],
            attack: $attack,
        }
    };
}

/// Reads as `T`; what is accepted is written again as the same bytes.
fn read_as<T: Canonical>(bytes: &[u8], bytes_max: usize) {
    if let Ok(value) = T::from_canonical(bytes, bytes_max) {
        assert!(value.to_canonical() == bytes, "what was accepted is written again as the same bytes");
    }
}

pub(super) fn targets() -> Vec<Target> {
    [of_the_ledger(), of_agreement(), of_nodes(), of_proofs()].concat()
}

fn of_the_ledger() -> Vec<Target> {
    vec![
        target!(
            "transaction", vectors::bytes("ledger-transactions.json", &[" by "]),
            as Transaction, TRANSACTION_BYTES_MAX
        ),
        target!(
            "operation", vectors::bytes("ledger-operations.json", &[]),
            as Operation, TRANSACTION_BYTES_MAX
        ),
        target!(
            "block", vectors::bytes("ledger-blocks.json", &["block", "heartbeat"]),
            as Block, BLOCK_BYTES_MAX
        ),
        target!("header", vectors::bytes("ledger-blocks.json", &["header"]), as Header, BLOCK_BYTES_MAX),
        target!(
            "certificate", vectors::bytes("ledger-votes.json", &["certificate"]),
            as Certificate, BLOCK_BYTES_MAX
        ),
        target!("vote", vectors::bytes("ledger-votes.json", &["signed by"]), as SignedVote, BLOCK_BYTES_MAX),
        target!(
            "validators", vectors::bytes("ledger-votes.json", &["validator set"]),
            as ValidatorSet, BLOCK_BYTES_MAX
        ),
        target!("record", vectors::bytes("ledger-records.json", &[]), |bytes| {
            read_as::<Institution>(bytes, BLOCK_BYTES_MAX);
            read_as::<Token>(bytes, BLOCK_BYTES_MAX);
            read_as::<Batch>(bytes, BLOCK_BYTES_MAX);
            read_as::<Params>(bytes, BLOCK_BYTES_MAX);
        }),
        target!("node", vectors::bytes("ledger-state.json", &["stored node"]), as Node, BLOCK_BYTES_MAX),
        target!("genesis", vectors::bytes("genesis-document.json", &["document"]), |bytes| {
            assert!(bytes.len() <= GENESIS_BYTES_MAX, "the limit of this target is the smaller one");
            if let Ok(document) = GenesisDocument::from_bytes("genesis.bin", bytes) {
                assert!(document.to_bytes() == bytes, "a genesis document has one form");
            }
        }),
    ]
}

fn of_agreement() -> Vec<Target> {
    vec![
        target!(
            "proposal", vectors::bytes("consensus.json", &["signed by the leader"]),
            as SignedProposal, STANDING_BYTES_MAX
        ),
        target!("standing", vectors::bytes("consensus.json", &["standing"]), as Standing, STANDING_BYTES_MAX),
        target!("wanted", vectors::bytes("consensus.json", &["wanted"]), as Wanted, STANDING_BYTES_MAX),
        target!("inquiry", vectors::bytes("consensus.json", &["inquiry"]), as Inquiry, STANDING_BYTES_MAX),
        target!("answer", vectors::bytes("consensus.json", &["answer"]), as Answer, STANDING_BYTES_MAX),
        target!("journal-record", vectors::bytes("consensus.json", &["journal"]), |bytes| {
            assert!(bytes.len() <= RECORD_BYTES_MAX, "the limit of this target is the smaller one");
            if let Ok(record) = Record::read(bytes) {
                assert!(record.to_canonical() == bytes, "a journal's record has one form");
            }
        }),
    ]
}

fn of_nodes() -> Vec<Target> {
    vec![
        target!("message", vectors::bytes("node-messages.json", &["message"]), |bytes| {
            if let Ok(message) = Message::read(bytes) {
                assert!(message.to_canonical() == bytes, "a message has one form");
            }
            read_as::<Message>(bytes, MESSAGE_BYTES_MAX);
        }),
        target!("request", vectors::bytes("node-messages.json", &["request"]), |bytes| {
            if let Ok(request) = Request::read(bytes) {
                assert!(request.to_canonical() == bytes, "a request has one form");
            }
        }),
        target!("response", vectors::bytes("node-messages.json", &["response"]), |bytes| {
            let chain: ChainId = super::proofs::checkpoint().chain;
            // A refusal is an answer too; what matters is that there is one.
            drop(Response::read(bytes, &chain));
            read_as::<Response>(bytes, RESPONSE_BYTES_MAX);
        }),
        target!("announcement", vectors::bytes("node-messages.json", &["announcement"]), |bytes| {
            read_as::<Announcement>(bytes, bytes.len());
        }),
    ]
}

fn of_proofs() -> Vec<Target> {
    vec![
        target!("bundle", vectors::bytes("ledger-proofs.json", &["status", "bucket"]), |bytes| {
            if let Ok(bundle) = Bundle::from_bytes(bytes) {
                assert_eq!(bundle.to_bytes().as_deref(), Ok(bytes), "a proof has one form");
            }
        }),
        target!("receipt", vectors::bytes("ledger-proofs.json", &["receipt"]), |bytes| {
            read_as::<Receipt>(bytes, BUNDLE_BYTES_MAX);
            read_as::<HeadProof>(bytes, BUNDLE_BYTES_MAX);
        }),
        target!("checkpoint", vectors::bytes("ledger-checkpoints.json", &[]), |bytes| {
            read_as::<Checkpoint>(bytes, BUNDLE_BYTES_MAX);
            read_as::<CosignedCheckpoint>(bytes, BUNDLE_BYTES_MAX);
        }),
        target!("question", super::proofs::questions(), as Question, BUNDLE_BYTES_MAX),
    ]
}
