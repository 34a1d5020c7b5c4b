//! Which validators have fallen silent, so that their turns are skipped without waiting for a timeout.
//!
//! A local choice without effect on safety: a skip is our own `Nullify`, no more. Without it one dead validator
//! of four costs a full timeout every fourth block.

use std::collections::{BTreeSet, VecDeque};

use tanba_crypto::PublicKey;
use tanba_ledger::ValidatorSet;

/// Who was heard at one height, and who could have been.
#[derive(Clone, Default, Hash, Debug)]
struct Attendance {
    members: BTreeSet<PublicKey>,
    heard: BTreeSet<PublicKey>,
}

/// Remembers who signed anything in recent heights. Validators go by key, for places change with the set.
#[derive(Clone, Hash, Debug)]
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

#[cfg(test)]
mod tests {
    use tanba_crypto::SigningKey;
    use tanba_ledger::{Bin, Validator};

    use super::*;

    fn key(n: u8) -> PublicKey {
        SigningKey::ed25519(&[n + 1; 32]).public()
    }

    fn set(members: &[u8]) -> ValidatorSet {
        let member = |n: &u8| Validator {
            bin: Bin::with_control_digit(10_000_000_000 + u64::from(*n) * 100).expect("control digit"),
            key: key(*n),
        };
        ValidatorSet::new(members.iter().map(member).collect()).expect("a set")
    }

    /// Two heights are enough here.
    fn after(heights: &[&[u8]], validators: &ValidatorSet) -> Silence {
        let mut silence = Silence::new(2);
        for heard in heights {
            heard.iter().for_each(|n| silence.heard(key(*n)));
            silence.decided(validators);
        }
        silence
    }

    #[test]
    fn whoever_misses_every_height_is_silent_until_heard() {
        let four = set(&[0, 1, 2, 3]);
        let mut silence = after(&[&[0, 1, 2], &[0, 1, 2]], &four);
        assert!(silence.is_silent(&key(3), &four) && !silence.is_silent(&key(2), &four));
        silence.heard(key(3));
        assert!(!silence.is_silent(&key(3), &four));
        assert!(!after(&[&[0, 1, 2], &[0, 1, 2, 3]], &four).is_silent(&key(3), &four));
        assert!(!after(&[&[0, 1, 2]], &four).is_silent(&key(3), &four), "too few heights");
    }

    #[test]
    fn heights_in_which_no_quorum_was_heard_do_not_count() {
        let four = set(&[0, 1, 2, 3]);
        assert!(!after(&[&[0, 1, 2], &[0, 1]], &four).is_silent(&key(3), &four));
        assert!(after(&[&[0, 1, 2], &[0, 1], &[], &[0, 1, 2]], &four).is_silent(&key(3), &four));
    }

    #[test]
    fn at_most_f_are_flagged() {
        let seven = set(&[0, 1, 2, 3, 4, 5, 6]);
        let silence = after(&[&[2, 3, 4, 5, 6], &[2, 3, 4, 5, 6]], &seven);
        let flagged = |set: &ValidatorSet| (0..7).filter(|n| silence.is_silent(&key(*n), set)).count();
        assert_eq!(flagged(&seven), 2);
        assert_eq!(flagged(&set(&[0, 1, 2, 3])), 1, "fewer are tolerated now");
    }

    #[test]
    fn a_new_member_is_not_silent_before_its_time() {
        let (four, five) = (set(&[0, 1, 2, 3]), set(&[0, 1, 2, 3, 4]));
        let mut silence = after(&[&[0, 1, 2, 3]], &four);
        (0..4).for_each(|n| silence.heard(key(n)));
        silence.decided(&five);
        assert!(!silence.is_silent(&key(4), &five));
    }
}
