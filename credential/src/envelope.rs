//! The JSON in which a holder's file and a presentation travel: `{"holder_file":{…},"sum":"…"}`, and so with
//! `presentation`. The sum is a checksum over the whole content, also over what F and G do not cover, so that a
//! damaged copy is known as damaged.

use serde::{Serialize, de::DeserializeOwned};
use tanba_crypto::{Hash, Tag};

use crate::{
    holder::HOLDER_FILE_BYTES_MAX,
    opening::{OpenError, Part},
};

/// What lies in an envelope beside its sum.
pub(crate) trait Content: Serialize {
    /// The version that is written and read.
    const FORMAT: &'static str;

    /// The version it says it has.
    fn format(&self) -> &str;
}

/// The bytes of an envelope or of its content.
pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts and lists of texts are JSON")
}

/// The checksum that goes beside `content`.
pub(crate) fn sum(content: &impl Content) -> Hash {
    Hash::tagged(Tag::HOLDER_FILE, &[&to_json(content)])
}

/// Reads an envelope of at most [`HOLDER_FILE_BYTES_MAX`] bytes. Its content is nothing before [`checked`].
pub(crate) fn read<W: DeserializeOwned>(bytes: &[u8]) -> Result<W, OpenError> {
    if bytes.len() > HOLDER_FILE_BYTES_MAX {
        return Err(OpenError::TooLong { length: bytes.len(), limit: HOLDER_FILE_BYTES_MAX });
    }
    serde_json::from_slice(bytes).map_err(|error| OpenError::malformed(&error))
}

/// The content of an envelope, once it is of our version and the sum `beside` it fits.
pub(crate) fn checked<C: Content>(content: C, beside: Hash) -> Result<C, OpenError> {
    if content.format() != C::FORMAT {
        return Err(OpenError::Malformed { line: 0, column: 0 });
    }
    if sum(&content) != beside {
        return Err(OpenError::Altered(Part::Checksum));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Note(&'static str);

    impl Serialize for Note {
        fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.serialize_str(self.0)
        }
    }

    impl Content for Note {
        const FORMAT: &'static str = "note/1";

        fn format(&self) -> &str {
            self.0
        }
    }

    #[test]
    fn a_content_of_our_version_with_its_sum_is_read() {
        let good = Note("note/1");
        let beside = sum(&good);
        assert!(checked(good, beside).is_ok());
    }

    #[test]
    fn another_version_is_refused_even_with_its_sum() {
        let other = Note("note/2");
        let beside = sum(&other);
        assert_eq!(checked(other, beside).err(), Some(OpenError::Malformed { line: 0, column: 0 }));
    }

    #[test]
    fn another_sum_is_refused() {
        let refused = checked(Note("note/1"), Hash([0; 32])).err();
        assert_eq!(refused, Some(OpenError::Altered(Part::Checksum)));
    }

    #[test]
    fn one_byte_too_many_is_refused_before_it_is_read() {
        let longest = [vec![b' '; HOLDER_FILE_BYTES_MAX - 1], vec![b'1']].concat();
        assert_eq!(read::<u8>(&longest), Ok(1));
        let longer = [&b" "[..], &longest].concat();
        let (length, limit) = (longer.len(), HOLDER_FILE_BYTES_MAX);
        assert_eq!(read::<u8>(&longer), Err(OpenError::TooLong { length, limit }));
    }
}
