//! Every way in which an SD-JWT is refused, each with a code that machines compare and people look up. None of them
//! carries anything of the document: whoever logs an error logs nobody's data.

/// Why an SD-JWT is not believed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, thiserror::Error)]
pub enum Error {
    /// More bytes than [`super::SD_JWT_BYTES_MAX`].
    #[error("longer than {} bytes", super::SD_JWT_BYTES_MAX)]
    TooLong,
    /// More disclosures than [`super::DISCLOSURES_MAX`].
    #[error("more than {} disclosures", super::DISCLOSURES_MAX)]
    TooManyDisclosures,
    /// Neither compact nor JSON serialisation.
    #[error("not an SD-JWT: the parts are not those of a compact or JSON serialisation")]
    Form,
    /// Two parts: a JWS without a signature.
    #[error("there is no signature")]
    Unsigned,
    /// A JSON serialisation with a member missing, unknown or of another type.
    #[error("the JSON serialisation has a missing, unknown or mistyped member")]
    FormMember,
    /// A general JSON serialisation without exactly one signature.
    #[error("the general JSON serialisation must have exactly one signature")]
    SignatureCount,
    /// Not base64url without padding, in its one spelling.
    #[error("a part is not base64url")]
    Base64,
    /// Not JSON (RFC 8259), or text that is not UTF-8.
    #[error("a part is not JSON")]
    Json,
    /// An object names a member twice.
    #[error("a JSON object names a member twice")]
    DuplicateMember,
    /// Nested deeper than [`super::DEPTH_MAX`].
    #[error("JSON is nested deeper than {} levels", super::DEPTH_MAX)]
    TooDeep,
    /// Header or payload is not a JSON object.
    #[error("header or payload is not a JSON object")]
    NotAnObject,
    /// No `alg`, or one outside the list; `none` among them.
    #[error("the algorithm is missing or not allowed")]
    Algorithm,
    /// Another `typ` than asked for, or none.
    #[error("the type in the header is not the one expected")]
    Type,
    /// `crit` asks for an extension; none is understood.
    #[error("the header asks for an extension (crit)")]
    Critical,
    /// The header brings a key or says where to fetch one.
    #[error("the header brings its own key (jwk, jku or x5u)")]
    HeaderKey,
    /// A header parameter of another type, or both protected and not.
    #[error("a header parameter has another type or stands twice")]
    Header,
    /// The key is no key this crate uses, or it is a private one.
    #[error("the key is not a public Ed25519 or P-256 key")]
    Key,
    /// The algorithm is not the key's.
    #[error("the algorithm is not that of the key")]
    KeyAlgorithm,
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
    /// `_sd_alg` is not `sha-256`, or stands elsewhere than at the top.
    #[error("the digest algorithm is unknown or stands in a nested object")]
    DigestAlgorithm,
    /// `_sd` is not a list of texts.
    #[error("_sd is not a list of texts")]
    DigestList,
    /// `...` is not the only member of a list's element, or is not a text.
    #[error("... is not the only member of a list's element, or not a text")]
    Placeholder,
    /// A digest stands twice, in the payload or in disclosures.
    #[error("a digest occurs twice")]
    RepeatedDigest,
    /// A disclosure is given twice.
    #[error("a disclosure occurs twice")]
    RepeatedDisclosure,
    /// A disclosure is not a list of salt, name and value, or of salt and value, in place of its digest.
    #[error("a disclosure has not the shape that its place asks for")]
    DisclosureShape,
    /// A disclosure's name is `_sd`, `...` or `_sd_alg`.
    #[error("a disclosure has a reserved name")]
    ReservedName,
    /// A disclosure's name stands there already.
    #[error("a disclosure names a claim that is there already")]
    NameClash,
    /// No digest refers to a disclosure.
    #[error("a disclosure is not referred to by any digest")]
    Unreferenced,
    /// A claim is missing that must be there, or has another type.
    #[error("a claim is missing or has another type")]
    Claim,
    /// A claim that must stand in clear was disclosed.
    #[error("a claim that must stand in clear is disclosed")]
    MustBeClear,
    /// A time is not a whole number of seconds.
    #[error("a time is not a whole number of seconds")]
    TimeFormat,
    /// `exp` is past.
    #[error("it has expired")]
    Expired,
    /// `nbf` is to come.
    #[error("it is not valid yet")]
    NotYetValid,
    /// `iat` is to come.
    #[error("it was issued in the future")]
    IssuedInFuture,
    /// There is no key-binding JWT, and one is asked for.
    #[error("the holder's answer is missing")]
    KeyBindingMissing,
    /// The document names no holder's key to check the answer by.
    #[error("the document names no key of the holder")]
    KeyBindingKey,
    /// The key-binding JWT is not a JWS of three parts.
    #[error("the holder's answer is not a signed JWT")]
    KeyBindingForm,
    /// Its `typ` is not `kb+jwt`.
    #[error("the holder's answer is of another type")]
    KeyBindingType,
    /// Its signature is not by the holder's key.
    #[error("the holder's answer is not signed by the holder's key")]
    KeyBindingSignature,
    /// `aud`, `nonce`, `iat` or `sd_hash` is missing or of another type.
    #[error("the holder's answer lacks a claim")]
    KeyBindingClaim,
    /// It answers another verifier.
    #[error("the holder's answer is for another verifier")]
    Audience,
    /// It answers another question.
    #[error("the holder's answer is for another question")]
    Nonce,
    /// It was given too long ago or in the future.
    #[error("the holder's answer is not of now")]
    KeyBindingTime,
    /// It covers another document or other disclosures.
    #[error("the holder's answer covers other disclosures")]
    SdHash,
}

