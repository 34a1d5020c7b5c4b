//! Keys, genesis and homes of a throw-away network. Names and numbers are invented; every run draws new keys.

use std::{collections::BTreeSet, net::SocketAddr, path::Path};

use tanba_crypto::{Hash, SigningKey};
use tanba_genesis::{Genesis, GenesisDocument, Member, MemberKey, model::default_params};
use tanba_ledger::{
    Bin, Day, Scope, Timestamp, Validator,
    operation::document_commitment,
    record::{
        Accreditation, Institution, InstitutionRole, InstitutionState, KeyRole, Names, NetworkKind, Peer,
        PeerKind, Regime, RegimeKind,
    },
};

use super::{DevnetError, ports::ReservedPort};
use crate::{
    cli::init::initialise,
    clock,
    home::{Home, files},
    keystore::{KeyName, Keystore, Protection, Purpose},
};

/// The network's name.
const NETWORK: &str = "devnet";

/// Universities, each with a validator.
const UNIVERSITIES: usize = 4;

/// One institution of the devnet, with all its keys: a devnet alone keeps them in one hand.
#[derive(Clone, Debug)]
pub struct Party {
    /// Its number.
    pub bin: Bin,
    /// Its name in English.
    pub name: String,
    /// Proposes.
    pub registrar: SigningKey,
    /// Confirms.
    pub approver: SigningKey,
    admin: SigningKey,
    /// Votes; ministries have none.
    pub validator: Option<SigningKey>,
    /// Its node's identity; the second ministry runs no node.
    pub node: Option<SigningKey>,
    /// Where its node lives.
    pub home: Option<Home>,
    /// Where its node listens for nodes.
    pub p2p: Option<SocketAddr>,
}

/// A network that was founded and can be started.
#[derive(Debug)]
pub struct Founded {
    /// The first facts.
    pub genesis: GenesisDocument,
    /// Universities first, then ministries.
    pub parties: Vec<Party>,
    /// Kept for its nodes, also while one of them is stopped.
    _ports: Vec<ReservedPort>,
}

impl Founded {
    /// The universities.
    pub fn universities(&self) -> &[Party] {
        &self.parties[..UNIVERSITIES]
    }

    /// The observing ministry.
    pub fn observer(&self) -> &Party {
        &self.parties[UNIVERSITIES]
    }

    /// All parties with a node: four validators and the observer.
    pub fn with_nodes(&self) -> impl Iterator<Item = &Party> {
        self.parties.iter().filter(|party| party.home.is_some())
    }
}

/// Founds a network under `folder`. `scopes` says what each university must be accredited for.
pub fn found(folder: &Path, scopes: &[BTreeSet<Scope>]) -> Result<Founded, DevnetError> {
    assert_eq!(scopes.len(), UNIVERSITIES, "one set of scopes a university");
    let ports = (0..UNIVERSITIES + 1).map(|_| ReservedPort::any()).collect::<Result<Vec<_>, _>>();
    let ports = ports.map_err(failed)?;
    let mut parties = Vec::new();
    for number in 0..UNIVERSITIES + 2 {
        parties.push(party(number, folder, &ports)?);
    }
    let now = clock::now();
    let regulator = parties[UNIVERSITIES].bin;
    let members = parties.iter().enumerate().map(|(number, party)| {
        let scopes = scopes.get(number).cloned().unwrap_or_default();
        member(number, party, &scopes, regulator, now)
    });
    let validator =
        |party: &Party| Some(Validator { bin: party.bin, key: party.validator.as_ref()?.public() });
    let genesis = Genesis {
        network: NETWORK.to_owned(),
        time: Timestamp(now.0.saturating_sub(1_000)),
        params: default_params(NetworkKind::Devnet),
        members: members.collect::<Result<_, _>>()?,
        validators: parties.iter().filter_map(validator).collect(),
    };
    let genesis = GenesisDocument::new("devnet", genesis).map_err(failed)?;
    for party in &parties {
        make_home(party, &parties, &genesis)?;
    }
    Ok(Founded { genesis, parties, _ports: ports })
}

fn failed(error: impl ToString) -> DevnetError {
    DevnetError::Founding(error.to_string())
}

fn draw_key() -> Result<SigningKey, DevnetError> {
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(failed)?;
    Ok(SigningKey::ed25519(&seed))
}

fn party(number: usize, folder: &Path, ports: &[ReservedPort]) -> Result<Party, DevnetError> {
    let is_university = number < UNIVERSITIES;
    let has_node = number <= UNIVERSITIES;
    // Eleven digits of no institution; a few prefixes have no control digit.
    let first = 99_064_000_000 + number as u64 * 100;
    let bin =
        (first..first + 100).find_map(Bin::with_control_digit).expect("most prefixes have a control digit");
    let name = match number {
        0..UNIVERSITIES => format!("Sample University {}", number + 1),
        UNIVERSITIES => "Sample Ministry of Education".to_owned(),
        _ => "Sample Ministry of Digital Affairs".to_owned(),
    };
    let home = if is_university { format!("university-{}", number + 1) } else { "ministry".to_owned() };
    Ok(Party {
        bin,
        name,
        registrar: draw_key()?,
        approver: draw_key()?,
        admin: draw_key()?,
        validator: is_university.then(draw_key).transpose()?,
        node: has_node.then(draw_key).transpose()?,
        home: has_node.then(|| Home::at(folder.join(home))),
        p2p: ports.get(number).map(ReservedPort::address),
    })
}

