//! `tanba issue`: from a class list to diplomas on the ledger, in three steps by two people.

mod mistakes;

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use tanba_genesis::{GenesisDocument, Member, text::moment};
use tanba_ledger::{
    Bin,
    limits::ENTRIES_MAX,
    operation::Basis,
    record::{InstitutionRole, NetworkKind},
    transaction::factor,
};

use super::{
    CliError, Context, Exit,
    keys::parse_bin,
    node::{NodeArgs, block_on, submit},
    officer::OfficerArgs,
    output::counted,
    trust::{TrustArgs, parse_duration_ms},
};
use crate::{
    clock,
    issue::{
        BatchFile, Dossier, DossierError, Order, PrepareError, Progress, Roster, Row, SystemRandom,
        batch_file::Summary, files, prepare as make, roster::ROSTER_BYTES_MAX, write_prepared,
    },
};

/// `tanba issue …`
#[derive(Debug, Args)]
#[command(after_help = "\
The three steps:
  1. the registrar prepares:      tanba issue prepare --roster class.csv --issuer BIN --out class-2026
  2. two people sign, in any order: tanba issue approve class-2026 --role registrar
                                  tanba issue approve class-2026 --role approver
  3. anyone submits:              tanba issue submit class-2026
DIR/batches holds what is signed and no personal data; DIR/holders holds one file for each graduate, and is.
A submission that was cut short goes on when the command is run again.")]
pub struct IssueArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make holders' files and unsigned batches from a class list: all of it, or nothing
    Prepare(PrepareArgs),
    /// Sign the batches of a folder, as registrar or as approver
    Approve(ApproveArgs),
    /// Submit the approved batches of a folder and wait until they are final
    Submit(SubmitArgs),
}

#[derive(Debug, Args)]
struct PrepareArgs {
    /// The class list
    #[arg(long, value_name = "CSV")]
    roster: PathBuf,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Take the rows with this number in the column `university`; without --issuer it is also the place, from 1, of the university in the genesis, in order of BIN
    #[arg(long, value_name = "N", required_unless_present = "issuer")]
    university: Option<usize>,
    /// The BIN of the institution that issues
    #[arg(long, value_name = "BIN", value_parser = parse_bin)]
    issuer: Option<Bin>,
    /// The university's decision to award; a salted commitment to it goes on the ledger [default: the list]
    #[arg(long, value_name = "FILE")]
    decision: Option<PathBuf>,
    /// The diplomas were awarded before the ledger and are confirmed from the archive
    #[arg(long)]
    archive: bool,
    /// The holders were told, in their consents, that a batch of fewer than 20 lets a published list point at them
    #[arg(long)]
    small_consented: bool,
    /// Diplomas in one batch, at most
    #[arg(long, value_name = "N", default_value_t = ENTRIES_MAX)]
    entries_max: usize,
    /// The batches must be final within this time; at most 24h
    #[arg(long, value_name = "TIME", default_value = "23h", value_parser = parse_duration_ms)]
    within: u64,
    /// Make everything but write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    trust: NetworkArgs,
}

/// Which network it is for.
#[derive(Clone, Debug, Args)]
pub(super) struct NetworkArgs {
    /// The network's genesis.toml or genesis.bin [default: the home's]
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
}

impl NetworkArgs {
    pub(super) fn genesis(&self, ctx: &Context) -> Result<GenesisDocument, CliError> {
        TrustArgs { checkpoint: None, genesis: self.genesis.clone(), max_age: 0 }.genesis_needed(ctx)
    }
}

/// Refuses to sign what is meant for another network.
pub(super) fn expect_network<X>(
    path: &Path,
    dossier: &Dossier<X>,
    genesis: &GenesisDocument,
) -> Result<(), CliError> {
    if dossier.transaction().body.chain == genesis.chain_id() {
        return Ok(());
    }
    let message = format!("{} is for another network", path.display());
    Err(CliError::new(Exit::ConfigInvalid, "OTHER_NETWORK", message, "name its --genesis"))
}

