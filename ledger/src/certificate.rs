//! Votes and the certificates they add up to. They live here and not in `consensus` because whoever reads a
//! proof needs them.

use tanba_crypto::{
    Canonical, PublicKey, Signature, SignatureError, SigningKey, Tag, Verify,
    canonical::{Decode, Encode},
    planted,
};

use crate::{BlockHash, ChainId, Height, ValidatorIndex, ValidatorSet, View};

/// Where a vote belongs: one view of one height.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct Slot {
    /// The height being decided.
    pub height: Height,
    /// The attempt within it.
    pub view: View,
}

/// What a validator says about a slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Vote {
    /// "This block is valid, justified, and stored here." At most one a slot.
    Notarize(Slot, BlockHash),
    /// "Nothing will be finalized here with my help."
    Nullify(Slot),
    /// "This block was notarized and is stored here." Never beside a `Nullify` of the same slot.
    Finalize(Slot, BlockHash),
}

tanba_crypto::canonical_enum!(Vote {
    1 = Notarize(slot, block),
    2 = Nullify(slot),
    3 = Finalize(slot, block),
});

/// The three kinds of certificate, named after what their votes achieve.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CertificateKind {
    /// q `Notarize` votes.
    Notarization,
    /// q `Nullify` votes.
    Nullification,
    /// q `Finalize` votes: the block is final.
    Finalization,
}

impl Vote {
    /// The slot voted on.
    pub const fn slot(&self) -> Slot {
        match self {
            Vote::Notarize(slot, _) | Vote::Nullify(slot) | Vote::Finalize(slot, _) => *slot,
        }
    }

    /// The block voted for, if the vote names one.
    pub const fn block(&self) -> Option<BlockHash> {
        match self {
            Vote::Notarize(_, block) | Vote::Finalize(_, block) => Some(*block),
            Vote::Nullify(_) => None,
        }
    }

    /// The certificate that q votes like this one make.
    pub const fn kind(&self) -> CertificateKind {
        match self {
            Vote::Notarize(..) => CertificateKind::Notarization,
            Vote::Nullify(_) => CertificateKind::Nullification,
            Vote::Finalize(..) => CertificateKind::Finalization,
        }
    }

    /// The bytes a validator signs: tag, chain, then the vote (kind, height, view, block).
    pub fn signing_bytes(&self, chain: &ChainId) -> Vec<u8> {
        let mut bytes = Tag::VOTE.as_bytes().to_vec();
        planted!(NoChainInVotes => (), bytes.extend(chain.to_canonical()));
        bytes.extend(self.to_canonical());
        bytes
    }
}

/// A vote, who cast it, and the signature; unchecked until it is [`Verified`](tanba_crypto::Verified).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct SignedVote {
    /// What is said.
    pub vote: Vote,
    /// By whom, in the set of the vote's height.
    pub voter: ValidatorIndex,
    /// The signature over [`Vote::signing_bytes`].
    pub signature: Signature,
}

impl SignedVote {
    /// Signs `vote`. Callers go through the promise guard first.
    pub fn sign(vote: Vote, voter: ValidatorIndex, chain: &ChainId, key: &SigningKey) -> SignedVote {
        SignedVote { vote, voter, signature: key.sign(&vote.signing_bytes(chain)) }
    }
}

/// What votes and certificates are checked against: the chain and the set of the height they name.
#[derive(Clone, Copy, Debug)]
pub struct Electorate<'a> {
    /// The network.
    pub chain: &'a ChainId,
    /// The height the set serves.
    pub height: Height,
    /// Its validators.
    pub validators: &'a ValidatorSet,
}

impl Verify for SignedVote {
    type Context<'a> = Electorate<'a>;

    fn verify(&self, electorate: Electorate<'_>) -> Result<(), SignatureError> {
        check_slot(self.vote.slot(), electorate.height)?;
        let voter =
            electorate.validators.get(self.voter).ok_or(SignatureError::Structure("no such validator"))?;
        voter.key.verify(&self.vote.signing_bytes(electorate.chain), &self.signature)
    }
}

