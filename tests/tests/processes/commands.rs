//! A registrar's, a holder's and an employer's day by the commands they type, against nodes that run.

use std::{fs, path::Path};

use tanba_tests::network::{OBSERVER, run_to_end};

use crate::{folder, program, shared::shared};

/// The sample class; its rows of one university and one programme are a list of their own.
const CLASS: &str = include_str!("../../../examples/class-2026.csv");

/// A list for the first university in the programme that it is accredited for.
fn list() -> String {
    let (head, rows) = CLASS.split_once('\n').expect("a first line");
    let fits = |row: &&str| row.starts_with("1,") && row.contains(",6B06101,");
    let rows: Vec<&str> = rows.lines().filter(fits).take(25).collect();
    assert_eq!(rows.len(), 25, "the sample class has enough rows");
    format!("{head}\n{}\n", rows.join("\n"))
}

/// Runs a command and expects its exit code; gives what it answered.
async fn run(code: i32, args: &[&str]) -> String {
    let output = run_to_end(program(), args).await;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "tanba {}\n{out}\n{err}", args.join(" "));
    out.into_owned()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_class_is_issued_checked_revoked_and_withdrawn_by_commands() {
    shared(async |network| {
        let folder = folder();
        let at = |name: &str| text(&folder.path().join(name));
        let home = text(&network.home(0));
        let home = home.as_str();
        let (node, observer) = (network.nodes[0].grpc.as_str(), network.nodes[OBSERVER].grpc.as_str());
        fs::write(folder.path().join("class.csv"), list()).expect("written");

        let (class, out) = (at("class.csv"), at("out"));
        let prepare =
            ["--home", home, "issue", "prepare", "--roster", &class, "--out", &out, "--university", "1"];
        run(0, &prepare).await;
        run(5, &["--home", home, "issue", "submit", &out, "--node", node]).await;
        for officer in ["registrar", "approver"] {
            run(0, &["--home", home, "issue", "approve", &out, "--role", officer, "--key", officer]).await;
        }
        for _first_and_again in 0..2 {
            let said = run(0, &["--home", home, "issue", "submit", &out, "--node", node]).await;
            assert!(said.contains("final in block"), "{said}");
        }

        let holders = fs::read_dir(folder.path().join("out/holders")).expect("holder files");
        let files: Vec<String> = holders.map(|entry| text(&entry.expect("an entry").path())).collect();
        assert_eq!(files.len(), 25);
        let bundle = at("bundle");
        let verify = |file: &str| -> Vec<String> {
            ["--home", home, "verify", file, "--node", observer].map(str::to_owned).to_vec()
        };
        let mut saving = verify(&files[0]);
        saving.extend(["--save".to_owned(), bundle.clone()]);
        network.reaches(OBSERVER, network.height(0).await).await;
        let saving: Vec<&str> = saving.iter().map(String::as_str).collect();
        let said = run(0, &saving).await;
        assert!(said.starts_with("Valid (devnet, unsigned sample)"), "{said}");
        let offline = ["--home", home, "verify", &files[0], "--offline", "--bundle", &bundle];
        assert!(run(0, &offline).await.starts_with("Valid"), "a saved proof holds without a node");

        let change = at("revoke.json");
        let reason = ["--reason", "issued-in-error", "--yes"];
        let revoke =
            ["--home", home, "token", "revoke", "--holder-file", &files[0], "--out", &change, "--node", node];
        run(0, &[&revoke[..], &reason[..]].concat()).await;
        for officer in ["registrar", "approver"] {
            run(0, &["--home", home, "token", "approve", &change, "--role", officer, "--key", officer]).await;
        }
        run(0, &["--home", home, "token", "submit", &change, "--node", node]).await;
        let withdraw =
            ["--home", home, "holder", "withdraw", "--holder-file", &files[1], "--node", node, "--yes"];
        run(0, &withdraw).await;

        network.reaches(OBSERVER, network.height(0).await).await;
        for (file, code) in [(&files[0], 10), (&files[1], 14), (&files[2], 0)] {
            let args = verify(file);
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            run(code, &args).await;
        }
        for command in ["status", "peers"] {
            run(0, &[command, "--node", observer]).await;
        }
        run(0, &["blocks", "--node", observer, "--from", "0", "--count", "2"]).await;
    });
}

#[test]
fn a_list_with_mistakes_makes_nothing() {
    shared(async |network| {
        let folder = folder();
        let (class, out) = (folder.path().join("class.csv"), folder.path().join("out"));
        fs::write(&class, list().replacen("6B06101", "six", 1)).expect("written");
        let home = text(&network.home(0));
        let (class, made) = (text(&class), text(&out));
        run(
            3,
            &["--home", &home, "issue", "prepare", "--roster", &class, "--out", &made, "--university", "1"],
        )
        .await;
        assert!(!out.exists(), "nothing is half made");
    });
}
