//! `cargo chaos`: networks of real processes under real faults. Unless it is told of another, the nodes are this same
//! program, so that no stale one can be hurt in their place.
#![expect(clippy::print_stdout, reason = "the verdict of a command is printed")]

mod command;

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use serde_json::json;
use tanba_tests::chaos::{Plan, Scenario, Stopped, in_memory, options::Options, report::Figures};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

/// The first argument of every node: what begins with it is a command line of `tanba`.
const IS_A_NODE: &str = "--home";

fn main() -> ExitCode {
    if std::env::args_os().nth(1).as_deref() == Some(OsStr::new(IS_A_NODE)) {
        return tanba_node::main();
    }
    let options: Options = match command::options("chaos") {
        Ok(options) => options,
        Err(code) => return code,
    };
    if options.list {
        Scenario::ALL.iter().for_each(|one| println!("{:14}{}", one.name(), one.about()));
        return ExitCode::SUCCESS;
    }
    match left_out(&options).and_then(|()| program(&options)) {
        Ok(program) => run(&options, &program),
        Err(why) => {
            println!("FAILED: chaos: {why}");
            ExitCode::FAILURE
        }
    }
}

/// What is required must be among what is to run.
fn left_out(options: &Options) -> Result<(), String> {
    match options.left_out().first() {
        None => Ok(()),
        Some(scenario) => Err(format!("{} is required, but is not to run", scenario.name())),
    }
}

/// The program of the nodes.
fn program(options: &Options) -> Result<PathBuf, String> {
    let Some(asked) = &options.program else {
        return std::env::current_exe()
            .map_err(|error| format!("the program that runs is not told: {error}"));
    };
    match fs::canonicalize(asked) {
        Ok(path) if path.is_file() => Ok(path),
        Ok(_) => Err(format!("{} is no program", asked.display())),
        Err(error) => {
            Err(format!("{}: {error}; build it first, with cargo build --release", asked.display()))
        }
    }
}

/// How all scenarios ended.
#[derive(Default)]
struct Verdict {
    ran: usize,
    figures: Figures,
    skipped: Vec<String>,
    failed: Vec<String>,
}

impl Verdict {
    /// Notes what this machine lacks something for: a failure, if it is required.
    fn skip(&mut self, what: String, is_required: bool) {
        if is_required {
            self.failed.push(format!("required, but skipped: {what}"));
        }
        self.skipped.push(what);
    }
}

fn run(options: &Options, program: &Path) -> ExitCode {
    eprintln!("the nodes are {}", program.display());
    let folder = options.folder().join(format!("tanba-chaos-{}", std::process::id()));
    let mut verdict = Verdict::default();
    for scenario in &options.scenarios() {
        let began = Instant::now();
        let own = folder.join(scenario.name());
        let ended = run_one(options, *scenario, &own, program);
        let seconds = began.elapsed().as_secs_f64();
        match ended {
            Ok(figures) => {
                eprintln!("{}: {figures} ({seconds:.0} s)", scenario.name());
                figures.notes.iter().for_each(|note| eprintln!("  {note}"));
                for part in &figures.skipped {
                    eprintln!("  skipped: {part}");
                    verdict.skip(format!("{}: {part}", scenario.name()), options.requires(*scenario));
                }
                verdict.figures.add(&figures);
                verdict.ran += 1;
            }
            Err(Stopped::Skipped(why)) => {
                eprintln!("skipped {}: {why}", scenario.name());
                verdict.skip(format!("{} ({why})", scenario.name()), options.requires(*scenario));
            }
            Err(Stopped::Failed(what)) => {
                eprintln!("FAILED {}: {what}", scenario.name());
                // The verdict is one line; a log stands above it.
                let what = what.lines().next().unwrap_or_default();
                let kept = [in_memory(&own), own].into_iter().filter(|kept| kept.exists());
                let kept: Vec<String> = kept.map(|kept| kept.display().to_string()).collect();
                verdict.failed.push(format!(
                    "{}: {what}; seed {}, homes and logs in {}",
                    scenario.name(),
                    options.seed,
                    kept.join(" and ")
                ));
                continue;
            }
        }
        remove(&own);
    }
    if verdict.failed.is_empty() {
        remove(&folder);
    }
    tell(options, &verdict)
}

/// Runs one scenario in a runtime of its own, whose end ends every process it has left.
fn run_one(options: &Options, scenario: Scenario, folder: &Path, program: &Path) -> Result<Figures, Stopped> {
    fs::create_dir_all(folder)?;
    let mut plan = Plan::new(options.clone(), scenario, folder.to_owned(), program.to_owned());
    let runtime = Runtime::new()?;
    runtime.block_on(async {
        // A task of its own: what the harness asserts fails the scenario, not the command.
        let running = tokio::spawn(async move { scenario.run(&mut plan).await });
        let stop = running.abort_handle();
        tokio::select! {
            ended = running => ended?,
            () = stopped() => {
                stop.abort();
                Err(Stopped::Failed("stopped by the user".to_owned()))
            }
        }
    })
}

/// Returns when somebody wants this to end: file systems are unmounted then, and processes ended.
async fn stopped() {
    let mut terminate = signal(SignalKind::terminate()).expect("a runtime with signals");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

fn remove(folder: &Path) {
    if let Err(error) = fs::remove_dir_all(folder) {
        eprintln!("{} could not be removed: {error}", folder.display());
    }
}

fn tell(options: &Options, verdict: &Verdict) -> ExitCode {
    let ok = verdict.failed.is_empty() && verdict.ran > 0;
    if options.json {
        let mut object = verdict.figures.to_json();
        object["ok"] = json!(ok);
        // What failed did not count to the end.
        object["lost"] = if ok { json!(0) } else { json!(null) };
        object["seed"] = json!(options.seed);
        object["skipped"] = json!(verdict.skipped);
        object["failed"] = json!(verdict.failed);
        println!("{object}");
    } else if ok {
        let skipped = if verdict.skipped.is_empty() { "none".to_owned() } else { verdict.skipped.join(", ") };
        println!("OK: chaos: {}; skipped: {skipped}", verdict.figures);
    } else if verdict.failed.is_empty() {
        println!("FAILED: chaos: nothing ran; skipped: {}", verdict.skipped.join(", "));
    } else {
        println!("FAILED: chaos: {}", verdict.failed.join(" | "));
    }
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
