//! A chain in memory: blocks are decided by keys the test holds, and nothing is checked.

use std::collections::BTreeMap;

use tanba_crypto::{Canonical, Hash, SigningKey};

use super::super::{
    At, BucketProof, Bundle, ChainReader, Checkpoint, ProofFailure, Question, Status, StatusProof,
    prove_bucket, prove_head, prove_status, verify,
};
use crate::{
    Bin, BlockHash, Certificate, ChainId, Day, Fingerprint, Header, Height, Level, Month, Programme, Scope,
    SignedVote, Slot, Timestamp, TransactionId, Validator, ValidatorIndex, ValidatorSet, View, Vote,
    block::HEADER_VERSION,
    merkle::{Frontier, MemoryNodes, Node, NodeReader, ReadError, tree},
    operation::{Basis, Right},
    record::{
        Accreditation, Batch, Institution, InstitutionRole, InstitutionState, Names, NetworkKind, Params,
        RecordKey, Regime, RegimeKind, Standing, Token, Visibility,
    },
    state::{BlockState, Changes, TableRoots, Tip},
};

/// The time of genesis: 1 July 2026, noon in Kazakhstan.
pub(super) const GENESIS: Timestamp = Timestamp(20_635 * 86_400_000 + 7 * 3_600_000);

/// From one block to the next.
pub(super) const BLOCK_MS: u64 = 60_000;

/// The issuer of the world.
pub(super) fn university() -> Bin {
    Bin::with_control_digit(10_140_000_001).expect("has a control digit")
}

pub(super) fn other_university() -> Bin {
    Bin::with_control_digit(10_140_000_100).expect("has a control digit")
}

pub(super) fn scope() -> Scope {
    let programme = Programme::new("6B06101").expect("a code");
    Scope { programme, level: Level::new(6).expect("a level") }
}

pub(super) fn fingerprint(n: u8) -> Fingerprint {
    Fingerprint(Hash::plain(&[n]))
}

pub(super) fn gost(n: u8) -> [u8; 32] {
    [n; 32]
}

pub(super) fn day(text: (u16, u8, u8)) -> Day {
    Day::from_date(text.0, text.1, text.2).expect("a date")
}

pub(super) fn institution(from: Day, to: Day) -> Institution {
    let name = "Astana University".to_owned();
    Institution {
        bin: university(),
        names: Names { kk: name.clone(), ru: name.clone(), en: name },
        role: InstitutionRole::University,
        regime: Some(Regime {
            kind: RegimeKind::InfoSystem,
            document_number: "KZ-1".to_owned(),
            document: Hash::ZERO,
            from,
            to,
        }),
        capital: None,
        hosting: Hash::ZERO,
        state: InstitutionState::Active,
        successor: None,
        peers: vec![],
    }
}

pub(super) fn accreditation(from: Day, to: Day) -> Accreditation {
    Accreditation { from, to, recorded_by: other_university() }
}

pub(super) fn batch_id(n: u8) -> TransactionId {
    TransactionId(Hash([n; 32]))
}

pub(super) fn batch(basis: Basis) -> Batch {
    Batch {
        issuer: university(),
        scopes: vec![scope()],
        awarded_month: Month::new(2026, 6).expect("a month"),
        decision: Hash::ZERO,
        basis,
        right: Right::Qualification,
        small: true,
        entries_root: Hash::ZERO,
        count: 1,
    }
}

pub(super) fn token(n: u8, batch: u8) -> Token {
    Token {
        batch: batch_id(batch),
        gost: gost(n),
        control: Hash([n; 32]),
        standing: Standing::Valid,
        visibility: Visibility::Open,
        reason: None,
        acts_day: Day(0),
        acts_count: 0,
    }
}

pub(super) fn key(n: u8) -> SigningKey {
    SigningKey::ed25519(&[n; 32])
}

/// The set of the validators with these numbers.
pub(super) fn set(members: &[u8]) -> ValidatorSet {
    let member = |n: &u8| Validator {
        bin: Bin::with_control_digit(10_000_000_000 + u64::from(*n) * 100).expect("control digit"),
        key: key(*n).public(),
    };
    ValidatorSet::new(members.iter().map(member).collect()).expect("a set")
}

/// What one block writes.
#[derive(Default)]
pub(super) struct Writes {
    changes: Vec<Changes>,
    next: Option<Vec<u8>>,
}

impl Writes {
    /// One record, as a transaction of its own.
    pub(super) fn put(mut self, key: RecordKey, value: &impl Canonical) -> Writes {
        let mut changes = Changes::default();
        changes.put(key, value);
        self.changes.push(changes);
        self
    }

    pub(super) fn token(self, n: u8, token: &Token) -> Writes {
        self.put(RecordKey::token(university(), &fingerprint(n)), token)
    }

    /// Batch `id` with the tokens `numbers`.
    pub(super) fn issue(self, id: u8, basis: Basis, numbers: &[u8]) -> Writes {
        let writes = self.put(RecordKey::batch(batch_id(id)), &batch(basis));
        numbers.iter().fold(writes, |writes, n| writes.token(*n, &token(*n, id)))
    }

    /// The validators from the next block on.
    pub(super) fn validators(mut self, members: &[u8]) -> Writes {
        self.next = Some(members.to_vec());
        self.put(RecordKey::validators(), &set(members))
    }
}

/// The chain.
#[derive(Clone)]
pub(super) struct World {
    pub(super) nodes: MemoryNodes,
    pub(super) headers: Vec<Header>,
    pub(super) certificates: Vec<Option<Certificate>>,
    pub(super) subtrees: BTreeMap<(u8, u64), Hash>,
    pub(super) roots: TableRoots,
    frontier: Frontier,
    members: Vec<u8>,
}

