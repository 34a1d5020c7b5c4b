//! The withdrawal of a consent: a text like the consent's, signed by the same person, that names the same diploma.

use std::fmt;

use tanba_crypto::Hash;
use tanba_eds::{Context, Iin, Time};

use super::{
    check::{self, ConsentError},
    form::{self, FormError},
    statement::{Item, Statement},
    terms::{Language, Operator, TERM_CHARS_MAX},
};
use crate::{document::IssuerBin, encoding::hash_from_hex, requisites::check_text};

/// A withdrawal, unsigned: what its text says. `Debug` shows its language alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Withdrawal {
    language: Language,
    operator: Operator,
    person: String,
    subject: Hash,
}

impl Withdrawal {
    /// The withdrawal of this consent, in its language.
    pub fn of(consent: &Statement) -> Withdrawal {
        Withdrawal {
            language: consent.language(),
            operator: consent.terms().operator.clone(),
            person: consent.terms().person.clone(),
            subject: consent.subject(),
        }
    }

    /// The text to sign: UTF-8, lines that end in a line feed.
    pub fn to_text(&self) -> String {
        let (bin, subject) = (self.operator.bin.to_string(), self.subject.to_string());
        form::fill(self.language.wording().withdrawal, &[&self.operator.name, &bin, &self.person, &subject])
    }

    /// Reads what [`Withdrawal::to_text`] writes, and nothing else.
    pub fn from_text(text: &[u8]) -> Result<Withdrawal, FormError> {
        let text = std::str::from_utf8(text).map_err(|_| FormError::Unknown)?;
        for language in Language::ALL {
            match form::read(language.wording().withdrawal, text) {
                Err(FormError::Line { line: 1 }) => {}
                values => return Withdrawal::from_values(language, &values?),
            }
        }
        Err(FormError::Unknown)
    }

    fn from_values(language: Language, values: &[(usize, &str)]) -> Result<Withdrawal, FormError> {
        let no = |n: usize| FormError::Value { line: values[n].0 };
        let text = |n: usize| {
            let (_, text) = values[n];
            check_text(text, TERM_CHARS_MAX).map(|()| text.to_owned()).map_err(|_| no(n))
        };
        Ok(Withdrawal {
            language,
            operator: Operator { name: text(0)?, bin: IssuerBin::parse(values[1].1).ok_or(no(1))? },
            person: text(2)?,
            subject: hash_from_hex(values[3].1).ok_or(no(3))?,
        })
    }
}

impl fmt::Debug for Withdrawal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Withdrawal").field("language", &self.language).finish_non_exhaustive()
    }
}

/// Checks a withdrawal of `consent`: a CMS with the text inside, signed by the person with this number. Gives the moment
/// the signer says it was signed. Whoever has no signature withdraws at the operator's desk, which records it.
pub fn check(
    cms: &[u8],
    consent: &Statement,
    iin: &Iin,
    context: &Context<'_>,
) -> Result<Time, ConsentError> {
    check_by(cms, consent, Some(iin), context)
}

pub(super) fn check_by(
    cms: &[u8],
    consent: &Statement,
    iin: Option<&Iin>,
    context: &Context<'_>,
) -> Result<Time, ConsentError> {
    let message = check::open(cms)?;
    let found = Withdrawal::from_text(message.content_or(None)?)?;
    let expected = Withdrawal::of(consent);
    let same = [
        (Item::Diploma, found.subject == expected.subject),
        (Item::Operator, found.operator == expected.operator),
        (Item::Person, found.person == expected.person),
        (Item::Language, found.language == expected.language),
    ];
    if let Some((item, _)) = same.into_iter().find(|(_, same)| !same) {
        return Err(ConsentError::Differs(item));
    }
    let signed = check::signers(&message, 1, context)?;
    check::check_person(&signed[0], iin)?;
    Ok(signed[0].time)
}
