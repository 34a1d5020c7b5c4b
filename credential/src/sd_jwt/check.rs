//! An SD-JWT for people: every question answered with yes, no and why, or *not checked*. What could not be checked is
//! never shown as good.

use std::fmt;

use serde_json::{Value, json};

use super::{Error, Form, Jwk, SdJwt, Verified, json::Object, key_binding, vc};

/// What is asked of a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Question {
    /// Can it be read?
    Form,
    /// Did the issuer sign it?
    Signature,
    /// Does every disclosure fit a digest?
    Disclosures,
    /// Has it the type and claims of a credential?
    Type,
    /// Does it hold now?
    Time,
    /// Did the holder answer by the key that the document names?
    KeyBinding,
}

impl Question {
    /// Its name for machines.
    pub const fn code(self) -> &'static str {
        match self {
            Question::Form => "form",
            Question::Signature => "signature",
            Question::Disclosures => "disclosures",
            Question::Type => "type",
            Question::Time => "time",
            Question::KeyBinding => "key_binding",
        }
    }
}

/// How a question is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It holds.
    Yes,
    /// It does not.
    No(Error),
    /// Nobody can say, for this reason.
    NotChecked(&'static str),
}

impl From<Result<(), Error>> for Outcome {
    fn from(result: Result<(), Error>) -> Outcome {
        result.map_or_else(Outcome::No, |()| Outcome::Yes)
    }
}

/// A question and its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The question.
    pub question: Question,
    /// The answer.
    pub outcome: Outcome,
}

/// All answers in one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Signed by the key given, whole, of now.
    Valid,
    /// Refused, for the first of the reasons.
    Invalid(Error),
    /// Nothing speaks against it, but the signature was not checked.
    NotChecked,
}

/// What is known of an SD-JWT.
#[derive(Clone, PartialEq)]
pub struct Report {
    form: Option<Form>,
    key_id: Option<String>,
    answers: Vec<Answer>,
    content: Option<Verified>,
}

/// Checks an SD-JWT in either form, at a time in seconds since 1970; space around it is left out. Without a key of
/// the issuer the signature is not checked, and the verdict says so.
pub fn check(bytes: &[u8], issuer_key: Option<Jwk>, at: u64) -> Report {
    let sd_jwt = match SdJwt::read(bytes.trim_ascii()) {
        Ok(sd_jwt) => sd_jwt,
        Err(error) => {
            let answers = vec![Answer { question: Question::Form, outcome: Outcome::No(error) }];
            return Report { form: None, key_id: None, answers, content: None };
        }
    };
    let processed = sd_jwt.process();
    let signature = match issuer_key {
        Some(key) => sd_jwt.check_signature(&key).into(),
        None => Outcome::NotChecked("no key of the issuer was given"),
    };
    let claims = |ask: &dyn Fn(&Verified) -> Outcome| match &processed {
        Ok(processed) => ask(processed),
        Err(_) => Outcome::NotChecked("the disclosures do not fit"),
    };
    let answers = [
        (Question::Form, Outcome::Yes),
        (Question::Signature, signature),
        (Question::Disclosures, processed.as_ref().map(|_| ()).map_err(|error| *error).into()),
        (Question::Type, claims(&|processed| answer_type(&sd_jwt, processed))),
        (Question::Time, claims(&|processed| vc::check_times(processed.claims(), at).into())),
        (Question::KeyBinding, claims(&|processed| answer_key_binding(&sd_jwt, processed))),
    ];
    Report {
        form: Some(sd_jwt.form()),
        key_id: sd_jwt.key_id().map(str::to_owned),
        answers: answers.map(|(question, outcome)| Answer { question, outcome }).to_vec(),
        content: processed.ok(),
    }
}

fn answer_type(sd_jwt: &SdJwt, processed: &Verified) -> Outcome {
    if sd_jwt.is_of(&[vc::TYPE]) {
        vc::check_claims(processed).into()
    } else if sd_jwt.is_of(&[key_binding::TYPE]) {
        Outcome::No(Error::Type)
    } else {
        Outcome::NotChecked("not of type dc+sd-jwt: the general rules alone apply")
    }
}

fn answer_key_binding(sd_jwt: &SdJwt, processed: &Verified) -> Outcome {
    if sd_jwt.key_binding().is_none() {
        return Outcome::NotChecked("the holder did not answer: compare with an identity document");
    }
    processed.holder_key().and_then(|key| key_binding::check_signed(sd_jwt, &key)).map(|_| ()).into()
}

impl Report {
    /// How it was written, where it could be read.
    pub const fn form(&self) -> Option<Form> {
        self.form
    }

    /// Every question asked, with its answer.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// The names of what was disclosed; see [`Verified::disclosed`].
    pub fn disclosed(&self) -> &[String] {
        self.content.as_ref().map_or(&[], Verified::disclosed)
    }

    /// Digests of what is held back, and decoys.
    pub fn withheld(&self) -> usize {
        self.content.as_ref().map_or(0, Verified::withheld)
    }

    /// What it says, a person's data: to be shown only to whoever asks for it. Not to be believed unless the verdict
    /// is [`Verdict::Valid`].
    pub fn claims(&self) -> Option<&Object> {
        self.content.as_ref().map(Verified::claims)
    }

    /// All answers in one word.
    pub fn verdict(&self) -> Verdict {
        let no = self.answers.iter().find_map(|answer| match answer.outcome {
            Outcome::No(error) => Some(error),
            Outcome::Yes | Outcome::NotChecked(_) => None,
        });
        let signed = Answer { question: Question::Signature, outcome: Outcome::Yes };
        match no {
            Some(error) => Verdict::Invalid(error),
            None if self.answers.contains(&signed) => Verdict::Valid,
            None => Verdict::NotChecked,
        }
    }

    /// The report for machines; the claims only where `with_claims` asks for them.
    pub fn to_json(&self, with_claims: bool) -> Value {
        let (verdict, code) = match self.verdict() {
            Verdict::Valid => ("valid", None),
            Verdict::Invalid(error) => ("invalid", Some(error.code())),
            Verdict::NotChecked => ("not_checked", None),
        };
        let form = self.form.map(|form| match form {
            Form::Compact => "compact",
            Form::Flattened => "json_flattened",
            Form::General => "json_general",
        });
        let mut report = json!({
            "verdict": verdict,
            "code": code,
            "form": form,
            "key_id": self.key_id,
            "answers": self.answers.iter().map(answer_json).collect::<Vec<_>>(),
            "disclosed": self.disclosed(),
            "withheld": self.withheld(),
        });
        if with_claims {
            report["claims"] = self.claims().cloned().map_or(Value::Null, Value::Object);
        }
        report
    }
}

fn answer_json(answer: &Answer) -> Value {
    let question = answer.question.code();
    match answer.outcome {
        Outcome::Yes => json!({ "question": question, "answer": "yes" }),
        Outcome::No(error) => {
            json!({ "question": question, "answer": "no", "code": error.code(), "reason": error.to_string() })
        }
        Outcome::NotChecked(reason) => {
            json!({ "question": question, "answer": "not_checked", "reason": reason })
        }
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").field("answers", &self.answers).finish_non_exhaustive()
    }
}