impl Error {
    /// Every error, in order.
    pub const ALL: [Error; 44] = {
        use Error::*;
        [
            TooLong,
            TooManyDisclosures,
            Form,
            Unsigned,
            FormMember,
            SignatureCount,
            Base64,
            Json,
            DuplicateMember,
            TooDeep,
            NotAnObject,
            Algorithm,
            Type,
            Critical,
            HeaderKey,
            Header,
            Key,
            KeyAlgorithm,
            Signature,
            DigestAlgorithm,
            DigestList,
            Placeholder,
            RepeatedDigest,
            RepeatedDisclosure,
            DisclosureShape,
            ReservedName,
            NameClash,
            Unreferenced,
            Claim,
            MustBeClear,
            TimeFormat,
            Expired,
            NotYetValid,
            IssuedInFuture,
            KeyBindingMissing,
            KeyBindingKey,
            KeyBindingForm,
            KeyBindingType,
            KeyBindingSignature,
            KeyBindingClaim,
            Audience,
            Nonce,
            KeyBindingTime,
            SdHash,
        ]
    };

    /// The code by which machines know it; never changed once given.
    pub const fn code(self) -> &'static str {
        match self {
            Error::TooLong => "too_long",
            Error::TooManyDisclosures => "too_many_disclosures",
            Error::Form => "form",
            Error::Unsigned => "unsigned",
            Error::FormMember => "form_member",
            Error::SignatureCount => "signature_count",
            Error::Base64 => "base64",
            Error::Json => "json",
            Error::DuplicateMember => "duplicate_member",
            Error::TooDeep => "too_deep",
            Error::NotAnObject => "not_an_object",
            Error::Algorithm => "algorithm",
            Error::Type => "type",
            Error::Critical => "critical",
            Error::HeaderKey => "header_key",
            Error::Header => "header",
            Error::Key => "key",
            Error::KeyAlgorithm => "key_algorithm",
            Error::Signature => "signature",
            Error::DigestAlgorithm => "digest_algorithm",
            Error::DigestList => "digest_list",
            Error::Placeholder => "placeholder",
            Error::RepeatedDigest => "repeated_digest",
            Error::RepeatedDisclosure => "repeated_disclosure",
            Error::DisclosureShape => "disclosure_shape",
            Error::ReservedName => "reserved_name",
            Error::NameClash => "name_clash",
            Error::Unreferenced => "unreferenced",
            Error::Claim => "claim",
            Error::MustBeClear => "must_be_clear",
            Error::TimeFormat => "time_format",
            Error::Expired => "expired",
            Error::NotYetValid => "not_yet_valid",
            Error::IssuedInFuture => "issued_in_future",
            Error::KeyBindingMissing => "kb_missing",
            Error::KeyBindingKey => "kb_key",
            Error::KeyBindingForm => "kb_form",
            Error::KeyBindingType => "kb_type",
            Error::KeyBindingSignature => "kb_signature",
            Error::KeyBindingClaim => "kb_claim",
            Error::Audience => "kb_audience",
            Error::Nonce => "kb_nonce",
            Error::KeyBindingTime => "kb_time",
            Error::SdHash => "kb_sd_hash",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_error_has_a_code_of_its_own() {
        let codes: BTreeSet<&str> = Error::ALL.iter().map(|error| error.code()).collect();
        assert_eq!(codes.len(), Error::ALL.len());
        assert_eq!(BTreeSet::from(Error::ALL).len(), Error::ALL.len());
    }
}
