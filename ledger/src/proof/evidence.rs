//! The records that an answer rests on beside the token: its batch, the issuer, the accreditations that
//! covered the award; and the times of blocks below the head.

use tanba_crypto::{
    Canonical, Hash,
    canonical::{Decode, Encode},
};

use super::{Head, Part, ProofFailure, RecordProof, Recorded, Versions};
use crate::{
    Day, Header, Height, Scope, Timestamp,
    merkle::{InclusionProof, Leaf, tree::leaf_hash},
    operation::Basis,
    record::{Accreditation, Batch, Institution, RecordKey, Table, Token},
    rules::issue::check_regime,
};

/// Records and headers, each proven once however many tokens rest on it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Evidence {
    /// Batches of the tokens.
    pub batches: Vec<RecordProof>,
    /// Their issuers, with versions back to the issue.
    pub institutions: Vec<RecordProof>,
    /// Accreditations for the batches' scopes, with versions back to the issue.
    pub accreditations: Vec<RecordProof>,
    /// Headers below the head, for their times.
    pub past: Vec<PastHeader>,
}

/// A header below the head, proven by the head's history root. No old signature is asked.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct PastHeader {
    /// The header.
    pub header: Header,
    /// Its path in the tree over all blocks below the head.
    pub inclusion: InclusionProof,
}

impl PastHeader {
    /// Checks that the header is the block of its height below `head`.
    pub fn verify(&self, head: &Head) -> Result<(), ProofFailure> {
        let flaw = |flaw| ProofFailure::Path { part: Part::PastHeader, flaw };
        let (index, size) = (self.header.height.0, head.header().height.0);
        if self.inclusion.index != index || self.inclusion.size != size {
            return Err(flaw(crate::merkle::ProofError::Bounds));
        }
        let leaf = leaf_hash(self.header.hash().0.as_bytes());
        self.inclusion.verify(&leaf, &head.header().history).map_err(flaw)
    }
}

impl Evidence {
    /// The time of the block at `height`, if it is the head's or shown.
    pub(super) fn time_of(&self, head: &Head, height: Height) -> Result<Option<Timestamp>, ProofFailure> {
        if height == head.header().height {
            return Ok(Some(head.header().time));
        }
        let Some(past) = self.past.iter().find(|past| past.header.height == height) else { return Ok(None) };
        past.verify(head)?;
        Ok(Some(past.header.time))
    }

    /// The height of the last block whose time is not after `time`: shown by that block and the next one.
    pub(super) fn height_at(&self, head: &Head, time: Timestamp) -> Result<Height, ProofFailure> {
        if time >= head.header().time {
            let at_head = time == head.header().time;
            return if at_head { Ok(head.header().height) } else { Err(ProofFailure::AfterHead) };
        }
        let missing = ProofFailure::Missing(Part::PastHeader);
        let shown = self.past.iter().filter(|past| past.header.time <= time);
        let height = shown.map(|past| past.header.height).max().ok_or(missing.clone())?;
        // What was shown is asked again, proven this time: two headers may have been given for one height.
        let begun = self.time_of(head, height)?.is_some_and(|shown| shown <= time);
        let next = height.0.checked_add(1).map(Height).ok_or(missing.clone())?;
        let over = self.time_of(head, next)?.is_some_and(|next| next > time);
        if begun && over { Ok(height) } else { Err(missing) }
    }

