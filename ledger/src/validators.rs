//! The validators of a height: who votes, how many votes decide, and whose turn it is.

use tanba_crypto::{
    Canonical, Hash, PublicKey, Tag,
    canonical::{Decode, Encode},
    planted,
};

use crate::{Bin, Height, View, limits::VALIDATORS_MAX};

/// One validator: an institution and the key its node votes with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct Validator {
    /// The institution.
    pub bin: Bin,
    /// Its validator key.
    pub key: PublicKey,
}

/// A validator's place in the set of one height, 0..n.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct ValidatorIndex(pub u16);

impl ValidatorIndex {
    /// The place as an array index.
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}

/// Why a list is not a validator set.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ValidatorSetError {
    /// Empty or too large.
    #[error("a validator set holds 1 to {VALIDATORS_MAX} members, not {0}")]
    Size(usize),
    /// Not strictly ascending by BIN.
    #[error("validators are listed in strictly ascending order of BIN")]
    Order,
    /// One key for two institutions.
    #[error("two validators share a key")]
    SharedKey,
}

/// The validators of one height, ordered by BIN; one key and one vote each.
#[derive(Clone, PartialEq, Eq, Debug, Encode)]
pub struct ValidatorSet {
    members: Vec<Validator>,
}

impl ValidatorSet {
    /// Checks size, order and that no key occurs twice.
    pub fn new(members: Vec<Validator>) -> Result<ValidatorSet, ValidatorSetError> {
        if members.is_empty() || members.len() > VALIDATORS_MAX {
            return Err(ValidatorSetError::Size(members.len()));
        }
        if !members.is_sorted_by(|a, b| a.bin < b.bin) {
            return Err(ValidatorSetError::Order);
        }
        let mut keys: Vec<PublicKey> = members.iter().map(|m| m.key).collect();
        keys.sort();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(ValidatorSetError::SharedKey);
        }
        Ok(ValidatorSet { members })
    }

    /// The members in order.
    pub fn members(&self) -> &[Validator] {
        &self.members
    }

    /// How many members there are, n.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Never: a set has at least one member.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The member at `index`, if there is one.
    pub fn get(&self, index: ValidatorIndex) -> Option<&Validator> {
        self.members.get(index.at())
    }

    /// The place of the member with `key`.
    pub fn index_of(&self, key: &PublicKey) -> Option<ValidatorIndex> {
        self.members.iter().position(|m| m.key == *key).map(|i| ValidatorIndex(i as u16))
    }

    /// Every place, in order.
    pub fn indices(&self) -> impl Iterator<Item = ValidatorIndex> + use<> {
        (0..self.members.len() as u16).map(ValidatorIndex)
    }

    /// Members that may be faulty in any way without harm: f.
    pub fn faulty_max(&self) -> usize {
        faulty_max(self.len())
    }

    /// Votes that decide: q.
    pub fn quorum(&self) -> usize {
        planted!(QuorumTooSmall => quorum(self.len()) - 1, quorum(self.len()))
    }

    /// Whose turn it is.
    pub fn leader(&self, height: Height, view: View) -> ValidatorIndex {
        let turn = (u128::from(height.0) + u128::from(view.0)) % self.len() as u128;
        ValidatorIndex(turn as u16)
    }

    /// The name of this set, as headers carry it.
    pub fn hash(&self) -> Hash {
        Hash::tagged(Tag::VALIDATORS, &[&self.to_canonical()])
    }
}

tanba_crypto::canonical_checked!(
    ValidatorSet,
    Vec<Validator>,
    |members| ValidatorSet::new(members).ok(),
    "not a validator set"
);

/// The most members of `n >= 1` that may be faulty: the largest f with n >= 3f + 1.
pub const fn faulty_max(n: usize) -> usize {
    (n - 1) / 3
}

/// Votes needed to decide among `n >= 1` members: q = n - f.
///
/// Two quorums share at least f + 1 members, one of them honest; and the n - f honest members alone are a
/// quorum (Chan and Pass 2023, the argument behind Simplex).
pub const fn quorum(n: usize) -> usize {
    n - faulty_max(n)
}

#[cfg(test)]
mod tests {
    use tanba_crypto::SigningKey;

    use super::*;

    fn member(n: u8) -> Validator {
        let bin = Bin::with_control_digit(10_000_000_000 + u64::from(n) * 100).expect("has a control digit");
        Validator { bin, key: SigningKey::ed25519(&[n; 32]).public() }
    }

    #[test]
    fn two_quorums_share_an_honest_member_for_every_n() {
        for n in 1..=130 {
            let (q, f) = (quorum(n), faulty_max(n));
            assert!(2 * q - n > f, "n = {n}: two quorums share more than f");
            assert!(q <= n - f, "n = {n}: the honest members are a quorum");
            assert!(n > 3 * f && n <= 3 * f + 3);
        }
        assert_eq!([quorum(4), quorum(5), quorum(7), quorum(130)], [3, 4, 5, 87]);
    }

    #[test]
    fn leaders_go_round() {
        let set = ValidatorSet::new((1..=4).map(member).collect()).expect("a set");
        let leaders: Vec<u16> = (1..=5).map(|v| set.leader(Height(1), View(v)).0).collect();
        assert_eq!(leaders, [2, 3, 0, 1, 2]);
        assert_eq!(set.leader(Height(u64::MAX), View(u32::MAX)).0, 2);
    }

    #[test]
    fn unsorted_repeated_and_shared_members_are_refused() {
        assert_eq!(ValidatorSet::new(vec![]), Err(ValidatorSetError::Size(0)));
        assert_eq!(ValidatorSet::new(vec![member(2), member(1)]), Err(ValidatorSetError::Order));
        assert_eq!(ValidatorSet::new(vec![member(1), member(1)]), Err(ValidatorSetError::Order));
        let twin = Validator { key: member(1).key, ..member(2) };
        assert_eq!(ValidatorSet::new(vec![member(1), twin]), Err(ValidatorSetError::SharedKey));
        let unsorted = vec![member(2), member(1)].to_canonical();
        assert!(ValidatorSet::from_canonical(&unsorted, 1024).is_err());
    }
}
