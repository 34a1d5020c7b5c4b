//! The two ciphers: Kuznyechik-MGM (RFC 9058), the national one, and ChaCha20-Poly1305 (RFC 8439). Which one sealed
//! a record is written beside it.

use chacha20poly1305::{ChaCha20Poly1305, KeyInit, aead::AeadInOut};
use tanba_crypto::gost::Mgm;
use zeroize::Zeroizing;

/// Bytes of a key of either suite.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes of a tag of either suite.
pub(crate) const TAG_BYTES: usize = 16;
/// Random bytes a nonce is taken from.
pub(crate) const NONCE_BYTES: usize = 16;

/// A key. Wiped when it is dropped, and shown by no `Debug`.
#[derive(Clone, Default)]
pub struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl Key {
    /// The key of these bytes.
    pub fn new(bytes: [u8; KEY_BYTES]) -> Key {
        Key(Zeroizing::new(bytes))
    }

    /// The bytes: for whoever keeps keys.
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8; KEY_BYTES] {
        &mut self.0
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

/// How something was sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Suite {
    /// Kuznyechik in Multilinear Galois Mode (RFC 9058). Its library looks tables up, which is not constant in time
    /// against somebody who shares the processor's cache.
    Kuznyechik,
    /// ChaCha20-Poly1305 (RFC 8439).
    ChaCha20,
}
tanba_crypto::canonical_enum!(Suite { 1 = Kuznyechik, 2 = ChaCha20 });

impl Suite {
    /// The number in stored bytes; for ever.
    pub const fn number(self) -> u8 {
        match self {
            Suite::Kuznyechik => 1,
            Suite::ChaCha20 => 2,
        }
    }
}

/// What was sealed does not open.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Forged;

/// A key made ready. Both kinds wipe themselves.
pub(crate) enum Cipher {
    Kuznyechik(Box<Mgm>),
    ChaCha20(Box<ChaCha20Poly1305>),
}

impl Cipher {
    pub(crate) fn new(suite: Suite, key: &[u8; KEY_BYTES]) -> Cipher {
        match suite {
            Suite::Kuznyechik => Cipher::Kuznyechik(Box::new(Mgm::new(key))),
            Suite::ChaCha20 => Cipher::ChaCha20(Box::new(ChaCha20Poly1305::new(key.into()))),
        }
    }

    /// Encrypts in place; gives the tag over `text` and `associated`, neither of them empty. Kuznyechik takes 127
    /// bits of the nonce, ChaCha20 the first 96.
    pub(crate) fn seal(
        &self,
        nonce: &[u8; NONCE_BYTES],
        associated: &[u8],
        text: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        match self {
            Cipher::Kuznyechik(mgm) => {
                mgm.seal(&of_127_bits(nonce), associated, text).expect("a nonce of 127 bits and some text")
            }
            Cipher::ChaCha20(cipher) => {
                let tag = cipher.encrypt_inout_detached(&of_96_bits(nonce).into(), associated, text.into());
                tag.expect("a part is far below 256 GiB").into()
            }
        }
    }

    /// Decrypts in place what [`Cipher::seal`] made, or leaves it as it is. Tags are compared in constant time.
    pub(crate) fn open(
        &self,
        nonce: &[u8; NONCE_BYTES],
        associated: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), Forged> {
        match self {
            Cipher::Kuznyechik(mgm) => {
                mgm.open(&of_127_bits(nonce), associated, text, tag).map_err(|_| Forged)
            }
            Cipher::ChaCha20(cipher) => cipher
                .decrypt_inout_detached(&of_96_bits(nonce).into(), associated, text.into(), tag.into())
                .map_err(|_| Forged),
        }
    }
}

fn of_127_bits(nonce: &[u8; NONCE_BYTES]) -> [u8; 16] {
    let mut nonce = *nonce;
    nonce[0] &= 0x7f;
    nonce
}

fn of_96_bits(nonce: &[u8; NONCE_BYTES]) -> [u8; 12] {
    *nonce.first_chunk().expect("16 bytes begin with 12")
}
