//! The command line of `cargo chaos`.

use super::Scenario;

/// What `--help` prints.
pub const HELP: &str = "\
Networks of real processes under real faults.

Usage: cargo chaos [OPTIONS]

      --kills N      kill N processes [short form: 50]; alone: runs `kills` only
      --cuts N       cut the power of a disk N times [short form: 10]; alone: runs `cuts` only
      --points N     crash points of each system call [short form: 3, spread out]; `all`: every one, until a
                     run gets through; alone: runs `crash-points` only
      --only NAME    run this scenario; may be repeated
      --seed S       draw what is hurt and when from S [default: 1]
      --folder DIR   make homes and logs below DIR [default: the system's folder for temporary files]
      --json         print one JSON object
      --list         list the scenarios
  -h, --help         print this

Without arguments every scenario runs in its short form. A scenario that lacks something on this machine is
skipped, with the reason, and never counted as passed. The exit code is 0 when none failed.
";

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Processes to kill.
    pub kills: u64,
    /// Power cuts.
    pub cuts: u64,
    /// Crash points of each system call, spread out; `None`: every one.
    pub points: Option<u64>,
    /// The scenarios to run.
    pub scenarios: Vec<Scenario>,
    /// Draws what is hurt and when.
    pub seed: u64,
    /// Where homes and logs are made.
    pub folder: std::path::PathBuf,
    /// One JSON object instead of lines.
    pub json: bool,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Print the help.
    Help,
    /// List the scenarios.
    List,
    /// Run.
    Run(Options),
}

/// Reads the arguments; an error is a sentence for whoever typed them.
pub fn read(arguments: impl IntoIterator<Item = String>) -> Result<Asked, String> {
    let mut options = Options {
        kills: 50,
        cuts: 10,
        points: Some(3),
        scenarios: Vec::new(),
        seed: 1,
        folder: std::env::temp_dir(),
        json: false,
    };
    let (mut only, mut implied) = (Vec::new(), Vec::new());
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "-h" | "--help" => return Ok(Asked::Help),
            "--list" => return Ok(Asked::List),
            "--json" => options.json = true,
            "--kills" => {
                options.kills = number(&argument, &value()?)?;
                implied.push(Scenario::Kills);
            }
            "--cuts" => {
                options.cuts = number(&argument, &value()?)?;
                implied.push(Scenario::Cuts);
            }
            "--points" => {
                let value = value()?;
                options.points = (value != "all").then(|| number(&argument, &value)).transpose()?;
                implied.push(Scenario::CrashPoints);
            }
            "--seed" => options.seed = number(&argument, &value()?)?,
            "--folder" => options.folder = value()?.into(),
            "--only" => only.push(scenario(&value()?)?),
            other => return Err(format!("`{other}` is not known; see `cargo chaos --help`")),
        }
    }
    options.scenarios = [only, implied, Scenario::ALL.to_vec()]
        .into_iter()
        .find(|named| !named.is_empty())
        .expect("all scenarios are some");
    Ok(Asked::Run(options))
}

fn number(argument: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{argument} needs a whole number, not `{value}`"))
}

fn scenario(name: &str) -> Result<Scenario, String> {
    let known = || Scenario::ALL.map(Scenario::name).join(", ");
    let found = Scenario::ALL.into_iter().find(|scenario| scenario.name() == name);
    found.ok_or_else(|| format!("there is no scenario `{name}`; there are {}", known()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenarios(line: &str) -> Vec<Scenario> {
        match read(line.split_whitespace().map(str::to_owned)) {
            Ok(Asked::Run(options)) => options.scenarios,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_count_alone_selects_its_scenario() {
        assert_eq!(scenarios(""), Scenario::ALL);
        assert_eq!(scenarios("--kills 5000"), [Scenario::Kills]);
        assert_eq!(scenarios("--kills 9 --cuts 9"), [Scenario::Kills, Scenario::Cuts]);
        assert_eq!(scenarios("--cuts 9 --only pause"), [Scenario::Pause]);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let refused = |line: &str| read(line.split_whitespace().map(str::to_owned)).expect_err("refused");
        assert!(refused("--kill 5").contains("`--kill`"));
        assert!(refused("--kills many").contains("`many`"));
        assert!(refused("--only storms").contains("crash-points"));
        assert!(refused("--seed").contains("needs a value"));
    }
}
