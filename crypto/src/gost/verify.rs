//! Checking a signature of GOST R 34.10-2012 (RFC 7091, section 6.2), the same steps over every curve.

use crypto_bigint::{Uint, modular::ConstMontyForm};

use super::{
    curves::{Curve, Scalar},
    point::Point,
};
use crate::SignatureError;

/// The number that is signed: the digest read little-endian, modulo q, and 1 in place of 0.
pub(super) fn signed_number<C: Curve<LIMBS>, const LIMBS: usize>(digest: &[u8]) -> Option<Scalar<C, LIMBS>> {
    if digest.len() != Uint::<LIMBS>::BYTES {
        return None;
    }
    let number = Scalar::<C, LIMBS>::new(&Uint::from_le_slice(digest));
    Some(if number == ConstMontyForm::ZERO { ConstMontyForm::ONE } else { number })
}

/// Checks `signature`, r ‖ s big-endian, over `digest` with the key `key`.
pub(super) fn verify<C: Curve<LIMBS>, const LIMBS: usize>(
    key: &Point<C, LIMBS>,
    digest: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    const LENGTHS: SignatureError =
        SignatureError::Structure("the digest or the signature has another length");
    if signature.len() != 2 * Uint::<LIMBS>::BYTES {
        return Err(LENGTHS);
    }
    let (r_bytes, s_bytes) = signature.split_at(Uint::<LIMBS>::BYTES);
    let (r, s) = (Uint::<LIMBS>::from_be_slice(r_bytes), Uint::<LIMBS>::from_be_slice(s_bytes));
    let q = Scalar::<C, LIMBS>::MODULUS;
    for number in [&r, &s] {
        if number.is_zero_vartime() || number >= q.as_ref() {
            return Err(SignatureError::Mismatch);
        }
    }
    let number = signed_number::<C, LIMBS>(digest).ok_or(LENGTHS)?;
    let v = Option::<Scalar<C, LIMBS>>::from(number.invert_vartime()).ok_or(SignatureError::Mismatch)?;
    let z1 = Scalar::<C, LIMBS>::new(&s) * v;
    let z2 = -(Scalar::<C, LIMBS>::new(&r) * v);
    let point = Point::sum_of_multiples([(&z1.retrieve(), Point::BASE), (&z2.retrieve(), *key)]);
    let (x, _) = point.affine().ok_or(SignatureError::Mismatch)?;
    if Scalar::<C, LIMBS>::new(&x).retrieve() == r { Ok(()) } else { Err(SignatureError::Mismatch) }
}
