//! How bytes are written as text: base64url without padding (RFC 7515) and lower-case hex. Reading is strict:
//! every value has one spelling, so that a changed byte of a file is never a second spelling of the same value.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use tanba_crypto::{Hash, PublicKey};

/// Base64url, no padding.
pub(crate) fn b64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads what [`b64url`] writes; `None` for padding, other alphabets or spare bits that are not zero.
pub(crate) fn from_b64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Reads exactly `N` bytes of base64url.
pub(crate) fn array_from_b64url<const N: usize>(text: &str) -> Option<[u8; N]> {
    from_b64url(text)?.try_into().ok()
}

/// Reads 64 lower-case hex digits.
pub(crate) fn hash_from_hex(text: &str) -> Option<Hash> {
    let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
    Hash::from_hex(text).ok().filter(|_| lower)
}

/// serde: 32 bytes as hex.
pub(crate) mod bytes32 {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Hash(*bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        hash::deserialize(deserializer).map(|hash| hash.0)
    }
}

/// serde: 32 bytes as hex, or nothing.
pub(crate) mod bytes32_option {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Bytes32(#[serde(with = "bytes32")] [u8; 32]);

    pub(crate) fn serialize<S: Serializer>(bytes: &Option<[u8; 32]>, to: S) -> Result<S::Ok, S::Error> {
        bytes.map(Bytes32).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<[u8; 32]>, D::Error> {
        Ok(Option::<Bytes32>::deserialize(from)?.map(|bytes| bytes.0))
    }
}

/// serde: a digest as hex.
pub(crate) mod hash {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(hash)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        let text = String::deserialize(deserializer)?;
        hash_from_hex(&text).ok_or_else(|| D::Error::custom("expected 64 lower-case hex digits"))
    }
}

/// serde: a public key as `ed25519:` and lower-case hex.
pub(crate) mod public_key {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(key: &PublicKey, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(key)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PublicKey, D::Error> {
        let text = String::deserialize(deserializer)?;
        let key = PublicKey::from_text(&text).map_err(D::Error::custom)?;
        if key.to_string() == text { Ok(key) } else { Err(D::Error::custom("expected lower-case hex")) }
    }
}

/// serde: bytes as base64, or nothing.
pub(crate) mod base64_option {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
        bytes.as_ref().map(|bytes| STANDARD.encode(bytes)).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| STANDARD.decode(text).map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_spelling() {
        assert_eq!(array_from_b64url::<1>("_w"), Some([0xff]));
        for second in ["_x", "_w==", "/w", "_w\n", ""] {
            assert_eq!(array_from_b64url::<1>(second), None, "{second:?}");
        }
        let lower = "ab".repeat(32);
        assert_eq!(hash_from_hex(&lower), Some(Hash([0xab; 32])));
        assert_eq!(hash_from_hex(&lower.replacen('a', "A", 1)), None);
    }
}