/// q equal votes of one set. Bit i of `signers` (least significant first) is member i; spare bits are zero;
/// signatures stand in the order of the bits, exactly q of them.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Certificate {
    /// What all of them said.
    pub vote: Vote,
    /// Who said it: ⌈n/8⌉ bytes.
    pub signers: Vec<u8>,
    /// Their signatures, in index order.
    pub signatures: Vec<Signature>,
}

impl Certificate {
    /// Joins checked votes of different members into a certificate; takes the first q by index.
    ///
    /// Panics unless at least q votes for `vote` by distinct members are given: the caller counted them.
    pub fn assemble(vote: Vote, votes: &[SignedVote], validators: &ValidatorSet) -> Certificate {
        let mut sorted: Vec<&SignedVote> = votes.iter().collect();
        sorted.sort_by_key(|v| v.voter);
        sorted.dedup_by_key(|v| v.voter);
        assert!(sorted.len() >= validators.quorum(), "a certificate is assembled from a quorum");
        assert!(sorted.iter().all(|v| v.vote == vote), "all votes of a certificate say the same");
        sorted.truncate(validators.quorum());
        let mut signers = vec![0; validators.len().div_ceil(8)];
        for signed in &sorted {
            signers[signed.voter.at() / 8] |= 1 << (signed.voter.at() % 8);
        }
        Certificate { vote, signers, signatures: sorted.iter().map(|v| v.signature).collect() }
    }

    /// The slot certified.
    pub const fn slot(&self) -> Slot {
        self.vote.slot()
    }

    /// Which of the three it is.
    pub const fn kind(&self) -> CertificateKind {
        self.vote.kind()
    }

    /// The places of the signers, ascending. Meaningful once verified.
    pub fn signer_indices(&self) -> impl Iterator<Item = ValidatorIndex> + '_ {
        (0..self.signers.len() as u16 * 8)
            .filter(|i| self.signers[(*i / 8) as usize] >> (*i % 8) & 1 == 1)
            .map(ValidatorIndex)
    }

    /// The signer at each place with its signature, as votes. Meaningful once verified.
    pub fn votes(&self) -> impl Iterator<Item = SignedVote> + '_ {
        self.signer_indices().zip(&self.signatures).map(|(voter, signature)| SignedVote {
            vote: self.vote,
            voter,
            signature: *signature,
        })
    }

    /// How many signers hold a key of `keys`: for the links between distant validator sets.
    pub fn signers_among(&self, own: &ValidatorSet, keys: &[PublicKey]) -> usize {
        self.signer_indices().filter_map(|i| own.get(i)).filter(|member| keys.contains(&member.key)).count()
    }
}

impl Verify for Certificate {
    type Context<'a> = Electorate<'a>;

    fn verify(&self, electorate: Electorate<'_>) -> Result<(), SignatureError> {
        let validators = electorate.validators;
        check_slot(self.slot(), electorate.height)?;
        if self.signers.len() != validators.len().div_ceil(8) {
            return Err(SignatureError::Structure("the bitmap is not of the set's size"));
        }
        let signers: Vec<ValidatorIndex> = planted!(
            RepeatedSigner => match self.signer_indices().collect::<Vec<_>>()[..] {
                [alone] => vec![alone; self.signatures.len()],
                _ => self.signer_indices().collect(),
            },
            self.signer_indices().collect()
        );
        if signers.len() != validators.quorum() || self.signatures.len() != signers.len() {
            return Err(SignatureError::Structure("a certificate holds exactly a quorum of signatures"));
        }
        let message = self.vote.signing_bytes(electorate.chain);
        for (signer, signature) in signers.iter().zip(&self.signatures) {
            let member = validators.get(*signer).ok_or(SignatureError::Structure("a spare bit is set"))?;
            member.key.verify(&message, signature)?;
        }
        Ok(())
    }
}

