//! The hashes of the national signature. Digests are in the byte order in which the standards' examples print a
//! message's bytes; as a number to be signed they are read little-endian.

use gost94::Gost94Test;
use streebog::{Digest, Streebog256, Streebog512};

/// Streebog with 64 bytes (GOST R 34.11-2012, RFC 6986); what the national authority calls 34.11-2015-512.
pub fn streebog_512(parts: &[&[u8]]) -> [u8; 64] {
    let mut hasher = Streebog512::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// Streebog with 32 bytes (GOST R 34.11-2012, RFC 6986).
pub fn streebog_256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Streebog256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// GOST 34.311-95 as the national authority computed it before 2024: GOST R 34.11-94 (RFC 5831) with the test
/// parameters of RFC 5831, not those of CryptoPro. For old signatures alone.
pub fn gost_94(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Gost94Test::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}
