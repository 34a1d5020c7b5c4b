//! Proof of a consent (Law 94-V, article 25(2)(5)): one file that a court or the person checks without a network, given
//! only the national authority's roots.
//!
//! It holds the signed consent, and its withdrawal if there was one, each with what showed on the day it was taken in that
//! its signers' certificates were not revoked. `checked_at` is the operator's word for that day: a stamp over the
//! signature, and the ledger, which commits to the consent by G, prove it without the operator. With an opening it also
//! shows for which diploma the consent is.

use std::fmt;

use ::base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use tanba_crypto::Hash;
use tanba_eds::{Bin, Context, Evidence, Iin, Policy, Time, Trust};

use super::{
    check::{self, ConsentError, Given},
    statement::{Item, Statement},
    subject, withdrawal,
};
use crate::encoding::{bytes32, hash};

/// Bytes of a proof, as a file. A revocation list longer than this is not put in: an answer about one certificate is.
pub const PROOF_BYTES_MAX: usize = 1024 * 1024;

/// Revocation lists, and answers about revocation, in one proof.
const EVIDENCE_MAX: usize = 8;

/// The version of the file, first in it.
pub const PROOF_FORMAT: &str = "tanba-consent-proof/1";

/// Proof of one consent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentProof {
    format: String,
    /// The consent.
    pub consent: TakenIn,
    /// Its withdrawal, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawal: Option<TakenIn>,
    /// What ties the consent to its diploma, while that may be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<Opening>,
}

/// A signed text as it was taken in, and what it was checked with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakenIn {
    /// The text, signed: a CMS.
    #[serde(with = "base64")]
    pub cms: Vec<u8>,
    /// When text and evidence were checked.
    #[serde(with = "moment")]
    pub checked_at: Time,
    /// Revocation lists of that day.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "base64_list")]
    pub lists: Vec<Vec<u8>>,
    /// Answers about revocation of that day.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "base64_list")]
    pub answers: Vec<Vec<u8>>,
}

/// F, and the secret under which a consent names it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// F.
    #[serde(with = "hash")]
    pub fingerprint: Hash,
    /// The secret.
    #[serde(with = "bytes32")]
    pub r_f: [u8; 32],
}

/// What a proof shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// What was consented to.
    pub statement: Statement,
    /// When, and by which evidence.
    pub given: Given,
    /// F of the diploma, if the proof has its opening.
    pub fingerprint: Option<Hash>,
    /// When it was withdrawn, by the person's word.
    pub withdrawn_at: Option<Time>,
}

impl ConsentProof {
    /// A proof of this consent, neither withdrawn nor tied to its diploma.
    pub fn new(consent: TakenIn) -> ConsentProof {
        ConsentProof { format: PROOF_FORMAT.to_owned(), consent, withdrawal: None, opening: None }
    }

    /// The file's bytes: JSON.
    pub fn to_json(&self) -> Vec<u8> {
        crate::envelope::to_json(self)
    }

    /// Reads a file of at most [`PROOF_BYTES_MAX`] bytes. What it shows is asked by [`ConsentProof::verify`].
    pub fn from_json(bytes: &[u8]) -> Result<ConsentProof, ProofError> {
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(ProofError::TooLong);
        }
        let proof: ConsentProof = serde_json::from_slice(bytes)
            .map_err(|error| ProofError::Malformed { line: error.line(), column: error.column() })?;
        let is_ours = proof.format == PROOF_FORMAT;
        let is_bounded = [Some(&proof.consent), proof.withdrawal.as_ref()]
            .into_iter()
            .flatten()
            .all(|taken| taken.lists.len() <= EVIDENCE_MAX && taken.answers.len() <= EVIDENCE_MAX);
        if is_ours && is_bounded { Ok(proof) } else { Err(ProofError::Malformed { line: 0, column: 0 }) }
    }

    /// Checks everything in the proof, each text as of the day it was taken in. With `iin` the consent must be that
    /// person's; without, any natural person's. `service` is whose information system may speak for a state service.
    pub fn verify(
        &self,
        iin: Option<&Iin>,
        service: Option<&Bin>,
        trust: &Trust,
        policy: Policy,
    ) -> Result<Shown, ConsentError> {
        let (message, statement) = check::read(&self.consent.cms)?;
        let given = self.consent.with_context(trust, policy, |context| {
            check::check_signers(&message, &statement, iin, service, context)
        })?;
        let fingerprint = self.opening.as_ref().map(|opening| opening.fingerprint);
        let is_its = |opening: &Opening| subject(&opening.fingerprint, &opening.r_f) == statement.subject();
        if !self.opening.as_ref().is_none_or(is_its) {
            return Err(ConsentError::Differs(Item::Diploma));
        }
        let withdrawn = self.withdrawal.as_ref().map(|taken| {
            taken.with_context(trust, policy, |context| {
                withdrawal::check_by(&taken.cms, &statement, iin, context)
            })
        });
        Ok(Shown { given, fingerprint, withdrawn_at: withdrawn.transpose()?, statement })
    }
}

impl TakenIn {
    /// Checks with the evidence and at the moment of then.
    fn with_context<R>(
        &self,
        trust: &Trust,
        policy: Policy,
        check: impl FnOnce(&Context<'_>) -> Result<R, ConsentError>,
    ) -> Result<R, ConsentError> {
        let mut evidence = Evidence::default();
        self.lists.iter().try_for_each(|list| evidence.add_crl(list))?;
        self.answers.iter().try_for_each(|answer| evidence.add_ocsp(answer))?;
        check(&Context { trust, evidence: &evidence, at: self.checked_at, policy })
    }
}

/// Why a file is no proof. It carries nothing of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProofError {
    /// Above [`PROOF_BYTES_MAX`].
    #[error("a proof of consent has at most {PROOF_BYTES_MAX} bytes")]
    TooLong,
    /// Not the JSON of a proof of this version.
    #[error("not a proof of consent of format {PROOF_FORMAT} (line {line}, column {column})")]
    Malformed {
        /// Where, from 1; 0 if the whole of it is not.
        line: usize,
        /// Where in the line.
        column: usize,
    },
}

impl fmt::Debug for ConsentProof {
    /// Consent, certificates and opening are all of a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsentProof").field("consent", &self.consent).finish_non_exhaustive()
    }
}

impl fmt::Debug for TakenIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TakenIn").field("checked_at", &self.checked_at).finish_non_exhaustive()
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opening")
    }
}

/// serde: bytes as base64.
mod base64 {
    use super::*;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// serde: a list of bytes as base64.
mod base64_list {
    use super::*;

    pub(super) fn serialize<S: Serializer>(list: &[Vec<u8>], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(list.iter().map(|bytes| STANDARD.encode(bytes)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Vec<u8>>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.into_iter().map(|text| STANDARD.decode(text).map_err(D::Error::custom)).collect()
    }
}

/// serde: a moment as `YYYY-MM-DDTHH:MM:SSZ`.
mod moment {
    use super::*;

    pub(super) fn serialize<S: Serializer>(at: &Time, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
        let text = String::deserialize(from)?;
        Time::from_text(&text).map_err(|_| D::Error::custom("expected a moment as YYYY-MM-DDTHH:MM:SSZ"))
    }
}
