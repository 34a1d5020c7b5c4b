//! When to dial which configured peer: at once, then after growing pauses, for ever. No chance in it: the same
//! failures give the same schedule.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tanba_crypto::PublicKey;

/// The pause after the first failure; it doubles with each further one.
const PAUSE_MIN: Duration = Duration::from_millis(200);
/// The longest pause: a peer that comes back is found within it.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// A connection that lived so long was a good one: the next pause starts small again.
const SETTLED: Duration = Duration::from_secs(10);

/// The schedule. Time comes in as an argument.
#[derive(Debug)]
pub(super) struct Dialer {
    targets: BTreeMap<PublicKey, Target>,
}

#[derive(Debug)]
struct Target {
    addresses: Vec<SocketAddr>,
    failures: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Not admitted: not dialled.
    Barred,
    /// To be dialled at this time.
    Waiting(Instant),
    /// A dial is under way.
    Dialing,
    /// Connected since, whoever dialled.
    Connected(Instant),
}

impl Dialer {
    /// A schedule for these peers, none admitted yet. A peer may have several addresses.
    pub(super) fn new(dial: &[(PublicKey, SocketAddr)]) -> Dialer {
        let mut targets = BTreeMap::new();
        for (key, address) in dial {
            let target = Target { addresses: Vec::new(), failures: 0, state: State::Barred };
            targets.entry(*key).or_insert(target).addresses.push(*address);
        }
        Dialer { targets }
    }

    /// The admitted set changed.
    pub(super) fn set_admitted(&mut self, admitted: impl Fn(&PublicKey) -> bool, now: Instant) {
        for (key, target) in &mut self.targets {
            match (admitted(key), target.state) {
                (true, State::Barred) => {
                    *target = Target { failures: 0, state: State::Waiting(now), ..std::mem::take(target) };
                }
                (false, _) => target.state = State::Barred,
                (true, State::Waiting(_) | State::Dialing | State::Connected(_)) => {}
            }
        }
    }

    /// A peer whose time has come, now counted as being dialled.
    pub(super) fn next_due(&mut self, now: Instant) -> Option<(PublicKey, Vec<SocketAddr>)> {
        let due = |target: &Target| matches!(target.state, State::Waiting(at) if at <= now);
        let (key, target) = self.targets.iter_mut().find(|(_, target)| due(target))?;
        target.state = State::Dialing;
        Some((*key, target.addresses.clone()))
    }

    /// When to look again.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let waiting = |target: &Target| match target.state {
            State::Waiting(at) => Some(at),
            State::Barred | State::Dialing | State::Connected(_) => None,
        };
        self.targets.values().filter_map(waiting).min()
    }

    /// The peer is connected, whoever dialled.
    pub(super) fn connected(&mut self, key: &PublicKey, now: Instant) {
        if let Some(target) = self.targets.get_mut(key) {
            target.state = State::Connected(now);
        }
    }

    /// The last connection to the peer ended.
    pub(super) fn disconnected(&mut self, key: &PublicKey, now: Instant) {
        let Some(target) = self.targets.get_mut(key) else { return };
        if let State::Connected(since) = target.state {
            if now.duration_since(since) >= SETTLED {
                target.failures = 0;
            }
            target.pause(now);
        }
    }

    /// A dial failed. How many have since the last good connection; 0 if the peer is no target.
    pub(super) fn failed(&mut self, key: &PublicKey, now: Instant) -> u32 {
        let Some(target) = self.targets.get_mut(key) else { return 0 };
        if target.state == State::Dialing {
            target.pause(now);
        }
        target.failures
    }
}

impl Default for Target {
    fn default() -> Self {
        Target { addresses: Vec::new(), failures: 0, state: State::Barred }
    }
}

impl Target {
    fn pause(&mut self, now: Instant) {
        let pause = PAUSE_MIN.saturating_mul(1 << self.failures.min(16)).min(PAUSE_MAX);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Waiting(now + pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: PublicKey = PublicKey::Ed25519([1; 32]);

    fn dialer(now: Instant) -> Dialer {
        let mut dialer = Dialer::new(&[(KEY, SocketAddr::from(([127, 0, 0, 1], 1)))]);
        assert_eq!(dialer.next_due(now), None, "nobody is admitted yet");
        dialer.set_admitted(|_| true, now);
        dialer
    }

    #[test]
    fn pauses_double_up_to_a_bound_and_never_end() {
        let mut now = Instant::now();
        let mut dialer = dialer(now);
        let mut pauses = Vec::new();
        for _ in 0..40 {
            assert!(dialer.next_due(now).is_some());
            assert_eq!(dialer.next_due(now), None, "one dial at a time");
            dialer.failed(&KEY, now);
            let next = dialer.wake_at().expect("another dial follows");
            pauses.push((next - now).as_millis());
            now = next;
        }
        assert_eq!(pauses[..7], [200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(pauses.last(), Some(&5000));
    }

    #[test]
    fn a_connected_peer_is_not_dialled_and_a_lost_one_is() {
        let now = Instant::now();
        let mut dialer = dialer(now);
        dialer.connected(&KEY, now);
        assert_eq!((dialer.next_due(now), dialer.wake_at()), (None, None));
        dialer.disconnected(&KEY, now + SETTLED);
        assert_eq!(dialer.wake_at(), Some(now + SETTLED + PAUSE_MIN));
    }

    #[test]
    fn a_peer_that_hangs_up_at_once_is_dialled_ever_more_rarely() {
        let now = Instant::now();
        let mut dialer = dialer(now);
        for pause in [200, 400, 800] {
            dialer.connected(&KEY, now);
            dialer.disconnected(&KEY, now);
            assert_eq!(dialer.wake_at(), Some(now + Duration::from_millis(pause)));
        }
    }

    #[test]
    fn a_removed_peer_is_left_alone_until_it_is_admitted_again() {
        let now = Instant::now();
        let mut dialer = dialer(now);
        dialer.set_admitted(|_| false, now);
        dialer.disconnected(&KEY, now);
        assert_eq!((dialer.next_due(now), dialer.wake_at()), (None, None));
        dialer.set_admitted(|_| true, now);
        assert!(dialer.next_due(now).is_some());
    }
}
