//! Where trust begins: a block that a verifier was told about and believes.
//!
//! A checkpoint ships with the verifier, co-signed by witnesses, and must be younger than
//! [`TRUST_PERIOD_MS`]. On a devnet it is genesis. A verifier may also adopt the head of any status it has
//! checked, which keeps a regular verifier's checkpoint young.

use tanba_crypto::{
    Canonical, PublicKey, Signature, SignatureError, SigningKey, Tag, Verify,
    canonical::{Decode, Encode},
};

use super::{CLOCK_TOLERANCE_MS, ProofFailure};
use crate::{BlockHash, ChainId, Header, Height, Timestamp, limits::TRUST_PERIOD_MS};

/// A block by what a verifier needs to know of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Checkpoint {
    /// The network.
    pub chain: ChainId,
    /// The block's number.
    pub height: Height,
    /// The block's name.
    pub hash: BlockHash,
    /// The block's time.
    pub time: Timestamp,
}

/// The network of a header; `None` for a genesis header that already names one, which no network has.
pub(super) fn chain_of(header: &Header) -> Option<ChainId> {
    if header.height != Height::GENESIS {
        return Some(header.chain);
    }
    (header.chain == ChainId(tanba_crypto::Hash::ZERO)).then(|| header.founded_chain())
}

impl Checkpoint {
    /// The checkpoint on a header of our own chain.
    ///
    /// Panics for a genesis header that names a network: none was ever founded so.
    pub fn of(header: &Header) -> Checkpoint {
        let chain = chain_of(header).expect("a genesis header does not name the network it founds");
        Checkpoint { chain, height: header.height, hash: header.hash(), time: header.time }
    }

    /// The bytes a witness signs: tag, then chain, height, hash and time.
    pub fn signing_bytes(&self) -> Vec<u8> {
        let mut bytes = Tag::CHECKPOINT.as_bytes().to_vec();
        bytes.extend(self.to_canonical());
        bytes
    }

    /// Refuses a checkpoint that proves nothing any more at `now`, or whose time has not come.
    pub fn check_age(&self, now: Timestamp) -> Result<(), ProofFailure> {
        let age_ms = now.saturating_ms_since(self.time);
        if age_ms >= TRUST_PERIOD_MS {
            return Err(ProofFailure::CheckpointStale { age_ms });
        }
        check_clock(self.time, now)
    }
}

/// A clock far behind a proven block is wrong, and no judgement of age may rest on it.
pub(super) fn check_clock(time: Timestamp, now: Timestamp) -> Result<(), ProofFailure> {
    let ahead_ms = time.saturating_ms_since(now);
    if ahead_ms > CLOCK_TOLERANCE_MS { Err(ProofFailure::ClockBehind { ahead_ms }) } else { Ok(()) }
}

/// One witness's word on a checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Cosignature {
    /// The witness's key.
    pub key: PublicKey,
    /// Its signature over [`Checkpoint::signing_bytes`].
    pub signature: Signature,
}

/// A checkpoint with the words of witnesses, strictly ascending by key. Unchecked until it is
/// [`Verified`](tanba_crypto::Verified).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct CosignedCheckpoint {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// By whom, at most [`WITNESSES_MAX`].
    pub cosignatures: Vec<Cosignature>,
}

/// Co-signatures of one checkpoint, at most.
pub const WITNESSES_MAX: usize = 64;

/// Whose word a verifier wants: `threshold` of `witnesses`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WitnessPolicy {
    witnesses: Vec<PublicKey>,
    threshold: usize,
}

impl WitnessPolicy {
    /// `threshold` of `witnesses`; `None` if that is nobody's word, or more than there are. A key counts once.
    pub fn new(mut witnesses: Vec<PublicKey>, threshold: usize) -> Option<WitnessPolicy> {
        witnesses.sort();
        witnesses.dedup();
        (1..=witnesses.len()).contains(&threshold).then_some(WitnessPolicy { witnesses, threshold })
    }
}

impl CosignedCheckpoint {
    /// Adds a witness's word in its place; one of the same key is replaced.
    pub fn cosign(&mut self, key: &SigningKey) {
        let word = Cosignature { key: key.public(), signature: key.sign(&self.checkpoint.signing_bytes()) };
        match self.cosignatures.binary_search_by(|held| held.key.cmp(&word.key)) {
            Ok(at) => self.cosignatures[at] = word,
            Err(at) => self.cosignatures.insert(at, word),
        }
    }
}

