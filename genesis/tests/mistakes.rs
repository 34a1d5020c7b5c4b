//! Every mistake of a genesis file is reported with file, line and remedy; and all of them at once.

mod common;

use common::{bin, key, network};
use tanba_crypto::Hash;
use tanba_genesis::{Genesis, GenesisDocument, MemberKey, Mistakes};
use tanba_ledger::{
    Timestamp,
    record::{KeyRole, NetworkKind},
};

fn devnet() -> Genesis {
    network(NetworkKind::Devnet, 2)
}

fn mistakes(text: &str) -> Mistakes {
    GenesisDocument::read_toml("g.toml", text).expect_err("a mistake")
}

/// Spoils the first `from` of the devnet's text into `to`, and expects one mistake at `to`'s line and column
/// offset `column`, about `path`, in these words and with this remedy.
#[track_caller]
fn spoiled(from: &str, to: &str, path: &str, what: &str, remedy: &str) {
    spoiled_in(&devnet(), from, to, path, what, remedy);
}

#[track_caller]
fn spoiled_in(genesis: &Genesis, from: &str, to: &str, path: &str, what: &str, remedy: &str) {
    let text = genesis.to_toml();
    let at = text.find(from).unwrap_or_else(|| panic!("no {from:?} in\n{text}"));
    let line = text[..at].lines().count().max(1) + usize::from(text[..at].ends_with('\n'));
    let text = text.replacen(from, to, 1);
    let mistakes = mistakes(&text);
    let shown = mistakes.to_string();
    let [mistake] = mistakes.0.as_slice() else { panic!("one mistake is due:\n{shown}") };
    assert_eq!(mistake.at.map(|at| at.0), Some(line), "{shown}");
    assert!(shown.starts_with(&format!("g.toml:{line}:")), "{shown}");
    assert_eq!(mistake.finding.path, path, "{shown}");
    assert!(mistake.finding.what.contains(what), "{shown}");
    assert!(mistake.finding.remedy.contains(remedy), "{shown}");
}

/// Spoils the values and expects a mistake about `path` among those found, at the line of that value.
#[track_caller]
fn broken(mut genesis: Genesis, spoil: impl FnOnce(&mut Genesis), path: &str, what: &str) {
    GenesisDocument::new("values", genesis.clone()).expect("a good network");
    spoil(&mut genesis);
    genesis.sort();
    let found = mistakes(&genesis.to_toml());
    let is_it = |m: &&tanba_genesis::Mistake| m.finding.path == path && m.finding.what.contains(what);
    let mistake = found.0.iter().find(is_it).unwrap_or_else(|| panic!("{path} {what} is not among\n{found}"));
    assert!(mistake.at.is_some_and(|(line, _)| line > 1) && !mistake.finding.remedy.is_empty(), "{found}");
    let without_text = GenesisDocument::new("values", genesis).expect_err("the same mistake");
    assert!(without_text.0.iter().any(|m| is_it(&m)), "{without_text}");
}

#[test]
fn a_mistyped_bin_is_found() {
    let good = bin(1).to_string();
    let bad = format!("{}{}", &good[..11], (good.as_bytes()[11] - b'0' + 1) % 10);
    let (from, to) = (format!("bin = \"{good}\"\nrole"), format!("bin = \"{bad}\"\nrole"));
    spoiled(&from, &to, "institutions[0].bin", "control digit", "bin = \"<12 digits>\"");
}

#[test]
fn a_bin_of_another_form_is_found() {
    let from = format!("bin = \"{}\"\nrole", bin(1));
    spoiled(&from, "bin = \"123\"\nrole", "institutions[0].bin", "12 digits", "write it like");
    spoiled(
        &from,
        "bin = 123\nrole",
        "institutions[0].bin",
        "a text of 12 digits, not an integer",
        "write it",
    );
}

#[test]
fn an_unknown_key_names_the_nearest() {
    let (from, to) = ("issued_daily_max", "issued_dayly_max = 1\nissued_daily_max");
    spoiled(from, to, "params.issued_dayly_max", "unknown key", "did you mean `issued_daily_max`?");
    spoiled("[params]", "zzzz = 1\n[params]", "zzzz", "unknown key", "known here: institutions, kind");
}

