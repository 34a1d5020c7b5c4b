//! How a check is told: one sentence, five questions, then what the ledger and the document say; the same as
//! JSON; and the exit code.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
};

use serde::Serialize;
use tanba_credential::{
    Field, OpenError, Opened, Value,
    requisites::{StudyForm, Texts},
};
use tanba_genesis::text::moment;
use tanba_ledger::{
    operation::Basis,
    proof::{Checkpoint, Hidden, ProofFailure},
    record::InstitutionState,
};

use super::super::{Exit, output::counted};
use crate::{
    client::{ClientError, Code},
    verify::{Checked, Facts, Obstacle, Questions, Verdict},
};

/// The exit code of a verdict.
pub(super) fn exit_of(verdict: &Verdict) -> Exit {
    match verdict {
        Verdict::Valid(_) => Exit::Ok,
        Verdict::Revoked(_) => Exit::Revoked,
        Verdict::Suspended(_) | Verdict::Replaced(_) => Exit::NotInForce,
        Verdict::Altered(_) => Exit::NotProven,
        Verdict::NotAvailable(..) => Exit::NotAvailable,
        Verdict::NotRecorded => Exit::NotFound,
        Verdict::CouldNotCheck(obstacle) => exit_of_obstacle(obstacle),
    }
}

fn exit_of_obstacle(obstacle: &Obstacle) -> Exit {
    match obstacle {
        Obstacle::File(OpenError::Document(_) | OpenError::Field(_) | OpenError::Fields(_)) => {
            Exit::NotProven
        }
        Obstacle::File(OpenError::TooLong { .. } | OpenError::Malformed { .. } | OpenError::Altered(_))
        | Obstacle::Issuer
        | Obstacle::OtherNetwork
        | Obstacle::NoProof => Exit::ConfigInvalid,
        Obstacle::Unsealed | Obstacle::ProofUnreadable => Exit::NotProven,
        Obstacle::Proof(failure) => exit_of_failure(failure),
        Obstacle::Node(error) => match error {
            ClientError::Address(_) => Exit::Usage,
            ClientError::Proof { failure } => exit_of_failure(failure),
            ClientError::WrongNetwork { .. } => Exit::ConfigInvalid,
            ClientError::Refused(refused) => match refused.code {
                Code::Unavailable | Code::ResourceExhausted | Code::Aborted | Code::FailedPrecondition => {
                    Exit::Retry
                }
                // The node cannot start from this checkpoint.
                Code::OutOfRange => Exit::TrustRootStale,
                _ => Exit::Unavailable,
            },
            ClientError::Unreachable { .. }
            | ClientError::Ended { .. }
            | ClientError::Foreign { .. }
            | ClientError::Malformed(_)
            | ClientError::OutOfOrder { .. } => Exit::Unavailable,
        },
    }
}

/// The exit code of a proof that proves nothing.
pub(crate) fn exit_of_failure(failure: &ProofFailure) -> Exit {
    match failure {
        ProofFailure::CheckpointStale { .. } | ProofFailure::Stale { .. } | ProofFailure::OtherCheckpoint => {
            Exit::TrustRootStale
        }
        ProofFailure::ClockBehind { .. } => Exit::Failure,
        ProofFailure::LinksMany(_)
        | ProofFailure::Link { .. }
        | ProofFailure::Roots
        | ProofFailure::Path { .. }
        | ProofFailure::Versions(_)
        | ProofFailure::Missing(_)
        | ProofFailure::Malformed(_)
        | ProofFailure::Contradiction(_)
        | ProofFailure::AfterHead
        | ProofFailure::BucketAtPast => Exit::NotProven,
    }
}

/// A check as told: the object of `tanba.verify.v1`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    file: String,
    verdict: &'static str,
    reason: Option<String>,
    sentence: String,
    exit: u8,
    as_of: Option<AsOf>,
    questions: Vec<QuestionTold>,
    ledger: Option<Ledger>,
    document: Option<BTreeMap<&'static str, serde_json::Value>>,
    proof_bytes: usize,
    checked_us: u64,
    #[serde(skip)]
    lines: Vec<(&'static str, String)>,
}

#[derive(Debug, Serialize)]
struct AsOf {
    chain: String,
    height: u64,
    block: String,
    time: String,
}

