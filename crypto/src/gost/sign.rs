//! Signing by GOST R 34.10-2012 (RFC 7091, section 6.1) over the 512-bit parameter set A alone, in constant time:
//! no branch and no address depends on the key or the nonce.
//!
//! That curve has a = p − 3 and a cofactor of 1, so the complete formulas of Renes, Costello and Batina (2015/1060,
//! algorithm 4) add any two points without a special case. They do not hold on a curve of even order, so there is
//! no signing on the 256-bit set.

use crypto_bigint::{CtEq, CtSelect, U512, Uint};
use rfc6979::KGenerator;
use streebog::Streebog512;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{
    Curve, Signature, VerifyingKey,
    curves::{Curve as _, Field, LIMBS_512, Scalar, Tc26A512},
    verify::signed_number,
};

type F = Field<Tc26A512, LIMBS_512>;
type S = Scalar<Tc26A512, LIMBS_512>;

/// A number that is no private key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a private number is from 1 to q − 1")]
pub struct OutOfRange;

/// A private key over the 512-bit parameter set A. Wiped on drop; shows nothing of itself.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SigningKey {
    d: U512,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("gost::SigningKey")
    }
}

impl SigningKey {
    /// The key with this number, big-endian: 1 to q − 1. The caller drew it at random and wipes it.
    pub fn from_number(number: &[u8; 64]) -> Result<SigningKey, OutOfRange> {
        let d = U512::from_be_slice(number);
        let q = S::MODULUS;
        // Whether a number is in range says nothing about one that is.
        if d.is_zero_vartime() || d >= *q.as_ref() {
            return Err(OutOfRange);
        }
        Ok(SigningKey { d })
    }

    /// The public half: d times the base point.
    pub fn verifying_key(&self) -> VerifyingKey {
        let (x, y) = Projective::BASE.times(&self.d).affine();
        VerifyingKey::from_coordinates(Curve::Tc26A512, &x.to_be_bytes(), &y.to_be_bytes())
            .expect("a multiple of the base point lies on the curve")
    }

    /// Signs a 64-byte digest of Streebog-512.
    ///
    /// The nonce is drawn by HMAC-DRBG over Streebog-512 from key, digest and `hedge` (RFC 6979, section 3.6): random
    /// bytes there protect against faults, and without them (or with bad ones) no two digests share a nonce.
    pub fn sign(&self, digest: &[u8; 64], hedge: &[u8]) -> Signature {
        let q = S::MODULUS;
        let mut d_bytes = self.d.to_be_bytes();
        let mut drbg = KGenerator::<Streebog512, U512>::new(d_bytes.as_ref(), digest, hedge, q.as_ref());
        d_bytes.as_mut().zeroize();
        loop {
            let mut k_bytes = [0; 64];
            drbg.fill_next_k(&mut k_bytes);
            let mut k = U512::from_be_slice(&k_bytes);
            k_bytes.zeroize();
            let signature = self.sign_with_nonce(digest, &k);
            k.zeroize();
            if let Some(signature) = signature {
                return signature;
            }
        }
    }

    /// `None` if the nonce gives an r or s of zero, which the standard forbids and nobody will see.
    fn sign_with_nonce(&self, digest: &[u8; 64], k: &U512) -> Option<Signature> {
        let e = signed_number::<Tc26A512, LIMBS_512>(digest).expect("64 bytes");
        let (x, _) = Projective::BASE.times(k).affine();
        let r = S::new(&x);
        let s = r * S::new(&self.d) + S::new(k) * e;
        if r == S::ZERO || s == S::ZERO {
            return None;
        }
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(r.retrieve().to_be_bytes().as_ref());
        bytes.extend_from_slice(s.retrieve().to_be_bytes().as_ref());
        Some(Signature(bytes))
    }
}

/// A point in homogeneous coordinates: x = X/Z, y = Y/Z; infinity is (0 : 1 : 0).
#[derive(Clone, Copy)]
struct Projective {
    x: F,
    y: F,
    z: F,
}

impl Projective {
    const BASE: Projective = Projective { x: Tc26A512::X, y: Tc26A512::Y, z: F::ONE };
    const INFINITY: Projective = Projective { x: F::ZERO, y: F::ONE, z: F::ZERO };

    /// The complete addition for a = −3 (2015/1060, algorithm 4): any two points, also equal or infinite ones.
    fn add(&self, other: &Projective) -> Projective {
        let (xx, yy, zz) = (self.x * other.x, self.y * other.y, self.z * other.z);
        let xy = (self.x + self.y) * (other.x + other.y) - xx - yy;
        let yz = (self.y + self.z) * (other.y + other.z) - yy - zz;
        let xz = (self.x + self.z) * (other.x + other.z) - xx - zz;
        let bzz = xz - Tc26A512::B * zz;
        let bzz3 = bzz.double() + bzz;
        let (minus, plus) = (yy - bzz3, yy + bzz3);
        let zz3 = zz.double() + zz;
        let bxz = Tc26A512::B * xz - zz3 - xx;
        let bxz3 = bxz.double() + bxz;
        let xx3 = xx.double() + xx - zz3;
        Projective { x: plus * xy - yz * bxz3, y: plus * minus + xx3 * bxz3, z: minus * yz + xy * xx3 }
    }

    /// `times` this point: four bits at a time, every entry of the table read for each.
    fn times(&self, times: &U512) -> Projective {
        let mut table = [Projective::INFINITY; 16];
        for n in 1..16 {
            table[n] = table[n - 1].add(self);
        }
        let mut sum = Projective::INFINITY;
        for byte in times.to_be_bytes().as_ref() {
            for digit in [byte >> 4, byte & 15] {
                for _ in 0..4 {
                    sum = sum.add(&sum);
                }
                let mut chosen = Projective::INFINITY;
                for (n, entry) in (0_u8..).zip(&table) {
                    let is_it = n.ct_eq(&digit);
                    chosen.x = F::ct_select(&chosen.x, &entry.x, is_it);
                    chosen.y = F::ct_select(&chosen.y, &entry.y, is_it);
                    chosen.z = F::ct_select(&chosen.z, &entry.z, is_it);
                }
                sum = sum.add(&chosen);
            }
        }
        sum
    }

    /// The affine coordinates of a point that is not infinity; of infinity, zeros.
    fn affine(&self) -> (Uint<LIMBS_512>, Uint<LIMBS_512>) {
        let inverse = self.z.invert().unwrap_or(F::ZERO);
        ((self.x * inverse).retrieve(), (self.y * inverse).retrieve())
    }
}
