//! How faults are done to a cluster, and undone.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use tanba_ledger::Height;
use tanba_storage::{MemoryDisk, StoreReader};

use super::{
    Fault, Plan, Weakness,
    adversary::{Adversary, Wicked},
    plan::tolerated,
};
use crate::cluster::{
    Cluster, FAIR,
    node::{NEAR_MS, Node, found_journal},
    witness::{self, Owed},
};

/// Writes after which an event may be cut short.
const WRITES_MAX: u64 = 14;

/// Syncs after which one may fail: those of an event or two.
const SYNCS_MAX: u64 = 4;

/// A clock that goes less far does not jump, in milliseconds.
const JUMP_MS_MIN: u64 = 1_000;

const HOUR_MS: i64 = 3_600_000;

const YEAR_MS: i64 = 365 * 24 * HOUR_MS;

/// A home as it was earlier.
#[derive(Debug)]
struct Backup {
    disk: MemoryDisk,
    /// What its store owes.
    owed: Owed,
    /// The block it ends at.
    height: Height,
}

/// What is broken now, and when it is mended by itself.
#[derive(Debug, Default)]
pub struct Wreck {
    /// Nodes that are down, and when they start again, in milliseconds.
    down: BTreeMap<usize, u64>,
    /// Disks that refuse, or will.
    refusing: BTreeSet<usize>,
    /// Ways and connections are mended at this moment, in milliseconds.
    mended_at_ms: Option<u64>,
    /// The store of one node at a time may be gone or old: the others have what was acknowledged.
    refilling: Option<usize>,
    /// Homes as they were earlier.
    backups: BTreeMap<usize, Backup>,
    /// The twin of a validator, once it is started.
    twin: Option<usize>,
}

impl Wreck {
    /// Prepares what a plan says of its weak validators.
    pub fn begin(cluster: &mut Cluster, plan: &Plan) -> Wreck {
        for (node, weakness) in &plan.weak {
            let key = cluster.nodes[*node].validator_key;
            match weakness {
                Weakness::Adversary(adversary) => {
                    let others = cluster.validators_besides(*node);
                    let shunned: BTreeSet<usize> =
                        others.into_iter().filter(|_| cluster.random.per_mille(500)).collect();
                    let stubborn = cluster.random.per_mille(500);
                    cluster.wicked.insert(*node, Wicked::new(*adversary, shunned, stubborn));
                    cluster.witness.faithless.insert(key);
                    // Its replica keeps to the protocol, and may hear what else was signed with its key.
                    cluster.witness.expect_lost_promises(*node);
                }
                Weakness::Memory(fault) => {
                    // One that lost its journal alone must still never contradict itself; that is what the
                    // start-up protocol is for.
                    if !matches!(fault, Fault::LostJournal | Fault::JournalRot | Fault::LostStore) {
                        cluster.witness.faithless.insert(key);
                    }
                }
            }
        }
        Wreck::default()
    }

    /// Does one fault of those armed, or of those of a weak validator.
    pub fn strike(&mut self, cluster: &mut Cluster, plan: &Plan) {
        let weak: Vec<(usize, Fault)> = plan
            .weak
            .iter()
            .filter_map(|(node, weakness)| match weakness {
                Weakness::Memory(fault) => Some((*node, *fault)),
                Weakness::Adversary(Adversary::Amnesiac) => Some((*node, Fault::LostJournal)),
                Weakness::Adversary(_) => None,
            })
            .collect();
        if !weak.is_empty() && cluster.random.per_mille(250) {
            let (node, fault) = *cluster.random.of(&weak);
            return self.forget(cluster, node, fault);
        }
        let armed: Vec<Fault> = plan.armed.iter().copied().collect();
        if armed.is_empty() {
            return;
        }
        let fault = *cluster.random.of(&armed);
        let node = cluster.random.place(cluster.nodes.len());
        cluster.note(|| format!("FAULT {fault} at node {node}"));
        self.hurt(cluster, plan, node, fault);
    }

