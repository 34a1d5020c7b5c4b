//! How fast the national cryptography and the vault are, each beside what the machine needs for it at least, measured in the
//! same run: a figure alone tells more of the machine than of the code.

pub mod gost;
pub mod messages;
pub mod vault;

use std::time::Instant;

/// A figure, and how near it is to its bound.
#[derive(Clone, PartialEq, Debug)]
pub struct Figure {
    /// What was measured, with its unit.
    pub line: String,
    /// How many times its bound it took; `None` if the bound is another thing than its parts.
    pub ratio: Option<f64>,
    /// How many times it may take.
    pub ratio_max: f64,
}

impl Figure {
    /// A figure that nothing bounds.
    pub fn plain(line: String) -> Figure {
        Figure { line, ratio: None, ratio_max: f64::INFINITY }
    }

    /// Whether it keeps its bound.
    pub fn holds(&self) -> bool {
        self.ratio.is_none_or(|ratio| ratio <= self.ratio_max)
    }
}

/// Microseconds that `work` takes, the best of five rounds of so many times: what else runs here only ever adds.
pub fn micros(times: u32, mut work: impl FnMut()) -> f64 {
    let round = |work: &mut dyn FnMut()| {
        let begun = Instant::now();
        (0..times).for_each(|_| work());
        begun.elapsed().as_secs_f64() * 1e6 / f64::from(times)
    };
    (0..5).map(|_| round(&mut work)).fold(f64::INFINITY, f64::min)
}
