//! `tanba document check`: any issuer's SD-JWT, question by question. Without the issuer's key it is never valid; the
//! ledger is not asked, which is the matter of `tanba verify`.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use tanba_credential::sd_jwt::{
    Answer, JWK_BYTES_MAX, Jwk, Outcome, Question, Report, SD_JWT_BYTES_MAX, Verdict, check,
};
use tanba_eds::Time;

use super::{
    CliError, Context, Exit,
    moment::{or_now, parse_moment},
    output::visible,
};
use crate::home::files;

/// Room for the space around a document, which is left out.
const SPACE_BYTES_MAX: usize = 1024;

/// `tanba document …`
#[derive(Debug, Args)]
pub struct DocumentArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check an SD-JWT (RFC 9901), compact or JSON: signature, disclosures, type, times, the holder's answer
    ///
    /// Ends with 0 if it is valid, with 12 if something is wrong with it, and with 15 if nothing is wrong but the
    /// issuer's key was not given. What it says is a person's data, and is printed unless it is invalid.
    Check(CheckArgs),
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The document, as a text file
    file: PathBuf,
    /// The issuer's public key, Ed25519 or P-256: a JWK, or a file that holds one
    #[arg(long, value_name = "JWK")]
    issuer_key: Option<String>,
    /// The moment that counts [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    at: Option<Time>,
}

/// Does what `args` say. A negative verdict is an answer, told by its exit code.
pub fn run(args: DocumentArgs, ctx: &Context) -> Result<Exit, CliError> {
    let Verb::Check(args) = args.verb;
    let key = args.issuer_key.as_deref().map(read_key).transpose()?;
    let bytes = files::read_bounded(&args.file, SD_JWT_BYTES_MAX + SPACE_BYTES_MAX)?;
    let at = or_now(args.at);
    let report = check(&bytes, key, at.unix_s().max(0).cast_unsigned());
    let exit = exit_of(report.verdict());
    let told = Told::of(&args.file, &report, at, exit);
    ctx.output.data("tanba.document.check.v1", &told, |out| told.write(out))?;
    Ok(exit)
}

fn exit_of(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Valid => Exit::Ok,
        Verdict::Invalid(_) => Exit::NotProven,
        Verdict::NotChecked => Exit::NotChecked,
    }
}

/// The key in `text`, or in the file of this name.
fn read_key(text: &str) -> Result<Jwk, CliError> {
    let key = if text.trim_start().starts_with('{') {
        Jwk::read(text.as_bytes())
    } else {
        Jwk::read(&files::read_bounded(Path::new(text), JWK_BYTES_MAX)?)
    };
    key.map_err(|error| {
        let message = format!("the issuer's key cannot be used: {error}");
        let next_step = "name a public key, such as {\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"…\"}";
        CliError::new(Exit::ConfigInvalid, "JWK_INVALID", message, next_step)
    })
}

/// The object of `tanba.document.check.v1`.
#[derive(Serialize)]
struct Told {
    file: String,
    at: String,
    exit: u8,
    next_step: Option<&'static str>,
    /// Verdict, code, form, answers, names and values of what was disclosed.
    #[serde(flatten)]
    report: Value,
    #[serde(skip)]
    lines: Vec<String>,
}

impl Told {
    /// What an invalid document says is not told: somebody may have written it into it.
    fn of(path: &Path, report: &Report, at: Time, exit: Exit) -> Told {
        let verdict = report.verdict();
        let with_claims = !matches!(verdict, Verdict::Invalid(_));
        let mut lines = vec![sentence(verdict, at)];
        lines.extend(next_step(verdict).map(|next_step| format!("next: {next_step}")));
        lines.extend(report.answers().iter().map(|answer| format!("  {}", line(answer))));
        let report_json = report.to_json(with_claims);
        let key_id = report_json["key_id"].as_str().map(visible);
        lines.extend(key_id.map(|name| format!("  {:20} {name}", "key it names")));
        if let Some(claims) = report.claims().filter(|_| with_claims) {
            let unproven = if verdict == Verdict::Valid { "" } else { ", unproven" };
            let (shown, withheld) = (report.disclosed().len(), report.withheld());
            lines.push(String::new());
            lines.push(format!("It says{unproven} ({shown} disclosed, {withheld} digests withheld)"));
            let said = claims.iter().map(|(name, value)| (visible(name), visible(&value.to_string())));
            lines.extend(said.map(|(name, value)| format!("  {name:24} {value}")));
        }
        Told {
            file: path.display().to_string(),
            at: at.to_string(),
            exit: exit.code(),
            next_step: next_step(verdict),
            report: report_json,
            lines,
        }
    }

    /// For people.
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.lines.iter().try_for_each(|line| writeln!(out, "{line}"))
    }
}

fn sentence(verdict: Verdict, at: Time) -> String {
    match verdict {
        Verdict::Valid => format!("Valid: signed by the issuer's key given, as of {at}"),
        Verdict::Invalid(error) => format!("Invalid ({}): {error}, as of {at}", error.code()),
        Verdict::NotChecked => {
            format!("Not checked: without the issuer's key nobody can say who wrote it, as of {at}")
        }
    }
}

fn next_step(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Valid => None,
        Verdict::Invalid(_) => Some("do not rely on it; ask the holder for the document as it was issued"),
        Verdict::NotChecked => Some("get the issuer's key from the issuer, and name it with --issuer-key"),
    }
}

fn line(Answer { question, outcome }: &Answer) -> String {
    let asked = match question {
        Question::Form => "form",
        Question::Signature => "issuer's signature",
        Question::Disclosures => "disclosures",
        Question::Type => "type and claims",
        Question::Time => "times",
        Question::KeyBinding => "holder's answer",
    };
    match outcome {
        // The answer is genuine; whether it is to this verifier and fresh, nobody asked here.
        Outcome::Yes if *question == Question::KeyBinding => {
            format!("{asked:20} yes; for whom and when it was given is not compared")
        }
        Outcome::Yes => format!("{asked:20} yes"),
        Outcome::No(error) => format!("{asked:20} no ({}): {error}", error.code()),
        Outcome::NotChecked(reason) => format!("{asked:20} not checked: {reason}"),
    }
}
