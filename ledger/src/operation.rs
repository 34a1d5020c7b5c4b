//! What a transaction can ask for: the fixed table of operations. There is no programmable contract; this
//! table is what an audit of "the smart contract" examines.
//!
//! Numbers 9 to 23 are reserved for governance. A reserved number does not decode, so a block holding one is
//! invalid on every node until the number's rules are built.

use tanba_crypto::{
    Hash, PublicKey, Tag,
    canonical::{Decode, Encode},
};

use crate::{Bin, Fingerprint, Month, Scope};

/// One operation of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Records a batch of diplomas.
    Issue(Issue),
    /// Suspends tokens that are valid.
    Suspend(StandingChanges),
    /// Lifts a suspension.
    Reinstate(StandingChanges),
    /// Revokes for ever.
    Revoke(StandingChanges),
    /// Marks tokens as replaced by a newer document, for ever.
    Replace(Replacements),
    /// The holder hides a token; reversible.
    Restrict(HolderAct),
    /// The holder shows a restricted token again.
    Lift(HolderAct),
    /// The holder ends electronic checking, for ever.
    Withdraw(HolderAct),
}

tanba_crypto::canonical_enum!(Operation {
    1 = Issue(issue),
    2 = Suspend(changes),
    3 = Reinstate(changes),
    4 = Revoke(changes),
    5 = Replace(changes),
    6 = Restrict(act),
    7 = Lift(act),
    8 = Withdraw(act),
});

/// Diplomas to record: what they have in common, and 96 bytes for each.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Issue {
    /// Every programme and level that occurs among the entries, strictly ascending, at least one.
    pub scopes: Vec<Scope>,
    /// The month of award.
    pub awarded_month: Month,
    /// Salted commitment to the university's decision to award ([`Tag::DOCUMENT`]).
    pub decision: Hash,
    /// Why these diplomas are recorded.
    pub basis: Basis,
    /// What the tokens certify.
    pub right: Right,
    /// Whether fewer than [`SMALL_BATCH`](crate::limits::SMALL_BATCH) entries are mixed here, as the holders were told in their consent.
    pub small: bool,
    /// The diplomas, strictly ascending by fingerprint.
    pub entries: Vec<Entry>,
}

/// One diploma on the ledger: three commitments, 96 bytes, and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct Entry {
    /// F.
    pub fingerprint: Fingerprint,
    /// G: the same diploma in GOST cryptography.
    pub gost: [u8; 32],
    /// Commitment to the holder's control key ([`control_of`]).
    pub control: Hash,
}

/// Why a diploma is recorded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Basis {
    /// It was just awarded; accreditation is checked for the month of award.
    Award,
    /// It was awarded before the ledger and confirmed from the archive; accreditation is not asked.
    Archive,
}
tanba_crypto::canonical_enum!(Basis { 1 = Award, 2 = Archive });

/// What a secured digital asset certifies (Law 193-VII of 06.02.2023, article 5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Right {
    /// A qualification was awarded.
    Qualification,
    /// Marks and credits were earned: a transcript.
    Transcript,
}
tanba_crypto::canonical_enum!(Right { 1 = Qualification, 2 = Transcript });

/// A coded reason. Free text would carry personal data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// The award is being examined.
    Investigation,
    /// The examination ended without finding.
    InvestigationClosed,
    /// A court decided so.
    CourtOrder,
    /// The award was made in error.
    IssuedInError,
    /// The award rests on forged or dishonest work.
    Fraud,
    /// A requisite was wrong and is corrected in the replacement.
    Correction,
    /// The holder's name changed.
    NameChange,
    /// The holder lost the document or its keys.
    Lost,
}
tanba_crypto::canonical_enum!(Reason {
    1 = Investigation,
    2 = InvestigationClosed,
    3 = CourtOrder,
    4 = IssuedInError,
    5 = Fraud,
    6 = Correction,
    7 = NameChange,
    8 = Lost,
});

/// Tokens of one issuer whose standing changes.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct StandingChanges {
    /// The issuer of the tokens: the acting institution, or the one it succeeded.
    pub issuer: Bin,
    /// The changes, strictly ascending by fingerprint.
    pub changes: Vec<StandingChange>,
}

/// One token's change of standing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct StandingChange {
    /// Which token.
    pub fingerprint: Fingerprint,
    /// The version of its record that is changed.
    pub version: u32,
    /// Why.
    pub reason: Reason,
}

/// Tokens of one issuer that are replaced.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Replacements {
    /// The issuer of the tokens.
    pub issuer: Bin,
    /// The replacements, strictly ascending by fingerprint.
    pub changes: Vec<Replacement>,
}

/// One token's replacement. The link names the new token only to whoever holds its salt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct Replacement {
    /// Which token.
    pub fingerprint: Fingerprint,
    /// The version of its record that is changed.
    pub version: u32,
    /// Why.
    pub reason: Reason,
    /// [`replace_link`] of a fresh salt and the new fingerprint.
    pub link: Hash,
}

/// A holder's act on one token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct HolderAct {
    /// The token's issuer.
    pub issuer: Bin,
    /// Which token.
    pub fingerprint: Fingerprint,
    /// The version of its record that is changed.
    pub version: u32,
    /// `None` when the holder's control key approves. Else the salted commitment to the holder's signed
    /// request ([`Tag::DOCUMENT`]), on which registrar and approver act.
    pub request: Option<Hash>,
}

impl Operation {
    /// The operation's number in the table.
    pub const fn number(&self) -> u8 {
        match self {
            Operation::Issue(_) => 1,
            Operation::Suspend(_) => 2,
            Operation::Reinstate(_) => 3,
            Operation::Revoke(_) => 4,
            Operation::Replace(_) => 5,
            Operation::Restrict(_) => 6,
            Operation::Lift(_) => 7,
            Operation::Withdraw(_) => 8,
        }
    }
}

/// The holder's control commitment: SHA-256 over tag and control key, as a token carries it.
pub fn control_of(key: &PublicKey) -> Hash {
    Hash::tagged(Tag::CONTROL, &[&tanba_crypto::Canonical::to_canonical(key)])
}

/// The link from a replaced token to the next one, under a salt that only holder and issuer know.
pub fn replace_link(salt: &[u8; 32], next: &Fingerprint) -> Hash {
    Hash::tagged(Tag::REPLACE_LINK, &[salt, next.0.as_bytes()])
}

/// A salted commitment to a document kept off the ledger, by its SHA-256.
pub fn document_commitment(salt: &[u8; 32], document: &[u8]) -> Hash {
    Hash::tagged(Tag::DOCUMENT, &[salt, Hash::plain(document).as_bytes()])
}
