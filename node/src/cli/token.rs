//! `tanba token`: what a university says of diplomas it issued. Prepared, signed by two people, submitted: the
//! same three steps as issuing.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use tanba_credential::holder::HOLDER_FILE_BYTES_MAX;
use tanba_crypto::Hash;
use tanba_genesis::{GenesisDocument, text::value_of};
use tanba_ledger::{
    Bin, Fingerprint, Operation, TransactionBody,
    operation::{Reason, Replacement, Replacements, StandingChange, StandingChanges, replace_link},
    proof::{At, Question},
    record::NetworkKind,
    transaction::factor,
};

use super::{
    CliError, Context, Exit,
    issue::{NetworkArgs, expect_network},
    keys::{parse_bin, parse_hash},
    node::{NodeArgs, block_on, submit},
    officer::OfficerArgs,
    output::counted,
    trust::{TrustArgs, parse_duration_ms},
};
use crate::{
    change::{ChangeFile, Link, REASONS, Summary},
    client::Client,
    clock,
    issue::{Progress, RandomSource, SystemRandom, files},
    verify::{Obstacle, Shown, Terms, question_of},
};

/// `tanba token …`
#[derive(Debug, Args)]
#[command(after_help = "\
The three steps, here for a revocation:
  1. anyone of the university prepares: tanba token revoke --holder-file a.json --reason fraud --out change.json
  2. two people sign, in any order:     tanba token approve change.json --role registrar
                                        tanba token approve change.json --role approver
  3. anyone submits:                    tanba token submit change.json
Revoked and replaced are for ever. A suspension ends with reinstate, revoke or replace.
Which version of the record is changed is read from the ledger, with proof. If another change comes first, the
submission is refused: prepare anew.")]
pub struct TokenArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Prepare: the diplomas do not hold for now
    Suspend(ChangeArgs),
    /// Prepare: suspended diplomas hold again
    Reinstate(ChangeArgs),
    /// Prepare: the diplomas do not hold any more, for ever
    Revoke(RevokeArgs),
    /// Prepare: a newer diploma takes the place of one, for ever
    Replace(ReplaceArgs),
    /// Sign a prepared change, as registrar or as approver
    Approve(ApproveArgs),
    /// Submit an approved change and wait until it is final
    Submit(SubmitArgs),
}

/// Which diplomas, and what is made of the change.
#[derive(Debug, Args)]
struct ChangeArgs {
    /// A holder's file or presentation of the diploma; may be repeated
    #[arg(long, value_name = "FILE", required_unless_present = "fingerprint")]
    holder_file: Vec<PathBuf>,
    /// The diploma's fingerprint F, with --issuer; may be repeated
    #[arg(long, value_name = "HEX", value_parser = parse_hash, requires = "issuer")]
    fingerprint: Vec<Hash>,
    /// The BIN of the university that issued it, with --fingerprint
    #[arg(long, value_name = "BIN", value_parser = parse_bin)]
    issuer: Option<Bin>,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, Args)]
