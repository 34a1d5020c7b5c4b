//! `cargo fuzz-all`: attacks every decoder for as long as it is told, and says what it found.
//!
//! Each target runs in a process of its own, so that an abort, an endless loop or memory without end takes down that
//! process alone; the input under way lies in a file and becomes the finding.

mod command;

use std::{
    env,
    fmt::Write as _,
    fs::{self, File},
    io::Read as _,
    num::{NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant, SystemTime},
};

use clap::Parser;
use tanba_tests::fuzz::{
    Target,
    allocations::{Counting, is_counting},
    coverage,
    hunt::{End, Report, hunt},
    keep, targets,
    trial::{Cost, keep_panics_quiet, shorten, try_input},
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A worker that has not ended so long after its time hangs in an input.
const PATIENCE: Duration = Duration::from_secs(30);

/// Attacks every decoder that somebody outside can reach with spoiled inputs.
#[derive(Parser, Debug)]
#[command(name = "cargo fuzz-all", bin_name = "cargo fuzz-all")]
struct Options {
    /// Time for all targets together, shared evenly.
    #[arg(long, value_name = "N", default_value = "60")]
    seconds: NonZeroU64,
    /// One target; may be given several times.
    #[arg(long, value_name = "TARGET", value_parser = target)]
    only: Vec<Target>,
    /// Targets at a time.
    #[arg(long, value_name = "N", default_value = "1")]
    jobs: NonZeroUsize,
    /// Draws the spoiled inputs from this seed [default: the clock].
    #[arg(long, value_name = "N", default_value_t = clock(), hide_default_value = true)]
    seed: u64,
    /// Writes what reached new code to tests/fuzz/corpus.
    #[arg(long)]
    keep: bool,
    /// Names the targets and ends.
    #[arg(long)]
    list: bool,
    /// Tries one input of the target named with --only, or by the file's folder, and ends.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// This process is the worker of one target.
    #[arg(long, hide = true)]
    worker: bool,
}

fn target(name: &str) -> Result<Target, String> {
    targets::find(name).ok_or_else(|| format!("there is no target {name}; --list names them"))
}

fn clock() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
}

