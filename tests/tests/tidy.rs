//! The house rules that a reader should not have to remember: which crate may use which, where each outside
//! name may be spoken, how long a file may be.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

/// Every Rust source of the workspace, as (path from the root, text).
fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                walk(&path, found);
            } else if name.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&root(), &mut paths);
    paths.sort();
    assert!(paths.len() > 50, "the walk found the sources");
    let named = |p: PathBuf| {
        let name = p.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
        (name, fs::read_to_string(&p).expect("a readable source"))
    };
    paths.into_iter().map(named).collect()
}

/// Whether a file holds tests alone.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.ends_with("tests.rs")
        || path.ends_with("testkit.rs")
}

/// The code of a file without its inline test module and without comment lines.
fn production(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn metadata() -> cargo_metadata::Metadata {
    let mut command = cargo_metadata::MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).no_deps();
    command.other_options(vec!["--offline".into()]).exec().expect("cargo metadata")
}

/// Normal dependencies of each of our crates: (ours, outside).
fn arrows() -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let normal = |d: &&cargo_metadata::Dependency| d.kind == cargo_metadata::DependencyKind::Normal;
    let split = |p: &cargo_metadata::Package| {
        let names = p.dependencies.iter().filter(normal).map(|d| d.name.clone());
        names.partition(|name| name.starts_with("tanba-"))
    };
    metadata().packages.iter().map(|p| (p.name.to_string(), split(p))).collect()
}

#[test]
fn arrows_point_down_only() {
    let allowed = BTreeMap::from([
        ("tanba-crypto", vec![]),
        ("tanba-eds", vec!["tanba-crypto"]),
        ("tanba-ledger", vec!["tanba-crypto"]),
        ("tanba-credential", vec!["tanba-crypto", "tanba-eds"]),
        ("tanba-consensus", vec!["tanba-crypto", "tanba-ledger"]),
        ("tanba-storage", vec!["tanba-crypto", "tanba-ledger"]),
        ("tanba-vault", vec!["tanba-crypto", "tanba-storage"]),
        (
            "tanba-office",
            vec![
                "tanba-crypto",
                "tanba-eds",
                "tanba-ledger",
                "tanba-credential",
                "tanba-storage",
                "tanba-vault",
            ],
        ),
        ("tanba-genesis", vec!["tanba-crypto", "tanba-ledger"]),
        ("tanba-proto", vec!["tanba-crypto", "tanba-ledger"]),
    ]);
    for (name, (ours, _)) in arrows() {
        let Some(allowed) = allowed.get(name.as_str()) else {
            assert!(
                ["tanba-node", "tanba-tests"].contains(&name.as_str()),
                "{name} has no place in the house"
            );
            continue;
        };
        for arrow in ours {
            assert!(allowed.contains(&arrow.as_str()), "{name} may not use {arrow}");
        }
    }
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    let only = BTreeMap::from([
        ("bincode", vec!["tanba-crypto"]),
        ("ed25519-dalek", vec!["tanba-crypto"]),
        ("sled", vec!["tanba-storage"]),
        ("libp2p", vec!["tanba-node"]),
        ("tonic", vec!["tanba-proto", "tanba-node", "tanba-tests"]),
        ("prost", vec!["tanba-proto", "tanba-node", "tanba-tests"]),
        ("tokio", vec!["tanba-node", "tanba-tests"]),
        ("clap", vec!["tanba-node", "tanba-tests"]),
    ]);
    for (name, (_, outside)) in arrows() {
        for dependency in outside {
            if let Some(rooms) = only.get(dependency.as_str()) {
                assert!(rooms.contains(&name.as_str()), "{name} may not use {dependency}");
            }
        }
    }
}

/// `word` may be spoken in production code of files that start with one of `rooms`, and nowhere else.
fn only_in(word: &str, rooms: &[&str]) {
    for (path, text) in sources() {
        let outside = !rooms.iter().any(|room| path.starts_with(room));
        if outside && !is_test(&path) {
            assert!(!production(&text).contains(word), "{path} speaks of `{word}`");
        }
    }
}

