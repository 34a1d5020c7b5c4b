//! Where random bytes come from, as an argument: the operating system in production, a counter in tests.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The operating system gave no random bytes; nothing may be made without them.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random bytes: {0}")]
pub struct RandomError(pub String);

/// A source of random bytes fit for keys.
pub trait RandomSource {
    /// Fills `bytes`, or fails.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError>;

    /// An array of random bytes.
    fn array<const N: usize>(&mut self) -> Result<[u8; N], RandomError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl RandomSource for SystemRandom {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(bytes).map_err(|error| RandomError(error.to_string()))
    }
}

/// What a record of a person goes by in file names and lists: random, so that it says nothing of the person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordId([u8; 16]);

impl RecordId {
    /// A new one.
    pub fn draw(random: &mut impl RandomSource) -> Result<RecordId, RandomError> {
        Ok(RecordId(random.array()?))
    }

    /// Reads 32 lower-case hex digits.
    pub fn parse(text: &str) -> Option<RecordId> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(RecordId(bytes)).filter(|id| id.to_string() == text)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<RecordId> for String {
    fn from(id: RecordId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for RecordId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<RecordId, &'static str> {
        RecordId::parse(&text).ok_or("a record id is 32 lower-case hex digits")
    }
}
