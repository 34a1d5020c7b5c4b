//! What a verifier asks, and the answer: facts, each of them proven. What they mean is
//! [`Verdict`](super::Verdict)'s to say.

use tanba_crypto::canonical::{Decode, Encode};

use super::Checkpoint;
use crate::{
    Bin, Fingerprint, Height, Scope, Timestamp,
    record::{Accreditation, Batch, Institution, RecordKey, Token},
};

/// Which diploma, and as of when.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Question {
    /// The issuer, as the document names it.
    pub issuer: Bin,
    /// F, as computed from the document.
    pub fingerprint: Fingerprint,
    /// As of when.
    pub at: At,
}

/// The moment a question is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum At {
    /// Now: the head that the bundle proves.
    Head,
    /// After the block of this height.
    Height(Height),
    /// At this moment: after the last block whose time is not later.
    Time(Timestamp),
}
tanba_crypto::canonical_enum!(At { 1 = Head, 2 = Height(height), 3 = Time(time) });

impl Question {
    /// Where the token lies, if it is recorded.
    pub fn record_key(&self) -> RecordKey {
        RecordKey::token(self.issuer, &self.fingerprint)
    }
}

/// The proven answer to a [`Question`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// What was asked.
    pub question: Question,
    /// The head on which the answer rests. It is as good a checkpoint as the one the proof began with.
    pub head: Checkpoint,
    /// The height the answer speaks of: the head's, or the earlier one asked for.
    pub at: Height,
    /// The time of that block. `None` where an earlier height was asked and the bundle does not show its time.
    pub at_time: Option<Timestamp>,
    /// What is recorded; `None`: nothing was, at that height.
    pub recorded: Option<Box<Recorded>>,
}

/// A recorded diploma.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// The token, in the version of the moment asked about.
    pub token: Token,
    /// The number of that version, which the next operation on the token must name.
    pub version: u32,
    /// The block that wrote that version.
    pub changed_at: Height,
    /// What the diplomas issued together have in common.
    pub batch: Batch,
    /// The block that recorded the diploma.
    pub issued_at: Height,
    /// The time of that block. A bucket may leave it out; then the terms of the issuer's licence are in
    /// `institution`, and that they held then rests on the rules every validator applied.
    pub issued_time: Option<Timestamp>,
    /// The issuer as it stood when it issued, its licence included.
    pub institution: Institution,
    /// The issuer as it stands at the head: it may have been stopped, or have a successor.
    pub institution_now: Institution,
    /// For each scope of the batch the accreditation that covered the month of award, in the batch's order.
    /// Empty for the basis `Archive`, of which none is asked.
    pub accreditations: Vec<(Scope, Accreditation)>,
}