#[derive(Debug, Args)]
struct ApproveArgs {
    /// The folder that `prepare` made
    folder: PathBuf,
    #[command(flatten)]
    officer: OfficerArgs,
    /// Give batches that were not submitted in time a later expiry; approvals they had fall away
    #[arg(long)]
    renew: bool,
    /// Show what would be signed, and sign nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    network: NetworkArgs,
}

#[derive(Debug, Args)]
struct SubmitArgs {
    /// The folder that `prepare` made
    folder: PathBuf,
    #[command(flatten)]
    node: NodeArgs,
    /// Show what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

/// A renewed batch must be final within this: a day less an hour, in milliseconds.
const RENEWED_FOR_MS: u64 = 23 * 3_600_000;

/// Does what `args` say.
pub fn run(args: &IssueArgs, ctx: &Context) -> Result<(), CliError> {
    match &args.verb {
        Verb::Prepare(args) => prepare(args, ctx),
        Verb::Approve(args) => approve(args, ctx),
        Verb::Submit(args) => submit_folder(args, ctx),
    }
}

#[derive(Serialize)]
struct Prepared {
    folder: String,
    written: bool,
    issuer: String,
    diplomas: usize,
    batches: usize,
    expires: String,
}

fn prepare(args: &PrepareArgs, ctx: &Context) -> Result<(), CliError> {
    let genesis = args.trust.genesis(ctx)?;
    if genesis.kind() != NetworkKind::Devnet {
        return Err(CliError::new(
            Exit::Permission,
            "UNSEALED",
            "this version makes unsigned samples, which a main network does not take",
            "issue on a devnet",
        ));
    }
    let issuer = issuer(args, &genesis)?;
    let list = files::read_bounded(&args.roster, ROSTER_BYTES_MAX)?;
    let roster = Roster::parse(&list).map_err(|refused| mistakes::told(&args.roster, &refused))?;
    let rows = rows_of(&roster, args, issuer)?;
    let decision =
        args.decision.as_ref().map(|path| files::read_bounded(path, ROSTER_BYTES_MAX)).transpose()?;
    let now = clock::now();
    let order = Order {
        chain: genesis.chain_id(),
        issuer,
        issued_on: now.day(),
        expiry: now.saturating_add_ms(args.within),
        audit: None,
        basis: if args.archive { Basis::Archive } else { Basis::Award },
        decision: decision.as_deref().unwrap_or(&list),
        entries_max: args.entries_max,
        small_consented: args.small_consented,
    };
    let prepared = make(rows, &order, &mut SystemRandom)?;
    if !args.dry_run {
        write_prepared(&args.out, &prepared)?;
    }
    let told = Prepared {
        folder: args.out.display().to_string(),
        written: !args.dry_run,
        issuer: issuer.to_string(),
        diplomas: prepared.holders.len(),
        batches: prepared.batches.len(),
        expires: moment(order.expiry),
    };
    ctx.output.data("tanba.issue.prepare.v1", &told, |out| {
        let diplomas = counted(told.diplomas, "diploma", "diplomas");
        let batches = counted(told.batches, "batch", "batches");
        let done = if told.written { "made in" } else { "would be made in" };
        writeln!(out, "{diplomas} in {batches} {done} {}; expires {}", told.folder, told.expires)
    })?;
    ctx.output
        .note("next: `tanba issue approve` by a registrar and by an approver; holders/ is personal data");
    Ok(())
}

fn issuer(args: &PrepareArgs, genesis: &GenesisDocument) -> Result<Bin, CliError> {
    // Members are in order of BIN.
    let members = genesis.genesis().members.iter();
    let is_university = |member: &&Member| member.institution.role == InstitutionRole::University;
    let universities: Vec<Bin> = members.filter(is_university).map(Member::bin).collect();
    let known = match (args.issuer, args.university) {
        (Some(bin), _) => universities.contains(&bin).then_some(bin),
        (None, Some(number)) => number.checked_sub(1).and_then(|at| universities.get(at)).copied(),
        (None, None) => None,
    };
    known.ok_or_else(|| {
        let held = counted(universities.len(), "university", "universities");
        let message = format!("the genesis holds {held} and not this one");
        CliError::new(Exit::NotFound, "ISSUER_UNKNOWN", message, "name one of them with --issuer BIN")
    })
}

fn rows_of<'r>(roster: &'r Roster, args: &PrepareArgs, issuer: Bin) -> Result<Vec<&'r Row>, CliError> {
    let wanted = args.university.map_or_else(|| issuer.to_string(), |number| number.to_string());
    let by_column = args.university.is_some() || roster.rows.iter().any(|row| row.university.is_some());
    let is_wanted = |row: &&Row| !by_column || row.university.as_deref() == Some(wanted.as_str());
    let rows: Vec<&Row> = roster.rows.iter().filter(is_wanted).collect();
    if rows.is_empty() {
        let message = format!("no row of the list has `{wanted}` in the column `university`");
        return Err(CliError::new(Exit::NotFound, "ROWS_NONE", message, "correct --university or --issuer"));
    }
    Ok(rows)
}