    fn hurt(&mut self, cluster: &mut Cluster, plan: &Plan, node: usize, fault: Fault) {
        let runs = cluster.nodes[node].replica.is_some();
        let now_ms = cluster.now_ms();
        match fault {
            Fault::Partition | Fault::OneWayPartition => self.divide(cluster, fault),
            Fault::Disconnection => {
                let other = cluster.random.place(cluster.nodes.len());
                if other != node {
                    cluster.part(node, other);
                    self.mend_later(cluster);
                }
            }
            Fault::Kill if runs && cluster.random.per_mille(300) => {
                cluster.hits.count(Fault::Kill);
                cluster.kill(node);
                self.goes_down(cluster, node);
            }
            Fault::Kill if runs && !self.refusing.contains(&node) => {
                let writes = cluster.random.below(WRITES_MAX);
                cluster.nodes[node].disk.lose_power_after(writes);
                cluster.killed_in_step.insert(node);
            }
            Fault::Crash if runs => {
                cluster.hits.count(Fault::Crash);
                self.crash(cluster, node);
            }
            Fault::PowerCut => {
                let running: BTreeSet<usize> = running(cluster).collect();
                if !running.is_empty() {
                    cluster.hits.count(Fault::PowerCut);
                }
                for node in 0..cluster.nodes.len() {
                    cluster.crash_torn(node);
                    if running.contains(&node) {
                        self.goes_down(cluster, node);
                    }
                }
            }
            Fault::CrashInStep if runs && !self.refusing.contains(&node) => {
                let writes = cluster.random.below(WRITES_MAX);
                cluster.nodes[node].disk.lose_power_after(writes);
                cluster.killed_in_step.remove(&node);
            }
            Fault::FullDisk if runs && !self.refusing.contains(&node) => {
                let writes = cluster.random.below(WRITES_MAX);
                cluster.nodes[node].disk.fail_after(writes);
                self.refuse(cluster, node);
            }
            Fault::FailedSync if runs && !self.refusing.contains(&node) => {
                let syncs = cluster.random.below(SYNCS_MAX);
                cluster.nodes[node].disk.fail_sync_after(syncs);
                self.refuse(cluster, node);
            }
            Fault::BitRot if self.may_refill(cluster, plan, node) => {
                let (nth, byte) =
                    (cluster.random.below(4_000) as usize, cluster.random.below(4_096) as usize);
                let values = cluster.nodes[node].disk.values();
                if cluster.nodes[node].disk.corrupt(nth % values.max(1), byte) {
                    cluster.hits.count(Fault::BitRot);
                    cluster.witness.expect_damage(node);
                    cluster.note(|| format!("node {node} has a rotten value"));
                    self.refilling = Some(node);
                }
            }
            Fault::OldBackup => self.restore_store(cluster, plan, node),
            Fault::ClockJump if runs => {
                let near = cluster.random.below(2 * NEAR_MS) as i64 - NEAR_MS as i64;
                let mut jumps = vec![near, near];
                // The time of blocks is right as long as at most f clocks are far off.
                if far_clocks_besides(cluster, plan, node) < tolerated(&cluster.world.tip.validators) {
                    jumps.extend([-HOUR_MS, 5 * YEAR_MS, -5 * YEAR_MS]);
                }
                let jump_ms = *cluster.random.of(&jumps);
                let ahead_ms = &mut cluster.nodes[node].pace.wall_ahead_ms;
                if ahead_ms.abs_diff(jump_ms) >= JUMP_MS_MIN {
                    cluster.hits.count(Fault::ClockJump);
                }
                *ahead_ms = jump_ms;
            }
            Fault::ClockDrift if runs => {
                let drift_ppm = cluster.random.below(400_000) as i64 - 200_000;
                cluster.nodes[node].pace.drift(now_ms, drift_ppm);
            }
            Fault::Pause => {
                cluster.nodes[node].pace.paused_until_ms = now_ms + 200 + cluster.random.below(8_000);
            }
            Fault::SlowNode => cluster.nodes[node].pace.event_ms = cluster.random.below(12),
            Fault::SlowDisk => cluster.nodes[node].pace.write_ms = cluster.random.below(60),
            _ => {}
        }
    }

    /// Takes from a weak validator what it should remember, or gives its key to a second process.
    fn forget(&mut self, cluster: &mut Cluster, node: usize, fault: Fault) {
        cluster.note(|| format!("FAULT {fault} at weak node {node}"));
        match fault {
            Fault::LyingSync => {
                cluster.witness.expect_lost_promises(node);
                cluster.witness.expect_gaps(node);
                cluster.nodes[node].disk.lie(true);
                if cluster.nodes[node].replica.is_some() && cluster.random.per_mille(300) {
                    if cluster.nodes[node].disk.unsynced() > 0 {
                        cluster.hits.count(Fault::LyingSync);
                    }
                    self.crash(cluster, node);
                }
            }
            Fault::Twin => self.start_twin(cluster, node),
            Fault::OldHome => self.restore_home(cluster, node),
            Fault::LostJournal | Fault::JournalRot | Fault::LostStore => {
                if cluster.nodes[node].replica.is_none() {
                    return;
                }
                self.crash(cluster, node);
                cluster.hits.count(fault);
                let disk = cluster.nodes[node].disk.clone();
                // An emptied home has neither store nor journal: its key never votes again.
                let emptied = fault == Fault::LostStore && cluster.random.per_mille(200);
                if fault != Fault::LostStore || emptied {
                    cluster.witness.expect_lost_promises(node);
                }
                match fault {
                    Fault::JournalRot => disk.corrupt_journal(cluster.random.below(1 << 20) as usize),
                    Fault::LostJournal => disk.lose_journal(),
                    _ => {
                        disk.lose_store();
                        cluster.witness.store_replaced(node, Owed::default());
                        if emptied {
                            disk.lose_journal();
                        }
                    }
                }
                let amnesiac = cluster.wicked.get(&node).is_some_and(|w| w.adversary == Adversary::Amnesiac);
                if amnesiac {
                    cluster.hits.did(Adversary::Amnesiac);
                    // Somebody runs `tanba init` again over what is left of the home.
                    disk.heal();
                    disk.lose_store();
                    let chain = cluster.world.chain;
                    let fresh = Node::founded(cluster.universities(), node);
                    disk.restore_store(&fresh.disk);
                    found_journal(&disk, &chain, node);
                    cluster.witness.store_replaced(node, Owed::default());
                }
            }
            _ => unreachable!("{fault} takes no memory away"),
        }
    }

