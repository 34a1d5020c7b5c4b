//! Clocks that are wrong: one validator's wall clock is years ahead or behind, from its start or by a jump while it
//! runs, or its monotonic clock began elsewhere. Time decides nothing about safety, and one of four validators
//! whose proposals are refused must not keep the others from deciding.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tanba_ledger::Day;
use tanba_node::clock;
use tokio::time::{Instant, sleep};

use super::{
    Plan, Stopped,
    check::Checked,
    failed, needs,
    report::Figures,
    rig::{COMES_WITHIN, LOOK_EVERY, RESUMES_WITHIN, Rig},
    shim,
};

/// The validator whose clock is wrong: as many as the network can bear.
const VICTIM: usize = 3;

/// Where distributions put the library that fakes clocks.
const LIBRARIES: &str = "/usr/lib";

/// Offsets of the wall clock, as the library takes them, and in seconds: its years have 365 days.
const OFFSETS: [(&str, i64); 4] =
    [("+10y", 315_360_000), ("-10y", -315_360_000), ("+90s", 90), ("-90s", -90)];

/// No offset.
const RIGHT: (&str, i64) = ("+0s", 0);

/// The last line of a log is so old at most, in seconds: below the smallest offset.
const LOGGED_S_MAX: u64 = 20;

/// The monotonic clock begins so much later, in seconds.
const MONOTONIC_S: &str = "86400";

/// Wall clocks, then the monotonic one.
pub(super) async fn run(plan: &mut Plan) -> Result<Figures, Stopped> {
    let Some(library) = library() else {
        return Err(Stopped::Skipped("`faketime` is not installed".to_owned()));
    };
    let network = plan.folder.join("network");
    let mut rig = Rig::run(plan, &network).await?;
    // A node a year ahead rightly calls a transaction expired: nobody submits to it.
    rig.load.stop_one(VICTIM);
    let (mut checked, mut figures) = (Checked::default(), Figures::default());
    let clock = plan.folder.join("clock");
    let words = [
        "env".to_owned(),
        format!("LD_PRELOAD={}", library.display()),
        format!("FAKETIME_TIMESTAMP_FILE={}", clock.display()),
        "FAKETIME_CACHE_DURATION=1".to_owned(),
        "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
    ];
    fs::write(&clock, OFFSETS[0].0)?;
    moves_clocks(&shim::under(&plan.folder, "date-with-clock", &words, Path::new("date"))?)?;
    let script = shim::under(&plan.folder, "with-clock", &words, &plan.program)?;
    let mut left_behind: Vec<u32> = Vec::new();
    for offset in OFFSETS {
        fs::write(&clock, offset.0)?;
        rig.kill(&[VICTIM]).await?;
        rig.start_by(VICTIM, &script)?;
        left_behind.extend(rig.nodes[VICTIM].process.pid());
        is_off_by(&rig, offset).await?;
        goes_on(&mut rig, &mut figures, offset.0).await?;
        // And back, in the middle of its life.
        for jump in [RIGHT, offset] {
            fs::write(&clock, jump.0)?;
            is_off_by(&rig, jump).await?;
            goes_on(&mut rig, &mut figures, jump.0).await?;
        }
        checked.proves_new(&mut rig).await?;
    }
    let offsets = OFFSETS.map(|(offset, _)| offset).join(", ");
    figures
        .notes
        .push(format!("wall clocks off by {offsets}, from the start and by a jump, as their logs show"));
    let words = ["unshare", "--time", "--monotonic", MONOTONIC_S];
    match needs::program(words[0], &[&words[1..], &["true"]].concat()) {
        Ok(()) => {
            let script =
                shim::under(&plan.folder, "with-monotonic", &words.map(str::to_owned), &plan.program)?;
            rig.kill(&[VICTIM]).await?;
            rig.start_by(VICTIM, &script)?;
            goes_on(&mut rig, &mut figures, "a monotonic clock a day ahead").await?;
            began_elsewhere(rig.nodes[VICTIM].process.pid().expect("it just answered"))?;
            figures.notes.push("a monotonic clock a day ahead of the others".to_owned());
        }
        Err(stopped) => figures.skip("monotonic clock", stopped)?,
    }
    rig.kill(&[VICTIM]).await?;
    left_behind.iter().for_each(|pid| forget(*pid));
    rig.start_by(VICTIM, &plan.program)?;
    figures.add(&checked.ends(&mut rig).await?);
    Ok(figures)
}