struct CommonArgs {
    /// The BIN of the university that acts, if it is the issuer's successor [default: the issuer]
    #[arg(long, value_name = "BIN", value_parser = parse_bin)]
    institution: Option<Bin>,
    /// Why; free text would carry personal data
    #[arg(long, value_parser = PossibleValuesParser::new(REASONS.iter().map(|(word, _)| *word)))]
    reason: String,
    /// The file to make; it must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// It must be final within this time; at most 24h
    #[arg(long, value_name = "TIME", default_value = "23h", value_parser = parse_duration_ms)]
    within: u64,
    /// Show what would be prepared, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

#[derive(Debug, Args)]
struct RevokeArgs {
    #[command(flatten)]
    change: ChangeArgs,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
struct ReplaceArgs {
    /// The holder's file or presentation of the diploma that is replaced
    #[arg(long, value_name = "FILE")]
    holder_file: PathBuf,
    /// The holder's file or presentation of the new diploma
    #[arg(long, value_name = "FILE")]
    by: PathBuf,
    #[command(flatten)]
    common: CommonArgs,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
struct ApproveArgs {
    /// The prepared change
    file: PathBuf,
    #[command(flatten)]
    officer: OfficerArgs,
    /// Show what would be signed, and sign nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    network: NetworkArgs,
}

#[derive(Debug, Args)]
struct SubmitArgs {
    /// The approved change
    file: PathBuf,
    #[command(flatten)]
    node: NodeArgs,
    /// Show what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

/// Does what `args` say.
pub fn run(args: &TokenArgs, ctx: &Context) -> Result<(), CliError> {
    match &args.verb {
        Verb::Suspend(args) => change(args, Operation::Suspend, ctx),
        Verb::Reinstate(args) => change(args, Operation::Reinstate, ctx),
        Verb::Revoke(args) => {
            if !args.yes && !args.change.common.dry_run {
                ctx.output.confirm("A revocation is for ever. Prepare it?")?;
            }
            change(&args.change, Operation::Revoke, ctx)
        }
        Verb::Replace(args) => replace(args, ctx),
        Verb::Approve(args) => approve(args, ctx),
        Verb::Submit(args) => submit_file(args, ctx),
    }
}

/// A diploma on the ledger: its issuer, F and the version that holds now, proven.
pub(super) async fn version_of(client: &Client, terms: &Terms, question: &Question) -> Result<u32, CliError> {
    let checked = client.status_by_bucket(question, &terms.trust).await?;
    checked.status.recorded.map(|recorded| recorded.version).ok_or_else(|| {
        let message = format!("{} has recorded no diploma {}", question.issuer, question.fingerprint.0);
        CliError::new(
            Exit::NotFound,
            "NOT_RECORDED",
            message,
            "check that this is the right file and network",
        )
    })
}

/// Reads a file and gives what to ask the ledger.
pub(super) fn question_in(path: &Path, terms: &Terms) -> Result<(Shown, Question), CliError> {
    let invalid = |message: String| {
        CliError::new(Exit::ConfigInvalid, "FILE_INVALID", message, "get the file again from whoever gave it")
    };
    let shown = Shown::read(&files::read_bounded(path, HOLDER_FILE_BYTES_MAX)?)
        .map_err(|error| invalid(format!("{}: {error}", path.display())))?;
    if shown.opened.chain != terms.trust.checkpoint.chain.0 {
        return Err(invalid(format!("{}: {}", path.display(), Obstacle::OtherNetwork)));
    }
    let question =
        question_of(&shown.opened).map_err(|obstacle| invalid(format!("{}: {obstacle}", path.display())))?;
    Ok((shown, question))
}

fn change(
    args: &ChangeArgs,
    operation: impl FnOnce(StandingChanges) -> Operation,
    ctx: &Context,
) -> Result<(), CliError> {
    let terms = args.common.terms(ctx)?;
    let mut questions = Vec::new();
    for path in &args.holder_file {
        questions.push(question_in(path, &terms)?.1);
    }
    if let Some(issuer) = args.issuer {
        let of = |hash: &Hash| Question { issuer, fingerprint: Fingerprint(*hash), at: At::Head };
        questions.extend(args.fingerprint.iter().map(of));
    }
    questions.sort_by_key(|question| question.fingerprint);
    questions.dedup();
    let issuer = questions.first().map(|question| question.issuer).expect("clap asks for one at least");
    if questions.iter().any(|question| question.issuer != issuer) {
        let message = "the diplomas are not of one university";
        return Err(CliError::new(
            Exit::Usage,
            "ISSUERS_DIFFER",
            message,
            "prepare a change for each university",
        ));
    }
    let reason = args.common.reason();
    let changes = block_on(async {
        let client = args.common.node.connect().await?;
        let mut changes = Vec::with_capacity(questions.len());
        for question in &questions {
            let version = version_of(&client, &terms, question).await?;
            changes.push(StandingChange { fingerprint: question.fingerprint, version, reason });
        }
        Ok(changes)
    })?;
    args.common.put(operation(StandingChanges { issuer, changes }), issuer, Vec::new(), &terms, ctx)
}

fn replace(args: &ReplaceArgs, ctx: &Context) -> Result<(), CliError> {
    let terms = args.common.terms(ctx)?;
    let (_, old) = question_in(&args.holder_file, &terms)?;
    let (_, new) = question_in(&args.by, &terms)?;
    if old == new {
        let message = "a diploma cannot take its own place";
        return Err(CliError::new(Exit::Usage, "SAME_DIPLOMA", message, "name the new diploma with --by"));
    }
    if !args.yes && !args.common.dry_run {
        ctx.output.confirm("A replacement is for ever. Prepare it?")?;
    }
    let version = block_on(async {
        let client = args.common.node.connect().await?;
        // The new diploma must be there before the old one gives way to it.
        version_of(&client, &terms, &new).await?;
        version_of(&client, &terms, &old).await
    })?;
    let salt: [u8; 32] = SystemRandom.array().map_err(|error| {
        CliError::new(
            Exit::Failure,
            "NO_RANDOMNESS",
            error.to_string(),
            "mend this machine's random source first",
        )
    })?;
    let fingerprint = old.fingerprint;
    let link = replace_link(&salt, &new.fingerprint);
    let change = Replacement { fingerprint, version, reason: args.common.reason(), link };
    let opens = Link {
        replaced: fingerprint.0.to_string(),
        next: new.fingerprint.0.to_string(),
        salt: Hash(salt).to_string(),
    };
    let operation = Operation::Replace(Replacements { issuer: old.issuer, changes: vec![change] });
    args.common.put(operation, old.issuer, vec![opens], &terms, ctx)
}

impl CommonArgs {
    fn reason(&self) -> Reason {
        value_of(REASONS, &self.reason).expect("clap admits the reasons alone")
    }

