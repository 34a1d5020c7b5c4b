//! What was done and seen, in numbers.

use std::{io::IsTerminal, time::Duration};

use serde_json::{Value, json};

/// Waiting for a processor is told from here on.
const STARVED_SHOWN: Duration = Duration::from_millis(500);

/// How long commits took to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resume {
    /// By the clock on the wall.
    pub lasted: Duration,
    /// Of this, a node was ready to run and waited for a processor: what the machine took, not the nodes.
    pub starved: Duration,
}

/// What a scenario did. Numbers of different scenarios add up.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Processes killed.
    pub kills: u64,
    /// Disks that lost power.
    pub cuts: u64,
    /// Starts that were to be hit at the K-th call, and were.
    pub crash_points: u64,
    /// Calls that failed or lied.
    pub disk_faults: u64,
    /// Weathers of the network.
    pub weathers: u64,
    /// Diplomas acknowledged, each proven by every node at the end.
    pub acknowledged: u64,
    /// The longest way from a full stop, or from healing, to the next commit.
    pub resume_max: Resume,
    /// What else is worth a line.
    pub notes: Vec<String>,
}

impl Figures {
    /// Adds those of another scenario.
    pub fn add(&mut self, other: &Figures) {
        self.kills += other.kills;
        self.cuts += other.cuts;
        self.crash_points += other.crash_points;
        self.disk_faults += other.disk_faults;
        self.weathers += other.weathers;
        self.acknowledged += other.acknowledged;
        self.resume_max = self.resume_max.max(other.resume_max);
        self.notes.extend(other.notes.iter().cloned());
    }

    /// Notes a time that commits took to go on.
    pub fn resumed(&mut self, after: Resume) {
        self.resume_max = self.resume_max.max(after);
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        json!({
            "kills": self.kills,
            "cuts": self.cuts,
            "crash_points": self.crash_points,
            "disk_faults": self.disk_faults,
            "weathers": self.weathers,
            "acknowledged": self.acknowledged,
            "resume_max_ms": self.resume_max.lasted.as_millis() as u64,
            "resume_max_starved_ms": self.resume_max.starved.as_millis() as u64,
            "notes": self.notes,
        })
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counted = [
            (self.kills, "kills"),
            (self.cuts, "cuts"),
            (self.crash_points, "crash points"),
            (self.disk_faults, "disk faults"),
            (self.weathers, "weathers"),
        ];
        for (count, what) in counted.iter().filter(|(count, _)| *count > 0) {
            write!(f, "{count} {what}, ")?;
        }
        let Resume { lasted, starved } = self.resume_max;
        write!(
            f,
            "{} diplomas acknowledged, 0 lost, longest resume {:.1} s",
            self.acknowledged,
            lasted.as_secs_f64()
        )?;
        if starved >= STARVED_SHOWN {
            write!(f, " ({:.1} s of it waiting for a processor)", starved.as_secs_f64())?;
        }
        Ok(())
    }
}

/// Tells whoever waits how far a count is.
pub(super) fn progress(what: &str, done: u64, all: u64) {
    let end = if std::io::stderr().is_terminal() { '\r' } else { '\n' };
    eprint!("  {what}: {done} of {all}{end}");
}
