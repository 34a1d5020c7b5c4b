//! Progress: from any state, once the network is good and the liars are silent, everyone decides and rests.

use super::{
    net::{Bell, Net},
    node::Node,
    stage::Stage,
    violation::Violation,
};

/// Rounds of a good network after which a decision is overdue. A round fires each view timer once, and several
/// repetitions before it, as the delays of a deployment do.
pub const ROUNDS_MAX: usize = 40;

/// Heals the network and runs it until all has been decided and no timer is left. Gives the rounds it took. Where
/// heartbeats are all there is, each must bring another block.
pub fn heal(stage: &Stage, nodes: Vec<Node>) -> Result<usize, Violation> {
    let mut net = Net::new(stage, nodes);
    net.connect()?;
    if !stage.heartbeats {
        return run(stage, &mut net);
    }
    let mut rounds = 0;
    for _height in stage.first.0..=stage.last.0 {
        net.beat()?;
        rounds = rounds.max(run(stage, &mut net)?);
    }
    let resting = net.nodes.iter().filter(|node| !node.is_done(stage));
    let resting: Vec<usize> = resting.map(|node| node.member).collect();
    if resting.is_empty() { Ok(rounds) } else { Err(Violation::Stuck(resting)) }
}

/// The same for a network whose hosts are connected.
pub fn run(stage: &Stage, net: &mut Net<'_>) -> Result<usize, Violation> {
    for round in 0..ROUNDS_MAX {
        net.answer_starters()?;
        net.settle()?;
        if waiting(stage, net).is_empty() && restless(stage, net).is_empty() {
            return Ok(round);
        }
        for bell in [Bell::Short, Bell::Retry, Bell::Short, Bell::Retry, Bell::Short, Bell::Retry, Bell::View]
        {
            net.ring(bell)?;
            net.settle()?;
        }
    }
    let waiting = waiting(stage, net);
    Err(if waiting.is_empty() {
        Violation::Restless(restless(stage, net))
    } else {
        Violation::Stuck(waiting)
    })
}

/// Honest members of the last set that miss a decision, if somebody has work; or whoever is behind another.
fn waiting(stage: &Stage, net: &Net<'_>) -> Vec<usize> {
    let honest = || net.nodes.iter().filter(|node| stage.is_honest(node.member));
    let highest = honest().map(|node| node.height(stage)).max().unwrap_or_default();
    let work = honest().any(|node| node.pushes(stage));
    let member = |node: &&Node| stage.index(node.member, stage.last).is_some();
    let late = |node: &&Node| node.height(stage) < highest || (work && !node.is_done(stage));
    honest().filter(member).filter(late).map(|node| node.member).collect()
}

/// Whose timers run on. In a view that a liar leads, a proposal shown to one member alone may keep that member
/// repeating it until there is work; this is not held against it.
fn restless(stage: &Stage, net: &Net<'_>) -> Vec<usize> {
    let member = |at: usize| net.nodes[at].member;
    let led = |at: usize| stage.is_honest(stage.leader(net.nodes[at].slot(stage)));
    let busy = |at: &usize| stage.is_honest(member(*at)) && net.is_busy(*at) && led(*at);
    (0..net.nodes.len()).filter(busy).map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scope::named;

    /// Those of four members that are not silent, at the start of a height.
    fn hosts(stage: &Stage, members: &[usize]) -> Vec<Node> {
        members.iter().map(|member| Node::new(stage, *member, 0, true).expect("a host starts")).collect()
    }

    #[test]
    fn three_of_four_decide_and_rest() {
        let stage = named("n4-3views").expect("a scope").stage(40);
        let nodes = hosts(&stage, &[1, 2, 3]);
        assert!(heal(&stage, nodes).is_ok_and(|rounds| rounds <= 4));
    }

    #[test]
    fn without_work_each_heartbeat_brings_one_block() {
        let stage = named("n4-heartbeat").expect("a scope").stage(40);
        let nodes =
            (1..4).map(|member| Node::new(&stage, member, 0, false).expect("a host starts")).collect();
        let mut net = Net::new(&stage, nodes);
        net.connect().expect("hosts connect");
        for blocks in 0..=2 {
            run(&stage, &mut net).expect("they come to rest");
            assert!(net.nodes.iter().all(|node| node.decided.len() == blocks));
            net.beat().expect("time passes");
        }
    }

    #[test]
    fn two_of_four_are_seen_to_be_stuck() {
        let stage = named("n4-3views").expect("a scope").stage(40);
        assert_eq!(heal(&stage, hosts(&stage, &[2, 3])), Err(Violation::Stuck(vec![2, 3])));
    }
}
