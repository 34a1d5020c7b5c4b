//! What a holder shows: the document, the fields of one template, and the openings. Never the control secret,
//! and never the decoys, which would tell how many fields are held back.
//!
//! A verifier who keeps r and r_g can follow this token, and two verifiers can compare theirs; whoever shows
//! a diploma is told so.

use serde::{Deserialize, Serialize};
use tanba_crypto::Hash;

use crate::{
    Disclosure, HolderFile, IssuerBin,
    encoding::{base64_option, bytes32, hash},
    envelope::{self, Content},
    holder,
    opening::{OpenError, Opened, Sealed},
    requisites::Field,
};

/// Version of what is shown, first in it.
pub const PRESENTATION_FORMAT: &str = "tanba-presentation/1";

/// A choice of fields that may be shown together. The templates belong to the document's type, so the issuer
/// signs them with it; a degree is never shown without its level and honours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// What the face of a printed diploma says: the print set.
    Employer,
    /// Every field.
    Full,
}

impl Template {
    /// Whether the template shows `field`.
    pub fn shows(self, field: Field) -> bool {
        match self {
            Template::Employer => Field::PRINT_SET.contains(&field),
            Template::Full => true,
        }
    }
}

/// What a holder shows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presentation {
    format: String,
    /// Which fields are shown.
    pub template: Template,
    /// The network: the hash that is its chain id.
    #[serde(with = "hash")]
    pub chain: Hash,
    /// The institution.
    pub issuer: IssuerBin,
    /// F.
    #[serde(with = "hash")]
    pub fingerprint: Hash,
    /// G.
    #[serde(with = "bytes32")]
    pub gost: [u8; 32],
    /// The document as issued.
    pub document: String,
    /// The fields shown, as issued.
    pub disclosures: Vec<String>,
    /// The opening of F.
    #[serde(with = "bytes32")]
    pub r: [u8; 32],
    /// The opening of G.
    #[serde(with = "bytes32")]
    pub r_g: [u8; 32],
    /// A status proof bundle, if the holder sends one along.
    #[serde(with = "base64_option", default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    presentation: Presentation,
    #[serde(with = "hash")]
    sum: Hash,
}

/// Takes out of a file what `template` shows. The file must open.
pub fn present(file: &HolderFile, template: Template) -> Result<Presentation, OpenError> {
    holder::open(file)?;
    let shown = |text: &&String| Disclosure::parse(text).is_ok_and(|one| template.shows(one.field()));
    Ok(Presentation {
        format: PRESENTATION_FORMAT.to_owned(),
        template,
        chain: file.chain,
        issuer: file.issuer,
        fingerprint: file.fingerprint,
        gost: file.gost,
        document: file.document.clone(),
        disclosures: file.disclosures.iter().filter(shown).cloned().collect(),
        r: file.r,
        r_g: file.r_g,
        proof: file.proof.clone(),
    })
}

impl Presentation {
    /// The bytes to show.
    pub fn to_json(&self) -> Vec<u8> {
        envelope::to_json(&Wire { sum: envelope::sum(self), presentation: self.clone() })
    }

    /// Reads what was shown; its sum must fit.
    pub fn from_json(bytes: &[u8]) -> Result<Presentation, OpenError> {
        let Wire { presentation, sum } = envelope::read(bytes)?;
        envelope::checked(presentation, sum)
    }

    /// Recomputes F and G; the fields must be exactly those of the template.
    pub fn open(&self) -> Result<Opened, OpenError> {
        let sealed = Sealed {
            chain: self.chain,
            issuer: self.issuer,
            document: &self.document,
            disclosures: &self.disclosures,
            decoys: None,
            r: &self.r,
            r_g: &self.r_g,
            fingerprint: self.fingerprint,
            gost: self.gost,
        };
        let opened = sealed.open()?;
        let missing = |field: &Field| {
            self.template.shows(*field) && field.is_required() && !opened.fields.contains_key(field)
        };
        if Field::ALL.iter().any(missing) {
            return Err(OpenError::Fields("a field of the template is missing"));
        }
        if opened.fields.keys().any(|field| !self.template.shows(*field)) {
            return Err(OpenError::Fields("a field is not of the template"));
        }
        Ok(opened)
    }
}

impl Content for Presentation {
    const FORMAT: &'static str = PRESENTATION_FORMAT;

    fn format(&self) -> &str {
        &self.format
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{holder::tests::file, opening::Part};

    #[test]
    fn a_template_shows_its_fields_and_no_secret() {
        let employer = present(&file(), Template::Employer).expect("opens");
        let opened = employer.open().expect("opens");
        assert_eq!(opened.fields.keys().copied().collect::<Vec<_>>(), {
            let mut print = Field::PRINT_SET.to_vec();
            print.sort();
            print
        });
        let bytes = employer.to_json();
        let text = String::from_utf8(bytes.clone()).expect("JSON is text");
        assert!(!text.contains("control") && !text.contains("decoys"));
        assert_eq!(Presentation::from_json(&bytes), Ok(employer));
    }

    #[test]
    fn full_and_employer_name_the_same_token() {
        let full = present(&file(), Template::Full).and_then(|p| p.open()).expect("opens");
        let employer = present(&file(), Template::Employer).and_then(|p| p.open()).expect("opens");
        assert_eq!((full.fingerprint, full.gost), (employer.fingerprint, employer.gost));
        assert_eq!((full.fields.len(), employer.fields.len()), (11, 8));
    }

    #[test]
    fn a_degree_without_its_level_is_refused() {
        let mut shown = present(&file(), Template::Employer).expect("opens");
        shown.disclosures.retain(|text| Disclosure::parse(text).expect("a field").field() != Field::Level);
        assert_eq!(shown.open(), Err(OpenError::Fields("a field of the template is missing")));
    }

    #[test]
    fn more_than_the_template_is_refused() {
        let mut shown = present(&file(), Template::Full).expect("opens");
        shown.template = Template::Employer;
        assert_eq!(shown.open(), Err(OpenError::Fields("a field is not of the template")));
    }

    #[test]
    fn every_changed_byte_is_seen() {
        let good = present(&file(), Template::Employer).expect("opens").to_json();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let opened = Presentation::from_json(&bad).and_then(|shown| shown.open());
            assert!(opened.is_err(), "byte {at}");
        }
    }

    #[test]
    fn an_altered_file_is_not_shown() {
        let mut file = file();
        file.r[3] ^= 1;
        assert_eq!(present(&file, Template::Full).err(), Some(OpenError::Altered(Part::Fingerprint)));
    }
}
