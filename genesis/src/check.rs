//! Every reason to refuse a genesis beyond the form of its values, each with a remedy. One pass, nothing stops
//! at the first mistake.

use std::collections::{BTreeMap, BTreeSet};

use tanba_crypto::{Hash, PublicKey};
use tanba_ledger::{
    Bin, Timestamp,
    limits::{HEARTBEAT_MS_MIN, OFFICER_DELAY_MS_MIN, PEERS_MAX, VALIDATORS_MAX},
    record::{InstitutionRole, KeyRole, NetworkKind, PeerKind},
    state::genesis::{FACTORS_MIN, REGULATORS_MIN, VALIDATORS_MIN},
    transaction::factor,
};

use crate::{
    draft::{Draft, DraftKey, DraftMember, DraftParams, DraftValidator},
    mistake::Notes,
    model::{ACCREDITATIONS_MAX, DOCUMENT_NUMBER_BYTES_MAX, INSTITUTIONS_MAX, KEYS_MAX, NAME_BYTES_MAX},
    possession,
    text::{is_network_name, word_of},
};

/// Notes everything that is wrong with a genesis.
pub(crate) fn check(draft: &Draft, notes: &mut Notes) {
    if let Some(network) = &draft.network {
        check_network(network, notes);
    }
    if draft.time.is_some_and(|time| time < EARLIEST) {
        notes.add("time", "the network would begin before the ledger's law", "write the day of the start");
    }
    if let Some(kind) = draft.kind {
        check_params(&draft.params, kind, notes);
    }
    check_unique_bins(&draft.members, notes);
    check_unique_keys(&draft.members, notes);
    if draft.members.len() > INSTITUTIONS_MAX {
        let what = format!("{} institutions, the limit is {INSTITUTIONS_MAX}", draft.members.len());
        notes.add("institutions", what, "take the surplus out");
    }
    for member in &draft.members {
        check_member(draft.network.as_deref(), member, notes);
        check_accreditations(member, &draft.members, notes);
        check_at_start(member, draft.time, notes);
        if draft.kind == Some(NetworkKind::Main) {
            check_member_on_main(member, notes);
        }
    }
    check_validators(draft, notes);
    check_regulators(draft, notes);
}

/// Notes what is wrong with one institution, whatever the others are.
pub(crate) fn check_member_alone(network: Option<&str>, member: &DraftMember, notes: &mut Notes) {
    if let Some(network) = network {
        check_network(network, notes);
    }
    check_unique_keys(std::slice::from_ref(member), notes);
    check_member(network, member, notes);
}

/// 1 April 2023, when Law 193-VII on digital assets came into force.
const EARLIEST: Timestamp = Timestamp(1_680_307_200_000);

fn check_network(network: &str, notes: &mut Notes) {
    if !is_network_name(network) {
        let what = format!("{network:?} is no network name");
        notes.add("network", what, "write 3 to 32 of a-z, 0-9 and -, beginning with a letter");
    }
}

fn check_params(params: &DraftParams, kind: NetworkKind, notes: &mut Notes) {
    const HOUR_MS: u64 = 3_600_000;
    let (heartbeat_min, delay_min, factors) = match kind {
        NetworkKind::Devnet => (100, 0, factor::KEY),
        NetworkKind::Main => (HEARTBEAT_MS_MIN, OFFICER_DELAY_MS_MIN, FACTORS_MIN),
    };
    if params.heartbeat_ms.is_some_and(|ms| !(heartbeat_min..=HOUR_MS).contains(&ms)) {
        let what = format!("a heartbeat is {heartbeat_min} to {HOUR_MS} ms on this kind of network");
        notes.add("params.heartbeat_ms", what, "write 300000 (5000 on a devnet)");
    }
    if params.officer_delay_ms.is_some_and(|ms| !(delay_min..=30 * 24 * HOUR_MS).contains(&ms)) {
        let what = format!("an officer's delay is {delay_min} ms to 30 days on this kind of network");
        notes.add("params.officer_delay_ms", what, "write 86400000 (0 on a devnet)");
    }
    if params.factors_min.is_some_and(|set| set & factors != factors) {
        let what = "this kind of network asks for more factors".to_owned();
        notes.add("params.factors_min", what, "write [\"key\", \"certificate\"] ([\"key\"] on a devnet)");
    }
    let zero_limits = [
        ("params.issued_daily_max", params.issued_daily_max),
        ("params.changed_daily_max", params.changed_daily_max),
    ];
    for (path, _) in zero_limits.into_iter().filter(|(_, limit)| *limit == Some(0)) {
        notes.add(path, "with a limit of 0 nothing could ever be done", "write a number above 0");
    }
    match (kind, params.territory) {
        (NetworkKind::Main, Some(Hash::ZERO)) => notes.add(
            "params.territory",
            "a main network binds its nodes to the list of domestic networks",
            "add territory = \"<SHA-256 of the list>\"",
        ),
        (NetworkKind::Devnet, Some(hash)) if hash != Hash::ZERO => {
            notes.add("params.territory", "a devnet has no territory", "take the line out");
        }
        _ => {}
    }
}

