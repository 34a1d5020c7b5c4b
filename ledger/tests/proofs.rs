//! What the rules record, a verifier finds: proofs over a chain that every rule was applied to, and their bytes
//! in `tests/vectors/ledger-proofs.json`, for whoever writes another verifier.
//!
//! `TANBA_WRITE_VECTORS=1 cargo test -p tanba-ledger --test proofs` writes the file anew. Read the diff.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::{Value, json};
use tanba_crypto::{Canonical, Hash, Verified};
use tanba_ledger::{
    Block, Certificate, Header, Height, Operation, SignedVote, Slot, Timestamp, Transaction, View, Vote,
    merkle::{Frontier, Node, NodeReader, ReadError},
    operation::{Basis, Reason},
    proof::{
        At, Bundle, ChainReader, Checkpoint, Hidden, Included, ProofFailure, Question, Receipt, Status,
        Verdict, prove_bucket, prove_head, prove_receipt, prove_status, verify,
    },
    testkit::{World, bin, changes, fingerprint, holder_act, keys},
};

const PATIENCE_MS: u64 = 60_000;

/// The test kit's chain with what a store keeps of it, each block decided by the first three validators.
struct Chain {
    world: World,
    headers: Vec<Header>,
    certificates: Vec<Option<Certificate>>,
    subtrees: BTreeMap<(u8, u64), Hash>,
    frontier: Frontier,
}

impl Chain {
    fn new() -> Chain {
        let world = World::new();
        let genesis = world.tip.header.clone();
        let mut chain = Chain {
            world,
            headers: vec![],
            certificates: vec![],
            subtrees: BTreeMap::new(),
            frontier: Frontier::default(),
        };
        chain.keep(genesis, None);
        chain
    }

    fn block(&mut self, transactions: &[Verified<Transaction>]) -> Block {
        let block = self.world.block(transactions);
        let certificate = self.finalization(&block.header);
        self.keep(block.header.clone(), Some(certificate));
        block
    }

    fn empty_block(&mut self) {
        let due = self.world.tip.header.time.saturating_add_ms(self.world.tip.params.heartbeat_ms);
        let block = self.world.block_at(due, &[]);
        let certificate = self.finalization(&block.header);
        self.keep(block.header, Some(certificate));
    }

    fn keep(&mut self, header: Header, certificate: Option<Certificate>) {
        for node in self.frontier.append(header.hash().0.as_bytes()) {
            self.subtrees.insert((node.level, node.index), node.hash);
        }
        assert_eq!(self.frontier, self.world.tip.history, "the state keeps the same history");
        self.headers.push(header);
        self.certificates.push(certificate);
    }

    fn finalization(&self, header: &Header) -> Certificate {
        let slot = Slot { height: header.height, view: View::FIRST };
        let vote = Vote::Finalize(slot, header.hash());
        let set = &self.world.tip.validators;
        let sign = |voter: tanba_ledger::ValidatorIndex| {
            SignedVote::sign(vote, voter, &self.world.chain, &keys(voter.at()).validator)
        };
        let votes: Vec<SignedVote> = set.indices().map(sign).collect();
        Certificate::assemble(vote, &votes, set)
    }

    fn genesis(&self) -> Checkpoint {
        Checkpoint::of(&self.headers[0])
    }

    fn now(&self) -> Timestamp {
        self.world.tip.header.time.saturating_add_ms(500)
    }

    fn head(&self) -> tanba_ledger::proof::HeadProof {
        prove_head(self, &self.world.tip, Height::GENESIS).expect("a head")
    }

    fn status(&self, question: &Question) -> Bundle {
        Bundle::Status(prove_status(self, self.head(), question).expect("a status"))
    }

    fn bucket(&self, question: &Question, bits: u16) -> Bundle {
        let key = question.record_key().key;
        Bundle::Bucket(prove_bucket(self, self.head(), &key, bits).expect("a bucket"))
    }

    fn verify(&self, bundle: &Bundle, question: &Question) -> Result<Status, ProofFailure> {
        verify(bundle, question, &self.genesis(), self.now(), PATIENCE_MS)
    }

    fn verdict(&self, bundle: &Bundle, question: &Question, number: u64) -> Verdict {
        Verdict::of(&self.verify(bundle, question), &gost(number))
    }

    fn receipt(&self, block: &Block, index: u32) -> Receipt {
        prove_receipt(self, self.head(), block, index).expect("a receipt")
    }

