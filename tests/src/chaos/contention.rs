//! What a machine with other work takes from the nodes: the time to the next commit is judged without it.

use std::{fs, time::Duration};

use tokio::time::Instant;

use super::{report::Resume, rig::Hurt};

/// Ticks in which Linux counts time to programs, per second (`USER_HZ`, fixed for all architectures we run on).
const TICKS_PER_SECOND: u64 = 100;

/// A moment, with what every program had used by then.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    at: Instant,
    foreign_ticks: u64,
    starved: Vec<Duration>,
}

impl Moment {
    /// Now, seen from the nodes of a rig.
    pub(super) fn now(nodes: &[Hurt]) -> Moment {
        let pids: Vec<Option<u32>> = nodes.iter().map(|node| node.process.pid()).collect();
        // Without waited-for children: a node that was reaped is found with this process from then on.
        let ours = [std::process::id()].into_iter().chain(pids.iter().copied().flatten());
        let ours: u64 =
            ours.filter_map(|pid| ours_of(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)).sum();
        let all = fs::read_to_string("/proc/stat").ok().and_then(|text| all_of(&text)).unwrap_or_default();
        let starved = pids.into_iter().map(|pid| pid.map(starved).unwrap_or_default()).collect();
        Moment { at: Instant::now(), foreign_ticks: all.saturating_sub(ours), starved }
    }

    /// What passed from `self` to `now`.
    pub(super) fn until(&self, now: &Moment) -> Resume {
        let lasted = now.at - self.at;
        let ticks = now.foreign_ticks.saturating_sub(self.foreign_ticks);
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let foreign = Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND / cores);
        let waited = now.starved.iter().zip(&self.starved).map(|(now, then)| now.saturating_sub(*then));
        let starved = waited.max().unwrap_or_default();
        Resume { lasted, foreign: foreign.min(lasted), starved: starved.min(lasted) }
    }
}

/// Ticks that programs used, and that a machine around this one took, by the first line of `/proc/stat`. Time in the
/// kernel is left out: much of it is done for us by threads of nobody.
fn all_of(text: &str) -> Option<u64> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal.
    Some(ticks.first()? + ticks.get(1)? + ticks.get(7).copied().unwrap_or_default())
}

/// Ticks that a process and the children it waited for used outside the kernel, by its `/proc/PID/stat`.
fn ours_of(text: &str) -> Option<u64> {
    // The name, in brackets, may hold anything; the fields behind it count from 3.
    let (_, fields) = text.rsplit_once(") ")?;
    let field = |number: usize| fields.split_whitespace().nth(number - 3)?.parse::<u64>().ok();
    Some(field(14)? + field(16)?)
}

/// How long the thread of a process that waited longest for a core has waited; nothing where the system does not
/// tell.
fn starved(pid: u32) -> Duration {
    // Time on a core, time waited for one, both in nanoseconds, and turns.
    let of = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().nth(1)?.parse().ok()
    };
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    Duration::from_nanos(tasks.filter_map(|task| of(task.ok()?)).max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_the_system_are_read() {
        let all = "cpu  3776 38 466 2550 18 0 15 24 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(all_of(all), Some(3776 + 38 + 24));
        let own = "7 (a name) x) S 1 7 7 0 -1 0 0 0 0 0 140 141 160 161 20 0 1 0";
        assert_eq!(ours_of(own), Some(140 + 160));
    }

    #[test]
    fn a_child_that_worked_is_ours() {
        let used = || ours_of(&fs::read_to_string("/proc/self/stat").expect("a process")).expect("its ticks");
        let before = used();
        let busy = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        let ended = std::process::Command::new("sh").args(["-c", busy]).status();
        assert!(ended.expect("a shell").success());
        assert!(used() >= before + 5, "{} after {before}", used());
    }
}
