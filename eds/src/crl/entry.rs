//! What a revocation list says of one certificate (RFC 5280, sections 5.1.2.6 and 5.3).

use crate::{
    Error, Serial, Time,
    certificate::extensions::read_extension,
    der::{self, Reader},
    oid,
};

/// Extensions of an entry.
const EXTENSIONS_MAX: usize = 16;

/// Why a certificate was revoked (5.3.1). Any of them makes it invalid, `Hold` as long as it lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// None given.
    Unspecified,
    /// The holder's key is known to others.
    KeyCompromise,
    /// The issuer's key, or that of who vouched for a right, is known to others.
    AuthorityCompromise,
    /// The holder's name or place changed.
    AffiliationChanged,
    /// There is a newer certificate.
    Superseded,
    /// It is no longer needed.
    CessationOfOperation,
    /// Suspended.
    Hold,
    /// A right in it was withdrawn.
    PrivilegeWithdrawn,
}

impl Reason {
    pub(crate) fn from_number(number: u64) -> Result<Reason, Error> {
        match number {
            0 => Ok(Reason::Unspecified),
            1 => Ok(Reason::KeyCompromise),
            2 | 10 => Ok(Reason::AuthorityCompromise),
            3 => Ok(Reason::AffiliationChanged),
            4 => Ok(Reason::Superseded),
            5 => Ok(Reason::CessationOfOperation),
            6 => Ok(Reason::Hold),
            9 => Ok(Reason::PrivilegeWithdrawn),
            _ => Err(Error::RevocationReason),
        }
    }
}

/// What a list says of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// Revoked, since when and why.
    Revoked(Time, Reason),
    /// On a delta list alone: no longer on the list it amends.
    Removed,
}

/// A list in order of serials.
pub struct Index<'a> {
    entries: Vec<(&'a [u8], Entry)>,
}

impl<'a> Index<'a> {
    pub(super) fn new(mut entries: Vec<(&'a [u8], Entry)>) -> Index<'a> {
        // Stable: of several entries for one serial the last is the one that counts.
        entries.sort_by_key(|(serial, _)| *serial);
        Index { entries }
    }

    /// What the list says of `serial`.
    pub fn entry(&self, serial: &Serial) -> Option<Entry> {
        let end = self.entries.partition_point(|(other, _)| *other <= serial.as_bytes());
        let (found, entry) = self.entries[..end].last()?;
        (*found == serial.as_bytes()).then_some(*entry)
    }
}

/// Reads one entry: the serial's bytes, and what is said of it.
pub(super) fn read_entry<'a>(r: &mut Reader<'a>, is_delta: bool) -> Result<(&'a [u8], Entry), Error> {
    r.sequence(|r| {
        let serial = r.unsigned()?;
        if serial.is_empty() || serial.len() > 20 {
            return Err(Error::CertificateSerial);
        }
        let since = r.time()?;
        let reason = if r.is_empty() { Some(0) } else { r.sequence(read_reason)? };
        match reason {
            Some(8) if is_delta => Ok((serial, Entry::Removed)),
            number => Ok((serial, Entry::Revoked(since, Reason::from_number(number.unwrap_or(0))?))),
        }
    })
}

/// The reason among the extensions of an entry. A critical one, such as another issuer's, is refused.
fn read_reason(r: &mut Reader<'_>) -> Result<Option<u64>, Error> {
    let mut reason = None;
    r.list(EXTENSIONS_MAX, |r| {
        let (oid, is_critical, value) = read_extension(r)?;
        if oid == oid::CRL_REASON {
            if reason.is_some() {
                return Err(Error::ExtensionTwice);
            }
            reason = Some(der::read(value, |r| r.enumerated())?);
        } else if is_critical {
            return Err(Error::ExtensionCritical);
        }
        Ok(())
    })?;
    Ok(reason)
}