    fn included(&self, receipt: &Receipt, transaction: &Transaction) -> Result<Included, ProofFailure> {
        let head = receipt.head.verify(&self.genesis(), self.now(), PATIENCE_MS)?;
        receipt.answer(&head, &transaction.id())
    }
}

impl NodeReader for Chain {
    fn node(&self, hash: &Hash) -> Result<Node, ReadError> {
        self.world.nodes.node(hash)
    }
}

impl ChainReader for Chain {
    fn final_header(&self, height: Height) -> Result<Option<Header>, ReadError> {
        Ok(self.headers.get(height.0 as usize).cloned())
    }

    fn certificate_of(&self, height: Height) -> Result<Option<Certificate>, ReadError> {
        Ok(self.certificates.get(height.0 as usize).cloned().flatten())
    }

    fn history_subtree(&self, level: u8, index: u64) -> Result<Option<Hash>, ReadError> {
        Ok(self.subtrees.get(&(level, index)).copied())
    }
}

fn question(number: u64, at: At) -> Question {
    Question { issuer: bin(0), fingerprint: fingerprint(number), at }
}

/// G of the test kit's diplomas.
fn gost(number: u64) -> [u8; 32] {
    Hash::plain(format!("gost {number}").as_bytes()).0
}

/// Diploma 1: issued in block 1, suspended in 2, reinstated in 3, restricted in 4, revoked in 5; 6 is empty.
fn a_life() -> Chain {
    let mut chain = Chain::new();
    chain.block(&[chain.world.issue(0, 1, 20)]);
    let suspend = Operation::Suspend(changes(0, &[(1, 1)], Reason::Investigation));
    chain.block(&[chain.world.operation(0, suspend)]);
    let reinstate = Operation::Reinstate(changes(0, &[(1, 2)], Reason::InvestigationClosed));
    chain.block(&[chain.world.operation(0, reinstate)]);
    chain.block(&[chain.world.holder_operation(0, 1, Operation::Restrict(holder_act(0, 1, 3)))]);
    let revoke = Operation::Revoke(changes(0, &[(1, 4)], Reason::Fraud));
    chain.block(&[chain.world.operation(0, revoke)]);
    chain.empty_block();
    chain
}

#[test]
fn each_turn_of_a_diploma_s_life_has_its_verdict() {
    let chain = a_life();
    let award = Basis::Award;
    let expected = [
        Verdict::NotRecorded,
        Verdict::Valid(award),
        Verdict::Suspended(award),
        Verdict::Valid(award),
        Verdict::NotAvailable(Hidden::Restricted, award),
        Verdict::Revoked(award),
        Verdict::Revoked(award),
    ];
    for (height, expected) in (0..).zip(expected) {
        let question = question(1, At::Height(Height(height)));
        assert_eq!(chain.verdict(&chain.status(&question), &question, 1), expected, "at {height}");
    }
}

#[test]
fn a_bucket_tells_the_same_of_every_diploma() {
    let chain = a_life();
    for number in 1..=25 {
        let question = question(number, At::Head);
        let singly = chain.verdict(&chain.status(&question), &question, number);
        assert_eq!(chain.verdict(&chain.bucket(&question, 2), &question, number), singly);
        let expected = match number {
            1 => Verdict::Revoked(Basis::Award),
            2..=20 => Verdict::Valid(Basis::Award),
            _ => Verdict::NotRecorded,
        };
        assert_eq!(singly, expected, "diploma {number}");
    }
}

#[test]
fn a_receipt_proves_its_transaction_at_the_head_and_later() {
    let mut chain = Chain::new();
    let transactions =
        [chain.world.issue(0, 1, 20), chain.world.issue(1, 100, 25), chain.world.issue(2, 200, 30)];
    let block = chain.block(&transactions);
    for blocks_later in 0..3 {
        for (index, transaction) in (0..).zip(&block.transactions) {
            let included = chain.included(&chain.receipt(&block, index), transaction).expect("proven");
            assert_eq!((included.height, included.index), (Height(1), index));
            assert_eq!((included.time, included.head.height), (block.header.time, Height(1 + blocks_later)));
        }
        chain.empty_block();
    }
}

