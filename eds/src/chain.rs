//! From a certificate up to a pinned root (RFC 5280, section 6, as far as the national authority's certificates go).
//!
//! Roots and issuing authorities are the caller's, out of its configuration; nothing in a message adds to them. A
//! certificate is issued by the one whose subject is its issuer, byte for byte, whose key it names, and whose key
//! verifies it. Roots say whether they belong to production or to a test: a test root counts on a devnet only.

use crate::{Certificate, Error, KeyUsage, Time};

/// Certificates between a leaf and its root, the root included. The authority has two.
pub const ISSUERS_MAX: usize = 4;

/// For what a root vouches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Realm {
    /// Certificates with legal force.
    Production,
    /// Certificates of nobody, for trying things out.
    Test,
}

/// A pinned certificate: where chains end. Usually self-signed; an issuing authority may be pinned as well.
#[derive(Clone, Debug)]
pub struct Root {
    certificate: Certificate,
    realm: Realm,
}

impl Root {
    /// Pins `certificate`. If it is its own issuer, its signature must verify.
    pub fn new(certificate: Certificate, realm: Realm) -> Result<Root, Error> {
        if certificate.is_self_issued() {
            certificate.check_signature(&certificate)?;
        }
        Ok(Root { certificate, realm })
    }

    /// The certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// For what it vouches.
    pub fn realm(&self) -> Realm {
        self.realm
    }
}

/// What the caller believes beforehand: roots, and the issuing authorities between them and the leaves. An authority
/// that was revoked is taken out of the list, or shown to be by its root's revocation list.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Where chains end.
    pub roots: Vec<Root>,
    /// Issuing authorities, still checked against the roots.
    pub issuers: Vec<Certificate>,
    /// Whether this is a devnet, where test roots count.
    pub devnet: bool,
}

impl Trust {
    /// Whether the caller handed in this certificate.
    pub fn holds(&self, certificate: &Certificate) -> bool {
        self.issuers.contains(certificate) || self.root(certificate).is_some()
    }

    fn root(&self, certificate: &Certificate) -> Option<&Root> {
        self.roots.iter().find(|root| root.certificate == *certificate)
    }

    /// Roots and issuers.
    pub(crate) fn authorities(&self) -> impl Iterator<Item = &Certificate> {
        self.roots.iter().map(|root| &root.certificate).chain(&self.issuers)
    }
}

/// The issuers of a leaf, from its own up to the root; empty if the leaf is pinned itself.
#[derive(Clone, Debug)]
pub struct Chain<'t> {
    issuers: Vec<&'t Certificate>,
    realm: Realm,
}

impl<'t> Chain<'t> {
    /// Follows `leaf` to a root and checks every step at the moment `at`.
    pub fn build(leaf: &Certificate, trust: &'t Trust, at: Time) -> Result<Chain<'t>, Error> {
        leaf.check_validity(at)?;
        let mut issuers: Vec<&'t Certificate> = Vec::new();
        loop {
            let current = issuers.last().map_or(leaf, |last| *last);
            if let Some(root) = trust.root(current) {
                if root.realm == Realm::Test && !trust.devnet {
                    return Err(Error::ChainTestRoot);
                }
                return Ok(Chain { issuers, realm: root.realm });
            }
            if issuers.len() == ISSUERS_MAX {
                return Err(Error::ChainTooLong);
            }
            let below = issuers.iter().filter(|issuer| !issuer.is_self_issued()).count();
            let issuer = find_issuer(current, trust, below as u64, at)?;
            issuers.push(issuer);
        }
    }

    /// The issuers, the leaf's own first.
    pub fn issuers(&self) -> &[&'t Certificate] {
        &self.issuers
    }

    /// Each certificate that has an issuer, with it: the leaf first.
    pub fn steps<'c>(&self, leaf: &'c Certificate) -> Vec<(&'c Certificate, &'c Certificate)>
    where
        't: 'c,
    {
        let below = std::iter::once(leaf).chain(self.issuers.iter().copied());
        below.zip(self.issuers.iter().copied()).collect()
    }

    /// For what its root vouches.
    pub fn realm(&self) -> Realm {
        self.realm
    }
}

/// The issuer of `current`, with `below` authorities between it and the leaf. Several may bear the name (a renewed
/// key); the error is that of the last one that fits best.
fn find_issuer<'t>(
    current: &Certificate,
    trust: &'t Trust,
    below: u64,
    at: Time,
) -> Result<&'t Certificate, Error> {
    let mut error = Error::ChainIssuerUnknown;
    for issuer in trust.authorities().filter(|candidate| candidate.subject() == current.issuer()) {
        if issuer == current {
            continue;
        }
        if !current.names_key_of(issuer) {
            if error == Error::ChainIssuerUnknown {
                error = Error::ChainKeyId;
            }
            continue;
        }
        match check_step(current, issuer, below, at) {
            Ok(()) => return Ok(issuer),
            Err(found) => error = found,
        }
    }
    Err(error)
}

fn check_step(current: &Certificate, issuer: &Certificate, below: u64, at: Time) -> Result<(), Error> {
    let constraints = issuer.extensions().basic_constraints.filter(|constraints| constraints.is_authority);
    let constraints = constraints.ok_or(Error::ChainNotAuthority)?;
    if constraints.path_len_max.is_some_and(|max| below > max) {
        return Err(Error::ChainPathLength);
    }
    let usage = issuer.extensions().key_usage.ok_or(Error::ChainKeyUsage)?;
    if !usage.has(KeyUsage::CERTIFICATES) {
        return Err(Error::ChainKeyUsage);
    }
    issuer.check_validity(at)?;
    current.check_signature(issuer)
}