#[derive(Debug, Serialize)]
struct QuestionTold {
    name: &'static str,
    question: &'static str,
    answer: &'static str,
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct Ledger {
    issuer: String,
    name_kk: String,
    name_ru: String,
    name_en: String,
    issuer_state: &'static str,
    successor: Option<String>,
    permit: Option<String>,
    accredited: Option<bool>,
    basis: &'static str,
    awarded_month: String,
    batch_count: u32,
    batch_small: bool,
    recorded_at_height: u64,
    recorded_at_time: Option<String>,
    standing_reason: Option<String>,
}

impl Report {
    /// What is told of a check of the file at `path`. The document's content is told only where the ledger
    /// confirms it.
    pub(super) fn of(path: &Path, checked: &Checked, opened: Option<&Opened>) -> Report {
        let confirmed = opened.filter(|_| checked.facts.is_some());
        let told = |(name, question, answer): (_, _, &crate::verify::Answer)| QuestionTold {
            name,
            question,
            answer: answer.word(),
            reason: answer.reason().map(str::to_owned),
        };
        Report {
            file: path.display().to_string(),
            verdict: checked.verdict.code(),
            reason: checked.verdict.reason_code().map(str::to_owned),
            sentence: sentence(checked, confirmed),
            exit: exit_of(&checked.verdict).code(),
            as_of: checked.as_of.as_ref().map(AsOf::of),
            questions: Questions::of(checked).each().into_iter().map(told).collect(),
            ledger: checked.facts.as_ref().map(Ledger::of),
            document: confirmed.map(document),
            proof_bytes: checked.proof_bytes,
            checked_us: checked.checked_us,
            lines: confirmed.map(content).unwrap_or_default(),
        }
    }

    /// For people.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.sentence)?;
        writeln!(out)?;
        for told in &self.questions {
            match &told.reason {
                Some(reason) => writeln!(out, "  {:52} {} ({reason})", told.question, told.answer)?,
                None => writeln!(out, "  {:52} {}", told.question, told.answer)?,
            }
        }
        if let Some(ledger) = &self.ledger {
            writeln!(out, "\nFrom the ledger")?;
            ledger.write(out)?;
        }
        if !self.lines.is_empty() {
            writeln!(out, "\nFrom the document")?;
            self.lines.iter().try_for_each(|(name, text)| writeln!(out, "  {name:20} {text}"))?;
        }
        if self.proof_bytes > 0 {
            writeln!(out, "\nproof {} bytes, checked here in {} us", self.proof_bytes, self.checked_us)?;
        }
        Ok(())
    }

    /// One line, for a folder.
    pub(super) fn write_line(&self, out: &mut dyn Write) -> io::Result<()> {
        let reason = self.reason.as_deref().unwrap_or_default();
        writeln!(out, "{:26} {:24} {}", self.verdict, reason, self.file)
    }
}

impl AsOf {
    fn of(head: &Checkpoint) -> AsOf {
        AsOf {
            chain: head.chain.0.to_string(),
            height: head.height.0,
            block: head.hash.0.to_string(),
            time: moment(head.time),
        }
    }
}

impl Ledger {
    fn of(facts: &Facts) -> Ledger {
        Ledger {
            issuer: facts.issuer.to_string(),
            name_kk: facts.names.kk.clone(),
            name_ru: facts.names.ru.clone(),
            name_en: facts.names.en.clone(),
            issuer_state: match facts.state {
                InstitutionState::Active => "active",
                InstitutionState::FrozenUntil(_) => "frozen",
                InstitutionState::Stopped => "stopped",
            },
            successor: facts.successor.map(|bin| bin.to_string()),
            permit: facts
                .regime
                .as_ref()
                .map(|regime| format!("no. {}, {} to {}", regime.document_number, regime.from, regime.to)),
            accredited: facts.accredited,
            basis: match facts.basis {
                Basis::Award => "award",
                Basis::Archive => "archive",
            },
            awarded_month: facts.awarded_month.to_string(),
            batch_count: facts.batch_count,
            batch_small: facts.small,
            recorded_at_height: facts.issued_at.0,
            recorded_at_time: facts.issued_time.map(moment),
            standing_reason: facts.reason.map(|reason| format!("{reason:?}")),
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut line = |name: &str, text: &str| writeln!(out, "  {name:20} {text}");
        line("institution", &format!("{} (BIN {})", self.name_en, self.issuer))?;
        line("", &format!("{}; {}", self.name_kk, self.name_ru))?;
        if let Some(permit) = &self.permit {
            line("permit", permit)?;
        }
        if self.issuer_state != "active" {
            line("state now", self.issuer_state)?;
        }
        if let Some(successor) = &self.successor {
            line("successor", &format!("BIN {successor}"))?;
        }
        line(
            "accredited for it",
            match self.accredited {
                Some(true) => "yes, in the month of award",
                Some(false) => "no",
                None => "not asked: confirmed from the archive",
            },
        )?;
        let small = if self.batch_small { ", small" } else { "" };
        let diplomas = counted(self.batch_count, "diploma", "diplomas");
        line("batch", &format!("{}, {}, {diplomas}{small}", self.basis, self.awarded_month))?;
        let time = self.recorded_at_time.as_ref().map(|time| format!(", {time}")).unwrap_or_default();
        line("recorded", &format!("block {}{time}", self.recorded_at_height))?;
        match &self.standing_reason {
            Some(reason) => line("reason", reason),
            None => Ok(()),
        }
    }
}

/// The first line: the verdict in a sentence.
fn sentence(checked: &Checked, confirmed: Option<&Opened>) -> String {
    let verdict = match &checked.verdict {
        // Documents with an institution's seal are not of this version.
        Verdict::Valid(basis) => {
            let from = match basis {
                Basis::Award => "",
                Basis::Archive => ", confirmed from the archive",
            };
            let degree = confirmed.and_then(|opened| opened.fields.get(&Field::Qualification)).map(plain);
            let issuer = checked.facts.as_ref().map(|facts| facts.names.en.clone());
            let what = [degree, issuer].into_iter().flatten().collect::<Vec<_>>().join(", ");
            format!("Valid (devnet, unsigned sample){from}: {what}")
        }
        Verdict::Replaced(_) => {
            "Replaced: a newer document took its place; ask the holder for that one".to_owned()
        }
        Verdict::Suspended(_) => "Suspended: it does not hold for now".to_owned(),
        Verdict::Revoked(_) => {
            "Revoked: the institution withdrew it and it does not hold any more".to_owned()
        }
        Verdict::NotAvailable(Hidden::Restricted, _) => {
            "Not available: the holder does not let it be checked for now; this says nothing about the degree"
                .to_owned()
        }
        Verdict::NotAvailable(Hidden::Withdrawn, _) => {
            "Withdrawn: the holder has ended electronic checking; this says nothing about the degree"
                .to_owned()
        }
        Verdict::NotRecorded => {
            "Not recorded: the institution it names has recorded no such diploma".to_owned()
        }
        Verdict::Altered(alteration) => format!("Altered: {alteration}"),
        Verdict::CouldNotCheck(obstacle) => {
            format!("Could not check: {obstacle}. This says nothing about the diploma")
        }
    };
    match &checked.as_of {
        Some(head) => format!("{verdict}, as of block {}, {}", head.height, moment(head.time)),
        None => verdict,
    }
}

fn document(opened: &Opened) -> BTreeMap<&'static str, serde_json::Value> {
    let value = |value: &Value| serde_json::to_value(value).expect("a field's value is JSON");
    opened.fields.iter().map(|(field, held)| (field.name(), value(held))).collect()
}

