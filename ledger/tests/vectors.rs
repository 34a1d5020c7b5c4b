//! Golden vectors: the bytes and hashes of every type that is hashed, signed or stored, pinned in
//! `tests/vectors/ledger-*.json` at the root of the workspace, for whoever writes another implementation and against
//! whoever changes a format without meaning to.
//!
//! Each file is a list of vectors; each vector has a name and fields in lower-case hex, or text where the name
//! says so. Everything is made from the test kit's world, whose keys are the SHA-256 of their seeds.
//!
//! A format that changes on purpose changes the header version with it, and then:
//! `TANBA_WRITE_VECTORS=1 cargo test -p tanba-ledger --test vectors` writes the files anew. Read the diff.

#[path = "../../tests/vectors/golden.rs"]
mod golden;

use golden::Vectors;
use tanba_crypto::{Canonical, Hash, PublicKey, Signature, SigningKey, Verify};
use tanba_ledger::{
    Approval, BlockHash, Certificate, ChainId, Day, Height, Level, Month, Operation, Programme, SignedVote,
    Slot, Timestamp, Transaction, TransactionBody, TransactionId, ValidatorIndex, ValidatorSet, View, Vote,
    merkle::{Branch, Frontier, Leaf, MemoryNodes, Node, map, tree},
    operation::{
        Basis, Entry, HolderAct, Issue, Reason, Right, control_of, document_commitment, replace_link,
    },
    proof::{Checkpoint, CosignedCheckpoint, WitnessPolicy},
    record::{
        Accreditation, Batch, Capital, Institution, InstitutionRole, InstitutionState, KeyRecord, KeyRole,
        NetworkKind, Params, Peer, PeerKind, Quota, RecordKey, Regime, RegimeKind, Standing, Table, Token,
        Visibility,
    },
    state::{GenesisRecords, genesis_state},
    testkit::{
        World, award, bin, changes, fingerprint, holder_act, holder_key, keys, records, replacements, scope,
        seeded_key,
    },
    transaction::{AuditHead, HolderApproval, OfficerApproval, factor},
};

fn hash_of(hash: Hash) -> (&'static str, String) {
    ("hash", hash.to_string())
}

/// The world after two blocks: an issue and a holder's act; then a suspension and a replacement.
fn world() -> World {
    let mut world = World::new();
    world.block(&[world.issue(0, 1, 20)]);
    world.block(&[
        world.operation(0, Operation::Suspend(changes(0, &[(1, 1), (2, 1)], Reason::Investigation))),
        world.operation(0, Operation::Replace(replacements(0, &[(3, 1)]))),
        world.holder_operation(0, 4, Operation::Restrict(holder_act(0, 4, 1))),
    ]);
    world
}

#[test]
fn keys_and_signatures_have_their_bytes() {
    let mut vectors = Vectors::of("ledger-keys.json");
    for seed in ["institution 0 role 1", "holder 1"] {
        let key: SigningKey = seeded_key(seed);
        let signature: Signature = key.sign(b"tanba");
        assert_eq!(key.public().verify(b"tanba", &signature), Ok(()));
        vectors.value::<PublicKey>(
            &format!("public key {seed:?}, and its signature over \"tanba\""),
            &key.public(),
            &[
                ("seed (text, hashed by SHA-256)", seed.to_owned()),
                ("text", key.public().to_string()),
                ("signature", hex::encode(signature.to_canonical())),
                ("control", control_of(&key.public()).to_string()),
            ],
        );
    }
    vectors.check();
}

#[test]
fn small_words_have_their_bytes() {
    let mut vectors = Vectors::of("ledger-ids.json");
    vectors.value("BIN", &bin(0), &[("text", bin(0).to_string())]);
    vectors.value("height", &Height(258), &[]);
    vectors.value("view", &View(3), &[]);
    let time = Timestamp(1_782_882_000_000);
    vectors.value("timestamp", &time, &[("day (text)", time.day().to_string())]);
    let day = Day::from_date(2026, 6, 30).expect("a date");
    vectors.value("day", &day, &[("text", day.to_string())]);
    let month = Month::new(2026, 6).expect("a month");
    vectors.value("month", &month, &[("text", month.to_string())]);
    vectors.value("programme", &Programme::new("6B06101").expect("a code"), &[]);
    vectors.value("level", &Level::new(6).expect("a level"), &[]);
    vectors.value("scope", &scope(), &[]);
    vectors.value("fingerprint", &fingerprint(1), &[]);
    vectors.value("hash", &Hash::plain(b"tanba"), &[]);
    vectors.value("chain id", &ChainId(Hash::plain(b"chain")), &[]);
    vectors.value("block hash", &BlockHash(Hash::plain(b"block")), &[]);
    vectors.value("transaction id", &TransactionId(Hash::plain(b"transaction")), &[]);
    vectors.check();
}

