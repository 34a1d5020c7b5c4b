//! What lies in a key file: JSON with the public half in the clear and the private half sealed.
//!
//! The seal's key is Argon2id (RFC 9106) of the passphrase under a fresh salt; the cipher is ChaCha20-Poly1305
//! (RFC 8439). Format, purpose, public key, salt and cost are bound to the ciphertext as associated data, so
//! that no line of a file can be exchanged for another's.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tanba_crypto::{PublicKey, SigningKey};
use tanba_genesis::text::value_of;
use zeroize::Zeroizing;

use super::{Passphrase, Purpose};

/// What a key file calls its form.
const FORMAT: &str = "tanba-key/1";

/// What a key file in the clear says of itself.
const PLAIN_WARNING: &str = "not sealed: for a devnet alone, refused elsewhere";

/// Why a file does not give up its key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not JSON of this form.
    #[error("this is no key file: {0}")]
    Malformed(String),
    /// The seal stays closed.
    #[error("the passphrase is wrong, or the file was changed")]
    NotOpened,
    /// The private half belongs to another public half.
    #[error("the file's two halves do not belong together")]
    OtherKey,
    /// A cost that would take too little or too much.
    #[error("the file asks for a key derivation of {memory_kib} KiB, {passes} passes and {lanes} lanes")]
    Cost {
        /// Memory.
        memory_kib: u32,
        /// Passes.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
}

/// A key file, read and of the right form.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    format: String,
    purpose: String,
    public: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<Sealed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plain: Option<Plain>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    derivation: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    cipher: String,
    nonce: String,
    ciphertext: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    warning: String,
    seed: SecretText,
}

const DERIVATION: &str = "argon2id";
const CIPHER: &str = "chacha20-poly1305";

/// The second recommended setting of RFC 9106, section 4: 64 MiB, three passes, four lanes.
const COST: Cost = Cost { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

#[derive(Clone, Copy)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// Below, a passphrase is guessed too fast; above, a file made by another would stall the node.
    fn is_sound(self) -> bool {
        (19 * 1024..=1024 * 1024).contains(&self.memory_kib)
            && (1..=16).contains(&self.passes)
            && (1..=16).contains(&self.lanes)
    }

    fn error(self) -> SealError {
        SealError::Cost { memory_kib: self.memory_kib, passes: self.passes, lanes: self.lanes }
    }
}

impl KeyFile {
    /// Seals a key. `salt` and `nonce` are fresh random bytes.
    pub(super) fn sealed(
        purpose: Purpose,
        key: &SigningKey,
        passphrase: &Passphrase,
        salt: [u8; 16],
        nonce: [u8; 12],
    ) -> KeyFile {
        let mut file = KeyFile::of(purpose, key);
        let cipher = cipher(passphrase, &salt, COST).expect("the cost is one of RFC 9106");
        let bound = file.bound(&salt, COST);
        let seed = key.seed();
        let payload = Payload { msg: seed.as_slice(), aad: &bound };
        let ciphertext = cipher.encrypt(&Nonce::from(nonce), payload).expect("32 bytes can be sealed");
        file.sealed = Some(Sealed {
            derivation: DERIVATION.to_owned(),
            memory_kib: COST.memory_kib,
            passes: COST.passes,
            lanes: COST.lanes,
            salt: hex::encode(salt),
            cipher: CIPHER.to_owned(),
            nonce: hex::encode(nonce),
            ciphertext: hex::encode(ciphertext),
        });
        file
    }

    /// Keeps a devnet's key in the clear.
    pub(super) fn plain(purpose: Purpose, key: &SigningKey) -> KeyFile {
        let seed = SecretText(Zeroizing::new(hex::encode(key.seed().as_slice())));
        let plain = Some(Plain { warning: PLAIN_WARNING.to_owned(), seed });
        KeyFile { plain, ..KeyFile::of(purpose, key) }
    }

    fn of(purpose: Purpose, key: &SigningKey) -> KeyFile {
        KeyFile {
            format: FORMAT.to_owned(),
            purpose: purpose.word().to_owned(),
            public: key.public().to_string(),
            sealed: None,
            plain: None,
        }
    }

