//! Weather of the network: loss, delay, duplication and reordering; one-way cuts; splits without a quorum, which
//! must decide nothing; and nodes alone. After each the weather clears, and commits must go on in time.

use std::{fs, time::Duration};

use tanba_ledger::Height;
use tokio::time::{Instant, sleep};

use super::{
    Plan, Stopped,
    check::Checked,
    failed,
    relay::{Relay, Tally, Weather, address, clients_address, namespace, needs_relay},
    report::Figures,
    rig::{COMES_WITHIN, Rig},
    shim,
};
use crate::network::VALIDATORS;

/// After a split what was on its way has arrived.
const SETTLED: Duration = Duration::from_secs(1);

/// A split lasts so long, in milliseconds.
const SPLIT_MS: std::ops::Range<u64> = 2_000..4_000;

/// Loss and delay last so long.
const STORM: Duration = Duration::from_secs(6);

/// One that is longer than the node waits for a peer's sign of life.
const LONG_SPLIT: Duration = Duration::from_secs(15);

/// Each weather in turn.
pub(super) async fn run(plan: &mut Plan) -> Result<Figures, Stopped> {
    needs_relay()?;
    let mut relay = Relay::new(&plan.dice)?;
    let mut rig = Rig::found(plan, &plan.folder.join("network"));
    move_out(&rig)?;
    for number in 0..VALIDATORS {
        let words = ["nsenter".to_owned(), format!("--net=/run/netns/{}", namespace(number))];
        let script = shim::under(&plan.folder, &format!("in-namespace-{number}"), &words, &plan.program)?;
        rig.start_by(number, &script)?;
    }
    rig.start_all().await?;
    let mut checked = Checked::default();
    let mut figures = Figures::default();

    let rain =
        Weather { lost_per_mille: 20, doubled_per_mille: 20, delay_us: 5_000..40_000, cut: Vec::new() };
    let storm =
        Weather { lost_per_mille: 100, doubled_per_mille: 50, delay_us: 1_000..120_000, cut: Vec::new() };
    for weather in [rain, storm] {
        relay.set(weather);
        let until = Instant::now() + STORM;
        while Instant::now() < until {
            let head = rig.head(0).await?;
            rig.load.acknowledged_above(head, COMES_WITHIN).await?;
        }
        clears(&mut relay, &mut rig, &mut figures, &mut checked).await?;
    }
    let mut stall_max = Duration::ZERO;
    for victim in 0..VALIDATORS {
        let others: Vec<usize> = (0..VALIDATORS).filter(|number| *number != victim).collect();
        let (deaf, mute) = (Weather::one_way(&others, &[victim]), Weather::one_way(&[victim], &others));
        // By turns: one that hears nobody, and one that nobody hears.
        relay.set(if victim % 2 == 0 { deaf } else { mute });
        let (_, in_all) = rig.load.acknowledged_by(victim, 0);
        stall_max = stall_max.max(decides(&mut rig, &others).await?);
        sleep(plan.dice.pause(SPLIT_MS)).await;
        stall_max = stall_max.max(decides(&mut rig, &others).await?);
        is_cut_off(&rig, victim, in_all)?;
        clears(&mut relay, &mut rig, &mut figures, &mut checked).await?;
    }
    let half = 1 + plan.dice.place(VALIDATORS - 1);
    let (mut one, mut other) =
        (vec![0, half], Vec::from_iter((1..VALIDATORS).filter(|number| *number != half)));
    for lasts in [plan.dice.pause(SPLIT_MS), LONG_SPLIT] {
        relay.set(Weather::split(&one, &other));
        nobody_decides(&mut rig, lasts).await?;
        clears(&mut relay, &mut rig, &mut figures, &mut checked).await?;
        std::mem::swap(&mut one, &mut other);
    }
    let alone = plan.dice.place(VALIDATORS);
    let others: Vec<usize> = (0..VALIDATORS).filter(|number| *number != alone).collect();
    relay.set(Weather::split(&[alone], &others));
    sleep(SETTLED).await;
    let head = rig.head(alone).await?;
    stall_max = stall_max.max(decides(&mut rig, &others).await?);
    sleep(plan.dice.pause(SPLIT_MS)).await;
    stands_still(&mut rig, alone, head).await?;
    clears(&mut relay, &mut rig, &mut figures, &mut checked).await?;

    let Tally { carried, lost, doubled, cut } = relay.tally();
    figures.notes.push(format!("frames: {carried} carried, {lost} lost, {doubled} doubled, {cut} cut"));
    figures.notes.push(format!(
        "the longest wait of a quorum for its next commit while one node was cut off in one or both directions: {:.1} s",
        stall_max.as_secs_f64()
    ));
    figures.add(&checked.ends(&mut rig).await?);
    drop(rig);
    drop(relay);
    Ok(figures)
}

