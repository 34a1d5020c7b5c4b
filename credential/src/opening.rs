//! Opening: from what a holder keeps or shows back to F and G, with every byte accounted for. One path for the
//! holder's whole file and for a part of it, so that both are judged by the same rules.

use std::{collections::BTreeMap, fmt};

use tanba_crypto::{Hash, PublicKey};

use crate::{
    commitment::{self, GostParts},
    disclosure::{self, Decoy, Disclosure, DisclosureError},
    document::{Document, DocumentError, IssuerBin},
    leaves::{self, LEAVES, PRINT_LEAVES},
    requisites::{Field, Value},
};

/// What of a file does not fit the rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The file's checksum.
    Checksum,
    /// The issuer beside the document is not the document's.
    Issuer,
    /// A field: its digest is not in the document.
    Disclosure,
    /// A decoy: its digest is not in the document, or it is none.
    Decoy,
    /// Document, fields, r and F do not belong together.
    Fingerprint,
    /// Document, r_g and G do not belong together.
    Gost,
    /// The secret control key is not that of the public one.
    ControlKey,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Checksum => "its checksum",
            Part::Issuer => "its issuer",
            Part::Disclosure => "a field",
            Part::Decoy => "a decoy",
            Part::Fingerprint => "its fingerprint",
            Part::Gost => "its GOST commitment",
            Part::ControlKey => "its control key",
        })
    }
}

