//! A strict reader of DER (X.690, section 10 and 11) over borrowed bytes: one way to write each value, and every byte
//! accounted for.
//!
//! Lengths are definite and minimal, tags are low, nesting and sizes are bounded. Whoever opens a constructed value
//! gives a closure that reads it, and what the closure leaves over is an error: there is no other way in, so no
//! format of this crate can forget trailing bytes. The plain values (numbers, strings, times) are read in `values`.

mod values;
pub(crate) use values::unsigned;
pub mod write;

use std::fmt;

use crate::Error;

/// Bytes of the largest value: above the authority's full revocation list, of about 20 MB.
pub const LENGTH_MAX: usize = 64 * 1024 * 1024;

/// Values within values. The deepest real one, a certificate in a message in a time stamp, has 13.
pub const DEPTH_MAX: u8 = 24;

/// Tags, as the identifier byte of each (X.690, section 8.1.2).
pub mod tag {
    /// BOOLEAN.
    pub const BOOLEAN: u8 = 0x01;
    /// INTEGER.
    pub const INTEGER: u8 = 0x02;
    /// BIT STRING.
    pub const BIT_STRING: u8 = 0x03;
    /// OCTET STRING.
    pub const OCTETS: u8 = 0x04;
    /// NULL.
    pub const NULL: u8 = 0x05;
    /// OBJECT IDENTIFIER.
    pub const OID: u8 = 0x06;
    /// ENUMERATED.
    pub const ENUMERATED: u8 = 0x0a;
    /// UTF8String.
    pub const UTF8: u8 = 0x0c;
    /// PrintableString.
    pub const PRINTABLE: u8 = 0x13;
    /// IA5String.
    pub const IA5: u8 = 0x16;
    /// UTCTime.
    pub const UTC_TIME: u8 = 0x17;
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: u8 = 0x18;
    /// SEQUENCE and SEQUENCE OF.
    pub const SEQUENCE: u8 = 0x30;
    /// SET and SET OF.
    pub const SET: u8 = 0x31;

    /// Context tag `number` over a plain value.
    pub const fn context(number: u8) -> u8 {
        0x80 | number
    }

    /// Context tag `number` over a value made of values.
    pub const fn context_constructed(number: u8) -> u8 {
        0xa0 | number
    }
}

/// One value: its tag, what it holds, and all of its bytes. `Debug` shows no content.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    /// The identifier byte.
    pub tag: u8,
    /// The content bytes.
    pub content: &'a [u8],
    /// Header and content.
    pub whole: &'a [u8],
    depth: u8,
}

impl<'a> Element<'a> {
    /// Reads the content with `read`, which must read all of it.
    pub fn open<T>(&self, read: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>) -> Result<T, Error> {
        let depth = self.depth + 1;
        if depth > DEPTH_MAX {
            return Err(Error::DerDepth);
        }
        all(Reader { rest: self.content, depth }, read)
    }

    /// The reader of a content whose whole form was checked before, to be read piece by piece.
    pub(crate) fn reader(&self) -> Reader<'a> {
        Reader { rest: self.content, depth: self.depth + 1 }
    }
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Element {{ tag: {:#04x}, length: {} }}", self.tag, self.content.len())
    }
}

/// Reads values one after another.
#[derive(Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    depth: u8,
}

/// Reads `bytes` with `read`, which must read all of them.
pub fn read<'a, T>(
    bytes: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>,
) -> Result<T, Error> {
    all(Reader { rest: bytes, depth: 0 }, read)
}

fn all<'a, T>(
    mut reader: Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>,
) -> Result<T, Error> {
    let value = read(&mut reader)?;
    if reader.is_empty() { Ok(value) } else { Err(Error::DerTrailing) }
}

impl<'a> Reader<'a> {
    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next value, if there is one.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next value, of any tag.
    pub fn any(&mut self) -> Result<Element<'a>, Error> {
        let (tag, header, length) = header(self.rest)?;
        let end = header.checked_add(length).filter(|end| *end <= self.rest.len());
        let end = end.ok_or(Error::DerTruncated)?;
        let (whole, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(Element { tag, content: &whole[header..], whole, depth: self.depth })
    }

    /// The next value, which has `tag`.
    pub fn expect(&mut self, tag: u8) -> Result<Element<'a>, Error> {
        if self.is_empty() {
            return Err(Error::DerTruncated);
        }
        if self.peek() != Some(tag) { Err(Error::DerTag) } else { self.any() }
    }

    /// The next value if it has `tag`.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Error> {
        if self.peek() == Some(tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// Opens the next value, which has `tag`.
    pub fn nested<T>(
        &mut self,
        tag: u8,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.expect(tag)?.open(read)
    }

    /// Opens the next value, a SEQUENCE.
    pub fn sequence<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.nested(tag::SEQUENCE, read)
    }

    /// Opens the next value if it has `tag`.
    pub fn optional_nested<T>(
        &mut self,
        tag: u8,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.optional(tag)?.map(|element| element.open(read)).transpose()
    }

    /// Reads values with `read` until none is left; more than `max` are an error.
    pub fn list<T>(
        &mut self,
        max: usize,
        mut read: impl FnMut(&mut Reader<'a>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut values = Vec::new();
        while !self.is_empty() {
            if values.len() == max {
                return Err(Error::DerCount);
            }
            values.push(read(self)?);
        }
        Ok(values)
    }

    /// Checks that the values that follow stand in the order of a SET OF: ascending by their bytes (X.690, 11.6).
    /// Reads none of them.
    pub fn is_set_of(&self) -> Result<(), Error> {
        let mut ahead = self.clone();
        let mut last: &[u8] = &[];
        while !ahead.is_empty() {
            let next = ahead.any()?.whole;
            if next <= last {
                return Err(Error::DerSetOrder);
            }
            last = next;
        }
        Ok(())
    }
}

/// Tag, length of the header, and length of the content.
pub(crate) fn header(bytes: &[u8]) -> Result<(u8, usize, usize), Error> {
    let [tag, first, rest @ ..] = bytes else { return Err(Error::DerTruncated) };
    if tag & 0x1f == 0x1f {
        return Err(Error::DerHighTag);
    }
    if first & 0x80 == 0 {
        return Ok((*tag, 2, usize::from(*first)));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > 4 {
        return Err(Error::DerLength);
    }
    let digits = rest.get(..count).ok_or(Error::DerTruncated)?;
    let length = digits.iter().fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
    if digits[0] == 0 || length < 0x80 {
        return Err(Error::DerLength);
    }
    if length > LENGTH_MAX { Err(Error::DerTooLong) } else { Ok((*tag, 2 + count, length)) }
}

#[cfg(test)]
mod tests;
