//! JSON as signatures need it: an object that names a member twice is refused, because two readers may each take
//! another one; nesting is bounded; everything else is RFC 8259 by `serde_json`.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::Error;

/// Levels of nesting in one JSON text, and in a document with its disclosures put in place.
pub const DEPTH_MAX: usize = 16;

/// A JSON object, members in order.
pub type Object = Map<String, Value>;

/// Reads one JSON text.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let mut fault = None;
    let value = Strict { depth: DEPTH_MAX, fault: &mut fault }.deserialize(&mut reader);
    match (value, fault) {
        (_, Some(fault)) => Err(fault),
        (Ok(value), None) => reader.end().map(|()| value).map_err(|_| Error::Json),
        (Err(_), None) => Err(Error::Json),
    }
}

/// Reads one JSON object.
pub(crate) fn read_object(bytes: &[u8]) -> Result<Object, Error> {
    match read(bytes)? {
        Value::Object(object) => Ok(object),
        _ => Err(Error::NotAnObject),
    }
}

/// A reader of one value, that notes what it refuses beyond the grammar.
struct Strict<'a> {
    depth: usize,
    fault: &'a mut Option<Error>,
}

impl Strict<'_> {
    fn refuse<E: de::Error>(&mut self, fault: Error) -> E {
        *self.fault = Some(fault);
        E::custom(fault)
    }

    fn below(&mut self) -> Strict<'_> {
        Strict { depth: self.depth - 1, fault: self.fault }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Value, A::Error> {
        if self.depth == 0 {
            return Err(self.refuse(Error::TooDeep));
        }
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self.below())? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        if self.depth == 0 {
            return Err(self.refuse(Error::TooDeep));
        }
        let mut object = Object::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(self.refuse(Error::DuplicateMember));
            }
            let value = members.next_value_seed(self.below())?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_as_it_stands() {
        let text = r#"{"b":[1,-2,0.5,true,null,"ә\u0041"],"a":{}}"#;
        let value = read(text.as_bytes()).expect("JSON");
        assert_eq!(value.to_string(), r#"{"b":[1,-2,0.5,true,null,"әA"],"a":{}}"#);
    }

    #[test]
    fn a_member_named_twice_is_refused_at_any_depth_and_in_any_spelling() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#] {
            assert_eq!(read(text.as_bytes()), Err(Error::DuplicateMember), "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(nested(DEPTH_MAX).as_bytes()).is_ok());
        for levels in [DEPTH_MAX + 1, 100_000] {
            assert_eq!(read(nested(levels).as_bytes()), Err(Error::TooDeep));
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let cases: [&[u8]; 8] =
            [b"", b"{}{}", b"{\"a\":1,}", b"01", b"1e999", b"\"\xff\"", b"\"\\ud800\"", b"NaN"];
        for bytes in cases {
            assert_eq!(read(bytes), Err(Error::Json), "{bytes:?}");
        }
        assert_eq!(read_object(b"[]"), Err(Error::NotAnObject));
    }
}
