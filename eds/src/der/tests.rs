use proptest::prelude::*;

use super::{tag, write, *};
use crate::{Time, oid};

fn one<T>(text: &str, read_one: impl FnOnce(&mut Reader<'_>) -> Result<T, Error>) -> Result<T, Error> {
    read(&hex::decode(text.replace(' ', "")).expect("hex"), read_one)
}

#[test]
fn each_length_has_one_form() {
    assert_eq!(one("04 00", |r| r.octets().map(<[u8]>::len)), Ok(0));
    let long = format!("04 81 80 {}", "00".repeat(128));
    assert_eq!(one(&long, |r| r.octets().map(<[u8]>::len)), Ok(128));
    for (bad, error) in [
        ("04", Error::DerTruncated),
        ("04 02 00", Error::DerTruncated),
        ("04 81 01 00", Error::DerLength),
        ("04 82 00 80", Error::DerLength),
        ("04 80 00 00", Error::DerLength),
        ("04 85 01 00 00 00 00", Error::DerLength),
        ("04 84 04 00 00 01", Error::DerTooLong),
        ("1f 01 00", Error::DerHighTag),
        ("04 00 00", Error::DerTrailing),
        ("", Error::DerTruncated),
    ] {
        assert_eq!(one(bad, |r| r.any().map(|found| found.content.len())), Err(error), "{bad}");
    }
    assert_eq!(one("05 00", |r| r.octets().map(<[u8]>::len)), Err(Error::DerTag));
}

#[test]
fn each_plain_value_has_one_form() {
    let number = |text| one(text, |r| r.small());
    assert_eq!((number("02 01 00"), number("02 02 00 80"), number("02 01 7f")), (Ok(0), Ok(128), Ok(127)));
    for bad in ["02 00", "02 01 80", "02 02 00 7f", "02 02 ff ff", "02 09 01 00 00 00 00 00 00 00 00"] {
        assert_eq!(number(bad), Err(Error::DerInteger), "{bad}");
    }
    assert_eq!((one("01 01 ff", |r| r.boolean()), one("01 01 00", |r| r.boolean())), (Ok(true), Ok(false)));
    assert_eq!(one("01 01 01", |r| r.boolean()), Err(Error::DerBoolean));
    assert_eq!(one("01 01 00", |r| r.boolean_or_false()), Err(Error::DerDefault));
    assert_eq!(one("05 01 00", |r| r.null()), Err(Error::DerNull));
    assert_eq!(one("03 02 06 c0", |r| r.named_bits()), Ok(0b11));
    assert_eq!(one("03 03 07 00 80", |r| r.named_bits()), Ok(1 << 8));
    assert_eq!(one("03 01 00", |r| r.named_bits()), Ok(0));
    for bad in
        ["03 00", "03 02 06 e0", "03 02 05 c0", "03 02 00 00", "03 01 01", "03 02 08 80", "03 04 00 01 01 01"]
    {
        assert_eq!(one(bad, |r| r.named_bits()), Err(Error::DerBitString), "{bad}");
    }
    assert_eq!(one("03 02 01 80", |r| r.bit_string().map(<[u8]>::len)), Err(Error::DerBitString));
    // 2049 must not be a GeneralizedTime, 2050 must.
    let time = |text: &str| read(&write::element(tag::GENERALIZED_TIME, &[text.as_bytes()]), |r| r.time());
    assert_eq!(time("20491231235959Z"), Err(Error::DerTime));
    assert_eq!(time("20500101000000Z"), Ok(Time::YEAR_2050));
}

#[test]
fn sets_are_in_order_and_nesting_ends() {
    let set = |text| one(text, |r| r.is_set_of().and_then(|()| r.list(8, |r| r.any().map(drop))).map(drop));
    assert_eq!(set("02 01 01 02 01 02 04 00"), Ok(()));
    assert_eq!(set("02 01 02 02 01 01"), Err(Error::DerSetOrder));
    assert_eq!(set("02 01 01 02 01 01"), Err(Error::DerSetOrder));
    assert_eq!(one(&"05 00".repeat(9), |r| r.list(8, |r| r.null())), Err(Error::DerCount));
    fn descend(r: &mut Reader<'_>) -> Result<(), Error> {
        if r.is_empty() { Ok(()) } else { r.sequence(descend) }
    }
    let nested = |depth: u8| (0..depth).fold(Vec::new(), |inner, _| write::sequence(&[&inner]));
    assert_eq!(read(&nested(DEPTH_MAX), descend), Ok(()));
    assert_eq!(read(&nested(DEPTH_MAX + 1), descend), Err(Error::DerDepth));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        number in proptest::collection::vec(any::<u8>(), 0..40),
        bits in any::<u16>(),
        seconds in Time::MIN.unix_s()..=Time::MAX.unix_s(),
        octets in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let time = Time::from_unix_s(seconds);
        let bytes = write::sequence(&[
            &write::unsigned(&number),
            &write::named_bits(bits),
            &write::time(time),
            &write::generalized_time(time),
            &write::octets(&octets),
            &write::oid(&oid::ATTRIBUTE_CERTIFICATE_V2),
            &write::truth(),
        ]);
        let values = read(&bytes, |r| {
            r.sequence(|r| {
                let number = r.unsigned()?.to_vec();
                Ok((number, r.named_bits()?, r.time()?, r.generalized_time()?, r.octets()?.to_vec(), r.oid()?, r.boolean()?))
            })
        });
        let zeros = number.iter().take_while(|digit| **digit == 0).count();
        let expected = (number[zeros..].to_vec(), bits, time, time, octets, oid::ATTRIBUTE_CERTIFICATE_V2, true);
        prop_assert_eq!(values, Ok(expected));
    }
}
