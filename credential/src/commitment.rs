//! The three commitments that stand on the ledger for a diploma. All hashed parts have a fixed length but the
//! last, and each begins with a tag of its own, so no input can be split in two ways.
//!
//! * **F**, the fingerprint: SHA-256 over tag, opening r, field root, and SHA-256 of the document. It names the
//!   token. r has 256 bits, so whoever knows every field still cannot recognise F.
//! * **G**: the same diploma in the hash of GOST R 34.11-2012 (Streebog), with document, seal and consent each
//!   under a salt derived from r_g, so that showing one of the three tells nothing of the others.
//! * **control**: SHA-256 over the holder's control key, fresh for each diploma, so that two diplomas of one
//!   person share nothing.

use streebog::{Digest, Streebog256};
use tanba_crypto::{Canonical, Hash, PublicKey, Tag};

/// F of a document with these fields, under the opening `r`.
pub fn fingerprint(r: &[u8; 32], field_root: &Hash, document: &str) -> Hash {
    fingerprint_of_digest(r, field_root, &Hash::plain(document.as_bytes()))
}

/// F where only the document's SHA-256 is at hand.
pub fn fingerprint_of_digest(r: &[u8; 32], field_root: &Hash, document: &Hash) -> Hash {
    Hash::tagged(Tag::FINGERPRINT, &[r, field_root.as_bytes(), document.as_bytes()])
}

/// The commitment to a holder's control key, as a token carries it.
pub fn control_of(key: &PublicKey) -> Hash {
    Hash::tagged(Tag::CONTROL, &[&key.to_canonical()])
}

/// The three things that G commits to. What does not exist is committed to as *none*.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GostParts<'a> {
    /// The document's bytes.
    pub document: Option<&'a [u8]>,
    /// The institution's seal: a CMS by the national signature.
    pub seal: Option<&'a [u8]>,
    /// The graduate's consent: a CMS by the graduate's own signature.
    pub consent: Option<&'a [u8]>,
}

/// G of these parts, under the opening `r_g`.
pub fn gost_commitment(r_g: &[u8; 32], parts: &GostParts<'_>) -> [u8; 32] {
    let consent = parts.consent.map_or_else(gost_none, |bytes| gost_consent(r_g, bytes));
    gost_commitment_with(r_g, parts, &consent)
}

/// The commitment to a consent alone: what a verifier gets who may not read the consent, which names its signer.
pub fn gost_consent(r_g: &[u8; 32], consent: &[u8]) -> [u8; 32] {
    gost_part(Tag::GOST_CONSENT, r_g, consent)
}

/// G where only the commitment to the consent is at hand; `parts.consent` is not read.
pub fn gost_commitment_with(r_g: &[u8; 32], parts: &GostParts<'_>, consent: &[u8; 32]) -> [u8; 32] {
    let part = |tag, bytes: Option<&[u8]>| bytes.map_or_else(gost_none, |bytes| gost_part(tag, r_g, bytes));
    let d = part(Tag::GOST_DOCUMENT, parts.document);
    let s = part(Tag::GOST_SEAL, parts.seal);
    streebog(Tag::GOST_COMMITMENT, &[r_g, &d, &s, consent])
}

/// The commitment to one part: under a salt that is this part's alone, so it can be shown without r_g.
fn gost_part(tag: Tag, r_g: &[u8; 32], bytes: &[u8]) -> [u8; 32] {
    streebog(tag, &[&streebog(tag, &[r_g]), bytes])
}

/// What stands for a part that does not exist.
pub fn gost_none() -> [u8; 32] {
    streebog(Tag::GOST_NONE, &[])
}

fn streebog(tag: Tag, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Streebog256::new();
    hasher.update(tag.as_bytes());
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn streebog_is_that_of_the_standard() {
        // GOST R 34.11-2012, appendix A.1: message M1, 256 bits.
        let digest = Streebog256::digest(b"012345678901234567890123456789012345678901234567890123456789012");
        assert_eq!(
            Hash(digest.into()).to_string(),
            "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500"
        );
    }

    #[test]
    fn every_part_and_its_absence_change_g() {
        let bytes = Some(b"bytes".as_slice());
        let parts = |document, seal, consent| GostParts { document, seal, consent };
        let all: BTreeSet<[u8; 32]> = [
            parts(None, None, None),
            parts(bytes, None, None),
            parts(None, bytes, None),
            parts(None, None, bytes),
            parts(bytes, bytes, None),
            parts(bytes, bytes, bytes),
            parts(Some(b""), None, None),
        ]
        .iter()
        .flat_map(|parts| [gost_commitment(&[1; 32], parts), gost_commitment(&[2; 32], parts)])
        .collect();
        assert_eq!(all.len(), 14);
    }

    #[test]
    fn every_part_changes_f() {
        let f = |r: u8, root: u8, document: &str| fingerprint(&[r; 32], &Hash([root; 32]), document);
        let all = BTreeSet::from([f(1, 1, "a"), f(2, 1, "a"), f(1, 2, "a"), f(1, 1, "b")]);
        assert_eq!(all.len(), 4);
    }
}
