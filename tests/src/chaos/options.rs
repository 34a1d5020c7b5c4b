//! The command line of `cargo chaos`.

use std::{num::NonZeroU64, path::PathBuf};

use clap::{Parser, ValueEnum, builder::PossibleValue};

use super::Scenario;

/// Kills of the short form.
const KILLS: u64 = 40;

/// Power cuts of the short form.
const CUTS: u64 = 10;

/// Networks of real processes under real faults.
///
/// Without arguments every scenario runs in its short form. A scenario that lacks something on this machine is
/// skipped, with the reason, and never counted as passed; with `--require` that is a failure. The exit code is 0 when
/// none failed.
#[derive(Parser, Clone, Debug)]
#[command(name = "cargo chaos", bin_name = "cargo chaos")]
pub struct Options {
    /// Kills, each of one node, several, or all at one moment; alone: runs `kills` only [short form: 40].
    #[arg(long, value_name = "N")]
    kills: Option<NonZeroU64>,
    /// Power cuts, each of one node's disk or of all at one moment; alone: runs `cuts` only [short form: 10].
    #[arg(long, value_name = "N")]
    cuts: Option<NonZeroU64>,
    /// Crash points of each system call, spread out, or `all` until a run gets through; alone: runs `crash-points`
    /// only [short form: 3].
    #[arg(long, value_name = "N|all", value_parser = points)]
    points: Option<Points>,
    /// Runs this scenario; may be repeated.
    #[arg(long, value_name = "NAME", hide_possible_values = true)]
    only: Vec<Scenario>,
    /// These must run, and all of each: what this machine lacks for them is a failure.
    #[arg(long, value_name = "NAME", value_delimiter = ',', hide_possible_values = true)]
    require: Vec<Scenario>,
    /// Draws what is hurt and when.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Makes homes and logs below this folder [default: the system's for temporary files].
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The node's program [default: this one, which is the node as well].
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Lists the scenarios.
    #[arg(long)]
    pub list: bool,
}

/// How many crash points of each system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Points {
    /// So many, each twice as far as the one before.
    Spread(NonZeroU64),
    /// Every one.
    All,
}

impl Points {
    /// The first `count` of those that are spread out, where every one would be too many.
    pub fn at_most(self, count: NonZeroU64) -> Points {
        match self {
            Points::Spread(own) => Points::Spread(own.min(count)),
            Points::All => Points::Spread(count),
        }
    }
}

impl Options {
    /// Kills until which `kills` goes on.
    pub fn kills(&self) -> u64 {
        self.kills.map_or(KILLS, NonZeroU64::get)
    }

    /// Power cuts until which `cuts` goes on.
    pub fn cuts(&self) -> u64 {
        self.cuts.map_or(CUTS, NonZeroU64::get)
    }

    /// Crash points of each system call.
    pub fn points(&self) -> Points {
        const SHORT: Points = Points::Spread(NonZeroU64::new(3).expect("three"));
        self.points.unwrap_or(SHORT)
    }

    /// Whether the scenario must run.
    pub fn requires(&self, scenario: Scenario) -> bool {
        self.require.contains(&scenario)
    }

    /// The scenarios that must run and are not even to.
    pub fn left_out(&self) -> Vec<Scenario> {
        let runs = self.scenarios();
        self.require.iter().filter(|required| !runs.contains(required)).copied().collect()
    }

    /// Where homes and logs are made.
    pub fn folder(&self) -> PathBuf {
        self.folder.clone().unwrap_or_else(std::env::temp_dir)
    }

    /// The scenarios to run: those named, or else those whose count was given, or else all.
    pub fn scenarios(&self) -> Vec<Scenario> {
        let counted = [
            (self.kills.is_some(), Scenario::Kills),
            (self.cuts.is_some(), Scenario::Cuts),
            (self.points.is_some(), Scenario::CrashPoints),
        ];
        let counted = counted.into_iter().filter_map(|(is_counted, scenario)| is_counted.then_some(scenario));
        [self.only.clone(), counted.collect(), Scenario::ALL.to_vec()]
            .into_iter()
            .find(|named| !named.is_empty())
            .expect("all scenarios are some")
    }
}

fn points(text: &str) -> Result<Points, String> {
    match text {
        "all" => Ok(Points::All),
        count => {
            count.parse().map(Points::Spread).map_err(|_| "a whole number from 1 on, or `all`".to_owned())
        }
    }
}

impl ValueEnum for Scenario {
    fn value_variants<'a>() -> &'a [Scenario] {
        &Scenario::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.about()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        let words = ["chaos"].into_iter().chain(line.split_whitespace());
        Options::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn a_count_alone_selects_its_scenario() {
        let scenarios = |line| read(line).expect("understood").scenarios();
        assert_eq!(scenarios(""), Scenario::ALL);
        assert_eq!(scenarios("--kills 5000"), [Scenario::Kills]);
        assert_eq!(scenarios("--kills 9 --cuts 9"), [Scenario::Kills, Scenario::Cuts]);
        assert_eq!(scenarios("--points all"), [Scenario::CrashPoints]);
        assert_eq!(scenarios("--cuts 9 --only pause"), [Scenario::Pause]);
    }

    #[test]
    fn what_is_required_and_not_to_run_is_found() {
        let options = read("--require cuts,net --require kills --only kills --only net").expect("understood");
        assert!(options.requires(Scenario::Cuts) && !options.requires(Scenario::Clock));
        assert_eq!(options.left_out(), [Scenario::Cuts]);
        assert_eq!(read("--require cuts").expect("understood").left_out(), []);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let refused = |line| read(line).expect_err("refused");
        assert!(refused("--kill 5").contains("--kill"));
        assert!(refused("--kills many").contains("many"));
        assert!(refused("--only storms").contains("crash-points"));
        assert!(refused("--require cuts,storms").contains("crash-points"));
        assert!(refused("--seed").contains("value is required"));
    }

    #[test]
    fn nothing_to_do_is_refused() {
        for line in ["--kills 0", "--cuts 0", "--points 0"] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