    fn start_twin(&mut self, cluster: &mut Cluster, node: usize) {
        if self.twin.is_some() || cluster.nodes[node].replica.is_none() {
            return;
        }
        let (number, mut twin) = (cluster.nodes.len(), Node::founded(cluster.universities(), node));
        // A home was copied, perhaps long ago, and both are started.
        if cluster.random.per_mille(700) {
            twin.disk = cluster.nodes[node].disk.copy();
            twin.disk.crash();
            let owed = cluster.witness.owed(node);
            cluster.witness.store_replaced(number, owed);
        }
        cluster.nodes.push(twin);
        for one in [node, number] {
            cluster.witness.expect_lost_promises(one);
        }
        cluster.hits.count(Fault::Twin);
        self.twin = Some(number);
        cluster.start(number);
    }

    fn divide(&mut self, cluster: &mut Cluster, fault: Fault) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for node in 0..cluster.nodes.len() {
            if cluster.random.per_mille(500) { left.push(node) } else { right.push(node) }
        }
        if fault == Fault::Partition {
            cluster.partition(&left, &right);
        } else {
            cluster.links.cut = left.iter().flat_map(|a| right.iter().map(move |b| (*a, *b))).collect();
        }
        self.mend_later(cluster);
    }

    fn mend_later(&mut self, cluster: &mut Cluster) {
        self.mended_at_ms = Some(cluster.now_ms() + 300 + cluster.random.below(6_000));
    }

    fn crash(&mut self, cluster: &mut Cluster, node: usize) {
        cluster.crash_torn(node);
        self.goes_down(cluster, node);
    }

    fn goes_down(&mut self, cluster: &mut Cluster, node: usize) {
        let up_at_ms = cluster.now_ms() + 50 + cluster.random.below(4_000);
        self.down.insert(node, up_at_ms);
    }

    fn refuse(&mut self, cluster: &mut Cluster, node: usize) {
        cluster.witness.expect_disk_errors(node, true);
        self.refusing.insert(node);
    }

    /// An old store comes back: of a node that is not needed for what was acknowledged.
    fn restore_store(&mut self, cluster: &mut Cluster, plan: &Plan, node: usize) {
        if self.backups.contains_key(&node) && !self.may_refill(cluster, plan, node) {
            return;
        }
        let Some(backup) = self.take_backup(cluster, node) else { return };
        backup.disk.crash();
        if self.restore(cluster, node, &backup) {
            cluster.hits.count(Fault::OldBackup);
        }
        self.refilling = Some(node);
    }

    /// A whole old home comes back, with the promises of then.
    fn restore_home(&mut self, cluster: &mut Cluster, node: usize) {
        let Some(backup) = self.take_backup(cluster, node) else { return };
        let older = self.restore(cluster, node, &backup);
        let (disk, chain) = (&cluster.nodes[node].disk, &cluster.world.chain);
        if older || disk.journal_records(chain) != backup.disk.journal_records(chain) {
            cluster.hits.count(Fault::OldHome);
        }
        disk.restore_journal(&backup.disk);
        cluster.witness.expect_lost_promises(node);
    }

    /// The backup of a running node; if there is none, it is made, for later.
    fn take_backup(&mut self, cluster: &Cluster, node: usize) -> Option<Backup> {
        let height = height(cluster, node)?;
        match self.backups.entry(node) {
            Entry::Vacant(place) => {
                let (disk, owed) = (cluster.nodes[node].disk.copy(), cluster.witness.owed(node));
                place.insert(Backup { disk, owed, height });
                None
            }
            Entry::Occupied(place) => Some(place.remove()),
        }
    }

    /// A running node ends, and its store becomes the backup's, which owes what it owed then. Whether that is an older
    /// one.
    fn restore(&mut self, cluster: &mut Cluster, node: usize, backup: &Backup) -> bool {
        let older = height(cluster, node) > Some(backup.height);
        self.crash(cluster, node);
        cluster.nodes[node].disk.restore_store(&backup.disk);
        cluster.witness.store_replaced(node, backup.owed.clone());
        older
    }

    /// Whether this node's store may go: all other honest ones are as high as anything acknowledged.
    fn may_refill(&mut self, cluster: &Cluster, plan: &Plan, node: usize) -> bool {
        let (highest, _) = cluster.highest();
        if let Some(refilling) = self.refilling {
            // What rotted at a node that is high enough still goes, once it is found.
            let is_whole = !cluster.witness.may_be_damaged(refilling);
            let heads = cluster.heads();
            if is_whole && heads[refilling].is_some_and(|head| head >= highest) {
                self.refilling = None;
            }
        }
        // Rot that nobody has noticed yet counts too.
        let honest = |other: &usize| *other != node && !plan.is_weak(*other);
        let others_whole =
            !(0..cluster.universities()).filter(honest).any(|other| cluster.witness.may_be_damaged(other));
        node < cluster.universities()
            && !plan.is_weak(node)
            && others_whole
            && self.refilling.is_none_or(|r| r == node)
    }

    /// Time has passed: what mends itself does.
    pub fn pass(&mut self, cluster: &mut Cluster) {
        let stopped = std::mem::take(&mut cluster.stopped);
        for (node, why) in stopped {
            // What was armed and what came of it may differ: an earlier fault can come first.
            let by_disk =
                [(witness::DISK_IS_FULL, Fault::FullDisk), (witness::SYNC_FAILED, Fault::FailedSync)];
            for (_, fault) in by_disk.into_iter().filter(|(says, _)| why.contains(says)) {
                cluster.hits.count(fault);
            }
            self.goes_down(cluster, node);
        }
        let now_ms = cluster.now_ms();
        if self.mended_at_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            self.mend_ways(cluster);
        }
        let up: Vec<usize> =
            self.down.iter().filter(|(_, at_ms)| **at_ms <= now_ms).map(|(n, _)| *n).collect();
        for node in up {
            self.start(cluster, node);
        }
    }

    fn mend_ways(&mut self, cluster: &mut Cluster) {
        self.mended_at_ms = None;
        cluster.note(|| "the ways are mended".to_owned());
        cluster.links.cut.clear();
        for (a, b) in cluster.links.parted.clone() {
            cluster.join(a, b);
        }
    }

    fn start(&mut self, cluster: &mut Cluster, node: usize) {
        self.down.remove(&node);
        // Space was made, or the disk was replaced; a twin that found the other out is not started again.
        if self.twin == Some(node) {
            return;
        }
        self.refusing.remove(&node);
        cluster.nodes[node].disk.heal();
        cluster.witness.expect_disk_errors(node, false);
        if cluster.nodes[node].replica.is_none() {
            cluster.start(node);
        }
    }

    /// Everything is mended; weak validators stay what they are.
    pub fn mend(&mut self, cluster: &mut Cluster, plan: &Plan) {
        self.pass(cluster);
        cluster.note(|| "EVERYTHING IS MENDED".to_owned());
        cluster.links.weather = FAIR;
        if plan.restarts_all {
            for node in running(cluster).collect::<Vec<_>>() {
                self.crash(cluster, node);
            }
        }
        self.mend_ways(cluster);
        let now_ms = cluster.now_ms();
        for node in 0..cluster.nodes.len() {
            let disk = &cluster.nodes[node].disk;
            disk.lie(false);
            disk.heal();
            cluster.witness.expect_disk_errors(node, false);
            cluster.nodes[node].pace.mend(now_ms);
            cluster.resume(node);
        }
        self.refusing.clear();
        for node in 0..cluster.nodes.len() {
            if cluster.nodes[node].replica.is_none() {
                self.start(cluster, node);
            }
        }
    }
}

/// The height of a node, while it runs.
fn height(cluster: &Cluster, node: usize) -> Option<Height> {
    cluster.nodes[node].reader.as_ref().map(|reader| reader.tip().header.height)
}

fn running(cluster: &Cluster) -> impl Iterator<Item = usize> {
    (0..cluster.nodes.len()).filter(|node| cluster.nodes[*node].replica.is_some())
}

/// Validators, weak ones among them, whose clocks may be far off, this one apart.
fn far_clocks_besides(cluster: &Cluster, plan: &Plan, node: usize) -> usize {
    let far = |other: &usize| plan.is_weak(*other) || !cluster.nodes[*other].pace.is_near();
    (0..plan.universities).filter(|other| *other != node).filter(far).count()
}
