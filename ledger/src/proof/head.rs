//! From a checkpoint to a later final header, and to the state it commits to.
//!
//! Each link is a header with the certificate that made it final. The next block's validators are named by the
//! header before it. A link may also skip: a distant header is believed if f+1 of the keys that the trusted
//! header names for its next block are among the signers, so that one of them is honest, and a quorum of the
//! distant header's own set signed.

use tanba_crypto::{
    PublicKey, Verify,
    canonical::{Decode, Encode},
};

use super::{
    Checkpoint, LINKS_MAX, LinkFlaw, ProofFailure,
    checkpoint::{chain_of, check_clock},
};
use crate::{
    Certificate, ChainId, Header, Timestamp, ValidatorSet, Vote, block::HEADER_VERSION,
    certificate::Electorate, state::TableRoots,
};

/// That a header is final, as seen from a checkpoint at or below it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct HeadProof {
    /// The checkpoint's own header.
    pub trusted: Header,
    /// From there to the head, at most [`LINKS_MAX`]; none if the checkpoint is the head.
    pub links: Vec<Link>,
    /// The table roots under the head's state root.
    pub roots: TableRoots,
}

/// A later header, and why it is believed.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Link {
    /// The header.
    pub header: Header,
    /// The set that decided it.
    pub validators: ValidatorSet,
    /// The certificate that made it final.
    pub finalization: Certificate,
    /// The set that the trusted header announced, where it is another one than `validators`.
    pub bridge: Option<ValidatorSet>,
}

/// A proven head. [`HeadProof::verify`] is the only way to get one; answers from one head can share it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    checkpoint: Checkpoint,
    header: Header,
    roots: TableRoots,
}

impl Head {
    /// The head, as a checkpoint to begin from next time.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The head's header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The table roots after it.
    pub const fn roots(&self) -> &TableRoots {
        &self.roots
    }
}

impl HeadProof {
    /// The header that is proven.
    pub fn header(&self) -> &Header {
        self.links.last().map_or(&self.trusted, |link| &link.header)
    }

    /// Checks every link from `checkpoint` on, for a verifier whose clock says `now` and who accepts a head at
    /// most `max_age_ms` old.
    pub fn verify(
        &self,
        checkpoint: &Checkpoint,
        now: Timestamp,
        max_age_ms: u64,
    ) -> Result<Head, ProofFailure> {
        checkpoint.check_age(now)?;
        self.check_trusted(checkpoint)?;
        // Age is judged before signatures: a stale proof is not worth them.
        let time = self.header().time;
        check_clock(time, now)?;
        let age_ms = now.saturating_ms_since(time);
        if age_ms > max_age_ms {
            return Err(ProofFailure::Stale { age_ms });
        }
        if self.links.len() > LINKS_MAX {
            return Err(ProofFailure::LinksMany(self.links.len()));
        }
        let mut trusted = &self.trusted;
        for (at, link) in self.links.iter().enumerate() {
            link.verify(trusted, &checkpoint.chain).map_err(|flaw| ProofFailure::Link { at, flaw })?;
            trusted = &link.header;
        }
        if self.roots.root() != trusted.state {
            return Err(ProofFailure::Roots);
        }
        let (height, hash) = (trusted.height, trusted.hash());
        let head = Checkpoint { chain: checkpoint.chain, height, hash, time };
        Ok(Head { checkpoint: head, header: trusted.clone(), roots: self.roots.clone() })
    }

    fn check_trusted(&self, checkpoint: &Checkpoint) -> Result<(), ProofFailure> {
        let header = &self.trusted;
        let same = header.hash() == checkpoint.hash
            && header.height == checkpoint.height
            && header.time == checkpoint.time
            && chain_of(header) == Some(checkpoint.chain);
        if same { Ok(()) } else { Err(ProofFailure::OtherCheckpoint) }
    }
}

impl Link {
    fn verify(&self, trusted: &Header, chain: &ChainId) -> Result<(), LinkFlaw> {
        let header = &self.header;
        if header.version != HEADER_VERSION {
            return Err(LinkFlaw::Version(header.version));
        }
        if header.chain != *chain {
            return Err(LinkFlaw::Chain);
        }
        if header.height <= trusted.height || header.time <= trusted.time {
            return Err(LinkFlaw::Order);
        }
        if self.validators.hash() != header.validators {
            return Err(LinkFlaw::Validators);
        }
        self.check_announced(trusted)?;
        let Vote::Finalize(_, block) = self.finalization.vote else { return Err(LinkFlaw::Votes) };
        if block != header.hash() {
            return Err(LinkFlaw::Votes);
        }
        self.finalization.verify(Electorate {
            chain,
            height: header.height,
            validators: &self.validators,
        })?;
        Ok(())
    }

    /// Whether the trusted header vouches for the signers. Their signatures are checked afterwards.
    fn check_announced(&self, trusted: &Header) -> Result<(), LinkFlaw> {
        let announced = self.header.validators == trusted.next_validators;
        if self.header.height == trusted.height.next() {
            if self.header.parent != trusted.hash() {
                return Err(LinkFlaw::Parent);
            }
            if !announced {
                return Err(LinkFlaw::Unannounced);
            }
        }
        match &self.bridge {
            None if announced => Ok(()),
            Some(bridge) if !announced && bridge.hash() == trusted.next_validators => {
                let trusted = trusted_signers(&self.finalization, &self.validators, bridge);
                let needed = bridge.faulty_max() + 1;
                if trusted < needed { Err(LinkFlaw::Untrusted { trusted, needed }) } else { Ok(()) }
            }
            None | Some(_) => Err(LinkFlaw::Bridge),
        }
    }
}

/// Signers of a certificate by `validators` that hold a key of `trusted`.
pub(super) fn trusted_signers(
    certificate: &Certificate,
    validators: &ValidatorSet,
    trusted: &ValidatorSet,
) -> usize {
    let keys: Vec<PublicKey> = trusted.members().iter().map(|member| member.key).collect();
    certificate.signers_among(validators, &keys)
}
