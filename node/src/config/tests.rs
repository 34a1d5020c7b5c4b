//! Sources override each other in their order, and what no setting says is refused where it stands.

use std::fs;

use super::*;

const NOTHING: [(String, String); 0] = [];

fn load(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Layers, ConfigError> {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("config.toml");
    fs::write(&path, file).expect("written");
    let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect()
    };
    Layers::load(&path, owned(variables), &owned(flags))
}

fn refused(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> String {
    let shown = load(file, variables, flags).expect_err("refused").to_string();
    shown.split_once("/config.toml").map_or(shown.clone(), |(_, rest)| format!("config.toml{rest}"))
}

#[test]
fn defaults_have_their_form_and_every_setting_reaches_the_config() {
    let config = Config::default();
    assert_eq!(config.p2p.listen.port(), 4_600);
    assert_eq!((config.p2p.peers.len(), config.metrics_listen.is_some()), (0, true));
    assert_eq!(config.log, LogConfig { format: LogFormat::Text, filter: "info,libp2p=error".into() });
}

#[test]
fn flags_override_the_environment_overrides_the_file_overrides_the_default() {
    let file = "[p2p]\nlisten = \"127.0.0.1:1\"\nconnections_max = 11\n[grpc]\nlisten = \"127.0.0.1:11\"\n";
    let variables = [("TANBA__P2P__LISTEN", "127.0.0.1:2"), ("TANBA__P2P__CONNECTIONS_MAX", "12")];
    let flags = [("p2p.listen", "127.0.0.1:9"), ("p2p.listen", "127.0.0.1:3")];
    let layers = load(file, &variables, &flags).expect("good");
    let config = layers.config();
    assert_eq!((config.p2p.listen.port(), config.p2p.connections_max), (3, 12));
    assert_eq!((config.grpc.listen.port(), config.mempool.transactions_max), (11, 50_000));
    assert_eq!(layers.origin("p2p.listen"), &Origin::Flag("--set p2p.listen".into()));
    assert_eq!(
        layers.origin("p2p.connections_max").to_string(),
        "environment variable TANBA__P2P__CONNECTIONS_MAX"
    );
    assert!(matches!(layers.origin("grpc.listen"), Origin::File(_)));
    assert_eq!(layers.origin("mempool.transactions_max"), &Origin::Default);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_name_everywhere() {
    let due = "config.toml:2:1: p2p.lissten: unknown key; did you mean `listen`?";
    assert_eq!(refused("[p2p]\nlissten = \"127.0.0.1:1\"\n", &[], &[]), due);
    let due = "config.toml:1:2: ptp: unknown key; did you mean `p2p`?";
    assert_eq!(refused("[ptp]\n", &[], &[]), due);
    let due = "environment variable TANBA__GRPC__LISTN: there is no setting `grpc.listn`; \
               did you mean `grpc.listen`?";
    assert_eq!(refused("", &[("TANBA__GRPC__LISTN", "x")], &[]), due);
    let due = "flag --set log.fromat: there is no setting `log.fromat`; did you mean `log.format`?";
    assert_eq!(refused("", &[], &[("log.fromat", "json")]), due);
}

#[test]
fn variables_of_others_are_left_alone() {
    load("", &[("TANBA_HOME", "/x"), ("PATH", "/bin")], &[]).expect("good");
}

#[test]
fn every_mistake_of_a_file_is_reported() {
    let file = "[p2p]\nlisten = \"localhost\"\nconnections_max = 1\n[log]\nformat = \"xml\"\nfilter = 3\n";
    let shown = refused(file, &[], &[]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 4, "{shown}");
    assert!(lines[0].contains(":2:10: p2p.listen: an IP address and port is due"), "{shown}");
    assert!(lines[1].contains("1 is not within 8 and 4096 connections"), "{shown}");
    assert!(lines[2].contains("\"xml\" is none of"), "{shown}");
    assert!(lines[3].contains("a text is due here, not an integer"), "{shown}");
}

#[test]
fn values_outside_are_held_to_the_same_form() {
    let due = "flag --set p2p.connections_max: a whole number is due, not \"many\"; write it like 512";
    assert_eq!(refused("", &[], &[("p2p.connections_max", "many")]), due);
    assert!(refused("", &[("TANBA__METRICS__LISTEN", "on")], &[]).contains("IP address and port"));
    let off = load("", &[], &[("metrics.listen", "off")]).expect("good");
    assert_eq!(off.config().metrics_listen, None);
    assert!(refused("", &[], &[("log.filter", "a=b=c")]).contains("no log filter"));
}

#[test]
fn peers_name_key_and_address() {
    let key = tanba_crypto::SigningKey::ed25519(&[1; 32]).public();
    let text = format!("{key}@192.0.2.1:4600, {key}@[2001:db8::1]:4600");
    let peers = load("", &[("TANBA__P2P__PEERS", &text)], &[]).expect("good").config().p2p.peers;
    assert_eq!(peers.iter().map(|peer| peer.key).collect::<Vec<_>>(), [key, key]);
    assert_eq!(peers[1].address.to_string(), "[2001:db8::1]:4600");
    assert!(refused("", &[], &[("p2p.peers", "192.0.2.1:4600")]).contains("a node is written"));
    let weak = format!("ed25519:{}@192.0.2.1:4600", "00".repeat(32));
    assert!(refused("", &[], &[("p2p.peers", &weak)]).contains("a node is written"));
}

#[test]
fn the_first_file_changes_nothing_as_it_is_and_reads_when_uncommented() {
    let template = settings::template();
    assert_eq!(load(&template, &[], &[]).expect("good"), Layers::defaults());
    let is_value = |line: &&str| line.starts_with('[') || line.starts_with("# ") && line.contains(" = ");
    let taken: Vec<&str> =
        template.lines().filter(is_value).map(|line| line.trim_start_matches("# ")).collect();
    let layers = load(&taken.join("\n"), &[], &[]).expect("good");
    assert_eq!(layers.config(), Config::default());
    assert!(settings::SETTINGS.iter().all(|setting| matches!(layers.origin(setting.key), Origin::File(_))));
}

#[test]
fn a_missing_file_gives_the_defaults() {
    let layers = Layers::load(std::path::Path::new("/nonexistent/config.toml"), NOTHING, &[]);
    assert_eq!(layers.expect("good"), Layers::defaults());
}
