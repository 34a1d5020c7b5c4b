//! Everything that can be wrong, each with a code that does not change: what programs compare and people look up.
//!
//! No error carries a value of what was read, so none can carry a person's data.

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// Why something is not believed.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, thiserror::Error)]
        pub enum Error {
            $($(#[$doc])* #[error($text)] $name,)*
        }

        impl Error {
            /// Every error, in the order of the table.
            pub const ALL: &[Error] = &[$(Error::$name),*];

            /// Its code: lower-case words joined by hyphens, for ever the same.
            pub fn code(self) -> &'static str {
                match self { $(Error::$name => $code),* }
            }
        }
    };
}

errors! {
    // --- bytes
    /// A value ends behind its bytes.
    DerTruncated = "der-truncated", "the bytes end inside a value";
    /// Bytes are left over.
    DerTrailing = "der-trailing", "bytes follow where nothing may";
    /// A length is indefinite, or longer than need be.
    DerLength = "der-length", "a length is not in its one form";
    /// A value is above the limit.
    DerTooLong = "der-too-long", "a value is longer than the limit";
    /// Values are nested above the limit.
    DerDepth = "der-depth", "values are nested deeper than the limit";
    /// A list is above the limit.
    DerCount = "der-count", "a list has more members than the limit";
    /// Another kind of value was due.
    DerTag = "der-tag", "another kind of value belongs here";
    /// A tag of several bytes.
    DerHighTag = "der-high-tag", "a tag of several bytes, which nothing here has";
    /// A number negative, padded, empty or too large.
    DerInteger = "der-integer", "a number is not in its one form, or out of range";
    /// A truth value that is neither.
    DerBoolean = "der-boolean", "a truth value is not in its one form";
    /// A default that is written out.
    DerDefault = "der-default", "a default value is written out";
    /// A string of bits in another form.
    DerBitString = "der-bit-string", "a string of bits is not in its one form";
    /// A null with content.
    DerNull = "der-null", "a null has content";
    /// An object identifier in another form.
    DerOid = "der-oid", "an object identifier is not in its one form";
    /// A moment in another form, or none.
    DerTime = "der-time", "a moment is not in its one form";
    /// A set out of order, or with a member twice.
    DerSetOrder = "der-set-order", "the members of a set are out of order";
    /// A liberty in a message that NCALayer does not take.
    Ber = "ber-form", "the message takes a liberty that is not tolerated";
    /// A text form that is not strict.
    Pem = "pem-form", "the text form is damaged";
    /// Neither of the five kinds.
    FileUnknown = "file-unknown", "this is no certificate, message, revocation list, answer or time stamp";
    // --- algorithms and keys
    /// An algorithm outside the table.
    AlgorithmUnknown = "algorithm-unknown", "the algorithm is not one of those in use";
    /// Parameters that do not belong to the algorithm.
    AlgorithmParameters = "algorithm-parameters", "the parameters do not belong to the algorithm";
    /// A key of another algorithm.
    AlgorithmKey = "algorithm-key", "the key is not one of the signature's algorithm";
    /// No point of its curve.
    KeyMalformed = "key-malformed", "the key is not a point of its curve";
    /// A point of small order.
    KeyWeak = "key-weak", "the key is weak";
    /// A modulus too short, too long, or odd in length.
    RsaKeySize = "rsa-key-size", "the RSA key has not 2048 to 4096 bits";
    /// An exponent other than 65537.
    RsaExponent = "rsa-exponent", "the RSA exponent is not 65537";
    /// A signature of the wrong length for its key.
    SignatureLength = "signature-length", "the signature has another length than its key demands";
    /// A signature of something else.
    SignatureMismatch = "signature-mismatch", "the signature does not verify";
    // --- certificates
    /// Not version 3.
    CertificateVersion = "certificate-version", "the certificate is not of version 3";
    /// Zero, or above 20 bytes.
    CertificateSerial = "certificate-serial", "a serial number is zero or longer than 20 bytes";
    /// Two different algorithms.
    AlgorithmDiffers = "algorithm-differs", "the signed and the unsigned name of the algorithm differ";
    /// A name with parts of unknown form.
    CertificateName = "certificate-name", "a name is not well formed";
    /// An IIN or BIN that is none, or several.
    CertificateIdentifier = "certificate-identifier", "an IIN or BIN is not twelve digits, or there are several";
    /// Before its validity.
    CertificateNotYetValid = "certificate-not-yet-valid", "the certificate is not valid yet";
    /// After its validity.
    CertificateExpired = "certificate-expired", "the certificate has expired";
    /// Not for signing documents.
    CertificatePurpose = "certificate-purpose", "the certificate is not for signing documents";
    /// Not signed by its issuer.
    CertificateSignature = "certificate-signature", "the certificate's signature does not verify";
    /// Several roles, or an office without an entity.
    RoleUnclear = "role-unclear", "the certificate names several roles";
    /// Another role than the act demands.
    RoleWrong = "role-wrong", "the certificate is of another role than this demands";
    /// Another person's.
    PersonDiffers = "person-differs", "the certificate is another person's";
    /// Of another legal entity.
    EntityDiffers = "entity-differs", "the certificate is of another legal entity";
    /// An office that may not sign for its entity.
    OfficeWithoutRight = "office-without-right", "the holder has no right to sign for the legal entity";
    /// Two extensions of one kind.
    ExtensionTwice = "extension-twice", "an extension stands there twice";
    /// A critical extension that is not understood.
    ExtensionCritical = "extension-critical", "a critical extension is not understood";
    /// An extension with content that makes no sense.
    ExtensionMalformed = "extension-malformed", "an extension is not well formed";
    // --- chains
    /// Nobody known has the issuer's name.
    ChainIssuerUnknown = "issuer-unknown", "the issuer is not among the known authorities";
    /// The issuer's name fits, its key does not.
    ChainKeyId = "issuer-key-differs", "the issuer's key is not the one that is named";
    /// More issuers than the limit.
    ChainTooLong = "chain-too-long", "more authorities stand in the chain than the limit";
    /// More authorities below than the issuer may have.
    ChainPathLength = "chain-path-length", "more authorities stand below one than it may have";
    /// The issuer is no authority.
    ChainNotAuthority = "issuer-not-authority", "the issuer is not an authority";
    /// The issuer's key may not sign certificates.
    ChainKeyUsage = "issuer-key-usage", "the issuer's key is not for signing certificates";
    /// A test root outside a devnet.
    ChainTestRoot = "test-root", "the chain ends at a test root, which counts on a devnet only";
    // --- revocation
    /// Revoked or suspended.
    Revoked = "revoked", "the certificate was revoked";
    /// No evidence either way.
    RevocationUnknown = "revocation-unknown", "nothing shows whether the certificate was revoked";
    /// A reason that does not exist, or not here.
    RevocationReason = "revocation-reason", "a reason of revocation does not exist";
    /// Not version 2.
    CrlVersion = "crl-version", "the revocation list is not of version 2";
    /// A delta without a number.
    CrlNumberMissing = "crl-number", "the delta list has no number";
    /// Of another issuer.
    CrlIssuer = "crl-issuer", "the revocation list is of another issuer";
    /// The issuer's key may not sign lists.
    CrlKeyUsage = "crl-key-usage", "the issuer's key is not for signing revocation lists";
    /// Not signed by its issuer.
    CrlSignature = "crl-signature", "the revocation list's signature does not verify";
    /// Made after the moment that counts.
    CrlNotYetValid = "crl-not-yet-valid", "the revocation list was made after the moment in question";
    /// The next one was due.
    CrlStale = "crl-stale", "the revocation list is out of date";
    /// A delta to another list.
    CrlDeltaBase = "crl-delta-base", "the delta list does not amend this revocation list";
    // --- answers
    /// The responder did not answer.
    OcspStatus = "ocsp-status", "the responder gave no answer";
    /// An answer of another kind.
    OcspType = "ocsp-type", "the answer is of another kind";
    /// Of somebody the issuer did not appoint.
    OcspResponder = "ocsp-responder", "the answer is of nobody the issuer appointed";
    /// The responder's certificate is for something else.
    OcspResponderUsage = "ocsp-responder-usage", "the responder's certificate is not for answering";
    /// Not signed by its responder.
    OcspSignature = "ocsp-signature", "the answer's signature does not verify";
    /// Certificates that speak for nothing.
    OcspCertificateExtra = "ocsp-certificate-extra", "the answer brings along a certificate of nobody";
    /// Made after the moment that counts.
    OcspNotYetValid = "ocsp-not-yet-valid", "the answer was made after the moment in question";
    /// Too old.
    OcspStale = "ocsp-stale", "the answer is out of date";
    /// To another request.
    OcspNonce = "ocsp-nonce", "the answer is to another request";
    /// The responder does not know the certificate.
    OcspUnknown = "ocsp-unknown", "the responder does not know the certificate";
    // --- messages
    /// Not a signed message of this content.
    CmsType = "cms-type", "the message is of another kind";
    /// A version that does not fit.
    CmsVersion = "cms-version", "a version in the message does not fit its content";
    /// Nobody signed.
    CmsNoSigner = "cms-no-signer", "nobody signed the message";
    /// More signers than the caller allows.
    CmsSignerExtra = "cms-signer-extra", "the message has more signers than allowed";
    /// One certificate signed twice.
    CmsSignerTwice = "cms-signer-twice", "one certificate signed the message twice";
    /// A signer without its certificate.
    CmsCertificateMissing = "cms-certificate-missing", "a signer's certificate is not in the message";
    /// A certificate of nobody.
    CmsCertificateExtra = "cms-certificate-extra", "the message brings along a certificate of nobody";
    /// Revocation lists inside.
    CmsListsInside = "cms-lists-inside", "the message brings along its own revocation lists";
    /// A list of hashes that is not the signers'.
    CmsHashes = "cms-hashes", "the hashes named are not those of the signatures";
    /// A due attribute is not there.
    CmsAttributeMissing = "cms-attribute-missing", "an attribute that must be there is missing";
    /// An attribute outside the table.
    CmsAttributeUnknown = "cms-attribute-unknown", "an attribute is not one of those in use";
    /// An attribute twice.
    CmsAttributeTwice = "cms-attribute-twice", "an attribute stands there twice";
    /// Signed as another type.
    CmsContentType = "cms-content-type", "the content was signed as another type";
    /// Neither inside nor handed in.
    CmsContentMissing = "cms-content-missing", "the content is neither in the message nor at hand";
    /// Inside is another than the one handed in.
    CmsContentDiffers = "cms-content-differs", "the content in the message is not the one at hand";
    /// Another content was signed.
    CmsDigest = "cms-digest", "the content is not the one that was signed";
    /// Signed for another certificate.
    CmsSigningCertificate = "cms-signing-certificate", "the message was signed for another certificate";
    /// Not signed by its signer.
    CmsSignature = "cms-signature", "a signature of the message does not verify";
    /// Claims to be signed later.
    SigningTimeFuture = "signing-time-future", "the message claims to be signed after the moment in question";
    /// Claims to be signed outside the certificate's validity.
    SigningTimeValidity = "signing-time-validity", "the message claims to be signed outside its certificate's validity";
    // --- time stamps
    /// The service refused.
    TimeStampRefused = "time-stamp-refused", "the time-stamp service refused";
    /// Not version 1.
    TimeStampVersion = "time-stamp-version", "the time stamp is not of version 1";
    /// Under a policy of nobody.
    TimeStampPolicy = "time-stamp-policy", "the time stamp is under none of the authority's policies";
    /// Signed by none or several.
    TimeStampSigners = "time-stamp-signers", "the time stamp has not one signer";
    /// The service's certificate is for something else.
    TimeStampUsage = "time-stamp-usage", "the time-stamp service's certificate is not for stamping alone";
    /// Of something else.
    TimeStampImprint = "time-stamp-imprint", "the time stamp is of something else";
    /// By a hash that proves nothing.
    TimeStampWeak = "time-stamp-weak", "the time stamp's hash proves nothing";
    /// To another request.
    TimeStampNonce = "time-stamp-nonce", "the time stamp is to another request";
    /// Stamped after the moment that counts, or before it was signed.
    TimeStampOrder = "time-stamp-order", "the time stamp does not lie between signing and the moment in question";
}

impl Error {
    /// Whether more or newer evidence could still show the opposite: nothing was found false, but not enough found.
    pub fn is_lack_of_evidence(self) -> bool {
        use Error::*;
        matches!(
            self,
            RevocationUnknown
                | CrlStale
                | CrlNotYetValid
                | OcspStale
                | OcspNotYetValid
                | OcspUnknown
                | CmsContentMissing
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn every_code_is_plain_and_its_own() {
        let mut codes: Vec<&str> = Error::ALL.iter().map(|error| error.code()).collect();
        assert!(codes.iter().all(|code| code.bytes().all(|c| c.is_ascii_lowercase() || c == b'-')));
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), Error::ALL.len());
    }
}
