//! Checking a diploma as an employer does: the document against its commitments, the commitments against the
//! ledger, and the ledger against a checkpoint the verifier trusts. No server is believed.
//!
//! [`check_online`] asks a node, and shows it no more than a prefix; [`check_bundle`] needs no network. Both end
//! in [`judge`], the one place where proven facts become a [`Verdict`]. [`Verifier`] checks many diplomas and
//! asks once for those that lie in the same bucket. [`questions`] are the five things a person wants to know.

pub mod questions;
pub mod shown;
pub mod verdict;

use std::{collections::BTreeMap, time::Instant};

use tanba_credential::{Field, Opened, Value};
use tanba_crypto::Canonical;
use tanba_ledger::{
    Bin, Fingerprint, Height, Month, Scope, Timestamp,
    operation::{Basis, Reason},
    proof::{At, Bundle, Checkpoint, Question, Recorded, Status, verify},
    record::{InstitutionState, Names, NetworkKind, Regime},
};
use tanba_proto::convert;

pub use questions::{Answer, Questions};
pub use shown::Shown;
pub use verdict::{Alteration, Obstacle, Verdict};

use crate::client::{Client, ClientError, Trust, check::Bucket};

/// Buckets that a [`Verifier`] keeps: about half a megabyte each at most in practice.
pub const BUCKETS_MAX: usize = 64;

/// On what terms a verifier believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Where proofs begin, this machine's clock, and how old an answer may be.
    pub trust: Trust,
    /// The kind of network, from a genesis the verifier holds; [`NetworkKind::Main`] where it holds none. Only
    /// on a devnet does a document without a seal hold.
    pub kind: NetworkKind,
}

/// A diploma, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The one word.
    pub verdict: Verdict,
    /// The head that was proven, if one was: as of when the verdict speaks, and as good a checkpoint as the one
    /// the proof began with.
    pub as_of: Option<Checkpoint>,
    /// What the ledger says of the diploma, never what the file says; `None` where it is not recorded, is
    /// another's, or its holder lets it not be checked.
    pub facts: Option<Facts>,
    /// The proof, to be kept and checked again offline.
    pub bundle: Option<Bundle>,
    /// Its canonical bytes; 0 without a proof.
    pub proof_bytes: usize,
    /// How long the proof took to check here, signatures included, in microseconds.
    pub checked_us: u64,
}

/// What the ledger says, proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The institution.
    pub issuer: Bin,
    /// What it is called now.
    pub names: Names,
    /// Whether it may act now.
    pub state: InstitutionState,
    /// Who took over its duties.
    pub successor: Option<Bin>,
    /// The permit under which it issued.
    pub regime: Option<Regime>,
    /// Whether it was accredited in the month of award for the programme and level that the document names;
    /// `None` for diplomas from the archive, of which it is not asked.
    pub accredited: Option<bool>,
    /// The programmes and levels of the batch.
    pub scopes: Vec<Scope>,
    /// Awarded, or confirmed from the archive.
    pub basis: Basis,
    /// Month of award.
    pub awarded_month: Month,
    /// Diplomas in the batch.
    pub batch_count: u32,
    /// Whether the batch is small, as its holders were told.
    pub small: bool,
    /// The block that recorded the diploma.
    pub issued_at: Height,
    /// Its time, where the proof shows it.
    pub issued_time: Option<Timestamp>,
    /// The version of the token's record, which the next operation on it must name.
    pub version: u32,
    /// The block that wrote that version.
    pub changed_at: Height,
    /// Why the standing last changed.
    pub reason: Option<Reason>,
}

impl Checked {
    /// A check that ended before there was a proof.
    pub fn without_proof(verdict: Verdict) -> Checked {
        Checked { verdict, as_of: None, facts: None, bundle: None, proof_bytes: 0, checked_us: 0 }
    }
}

/// What to ask the ledger about an opened diploma, for the present.
pub fn question_of(opened: &Opened) -> Result<Question, Obstacle> {
    let issuer = Bin::parse(opened.issuer.as_str()).map_err(|_| Obstacle::Issuer)?;
    Ok(Question { issuer, fingerprint: Fingerprint(opened.fingerprint), at: At::Head })
}

