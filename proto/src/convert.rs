//! The border between protobuf and the ledger's types. What comes in is checked here once; what is wrong is
//! named by its field, and never echoed: an error may be shown to someone other than who sent the bytes.

use std::fmt;

use tanba_crypto::{Canonical, Hash};
use tanba_ledger::{
    Bin, BlockHash, Fingerprint, Header, Height, Timestamp, Transaction, TransactionId,
    limits::TRANSACTION_BYTES_MAX,
    proof::{At, Question},
    record::{NetworkKind, PeerKind},
};

use crate::{ledger::v1 as ledger, registrar::v1 as registrar, verifier::v1 as verifier};

/// A field of a message that cannot be what it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}")]
pub struct FieldError {
    /// Where, from the message down: `queries[3].fingerprint`.
    pub path: String,
    /// What was expected. Our own words, nothing of the input.
    pub why: String,
}

impl FieldError {
    /// An error at `path`.
    pub fn new(path: impl Into<String>, why: impl Into<String>) -> FieldError {
        FieldError { path: path.into(), why: why.into() }
    }

    /// The same error, seen from the message that holds this one in `field`.
    pub fn within(self, field: impl fmt::Display) -> FieldError {
        FieldError { path: format!("{field}.{}", self.path), why: self.why }
    }
}

/// Which state an answer speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AsOf {
    /// The block.
    pub height: Height,
    /// Its name.
    pub hash: BlockHash,
    /// Its time.
    pub time: Timestamp,
}

/// Reads 32 bytes.
pub fn hash(path: &str, bytes: &[u8]) -> Result<Hash, FieldError> {
    bytes.try_into().map(Hash).map_err(|_| FieldError::new(path, "32 bytes are expected"))
}

/// Reads a transaction's name.
pub fn transaction_id(path: &str, bytes: &[u8]) -> Result<TransactionId, FieldError> {
    hash(path, bytes).map(TransactionId)
}

/// Reads 12 digits.
pub fn bin(path: &str, text: &str) -> Result<Bin, FieldError> {
    Bin::parse(text).map_err(|error| FieldError::new(path, error.to_string()))
}

/// Reads canonical bytes of at most `bytes_max`.
pub fn canonical<T: Canonical>(path: &str, bytes: &[u8], bytes_max: usize) -> Result<T, FieldError> {
    T::from_canonical(bytes, bytes_max).map_err(|error| match error {
        tanba_crypto::DecodeError::TooLong { .. } => FieldError::new(path, error.to_string()),
        // The decoder's own words may quote what it read.
        _ => FieldError::new(path, "these are not the canonical bytes of the type expected here"),
    })
}

/// Reads a transaction and its approvals, all unchecked.
pub fn transaction(path: &str, bytes: &[u8]) -> Result<Transaction, FieldError> {
    canonical(path, bytes, TRANSACTION_BYTES_MAX)
}

/// Reads a field that proto3 lets a sender leave out.
pub fn present<T>(path: &str, field: Option<T>) -> Result<T, FieldError> {
    field.ok_or_else(|| FieldError::new(path, "the field is missing"))
}

/// Reads the name of a bucket: the first `bits` bits of `prefix`, at most 32, as they stand in a record key.
///
/// The bytes are ceil(`bits` / 8) and their spare bits zero, so that a bucket has one name.
pub fn prefix(prefix: &[u8], bits: u32) -> Result<(Hash, u16), FieldError> {
    const BITS_MAX: u32 = 32;
    if bits > BITS_MAX {
        return Err(FieldError::new("bits", format!("a prefix has at most {BITS_MAX} bits")));
    }
    if prefix.len() != bits.div_ceil(8) as usize {
        return Err(FieldError::new("prefix", "ceil(bits / 8) bytes are expected"));
    }
    let mut key = Hash::ZERO;
    key.0[..prefix.len()].copy_from_slice(prefix);
    let bits = bits as u16;
    if (bits..BITS_MAX as u16).any(|bit| key.bit(bit)) {
        return Err(FieldError::new("prefix", "the bits after the prefix are zero"));
    }
    Ok((key, bits))
}

