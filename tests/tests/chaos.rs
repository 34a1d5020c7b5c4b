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
    assert!(verdict["kills"]["events"] == 12 && verdict["acknowledged"].as_u64() > Some(0), "{verdict}");
}

#[test]
fn what_cannot_run_ends_in_a_verdict_that_says_why() {
    for (arguments, why) in [
        ("--only storms", "old-backup"),
        ("--kills 0", "'--kills <N>'"),
        ("--cuts 0", "'--cuts <N>'"),
        ("--program no/such/program", "no/such/program"),
        ("--only kills --require cuts", "cuts is required"),
    ] {
        let output = chaos(&arguments.split(' ').collect::<Vec<_>>());
        let said = String::from_utf8_lossy(&output.stdout);
        let is_verdict =
            said.lines().count() == 1 && said.starts_with("FAILED: chaos: ") && said.contains(why);
        assert!(is_verdict && !output.status.success(), "{arguments}: {said}");
    }
}

#[test]
fn what_is_required_and_skipped_is_a_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaos"));
    // Without any program of the system there is nothing to trace with.
    command.env("PATH", folder.path()).arg("--folder").arg(folder.path());
    let output = command.args(["--require", "crash-points", "--only", "crash-points"]).output();
    let output = output.expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let why = "FAILED: chaos: required, but skipped: crash-points (`strace` is not installed)";
    assert!(said.trim_end() == why && output.status.code() == Some(1), "{said}");
}
