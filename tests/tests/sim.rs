//! A seed is a run: whatever its thread ran before, and whatever it remembers.

use std::thread;

use tanba_tests::sim::{self, Trace};

/// What a seed's run comes to, and all that happened in it.
fn lived(seed: u64) -> (String, Vec<String>) {
    let seen = sim::run(seed, Trace::written()).unwrap_or_else(|found| panic!("seed {seed}: {}", found.what));
    (seen.fingerprint, seen.trace.lines().map(str::to_owned).collect())
}

#[test]
fn a_seed_is_the_same_run_twice_and_on_a_fresh_thread() {
    for seed in 1..=8 {
        let (fingerprint, trace) = lived(seed);
        let (again, other) = thread::spawn(move || lived(seed)).join().expect("no violation");
        let differs = trace.iter().zip(&other).position(|(one, another)| one != another);
        assert_eq!(differs.map(|at| (&trace[at], &other[at])), None, "seed {seed} goes another way");
        assert_eq!((fingerprint, trace.len()), (again, other.len()), "seed {seed}");
    }
}
