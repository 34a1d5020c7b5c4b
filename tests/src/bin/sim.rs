//! `cargo sim`: runs the simulator, one seed with its trace or many without.
#![expect(clippy::print_stdout, reason = "this is a command for people")]

mod command;

use std::{
    collections::BTreeMap,
    io::IsTerminal,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Parser;
use serde_json::{Value, json};
use tanba_tests::sim::{self, Adversary, Fault, Hits, RESUME_MS_MAX, Replay, Seen, Trace, Violation};

/// Whole clusters of the real replica under faults, deterministic from a seed.
#[derive(Parser, Debug)]
#[command(name = "cargo sim", bin_name = "cargo sim")]
struct Arguments {
    /// Replays this one seed and prints what happened.
    seed: Option<u64>,
    /// How many seeds to run.
    #[arg(long, default_value_t = 2_000, conflicts_with = "seed",
        value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1, conflicts_with = "seed")]
    from: u64,
    /// Threads; by default one for each processor.
    #[arg(long)]
    threads: Option<usize>,
    /// Prints the result as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Violations that are told one by one.
const TOLD_MAX: usize = 10;

/// So many seeds must show every kind of fault and adversary.
const ENOUGH_RUNS: u64 = 500;

/// From one line of progress to the next.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    match command::options::<Arguments>("sim") {
        Ok(Arguments { seed: Some(seed), .. }) => one(seed),
        Ok(arguments) => many(&arguments),
        Err(code) => code,
    }
}

fn one(seed: u64) -> ExitCode {
    match sim::run(seed, Trace::written()) {
        Ok(seen) => {
            seen.trace.lines().for_each(|line| println!("{line}"));
            println!(
                "OK: seed {seed}: {} blocks, resumed in {} ms; no violation",
                seen.blocks, seen.resume_ms
            );
            ExitCode::SUCCESS
        }
        Err(violation) => {
            violation.trace.lines().for_each(|line| println!("{line}"));
            println!("FAILED: seed {seed}: {}", violation.what);
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Sum {
    runs: u64,
    hits: Hits,
    runs_hit: BTreeMap<Fault, u64>,
    blocks: u64,
    acknowledged: u64,
    simulated_ms: u64,
    resume_ms_max: u64,
    wait_ms_max: u64,
    violations: Vec<Violation>,
}

impl Sum {
    fn add(&mut self, result: Result<Seen, Box<Violation>>) {
        self.runs += 1;
        match result {
            Ok(seen) => {
                self.hits.add(&seen.hits);
                for fault in Fault::ALL.into_iter().filter(|fault| seen.hits.of(*fault) > 0) {
                    *self.runs_hit.entry(fault).or_default() += 1;
                }
                self.blocks += seen.blocks;
                self.acknowledged += seen.acknowledged;
                self.simulated_ms += seen.simulated_ms;
                self.resume_ms_max = self.resume_ms_max.max(seen.resume_ms);
                self.wait_ms_max = self.wait_ms_max.max(seen.wait_ms);
            }
            Err(violation) => self.violations.push(*violation),
        }
    }

    /// The kinds that did nothing. A handful of seeds need not show all; a large run must.
    fn never_hit(&self) -> Vec<String> {
        let hits = &self.hits;
        let faults = Fault::ALL.iter().filter(|fault| hits.of(**fault) == 0).map(Fault::to_string);
        let idle = Adversary::ALL.iter().filter(|it| hits.deeds_of(**it) == 0).map(Adversary::to_string);
        let replays = Replay::ALL.iter().filter(|it| hits.replays_of(**it) == 0).map(Replay::to_string);
        faults.chain(idle).chain(replays).collect()
    }

    fn is_ok(&self) -> bool {
        self.violations.is_empty() && (self.runs < ENOUGH_RUNS || self.never_hit().is_empty())
    }

    fn seeds_with_violations(&self) -> Vec<u64> {
        let mut seeds: Vec<u64> = self.violations.iter().map(|violation| violation.seed).collect();
        seeds.sort_unstable();
        seeds
    }
}

fn many(arguments: &Arguments) -> ExitCode {
    let threads =
        arguments.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from.saturating_add(arguments.seeds);
    let sum = Mutex::new(Sum::default());
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    let result = sim::run(seed, Trace::silent());
                    let mut sum = sum.lock().expect("no thread ends while it holds the sum");
                    if let (Err(violation), false) = (&result, arguments.json)
                        && sum.violations.len() < TOLD_MAX
                    {
                        println!("seed {seed}: {}\n  {}", violation.what, violation.plan);
                    }
                    sum.add(result);
                }
            });
        }
        if !arguments.json {
            scope.spawn(|| report_progress(&sum, &next, arguments, begun));
        }
    });
    let sum = sum.into_inner().expect("every thread ended well");
    if arguments.json {
        print_json(&sum);
    } else {
        print_table(&sum, begun.elapsed());
        println!("{}", verdict(&sum));
    }
    if sum.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report_progress(sum: &Mutex<Sum>, next: &AtomicU64, arguments: &Arguments, begun: Instant) {
    let (seeds, end) = (arguments.seeds, arguments.from.saturating_add(arguments.seeds));
    let mut told = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(100));
        let (runs, violations) = {
            let sum = sum.lock().expect("no thread ends while it holds the sum");
            (sum.runs, sum.violations.len())
        };
        if next.load(Ordering::Relaxed) >= end {
            return;
        }
        let every = if std::io::stdout().is_terminal() { PROGRESS_EVERY } else { PROGRESS_EVERY * 6 };
        if told.elapsed() >= every {
            told = Instant::now();
            println!("{runs} of {seeds} seeds, {violations} violations, {} s", begun.elapsed().as_secs());
        }
    }
}

