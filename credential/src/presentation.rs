//! What a holder shows: the document, the fields of one template, and the openings. Never the control secret,
//! and never the decoys, which would tell how many fields are held back.
//!
//! A verifier who keeps r and r_g can follow this token, and two verifiers can compare theirs; whoever shows
//! a diploma is told so.

use std::fmt;

use serde::{Deserialize, Serialize};
use tanba_crypto::{Hash, PublicKey};

use crate::{
    Disclosure, HolderFile, IssuerBin,
    commitment::gost_consent,
    encoding::{base64_option, bytes32, bytes32_option, hash},
    envelope::{self, Content},
    holder,
    opening::{Consent, OpenError, Opened, Sealed},
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
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The institution's seal.
    #[serde(with = "base64_option", default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Vec<u8>>,
    /// The commitment to the consent; the consent itself names its signer and stays with the holder.
    #[serde(with = "bytes32_option", default, skip_serializing_if = "Option::is_none")]
    pub consent_commitment: Option<[u8; 32]>,
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

/// Takes out of the file of an unsigned sample what `template` shows. The file must open.
pub fn present(file: &HolderFile, template: Template) -> Result<Presentation, OpenError> {
    present_by(file, template, None)
}

/// Takes out of the file of a signed document what `template` shows. The file must open by `key`.
pub fn present_signed(
    file: &HolderFile,
    template: Template,
    key: &PublicKey,
) -> Result<Presentation, OpenError> {
    present_by(file, template, Some(key))
}

fn present_by(
    file: &HolderFile,
    template: Template,
    key: Option<&PublicKey>,
) -> Result<Presentation, OpenError> {
    holder::open_by(file, key)?;
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
        seal: file.seal.clone(),
        consent_commitment: file.consent.as_ref().map(|bytes| gost_consent(&file.r_g, bytes)),
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

    /// Document and disclosures as a compact SD-JWT, for tools that read any SD-JWT VC: what the holder's key answers a
    /// verifier by. A sample gives no SD-JWT, for it has no signature.
    pub fn to_sd_jwt(&self) -> String {
        let parts = std::iter::once(&self.document).chain(&self.disclosures);
        parts.flat_map(|part| [part.as_str(), "~"]).collect()
    }

    /// Opens an unsigned sample: recomputes F and G; the fields must be exactly those of the template.
    pub fn open(&self) -> Result<Opened, OpenError> {
        self.open_by(None)
    }

    /// Opens a signed document by the institution's key, as [`Presentation::open`] does a sample.
    pub fn open_signed(&self, key: &PublicKey) -> Result<Opened, OpenError> {
        self.open_by(Some(key))
    }

    fn open_by(&self, key: Option<&PublicKey>) -> Result<Opened, OpenError> {
        let sealed = Sealed {
            chain: self.chain,
            issuer: self.issuer,
            document: &self.document,
            disclosures: &self.disclosures,
            decoys: None,
            seal: self.seal.as_deref(),
            consent: self.consent_commitment.as_ref().map_or(Consent::None, Consent::Committed),
            r: &self.r,
            r_g: &self.r_g,
            fingerprint: self.fingerprint,
            gost: self.gost,
        };
        let opened = sealed.open(key)?;
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

impl fmt::Debug for Presentation {
    /// Shows neither the person nor what opens the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Presentation");
        shown.field("template", &self.template).field("issuer", &self.issuer).finish_non_exhaustive()
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
    use tanba_crypto::SigningKey;

    use super::*;
    use crate::{
        Diploma,
        diploma::tests::{diploma, draw, requisites},
        document::DocumentError,
        holder::tests::file,
        opening::Part,
        sd_jwt::{Jwk, SdJwt, vc},
    };

    fn signed_file() -> (HolderFile, PublicKey) {
        let key = SigningKey::ed25519(&[7; 32]);
        let issuer = IssuerBin::parse("000000000018").expect("12 digits");
        let diploma = Diploma::sign(&requisites(), issuer, 20_634, None, &draw(1), &key)
            .expect("legal requisites")
            .complete(b"seal".to_vec(), b"consent".to_vec());
        let control = SigningKey::ed25519(&[5; 32]).public();
        (HolderFile::new(Hash([9; 32]), &diploma, control, None), key.public())
    }

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

    #[test]
    fn a_signed_diploma_opens_by_its_key_whole_and_in_part() {
        let (file, key) = signed_file();
        let whole = holder::open_signed(&file, &key).expect("opens");
        assert_eq!((whole.signer, whole.has_consent), (Some(key), true));
        let shown = present_signed(&file, Template::Employer, &key).expect("opens");
        let opened = shown.open_signed(&key).expect("opens");
        assert_eq!((opened.fingerprint, opened.gost), (whole.fingerprint, whole.gost));
        assert_eq!(opened.seal.as_deref(), Some(b"seal".as_slice()));
        assert!(
            !String::from_utf8(shown.to_json()).expect("JSON").contains("Y29uc2VudA"),
            "the consent stays"
        );
        assert_eq!(Presentation::from_json(&shown.to_json()).as_ref(), Ok(&shown));
        assert!(format!("{shown:?}").len() < 80, "neither person nor opening");
        let text = shown.to_sd_jwt();
        let read = SdJwt::read(text.as_bytes()).expect("an SD-JWT");
        assert_eq!((read.to_compact(), read.disclosures().len()), (text, 8));
        assert!(vc::verify(&read, &Jwk::Ed25519(key), 20_634 * 86_400).is_ok());
    }

    #[test]
    fn a_signed_diploma_does_not_open_as_a_sample_by_another_key_or_with_another_seal() {
        let (file, key) = signed_file();
        let document = |error| Some(OpenError::Document(error));
        assert_eq!(holder::open(&file).err(), document(DocumentError::Signed));
        let other = SigningKey::ed25519(&[9; 32]).public();
        assert_eq!(holder::open_signed(&file, &other).err(), document(DocumentError::KeyId));
        let mut shown = present_signed(&file, Template::Full, &key).expect("opens");
        shown.seal = Some(b"another".to_vec());
        assert_eq!(shown.open_signed(&key).err(), Some(OpenError::Altered(Part::Gost)));
        shown.seal = file.seal.clone();
        shown.consent_commitment = None;
        assert_eq!(shown.open_signed(&key).err(), Some(OpenError::Altered(Part::Gost)));
    }

    #[test]
    fn a_sample_carries_no_seal() {
        let sample = diploma(&requisites(), 1).complete(b"seal".to_vec(), b"consent".to_vec());
        let file = HolderFile::new(Hash([9; 32]), &sample, SigningKey::ed25519(&[5; 32]).public(), None);
        assert_eq!(holder::open(&file).err(), Some(OpenError::Document(DocumentError::Unsigned)));
    }
}