    fn terms(&self, ctx: &Context) -> Result<Terms, CliError> {
        let terms = self.trust.terms(ctx)?;
        if terms.kind != NetworkKind::Devnet {
            return Err(CliError::new(
                Exit::Permission,
                "AUDIT_HEAD_MISSING",
                "a main network takes changes with the head of the institution's audit log, which this version does not keep",
                "name the genesis of a devnet with --genesis",
            ));
        }
        Ok(terms)
    }

    fn put(
        &self,
        operation: Operation,
        issuer: Bin,
        links: Vec<Link>,
        terms: &Terms,
        ctx: &Context,
    ) -> Result<(), CliError> {
        let body = TransactionBody {
            chain: terms.trust.checkpoint.chain,
            institution: self.institution.unwrap_or(issuer),
            expiry: clock::now().saturating_add_ms(self.within),
            operation,
            audit: None,
        };
        let file = ChangeFile::new(body, links);
        if !self.dry_run {
            let bytes = file.to_json();
            crate::home::files::create_file(&self.out, &bytes, crate::home::files::MODE_PRIVATE)?;
        }
        tell(&file, "tanba.token.prepare.v1", ctx)?;
        ctx.output.note(if self.dry_run {
            "nothing was written"
        } else {
            "next: `tanba token approve` by a registrar and by an approver"
        });
        Ok(())
    }
}

fn tell(file: &ChangeFile, schema: &str, ctx: &Context) -> Result<(), CliError> {
    #[derive(serde::Serialize)]
    struct Told {
        #[serde(flatten)]
        progress: Progress,
        #[serde(flatten)]
        summary: Summary,
    }
    let told = Told { progress: file.progress(), summary: file.summary() };
    ctx.output.data(schema, &told, |out| {
        let Summary { operation, issuer, diplomas, expires, approvals, .. } = &told.summary;
        let count = counted(diplomas.len(), "diploma", "diplomas");
        writeln!(out, "{operation} {count} of {issuer}, expires {expires}")?;
        for diploma in diplomas {
            writeln!(out, "  {} version {} ({})", diploma.fingerprint, diploma.version, diploma.reason)?;
        }
        approvals.iter().try_for_each(|approval| writeln!(out, "signed by {approval}"))?;
        match told.progress {
            Progress::Final { height, .. } => writeln!(out, "final in block {height}"),
            Progress::Prepared | Progress::Approved | Progress::Submitted => Ok(()),
        }
    })
}

fn approve(args: &ApproveArgs, ctx: &Context) -> Result<(), CliError> {
    let genesis: GenesisDocument = args.network.genesis(ctx)?;
    let mut file = ChangeFile::load(&args.file)?;
    expect_network(&args.file, &file, &genesis)?;
    if !args.dry_run {
        let key = args.officer.unlock(ctx, &genesis)?;
        file.approve(args.officer.role(), factor::KEY, &key)?;
        file.save(&args.file)?;
    }
    tell(&file, "tanba.token.approve.v1", ctx)
}

fn submit_file(args: &SubmitArgs, ctx: &Context) -> Result<(), CliError> {
    let mut file = ChangeFile::load(&args.file)?;
    if !args.dry_run && !matches!(file.progress(), Progress::Final { .. }) {
        block_on(async {
            let client = args.node.connect().await?;
            client.expect_chain(&file.transaction().body.chain).await?;
            // On disk before it is sent: after a crash it is sent again, and the node knows it.
            let transaction = file.begin_submission()?.clone();
            file.save(&args.file)?;
            let position = submit(&client, &transaction).await?;
            file.mark_final(position.height.0, position.index)?;
            Ok(file.save(&args.file)?)
        })?;
    }
    tell(&file, "tanba.token.submit.v1", ctx)
}