#[test]
fn votes_and_certificates_have_their_bytes() {
    let (chain, set) = (World::new().chain, records().validators);
    let slot = Slot { height: Height(1), view: View(2) };
    let block = BlockHash(Hash::plain(b"block"));
    let mut vectors = Vectors::of("ledger-votes.json");
    vectors.value::<ValidatorSet>("validator set", &set, &[hash_of(set.hash())]);
    vectors.value("slot", &slot, &[]);
    for (name, vote) in [
        ("notarize", Vote::Notarize(slot, block)),
        ("nullify", Vote::Nullify(slot)),
        ("finalize", Vote::Finalize(slot, block)),
    ] {
        let signed =
            |i: u16| SignedVote::sign(vote, ValidatorIndex(i), &chain, &keys(usize::from(i)).validator);
        vectors.value(name, &vote, &[("signing_bytes", hex::encode(vote.signing_bytes(&chain)))]);
        vectors.value(&format!("{name}, signed by validator 1"), &signed(1), &[]);
        let certificate = Certificate::assemble(vote, &[signed(0), signed(2), signed(3)], &set);
        vectors.value(&format!("{name}, certificate by validators 0, 2, 3"), &certificate, &[]);
    }
    vectors.check();
}

fn operations() -> Vec<(&'static str, Operation)> {
    let request = Some(document_commitment(&[7; 32], b"request"));
    vec![
        ("issue", Operation::Issue(award(1, 2))),
        (
            "issue from the archive",
            Operation::Issue(Issue { basis: Basis::Archive, right: Right::Transcript, ..award(1, 1) }),
        ),
        ("suspend", Operation::Suspend(changes(0, &[(1, 1), (2, 3)], Reason::Investigation))),
        ("reinstate", Operation::Reinstate(changes(0, &[(1, 2)], Reason::InvestigationClosed))),
        ("revoke", Operation::Revoke(changes(0, &[(1, 2)], Reason::CourtOrder))),
        ("replace", Operation::Replace(replacements(0, &[(1, 1)]))),
        ("restrict", Operation::Restrict(holder_act(0, 1, 1))),
        ("lift", Operation::Lift(holder_act(0, 1, 2))),
        ("withdraw on request", Operation::Withdraw(HolderAct { request, ..holder_act(0, 1, 3) })),
    ]
}

#[test]
fn operations_have_their_bytes() {
    let mut vectors = Vectors::of("ledger-operations.json");
    for (name, operation) in operations() {
        vectors.value(name, &operation, &[("number (text)", operation.number().to_string())]);
    }
    let entry: Entry = award(1, 1).entries[0];
    vectors.value("entry of an issue", &entry, &[]);
    for reason in [
        Reason::Investigation,
        Reason::InvestigationClosed,
        Reason::CourtOrder,
        Reason::IssuedInError,
        Reason::Fraud,
        Reason::Correction,
        Reason::NameChange,
        Reason::Lost,
    ] {
        vectors.value(&format!("reason {reason:?}"), &reason, &[]);
    }
    let document = document_commitment(&[7; 32], b"request");
    vectors.add(
        "commitment to the document \"request\" under a salt of 32 bytes 07",
        &[("hash", document.to_string())],
    );
    let link = replace_link(&[7; 32], &fingerprint(1));
    vectors.add("link to fingerprint 1 under a salt of 32 bytes 07", &[("hash", link.to_string())]);
    vectors.check();
}

#[test]
fn transactions_have_their_bytes() {
    let world = World::new();
    let mut vectors = Vectors::of("ledger-transactions.json");
    let derived = |transaction: &Transaction| {
        [("id", transaction.id().to_string()), ("bytes_hash", transaction.bytes_hash().to_string())]
    };
    let audit = Some(AuditHead { count: 9, head: Hash::plain(b"audit") });
    let body = TransactionBody { audit, ..world.body(0, Operation::Issue(award(1, 2))) };
    vectors.value("body", &body, &[("id", body.id().to_string())]);
    let registrar = keys(0).registrar;
    let factors = factor::KEY | factor::BIOMETRIC;
    let approval = Approval::by_officer(&world.chain, body.id(), KeyRole::Registrar, factors, &registrar);
    vectors.value("approval by an officer", &approval, &[]);
    match &approval {
        Approval::Officer(officer) => vectors.value::<OfficerApproval>("officer's approval", officer, &[]),
        Approval::Holder(_) => panic!("an officer approved"),
    }
    let by_holder = Approval::by_holder(&world.chain, body.id(), &holder_key(1));
    vectors.value("approval by a holder", &by_holder, &[]);
    match &by_holder {
        Approval::Holder(holder) => vectors.value::<HolderApproval>("holder's approval", holder, &[]),
        Approval::Officer(_) => panic!("a holder approved"),
    }
    let issue = world.by_officers(0, body).into_inner();
    vectors.value("issue by registrar and approver", &issue, &derived(&issue));
    let restrict = world.holder_operation(0, 1, Operation::Restrict(holder_act(0, 1, 1))).into_inner();
    vectors.value("restriction by the holder", &restrict, &derived(&restrict));
    vectors.check();
}

