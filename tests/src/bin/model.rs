//! `cargo model`: explores every scope, or plays Twins; one verdict line at the end.
#![expect(clippy::print_stdout, reason = "this is the command's output")]

mod command;
mod verdict;

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use clap::{Args, Parser, Subcommand};
use tanba_tests::{
    model::{self, Report, Scope, explore::explore_part, scope},
    twins::{self, Plan},
};

/// Looks at every state of agreement that a small world can reach, over the production engine and guard.
#[derive(Parser, Debug)]
#[command(
    name = "cargo model",
    bin_name = "cargo model",
    args_conflicts_with_subcommands = true,
    after_help = about_scopes()
)]
struct Arguments {
    /// Different states in each scope, at most. Unless said otherwise above 10^7 in all.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    states: u64,
    /// This scope alone.
    #[arg(long, value_name = "NAME")]
    scope: Option<String>,
    /// Prints one JSON object for each part.
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Lets f validators run twice, on every side of every division of the network.
    Twins(TwinsArguments),
}

#[derive(Args, Debug)]
struct TwinsArguments {
    /// Validators, of whom f run twice; more than 4 need --sample.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(4..=13))]
    members: u64,
    /// Rounds in which the network is divided.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=100))]
    rounds: u64,
    /// So many scenarios, drawn from the seed; all of them unless given.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    sample: Option<u64>,
    /// What a sample is drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments: Arguments = match command::options("model") {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    verdict::conclude("model", || match &arguments.command {
        Some(Command::Twins(twins)) => play(twins),
        None => explore(&arguments),
    })
}

fn about_scopes() -> String {
    let lines = scope::scopes().into_iter().map(|scope| format!("  {:<16} {}\n", scope.name, scope.about));
    format!("Scopes:\n{}", lines.collect::<String>())
}

fn explore(arguments: &Arguments) -> Result<String, String> {
    let scopes = match &arguments.scope {
        None => scope::scopes(),
        Some(name) => {
            vec![scope::named(name).ok_or(format!("model: there is no scope {name}; see --help"))?]
        }
    };
    let reports = explore_all(&scopes, arguments.states, arguments.json);
    if let Some((report, found)) = reports.iter().find_map(|report| Some((report, report.found.as_ref()?))) {
        println!("\n{found}");
        return Err(format!("model: {}: {}", report.scope, found.violation));
    }
    let states: u64 = reports.iter().map(Report::states).sum();
    let whole: Vec<&str> =
        reports.iter().filter(|report| report.is_exhausted()).map(|report| report.scope).collect();
    let whole = if whole.is_empty() { "none".to_owned() } else { whole.join(", ") };
    let unprobed: Vec<&str> =
        reports.iter().filter(|report| report.probes() == 0).map(|report| report.scope).collect();
    let count = reports.len();
    let progress = match unprobed.len() {
        0 => "no dead state".to_owned(),
        all if all == count => "progress not promised".to_owned(),
        _ => format!("no dead state (progress not promised in {})", unprobed.join(", ")),
    };
    Ok(format!("model: {states} states in {count} scopes, exhausted: {whole}; no disagreement, {progress}"))
}

/// Two workers share the parts of all scopes.
fn explore_all(scopes: &[Scope], states_max: u64, json: bool) -> Vec<Report> {
    let reports: Vec<Report> =
        scopes.iter().map(|scope| Report { scope: scope.name, parts: Vec::new(), found: None }).collect();
    let reports = Mutex::new(reports);
    let jobs: Vec<(usize, u64)> = scopes
        .iter()
        .enumerate()
        .flat_map(|(number, scope)| scope.firsts.iter().map(move |first| (number, *first)))
        .collect();
    let next = AtomicUsize::new(0);
    let stop = || next.store(jobs.len(), Ordering::Relaxed);
    let work = || {
        while let Some((number, first)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let scope = &scopes[*number];
            let states_max = states_max.div_ceil(scope.firsts.len() as u64);
            let (part, found) = explore_part(scope, *first, states_max);
            show(scope, &part, json);
            let mut reports = reports.lock().expect("no worker panics while it reports");
            reports[*number].parts.push(part);
            if found.is_some() {
                reports[*number].found = found;
                stop();
            }
        }
    };
    // When one fails, the other ends with its part.
    let worker = || catch_unwind(AssertUnwindSafe(work)).inspect_err(|_| stop());
    let outcomes = thread::scope(|threads| {
        let other = threads.spawn(worker);
        [worker(), other.join().expect("a worker catches its panics")]
    });
    for outcome in outcomes {
        outcome.unwrap_or_else(|panic| resume_unwind(panic));
    }
    reports.into_inner().expect("all workers are done")
}

fn show(scope: &Scope, part: &model::Part, json: bool) {
    let model::Part {
        first,
        states,
        classes,
        steps,
        locals,
        depth,
        ends,
        probes,
        rounds,
        exhausted,
        seconds,
    } = *part;
    let name = scope.name;
    if json {
        println!(
            "{{\"scope\":\"{name}\",\"first\":{first},\"states\":{states},\"classes\":{classes},\"steps\":{steps},\
             \"locals\":{locals},\"depth\":{depth},\"ends\":{ends},\"probes\":{probes},\
             \"rounds\":{rounds},\"exhausted\":{exhausted},\"seconds\":{seconds:.1}}}"
        );
        return;
    }
    let whole = if exhausted { "exhausted" } else { "bounded" };
    println!(
        "{name:<16} from {first}: {states:>8} states, {classes} classes ({whole}), {steps} steps, {locals} host states, \
         depth {depth}, {ends} ends, {}, {seconds:.1} s",
        Probes { count: probes, rounds }
    );
}

/// Probes of progress, in words.
struct Probes {
    count: u64,
    rounds: usize,
}

impl fmt::Display for Probes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            0 => write!(f, "progress not promised"),
            count => write!(f, "{count} probes of at most {} rounds", self.rounds),
        }
    }
}

fn play(arguments: &TwinsArguments) -> Result<String, String> {
    let TwinsArguments { members, rounds, sample, seed } = *arguments;
    if members > 4 && sample.is_none() {
        return Err("model: Twins plays more than 4 members with --sample only".into());
    }
    let plan = Plan { members: members as usize, rounds: rounds as usize, sample, seed };
    let begun = Instant::now();
    let report = twins::twins(&plan);
    if let Some(found) = report.found {
        println!("{found}");
        return Err(format!("twins: {}", found.violation));
    }
    let twins::Report { scenarios, runs, early, rounds, found: _ } = report;
    Ok(format!(
        "twins: {scenarios} scenarios ({runs} different runs) of {members} members over {} rounds in {:.1} s, {early} \
         decided before healing, all within {rounds} rounds after; no disagreement, only twins convicted",
        plan.rounds,
        begun.elapsed().as_secs_f64()
    ))
}