impl World {
    /// A chain whose genesis holds the university, licensed and accredited, and the validators `members`.
    pub(super) fn new(members: &[u8]) -> World {
        let mut world = World {
            nodes: MemoryNodes::new(),
            headers: vec![],
            certificates: vec![],
            subtrees: BTreeMap::new(),
            roots: TableRoots::default(),
            frontier: Frontier::default(),
            members: members.to_vec(),
        };
        let first = day((2020, 1, 1));
        let writes = Writes::default()
            .put(RecordKey::institution(university()), &institution(first, day((2030, 12, 31))))
            .put(RecordKey::accreditation(university(), &scope()), &accreditation(first, day((2030, 12, 31))))
            .validators(members);
        world.block(writes);
        world
    }

    /// Four validators, as most tests want.
    pub(super) fn of_four() -> World {
        World::new(&[1, 2, 3, 4])
    }

    pub(super) fn chain(&self) -> ChainId {
        self.headers[0].founded_chain()
    }

    /// Adds a block decided by the first q of the set in force.
    pub(super) fn block(&mut self, writes: Writes) -> Height {
        let height = Height(self.headers.len() as u64);
        let mut state = BlockState::new(&self.roots, &self.nodes, height);
        writes.changes.into_iter().for_each(|changes| state.write(changes).expect("reads"));
        let update = state.finish().expect("reads");
        self.nodes.extend(&update.nodes);
        self.roots = update.roots;
        let next = writes.next.unwrap_or(self.members.clone());
        let header = Header {
            version: HEADER_VERSION,
            chain: if height == Height::GENESIS { ChainId(Hash::ZERO) } else { self.chain() },
            height,
            time: GENESIS.saturating_add_ms(BLOCK_MS * height.0),
            parent: self.headers.last().map_or(BlockHash(Hash::ZERO), Header::hash),
            proposer: None,
            transactions: tree::EMPTY_ROOT,
            count: 0,
            state: self.roots.root(),
            history: self.frontier.root(),
            validators: set(&self.members).hash(),
            next_validators: set(&next).hash(),
        };
        let is_genesis = height == Height::GENESIS;
        self.certificates.push((!is_genesis).then(|| finalization(&header, &self.members, &self.chain())));
        for node in self.frontier.append(header.hash().0.as_bytes()) {
            self.subtrees.insert((node.level, node.index), node.hash);
        }
        self.headers.push(header);
        self.members = next;
        height
    }

    pub(super) fn blocks(&mut self, count: u64) {
        for _ in 0..count {
            self.block(Writes::default());
        }
    }

    pub(super) fn tip(&self) -> Tip {
        let header = self.headers.last().expect("genesis").clone();
        Tip {
            hash: header.hash(),
            header,
            roots: self.roots.clone(),
            history: self.frontier.clone(),
            validators: set(&self.members),
            params: Params {
                kind: NetworkKind::Devnet,
                heartbeat_ms: BLOCK_MS,
                officer_delay_ms: 0,
                factors_min: 0,
                issued_daily_max: 1_000,
                changed_daily_max: 1_000,
                territory: Hash::ZERO,
            },
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.tip().header.time.saturating_add_ms(1_000)
    }

    pub(super) fn checkpoint(&self, height: u64) -> Checkpoint {
        Checkpoint::of(&self.headers[height as usize])
    }

    pub(super) fn status_proof(&self, checkpoint: u64, question: &Question) -> StatusProof {
        let head = prove_head(self, &self.tip(), Height(checkpoint)).expect("a head");
        prove_status(self, head, question).expect("a status")
    }

    pub(super) fn bucket_proof(&self, checkpoint: u64, question: &Question, bits: u16) -> BucketProof {
        let head = prove_head(self, &self.tip(), Height(checkpoint)).expect("a head");
        prove_bucket(self, head, &question.record_key().key, bits).expect("a bucket")
    }

    /// Proves and verifies from genesis.
    pub(super) fn ask(&self, question: &Question) -> Result<Status, ProofFailure> {
        self.verify(&Bundle::Status(self.status_proof(0, question)), question)
    }

    /// Verifies from genesis, now, with a minute of patience.
    pub(super) fn verify(&self, bundle: &Bundle, question: &Question) -> Result<Status, ProofFailure> {
        verify(bundle, question, &self.checkpoint(0), self.now(), 60_000)
    }
}

pub(super) fn question(n: u8) -> Question {
    question_at(n, At::Head)
}

pub(super) fn question_at(n: u8, at: At) -> Question {
    Question { issuer: university(), fingerprint: fingerprint(n), at }
}

/// The finalization of `header` by the first q of `members`.
pub(super) fn finalization(header: &Header, members: &[u8], chain: &ChainId) -> Certificate {
    let slot = Slot { height: header.height, view: View::FIRST };
    let vote = Vote::Finalize(slot, header.hash());
    let place = |at: usize| ValidatorIndex(at as u16);
    let sign = |(at, n): (usize, &u8)| SignedVote::sign(vote, place(at), chain, &key(*n));
    let votes: Vec<SignedVote> = members.iter().enumerate().map(sign).collect();
    Certificate::assemble(vote, &votes, &set(members))
}

impl NodeReader for World {
    fn node(&self, hash: &Hash) -> Result<Node, ReadError> {
        self.nodes.node(hash)
    }
}

impl ChainReader for World {
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
