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

/// Cuts from one network to the next: each begins with an empty ledger, so that nodes start quickly to the end.
const CUTS_OF_A_NETWORK: u64 = 100;

/// Cuts until the count is reached: one of all disks at one moment counts once.
pub(super) async fn run(plan: &mut Plan) -> Result<Figures, Stopped> {
    needs_disks(&plan.folder)?;
    let images = fast_folder(&plan.folder)?;
    let mut figures = Figures::default();
    let (mut networks, mut all_at_once) = (0, 0);
    while figures.cuts.events < plan.options.cuts() {
        networks += 1;
        let enough = plan.options.cuts().min(figures.cuts.events + CUTS_OF_A_NETWORK);
        all_at_once += hurt(plan, &images, &format!("network-{networks}"), &mut figures, enough).await?;
    }
    figures
        .notes
        .push(format!("all four nodes lost power at once {all_at_once} times, in {networks} networks"));
    match control(plan, &images).await {
        Ok(seen) => figures.notes.push(seen),
        Err(stopped) => figures.skip("control with lying disks", stopped)?,
    }
    fs::remove_dir_all(&images)?;
    Ok(figures)
}

/// A network whose disks lose power until there were `enough` cuts; gives how often all did.
async fn hurt(
    plan: &mut Plan,
    images: &Path,
    name: &str,
    figures: &mut Figures,
    enough: u64,
) -> Result<u64, Stopped> {
    let (disks, mut rig) = found_on_disks(plan, images, name)?;
    rig.start_all().await?;
    let mut checked = Checked::default();
    let mut all_at_once = 0;
    while figures.cuts.events < enough {
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
        if figures.cuts.events.is_multiple_of(CUTS_BETWEEN_PROOFS) {
            checked.proves_new(&mut rig).await?;
            progress("cuts", figures.cuts.events, plan.options.cuts());
        }
    }
    figures.add(&checked.ends(&mut rig).await?);
    drop(rig);
    disks.into_iter().try_for_each(Disk::remove)?;
    fs::remove_dir_all(plan.folder.join(name))?;
    Ok(all_at_once)
}

/// A network, founded, with every home on a disk of its own; nothing runs yet. The disks must outlive it.
fn found_on_disks(plan: &Plan, images: &Path, name: &str) -> Result<(Vec<Disk>, Rig), Stopped> {
    let (images, network) = (images.join(name), plan.folder.join(name));
    fs::create_dir(&images)?;
    let disks: Result<Vec<Disk>, Stopped> =
        (1..=VALIDATORS).map(|number| home_on_disk(&images, &network, number, DISK_BYTES)).collect();
    let (disks, rig) = (disks?, Rig::found(plan, &network));
    disks.iter().try_for_each(Disk::sync)?;
    Ok((disks, rig))
}

/// The control: each disk whose syncs lie must lose something with its power, and the look into its store must miss it,
/// or these cuts cut nothing. Gives a line that says what was missed.
async fn control(plan: &Plan, images: &Path) -> Result<String, Stopped> {
    needs::program("strace", &["-D", "-f", "-qq", "-o", "/dev/null", "true"])?;
    let (disks, mut rig) = found_on_disks(plan, images, "control")?;
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
