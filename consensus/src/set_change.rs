//! How fast the set of validators may change, and how long one that left still serves.
//!
//! Exactly one set runs each height; a change in block h takes effect at h + 1. Between the two sets enough
//! members must stay the same that neither a quorum of the old set nor one of the new could be made of
//! strangers to the other, and that those who decided h can carry h + 1.

use std::collections::BTreeSet;

use tanba_crypto::PublicKey;
use tanba_ledger::{Bin, Height, Validator, ValidatorIndex, ValidatorSet, validators::ValidatorSetError};

/// One step of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// A new member.
    Add(Validator),
    /// A member leaves.
    Remove(Bin),
    /// A member votes with another key from now on.
    Rotate(Validator),
}

/// Why one set may not follow another.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SetChangeError {
    /// Too many keys changed at once.
    #[error("{shared} keys stay in the set, at least {needed} must")]
    TooFast {
        /// Keys in both sets.
        shared: usize,
        /// Keys that must be.
        needed: usize,
    },
    /// Below four validators there is no fault to tolerate: one step at a time.
    #[error("a set of {members} changes by one step a block, not {steps}")]
    TooManySteps {
        /// Members now.
        members: usize,
        /// Institutions added, removed or rotated.
        steps: usize,
    },
    /// A change names an institution that is not a member, or adds one that is.
    #[error("the change does not fit the set: institution {0}")]
    Unfit(Bin),
    /// The changed list is no set.
    #[error(transparent)]
    Set(#[from] ValidatorSetError),
}

/// Checks that `next` may decide the height after one that `current` decides.
pub fn check(current: &ValidatorSet, next: &ValidatorSet) -> Result<(), SetChangeError> {
    if current.len() < 4 {
        let steps = steps(current, next);
        return if steps <= 1 {
            Ok(())
        } else {
            Err(SetChangeError::TooManySteps { members: current.len(), steps })
        };
    }
    let keys: BTreeSet<PublicKey> = current.members().iter().map(|member| member.key).collect();
    let shared = next.members().iter().filter(|member| keys.contains(&member.key)).count();
    let needed = current.quorum().max(next.quorum());
    if shared < needed { Err(SetChangeError::TooFast { shared, needed }) } else { Ok(()) }
}

/// Institutions that were added, removed or rotated.
fn steps(current: &ValidatorSet, next: &ValidatorSet) -> usize {
    let bins = |set: &ValidatorSet| set.members().iter().map(|member| member.bin).collect::<BTreeSet<Bin>>();
    let all: BTreeSet<Bin> = bins(current).union(&bins(next)).copied().collect();
    all.iter().filter(|bin| member(current, bin) != member(next, bin)).count()
}

fn member(set: &ValidatorSet, bin: &Bin) -> Option<Validator> {
    set.members().iter().find(|member| member.bin == *bin).copied()
}

/// Applies waiting changes in order, as many as one block may make; says how many it took. The rest waits for
/// the next block. Fails at a change that does not fit the set.
pub fn take(current: &ValidatorSet, waiting: &[Change]) -> Result<(ValidatorSet, usize), SetChangeError> {
    let mut next = current.clone();
    for (taken, change) in waiting.iter().enumerate() {
        let candidate = apply(&next, change)?;
        if check(current, &candidate).is_err() {
            return Ok((next, taken));
        }
        next = candidate;
    }
    Ok((next, waiting.len()))
}

fn apply(set: &ValidatorSet, change: &Change) -> Result<ValidatorSet, SetChangeError> {
    let (bin, new, was_member) = match change {
        Change::Add(validator) => (validator.bin, Some(*validator), false),
        Change::Remove(bin) => (*bin, None, true),
        Change::Rotate(validator) => (validator.bin, Some(*validator), true),
    };
    if member(set, &bin).is_some() != was_member {
        return Err(SetChangeError::Unfit(bin));
    }
    let kept = set.members().iter().filter(|member| member.bin != bin).copied();
    let mut members: Vec<Validator> = kept.chain(new).collect();
    members.sort_by_key(|member| member.bin);
    Ok(ValidatorSet::new(members)?)
}

/// What a validator that left the set after `height` waits for: until a quorum of its successors has shown a
/// greater height, it may be the only one that can still tell them of the last block it helped to decide.
#[derive(Clone, Debug)]
pub struct Handover {
    height: Height,
    successors: ValidatorSet,
    arrived: BTreeSet<ValidatorIndex>,
}

impl Handover {
    /// Begins when `height` is committed and `successors`, who decide the next, do not include us.
    pub fn begin(height: Height, successors: ValidatorSet) -> Handover {
        Handover { height, successors, arrived: BTreeSet::new() }
    }

    /// A successor has shown that it is deciding `height`.
    pub fn on_shown(&mut self, successor: ValidatorIndex, height: Height) {
        if height > self.height && self.successors.get(successor).is_some() {
            self.arrived.insert(successor);
        }
    }

    /// Whether we may stop serving.
    pub fn is_done(&self) -> bool {
        self.arrived.len() >= self.successors.quorum()
    }
}