/// Writes the name of the bucket in which `key` lies: its first `bits` bits, as [`prefix`] reads them.
pub fn prefix_of(key: &Hash, bits: u16) -> Vec<u8> {
    let mut bytes = key.0[..usize::from(bits.div_ceil(8))].to_vec();
    if let Some(last) = bytes.last_mut()
        && !bits.is_multiple_of(8)
    {
        *last &= 0xff << (8 - bits % 8);
    }
    bytes
}

impl AsOf {
    /// The moment of a block.
    pub fn of(header: &Header, hash: BlockHash) -> AsOf {
        AsOf { height: header.height, hash, time: header.time }
    }
}

impl From<AsOf> for ledger::AsOf {
    fn from(as_of: AsOf) -> ledger::AsOf {
        ledger::AsOf { height: as_of.height.0, hash: as_of.hash.0.0.to_vec(), time_ms: as_of.time.0 }
    }
}

impl TryFrom<ledger::AsOf> for AsOf {
    type Error = FieldError;

    fn try_from(as_of: ledger::AsOf) -> Result<AsOf, FieldError> {
        Ok(AsOf {
            height: Height(as_of.height),
            hash: BlockHash(hash("hash", &as_of.hash)?),
            time: Timestamp(as_of.time_ms),
        })
    }
}

impl TryFrom<Option<ledger::AsOf>> for AsOf {
    type Error = FieldError;

    fn try_from(as_of: Option<ledger::AsOf>) -> Result<AsOf, FieldError> {
        AsOf::try_from(present("as_of", as_of)?).map_err(|error| error.within("as_of"))
    }
}

impl From<&Question> for verifier::StatusQuery {
    fn from(question: &Question) -> verifier::StatusQuery {
        verifier::StatusQuery {
            issuer: question.issuer.to_string(),
            fingerprint: question.fingerprint.0.0.to_vec(),
            at: match question.at {
                At::Head => None,
                At::Height(height) => Some(verifier::status_query::At::AtHeight(height.0)),
                At::Time(time) => Some(verifier::status_query::At::AtTimeMs(time.0)),
            },
        }
    }
}

impl TryFrom<&verifier::StatusQuery> for Question {
    type Error = FieldError;

    fn try_from(query: &verifier::StatusQuery) -> Result<Question, FieldError> {
        Ok(Question {
            issuer: bin("issuer", &query.issuer)?,
            fingerprint: Fingerprint(hash("fingerprint", &query.fingerprint)?),
            at: match query.at {
                None => At::Head,
                Some(verifier::status_query::At::AtHeight(height)) => At::Height(Height(height)),
                Some(verifier::status_query::At::AtTimeMs(time)) => At::Time(Timestamp(time)),
            },
        })
    }
}

impl TryFrom<&registrar::SubmitRequest> for Transaction {
    type Error = FieldError;

    fn try_from(request: &registrar::SubmitRequest) -> Result<Transaction, FieldError> {
        transaction("transaction", &request.transaction)
    }
}

impl From<NetworkKind> for ledger::NetworkKind {
    fn from(kind: NetworkKind) -> ledger::NetworkKind {
        match kind {
            NetworkKind::Devnet => ledger::NetworkKind::Devnet,
            NetworkKind::Main => ledger::NetworkKind::Main,
        }
    }
}

impl TryFrom<ledger::NetworkKind> for NetworkKind {
    type Error = FieldError;

    fn try_from(kind: ledger::NetworkKind) -> Result<NetworkKind, FieldError> {
        match kind {
            ledger::NetworkKind::Unspecified => Err(FieldError::new("network_kind", "unknown or missing")),
            ledger::NetworkKind::Devnet => Ok(NetworkKind::Devnet),
            ledger::NetworkKind::Main => Ok(NetworkKind::Main),
        }
    }
}

