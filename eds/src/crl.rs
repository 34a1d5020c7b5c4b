//! Revocation lists, whole and delta (RFC 5280, section 5), read where they lie: the authority's full list has 20 MB
//! and is not copied.

mod entry;

use std::fmt;

use entry::read_entry;
pub use entry::{Entry, Index, Reason};

use crate::{
    AuthorityKey, Certificate, Error, KeyUsage, Name, Serial, SignatureAlgorithm, Time,
    certificate::extensions::read_extension,
    der::{self, Element, Reader, tag},
    oid,
};

/// Extensions of a list.
const EXTENSIONS_MAX: usize = 16;

/// A revocation list whose form was checked, every entry included. `Debug` shows its number alone.
#[derive(Clone)]
pub struct Crl<'a> {
    signed: &'a [u8],
    issuer: Name,
    this_update: Time,
    next_update: Time,
    entries: Option<Element<'a>>,
    count: usize,
    number: Option<u64>,
    base_number: Option<u64>,
    authority_key: Option<AuthorityKey>,
    algorithm: SignatureAlgorithm,
    signature: &'a [u8],
}

impl<'a> Crl<'a> {
    /// Reads a list, and nothing after it.
    pub fn from_der(bytes: &'a [u8]) -> Result<Crl<'a>, Error> {
        der::read(bytes, |r| {
            r.sequence(|r| {
                let signed = r.expect(tag::SEQUENCE)?;
                let algorithm = SignatureAlgorithm::read(r)?;
                let signature = r.bit_string()?;
                signed.open(|r| Crl::read_signed(r, signed.whole, algorithm, signature))
            })
        })
    }

    fn read_signed(
        r: &mut Reader<'a>,
        signed: &'a [u8],
        algorithm: SignatureAlgorithm,
        signature: &'a [u8],
    ) -> Result<Crl<'a>, Error> {
        if r.small()? != 1 {
            return Err(Error::CrlVersion);
        }
        // The algorithms are compared, not their bytes: the authority's lists of 2026 write a NULL outside alone.
        if SignatureAlgorithm::read(r)? != algorithm {
            return Err(Error::AlgorithmDiffers);
        }
        let issuer = Name::read(r)?;
        let (this_update, next_update) = (r.time()?, r.time()?);
        let entries = r.optional(tag::SEQUENCE)?;
        let extensions = r.optional_nested(tag::context_constructed(0), read_extensions)?.unwrap_or_default();
        let mut crl = Crl {
            signed,
            issuer,
            this_update,
            next_update,
            entries,
            count: 0,
            number: extensions.number,
            base_number: extensions.base_number,
            authority_key: extensions.authority_key,
            algorithm,
            signature,
        };
        if crl.is_delta() && crl.number.is_none() {
            return Err(Error::CrlNumberMissing);
        }
        crl.count = crl.check_entries()?;
        Ok(crl)
    }

    /// Whether it only amends another list.
    pub fn is_delta(&self) -> bool {
        self.base_number.is_some()
    }

    /// Its number in the issuer's series, if it has one that fits.
    pub fn number(&self) -> Option<u64> {
        self.number
    }

    /// When it was made, and until when it holds.
    pub fn updates(&self) -> (Time, Time) {
        (self.this_update, self.next_update)
    }

    /// Who issued it.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// How many certificates it lists.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it lists none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Checks that `issuer` issued it, may do so, and signed it.
    pub fn check_issuer(&self, issuer: &Certificate) -> Result<(), Error> {
        let key_fits = self.authority_key.as_ref().is_none_or(|named| named.is_of(issuer));
        if self.issuer != *issuer.subject() || !key_fits {
            return Err(Error::CrlIssuer);
        }
        if !issuer.extensions().key_usage.is_some_and(|usage| usage.has(KeyUsage::REVOCATION_LISTS)) {
            return Err(Error::CrlKeyUsage);
        }
        issuer.key().verify(self.algorithm, self.signed, self.signature).map_err(|_| Error::CrlSignature)
    }

    /// Checks that it holds at `at`: made before, and the next one not due.
    pub fn check_fresh(&self, at: Time) -> Result<(), Error> {
        if at < self.this_update {
            return Err(Error::CrlNotYetValid);
        }
        if at >= self.next_update { Err(Error::CrlStale) } else { Ok(()) }
    }

    /// Checks that this delta amends `base`: of the same issuer, reaching back to it, and not older (5.2.4).
    pub fn check_amends(&self, base: &Crl<'_>) -> Result<(), Error> {
        let numbers = (self.base_number, base.number, self.number);
        let (Some(from), Some(base_number), Some(number)) = numbers else { return Err(Error::CrlDeltaBase) };
        let fits = from <= base_number && base_number <= number;
        if base.is_delta() || base.issuer != self.issuer || !fits { Err(Error::CrlDeltaBase) } else { Ok(()) }
    }

    /// What the list says of `serial`: its last word. Reads the list from its beginning; for many questions to a long
    /// list, ask [`Crl::index`] once.
    pub fn entry(&self, serial: &Serial) -> Option<Entry> {
        self.entries().filter(|(number, _)| *number == serial.as_bytes()).map(|(_, entry)| entry).last()
    }

    /// The entries in order of their serials, which point into the list: 48 bytes for each.
    pub fn index(&self) -> Index<'a> {
        Index::new(self.entries().collect())
    }

    /// The entries, in the order of the list.
    pub fn entries(&self) -> impl Iterator<Item = (&'a [u8], Entry)> + use<'a> {
        let is_delta = self.is_delta();
        let mut reader = self.entries.map(|list| list.reader());
        std::iter::from_fn(move || {
            let reader = reader.as_mut().filter(|reader| !reader.is_empty())?;
            Some(read_entry(reader, is_delta).expect("every entry was read when the list was"))
        })
    }

    fn check_entries(&self) -> Result<usize, Error> {
        let Some(list) = &self.entries else { return Ok(0) };
        list.open(|r| {
            let mut count = 0;
            // An empty list is left out (5.1.2.6).
            while count == 0 || !r.is_empty() {
                read_entry(r, self.is_delta())?;
                count += 1;
            }
            Ok(count)
        })
    }
}

impl fmt::Debug for Crl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crl {{ number: {:?}, entries: {} }}", self.number, self.count)
    }
}

#[derive(Default)]
struct ListExtensions {
    number: Option<u64>,
    base_number: Option<u64>,
    authority_key: Option<AuthorityKey>,
}

fn read_extensions(r: &mut Reader<'_>) -> Result<ListExtensions, Error> {
    let mut extensions = ListExtensions::default();
    let mut seen = Vec::new();
    r.sequence(|r| {
        r.list(EXTENSIONS_MAX, |r| {
            let (oid, is_critical, value) = read_extension(r)?;
            if seen.contains(&oid) {
                return Err(Error::ExtensionTwice);
            }
            seen.push(oid);
            match oid {
                oid::CRL_NUMBER => extensions.number = Some(der::read(value, |r| r.small())?),
                oid::CRL_DELTA => extensions.base_number = Some(der::read(value, |r| r.small())?),
                oid::AUTHORITY_KEY => extensions.authority_key = Some(der::read(value, AuthorityKey::read)?),
                // A part of a list, or an indirect one, says so in a critical extension (5.2.5).
                _ if is_critical => return Err(Error::ExtensionCritical),
                _ => {}
            }
            Ok(())
        })
    })?;
    Ok(extensions)
}
