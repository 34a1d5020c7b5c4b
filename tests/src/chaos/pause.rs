//! Processes that stand still and go on, and one home or one validator key in two processes.

use std::{fs, path::Path, time::Duration};

use tanba_crypto::SigningKey;
use tanba_ledger::ValidatorSet;
use tanba_node::{
    devnet::{NodeProcess, ProcessError, ReservedPort},
    home::Home,
};
use tanba_proto::ledger::v1::Voting;
use tokio::time::{Instant, sleep};

use super::{
    Plan, Stopped,
    accused::accused,
    check::{Checked, EVIDENCE, Said, mistake},
    failed, needs,
    report::Figures,
    rig::{LOOK_EVERY, Rig},
};
use crate::network::{VALIDATORS, run_to_end, signal};

/// The validator of the second part.
const VICTIM: usize = 3;

/// Pauses of the first part.
const ROUNDS: usize = 4;

/// A pause, in milliseconds: some are longer than peers wait for an answer.
const PAUSE_MS: std::ops::Range<u64> = 500..4_000;

/// Exit codes of the manual: something is in use, and refused so as not to contradict itself.
const EXIT_CONFLICT: i32 = 6;
const EXIT_SAFETY_REFUSAL: i32 = 30;

/// Two processes with one key run beside each other for so long, unless one ends.
const BESIDE: Duration = Duration::from_secs(8);

/// Pauses, then doubles.
pub(super) async fn run(plan: &mut Plan) -> Result<Figures, Stopped> {
    let mut rig = Rig::run(plan, &plan.folder.join("network")).await?;
    let (mut checked, mut figures) = (Checked::default(), Figures::default());
    for round in 0..ROUNDS {
        let first = plan.dice.place(VALIDATORS);
        let count = if round % 2 == 0 { 1 } else { VALIDATORS };
        let numbers: Vec<usize> = (0..count).map(|step| (first + step) % VALIDATORS).collect();
        let pids: Vec<u32> = numbers.iter().filter_map(|number| rig.nodes[*number].process.pid()).collect();
        signal("STOP", &pids);
        sleep(plan.dice.pause(PAUSE_MS)).await;
        let since = rig.now();
        signal("CONT", &pids);
        figures.resumed(rig.resumes(&numbers, since).await?);
        checked.proves_new(&mut rig).await?;
    }
    figures.notes.push(format!("{ROUNDS} pauses of one and of all nodes"));
    home_twice(plan, &rig).await?;
    figures.notes.push("a home in use is refused to a second process".to_owned());
    let seen = key_twice(plan, &mut rig).await?;
    figures.notes.push(format!(
        "a validator key in two processes: {seen} within {} s; a node logged {} contradictions",
        BESIDE.as_secs(),
        contradictions(&rig)
    ));
    checked.proves_new(&mut rig).await?;
    let members = rig.network.founded.genesis.genesis().validators.clone();
    let validators = ValidatorSet::new(members).expect("a network was founded with it");
    let doubled = rig.network.founded.universities()[VICTIM].validator.as_ref().map(SigningKey::public);
    let doubled = doubled.and_then(|key| validators.index_of(&key));
    assert!(doubled.is_some(), "the victim is a validator");
    let ended = checked.ends_saying(&mut rig, |line| match line.said {
        Said::Equivocation => accused(line.text, &validators) == doubled,
        Said::PromisesLost => line.number == VICTIM,
        Said::BlocksLost | Said::Mistake => false,
    });
    figures.add(&ended.await?);
    Ok(figures)
}

/// The second process in a home ends at once, with the code for it.
async fn home_twice(plan: &Plan, rig: &Rig) -> Result<(), Stopped> {
    let home = rig.home(VICTIM).display().to_string();
    let output = run_to_end(&plan.program, &["--home", &home, "run"]).await;
    if output.status.code() == Some(EXIT_CONFLICT) {
        return Ok(());
    }
    failed(format!("the second process in a home ended with {}", output.status))
}

