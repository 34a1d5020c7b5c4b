//! Object identifiers: one fixed-size value, and the one table of those this crate knows.
//!
//! The national arcs are those of the authority's certificates; what stands behind each is in `algorithm` and `role`.

use std::fmt;

use crate::Error;

/// Content bytes an identifier may have. The longest in the table has 11.
const BYTES_MAX: usize = 31;

/// An object identifier, kept as the content bytes of its DER (X.690, 8.19).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Oid {
    len: u8,
    /// Zeros behind `len`, so that equality is equality of arrays.
    bytes: [u8; BYTES_MAX],
}

impl Oid {
    /// The identifier with these arcs.
    const fn new(arcs: &[u32]) -> Oid {
        let mut oid = Oid { len: 0, bytes: [0; BYTES_MAX] };
        oid.push(arcs[0] * 40 + arcs[1]);
        let mut n = 2;
        while n < arcs.len() {
            oid.push(arcs[n]);
            n += 1;
        }
        oid
    }

    const fn push(&mut self, arc: u32) {
        let mut groups = 1;
        while groups < 5 && arc >> (7 * groups) != 0 {
            groups += 1;
        }
        while groups > 0 {
            groups -= 1;
            let more = if groups > 0 { 0x80 } else { 0 };
            self.bytes[self.len as usize] = (arc >> (7 * groups)) as u8 & 0x7f | more;
            self.len += 1;
        }
    }

    /// Reads content bytes: whole arcs, each without leading zeros and below 2^28.
    pub fn from_content(content: &[u8]) -> Result<Oid, Error> {
        let mut oid = Oid { len: 0, bytes: [0; BYTES_MAX] };
        let ends_whole = content.last().is_some_and(|last| last & 0x80 == 0);
        if !ends_whole || content.len() > BYTES_MAX {
            return Err(Error::DerOid);
        }
        let mut groups = 0;
        for byte in content {
            groups += 1;
            if groups == 1 && *byte == 0x80 || groups > 4 {
                return Err(Error::DerOid);
            }
            if byte & 0x80 == 0 {
                groups = 0;
            }
        }
        oid.bytes[..content.len()].copy_from_slice(content);
        oid.len = content.len() as u8;
        Ok(oid)
    }

    /// The content bytes of its DER.
    pub fn content(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }

