//! What founds a network and what does not.

use tanba_crypto::{Canonical, Hash, PublicKey};

use crate::{
    Height, Timestamp, ValidatorSet,
    limits::{HEARTBEAT_MS_MIN, OFFICER_DELAY_MS_MIN},
    merkle::{MemoryNodes, tree},
    record::{Institution, InstitutionRole, KeyRole, NetworkKind, Params, PeerKind, RecordKey},
    state::{GenesisError, GenesisRecords, StateReader, StateView, genesis::FACTORS_MIN, genesis_state},
    testkit::{bin, keys, records, seeded_key},
};

#[track_caller]
fn refused(change: impl FnOnce(&mut GenesisRecords), expected: GenesisError) {
    let mut records = records();
    change(&mut records);
    assert_eq!(genesis_state(&records).err(), Some(expected));
}

fn for_main(records: &mut GenesisRecords) {
    records.params = Params {
        kind: NetworkKind::Main,
        heartbeat_ms: HEARTBEAT_MS_MIN,
        officer_delay_ms: OFFICER_DELAY_MS_MIN,
        factors_min: FACTORS_MIN,
        territory: Hash([1; 32]),
        ..records.params
    };
}

#[test]
fn genesis_founds_a_chain_and_holds_its_records() {
    let records = records();
    let genesis = genesis_state(&records).expect("a network");
    let (header, tip) = (&genesis.block.header, &genesis.delta.tip);
    assert_eq!((header.height, header.count, header.proposer), (Height::GENESIS, 0, None));
    assert_eq!((header.transactions, header.history), (tree::EMPTY_ROOT, tree::EMPTY_ROOT));
    assert_eq!((header.state, header.chain.0), (tip.roots.root(), Hash::ZERO));
    assert_eq!((tip.chain(), tip.hash), (genesis.chain, genesis.block.hash()));
    assert_ne!(genesis.chain.0, genesis.block.hash().0);
    assert_eq!((tip.history.size, tip.history.root()), (1, tree::leaf_hash(&tip.hash.0.0)));

    let mut nodes = MemoryNodes::new();
    nodes.extend(&genesis.delta.nodes);
    let state = StateView::new(&tip.roots, &nodes);
    let institution = state.record::<Institution>(&RecordKey::institution(bin(2))).expect("reads");
    assert_eq!(institution.expect("recorded").value, records.institutions[2].1);
    let validators = state.record::<ValidatorSet>(&RecordKey::validators()).expect("reads");
    assert_eq!(validators.expect("recorded").value, tip.validators);
}

#[test]
fn every_fact_changes_the_chain() {
    let chain = |change: &dyn Fn(&mut GenesisRecords)| {
        let mut records = records();
        change(&mut records);
        genesis_state(&records).expect("a network").chain
    };
    let plain = chain(&|_| {});
    assert_eq!(chain(&|_| {}), plain);
    assert_ne!(chain(&|records| records.time = Timestamp(records.time.0 + 1)), plain);
    assert_ne!(chain(&|records| records.params.issued_daily_max += 1), plain);
    assert_ne!(chain(&|records| records.institutions[0].1.names.en.push('!')), plain);
}

#[test]
fn records_have_one_encoding() {
    let records = records();
    let bytes = records.to_canonical();
    assert_eq!(GenesisRecords::from_canonical(&bytes, bytes.len()), Ok(records));
}

#[test]
fn lists_out_of_order_are_refused() {
    refused(|r| r.institutions.swap(0, 1), GenesisError::Order { list: "institutions", at: 1 });
    refused(|r| r.keys[3] = r.keys[2], GenesisError::Order { list: "keys", at: 3 });
    let twice = |r: &mut GenesisRecords| r.accreditations[1] = r.accreditations[0].clone();
    refused(twice, GenesisError::Order { list: "accreditations", at: 1 });
}

#[test]
fn records_of_unknown_institutions_are_refused() {
    let unknown = |by| GenesisError::UnknownInstitution { by, bin: bin(9) };
    refused(|r| r.institutions[0].1.successor = Some(bin(9)), unknown("a successor"));
    refused(|r| r.accreditations[3].2.recorded_by = bin(9), unknown("an accreditation"));
    let stray = |r: &mut GenesisRecords| {
        let (_, _, record) = r.keys[0];
        r.keys.push((bin(9), seeded_key("stray").public(), record));
    };
    refused(stray, unknown("a key"));
    let listed = GenesisError::OtherBin { listed: bin(0), held: bin(9) };
    refused(|r| r.institutions[0].1.bin = bin(9), listed);
}

