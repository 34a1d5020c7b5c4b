//! The shortest way from a checkpoint to a head.
//!
//! A link may skip any number of blocks as long as the trusted header's next validators still vouch for the
//! signers. So only blocks at which the set changed are candidates: the farthest that is vouched for is taken,
//! and the last block of the trusted header's own set always is.

use super::{
    HeadProof, LINKS_MAX, Link, ProveError,
    head::trusted_signers,
    prove::{ChainReader, header_at, leaf_named, read},
};
use crate::{Header, Height, ValidatorSet, merkle::map, record::RecordKey, state::Tip};

/// Proves the head `tip` to whoever trusts our block at height `checkpoint`.
///
/// The same for every question at one head: a node makes it once per head and checkpoint.
pub fn prove_head<R: ChainReader>(
    reader: &R,
    tip: &Tip,
    checkpoint: Height,
) -> Result<HeadProof, ProveError> {
    let head = tip.header.height;
    if checkpoint > head {
        return Err(ProveError::AboveHead { head, asked: checkpoint });
    }
    let trusted = if checkpoint == head { tip.header.clone() } else { header_at(reader, checkpoint)? };
    let terms = Terms::read(reader, tip, checkpoint)?;
    let mut links: Vec<Link> = Vec::new();
    while let last = links.last().map_or(&trusted, |link| &link.header)
        && last.height < head
    {
        if links.len() == LINKS_MAX {
            return Err(ProveError::LinksMany);
        }
        let link = farthest_link(reader, &terms, last, head)?;
        links.push(link);
    }
    Ok(HeadProof { trusted, links, roots: tip.roots.clone() })
}

/// The validator sets that served above some height, newest first.
struct Terms(Vec<Term>);

/// A set, and the block that appointed it: the last one decided by the set before.
struct Term {
    appointed_at: Height,
    validators: ValidatorSet,
}

impl Terms {
    /// Reads them from the versions of the validators' record, which reach back as far as needed.
    fn read<R: ChainReader>(reader: &R, tip: &Tip, above: Height) -> Result<Terms, ProveError> {
        let key = RecordKey::validators();
        let mut version = map::get(reader, &tip.roots.of(key.table), &key.key)?;
        let mut terms: Vec<Term> = Vec::new();
        while let Some(leaf) = version {
            let appointed_at = leaf.changed_at;
            // Of several versions of one block the newest served.
            if terms.last().is_none_or(|newer| newer.appointed_at > appointed_at) {
                terms.push(Term { appointed_at, validators: read(&leaf)? });
            }
            let first = leaf.previous == tanba_crypto::Hash::ZERO;
            version =
                if first || appointed_at <= above { None } else { Some(leaf_named(reader, &leaf.previous)?) };
        }
        Ok(Terms(terms))
    }

    /// The set that decides `height`.
    fn deciding(&self, height: Height) -> Result<&ValidatorSet, ProveError> {
        let term = self.0.iter().find(|term| term.appointed_at < height);
        Ok(&term.ok_or(ProveError::Damaged("the record of validators does not reach back"))?.validators)
    }
}

/// The link from `trusted` to the farthest candidate that can be reached at once.
fn farthest_link<R: ChainReader>(
    reader: &R,
    terms: &Terms,
    trusted: &Header,
    head: Height,
) -> Result<Link, ProveError> {
    let announced = terms.deciding(trusted.height.next())?;
    let changes = terms.0.iter().map(|term| term.appointed_at);
    for height in std::iter::once(head).chain(changes).filter(|height| *height > trusted.height) {
        if let Some(link) = link_to(reader, terms, announced, height)? {
            return Ok(link);
        }
    }
    Err(ProveError::Damaged("no block of the announced set is final"))
}

/// The link to the block at `height`, if a set `announced` by the trusted header vouches for its signers.
fn link_to<R: ChainReader>(
    reader: &R,
    terms: &Terms,
    announced: &ValidatorSet,
    height: Height,
) -> Result<Option<Link>, ProveError> {
    let validators = terms.deciding(height)?;
    let missing = ProveError::Damaged("a certificate below the head is missing");
    let finalization = reader.certificate_of(height)?.ok_or(missing)?;
    let bridge = if validators == announced {
        None
    } else if trusted_signers(&finalization, validators, announced) > announced.faulty_max() {
        Some(announced.clone())
    } else {
        return Ok(None);
    };
    let header = header_at(reader, height)?;
    Ok(Some(Link { header, validators: validators.clone(), finalization, bridge }))
}
