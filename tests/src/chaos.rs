//! Networks of real processes under real faults: `cargo chaos`.
//!
//! Four validators, founded and started as people would, decide under load while their processes are killed, their
//! disks lose power, fill up or fail, their network loses and delays, their clocks are wrong. A diploma is
//! *acknowledged* when a node has told its client that it is final; from then on every node must prove it, at
//! the same height, for ever.
//!
//! `rig` is the network with its load, `load` submits and remembers what was acknowledged, `check` asks every
//! node for its proof; `disk`, `relay` and `ioctl` make the faults; each scenario has a file of its own. One seed
//! draws what is hurt and when; the processes, the disks and the scheduler of the machine do the rest, so a
//! seed names a run but does not repeat it to the letter.

mod accused;
mod check;
mod clock;
mod contention;
mod crash_points;
mod cuts;
mod dice;
mod disk;
mod disk_full;
mod ioctl;
mod kept;
mod kills;
mod load;
mod needs;
mod net;
mod old_backup;
pub mod options;
mod pause;
mod ports;
mod relay;
pub mod report;
mod rig;
mod shim;

use std::path::PathBuf;

use dice::Dice;
pub use disk::in_memory;
use options::Options;
use report::Figures;

/// Why a scenario did not come to its end.
#[derive(Debug)]
pub enum Stopped {
    /// This machine lacks what it needs.
    Skipped(String),
    /// What must hold does not.
    Failed(String),
}

impl<E: std::error::Error> From<E> for Stopped {
    fn from(error: E) -> Stopped {
        Stopped::Failed(error.to_string())
    }
}

/// Fails a scenario with what was seen.
fn failed<T>(what: impl Into<String>) -> Result<T, Stopped> {
    Err(Stopped::Failed(what.into()))
}

/// What a scenario is given.
#[derive(Debug)]
pub struct Plan {
    /// How much of each.
    pub options: Options,
    /// Draws what is hurt and when.
    dice: Dice,
    /// A folder of its own, on the temporary disk; kept when it fails.
    pub folder: PathBuf,
    /// The node's program.
    pub program: PathBuf,
}

impl Plan {
    /// The plan of one scenario: its dice depend on the seed and its name alone.
    pub fn new(options: Options, scenario: Scenario, folder: PathBuf, program: PathBuf) -> Plan {
        let dice = Dice::new(options.seed, scenario.name());
        Plan { options, dice, folder, program }
    }
}

/// A kind of fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scenario {
    /// Processes killed.
    Kills,
    /// Power cut.
    Cuts,
    /// Killed at the K-th write, sync and rename; failing and lying disks.
    CrashPoints,
    /// Loss, delay, duplication, one-way partitions.
    Net,
    /// No space left.
    DiskFull,
    /// Clocks that are wrong.
    Clock,
    /// Processes paused, and one key in two places.
    Pause,
    /// A home put back from an earlier copy.
    OldBackup,
}

impl Scenario {
    /// Every scenario, in the order in which they run.
    pub const ALL: [Scenario; 8] = [
        Scenario::Kills,
        Scenario::Cuts,
        Scenario::CrashPoints,
        Scenario::Net,
        Scenario::DiskFull,
        Scenario::Clock,
        Scenario::Pause,
        Scenario::OldBackup,
    ];

    /// As the command line names it.
    pub const fn name(self) -> &'static str {
        match self {
            Scenario::Kills => "kills",
            Scenario::Cuts => "cuts",
            Scenario::CrashPoints => "crash-points",
            Scenario::Net => "net",
            Scenario::DiskFull => "disk-full",
            Scenario::Clock => "clock",
            Scenario::Pause => "pause",
            Scenario::OldBackup => "old-backup",
        }
    }

    /// What it does, in a line.
    pub const fn about(self) -> &'static str {
        match self {
            Scenario::Kills => "SIGKILL of one, several and all nodes under load",
            Scenario::Cuts => "power cuts of one and of all nodes' disks (ext4 on loop devices; needs root)",
            Scenario::CrashPoints => {
                "SIGKILL at the K-th write, sync and rename; failing and lying syncs (needs strace)"
            }
            Scenario::Net => {
                "loss, delay, duplication and one-way cuts between namespaces (needs root and TAP)"
            }
            Scenario::DiskFull => "a small disk fills up and is enlarged (needs root)",
            Scenario::Clock => "a node's clock is years off (needs faketime)",
            Scenario::Pause => "SIGSTOP and SIGCONT; one home, and one validator key, in two processes",
            Scenario::OldBackup => "store, and whole home, put back from an earlier copy",
        }
    }

    /// Runs it.
    pub async fn run(self, plan: &mut Plan) -> Result<Figures, Stopped> {
        match self {
            Scenario::Kills => kills::run(plan).await,
            Scenario::Cuts => cuts::run(plan).await,
            Scenario::CrashPoints => crash_points::run(plan).await,
            Scenario::Net => net::run(plan).await,
            Scenario::DiskFull => disk_full::run(plan).await,
            Scenario::Clock => clock::run(plan).await,
            Scenario::Pause => pause::run(plan).await,
            Scenario::OldBackup => old_backup::run(plan).await,
        }
    }
}