#[test]
fn records_have_their_bytes() {
    let mut vectors = Vectors::of("ledger-records.json");
    let key =
        |key: RecordKey| [("table (text)", (key.table as u8).to_string()), ("key", key.key.to_string())];
    let all = records();
    let day = Day::from_date(2026, 6, 30).expect("a date");
    let university: Institution = Institution {
        capital: Some(Capital { attestation: Hash::plain(b"capital"), amount_kzt: 200_000_000, to: day }),
        state: InstitutionState::FrozenUntil(Timestamp(1_782_882_000_000)),
        successor: Some(bin(1)),
        ..all.institutions[0].1.clone()
    };
    vectors.value("institution: a university", &university, &key(RecordKey::institution(bin(0))));
    vectors.value("institution: a regulator", &all.institutions[4].1, &key(RecordKey::institution(bin(4))));
    let peer: &Peer = &university.peers[0];
    vectors.value("node of an institution", peer, &[]);
    let regime: &Regime = university.regime.as_ref().expect("a regime");
    vectors.value("regime", regime, &[]);
    for (name, kind) in [
        ("regime kind: permit", RegimeKind::Permit),
        ("regime kind: sandbox", RegimeKind::AifcSandbox(5_000)),
        ("regime kind: information system", RegimeKind::InfoSystem),
    ] {
        vectors.value(name, &kind, &[]);
    }
    let (of, accredited, accreditation): &(_, _, Accreditation) = &all.accreditations[0];
    vectors.value("accreditation", accreditation, &key(RecordKey::accreditation(*of, accredited)));
    let (of, public, record): &(_, _, KeyRecord) = &all.keys[0];
    vectors.value("key", record, &key(RecordKey::key(*of, public)));
    let id = TransactionId(Hash::plain(b"transaction"));
    let batch = Batch {
        issuer: bin(0),
        scopes: vec![scope()],
        awarded_month: Month::new(2026, 6).expect("a month"),
        decision: Hash::plain(b"decision"),
        basis: Basis::Award,
        right: Right::Qualification,
        small: true,
        entries_root: tree::root(award(1, 2).entries.iter().map(Canonical::to_canonical)),
        count: 2,
    };
    vectors.value("batch", &batch, &key(RecordKey::batch(id)));
    let token = Token {
        batch: id,
        gost: [3; 32],
        control: control_of(&holder_key(1).public()),
        standing: Standing::Replaced(replace_link(&[7; 32], &fingerprint(2))),
        visibility: Visibility::Restricted,
        reason: Some(Reason::NameChange),
        acts_day: day,
        acts_count: 1,
    };
    vectors.value("token", &token, &key(RecordKey::token(bin(0), &fingerprint(1))));
    let quota = Quota { day, issued_today: 20, changed_today: 3, issued_total: 4_000 };
    vectors.value("quota", &quota, &key(RecordKey::quota(bin(0))));
    vectors.value::<Params>("parameters", &all.params, &key(RecordKey::params()));
    vectors.value("validators", &all.validators, &key(RecordKey::validators()));
    let audit = AuditHead { count: 9, head: Hash::plain(b"audit") };
    vectors.value("audit head", &audit, &key(RecordKey::audit(bin(0))));
    plain_enums(&mut vectors);
    vectors.check();
}

/// The declared number of every enum without fields.
fn plain_enums(vectors: &mut Vectors) {
    for role in [InstitutionRole::University, InstitutionRole::Regulator] {
        vectors.value(&format!("institution role {role:?}"), &role, &[]);
    }
    for kind in [PeerKind::Validator, PeerKind::Observer] {
        vectors.value(&format!("node kind {kind:?}"), &kind, &[]);
    }
    for kind in [NetworkKind::Devnet, NetworkKind::Main] {
        vectors.value(&format!("network kind {kind:?}"), &kind, &[]);
    }
    for state in [InstitutionState::Active, InstitutionState::Stopped] {
        vectors.value(&format!("institution state {state:?}"), &state, &[]);
    }
    for standing in [Standing::Valid, Standing::Suspended, Standing::Revoked] {
        vectors.value(&format!("standing {standing:?}"), &standing, &[]);
    }
    for visibility in [Visibility::Open, Visibility::Restricted, Visibility::Withdrawn] {
        vectors.value(&format!("visibility {visibility:?}"), &visibility, &[]);
    }
    for role in [
        KeyRole::Registrar,
        KeyRole::Approver,
        KeyRole::Admin,
        KeyRole::Document,
        KeyRole::Validator,
        KeyRole::Node,
        KeyRole::Witness,
    ] {
        vectors.value(&format!("key role {role:?}"), &role, &[]);
    }
}

