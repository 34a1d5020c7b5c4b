//! `tanba verify`: is this diploma genuine, and does it hold? Proven on this machine; the node asked is believed
//! nothing and learns only a prefix.

mod report;

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Serialize;
use tanba_credential::holder::HOLDER_FILE_BYTES_MAX;
use tanba_ledger::proof::{BUNDLE_BYTES_MAX, Bundle};

use super::{
    CliError, Context, Exit,
    node::{NodeArgs, block_on},
    output::counted,
    trust::{TrustArgs, save_checkpoint},
};
use crate::{
    home::files::{self, MODE_PRIVATE},
    issue::files as issue_files,
    verify::{Checked, Obstacle, Shown, Terms, Verdict, Verifier, check_bundle, check_online},
};
pub(crate) use report::exit_of_failure;
use report::{Report, exit_of};

/// Diplomas in one folder.
const FILES_MAX: usize = 100_000;

/// Diplomas checked by one reading of the clock and one set of buckets.
const FILES_AT_ONCE: usize = 1_000;

/// `tanba verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// A holder's file or a presentation; or a folder of them, each of which is checked
    path: PathBuf,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    trust: TrustArgs,
    /// Ask no node: check by the proof in the file, or by --bundle
    #[arg(long)]
    offline: bool,
    /// The saved proof to check by
    #[arg(long, value_name = "FILE", requires = "offline")]
    bundle: Option<PathBuf>,
    /// Save the proof, for --offline --bundle
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Save the proven head as a checkpoint, for --checkpoint next time
    #[arg(long, value_name = "FILE")]
    save_checkpoint: Option<PathBuf>,
}

/// Does what `args` say. A negative verdict is an answer, told by its exit code.
pub fn run(args: VerifyArgs, ctx: &Context) -> Result<Exit, CliError> {
    let is_folder = fs::metadata(&args.path).is_ok_and(|found| found.is_dir());
    if is_folder { run_folder(&args, ctx) } else { run_file(&args, ctx) }
}

fn run_file(args: &VerifyArgs, ctx: &Context) -> Result<Exit, CliError> {
    let bytes = issue_files::read_bounded(&args.path, HOLDER_FILE_BYTES_MAX)?;
    let terms = args.trust.terms(ctx)?;
    let (shown, checked) = match Shown::read(&bytes) {
        Err(error) => (None, Checked::without_proof(Verdict::of_unopened(error))),
        Ok(shown) => {
            let checked = check(args, &terms, &shown)?;
            (Some(shown), checked)
        }
    };
    if let (Some(path), Some(bundle)) = (&args.save, &checked.bundle) {
        let bytes = bundle.to_bytes().map_err(|error| {
            CliError::new(Exit::Failure, "PROOF_TOO_LONG", error.to_string(), "name a newer --checkpoint")
        })?;
        files::replace_file(path, &bytes, MODE_PRIVATE)?;
    }
    if let (Some(path), Some(head)) = (&args.save_checkpoint, &checked.as_of) {
        save_checkpoint(path, head)?;
    }
    let report = Report::of(&args.path, &checked, shown.as_ref().map(|shown| &shown.opened));
    ctx.output.data("tanba.verify.v1", &report, |out| report.write(out))?;
    if checked.verdict.is_of_this_document() {
        ctx.output
            .note("whoever shows a diploma need not be its holder: compare the name with an ID document");
    }
    Ok(exit_of(&checked.verdict))
}

fn check(args: &VerifyArgs, terms: &Terms, shown: &Shown) -> Result<Checked, CliError> {
    if args.offline {
        return check_offline(args.bundle.as_deref(), terms, shown);
    }
    block_on(async {
        Ok(match crate::client::Client::connect(&args.node.node).await {
            Ok(client) => check_online(&client, terms, &shown.opened).await,
            Err(error) => Checked::without_proof(Verdict::CouldNotCheck(error.into())),
        })
    })
}

fn check_offline(bundle: Option<&Path>, terms: &Terms, shown: &Shown) -> Result<Checked, CliError> {
    let saved = bundle.map(|path| issue_files::read_bounded(path, BUNDLE_BYTES_MAX)).transpose()?;
    let could_not = |obstacle| Checked::without_proof(Verdict::CouldNotCheck(obstacle));
    let Some(bytes) = saved.or_else(|| shown.proof.clone()) else { return Ok(could_not(Obstacle::NoProof)) };
    Ok(match Bundle::from_bytes(&bytes) {
        Ok(bundle) => check_bundle(&bundle, terms, &shown.opened),
        Err(_) => could_not(Obstacle::ProofUnreadable),
    })
}

