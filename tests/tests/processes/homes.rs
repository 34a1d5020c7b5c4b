//! Starts that must not succeed, each with its exit code, a sentence and what to do next.

use std::{fs, net::TcpListener, path::Path};

use serde_json::Value;
use tanba_tests::network::{Network, run_to_end};

use crate::{folder, program};

/// Runs the node of `home`, which must end by itself with this exit code and error code; gives its message.
async fn fails(home: &Path, settings: &[&str], exit: i32, code: &str) -> String {
    let home = home.display().to_string();
    let args = [&["--home", &home, "--json", "run"], settings].concat();
    let output = run_to_end(program(), &args).await;
    let log = String::from_utf8_lossy(&output.stderr);
    let answer: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("one JSON object: {log}"));
    let error = &answer["error"];
    assert_eq!((output.status.code(), error["code"].as_str()), (Some(exit), Some(code)), "{answer}\n{log}");
    assert!(error["next_step"].as_str().is_some_and(|step| !step.is_empty()), "{answer}");
    error["message"].as_str().expect("a sentence").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_home_has_one_node() {
    let folder = folder();
    let mut network = Network::found(program(), folder.path());
    network.start(0).await;
    let message = fails(&network.home(0), &[], 6, "HOME_IN_USE").await;
    assert!(message.contains(&network.home(0).display().to_string()), "{message}");
    network.client(0).node_info().await.expect("the first one goes on");
    network.stop(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_named() {
    let folder = folder();
    let mut network = Network::found(program(), folder.path());
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    for setting in ["p2p.listen", "grpc.listen", "metrics.listen"] {
        let setting = format!("{setting}={address}");
        let message = fails(&network.home(0), &["--set", &setting], 6, "ADDRESS_IN_USE").await;
        assert!(message.contains(&address), "{message}");
    }
    drop(taken);
    network.start(0).await;
    network.stop(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_of_another_network_is_refused() {
    let (folder, other_folder) = (folder(), folder());
    let network = Network::found(program(), folder.path());
    let other = Network::found(program(), other_folder.path());
    fs::copy(other.home(0).join("genesis.bin"), network.home(0).join("genesis.bin")).expect("copied");
    let message = fails(&network.home(0), &[], 3, "STORE_NETWORK").await;
    let chains = [network.founded.genesis.chain_id(), other.founded.genesis.chain_id()];
    assert!(chains.iter().all(|chain| message.contains(&chain.to_string())), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_others_can_look_into_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let network = Network::found(program(), folder.path());
    fs::set_permissions(network.home(0), fs::Permissions::from_mode(0o755)).expect("changed");
    let message = fails(&network.home(0), &[], 5, "FILE_TOO_OPEN").await;
    assert!(message.contains("0700"), "{message}");
}
