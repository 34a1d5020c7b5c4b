//! Killed at the K-th call: a validator's writes, syncs and renames are counted by `strace`, which kills it as it
//! makes the K-th. And calls that fail, with an input error or for want of space, or lie.
//!
//! `strace` counts for each thread of a process by itself; the thread that first makes its K-th call is hit. The
//! call that is hit does not happen.

use std::{
    fs, num::NonZeroU64, os::unix::process::ExitStatusExt, path::PathBuf, process::ExitStatus, time::Duration,
};

use tanba_ledger::Height;
use tanba_node::devnet::ProcessError;
use tokio::time::{Instant, sleep};

use super::{
    Plan, Stopped,
    check::Checked,
    disk::fast_folder,
    failed, needs,
    options::Points,
    report::Figures,
    rig::{COMES_WITHIN, LOOK_EVERY, Rig},
    shim,
};

/// The validator that is hit.
const VICTIM: usize = 3;

/// A run got through when the victim has voted and has so many blocks more than at its start.
const BLOCKS: u64 = 8;

/// From one transaction of a registrar to its next: `strace` makes the victim slow, and it must catch up.
const PAUSE_MS: u64 = 150;

/// No run makes more calls of a kind in one thread.
const CALLS_MAX: u64 = 2_000;

/// The exit codes of a node whose disk failed, as its manual has them: failed, and data damaged.
const CODES_OF_FAILED_DISK: [i32; 2] = [1, 40];

/// What a node says that did not stop in time: `strace` makes it slow, and what is final is safe.
const LATE: &str = "the node did not stop within";

/// A call and, where sockets make it too, the files of the home by which it is told apart.
const CALLS: [(&str, &[&str]); 5] = [
    ("pwrite64", &[]),
    ("write", &["journal/promises", "journal/bodies", "journal/promises.new", "journal/bodies.new"]),
    ("fdatasync", &[]),
    ("fsync", &[]),
    ("rename", &[]),
];

/// Calls that fail, and with what.
const FAILURES: [(&str, &str); 4] =
    [("fdatasync", "EIO"), ("fdatasync", "ENOSPC"), ("pwrite64", "ENOSPC"), ("write", "EIO")];

/// Of each, so many where every place is asked for: a failing call is met alike everywhere.
const FAILURES_MAX: NonZeroU64 = NonZeroU64::new(8).expect("eight");

/// The signal that kills (signal(7)).
const SIGKILL: i32 = 9;

/// What `strace` notes at a call that it answered itself.
const INJECTED: &str = "(INJECTED)";

/// It has written down the calls of a process so long after that ended.
const NOTED_WITHIN: Duration = Duration::from_secs(5);

/// How a run under `strace` ended.
enum Run {
    /// Killed, or by itself: how, and the end of its log.
    Ended(ExitStatus, String),
    /// It did its work.
    Through,
}

/// Every kind of call, then failing calls, then lying ones.
pub(super) async fn run(plan: &mut Plan) -> Result<Figures, Stopped> {
    traces("all")?;
    let folder = fast_folder(&plan.folder)?;
    let mut rig = Rig::run(plan, &folder.join("network")).await?;
    rig.load.slow_down(PAUSE_MS);
    let (mut checked, mut figures) = (Checked::default(), Figures::default());
    for (call, files) in CALLS {
        if let Err(lacking) = traces(call) {
            figures.skip(call, lacking)?;
            continue;
        }
        let mut hit = 0;
        for k in places(plan.options.points()) {
            match run_under(plan, &mut rig, &format!("{call}:signal=SIGKILL:when={k}"), files).await? {
                Run::Through => break,
                Run::Ended(status, _) if status.signal() == Some(SIGKILL) => hit += 1,
                Run::Ended(status, log) => {
                    return failed(format!("the node ended ({status}) instead of being killed:\n{log}"));
                }
            }
            heals(plan, &mut rig, &mut checked).await?;
            figures.crash_points += 1;
            eprintln!("  {call}: {hit} places hit");
        }
        if hit == 0 {
            return failed(format!(
                "no {call} was hit: a node no longer makes this call, or is traced wrongly"
            ));
        }
        figures.notes.push(format!("{call}: {hit} places hit"));
        heals(plan, &mut rig, &mut checked).await?;
    }
    for (call, error) in FAILURES {
        if let Err(lacking) = traces(call) {
            figures.skip(&format!("{error} of {call}"), lacking)?;
            continue;
        }
        let files = CALLS.iter().find(|(name, _)| *name == call).expect("it is listed").1;
        let mut hit = 0;
        for k in places(plan.options.points().at_most(FAILURES_MAX)) {
            match run_under(plan, &mut rig, &format!("{call}:error={error}:when={k}"), files).await? {
                // It made fewer calls.
                Run::Through if !is_injected(plan) => break,
                Run::Through => return failed(format!("a node ignored {error} of its {call} number {k}")),
                Run::Ended(status, log) => says_what_failed(call, error, status, &log)?,
            }
            was_injected(plan).await?;
            heals(plan, &mut rig, &mut checked).await?;
            hit += 1;
        }
        if hit == 0 {
            return failed(format!("no {call} failed with {error}: a node no longer makes this call"));
        }
        figures.disk_faults += hit;
    }
    // Nothing is synced, but everything is written: a kill takes nothing of it.
    if let Run::Ended(status, log) = goes_on_under(plan, &mut rig, "fdatasync,fsync:retval=0", &[]).await? {
        return failed(format!("a lying sync was noticed, but nothing was lost ({status}):\n{log}"));
    }
    rig.kill(&[VICTIM]).await?;
    was_injected(plan).await?;
    heals(plan, &mut rig, &mut checked).await?;
    figures.disk_faults += 1;
    figures.add(&checked.ends(&mut rig).await?);
    drop(rig);
    fs::remove_dir_all(&folder)?;
    Ok(figures)
}

