//! SHA-256, domain-separated: the only hash that names things on the ledger.

use std::fmt;

use bincode::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::Tag;

/// A SHA-256 digest (FIPS 180-4), 32 bytes. Shown as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Thirty-two zero bytes: "nothing here", never the digest of anything known.
    pub const ZERO: Hash = Hash([0; 32]);

    /// SHA-256 over `tag` and then `parts`, one after the other.
    ///
    /// Parts are not length-framed: a caller hashes at most one part of variable length, and puts it last.
    pub fn tagged(tag: Tag, parts: &[&[u8]]) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(tag.as_bytes());
        for part in parts {
            hasher.update(part);
        }
        Hash(hasher.finalize().into())
    }

    /// SHA-256 of `bytes` without a tag: for formats laid down elsewhere (RFC 9901, RFC 6962).
    pub fn plain(bytes: &[u8]) -> Hash {
        Hash(Sha256::digest(bytes).into())
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Bit `index` of 0..256, most significant bit of byte 0 first.
    pub const fn bit(&self, index: u16) -> bool {
        self.0[(index / 8) as usize] >> (7 - index % 8) & 1 == 1
    }

    /// The first bit in which two digests differ, or `None` if they are equal.
    pub fn first_difference(&self, other: &Hash) -> Option<u16> {
        let byte = self.0.iter().zip(&other.0).position(|(a, b)| a != b)?;
        Some(byte as u16 * 8 + (self.0[byte] ^ other.0[byte]).leading_zeros() as u16)
    }

    /// Reads 64 hex digits.
    pub fn from_hex(text: &str) -> Result<Hash, hex::FromHexError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Hash(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", &hex::encode(&self.0[..4]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_sha_256() {
        // FIPS 180-4, the message "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Hash::plain(b"abc").to_string(), expected);
        assert_eq!(Hash::from_hex(expected), Ok(Hash::plain(b"abc")));
    }

    #[test]
    fn a_tag_changes_the_digest() {
        assert_ne!(Hash::tagged(Tag::BLOCK, &[b"x"]), Hash::tagged(Tag::CHAIN, &[b"x"]));
        assert_eq!(Hash::tagged(Tag::BLOCK, &[b"xy"]), Hash::tagged(Tag::BLOCK, &[b"x", b"y"]));
    }

    #[test]
    fn bits_count_from_the_most_significant() {
        let mut bytes = [0; 32];
        bytes[1] = 0b0100_0000;
        assert!(Hash(bytes).bit(9) && !Hash(bytes).bit(8));
        assert_eq!(Hash(bytes).first_difference(&Hash::ZERO), Some(9));
        assert_eq!(Hash::ZERO.first_difference(&Hash::ZERO), None);
    }
}
