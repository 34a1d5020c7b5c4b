//! A chain to store: real blocks, signatures and certificates over a made-up state. Each block writes one leaf
//! and a branch that joins it with the leaf before, so every block also lets a branch die.

use tanba_crypto::{Canonical, Hash, SigningKey};
use tanba_ledger::{
    Approval, Bin, Block, BlockHash, Certificate, ChainId, Fingerprint, Header, Height, Operation,
    SignedVote, Slot, Timestamp, Transaction, TransactionBody, Validator, ValidatorIndex, ValidatorSet, View,
    Vote,
    block::HEADER_VERSION,
    merkle::{Branch, Frontier, Leaf, Node, NodeReader, tree},
    operation::HolderAct,
    record::{NetworkKind, Params, Table},
    state::{Delta, TableRoots, Tip},
};

const VALIDATORS: u8 = 4;

fn key(n: u8) -> SigningKey {
    SigningKey::ed25519(&[n + 1; 32])
}

fn bin(n: u8) -> Bin {
    Bin::with_control_digit(10_000_000_000 + u64::from(n) * 100).expect("has a control digit")
}

pub(crate) fn validators() -> ValidatorSet {
    let member = |n| Validator { bin: bin(n), key: key(n).public() };
    ValidatorSet::new((0..VALIDATORS).map(member).collect()).expect("a set")
}

/// A transaction that nobody else makes.
pub(crate) fn transaction(chain: ChainId, n: u64) -> Transaction {
    let fingerprint = Fingerprint(Hash::plain(&n.to_be_bytes()));
    let act = HolderAct { issuer: bin(0), fingerprint, version: 1, request: None };
    let body = TransactionBody {
        chain,
        institution: bin(0),
        expiry: Timestamp(n),
        operation: Operation::Restrict(act),
        audit: None,
    };
    let approval = Approval::by_holder(&chain, body.id(), &key(9));
    Transaction { body, approvals: vec![approval] }
}

pub(crate) fn genesis() -> (Block, Delta) {
    let leaf = leaf(Height::GENESIS);
    let roots = roots(leaf.hash());
    let header = header(ChainId(Hash::ZERO), Height::GENESIS, BlockHash(Hash::ZERO), &roots, Hash::ZERO, 0);
    let block = Block { header, transactions: vec![] };
    let nodes = vec![(leaf.hash(), Node::Leaf(leaf))];
    let delta = delta(&block, &Frontier::default(), roots, nodes, vec![]);
    (block, delta)
}

pub(crate) fn chain_id() -> ChainId {
    genesis().0.header.founded_chain()
}

/// The block after `parent` with `count` transactions, its certificate and what it changes.
pub(crate) fn next(parent: &Tip, reader: &dyn NodeReader, count: u32) -> (Block, Certificate, Delta) {
    let height = parent.header.height.next();
    let (roots, ..) = outcome(height, parent, reader).expect("the parent's root is readable");
    let transactions: Vec<Transaction> =
        (0..count).map(|n| transaction(chain_id(), height.0 * 1_000_000 + u64::from(n))).collect();
    let mut header = header(chain_id(), height, parent.hash, &roots, parent.history.root(), count);
    header.transactions = tree::root(transactions.iter().map(Canonical::to_canonical));
    let block = Block { header, transactions };
    let delta = replay(&block, parent, reader).expect("our own block applies");
    (block.clone(), certificate(&block), delta)
}

/// The rules of this chain.
pub(crate) fn replay(block: &Block, parent: &Tip, reader: &dyn NodeReader) -> Result<Delta, String> {
    let (roots, nodes, dead) = outcome(block.header.height, parent, reader)?;
    Ok(delta(block, &parent.history, roots, nodes, dead))
}

/// The certificate of `block` by the first quorum.
pub(crate) fn certificate(block: &Block) -> Certificate {
    let set = validators();
    let vote = Vote::Finalize(Slot { height: block.header.height, view: View::FIRST }, block.hash());
    let votes: Vec<SignedVote> = (0..set.quorum() as u8)
        .map(|n| SignedVote::sign(vote, ValidatorIndex(u16::from(n)), &chain_id(), &key(n)))
        .collect();
    Certificate::assemble(vote, &votes, &set)
}

/// The hash of the leaf a block writes: it stays for ever.
pub(crate) fn leaf_hash(height: Height) -> Hash {
    leaf(height).hash()
}

/// The root of the only table that is not empty.
pub(crate) fn root(tip: &Tip) -> Hash {
    tip.roots.of(Table::Tokens)
}

type Outcome = (TableRoots, Vec<(Hash, Node)>, Vec<Hash>);

fn outcome(height: Height, parent: &Tip, reader: &dyn NodeReader) -> Result<Outcome, String> {
    let old_root = root(parent);
    let (left, dead) = match reader.node(&old_root).map_err(|error| error.to_string())? {
        Node::Leaf(_) => (old_root, vec![]),
        Node::Branch(branch) => (branch.right, vec![old_root]),
    };
    let leaf = leaf(height);
    let branch = Branch { bit: 0, left, right: leaf.hash() };
    let new_root = branch.hash();
    Ok((roots(new_root), vec![(leaf.hash(), Node::Leaf(leaf)), (new_root, Node::Branch(branch))], dead))
}

/// Every third leaf is longer than a value of the tree may be.
fn leaf(height: Height) -> Leaf {
    let length = if height.0 % 3 == 2 { 9_000 } else { 60 };
    let key = Hash::plain(&height.0.to_be_bytes());
    Leaf { key, version: 1, changed_at: height, previous: Hash::ZERO, value: vec![height.0 as u8; length] }
}

fn roots(root: Hash) -> TableRoots {
    let mut roots = TableRoots::default();
    roots.0[Table::Tokens.at()] = root;
    roots
}

fn header(
    chain: ChainId,
    height: Height,
    parent: BlockHash,
    roots: &TableRoots,
    history: Hash,
    count: u32,
) -> Header {
    Header {
        version: HEADER_VERSION,
        chain,
        height,
        time: Timestamp(height.0 * 1_000),
        parent,
        proposer: None,
        transactions: Hash::ZERO,
        count,
        state: roots.root(),
        history,
        validators: validators().hash(),
        next_validators: validators().hash(),
    }
}

fn delta(
    block: &Block,
    history: &Frontier,
    roots: TableRoots,
    nodes: Vec<(Hash, Node)>,
    dead: Vec<Hash>,
) -> Delta {
    let mut frontier = history.clone();
    let completed = frontier.append(block.hash().0.as_bytes());
    let params = Params {
        kind: NetworkKind::Devnet,
        heartbeat_ms: 5_000,
        officer_delay_ms: 0,
        factors_min: 1,
        issued_daily_max: 1,
        changed_daily_max: 1,
        territory: Hash::ZERO,
    };
    let tip = Tip {
        header: block.header.clone(),
        hash: block.hash(),
        roots,
        history: frontier,
        validators: validators(),
        params,
    };
    let transactions = block.transactions.iter().map(Transaction::id).collect();
    Delta { tip, nodes, dead, history: completed, transactions }
}
