//! RSASSA-PKCS1-v1_5 with SHA-256, verification alone (RFC 8017, section 8.2.2), for certificates of the years before
//! the national signature. Everything here is public, so time may vary.

use crypto_bigint::{
    BoxedUint, Odd,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use sha2::{Digest, Sha256};

use crate::{Error, der};

/// The only exponent: 2^16 + 1.
const EXPONENT: u64 = 65_537;

/// DigestInfo of SHA-256 up to the digest (RFC 8017, section 9.2, note 1).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// A modulus of 2048 to 4096 bits, in whole bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct RsaKey {
    modulus: Odd<BoxedUint>,
    len: usize,
}

impl RsaKey {
    /// Reads an RSAPublicKey (RFC 8017, appendix A.1.1).
    pub fn from_der(bytes: &[u8]) -> Result<RsaKey, Error> {
        let (modulus, exponent) = der::read(bytes, |r| r.sequence(|r| Ok((r.unsigned()?, r.small()?))))?;
        let is_whole = modulus.first().is_some_and(|first| first & 0x80 != 0);
        if !is_whole || !(256..=512).contains(&modulus.len()) {
            return Err(Error::RsaKeySize);
        }
        if exponent != EXPONENT {
            return Err(Error::RsaExponent);
        }
        let len = modulus.len();
        let modulus = BoxedUint::from_be_slice(modulus, len as u32 * 8).map_err(|_| Error::KeyMalformed)?;
        let modulus = Option::from(Odd::new(modulus)).ok_or(Error::KeyMalformed)?;
        Ok(RsaKey { modulus, len })
    }

    /// Checks a signature over `message`: as long as the modulus, below it, and its power is the one encoding.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        if signature.len() != self.len {
            return Err(Error::SignatureLength);
        }
        let number = BoxedUint::from_be_slice(signature, self.modulus.bits_precision());
        let number = number.map_err(|_| Error::SignatureMismatch)?;
        if number >= *self.modulus.as_ref() {
            return Err(Error::SignatureMismatch);
        }
        let params = BoxedMontyParams::new_vartime(self.modulus.clone());
        let base = BoxedMontyForm::new(number, &params);
        // 65537 is sixteen squarings and one multiplication.
        let power = (0..16).fold(base.clone(), |power, _| power.square()).mul(&base);
        let encoded = power.retrieve().to_be_bytes();
        let encoded = &encoded[encoded.len() - self.len..];
        if encoded == self.encoding(message) { Ok(()) } else { Err(Error::SignatureMismatch) }
    }

    /// EMSA-PKCS1-v1_5: `00 01 ff … ff 00`, DigestInfo, digest. Compared whole: nothing is parsed out of a signature.
    fn encoding(&self, message: &[u8]) -> Vec<u8> {
        let digest = Sha256::digest(message);
        let padding = self.len - 3 - DIGEST_INFO.len() - digest.len();
        [&[0, 1], vec![0xff; padding].as_slice(), &[0], &DIGEST_INFO, &digest].concat()
    }
}
