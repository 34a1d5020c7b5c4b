//! What is signed, by whom, and over which bytes: the audit boundary of Tanba.
//!
//! Read in this order: [`tag`] (the one table of what a hash or signature may be for), [`hash`] (SHA-256,
//! domain-separated), [`canonical`] (the one byte form of a value), [`keys`] (schemes, keys, signatures) and
//! [`verified`] (the one door from *received* to *believed*).
//!
//! The crate has no clock, no randomness and no IO, and compiles for wasm32. Key material and random bytes
//! come in as arguments. Only this crate names bincode, so that the format can be replaced in one place.

pub mod canonical;
pub mod es256;
pub mod gost;
pub mod hash;
pub mod keys;
#[cfg(feature = "memo")]
pub mod memo;
pub mod planted;
pub mod tag;
pub mod verified;

pub use canonical::{Canonical, DecodeError};
pub use hash::Hash;
pub use keys::{KeyError, PublicKey, Scheme, Signature, SignatureError, SigningKey};
pub use tag::Tag;
pub use verified::{Verified, Verify};

/// What the derives of [`canonical`] expand to. A crate that derives names this one `bincode`, so that only
/// this one depends on it: `extern crate tanba_crypto as bincode;`
#[doc(hidden)]
pub use bincode::{BorrowDecode, Decode, Encode, de, enc, error};
