//! What varies from consent to consent, in the order in which the law lists it.

use std::fmt;

use tanba_crypto::Hash;

use super::wording::{self, Wording};
use crate::{
    document::IssuerBin,
    encoding::hash_from_hex,
    requisites::{Date, Fault, check_text},
};

/// Characters of a name, and of a list of recipients, countries or sources.
pub const TERM_CHARS_MAX: usize = 600;

/// Characters of the number that a state service gave a request.
const REQUEST_CHARS_MAX: usize = 64;

/// The language of a consent. There is no English form: what is signed in Kazakhstan is in Kazakh or in Russian.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Language {
    /// Kazakh.
    Kk,
    /// Russian.
    Ru,
}

impl Language {
    /// Both.
    pub const ALL: [Language; 2] = [Language::Kk, Language::Ru];

    /// The code of ISO 639-1.
    pub const fn code(self) -> &'static str {
        match self {
            Language::Kk => "kk",
            Language::Ru => "ru",
        }
    }

    /// The language of this code.
    pub fn by_code(code: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.code() == code)
    }

    pub(super) const fn wording(self) -> &'static Wording {
        match self {
            Language::Kk => &wording::KK,
            Language::Ru => &wording::RU,
        }
    }
}

/// How the person consents (Law 94-V, article 8(1)). It says who signs the text.
#[derive(Clone, PartialEq, Eq)]
pub enum Method {
    /// The person, with the national signature.
    Eds,
    /// A state service that asked the person: its information system signs.
    StateService {
        /// The number it gave the request.
        request: String,
    },
    /// The person signed paper before two officers of the operator: both sign.
    WitnessedPaper {
        /// SHA-256 of the scanned sheet, which the operator keeps.
        sheet: Hash,
    },
}

impl Method {
    /// Its word in verdicts and files.
    pub const fn name(&self) -> &'static str {
        match self {
            Method::Eds => "eds",
            Method::StateService { .. } => "state-service",
            Method::WitnessedPaper { .. } => "witnessed-paper",
        }
    }

    pub(super) fn write(&self, wording: &Wording) -> String {
        match self {
            Method::Eds => wording.by_eds.to_owned(),
            Method::StateService { request } => format!("{}{request}", wording.by_service),
            Method::WitnessedPaper { sheet } => format!("{}{sheet}", wording.by_paper),
        }
    }

    pub(super) fn read(text: &str, wording: &Wording) -> Option<Method> {
        if text == wording.by_eds {
            Some(Method::Eds)
        } else if let Some(request) = text.strip_prefix(wording.by_service) {
            Some(Method::StateService { request: request.to_owned() })
        } else {
            let sheet = hash_from_hex(text.strip_prefix(wording.by_paper)?)?;
            Some(Method::WitnessedPaper { sheet })
        }
    }
}

impl fmt::Debug for Method {
    /// The number of a request and a sheet's hash lead to a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who collects and processes: the institution.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    /// Its full name, in the language of the consent.
    pub name: String,
    /// Its number.
    pub bin: IssuerBin,
}

/// What a person consents to, beside the fixed words of the form. `Debug` shows the operator alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Terms {
    /// 1: the operator.
    pub operator: Operator,
    /// 2: the person's full name, as the diploma has it.
    pub person: String,
    /// 3: the last day on which the consent holds.
    pub until: Date,
    /// 4: to which third parties data may be given; none by default.
    pub third_parties: Option<String>,
    /// 5: to which countries.
    pub abroad: Option<String>,
    /// 6: in which public sources data may be published.
    pub publication: Option<String>,
    /// Whether the diploma may be issued among fewer than twenty, where it is easier to guess whose it is.
    pub small_group: bool,
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms").field("operator", &self.operator).finish_non_exhaustive()
    }
}

/// A term that no consent can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TermsError {
    /// A text is empty, too long, or holds what cannot be seen.
    #[error("{item}: {fault}")]
    Text {
        /// Which: `operator`, `person`, `third_parties`, `abroad`, `publication` or `request`.
        item: &'static str,
        /// What is wrong with it.
        fault: Fault,
    },
    /// A text that is the form's own word for *nothing*.
    #[error("{item}: it is the form's word for nothing; leave it out instead")]
    Nothing {
        /// Which.
        item: &'static str,
    },
}

impl Terms {
    /// Checks that the form can carry these terms in this language, each in one spelling.
    pub fn check(&self, language: Language) -> Result<(), TermsError> {
        let text = |item, text: &str, chars_max| {
            check_text(text, chars_max).map_err(|fault| TermsError::Text { item, fault })
        };
        text("operator", &self.operator.name, TERM_CHARS_MAX)?;
        text("person", &self.person, TERM_CHARS_MAX)?;
        for (item, listed) in [
            ("third_parties", &self.third_parties),
            ("abroad", &self.abroad),
            ("publication", &self.publication),
        ] {
            let Some(listed) = listed else { continue };
            text(item, listed, TERM_CHARS_MAX)?;
            if listed == language.wording().no {
                return Err(TermsError::Nothing { item });
            }
        }
        Ok(())
    }
}

pub(super) fn check_method(method: &Method) -> Result<(), TermsError> {
    let Method::StateService { request } = method else { return Ok(()) };
    check_text(request, REQUEST_CHARS_MAX).map_err(|fault| TermsError::Text { item: "request", fault })
}
