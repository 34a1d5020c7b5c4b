//! Twins (Bano, Sonnino, Chursin, Perelman, Li, Ching and Malkhi, OPODIS 2021): Byzantine behaviour made of
//! nothing but correct code. A liar is a validator that runs twice with one key, each instance with an empty
//! guard of its own; who hears whom is drawn anew in every round.
//!
//! A scenario names the twins and, for each round, one division of all instances into groups. Within a round
//! messages pass only inside a group; at its end all timers fire, and what they send belongs to the next round.
//! Leaders go round by the protocol's own rule, so every position of a twin towards the leaders is a choice of
//! twins. After the last round the network heals, the twins stay, and everyone honest must decide.
//!
//! Rounds are a tree: what the first rounds led to is computed once. Two divisions that lead to the same states of
//! all hosts are followed once; both count as scenarios.
#![expect(clippy::result_large_err, reason = "a violation ends a search; it may be large")]

mod divisions;

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    panic::{AssertUnwindSafe, catch_unwind},
};

use tanba_ledger::Height;

use crate::{
    cluster::random::Random,
    model::{
        Violation,
        fingerprint::{Fast, Fingerprint},
        machine::panic_text,
        net::{Bell, Net},
        node::Node,
        probe,
        stage::Stage,
    },
};
use divisions::{division, divisions};

/// Which scenarios to play.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Validators; f of them are doubled.
    pub members: usize,
    /// Divided rounds.
    pub rounds: usize,
    /// So many scenarios, drawn from the seed; without it, all of them.
    pub sample: Option<u64>,
    /// What a sample is drawn from.
    pub seed: u64,
}

/// What was played.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Scenarios covered.
    pub scenarios: u64,
    /// Runs after healing; scenarios that led to equal states share one.
    pub runs: u64,
    /// Scenarios in which some honest host decided before the network healed.
    pub early: u64,
    /// The most rounds that a decision took after healing.
    pub rounds: usize,
    /// What went wrong, if anything did; the play ended there.
    pub found: Option<Found>,
}

/// A scenario that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// What happened.
    pub violation: Violation,
    /// The members that are doubled.
    pub twins: Vec<usize>,
    /// The group of each instance in each round: first the members, then the second instances of the twins.
    pub rounds: Vec<Vec<u8>>,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.violation)?;
        writeln!(f, "twins {:?}; the group of each instance, round by round:", self.twins)?;
        for (number, groups) in self.rounds.iter().enumerate() {
            writeln!(f, "{:4}. {groups:?}", number + 1)?;
        }
        Ok(())
    }
}

/// Plays the scenarios of a plan. Ends at the first violation.
pub fn twins(plan: &Plan) -> Report {
    let mut report = Report::default();
    let outcome = match plan.sample {
        None => every(plan, &mut report),
        Some(count) => sample(plan, count, &mut report),
    };
    report.found = outcome.err();
    report
}

/// Height 40 m begins with member 1, whatever the number of members m.
fn stage(plan: &Plan, twins: &[usize]) -> Stage {
    let height = Height(40 * plan.members as u64);
    let members: Vec<usize> = (0..plan.members).collect();
    let mut stage = Stage::new(height, height, &[&members]);
    stage.liars = twins.to_vec();
    stage
}

fn begin<'s>(stage: &'s Stage, plan: &Plan) -> Result<Net<'s>, Violation> {
    let first = (0..plan.members).map(|member| (member, 0));
    let all = first.chain(stage.liars.iter().map(|twin| (*twin, 1)));
    let node = |(member, instance)| {
        // Work is said when the network connects, so that nothing is sent before anyone can hear it.
        let mut node = Node::new(stage, member, instance, false)?;
        node.has_work = true;
        Ok(node)
    };
    Ok(Net::new(stage, all.map(node).collect::<Result<_, _>>()?))
}

/// All choices of f members.
fn choices(plan: &Plan) -> Vec<Vec<usize>> {
    let faulty = (plan.members - 1) / 3;
    let sets = (0..1_usize << plan.members).filter(|set| set.count_ones() as usize == faulty);
    sets.map(|set| (0..plan.members).filter(|member| set >> member & 1 == 1).collect()).collect()
}

