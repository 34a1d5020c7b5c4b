//! The hunt: inputs are spoiled and tried, and those that reach new code are spoiled further.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    time::{Duration, Instant},
};

use super::{
    Target,
    coverage::Reached,
    keep,
    mutate::{Material, spoil},
    random::Random,
    trial::{Harm, try_input},
};

/// What came of a hunt.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Inputs tried.
    pub executions: u64,
    /// Edges of our code that were passed; 0 in a build without coverage.
    pub edges: usize,
    /// The greatest share of the memory bound that an input took, in percent.
    pub memory_percent: usize,
    /// The longest an input took.
    pub slowest: Duration,
    /// Inputs that reached new code, those it began from included.
    pub inputs: Vec<Vec<u8>>,
    /// The first input that did harm.
    pub harm: Option<(Vec<u8>, Harm)>,
}

/// When a hunt ends by itself.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// After so many spoiled inputs: the same result every time.
    After(u64),
    /// When so much time has passed.
    Within(Duration),
}

/// Attacks `target` until the end or the first harm. `under_way` receives every input before it is tried, so
/// that one which takes the whole process down is not lost.
pub fn hunt(target: &Target, seed: u64, end: End, under_way: Option<&File>) -> io::Result<Report> {
    let begun = Instant::now();
    let mut random = Random::of(seed);
    let mut reached = Reached::default();
    let mut report = Report::default();
    // What is made once and kept, such as tables and worlds, is made now and not counted against an input.
    (target.seeds)().iter().for_each(|seed| drop(try_input(target, seed)));
    let beginnings = keep::beginnings(target)?;
    for input in &beginnings {
        if report.attempt(target, input, &mut reached, under_way)? {
            report.inputs.push(input.clone());
        }
        if report.harm.is_some() {
            return Ok(report);
        }
    }
    if report.inputs.is_empty() {
        report.inputs = beginnings;
    }
    let mut tried = 0;
    loop {
        let over = match end {
            End::After(count) => tried >= count,
            // The clock is looked at now and then: it costs as much as a short input.
            End::Within(limit) => tried % 64 == 0 && begun.elapsed() >= limit,
        };
        if over {
            return Ok(report);
        }
        tried += 1;
        // What was found last has been spoiled least.
        let recent = report.inputs.len() - random.below(report.inputs.len().min(32)) - 1;
        let any = random.below(report.inputs.len());
        let from = if random.below(2) == 0 { recent } else { any };
        let bytes_max = target.input_bytes_max;
        let material = Material { others: &report.inputs, words: target.words, bytes_max };
        let input = spoil(&report.inputs[from], &material, &mut random);
        if report.attempt(target, &input, &mut reached, under_way)? {
            report.inputs.push(input);
        }
        if report.harm.is_some() {
            return Ok(report);
        }
    }
}

impl Report {
    /// Tries one input. Whether it reached new code.
    fn attempt(
        &mut self,
        target: &Target,
        input: &[u8],
        reached: &mut Reached,
        under_way: Option<&File>,
    ) -> io::Result<bool> {
        if let Some(file) = under_way {
            file.write_all_at(input, 0)?;
            file.set_len(input.len() as u64)?;
        }
        reached.begin();
        let outcome = try_input(target, input);
        let new = reached.look();
        self.executions += 1;
        self.edges = reached.edges();
        match outcome {
            Ok(cost) => {
                let percent = cost.peak_bytes * 100 / target.bound.of(input.len()).max(1);
                self.memory_percent = self.memory_percent.max(percent);
                self.slowest = self.slowest.max(cost.took);
            }
            Err(harm) => self.harm = Some((input.to_vec(), harm)),
        }
        Ok(new)
    }
}
