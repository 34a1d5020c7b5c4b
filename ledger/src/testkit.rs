//! A small world for tests: four universities with officers and validator keys, two regulators, and functions
//! that make signed transactions and whole blocks. Every key comes from a seed, so every run is the same.
//!
//! Behind the feature `testkit`; nothing in production builds it.

use tanba_crypto::{Hash, PublicKey, SigningKey, Verified};

use crate::{
    Approval, Bin, Block, ChainId, Day, Fingerprint, Level, Month, Operation, Programme, Scope, Timestamp,
    Transaction, TransactionBody, Validator, ValidatorSet, View,
    limits::SMALL_BATCH,
    merkle::{MapUpdate, MemoryNodes},
    operation::{
        Basis, Entry, HolderAct, Issue, Reason, Replacement, Replacements, Right, StandingChange,
        StandingChanges, control_of,
    },
    record::{
        Accreditation, Institution, InstitutionRole, InstitutionState, KeyRecord, KeyRole, Names,
        NetworkKind, Params, Peer, PeerKind, Regime, RegimeKind,
    },
    state::{BlockError, Built, Delta, GenesisRecords, Room, Tip, apply, build, genesis_state},
    transaction::factor,
};

/// The time of genesis: 1 July 2026, 10:00 in Kazakhstan.
pub const GENESIS_TIME: Timestamp = Timestamp(1_782_882_000_000);

/// An hour, in milliseconds.
pub const HOUR_MS: u64 = 3_600_000;

/// Universities of the world; each runs a validator.
pub const UNIVERSITIES: usize = 4;

/// Regulators of the world.
pub const REGULATORS: usize = 2;

/// The keys of one institution.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Proposes.
    pub registrar: SigningKey,
    /// Confirms.
    pub approver: SigningKey,
    /// Manages.
    pub admin: SigningKey,
    /// Votes; universities only use it.
    pub validator: SigningKey,
    /// Identifies the node.
    pub node: SigningKey,
}

/// The BIN of institution `number`: universities come first, then the regulators. Ascending.
pub fn bin(number: usize) -> Bin {
    Bin::with_control_digit(26_074_000_000 + number as u64 * 10).expect("has a control digit")
}

/// The keys of institution `number`.
pub fn keys(number: usize) -> Keys {
    let key = |role: u8| seeded_key(&format!("institution {number} role {role}"));
    Keys {
        registrar: key(KeyRole::Registrar as u8),
        approver: key(KeyRole::Approver as u8),
        admin: key(KeyRole::Admin as u8),
        validator: key(KeyRole::Validator as u8),
        node: key(KeyRole::Node as u8),
    }
}

/// A key that a text stands for.
pub fn seeded_key(seed: &str) -> SigningKey {
    SigningKey::ed25519(Hash::plain(seed.as_bytes()).as_bytes())
}

/// The control key of the holder of diploma `number`.
pub fn holder_key(number: u64) -> SigningKey {
    seeded_key(&format!("holder {number}"))
}

/// The fingerprint of diploma `number`.
pub fn fingerprint(number: u64) -> Fingerprint {
    Fingerprint(Hash::plain(&number.to_be_bytes()))
}

/// The programme that universities are accredited for.
pub fn scope() -> Scope {
    Scope { programme: Programme::new("6B06101").expect("a code"), level: Level::new(6).expect("a level") }
}

/// The month in which diplomas are awarded.
pub fn awarded_month() -> Month {
    Month::new(2026, 6).expect("a month")
}

fn day(year: u16, month: u8, of_month: u8) -> Day {
    Day::from_date(year, month, of_month).expect("a date")
}

/// The records of the world's genesis, to be changed by tests that need another world.
pub fn records() -> GenesisRecords {
    records_of(UNIVERSITIES)
}

/// As [`records`], with another number of universities: numbers from 0 on, then the two regulators.
pub fn records_of(count: usize) -> GenesisRecords {
    let universities = 0..count;
    let everyone = 0..count + REGULATORS;
    let validator = |number| Validator { bin: bin(number), key: keys(number).validator.public() };
    let accreditation = |number| {
        let regulator = bin(count);
        let accreditation =
            Accreditation { from: day(2022, 1, 1), to: day(2026, 12, 31), recorded_by: regulator };
        (bin(number), scope(), accreditation)
    };
    let mut all_keys: Vec<(Bin, PublicKey, KeyRecord)> =
        everyone.clone().flat_map(|number| key_records(number, number < count)).collect();
    all_keys.sort_by_key(|(bin, key, _)| (*bin, *key));
    GenesisRecords {
        time: GENESIS_TIME,
        params: Params {
            kind: NetworkKind::Devnet,
            heartbeat_ms: 5_000,
            officer_delay_ms: 0,
            factors_min: factor::KEY,
            issued_daily_max: 1_500,
            changed_daily_max: 100,
            territory: Hash::ZERO,
        },
        institutions: everyone.map(|number| (bin(number), institution(number, number < count))).collect(),
        accreditations: universities.clone().map(accreditation).collect(),
        keys: all_keys,
        validators: ValidatorSet::new(universities.map(validator).collect()).expect("a set"),
    }
}

