//! Kuznyechik (RFC 7801) in Multilinear Galois Mode (RFC 9058): encryption that notices every change. The mode is
//! written here because no kept library offers it; the cipher is RustCrypto's, whose table look-ups are not
//! constant in time against somebody who shares the processor's cache.

use kuznyechik::{
    Kuznyechik,
    cipher::{BlockCipherEncrypt, KeyInit},
};
use subtle::ConstantTimeEq;

/// Bytes of a block, a nonce and a tag.
const BLOCK: usize = 16;

/// Why bytes cannot be sealed or opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MgmError {
    /// The nonce's first bit is set: it has 127 bits (RFC 9058, section 4.1).
    #[error("the first bit of the nonce is set")]
    Nonce,
    /// There is neither text nor associated data (RFC 9058, section 4.1).
    #[error("there is nothing to seal")]
    Empty,
    /// Key, nonce, associated data, text or tag are not those that were sealed. Nothing was decrypted.
    #[error("the sealed bytes do not open")]
    Forged,
}

/// A key of Kuznyechik-MGM, 32 bytes. Wiped on drop. One nonce must seal one text.
pub struct Mgm {
    cipher: Kuznyechik,
}

impl std::fmt::Debug for Mgm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mgm")
    }
}

impl Mgm {
    /// Expands a key.
    pub fn new(key: &[u8; 32]) -> Mgm {
        Mgm { cipher: Kuznyechik::new(key.into()) }
    }

    /// Encrypts `text` in place and gives the tag over it and `associated`.
    pub fn seal(
        &self,
        nonce: &[u8; BLOCK],
        associated: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; BLOCK], MgmError> {
        check(nonce, associated, text)?;
        self.encrypt(nonce, text);
        Ok(self.tag(nonce, associated, text))
    }

    /// Decrypts `text` in place, if `tag` is that of it and `associated`; otherwise leaves it as it is.
    pub fn open(
        &self,
        nonce: &[u8; BLOCK],
        associated: &[u8],
        text: &mut [u8],
        tag: &[u8; BLOCK],
    ) -> Result<(), MgmError> {
        check(nonce, associated, text)?;
        if !bool::from(self.tag(nonce, associated, text).ct_eq(tag)) {
            return Err(MgmError::Forged);
        }
        self.encrypt(nonce, text);
        Ok(())
    }

    fn block(&self, block: u128) -> u128 {
        let mut bytes = block.to_be_bytes().into();
        self.cipher.encrypt_block(&mut bytes);
        u128::from_be_bytes(bytes.into())
    }

    /// Adds the key stream: the counter is the right half of the first block.
    fn encrypt(&self, nonce: &[u8; BLOCK], text: &mut [u8]) {
        let mut y = self.block(u128::from_be_bytes(*nonce));
        for chunk in text.chunks_mut(BLOCK) {
            let stream = self.block(y).to_be_bytes();
            chunk.iter_mut().zip(stream).for_each(|(byte, key)| *byte ^= key);
            let (left, right) = ((y >> 64) as u64, y as u64);
            y = u128::from(left) << 64 | u128::from(right.wrapping_add(1));
        }
    }

    /// The multilinear sum of all blocks and both lengths, encrypted: the counter is the left half.
    fn tag(&self, nonce: &[u8; BLOCK], associated: &[u8], sealed: &[u8]) -> [u8; BLOCK] {
        let mut z = self.block(1 << 127 | u128::from_be_bytes(*nonce));
        let mut sum = 0;
        let mut take = |block: u128| {
            sum ^= multiply(self.block(z), block);
            z = u128::from(((z >> 64) as u64).wrapping_add(1)) << 64 | u128::from(z as u64);
        };
        for part in [associated, sealed] {
            for chunk in part.chunks(BLOCK) {
                let mut block = [0; BLOCK];
                block[..chunk.len()].copy_from_slice(chunk);
                take(u128::from_be_bytes(block));
            }
        }
        let bits = |part: &[u8]| u128::from(part.len() as u64 * 8);
        take(bits(associated) << 64 | bits(sealed));
        self.block(sum).to_be_bytes()
    }
}

fn check(nonce: &[u8; BLOCK], associated: &[u8], text: &[u8]) -> Result<(), MgmError> {
    if nonce[0] >> 7 != 0 {
        return Err(MgmError::Nonce);
    }
    if associated.is_empty() && text.is_empty() {
        return Err(MgmError::Empty);
    }
    Ok(())
}