#[test]
fn a_missing_value_names_what_to_add() {
    let from = "role = \"university\"\n";
    let text = devnet().to_toml().replacen(from, "", 1);
    let shown = mistakes(&text).to_string();
    let line = 1 + text.lines().position(|line| line == "[[institutions]]").expect("a section");
    let due =
        format!("g.toml:{line}:1: institutions[0].role: the value is missing; add role = \"university\"");
    assert!(shown.contains(&due), "{shown}");
}

#[test]
fn values_of_the_wrong_form_are_found() {
    spoiled("kind = \"devnet\"", "kind = \"devnt\"", "kind", "did you mean \"devnet\"?", "write it like");
    spoiled("T00:00:00Z", "T00:00:00", "time", "offset", "2026-09-01T00:00:00Z");
    spoiled("= 5000", "= -1", "params.heartbeat_ms", "whole number", "300000");
    spoiled("[\"key\"]", "[\"kez\"]", "params.factors_min", "\"kez\" is none of", "write it like");
    spoiled("level = 6", "level = 9", "institutions[0].accreditations[0].level", "5 to 8", "level = 6");
    let path = "institutions[0].accreditations[0].programme";
    spoiled("\"6B06101\"", "\"6b-06101\"", path, "programme code", "6B06101");
    spoiled("key = \"ed25519:", "key = \"ed25519:zz", "institutions[0].keys[0].key", "public key", "64 hex");
    let path = "institutions[0].keys[0].proof";
    spoiled("proof = \"ed25519:", "proof = \"gost:", path, "a signature is due", "128 hex digits");
}

#[test]
fn syntax_mistakes_have_their_line() {
    let shown = mistakes("network = \"tanba-test\"\nkind == \"devnet\"\n").to_string();
    assert!(shown.contains("g.toml:2:") && shown.contains("this is not TOML"), "{shown}");
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let text = devnet().to_toml();
    let text = text.replacen("kind = \"devnet\"", "kind = \"devnt\"", 1);
    let text = text.replacen("level = 6", "level = 9", 1).replacen("heartbeat_ms", "hartbeat_ms", 1);
    let text = text.replacen("to = 2035-12-31", "to = 2025-12-31", 1);
    let found = mistakes(&text);
    let paths: Vec<&str> = found.0.iter().map(|mistake| mistake.finding.path.as_str()).collect();
    let due = [
        "kind",
        "params.heartbeat_ms",
        "params.hartbeat_ms",
        "institutions[0].regime.to",
        "institutions[0].regime.to",
        "institutions[0].accreditations[0].level",
    ];
    assert_eq!(paths, due, "{found}");
    assert!(found.0.is_sorted_by_key(|mistake| mistake.at), "{found}");
}

#[test]
fn a_bin_or_key_listed_twice_is_found() {
    let twice = |g: &mut Genesis| g.members.push(g.members[0].clone());
    broken(devnet(), twice, "institutions[1].bin", "is that of institutions[0] already");
    broken(devnet(), twice, "institutions[1].keys[0].key", "one key has one holder and one role");
}

#[test]
fn a_key_in_two_roles_is_found() {
    let both = |g: &mut Genesis| {
        let role = if g.members[0].keys[0].record.role == KeyRole::Admin {
            KeyRole::Registrar
        } else {
            KeyRole::Admin
        };
        let again =
            (1..=6).map(|n| key(1, n)).find(|k| k.public() == g.members[0].keys[0].key).expect("the key");
        let second = MemberKey::proven(&g.network, bin(1), role, &again, Hash::ZERO);
        g.members[0].keys.insert(1, second);
    };
    broken(devnet(), both, "institutions[0].keys[1].key", "one key has one holder and one role");
}