fn institution(number: usize, is_university: bool) -> Institution {
    let regime = Regime {
        kind: RegimeKind::InfoSystem,
        document_number: format!("{number}/2026"),
        document: Hash::plain(b"regime"),
        from: day(2026, 1, 1),
        to: day(2027, 12, 31),
    };
    Institution {
        bin: bin(number),
        names: Names {
            kk: format!("Мекеме {number}"),
            ru: format!("Учреждение {number}"),
            en: format!("Institution {number}"),
        },
        role: if is_university { InstitutionRole::University } else { InstitutionRole::Regulator },
        regime: is_university.then_some(regime),
        capital: None,
        hosting: Hash::plain(b"hosting"),
        state: InstitutionState::Active,
        successor: None,
        peers: vec![Peer {
            key: keys(number).node.public(),
            kind: if is_university { PeerKind::Validator } else { PeerKind::Observer },
            from: Timestamp(0),
            to: None,
        }],
    }
}

fn key_records(number: usize, is_university: bool) -> Vec<(Bin, PublicKey, KeyRecord)> {
    let keys = keys(number);
    let mut roles = vec![
        (KeyRole::Registrar, keys.registrar),
        (KeyRole::Approver, keys.approver),
        (KeyRole::Admin, keys.admin),
        (KeyRole::Node, keys.node),
    ];
    if is_university {
        roles.push((KeyRole::Validator, keys.validator));
    }
    let record = |role| KeyRecord { role, from: Timestamp(0), to: None, certificate: Hash::plain(b"person") };
    roles.into_iter().map(|(role, key)| (bin(number), key.public(), record(role))).collect()
}

/// `count` entries from diploma `first` on, in order of fingerprint.
pub fn entries(first: u64, count: u64) -> Vec<Entry> {
    let entry = |number| Entry {
        fingerprint: fingerprint(number),
        gost: Hash::plain(format!("gost {number}").as_bytes()).0,
        control: control_of(&holder_key(number).public()),
    };
    let mut entries: Vec<Entry> = (first..first + count).map(entry).collect();
    entries.sort();
    entries
}

/// An award of `count` diplomas from number `first` on, flagged small if it is.
pub fn award(first: u64, count: u64) -> Issue {
    Issue {
        scopes: vec![scope()],
        awarded_month: awarded_month(),
        decision: Hash::plain(b"decision"),
        basis: Basis::Award,
        right: Right::Qualification,
        small: count < SMALL_BATCH as u64,
        entries: entries(first, count),
    }
}

/// One change of standing for each `(diploma, version)` of a university, in order of fingerprint.
pub fn changes(university: usize, tokens: &[(u64, u32)], reason: Reason) -> StandingChanges {
    let change = |&(number, version)| StandingChange { fingerprint: fingerprint(number), version, reason };
    let mut changes: Vec<StandingChange> = tokens.iter().map(change).collect();
    changes.sort();
    StandingChanges { issuer: bin(university), changes }
}

/// One replacement for each `(diploma, version)` of a university, in order of fingerprint.
pub fn replacements(university: usize, tokens: &[(u64, u32)]) -> Replacements {
    let link = Hash::plain(b"link");
    let change = |&(number, version)| Replacement {
        fingerprint: fingerprint(number),
        version,
        reason: Reason::Correction,
        link,
    };
    let mut changes: Vec<Replacement> = tokens.iter().map(change).collect();
    changes.sort();
    Replacements { issuer: bin(university), changes }
}

/// A holder's act on a diploma of a university, by the holder's own key.
pub fn holder_act(university: usize, number: u64, version: u32) -> HolderAct {
    HolderAct { issuer: bin(university), fingerprint: fingerprint(number), version, request: None }
}

/// A chain of blocks in memory.
#[derive(Clone, Debug)]
pub struct World {
    /// The network's name.
    pub chain: ChainId,
    /// Where the chain stands.
    pub tip: Tip,
    /// The state's nodes under the tip, and all older leaves.
    pub nodes: MemoryNodes,
}

impl Default for World {
    fn default() -> World {
        World::new()
    }
}

impl World {
    /// The world of [`records`].
    pub fn new() -> World {
        World::founded(&records())
    }

