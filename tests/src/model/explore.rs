//! The search: depth first through every state of a scope, as far as the budget goes.
//!
//! A part of a scope is searched three times. First, where the scope says so, by wide steps, which pass over what
//! hosts do in silence, through *classes* of states: if that ends by itself, everything that can ever be said in this
//! part was seen, and it counts as exhausted. Then state by state, for half of the budget. The other half goes to many
//! short searches, each from the end of a random walk, so that a bounded run sees more than one corner of a large
//! space. Everything is drawn from a fixed seed.

use std::{
    collections::HashSet,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use super::{
    fingerprint::Fast,
    machine::{Machine, State, Step, panic_text},
    probe,
    scope::Scope,
    stage::Stage,
    violation::Violation,
};
use crate::cluster::random::Random;

/// Samples of progress at full frequency; after each so many the frequency halves.
const SAMPLES_STEP: u64 = 256;

/// Short searches in a row that see nothing new before it is asked whether anything is left.
const BARREN_MAX: u32 = 64;

/// What a search of one scope found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The scope's name.
    pub scope: &'static str,
    /// Each part.
    pub parts: Vec<Part>,
    /// What went wrong, if anything did; the search ended there.
    pub found: Option<Found>,
}

/// What a search of one part saw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Part {
    /// The height that it begins with; it says who leads.
    pub first: u64,
    /// Different states.
    pub states: u64,
    /// States that stand for all that differ from them only by what hosts do in silence; 0 if none were looked for.
    pub classes: u64,
    /// Steps between them that were followed.
    pub steps: u64,
    /// Different local states of hosts, each of which ran production code.
    pub locals: u64,
    /// Steps from the beginning to the farthest state.
    pub depth: usize,
    /// States in which nothing more can happen within the views of the scope. Progress was probed from each.
    pub ends: u64,
    /// Different healings that were tried, from the ends and from a sample of all states.
    pub probes: u64,
    /// The most rounds that a probe needed.
    pub rounds: usize,
    /// Whether every state was seen.
    pub exhausted: bool,
    /// How long it took.
    pub seconds: f64,
}

/// A violation and how to get there.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// What.
    pub violation: Violation,
    /// The first height of the part.
    pub first: u64,
    /// The steps, in words; none can be left out.
    pub trace: Vec<String>,
}

impl Report {
    /// Different states in all parts.
    pub fn states(&self) -> u64 {
        self.parts.iter().map(|part| part.states).sum()
    }

    /// Healings that were tried in all parts.
    pub fn probes(&self) -> u64 {
        self.parts.iter().map(|part| part.probes).sum()
    }

    /// Whether every state of every part was seen.
    pub fn is_exhausted(&self) -> bool {
        self.found.is_none() && self.parts.iter().all(|part| part.exhausted)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.violation)?;
        writeln!(f, "heights from {}; to get there:", self.first)?;
        for (number, step) in self.trace.iter().enumerate() {
            writeln!(f, "{:4}. {step}", number + 1)?;
        }
        Ok(())
    }
}

/// Searches a scope through at most `states_max` states, shared evenly among its parts; what one part leaves
/// over goes to the next. Ends at the first violation.
pub fn explore(scope: &Scope, states_max: u64) -> Report {
    let mut report = Report { scope: scope.name, parts: Vec::new(), found: None };
    for (done, first) in scope.firsts.iter().enumerate() {
        let left = states_max.saturating_sub(report.states());
        let (part, found) = explore_part(scope, *first, left / (scope.firsts.len() - done) as u64);
        report.parts.push(part);
        if found.is_some() {
            report.found = found;
            break;
        }
    }
    report
}