impl From<PeerKind> for ledger::PeerKind {
    fn from(kind: PeerKind) -> ledger::PeerKind {
        match kind {
            PeerKind::Validator => ledger::PeerKind::Validator,
            PeerKind::Observer => ledger::PeerKind::Observer,
        }
    }
}

impl TryFrom<ledger::PeerKind> for PeerKind {
    type Error = FieldError;

    fn try_from(kind: ledger::PeerKind) -> Result<PeerKind, FieldError> {
        match kind {
            ledger::PeerKind::Unspecified => Err(FieldError::new("kind", "unknown or missing")),
            ledger::PeerKind::Validator => Ok(PeerKind::Validator),
            ledger::PeerKind::Observer => Ok(PeerKind::Observer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(at: At) -> Question {
        Question {
            issuer: Bin::with_control_digit(12_345_678_901).expect("a BIN"),
            fingerprint: Fingerprint(Hash([7; 32])),
            at,
        }
    }

    #[test]
    fn a_question_crosses_the_border_unchanged() {
        for at in [At::Head, At::Height(Height(9)), At::Time(Timestamp(9))] {
            assert_eq!(Question::try_from(&verifier::StatusQuery::from(&question(at))), Ok(question(at)));
        }
    }

    #[test]
    fn a_bad_field_is_named_and_its_bytes_are_not_echoed() {
        let bad = verifier::StatusQuery { fingerprint: b"secret".to_vec(), ..(&question(At::Head)).into() };
        let error = Question::try_from(&bad).map_err(|error| error.within("queries[3]"));
        assert_eq!(error, Err(FieldError::new("queries[3].fingerprint", "32 bytes are expected")));
        let bad = verifier::StatusQuery { issuer: "<secret>".into(), ..(&question(At::Head)).into() };
        let error = Question::try_from(&bad).expect_err("not a BIN");
        assert_eq!((error.path.as_str(), error.why.contains("secret")), ("issuer", false));
    }

    #[test]
    fn bytes_that_are_no_transaction_are_refused() {
        let request = registrar::SubmitRequest { transaction: vec![1; 40] };
        assert_eq!(Transaction::try_from(&request).expect_err("garbage").path, "transaction");
        let request = registrar::SubmitRequest { transaction: vec![0; TRANSACTION_BYTES_MAX + 1] };
        assert!(Transaction::try_from(&request).expect_err("too long").why.contains("the limit here is"));
    }

    #[test]
    fn a_missing_or_malformed_as_of_is_an_error() {
        assert_eq!(AsOf::try_from(None).expect_err("missing").path, "as_of");
        let short = ledger::AsOf { height: 1, hash: vec![0; 31], time_ms: 1 };
        assert_eq!(AsOf::try_from(Some(short)).expect_err("short").path, "as_of.hash");
        let as_of = AsOf { height: Height(1), hash: BlockHash(Hash([2; 32])), time: Timestamp(3) };
        assert_eq!(AsOf::try_from(Some(as_of.into())), Ok(as_of));
    }

    #[test]
    fn a_bucket_has_one_name() {
        let key = Hash([0b1011_0111; 32]);
        for bits in 0..=32 {
            let (read, read_bits) = prefix(&prefix_of(&key, bits), u32::from(bits)).expect("a prefix");
            assert_eq!(read_bits, bits);
            assert!(read.first_difference(&key).is_none_or(|bit| bit >= bits), "{bits} bits agree");
        }
        assert_eq!(prefix_of(&key, 3), [0b1010_0000]);
        assert_eq!(prefix(&[0b1011_0000], 3).expect_err("a spare bit").path, "prefix");
        assert_eq!(prefix(&[0, 0], 3).expect_err("a spare byte").path, "prefix");
        assert_eq!(prefix(&[0; 5], 33).expect_err("too many bits").path, "bits");
    }
}