/// Gives every node the addresses of its namespace instead of those it was founded with.
fn move_out(rig: &Rig) -> Result<(), Stopped> {
    for number in 0..VALIDATORS {
        let path = rig.nodes[number].process.home().config_file();
        let mut settings = fs::read_to_string(&path)?;
        for (other, party) in rig.network.founded.universities().iter().enumerate() {
            let founded = party.p2p.expect("a university has a node");
            let moved = format!("{}:{}", address(other), founded.port());
            settings = settings.replace(&founded.to_string(), &moved);
        }
        let clients = format!("\"{}:0\"", clients_address(number));
        fs::write(&path, settings.replace("\"127.0.0.1:0\"", &clients))?;
    }
    Ok(())
}

/// The weather clears: commits go on in time, every node catches up and proves everything.
async fn clears(
    relay: &mut Relay,
    rig: &mut Rig,
    figures: &mut Figures,
    checked: &mut Checked,
) -> Result<(), Stopped> {
    relay.harmed()?;
    let since = rig.now();
    relay.set(Weather::calm());
    let everyone: Vec<usize> = (0..VALIDATORS).collect();
    figures.resumed(rig.resumes(&everyone, since).await?);
    figures.weathers += 1;
    checked.proves_new(rig).await
}

/// These nodes, a quorum, go on; gives the time to their next commit.
async fn decides(rig: &mut Rig, numbers: &[usize]) -> Result<Duration, Stopped> {
    let since = Instant::now();
    let head = rig.head(numbers[0]).await?;
    rig.load.acknowledged_above(head, COMES_WITHIN).await?;
    Ok(since.elapsed())
}

/// A deaf node learns of nothing that becomes final, and nobody learns what a mute one was given. Its registrar submits
/// one transaction after another: the one under way may have come through before the cut, when `in_all` were
/// acknowledged, and no later one may.
fn is_cut_off(rig: &Rig, victim: usize, in_all: usize) -> Result<(), Stopped> {
    let (acknowledged, _) = rig.load.acknowledged_by(victim, in_all);
    if acknowledged.len() <= 1 {
        return Ok(());
    }
    let name = rig.nodes[victim].process.name();
    failed(format!("{name}, cut off one way, acknowledged {} transactions", acknowledged.len()))
}

/// Neither side has a quorum, so neither decides. Whoever is behind may still fetch what its own side has.
async fn nobody_decides(rig: &mut Rig, lasts: Duration) -> Result<(), Stopped> {
    sleep(SETTLED).await;
    let mut highest = Height::GENESIS;
    for number in 0..VALIDATORS {
        highest = highest.max(rig.head(number).await?);
    }
    sleep(lasts).await;
    for number in 0..VALIDATORS {
        stands_still(rig, number, highest).await?;
    }
    Ok(())
}

/// A node without a quorum has not gone beyond the block that a quorum may have signed before the cut, when
/// `highest` was the highest head: it may lack the body, or a vote that its own side holds, for a while.
async fn stands_still(rig: &mut Rig, number: usize, highest: Height) -> Result<(), Stopped> {
    let now = rig.head(number).await?;
    if now <= highest.next() {
        return Ok(());
    }
    failed(format!("without a quorum, {} went from {highest} to {now}", rig.nodes[number].process.name()))
}