/// Why a holder's file, or what a holder shows, is not believed. Carries nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenError {
    /// More bytes than any such file has.
    #[error("{length} bytes, the limit is {limit}")]
    TooLong {
        /// Bytes received.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not a file of this kind and version.
    #[error("not a diploma file of this version (line {line}, column {column})")]
    Malformed {
        /// Where reading stopped, from 1; 0 where the whole is meant.
        line: usize,
        /// The column in that line.
        column: usize,
    },
    /// It was changed after it was issued.
    #[error("the file was altered: {0} does not fit the rest")]
    Altered(Part),
    /// Whole, but no document by the rules of its type.
    #[error("the document breaks the rules of its type: {0}")]
    Document(#[from] DocumentError),
    /// Whole, but a field breaks the rules.
    #[error("a field breaks the rules of its type: {0}")]
    Field(#[from] DisclosureError),
    /// Whole, but fields are missing, repeated or out of place.
    #[error("the document breaks the rules of its type: {0}")]
    Fields(&'static str),
}

impl OpenError {
    pub(crate) fn malformed(error: &serde_json::Error) -> OpenError {
        OpenError::Malformed { line: error.line(), column: error.column() }
    }
}

/// What an unaltered file says, and what to look for on the ledger. It is not yet a verdict: the ledger must
/// hold (issuer, F) with this G and, where known, this control commitment.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The network on which it is recorded: the hash that is its chain id.
    pub chain: Hash,
    /// The institution.
    pub issuer: IssuerBin,
    /// The day of the document, in days since 1970-01-01.
    pub issued_on_day: u32,
    /// The fields shown.
    pub fields: BTreeMap<Field, Value>,
    /// F, recomputed.
    pub fingerprint: Hash,
    /// G, recomputed.
    pub gost: [u8; 32],
    /// The control commitment; `None` where the control key is not shown.
    pub control: Option<Hash>,
    /// The key by which the holder answers a verifier's nonce, if the document names one.
    pub holder_key: Option<PublicKey>,
    /// The key that the document's signature was checked by; `None` for an unsigned sample.
    pub signer: Option<PublicKey>,
    /// The seal that G covers, a CMS that was not yet checked. A signed document without one is a draft.
    pub seal: Option<Vec<u8>>,
    /// Whether G covers a consent.
    pub has_consent: bool,
}

impl fmt::Debug for Opened {
    /// Shows counts and the token's name, and nothing of the person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Opened");
        shown.field("issuer", &self.issuer).field("fingerprint", &self.fingerprint);
        shown.field("fields", &self.fields.len()).finish_non_exhaustive()
    }
}

/// What is known of the consent.
#[derive(Clone, Copy)]
pub(crate) enum Consent<'a> {
    None,
    /// The CMS.
    Whole(&'a [u8]),
    /// The commitment to it.
    Committed(&'a [u8; 32]),
}

/// What is common to a holder's file and a presentation.
pub(crate) struct Sealed<'a> {
    pub(crate) chain: Hash,
    pub(crate) issuer: IssuerBin,
    pub(crate) document: &'a str,
    pub(crate) disclosures: &'a [String],
    /// `None` where only some fields are shown.
    pub(crate) decoys: Option<&'a [String]>,
    pub(crate) seal: Option<&'a [u8]>,
    pub(crate) consent: Consent<'a>,
    pub(crate) r: &'a [u8; 32],
    pub(crate) r_g: &'a [u8; 32],
    pub(crate) fingerprint: Hash,
    pub(crate) gost: [u8; 32],
}

impl Sealed<'_> {
    /// Opens a signed document by the key of its institution, or, without a key, an unsigned sample.
    pub(crate) fn open(&self, key: Option<&PublicKey>) -> Result<Opened, OpenError> {
        // Commitments first: what they do not cover is not read further, and a changed byte is called a change
        // rather than a broken rule wherever the document can still be read.
        let gost = self.gost()?;
        let document = match key {
            Some(key) => Document::verify(self.document, key)?,
            None => Document::parse(self.document)?,
        };
        let has_consent = !matches!(self.consent, Consent::None);
        if !document.is_signed() && (self.seal.is_some() || has_consent) {
            return Err(DocumentError::Unsigned.into());
        }
        let root = leaves::field_root(document.digests());
        let fingerprint = commitment::fingerprint(self.r, &root, document.text());
        if fingerprint != self.fingerprint {
            return Err(OpenError::Altered(Part::Fingerprint));
        }
        if document.issuer() != self.issuer {
            return Err(OpenError::Altered(Part::Issuer));
        }
        let mut free: BTreeMap<Hash, usize> =
            document.digests().iter().enumerate().map(|(at, digest)| (*digest, at)).collect();
        let fields = self.fields(&mut free)?;
        self.check_decoys(&mut free)?;
        Ok(Opened {
            chain: self.chain,
            issuer: self.issuer,
            issued_on_day: document.issued_on_day(),
            fields,
            fingerprint,
            gost,
            control: None,
            holder_key: document.holder_key().copied(),
            signer: document.signer().copied(),
            seal: self.seal.map(<[u8]>::to_vec),
            has_consent,
        })
    }

    fn gost(&self) -> Result<[u8; 32], OpenError> {
        let parts = GostParts { document: Some(self.document.as_bytes()), seal: self.seal, consent: None };
        let gost = match self.consent {
            Consent::None => commitment::gost_commitment(self.r_g, &parts),
            Consent::Whole(consent) => {
                commitment::gost_commitment(self.r_g, &GostParts { consent: Some(consent), ..parts })
            }
            Consent::Committed(consent) => commitment::gost_commitment_with(self.r_g, &parts, consent),
        };
        if gost == self.gost { Ok(gost) } else { Err(OpenError::Altered(Part::Gost)) }
    }

    /// Reads the fields, takes their digests out of `free`, and checks that the print set lies in one block.
    fn fields(&self, free: &mut BTreeMap<Hash, usize>) -> Result<BTreeMap<Field, Value>, OpenError> {
        if self.disclosures.len() > LEAVES {
            return Err(OpenError::Altered(Part::Disclosure));
        }
        let mut fields = BTreeMap::new();
        let mut print_block = None;
        for text in self.disclosures {
            let at = free.remove(&disclosure::digest(text)).ok_or(OpenError::Altered(Part::Disclosure))?;
            let disclosure = Disclosure::parse(text)?;
            let block = at / PRINT_LEAVES;
            if Field::PRINT_SET.contains(&disclosure.field()) && *print_block.get_or_insert(block) != block {
                return Err(OpenError::Fields("the print set is not in one block"));
            }
            if fields.insert(disclosure.field(), disclosure.value().clone()).is_some() {
                return Err(OpenError::Fields("a field occurs twice"));
            }
        }
        Ok(fields)
    }

    /// With the whole file at hand, every digest must be a field or a decoy.
    fn check_decoys(&self, free: &mut BTreeMap<Hash, usize>) -> Result<(), OpenError> {
        let Some(decoys) = self.decoys else { return Ok(()) };
        for text in decoys.iter().take(LEAVES + 1) {
            let known = Decoy::parse(text).and_then(|decoy| free.remove(&decoy.digest()));
            known.ok_or(OpenError::Altered(Part::Decoy))?;
        }
        if free.is_empty() { Ok(()) } else { Err(OpenError::Altered(Part::Decoy)) }
    }
}