fn main() -> ExitCode {
    let options: Options = match command::options("fuzz") {
        Ok(options) => options,
        Err(code) => return code,
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("FAILED: fuzz: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "this program's results are its output")]
fn say(line: &str) {
    println!("{line}");
}

/// Does what was asked. Whether nothing was found.
fn run(options: &Options) -> Result<bool, String> {
    assert!(is_counting(), "this program counts its memory");
    if options.list {
        targets::all().iter().for_each(|target| say(target.name));
        return Ok(true);
    }
    if let Some(path) = &options.replay {
        return replay(path, options.only.first());
    }
    if options.worker {
        let target = options.only.first().ok_or("a worker has a target")?;
        return work(target, options).map_err(|error| format!("{}: {error}", target.name));
    }
    campaign(options)
}

fn replay(path: &Path, target: Option<&Target>) -> Result<bool, String> {
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let target = target.copied().or_else(|| targets::find(&folder));
    let target = target.ok_or_else(|| format!("{folder} is no target: name one with --only"))?;
    let input = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    keep_panics_quiet();
    (target.seeds)().iter().for_each(|seed| drop(try_input(&target, seed)));
    match try_input(&target, &input) {
        Ok(cost) => {
            let bound = target.bound.of(input.len());
            let Cost { peak_bytes, took } = cost;
            let (name, length) = (target.name, input.len());
            say(&format!("OK: fuzz: {name}: {length} bytes read in {took:?}, {peak_bytes} held of {bound}"));
            Ok(true)
        }
        Err(harm) => {
            say(&format!("FAILED: fuzz: {}: {harm}", target.name));
            Ok(false)
        }
    }
}

// ------------------------------------------------------------------------------------------------- workers

/// Where findings and inputs under way are written.
fn workshop() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    target.join("fuzz")
}

fn under_way(target: &Target) -> PathBuf {
    workshop().join("under-way").join(target.name)
}

/// Hunts in this process and says the result in one line for the campaign.
fn work(target: &Target, options: &Options) -> Result<bool, std::io::Error> {
    keep_panics_quiet();
    let path = under_way(target);
    fs::create_dir_all(path.parent().expect("it lies in a folder"))?;
    let file = File::create(&path)?;
    let report =
        hunt(target, options.seed, End::Within(Duration::from_secs(options.seconds.get())), Some(&file))?;
    if let Some((input, harm)) = &report.harm {
        let shortest = shorten(target, input, harm);
        let path = keep::write(&workshop().join("findings").join(target.name), &shortest)?;
        say(&format!("found {} {harm}", path.display()));
    }
    if options.keep && coverage::is_built_in() {
        let beyond = beyond_seeds(target, &report);
        keep::write_corpus(target, beyond)?;
    }
    let Report { executions, edges, memory_percent, slowest, inputs, .. } = &report;
    let found = usize::from(report.harm.is_some());
    let slowest = slowest.as_millis();
    say(&format!("done {executions} {edges} {} {memory_percent} {slowest} {found}", inputs.len()));
    Ok(report.harm.is_none())
}

/// The inputs that no seed is.
fn beyond_seeds(target: &Target, report: &Report) -> Vec<Vec<u8>> {
    let seeds = (target.seeds)();
    report.inputs.iter().filter(|input| !seeds.contains(input)).cloned().collect()
}

// ------------------------------------------------------------------------------------------------ campaign

struct Running {
    target: Target,
    child: Child,
    deadline: Instant,
}

#[derive(Default)]
struct Total {
    executions: u64,
    findings: usize,
}

fn campaign(options: &Options) -> Result<bool, String> {
    let all = if options.only.is_empty() { targets::all() } else { options.only.clone() };
    let each = (options.seconds.get().saturating_mul(options.jobs.get() as u64) / all.len() as u64).max(1);
    let guided = if coverage::is_built_in() { "coverage-guided" } else { "without coverage" };
    say(&format!("{} targets, {each} s each, {guided}, seed {}", all.len(), options.seed));
    say("target                       executions   edges  inputs  memory  slowest");
    let (mut waiting, mut running) = (all.clone(), Vec::new());
    waiting.reverse();
    let mut total = Total::default();
    while !waiting.is_empty() || !running.is_empty() {
        while running.len() < options.jobs.get()
            && let Some(target) = waiting.pop()
        {
            running.push(start(target, each, options).map_err(|error| error.to_string())?);
        }
        let (ended, still): (Vec<_>, Vec<_>) = running.into_iter().partition(has_ended);
        running = still;
        for worker in ended {
            conclude(worker, &mut total).map_err(|error| error.to_string())?;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let Total { executions, findings } = total;
    let verdict = if findings == 0 { "OK" } else { "FAILED" };
    say(&format!("{verdict}: fuzz: {} targets, {executions} executions, {findings} findings", all.len()));
    Ok(findings == 0)
}

fn start(target: Target, seconds: u64, options: &Options) -> std::io::Result<Running> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["--worker", "--only", target.name]);
    command.args(["--seconds", &seconds.to_string(), "--seed", &options.seed.to_string()]);
    if options.keep {
        command.arg("--keep");
    }
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let deadline = Instant::now() + Duration::from_secs(seconds) + PATIENCE;
    Ok(Running { target, child, deadline })
}

/// Whether a worker has ended; one that hangs is ended.
fn has_ended(worker: &Running) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", worker.child.id())).unwrap_or_default();
    let state = stat.rsplit(") ").next().unwrap_or_default();
    state.is_empty() || state.starts_with('Z') || Instant::now() > worker.deadline
}

fn conclude(mut worker: Running, total: &mut Total) -> std::io::Result<()> {
    let hung = worker.child.try_wait()?.is_none();
    if hung {
        worker.child.kill()?;
    }
    let mut output = String::new();
    worker.child.stdout.take().expect("it was piped").read_to_string(&mut output)?;
    let status = worker.child.wait()?;
    let name = worker.target.name;
    let mut found = Vec::new();
    let mut done = None;
    for line in output.lines() {
        if let Some(rest) = line.strip_prefix("found ") {
            let (path, harm) = rest.split_once(' ').unwrap_or((rest, ""));
            found.push((PathBuf::from(path), harm.to_owned()));
        }
        done = line.strip_prefix("done ").map(str::to_owned).or(done);
    }
    match done {
        Some(figures) => {
            let figures: Vec<u64> = figures.split(' ').filter_map(|figure| figure.parse().ok()).collect();
            let &[executions, edges, inputs, memory, slowest, _] = figures.as_slice() else {
                return Err(std::io::Error::other(format!("{name} said {output:?}")));
            };
            total.executions += executions;
            say(&format!("{name:27} {executions:11} {edges:7} {inputs:7} {memory:5} % {slowest:5} ms"));
        }
        None => {
            let input = fs::read(under_way(&worker.target))?;
            let path = keep::write(&workshop().join("findings").join(name), &input)?;
            let end =
                if hung { "it did not end".to_owned() } else { format!("its process ended with {status}") };
            found.push((path, end));
        }
    }
    total.findings += found.len();
    for (path, harm) in found {
        let mut line = format!("{name}: {harm}\n  input: {}\n", path.display());
        let _ = write!(line, "  again: cargo fuzz-all --only {name} --replay {}", path.display());
        say(&line);
    }
    Ok(())
}
