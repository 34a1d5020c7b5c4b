//! One run: a bad phase, then a good one.

use std::{
    cell::RefCell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

use tanba_crypto::memo;
use tanba_ledger::Height;

use super::{Hits, Plan, Trace, pool, wreck::Wreck};
use crate::cluster::{Cluster, random::Random};

/// From the moment everything is mended, a transaction becomes final within this, in milliseconds.
pub const RESUME_MS_MAX: u64 = 10_000;

/// After the first transaction is final again, every honest node has it within this, in milliseconds.
const FOLLOW_MS_MAX: u64 = 10_000;

/// After all was mended, honest nodes may find what rotted before and be down for it, until then.
const LATE_MS_MAX: u64 = 60_000;

/// A client that hears nothing asks another node after this, in milliseconds.
const CLIENT_PATIENCE_MS: u64 = 1_000;

/// The good phase is looked at so often, in milliseconds.
const LOOK_EVERY_MS: u64 = 20;

/// What was seen in a run without a violation.
#[derive(Clone, Debug)]
pub struct Seen {
    /// How often each fault did something.
    pub hits: Hits,
    /// Blocks that became final.
    pub blocks: u64,
    /// Transactions that a node called final.
    pub acknowledged: u64,
    /// From mending to the first new transaction that was final, in milliseconds; from when the last honest node was
    /// up again, if one went down after all was mended.
    pub resume_ms: u64,
    /// From mending, whatever went down after it, in milliseconds.
    pub wait_ms: u64,
    /// Simulated time, in milliseconds.
    pub simulated_ms: u64,
    /// A fingerprint of the run: the same seed has the same one.
    pub fingerprint: String,
    /// The run, if it was written down.
    pub trace: Trace,
}

/// What must not be.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The seed that shows it.
    pub seed: u64,
    /// What happened.
    pub what: String,
    /// What the seed armed.
    pub plan: String,
    /// The run, if it was written down.
    pub trace: Trace,
}

/// Runs one seed.
pub fn run(seed: u64, trace: Trace) -> Result<Seen, Box<Violation>> {
    memo::remember();
    silence_panics();
    let (mut drawn, mut founded) = (None, None);
    let lived = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut random = Random::new(seed);
        let plan = drawn.insert(Plan::draw(&mut random));
        let cluster = Cluster::founded(plan.universities, random.below(u64::MAX), trace);
        live(founded.insert(cluster), plan)
    }));
    CAUGHT.set(false);
    lived.map_err(|_| {
        let plan = drawn.map(|plan| plan.describe()).unwrap_or_default();
        let trace = founded.map(|cluster| cluster.trace).unwrap_or_default();
        Box::new(Violation { seed, what: LAST_PANIC.take(), plan, trace })
    })
}

fn live(cluster: &mut Cluster, plan: &Plan) -> Seen {
    cluster.note(|| plan.describe());
    let mut wreck = Wreck::begin(cluster, plan);
    for node in 0..cluster.nodes.len() {
        cluster.start(node);
    }
    let mut clients = Clients::new(plan.universities);
    // Some runs begin in a storm, most with a quiet moment.
    if cluster.random.per_mille(700) {
        cluster.run_ms(300);
    }
    cluster.links.weather = plan.weather;
    let end_ms = cluster.now_ms() + plan.bad_ms;
    let (mut next_fault_ms, mut next_submit_ms) = (cluster.now_ms(), cluster.now_ms());
    while cluster.now_ms() < end_ms {
        if cluster.now_ms() >= next_fault_ms {
            wreck.strike(cluster, plan);
            next_fault_ms = cluster.now_ms() + 1 + cluster.random.below(2 * plan.fault_every_ms);
        }
        if cluster.now_ms() >= next_submit_ms {
            clients.submit_any(cluster);
            next_submit_ms = cluster.now_ms() + 1 + cluster.random.below(2 * plan.submit_every_ms);
        }
        let step_ms = next_fault_ms.min(next_submit_ms).min(end_ms) - cluster.now_ms();
        cluster.run_ms(step_ms.clamp(1, 100));
        wreck.pass(cluster);
    }
    wreck.mend(cluster, plan);
    let (resume_ms, wait_ms) = resume(cluster, plan, &mut wreck);
    cluster.check_nothing_acknowledged_is_lost();
    let (height, hash) = cluster.highest();
    Seen {
        hits: cluster.hits.clone(),
        blocks: cluster.witness.blocks() as u64,
        acknowledged: cluster.witness.acknowledged_count() as u64,
        resume_ms,
        wait_ms,
        simulated_ms: cluster.now_ms(),
        fingerprint: format!("{height} {hash} {}", cluster.random.below(u64::MAX)),
        trace: std::mem::take(&mut cluster.trace),
    }
}

