//! A writer of DER: each function gives one whole value. What is written here is read back by the strict reader.

use super::tag;
use crate::{Oid, Time};

/// A value of `tag` that holds `parts`, one after another.
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = header(tag, length);
    bytes.reserve_exact(length);
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

/// Tag and length of a value with `length` bytes of content.
pub(crate) fn header(tag: u8, length: usize) -> Vec<u8> {
    let digits = length.to_be_bytes();
    let digits = &digits[digits.iter().take_while(|digit| **digit == 0).count()..];
    if length < 0x80 {
        return vec![tag, length as u8];
    }
    [&[tag, 0x80 | digits.len() as u8], digits].concat()
}

/// A SEQUENCE of whole values.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(tag::SEQUENCE, parts)
}

/// A SET OF whole values, in the order DER demands.
pub fn set_of(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    element(tag::SET, &[&parts.concat()])
}

/// An INTEGER of zero or more, from its big-endian bytes.
pub fn unsigned(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|digit| **digit == 0).count();
    let digits = &number[zeros..];
    let is_high = digits.first().is_none_or(|digit| digit & 0x80 != 0);
    element(tag::INTEGER, &[if is_high { &[0] } else { &[] }, digits])
}

/// An OBJECT IDENTIFIER.
pub fn oid(oid: &Oid) -> Vec<u8> {
    element(tag::OID, &[oid.content()])
}

/// A NULL.
pub fn null() -> Vec<u8> {
    element(tag::NULL, &[])
}

/// A BOOLEAN that is true: DER leaves out a default of false.
pub fn truth() -> Vec<u8> {
    element(tag::BOOLEAN, &[&[0xff]])
}

/// An OCTET STRING.
pub fn octets(bytes: &[u8]) -> Vec<u8> {
    element(tag::OCTETS, &[bytes])
}

/// A BIT STRING of whole bytes.
pub fn bit_string(bytes: &[u8]) -> Vec<u8> {
    element(tag::BIT_STRING, &[&[0], bytes])
}

/// A BIT STRING of named bits, the first of them in the lowest bit of `bits`.
pub fn named_bits(bits: u16) -> Vec<u8> {
    let bytes = [(bits as u8).reverse_bits(), ((bits >> 8) as u8).reverse_bits()];
    let used = if bytes[1] != 0 { 2 } else { usize::from(bytes[0] != 0) };
    let unused = bytes[..used].last().map_or(0, |last| last.trailing_zeros() as u8);
    element(tag::BIT_STRING, &[&[unused], &bytes[..used]])
}

/// A UTF8String.
pub fn utf8(text: &str) -> Vec<u8> {
    element(tag::UTF8, &[text.as_bytes()])
}

/// A PrintableString. The caller's text has its characters alone.
pub fn printable(text: &str) -> Vec<u8> {
    element(tag::PRINTABLE, &[text.as_bytes()])
}

/// A Time of RFC 5280, section 4.1.2.5: UTCTime through 2049, GeneralizedTime after.
pub fn time(time: Time) -> Vec<u8> {
    let text = time.to_generalized_time();
    if time < Time::YEAR_2050 {
        element(tag::UTC_TIME, &[&text.as_bytes()[2..]])
    } else {
        element(tag::GENERALIZED_TIME, &[text.as_bytes()])
    }
}

/// A GeneralizedTime of whole seconds.
pub fn generalized_time(time: Time) -> Vec<u8> {
    element(tag::GENERALIZED_TIME, &[time.to_generalized_time().as_bytes()])
}
