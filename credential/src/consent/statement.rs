//! The text that a graduate signs: a filled form, and what it says.

use std::fmt;

use tanba_crypto::Hash;

use super::{
    form::{self, FormError},
    terms::{Language, Method, Operator, Terms, TermsError, check_method},
};
use crate::{document::IssuerBin, encoding::hash_from_hex, requisites::Date};

/// A consent, unsigned: what its text says. `Debug` shows language and method alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Statement {
    language: Language,
    method: Method,
    terms: Terms,
    subject: Hash,
}

/// What one statement may say and another not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Item {
    /// The language of the text.
    Language,
    /// Which diploma it is for.
    Diploma,
    /// 1: the operator.
    Operator,
    /// 2: the person's name.
    Person,
    /// 3: the term.
    Until,
    /// 4: third parties.
    ThirdParties,
    /// 5: transfer across the border.
    Abroad,
    /// 6: publication.
    Publication,
    /// Whether the group may be small.
    SmallGroup,
    /// How consent is given.
    Method,
}

impl Item {
    /// Its word in codes and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Item::Language => "language",
            Item::Diploma => "diploma",
            Item::Operator => "operator",
            Item::Person => "person",
            Item::Until => "term",
            Item::ThirdParties => "third-parties",
            Item::Abroad => "abroad",
            Item::Publication => "publication",
            Item::SmallGroup => "small-group",
            Item::Method => "method",
        }
    }
}

impl Statement {
    /// The consent to the diploma that `subject` marks; see [`super::subject`].
    ///
    /// # Errors
    /// If a term cannot stand in the form.
    pub fn new(
        language: Language,
        method: Method,
        terms: Terms,
        subject: Hash,
    ) -> Result<Statement, TermsError> {
        terms.check(language)?;
        check_method(&method)?;
        Ok(Statement { language, method, terms, subject })
    }

    /// The language of its text.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// How consent is given.
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// What is consented to.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The mark of the diploma.
    pub const fn subject(&self) -> Hash {
        self.subject
    }

    /// The text: UTF-8, lines that end in a line feed. These bytes are what is signed.
    pub fn to_text(&self) -> String {
        let (wording, terms) = (self.language.wording(), &self.terms);
        let listed = |list: &Option<String>| list.clone().unwrap_or_else(|| wording.no.to_owned());
        let values = [
            terms.operator.name.clone(),
            terms.operator.bin.to_string(),
            terms.person.clone(),
            terms.until.to_string(),
            listed(&terms.third_parties),
            listed(&terms.abroad),
            listed(&terms.publication),
            if terms.small_group { wording.yes } else { wording.no }.to_owned(),
            self.method.write(wording),
            self.subject.to_string(),
        ];
        form::fill(wording.consent, &values.each_ref().map(String::as_str))
    }

    /// Reads what [`Statement::to_text`] writes, and nothing else: a text that is spelled in another way is refused.
    pub fn from_text(text: &[u8]) -> Result<Statement, FormError> {
        let text = std::str::from_utf8(text).map_err(|_| FormError::Unknown)?;
        for language in Language::ALL {
            match form::read(language.wording().consent, text) {
                Err(FormError::Line { line: 1 }) => {}
                values => return Statement::from_values(language, &values?),
            }
        }
        Err(FormError::Unknown)
    }

    fn from_values(language: Language, values: &[(usize, &str)]) -> Result<Statement, FormError> {
        let wording = language.wording();
        let no = |n: usize| FormError::Value { line: values[n].0 };
        let value = |n: usize| values[n].1;
        let listed = |n: usize| (value(n) != wording.no).then(|| value(n).to_owned());
        let terms = Terms {
            operator: Operator { name: value(0).to_owned(), bin: IssuerBin::parse(value(1)).ok_or(no(1))? },
            person: value(2).to_owned(),
            until: Date::parse(value(3)).ok_or(no(3))?,
            third_parties: listed(4),
            abroad: listed(5),
            publication: listed(6),
            small_group: match value(7) {
                yes if yes == wording.yes => true,
                other if other == wording.no => false,
                _ => return Err(no(7)),
            },
        };
        let method = Method::read(value(8), wording).ok_or(no(8))?;
        let subject = hash_from_hex(value(9)).ok_or(no(9))?;
        Statement::new(language, method, terms, subject).map_err(|error| match error {
            TermsError::Text { item, .. } | TermsError::Nothing { item } => no(match item {
                "operator" => 0,
                "person" => 2,
                "third_parties" => 4,
                "abroad" => 5,
                "publication" => 6,
                _ => 8,
            }),
        })
    }

