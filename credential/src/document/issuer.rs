//! The institution's number, as documents spell it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A business identification number as documents spell it: 12 digits. Its control digit is the ledger's to
/// check, which knows the institution anyway.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerBin([u8; 12]);

impl IssuerBin {
    /// Reads 12 digits.
    pub fn parse(text: &str) -> Option<IssuerBin> {
        let digits: [u8; 12] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(IssuerBin(digits))
    }

    /// The 12 digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are ASCII")
    }
}

impl fmt::Display for IssuerBin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for IssuerBin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for IssuerBin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for IssuerBin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<IssuerBin, D::Error> {
        let text = String::deserialize(deserializer)?;
        IssuerBin::parse(&text).ok_or_else(|| de::Error::custom("a BIN has 12 digits"))
    }
}
