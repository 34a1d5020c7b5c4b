//! Clocks that are wrong: one validator's wall clock is years ahead or behind, from its start or by a jump while it
//! runs, or its monotonic clock began elsewhere. Time decides nothing about safety, and one of four validators
//! whose proposals are refused must not keep the others from deciding.

use std::{fs, path::PathBuf, time::Duration};

use tokio::time::sleep;

use super::{
    Plan, Stopped, check::Checked, failed, needs, report::Figures, rig::RESUMES_WITHIN, rig::Rig, shim,
};

/// The validator whose clock is wrong: as many as the network can bear.
const VICTIM: usize = 3;

/// Where distributions put the library that fakes clocks.
const LIBRARIES: &str = "/usr/lib";

/// Offsets of the wall clock, as the library takes them.
const OFFSETS: [&str; 4] = ["+10y", "-10y", "+90s", "-90s"];

/// The node sees a change of its clock after this.
const SEEN_WITHIN: Duration = Duration::from_millis(1_200);

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
    let script = shim::under(&plan.folder, "with-clock", &words, &plan.program)?;
    let mut left_behind: Vec<u32> = Vec::new();
    for offset in OFFSETS {
        fs::write(&clock, offset)?;
        rig.kill(&[VICTIM]).await?;
        rig.start_by(VICTIM, &script)?;
        left_behind.extend(rig.nodes[VICTIM].process.pid());
        goes_on(&mut rig, &mut figures, offset).await?;
        // And back, in the middle of its life.
        fs::write(&clock, "+0s")?;
        sleep(SEEN_WITHIN).await;
        goes_on(&mut rig, &mut figures, "+0s").await?;
        fs::write(&clock, offset)?;
        sleep(SEEN_WITHIN).await;
        goes_on(&mut rig, &mut figures, offset).await?;
        checked.proves_new(&mut rig).await?;
    }
    figures.notes.push(format!("wall clocks off by {}, from the start and by a jump", OFFSETS.join(", ")));
    match needs::program("unshare", &["--time", "--monotonic", "86400", "true"]) {
        Ok(()) => {
            let words = ["unshare", "--time", "--monotonic", "86400"].map(str::to_owned);
            let script = shim::under(&plan.folder, "with-monotonic", &words, &plan.program)?;
            rig.kill(&[VICTIM]).await?;
            rig.start_by(VICTIM, &script)?;
            goes_on(&mut rig, &mut figures, "a monotonic clock a day ahead").await?;
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
