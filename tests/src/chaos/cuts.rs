//! Power cuts: every home lies on an ext4 file system of its own, which stops writing in the middle of the load. What
//! was not synced is gone after it is mounted again; the journal of the file system is replayed.

use std::{fs, path::Path};

use tanba_ledger::Height;
use tokio::time::sleep;

use super::{
    Plan, Stopped,
    check::Checked,
    disk::{Disk, fast_folder, needs_disks},
    needs,
    report::{Figures, progress},
    rig::{COMES_WITHIN, Rig},
    shim,
};
use crate::network::VALIDATORS;

/// Bytes of each disk.
const DISK_BYTES: u64 = 512 << 20;

/// Of 1,000 cuts so many take the power of all four nodes.
const ALL_AT_ONCE_PER_MILLE: u64 = 400;

/// The load before a cut, in milliseconds.
const LOAD_MS: std::ops::Range<u64> = 20..200;

/// Blocks that the nodes with lying disks decide.
const CONTROL_BLOCKS: u64 = 10;

/// Cuts from one proof of everything new to the next.
const CUTS_BETWEEN_PROOFS: u64 = 20;

/// Cuts until the count is reached: one of all disks at one moment counts once.
pub(super) async fn run(plan: &mut Plan) -> Result<Figures, Stopped> {
    needs_disks()?;
    let images = fast_folder(&plan.folder)?;
    let network = plan.folder.join("network");
    let mut disks = Vec::new();
    for number in 1..=VALIDATORS {
        disks.push(home_on_disk(&images, &network, number, DISK_BYTES)?);
    }
    let mut rig = Rig::found(plan, &network);
    disks.iter().try_for_each(Disk::sync)?;
    rig.start_all().await?;

    let (mut checked, mut figures) = (Checked::default(), Figures::default());
    let (mut all_at_once, mut next_proof) = (0, CUTS_BETWEEN_PROOFS);
    while figures.cuts.events < plan.options.cuts() {
        sleep(plan.dice.pause(LOAD_MS)).await;
        let all = plan.dice.per_mille(ALL_AT_ONCE_PER_MILLE);
        let victims: Vec<usize> =
            if all { (0..VALIDATORS).collect() } else { vec![figures.cuts.events as usize % VALIDATORS] };
        // Power takes the process with the disk. One that lived on would believe syncs that the dying file system
        // says it has done, and send what rests on them.
        rig.freeze(&victims)?;
        for number in &victims {
            disks[*number].cut_power()?;
        }
        rig.kill_what_is_left(&victims).await?;
        for number in &victims {
            disks[*number].mount_again()?;
        }
        let since = rig.now();
        for number in &victims {
            rig.start(*number)?;
        }
        figures.cuts.dealt(victims.len());
        all_at_once += u64::from(all);
        if all {
            figures.resumed(rig.resumes(&victims, since).await?);
        } else {
            rig.client(victims[0]).await?;
        }
        if figures.cuts.events >= next_proof {
            checked.proves_new(&mut rig).await?;
            next_proof = figures.cuts.events + CUTS_BETWEEN_PROOFS;
            progress("cuts", figures.cuts.events, plan.options.cuts());
        }
    }
    figures.add(&checked.ends(&mut rig).await?);
    match control(plan, &images).await {
        Ok(seen) => figures.notes.push(seen),
        Err(stopped) => figures.skip("control with lying disks", stopped)?,
    }
    figures.notes.push(format!("all four nodes lost power at once {all_at_once} times"));
    drop(rig);
    drop(disks);
    fs::remove_dir_all(&images)?;
    Ok(figures)
}

/// The control: each disk whose syncs lie must lose something with its power, and the look into its store must miss it,
/// or these cuts cut nothing. Gives a line that says what was missed.
async fn control(plan: &Plan, images: &Path) -> Result<String, Stopped> {
    needs::program("strace", &["-D", "-f", "-qq", "-o", "/dev/null", "true"])?;
    let (images, network) = (images.join("control"), plan.folder.join("control"));
    fs::create_dir(&images)?;
    let mut disks = Vec::new();
    for number in 1..=VALIDATORS {
        disks.push(home_on_disk(&images, &network, number, DISK_BYTES)?);
    }
    let mut rig = Rig::found(plan, &network);
    disks.iter().try_for_each(Disk::sync)?;
    let lying = ["-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:retval=0"];
    let words = ["strace", "-D", "-f", "-qq", "-o", "/dev/null"].iter().chain(&lying);
    let words: Vec<String> = words.map(|word| (*word).to_owned()).collect();
    let script = shim::under(&plan.folder, "with-lying-disk", &words, &plan.program)?;
    for number in 0..VALIDATORS {
        rig.start_by(number, &script)?;
    }
    rig.start_all().await?;
    rig.load.acknowledged_above(Height(CONTROL_BLOCKS), COMES_WITHIN).await?;
    disks.iter().try_for_each(Disk::cut_power)?;
    rig.kill_what_is_left(&[0, 1, 2, 3]).await?;
    rig.load.stop();
    disks.iter().try_for_each(Disk::mount_again)?;
    let mut missed = String::new();
    for number in 0..VALIDATORS {
        missed = rig.misses(number).await?;
    }
    drop(rig);
    disks.into_iter().try_for_each(Disk::remove)?;
    Ok(format!("control: with syncs that lie, all four nodes lost something; {missed}"))
}

/// A disk where the home of a university will be, its log beside it.
pub(super) fn home_on_disk(
    images: &Path,
    network: &Path,
    number: usize,
    bytes: u64,
) -> Result<Disk, Stopped> {
    let disk = Disk::new(images, &network.join(format!("university-{number}")), bytes)?;
    disk.log_to(&network.join(format!("university-{number}.log")))?;
    Ok(disk)
}
