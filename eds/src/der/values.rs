//! The plain values of DER, each in its one form (X.690, sections 8 and 11).

use super::{Element, Reader, tag};
use crate::{Error, Oid, Time};

impl<'a> Reader<'a> {
    /// A BOOLEAN: `00` or `ff` (11.1).
    pub fn boolean(&mut self) -> Result<bool, Error> {
        match self.expect(tag::BOOLEAN)?.content {
            [0] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(Error::DerBoolean),
        }
    }

    /// A BOOLEAN DEFAULT FALSE: absent when false (11.5).
    pub fn boolean_or_false(&mut self) -> Result<bool, Error> {
        if self.peek() != Some(tag::BOOLEAN) {
            return Ok(false);
        }
        if self.boolean()? { Ok(true) } else { Err(Error::DerDefault) }
    }

    /// An INTEGER of zero or more, as its big-endian bytes without leading zeros: none for zero.
    pub fn unsigned(&mut self) -> Result<&'a [u8], Error> {
        unsigned(self.expect(tag::INTEGER)?)
    }

    /// An INTEGER of zero or more that fits.
    pub fn small(&mut self) -> Result<u64, Error> {
        small(self.unsigned()?)
    }

    /// An ENUMERATED of zero or more.
    pub fn enumerated(&mut self) -> Result<u64, Error> {
        small(unsigned(self.expect(tag::ENUMERATED)?)?)
    }

    /// A BIT STRING of whole bytes.
    pub fn bit_string(&mut self) -> Result<&'a [u8], Error> {
        match self.expect(tag::BIT_STRING)?.content {
            [0, bytes @ ..] => Ok(bytes),
            _ => Err(Error::DerBitString),
        }
    }

    /// A BIT STRING of up to sixteen named bits, the first of them in the lowest bit of the answer; no zeros at the
    /// end (11.2.2).
    pub fn named_bits(&mut self) -> Result<u16, Error> {
        let [unused, bytes @ ..] = self.expect(tag::BIT_STRING)?.content else {
            return Err(Error::DerBitString);
        };
        let is_minimal =
            bytes.last().is_none_or(|last| *last != 0 && last.trailing_zeros() == u32::from(*unused));
        if bytes.len() > 2 || !is_minimal || bytes.is_empty() && *unused != 0 {
            return Err(Error::DerBitString);
        }
        let low = bytes.first().map_or(0, |byte| u16::from(byte.reverse_bits()));
        let high = bytes.get(1).map_or(0, |byte| u16::from(byte.reverse_bits()));
        Ok(high << 8 | low)
    }

    /// An OCTET STRING.
    pub fn octets(&mut self) -> Result<&'a [u8], Error> {
        Ok(self.expect(tag::OCTETS)?.content)
    }

    /// A NULL.
    pub fn null(&mut self) -> Result<(), Error> {
        if self.expect(tag::NULL)?.content.is_empty() { Ok(()) } else { Err(Error::DerNull) }
    }

    /// An OBJECT IDENTIFIER.
    pub fn oid(&mut self) -> Result<Oid, Error> {
        Oid::from_content(self.expect(tag::OID)?.content)
    }

    /// A Time of RFC 5280, section 4.1.2.5: UTCTime through 2049, GeneralizedTime after.
    pub fn time(&mut self) -> Result<Time, Error> {
        match self.peek() {
            Some(tag::UTC_TIME) => Time::from_utc_time(self.any()?.content),
            _ => {
                let time = self.generalized_time()?;
                if time >= Time::YEAR_2050 { Ok(time) } else { Err(Error::DerTime) }
            }
        }
    }

    /// A GeneralizedTime of whole seconds, in UTC.
    pub fn generalized_time(&mut self) -> Result<Time, Error> {
        Time::from_generalized_time(self.expect(tag::GENERALIZED_TIME)?.content)
    }
}

/// The bytes of a number of zero or more, of any tag, without leading zeros.
pub(crate) fn unsigned(element: Element<'_>) -> Result<&[u8], Error> {
    match element.content {
        [] => Err(Error::DerInteger),
        [0] => Ok(&[]),
        [0, next, ..] if next & 0x80 == 0 => Err(Error::DerInteger),
        [0, rest @ ..] => Ok(rest),
        [first, ..] if first & 0x80 != 0 => Err(Error::DerInteger),
        bytes => Ok(bytes),
    }
}

fn small(bytes: &[u8]) -> Result<u64, Error> {
    if bytes.len() > 8 {
        return Err(Error::DerInteger);
    }
    Ok(bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}