    /// Reads a file and checks everything that needs no passphrase.
    pub fn from_json(bytes: &[u8]) -> Result<KeyFile, SealError> {
        // serde quotes what it met: of a file that may hold a secret, only the place may be told.
        let malformed =
            |e: serde_json::Error| SealError::Malformed(format!("line {}, column {}", e.line(), e.column()));
        let file: KeyFile = serde_json::from_slice(bytes).map_err(malformed)?;
        let check = |holds: bool, what: &str| {
            if holds { Ok(()) } else { Err(SealError::Malformed(what.to_owned())) }
        };
        check(file.format == FORMAT, "its format is unknown")?;
        check(value_of(Purpose::WORDS, &file.purpose).is_some(), "its purpose is unknown")?;
        check(PublicKey::from_text(&file.public).is_ok(), "its public key is unreadable")?;
        check(file.sealed.is_some() != file.plain.is_some(), "it must be either sealed or plain")?;
        if let Some(sealed) = &file.sealed {
            check(sealed.derivation == DERIVATION && sealed.cipher == CIPHER, "its cipher is unknown")?;
            if !sealed.cost().is_sound() {
                return Err(sealed.cost().error());
            }
        }
        Ok(file)
    }

    /// The file's bytes. Wiped on drop: of a plain key they hold the secret.
    pub(super) fn to_json(&self) -> Zeroizing<Vec<u8>> {
        // Room for all of it at once: a vector that grows leaves copies of a secret behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(4 * 1024));
        serde_json::to_writer_pretty(&mut *bytes, self).expect("text is written into memory");
        bytes.push(b'\n');
        bytes
    }

    /// What the key is for.
    pub fn purpose(&self) -> Purpose {
        value_of(Purpose::WORDS, &self.purpose).expect("checked when read")
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey::from_text(&self.public).expect("checked when read")
    }

    /// Whether a passphrase seals it.
    pub fn is_sealed(&self) -> bool {
        self.sealed.is_some()
    }

    /// Opens a sealed key.
    pub(super) fn open(&self, passphrase: &Passphrase) -> Result<SigningKey, SealError> {
        let sealed = self.sealed.as_ref().expect("asked of a sealed key");
        let salt: [u8; 16] = fixed_hex(&sealed.salt)?;
        let nonce: [u8; 12] = fixed_hex(&sealed.nonce)?;
        let ciphertext: [u8; 48] = fixed_hex(&sealed.ciphertext)?;
        let bound = self.bound(&salt, sealed.cost());
        let payload = Payload { msg: &ciphertext, aad: &bound };
        let opened = cipher(passphrase, &salt, sealed.cost())?
            .decrypt(&Nonce::from(nonce), payload)
            .map_err(|_| SealError::NotOpened)?;
        self.key_of(&Zeroizing::new(opened))
    }

    /// Opens a key that lies in the clear. Whether it may be used is the caller's question.
    pub(super) fn open_plain(&self) -> Result<SigningKey, SealError> {
        let plain = self.plain.as_ref().expect("asked of a plain key");
        let mut seed = Zeroizing::new([0; 32]);
        hex::decode_to_slice(plain.seed.0.as_bytes(), seed.as_mut_slice())
            .map_err(|_| SealError::Malformed("its seed is unreadable".to_owned()))?;
        self.key_of(seed.as_slice())
    }

    fn key_of(&self, seed: &[u8]) -> Result<SigningKey, SealError> {
        let mut fixed = Zeroizing::new([0; 32]);
        fixed.copy_from_slice(seed);
        let key = SigningKey::ed25519(&fixed);
        if key.public() == self.public() { Ok(key) } else { Err(SealError::OtherKey) }
    }

    /// What the ciphertext is bound to.
    fn bound(&self, salt: &[u8; 16], cost: Cost) -> Vec<u8> {
        let mut bound = format!("{}\0{}\0{}\0", self.format, self.purpose, self.public).into_bytes();
        bound.extend(salt);
        for number in [cost.memory_kib, cost.passes, cost.lanes] {
            bound.extend(number.to_be_bytes());
        }
        bound
    }
}

impl Sealed {
    fn cost(&self) -> Cost {
        Cost { memory_kib: self.memory_kib, passes: self.passes, lanes: self.lanes }
    }
}

fn cipher(passphrase: &Passphrase, salt: &[u8; 16], cost: Cost) -> Result<ChaCha20Poly1305, SealError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(|_| cost.error())?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.bytes(), salt, key.as_mut_slice())
        .map_err(|_| cost.error())?;
    Ok(ChaCha20Poly1305::new_from_slice(key.as_slice()).expect("the key has 32 bytes"))
}

fn fixed_hex<const N: usize>(text: &str) -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(SealError::Malformed(format!("{N} bytes in hex are due"))),
    }
}

/// Hex digits of a secret. Wiped on drop, shown by nothing but the file itself.
struct SecretText(Zeroizing<String>);

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SecretText, D::Error> {
        String::deserialize(deserializer).map(|text| SecretText(Zeroizing::new(text)))
    }
}