#[test]
fn a_regulator_accredits_and_never_votes_or_is_accredited() {
    let wrong = |bin, required, because| GenesisError::WrongRole { bin, required, because };
    refused(
        |r| r.accreditations[0].2.recorded_by = bin(1),
        wrong(bin(1), InstitutionRole::Regulator, "to record accreditations"),
    );
    refused(
        |r| r.accreditations[3].0 = bin(4),
        wrong(bin(4), InstitutionRole::University, "to be accredited"),
    );
    refused(
        |r| r.institutions[4].1.peers[0].kind = PeerKind::Validator,
        wrong(bin(4), InstitutionRole::University, "to run a validator"),
    );
    let votes = |r: &mut GenesisRecords| {
        let own = r.keys.iter_mut().find(|(of, _, key)| *of == bin(5) && key.role == KeyRole::Admin);
        own.expect("an admin").2.role = KeyRole::Validator;
    };
    refused(votes, wrong(bin(5), InstitutionRole::University, "to hold a validator key"));
    let in_set = |r: &mut GenesisRecords| {
        let mut members = r.validators.members().to_vec();
        members[3].bin = bin(4);
        r.validators = ValidatorSet::new(members).expect("a set");
    };
    refused(in_set, wrong(bin(4), InstitutionRole::University, "to be a validator"));
}

#[test]
fn universities_have_a_regime_and_regulators_none() {
    refused(|r| r.institutions[0].1.regime = None, GenesisError::Regime(bin(0)));
    let with = |r: &mut GenesisRecords| r.institutions[4].1.regime = r.institutions[0].1.regime.clone();
    refused(with, GenesisError::Regime(bin(4)));
}

#[test]
fn terms_that_end_before_they_begin_are_refused() {
    let backwards = |r: &mut GenesisRecords| {
        let regime = r.institutions[1].1.regime.as_mut().expect("a regime");
        std::mem::swap(&mut regime.from, &mut regime.to);
    };
    refused(backwards, GenesisError::Term { bin: bin(1), what: "regime" });
    let key = |r: &mut GenesisRecords| r.keys[0].2.to = Some(Timestamp(0));
    refused(key, GenesisError::Term { bin: bin(0), what: "key" });
}

#[test]
fn nodes_are_registered_ordered_and_few() {
    let stranger = seeded_key("stranger").public();
    let listed = |r: &mut GenesisRecords| r.institutions[0].1.peers[0].key = stranger;
    refused(listed, GenesisError::PeerKey { bin: bin(0), key: stranger });
    let crowd = |r: &mut GenesisRecords| {
        let peer = r.institutions[0].1.peers[0].clone();
        r.institutions[0].1.peers = vec![peer; 17];
    };
    refused(crowd, GenesisError::PeersMany { bin: bin(0), count: 17 });
    refused(|r| r.institutions[0].1.successor = Some(bin(0)), GenesisError::OwnSuccessor(bin(0)));
}

#[test]
fn weak_and_shared_keys_are_refused() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let weak = PublicKey::Ed25519(identity);
    let replace = |r: &mut GenesisRecords, key: PublicKey| {
        // The admin's key: nothing else refers to it.
        let own = r.keys.iter_mut().find(|(of, _, key)| *of == bin(0) && key.role == KeyRole::Admin);
        own.expect("an admin").1 = key;
        r.keys.sort_by_key(|(bin, key, _)| (*bin, *key));
    };
    refused(
        |r| replace(r, weak),
        GenesisError::BadKey { bin: bin(0), key: weak, why: "a point of small order" },
    );
    let shared = keys(1).admin.public();
    refused(|r| replace(r, shared), GenesisError::SharedKey(shared));
}

#[test]
fn validators_vote_with_registered_keys_in_force() {
    let voter = keys(0).validator.public();
    let expected = GenesisError::ValidatorKey { bin: bin(0), key: voter };
    refused(|r| r.keys.retain(|(_, key, _)| *key != voter), expected.clone());
    let tomorrow = |r: &mut GenesisRecords| {
        let own = r.keys.iter_mut().find(|(_, key, _)| *key == voter).expect("registered");
        own.2.from = Timestamp(r.time.0 + 1);
    };
    refused(tomorrow, expected);
}

#[test]
fn outside_a_devnet_nothing_is_relaxed() {
    let main = |change: fn(&mut GenesisRecords)| {
        let mut records = records();
        for_main(&mut records);
        change(&mut records);
        genesis_state(&records)
    };
    assert!(main(|_| {}).is_ok());
    let param = |result: Result<_, GenesisError>| match result {
        Err(GenesisError::Param { name, .. }) => name,
        other => panic!("{:?}", other.err()),
    };
    assert_eq!(param(main(|r| r.params.heartbeat_ms -= 1).map(drop)), "heartbeat_ms");
    assert_eq!(param(main(|r| r.params.officer_delay_ms = 0).map(drop)), "officer_delay_ms");
    assert_eq!(param(main(|r| r.params.factors_min = 1).map(drop)), "factors_min");
    assert_eq!(param(main(|r| r.params.territory = Hash::ZERO).map(drop)), "territory");
    let three = |r: &mut GenesisRecords| {
        r.validators = ValidatorSet::new(r.validators.members()[..3].to_vec()).expect("a set");
    };
    assert_eq!(main(three).err(), Some(GenesisError::ValidatorsFew(3)));
    let one_regulator = |r: &mut GenesisRecords| {
        r.institutions.retain(|(listed, _)| *listed != bin(5));
        r.keys.retain(|(of, _, _)| *of != bin(5));
    };
    assert_eq!(main(one_regulator).err(), Some(GenesisError::RegulatorsFew(1)));
    refused(
        |r| r.params.heartbeat_ms = 0,
        GenesisError::Param { name: "heartbeat_ms", why: "an empty block would always be due" },
    );
}