impl Verify for CosignedCheckpoint {
    type Context<'a> = &'a WitnessPolicy;

    /// Words of strangers count for nothing and are not checked; one false word of a witness spoils the whole.
    fn verify(&self, policy: &WitnessPolicy) -> Result<(), SignatureError> {
        if self.cosignatures.len() > WITNESSES_MAX {
            return Err(SignatureError::Structure("more co-signatures than a checkpoint may carry"));
        }
        if !self.cosignatures.is_sorted_by(|a, b| a.key < b.key) {
            return Err(SignatureError::Structure("co-signatures are strictly ascending by key"));
        }
        let message = self.checkpoint.signing_bytes();
        let mut count = 0;
        for word in self.cosignatures.iter().filter(|word| policy.witnesses.contains(&word.key)) {
            word.key.verify(&message, &word.signature)?;
            count += 1;
        }
        if count < policy.threshold {
            return Err(SignatureError::Structure("fewer witnesses signed than are asked for"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tanba_crypto::Hash;

    use super::*;

    const TIME: Timestamp = Timestamp(1_800_000_000_000);
    const CHECKPOINT: Checkpoint = Checkpoint {
        chain: ChainId(Hash([1; 32])),
        height: Height(7),
        hash: BlockHash(Hash([2; 32])),
        time: TIME,
    };

    fn key(n: u8) -> SigningKey {
        SigningKey::ed25519(&[n; 32])
    }

    fn cosigned(by: &[u8]) -> CosignedCheckpoint {
        let mut cosigned = CosignedCheckpoint { checkpoint: CHECKPOINT, cosignatures: vec![] };
        by.iter().for_each(|n| cosigned.cosign(&key(*n)));
        cosigned
    }

    fn policy() -> WitnessPolicy {
        WitnessPolicy::new([1, 2, 3].map(|n| key(n).public()).to_vec(), 2).expect("a policy")
    }

    #[test]
    fn k_of_the_witnesses_make_a_checkpoint() {
        assert_eq!(cosigned(&[1, 3]).verify(&policy()), Ok(()));
        assert_eq!(cosigned(&[1, 2, 3, 9]).verify(&policy()), Ok(()));
        assert!(cosigned(&[1]).verify(&policy()).is_err());
        assert!(cosigned(&[1, 8, 9]).verify(&policy()).is_err(), "strangers do not count");
    }

    #[test]
    fn a_changed_checkpoint_has_no_witnesses() {
        let good = cosigned(&[1, 2]);
        let changed = [
            Checkpoint { chain: ChainId(Hash::ZERO), ..CHECKPOINT },
            Checkpoint { height: Height(8), ..CHECKPOINT },
            Checkpoint { hash: BlockHash(Hash::ZERO), ..CHECKPOINT },
            Checkpoint { time: Timestamp(1), ..CHECKPOINT },
        ];
        for checkpoint in changed {
            let bad = CosignedCheckpoint { checkpoint, ..good.clone() };
            assert_eq!(bad.verify(&policy()), Err(SignatureError::Mismatch));
        }
    }

    #[test]
    fn one_witness_twice_is_one_word() {
        let mut twice = cosigned(&[1]);
        twice.cosignatures.push(twice.cosignatures[0]);
        assert!(twice.verify(&policy()).is_err());
        assert_eq!(WitnessPolicy::new(vec![key(1).public(); 2], 2), None);
        assert_eq!(WitnessPolicy::new(vec![key(1).public()], 0), None);
    }

    #[test]
    fn a_checkpoint_expires_at_the_end_of_the_trust_period() {
        let at = |ms| CHECKPOINT.check_age(TIME.saturating_add_ms(ms));
        assert_eq!(at(TRUST_PERIOD_MS - 1), Ok(()));
        assert_eq!(at(TRUST_PERIOD_MS), Err(ProofFailure::CheckpointStale { age_ms: TRUST_PERIOD_MS }));
    }

    #[test]
    fn a_clock_behind_the_checkpoint_is_wrong() {
        let at = |ahead_ms| CHECKPOINT.check_age(Timestamp(TIME.0 - ahead_ms));
        assert_eq!(at(CLOCK_TOLERANCE_MS), Ok(()));
        assert!(matches!(at(CLOCK_TOLERANCE_MS + 1), Err(ProofFailure::ClockBehind { .. })));
    }
}
