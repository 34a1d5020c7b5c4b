//! One salted field (RFC 9901, section 4.2), and the decoy that hides how many there are.
//!
//! A disclosure is the base64url text of a JSON array `[salt, name, value]`. Its digest is SHA-256 over that
//! text as issued: nothing is parsed and written again before hashing.

use std::fmt;

use serde::de::IgnoredAny;
use tanba_crypto::Hash;

use crate::{
    encoding::{array_from_b64url, b64url, from_b64url},
    requisites::{Field, FieldError, Value},
};

/// A salt: 128 bits (RFC 9901, section 9.3), never used twice.
pub type Salt = [u8; 16];

/// Bytes of one disclosure's text. The largest legal one (four texts of 200 four-byte characters) is shorter.
pub const DISCLOSURE_BYTES_MAX: usize = 8 * 1024;

/// The RFC 9901 digest of a disclosure or decoy.
pub fn digest(text: &str) -> Hash {
    Hash::plain(text.as_bytes())
}

/// A field, its salt and its value: given to whoever may know it.
#[derive(Clone, PartialEq, Eq)]
pub struct Disclosure {
    text: String,
    field: Field,
    value: Value,
}

/// Why a text is no disclosure of a diploma's field. Carries nothing of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DisclosureError {
    /// Longer than [`DISCLOSURE_BYTES_MAX`].
    #[error("a disclosure is longer than {DISCLOSURE_BYTES_MAX} bytes")]
    TooLong,
    /// Not base64url of `[salt, name, value]`.
    #[error("not base64url of a JSON array of salt, name and value")]
    Shape,
    /// The salt is not 16 bytes.
    #[error("the salt is not 16 bytes of base64url")]
    Salt,
    /// A name outside the list.
    #[error("a claim that a diploma may not carry")]
    Name,
    /// The value has not the shape of its field.
    #[error("the value of {} has another shape", .0.name())]
    Value(Field),
    /// The value is not allowed.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl Disclosure {
    /// Writes the disclosure of `value` under `salt`.
    pub fn new(salt: &Salt, field: Field, value: Value) -> Result<Disclosure, FieldError> {
        value.check(field)?;
        let json = serde_json::to_vec(&(b64url(salt), field.name(), &value))
            .expect("texts, numbers and structs of them are JSON");
        Ok(Disclosure { text: b64url(&json), field, value })
    }

    /// Reads a disclosure, by any JSON writer's spelling, that names an allowed field with an allowed value.
    pub fn parse(text: &str) -> Result<Disclosure, DisclosureError> {
        if text.len() > DISCLOSURE_BYTES_MAX {
            return Err(DisclosureError::TooLong);
        }
        let json = from_b64url(text).ok_or(DisclosureError::Shape)?;
        let (salt, name, _): (String, String, IgnoredAny) =
            serde_json::from_slice(&json).map_err(|_| DisclosureError::Shape)?;
        array_from_b64url::<16>(&salt).ok_or(DisclosureError::Salt)?;
        let field = Field::by_name(&name).ok_or(DisclosureError::Name)?;
        let value = Value::read(field, &json).map_err(|_| DisclosureError::Value(field))?;
        value.check(field)?;
        Ok(Disclosure { text: text.to_owned(), field, value })
    }

    /// The text as issued.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What `_sd` lists.
    pub fn digest(&self) -> Hash {
        digest(&self.text)
    }

    /// Which field.
    pub const fn field(&self) -> Field {
        self.field
    }

    /// Its value.
    pub const fn value(&self) -> &Value {
        &self.value
    }
}

impl fmt::Debug for Disclosure {
    /// Shows which field, and neither salt nor value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disclosure").field("field", &self.field).finish_non_exhaustive()
    }
}

/// A digest that stands for nothing. The holder gets what it was made of, `[salt]`, and sees that the issuer
/// hid no claim and no message behind it: an array of one can be neither.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decoy {
    text: String,
}