/// Searches one part of a scope.
pub fn explore_part(scope: &Scope, first: u64, states_max: u64) -> (Part, Option<Found>) {
    let begun = Instant::now();
    let stage = scope.stage(first);
    let (machine, root) = match Machine::new(scope, &stage) {
        Ok(begun) => begun,
        Err(violation) => {
            let found = Found { violation, first, trace: Vec::new() };
            return (Part { first, ..Part::default() }, Some(found));
        }
    };
    let part = Part { first, ..Part::default() };
    let seen = HashSet::default();
    let probed = HashSet::default();
    let mut search = Search {
        stage: &stage,
        machine,
        root,
        seen,
        probed,
        samples: 0,
        part,
        scope,
        wide: false,
        chance: Random::new(first),
    };
    let outcome = search.run(states_max);
    search.part.states = if search.wide { 0 } else { search.seen.len() as u64 };
    search.part.locals = search.machine.locals() as u64;
    search.part.seconds = begun.elapsed().as_secs_f64();
    let found = outcome.err().map(|(path, violation)| search.found(first, path, violation));
    (search.part, found)
}

type Failure = (Vec<Step>, Violation);

struct Frame {
    state: State,
    by: Option<Step>,
    next: Vec<(State, Step)>,
}

struct Search<'s> {
    stage: &'s Stage,
    machine: Machine<'s>,
    root: State,
    seen: HashSet<State, Fast>,
    probed: HashSet<State, Fast>,
    samples: u64,
    part: Part,
    scope: &'s Scope,
    wide: bool,
    chance: Random,
}

