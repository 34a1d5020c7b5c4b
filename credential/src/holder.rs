//! The holder's file: one diploma with all that opens it. Whoever has it can show the diploma and follow its
//! token, so it goes to the graduate alone; the vault keeps its parts under keys of their own.
//!
//! F and G cover what the institution said; the sum beside it covers the rest too (network, keys, proof). The sum
//! is a checksum, no signature: what makes a diploma genuine is that the ledger holds its F.

use std::fmt;

use serde::{Deserialize, Serialize};
use tanba_crypto::{Hash, PublicKey, SigningKey};

use crate::{
    Diploma, IssuerBin,
    commitment::control_of,
    encoding::{base64_option, bytes32, bytes32_option, hash, public_key},
    envelope::{self, Content},
    opening::{Consent, OpenError, Opened, Part, Sealed},
    requisites::Field,
};

/// Bytes of a holder's file, proof included.
pub const HOLDER_FILE_BYTES_MAX: usize = 1024 * 1024;

/// Version of the file, first in it.
pub const HOLDER_FILE_FORMAT: &str = "tanba-holder-file/1";

/// One diploma and all that opens it.
///
/// **The control secret.** The control key restricts, lifts and withdraws the token without the university. It
/// is the graduate's own: a client that makes its key hands over the public half alone, and `control_secret`
/// stays empty. Where the graduate has no client yet, `prepare` draws the key and the secret travels in this
/// file, once; whoever issued it keeps no copy. It is never part of what is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderFile {
    format: String,
    /// The network: the hash that is its chain id.
    #[serde(with = "hash")]
    pub chain: Hash,
    /// The institution.
    pub issuer: IssuerBin,
    /// F: with the issuer, the token's name.
    #[serde(with = "hash")]
    pub fingerprint: Hash,
    /// G.
    #[serde(with = "bytes32")]
    pub gost: [u8; 32],
    /// The public half of the control key.
    #[serde(with = "public_key")]
    pub control_key: PublicKey,
    /// The 32 bytes that the control key was made from, where the holder did not make it.
    #[serde(with = "bytes32_option", default, skip_serializing_if = "Option::is_none")]
    pub control_secret: Option<[u8; 32]>,
    /// The document as issued.
    pub document: String,
    /// Every field, as issued.
    pub disclosures: Vec<String>,
    /// What the other digests were made of.
    pub decoys: Vec<String>,
    /// The opening of F.
    #[serde(with = "bytes32")]
    pub r: [u8; 32],
    /// The opening of G.
    #[serde(with = "bytes32")]
    pub r_g: [u8; 32],
    /// The institution's seal: a CMS by the national signature.
    #[serde(with = "base64_option", default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Vec<u8>>,
    /// The graduate's consent: a CMS by the graduate's own signature.
    #[serde(with = "base64_option", default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Vec<u8>>,
    /// A status proof bundle, as the ledger's verifier reads it: as of the day it was fetched.
    #[serde(with = "base64_option", default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    holder_file: HolderFile,
    #[serde(with = "hash")]
    sum: Hash,
}

impl HolderFile {
    /// The file of a diploma just made. Give `control_secret` only where the holder did not make the key.
    pub fn new(
        chain: Hash,
        diploma: &Diploma,
        control_key: PublicKey,
        control_secret: Option<[u8; 32]>,
    ) -> HolderFile {
        HolderFile {
            format: HOLDER_FILE_FORMAT.to_owned(),
            chain,
            issuer: diploma.document.issuer(),
            fingerprint: diploma.fingerprint,
            gost: diploma.gost,
            control_key,
            control_secret,
            document: diploma.document.text().to_owned(),
            disclosures: diploma.disclosures.iter().map(|one| one.text().to_owned()).collect(),
            decoys: diploma.decoys.iter().map(|one| one.text().to_owned()).collect(),
            r: diploma.r,
            r_g: diploma.r_g,
            seal: diploma.seal.clone(),
            consent: diploma.consent.clone(),
            proof: None,
        }
    }

