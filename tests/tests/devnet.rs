//! The command `devnet` itself, as scripts run it: small, twice at the same time, and stopped in the middle.

use std::{fs, path::Path, process::Stdio};

use serde_json::Value;
use tanba_tests::network::{COMES_WITHIN, eventually, processes_with, signal};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// Diplomas of each of the four universities: one batch.
const EACH: usize = 20;

/// Transactions of one diploma.
const SINGLES: usize = 20;

/// Heading and first rows of each university in the sample class.
fn short_class() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/class-2026.csv");
    let sample = fs::read_to_string(path).expect("the sample class");
    let mut lines = sample.lines();
    let mut class = vec![lines.next().expect("a heading")];
    for university in ["1,", "2,", "3,", "4,"] {
        let rows = lines.clone().filter(|line| line.starts_with(university)).take(EACH);
        class.extend(rows);
    }
    assert_eq!(class.len(), 1 + 4 * EACH, "the sample class has rows enough");
    class.join("\n") + "\n"
}

/// Starts a devnet with its homes in `folder`, which is not made yet.
fn start(folder: &Path, class: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tanba-under-test"))
        .args(["--json", "devnet", "--singles", &SINGLES.to_string()])
        .arg("--class")
        .arg(class)
        .arg("--folder")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts")
}

/// Waits for the end of a devnet and expects that it leaves neither a process nor its folder.
async fn end(child: Child, folder: &Path, exit: i32) -> Value {
    let output =
        timeout(COMES_WITHIN, child.wait_with_output()).await.expect("it ends").expect("it is waited for");
    let told = String::from_utf8_lossy(&output.stderr);
    let answer: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("one JSON object: {told}"));
    assert_eq!(output.status.code(), Some(exit), "{answer}\n{told}");
    let homes = folder.display().to_string();
    let gone = async || processes_with(&homes).is_empty().then_some(());
    eventually("every process of the network is gone", gone).await;
    assert!(!folder.exists(), "{homes} is left behind");
    answer
}

fn number(data: &Value, field: &str) -> u64 {
    data[field].as_u64().unwrap_or_else(|| panic!("{field} is a whole number: {data}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devnets_side_by_side_tell_the_whole_story_and_leave_nothing_behind() {
    let scene = tempfile::tempdir().expect("a folder");
    let class = scene.path().join("class.csv");
    fs::write(&class, short_class()).expect("written");
    let folders = [scene.path().join("first"), scene.path().join("second")];
    let [first, second] = folders.each_ref().map(|folder| start(folder, &class));
    let (first, second) = tokio::join!(end(first, &folders[0], 0), end(second, &folders[1], 0));
    assert_ne!(first["data"]["chain_id"], second["data"]["chain_id"], "two networks");
    for answer in [first, second] {
        assert_eq!((&answer["schema"], &answer["ok"]), (&"tanba.devnet.v1".into(), &true.into()), "{answer}");
        let data = &answer["data"];
        assert_eq!(number(data, "diplomas"), 4 * EACH as u64);
        assert_eq!(number(data, "checked_valid"), (4 * EACH + SINGLES) as u64, "{data}");
        assert_eq!(data["single_latency"]["samples"], SINGLES);
        assert!(number(data, "blocks") > 0 && number(data, "views") >= number(data, "blocks"), "{data}");
        assert!(number(data, "status_proof_bytes") > 0 && number(data, "bucket_proof_bytes") > 0, "{data}");
        let nodes = data["nodes"].as_array().expect("nodes");
        assert_eq!(nodes.len(), 5);
        assert!(nodes.iter().all(|node| node["block"] == nodes[0]["block"]), "{data}");
        let shown: Vec<&str> =
            data["shown"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        for part in [
            "forged",
            "one officer alone",
            "changed diploma",
            "withdrawn",
            "a leader put that mint into a block",
        ] {
            assert!(shown.iter().any(|line| line.contains(part)), "{part} in {shown:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_no_process_and_no_folder_behind() {
    let scene = tempfile::tempdir().expect("a folder");
    let class = scene.path().join("class.csv");
    fs::write(&class, short_class()).expect("written");
    let folder = scene.path().join("homes");
    let child = start(&folder, &class);
    let homes = folder.display().to_string();
    // The program itself and five nodes.
    let all_run = async || (processes_with(&homes).len() == 6).then_some(());
    eventually("five nodes run", all_run).await;
    signal("INT", &[child.id().expect("it runs")]);
    let answer = end(child, &folder, 130).await;
    assert_eq!(answer["error"]["code"], "INTERRUPTED", "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_end_when_the_devnet_is_killed() {
    let scene = tempfile::tempdir().expect("a folder");
    let class = scene.path().join("class.csv");
    fs::write(&class, short_class()).expect("written");
    let folder = scene.path().join("homes");
    let mut child = start(&folder, &class);
    let homes = folder.display().to_string();
    let all_run = async || (processes_with(&homes).len() == 6).then_some(());
    eventually("five nodes run", all_run).await;
    child.kill().await.expect("killed");
    let gone = async || processes_with(&homes).is_empty().then_some(());
    eventually("every node is gone", gone).await;
}
