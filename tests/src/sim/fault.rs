//! The kinds of faults, and how often each did something.

use std::fmt;

use super::adversary::{Adversary, Replay};

/// A kind of fault. A kind counts as hit when it was done to something that runs; where that could pass unnoticed
/// (delays, losses, pauses, slowness, clocks, syncs that lie, a disk that is full, a backup of what is there), when it
/// changed what happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fault {
    /// A message takes long.
    Delay,
    /// A message is lost.
    Loss,
    /// A message arrives twice.
    Duplication,
    /// A message overtakes an earlier one.
    Reordering,
    /// Two groups do not hear each other.
    Partition,
    /// One group is not heard by the other, but hears it.
    OneWayPartition,
    /// Two nodes lose their connection.
    Disconnection,
    /// A process dies, between two events or in the middle of one; the system keeps what it wrote and did not sync.
    Kill,
    /// A machine loses its power between two events.
    Crash,
    /// A machine loses its power in the middle of an event: at some write, or while it sends.
    CrashInStep,
    /// All machines lose their power at once, and start again.
    PowerCut,
    /// What was written and not synced is lost.
    LostWrites,
    /// Some of what was written and not synced is lost, and some is not.
    TornWrites,
    /// The disk says that it syncs, and does not.
    LyingSync,
    /// A sync fails: what it was for can be read until the power goes, and no later sync saves it.
    FailedSync,
    /// The disk is full.
    FullDisk,
    /// A bit of the store flips.
    BitRot,
    /// A bit of the promise journal flips.
    JournalRot,
    /// The wall clock jumps, by seconds or years.
    ClockJump,
    /// The monotonic clock runs fast or slow.
    ClockDrift,
    /// A process does nothing for a while, and then goes on.
    Pause,
    /// A store is restored from a backup.
    OldBackup,
    /// A whole home, promises included, is restored from a backup.
    OldHome,
    /// The promise journal is gone.
    LostJournal,
    /// The store is gone.
    LostStore,
    /// The same validator key is started twice.
    Twin,
    /// A node is slow.
    SlowNode,
    /// A disk is slow.
    SlowDisk,
}

impl Fault {
    /// Every kind, in the order of this page.
    pub const ALL: [Fault; 28] = [
        Fault::Delay,
        Fault::Loss,
        Fault::Duplication,
        Fault::Reordering,
        Fault::Partition,
        Fault::OneWayPartition,
        Fault::Disconnection,
        Fault::Kill,
        Fault::Crash,
        Fault::CrashInStep,
        Fault::PowerCut,
        Fault::LostWrites,
        Fault::TornWrites,
        Fault::LyingSync,
        Fault::FailedSync,
        Fault::FullDisk,
        Fault::BitRot,
        Fault::JournalRot,
        Fault::ClockJump,
        Fault::ClockDrift,
        Fault::Pause,
        Fault::OldBackup,
        Fault::OldHome,
        Fault::LostJournal,
        Fault::LostStore,
        Fault::Twin,
        Fault::SlowNode,
        Fault::SlowDisk,
    ];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&in_words(&format!("{self:?}")))
    }
}

/// The words of a name: `LyingSync` is "lying sync".
pub(super) fn in_words(name: &str) -> String {
    let mut words = String::new();
    for (place, letter) in name.char_indices() {
        if letter.is_uppercase() && place > 0 {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// How often each kind did something.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    counts: [u64; Fault::ALL.len()],
    deeds: [u64; Adversary::ALL.len()],
    replays: [u64; Replay::ALL.len()],
    /// Stores that were set aside and made anew.
    pub healed: u64,
}

impl Hits {
    /// Once more.
    pub fn count(&mut self, fault: Fault) {
        self.counts[fault as usize] += 1;
    }

    /// An adversary did once more what it is named after.
    pub fn did(&mut self, adversary: Adversary) {
        self.deeds[adversary as usize] += 1;
    }

    /// A replayer said something again in this way.
    pub fn replayed(&mut self, replay: Replay) {
        self.replays[replay as usize] += 1;
    }

    /// So often something was said again in this way.
    pub const fn replays_of(&self, replay: Replay) -> u64 {
        self.replays[replay as usize]
    }

    /// So often an adversary did what it is named after.
    pub const fn deeds_of(&self, adversary: Adversary) -> u64 {
        self.deeds[adversary as usize]
    }

    /// So often.
    pub const fn of(&self, fault: Fault) -> u64 {
        self.counts[fault as usize]
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Hits) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        for (deeds, more) in self.deeds.iter_mut().zip(other.deeds) {
            *deeds += more;
        }
        for (replays, more) in self.replays.iter_mut().zip(other.replays) {
            *replays += more;
        }
        self.healed += other.healed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_stands_at_its_own_place() {
        for (place, fault) in Fault::ALL.iter().enumerate() {
            assert_eq!(*fault as usize, place);
        }
        for (place, adversary) in Adversary::ALL.iter().enumerate() {
            assert_eq!(*adversary as usize, place);
        }
        for (place, replay) in Replay::ALL.iter().enumerate() {
            assert_eq!(*replay as usize, place);
        }
        assert_eq!(Fault::OneWayPartition.to_string(), "one way partition");
    }
}