    /// The file's bytes.
    pub fn to_json(&self) -> Vec<u8> {
        envelope::to_json(&Wire { sum: envelope::sum(self), holder_file: self.clone() })
    }

    /// Reads a file; its sum must fit. Whether it opens is asked by [`open`].
    pub fn from_json(bytes: &[u8]) -> Result<HolderFile, OpenError> {
        let Wire { holder_file, sum } = envelope::read(bytes)?;
        envelope::checked(holder_file, sum)
    }
}

impl Content for HolderFile {
    const FORMAT: &'static str = HOLDER_FILE_FORMAT;

    fn format(&self) -> &str {
        &self.format
    }
}

/// Opens the file of an unsigned sample; a signed document takes its key, [`open_signed`].
///
/// Recomputes F and G from the file's contents and accounts for every digest.
/// Fails with [`OpenError::Altered`] where anything does not fit what was issued, and otherwise where the
/// institution itself broke the rules of the document's type.
pub fn open(file: &HolderFile) -> Result<Opened, OpenError> {
    open_by(file, None)
}

/// Opens the file of a signed document by the institution's key, as [`open`] does a sample's. Which key that is,
/// [`Document::claimed`](crate::Document::claimed) and the ledger say.
pub fn open_signed(file: &HolderFile, key: &PublicKey) -> Result<Opened, OpenError> {
    open_by(file, Some(key))
}

pub(crate) fn open_by(file: &HolderFile, key: Option<&PublicKey>) -> Result<Opened, OpenError> {
    let sealed = Sealed {
        chain: file.chain,
        issuer: file.issuer,
        document: &file.document,
        disclosures: &file.disclosures,
        decoys: Some(&file.decoys),
        seal: file.seal.as_deref(),
        consent: file.consent.as_deref().map_or(Consent::None, Consent::Whole),
        r: &file.r,
        r_g: &file.r_g,
        fingerprint: file.fingerprint,
        gost: file.gost,
    };
    let opened = sealed.open(key)?;
    if Field::ALL.iter().any(|field| field.is_required() && !opened.fields.contains_key(field)) {
        return Err(OpenError::Fields("a required field is missing"));
    }
    let derived = file.control_secret.map(|seed| SigningKey::ed25519(&seed).public());
    if derived.is_some_and(|public| public != file.control_key) {
        return Err(OpenError::Altered(Part::ControlKey));
    }
    Ok(Opened { control: Some(control_of(&file.control_key)), ..opened })
}

