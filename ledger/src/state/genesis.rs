//! The first state and the first block. Every later block rests on what is checked here, so records that do
//! not fit together are refused now and not when somebody first needs them.

use std::collections::{BTreeMap, BTreeSet};

use tanba_crypto::{
    Hash, KeyError, PublicKey,
    canonical::{Decode, Encode},
};

use super::{BlockState, Changes, Delta, TableRoots};
use crate::{
    Bin, Block, BlockHash, ChainId, Header, Height, Scope, Timestamp, ValidatorSet,
    block::HEADER_VERSION,
    limits::{HEARTBEAT_MS_MIN, OFFICER_DELAY_MS_MIN, PEERS_MAX},
    merkle::{Frontier, MemoryNodes, tree},
    record::{
        Accreditation, Institution, InstitutionRole, KeyRecord, KeyRole, NetworkKind, Params, PeerKind,
        RecordKey,
    },
    transaction::factor,
};

/// Validators of a network that is not a devnet, at least: the fewest of which one may be faulty.
pub const VALIDATORS_MIN: usize = 4;

/// Regulators of a network that is not a devnet, at least: one alone must never be the only overseer.
pub const REGULATORS_MIN: usize = 2;

/// Factors without which no officer is recognised outside devnets: key and certificate login.
pub const FACTORS_MIN: u16 = factor::KEY | factor::CERTIFICATE;

/// All that the state holds before the first transaction. Every list is strictly ascending by its name, so
/// that the same facts have one encoding.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct GenesisRecords {
    /// The time of the genesis block.
    pub time: Timestamp,
    /// The parameters.
    pub params: Params,
    /// Universities and regulators, by BIN.
    pub institutions: Vec<(Bin, Institution)>,
    /// Accreditations, by BIN and scope.
    pub accreditations: Vec<(Bin, Scope, Accreditation)>,
    /// Keys of institutions, by BIN and key.
    pub keys: Vec<(Bin, PublicKey, KeyRecord)>,
    /// The set that decides block 1.
    pub validators: ValidatorSet,
}

/// What genesis makes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GenesisState {
    /// The block at height 0, `chain` zero in its header. Later headers carry [`GenesisState::chain`].
    pub block: Block,
    /// The network's name: [`Header::founded_chain`] of the block.
    pub chain: ChainId,
    /// Tip, nodes and history, as for any other block.
    pub delta: Delta,
}