impl Search<'_> {
    fn run(&mut self, states_max: u64) -> Result<(), Failure> {
        self.wide = self.scope.wide;
        if self.wide {
            self.part.exhausted = self.descend(vec![], self.root, states_max / 2)?;
            self.part.classes = self.seen.len() as u64;
            self.seen.clear();
        }
        self.wide = false;
        if self.descend(vec![], self.root, states_max / 2)? {
            self.part.exhausted = true;
            return Ok(());
        }
        let burst = (states_max / 128).max(1_000);
        let mut barren = 0;
        while (self.seen.len() as u64) < states_max {
            let (path, state) = self.walk()?;
            let before = self.seen.len();
            self.descend(path, state, (before as u64 + burst).min(states_max))?;
            barren = if self.seen.len() == before { barren + 1 } else { 0 };
            if barren == BARREN_MAX {
                // Perhaps there is no more than this: a search with the whole budget can tell.
                self.seen.clear();
                self.part.exhausted = self.descend(vec![], self.root, states_max)?;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Goes along random steps, until an unseen state has been reached and a random length has passed.
    fn walk(&mut self) -> Result<(Vec<Step>, State), Failure> {
        let length = self.chance.below(self.part.depth as u64 + 1);
        let (mut path, mut state, mut next) = (Vec::new(), self.root, Vec::new());
        for _ in 0..length {
            let expanded = self.machine.expand(state, &mut next);
            expanded.map_err(|(step, violation)| failure(&path, step, violation))?;
            if next.is_empty() {
                return Ok((Vec::new(), self.root));
            }
            let (to, step) = *self.chance.of(&next);
            path.push(step);
            state = to;
        }
        Ok((path, state))
    }

    /// Depth first below a state, until `limit` states have been seen in all. Says whether nothing is left.
    /// With wide steps a state stands for all that differ from it only by what hosts do in silence.
    fn descend(&mut self, path: Vec<Step>, from: State, limit: u64) -> Result<bool, Failure> {
        let mut stack: Vec<Frame> = Vec::new();
        let mut spare: Vec<Vec<(State, Step)>> = Vec::new();
        let mut visit = Some((from, None));
        loop {
            if let Some((state, by)) = visit.take() {
                self.seen.insert(state);
                let mut next = spare.pop().unwrap_or_default();
                let expanded = if self.wide {
                    self.machine.expand_wide(state, &mut next)
                } else {
                    self.machine.expand(state, &mut next)
                };
                if let Err((step, violation)) = expanded {
                    return Err((self.trail(&path, &stack, by, step.map(|step| (state, step))), violation));
                }
                self.part.steps += next.len() as u64;
                if let Err((deeper, violation)) = self.probe(state, next.is_empty()) {
                    let mut steps = self.trail(&path, &stack, by, None);
                    steps.extend(deeper);
                    return Err((steps, violation));
                }
                if stack.len() % 2 == 1 {
                    // So that no host is always first.
                    next.reverse();
                }
                // Who is to lose its journal is ahead of the others first: then it has most to forget.
                if let Some(loser) = self.scope.loses {
                    next.sort_by_key(|(_, step)| self.machine.hosts[usize::from(step.host)] == loser);
                }
                stack.push(Frame { state, by, next });
                self.part.depth = self.part.depth.max(path.len() + stack.len());
            }
            let Some(frame) = stack.last_mut() else { return Ok(true) };
            debug_assert!(self.seen.contains(&frame.state));
            match frame.next.pop() {
                Some((to, step)) if !self.seen.contains(&to) => {
                    if self.seen.len() as u64 >= limit {
                        return Ok(false);
                    }
                    visit = Some((to, Some(step)));
                }
                Some(_) => {}
                None => spare.extend(stack.pop().map(|frame| frame.next)),
            }
        }
    }

    /// The small steps that led to the top of the stack and, by one more each, to where the search failed.
    fn trail(
        &mut self,
        path: &[Step],
        stack: &[Frame],
        by: Option<Step>,
        last: Option<(State, Step)>,
    ) -> Vec<Step> {
        let mut steps = path.to_vec();
        let befores = stack.iter().map(|frame| frame.state);
        let taken = stack.iter().skip(1).filter_map(|frame| frame.by).chain(by);
        for (before, step) in befores.zip(taken).chain(last).collect::<Vec<_>>() {
            if self.wide {
                steps.extend(self.machine.spell_out(before, step));
            } else {
                steps.push(step);
            }
        }
        steps
    }

    /// Progress: from wherever nothing more can happen, and from a sample of all other states, more of them early.
    /// Of states that heal alike one is enough.
    fn probe(&mut self, state: State, is_end: bool) -> Result<(), Failure> {
        self.part.ends += u64::from(is_end);
        let period = 64 << (self.samples / SAMPLES_STEP).min(40);
        let sampled = (self.seen.len() as u64).is_multiple_of(period);
        if !(is_end || sampled) || !self.stage.bears_its_faulty() {
            return Ok(());
        }
        self.samples += u64::from(sampled);
        let (mut probed, mut steps) = (state, Vec::new());
        if self.wide {
            (probed, steps) = self.machine.deepen(state, &mut self.chance);
        }
        if !self.probed.insert(self.machine.essence(probed)) {
            return Ok(());
        }
        self.part.probes += 1;
        let rounds = self.heal(probed).map_err(|violation| (steps, violation))?;
        self.part.rounds = self.part.rounds.max(rounds);
        Ok(())
    }

    fn heal(&mut self, state: State) -> Result<usize, Violation> {
        let nodes = self.machine.nodes(state);
        let healed = catch_unwind(AssertUnwindSafe(|| probe::heal(self.stage, nodes)));
        healed.unwrap_or_else(|panic| Err(Violation::Panic(None, panic_text(panic.as_ref()))))
    }

    /// The violation with a path from which no step can be left out.
    fn found(&mut self, first: u64, path: Vec<Step>, violation: Violation) -> Found {
        let (mut path, mut violation) = (path, violation);
        let kind = std::mem::discriminant(&violation);
        let mut at = path.len();
        while at > 0 {
            at -= 1;
            let mut shorter = path.clone();
            shorter.remove(at);
            if let Some((replayed, other)) = self.replay(&shorter)
                && std::mem::discriminant(&other) == kind
            {
                (path, violation) = (replayed, other);
                at = at.min(path.len());
            }
        }
        let mut trace: Vec<String> = path.iter().map(|step| self.machine.describe(*step)).collect();
        if self.take(&path).is_ok() {
            trace.push("from here on the network is good and the liars are silent".into());
        }
        Found { violation, first, trace }
    }

    /// The violation that those of the steps lead to that can be taken, at once or after healing; and the path to it.
    fn replay(&mut self, steps: &[Step]) -> Option<Failure> {
        match self.take(steps) {
            Err(failure) => Some(failure),
            Ok((path, state)) => self.heal(state).err().map(|violation| (path, violation)),
        }
    }

    /// Takes those of the steps that can be taken. Fails if they lead to a violation by themselves.
    fn take(&mut self, steps: &[Step]) -> Result<(Vec<Step>, State), Failure> {
        let (mut path, mut state, mut next) = (Vec::new(), self.root, Vec::new());
        for step in steps {
            let expanded = self.machine.expand(state, &mut next);
            expanded.map_err(|(by, violation)| failure(&path, by, violation))?;
            if let Some((to, _)) = next.iter().find(|(_, other)| other.is_same(step)) {
                path.push(*step);
                state = *to;
            }
        }
        let expanded = self.machine.expand(state, &mut next);
        expanded.map_err(|(by, violation)| failure(&path, by, violation))?;
        Ok((path, state))
    }
}

fn failure(path: &[Step], step: Option<Step>, violation: Violation) -> Failure {
    (path.iter().copied().chain(step).collect(), violation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scope::named;

    fn part(scope: &Scope, first: u64) -> (Part, Option<Violation>) {
        let (part, found) = explore_part(scope, first, 200_000);
        (part, found.map(|found| found.violation))
    }

    #[test]
    fn a_small_scope_is_exhausted_and_does_not_shrink() {
        let (part, found) = part(&named("n4-1view").expect("a scope"), 40);
        assert_eq!(found, None);
        assert!(part.exhausted && part.probes > 50, "{part:?}");
        assert!(part.states >= STATES_FLOOR, "the scope shrank: {part:?}");
    }

    /// What the small scope held when it was last looked at, or a little less.
    const STATES_FLOOR: u64 = 30_000;

    #[test]
    fn a_scope_smaller_than_its_budget_ends() {
        let scope = named("n4-1view").expect("a scope");
        let (all, _) = explore_part(&scope, 40, 200_000);
        let (part, found) = explore_part(&scope, 40, all.states * 3 / 2);
        assert_eq!(found, None);
        assert!(part.exhausted && part.states == all.states, "{part:?}");
    }

    #[test]
    fn every_scope_begins_without_a_violation() {
        for scope in crate::model::scope::scopes() {
            let report = explore(&scope, 200);
            assert_eq!(report.found, None, "{}", scope.name);
            assert!(report.states() >= 190, "{}: {:?}", scope.name, report.parts);
        }
    }

    #[test]
    fn a_member_that_forgets_its_journal_is_seen_to_sign_twice() {
        let scope = Scope { forgetful: Some(1), ..named("n4-crash").expect("a scope") };
        let (_, found) = explore_part(&scope, 40, 25_000);
        let found = found.map(|found| found.violation);
        assert!(
            matches!(found, Some(Violation::DoubleSign(1, ..) | Violation::FalseEvidence(_, 1))),
            "{found:?}"
        );
    }

    #[test]
    fn hosts_that_vote_for_what_they_have_not_got_are_seen_to_be_stuck() {
        let scope = Scope { careless: true, ..named("n4-bodies").expect("a scope") };
        let (_, found) = part(&scope, 43);
        assert!(matches!(found, Some(Violation::Stuck(_))), "{found:?}");
    }

    #[test]
    fn more_liars_than_the_protocol_bears_are_seen_to_divide_the_others() {
        let scope = Scope { liars: vec![0, 1], ..named("n4-3views").expect("a scope") };
        let (_, found) = part(&scope, 43);
        assert!(matches!(found, Some(Violation::Disagreement(..) | Violation::Conflict(..))), "{found:?}");
    }

    #[test]
    fn a_trace_holds_nothing_that_can_be_left_out() {
        let scope = Scope { forgetful: Some(1), ..named("n4-crash").expect("a scope") };
        let found = explore(&scope, 100_000).found.expect("a violation");
        assert!((1..=4).contains(&found.trace.len()), "{found}");
    }
}
