//! What a seed arms: how many validators, who of them is not to be relied on, which faults, and how much of
//! them. Not every fault is armed in every run: what is always there hides what only shows without it.

use std::collections::BTreeSet;

use tanba_ledger::ValidatorSet;

use super::{Fault, adversary::Adversary};
use crate::cluster::{Weather, random::Random};

/// Sizes of networks, the smallest that tolerates a fault most often.
const UNIVERSITIES: [usize; 12] = [4, 4, 4, 4, 4, 4, 4, 5, 6, 7, 7, 10];

/// Of 1,000 faults that are not weaknesses, so many are armed.
const ARMED_PER_MILLE: u64 = 450;

/// What is wrong with a validator that counts among the f.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weakness {
    /// It does not keep to the protocol.
    Adversary(Adversary),
    /// It keeps to it, but its memory was taken away or doubled: by one of the faults that do so.
    Memory(Fault),
}

/// Faults after which a validator no longer knows all it promised; at most f validators have one in a run.
pub const OF_MEMORY: [Fault; 6] =
    [Fault::LyingSync, Fault::JournalRot, Fault::OldHome, Fault::LostJournal, Fault::LostStore, Fault::Twin];

/// Faults that anyone may have, in any number unless said otherwise where they are done.
pub const OF_ANYONE: [Fault; 16] = [
    Fault::Partition,
    Fault::OneWayPartition,
    Fault::Disconnection,
    Fault::Kill,
    Fault::Crash,
    Fault::CrashInStep,
    Fault::PowerCut,
    Fault::FailedSync,
    Fault::FullDisk,
    Fault::BitRot,
    Fault::ClockJump,
    Fault::ClockDrift,
    Fault::Pause,
    Fault::OldBackup,
    Fault::SlowNode,
    Fault::SlowDisk,
];

/// A seed, spelled out.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Universities, each with a validator.
    pub universities: usize,
    /// Validators that count among the f, and why.
    pub weak: Vec<(usize, Weakness)>,
    /// The faults armed.
    pub armed: BTreeSet<Fault>,
    /// How the network behaves in the bad phase.
    pub weather: Weather,
    /// How long the bad phase lasts, in milliseconds.
    pub bad_ms: u64,
    /// From one fault to the next, on average, in milliseconds.
    pub fault_every_ms: u64,
    /// From one submission to the next, on average, in milliseconds.
    pub submit_every_ms: u64,
    /// Whether everything starts again when it is mended, as after a power cut of the whole country.
    pub restarts_all: bool,
}

impl Plan {
    /// Draws a plan.
    pub fn draw(random: &mut Random) -> Plan {
        let universities = *random.of(&UNIVERSITIES);
        let tolerated = (universities - 1) / 3;
        let weak = match random.below(4) {
            0 => Vec::new(),
            _ => (0..1 + random.place(tolerated)).map(|_| random.place(universities)).collect(),
        };
        let weak: BTreeSet<usize> = weak.into_iter().collect();
        let weak = weak.into_iter().map(|node| (node, weakness(random))).collect();
        let armed = OF_ANYONE.into_iter().filter(|_| random.per_mille(ARMED_PER_MILLE)).collect();
        Plan {
            universities,
            weak,
            armed,
            weather: weather(random),
            bad_ms: 2_000 + random.below(8_000),
            fault_every_ms: [150, 400, 1_000, 2_500][random.place(4)],
            submit_every_ms: [100, 400, 1_500][random.place(3)],
            restarts_all: random.per_mille(250),
        }
    }

    /// Whether a validator counts among the f.
    pub fn is_weak(&self, node: usize) -> bool {
        self.weak.iter().any(|(weak, _)| *weak == node)
    }

    /// In one line, for a person.
    pub fn describe(&self) -> String {
        let armed: Vec<String> = self.armed.iter().map(Fault::to_string).collect();
        let weak: Vec<String> =
            self.weak.iter().map(|(node, weakness)| format!("node {node}: {weakness:?}")).collect();
        format!(
            "{} validators; weak: [{}]; armed: {}; {:?}; {} ms",
            self.universities,
            weak.join(", "),
            armed.join(", "),
            self.weather,
            self.bad_ms
        )
    }
}

/// How many of a set may be weak.
pub fn tolerated(validators: &ValidatorSet) -> usize {
    validators.faulty_max()
}

fn weakness(random: &mut Random) -> Weakness {
    if random.per_mille(600) {
        Weakness::Adversary(*random.of(&Adversary::ALL))
    } else {
        Weakness::Memory(*random.of(&OF_MEMORY))
    }
}

fn weather(random: &mut Random) -> Weather {
    let delay_ms_max = [3, 20, 120, 900][random.place(4)];
    Weather {
        delay_ms_min: 1,
        delay_ms_max,
        lost_per_mille: [0, 20, 150, 400][random.place(4)],
        doubled_per_mille: [0, 100][random.place(2)],
    }
}