impl Decoy {
    /// A decoy under `salt`.
    pub fn new(salt: &Salt) -> Decoy {
        Decoy { text: b64url(format!("[\"{}\"]", b64url(salt)).as_bytes()) }
    }

    /// Reads what [`Decoy::new`] writes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Decoy> {
        if text.len() > DISCLOSURE_BYTES_MAX {
            return None;
        }
        let (salt,): (String,) = serde_json::from_slice(&from_b64url(text)?).ok()?;
        let decoy = Decoy::new(&array_from_b64url(&salt)?);
        (decoy.text == text).then_some(decoy)
    }

    /// The text as issued.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What `_sd` lists.
    pub fn digest(&self) -> Hash {
        digest(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requisites::{DiplomaNumber, ProgrammeName, TEXT_CHARS_MAX, Texts};

    fn raw(json: &str) -> String {
        b64url(json.as_bytes())
    }

    const SALT: &str = "AAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn what_is_written_reads_back() {
        let number = DiplomaNumber { series: "BD".into(), number: "001".into() };
        let made =
            Disclosure::new(&[7; 16], Field::DiplomaNumber, Value::DiplomaNumber(number)).expect("legal");
        assert_eq!(Disclosure::parse(made.text()), Ok(made));
    }

    #[test]
    fn a_claim_outside_the_list_is_refused() {
        let iin = raw(&format!(r#"["{SALT}","iin","000000000000"]"#));
        assert_eq!(Disclosure::parse(&iin), Err(DisclosureError::Name));
    }

    #[test]
    fn extra_members_elements_and_short_salts_are_refused() {
        let level = |json: &str| Disclosure::parse(&raw(&json.replace("SALT", SALT)));
        assert!(level(r#"["SALT","level",6]"#).is_ok());
        assert!(level(r#"[ "SALT", "level", 6 ]"#).is_ok(), "any writer's spelling");
        assert_eq!(level(r#"["SALT","level",6,7]"#), Err(DisclosureError::Shape));
        assert_eq!(level(r#"["SALT","level"]"#), Err(DisclosureError::Shape));
        assert_eq!(level(r#"["AAAA","level",6]"#), Err(DisclosureError::Salt));
        assert_eq!(level(r#"["SALT","level","6"]"#), Err(DisclosureError::Value(Field::Level)));
        assert!(matches!(level(r#"["SALT","level",9]"#), Err(DisclosureError::Field(_))));
        let name = r#"["SALT","given_name",{"kk":"a","ru":"b","en":"c""#;
        assert!(level(&format!("{name}}}]")).is_ok());
        for extra in [r#","sex":"x"}]"#, r#","en":"d"}]"#] {
            let field = Field::GivenName;
            assert_eq!(level(&format!("{name}{extra}")), Err(DisclosureError::Value(field)));
        }
    }

    #[test]
    fn a_decoy_can_carry_nothing() {
        let decoy = Decoy::new(&[9; 16]);
        assert_eq!(Decoy::parse(decoy.text()), Some(decoy.clone()));
        assert_eq!(Disclosure::parse(decoy.text()), Err(DisclosureError::Shape));
        for loaded in [format!(r#"["{SALT}","x"]"#), format!(r#"[ "{SALT}"]"#), r#"["hidden"]"#.into()] {
            assert_eq!(Decoy::parse(&raw(&loaded)), None, "{loaded}");
        }
    }

    #[test]
    fn the_largest_legal_disclosure_is_below_the_limit() {
        let long = "\u{10000}".repeat(TEXT_CHARS_MAX);
        let name = Texts { kk: long.clone(), ru: long.clone(), en: long };
        let programme = ProgrammeName { code: "A".repeat(16), name };
        let made = Disclosure::new(&[1; 16], Field::Programme, Value::Programme(programme)).expect("legal");
        assert!(made.text().len() <= DISCLOSURE_BYTES_MAX);
    }
}