fn content(opened: &Opened) -> Vec<(&'static str, String)> {
    opened.fields.iter().map(|(field, value)| (field.name(), plain(value))).collect()
}

fn plain(value: &Value) -> String {
    let texts = |texts: &Texts| format!("{} ({}; {})", texts.en, texts.kk, texts.ru);
    match value {
        Value::Texts(held) => texts(held),
        Value::Programme(programme) => format!("{} {}", programme.code, texts(&programme.name)),
        Value::Level(level) => level.to_string(),
        Value::Honours(true) => "with honours".to_owned(),
        Value::Honours(false) => "without honours".to_owned(),
        Value::StudyForm(form) => match form {
            StudyForm::FullTime => "full time",
            StudyForm::Evening => "evening",
            StudyForm::Correspondence => "correspondence",
            StudyForm::Online => "online",
        }
        .to_owned(),
        Value::Date(date) => date.to_string(),
        Value::Minutes(minutes) => format!("no. {} of {}", minutes.number, minutes.date),
        Value::DiplomaNumber(number) => format!("{} {}", number.series, number.number),
        Value::Text(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use tanba_credential::Part;

    use super::*;
    use crate::verify::Alteration;

    #[test]
    fn each_verdict_has_its_exit_code() {
        let exit = |verdict: Verdict| exit_of(&verdict).code();
        for basis in [Basis::Award, Basis::Archive] {
            assert_eq!(exit(Verdict::Valid(basis)), 0);
            assert_eq!(exit(Verdict::Revoked(basis)), 10);
            assert_eq!(exit(Verdict::Suspended(basis)), 11);
            assert_eq!(exit(Verdict::Replaced(basis)), 11);
            assert_eq!(exit(Verdict::NotAvailable(Hidden::Restricted, basis)), 14);
            assert_eq!(exit(Verdict::NotAvailable(Hidden::Withdrawn, basis)), 14);
        }
        assert_eq!(exit(Verdict::Altered(Alteration::File(Part::Gost))), 12);
        assert_eq!(exit(Verdict::NotRecorded), 4);
    }

    #[test]
    fn an_outage_never_looks_like_a_bad_diploma() {
        let told_of_a_diploma = [0, 4, 10, 11, 14];
        let address = "127.0.0.1:1".to_owned();
        for (obstacle, code) in [
            (Obstacle::Node(ClientError::Unreachable { address: address.clone() }), 69),
            (Obstacle::Node(ClientError::Ended { address }), 69),
            (Obstacle::Proof(ProofFailure::Stale { age_ms: 1 }), 13),
            (Obstacle::Proof(ProofFailure::CheckpointStale { age_ms: 1 }), 13),
            (Obstacle::Proof(ProofFailure::Roots), 12),
            (Obstacle::Unsealed, 12),
        ] {
            let checked = Checked::without_proof(Verdict::CouldNotCheck(obstacle));
            let report = Report::of(Path::new("a.json"), &checked, None);
            assert_eq!(report.exit, code);
            assert!(!told_of_a_diploma.contains(&report.exit));
            assert!(report.sentence.starts_with("Could not check: "), "{}", report.sentence);
            assert!(report.questions.iter().all(|told| told.answer == "not checked"));
        }
    }
}
