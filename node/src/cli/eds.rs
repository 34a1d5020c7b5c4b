//! `tanba eds check`: what the national electronic signature on a file is worth. Checked on this machine against what
//! the caller hands in: nothing is fetched, nobody is asked, and without roots nobody is trusted.

mod report;

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use tanba_eds::{
    Certificate, Error, Evidence, Policy, Request, Time, Trust, Verdict,
    certificate::CERTIFICATE_BYTES_MAX,
    check::{self, check},
    der, national,
};

use super::{
    CliError, Context, Exit,
    moment::{or_now, parse_moment},
};
use crate::home::files::{self, FileError};
use report::Told;

/// Bytes of a file that is checked or is evidence: the longest value in its text form, which is a third longer.
const FILE_BYTES_MAX: usize = der::LENGTH_MAX / 2 * 3;

/// Bytes of a content that lies apart: as many as one inside could have.
const CONTENT_BYTES_MAX: usize = der::LENGTH_MAX;

/// Bytes of an authority's certificate in either form.
const AUTHORITY_BYTES_MAX: usize = CERTIFICATE_BYTES_MAX * 2;

/// Authorities in a folder. The national one has had six.
const AUTHORITIES_MAX: usize = 64;

/// Lists and answers in one check. An issuing authority has a list and a delta; some eight authorities stand in chains.
const EVIDENCE_MAX: usize = 32;

/// `tanba eds …`
#[derive(Debug, Args)]
pub struct EdsArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check a certificate, signed message (CMS), revocation list, revocation answer (OCSP) or time stamp
    ///
    /// Ends with 0 if it is valid, with 12 if something is wrong with it, and with 15 if it could not be determined
    /// because roots, a list, an answer or the content are missing. Nothing is fetched: the certificates of the national
    /// authority come from https://pki.gov.kz/cert/, its roots are known to this program by their digests.
    Check(CheckArgs),
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The file, DER or PEM
    file: PathBuf,
    /// What was signed or stamped, where it lies apart
    #[arg(long, value_name = "FILE")]
    content: Option<PathBuf>,
    /// A folder with the certificates of roots and issuing authorities (.cer, .crt, .der, .pem)
    #[arg(long, value_name = "DIR")]
    roots: Option<PathBuf>,
    /// A revocation list, whole or delta; may be repeated
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// An answer about revocation; may be repeated
    #[arg(long, value_name = "FILE")]
    ocsp: Vec<PathBuf>,
    /// The moment that counts [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    at: Option<Time>,
    /// This is about a devnet: roots count that are not the national authority's, and have no legal force
    #[arg(long)]
    devnet: bool,
}

/// Does what `args` say. A negative verdict is an answer, told by its exit code.
pub fn run(args: EdsArgs, ctx: &Context) -> Result<Exit, CliError> {
    match args.verb {
        Verb::Check(args) => check_file(&args, ctx),
    }
}

fn check_file(args: &CheckArgs, ctx: &Context) -> Result<Exit, CliError> {
    let trust = args.roots.as_deref().map(|folder| read_trust(folder, args.devnet)).transpose()?;
    let trust = trust.unwrap_or_else(|| Trust { devnet: args.devnet, ..Trust::default() });
    if args.crl.len() + args.ocsp.len() > EVIDENCE_MAX {
        let message = format!("more than {EVIDENCE_MAX} lists and answers");
        return Err(CliError::new(Exit::Usage, "USAGE", message, "leave out those of other authorities"));
    }
    let lists: Vec<Vec<u8>> =
        args.crl.iter().map(|path| read_binary(path, "X509 CRL")).collect::<Result<_, _>>()?;
    let mut evidence = Evidence::default();
    for (path, list) in args.crl.iter().zip(&lists) {
        evidence.add_crl(list).map_err(|error| no_evidence(path, "revocation list", error))?;
    }
    for path in &args.ocsp {
        let answer = read_binary(path, "OCSP RESPONSE")?;
        evidence.add_ocsp(&answer).map_err(|error| no_evidence(path, "answer about revocation", error))?;
    }
    let content = args.content.as_deref().map(|path| files::read_bounded(path, CONTENT_BYTES_MAX));
    let content = content.transpose()?;
    let file = files::read_bounded(&args.file, FILE_BYTES_MAX)?;
    let at = or_now(args.at);
    let context = tanba_eds::Context { trust: &trust, evidence: &evidence, at, policy: Policy::default() };
    let content = content.as_ref().map(|content| content.as_slice());
    let mut report = check(&Request { file: &file, content, nonce: None, context });
    // Who names nobody to trust learns nothing bad of the file.
    if args.roots.is_none() && report.verdict == Verdict::Invalid(Error::ChainIssuerUnknown) {
        report.verdict = Verdict::Undetermined(Error::ChainIssuerUnknown);
    }
    let exit = exit_of(report.verdict);
    let told = Told::of(&args.file, &report, at, exit);
    ctx.output.data("tanba.eds.check.v1", &told, |out| told.write(out))?;
    Ok(exit)
}