/// Why records found no network.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GenesisError {
    /// A list is not strictly ascending: something stands twice or in the wrong place.
    #[error("{list} are not in strictly ascending order at entry {at} (counted from 0)")]
    Order {
        /// Which list.
        list: &'static str,
        /// The first entry that does not come after the one before it.
        at: usize,
    },
    /// An institution's record holds another BIN than it is listed under.
    #[error("the institution listed as {listed} says it is {held}")]
    OtherBin {
        /// Under which it is listed.
        listed: Bin,
        /// In the record.
        held: Bin,
    },
    /// A record names an institution that genesis does not hold.
    #[error("{by} names institution {bin}, which is not in genesis")]
    UnknownInstitution {
        /// What names it.
        by: &'static str,
        /// The institution.
        bin: Bin,
    },
    /// An institution has the other role than its records need.
    #[error("{bin} must be a {required:?} {because}")]
    WrongRole {
        /// The institution.
        bin: Bin,
        /// The role needed.
        required: InstitutionRole,
        /// What needs it.
        because: &'static str,
    },
    /// A university without a regime, or a regulator with one.
    #[error("{0}: universities have a regime, regulators have none")]
    Regime(Bin),
    /// A term ends before it begins.
    #[error("a term of {bin} ends before it begins: {what}")]
    Term {
        /// The institution.
        bin: Bin,
        /// Of what.
        what: &'static str,
    },
    /// An institution succeeds itself.
    #[error("{0} cannot be its own successor")]
    OwnSuccessor(Bin),
    /// More nodes than an institution may have.
    #[error("{bin} lists {count} nodes, the limit is {PEERS_MAX}")]
    PeersMany {
        /// The institution.
        bin: Bin,
        /// How many.
        count: usize,
    },
    /// A node is listed whose key is not registered as the institution's `Node` key.
    #[error("{bin} lists node {key}, which is not among its keys of role Node")]
    PeerKey {
        /// The institution.
        bin: Bin,
        /// The node's key.
        key: PublicKey,
    },
    /// A key that must never be registered.
    #[error("key {key} of {bin} is refused: {why}")]
    BadKey {
        /// The institution.
        bin: Bin,
        /// The key.
        key: PublicKey,
        /// Why.
        why: &'static str,
    },
    /// One key for two institutions.
    #[error("key {0} belongs to two institutions: one key has one owner and one role")]
    SharedKey(PublicKey),
    /// A validator votes with a key that is not registered for it, or not in force.
    #[error("validator {bin} has no key {key} of role Validator in force at genesis")]
    ValidatorKey {
        /// The institution.
        bin: Bin,
        /// The key in the set.
        key: PublicKey,
    },
    /// Too few validators outside a devnet.
    #[error("{0} validators; outside a devnet at least {VALIDATORS_MIN} are needed to bear one fault")]
    ValidatorsFew(usize),
    /// Too few regulators outside a devnet.
    #[error("{0} regulators; outside a devnet at least {REGULATORS_MIN} are needed")]
    RegulatorsFew(usize),
    /// A parameter that no network, or only a devnet, may have.
    #[error("parameter {name}: {why}")]
    Param {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// Makes the genesis block and the state after it.
///
/// Pure: the same records found the same network on every machine. Refuses records that contradict each other
/// and, outside a devnet, relaxations.
pub fn genesis_state(records: &GenesisRecords) -> Result<GenesisState, GenesisError> {
    check(records)?;
    let (empty, nothing) = (TableRoots::default(), MemoryNodes::new());
    let mut state = BlockState::new(&empty, &nothing, Height::GENESIS);
    state.write(first_records(records)).expect("an empty state is read from no store");
    let update = state.finish().expect("an empty state is read from no store");

    let set = records.validators.hash();
    let header = Header {
        version: HEADER_VERSION,
        chain: ChainId(Hash::ZERO),
        height: Height::GENESIS,
        time: records.time,
        parent: BlockHash(Hash::ZERO),
        proposer: None,
        transactions: tree::EMPTY_ROOT,
        count: 0,
        state: update.roots.root(),
        history: Frontier::default().root(),
        validators: set,
        next_validators: set,
    };
    let chain = header.founded_chain();
    let delta = update.into_delta(
        header.clone(),
        &Frontier::default(),
        records.validators.clone(),
        records.params.clone(),
        Vec::new(),
    );
    Ok(GenesisState { block: Block { header, transactions: Vec::new() }, chain, delta })
}

fn first_records(records: &GenesisRecords) -> Changes {
    let mut changes = Changes::default();
    for (bin, institution) in &records.institutions {
        changes.put(RecordKey::institution(*bin), institution);
    }
    for (bin, scope, accreditation) in &records.accreditations {
        changes.put(RecordKey::accreditation(*bin, scope), accreditation);
    }
    for (bin, key, record) in &records.keys {
        changes.put(RecordKey::key(*bin, key), record);
    }
    changes.put(RecordKey::params(), &records.params);
    changes.put(RecordKey::validators(), &records.validators);
    changes
}

fn check(records: &GenesisRecords) -> Result<(), GenesisError> {
    check_order("institutions", records.institutions.iter().map(|(bin, _)| bin))?;
    check_order("accreditations", records.accreditations.iter().map(|(bin, scope, _)| (bin, scope)))?;
    check_order("keys", records.keys.iter().map(|(bin, key, _)| (bin, key)))?;
    check_params(&records.params)?;
    let known = Known {
        institutions: records.institutions.iter().map(|(bin, institution)| (*bin, institution)).collect(),
        keys: records.keys.iter().map(|(bin, key, record)| ((*bin, *key), record)).collect(),
    };
    for (bin, institution) in &records.institutions {
        check_institution(*bin, institution, &known)?;
    }
    for (bin, _, accreditation) in &records.accreditations {
        known.has_role("an accreditation", *bin, InstitutionRole::University, "to be accredited")?;
        let by = accreditation.recorded_by;
        known.has_role("an accreditation", by, InstitutionRole::Regulator, "to record accreditations")?;
        check_term(*bin, "accreditation", accreditation.from <= accreditation.to)?;
    }
    check_keys(&records.keys, &known)?;
    check_validators(records, &known)
}

/// What records of genesis may refer to.
struct Known<'a> {
    institutions: BTreeMap<Bin, &'a Institution>,
    keys: BTreeMap<(Bin, PublicKey), &'a KeyRecord>,
}

impl Known<'_> {
    fn institution(&self, by: &'static str, bin: Bin) -> Result<&Institution, GenesisError> {
        self.institutions.get(&bin).copied().ok_or(GenesisError::UnknownInstitution { by, bin })
    }

    fn has_role(
        &self,
        by: &'static str,
        bin: Bin,
        required: InstitutionRole,
        because: &'static str,
    ) -> Result<(), GenesisError> {
        let role = self.institution(by, bin)?.role;
        (role == required).then_some(()).ok_or(GenesisError::WrongRole { bin, required, because })
    }

    fn has_key(&self, bin: Bin, key: PublicKey, role: KeyRole, time: Option<Timestamp>) -> bool {
        self.keys
            .get(&(bin, key))
            .is_some_and(|record| record.role == role && time.is_none_or(|time| record.holds_at(time)))
    }
}

fn check_order<T: Ord>(list: &'static str, names: impl Iterator<Item = T>) -> Result<(), GenesisError> {
    let names: Vec<T> = names.collect();
    match names.windows(2).position(|pair| pair[0] >= pair[1]) {
        Some(before) => Err(GenesisError::Order { list, at: before + 1 }),
        None => Ok(()),
    }
}