#[test]
fn each_outside_name_is_spoken_in_its_room() {
    only_in("sled::", &["storage/src/disk"]);
    only_in("SledTree", &["storage/src/", "vault/src/disk.rs"]);
    only_in("libp2p::", &["node/src/network"]);
    only_in("unsafe ", &["storage/src/real_sync.rs"]);
    // The node keeps the task of the API, and with it the type of its end.
    only_in("tonic::", &["proto/", "node/src/api", "node/src/client", "node/src/node.rs"]);
    only_in("prost::", &["proto/", "node/src/api", "node/src/client"]);
}

#[test]
fn the_replica_and_all_below_it_know_no_clock_chance_or_thread() {
    let pure = [
        "crypto/src",
        "eds/src",
        "ledger/src",
        "credential/src",
        "consensus/src",
        "vault/src",
        "office/src",
        "genesis/src",
        "node/src/replica",
    ];
    let words =
        ["Instant::now", "SystemTime::now", "tokio::", "getrandom", "std::thread", "std::net", "async fn"];
    for (path, text) in sources() {
        if pure.iter().any(|room| path.starts_with(room)) && !is_test(&path) {
            for word in words {
                assert!(!production(&text).contains(word), "{path} speaks of `{word}`");
            }
        }
    }
}

#[test]
fn what_is_hashed_or_agreed_has_one_order() {
    for (path, text) in sources() {
        let agreed = ["crypto/src", "ledger/src", "consensus/src", "node/src/replica"];
        // What the simulator remembers of signatures is only ever looked up.
        let looked_up = path == "crypto/src/memo.rs";
        if agreed.iter().any(|room| path.starts_with(room)) && !is_test(&path) && !looked_up {
            for word in ["HashMap", "HashSet", "f32", "f64"] {
                assert!(
                    !production(&text).contains(word),
                    "{path} uses {word}: its order or value may differ"
                );
            }
        }
    }
}

#[test]
fn files_open_with_a_paragraph_and_stay_short() {
    let mut lengths = Vec::new();
    for (path, text) in sources() {
        let first = text.lines().next().unwrap_or_default();
        // A file of unit tests is opened by the file it belongs to.
        let belongs = path.ends_with("/tests.rs") || path.contains("/src/") && path.contains("/tests/");
        assert!(first.starts_with("//!") || belongs, "{path} opens without a paragraph");
        let lines = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(&text).lines().count();
        if !is_test(&path) {
            assert!(lines <= 500, "{path} has {lines} lines without its tests; split it");
            lengths.push(lines);
        }
    }
    lengths.sort();
    assert!(lengths[lengths.len() / 2] <= 200, "half the files have at most 200 lines");
}

#[test]
fn nothing_is_left_undone() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("to", "do!(")];
    for (path, text) in sources() {
        for mark in marks {
            assert!(!text.contains(mark), "{path} holds {mark}");
        }
    }
}

#[test]
fn every_rule_of_the_protocol_has_a_test() {
    const FOLDER: &str = "consensus/tests/agreement/";
    let files: BTreeMap<String, String> = sources()
        .into_iter()
        .filter_map(|(path, text)| Some((path.strip_prefix(FOLDER)?.strip_suffix(".rs")?.to_owned(), text)))
        .collect();
    let rules = (0..=8).map(|rule| format!("r{rule}_"));
    let named = ["promises", "journal_lost", "equivocation", "set_change"].map(str::to_owned);
    for due in rules.chain(named) {
        let covers = |name: &str| if due.ends_with('_') { name.starts_with(&due) } else { name == due };
        let found = files.iter().find(|(name, _)| covers(name));
        let (name, text) = found.unwrap_or_else(|| panic!("{FOLDER}{due}*.rs is missing"));
        assert!(text.contains("#[test]"), "{FOLDER}{name}.rs has no test");
        assert!(files["main"].contains(&format!("mod {name};")), "{FOLDER}{name}.rs is not compiled");
    }
}

/// Every page for readers, as (path, text).
fn pages() -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    let mut paths =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|name| root().join(name)).to_vec();
    walk(&root().join("docs"), &mut paths);
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a readable page");
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut followed = 0;
    for (page, text) in pages() {
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#', ' ']).next().unwrap_or_default();
            if target.is_empty() || target.contains(':') {
                continue; // within the page, or of the web
            }
            let path = page.parent().expect("a page lies in a folder").join(target);
            assert!(path.exists(), "{} links to {target}, which is not there", page.display());
            followed += 1;
        }
    }
    assert!(followed > 10, "the search found the links");
}
