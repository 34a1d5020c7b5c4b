//! `tanba devnet`: a whole network on this machine, and a class of diplomas on its way through it.

use std::{
    io::IsTerminal,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{CliError, Context, Exit, Output};
use crate::devnet::{self, Devnet, DevnetError, Options, ProcessError, story::Teller};

/// The sample class that comes with the program: 1,000 invented graduates.
const SAMPLE_CLASS: &[u8] = include_bytes!("../../../examples/class-2026.csv");

/// `tanba devnet`
#[derive(Debug, Args)]
pub struct DevnetArgs {
    /// Leave the network running afterwards and print how to use it; Ctrl-C ends it
    #[arg(long)]
    keep: bool,
    /// The class list [default: the sample class of 1,000 invented graduates]
    #[arg(long, value_name = "CSV")]
    class: Option<PathBuf>,
    /// A directory to make for homes, logs and the graduates' files; it must not exist [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Transactions of one diploma after the batches
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    singles: u64,
    /// Milliseconds from one batch to the next
    #[arg(long, default_value_t = 50, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=60_000))]
    batch_every_ms: u64,
    /// Milliseconds from one single transaction to the next
    #[arg(long, default_value_t = 10, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=60_000))]
    single_every_ms: u64,
}

/// Does what `args` say.
pub fn run(args: DevnetArgs, ctx: &Context) -> Result<(), CliError> {
    let class = match &args.class {
        Some(path) => crate::issue::files::read_bounded(path, crate::issue::roster::ROSTER_BYTES_MAX)
            .map_err(|error| failed(&DevnetError::Class(error.to_string())))?,
        None => SAMPLE_CLASS.to_vec(),
    };
    let program = std::env::current_exe().map_err(|error| {
        failed(&DevnetError::Founding(format!("this program does not know its own path: {error}")))
    })?;
    let folder = args
        .folder
        .unwrap_or_else(|| std::env::temp_dir().join(format!("tanba-devnet-{}", std::process::id())));
    make(&folder)?;
    let options = Options {
        program,
        folder,
        class,
        singles: args.singles as usize,
        batch_every: Duration::from_millis(args.batch_every_ms),
        single_every: Duration::from_millis(args.single_every_ms),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(&DevnetError::Founding(error.to_string())))?;
    let teller = Lines::new(ctx.output);
    let result = runtime.block_on(async {
        tokio::select! {
            told = tell(&options, args.keep, &teller, ctx) => told,
            () = super::run::told_to_stop() => if teller.is_over() { Ok(()) } else { Err(interrupted()) },
        }
    });
    // Ends the nodes that are left: whoever drops them kills them, and the runtime waits for their end.
    drop(runtime);
    // What they kept goes only when nothing is to be looked into; this run made the folder.
    match &result {
        Ok(()) => remove(&options.folder, ctx),
        Err(error) if error.exit == Exit::Interrupted => remove(&options.folder, ctx),
        Err(_) => ctx.output.note(&format!("homes and logs are kept in {}", options.folder.display())),
    }
    result
}

async fn tell(options: &Options, keep: bool, teller: &Lines, ctx: &Context) -> Result<(), CliError> {
    let (mut devnet, report) = devnet::run(options, teller).await.map_err(|error| failed(&error))?;
    teller.finish();
    if keep {
        teller.over.store(true, Ordering::Relaxed);
        ctx.output.data("tanba.devnet.v1", &report, |out| report.write(out))?;
        explain(&devnet, options, ctx);
        // Until Ctrl-C, which the caller waits for; a node that ends by itself ends the run.
        loop {
            for node in &mut devnet.nodes {
                node.check_running().map_err(|error| failed(&error.into()))?;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    for node in &mut devnet.nodes {
        node.stop().await.map_err(|error| failed(&error.into()))?;
    }
    ctx.output.data("tanba.devnet.v1", &report, |out| report.write(out))
}

/// Makes the folder; one that exists may hold what is not ours to remove.
fn make(folder: &std::path::Path) -> Result<(), CliError> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(folder).map_err(|error| {
        let what = format!("cannot make {}: {error}", folder.display());
        CliError::new(Exit::Conflict, "FOLDER", what, "name a folder that does not exist, in one that does")
    })
}

fn explain(devnet: &Devnet, options: &Options, ctx: &Context) {
    ctx.output.note(&format!(
        "\nthe network goes on in {}; Ctrl-C ends it and removes it",
        options.folder.display()
    ));
    for node in &devnet.nodes {
        let metrics = node.metrics.as_deref().unwrap_or("none");
        ctx.output.note(&format!("  {:32} gRPC {}  metrics {metrics}", node.name(), node.grpc));
    }
    let observer = devnet.nodes.last().expect("the observer");
    let program = options.program.display();
    ctx.output.note(&format!("\n  {program} status --node {}", observer.grpc));
    ctx.output.note(&format!("  {program} blocks --node {} --follow", observer.grpc));
    ctx.output.note(&format!("  {program} peers --node {}", observer.grpc));
    let (home, graduates) = (observer.home().root().display(), options.folder.join(devnet::GRADUATES));
    let (graduate, node) = (|number: &str| graduates.join(number).display().to_string(), &observer.grpc);
    ctx.output.note(&format!("  {program} --home {home} verify {} --node {node}", graduate("0010.json")));
    ctx.output.note(&format!(
        "  {program} --home {home} holder restrict --holder-file {} --node {node}",
        graduate("0010.json")
    ));
}

fn remove(folder: &std::path::Path, ctx: &Context) {
    if folder.exists()
        && let Err(error) = std::fs::remove_dir_all(folder)
    {
        ctx.output.note(&format!("{} could not be removed: {error}", folder.display()));
    }
}

fn interrupted() -> CliError {
    CliError::new(Exit::Interrupted, "INTERRUPTED", "stopped by the user", "run the command again")
}

fn failed(error: &DevnetError) -> CliError {
    let next_step = match error {
        DevnetError::Founding(_) => "mend what the message says and run the command again",
        DevnetError::Class(_) => "mend the class list and run the command again",
        DevnetError::Process(ProcessError::Ended { .. } | ProcessError::Silent { .. }) => {
            "read the node's log, and run the command again"
        }
        DevnetError::Process(_) | DevnetError::Client(_) => {
            "run the command again; if it fails again, read the logs"
        }
        DevnetError::Broken { .. } => "this must not happen: keep the logs and report it",
    };
    CliError::new(Exit::Failure, "DEVNET", error.to_string(), next_step)
}

/// Tells on a terminal with bars, elsewhere with plain lines.
struct Lines {
    output: Output,
    bar: Option<Mutex<Bar>>,
    /// The story is told and the network is only kept: then a wish to stop is no interruption.
    over: AtomicBool,
}

struct Bar {
    what: String,
    bar: ProgressBar,
}

impl Lines {
    fn new(output: Output) -> Lines {
        let draws = std::io::stderr().is_terminal() && !output.is_json();
        let hidden = || Mutex::new(Bar { what: String::new(), bar: ProgressBar::hidden() });
        Lines { output, bar: draws.then(hidden), over: AtomicBool::new(false) }
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner).bar.finish_and_clear();
        }
    }
}

impl Teller for Lines {
    fn say(&self, line: &str) {
        self.finish();
        self.output.note(line);
    }

    fn progress(&self, what: &str, done: usize, all: usize) {
        let Some(held) = &self.bar else { return };
        let mut held = held.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if held.what != what {
            held.bar.finish_and_clear();
            let style = ProgressStyle::with_template("{msg:16} {bar:40} {pos}/{len}");
            let bar = ProgressBar::new(all as u64).with_message(what.to_owned());
            held.bar = match style {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            };
            held.what = what.to_owned();
        }
        held.bar.set_position(done as u64);
        if done == all {
            held.bar.finish_and_clear();
        }
    }
}