/// How a folder came out.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Tally {
    files: usize,
    valid: usize,
    not_valid: usize,
    not_checked: usize,
}

impl Tally {
    fn count(&mut self, verdict: &Verdict) {
        self.files += 1;
        match verdict {
            Verdict::Valid(_) => self.valid += 1,
            Verdict::CouldNotCheck(_) => self.not_checked += 1,
            Verdict::Replaced(_)
            | Verdict::Suspended(_)
            | Verdict::Revoked(_)
            | Verdict::NotAvailable(..)
            | Verdict::NotRecorded
            | Verdict::Altered(_) => self.not_valid += 1,
        }
    }

    /// A folder is as good as its worst file: one that is not valid outweighs one that could not be checked.
    fn exit(&self) -> Exit {
        match self {
            Tally { not_valid: 0, not_checked: 0, .. } => Exit::Ok,
            Tally { not_valid: 0, .. } => Exit::Retry,
            _ => Exit::Failure,
        }
    }
}

fn run_folder(args: &VerifyArgs, ctx: &Context) -> Result<Exit, CliError> {
    if args.save.is_some() || args.save_checkpoint.is_some() || args.bundle.is_some() {
        let message = "--save, --save-checkpoint and --bundle go with one file";
        return Err(CliError::new(Exit::Usage, "USAGE", message, "name one file, or leave them out"));
    }
    let paths = list(&args.path)?;
    let mut tally = Tally::default();
    block_on(async {
        let client = if args.offline { None } else { Some(args.node.connect().await?) };
        for paths in paths.chunks(FILES_AT_ONCE) {
            let terms = args.trust.terms(ctx)?;
            let mut verifier = client.as_ref().map(|client| Verifier::new(client, terms));
            for path in paths {
                let bytes = issue_files::read_bounded(path, HOLDER_FILE_BYTES_MAX)?;
                let shown = Shown::read(&bytes);
                let checked = match (&shown, &mut verifier) {
                    (Err(error), _) => Checked::without_proof(Verdict::of_unopened(*error)),
                    (Ok(shown), Some(verifier)) => verifier.check(&shown.opened).await,
                    (Ok(shown), None) => check_offline(None, &terms, shown)?,
                };
                tally.count(&checked.verdict);
                let report = Report::of(path, &checked, shown.as_ref().ok().map(|shown| &shown.opened));
                ctx.output.data("tanba.verify.v1", &report, |out| report.write_line(out))?;
            }
        }
        Ok(())
    })?;
    ctx.output.data("tanba.verify.folder.v1", &tally, |out| {
        let Tally { files, valid, not_valid, not_checked } = tally;
        let files = counted(files, "file", "files");
        writeln!(out, "{files}: {valid} valid, {not_valid} not valid, {not_checked} could not be checked")
    })?;
    Ok(tally.exit())
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let at = |error: std::io::Error| issue_files::FileError::Io { path: folder.to_owned(), error };
    let mut paths = Vec::new();
    for item in fs::read_dir(folder).map_err(at)? {
        let path = item.map_err(at)?.path();
        if path.extension() != Some(OsStr::new("json")) {
            continue;
        }
        if paths.len() == FILES_MAX {
            return Err(issue_files::FileError::TooMany { path: folder.to_owned(), limit: FILES_MAX }.into());
        }
        paths.push(path);
    }
    if paths.is_empty() {
        let message = format!("{} holds no .json files", folder.display());
        return Err(CliError::new(Exit::NotFound, "FILES_NONE", message, "name a folder of holders' files"));
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use tanba_ledger::operation::Basis;

    use super::*;

    #[test]
    fn a_folder_is_as_good_as_its_worst_file() {
        let tally = |verdicts: &[Verdict]| {
            let mut tally = Tally::default();
            verdicts.iter().for_each(|verdict| tally.count(verdict));
            tally.exit()
        };
        let (valid, revoked) = (Verdict::Valid(Basis::Award), Verdict::Revoked(Basis::Award));
        let unknown = Verdict::CouldNotCheck(Obstacle::NoProof);
        assert_eq!(tally(&[valid.clone(), valid.clone()]), Exit::Ok);
        assert_eq!(tally(&[valid.clone(), unknown.clone()]), Exit::Retry);
        assert_eq!(tally(&[valid, unknown, revoked]), Exit::Failure);
    }
}
