//! Which certificates are roots of the national authority: those with a digest of this table, and no others.
//!
//! The table holds digests and the certificates come from the caller, who gets them from the authority
//! (<https://pki.gov.kz>): a false file does not fit the table, and a false line of the table fits no file of the
//! authority. Neither makes a root alone. Whatever else ends a chain is a test root, which counts on a devnet only.

use crate::{Certificate, Error, HashAlgorithm, Realm, Role, Root, Trust};

/// SHA-256 of the certificates of the national roots, in hex.
pub const ROOTS_SHA256: [&str; 3] = [
    // НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (GOST) 2022: GOST 34.10-2015 over 512 bits, to 2045.
    "af77725f8328bb24f89d81da3acdf7cee4324248538b7ba2cd2a860517fb9dca",
    // НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (GOST): GOST 34.310-2004, 2015 to 2025.
    "9ab210e54e6b0343321131202d9edcc2598f598cfdd9ee4ec1056021ab2e9759",
    // НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (RSA), 2015 to 2025.
    "a7064abc5699827f370c67b09f1a1bfd7ad5e1514d471223df209c08300ea972",
];

/// For what `certificate` would vouch as a root.
pub fn realm_of(certificate: &Certificate) -> Realm {
    let digest = hex::encode(certificate.digest(HashAlgorithm::Sha256));
    if ROOTS_SHA256.contains(&digest.as_str()) { Realm::Production } else { Realm::Test }
}

/// Trust in these authorities. One that issues itself, or whose issuer is not among them, is where chains end; the
/// others are checked against those. With `devnet` false, chains that end at another than a national root are refused.
///
/// Fails with the place of a certificate that is no authority's, or that issues itself and did not sign itself.
pub fn trust_of(authorities: &[Certificate], devnet: bool) -> Result<Trust, (usize, Error)> {
    let mut trust = Trust { devnet, ..Trust::default() };
    for (place, certificate) in authorities.iter().enumerate() {
        if certificate.role() != Ok(Role::Authority) {
            return Err((place, Error::ChainNotAuthority));
        }
        let mut named = authorities.iter().filter(|other| other.subject() == certificate.issuer());
        if certificate.is_self_issued() || !named.any(|issuer| certificate.names_key_of(issuer)) {
            let root = Root::new(certificate.clone(), realm_of(certificate));
            trust.roots.push(root.map_err(|error| (place, error))?);
        } else {
            trust.issuers.push(certificate.clone());
        }
    }
    Ok(trust)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Chain, Serial, Time, authority::Authority};
    use tanba_crypto::gost::SigningKey;

    const NOW: Time = Time::from_unix_s(1_793_000_000);

    fn authorities() -> (Authority, Authority) {
        let key = |n: u8| SigningKey::from_number(&[n; 64]).expect("below q");
        let serial = |n: u8| Serial::from_bytes(&[n]).expect("above zero");
        let validity = (NOW.plus_s(-1), NOW.plus_s(1));
        let root = Authority::root("ROOT", key(1), &serial(1), validity);
        let issuing = root.issuing("ISSUING", key(2), &serial(2), validity);
        (root, issuing)
    }

    #[test]
    fn who_issues_itself_ends_chains_and_who_was_issued_is_checked() {
        let (root, issuing) = authorities();
        let both = [issuing.certificate().clone(), root.certificate().clone()];
        let trust = trust_of(&both, true).expect("two authorities");
        assert_eq!((trust.roots.len(), trust.issuers.len()), (1, 1));
        let chain = Chain::build(issuing.certificate(), &trust, NOW).expect("up to the root");
        assert_eq!((chain.issuers().len(), chain.realm()), (1, Realm::Test));
        // Without its root an issuing authority is where chains end.
        let alone = trust_of(&both[..1], true).expect("one authority");
        assert_eq!((alone.roots.len(), alone.issuers.len()), (1, 0));
    }

    #[test]
    fn a_root_that_is_not_in_the_table_counts_on_a_devnet_only() {
        let (root, issuing) = authorities();
        let both = [issuing.certificate().clone(), root.certificate().clone()];
        let trust = trust_of(&both, false).expect("two authorities");
        assert_eq!(Chain::build(issuing.certificate(), &trust, NOW).err(), Some(Error::ChainTestRoot));
    }

    #[test]
    fn digests_are_whole_and_differ() {
        let mut digests = ROOTS_SHA256.to_vec();
        digests.sort_unstable();
        digests.dedup();
        assert!(digests.iter().all(|digest| hex::decode(digest).is_ok_and(|bytes| bytes.len() == 32)));
        assert_eq!(digests.len(), ROOTS_SHA256.len());
    }
}
