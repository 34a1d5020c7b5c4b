//! `cargo sim`: runs the simulator, one seed with its trace or many without.
#![expect(clippy::print_stdout, reason = "this is a command for people")]

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
use tanba_tests::sim::{self, Adversary, Fault, Hits, RESUME_MS_MAX, Seen, Trace, Violation};

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

/// From one line of progress to the next.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.seed {
        Some(seed) => one(seed),
        None => many(&arguments),
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
            }
            Err(violation) => self.violations.push(*violation),
        }
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
                    if let Err(violation) = &result
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
        print_json(&sum)
    } else {
        print_table(&sum, begun.elapsed())
    }
    verdict(&sum, arguments.json)
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
    println!("stores healed: {}", sum.hits.healed);
    println!("blocks: {}, transactions acknowledged: {}", sum.blocks, sum.acknowledged);
    println!("longest from mending to final: {} ms (bound {RESUME_MS_MAX} ms)", sum.resume_ms_max);
    let seconds = took.as_secs_f64();
    let times = sum.simulated_ms as f64 / 1_000.0 / seconds;
    println!(
        "{:.0} s simulated in {seconds:.1} s: {times:.0} times as fast as life",
        sum.simulated_ms as f64 / 1e3
    );
}

fn print_json(sum: &Sum) {
    let faults: Vec<String> =
        Fault::ALL.iter().map(|fault| format!("\"{fault}\":{}", sum.hits.of(*fault))).collect();
    let deeds: Vec<String> =
        Adversary::ALL.iter().map(|it| format!("\"{it}\":{}", sum.hits.deeds_of(*it))).collect();
    let seeds: Vec<String> = sum.violations.iter().map(|violation| violation.seed.to_string()).collect();
    println!(
        "{{\"seeds\":{},\"violations\":[{}],\"blocks\":{},\"acknowledged\":{},\"resume_ms_max\":{},\"hits\":{{{}}},\"deeds\":{{{}}}}}",
        sum.runs,
        seeds.join(","),
        sum.blocks,
        sum.acknowledged,
        sum.resume_ms_max,
        faults.join(","),
        deeds.join(",")
    );
}

fn verdict(sum: &Sum, json: bool) -> ExitCode {
    let idle = Adversary::ALL.iter().filter(|a| sum.hits.deeds_of(**a) == 0).map(Adversary::to_string);
    let unhit = Fault::ALL.iter().filter(|f| sum.hits.of(**f) == 0).map(Fault::to_string);
    let never: Vec<String> = unhit.chain(idle).collect();
    let mut seeds: Vec<u64> = sum.violations.iter().map(|violation| violation.seed).collect();
    seeds.sort_unstable();
    // A handful of seeds need not show everything; a large run must.
    let complete = never.is_empty() || sum.runs < 500;
    let line = if let Some(first) = seeds.first() {
        format!(
            "FAILED: {} of {} seeds show a violation; replay with: cargo sim {first}",
            seeds.len(),
            sum.runs
        )
    } else if !complete {
        format!("FAILED: these never did anything: {}", never.join(", "))
    } else {
        let all = Fault::ALL.len() + Adversary::ALL.len();
        let kinds = all - never.len();
        format!("OK: {} seeds, {kinds} of {all} kinds of faults and adversaries hit, 0 violations", sum.runs)
    };
    if !json {
        println!("{line}");
    }
    if seeds.is_empty() && complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
