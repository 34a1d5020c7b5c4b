//! The program as scripts see it: answers on stdout, failures with code and next step, one home from keys to a
//! founded store.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tanba_ledger::Bin;

/// A directory to work in, and the program.
struct Scene {
    dir: tempfile::TempDir,
}

fn scene() -> Scene {
    Scene { dir: tempfile::tempdir().expect("a directory") }
}

impl Scene {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).expect("written");
        self.path(name).display().to_string()
    }

    fn run_in(&self, home: &str, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tanba"))
            .args(args)
            .env_clear()
            .env("TANBA_HOME", self.path(home))
            .current_dir(self.dir.path())
            .stdin(std::process::Stdio::null())
            .output()
            .expect("the program starts")
    }

    fn run(&self, args: &[&str]) -> Output {
        self.run_in("home", args)
    }

    /// Runs with `--json`, expects success and gives `data`.
    #[track_caller]
    fn data(&self, home: &str, args: &[&str]) -> Value {
        let output = self.run_in(home, &[args, &["--json"]].concat());
        let mut answer: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        assert_eq!((answer["ok"].as_bool(), output.status.code()), (Some(true), Some(0)), "{answer}");
        answer["data"].take()
    }

    /// Runs twice, for people and for machines; expects this exit code and error code, a next step in both, and
    /// nothing but the error on stdout. Gives the message.
    #[track_caller]
    fn fails(&self, args: &[&str], exit: i32, code: &str) -> String {
        let for_people = self.run(args);
        let stderr = String::from_utf8(for_people.stderr).expect("text");
        assert_eq!(for_people.status.code(), Some(exit), "{stderr}");
        assert!(for_people.stdout.is_empty(), "data alone goes to stdout");
        if exit != 2 || code != "USAGE" {
            assert!(stderr.starts_with("error: ") && stderr.contains("\nnext: "), "{stderr}");
        }
        let for_machines = self.run(&[args, &["--json"]].concat());
        assert_eq!(for_machines.status.code(), Some(exit));
        let answer: Value = serde_json::from_slice(&for_machines.stdout).expect("one JSON object");
        assert_eq!((&answer["schema"], &answer["ok"]), (&"tanba.error.v1".into(), &false.into()));
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert_eq!(answer["error"]["exit"], exit);
        assert!(answer["error"]["next_step"].as_str().is_some_and(|step| !step.is_empty()));
        stderr
    }

    /// A devnet of one university, whose keys lie in `home`, and one regulator.
    fn genesis(&self) -> String {
        let university = bin(1);
        let mut join = format!(
            "network = \"tanba-cli\"\n[[institutions]]\nbin = \"{university}\"\nrole = \"university\"\n\
             names = {{ kk = \"Университет\", ru = \"Университет\", en = \"University\" }}\n\
             [institutions.regime]\nkind = \"permit\"\ndocument_number = \"1\"\ndocument = \"{}\"\n\
             from = 2026-01-01\nto = 2035-12-31\n",
            "11".repeat(32)
        );
        for role in ["registrar", "approver", "admin", "validator", "node"] {
            self.data("home", &["keys", "new", "--role", role, "--devnet"]);
            let prove = ["keys", "prove", role, "--network", "tanba-cli", "--bin", &university];
            let proven = self.data("home", &prove);
            join += proven["toml"].as_str().expect("a section");
            if role == "node" {
                let key = proven["key"].as_str().expect("a key");
                join += &format!("[[institutions.peers]]\nkey = \"{key}\"\nkind = \"validator\"\n");
            }
        }
        let join = self.write("join.toml", &join);
        let new = ["genesis", "new", "--network", "tanba-cli", "--kind", "devnet", "--join", &join];
        let out = self.path("genesis.toml").display().to_string();
        self.data("home", &[&new[..], &["--time", "2026-09-01T00:00:00Z", "--out", &out]].concat());
        out
    }
}

