//! The one byte form of a value: what is hashed, signed, stored and sent between nodes.
//!
//! Layout (bincode 2 with big-endian, fixed-width integers): an integer is its bytes, most significant first;
//! an array is its elements; a list or text is a `u64` count and its elements; an `Option` is a byte 0 or 1;
//! an enum is its declared number as one byte and then its fields ([`canonical_enum!`](crate::canonical_enum));
//! a struct is its fields in order. Maps, floats and `usize` are never encoded.
//!
//! Decoding is strict: every byte is used, and the value encoded again must give the same bytes, else the
//! input is refused. So a value has one encoding, and a hash over bytes is a hash over the value.

pub use bincode::{Decode, Encode, de, enc, error, impl_borrow_decode};

use bincode::config;

/// Why bytes are not the canonical form of the value asked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    /// Longer than the type's limit; nothing was decoded.
    #[error("{length} bytes, the limit here is {limit}")]
    TooLong {
        /// Bytes received.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not an encoding of the type at all.
    #[error("malformed: {0}")]
    Malformed(String),
    /// An encoding, but not the one canonical encoding.
    #[error("not canonical: {0}")]
    NotCanonical(&'static str),
}

/// A value with exactly one byte form.
///
/// Implemented for every type that has [`Encode`] and [`Decode`].
pub trait Canonical: Encode + Decode<()> + Sized {
    /// The canonical bytes.
    fn to_canonical(&self) -> Vec<u8> {
        bincode::encode_to_vec(self, CONFIG).expect("encoding into memory has no failure of its own")
    }

    /// Reads canonical bytes of at most `bytes_max`; refuses anything else.
    ///
    /// Allocates at most a small multiple of `bytes.len()`, whatever lengths the bytes claim.
    fn from_canonical(bytes: &[u8], bytes_max: usize) -> Result<Self, DecodeError> {
        if bytes.len() > bytes_max {
            return Err(DecodeError::TooLong { length: bytes.len(), limit: bytes_max });
        }
        let (value, used) = decode_bounded::<Self>(bytes)?;
        if used != bytes.len() {
            return Err(DecodeError::NotCanonical("bytes are left over"));
        }
        if value.to_canonical() != bytes {
            return Err(DecodeError::NotCanonical("the value has another encoding"));
        }
        Ok(value)
    }
}

impl<T: Encode + Decode<()>> Canonical for T {}

const CONFIG: config::Configuration<config::BigEndian, config::Fixint> =
    config::standard().with_big_endian().with_fixed_int_encoding();

/// A claimed length is believed only up to a budget near the input's own size. In memory a value may be a few
/// times its encoding (a list of lists), hence the factor of 16 between a class and the inputs it serves.
fn decode_bounded<T: Decode<()>>(bytes: &[u8]) -> Result<(T, usize), DecodeError> {
    macro_rules! classes {
        ($($inputs_max:literal),*) => {
            $(if bytes.len() <= $inputs_max {
                return bincode::decode_from_slice(bytes, CONFIG.with_limit::<{ $inputs_max * 16 }>())
                    .map_err(|e| DecodeError::Malformed(e.to_string()));
            })*
        };
    }
    classes!(0x100, 0x400, 0x1000, 0x4000, 0x10000, 0x40000, 0x100000, 0x400000, 0x1000000, 0x4000000);
    Err(DecodeError::TooLong { length: bytes.len(), limit: 0x4000000 })
}

/// Gives an enum its canonical form: the number written here, as one byte, then the fields in order.
///
/// bincode's own derive numbers variants by position, so that a variant inserted above would change the bytes
/// of those below it; here a number is written down once and for ever.
///
/// ```
/// enum Answer { No, Yes(u16) }
/// tanba_crypto::canonical_enum!(Answer { 1 = No, 2 = Yes(height) });
/// # use tanba_crypto::Canonical;
/// assert_eq!(Answer::Yes(7).to_canonical(), [2, 0, 7]);
/// ```
#[macro_export]
macro_rules! canonical_enum {
    ($name:ident { $($number:literal = $variant:ident $(($($field:ident),+))?),+ $(,)? }) => {
        impl $crate::canonical::Encode for $name {
            fn encode<E: $crate::canonical::enc::Encoder>(
                &self,
                encoder: &mut E,
            ) -> Result<(), $crate::canonical::error::EncodeError> {
                match self {
                    $($name::$variant $(($($field),+))? => {
                        $crate::canonical::Encode::encode(&($number as u8), encoder)?;
                        $($($crate::canonical::Encode::encode($field, encoder)?;)+)?
                    })+
                }
                Ok(())
            }
        }

        impl<C> $crate::canonical::Decode<C> for $name {
            fn decode<D: $crate::canonical::de::Decoder<Context = C>>(
                decoder: &mut D,
            ) -> Result<Self, $crate::canonical::error::DecodeError> {
                match <u8 as $crate::canonical::Decode<C>>::decode(decoder)? {
                    $($number => Ok($name::$variant $(($({
                        let $field = $crate::canonical::Decode::decode(decoder)?;
                        $field
                    }),+))?),)+
                    _ => Err($crate::canonical::error::DecodeError::Other(concat!(
                        "unknown number for ",
                        stringify!($name)
                    ))),
                }
            }
        }

        $crate::canonical::impl_borrow_decode!($name);
    };
}

/// Gives a type that derives only [`Encode`] its decoding: the inner value is read, then checked by `$check`
/// (inner value to `Option`), so that no unchecked value of the type exists.
///
/// ```
/// #[derive(tanba_crypto::canonical::Encode)]
/// # #[bincode(crate = "tanba_crypto")]
/// struct Even(u8);
/// tanba_crypto::canonical_checked!(Even, u8, |n| (n % 2 == 0).then_some(Even(n)), "not even");
/// # use tanba_crypto::Canonical;
/// assert!(Even::from_canonical(&[3], 1).is_err());
/// ```
#[macro_export]
macro_rules! canonical_checked {
    ($name:ident, $inner:ty, $check:expr, $refusal:literal) => {
        impl<C> $crate::canonical::Decode<C> for $name {
            fn decode<D: $crate::canonical::de::Decoder<Context = C>>(
                decoder: &mut D,
            ) -> Result<Self, $crate::canonical::error::DecodeError> {
                let check: fn($inner) -> Option<$name> = $check;
                check(<$inner as $crate::canonical::Decode<C>>::decode(decoder)?)
                    .ok_or($crate::canonical::error::DecodeError::Other($refusal))
            }
        }

        $crate::canonical::impl_borrow_decode!($name);
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Shape {
        Point(u16),
        Named(String),
    }
    crate::canonical_enum!(Shape { 3 = Point(at), 7 = Named(name) });

    #[test]
    fn integers_are_big_endian_and_enums_carry_their_declared_number() {
        assert_eq!(Shape::Point(0x0102).to_canonical(), [3, 1, 2]);
        let named = Shape::Named("ә".into()).to_canonical();
        assert_eq!(named, [7, 0, 0, 0, 0, 0, 0, 0, 2, 0xd3, 0x99]);
        assert_eq!(Shape::from_canonical(&named, 64), Ok(Shape::Named("ә".into())));
    }

    #[test]
    fn left_over_bytes_are_refused() {
        let mut bytes = 5u32.to_canonical();
        bytes.push(0);
        assert_eq!(u32::from_canonical(&bytes, 64), Err(DecodeError::NotCanonical("bytes are left over")));
    }

    #[test]
    fn a_second_encoding_is_refused() {
        assert!(matches!(bool::from_canonical(&[2], 64), Err(DecodeError::Malformed(_))));
        assert!(matches!(Option::<u8>::from_canonical(&[2, 0], 64), Err(DecodeError::Malformed(_))));
        assert!(matches!(Shape::from_canonical(&[4, 0, 0], 64), Err(DecodeError::Malformed(_))));
    }

    #[test]
    fn a_claimed_length_allocates_nothing() {
        let bomb = u64::MAX.to_canonical();
        assert!(matches!(Vec::<u8>::from_canonical(&bomb, 64), Err(DecodeError::Malformed(_))));
        let large = 0x0100_0000u64.to_canonical();
        assert!(matches!(Vec::<u64>::from_canonical(&large, 64), Err(DecodeError::Malformed(_))));
    }

    #[test]
    fn longer_than_the_limit_is_refused_before_decoding() {
        assert_eq!(u64::from_canonical(&[0; 8], 7), Err(DecodeError::TooLong { length: 8, limit: 7 }));
    }

    proptest::proptest! {
        #[test]
        fn whatever_decodes_encodes_to_the_same_bytes(bytes: Vec<u8>) {
            if let Ok(value) = Vec::<Option<u16>>::from_canonical(&bytes, 1 << 16) {
                assert_eq!(value.to_canonical(), bytes);
            }
        }
    }
}
