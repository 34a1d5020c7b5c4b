//! Backups put back: a store, a whole home, and a journal, each from before the latest votes. The manual forbids the
//! last two; a node to which it happens must find out by itself and contradict nothing it has said.

use std::{fs, path::Path};

use super::{
    Plan, Stopped,
    check::{Checked, Said},
    pause::copy_home,
    report::Figures,
    rig::{COMES_WITHIN, Rig},
};

/// The validator whose home goes back in time.
const VICTIM: usize = 3;

/// What is put back.
const BACKUPS: [(&str, &[&str]); 3] =
    [("an old store", &["store"]), ("an old home", &["store", "journal"]), ("an old journal", &["journal"])];

/// Blocks between the copy and its return.
const BLOCKS: std::ops::Range<u64> = 1..12;

/// Each backup, twice: after an orderly stop and after a kill.
pub(super) async fn run(plan: &mut Plan) -> Result<Figures, Stopped> {
    let mut rig = Rig::run(plan, &plan.folder.join("network")).await?;
    let (mut checked, mut figures) = (Checked::default(), Figures::default());
    let mut seen = None;
    for round in 0..2 {
        for (name, folders) in BACKUPS {
            let backup = plan.folder.join(format!("backup-{}-{round}", folders.join("-")));
            rig.stop(VICTIM).await?;
            copy_home(&rig.home(VICTIM), &backup)?;
            rig.start(VICTIM)?;
            rig.votes(VICTIM).await?;
            let due = tanba_ledger::Height(rig.head(VICTIM).await?.0 + plan.dice.within(BLOCKS));
            rig.reaches(VICTIM, due).await?;
            match round {
                0 => rig.stop(VICTIM).await?,
                _ => rig.kill(&[VICTIM]).await?,
            }
            let said_before = rig.log(VICTIM).len();
            folders.iter().try_for_each(|folder| put_back(&backup, &rig.home(VICTIM), folder))?;
            if folders.contains(&"store") {
                // A control: if this is not seen, neither is what a kill or a cut takes.
                seen = Some(rig.misses(VICTIM).await?);
                rig.put_back(VICTIM);
            }
            rig.start(VICTIM)?;
            rig.votes(VICTIM).await?;
            // Its vote is needed when another is gone.
            rig.kill(&[0]).await?;
            let head = rig.head(1).await?;
            rig.load.acknowledged_above(head, COMES_WITHIN).await?;
            rig.start(0)?;
            checked.proves_new(&mut rig).await?;
            let said = rig.log(VICTIM).split_off(said_before);
            let found = if said.contains("promises were lost") {
                "it found out, was silent for a while and votes"
            } else {
                "nothing it had said is open any more: it caught up and votes"
            };
            figures.notes.push(format!("{name}: {found}"));
        }
    }
    figures.notes.extend(seen.map(|seen| format!("control: {seen}")));
    let is_explained = |said| matches!(said, Said::PromisesLost | Said::BlocksLost);
    figures
        .add(&checked.ends_saying(&mut rig, |line| line.number == VICTIM && is_explained(line.said)).await?);
    Ok(figures)
}

fn put_back(backup: &Path, home: &Path, folder: &str) -> Result<(), Stopped> {
    fs::remove_dir_all(home.join(folder))?;
    copy_home(&backup.join(folder), &home.join(folder))
}
