//! Which part of a diploma lies under which key of the vault, and how it is written there.
//!
//! | part | holds |
//! |---|---|
//! | document | the signed document, the fields that lead to nobody, the decoys |
//! | identity | the person's number, and the fields that name the person or lead there through a register |
//! | opening | r, r_g and r_f |
//! | consent | the signed text, the holder's public control key, the answers that showed its signer not revoked |
//! | seal | the signed bytes, and the same answers |
//!
//! What is read back here is wiped when it is dropped.

use tanba_credential::{
    Decoy, Diploma, Disclosure, Document, Field, Value,
    commitment::{self, GostParts},
    leaves,
};
use tanba_crypto::{
    Canonical, Hash, PublicKey,
    canonical::{Decode, Encode},
};
use tanba_eds::Iin;
use tanba_vault::{PART_BYTES_MAX, RecordId, Time, read::Opened};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::OfficeError;

/// Bytes of the answers kept with one signature, together.
pub const EVIDENCE_BYTES_MAX: usize = 256 * 1024;

/// Whether a field lies with the identity: it names the person, or a register leads from it to the person.
pub const fn is_identity(field: Field) -> bool {
    match field {
        Field::FamilyName
        | Field::GivenName
        | Field::Patronymic
        | Field::DiplomaNumber
        | Field::RegistrationNumber => true,
        Field::Qualification
        | Field::Programme
        | Field::Level
        | Field::Honours
        | Field::StudyForm
        | Field::AwardDate
        | Field::CommissionMinutes => false,
    }
}

#[derive(Encode, Decode, Zeroize, ZeroizeOnDrop)]
pub(crate) struct DocumentPart {
    pub(crate) document: String,
    #[zeroize(skip)]
    pub(crate) signer: PublicKey,
    pub(crate) disclosures: Vec<String>,
    pub(crate) decoys: Vec<String>,
}

#[derive(Encode, Decode, Zeroize, ZeroizeOnDrop)]
pub(crate) struct IdentityPart {
    pub(crate) iin: String,
    pub(crate) disclosures: Vec<String>,
}

#[derive(Encode, Decode, Zeroize, ZeroizeOnDrop)]
pub(crate) struct OpeningPart {
    pub(crate) r: [u8; 32],
    pub(crate) r_g: [u8; 32],
    pub(crate) r_f: [u8; 32],
}

#[derive(Encode, Decode, Zeroize, ZeroizeOnDrop)]
pub(crate) struct ConsentPart {
    pub(crate) cms: Vec<u8>,
    #[zeroize(skip)]
    pub(crate) control: PublicKey,
    #[zeroize(skip)]
    pub(crate) shown: Shown,
}

#[derive(Encode, Decode, Zeroize, ZeroizeOnDrop)]
pub(crate) struct SealPart {
    pub(crate) cms: Vec<u8>,
    #[zeroize(skip)]
    pub(crate) shown: Shown,
}

/// What showed that a signer's certificate was not revoked, and when that was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Shown {
    pub(crate) at: Time,
    /// Answers about single certificates, whole.
    pub(crate) answers: Vec<Vec<u8>>,
    /// SHA-256 of revocation lists, which are kept once for all.
    pub(crate) lists: Vec<Hash>,
}

/// The bytes of a part, wiped when dropped.
pub(crate) fn write(part: &impl Canonical) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(part.to_canonical())
}

/// A part as [`write`] wrote it.
pub(crate) fn read<P: Canonical>(record: RecordId, opened: &Opened) -> Result<P, OfficeError> {
    P::from_canonical(opened, PART_BYTES_MAX).map_err(|_| OfficeError::Parts(record))
}

/// The parts of a diploma just made, for the person of this number.
pub(crate) fn of(diploma: &Diploma, signer: PublicKey, iin: &Iin, r_f: [u8; 32]) -> [Zeroizing<Vec<u8>>; 3] {
    let texts = |identity: bool| {
        let of_part = diploma.disclosures.iter().filter(move |it| is_identity(it.field()) == identity);
        of_part.map(|it| it.text().to_owned()).collect::<Vec<String>>()
    };
    let document = DocumentPart {
        document: diploma.document.text().to_owned(),
        signer,
        disclosures: texts(false),
        decoys: diploma.decoys.iter().map(|decoy| decoy.text().to_owned()).collect(),
    };
    let identity = IdentityPart { iin: iin.digits().to_owned(), disclosures: texts(true) };
    let opening = OpeningPart { r: diploma.r, r_g: diploma.r_g, r_f };
    [write(&document), write(&identity), write(&opening)]
}

impl DocumentPart {
    /// The document, by the key that signed it.
    pub(crate) fn document(&self, record: RecordId) -> Result<Document, OfficeError> {
        Document::verify(&self.document, &self.signer).map_err(|_| OfficeError::Parts(record))
    }

    /// The values of the fields that lie here.
    pub(crate) fn value(&self, record: RecordId, field: Field) -> Result<Value, OfficeError> {
        value(record, &self.disclosures, field)
    }
}

impl IdentityPart {
    /// The person's number.
    pub(crate) fn iin(&self, record: RecordId) -> Result<Iin, OfficeError> {
        Iin::from_digits(&self.iin).ok_or(OfficeError::Parts(record))
    }

    /// The value of a field that lies here, if the diploma has it.
    pub(crate) fn value(&self, record: RecordId, field: Field) -> Result<Option<Value>, OfficeError> {
        let found = disclosures(record, &self.disclosures)?.into_iter().find(|it| it.field() == field);
        Ok(found.map(|it| it.value().clone()))
    }
}

impl OpeningPart {
    /// F of this document.
    pub(crate) fn fingerprint(&self, document: &Document) -> Hash {
        commitment::fingerprint(&self.r, &leaves::field_root(document.digests()), document.text())
    }
}

/// Every field of a diploma and its value, by the texts as issued.
pub(crate) fn disclosures(record: RecordId, texts: &[String]) -> Result<Vec<Disclosure>, OfficeError> {
    let parse = |text: &String| Disclosure::parse(text).map_err(|_| OfficeError::Parts(record));
    texts.iter().map(parse).collect()
}

fn value(record: RecordId, texts: &[String], field: Field) -> Result<Value, OfficeError> {
    let found = disclosures(record, texts)?.into_iter().find(|it| it.field() == field);
    found.map(|it| it.value().clone()).ok_or(OfficeError::Parts(record))
}

/// The diploma again, as it was made; seal and consent are added by its own `complete`.
pub(crate) fn diploma(
    record: RecordId,
    document: &DocumentPart,
    identity: &IdentityPart,
    opening: &OpeningPart,
) -> Result<Diploma, OfficeError> {
    let mut disclosures = self::disclosures(record, &document.disclosures)?;
    disclosures.extend(self::disclosures(record, &identity.disclosures)?);
    disclosures.sort_by_key(Disclosure::field);
    let decoy = |text: &String| Decoy::parse(text).ok_or(OfficeError::Parts(record));
    let decoys = document.decoys.iter().map(decoy).collect::<Result<_, _>>()?;
    let document = document.document(record)?;
    let gost = GostParts { document: Some(document.text().as_bytes()), seal: None, consent: None };
    Ok(Diploma {
        fingerprint: opening.fingerprint(&document),
        gost: commitment::gost_commitment(&opening.r_g, &gost),
        document,
        disclosures,
        decoys,
        r: opening.r,
        r_g: opening.r_g,
        seal: None,
        consent: None,
    })
}
