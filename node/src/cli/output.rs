//! The only file that prints. Answers go to stdout, as text or as one JSON object; remarks and failures go to
//! stderr, but for `--json` failures, which are answers too.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use serde::Serialize;

use super::{CliError, Exit};

/// Where a command's answer goes, and in which form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Output {
    json: bool,
    quiet: bool,
}

/// The object of `--json`. `schema` names the form of `data`; a form only ever gains fields.
#[derive(Serialize)]
struct Answer<'a, T> {
    schema: &'a str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure<'a>>,
}

#[derive(Serialize)]
struct Failure<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    next_step: &'a str,
    exit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a serde_json::Value>,
}

/// The schema of every failure.
const ERROR_SCHEMA: &str = "tanba.error.v1";

impl Output {
    /// Answers as JSON or text; with `quiet`, without remarks.
    pub const fn new(json: bool, quiet: bool) -> Output {
        Output { json, quiet }
    }

    /// Whether answers are JSON: then nothing may be asked or drawn either.
    pub const fn is_json(self) -> bool {
        self.json
    }

    /// Answers: `data` under `schema` (`tanba.<noun>.<verb>.v1`), or what `text` writes. A command that streams
    /// calls it once an item: one line of JSON each.
    pub fn data<T: Serialize>(
        self,
        schema: &str,
        data: &T,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        let written = if self.json {
            write_answer(&mut stdout, &Answer { schema, ok: true, data: Some(data), error: None })
        } else {
            text(&mut stdout)
        };
        finish(written.and_then(|()| stdout.flush()))
    }

    /// Remarks for the person at the terminal: not with `--quiet` or `--json`.
    pub fn note(self, text: &str) {
        if !self.quiet && !self.json {
            // A closed stderr is no reason to fail: the answer is elsewhere.
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// Asks before something that cannot be taken back; only `yes` is a yes. Never with `--json`, nor where
    /// nobody sits at the terminal: there the answer is [`CliError`] `NOT_CONFIRMED`, and `--yes` the way on.
    pub fn confirm(self, question: &str) -> Result<(), CliError> {
        let not_confirmed = || {
            let next_step = "answer yes at the terminal, or run the command with --yes";
            CliError::new(
                Exit::Usage,
                "NOT_CONFIRMED",
                "this cannot be taken back and was not confirmed",
                next_step,
            )
        };
        if self.json || !io::stdin().is_terminal() {
            return Err(not_confirmed());
        }
        let mut stderr = io::stderr().lock();
        let asked = write!(stderr, "{question} [yes/no] ").and_then(|()| stderr.flush());
        let mut answer = String::new();
        asked
            .and_then(|()| io::stdin().read_line(&mut answer))
            .map_err(|error| not_confirmed().caused_by(error))?;
        if answer.trim() == "yes" { Ok(()) } else { Err(not_confirmed()) }
    }

    /// Reports a failure and gives its exit code.
    pub fn fail(self, error: &CliError) -> ExitCode {
        let written = if self.json {
            let failure = Failure {
                code: error.code,
                message: &error.message,
                cause: error.cause.as_deref().filter(|_| error.details.is_none()),
                next_step: &error.next_step,
                exit: error.exit.code(),
                details: error.details.as_deref(),
            };
            let answer = Answer::<()> { schema: ERROR_SCHEMA, ok: false, data: None, error: Some(failure) };
            write_answer(&mut io::stdout().lock(), &answer)
        } else {
            write_failure(&mut io::stderr().lock(), error)
        };
        match written {
            Ok(()) => error.exit.into(),
            // Nobody listens; the code still tells.
            Err(_) if error.exit != Exit::Ok => error.exit.into(),
            Err(_) => Exit::Failure.into(),
        }
    }
}

/// A count with its noun: `0 batches`, `1 batch`, `2 batches`.
pub fn counted<N: Display + PartialEq + From<u8>>(count: N, one: &str, many: &str) -> String {
    let noun = if count == N::from(1) { one } else { many };
    format!("{count} {noun}")
}

/// Text that came from outside, as it may be shown to people: what a terminal would obey, or not show, is spelt out
/// (`\u{1b}`).
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // `escape_debug` would spell these out as well; a terminal shows them.
            '"' | '\'' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    shown
}

fn write_answer<T: Serialize>(out: &mut dyn Write, answer: &Answer<'_, T>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, answer)?;
    writeln!(out)
}

fn write_failure(out: &mut dyn Write, error: &CliError) -> io::Result<()> {
    writeln!(out, "error: {}", error.message)?;
    for line in error.cause.iter().flat_map(|cause| cause.lines()) {
        writeln!(out, "  {line}")?;
    }
    writeln!(out, "next: {}", error.next_step)
}

/// A reader that went away (`tanba blocks | head`) has what it wanted.
fn finish(written: io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::output(&error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_sentence_cause_and_next_step() {
        let error = CliError::new(Exit::NotFound, "X", "it is gone", "look elsewhere").caused_by("a\nb");
        let mut out = Vec::new();
        write_failure(&mut out, &error).expect("written into memory");
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "error: it is gone\n  a\n  b\nnext: look elsewhere\n"
        );
    }

    #[test]
    fn an_answer_is_one_line_of_json() {
        let mut out = Vec::new();
        let answer = Answer { schema: "tanba.x.v1", ok: true, data: Some(&[1, 2]), error: None };
        write_answer(&mut out, &answer).expect("written into memory");
        assert_eq!(out, b"{\"schema\":\"tanba.x.v1\",\"ok\":true,\"data\":[1,2]}\n");
    }

    #[test]
    fn what_a_terminal_would_obey_is_spelt_out() {
        assert_eq!(visible("Ұлттық \"орталық\" 2022\\"), "Ұлттық \"орталық\" 2022\\");
        assert_eq!(
            visible("a\u{1b}[2Jb\n\u{202e}c\u{200b}\u{9b}"),
            "a\\u{1b}[2Jb\\n\\u{202e}c\\u{200b}\\u{9b}"
        );
    }

    #[test]
    fn one_alone_has_the_singular() {
        let batches = |count: usize| counted(count, "batch", "batches");
        assert_eq!([0, 1, 2].map(batches), ["0 batches", "1 batch", "2 batches"]);
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        assert_eq!(finish(Err(io::ErrorKind::BrokenPipe.into())), Ok(()));
        assert!(finish(Err(io::ErrorKind::StorageFull.into())).is_err());
    }
}