/// The others decide, and the one with the wrong clock follows.
async fn goes_on(rig: &mut Rig, figures: &mut Figures, clock: &str) -> Result<(), Stopped> {
    let since = rig.now();
    let head = rig.head(0).await?;
    rig.load.acknowledged_above(head, RESUMES_WITHIN).await?;
    figures.resumed(since.until(&rig.now()));
    let head = rig.head(0).await?;
    match rig.reaches(VICTIM, head).await {
        Ok(()) => Ok(()),
        Err(Stopped::Failed(what)) => failed(format!("with the clock at {clock}: {what}")),
        Err(skipped) => Err(skipped),
    }
}

/// Waits until the clock of the victim is off by what was asked: it logs every block that the others decide.
async fn is_off_by(rig: &Rig, (asked, seconds): (&str, i64)) -> Result<(), Stopped> {
    let deadline = Instant::now() + COMES_WITHIN;
    loop {
        let log = rig.log(VICTIM);
        let off = log.lines().rev().find_map(time_of).map(|logged| logged - now());
        if off.is_some_and(|off| off.abs_diff(seconds) <= LOGGED_S_MAX) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return failed(format!("the victim's clock was to be off by {asked}; its log is by {off:?} s"));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Seconds since 1970, by the clock of this process.
fn now() -> i64 {
    (clock::now().0 / 1_000) as i64
}

/// The time at the head of a line that a node logs, in seconds since 1970: `2026-11-23T15:44:25.436011Z`.
fn time_of(line: &str) -> Option<i64> {
    let (date, time) = line.split(' ').next()?.strip_suffix('Z')?.split_once('T')?;
    let (year, day) = date.split_once('-')?;
    let (month, day) = day.split_once('-')?;
    let day = Day::from_date(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    let mut seconds = i64::from(day.0);
    for (part, of_it) in time.split('.').next()?.split(':').zip([24, 60, 60]) {
        seconds = seconds * of_it + part.parse::<i64>().ok()?;
    }
    Some(seconds)
}

/// Whether the library does anything here: `date` under it, asked for its time, is off by the first offset.
fn moves_clocks(date: &Path) -> Result<(), Stopped> {
    let told = Command::new(date).arg("+%s").output()?;
    let told = String::from_utf8_lossy(&told.stdout).trim().parse::<i64>();
    match told {
        Ok(told) if (told - now()).abs_diff(OFFSETS[0].1) <= LOGGED_S_MAX => Ok(()),
        _ => Err(Stopped::Skipped("`faketime` does not move clocks here".to_owned())),
    }
}

/// The process is in a namespace of time in which the monotonic clock began so much later.
fn began_elsewhere(pid: u32) -> Result<(), Stopped> {
    let space = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/time"));
    let offsets = fs::read_to_string(format!("/proc/{pid}/timens_offsets"))?;
    let is_off = offsets.lines().any(|line| line.split_whitespace().take(2).eq(["monotonic", MONOTONIC_S]));
    if is_off && space(&pid.to_string())? != space("self")? {
        return Ok(());
    }
    failed(format!("the monotonic clock of the victim did not begin elsewhere: {offsets}"))
}

/// The library leaves two files of a process behind when that is killed.
fn forget(pid: u32) {
    for name in [format!("/dev/shm/sem.faketime_sem_{pid}"), format!("/dev/shm/faketime_shm_{pid}")] {
        // Where it keeps them elsewhere, they are elsewhere.
        drop(fs::remove_file(name));
    }
}

fn library() -> Option<PathBuf> {
    let folders = fs::read_dir(LIBRARIES).ok()?;
    folders
        .flatten()
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|path| path.exists())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_time_of_a_line_is_read() {
        let time = |head: &str| super::time_of(&format!("{head}  INFO tanba_node::node: the node runs"));
        assert_eq!(time("1970-01-02T01:01:01.436011Z"), Some(90_061));
        assert_eq!(time("2026-11-23T15:44:25.436011Z"), Some(1_795_448_665));
        assert_eq!(time("next: something"), None);
    }
}