fn exit_of(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Valid => Exit::Ok,
        Verdict::Invalid(_) => Exit::NotProven,
        Verdict::Undetermined(_) => Exit::NotChecked,
    }
}

/// A file's DER; in its text form it must bear this label.
fn read_binary(path: &Path, label: &str) -> Result<Vec<u8>, CliError> {
    let bytes = files::read_bounded(path, FILE_BYTES_MAX)?;
    match check::open(&bytes) {
        Ok((found, der)) if found.is_none_or(|found| found == label) => Ok(der.into_owned()),
        Ok(_) | Err(_) => Err(no_evidence(path, label, Error::Pem)),
    }
}

fn no_evidence(path: &Path, kind: &str, error: Error) -> CliError {
    let message = format!("{} cannot be read as {kind}: {error}", path.display());
    let next_step = "get it anew from the authority, or leave it out";
    with_code(CliError::new(Exit::ConfigInvalid, "EDS_EVIDENCE", message, next_step), error)
}

/// The authorities of a folder. Every certificate there must be one's: a file that is passed over unseen is a root that
/// somebody believes to be in force.
fn read_trust(folder: &Path, devnet: bool) -> Result<Trust, CliError> {
    let paths = list(folder)?;
    let mut authorities = Vec::with_capacity(paths.len());
    for path in &paths {
        let bytes = files::read_bounded(path, AUTHORITY_BYTES_MAX)?;
        let certificate = read_certificate(&bytes).map_err(|error| no_authority(path, error))?;
        authorities.push(certificate);
    }
    national::trust_of(&authorities, devnet).map_err(|(place, error)| no_authority(&paths[place], error))
}

fn read_certificate(bytes: &[u8]) -> Result<Certificate, Error> {
    match check::open(bytes)? {
        (None | Some("CERTIFICATE"), der) => Certificate::from_der(&der),
        (Some(_), _) => Err(Error::Pem),
    }
}

fn no_authority(path: &Path, error: Error) -> CliError {
    let message = format!("{} is no certificate of an authority: {error}", path.display());
    let next_step = "take it out of the folder, or get it anew from https://pki.gov.kz/cert/";
    with_code(CliError::new(Exit::ConfigInvalid, "EDS_ROOTS", message, next_step), error)
}

fn with_code(error: CliError, reason: Error) -> CliError {
    CliError { details: Some(Box::new(serde_json::json!({ "code": reason.code() }))), ..error }
}

/// The certificates of a folder, in order of names.
fn list(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let refused = |error| FileError::io("list", folder)(error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let is_one = path.extension().and_then(OsStr::to_str).is_some_and(|extension| {
            ["cer", "crt", "der", "pem"].iter().any(|known| extension.eq_ignore_ascii_case(known))
        });
        if !is_one {
            continue;
        }
        if paths.len() == AUTHORITIES_MAX {
            let message = format!("{} holds more than {AUTHORITIES_MAX} certificates", folder.display());
            let next_step = "leave the authorities' alone in it";
            return Err(CliError::new(Exit::ConfigInvalid, "EDS_ROOTS", message, next_step));
        }
        paths.push(path);
    }
    if paths.is_empty() {
        let message = format!("{} holds no certificate", folder.display());
        let next_step =
            "put the authorities' there, as .cer, .crt, .der or .pem, from https://pki.gov.kz/cert/";
        return Err(CliError::new(Exit::NotFound, "EDS_ROOTS", message, next_step));
    }
    paths.sort();
    Ok(paths)
}
