//! The timers of the driver: each wanted once, the nearest first.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use crate::replica::timer::Timer;

/// Timers that are set.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    by_moment: BTreeSet<(Instant, Timer)>,
    moments: BTreeMap<Timer, Instant>,
}

impl Timers {
    /// Sets a timer. One that is set already keeps the nearer moment.
    pub(crate) fn set(&mut self, timer: Timer, delay: Duration) {
        let moment = Instant::now() + delay;
        match self.moments.get(&timer) {
            Some(set) if *set <= moment => return,
            Some(set) => self.by_moment.remove(&(*set, timer)),
            None => false,
        };
        self.moments.insert(timer, moment);
        self.by_moment.insert((moment, timer));
    }

    /// Waits for the nearest timer; for ever if none is set. Losing the wait loses no timer.
    pub(crate) async fn next(&mut self) -> Timer {
        let Some((moment, timer)) = self.by_moment.first().copied() else {
            return std::future::pending().await;
        };
        tokio::time::sleep_until(moment).await;
        self.by_moment.remove(&(moment, timer));
        self.moments.remove(&timer);
        timer
    }
}