/// The batches of a folder that `prepare` made, in order.
fn load(folder: &Path) -> Result<Vec<(PathBuf, BatchFile)>, CliError> {
    let batches = BatchFile::load_folder(&folder.join("batches"))?;
    if batches.is_empty() {
        let message = format!("{} holds no batches", folder.display());
        return Err(CliError::new(
            Exit::NotFound,
            "BATCHES_NONE",
            message,
            "name a folder of `tanba issue prepare`",
        ));
    }
    Ok(batches)
}

#[derive(Serialize)]
struct BatchTold {
    file: String,
    #[serde(flatten)]
    progress: Progress,
    #[serde(flatten)]
    summary: Summary,
}

impl BatchTold {
    fn of(path: &Path, batch: &BatchFile) -> BatchTold {
        BatchTold { file: path.display().to_string(), progress: batch.progress(), summary: batch.summary() }
    }

    fn line(&self) -> String {
        let Summary { diplomas, awarded_month, institution, approvals, .. } = &self.summary;
        let state = match self.progress {
            Progress::Prepared => format!("{} of 2 approvals", approvals.len()),
            Progress::Approved => "approved".to_owned(),
            Progress::Submitted => "submitted".to_owned(),
            Progress::Final { height, .. } => format!("final in block {height}"),
        };
        let diplomas = counted(*diplomas, "diploma", "diplomas");
        format!("{}  {institution} {awarded_month} {diplomas:>14}  {state}", self.file)
    }
}

