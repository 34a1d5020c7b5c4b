//! The extensions of a certificate (RFC 5280, section 4.2): each known one read to its last byte, an unknown one
//! refused if it is critical, none twice.

use crate::{
    Certificate, Error, Name, Oid, Serial,
    der::{self, Reader, tag},
    oid,
};

/// Extensions a certificate may have; real ones have up to 11.
const EXTENSIONS_MAX: usize = 32;
/// Values in one extension's list.
const LIST_MAX: usize = 16;
/// Bytes of an address.
const ADDRESS_BYTES_MAX: usize = 512;

/// What a key may be used for (4.2.1.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyUsage(pub u16);

impl KeyUsage {
    /// digitalSignature.
    pub const DIGITAL_SIGNATURE: u16 = 1;
    /// nonRepudiation: the holder stands by what is signed.
    pub const NON_REPUDIATION: u16 = 1 << 1;
    /// keyEncipherment.
    pub const KEY_ENCIPHERMENT: u16 = 1 << 2;
    /// keyAgreement.
    pub const KEY_AGREEMENT: u16 = 1 << 4;
    /// keyCertSign.
    pub const CERTIFICATES: u16 = 1 << 5;
    /// cRLSign.
    pub const REVOCATION_LISTS: u16 = 1 << 6;

    /// Whether all of `bits` are set.
    pub fn has(self, bits: u16) -> bool {
        self.0 & bits == bits
    }
}

/// Whether the holder is an authority, and over how many below it (4.2.1.9).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BasicConstraints {
    /// Whether it may issue.
    pub is_authority: bool,
    /// Authorities that may stand between it and a leaf.
    pub path_len_max: Option<u64>,
}

/// Which key of the issuer signed (4.2.1.1).
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorityKey {
    key: Option<Vec<u8>>,
    /// Issuer and serial of the issuer's own certificate.
    certificate: Option<(Name, Serial)>,
}

impl AuthorityKey {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<AuthorityKey, Error> {
        r.sequence(|r| {
            let key = r.optional(tag::context(0))?.map(|element| element.content.to_vec());
            let name = r.optional_nested(tag::context_constructed(1), |r| {
                // One directory name, in its explicit tag.
                r.nested(tag::context_constructed(4), Name::read)
            })?;
            let serial = r.optional(tag::context(2))?.map(der::unsigned).transpose()?;
            let certificate = match (name, serial) {
                (Some(name), Some(serial)) => Some((name, Serial::from_bytes(serial)?)),
                (None, None) => None,
                _ => return Err(Error::ExtensionMalformed),
            };
            Ok(AuthorityKey { key, certificate })
        })
    }

    /// Whether everything it says fits `issuer`.
    pub(crate) fn is_of(&self, issuer: &Certificate) -> bool {
        let key_fits = match (&self.key, &issuer.extensions().subject_key) {
            (Some(named), Some(own)) => named == own,
            _ => true,
        };
        let certificate_fits = self
            .certificate
            .as_ref()
            .is_none_or(|(name, serial)| name == issuer.issuer() && serial == issuer.serial());
        key_fits && certificate_fits
    }
}

/// The extensions of a certificate.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Extensions {
    /// 4.2.1.9.
    pub basic_constraints: Option<BasicConstraints>,
    /// 4.2.1.3.
    pub key_usage: Option<KeyUsage>,
    /// 4.2.1.12: purposes, roles among them.
    pub purposes: Vec<Oid>,
    /// Whether the purposes are critical, as those of a time-stamp service must be.
    pub purposes_are_critical: bool,
    /// 4.2.1.4.
    pub policies: Vec<Oid>,
    /// 4.2.1.1.
    pub authority_key: Option<AuthorityKey>,
    /// 4.2.1.2.
    pub subject_key: Option<Vec<u8>>,
    /// 4.2.1.13: where the revocation list is.
    pub crl_addresses: Vec<String>,
    /// 4.2.1.15: where its latest difference is.
    pub delta_addresses: Vec<String>,
    /// 4.2.2.1: who answers about revocation.
    pub ocsp_addresses: Vec<String>,
    /// 4.2.2.1: where the issuer's certificate is.
    pub issuer_addresses: Vec<String>,
    /// RFC 6960, 4.2.2.2.1: who answers about revocation need not be asked about.
    pub needs_no_check: bool,
    /// Where the private key is kept, by the national arc.
    pub key_store: Option<Oid>,
}

impl Extensions {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Extensions, Error> {
        let mut extensions = Extensions::default();
        let mut seen = Vec::new();
        r.sequence(|r| {
            if r.is_empty() {
                return Err(Error::ExtensionMalformed);
            }
            r.list(EXTENSIONS_MAX, |r| {
                let (oid, is_critical, value) = read_extension(r)?;
                if seen.contains(&oid) {
                    return Err(Error::ExtensionTwice);
                }
                seen.push(oid);
                extensions.add(oid, is_critical, value)
            })
        })?;
        Ok(extensions)
    }

