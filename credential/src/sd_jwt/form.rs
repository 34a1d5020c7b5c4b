//! The two forms in which an SD-JWT travels: compact, `<JWS>~<disclosure>~…~<answer>`, and JSON (RFC 9901, section 8),
//! flattened or general with one signature, disclosures and answer in the unprotected header.

use std::fmt;

use serde_json::Value;

use super::{
    DISCLOSURES_MAX, Error, Jwk, SD_JWT_BYTES_MAX, Verified,
    json::{self, Object},
    jws::Jws,
    process::process,
};

/// How an SD-JWT was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Parts between tildes.
    Compact,
    /// JSON with the signature beside the payload.
    Flattened,
    /// JSON with a list of signatures.
    General,
}

/// An SD-JWT that was read. Nothing of it is believed before [`SdJwt::verify`].
#[derive(Clone)]
pub struct SdJwt {
    form: Form,
    jws: Jws,
    disclosures: Vec<String>,
    key_binding: Option<String>,
}

impl SdJwt {
    /// Reads either form; which one is told by the first byte.
    pub fn read(bytes: &[u8]) -> Result<SdJwt, Error> {
        if bytes.len() > SD_JWT_BYTES_MAX {
            return Err(Error::TooLong);
        }
        if bytes.first() == Some(&b'{') {
            return read_json(&json::read_object(bytes)?);
        }
        read_compact(str::from_utf8(bytes).map_err(|_| Error::Form)?)
    }

    /// Checks type, signature and disclosures: section 7.1, steps 1 to 5. `types` are the values of `typ` that the
    /// caller understands; a document of another kind is never taken for one of these.
    ///
    /// Times are not checked: [`super::vc::check_times`].
    pub fn verify(&self, key: &Jwk, types: &[&str]) -> Result<Verified, Error> {
        self.check_signature(key)?;
        if !self.jws.is_of(types) {
            return Err(Error::Type);
        }
        self.process()
    }

    pub(crate) fn check_signature(&self, key: &Jwk) -> Result<(), Error> {
        self.jws.verify(key)
    }

    /// The payload with its disclosures in place, by whomever it was written.
    pub(crate) fn process(&self) -> Result<Verified, Error> {
        process(self.jws.payload(), &self.disclosures)
    }

    pub(crate) fn is_of(&self, types: &[&str]) -> bool {
        self.jws.is_of(types)
    }

    /// How it was written.
    pub const fn form(&self) -> Form {
        self.form
    }

    /// The name of the issuer's key, as the header has it.
    pub fn key_id(&self) -> Option<&str> {
        self.jws.header().get("kid").and_then(Value::as_str)
    }

    /// The disclosures as given.
    pub fn disclosures(&self) -> &[String] {
        &self.disclosures
    }

    /// The holder's answer, a JWS, if there is one.
    pub fn key_binding(&self) -> Option<&str> {
        self.key_binding.as_deref()
    }

    /// The compact form without the holder's answer: what that answer's `sd_hash` covers, whatever the form.
    pub fn to_compact(&self) -> String {
        let mut text = self.jws.to_compact();
        for disclosure in &self.disclosures {
            text.push('~');
            text.push_str(disclosure);
        }
        text.push('~');
        text
    }
}

impl fmt::Debug for SdJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SdJwt");
        shown.field("form", &self.form).field("disclosures", &self.disclosures.len()).finish_non_exhaustive()
    }
}

fn read_compact(text: &str) -> Result<SdJwt, Error> {
    let mut parts = text.split('~');
    let jws = Jws::read_compact(parts.next().unwrap_or_default())?;
    let mut disclosures: Vec<String> = parts.by_ref().take(DISCLOSURES_MAX + 2).map(str::to_owned).collect();
    // The last part is the answer, or empty; a JWS without a tilde is another kind of document.
    let key_binding = disclosures.pop().ok_or(Error::Form)?;
    if disclosures.len() > DISCLOSURES_MAX {
        return Err(Error::TooManyDisclosures);
    }
    let key_binding = (!key_binding.is_empty()).then_some(key_binding);
    Ok(SdJwt { form: Form::Compact, jws, disclosures, key_binding })
}

fn read_json(outer: &Object) -> Result<SdJwt, Error> {
    let Some(signatures) = outer.get("signatures") else {
        only(outer, &["payload", "protected", "signature", "header"])?;
        return read_signed(Form::Flattened, outer, outer);
    };
    only(outer, &["payload", "signatures"])?;
    match signatures.as_array().map(Vec::as_slice) {
        Some([Value::Object(one)]) => {
            only(one, &["protected", "signature", "header"])?;
            read_signed(Form::General, outer, one)
        }
        Some([_]) | None => Err(Error::FormMember),
        Some(_) => Err(Error::SignatureCount),
    }
}

fn read_signed(form: Form, outer: &Object, signed: &Object) -> Result<SdJwt, Error> {
    let jws = Jws::read(text(signed, "protected")?, text(outer, "payload")?, text(signed, "signature")?)?;
    let none = Object::new();
    let header = match signed.get("header") {
        None => &none,
        Some(header) => header.as_object().ok_or(Error::FormMember)?,
    };
    only(header, &["disclosures", "kb_jwt", "kid"])?;
    if header.keys().any(|name| jws.header().contains_key(name)) {
        return Err(Error::Header);
    }
    let key_binding = header.get("kb_jwt").map(|_| text(header, "kb_jwt")).transpose()?;
    Ok(SdJwt { form, jws, disclosures: disclosures(header)?, key_binding: key_binding.map(str::to_owned) })
}

fn disclosures(header: &Object) -> Result<Vec<String>, Error> {
    let Some(listed) = header.get("disclosures") else { return Ok(Vec::new()) };
    let listed = listed.as_array().ok_or(Error::FormMember)?;
    if listed.len() > DISCLOSURES_MAX {
        return Err(Error::TooManyDisclosures);
    }
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or(Error::FormMember);
    listed.iter().map(text).collect()
}

fn text<'a>(object: &'a Object, member: &str) -> Result<&'a str, Error> {
    object.get(member).and_then(Value::as_str).ok_or(Error::FormMember)
}

fn only(object: &Object, members: &[&str]) -> Result<(), Error> {
    let known = object.keys().all(|name| members.contains(&name.as_str()));
    if known { Ok(()) } else { Err(Error::FormMember) }
}