/// Asks the node, privately: it learns in which bucket the diploma lies and nothing else.
pub async fn check_online(client: &Client, terms: &Terms, opened: &Opened) -> Checked {
    let question = match ready(terms, opened) {
        Ok(question) => question,
        Err(obstacle) => return Checked::without_proof(Verdict::CouldNotCheck(obstacle)),
    };
    match client.status_by_bucket(&question, &terms.trust).await {
        Ok(answer) => check_bundle(&answer.bundle, terms, opened),
        Err(error) => Checked::without_proof(Verdict::CouldNotCheck(error.into())),
    }
}

/// Checks against a proof that is at hand. No network.
pub fn check_bundle(bundle: &Bundle, terms: &Terms, opened: &Opened) -> Checked {
    let question = match ready(terms, opened) {
        Ok(question) => question,
        Err(obstacle) => return Checked::without_proof(Verdict::CouldNotCheck(obstacle)),
    };
    let Trust { checkpoint, now, max_age_ms } = &terms.trust;
    let begun = Instant::now();
    let status = verify(bundle, &question, checkpoint, *now, *max_age_ms);
    let checked_us = micros_since(begun);
    let proven = status.map_err(Obstacle::Proof);
    conclude(proven, bundle, checked_us, opened)
}

/// Refuses what no answer of the ledger could make valid under these terms, before anything is asked.
fn ready(terms: &Terms, opened: &Opened) -> Result<Question, Obstacle> {
    if opened.chain != terms.trust.checkpoint.chain.0 {
        return Err(Obstacle::OtherNetwork);
    }
    // Documents of this version carry no seal.
    if terms.kind != NetworkKind::Devnet {
        return Err(Obstacle::Unsealed);
    }
    question_of(opened)
}

fn conclude(proven: Result<Status, Obstacle>, bundle: &Bundle, checked_us: u64, opened: &Opened) -> Checked {
    let verdict = judge(&proven, opened);
    let status = proven.ok();
    let as_of = status.as_ref().map(|status| status.head);
    // Of a diploma that its holder hides, or that is not this document's, nothing is told.
    let recorded = status.and_then(|status| status.recorded).filter(|_| verdict.is_of_this_document());
    let facts = recorded.map(|recorded| Facts::of(&recorded, opened));
    let proof_bytes = bundle.to_canonical().len();
    Checked { verdict, as_of, facts, bundle: Some(bundle.clone()), proof_bytes, checked_us }
}

/// What proven facts mean for a document.
///
/// Beyond F and G the document must name a programme and level of its batch and its month of award: those are
/// what accreditation was proven for.
pub fn judge(proven: &Result<Status, Obstacle>, opened: &Opened) -> Verdict {
    let status = match proven {
        Ok(status) => status,
        Err(obstacle) => return Verdict::CouldNotCheck(obstacle.clone()),
    };
    if let Some(recorded) = &status.recorded
        && let Some(alteration) = contradiction(recorded, opened)
    {
        return Verdict::Altered(alteration);
    }
    Verdict::of_ledger(tanba_ledger::proof::Verdict::of(&Ok(status.clone()), &opened.gost))
}

fn contradiction(recorded: &Recorded, opened: &Opened) -> Option<Alteration> {
    if recorded.token.gost != opened.gost {
        return Some(Alteration::Gost);
    }
    if opened.control.is_some_and(|control| control != recorded.token.control) {
        return Some(Alteration::ControlKey);
    }
    if awarded_in(opened) != Some(recorded.batch.awarded_month) {
        return Some(Alteration::AwardMonth);
    }
    let named = named_scope(opened);
    if !recorded.batch.scopes.iter().any(|scope| named.as_ref() == Some(scope)) {
        return Some(Alteration::Programme);
    }
    None
}

