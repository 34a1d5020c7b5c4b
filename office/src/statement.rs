//! The text that a holder signs, made of a draft and of what the holder chooses: the same whenever it is made, so that what
//! comes back signed can be compared with it byte for byte.

use tanba_credential::{
    Document, Field, Value,
    consent::{self, Language, Method, Operator, Statement, Terms},
    requisites::{Date, Texts},
};
use tanba_crypto::Hash;
use tanba_eds::Iin;
use tanba_ledger::{Day, Timestamp};
use tanba_storage::tree::Tree;
use tanba_vault::{Part, RecordId, Time, epoch_keys::EpochKeys, folder::Folder};

use crate::{
    error::OfficeError,
    office::{Office, Who},
    parts::{self, DocumentPart, IdentityPart, OpeningPart},
    table::RecordRow,
};

/// What the holder chooses in the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// Its language.
    pub language: Language,
    /// How consent is given, and thereby who signs.
    pub method: Method,
    /// Whether the diploma may be issued among fewer than twenty.
    pub small_group: bool,
}

/// A draft, opened.
pub(crate) struct Opened {
    pub(crate) document: DocumentPart,
    pub(crate) identity: IdentityPart,
    pub(crate) opening: OpeningPart,
    pub(crate) read: Document,
    pub(crate) fingerprint: Hash,
}

impl<T: Tree, F: Folder, K: EpochKeys> Office<T, F, K> {
    /// Opens a draft for its subject or two officers.
    pub(crate) fn open_draft(
        &mut self,
        record: RecordId,
        who: Who<'_>,
        now: Time,
    ) -> Result<Opened, OfficeError> {
        let parts = [Part::Document, Part::Identity, Part::Opening];
        let [document, identity, opening] = self.read_for(record, who, parts, now)?;
        let identity: IdentityPart = parts::read(record, &identity)?;
        is_subject(record, &identity, who)?;
        let document: DocumentPart = parts::read(record, &document)?;
        let opening: OpeningPart = parts::read(record, &opening)?;
        let read = document.document(record)?;
        let fingerprint = opening.fingerprint(&read);
        Ok(Opened { document, identity, opening, read, fingerprint })
    }

    /// The text that the holder of this record signs.
    pub(crate) fn statement(
        &self,
        record: RecordId,
        row: &RecordRow,
        draft: &Opened,
        choice: &Choice,
    ) -> Result<Statement, OfficeError> {
        let terms = &self.config.terms;
        let listed = |texts: &Option<[String; 2]>| texts.as_ref().map(|it| pick(choice.language, it).clone());
        let terms = Terms {
            operator: Operator {
                name: pick(choice.language, &terms.operator).clone(),
                bin: draft.read.issuer(),
            },
            person: person(record, &draft.identity, choice.language)?,
            until: until(row.drafted, terms.days).ok_or(OfficeError::Parts(record))?,
            third_parties: listed(&terms.third_parties),
            abroad: listed(&terms.abroad),
            publication: listed(&terms.publication),
            small_group: choice.small_group,
        };
        let subject = consent::subject(&draft.fingerprint, &draft.opening.r_f);
        Ok(Statement::new(choice.language, choice.method.clone(), terms, subject)?)
    }
}

/// Refuses a holder whose record it is not.
pub(crate) fn is_subject(record: RecordId, identity: &IdentityPart, who: Who<'_>) -> Result<(), OfficeError> {
    let known: Iin = identity.iin(record)?;
    match who {
        Who::Holder(iin) if *iin != known => Err(OfficeError::NotTheSubject),
        Who::Holder(_) | Who::Officers(..) => Ok(()),
    }
}

fn pick(language: Language, texts: &[String; 2]) -> &String {
    match language {
        Language::Kk => &texts[0],
        Language::Ru => &texts[1],
    }
}

/// The full name, as the diploma has it in this language.
fn person(record: RecordId, identity: &IdentityPart, language: Language) -> Result<String, OfficeError> {
    let mut names = Vec::new();
    for field in [Field::FamilyName, Field::GivenName, Field::Patronymic] {
        match identity.value(record, field)? {
            Some(Value::Texts(Texts { kk, ru, .. })) => names.push(match language {
                Language::Kk => kk,
                Language::Ru => ru,
            }),
            None if !field.is_required() => {}
            Some(_) | None => return Err(OfficeError::Parts(record)),
        }
    }
    Ok(names.join(" "))
}

/// The last day of a consent to a draft of this moment.
fn until(drafted: Time, days: u32) -> Option<Date> {
    let Day(first) = Timestamp(drafted.0.saturating_mul(1_000)).day();
    let (year, month, day) = Day(first.checked_add(days)?).date();
    Date::new(year, month, day)
}
