//! How values are written in files that people read: moments, hashes, signatures, and the words for roles.

use tanba_crypto::{Hash, PublicKey, Signature};
use tanba_ledger::{
    Day, Timestamp,
    record::{InstitutionRole, KeyRole, NetworkKind, PeerKind},
    transaction::factor,
};

/// A word for each value of a small enum. The first column is what files and command lines say.
pub type Words<T> = &'static [(&'static str, T)];

/// Kinds of network.
pub const KINDS: Words<NetworkKind> = &[("devnet", NetworkKind::Devnet), ("main", NetworkKind::Main)];

/// What institutions are.
pub const INSTITUTION_ROLES: Words<InstitutionRole> =
    &[("university", InstitutionRole::University), ("regulator", InstitutionRole::Regulator)];

/// What keys may do.
pub const KEY_ROLES: Words<KeyRole> = &[
    ("registrar", KeyRole::Registrar),
    ("approver", KeyRole::Approver),
    ("admin", KeyRole::Admin),
    ("document", KeyRole::Document),
    ("validator", KeyRole::Validator),
    ("node", KeyRole::Node),
    ("witness", KeyRole::Witness),
];

/// What nodes may do.
pub const PEER_KINDS: Words<PeerKind> =
    &[("validator", PeerKind::Validator), ("observer", PeerKind::Observer)];

/// Factors of an officer's approval.
pub const FACTORS: Words<u16> = &[
    ("key", factor::KEY),
    ("certificate", factor::CERTIFICATE),
    ("one-time-code", factor::ONE_TIME_CODE),
    ("biometric", factor::BIOMETRIC),
];

/// The value of a word.
pub fn value_of<T: Copy>(words: Words<T>, word: &str) -> Option<T> {
    words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
}

/// The word for a value. Panics if the table lacks it: tables are complete.
pub fn word_of<T: Copy + PartialEq>(words: Words<T>, value: T) -> &'static str {
    words.iter().find(|(_, known)| *known == value).map(|(word, _)| *word).expect("word tables are complete")
}

/// The words of a table, quoted and separated by commas.
pub fn list<T>(words: Words<T>) -> String {
    words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// A moment as RFC 3339 writes it, in UTC: `2026-09-01T00:00:00Z`, with milliseconds only where there are any.
pub fn moment(time: Timestamp) -> String {
    const DAY_MS: u64 = 86_400_000;
    // Beyond the year 9999 the format has no room; the day is then shown as its count.
    let day = Day((time.0 / DAY_MS).min(u64::from(u32::MAX)) as u32);
    let (hour, rest) = (time.0 % DAY_MS / 3_600_000, time.0 % 3_600_000);
    let (minute, second, ms) = (rest / 60_000, rest % 60_000 / 1_000, rest % 1_000);
    match ms {
        0 => format!("{day}T{hour:02}:{minute:02}:{second:02}Z"),
        _ => format!("{day}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"),
    }
}

/// The moment of a civil date and time of day with an offset from UTC in minutes; `None` before 1970.
pub fn moment_of(day: Day, of_day_ms: u64, offset_minutes: i64) -> Option<Timestamp> {
    let local = i64::from(day.0) * 86_400_000 + i64::try_from(of_day_ms).ok()?;
    u64::try_from(local - offset_minutes * 60_000).ok().map(Timestamp)
}

/// A signature as text: its scheme and hex digits, as keys are written.
pub fn signature(signature: &Signature) -> String {
    match signature {
        Signature::Ed25519(bytes) => format!("ed25519:{}", hex::encode(bytes)),
    }
}

/// Reads what [`signature`] writes.
pub fn parse_signature(text: &str) -> Option<Signature> {
    let mut bytes = [0; 64];
    hex::decode_to_slice(text.strip_prefix("ed25519:")?, &mut bytes).ok()?;
    Some(Signature::Ed25519(bytes))
}

/// Reads 64 hex digits; `None` for anything else.
pub fn parse_hash(text: &str) -> Option<Hash> {
    Hash::from_hex(text).ok()
}

/// Reads a public key; `None` for anything else. Whether it is a usable key is asked later.
pub fn parse_key(text: &str) -> Option<PublicKey> {
    PublicKey::from_text(text).ok()
}

/// Whether a network may be called so: 3 to 32 of `a-z`, `0-9`, `-`, beginning with a letter. The name goes into
/// proofs, topics and file names.
pub fn is_network_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (3..=crate::model::NETWORK_BYTES_MAX).contains(&name.len())
        && name.bytes().all(allowed)
        && name.as_bytes()[0].is_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_utc() {
        let day = Day::from_date(2026, 9, 1).expect("a date");
        let noon = moment_of(day, 12 * 3_600_000, 300).expect("after 1970");
        assert_eq!(moment(noon), "2026-09-01T07:00:00Z");
        assert_eq!(moment(Timestamp(noon.0 + 7)), "2026-09-01T07:00:00.007Z");
        assert_eq!(moment_of(Day(0), 0, 60), None);
    }

    #[test]
    fn signatures_read_back() {
        let made = tanba_crypto::SigningKey::ed25519(&[1; 32]).sign(b"x");
        assert_eq!(parse_signature(&signature(&made)), Some(made));
        assert_eq!(parse_signature("ed25519:00"), None);
    }
}