/// A copy of a home runs beside the original. One of them must stop, or stay silent, or the others tell of it; the
/// network goes on, and whoever is left comes back alone.
async fn key_twice(plan: &Plan, rig: &mut Rig) -> Result<&'static str, Stopped> {
    rig.stop(VICTIM).await?;
    let copy = plan.folder.join("copy");
    copy_home(&rig.home(VICTIM), &copy)?;
    let _port = listen_elsewhere(rig, &copy)?;
    let mut twin = NodeProcess::new("the copy", &plan.program, &Home::at(&copy));
    rig.start(VICTIM)?;
    rig.votes(VICTIM).await?;
    twin.start()?;
    let deadline = Instant::now() + BESIDE;
    let seen = loop {
        let ends = [twin.check_running(), rig.nodes[VICTIM].process.check_running()];
        if let Some(seen) = stopped(ends)? {
            break seen;
        }
        if Instant::now() > deadline {
            break neither_stopped(rig, &mut twin).await?;
        }
        sleep(LOOK_EVERY).await;
    };
    twin.kill().await?;
    let said = fs::read(twin.log_path())?;
    if let Some(line) = mistake(&String::from_utf8_lossy(&said)) {
        return failed(format!("the copy logged: {line}"));
    }
    rig.kill_what_is_left(&[VICTIM]).await?;
    let head = rig.head(0).await?;
    rig.load.acknowledged_above(head, super::rig::RESUMES_WITHIN).await?;
    rig.start(VICTIM)?;
    rig.votes(VICTIM).await?;
    Ok(seen)
}

/// Of two processes that did not stop, one does not vote, or some node has logged what both have signed.
async fn neither_stopped(rig: &mut Rig, twin: &mut NodeProcess) -> Result<&'static str, Stopped> {
    for client in [twin.ready().await?, rig.client(VICTIM).await?] {
        // One that still asks its peers has not met them: then nothing was tried.
        match client.node_status().await?.voting() {
            Voting::Abstaining | Voting::Retired => return Ok("neither stopped, one was silent"),
            _ => {}
        }
    }
    if contradictions(rig) > 0 {
        return Ok("neither stopped, both voted");
    }
    failed("two processes vote with one validator key, and no node tells of it")
}

/// The most contradictions that any node has logged.
fn contradictions(rig: &Rig) -> usize {
    (0..VALIDATORS).map(|number| rig.log(number).matches(EVIDENCE).count()).max().unwrap_or(0)
}

/// Which of copy and original ended; it must be by refusing to sign.
fn stopped(ends: [Result<(), ProcessError>; 2]) -> Result<Option<&'static str>, Stopped> {
    for (end, who) in ends.into_iter().zip(["the copy stopped", "the original stopped"]) {
        match end {
            Ok(()) => {}
            Err(ProcessError::Ended { status, .. }) if status.code() == Some(EXIT_SAFETY_REFUSAL) => {
                return Ok(Some(who));
            }
            Err(other) => return failed(other.to_string()),
        }
    }
    Ok(None)
}

/// Copies a home whose node does not run.
pub(super) fn copy_home(from: &Path, to: &Path) -> Result<(), Stopped> {
    needs::run(
        "cp",
        &["--archive", "--no-target-directory", &from.display().to_string(), &to.display().to_string()],
    )
}

/// Gives the copy an address of its own for other nodes, kept while the answer lives.
fn listen_elsewhere(rig: &Rig, copy: &Path) -> Result<ReservedPort, Stopped> {
    let own = rig.network.founded.universities()[VICTIM].p2p.expect("a university has a node");
    let free = ReservedPort::any()?;
    let path = copy.join("config.toml");
    let settings = fs::read_to_string(&path)?.replacen(&own.to_string(), &free.address().to_string(), 1);
    fs::write(path, settings)?;
    Ok(free)
}