    fn add(&mut self, oid: Oid, is_critical: bool, value: &[u8]) -> Result<(), Error> {
        match oid {
            oid::BASIC_CONSTRAINTS => {
                self.basic_constraints = Some(der::read(value, read_basic_constraints)?)
            }
            oid::KEY_USAGE => {
                let bits = der::read(value, |r| r.named_bits())?;
                // At least one bit is set (4.2.1.3).
                if bits == 0 {
                    return Err(Error::ExtensionMalformed);
                }
                self.key_usage = Some(KeyUsage(bits));
            }
            oid::EXTENDED_USAGE => {
                self.purposes = der::read(value, |r| r.sequence(|r| r.list(LIST_MAX, |r| r.oid())))?;
                self.purposes_are_critical = is_critical;
                if self.purposes.is_empty() {
                    return Err(Error::ExtensionMalformed);
                }
            }
            oid::POLICIES => {
                self.policies =
                    der::read(value, |r| r.sequence(|r| r.list(LIST_MAX, |r| r.sequence(read_policy))))?;
            }
            // Marked critical, these would say something this reader does not know (4.2.1.1, 4.2.1.2, 4.2.2.1).
            _ if is_critical && oid != oid::CRL_POINTS => return Err(Error::ExtensionCritical),
            oid::AUTHORITY_KEY => self.authority_key = Some(der::read(value, AuthorityKey::read)?),
            oid::SUBJECT_KEY => self.subject_key = Some(der::read(value, |r| r.octets())?.to_vec()),
            oid::CRL_POINTS => self.crl_addresses = der::read(value, read_points)?,
            oid::FRESHEST_CRL => self.delta_addresses = der::read(value, read_points)?,
            oid::AUTHORITY_ACCESS => self.read_access(value)?,
            oid::OCSP_NO_CHECK => {
                // A NULL by the RFC; the older responders of the authority have nothing there.
                if !value.is_empty() {
                    der::read(value, |r| r.null())?;
                }
                self.needs_no_check = true;
            }
            oid::KEY_STORE => self.key_store = Some(der::read(value, |r| r.sequence(|r| r.oid()))?),
            _ => {}
        }
        Ok(())
    }

    fn read_access(&mut self, value: &[u8]) -> Result<(), Error> {
        let entries = der::read(value, |r| {
            r.sequence(|r| r.list(LIST_MAX, |r| r.sequence(|r| Ok((r.oid()?, read_general_name(r)?)))))
        })?;
        for (method, address) in entries {
            match method {
                oid::ACCESS_OCSP => self.ocsp_addresses.extend(address),
                oid::ACCESS_ISSUERS => self.issuer_addresses.extend(address),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Reads one Extension: identifier, whether it is critical, and its value.
pub(crate) fn read_extension<'a>(r: &mut Reader<'a>) -> Result<(Oid, bool, &'a [u8]), Error> {
    r.sequence(|r| Ok((r.oid()?, r.boolean_or_false()?, r.octets()?)))
}

fn read_basic_constraints(r: &mut Reader<'_>) -> Result<BasicConstraints, Error> {
    r.sequence(|r| {
        let is_authority = r.boolean_or_false()?;
        let path_len_max = if r.is_empty() { None } else { Some(r.small()?) };
        if path_len_max.is_some() && !is_authority {
            return Err(Error::ExtensionMalformed);
        }
        Ok(BasicConstraints { is_authority, path_len_max })
    })
}

/// A policy; its qualifiers are notes to people and are only skipped.
fn read_policy(r: &mut Reader<'_>) -> Result<Oid, Error> {
    let oid = r.oid()?;
    r.optional(tag::SEQUENCE)?;
    Ok(oid)
}

/// DistributionPoints that say where a whole list is: lists by reason or by another issuer are refused.
fn read_points(r: &mut Reader<'_>) -> Result<Vec<String>, Error> {
    let point = |r: &mut Reader<'_>| {
        r.nested(tag::context_constructed(0), |r| {
            r.nested(tag::context_constructed(0), |r| r.list(LIST_MAX, read_general_name))
        })
    };
    let points = r.sequence(|r| r.list(LIST_MAX, |r| r.sequence(point)))?;
    Ok(points.into_iter().flatten().flatten().collect())
}

/// A GeneralName; `None` unless it is an address.
fn read_general_name(r: &mut Reader<'_>) -> Result<Option<String>, Error> {
    let element = r.any()?;
    if element.tag != tag::context(6) {
        return Ok(None);
    }
    let text = std::str::from_utf8(element.content).ok().filter(|text| text.is_ascii());
    match text {
        Some(text) if text.len() <= ADDRESS_BYTES_MAX => Ok(Some(text.to_owned())),
        _ => Err(Error::ExtensionMalformed),
    }
}