#[test]
fn genesis_has_its_bytes_and_its_name() {
    let records = records();
    let genesis = genesis_state(&records).expect("a network");
    let mut vectors = Vectors::of("ledger-genesis.json");
    vectors.value::<GenesisRecords>("records", &records, &[]);
    vectors.value(
        "header",
        &genesis.block.header,
        &[("chain", genesis.chain.to_string()), hash_of(genesis.block.hash().0)],
    );
    vectors.value("block", &genesis.block, &[]);
    vectors.check();
}

#[test]
fn blocks_have_their_bytes() {
    let mut world = World::new();
    let mut vectors = Vectors::of("ledger-blocks.json");
    let empty = world.block_at(Timestamp(world.tip.header.time.0 + 5_000), &[]);
    vectors.value("heartbeat at height 1", &empty, &[hash_of(empty.hash().0)]);
    let restrictable = world.issue(0, 1, 2);
    let act = world.holder_operation(0, 1, Operation::Restrict(holder_act(0, 1, 1)));
    let block = world.block(&[restrictable, act]);
    vectors.value("header at height 2", &block.header, &[hash_of(block.hash().0)]);
    vectors.value("block at height 2", &block, &[]);
    vectors.check();
}

#[test]
fn trees_and_roots_have_their_hashes() {
    let world = world();
    let mut vectors = Vectors::of("ledger-state.json");
    vectors.value::<Frontier>(
        "history after block 2",
        &world.tip.history,
        &[("root", world.tip.history.root().to_string())],
    );
    for table in Table::ALL {
        let name = format!("root of table {} ({table:?}) after block 2", table as u8);
        vectors.add(&name, &[hash_of(world.tip.roots.of(table))]);
    }
    vectors.value(
        "table roots after block 2",
        &world.tip.roots,
        &[("state", world.tip.roots.root().to_string())],
    );

    let key = RecordKey::token(bin(0), &fingerprint(1));
    let root = world.tip.roots.of(key.table);
    let leaf: Leaf = map::get(&world.nodes, &root, &key.key).expect("memory reads").expect("a token");
    vectors.value("leaf of a token suspended in block 2", &leaf, &[hash_of(leaf.hash())]);
    vectors.value("that leaf as a stored node", &Node::Leaf(leaf), &[]);
    let branch = Branch { bit: 9, left: Hash::plain(b"left"), right: Hash::plain(b"right") };
    vectors.value("branch", &branch, &[hash_of(branch.hash())]);
    vectors.value("that branch as a stored node", &Node::Branch(branch), &[]);

    let leaf = |n: u8| Leaf {
        key: Hash::plain(&[n]),
        version: 1,
        changed_at: Height(u64::from(n)),
        previous: Hash::ZERO,
        value: vec![n],
    };
    for count in [0u8, 1, 2, 3, 16] {
        let puts = (0..count).map(|n| (Hash::plain(&[n]), leaf(n))).collect();
        let update = map::update(&MemoryNodes::new(), &Hash::ZERO, &puts).expect("memory reads");
        let name = format!(
            "trie of leaves n < {count}: key SHA-256(n), version 1, changed at n, first of its kind, value n"
        );
        vectors.add(&name, &[hash_of(update.root)]);
        let name = format!("RFC 6962 tree of leaves n < {count}, one byte each");
        vectors.add(&name, &[hash_of(tree::root((0..count).map(|n| [n])))]);
    }
    vectors.check();
}

#[test]
fn checkpoints_have_their_bytes() {
    let checkpoint = Checkpoint::of(&World::new().tip.header);
    let witnesses = [seeded_key("witness 1"), seeded_key("witness 2")];
    let mut cosigned = CosignedCheckpoint { checkpoint, cosignatures: Vec::new() };
    witnesses.iter().for_each(|witness| cosigned.cosign(witness));
    let policy =
        WitnessPolicy::new(witnesses.map(|witness| witness.public()).to_vec(), 2).expect("two of two");
    assert_eq!(cosigned.verify(&policy), Ok(()));
    let mut vectors = Vectors::of("ledger-checkpoints.json");
    let signed = [("signing_bytes", hex::encode(checkpoint.signing_bytes()))];
    vectors.value("checkpoint of the test kit's genesis", &checkpoint, &signed);
    vectors.value("co-signed by two witnesses", &cosigned, &[]);
    vectors.check();
}
