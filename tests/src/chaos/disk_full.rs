//! A disk fills up under load: its node stops with the code and the words of its manual, the others go on, and with
//! room again it comes back with all it had.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::Path,
};

use super::{
    Plan, Stopped,
    check::Checked,
    cuts::home_on_disk,
    disk::{Disk, fast_folder, needs_disks},
    failed,
    report::Figures,
    rig::{COMES_WITHIN, Rig},
};

/// The validator whose disk fills up.
const VICTIM: usize = 3;

/// Bytes of its disk.
const DISK_BYTES: u64 = 48 << 20;

/// Times it fills up.
const ROUNDS: u64 = 2;

/// The exit code of a node whose disk is full, as its manual has it.
const EXIT_FAILURE: i32 = 1;

/// Fills and frees.
pub(super) async fn run(plan: &mut Plan) -> Result<Figures, Stopped> {
    needs_disks(&plan.folder)?;
    let images = fast_folder(&plan.folder)?;
    let network = plan.folder.join("network");
    let disk = home_on_disk(&images, &network, VICTIM + 1, DISK_BYTES)?;
    let mut rig = Rig::run(plan, &network).await?;
    let (mut checked, mut figures) = (Checked::default(), Figures::default());
    let ballast = rig.home(VICTIM).join("ballast");
    for _ in 0..ROUNDS {
        let head = rig.head(0).await?;
        fill(&ballast, plan.dice.within(0..512 << 10))?;
        full(rig.ended(VICTIM).await?)?;
        // Once more on the same full disk: it may not find room even to start.
        rig.start(VICTIM)?;
        full(rig.ended(VICTIM).await?)?;
        rig.load.acknowledged_above(head, COMES_WITHIN).await?;
        fs::remove_file(&ballast)?;
        rig.start(VICTIM)?;
        rig.votes(VICTIM).await?;
        checked.proves_new(&mut rig).await?;
        figures.disk_faults += 1;
    }
    figures.add(&checked.ends(&mut rig).await?);
    drop(rig);
    Disk::remove(disk)?;
    fs::remove_dir_all(&images)?;
    Ok(figures)
}

/// Fills the disk, and leaves so many bytes free.
fn fill(ballast: &Path, free: u64) -> Result<(), Stopped> {
    const CHUNK: usize = 64 << 10;
    let mut file = File::create(ballast)?;
    loop {
        match file.write_all(&[0; CHUNK]) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::StorageFull => break,
            Err(error) => return Err(error.into()),
        }
    }
    let length = file.metadata()?.len();
    file.set_len(length.saturating_sub(free))?;
    Ok(file.sync_all()?)
}

/// The end of a node says that the disk is full and what to do.
fn full((code, log): (Option<i32>, String)) -> Result<(), Stopped> {
    let words = log.contains("No space left on device") || log.contains("os error 28");
    if code == Some(EXIT_FAILURE) && words && log.contains("next: ") {
        return Ok(());
    }
    failed(format!("on a full disk the node ended with {code:?} and said:\n{log}"))
}
