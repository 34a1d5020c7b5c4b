//! The network between the nodes of a cluster: how long a message takes, and whether it arrives.

use std::collections::{BTreeMap, BTreeSet};

use super::random::Random;
use crate::sim::{Fault, Hits};

/// A message that took longer than this was delayed, in milliseconds.
const DELAYED_MS: u64 = 50;

/// How the network treats what is sent over it.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// The least delay of a message, in milliseconds.
    pub delay_ms_min: u64,
    /// The greatest delay of a message, in milliseconds; different delays reorder.
    pub delay_ms_max: u64,
    /// Of 1,000 messages so many are lost.
    pub lost_per_mille: u64,
    /// Of 1,000 messages so many arrive twice.
    pub doubled_per_mille: u64,
}

/// A network that does no harm.
pub const FAIR: Weather =
    Weather { delay_ms_min: 1, delay_ms_max: 3, lost_per_mille: 0, doubled_per_mille: 0 };

/// A network and what is broken in it.
#[derive(Clone, Debug)]
pub struct Links {
    /// How it behaves now.
    pub weather: Weather,
    /// Pairs (from, to) over which nothing passes, though both believe to be connected.
    pub cut: BTreeSet<(usize, usize)>,
    /// Pairs (lower, higher) that are not connected, and know it.
    pub parted: BTreeSet<(usize, usize)>,
    /// Of each link, the number of the last message that arrived.
    arrived: BTreeMap<(usize, usize), u64>,
}

impl Default for Links {
    fn default() -> Links {
        let (cut, parted) = (BTreeSet::new(), BTreeSet::new());
        Links { weather: FAIR, cut, parted, arrived: BTreeMap::new() }
    }
}

impl Links {
    /// When the copies of a message that is sent now arrive, in milliseconds from now; none if it is lost.
    pub fn fate(&self, from: usize, to: usize, random: &mut Random, hits: &mut Hits) -> Vec<u64> {
        if self.parted.contains(&(from.min(to), from.max(to))) {
            return Vec::new();
        }
        if self.cut.contains(&(from, to)) {
            let both = self.cut.contains(&(to, from));
            hits.count(if both { Fault::Partition } else { Fault::OneWayPartition });
            return Vec::new();
        }
        let weather = &self.weather;
        if random.per_mille(weather.lost_per_mille) {
            hits.count(Fault::Loss);
            return Vec::new();
        }
        let doubled = random.per_mille(weather.doubled_per_mille);
        if doubled {
            hits.count(Fault::Duplication);
        }
        let spread = weather.delay_ms_max - weather.delay_ms_min + 1;
        let delays: Vec<u64> =
            (0..1 + u64::from(doubled)).map(|_| weather.delay_ms_min + random.below(spread)).collect();
        if delays.iter().any(|delay_ms| *delay_ms > DELAYED_MS) {
            hits.count(Fault::Delay);
        }
        delays
    }

    /// A message arrives; one that was sent before another that is here already was overtaken.
    pub fn arrives(&mut self, from: usize, to: usize, number: u64, hits: &mut Hits) {
        let last = self.arrived.entry((from, to)).or_default();
        if number < *last {
            hits.count(Fault::Reordering);
        }
        *last = number.max(*last);
    }
}
