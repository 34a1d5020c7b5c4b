//! Which validators have fallen silent, so that their turns are skipped without waiting for a timeout.
//!
//! A local choice without effect on safety: a skip is our own `Nullify`, no more. Without it one dead validator
//! of four costs a full timeout every fourth block.

use std::collections::{BTreeSet, VecDeque};

use tanba_crypto::PublicKey;
use tanba_ledger::ValidatorSet;

/// Who was heard at one height, and who could have been.
#[derive(Clone, Default, Debug)]
struct Attendance {
    members: BTreeSet<PublicKey>,
    heard: BTreeSet<PublicKey>,
}

/// Remembers who signed anything in recent heights. Validators go by key, for places change with the set.
#[derive(Clone, Debug)]
pub(crate) struct Silence {
    heights: usize,
    past: VecDeque<Attendance>,
    present: BTreeSet<PublicKey>,
}

impl Silence {
    /// Flags a validator not heard in the last `heights` decided heights in which q others were; 0 never flags.
    pub(crate) fn new(heights: usize) -> Silence {
        Silence { heights, past: VecDeque::new(), present: BTreeSet::new() }
    }

    /// A signed consensus message of this key arrived, of whatever height: it is not silent.
    pub(crate) fn heard(&mut self, key: PublicKey) {
        for attendance in &mut self.past {
            attendance.heard.insert(key);
        }
        self.present.insert(key);
    }

    /// A height was decided here by votes. It counts only if a quorum was heard: a node that was cut off, or
    /// caught up, must not take its own deafness for the silence of others.
    pub(crate) fn decided(&mut self, validators: &ValidatorSet) {
        let members: BTreeSet<PublicKey> = validators.members().iter().map(|member| member.key).collect();
        let heard: BTreeSet<PublicKey> = std::mem::take(&mut self.present);
        if self.heights == 0 || heard.intersection(&members).count() < validators.quorum() {
            return;
        }
        self.past.push_back(Attendance { members, heard });
        while self.past.len() > self.heights {
            self.past.pop_front();
        }
    }

    /// Whether this key's turns may be skipped. At most f members are flagged, in the order of the set: more
    /// silent members than that look like our own fault.
    pub(crate) fn is_silent(&self, key: &PublicKey, validators: &ValidatorSet) -> bool {
        let flagged = validators.members().iter().map(|member| &member.key);
        flagged.filter(|key| self.absent(key)).take(validators.faulty_max()).any(|flagged| flagged == key)
    }

    fn absent(&self, key: &PublicKey) -> bool {
        let missed = |past: &Attendance| past.members.contains(key) && !past.heard.contains(key);
        self.heights > 0
            && self.past.len() == self.heights
            && !self.present.contains(key)
            && self.past.iter().all(missed)
    }
}
