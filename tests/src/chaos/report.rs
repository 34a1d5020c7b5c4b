//! What was done and seen, in numbers.

use std::{io::IsTerminal, time::Duration};

use serde_json::{Value, json};

use super::Stopped;

/// A wait for others is told from here on.
const EXCUSED_SHOWN: Duration = Duration::from_millis(100);

/// How long commits took to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resume {
    /// By the clock on the wall.
    pub lasted: Duration,
    /// So long the whole machine would have been busy with what other programs than ours did meanwhile.
    pub foreign: Duration,
    /// So long the thread that waited longest was ready to run and had no core, be it for other nodes of ours.
    pub starved: Duration,
}

impl Resume {
    /// What is judged: without the wait for cores that other programs kept. Both bound it, the wait and what the others
    /// did: nodes that keep each other waiting are slow, and others harm nobody who sleeps.
    pub fn own(&self) -> Duration {
        self.lasted.saturating_sub(self.foreign.min(self.starved))
    }

    fn to_json(self) -> Value {
        let ms = |time: Duration| time.as_millis() as u64;
        json!({
            "lasted_ms": ms(self.lasted),
            "without_waiting_for_others_ms": ms(self.own()),
            "without_waiting_for_a_core_ms": ms(self.lasted.saturating_sub(self.starved)),
        })
    }
}

impl std::fmt::Display for Resume {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} s", self.lasted.as_secs_f64())?;
        if self.lasted - self.own() >= EXCUSED_SHOWN {
            write!(f, " ({:.1} s without waiting for other programs)", self.own().as_secs_f64())?;
        }
        Ok(())
    }
}

/// Things done to several nodes at one moment are one event.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blows {
    /// Moments at which it was done.
    pub events: u64,
    /// Nodes it was done to, one by one.
    pub hit: u64,
}

impl Blows {
    /// One more event.
    pub fn dealt(&mut self, hit: usize) {
        self.events += 1;
        self.hit += hit as u64;
    }

    fn add(&mut self, other: Blows) {
        self.events += other.events;
        self.hit += other.hit;
    }
}

/// What a scenario did. Numbers of different scenarios add up.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Processes killed.
    pub kills: Blows,
    /// Disks that lost power.
    pub cuts: Blows,
    /// Starts that were to be hit at the K-th call, and were.
    pub crash_points: u64,
    /// Calls that failed or lied.
    pub disk_faults: u64,
    /// Weathers of the network.
    pub weathers: u64,
    /// Stores that were looked into before a start, or at the end, and held what their nodes had answered for.
    pub looks: u64,
    /// Diplomas acknowledged, each proven by every node at the end.
    pub acknowledged: u64,
    /// The longest way from a full stop, or from healing, to the next commit.
    pub resume_max: Resume,
    /// Parts that this machine does not allow, with the reason.
    pub skipped: Vec<String>,
    /// What else is worth a line.
    pub notes: Vec<String>,
}

impl Figures {
    /// Adds those of another scenario.
    pub fn add(&mut self, other: &Figures) {
        self.kills.add(other.kills);
        self.cuts.add(other.cuts);
        self.crash_points += other.crash_points;
        self.disk_faults += other.disk_faults;
        self.weathers += other.weathers;
        self.looks += other.looks;
        self.acknowledged += other.acknowledged;
        self.resume_max = self.resume_max.max(other.resume_max);
        self.skipped.extend(other.skipped.iter().cloned());
        self.notes.extend(other.notes.iter().cloned());
    }

    /// Notes a part that this machine does not allow; any other stop remains one.
    pub(super) fn skip(&mut self, part: &str, stopped: Stopped) -> Result<(), Stopped> {
        let Stopped::Skipped(why) = stopped else { return Err(stopped) };
        self.skipped.push(format!("{part} ({why})"));
        Ok(())
    }

    /// Notes a time that commits took to go on.
    pub fn resumed(&mut self, after: Resume) {
        self.resume_max = self.resume_max.max(after);
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        json!({
            "kills": { "events": self.kills.events, "processes": self.kills.hit },
            "cuts": { "events": self.cuts.events, "disks": self.cuts.hit },
            "crash_points": self.crash_points,
            "disk_faults": self.disk_faults,
            "weathers": self.weathers,
            "looks": self.looks,
            "acknowledged": self.acknowledged,
            "resume_max": self.resume_max.to_json(),
            "notes": self.notes,
        })
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (blows, what) in [(self.kills, "processes killed"), (self.cuts, "disks cut from power")] {
            if blows.events > 0 {
                write!(f, "{} {what} in {} events, ", blows.hit, blows.events)?;
            }
        }
        let counted = [
            (self.crash_points, "crash points"),
            (self.disk_faults, "disk faults"),
            (self.weathers, "weathers"),
            (self.looks, "looks into stores"),
        ];
        for (count, what) in counted.iter().filter(|(count, _)| *count > 0) {
            write!(f, "{count} {what}, ")?;
        }
        let Figures { acknowledged, resume_max, .. } = self;
        write!(f, "{acknowledged} diplomas acknowledged, 0 lost, longest resume {resume_max}")
    }
}

/// Tells whoever waits how far a count is.
pub(super) fn progress(what: &str, done: u64, all: u64) {
    let end = if std::io::stderr().is_terminal() { '\r' } else { '\n' };
    eprint!("  {what}: {done} of {all}{end}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_wait_for_others_is_excused() {
        let [short, long] = [2, 9].map(Duration::from_secs);
        let own =
            |foreign, starved| Resume { lasted: Duration::from_secs(12), foreign, starved }.own().as_secs();
        assert_eq!(own(long, long), 3);
        assert_eq!(own(short, long), 10, "our nodes kept each other waiting");
        assert_eq!(own(long, short), 10, "they slept while others worked");
    }
}