fn check_unique_bins(members: &[DraftMember], notes: &mut Notes) {
    let mut first: BTreeMap<Bin, &str> = BTreeMap::new();
    for member in members {
        let Some(bin) = member.bin else { continue };
        if let Some(earlier) = first.get(&bin) {
            let what = format!("BIN {bin} is that of {earlier} already");
            notes.add(format!("{}.bin", member.path), what, "merge the two sections, or mend the BIN");
        } else {
            first.insert(bin, &member.path);
        }
    }
}

/// One key has one holder and one role for ever.
fn check_unique_keys(members: &[DraftMember], notes: &mut Notes) {
    let mut first: BTreeMap<PublicKey, &str> = BTreeMap::new();
    for listed in members.iter().flat_map(|member| &member.keys) {
        let Some(key) = listed.key else { continue };
        if let Some(earlier) = first.get(&key) {
            let what = format!("{key} is listed as {earlier} already; one key has one holder and one role");
            notes.add(format!("{}.key", listed.path), what, "make another key with `tanba keys new`");
        } else {
            first.insert(key, &listed.path);
        }
    }
}

fn check_member(network: Option<&str>, member: &DraftMember, notes: &mut Notes) {
    let at = |field: &str| format!("{}.{field}", member.path);
    for (language, name) in
        member.names.iter().flat_map(|names| [("kk", &names.kk), ("ru", &names.ru), ("en", &names.en)])
    {
        if name.trim().is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
            let what = format!("a name has 1 to {NAME_BYTES_MAX} bytes and no control characters");
            notes.add(at(&format!("names.{language}")), what, "write the name as the charter has it");
        }
    }
    if let Some(Some(regime)) = &member.regime {
        let length = regime.document_number.len();
        if length == 0 || length > DOCUMENT_NUMBER_BYTES_MAX {
            let what = format!("a document number has 1 to {DOCUMENT_NUMBER_BYTES_MAX} bytes, not {length}");
            notes.add(at("regime.document_number"), what, "write the number of the permit");
        }
        if regime.to < regime.from {
            let what = format!("the regime ends on {} before it begins on {}", regime.to, regime.from);
            notes.add(at("regime.to"), what, "put the two dates in order");
        }
        if member.role == Some(InstitutionRole::Regulator) {
            notes.add(at("regime"), "a regulator issues nothing and has no regime", "take the section out");
        }
    }
    if let (Some(None), Some(InstitutionRole::University)) = (&member.regime, member.role) {
        let remedy = "add a section [institutions.regime] with the university's permit";
        notes.add(at("regime"), "a university issues under a regime", remedy);
    }
    for (list, count, limit) in [
        ("keys", member.keys.len(), KEYS_MAX),
        ("peers", member.peers.len(), PEERS_MAX),
        ("accreditations", member.accreditations.len(), ACCREDITATIONS_MAX),
    ] {
        if count > limit {
            notes.add(at(list), format!("{count} entries, the limit is {limit}"), "take the surplus out");
        }
    }
    for key in &member.keys {
        check_key(network, member, key, notes);
    }
    check_peers(member, notes);
}

fn check_key(network: Option<&str>, member: &DraftMember, listed: &DraftKey, notes: &mut Notes) {
    let at = |field: &str| format!("{}.{field}", listed.path);
    check_span(listed.from, listed.to, at("to"), notes);
    if let (Some(role), Some(institution)) = (listed.role, member.role) {
        check_role(role, institution, at("role"), notes);
    }
    let Some(key) = listed.key else { return };
    if let Err(error) = key.check() {
        notes.add(at("key"), error.to_string(), "make the key with `tanba keys new`");
        return;
    }
    let (Some(network), Some(bin), Some(role), Some(proof)) =
        (network, member.bin, listed.role, listed.proof)
    else {
        return;
    };
    if possession::check(network, bin, role, &key, &proof).is_err() {
        let what = format!(
            "the proof does not show that {bin} holds this key as {} on {network}",
            word_of(crate::text::KEY_ROLES, role)
        );
        let remedy = format!(
            "run `tanba keys prove --network {network} --bin {bin}` where the key lies and paste its answer"
        );
        notes.add(at("proof"), what, remedy);
    }
}