#[test]
fn a_proof_for_another_network_role_or_key_is_found() {
    let path = "institutions[0].keys[0].proof";
    let elsewhere = |g: &mut Genesis| g.network = "tanba-other".into();
    broken(devnet(), elsewhere, path, "on tanba-other");
    let other_proof = |g: &mut Genesis| g.members[0].keys[0].proof = g.members[0].keys[1].proof;
    broken(devnet(), other_proof, path, "does not show that");
}

#[test]
fn a_weak_key_is_found() {
    let weak = |g: &mut Genesis| g.members[0].keys[0].key = tanba_crypto::PublicKey::Ed25519([0; 32]);
    broken(devnet(), weak, "institutions[0].keys[0].key", "small order");
}

#[test]
fn validators_that_do_not_fit_are_found() {
    let other_key = |g: &mut Genesis| g.validators[0].key = key(1, 1).public();
    broken(devnet(), other_key, "validators[0].key", "is no validator key of");
    let unknown = |g: &mut Genesis| g.validators[1].bin = bin(9);
    broken(devnet(), unknown, "validators[1].bin", "no institution here has BIN");
    let regulator = |g: &mut Genesis| g.validators[1].bin = bin(14);
    broken(devnet(), regulator, "validators[1].bin", "regulators observe");
    let twice = |g: &mut Genesis| g.validators[1].bin = bin(1);
    broken(devnet(), twice, "validators[1].bin", "one vote");
    let late = |g: &mut Genesis| {
        for key in &mut g.members[0].keys {
            key.record.from = Timestamp(g.time.0 + 1);
        }
    };
    let listed = devnet().members[0].keys.iter().position(|k| k.record.role == KeyRole::Validator);
    let path = format!("institutions[0].keys[{}].from", listed.expect("a validator key"));
    broken(devnet(), late, &path, "does not count yet");
    let no_node = |g: &mut Genesis| g.members[0].institution.peers.clear();
    broken(devnet(), no_node, "institutions[0].peers", "no node that could vote");
}

#[test]
fn no_validators_at_all_is_found() {
    let mut genesis = devnet();
    genesis.validators.clear();
    let found = mistakes(&genesis.to_toml());
    assert_eq!(found.0[0].finding.what, "a network has 1 to 256 validators, not 0", "{found}");
}

#[test]
fn peers_that_do_not_fit_are_found() {
    let unlisted = |g: &mut Genesis| g.members[0].institution.peers[0].key = key(9, 9).public();
    broken(devnet(), unlisted, "institutions[0].peers[0].key", "not among the institution's keys");
    let twice = |g: &mut Genesis| {
        let peer = g.members[0].institution.peers[0].clone();
        g.members[0].institution.peers.push(peer);
    };
    broken(devnet(), twice, "institutions[0].peers[1].key", "listed twice");
    let voting = |g: &mut Genesis| {
        g.members[2].institution.peers[0].kind = tanba_ledger::record::PeerKind::Validator;
    };
    broken(devnet(), voting, "institutions[2].peers[0].kind", "observes");
}

#[test]
fn more_than_sixteen_peers_are_found() {
    let mut genesis = devnet();
    let peer = genesis.members[0].institution.peers[0].clone();
    genesis.members[0].institution.peers = vec![peer; 17];
    let shown = mistakes(&genesis.to_toml()).to_string();
    assert!(shown.contains("institutions[0].peers: 17 entries, the limit is 16"), "{shown}");
}

#[test]
fn accreditations_that_do_not_fit_are_found() {
    let path = "institutions[0].accreditations[0].recorded_by";
    let unknown = |g: &mut Genesis| g.members[0].accreditations[0].1.recorded_by = bin(9);
    broken(devnet(), unknown, path, "no institution here has BIN");
    let university = |g: &mut Genesis| g.members[0].accreditations[0].1.recorded_by = bin(2);
    broken(devnet(), university, path, "recorded by a regulator");
    let backwards = |g: &mut Genesis| {
        let accreditation = &mut g.members[0].accreditations[0].1;
        (accreditation.from, accreditation.to) = (accreditation.to, accreditation.from);
    };
    broken(devnet(), backwards, "institutions[0].accreditations[0].to", "before it begins");
    let twice = |g: &mut Genesis| {
        let accreditation = g.members[0].accreditations[0].clone();
        g.members[0].accreditations.push(accreditation);
    };
    broken(devnet(), twice, "institutions[0].accreditations[1].programme", "accredited above already");
}