fn check_slot(slot: Slot, height: Height) -> Result<(), SignatureError> {
    if slot.height != height {
        return Err(SignatureError::Structure("a vote for another height than the set's"));
    }
    if slot.view == View::NONE {
        return Err(SignatureError::Structure("there is no view 0 to vote in"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tanba_crypto::{Hash, Verified};

    use super::*;
    use crate::{Bin, Validator};

    const CHAIN: ChainId = ChainId(Hash([9; 32]));
    const SLOT: Slot = Slot { height: Height(5), view: View(1) };
    const BLOCK: BlockHash = BlockHash(Hash([1; 32]));

    fn key(n: u8) -> SigningKey {
        SigningKey::ed25519(&[n + 1; 32])
    }

    fn set(n: u8) -> ValidatorSet {
        let member = |i: u8| Validator {
            bin: Bin::with_control_digit(10_000_000_000 + u64::from(i) * 100).expect("control digit"),
            key: key(i).public(),
        };
        ValidatorSet::new((0..n).map(member).collect()).expect("a set")
    }

    fn electorate(validators: &ValidatorSet) -> Electorate<'_> {
        Electorate { chain: &CHAIN, height: SLOT.height, validators }
    }

    fn finalization(set: &ValidatorSet, voters: &[u8]) -> Certificate {
        let vote = Vote::Finalize(SLOT, BLOCK);
        let votes: Vec<SignedVote> = voters
            .iter()
            .map(|i| SignedVote::sign(vote, ValidatorIndex(u16::from(*i)), &CHAIN, &key(*i)))
            .collect();
        Certificate::assemble(vote, &votes, set)
    }

    #[test]
    fn a_quorum_of_votes_is_a_certificate() {
        let set = set(4);
        let certificate = finalization(&set, &[3, 0, 2, 1]);
        assert_eq!(certificate.signers, [0b0111], "the first q by index");
        assert_eq!(
            Verified::check(certificate.clone(), electorate(&set)).map(Verified::into_inner),
            Ok(certificate)
        );
    }

    #[test]
    fn a_vote_holds_for_its_slot_kind_chain_and_voter_alone() {
        let set = set(4);
        let vote = SignedVote::sign(Vote::Notarize(SLOT, BLOCK), ValidatorIndex(1), &CHAIN, &key(1));
        assert_eq!(vote.verify(electorate(&set)), Ok(()));
        let elsewhere = ChainId(Hash([8; 32]));
        let forgeries = [
            SignedVote { vote: Vote::Finalize(SLOT, BLOCK), ..vote },
            SignedVote { vote: Vote::Notarize(Slot { view: View(2), ..SLOT }, BLOCK), ..vote },
            SignedVote { vote: Vote::Notarize(SLOT, BlockHash(Hash::ZERO)), ..vote },
            SignedVote { voter: ValidatorIndex(2), ..vote },
            SignedVote { voter: ValidatorIndex(4), ..vote },
        ];
        for forgery in forgeries {
            assert!(forgery.verify(electorate(&set)).is_err(), "{forgery:?}");
        }
        assert!(vote.verify(Electorate { chain: &elsewhere, ..electorate(&set) }).is_err());
        assert!(vote.verify(Electorate { height: Height(6), ..electorate(&set) }).is_err());
    }

    #[test]
    fn absent_repeated_foreign_and_spare_signers_are_refused() {
        let set = set(4);
        let good = finalization(&set, &[0, 1, 2]);
        let mut short = good.clone();
        short.signatures.pop();
        let mut repeated = good.clone();
        repeated.signatures[1] = repeated.signatures[0];
        let mut spare = good.clone();
        spare.signers[0] = 0b1_0011;
        let mut long_bitmap = good.clone();
        long_bitmap.signers.push(0);
        let mut extra = good.clone();
        extra.signers[0] = 0b1111;
        extra.signatures.push(good.signatures[0]);
        for bad in [short, repeated, spare, long_bitmap, extra] {
            assert!(bad.verify(electorate(&set)).is_err(), "{bad:?}");
        }
        assert!(good.verify(electorate(&self::set(5))).is_err(), "another set's bitmap");
    }

    #[test]
    #[should_panic(expected = "assembled from a quorum")]
    fn fewer_than_a_quorum_make_no_certificate() {
        finalization(&set(4), &[0, 1, 1]);
    }
}
