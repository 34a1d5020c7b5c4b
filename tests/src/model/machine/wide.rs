//! Wide steps: what nobody can notice is put off until just before a host's next word.

use std::collections::HashSet;

use crate::cluster::random::Random;

use super::{super::fingerprint::Fast, Asks, Expanded, Machine, Silence, State, Step};

impl Machine<'_> {
    /// The states after the next thing that anybody could notice: some host does whatever it does in silence, and
    /// then signs or decides. Such a step names the local state that it is taken from.
    ///
    /// Silent steps commute with all steps of other hosts, and what the network can deliver only grows. So every
    /// word that is ever said is also said in a run in which each host puts off its silence until just before
    /// its next word.
    pub fn expand_wide(&mut self, state: State, next: &mut Vec<(State, Step)>) -> Expanded {
        next.clear();
        self.offer(state).map_err(|violation| (None, violation))?;
        let mut found = Silence::new();
        for host in 0..self.hosts.len() {
            self.silence(state, host, &mut found)?;
            for (state, _) in &found {
                self.follow_host(*state, host, next)?;
            }
        }
        next.retain(|(to, step)| !self.is_silent(*to, *step));
        Ok(())
    }

    /// Whether nobody could notice the step to this state.
    fn is_silent(&self, to: State, step: Step) -> bool {
        let before = &self.locals[step.from as usize];
        let after = &self.locals[self.local(to, usize::from(step.host)) as usize];
        // What it is told of heights depends on when it asks.
        if [before.asks, after.asks].iter().any(|asks| matches!(asks, Asks::Heights { .. })) {
            return false;
        }
        let kept = before.holds == after.holds;
        kept && before.signed == after.signed && before.decided == after.decided
    }

    /// Fills `found` with every state that one host can reach in silence, this one first, each with the place of
    /// the one before and the step from it. Where a step fails, `found` holds the way there.
    fn silence(&mut self, state: State, host: usize, found: &mut Silence) -> Expanded {
        found.clear();
        found.push((state, None));
        let mut met: HashSet<State, Fast> = HashSet::from_iter([state]);
        let (mut at, mut next) = (0, Vec::new());
        while at < found.len() {
            next.clear();
            self.follow_host(found[at].0, host, &mut next)?;
            for (to, step) in &next {
                if self.is_silent(*to, *step) && met.insert(*to) {
                    found.push((*to, Some((at, *step))));
                }
            }
            at += 1;
        }
        Ok(())
    }

    /// The silent steps that lead a host to the local state from which `step` is taken, and that step.
    pub fn spell_out(&mut self, state: State, step: Step) -> Vec<Step> {
        let (host, mut found) = (usize::from(step.host), Silence::new());
        // Where it ends in a failure, the way to the failure is known all the same.
        let _ends = self.offer(state).is_ok() && self.silence(state, host, &mut found).is_ok();
        let place = found.iter().position(|(to, _)| self.local(*to, host) == step.from);
        let mut steps = place.map_or(Vec::new(), |place| way(&found, place));
        steps.push(step);
        steps
    }

    /// A state in which each host has gone some way in silence, drawn by chance, and the steps to it.
    pub fn deepen(&mut self, state: State, chance: &mut Random) -> (State, Vec<Step>) {
        let (mut deep, mut steps, mut found) = (state, Vec::new(), Silence::new());
        for host in 0..self.hosts.len() {
            if self.silence(state, host, &mut found).is_err() {
                continue;
            }
            let place = chance.place(found.len());
            deep = self.replace(deep, host, self.local(found[place].0, host));
            steps.extend(way(&found, place));
        }
        (deep, steps)
    }
}

/// The steps to one of the states found.
fn way(found: &Silence, place: usize) -> Vec<Step> {
    let (mut steps, mut at) = (Vec::new(), place);
    while let Some((before, step)) = found[at].1 {
        steps.push(step);
        at = before;
    }
    steps.reverse();
    steps
}