/// Which roles make sense where: regulators observe, universities issue.
fn check_role(role: KeyRole, institution: InstitutionRole, path: String, notes: &mut Notes) {
    let fits = match (role, institution) {
        (KeyRole::Registrar | KeyRole::Approver | KeyRole::Admin | KeyRole::Node, _) => true,
        (KeyRole::Document | KeyRole::Validator, institution) => institution == InstitutionRole::University,
        (KeyRole::Witness, institution) => institution == InstitutionRole::Regulator,
    };
    if !fits {
        let role = word_of(crate::text::KEY_ROLES, role);
        let institution = word_of(crate::text::INSTITUTION_ROLES, institution);
        let remedy = "take the key out: universities issue and validate, regulators observe and witness";
        notes.add(path, format!("a {institution} holds no {role} key"), remedy);
    }
}

fn check_peers(member: &DraftMember, notes: &mut Notes) {
    let mut seen = Vec::new();
    for peer in &member.peers {
        let at = |field: &str| format!("{}.{field}", peer.path);
        check_span(peer.from, peer.to, at("to"), notes);
        let Some(key) = peer.key else { continue };
        if seen.contains(&key) {
            notes.add(at("key"), "the node is listed twice", "take one of the two out");
        }
        seen.push(key);
        // A key section with a hole may be the one meant.
        let may_be =
            |k: &DraftKey| k.key.is_none_or(|k| k == key) && k.role.is_none_or(|r| r == KeyRole::Node);
        if !member.keys.iter().any(may_be) {
            let what = "the node's key is not among the institution's keys";
            notes.add(at("key"), what, "list it in a section [[institutions.keys]] with role = \"node\"");
        }
        if peer.kind == Some(PeerKind::Validator) && member.role == Some(InstitutionRole::Regulator) {
            notes.add(at("kind"), "a regulator's node observes", "write kind = \"observer\"");
        }
    }
}

fn check_span(from: Option<Timestamp>, to: Option<Option<Timestamp>>, path: String, notes: &mut Notes) {
    if let (Some(from), Some(Some(to))) = (from, to)
        && to <= from
    {
        notes.add(path, "it ends before it begins", "put the two moments in order");
    }
}

fn check_accreditations(member: &DraftMember, members: &[DraftMember], notes: &mut Notes) {
    let mut seen = BTreeSet::new();
    for accreditation in &member.accreditations {
        let at = |field: &str| format!("{}.{field}", accreditation.path);
        if member.role == Some(InstitutionRole::Regulator) {
            let what = "a regulator awards nothing and has no accreditation";
            notes.add(accreditation.path.as_str(), what, "take the section out");
        }
        if let (Some(from), Some(to)) = (accreditation.from, accreditation.to)
            && to < from
        {
            let what = format!("the accreditation ends on {to} before it begins on {from}");
            notes.add(at("to"), what, "put the two dates in order");
        }
        if let (Some(programme), Some(level)) = (&accreditation.programme, accreditation.level)
            && !seen.insert((programme, level))
        {
            let what = "programme and level are accredited above already";
            notes.add(at("programme"), what, "merge the two sections");
        }
        if let Some(regulator) = accreditation.recorded_by {
            check_regulator(regulator, members, at("recorded_by"), notes);
        }
    }
}

fn check_regulator(bin: Bin, members: &[DraftMember], path: String, notes: &mut Notes) {
    match members.iter().find(|member| member.bin == Some(bin)) {
        Some(member) if member.role == Some(InstitutionRole::University) => {
            let what = format!("{bin} is a university; accreditations are recorded by a regulator");
            notes.add(path, what, "write the regulator's BIN");
        }
        Some(_) => {}
        // Where a BIN is unreadable, it may be the one meant.
        None if members.iter().any(|member| member.bin.is_none()) => {}
        None => {
            let what = format!("no institution here has BIN {bin}");
            notes.add(path, what, "add the regulator's section, or mend the BIN");
        }
    }
}

/// What is over when the network begins is a mistake, not history.
fn check_at_start(member: &DraftMember, time: Option<Timestamp>, notes: &mut Notes) {
    let Some(time) = time else { return };
    let at = |field: &str| format!("{}.{field}", member.path);
    let ended = "it ends before the network begins";
    let remedy = "write the one in force at the start, or mend the date";
    if matches!(&member.regime, Some(Some(regime)) if regime.to < time.day()) {
        notes.add(at("regime.to"), ended, remedy);
    }
    if matches!(&member.capital, Some(Some(capital)) if capital.to < time.day()) {
        notes.add(at("capital.to"), ended, remedy);
    }
    for key in &member.keys {
        if key.to.flatten().is_some_and(|to| to <= time) {
            notes.add(format!("{}.to", key.path), ended, "take the key out, or mend the date");
        }
    }
}