/// The places to be hit.
fn places(points: Points) -> Box<dyn Iterator<Item = u64> + Send> {
    match points {
        Points::All => Box::new(1..CALLS_MAX),
        Points::Spread(count) => {
            let doubled = std::iter::successors(Some(1), |place: &u64| place.checked_mul(2));
            Box::new(doubled.take(count.get() as usize).take_while(|place| *place < CALLS_MAX))
        }
    }
}

/// Whether `strace` works here, and this system has the call at all.
fn traces(call: &str) -> Result<(), Stopped> {
    needs::program("strace", &["-D", "-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "true"])
}

/// Where `strace` writes down the calls of a run.
fn trace(plan: &Plan) -> PathBuf {
    plan.folder.join("trace")
}

/// Whether `strace` has answered a call itself. It notes that before the node goes on.
fn is_injected(plan: &Plan) -> bool {
    fs::read_to_string(trace(plan)).is_ok_and(|noted| noted.contains(INJECTED))
}

/// In the run that ended, `strace` did answer a call itself.
async fn was_injected(plan: &Plan) -> Result<(), Stopped> {
    let deadline = Instant::now() + NOTED_WITHIN;
    while !is_injected(plan) {
        if Instant::now() > deadline {
            return failed("no call failed or lied: the node no longer makes it, or is traced wrongly");
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// As [`goes_on_under`]; a victim that got through is stopped, and that is part of its run.
async fn run_under(plan: &Plan, rig: &mut Rig, inject: &str, files: &[&str]) -> Result<Run, Stopped> {
    match goes_on_under(plan, rig, inject, files).await? {
        Run::Through => stop(rig).await,
        ended => Ok(ended),
    }
}

/// Kills the victim, and starts it under `strace` with a fault; waits until it ended or got through.
async fn goes_on_under(plan: &Plan, rig: &mut Rig, inject: &str, files: &[&str]) -> Result<Run, Stopped> {
    rig.kill(&[VICTIM]).await?;
    // What an earlier run left must not speak for this one.
    fs::write(trace(plan), "")?;
    let calls = inject.split(':').next().expect("a call");
    let mut words: Vec<String> = ["strace", "-D", "-f", "-qq", "-o"].map(String::from).into();
    words.push(trace(plan).display().to_string());
    // Stops at these calls alone. Up to strace 6.1 a signal is not delivered so, and every call stops.
    if !inject.contains("signal=") {
        words.push("--seccomp-bpf".to_owned());
    }
    words.extend(["-e".into(), format!("trace={calls}"), "-e".into(), format!("inject={inject}")]);
    for file in files {
        words.extend(["-P".to_owned(), rig.home(VICTIM).join(file).display().to_string()]);
    }
    let script: PathBuf = shim::under(&plan.folder, "under-strace", &words, &plan.program)?;
    rig.start_by(VICTIM, &script)?;
    let deadline = Instant::now() + COMES_WITHIN;
    let mut began: Option<Height> = None;
    loop {
        if let Err(ProcessError::Ended { status, log, .. }) = rig.nodes[VICTIM].process.check_running() {
            rig.kill_what_is_left(&[VICTIM]).await?;
            return Ok(Run::Ended(status, log));
        }
        if let Some(client) = rig.nodes[VICTIM].client()
            && let Ok(info) = client.node_info().await
        {
            let head = info.as_of.height;
            rig.nodes[VICTIM].heard(head);
            if head.0 >= began.get_or_insert(head).0 + BLOCKS {
                return Ok(Run::Through);
            }
        }
        if Instant::now() > deadline {
            return failed(format!("under {inject} the node neither ended nor went on"));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Stops the victim in good order; the K-th call may be one of its last.
async fn stop(rig: &mut Rig) -> Result<Run, Stopped> {
    rig.nodes[VICTIM].shut();
    match rig.nodes[VICTIM].process.stop().await {
        Ok(()) => Ok(Run::Through),
        Err(ProcessError::Ended { log, .. }) if log.contains(LATE) => Ok(Run::Through),
        Err(ProcessError::Ended { status, log, .. }) => Ok(Run::Ended(status, log)),
        Err(other) => failed(other.to_string()),
    }
}

/// Started as usual, the victim comes back by itself, votes, and proves everything.
async fn heals(plan: &Plan, rig: &mut Rig, checked: &mut Checked) -> Result<(), Stopped> {
    rig.start_by(VICTIM, &plan.program)?;
    rig.votes(VICTIM).await?;
    checked.proves_new(rig).await
}

/// The node ended with a code of its manual, the system's words and what to do next.
fn says_what_failed(call: &str, error: &str, status: ExitStatus, log: &str) -> Result<(), Stopped> {
    let known = status.code().is_some_and(|code| CODES_OF_FAILED_DISK.contains(&code));
    if known && log.contains("error: ") && log.contains("next: ") {
        return Ok(());
    }
    failed(format!("after {error} of {call} the node ended ({status}) and said:\n{log}"))
}