    /// The first thing that this statement and `other` say differently, the diploma first.
    pub fn difference(&self, other: &Statement) -> Option<Item> {
        let (ours, theirs) = (&self.terms, &other.terms);
        let same = [
            (Item::Diploma, self.subject == other.subject),
            (Item::Operator, ours.operator.bin == theirs.operator.bin),
            (Item::Person, ours.person == theirs.person || self.language != other.language),
            (Item::Until, ours.until == theirs.until),
            (Item::SmallGroup, ours.small_group == theirs.small_group),
            (Item::Method, self.method == other.method),
            (Item::Language, self.language == other.language),
            (Item::Operator, ours.operator == theirs.operator),
            (Item::ThirdParties, ours.third_parties == theirs.third_parties),
            (Item::Abroad, ours.abroad == theirs.abroad),
            (Item::Publication, ours.publication == theirs.publication),
        ];
        same.into_iter().find(|(_, same)| !same).map(|(item, _)| item)
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement")
            .field("language", &self.language)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::testkit::statement;

    fn all() -> Vec<Statement> {
        let mut all = Vec::new();
        for language in Language::ALL {
            for method in [
                Method::Eds,
                Method::StateService { request: "002241-77".into() },
                Method::WitnessedPaper { sheet: Hash([0xab; 32]) },
            ] {
                let plain = statement(language, method.clone());
                let mut full = plain.clone();
                full.terms.third_parties = Some("ТОО «Пример: работодатель»".into());
                full.terms.abroad = Some("Кыргызская Республика".into());
                full.terms.publication = Some("сайт университета".into());
                full.terms.small_group = true;
                all.extend([plain, full]);
            }
        }
        all
    }

    #[test]
    fn every_statement_reads_back_and_has_one_spelling() {
        for statement in all() {
            let text = statement.to_text();
            assert_eq!(Statement::from_text(text.as_bytes()), Ok(statement.clone()), "{text}");
            assert_eq!(statement.difference(&statement), None);
        }
    }

    #[test]
    fn a_text_without_one_of_its_lines_is_refused_by_the_number_of_that_line() {
        for statement in all() {
            let text = statement.to_text();
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            for gone in 0..lines.len() {
                let cut: String =
                    lines.iter().enumerate().filter(|(n, _)| *n != gone).map(|(_, line)| *line).collect();
                let expected =
                    if gone == 0 { FormError::Unknown } else { FormError::Line { line: gone + 1 } };
                assert_eq!(Statement::from_text(cut.as_bytes()), Err(expected));
            }
        }
    }

    #[test]
    fn every_changed_byte_gives_another_statement_or_none() {
        for statement in all() {
            let text = statement.to_text();
            for at in 0..text.len() {
                for flip in [1, 0x20, 0x80] {
                    let mut bytes = text.clone().into_bytes();
                    bytes[at] ^= flip;
                    if let Ok(other) = Statement::from_text(&bytes) {
                        assert!(statement.difference(&other).is_some(), "byte {at} ^ {flip:#x}");
                        assert_eq!(other.to_text().into_bytes(), bytes);
                    }
                }
            }
        }
    }

    #[test]
    fn values_that_break_a_line_or_mean_nothing_are_refused() {
        let with = |change: &dyn Fn(&mut Terms)| {
            let mut terms = statement(Language::Ru, Method::Eds).terms;
            change(&mut terms);
            Statement::new(Language::Ru, Method::Eds, terms, Hash([1; 32])).err()
        };
        assert_eq!(with(&|_| ()), None);
        let broken = TermsError::Text { item: "person", fault: crate::requisites::Fault::Characters };
        assert_eq!(with(&|terms| terms.person = "А\nМетка диплома: 00".into()), Some(broken));
        assert_eq!(
            with(&|terms| terms.abroad = Some("нет".into())),
            Some(TermsError::Nothing { item: "abroad" })
        );
        let empty = TermsError::Text { item: "operator", fault: crate::requisites::Fault::Empty };
        assert_eq!(with(&|terms| terms.operator.name.clear()), Some(empty));
    }

    #[test]
    fn every_item_that_differs_is_named() {
        let one = statement(Language::Ru, Method::Eds);
        let mut others = Vec::new();
        let mut differ = |item, change: &dyn Fn(&mut Statement)| {
            let mut other = one.clone();
            change(&mut other);
            others.push((item, other));
        };
        differ(Item::Diploma, &|s| s.subject = Hash([9; 32]));
        differ(Item::Operator, &|s| s.terms.operator.name.push('!'));
        differ(Item::Person, &|s| s.terms.person.push('а'));
        differ(Item::Until, &|s| s.terms.until = Date::new(2040, 1, 1).expect("a day"));
        differ(Item::ThirdParties, &|s| s.terms.third_parties = Some("ТОО".into()));
        differ(Item::Abroad, &|s| s.terms.abroad = Some("где-то".into()));
        differ(Item::Publication, &|s| s.terms.publication = Some("сайт".into()));
        differ(Item::SmallGroup, &|s| s.terms.small_group = true);
        differ(Item::Method, &|s| s.method = Method::StateService { request: "1".into() });
        differ(Item::Language, &|s| s.language = Language::Kk);
        for (item, other) in others {
            assert_eq!(one.difference(&other), Some(item));
        }
    }
}
