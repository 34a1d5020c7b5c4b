//! `tanba db`: the store of a home, looked at while no node runs in it.

use std::io::IsTerminal;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use tanba_consensus::{guard::Guard, promise::Record};
use tanba_storage::{
    DiskStore, Journal, JournalCondition, Store, StoreError,
    check::{CheckReport, Damage},
    replay::by_the_rules,
};

use super::{CliError, Context, Exit};

/// Where progress is not drawn, a line says how far the check is after so many blocks or nodes.
const LINE_EVERY: u64 = 65_536;

/// `tanba db`
#[derive(Debug, Args)]
pub struct DbArgs {
    #[command(subcommand)]
    command: DbCommand,
}

/// The verbs.
#[derive(Debug, Subcommand)]
enum DbCommand {
    /// Read and check all of the store: blocks, certificates, places, history and every version of every record
    ///
    /// The node must not run. No damage is mended: `tanba run` does that, by itself, when it meets damage. But the home
    /// is opened as by a start, which writes: it tidies the journal and ends what a crash interrupted. Ends with 0 if
    /// all is as it was written, with 40 if anything is not.
    Check,
}

#[derive(Serialize)]
struct Told {
    verdict: &'static str,
    head: Option<u64>,
    blocks: u64,
    certificates: u64,
    transactions: u64,
    subtrees: u64,
    nodes: u64,
    journal: Option<&'static str>,
    damages_total: u64,
    damages: Vec<ToldDamage>,
}

#[derive(Serialize)]
struct ToldDamage {
    place: String,
    what: String,
}

/// Does what `args` say.
pub fn run(args: &DbArgs, ctx: &Context) -> Result<Exit, CliError> {
    match args.command {
        DbCommand::Check => check(ctx),
    }
}

fn check(ctx: &Context) -> Result<Exit, CliError> {
    let home = ctx.home()?;
    let chain = home.genesis()?.chain_id();
    let told = match DiskStore::open(home.root(), &chain, &by_the_rules) {
        Ok(mut store) => {
            let progress = Progress::new(ctx);
            let mut report = store.check(&mut |report| progress.tell(report))?;
            progress.bar.finish_and_clear();
            let journal = judge_journal(store.journal(), &mut report)?;
            Told::of(&report, journal)
        }
        // It does not even open: that is all there is to say.
        Err(StoreError::Damaged { place, what }) => Told::unopened(Damage { place, what }),
        Err(StoreError::Missing(_)) => {
            let place = home.store_dir().display().to_string();
            Told::unopened(Damage { place, what: "the folder is not there".to_owned() })
        }
        Err(error) => return Err(error.into()),
    };
    ctx.output.data("tanba.db.check.v1", &told, |out| {
        for damage in &told.damages {
            writeln!(out, "damaged  {}: {}", damage.place, damage.what)?;
        }
        let shown = told.damages.len() as u64;
        if told.damages_total > shown {
            writeln!(out, "         and {} more", told.damages_total - shown)?;
        }
        if let Some(head) = told.head {
            writeln!(out, "head     block {head}")?;
            writeln!(out, "read     {} blocks, {} certificates verified", told.blocks, told.certificates)?;
            writeln!(out, "         {} transactions where they stand", told.transactions)?;
            writeln!(out, "         {} subtrees of history, {} nodes of the state", told.subtrees, told.nodes)?;
        }
        if let Some(journal) = told.journal {
            writeln!(out, "journal  {journal}")?;
        }
        match told.damages_total {
            0 => writeln!(out, "OK: all of the store is as it was written"),
            count => writeln!(
                out,
                "FAILED: damaged in {count} places; run the node: it sets the store aside and fetches it anew from its peers"
            ),
        }
    })?;
    Ok(if told.damages_total == 0 { Exit::Ok } else { Exit::Damaged })
}

/// What the journal tells beside its condition: a validator signs at the height above its head and no higher, so one
/// that goes further knew blocks that are gone.
fn judge_journal(journal: &mut dyn Journal, report: &mut CheckReport) -> Result<&'static str, StoreError> {
    let word = match journal.condition() {
        JournalCondition::Whole => "whole",
        JournalCondition::Missing => "missing",
        JournalCondition::Damaged { .. } => "damaged",
    };
    if journal.condition() != JournalCondition::Whole {
        let what = format!("it is {word}; the node asks the other validators what it had signed");
        report.add(Damage { place: "the promise journal".to_owned(), what });
        return Ok(word);
    }
    let signed = journal.records()?.iter().map(|bytes| Record::read(bytes)).collect::<Result<Vec<_>, _>>();
    let guard = signed.ok().and_then(|records| match records.first() {
        Some(Record::Owner(chain, key)) => Guard::replay(&records, *chain, *key).ok(),
        // An observer signs nothing.
        _ => None,
    });
    if let Some(end) = guard.map(|guard| guard.end()).filter(|end| *end > report.head.next()) {
        let what =
            format!("the store ends here, but the validator has signed at height {end}: blocks are gone");
        report.add(Damage { place: format!("block {}", report.head), what });
    }
    Ok(word)
}

impl Told {
    fn of(report: &CheckReport, journal: &'static str) -> Told {
        Told {
            verdict: if report.damages_total == 0 { "whole" } else { "damaged" },
            head: Some(report.head.0),
            blocks: report.blocks,
            certificates: report.certificates,
            transactions: report.transactions,
            subtrees: report.subtrees,
            nodes: report.nodes,
            journal: Some(journal),
            damages_total: report.damages_total,
            damages: report.damages.iter().cloned().map(ToldDamage::from).collect(),
        }
    }

    fn unopened(damage: Damage) -> Told {
        let damages = vec![damage.into()];
        Told {
            verdict: "damaged",
            head: None,
            blocks: 0,
            certificates: 0,
            transactions: 0,
            subtrees: 0,
            nodes: 0,
            journal: None,
            damages_total: 1,
            damages,
        }
    }
}

impl From<Damage> for ToldDamage {
    fn from(Damage { place, what }: Damage) -> ToldDamage {
        ToldDamage { place, what }
    }
}

/// How far the check is, for a person who waits.
struct Progress<'a> {
    ctx: &'a Context,
    bar: ProgressBar,
}

impl Progress<'_> {
    fn new(ctx: &Context) -> Progress<'_> {
        let drawn = std::io::stderr().is_terminal() && !ctx.global.json && !ctx.global.quiet;
        let target = if drawn { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let bar = match ProgressStyle::with_template("blocks {bar:40} {pos}/{len}, {msg}") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        Progress { ctx, bar }
    }

    fn tell(&self, report: &CheckReport) {
        self.bar.set_length(report.head.0 + 1);
        self.bar.set_position(report.blocks);
        self.bar.set_message(format!("{} nodes", report.nodes));
        let step = if report.nodes == 0 { report.blocks } else { report.nodes };
        if self.bar.is_hidden() && step.is_multiple_of(LINE_EVERY) {
            let of = report.head.0 + 1;
            self.ctx.output.note(&format!("{} of {of} blocks, {} nodes", report.blocks, report.nodes));
        }
    }
}