/// The programme and level that the document names.
fn named_scope(opened: &Opened) -> Option<Scope> {
    let (Some(Value::Programme(programme)), Some(Value::Level(level))) =
        (opened.fields.get(&Field::Programme), opened.fields.get(&Field::Level))
    else {
        return None;
    };
    Some(Scope {
        programme: tanba_ledger::Programme::new(&programme.code)?,
        level: tanba_ledger::Level::new(*level)?,
    })
}

/// The month of award that the document names.
fn awarded_in(opened: &Opened) -> Option<Month> {
    match opened.fields.get(&Field::AwardDate) {
        Some(Value::Date(date)) => Month::new(date.year(), date.month()),
        _ => None,
    }
}

impl Facts {
    fn of(recorded: &Recorded, opened: &Opened) -> Facts {
        let Recorded { token, batch, institution, institution_now, .. } = recorded;
        let named = named_scope(opened);
        let accredited = match batch.basis {
            Basis::Award => {
                Some(recorded.accreditations.iter().any(|(scope, _)| named.as_ref() == Some(scope)))
            }
            Basis::Archive => None,
        };
        Facts {
            issuer: batch.issuer,
            names: institution_now.names.clone(),
            state: institution_now.state,
            successor: institution_now.successor,
            regime: institution.regime.clone(),
            accredited,
            scopes: batch.scopes.clone(),
            basis: batch.basis,
            awarded_month: batch.awarded_month,
            batch_count: batch.count,
            small: batch.small,
            issued_at: recorded.issued_at,
            issued_time: recorded.issued_time,
            version: recorded.version,
            changed_at: recorded.changed_at,
            reason: token.reason,
        }
    }
}

/// Checks many diplomas against one node, and fetches each bucket once while the terms' clock stands.
#[derive(Debug)]
pub struct Verifier<'c> {
    client: &'c Client,
    terms: Terms,
    bits: Option<u16>,
    buckets: BTreeMap<Vec<u8>, Bucket>,
}

impl<'c> Verifier<'c> {
    /// A verifier with no bucket yet.
    pub fn new(client: &'c Client, terms: Terms) -> Verifier<'c> {
        Verifier { client, terms, bits: None, buckets: BTreeMap::new() }
    }

    /// As [`check_online`]. The time told leaves out the signatures of a bucket that was checked before; the
    /// proof is the bucket's and is not copied.
    pub async fn check(&mut self, opened: &Opened) -> Checked {
        let question = match ready(&self.terms, opened) {
            Ok(question) => question,
            Err(obstacle) => return Checked::without_proof(Verdict::CouldNotCheck(obstacle)),
        };
        let bucket = match self.bucket(&question).await {
            Ok(bucket) => bucket,
            Err(error) => return Checked::without_proof(Verdict::CouldNotCheck(error.into())),
        };
        let begun = Instant::now();
        let proven = bucket.bundle().answer(bucket.head(), &question).map_err(Obstacle::Proof);
        let checked_us = micros_since(begun);
        Checked { bundle: None, ..conclude(proven, bucket.bundle(), checked_us, opened) }
    }

    async fn bucket(&mut self, question: &Question) -> Result<&Bucket, ClientError> {
        let bits = match self.bits {
            Some(bits) => bits,
            None => *self.bits.insert(self.client.node_info().await?.bucket_bits),
        };
        let prefix = convert::prefix_of(&question.record_key().key, bits);
        if !self.buckets.contains_key(&prefix) {
            let bucket = match self.client.bucket(question, bits, &self.terms.trust).await {
                // The node's buckets were split or joined meanwhile: what is kept goes by another length.
                Err(error) if error.reason() == Some("BUCKET_BITS") => {
                    self.bits = None;
                    self.buckets.clear();
                    return Err(error);
                }
                answer => answer?,
            };
            if self.buckets.len() >= BUCKETS_MAX {
                self.buckets.pop_first();
            }
            self.buckets.insert(prefix.clone(), bucket);
        }
        Ok(self.buckets.get(&prefix).expect("just put there, or found there"))
    }
}

fn micros_since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX)
}