/// Liveness: a new transaction becomes final in time, and every honest node follows. How long it took since honest
/// nodes were up, and since all was mended, in milliseconds.
fn resume(cluster: &mut Cluster, plan: &Plan, wreck: &mut Wreck) -> (u64, u64) {
    let began_ms = cluster.now_ms();
    let mut mended_ms = began_ms;
    let honest: Vec<usize> = (0..plan.universities).filter(|node| !plan.is_weak(*node)).collect();
    // One transaction is kept for this moment. Its client tries one honest node after the other.
    let transaction = pool::kept(plan.universities);
    let mut asked = Vec::new();
    while !asked.iter().any(|id| cluster.is_final(*id)) {
        let waited_ms = cluster.now_ms() - mended_ms;
        assert!(
            waited_ms < RESUME_MS_MAX,
            "nothing became final within {RESUME_MS_MAX} ms after all was mended: {:?}",
            cluster.heads()
        );
        if cluster.now_ms() - began_ms >= asked.len() as u64 * CLIENT_PATIENCE_MS {
            let node = honest[asked.len() % honest.len()];
            asked.push(cluster.submit(node, transaction.clone()));
        }
        cluster.run_ms(LOOK_EVERY_MS);
        wreck.pass(cluster);
        // Whoever only now finds what rotted before is down, and hurt until it runs again.
        if honest.iter().any(|node| cluster.nodes[*node].replica.is_none()) {
            mended_ms = cluster.now_ms();
            assert!(mended_ms - began_ms < LATE_MS_MAX, "honest nodes go on stopping: {:?}", cluster.heads());
        }
    }
    let (resume_ms, wait_ms) = (cluster.now_ms() - mended_ms, cluster.now_ms() - began_ms);
    let (target, _) = cluster.highest();
    let observers = plan.universities..plan.universities + tanba_ledger::testkit::REGULATORS;
    let followers: Vec<usize> = honest.into_iter().chain(observers).collect();
    let all_at = |cluster: &Cluster, target: Height| {
        let heads = cluster.heads();
        followers.iter().all(|node| heads[*node].is_some_and(|head| head >= target))
    };
    let end_ms = cluster.now_ms() + FOLLOW_MS_MAX;
    while !all_at(cluster, target) {
        assert!(
            cluster.now_ms() < end_ms,
            "not every honest node came to height {target} within {FOLLOW_MS_MAX} ms: {:?}",
            cluster.heads()
        );
        cluster.run_ms(LOOK_EVERY_MS);
        wreck.pass(cluster);
    }
    (resume_ms, wait_ms)
}

/// Who submits: through any node, any transaction, some of them again.
struct Clients {
    universities: usize,
}

impl Clients {
    fn new(universities: usize) -> Clients {
        Clients { universities }
    }

    fn submit_any(&mut self, cluster: &mut Cluster) {
        let pool = pool::transactions(self.universities);
        let which = cluster.random.place(pool.len());
        let node = cluster.random.place(self.universities);
        if cluster.nodes[node].replica.is_some() {
            cluster.submit(node, pool[which].clone());
        }
    }
}

thread_local! {
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
    static CAUGHT: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// A panic of a run is a finding, told where it is reported, and not on the screen at once.
fn silence_panics() {
    static HOOK: Once = Once::new();
    CAUGHT.set(true);
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CAUGHT.get() {
                return before(info);
            }
            let payload = info.payload();
            let text = payload.downcast_ref::<&str>().copied();
            let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            let text = text.unwrap_or("a panic without words");
            let place = info.location().map(|l| format!(" ({}:{})", l.file(), l.line())).unwrap_or_default();
            LAST_PANIC.set(format!("{text}{place}"));
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_run_the_thread_s_panics_are_heard_again() {
        run(1, Trace::silent()).expect("a seed without a violation");
        assert!(!CAUGHT.get());
    }
}