#[test]
fn a_receipt_is_for_its_own_transaction_and_place() {
    let mut chain = Chain::new();
    let transactions =
        [chain.world.issue(0, 1, 20), chain.world.issue(1, 100, 25), chain.world.issue(2, 200, 30)];
    let block = chain.block(&transactions);
    chain.empty_block();
    let (first, second) = (&block.transactions[0], &block.transactions[1]);
    let good = chain.receipt(&block, 0);
    assert!(chain.included(&good, second).is_err());
    let other_bytes = Receipt {
        transaction: Transaction { approvals: vec![first.approvals[0]], ..first.clone() },
        ..good.clone()
    };
    assert!(chain.included(&other_bytes, first).is_err(), "the same id with other approvals");
    let mut other_place = good.clone();
    other_place.inclusion.index = 1;
    assert!(chain.included(&other_place, first).is_err());
    let third = chain.receipt(&block, 2);
    let mut smaller_block = third.clone();
    // In a tree of two, the same path leads from place 1 to the same root.
    (smaller_block.inclusion.index, smaller_block.inclusion.size) = (1, 2);
    let last = &block.transactions[2];
    assert_eq!(chain.included(&third, last).map(|included| included.index), Ok(2));
    assert!(chain.included(&smaller_block, last).is_err());
    let other_block = Receipt { past: None, ..good };
    assert!(chain.included(&other_block, first).is_err());
}

#[test]
fn no_changed_byte_of_a_receipt_changes_what_it_proves() {
    let mut chain = Chain::new();
    let issue = chain.world.issue(0, 1, 1);
    let block = chain.block(&[issue, chain.world.issue(1, 100, 1)]);
    chain.empty_block();
    let transaction = &block.transactions[0];
    let bytes = chain.receipt(&block, 0).to_canonical();
    let truth = chain.included(&chain.receipt(&block, 0), transaction).expect("proven");
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let Ok(changed) = Receipt::from_canonical(&changed, bytes.len()) else { continue };
        if let Ok(included) = chain.included(&changed, transaction) {
            assert_eq!(included, truth, "byte {at}");
        }
    }
}

#[test]
fn proofs_have_their_bytes() {
    let chain = a_life();
    let genesis = chain.genesis();
    let mut vectors = vec![json!({
        "name": "checkpoint on genesis, and what a witness signs",
        "bytes": hex::encode(genesis.to_canonical()),
        "signing_bytes": hex::encode(genesis.signing_bytes()),
    })];
    let questions = [
        ("a revoked diploma", 1, At::Head),
        ("the same when it was suspended", 1, At::Height(Height(2))),
        ("a valid diploma", 2, At::Head),
        ("a diploma nobody recorded", 99, At::Head),
    ];
    for (name, number, at) in questions {
        let question = question(number, at);
        let bundles = match at {
            At::Head => vec![("status", chain.status(&question)), ("bucket", chain.bucket(&question, 2))],
            At::Height(_) | At::Time(_) => vec![("status", chain.status(&question))],
        };
        for (kind, bundle) in bundles {
            vectors.push(json!({
                "name": format!("{kind} of {name}, from the checkpoint above"),
                "question": hex::encode(question.to_canonical()),
                "now_ms (text)": chain.now().0.to_string(),
                "gost": hex::encode(gost(number)),
                "bytes": hex::encode(bundle.to_bytes().expect("small")),
                "verdict (text)": chain.verdict(&bundle, &question, number).code(),
            }));
        }
    }
    let mut chain = Chain::new();
    let block = chain.block(&[chain.world.issue(0, 1, 20)]);
    let (receipt, transaction) = (chain.receipt(&block, 0), &block.transactions[0]);
    assert!(chain.included(&receipt, transaction).is_ok());
    vectors.push(json!({
        "name": "receipt of a transaction in block 1, from genesis",
        "transaction": transaction.id().to_string(),
        "bytes": hex::encode(receipt.to_canonical()),
    }));
    check("ledger-proofs.json", &vectors);
}

/// Compares with the file, or writes it when asked to.
fn check(file: &str, made: &[Value]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors").join(file);
    if std::env::var_os("TANBA_WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(made).expect("vectors are JSON");
        fs::write(&path, text + "\n").expect("the vectors can be written");
        return;
    }
    let text = fs::read_to_string(&path).expect("the vectors can be read");
    let pinned: Vec<Value> = serde_json::from_str(&text).expect("the vectors are JSON");
    for (pinned, made) in pinned.iter().zip(made) {
        assert_eq!(pinned, made, "{file}: {} has changed", made["name"]);
    }
    assert_eq!(pinned.len(), made.len(), "{file}: vectors were added or lost");
}
