//! The command `cargo chaos` itself: a few kills end in a verdict, and what is not understood is refused.

use std::process::{Command, Output};

fn chaos(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaos"));
    command.arg("--folder").arg(folder.path()).args(arguments).output().expect("it starts")
}

#[test]
fn a_few_kills_end_in_one_verdict() {
    let output = chaos(&["--kills", "12", "--json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    let verdict: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("one object: {said}"));
    assert_eq!((output.status.code(), &verdict["ok"]), (Some(0), &true.into()), "{verdict}\n{said}");
    assert!(verdict["kills"].as_u64() >= Some(12) && verdict["acknowledged"].as_u64() > Some(0), "{verdict}");
}

#[test]
fn an_unknown_scenario_is_refused_with_those_there_are() {
    let output = chaos(&["--only", "storms"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("old-backup"));
}
