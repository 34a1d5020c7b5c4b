//! Hostile bytes for every decoder that somebody outside can reach.
//!
//! A [`Target`] is one such decoder: a plain function that panics when a promise is broken. What is promised:
//! no input makes it panic or abort; what it accepts it writes again as the same bytes, where the format is
//! canonical; and it holds at most a declared multiple of its input in memory ([`Bound`]), which
//! [`allocations`] counts.
//!
//! The same targets run in two ways. `cargo test` replays the kept inputs and a few thousand mutations drawn
//! from fixed seeds. `cargo fuzz-all` runs them for as long as it is told, and keeps each input that reaches
//! code no earlier one did; it sees that by [`coverage`] counters, which its build puts into our own crates.
//!
//! `docs/adr/0012-fuzzing-in-process.md` says why this is not libFuzzer.

pub mod allocations;
pub mod coverage;
pub mod hunt;
pub mod keep;
pub mod mutate;
pub mod random;
pub mod targets;
pub mod trial;

/// One decoder under attack.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folders of kept inputs.
    pub name: &'static str,
    /// Inputs are at most so long, in bytes: enough for every shape, little enough to try many.
    pub input_bytes_max: usize,
    /// What it may hold while it reads an input.
    pub bound: Bound,
    /// Real values to begin from.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words that random bytes would not hit upon.
    pub words: &'static [&'static str],
    /// Reads an input. Panics if a promise is broken.
    pub attack: fn(&[u8]),
}

/// The most a target may hold at one moment beyond what it held before: `factor` times its input's length and
/// `constant_bytes`.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Bytes for each byte of input.
    pub factor: usize,
    /// Bytes for any input, the empty one included.
    pub constant_bytes: usize,
}

impl Bound {
    /// Bytes that an input of `length` bytes may cost.
    pub const fn of(&self, length: usize) -> usize {
        self.factor * length + self.constant_bytes
    }
}