    /// A world of other records. Panics if they found no network.
    pub fn founded(records: &GenesisRecords) -> World {
        let genesis = genesis_state(records).expect("records that fit together");
        let mut world =
            World { chain: genesis.chain, tip: genesis.delta.tip.clone(), nodes: MemoryNodes::new() };
        world.commit(genesis.delta);
        world
    }

    /// A body on this chain that expires an hour after the tip's time.
    pub fn body(&self, institution: usize, operation: Operation) -> TransactionBody {
        TransactionBody {
            chain: self.chain,
            institution: bin(institution),
            expiry: self.tip.header.time.saturating_add_ms(HOUR_MS),
            operation,
            audit: None,
        }
    }

    /// A body approved by registrar and approver of `institution`.
    pub fn by_officers(&self, institution: usize, body: TransactionBody) -> Verified<Transaction> {
        let keys = keys(institution);
        let officers = [(KeyRole::Registrar, &keys.registrar), (KeyRole::Approver, &keys.approver)];
        self.approved(body, &officers)
    }

    /// A body approved by any officers, with the factor that the world's parameters ask for.
    pub fn approved(
        &self,
        body: TransactionBody,
        officers: &[(KeyRole, &SigningKey)],
    ) -> Verified<Transaction> {
        let id = body.id();
        let mut transaction = Transaction { body, approvals: Vec::new() };
        for (role, key) in officers {
            transaction.approve(Approval::by_officer(&self.chain, id, *role, factor::KEY, key));
        }
        self.verified(transaction)
    }

    /// A body approved by a holder's key.
    pub fn by_holder(&self, body: TransactionBody, key: &SigningKey) -> Verified<Transaction> {
        let approval = Approval::by_holder(&body.chain, body.id(), key);
        self.verified(Transaction { body, approvals: vec![approval] })
    }

    /// Checks signatures against the chain that the transaction names. Panics if they do not hold.
    pub fn verified(&self, transaction: Transaction) -> Verified<Transaction> {
        let chain = transaction.body.chain;
        Verified::check(transaction, &chain).expect("signatures hold")
    }

    /// A university issues `count` diplomas from number `first` on.
    pub fn issue(&self, university: usize, first: u64, count: u64) -> Verified<Transaction> {
        self.by_officers(university, self.body(university, Operation::Issue(award(first, count))))
    }

    /// A university makes an operation, approved by its registrar and approver.
    pub fn operation(&self, university: usize, operation: Operation) -> Verified<Transaction> {
        self.by_officers(university, self.body(university, operation))
    }

    /// The holder of a diploma acts with the control key.
    pub fn holder_operation(
        &self,
        university: usize,
        number: u64,
        operation: Operation,
    ) -> Verified<Transaction> {
        self.by_holder(self.body(university, operation), &holder_key(number))
    }

    /// A second after the tip.
    pub fn next_time(&self) -> Timestamp {
        self.tip.header.time.saturating_add_ms(1_000)
    }

    /// Builds a block of `candidates` at `time`, by the leader of view 1.
    pub fn build(&self, time: Timestamp, candidates: &[Verified<Transaction>]) -> Built {
        let leader = self.tip.validators.leader(self.tip.header.height.next(), View::FIRST);
        let proposer = self.tip.validators.get(leader).expect("the leader is a member").bin;
        let room = Room::in_view(View::FIRST);
        build(&self.tip, &self.nodes, time, proposer, room, candidates).expect("memory reads")
    }

    /// Judges a block on the tip.
    pub fn judge(&self, block: &Block) -> Result<Delta, BlockError> {
        let verified: Vec<_> =
            block.transactions.iter().map(|transaction| self.verified(transaction.clone())).collect();
        apply(&block.header, &verified, &self.tip, &self.nodes)
    }

    /// Makes `delta` the tip.
    pub fn commit(&mut self, delta: Delta) {
        let root = delta.tip.roots.root();
        self.nodes.apply(&MapUpdate { root, nodes: delta.nodes, dead: delta.dead });
        self.tip = delta.tip;
    }

    /// Builds, judges and commits a block of exactly these transactions at `time`. Panics if one is left out.
    pub fn block_at(&mut self, time: Timestamp, transactions: &[Verified<Transaction>]) -> Block {
        let built = self.build(time, transactions);
        assert_eq!(built.left_out, [], "every transaction goes in");
        let (block, delta) = built.block.expect("there is a block");
        assert_eq!(self.judge(&block), Ok(delta.clone()), "what was built is valid");
        self.commit(delta);
        block
    }

    /// As [`World::block_at`], a second after the tip.
    pub fn block(&mut self, transactions: &[Verified<Transaction>]) -> Block {
        self.block_at(self.next_time(), transactions)
    }
}