fn check_term(bin: Bin, what: &'static str, is_forward: bool) -> Result<(), GenesisError> {
    if is_forward { Ok(()) } else { Err(GenesisError::Term { bin, what }) }
}

fn check_params(params: &Params) -> Result<(), GenesisError> {
    let param = |name, is_good: bool, why| {
        if is_good { Ok(()) } else { Err(GenesisError::Param { name, why }) }
    };
    param("heartbeat_ms", params.heartbeat_ms > 0, "an empty block would always be due")?;
    match params.kind {
        NetworkKind::Devnet => Ok(()),
        NetworkKind::Main => {
            let (heartbeat, delay) = (params.heartbeat_ms, params.officer_delay_ms);
            param("heartbeat_ms", heartbeat >= HEARTBEAT_MS_MIN, "below five minutes outside a devnet")?;
            param("officer_delay_ms", delay >= OFFICER_DELAY_MS_MIN, "below 24 hours outside a devnet")?;
            let has_factors = params.factors_min & FACTORS_MIN == FACTORS_MIN;
            param("factors_min", has_factors, "must ask for key and certificate outside a devnet")?;
            param(
                "territory",
                params.territory != Hash::ZERO,
                "must name a list of networks outside a devnet",
            )
        }
    }
}

fn check_institution(bin: Bin, institution: &Institution, known: &Known<'_>) -> Result<(), GenesisError> {
    if institution.bin != bin {
        return Err(GenesisError::OtherBin { listed: bin, held: institution.bin });
    }
    match (institution.role, &institution.regime) {
        (InstitutionRole::University, Some(regime)) => {
            check_term(bin, "regime", regime.from <= regime.to)?;
        }
        (InstitutionRole::Regulator, None) => {}
        (InstitutionRole::University, None) | (InstitutionRole::Regulator, Some(_)) => {
            return Err(GenesisError::Regime(bin));
        }
    }
    match institution.successor {
        Some(successor) if successor == bin => return Err(GenesisError::OwnSuccessor(bin)),
        Some(successor) => {
            known.has_role(
                "a successor",
                successor,
                InstitutionRole::University,
                "to succeed a university",
            )?;
        }
        None => {}
    }
    if institution.peers.len() > PEERS_MAX {
        return Err(GenesisError::PeersMany { bin, count: institution.peers.len() });
    }
    check_order("nodes of an institution", institution.peers.iter().map(|peer| peer.key))?;
    for peer in &institution.peers {
        if !known.has_key(bin, peer.key, KeyRole::Node, None) {
            return Err(GenesisError::PeerKey { bin, key: peer.key });
        }
        check_term(bin, "node", peer.to.is_none_or(|to| peer.from < to))?;
        if peer.kind == PeerKind::Validator {
            known.has_role("a node", bin, InstitutionRole::University, "to run a validator")?;
        }
    }
    Ok(())
}

fn check_keys(keys: &[(Bin, PublicKey, KeyRecord)], known: &Known<'_>) -> Result<(), GenesisError> {
    let mut seen = BTreeSet::new();
    for (bin, key, record) in keys {
        known.institution("a key", *bin)?;
        key.check().map_err(|error| GenesisError::BadKey { bin: *bin, key: *key, why: refused(&error) })?;
        check_term(*bin, "key", record.to.is_none_or(|to| record.from < to))?;
        if record.role == KeyRole::Validator {
            known.has_role("a key", *bin, InstitutionRole::University, "to hold a validator key")?;
        }
        if !seen.insert(*key) {
            return Err(GenesisError::SharedKey(*key));
        }
    }
    Ok(())
}

fn refused(error: &KeyError) -> &'static str {
    match error {
        KeyError::Weak => "a point of small order",
        KeyError::NotAPoint | KeyError::Text => "not a point of the curve",
    }
}

fn check_validators(records: &GenesisRecords, known: &Known<'_>) -> Result<(), GenesisError> {
    for validator in records.validators.members() {
        let (bin, key) = (validator.bin, validator.key);
        known.has_role("the validator set", bin, InstitutionRole::University, "to be a validator")?;
        if !known.has_key(bin, key, KeyRole::Validator, Some(records.time)) {
            return Err(GenesisError::ValidatorKey { bin, key });
        }
    }
    match records.params.kind {
        NetworkKind::Devnet => Ok(()),
        NetworkKind::Main => {
            let is_regulator = |institution: &&Institution| institution.role == InstitutionRole::Regulator;
            let regulators = known.institutions.values().copied().filter(is_regulator).count();
            if regulators < REGULATORS_MIN {
                return Err(GenesisError::RegulatorsFew(regulators));
            }
            match records.validators.len() {
                few if few < VALIDATORS_MIN => Err(GenesisError::ValidatorsFew(few)),
                _ => Ok(()),
            }
        }
    }
}