fn bin(n: u64) -> String {
    Bin::with_control_digit(10_000_000_000 + n * 100).expect("has a control digit").to_string()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

#[test]
fn a_home_is_made_from_keys_and_a_genesis() {
    let scene = scene();
    let genesis = scene.genesis();
    let summary = scene.data("home", &["genesis", "check", &genesis]);
    assert_eq!((&summary["universities"], &summary["validators"]), (&1.into(), &1.into()));
    let made = scene.data("home", &["init", "--genesis", &genesis]);
    assert_eq!(made["chain_id"], summary["chain_id"]);
    for (name, due) in [("home", 0o700), ("home/config.toml", 0o600), ("home/genesis.bin", 0o600)] {
        assert_eq!(mode(&scene.path(name)), due, "{name}");
    }
    assert!(scene.path("home/store").is_dir() && scene.path("home/journal").is_dir());
    let hashed = scene.data("home", &["genesis", "hash", "home/genesis.bin"]);
    assert_eq!(hashed["chain_id"], summary["chain_id"], "text and bytes found the same network");
}

#[test]
fn a_home_is_initialised_once() {
    let scene = scene();
    let genesis = scene.genesis();
    scene.data("home", &["init", "--genesis", &genesis]);
    let stderr = scene.fails(&["init", "--genesis", &genesis], 6, "HOME_EXISTS");
    assert!(stderr.contains("genesis.bin exists already"), "{stderr}");
}

#[test]
fn an_interrupted_initialisation_is_not_continued_over_a_journal() {
    let scene = scene();
    let genesis = scene.genesis();
    scene.data("home", &["init", "--genesis", &genesis]);
    fs::remove_file(scene.path("home/genesis.bin")).expect("removed");
    let stderr = scene.fails(&["init", "--genesis", &genesis], 6, "HOME_EXISTS");
    assert!(stderr.contains("only if no node ever ran in this one"), "{stderr}");
}

#[test]
fn a_spoiled_genesis_founds_nothing_and_every_mistake_has_its_line() {
    let scene = scene();
    let genesis = scene.genesis();
    let text = fs::read_to_string(&genesis).expect("readable");
    let line = 1 + text.lines().position(|line| line.starts_with("heartbeat_ms")).expect("a line");
    let text =
        text.replace("heartbeat_ms", "hartbeat_ms").replace("kind = \"permit\"", "kind = \"permission\"");
    fs::write(&genesis, text).expect("written");
    let stderr = scene.fails(&["init", "--genesis", &genesis], 3, "FILE_MISTAKES");
    assert!(
        stderr.contains(&format!("{genesis}:{line}:1: params.hartbeat_ms: unknown key; did you mean")),
        "{stderr}"
    );
    assert!(
        stderr.contains("institutions[0].regime.kind") && stderr.contains("there are 3 mistakes"),
        "{stderr}"
    );
    assert!(!scene.path("home/store").exists() && !scene.path("home/genesis.bin").exists());
    let answer = scene.run(&["genesis", "check", &genesis, "--json"]);
    let answer: Value = serde_json::from_slice(&answer.stdout).expect("one JSON object");
    assert_eq!(answer["error"]["details"][1]["line"], line, "{answer}");
}

#[test]
fn keys_are_listed_without_a_passphrase_and_sealed_with_one() {
    let scene = scene();
    let file = scene.write("passphrase", "correct horse battery\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("chmod");
    let made = scene.data("home", &["keys", "new", "--role", "approver", "--passphrase-file", &file]);
    assert_eq!((&made["name"], &made["sealed"]), (&"approver".into(), &true.into()));
    assert_eq!(mode(&scene.path("home/keys/approver.json")), 0o600);
    assert_eq!(scene.data("home", &["keys", "list"])[0], made);
    assert_eq!(scene.data("home", &["keys", "show", "approver"]), made);
    let prove = ["keys", "prove", "approver", "--network", "tanba-cli", "--bin", &bin(1)];
    let proven = scene.data("home", &[&prove[..], &["--passphrase-file", &file]].concat());
    assert_eq!(proven["key"], made["public"]);
    let other = scene.write("other", "wrong horse battery\n");
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).expect("chmod");
    scene.fails(&[&prove[..], &["--passphrase-file", &other]].concat(), 5, "KEY_NOT_OPENED");
    scene.fails(&prove, 5, "PASSPHRASE");
    scene.fails(&["keys", "new", "--role", "approver", "--passphrase-file", &file], 6, "FILE_EXISTS");
}

#[test]
fn a_passphrase_comes_through_a_descriptor() {
    let scene = scene();
    let script = format!(
        "'{}' keys new --role admin --passphrase-fd 3 3<<'X'\ncorrect horse battery\nX\n",
        env!("CARGO_BIN_EXE_tanba")
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .env("TANBA_HOME", scene.path("home"))
        .output()
        .expect("a shell");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(scene.data("home", &["keys", "show", "admin"])["sealed"], true);
}

#[test]
fn what_others_could_read_is_refused() {
    let scene = scene();
    scene.data("home", &["keys", "new", "--role", "node", "--devnet"]);
    let key = scene.path("home/keys/node.json");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("chmod");
    let stderr = scene.fails(&["keys", "list"], 5, "FILE_TOO_OPEN");
    assert!(stderr.contains("chmod 600"), "{stderr}");
    let open = scene.write("passphrase", "correct horse battery\n");
    scene.fails(&["keys", "new", "--role", "admin", "--passphrase-file", &open], 5, "FILE_TOO_OPEN");
    fs::set_permissions(scene.path("home"), fs::Permissions::from_mode(0o755)).expect("chmod");
    scene.fails(&["keys", "list"], 5, "FILE_TOO_OPEN");
}

#[test]
fn a_weak_passphrase_seals_nothing() {
    let scene = scene();
    let file = scene.write("passphrase", "short\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("chmod");
    scene.fails(&["keys", "new", "--role", "admin", "--passphrase-file", &file], 5, "PASSPHRASE");
    assert!(!scene.path("home/keys/admin.json").exists());
}

#[test]
fn what_does_not_exist_is_not_found() {
    let scene = scene();
    scene.fails(&["keys", "list"], 4, "KEYS_NONE");
    scene.data("home", &["keys", "new", "--role", "node", "--devnet"]);
    scene.fails(&["keys", "show", "nobody"], 4, "KEY_NOT_FOUND");
    scene.fails(&["genesis", "check", "nowhere.toml"], 4, "FILE_NOT_FOUND");
}

#[test]
fn a_command_line_that_is_not_understood_exits_with_2() {
    let scene = scene();
    scene.fails(&["keys", "nwe"], 2, "USAGE");
    scene.fails(&["keys", "prove", "node", "--network", "a", "--bin", "123"], 2, "USAGE");
    scene.fails(&["genesis", "new", "--kind", "main", "--network", "Not A Name"], 2, "NETWORK_NAME");
    assert_eq!(scene.run(&["--help"]).status.code(), Some(0));
    assert_eq!(scene.run(&["--version"]).status.code(), Some(0));
}

#[test]
fn settings_tell_their_origin_and_refuse_unknown_keys() {
    let scene = scene();
    fs::create_dir(scene.path("home")).expect("made");
    scene.write("home/config.toml", "[grpc]\nlisten = \"127.0.0.1:7\"\n");
    let set = ["config", "show", "--origin", "--set", "p2p.listen=127.0.0.1:8", "--log", "debug"];
    let shown = String::from_utf8(scene.run(&set).stdout).expect("text");
    let line = |key: &str| shown.lines().find(|line| line.starts_with(key)).expect("a line").to_owned();
    assert_eq!(line("p2p.listen"), "p2p.listen = \"127.0.0.1:8\"  # flag --set p2p.listen");
    assert!(
        line("grpc.listen").contains("127.0.0.1:7") && line("grpc.listen").ends_with("/home/config.toml")
    );
    assert_eq!(line("log.format"), "log.format = \"text\"  # default");
    assert!(line("log.filter").starts_with("log.filter = \"debug\""));
    let stderr = scene.fails(&["config", "show", "--set", "p2p.lisen=x"], 3, "SETTING_INVALID");
    assert!(stderr.contains("did you mean `p2p.listen`?"), "{stderr}");
    scene.write("home/config.toml", "[gprc]\n");
    let stderr = scene.fails(&["config", "show"], 3, "FILE_MISTAKES");
    assert!(stderr.contains("config.toml:1:2: gprc: unknown key; did you mean `grpc`?"), "{stderr}");
}

#[test]
fn completions_and_version_are_printed() {
    let scene = scene();
    let script = scene.run(&["completions", "bash"]);
    assert!(String::from_utf8(script.stdout).expect("text").contains("_tanba"));
    assert_eq!(scene.data("home", &["version"])["header_version"], 1);
}

#[test]
fn quiet_leaves_the_answer_alone() {
    let scene = scene();
    let loud = scene.run(&["genesis", "new", "--network", "abc", "--kind", "main"]);
    let quiet = scene.run(&["genesis", "new", "--network", "abc", "--kind", "main", "--quiet"]);
    assert!(!loud.stderr.is_empty() && quiet.stderr.is_empty());
    assert!(quiet.stdout.starts_with(b"# Genesis of the main network \"abc\""));
}
