//! `cargo model`: explores every scope, or plays Twins; one verdict line at the end.
#![expect(clippy::print_stdout, reason = "this is the command's output")]

use std::{
    process::ExitCode,
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering},
    time::Instant,
};

use tanba_tests::{
    model::{self, Report, Scope, explore::explore_part, scope},
    twins::{self, Plan},
};

const HELP: &str = "\
Looks at every state of agreement that a small world can reach, over the production engine and guard.

Usage: cargo model [--states N] [--scope NAME] [--json]
       cargo model twins [--members N] [--rounds R] [--sample N] [--seed S]

  --states N   different states in each scope at most; 1400000 unless given
  --scope NAME this scope alone
  --json       one JSON object a line for each part
  --rounds R   rounds in which the network is divided; 2 unless given
  --members N  validators, of whom f run twice; 4 unless given
  --sample N   so many scenarios drawn from --seed (1 unless given); all of them unless given

Scopes:";

/// Different states in each scope unless said otherwise: above 10^7 in all.
const STATES_MAX: u64 = 1_400_000;

fn main() -> ExitCode {
    // What panics inside is reported with its trace.
    std::panic::set_hook(Box::new(|_| {}));
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        help();
        return ExitCode::SUCCESS;
    }
    let verdict = match args.split_first() {
        Some((word, rest)) if word == "twins" => play(rest),
        _ => explore(&args),
    };
    match verdict {
        Ok(line) => {
            println!("OK: {line}");
            ExitCode::SUCCESS
        }
        Err(line) => {
            println!("FAILED: {line}");
            ExitCode::FAILURE
        }
    }
}

fn help() {
    println!("{HELP}");
    for scope in scope::scopes() {
        println!("  {:<16} {}", scope.name, scope.about);
    }
}

/// The value behind each known flag; `true` for one without a value.
fn options(args: &[String], known: &[&str], bare: &[&str]) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut rest = args.iter();
    while let Some(flag) = rest.next() {
        if bare.contains(&flag.as_str()) {
            found.push((flag.clone(), "true".into()));
        } else if known.contains(&flag.as_str()) {
            let value = rest.next().ok_or(format!("{flag} needs a value; see --help"))?;
            found.push((flag.clone(), value.clone()));
        } else {
            return Err(format!("model: there is no {flag}; see --help"));
        }
    }
    Ok(found)
}

fn value<'a>(options: &'a [(String, String)], flag: &str) -> Option<&'a str> {
    options.iter().rev().find(|(name, _)| name == flag).map(|(_, value)| value.as_str())
}

fn number(options: &[(String, String)], flag: &str) -> Result<Option<u64>, String> {
    let parse = |text: &str| text.parse().map_err(|_| format!("model: {flag} takes a number, not {text}"));
    value(options, flag).map(parse).transpose()
}

fn explore(args: &[String]) -> Result<String, String> {
    let options = options(args, &["--states", "--scope"], &["--json"])?;
    let states_max = number(&options, "--states")?.unwrap_or(STATES_MAX);
    let json = value(&options, "--json").is_some();
    let scopes = match value(&options, "--scope") {
        None => scope::scopes(),
        Some(name) => {
            vec![scope::named(name).ok_or(format!("model: there is no scope {name}; see --help"))?]
        }
    };
    let reports = explore_all(&scopes, states_max, json);
    if let Some((report, found)) = reports.iter().find_map(|report| Some((report, report.found.as_ref()?))) {
        println!("\n{found}");
        return Err(format!("model: {}: {}", report.scope, found.violation));
    }
    let states: u64 = reports.iter().map(Report::states).sum();
    let whole: Vec<&str> =
        reports.iter().filter(|report| report.is_exhausted()).map(|report| report.scope).collect();
    let whole = if whole.is_empty() { "none".to_owned() } else { whole.join(", ") };
    let count = reports.len();
    Ok(format!(
        "model: {states} states in {count} scopes, exhausted: {whole}; no disagreement, no dead state"
    ))
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
    let work = || {
        while let Some((number, first)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let scope = &scopes[*number];
            let (part, found) = explore_part(scope, *first, states_max / scope.firsts.len() as u64);
            show(scope, &part, json);
            let mut reports = reports.lock().expect("no worker panics while it reports");
            reports[*number].parts.push(part);
            if found.is_some() {
                reports[*number].found = found;
                next.store(jobs.len(), Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(work);
        work();
    });
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
    } else {
        let whole = if exhausted { "exhausted" } else { "bounded" };
        println!(
            "{name:<16} from {first}: {states:>8} states, {classes} classes ({whole}), {steps} steps, {locals} host states, depth \
             {depth}, {ends} ends, {probes} probes of at most {rounds} rounds, {seconds:.1} s"
        );
    }
}

fn play(args: &[String]) -> Result<String, String> {
    let options = options(args, &["--members", "--rounds", "--sample", "--seed"], &[])?;
    let members = number(&options, "--members")?.unwrap_or(4) as usize;
    let sample = number(&options, "--sample")?;
    if !(4..=13).contains(&members) || (members > 4 && sample.is_none()) {
        return Err("model: Twins plays 4 to 13 members, and more than 4 with --sample".into());
    }
    let plan = Plan {
        members,
        rounds: number(&options, "--rounds")?.unwrap_or(2) as usize,
        sample,
        seed: number(&options, "--seed")?.unwrap_or(1),
    };
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