fn every(plan: &Plan, report: &mut Report) -> Result<(), Found> {
    for twins in choices(plan) {
        let stage = stage(plan, &twins);
        let all = divisions(plan.members + twins.len());
        let start = begin(&stage, plan).map_err(|violation| found(violation, &twins, &[]))?;
        // Each state with how many scenarios lead to it, and the first of them.
        let mut level = vec![(start, 1_u64, Vec::new())];
        for round in 0..plan.rounds {
            let mut next: Vec<(Net<'_>, u64, Vec<Vec<u8>>)> = Vec::new();
            let mut places: HashMap<u128, usize, Fast> = HashMap::default();
            for (net, count, path) in &level {
                for groups in &all {
                    let mut after = net.clone();
                    let path: Vec<Vec<u8>> = path.iter().chain([groups]).cloned().collect();
                    play(&stage, &mut after, groups, round)
                        .map_err(|violation| found(violation, &twins, &path))?;
                    let place = *places.entry(fingerprint(&stage, &after)).or_insert(next.len());
                    match next.get_mut(place) {
                        Some((_, known, _)) => *known += count,
                        None => next.push((after, *count, path)),
                    }
                }
            }
            level = next;
        }
        for (net, count, path) in level {
            finish(&stage, net, count, report).map_err(|violation| found(violation, &twins, &path))?;
        }
    }
    Ok(())
}

fn sample(plan: &Plan, count: u64, report: &mut Report) -> Result<(), Found> {
    let choices = choices(plan);
    let stages: Vec<Stage> = choices.iter().map(|twins| stage(plan, twins)).collect();
    let mut chance = Random::new(plan.seed);
    for _ in 0..count {
        let choice = chance.below(choices.len() as u64) as usize;
        let (twins, stage) = (&choices[choice], &stages[choice]);
        let mut path: Vec<Vec<u8>> = Vec::new();
        let outcome = begin(stage, plan).and_then(|mut net| {
            for round in 0..plan.rounds {
                path.push(division(&mut chance, plan.members + twins.len()));
                play(stage, &mut net, &path[round], round)?;
            }
            finish(stage, net, 1, report)
        });
        outcome.map_err(|violation| found(violation, twins, &path))?;
    }
    Ok(())
}

/// One round: what the timers of the last one send passes within the groups of this.
fn play(stage: &Stage, net: &mut Net<'_>, groups: &[u8], round: usize) -> Result<(), Violation> {
    guarded(|| {
        net.divide(groups);
        if round == 0 {
            net.connect()?;
        } else {
            for bell in [Bell::Short, Bell::Retry, Bell::View] {
                net.ring(bell)?;
            }
        }
        net.settle()?;
        agree(stage, net)
    })
}

/// The network heals, and everyone honest decides.
fn finish(stage: &Stage, net: Net<'_>, count: u64, report: &mut Report) -> Result<(), Violation> {
    let mut net = net;
    let early = net.nodes.iter().any(|node| stage.is_honest(node.member) && node.is_done(stage));
    let rounds = guarded(|| {
        net.divide(&vec![0; net.nodes.len()]);
        net.connect()?;
        let rounds = probe::run(stage, &mut net)?;
        agree(stage, &net)?;
        Ok(rounds)
    })?;
    report.scenarios += count;
    report.runs += 1;
    report.early += if early { count } else { 0 };
    report.rounds = report.rounds.max(rounds);
    Ok(())
}

/// No two honest hosts decided different blocks.
fn agree(stage: &Stage, net: &Net<'_>) -> Result<(), Violation> {
    let honest = net.nodes.iter().filter(|node| stage.is_honest(node.member));
    let blocks: Vec<_> = honest.filter_map(|node| node.decided.first()?.vote.block()).collect();
    match blocks.iter().find(|block| **block != blocks[0]) {
        Some(other) => Err(Violation::Disagreement(stage.first, blocks[0], *other)),
        None => Ok(()),
    }
}

fn guarded<T>(deed: impl FnOnce() -> Result<T, Violation>) -> Result<T, Violation> {
    catch_unwind(AssertUnwindSafe(deed))
        .unwrap_or_else(|panic| Err(Violation::Panic(None, panic_text(panic.as_ref()))))
}

fn fingerprint(stage: &Stage, net: &Net<'_>) -> u128 {
    let mut state = Fingerprint::default();
    net.nodes.iter().for_each(|node| node.fingerprint(stage).hash(&mut state));
    state.value()
}

fn found(violation: Violation, twins: &[usize], rounds: &[Vec<u8>]) -> Found {
    Found { violation, twins: twins.to_vec(), rounds: rounds.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_round_of_four_with_each_twin_is_every_division() {
        let plan = Plan { members: 4, rounds: 1, sample: None, seed: 0 };
        let report = twins(&plan);
        assert_eq!((report.scenarios, report.found), (4 * 52, None));
        assert!(report.early > 0 && report.early < report.scenarios, "some divisions decide, some do not");
    }

    #[test]
    fn a_sample_is_the_same_for_the_same_seed() {
        let plan = Plan { members: 7, rounds: 3, sample: Some(5), seed: 7 };
        let (first, second) = (twins(&plan), twins(&plan));
        assert_eq!((first.scenarios, first.found.clone()), (5, None));
        assert_eq!((first.rounds, first.early), (second.rounds, second.early));
    }

    #[test]
    fn a_deposed_majority_of_twins_is_seen_to_divide_the_others() {
        // Two twins of four are more than f: two groups with both of them each can decide alone.
        let plan = Plan { members: 4, rounds: 1, sample: None, seed: 0 };
        let twins = [0, 1];
        let stage = stage(&plan, &twins);
        let mut net = begin(&stage, &plan).expect("hosts start");
        let outcome = (0..6).try_for_each(|round| play(&stage, &mut net, &[0, 0, 0, 1, 1, 1], round));
        assert!(matches!(outcome, Err(Violation::Disagreement(..))), "{outcome:?}");
    }
}
