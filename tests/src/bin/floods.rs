//! `cargo floods`: floods a node in every way on every port, and says what it held and whether diplomas went on.
//!
//! The nodes are this program too: a node is started as `floods --home …`.

use std::{env, path::Path, process::ExitCode, time::Duration};

use tanba_tests::floods::{Damage, Field, Kind, MEMORY_BYTES_MAX, kinds};

const HELP: &str = "\
Floods a node of a real network in every way on every port.

Usage: cargo floods [--seconds N] [--only TEXT] [--list]

  --seconds N   time for each kind of flood [default: 10]
  --only TEXT   the kinds whose name holds the text
  --list        name the kinds and end
";

struct Options {
    each: Duration,
    only: String,
    list: bool,
}

fn main() -> ExitCode {
    if env::args().nth(1).is_some_and(|first| first == "--home") {
        return tanba_node::main();
    }
    match options() {
        Ok(Some(options)) => run(&options),
        Ok(None) => {
            say(HELP.trim_end());
            ExitCode::SUCCESS
        }
        Err(mistake) => {
            say(&format!("FAILED: floods: {mistake}; see cargo floods --help"));
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stdout, reason = "this program's results are its output")]
fn say(line: &str) {
    println!("{line}");
}

fn options() -> Result<Option<Options>, String> {
    let mut options = Options { each: Duration::from_secs(10), only: String::new(), list: false };
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--seconds" => {
                let seconds = value()?;
                let seconds = seconds.parse().map_err(|_| format!("{seconds:?} is no whole number"))?;
                options.each = Duration::from_secs(seconds);
            }
            "--only" => options.only = value()?,
            "--list" => options.list = true,
            "-h" | "--help" => return Ok(None),
            other => return Err(format!("{other} is not understood")),
        }
    }
    Ok(Some(options))
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
    let mut field = Field::prepare(program, folder).await;
    let calm = match field.run(None, options.each).await {
        Ok(calm) => calm,
        Err(harm) => {
            say(&format!("FAILED: floods: in calm: {harm}"));
            return ExitCode::FAILURE;
        }
    };
    say(&format!("{:44} {:>9} {:>9} {:>9} {:>7}", "flood", "blows", "memory", "diplomas", "median"));
    show("none", &calm, &calm);
    let (mut most, mut failed) = (calm.memory_bytes, 0);
    let (mut diplomas, mut slowest) = (0, 0.0f64);
    for kind in chosen {
        match field.run(Some(*kind), options.each).await {
            Ok(damage) => {
                show(kind.name, &damage, &calm);
                most = most.max(damage.memory_bytes);
                diplomas += damage.diplomas;
                slowest = slowest.max(ratio(&damage, &calm));
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
         median at most {slowest:.1} times that in calm"
    ));
    ExitCode::SUCCESS
}

fn ratio(damage: &Damage, calm: &Damage) -> f64 {
    damage.median.as_secs_f64() / calm.median.as_secs_f64()
}

fn show(name: &str, damage: &Damage, calm: &Damage) {
    let Damage { memory_bytes, blows, diplomas, median } = damage;
    let (memory, median, ratio) = (memory_bytes >> 20, median.as_millis(), ratio(damage, calm));
    say(&format!("{name:44} {blows:9} {memory:5} MiB {diplomas:9} {median:4} ms, {ratio:4.1} x"));
}
