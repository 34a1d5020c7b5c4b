//! The national cryptography: what a signature of the national authority is made of, and the cipher of the vault.
//! GOST R 34.10-2012 over the curves in use, Streebog, the older pair 34.10 and 34.11-94, and Kuznyechik-MGM.
//!
//! Read in this order: `curves` (numbers alone), `point` and `verify` (variable time, public inputs), `sign`
//! (constant time, one curve), `hash`, `mgm`. How certificates and messages lay these numbers out is `eds`' business,
//! except for the order of a signature's bytes, [`Layout`]. The code follows the standards and is not a certified
//! means of cryptographic protection; where the law asks for one, it takes the place of this module.

mod curves;
mod hash;
mod mgm;
mod point;
mod sign;
#[cfg(test)]
mod tests;
mod verify;

use crypto_bigint::Uint;
use curves::{CryptoProA, LIMBS_256, LIMBS_512, Tc26A256, Tc26A512};
pub use hash::{gost_94, streebog_256, streebog_512};
pub use mgm::{Mgm, MgmError};
use point::Point;
pub use sign::{OutOfRange, SigningKey};

use crate::{KeyError, SignatureError};

/// A parameter set of GOST R 34.10-2012.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Curve {
    /// id-tc26-gost-3410-12-512-paramSetA (RFC 7836): every certificate of the national authority since 2024.
    Tc26A512,
    /// id-tc26-gost-3410-2012-256-paramSetA (RFC 7836).
    Tc26A256,
    /// id-GostR3410-2001-CryptoPro-A (RFC 4357): certificates of GOST 34.310-2004, before 2024.
    CryptoProA,
}

impl Curve {
    /// Bytes of a coordinate, of a number modulo q, and of the digest that is signed.
    pub const fn len_bytes(self) -> usize {
        match self {
            Curve::Tc26A512 => 64,
            Curve::Tc26A256 | Curve::CryptoProA => 32,
        }
    }
}

/// In which order a signature's two numbers and their bytes stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// s ‖ r, big-endian (RFC 4491, RFC 9215).
    Rfc9215,
    /// r ‖ s, little-endian: all bytes of the other layout reversed. What the national authority's library writes
    /// in certificates, revocation lists, answers, messages and time stamps.
    National,
}

/// The two numbers of a signature. Compared and kept as r ‖ s, big-endian.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature(Vec<u8>);

impl Signature {
    /// Reads a signature; `None` unless it has 64 or 128 bytes. Whether it fits a key shows when it is checked.
    pub fn from_bytes(layout: Layout, bytes: &[u8]) -> Option<Signature> {
        if ![64, 128].contains(&bytes.len()) {
            return None;
        }
        let mut bytes = bytes.to_vec();
        swap(layout, &mut bytes);
        Some(Signature(bytes))
    }

    /// Writes the signature as `layout` says: 64 or 128 bytes.
    pub fn to_bytes(&self, layout: Layout) -> Vec<u8> {
        let mut bytes = self.0.clone();
        swap(layout, &mut bytes);
        bytes
    }
}

/// From `layout` to r ‖ s big-endian, and back: either way turns itself around.
fn swap(layout: Layout, bytes: &mut [u8]) {
    let half = bytes.len() / 2;
    match layout {
        Layout::Rfc9215 => bytes.rotate_left(half),
        Layout::National => bytes.chunks_mut(half).for_each(<[u8]>::reverse),
    }
}

/// A public key: a point of a curve's prime-order group, never infinity.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    curve: Curve,
    /// x ‖ y, big-endian.
    coordinates: Vec<u8>,
}

impl VerifyingKey {
    /// The key at x and y, big-endian. Refuses coordinates that are not below p or not on the curve, and points
    /// outside the group that the base point makes (where the curve has such).
    pub fn from_coordinates(curve: Curve, x: &[u8], y: &[u8]) -> Result<VerifyingKey, KeyError> {
        if x.len() != curve.len_bytes() || y.len() != curve.len_bytes() {
            return Err(KeyError::NotAPoint);
        }
        let key = VerifyingKey { curve, coordinates: [x, y].concat() };
        match curve {
            Curve::Tc26A512 => check(key.point::<Tc26A512, LIMBS_512>()),
            Curve::Tc26A256 => check(key.point::<Tc26A256, LIMBS_256>()),
            Curve::CryptoProA => check(key.point::<CryptoProA, LIMBS_256>()),
        }?;
        Ok(key)
    }

    /// Reads x ‖ y, each little-endian: how a certificate holds a key, under either layout.
    pub fn from_certificate(curve: Curve, bytes: &[u8]) -> Result<VerifyingKey, KeyError> {
        if bytes.len() != 2 * curve.len_bytes() {
            return Err(KeyError::NotAPoint);
        }
        let mut bytes = bytes.to_vec();
        swap(Layout::National, &mut bytes);
        let (x, y) = bytes.split_at(curve.len_bytes());
        VerifyingKey::from_coordinates(curve, x, y)
    }

    /// x ‖ y, each little-endian, as a certificate holds them.
    pub fn to_certificate(&self) -> Vec<u8> {
        let mut bytes = self.coordinates.clone();
        swap(Layout::National, &mut bytes);
        bytes
    }

    /// The parameter set.
    pub fn curve(&self) -> Curve {
        self.curve
    }

    /// Checks `signature` over `digest`, which has as many bytes as a coordinate: Streebog-512 for the 512-bit set,
    /// else Streebog-256, or [`gost_94`] in old certificates. Takes variable time; all of it is public.
    pub fn verify(&self, digest: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        match self.curve {
            Curve::Tc26A512 => verify::verify(&self.point::<Tc26A512, LIMBS_512>()?, digest, &signature.0),
            Curve::Tc26A256 => verify::verify(&self.point::<Tc26A256, LIMBS_256>()?, digest, &signature.0),
            Curve::CryptoProA => {
                verify::verify(&self.point::<CryptoProA, LIMBS_256>()?, digest, &signature.0)
            }
        }
    }

    fn point<C: curves::Curve<LIMBS>, const LIMBS: usize>(&self) -> Result<Point<C, LIMBS>, KeyError> {
        let (x, y) = self.coordinates.split_at(self.curve.len_bytes());
        let (x, y) = (Uint::from_be_slice(x), Uint::from_be_slice(y));
        Point::on_curve(&x, &y).ok_or(KeyError::NotAPoint)
    }
}

fn check<C: curves::Curve<LIMBS>, const LIMBS: usize>(
    point: Result<Point<C, LIMBS>, KeyError>,
) -> Result<(), KeyError> {
    if point?.is_of_the_group() { Ok(()) } else { Err(KeyError::Weak) }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}:{}", self.curve, hex::encode(&self.coordinates[..4]))
    }
}