    /// Everything about the token with `leaf`, or the reason why its issue is not believed.
    pub(super) fn recorded(
        &self,
        head: &Head,
        key: &RecordKey,
        issuer: crate::Bin,
        leaf: &Leaf,
    ) -> Result<Recorded, ProofFailure> {
        assert_eq!(leaf.key, key.key, "the token was proven at its own key");
        let token: Token = read(leaf, Part::Token)?;
        let batch_leaf = find(&self.batches, head, &RecordKey::batch(token.batch), Part::Batch)?;
        let batch_leaf = batch_leaf.current().ok_or(ProofFailure::Missing(Part::Batch))?;
        let batch: Batch = read(batch_leaf, Part::Batch)?;
        if batch.issuer != issuer {
            return Err(ProofFailure::Contradiction("the token's batch is another issuer's"));
        }
        if leaf.changed_at < batch_leaf.changed_at {
            return Err(ProofFailure::Contradiction("the token is older than its batch"));
        }
        // A batch is written once, by the block that issued it.
        let issued_at = batch_leaf.changed_at;
        let issued_time = self.time_of(head, issued_at)?;
        let (institution, institution_now) = self.institutions(head, &batch, issued_at, issued_time)?;
        let accreditations = match batch.basis {
            Basis::Award => self.accreditations(head, &batch, issued_at)?,
            Basis::Archive => Vec::new(),
        };
        let (version, changed_at) = (leaf.version, leaf.changed_at);
        Ok(Recorded {
            token,
            version,
            changed_at,
            batch,
            issued_at,
            issued_time,
            institution,
            institution_now,
            accreditations,
        })
    }

    /// The issuer as it stood, licensed, when it issued, and as it stands now.
    fn institutions(
        &self,
        head: &Head,
        batch: &Batch,
        issued_at: Height,
        issued_time: Option<Timestamp>,
    ) -> Result<(Institution, Institution), ProofFailure> {
        let part = Part::Institution;
        let versions = find(&self.institutions, head, &RecordKey::institution(batch.issuer), part)?;
        let now = read(versions.current().ok_or(ProofFailure::Missing(part))?, part)?;
        for leaf in versions.within(issued_at)? {
            let then: Institution = read(leaf, part)?;
            if is_licensed(&then, issued_time.map(Timestamp::day)) {
                return Ok((then, now));
            }
        }
        Err(ProofFailure::Contradiction("the issuer was not licensed when it issued"))
    }

    /// For every scope of the batch, the accreditation that covered the month of award.
    fn accreditations(
        &self,
        head: &Head,
        batch: &Batch,
        issued_at: Height,
    ) -> Result<Vec<(Scope, Accreditation)>, ProofFailure> {
        let part = Part::Accreditation;
        let covering = |scope: &Scope| {
            let key = RecordKey::accreditation(batch.issuer, scope);
            for leaf in find(&self.accreditations, head, &key, part)?.within(issued_at)? {
                let accreditation: Accreditation = read(leaf, part)?;
                if accreditation.covers(batch.awarded_month) {
                    return Ok((scope.clone(), accreditation));
                }
            }
            Err(ProofFailure::Contradiction("the issuer was not accredited in the month of award"))
        };
        batch.scopes.iter().map(covering).collect()
    }
}

/// The proven versions of the record at `key`.
fn find<'e>(
    records: &'e [RecordProof],
    head: &Head,
    key: &RecordKey,
    part: Part,
) -> Result<Versions<'e>, ProofFailure> {
    let is_wanted = |leaf: &Leaf| leaf.key == key.key;
    let record = records.iter().find(|record| record.current.leaf.as_ref().is_some_and(is_wanted));
    let record = record.ok_or(ProofFailure::Missing(part))?;
    record.verify(&root_of(head, key.table), &key.key, part)
}

fn root_of(head: &Head, table: Table) -> Hash {
    head.roots().of(table)
}

/// Reads a proven value. Its length was bounded with the bundle's.
fn read<T: Canonical>(leaf: &Leaf, part: Part) -> Result<T, ProofFailure> {
    T::from_canonical(&leaf.value, leaf.value.len()).map_err(|_| ProofFailure::Malformed(part))
}

/// Whether the issuer's legal ground held on `day`, by the rule that was applied to its issue; on an unknown
/// day, whether there is a ground at all.
fn is_licensed(issuer: &Institution, day: Option<Day>) -> bool {
    let Some(regime) = &issuer.regime else { return false };
    day.is_none_or(|day| check_regime(regime, issuer.capital.as_ref(), day).is_ok())
}
