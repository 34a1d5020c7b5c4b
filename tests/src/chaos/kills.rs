//! SIGKILL: of one node, of several, of all, under load, also while they start. What the process had written
//! survives it, in the page cache; what it had only in memory does not.

use std::{fs, path::Path, time::Duration};

use tokio::time::sleep;

use super::{
    Plan, Stopped,
    check::Checked,
    disk::fast_folder,
    failed,
    report::{Figures, progress},
    rig::Rig,
};
use crate::network::VALIDATORS;

/// Of so many kills the last takes all nodes; so does the last of a network.
const EVENTS_TO_A_FULL_STOP: u64 = 9;

/// Full stops from one proof of everything new to the next.
const STOPS_BETWEEN_PROOFS: u64 = 5;

/// From one kill to the next, in milliseconds: a node takes about as long to start, so that some are hit then.
const APART_MS: std::ops::Range<u64> = 5..250;

/// Kills from one network to the next: each begins with an empty ledger, so that nodes start quickly to the end.
const KILLS_OF_A_NETWORK: u64 = 500;

/// Kills until the count is reached: those of all nodes at one moment count once.
pub(super) async fn run(plan: &mut Plan) -> Result<Figures, Stopped> {
    let folder = fast_folder(&plan.folder)?;
    let mut figures = Figures::default();
    let (mut networks, mut full_stops) = (0, 0);
    while figures.kills.events < plan.options.kills() {
        networks += 1;
        let enough = plan.options.kills().min(figures.kills.events + KILLS_OF_A_NETWORK);
        full_stops += hurt(plan, &folder.join(format!("network-{networks}")), &mut figures, enough).await?;
    }
    figures
        .notes
        .push(format!("all four nodes were killed at once {full_stops} times, in {networks} networks"));
    fs::remove_dir_all(&folder)?;
    Ok(figures)
}

/// A network whose nodes are killed until there were `enough` kills; gives how often all were.
async fn hurt(plan: &mut Plan, folder: &Path, figures: &mut Figures, enough: u64) -> Result<u64, Stopped> {
    let mut rig = Rig::run(plan, folder).await?;
    let mut checked = Checked::default();
    let mut full_stops = 0;
    let everyone: Vec<usize> = (0..VALIDATORS).collect();
    while figures.kills.events < enough {
        let next = figures.kills.events + 1;
        if next < enough && !next.is_multiple_of(EVENTS_TO_A_FULL_STOP) {
            kill_some(plan, &mut rig, figures).await?;
            continue;
        }
        rig.kill(&everyone).await?;
        figures.kills.dealt(VALIDATORS);
        full_stops += 1;
        let since = rig.now();
        for number in 0..VALIDATORS {
            rig.start(number)?;
        }
        figures.resumed(rig.resumes(&everyone, since).await?);
        if full_stops % STOPS_BETWEEN_PROOFS == 0 {
            checked.proves_new(&mut rig).await?;
            progress("kills", figures.kills.events, plan.options.kills());
        }
    }
    let ended = checked.ends(&mut rig).await?;
    let due = full_stops * VALIDATORS as u64;
    if ended.looks < due {
        return failed(format!("{} stores were looked into, {due} were due after full stops", ended.looks));
    }
    figures.add(&ended);
    drop(rig);
    fs::remove_dir_all(folder)?;
    Ok(full_stops)
}

/// Kills one node or several, and starts them at once; the next kill comes whether or not they answer by then.
async fn kill_some(plan: &mut Plan, rig: &mut Rig, figures: &mut Figures) -> Result<(), Stopped> {
    let first = plan.dice.place(VALIDATORS);
    let count = if plan.dice.per_mille(250) { 1 + plan.dice.place(VALIDATORS - 1) } else { 1 };
    let victims: Vec<usize> = (0..count).map(|step| (first + step) % VALIDATORS).collect();
    rig.kill(&victims).await?;
    figures.kills.dealt(victims.len());
    // Now and then the others have time to go on without them.
    if plan.dice.per_mille(200) {
        sleep(Duration::from_millis(100)).await;
    }
    for number in victims {
        rig.start_in_haste(number)?;
    }
    sleep(plan.dice.pause(APART_MS)).await;
    Ok(())
}
