//! Names of subjects and issuers, and the two numbers within: IIN of a person, BIN of a legal entity.
//!
//! A name is its bytes: two names are one if their bytes are. Persons' names and numbers show in no `Debug`.

use std::fmt;

use crate::{
    Error, Oid,
    der::{self, Reader, tag},
    oid,
};

/// Parts a name may have; the authority's longest has 9.
const PARTS_MAX: usize = 24;

/// A distinguished name, checked to be well formed (RFC 5280, section 4.1.2.4).
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    der: Vec<u8>,
}

impl Name {
    /// Reads a Name.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Name, Error> {
        let element = reader.expect(tag::SEQUENCE)?;
        let name = Name { der: element.whole.to_vec() };
        name.parts()?;
        Ok(name)
    }

    /// Its DER, from which revocation answers make its hash.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The one value of this kind; `None` if there is none or several.
    pub fn value(&self, kind: &Oid) -> Option<&str> {
        let parts = self.parts().ok()?;
        let mut values = parts.iter().filter(|(other, _)| other == kind).map(|(_, value)| *value);
        values.next().filter(|_| values.next().is_none())
    }

    /// The IIN in the serial number. An error if there is a number that is none, or several.
    pub fn iin(&self) -> Result<Option<Iin>, Error> {
        Ok(self.number(&oid::SERIAL_NUMBER, "IIN")?.map(Iin))
    }

    /// The BIN in an organisational unit. An error if there is one that is none, or several.
    pub fn bin(&self) -> Result<Option<Bin>, Error> {
        Ok(self.number(&oid::ORGANISATIONAL_UNIT, "BIN")?.map(Bin))
    }

    /// The one value of this kind that opens with `prefix`, without it: twelve digits.
    fn number(&self, kind: &Oid, prefix: &str) -> Result<Option<[u8; 12]>, Error> {
        let parts = self.parts()?;
        let of_kind = parts.iter().filter(|(other, _)| other == kind);
        let mut numbers = of_kind.filter_map(|(_, value)| value.strip_prefix(prefix));
        let Some(number) = numbers.next() else { return Ok(None) };
        let digits: [u8; 12] = number.as_bytes().try_into().map_err(|_| Error::CertificateIdentifier)?;
        if numbers.next().is_some() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(Error::CertificateIdentifier);
        }
        Ok(Some(digits))
    }

    /// Kinds and values, in order. Several values in one part, and kinds of strings other than the three in use, are
    /// refused.
    fn parts(&self) -> Result<Vec<(Oid, &str)>, Error> {
        der::read(&self.der, |r| {
            r.sequence(|r| r.list(PARTS_MAX, |r| r.nested(tag::SET, |r| r.sequence(read_part))))
        })
    }
}

fn read_part<'a>(r: &mut Reader<'a>) -> Result<(Oid, &'a str), Error> {
    let kind = r.oid()?;
    let value = r.any()?;
    let text = std::str::from_utf8(value.content).map_err(|_| Error::CertificateName)?;
    let is_printable = |c: u8| c.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&c);
    match value.tag {
        tag::UTF8 => {}
        tag::PRINTABLE if text.bytes().all(is_printable) => {}
        tag::IA5 if text.is_ascii() => {}
        _ => return Err(Error::CertificateName),
    }
    Ok((kind, text))
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name")
    }
}

/// The number of a person: twelve digits. Personal data: shows nothing of itself, and is read on purpose only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Iin([u8; 12]);

impl Iin {
    /// Reads twelve digits.
    pub fn from_digits(digits: &str) -> Option<Iin> {
        twelve(digits).map(Iin)
    }

    /// The digits.
    pub fn digits(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits")
    }
}

impl fmt::Debug for Iin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Iin")
    }
}

/// The number of a legal entity: twelve digits, public.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bin([u8; 12]);

impl Bin {
    /// Reads twelve digits.
    pub fn from_digits(digits: &str) -> Option<Bin> {
        twelve(digits).map(Bin)
    }

    /// The digits.
    pub fn digits(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits")
    }
}

impl fmt::Debug for Bin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.digits())
    }
}

fn twelve(digits: &str) -> Option<[u8; 12]> {
    let digits: [u8; 12] = digits.as_bytes().try_into().ok()?;
    digits.iter().all(u8::is_ascii_digit).then_some(digits)
}
