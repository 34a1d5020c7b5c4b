//! The five questions a person has, each answered yes, no or *not checked*, with a reason code. The verdict is
//! one word; these say what it rests on.

use tanba_ledger::{operation::Basis, proof::Hidden};

use super::{Checked, Facts, Obstacle, Verdict};

/// An answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes, proven.
    Yes,
    /// No, proven; with the reason's code.
    No(String),
    /// Nothing was found out; with the reason's code.
    NotChecked(String),
}

impl Answer {
    /// The answer in a word.
    pub const fn word(&self) -> &'static str {
        match self {
            Answer::Yes => "yes",
            Answer::No(_) => "no",
            Answer::NotChecked(_) => "not checked",
        }
    }

    /// The reason's code, for `no` and `not checked`.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Answer::Yes => None,
            Answer::No(reason) | Answer::NotChecked(reason) => Some(reason),
        }
    }
}

/// The five answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Questions {
    /// Is it, unaltered, what the institution recorded?
    pub genuine: Answer,
    /// Does it hold now?
    pub in_force: Answer,
    /// Was the institution licensed, and accredited for it, when it was awarded?
    pub entitled: Answer,
    /// Did the graduate consent to its being recorded?
    pub consented: Answer,
    /// Is everyone who asks told the same?
    pub same_for_all: Answer,
}

impl Questions {
    /// The questions of a check, answered.
    pub fn of(checked: &Checked) -> Questions {
        Questions {
            genuine: genuine(&checked.verdict),
            in_force: in_force(&checked.verdict),
            entitled: entitled(&checked.verdict, checked.facts.as_ref()),
            // Unsigned samples carry no consent, and no other documents are read.
            consented: Answer::NotChecked("CONSENT_NOT_INCLUDED".into()),
            same_for_all: same_for_all(checked),
        }
    }

    /// Each question in words with its name for machines and its answer, in the order in which they are asked.
    pub fn each(&self) -> [(&'static str, &'static str, &Answer); 5] {
        [
            ("genuine", "Is it what the institution recorded, unaltered?", &self.genuine),
            ("in_force", "Does it hold now?", &self.in_force),
            ("entitled", "Was the institution licensed and accredited for it?", &self.entitled),
            ("consented", "Did the graduate consent to its being recorded?", &self.consented),
            ("same_for_all", "Is everyone who asks told the same?", &self.same_for_all),
        ]
    }
}

fn no(code: &str) -> Answer {
    Answer::No(code.into())
}

fn not_checked(obstacle: &Obstacle) -> Answer {
    Answer::NotChecked(obstacle.code().into())
}

fn genuine(verdict: &Verdict) -> Answer {
    match verdict {
        Verdict::Valid(_) | Verdict::Replaced(_) | Verdict::Suspended(_) | Verdict::Revoked(_) => Answer::Yes,
        Verdict::NotAvailable(hidden, _) => Answer::NotChecked(hidden_code(*hidden).into()),
        Verdict::NotRecorded => no("NOT_RECORDED"),
        Verdict::Altered(alteration) => no(alteration.code()),
        Verdict::CouldNotCheck(obstacle) => not_checked(obstacle),
    }
}

fn in_force(verdict: &Verdict) -> Answer {
    match verdict {
        Verdict::Valid(_) => Answer::Yes,
        Verdict::Replaced(_) => no("REPLACED"),
        Verdict::Suspended(_) => no("SUSPENDED"),
        Verdict::Revoked(_) => no("REVOKED"),
        Verdict::NotAvailable(hidden, _) => Answer::NotChecked(hidden_code(*hidden).into()),
        Verdict::NotRecorded => no("NOT_RECORDED"),
        // Of the document that was shown nothing is known.
        Verdict::Altered(alteration) => Answer::NotChecked(alteration.code().into()),
        Verdict::CouldNotCheck(obstacle) => not_checked(obstacle),
    }
}

fn entitled(verdict: &Verdict, facts: Option<&Facts>) -> Answer {
    match verdict {
        Verdict::NotAvailable(hidden, _) => return Answer::NotChecked(hidden_code(*hidden).into()),
        Verdict::NotRecorded => return Answer::NotChecked("NOT_RECORDED".into()),
        Verdict::Altered(alteration) => return Answer::NotChecked(alteration.code().into()),
        Verdict::CouldNotCheck(obstacle) => return not_checked(obstacle),
        Verdict::Valid(_) | Verdict::Replaced(_) | Verdict::Suspended(_) | Verdict::Revoked(_) => {}
    }
    match facts.map(|facts| (facts.basis, facts.accredited)) {
        Some((Basis::Award, Some(true))) => Answer::Yes,
        Some((Basis::Award, _)) => no("NOT_ACCREDITED"),
        Some((Basis::Archive, _)) => Answer::NotChecked("FROM_ARCHIVE".into()),
        None => Answer::NotChecked("NOT_RECORDED".into()),
    }
}

/// A proven head is final: two that contradict each other would need a third of the validators to lie.
fn same_for_all(checked: &Checked) -> Answer {
    match (&checked.as_of, &checked.verdict) {
        (Some(_), _) => Answer::Yes,
        (None, Verdict::CouldNotCheck(obstacle)) => not_checked(obstacle),
        (None, verdict) => Answer::NotChecked(verdict.reason_code().unwrap_or("PROOF_MISSING").into()),
    }
}

const fn hidden_code(hidden: Hidden) -> &'static str {
    match hidden {
        Hidden::Restricted => "RESTRICTED_BY_HOLDER",
        Hidden::Withdrawn => "WITHDRAWN_BY_HOLDER",
    }
}
