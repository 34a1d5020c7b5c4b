//! `cargo floods`: floods a node in every way on every port, and says what it held and whether diplomas went on.
//!
//! The nodes are this program too: a node is started as `floods --home …`.

mod command;

use std::{env, num::NonZeroU64, path::Path, process::ExitCode, time::Duration};

use clap::Parser;
use tanba_tests::floods::{Damage, Field, Kind, MEMORY_BYTES_MAX, kinds};

/// Floods a node of a real network in every way on every port.
#[derive(Parser, Debug)]
#[command(name = "cargo floods", bin_name = "cargo floods")]
struct Options {
    /// Time for each kind of flood.
    #[arg(long, value_name = "N", default_value = "10")]
    seconds: NonZeroU64,
    /// The kinds whose name holds the text.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    only: String,
    /// Names the kinds and ends.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    if env::args_os().nth(1).is_some_and(|first| first == "--home") {
        return tanba_node::main();
    }
    match command::options("floods") {
        Ok(options) => run(&options),
        Err(code) => code,
    }
}

#[expect(clippy::print_stdout, reason = "this program's results are its output")]
fn say(line: &str) {
    println!("{line}");
}

fn run(options: &Options) -> ExitCode {
    let chosen: Vec<_> = kinds().into_iter().filter(|kind| kind.name.contains(&options.only)).collect();
    if options.list {
        chosen.iter().for_each(|kind| say(kind.name));
        return ExitCode::SUCCESS;
    }
    if chosen.is_empty() {
        say(&format!("FAILED: floods: no kind's name holds {:?}; --list names them", options.only));
        return ExitCode::from(2);
    }
    let program = env::current_exe().expect("the system tells what runs");
    let folder = tempfile::tempdir().expect("a folder for the network");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(flood(options, &chosen, &program, folder.path()))
}

async fn flood(options: &Options, chosen: &[Kind], program: &Path, folder: &Path) -> ExitCode {
    let each = Duration::from_secs(options.seconds.get());
    let mut field = Field::prepare(program, folder).await;
    let calm = match field.calm(each).await {
        Ok(calm) => calm,
        Err(harm) => {
            say(&format!("FAILED: floods: in calm: {harm}"));
            return ExitCode::FAILURE;
        }
    };
    say(&format!("a diploma must be final within {:.0} s", field.within().as_secs_f64()));
    say(&format!("{:44} {:>9} {:>9} {:>9} {:>7}", "flood", "blows", "memory", "diplomas", "median"));
    show("none", &calm, &calm);
    let (mut most, mut failed) = (calm.memory_bytes, 0);
    let (mut diplomas, mut slowest) = (0, calm.slowest);
    for kind in chosen {
        match field.run(*kind, each).await {
            Ok(damage) => {
                show(kind.name, &damage, &calm);
                most = most.max(damage.memory_bytes);
                diplomas += damage.diplomas;
                slowest = slowest.max(damage.slowest);
            }
            Err(harm) => {
                say(&format!("{:44} FAILED: {harm}", kind.name));
                failed += 1;
            }
        }
    }
    let (kinds, most, bound) = (chosen.len(), most >> 20, MEMORY_BYTES_MAX >> 20);
    if failed > 0 {
        say(&format!(
            "FAILED: floods: {failed} of {kinds} kinds did harm, see above; again: cargo floods --only NAME"
        ));
        return ExitCode::FAILURE;
    }
    say(&format!(
        "OK: floods: {kinds} kinds, most memory {most} MiB (bound {bound}), diplomas went on: {diplomas} final, \
         each within {:.1} s (bound {:.0})",
        slowest.as_secs_f64(),
        field.within().as_secs_f64()
    ));
    ExitCode::SUCCESS
}

fn ratio(damage: &Damage, calm: &Damage) -> f64 {
    damage.median.as_secs_f64() / calm.median.as_secs_f64()
}

fn show(name: &str, damage: &Damage, calm: &Damage) {
    let Damage { memory_bytes, blows, diplomas, median, slowest } = damage;
    let (memory, median, ratio) = (memory_bytes >> 20, median.as_millis(), ratio(damage, calm));
    let slowest = slowest.as_secs_f64();
    say(&format!(
        "{name:44} {blows:9} {memory:5} MiB {diplomas:9} {median:4} ms, {ratio:4.1} x, at most {slowest:.1} s"
    ));
}
