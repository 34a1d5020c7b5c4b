//! `tanba holder`: what a graduate lets be seen, without the university and through any node.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use tanba_credential::{HolderFile, commitment::control_of, holder::HOLDER_FILE_BYTES_MAX};
use tanba_crypto::SigningKey;
use tanba_ledger::{
    Approval, Operation, Transaction, TransactionBody, operation::HolderAct, record::NetworkKind,
};
use zeroize::Zeroizing;

use super::{
    CliError, Context, Exit,
    blocks::operation_word,
    keys::parse_name,
    node::{NodeArgs, block_on, submit},
    officer::unlock,
    passphrase::PassphraseArgs,
    token::{question_in, version_of},
    trust::TrustArgs,
};
use crate::{
    clock,
    issue::files,
    keystore::{KeyName, Purpose},
    verify::Terms,
};

/// A holder's act must be final within this: ten minutes, in milliseconds.
const WITHIN_MS: u64 = 10 * 60_000;

/// `tanba holder …`
#[derive(Debug, Args)]
#[command(after_help = "\
What is hidden is whether the diploma can be checked, never that it was revoked. At most four acts a day.")]
pub struct HolderArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Checks answer \"not available\" until it is lifted
    Restrict(ActArgs),
    /// The diploma may be checked again
    Lift(ActArgs),
    /// Checks answer \"withdrawn\" for ever
    Withdraw(WithdrawArgs),
}

#[derive(Debug, Args)]
struct ActArgs {
    /// The graduate's file
    #[arg(long, value_name = "FILE")]
    holder_file: PathBuf,
    /// The name of the control key in this home, where the file does not hold it
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    key: Option<KeyName>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Show what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

#[derive(Debug, Args)]
struct WithdrawArgs {
    #[command(flatten)]
    act: ActArgs,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Does what `args` say.
pub fn run(args: &HolderArgs, ctx: &Context) -> Result<(), CliError> {
    match &args.verb {
        Verb::Restrict(args) => act(args, Operation::Restrict, ctx),
        Verb::Lift(args) => act(args, Operation::Lift, ctx),
        Verb::Withdraw(args) => {
            if !args.yes && !args.act.dry_run {
                ctx.output.confirm("Nobody will ever be able to check this diploma again. Withdraw it?")?;
            }
            act(&args.act, Operation::Withdraw, ctx)
        }
    }
}

#[derive(Serialize)]
struct Done {
    operation: &'static str,
    issuer: String,
    fingerprint: String,
    version: u32,
    transaction_id: String,
    height: Option<u64>,
}

fn act(args: &ActArgs, operation: fn(HolderAct) -> Operation, ctx: &Context) -> Result<(), CliError> {
    let terms = args.trust.terms(ctx)?;
    if terms.kind != NetworkKind::Devnet {
        return Err(CliError::new(
            Exit::Permission,
            "AUDIT_HEAD_MISSING",
            "a main network takes acts with the head of an audit log, which this version does not keep",
            "name the genesis of a devnet with --genesis",
        ));
    }
    let (_, question) = question_in(&args.holder_file, &terms)?;
    let key = control_key(args, ctx)?;
    let done = block_on(async {
        let client = args.node.connect().await?;
        let version = version_of(&client, &terms, &question).await?;
        let act =
            HolderAct { issuer: question.issuer, fingerprint: question.fingerprint, version, request: None };
        let transaction = signed(operation(act), question.issuer, &terms, &key);
        let position = if args.dry_run { None } else { Some(submit(&client, &transaction).await?) };
        Ok(Done {
            operation: operation_word(&transaction.body.operation),
            issuer: question.issuer.to_string(),
            fingerprint: question.fingerprint.0.to_string(),
            version,
            transaction_id: transaction.id().to_string(),
            height: position.map(|position| position.height.0),
        })
    })?;
    ctx.output.data("tanba.holder.v1", &done, |out| match done.height {
        Some(height) => writeln!(out, "{} is final in block {height}", done.operation),
        None => writeln!(out, "would {} version {}; nothing was sent", done.operation, done.version),
    })
}

fn signed(operation: Operation, issuer: tanba_ledger::Bin, terms: &Terms, key: &SigningKey) -> Transaction {
    let chain = terms.trust.checkpoint.chain;
    let expiry = clock::now().saturating_add_ms(WITHIN_MS);
    let body = TransactionBody { chain, institution: issuer, expiry, operation, audit: None };
    let approval = Approval::by_holder(&chain, body.id(), key);
    Transaction { body, approvals: vec![approval] }
}

/// The control key: of the file, or of this home's keystore. It must be the one the file names.
fn control_key(args: &ActArgs, ctx: &Context) -> Result<SigningKey, CliError> {
    let bytes = Zeroizing::new(files::read_bounded(&args.holder_file, HOLDER_FILE_BYTES_MAX)?);
    let file = HolderFile::from_json(&bytes).map_err(|error| {
        let message = format!("{}: {error}", args.holder_file.display());
        CliError::new(
            Exit::ConfigInvalid,
            "FILE_INVALID",
            message,
            "name the graduate's own file, not a presentation",
        )
    })?;
    let key = match (&args.key, file.control_secret.map(Zeroizing::new)) {
        (Some(name), _) => {
            let genesis = args.trust.genesis_needed(ctx)?;
            unlock(&ctx.home()?, name, Purpose::Control, &genesis, &args.passphrase)?
        }
        (None, Some(secret)) => SigningKey::ed25519(&secret),
        (None, None) => {
            let message = "the file does not hold the control key: the graduate keeps it";
            return Err(CliError::new(
                Exit::Permission,
                "KEY_NEEDED",
                message,
                "name the control key with --key",
            ));
        }
    };
    if control_of(&key.public()) != control_of(&file.control_key) {
        let message = "this is not the control key of this diploma";
        return Err(CliError::new(Exit::Permission, "KEY_OTHER", message, "name the right key with --key"));
    }
    Ok(key)
}