impl fmt::Debug for HolderFile {
    /// Shows neither the person nor what opens the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HolderFile").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{
        diploma::tests::{diploma, requisites},
        disclosure::{Decoy, Disclosure},
        encoding::{b64url, from_b64url},
        requisites::Value,
    };

    pub(crate) fn file() -> HolderFile {
        let key = SigningKey::ed25519(&[5; 32]);
        let mut file =
            HolderFile::new(Hash([9; 32]), &diploma(&requisites(), 1), key.public(), Some([5; 32]));
        file.proof = Some(vec![1, 2, 3]);
        file
    }

    fn altered(change: impl Fn(&mut HolderFile)) -> Result<Opened, OpenError> {
        let mut file = file();
        change(&mut file);
        // Whoever alters a file can write a fitting sum.
        open(&HolderFile::from_json(&file.to_json())?)
    }

    #[test]
    fn an_untouched_file_opens_to_what_was_made() {
        let read = HolderFile::from_json(&file().to_json()).expect("reads back");
        assert_eq!(read, file());
        let opened = open(&read).expect("opens");
        assert_eq!(opened.fields, requisites().fields().expect("legal"));
        assert_eq!((opened.fingerprint, opened.gost), (file().fingerprint, file().gost));
        assert_eq!(opened.control, Some(control_of(&file().control_key)));
    }

    #[test]
    fn every_changed_byte_is_seen() {
        let good = file().to_json();
        for at in 0..good.len() {
            for flip in [0x01, 0x20, 0x80] {
                let mut bad = good.clone();
                bad[at] ^= flip;
                let opened = HolderFile::from_json(&bad).and_then(|file| open(&file));
                let seen = matches!(opened, Err(OpenError::Altered(_) | OpenError::Malformed { .. }));
                assert!(seen, "byte {at} ^ {flip:#x}: {opened:?}");
            }
        }
    }

    #[test]
    fn every_removed_byte_is_seen() {
        let good = file().to_json();
        for at in 0..good.len() {
            let bad = [&good[..at], &good[at + 1..]].concat();
            assert!(HolderFile::from_json(&bad).and_then(|file| open(&file)).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_forger_who_mends_the_sum_is_caught_by_the_commitments() {
        let other = diploma(&requisites(), 2);
        let part = |change: &dyn Fn(&mut HolderFile)| altered(change).err();
        let is = |part| Some(OpenError::Altered(part));
        assert_eq!(part(&|file| file.r[0] ^= 1), is(Part::Fingerprint));
        assert_eq!(part(&|file| file.fingerprint.0[0] ^= 1), is(Part::Fingerprint));
        assert_eq!(part(&|file| file.r_g[0] ^= 1), is(Part::Gost));
        assert_eq!(part(&|file| file.gost[31] ^= 1), is(Part::Gost));
        assert_eq!(part(&|file| file.document = other.document.text().into()), is(Part::Gost));
        assert_eq!(
            part(&|file| file.issuer = IssuerBin::parse("000000000019").expect("digits")),
            is(Part::Issuer)
        );
        assert_eq!(part(&|file| file.control_secret = Some([6; 32])), is(Part::ControlKey));
        let forged =
            Disclosure::new(&[3; 16], Field::Level, Value::Level(8)).expect("legal").text().to_owned();
        for at in 0..11 {
            assert_eq!(
                part(&|file| file.disclosures[at] = forged.clone()),
                is(Part::Disclosure),
                "field {at}"
            );
        }
        let decoy = Decoy::new(&[3; 16]).text().to_owned();
        assert_eq!(part(&|file| file.decoys[0] = decoy.clone()), is(Part::Decoy));
    }

    #[test]
    fn a_missing_extra_or_moved_field_is_seen() {
        assert!(altered(|file| drop(file.disclosures.pop())).is_err());
        assert!(altered(|file| drop(file.decoys.pop())).is_err());
        assert!(altered(|file| file.disclosures.push(file.disclosures[0].clone())).is_err());
        let as_decoy = |file: &mut HolderFile| file.decoys.push(file.disclosures.pop().expect("a field"));
        assert_eq!(altered(as_decoy).err(), Some(OpenError::Altered(Part::Decoy)));
    }

    #[test]
    fn an_issuer_who_breaks_the_profile_is_not_opened() {
        // The issuer can commit to anything; here to an `exp` beside the claims of a diploma.
        let mut file = file();
        let (header, payload) = file.document.split_once('.').expect("two parts");
        let mut claims: serde_json::Value =
            serde_json::from_slice(&from_b64url(payload).expect("b64url")).expect("JSON");
        claims["exp"] = 1.into();
        file.document = format!("{header}.{}", b64url(claims.to_string().as_bytes()));
        let parts =
            crate::commitment::GostParts { document: Some(file.document.as_bytes()), ..Default::default() };
        file.gost = crate::commitment::gost_commitment(&file.r_g, &parts);
        assert_eq!(open(&file).err(), Some(OpenError::Document(crate::document::DocumentError::Claims)));
    }

    #[test]
    fn debug_shows_neither_person_nor_secret() {
        let shown = format!("{:?}", file());
        assert!(shown.len() < 60, "{shown}");
    }
}
