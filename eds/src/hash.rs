//! The hashes that certificates and messages name.

use sha2::Digest;
use tanba_crypto::gost;

use crate::{
    Error, Oid,
    der::{Reader, tag},
    oid,
};

/// A hash, by what names it on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HashAlgorithm {
    /// SHA-1. Collisions are bought for money, so it names certificates whose signatures are checked all the same,
    /// and never binds content.
    Sha1,
    /// SHA-256.
    Sha256,
    /// GOST 34.11-2015, 256 bits.
    Streebog256,
    /// GOST 34.11-2015, 512 bits.
    Streebog512,
    /// GOST 34.311-95, of signatures before 2024.
    Gost94,
}

impl HashAlgorithm {
    /// Reads an AlgorithmIdentifier: parameters are absent or NULL, beside GOST 34.311-95 also its own.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<HashAlgorithm, Error> {
        reader.sequence(|r| {
            let algorithm = HashAlgorithm::from_oid(&r.oid()?).ok_or(Error::AlgorithmUnknown)?;
            let parameters = r.peek();
            if parameters == Some(tag::OID) && algorithm == HashAlgorithm::Gost94 {
                let is_its_own = r.oid()? == oid::HASH_GOST_94_PARAMETERS;
                return if is_its_own { Ok(algorithm) } else { Err(Error::AlgorithmParameters) };
            }
            if parameters.is_some() {
                r.null().map_err(|_| Error::AlgorithmParameters)?;
            }
            Ok(algorithm)
        })
    }

    fn from_oid(oid: &Oid) -> Option<HashAlgorithm> {
        [Self::Sha1, Self::Sha256, Self::Streebog256, Self::Streebog512, Self::Gost94]
            .into_iter()
            .find(|algorithm| algorithm.oid() == *oid)
    }

    /// What names it.
    pub fn oid(self) -> Oid {
        match self {
            HashAlgorithm::Sha1 => oid::HASH_SHA_1,
            HashAlgorithm::Sha256 => oid::HASH_SHA_256,
            HashAlgorithm::Streebog256 => oid::HASH_STREEBOG_256,
            HashAlgorithm::Streebog512 => oid::HASH_STREEBOG_512,
            HashAlgorithm::Gost94 => oid::HASH_GOST_94,
        }
    }

    /// Whether its digest can stand for content.
    pub fn binds(self) -> bool {
        self != HashAlgorithm::Sha1
    }

    /// The digest of `parts`, one after another.
    pub fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            HashAlgorithm::Sha1 => digest::<sha1::Sha1>(parts),
            HashAlgorithm::Sha256 => digest::<sha2::Sha256>(parts),
            HashAlgorithm::Streebog256 => gost::streebog_256(parts).to_vec(),
            HashAlgorithm::Streebog512 => gost::streebog_512(parts).to_vec(),
            HashAlgorithm::Gost94 => gost::gost_94(parts).to_vec(),
        }
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = D::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().to_vec()
}