fn member(
    number: usize,
    party: &Party,
    scopes: &BTreeSet<Scope>,
    regulator: Bin,
    now: Timestamp,
) -> Result<Member, DevnetError> {
    let is_university = number < UNIVERSITIES;
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).map_err(failed)?;
    let invented = document_commitment(&salt, b"an invented document of a throw-away network");
    let keys = [
        Some((KeyRole::Registrar, &party.registrar)),
        Some((KeyRole::Approver, &party.approver)),
        Some((KeyRole::Admin, &party.admin)),
        party.validator.as_ref().map(|key| (KeyRole::Validator, key)),
        party.node.as_ref().map(|key| (KeyRole::Node, key)),
    ];
    let proven =
        |(role, key): (KeyRole, &SigningKey)| MemberKey::proven(NETWORK, party.bin, role, key, invented);
    let kind = if is_university { PeerKind::Validator } else { PeerKind::Observer };
    let peers = party.node.iter().map(|key| Peer { key: key.public(), kind, from: Timestamp(0), to: None });
    let regime = Regime {
        kind: RegimeKind::InfoSystem,
        document_number: format!("DEVNET-{}", number + 1),
        document: invented,
        from: Day(now.day().0.saturating_sub(365)),
        to: Day(now.day().0.saturating_add(730)),
    };
    let accreditation = Accreditation {
        from: Day::from_date(2020, 1, 1).expect("a date"),
        to: Day(now.day().0.saturating_add(730)),
        recorded_by: regulator,
    };
    let role = if is_university { InstitutionRole::University } else { InstitutionRole::Regulator };
    Ok(Member {
        institution: Institution {
            bin: party.bin,
            names: names(number, &party.name),
            role,
            regime: is_university.then_some(regime),
            capital: None,
            hosting: Hash::ZERO,
            state: InstitutionState::Active,
            successor: None,
            peers: peers.collect(),
        },
        keys: keys.into_iter().flatten().map(proven).collect(),
        accreditations: scopes.iter().map(|scope| (scope.clone(), accreditation)).collect(),
    })
}

fn names(number: usize, en: &str) -> Names {
    let (kk, ru) = match number {
        0..UNIVERSITIES => {
            (format!("{}-үлгі университеті", number + 1), format!("Образцовый университет {}", number + 1))
        }
        UNIVERSITIES => {
            ("Үлгі білім министрлігі".to_owned(), "Образцовое министерство образования".to_owned())
        }
        _ => ("Үлгі цифрлық министрлігі".to_owned(), "Образцовое цифровое министерство".to_owned()),
    };
    Names { kk, ru, en: en.to_owned() }
}

fn make_home(party: &Party, all: &[Party], genesis: &GenesisDocument) -> Result<(), DevnetError> {
    let (Some(home), Some(node), Some(p2p)) = (&party.home, &party.node, party.p2p) else { return Ok(()) };
    home.create().map_err(failed)?;
    let keystore = Keystore::open(home.keys_dir()).map_err(failed)?;
    let keep = |name: &str, purpose, key: &SigningKey| {
        let name = KeyName::new(name).expect("a key's name");
        keystore.keep(&name, purpose, key, Protection::PlainForDevnet).map_err(failed)
    };
    keep("node", Purpose::Node, node)?;
    keep("registrar", Purpose::Registrar, &party.registrar)?;
    keep("approver", Purpose::Approver, &party.approver)?;
    if let Some(validator) = &party.validator {
        keep("validator", Purpose::Validator, validator)?;
    }
    let others = all.iter().filter(|other| other.bin != party.bin);
    let peers: Vec<String> = others
        .filter_map(|other| Some(format!("\"{}@{}\"", other.node.as_ref()?.public(), other.p2p?)))
        .collect();
    let settings = format!(
        "[p2p]\nlisten = \"{p2p}\"\npeers = [{}]\n\n[grpc]\nlisten = \"127.0.0.1:0\"\n\n\
         [metrics]\nlisten = \"127.0.0.1:0\"\n",
        peers.join(", ")
    );
    files::create_file(&home.config_file(), settings.as_bytes(), files::MODE_PRIVATE).map_err(failed)?;
    let validator = party.validator.as_ref().map(SigningKey::public);
    initialise(home, genesis, validator)
        .map_err(|error| failed(format!("{}: {}", home.root().display(), error.message)))
}