fn approve(args: &ApproveArgs, ctx: &Context) -> Result<(), CliError> {
    let genesis = args.network.genesis(ctx)?;
    let mut batches = load(&args.folder)?;
    let now = clock::now();
    for (path, batch) in &mut batches {
        expect_network(path, batch, &genesis)?;
        let is_final = matches!(batch.progress(), Progress::Final { .. });
        let expiry = batch.transaction().body.expiry;
        if !is_final && expiry <= now {
            if !args.renew {
                let message = format!("{} expired at {}", path.display(), moment(expiry));
                let next_step = "sign with --renew, and have the other officer sign anew";
                return Err(CliError::new(Exit::Conflict, "BATCH_EXPIRED", message, next_step));
            }
            batch.renew(now.saturating_add_ms(RENEWED_FOR_MS))?;
        }
    }
    let mut signed = 0;
    if !args.dry_run {
        let key = args.officer.unlock(ctx, &genesis)?;
        for (path, batch) in &mut batches {
            match batch.approve(args.officer.role(), factor::KEY, &key) {
                Ok(()) => {
                    batch.save(path)?;
                    signed += 1;
                }
                // Signed in an earlier run that was cut short, or past signing.
                Err(DossierError::RoleTaken(_) | DossierError::Progress(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    tell(&batches, "tanba.issue.approve.v1", ctx)?;
    match args.dry_run {
        true => ctx.output.note("nothing was signed"),
        false => ctx.output.note(&format!("{} signed", counted(signed, "batch", "batches"))),
    }
    Ok(())
}

fn tell(batches: &[(PathBuf, BatchFile)], schema: &str, ctx: &Context) -> Result<(), CliError> {
    let told: Vec<BatchTold> = batches.iter().map(|(path, batch)| BatchTold::of(path, batch)).collect();
    ctx.output.data(schema, &told, |out| told.iter().try_for_each(|batch| writeln!(out, "{}", batch.line())))
}

fn submit_folder(args: &SubmitArgs, ctx: &Context) -> Result<(), CliError> {
    let mut batches = load(&args.folder)?;
    if let Some((path, _)) = batches.iter().find(|(_, batch)| batch.progress() == Progress::Prepared) {
        let message = format!("{} lacks an approval", path.display());
        let next_step = "run `tanba issue approve` as registrar and as approver first";
        return Err(CliError::new(Exit::Permission, "APPROVAL_MISSING", message, next_step));
    }
    if !args.dry_run {
        block_on(submit_all(args, &mut batches, ctx))?;
    }
    tell(&batches, "tanba.issue.submit.v1", ctx)?;
    let is_final = |(_, batch): &&(PathBuf, BatchFile)| matches!(batch.progress(), Progress::Final { .. });
    let diplomas: usize = batches.iter().filter(is_final).map(|(_, batch)| batch.records().len()).sum();
    let diplomas = counted(diplomas, "diploma is", "diplomas are");
    ctx.output.note(&format!("{diplomas} final; give each graduate the file of holders/"));
    Ok(())
}

async fn submit_all(
    args: &SubmitArgs,
    batches: &mut [(PathBuf, BatchFile)],
    ctx: &Context,
) -> Result<(), CliError> {
    let client = args.node.connect().await?;
    let bar = bar(batches.len() as u64, ctx);
    for (path, batch) in batches.iter_mut() {
        if !matches!(batch.progress(), Progress::Final { .. }) {
            client.expect_chain(&batch.transaction().body.chain).await?;
            // On disk before it is sent: after a crash it is sent again, and the node knows it.
            let transaction = batch.begin_submission()?.clone();
            batch.save(path)?;
            let position = submit(&client, &transaction).await?;
            batch.mark_final(position.height.0, position.index)?;
            batch.save(path)?;
        }
        if bar.is_hidden() {
            ctx.output.note(&BatchTold::of(path, batch).line());
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Drawn on a terminal; elsewhere lines are written.
fn bar(count: u64, ctx: &Context) -> ProgressBar {
    let drawn = std::io::stderr().is_terminal() && !ctx.global.json && !ctx.global.quiet;
    let target = if drawn { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(count), target);
    match ProgressStyle::with_template("batches {bar:40} {pos}/{len}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl From<PrepareError> for CliError {
    fn from(error: PrepareError) -> CliError {
        let message = error.to_string();
        let (exit, code, next_step) = match error {
            PrepareError::NoRows => (Exit::ConfigInvalid, "ROWS_NONE", "name a list with rows"),
            PrepareError::EntriesMax { .. } => (Exit::Usage, "ENTRIES_MAX", "correct --entries-max"),
            PrepareError::Small { .. } => (
                Exit::Permission,
                "BATCH_SMALL",
                "wait for more graduates, or --small-consented if they were told",
            ),
            PrepareError::Scopes { .. } => {
                (Exit::ConfigInvalid, "SCOPES_MANY", "choose a smaller --entries-max")
            }
            PrepareError::Requisites { .. } => (Exit::ConfigInvalid, "ROW_INVALID", "correct the row"),
            PrepareError::Random(_) | PrepareError::Draw(_) => {
                (Exit::Failure, "NO_RANDOMNESS", "mend this machine's random source first")
            }
        };
        CliError::new(exit, code, message, next_step)
    }
}