    /// Whether this identifier lies below `arc`.
    pub fn is_below(&self, arc: &Oid) -> bool {
        self.len > arc.len && self.content().starts_with(arc.content())
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut arc = 0_u32;
        let mut is_first = true;
        for byte in self.content() {
            arc = arc << 7 | u32::from(byte & 0x7f);
            if byte & 0x80 != 0 {
                continue;
            }
            if is_first {
                let top = (arc / 40).min(2);
                write!(f, "{top}.{}", arc - top * 40)?;
            } else {
                write!(f, ".{arc}")?;
            }
            (arc, is_first) = (0, false);
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident = $($arc:literal)+;)*) => {
        $($(#[$doc])* pub const $name: Oid = Oid::new(&[$($arc),+]);)*
    };
}

table! {
    // --- national: keys and signatures
    /// Key of GOST 34.10-2015, 512 bits (GOST R 34.10-2012).
    KEY_GOST_2015_512 = 1 2 398 3 10 1 1 2 2;
    /// Its parameters: id-tc26-gost-3410-12-512-paramSetA.
    CURVE_512_A = 1 2 398 3 10 1 1 2 2 1;
    /// GOST 34.10-2015 over 512 bits with Streebog-512.
    SIGN_GOST_2015_512 = 1 2 398 3 10 1 1 2 3 2;
    /// Key of GOST 34.10-2015, 256 bits.
    KEY_GOST_2015_256 = 1 2 398 3 10 1 1 2 1;
    /// Its parameters: id-tc26-gost-3410-2012-256-paramSetA.
    CURVE_256_A = 1 2 398 3 10 1 1 2 1 1;
    /// GOST 34.10-2015 over 256 bits with Streebog-256.
    SIGN_GOST_2015_256 = 1 2 398 3 10 1 1 2 3 1;
    /// Key of GOST 34.310-2004.
    KEY_GOST_2004 = 1 2 398 3 10 1 1 1 1;
    /// Its parameters: id-GostR3410-2001-CryptoPro-A.
    CURVE_CRYPTO_PRO_A = 1 2 398 3 10 1 1 1 1 1;
    /// GOST 34.310-2004 with GOST 34.311-95.
    SIGN_GOST_2004 = 1 2 398 3 10 1 1 1 2;
    /// The same, as the first certificates named it.
    SIGN_GOST_2004_FIRST = 1 3 6 1 4 1 6801 1 2 2;
    // --- national: hashes
    /// GOST 34.311-95: GOST R 34.11-94 with the test parameters.
    HASH_GOST_94 = 1 2 398 3 10 1 3 1;
    /// The parameters named beside it.
    HASH_GOST_94_PARAMETERS = 1 2 398 3 10 1 3 1 1 0;
    /// GOST 34.11-2015, 256 bits.
    HASH_STREEBOG_256 = 1 2 398 3 10 1 3 2;
    /// GOST 34.11-2015, 512 bits.
    HASH_STREEBOG_512 = 1 2 398 3 10 1 3 3;
    // --- national: roles, policies, marks
    /// A natural person.
    ROLE_PERSON = 1 2 398 3 3 4 1 1;
    /// A legal entity; one of the six below stands beside it.
    ROLE_ENTITY = 1 2 398 3 3 4 1 2;
    /// Its head.
    ROLE_HEAD = 1 2 398 3 3 4 1 2 1;
    /// Who has the right to sign for it.
    ROLE_SIGNER = 1 2 398 3 3 4 1 2 2;
    /// Who has the right to sign its financial documents.
    ROLE_FINANCE = 1 2 398 3 3 4 1 2 3;
    /// Its personnel department.
    ROLE_PERSONNEL = 1 2 398 3 3 4 1 2 4;
    /// Its employee.
    ROLE_EMPLOYEE = 1 2 398 3 3 4 1 2 5;
    /// Its information system.
    ROLE_SYSTEM = 1 2 398 3 3 4 1 2 6;
    /// Staff of the national authority: the arc above their roles.
    ROLE_STAFF_ARC = 1 2 398 3 3 4 2;
    /// Identification and digital identity: the arc above its purposes.
    ROLE_IDENTIFICATION_ARC = 1 2 398 3 3 4 3;
    /// A client of the treasury.
    ROLE_TREASURY = 1 2 398 5 19 1 2 2 1;
    /// Policy of the authority and of its subjects.
    POLICY_AUTHORITY = 1 2 398 3 3 2;
    /// Policy of the root.
    POLICY_ROOT = 1 2 398 3 1 2;
    /// Where the private key is kept.
    KEY_STORE = 1 2 398 3 3 5;
    /// In a PKCS#12 file.
    KEY_STORE_FILE = 1 2 398 3 3 5 1 1;
    /// The arc above the policies of time stamps: 1, 2 and 4, by algorithm.
    POLICY_TIME_STAMP_ARC = 1 2 398 3 3 2 6;
    /// Time stamps under GOST 34.10-2015.
    POLICY_TIME_STAMP_GOST_2015 = 1 2 398 3 3 2 6 4;
    // --- RSA and SHA (RFC 8017, RFC 8018)
    /// rsaEncryption.
    KEY_RSA = 1 2 840 113549 1 1 1;
    /// sha256WithRSAEncryption.
    SIGN_RSA_SHA_256 = 1 2 840 113549 1 1 11;
    /// SHA-1, which names certificates and binds nothing.
    HASH_SHA_1 = 1 3 14 3 2 26;
    /// SHA-256.
    HASH_SHA_256 = 2 16 840 1 101 3 4 2 1;
    // --- names (X.520)
    /// Common name.
    COMMON_NAME = 2 5 4 3;
    /// Surname.
    SURNAME = 2 5 4 4;
    /// Serial number: "IIN" and twelve digits.
    SERIAL_NUMBER = 2 5 4 5;
    /// Country.
    COUNTRY = 2 5 4 6;
    /// Organisation.
    ORGANISATION = 2 5 4 10;
    /// Organisational unit: "BIN" and twelve digits.
    ORGANISATIONAL_UNIT = 2 5 4 11;
    /// Given name, which holds the patronymic here.
    GIVEN_NAME = 2 5 4 42;
    // --- extensions (RFC 5280, section 4.2; RFC 6960, section 4.2.2.2.1)
    /// subjectKeyIdentifier.
    SUBJECT_KEY = 2 5 29 14;
    /// keyUsage.
    KEY_USAGE = 2 5 29 15;
    /// basicConstraints.
    BASIC_CONSTRAINTS = 2 5 29 19;
    /// cRLNumber.
    CRL_NUMBER = 2 5 29 20;
    /// reasonCode.
    CRL_REASON = 2 5 29 21;
    /// deltaCRLIndicator.
    CRL_DELTA = 2 5 29 27;
    /// cRLDistributionPoints.
    CRL_POINTS = 2 5 29 31;
    /// certificatePolicies.
    POLICIES = 2 5 29 32;
    /// authorityKeyIdentifier.
    AUTHORITY_KEY = 2 5 29 35;
    /// extKeyUsage.
    EXTENDED_USAGE = 2 5 29 37;
    /// freshestCRL.
    FRESHEST_CRL = 2 5 29 46;
    /// authorityInfoAccess.
    AUTHORITY_ACCESS = 1 3 6 1 5 5 7 1 1;
    /// id-pkix-ocsp-nocheck.
    OCSP_NO_CHECK = 1 3 6 1 5 5 7 48 1 5;
    // --- purposes and access methods
    /// emailProtection.
    PURPOSE_EMAIL = 1 3 6 1 5 5 7 3 4;
    /// timeStamping.
    PURPOSE_TIME_STAMPING = 1 3 6 1 5 5 7 3 8;
    /// OCSPSigning.
    PURPOSE_OCSP = 1 3 6 1 5 5 7 3 9;
    /// Access by OCSP, and the arc of its own identifiers.
    ACCESS_OCSP = 1 3 6 1 5 5 7 48 1;
    /// Access to the issuers' certificates.
    ACCESS_ISSUERS = 1 3 6 1 5 5 7 48 2;
    // --- answers (RFC 6960)
    /// id-pkix-ocsp-basic.
    OCSP_BASIC = 1 3 6 1 5 5 7 48 1 1;
    /// id-pkix-ocsp-nonce.
    OCSP_NONCE = 1 3 6 1 5 5 7 48 1 2;
    // --- messages (RFC 5652, RFC 2634, RFC 5035, RFC 3161)
    /// id-data.
    CONTENT_DATA = 1 2 840 113549 1 7 1;
    /// id-signedData.
    CONTENT_SIGNED = 1 2 840 113549 1 7 2;
    /// id-ct-TSTInfo.
    CONTENT_TIME_STAMP = 1 2 840 113549 1 9 16 1 4;
    /// contentType.
    ATTRIBUTE_CONTENT_TYPE = 1 2 840 113549 1 9 3;
    /// messageDigest.
    ATTRIBUTE_DIGEST = 1 2 840 113549 1 9 4;
    /// signingTime.
    ATTRIBUTE_TIME = 1 2 840 113549 1 9 5;
    /// signingCertificate, by SHA-1.
    ATTRIBUTE_CERTIFICATE = 1 2 840 113549 1 9 16 2 12;
    /// signingCertificateV2.
    ATTRIBUTE_CERTIFICATE_V2 = 1 2 840 113549 1 9 16 2 47;
    /// timeStampToken, of a signature.
    ATTRIBUTE_TIME_STAMP = 1 2 840 113549 1 9 16 2 14;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arcs_become_content_bytes_and_text() {
        assert_eq!(hex::encode(SIGN_GOST_2015_512.content()), "2a830e030a0101020302");
        assert_eq!(SIGN_GOST_2015_512.to_string(), "1.2.398.3.10.1.1.2.3.2");
        assert_eq!(HASH_SHA_256.to_string(), "2.16.840.1.101.3.4.2.1");
        assert_eq!(Oid::from_content(HASH_SHA_256.content()), Ok(HASH_SHA_256));
    }

    #[test]
    fn only_canonical_content_is_read() {
        for bad in [&[][..], &[0x2a, 0x80, 0x01], &[0x2a, 0x83], &[0x2a; 32], &[0xff, 0xff, 0xff, 0xff, 0x7f]]
        {
            assert_eq!(Oid::from_content(bad), Err(Error::DerOid));
        }
    }
}