fn print_table(sum: &Sum, took: Duration) {
    println!("fault                 seeds hit          hits");
    for fault in Fault::ALL {
        let runs = sum.runs_hit.get(&fault).copied().unwrap_or_default();
        println!("{:<20}  {runs:>9}  {:>12}", fault.to_string(), sum.hits.of(fault));
    }
    println!("adversary                               deeds");
    for adversary in Adversary::ALL {
        println!("{:<20}             {:>12}", adversary.to_string(), sum.hits.deeds_of(adversary));
    }
    for replay in Replay::ALL {
        println!("{:<20}             {:>12}", replay.to_string(), sum.hits.replays_of(replay));
    }
    println!("stores healed: {}", sum.hits.healed);
    println!("blocks: {}, transactions acknowledged: {}", sum.blocks, sum.acknowledged);
    println!(
        "longest from mending to final: {} ms (bound {RESUME_MS_MAX} ms), {} ms with the times honest nodes were down",
        sum.resume_ms_max, sum.wait_ms_max
    );
    let seconds = took.as_secs_f64();
    let times = sum.simulated_ms as f64 / 1_000.0 / seconds;
    println!(
        "{:.0} s simulated in {seconds:.1} s: {times:.0} times as fast as life",
        sum.simulated_ms as f64 / 1e3
    );
}

fn print_json(sum: &Sum) {
    let hits = Fault::ALL.iter().map(|it| (it.to_string(), sum.hits.of(*it)));
    let deeds = Adversary::ALL.iter().map(|it| (it.to_string(), sum.hits.deeds_of(*it)));
    let replays = Replay::ALL.iter().map(|it| (it.to_string(), sum.hits.replays_of(*it)));
    let object = |counts: &mut dyn Iterator<Item = (String, u64)>| {
        Value::Object(counts.map(|(name, count)| (name, count.into())).collect())
    };
    let whole = json!({
        "ok": sum.is_ok(),
        "seeds": sum.runs,
        "violations": sum.seeds_with_violations(),
        "never_hit": sum.never_hit(),
        "blocks": sum.blocks,
        "acknowledged": sum.acknowledged,
        "resume_ms_max": sum.resume_ms_max,
        "wait_ms_max": sum.wait_ms_max,
        "hits": object(&mut { hits }),
        "deeds": object(&mut deeds.chain(replays)),
    });
    println!("{whole}");
}

fn verdict(sum: &Sum) -> String {
    let (never, seeds, runs) = (sum.never_hit(), sum.seeds_with_violations(), sum.runs);
    match seeds.first() {
        Some(first) => {
            format!(
                "FAILED: {} of {runs} seeds show a violation; replay with: cargo sim {first}",
                seeds.len()
            )
        }
        None if !sum.is_ok() => format!("FAILED: these never did anything: {}", never.join(", ")),
        None => {
            let all = Fault::ALL.len() + Adversary::ALL.len() + Replay::ALL.len();
            let hit = all - never.len();
            format!("OK: {runs} seeds, {hit} of {all} kinds of faults and adversaries hit, 0 violations")
        }
    }
}