/// The product in GF(2¹²⁸) modulo x¹²⁸ + x⁷ + x² + x + 1; the first bit of a block is the highest power. The time
/// does not depend on the operands.
fn multiply(a: u128, b: u128) -> u128 {
    let (mut product, mut a) = (0, a);
    for bit in 0..128 {
        product ^= a & (b >> bit & 1).wrapping_neg();
        a = a << 1 ^ 0x87 & (a >> 127).wrapping_neg();
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9058, appendix A.1, both examples of Kuznyechik: key, nonce, associated data, text, sealed text, tag.
    const EXAMPLES: [[&str; 6]; 2] = [
        [
            "8899aabbccddeeff0011223344556677fedcba98765432100123456789abcdef",
            "1122334455667700ffeeddccbbaa9988",
            "0202020202020202010101010101010104040404040404040303030303030303ea0505050505050505",
            "1122334455667700ffeeddccbbaa998800112233445566778899aabbcceeff0a112233445566778899aabbcceeff0a00\
             2233445566778899aabbcceeff0a0011aabbcc",
            "a9757b8147956e9055b8a33de89f42fc8075d2212bf9fd5bd3f7069aadc16b39497ab15915a6ba85936b5d0ea9f6851c\
             c60c14d4d3f883d0ab94420695c76deb2c7552",
            "cf5d656f40c34f5c46e8bb0e29fcdb4c",
        ],
        [
            "99aabbccddeeff0011223344556677fedcba98765432100123456789abcdef88",
            "1122334455667700ffeeddccbbaa9988",
            "01010101010101010101010101010101",
            "",
            "",
            "7901e9ea2085cd247ed249695f9f8a85",
        ],
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        hex::decode(hex).expect("hex")
    }

    #[expect(clippy::type_complexity, reason = "one example of the standard, in its order")]
    fn example(number: usize) -> (Mgm, [u8; 16], Vec<u8>, Vec<u8>, Vec<u8>, [u8; 16]) {
        let [key, nonce, associated, text, sealed, tag] = EXAMPLES[number].map(bytes);
        let sized = |bytes: Vec<u8>| <[u8; 16]>::try_from(bytes).expect("16 bytes");
        let mgm = Mgm::new(&key.try_into().expect("32 bytes"));
        (mgm, sized(nonce), associated, text, sealed, sized(tag))
    }

    #[test]
    fn the_examples_of_rfc_9058_are_reproduced() {
        for number in 0..EXAMPLES.len() {
            let (mgm, nonce, associated, text, sealed, tag) = example(number);
            let mut bytes = text.clone();
            assert_eq!(mgm.seal(&nonce, &associated, &mut bytes), Ok(tag));
            assert_eq!(bytes, sealed);
            assert_eq!(mgm.open(&nonce, &associated, &mut bytes, &tag), Ok(()));
            assert_eq!(bytes, text);
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed_and_nothing_is_decrypted() {
        let (mgm, nonce, associated, _, sealed, tag) = example(0);
        let whole: Vec<u8> = [&nonce[..], &associated, &sealed, &tag].concat();
        for bit in 1..whole.len() * 8 {
            let mut other = whole.clone();
            other[bit / 8] ^= 0x80 >> (bit % 8);
            let (nonce, rest) = other.split_at(16);
            let (associated, rest) = rest.split_at(associated.len());
            let (text, tag) = rest.split_at(sealed.len());
            let mut text = text.to_vec();
            let before = text.clone();
            let (nonce, tag) = (nonce.try_into().expect("16"), tag.try_into().expect("16"));
            assert_eq!(mgm.open(nonce, associated, &mut text, tag), Err(MgmError::Forged), "bit {bit}");
            assert_eq!(text, before);
        }
    }

    #[test]
    fn bytes_moved_between_text_and_associated_data_are_noticed() {
        let (mgm, nonce, associated, _, sealed, tag) = example(0);
        let longer = [&associated[..], &sealed[..16]].concat();
        let mut shorter = sealed[16..].to_vec();
        assert_eq!(mgm.open(&nonce, &longer, &mut shorter, &tag), Err(MgmError::Forged));
    }

    #[test]
    fn a_nonce_of_128_bits_and_nothing_at_all_are_refused() {
        let (mgm, mut nonce, ..) = example(0);
        assert_eq!(mgm.seal(&nonce, &[], &mut []), Err(MgmError::Empty));
        nonce[0] |= 0x80;
        assert_eq!(mgm.seal(&nonce, b"a", &mut []), Err(MgmError::Nonce));
    }
}
