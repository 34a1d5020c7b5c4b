//! ES256 of RFC 7518: ECDSA over P-256 with SHA-256, to check alone. Tanba's own keys never sign with it; foreign
//! credentials and holders' wallets do.

use std::fmt;

use p256::{
    Sec1Point,
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
};

use crate::{KeyError, SignatureError};

/// A point of P-256 that was checked to be one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key with these affine coordinates, big-endian. Fails with [`KeyError::NotAPoint`] off the curve.
    pub fn from_coordinates(x: &[u8; 32], y: &[u8; 32]) -> Result<PublicKey, KeyError> {
        let point = Sec1Point::from_affine_coordinates(&(*x).into(), &(*y).into(), false);
        VerifyingKey::from_sec1_point(&point).map(PublicKey).map_err(|_| KeyError::NotAPoint)
    }

    /// Checks `signature`, r and s of 32 big-endian bytes each (RFC 7518, section 3.4), over `message`.
    ///
    /// Both s and q − s are right, as the standard has it: a document is named by what it says, not by its
    /// signature's bytes.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
        let signature = Signature::from_bytes(&(*signature).into()).map_err(|_| SignatureError::Mismatch)?;
        self.0.verify(message, &signature).map_err(|_| SignatureError::Mismatch)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("es256::PublicKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array<const N: usize>(text: &str) -> [u8; N] {
        let mut bytes = [0; N];
        hex::decode_to_slice(text, &mut bytes).expect("hex");
        bytes
    }

    #[test]
    fn rfc_6979_a_2_5_verifies_and_no_other_message_or_bit() {
        let x = array("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6");
        let y = array("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
        let key = PublicKey::from_coordinates(&x, &y).expect("a point");
        let signature: [u8; 64] = array(concat!(
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
            "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
        ));
        assert_eq!(key.verify(b"sample", &signature), Ok(()));
        assert_eq!(key.verify(b"sampl3", &signature), Err(SignatureError::Mismatch));
        for byte in 0..64 {
            let mut bad = signature;
            bad[byte] ^= 1;
            assert_eq!(key.verify(b"sample", &bad), Err(SignatureError::Mismatch), "byte {byte}");
        }
        assert_eq!(key.verify(b"sample", &[0; 64]), Err(SignatureError::Mismatch));
    }

    #[test]
    fn what_is_no_point_is_no_key() {
        assert_eq!(PublicKey::from_coordinates(&[1; 32], &[1; 32]), Err(KeyError::NotAPoint));
        assert_eq!(PublicKey::from_coordinates(&[0; 32], &[0; 32]), Err(KeyError::NotAPoint));
    }
}