fn check_member_on_main(member: &DraftMember, notes: &mut Notes) {
    let at = |field: &str| format!("{}.{field}", member.path);
    if member.hosting == Some(Hash::ZERO) {
        let remedy = "add hosting = \"<salted hash of the statement>\"";
        notes.add(at("hosting"), "a main network asks where node, vault and backups stand", remedy);
    }
    for key in member.keys.iter().filter(|key| key.certificate == Some(Hash::ZERO)) {
        let what = "on a main network a key is bound to a certificate of its holder";
        notes.add(format!("{}.certificate", key.path), what, "add certificate = \"<blinded commitment>\"");
    }
    // A key whose role is unreadable may be the one that is missing.
    let count = |role| member.keys.iter().filter(|key| key.role.is_none_or(|r| r == role)).count();
    let needed: &[(KeyRole, usize, &str)] = match member.role {
        Some(InstitutionRole::University) => &[
            (KeyRole::Registrar, 1, "a university issues with a registrar and an approver"),
            (KeyRole::Approver, 1, "a university issues with a registrar and an approver"),
            (KeyRole::Admin, 2, "keys and nodes are managed by two admins"),
        ],
        Some(InstitutionRole::Regulator) => &[(KeyRole::Admin, 2, "a regulator acts by two officers")],
        None => &[],
    };
    for (role, least, why) in needed {
        if count(*role) < *least {
            let role = word_of(crate::text::KEY_ROLES, *role);
            let remedy = format!("list {least} key(s) with role = \"{role}\"");
            notes.add(at("keys"), *why, remedy);
        }
    }
}

fn check_validators(draft: &Draft, notes: &mut Notes) {
    let count = draft.validators.len();
    if count == 0 || count > VALIDATORS_MAX {
        let remedy = "write one section [[validators]] with bin and key for each";
        notes.add(
            "validators",
            format!("a network has 1 to {VALIDATORS_MAX} validators, not {count}"),
            remedy,
        );
    } else if draft.kind == Some(NetworkKind::Main) && count < VALIDATORS_MIN {
        let what =
            format!("{count} validators stop with the first failure; a main network has {VALIDATORS_MIN}");
        notes.add("validators", what, "add validators, or write kind = \"devnet\"");
    }
    let mut seen: BTreeMap<Bin, &str> = BTreeMap::new();
    for validator in &draft.validators {
        let Some(bin) = validator.bin else { continue };
        if let Some(earlier) = seen.get(&bin) {
            let what = format!("{bin} is {earlier} already; an institution has one vote");
            notes.add(format!("{}.bin", validator.path), what, "take one of the two out");
        } else {
            seen.insert(bin, &validator.path);
            check_validator(draft, validator, bin, notes);
        }
    }
}

fn check_validator(draft: &Draft, validator: &DraftValidator, bin: Bin, notes: &mut Notes) {
    let at = |field: &str| format!("{}.{field}", validator.path);
    let Some(member) = draft.members.iter().find(|member| member.bin == Some(bin)) else {
        if draft.members.iter().all(|member| member.bin.is_some()) {
            let what = format!("no institution here has BIN {bin}");
            notes.add(at("bin"), what, "add its section [[institutions]], or mend the BIN");
        }
        return;
    };
    if member.role == Some(InstitutionRole::Regulator) {
        notes.add(at("bin"), format!("{bin} is a regulator; regulators observe"), "take it out");
        return;
    }
    if !member.peers.iter().any(|peer| peer.kind.is_none_or(|kind| kind == PeerKind::Validator)) {
        let remedy = "add a section [[institutions.peers]] with kind = \"validator\"";
        notes.add(format!("{}.peers", member.path), "the validator has no node that could vote", remedy);
    }
    let Some(key) = validator.key else { return };
    let is_it =
        |k: &DraftKey| k.key.is_none_or(|k| k == key) && k.role.is_none_or(|r| r == KeyRole::Validator);
    match member.keys.iter().find(|k| is_it(k)) {
        None => {
            let what = format!("{key} is no validator key of {bin}");
            let remedy = "list it in [[institutions.keys]] with role = \"validator\", or mend the key";
            notes.add(at("key"), what, remedy);
        }
        Some(listed) => {
            if let (Some(from), Some(time)) = (listed.from, draft.time)
                && from > time
            {
                let what = "the validator's key does not count yet when the network begins";
                notes.add(format!("{}.from", listed.path), what, "take the line out");
            }
        }
    }
}

fn check_regulators(draft: &Draft, notes: &mut Notes) {
    let may_be = |m: &&DraftMember| m.role.is_none_or(|role| role == InstitutionRole::Regulator);
    let count = draft.members.iter().filter(may_be).count();
    if draft.kind == Some(NetworkKind::Main) && count < REGULATORS_MIN {
        let what = format!("a main network has at least {REGULATORS_MIN} regulators, not {count}");
        notes.add("institutions", what, "add the sections of the other regulators");
    }
}