#[test]
fn dates_out_of_order_or_over_are_found() {
    let regime = |g: &mut Genesis| {
        let regime = g.members[0].institution.regime.as_mut().expect("a university");
        (regime.from, regime.to) = (regime.to, regime.from);
    };
    broken(devnet(), regime, "institutions[0].regime.to", "before it begins");
    broken(devnet(), regime, "institutions[0].regime.to", "before the network begins");
    let key = |g: &mut Genesis| {
        g.members[0].keys[0].record.from = Timestamp(g.time.0 + 2);
        g.members[0].keys[0].record.to = Some(Timestamp(g.time.0 + 1));
    };
    broken(devnet(), key, "institutions[0].keys[0].to", "before it begins");
    let over = |g: &mut Genesis| g.members[0].keys[0].record.to = Some(g.time);
    broken(devnet(), over, "institutions[0].keys[0].to", "before the network begins");
}

#[test]
fn an_institution_is_held_to_its_role() {
    let no_regime = |g: &mut Genesis| g.members[0].institution.regime = None;
    broken(devnet(), no_regime, "institutions[0].regime", "issues under a regime");
    let regime = |g: &mut Genesis| g.members[2].institution.regime = g.members[0].institution.regime.clone();
    broken(devnet(), regime, "institutions[2].regime", "a regulator issues nothing");
    let nameless = |g: &mut Genesis| g.members[0].institution.names.kk = " ".into();
    broken(devnet(), nameless, "institutions[0].names.kk", "a name has");
}

#[test]
fn a_main_network_needs_four_validators_and_two_regulators() {
    let main = || network(NetworkKind::Main, 4);
    broken(main(), |g| g.validators.truncate(3), "validators", "stop with the first failure");
    broken(main(), |g| g.members.truncate(5), "institutions", "at least 2 regulators");
}

#[test]
fn a_main_network_relaxes_nothing() {
    let main = || network(NetworkKind::Main, 4);
    broken(main(), |g| g.params.heartbeat_ms = 5_000, "params.heartbeat_ms", "a heartbeat is");
    broken(main(), |g| g.params.officer_delay_ms = 0, "params.officer_delay_ms", "an officer's delay is");
    broken(main(), |g| g.params.factors_min = 1, "params.factors_min", "more factors");
    broken(main(), |g| g.params.territory = Hash::ZERO, "params.territory", "domestic networks");
    let path = "institutions[0].keys[0].certificate";
    broken(
        main(),
        |g| g.members[0].keys[0].record.certificate = Hash::ZERO,
        path,
        "certificate of its holder",
    );
    broken(main(), |g| g.members[0].institution.hosting = Hash::ZERO, "institutions[0].hosting", "backups");
    let alone = |g: &mut Genesis| g.members[0].keys.retain(|k| k.record.role != KeyRole::Approver);
    broken(main(), alone, "institutions[0].keys", "a registrar and an approver");
}

#[test]
fn a_hole_in_one_section_causes_no_mistakes_elsewhere() {
    // The regulator's BIN is unreadable: those who name it are not blamed.
    let from = format!("bin = \"{}\"\nrole", bin(14));
    spoiled(&from, "bin = \"1\"\nrole", "institutions[2].bin", "12 digits", "write it like");
}

#[test]
fn a_sandbox_needs_its_cap_and_nobody_else_has_one() {
    let path = "institutions[0].regime.tokens_max";
    let text = devnet().to_toml().replacen("kind = \"permit\"", "kind = \"aifc-sandbox\"", 1);
    assert_eq!(mistakes(&text).0[0].finding.path, path);
    let text = devnet().to_toml().replacen("kind = \"permit\"", "tokens_max = 5\nkind = \"permit\"", 1);
    assert_eq!(mistakes(&text).0[0].finding.path, path);
}
