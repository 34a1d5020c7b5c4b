//! Disclosures in place of their digests: RFC 9901, section 7.1, steps 3 to 5.
//!
//! Names that stand in clear are put first, so that a disclosure can never take the place of one. A digest is followed
//! where it stands; what no digest leads to, from the signed payload downwards, refuses the whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    DEPTH_MAX, Error, Verified,
    json::{self, Object},
};
use crate::{
    disclosure::digest,
    encoding::{b64url, from_b64url},
};

const LIST: &str = "_sd";
const ELEMENT: &str = "...";
const ALGORITHM: &str = "_sd_alg";

/// Characters of a path that is reported.
const PATH_CHARS_MAX: usize = 256;

/// What a disclosure puts in place of its digest.
enum Disclosure {
    Member { name: String, value: Value },
    Element { value: Value },
}

impl Disclosure {
    fn read(text: &str) -> Result<Disclosure, Error> {
        let json = json::read(&from_b64url(text).ok_or(Error::Base64)?)?;
        let Value::Array(parts) = json else { return Err(Error::DisclosureShape) };
        let mut parts = parts.into_iter();
        match [(); 4].map(|()| parts.next()) {
            [Some(Value::String(_)), Some(Value::String(name)), Some(value), None] => {
                Ok(Disclosure::Member { name, value })
            }
            [Some(Value::String(_)), Some(value), None, None] => Ok(Disclosure::Element { value }),
            _ => Err(Error::DisclosureShape),
        }
    }
}

/// Puts `disclosures` into `payload`.
pub(crate) fn process(payload: &Object, disclosures: &[String]) -> Result<Verified, Error> {
    let mut payload = payload.clone();
    match payload.shift_remove(ALGORITHM) {
        None => (),
        Some(Value::String(name)) if name == "sha-256" => (),
        Some(_) => return Err(Error::DigestAlgorithm),
    }
    let mut placing = Placing { given: BTreeMap::new(), met: BTreeSet::new(), disclosed: Vec::new() };
    for text in disclosures {
        let name = b64url(digest(text).as_bytes());
        if placing.given.insert(name, Disclosure::read(text)?).is_some() {
            return Err(Error::RepeatedDisclosure);
        }
    }
    let claims = placing.object(payload, DEPTH_MAX, "")?;
    if !placing.given.is_empty() {
        return Err(Error::Unreferenced);
    }
    let withheld = placing.met.len() - placing.disclosed.len();
    Ok(Verified { claims, disclosed: placing.disclosed, withheld })
}

struct Placing {
    /// Disclosures whose place was not met yet, by digest.
    given: BTreeMap<String, Disclosure>,
    /// Every digest met.
    met: BTreeSet<String>,
    /// Paths of what was put in place.
    disclosed: Vec<String>,
}

impl Placing {
    fn value(&mut self, value: Value, depth: usize, path: &str) -> Result<Value, Error> {
        match value {
            Value::Object(object) => self.object(object, depth, path).map(Value::Object),
            Value::Array(list) => self.list(list, depth, path).map(Value::Array),
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => Ok(plain),
        }
    }

    fn object(&mut self, object: Object, depth: usize, path: &str) -> Result<Object, Error> {
        let below = depth.checked_sub(1).ok_or(Error::TooDeep)?;
        let mut claims = Object::new();
        let mut digests = Vec::new();
        for (name, value) in object {
            match name.as_str() {
                LIST => digests = texts(value)?,
                ELEMENT => return Err(Error::Placeholder),
                ALGORITHM => return Err(Error::DigestAlgorithm),
                _ => {
                    let path = join(path, &name);
                    let value = self.value(value, below, &path)?;
                    claims.insert(name, value);
                }
            }
        }
        for digest in digests {
            match self.meet(digest)? {
                None => (),
                Some(Disclosure::Element { .. }) => return Err(Error::DisclosureShape),
                Some(Disclosure::Member { name, value }) => {
                    if [LIST, ELEMENT, ALGORITHM].contains(&name.as_str()) {
                        return Err(Error::ReservedName);
                    }
                    if claims.contains_key(&name) {
                        return Err(Error::NameClash);
                    }
                    let path = join(path, &name);
                    self.disclosed.push(path.clone());
                    let value = self.value(value, below, &path)?;
                    claims.insert(name, value);
                }
            }
        }
        Ok(claims)
    }

    fn list(&mut self, list: Vec<Value>, depth: usize, path: &str) -> Result<Vec<Value>, Error> {
        let below = depth.checked_sub(1).ok_or(Error::TooDeep)?;
        let mut values = Vec::new();
        let path = format!("{path}[]");
        for value in list {
            let Some(digest) = placeholder(&value)? else {
                values.push(self.value(value, below, &path)?);
                continue;
            };
            match self.meet(digest)? {
                None => (),
                Some(Disclosure::Member { .. }) => return Err(Error::DisclosureShape),
                Some(Disclosure::Element { value }) => {
                    self.disclosed.push(path.clone());
                    values.push(self.value(value, below, &path)?);
                }
            }
        }
        Ok(values)
    }

    /// Takes the disclosure of a digest, if it was given.
    fn meet(&mut self, digest: String) -> Result<Option<Disclosure>, Error> {
        let disclosure = self.given.remove(&digest);
        if self.met.insert(digest) { Ok(disclosure) } else { Err(Error::RepeatedDigest) }
    }
}

fn texts(value: Value) -> Result<Vec<String>, Error> {
    let Value::Array(list) = value else { return Err(Error::DigestList) };
    let text = |value| match value {
        Value::String(text) => Ok(text),
        _ => Err(Error::DigestList),
    };
    list.into_iter().map(text).collect()
}

/// The digest that stands in place of a list's element.
fn placeholder(element: &Value) -> Result<Option<String>, Error> {
    let Some(digest) = element.get(ELEMENT) else { return Ok(None) };
    match digest {
        Value::String(digest) if element.as_object().is_some_and(|object| object.len() == 1) => {
            Ok(Some(digest.clone()))
        }
        _ => Err(Error::Placeholder),
    }
}

fn join(path: &str, name: &str) -> String {
    let dot = if path.is_empty() { "" } else { "." };
    // Cut, so that many disclosures below a long name take no more memory than was sent.
    path.chars().chain(dot.chars()).chain(name.chars()).take(PATH_CHARS_MAX).collect()
}
