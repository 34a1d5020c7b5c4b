//! What the institution's seal is over: the bytes that its national signature, a CMS, signs. One layout, 142 bytes, each
//! part in its place, so that nothing has to be parsed before it is compared:
//!
//! | bytes | what |
//! |---|---|
//! | 14 | the tag `tanba/seal/v1` and a zero byte |
//! | 32 | F |
//! | 32 | the field root |
//! | 32 | SHA-256 of the signed document |
//! | 32 | Streebog-256 of the signed document |
//!
//! Both hashes of the document are there, so that neither a break of SHA-256 nor one of Streebog alone lets a seal pass
//! to another document.

use std::fmt;

use tanba_crypto::{Hash, Tag, gost::streebog_256};
use tanba_eds::{Bin, Context, Error, Proof, SignedData, Time};

use crate::{Document, leaves};

/// Bytes of a seal as a CMS: what is signed, the signer's certificate, a time stamp.
pub const SEAL_CMS_BYTES_MAX: usize = 64 * 1024;

/// Bytes that a seal signs.
pub const SEAL_BYTES: usize = Tag::SEAL.as_bytes().len() + 4 * 32;

/// What a seal is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// F.
    pub fingerprint: Hash,
    /// The root over the document's digests.
    pub field_root: Hash,
    /// SHA-256 of the document.
    pub document_sha256: Hash,
    /// Streebog-256 of the document.
    pub document_streebog: Hash,
}

/// A part of what a seal is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealPart {
    /// F.
    Fingerprint,
    /// The field root.
    FieldRoot,
    /// SHA-256 of the document.
    DocumentSha256,
    /// Streebog-256 of the document.
    DocumentStreebog,
}

impl fmt::Display for SealPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SealPart::Fingerprint => "fingerprint",
            SealPart::FieldRoot => "field root",
            SealPart::DocumentSha256 => "SHA-256 of the document",
            SealPart::DocumentStreebog => "Streebog-256 of the document",
        })
    }
}

/// Why a seal is not over a diploma.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SealError {
    /// The document is an unsigned sample: there is nothing to seal.
    #[error("the document is not signed, and an unsigned sample is not sealed")]
    Unsigned,
    /// Not the bytes of a seal of this version.
    #[error("not {SEAL_BYTES} bytes that begin with the tag of a seal")]
    Layout,
    /// Over another diploma.
    #[error("the seal is over another diploma: the {0} differs")]
    Other(SealPart),
    /// Above [`SEAL_CMS_BYTES_MAX`].
    #[error("it is longer than {SEAL_CMS_BYTES_MAX} bytes")]
    TooLong,
    /// A seal has one signer.
    #[error("{found} signed, and 1 must")]
    Signers {
        /// How many signed.
        found: usize,
    },
    /// The signature, its certificate, the right to sign, or the evidence does not hold.
    #[error(transparent)]
    Eds(#[from] Error),
}

impl SealError {
    /// Its code, for ever the same. Those of the signature are [`Error::code`].
    pub fn code(self) -> &'static str {
        match self {
            SealError::Unsigned => "seal-unsigned-document",
            SealError::Layout => "seal-layout",
            SealError::Other(SealPart::Fingerprint) => "seal-other-fingerprint",
            SealError::Other(SealPart::FieldRoot) => "seal-other-field-root",
            SealError::Other(SealPart::DocumentSha256) => "seal-other-document",
            SealError::Other(SealPart::DocumentStreebog) => "seal-other-document-gost",
            SealError::TooLong => "seal-too-long",
            SealError::Signers { .. } => "seal-signers",
            SealError::Eds(error) => error.code(),
        }
    }
}

/// A seal that holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SealedBy {
    /// When it was signed, by the signer's word.
    pub signed_at: Time,
    /// When the signature existed at the latest, by a time-stamping service.
    pub stamped_at: Option<Time>,
    /// What shows that the signer's certificate was not revoked.
    pub proof: Proof,
}

impl Sealed {
    /// What the seal of this document is over. F is the document's, under its opening.
    pub fn of(fingerprint: Hash, document: &Document) -> Result<Sealed, SealError> {
        if !document.is_signed() {
            return Err(SealError::Unsigned);
        }
        let text = document.text().as_bytes();
        Ok(Sealed {
            fingerprint,
            field_root: leaves::field_root(document.digests()),
            document_sha256: Hash::plain(text),
            document_streebog: Hash(streebog_256(&[text])),
        })
    }

    /// The bytes to sign.
    pub fn to_bytes(&self) -> [u8; SEAL_BYTES] {
        let mut bytes = [0; SEAL_BYTES];
        let (tag, digests) = bytes.split_at_mut(Tag::SEAL.as_bytes().len());
        tag.copy_from_slice(Tag::SEAL.as_bytes());
        for (place, digest) in digests.chunks_exact_mut(32).zip(self.digests()) {
            place.copy_from_slice(digest.1.as_bytes());
        }
        bytes
    }

