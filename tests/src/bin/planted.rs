//! `cargo planted`: known mistakes, made on purpose one after the other; the suite must notice every one.
#![expect(clippy::print_stdout, reason = "this is a command for people")]

mod command;
mod verdict;

use std::{process::ExitCode, time::Instant};

use clap::Parser;
use tanba_crypto::planted::Defect;
use tanba_tests::planted::{Budget, hunt};

/// Known mistakes, made on purpose: the suite must notice every one.
#[derive(Parser, Debug)]
#[command(name = "cargo planted", bin_name = "cargo planted")]
struct Arguments {
    /// Only mistakes whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Seeds of the simulator for one mistake, at most.
    #[arg(long, default_value_t = 3_000)]
    seeds: u64,
    /// States of each scope of the model for one mistake, at most.
    #[arg(long, default_value_t = 200_000)]
    states: u64,
    /// Names the mistakes and ends.
    #[arg(long)]
    list: bool,
}

/// Seeds and states of the control: without a mistake the suite is silent.
const CONTROL: (u64, u64) = (200, 3_000);

fn main() -> ExitCode {
    let arguments: Arguments = match command::options("planted") {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let part = arguments.only.as_deref().unwrap_or_default().to_lowercase();
    let chosen = |defect: &Defect| format!("{defect:?}").to_lowercase().contains(&part);
    let defects: Vec<Defect> = Defect::ALL.into_iter().filter(chosen).collect();
    if arguments.list {
        defects.iter().for_each(|defect| println!("{defect:?}"));
        return ExitCode::SUCCESS;
    }
    verdict::conclude("planted", || run(&arguments, &defects))
}

fn run(arguments: &Arguments, defects: &[Defect]) -> Result<String, String> {
    if defects.is_empty() {
        return Err("no mistake has such a name; `cargo planted --list` names all".to_owned());
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let control = Budget { seeds: CONTROL.0, states: CONTROL.1, threads };
    if let Some(caught) = hunt(None, &control)? {
        return Err(format!("without any mistake the suite says: {caught}"));
    }
    println!("control: silent over {} seeds and {} states of each scope", CONTROL.0, CONTROL.1);
    let budget = Budget { seeds: arguments.seeds, states: arguments.states, threads };
    let mut missed = Vec::new();
    for defect in defects {
        let begun = Instant::now();
        let name = format!("{defect:?}");
        let caught = hunt(Some(*defect), &budget)?;
        let seconds = begun.elapsed().as_secs_f64();
        match caught {
            Some(caught) => {
                println!("caught  {name:<24} {seconds:>6.1} s  {}", shorten(&caught.to_string()));
            }
            None => {
                println!("MISSED  {name:<24} {seconds:>6.1} s");
                missed.push(name);
            }
        }
    }
    let (caught, all) = (defects.len() - missed.len(), defects.len());
    match missed.is_empty() {
        true => Ok(format!("caught {caught} of {all}")),
        false => Err(format!("caught {caught} of {all}; missed: {}", missed.join(", "))),
    }
}

/// The first words of a finding: enough to know it by.
fn shorten(text: &str) -> String {
    const WORDS_MAX: usize = 28;
    let words: Vec<&str> = text.split_whitespace().collect();
    let end = if words.len() > WORDS_MAX { " ..." } else { "" };
    words[..words.len().min(WORDS_MAX)].join(" ") + end
}