    /// Reads what [`Sealed::to_bytes`] writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Sealed, SealError> {
        let digests = bytes.strip_prefix(Tag::SEAL.as_bytes()).ok_or(SealError::Layout)?;
        let digests: &[u8; 4 * 32] = digests.try_into().map_err(|_| SealError::Layout)?;
        let at = |n: usize| Hash(digests[n * 32..][..32].try_into().expect("32 bytes"));
        Ok(Sealed { fingerprint: at(0), field_root: at(1), document_sha256: at(2), document_streebog: at(3) })
    }

    /// Whether the bytes that a CMS signed are these; if not, the first part that differs.
    pub fn check(&self, signed: &[u8]) -> Result<(), SealError> {
        let signed = Sealed::from_bytes(signed)?;
        let mut pairs = self.digests().into_iter().zip(signed.digests());
        match pairs.find(|(ours, theirs)| ours.1 != theirs.1) {
            None => Ok(()),
            Some(((part, _), _)) => Err(SealError::Other(part)),
        }
    }

    /// Checks a seal as it came: a CMS with these bytes inside, of one signer, who is the head of the institution with
    /// this BIN or has the right to sign for it.
    ///
    /// # Errors
    /// What it is over is compared before who signed it.
    pub fn check_cms(&self, cms: &[u8], bin: &Bin, context: &Context<'_>) -> Result<SealedBy, SealError> {
        if cms.len() > SEAL_CMS_BYTES_MAX {
            return Err(SealError::TooLong);
        }
        let message = SignedData::from_bytes(cms)?;
        self.check(message.content_or(None)?)?;
        let found = message.signers().len();
        if found != 1 {
            return Err(SealError::Signers { found });
        }
        let signed = context.message(&message, None, 1)?.swap_remove(0);
        signed.signer.certificate.check_signs_for(bin)?;
        let stamped_at = signed.stamp.as_ref().map(|(at, _)| *at);
        Ok(SealedBy { signed_at: signed.time, stamped_at, proof: signed.signer.proof })
    }

    fn digests(&self) -> [(SealPart, Hash); 4] {
        [
            (SealPart::Fingerprint, self.fingerprint),
            (SealPart::FieldRoot, self.field_root),
            (SealPart::DocumentSha256, self.document_sha256),
            (SealPart::DocumentStreebog, self.document_streebog),
        ]
    }
}

#[cfg(test)]
mod tests {
    use tanba_crypto::SigningKey;

    use super::*;
    use crate::{
        Diploma, IssuerBin,
        diploma::tests::{diploma, draw, requisites},
    };

    fn sealed(n: u8) -> Sealed {
        let (issuer, key) = (IssuerBin::parse("000000000018"), SigningKey::ed25519(&[7; 32]));
        let issuer = issuer.expect("12 digits");
        let made = Diploma::sign(&requisites(), issuer, 20_634, None, &draw(n), &key).expect("legal");
        Sealed::of(made.fingerprint, &made.document).expect("signed")
    }

    #[test]
    fn what_is_sealed_reads_back_and_fits_itself_alone() {
        let (one, other) = (sealed(1), sealed(2));
        assert_eq!(one.to_bytes().len(), 142);
        assert_eq!(Sealed::from_bytes(&one.to_bytes()), Ok(one));
        assert_eq!(one.check(&one.to_bytes()), Ok(()));
        assert_eq!(one.check(&other.to_bytes()), Err(SealError::Other(SealPart::Fingerprint)));
    }

    #[test]
    fn every_changed_byte_is_named_by_its_part() {
        let one = sealed(1);
        for at in 0..SEAL_BYTES {
            let mut bytes = one.to_bytes();
            bytes[at] ^= 1;
            let expected = match at {
                0..14 => SealError::Layout,
                14..46 => SealError::Other(SealPart::Fingerprint),
                46..78 => SealError::Other(SealPart::FieldRoot),
                78..110 => SealError::Other(SealPart::DocumentSha256),
                _ => SealError::Other(SealPart::DocumentStreebog),
            };
            assert_eq!(one.check(&bytes), Err(expected), "byte {at}");
        }
    }

    #[test]
    fn other_lengths_and_samples_are_refused() {
        let bytes = sealed(1).to_bytes();
        assert_eq!(Sealed::from_bytes(&bytes[..SEAL_BYTES - 1]), Err(SealError::Layout));
        assert_eq!(Sealed::from_bytes(&[&bytes[..], &[0]].concat()), Err(SealError::Layout));
        assert_eq!(Sealed::from_bytes(b""), Err(SealError::Layout));
        let sample = diploma(&requisites(), 1);
        assert_eq!(Sealed::of(sample.fingerprint, &sample.document), Err(SealError::Unsigned));
    }
}
