//! The standards' examples, and the numbers of the curves held together.

use crypto_bigint::{U256, U512, Uint, const_monty_params};
use proptest::prelude::*;

use super::{
    curves::{Curve as CurveNumbers, Field, LIMBS_256, LIMBS_512, Scalar, curve, number},
    *,
};

curve! {
    /// The example curve of RFC 7091, section 7.1.
    Example256, Example256P, Example256Q, U256, cofactor 1,
    p "8000000000000000000000000000000000000000000000000000000000000431",
    q "8000000000000000000000000000000150fe8a1892976154c59cfc193accf5b3",
    a "0000000000000000000000000000000000000000000000000000000000000007",
    b "5fbff498aa938ce739b8e022fbafef40563f6e6a3472fc2a514c0ce9dae23b7e",
    x "0000000000000000000000000000000000000000000000000000000000000002",
    y "08e2a8a0e65147d4bd6316030e16d19c85c97f0a9ca267122b96abbcea7e8fc8"
}

curve! {
    /// The example curve of GOST R 34.10-2012, appendix A.2.
    Example512, Example512P, Example512Q, U512, cofactor 1,
    p "4531acd1fe0023c7550d267b6b2fee80922b14b2ffb90f04d4eb7c09b5d2d15df1d852741af4704a0458047e80e4546d35b8336fac224dd81664bbf528be6373",
    q "4531acd1fe0023c7550d267b6b2fee80922b14b2ffb90f04d4eb7c09b5d2d15da82f2d7ecb1dbac719905c5eecc423f1d86e25edbe23c595d644aaf187e6e6df",
    a "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000007",
    b "1cff0806a31116da29d8cfa54e57eb748bc5f377e49400fdd788b649eca1ac4361834013b2ad7322480a89ca58e0cf74bc9e540c2add6897fad0a3084f302adc",
    x "24d19cc64572ee30f396bf6ebbfd7a6c5213b3b3d7057cc825f91093a68cd762fd60611262cd838dc6b60aa7eee804e28bc849977fac33b4b530f1b120248a9a",
    y "2bb312a43bd2ce6e0d020613c857acddcfbf061e91e5f2c3f32447c259f39b2c83ab156d77f1496bf7eb3351e1ee4e43dc1a18b91b24640b6dbb92cb1add371e"
}

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).expect("hex")
}

fn reversed(hex: &str) -> Vec<u8> {
    bytes(hex).into_iter().rev().collect()
}

/// One example of the standard, checked and then changed: the key's coordinates, the signed number, r and s.
fn example<C: CurveNumbers<LIMBS>, const LIMBS: usize>([x, y, e, r, s]: [&str; 5]) {
    let (x, y) = (Uint::from_be_hex(x), Uint::from_be_hex(y));
    let key = Point::<C, LIMBS>::on_curve(&x, &y).expect("on the curve");
    let (digest, signature) = (reversed(e), bytes(&[r, s].concat()));
    assert_eq!(verify::verify(&key, &digest, &signature), Ok(()));
    for byte in 0..signature.len() {
        let mut other = signature.clone();
        other[byte] ^= 1;
        assert_eq!(verify::verify(&key, &digest, &other), Err(SignatureError::Mismatch), "byte {byte}");
    }
    let mut other = digest.clone();
    other[0] ^= 1;
    assert_eq!(verify::verify(&key, &other, &signature), Err(SignatureError::Mismatch));
    let (short, long) = (&digest[1..], [&signature[..], &[0]].concat());
    assert!(matches!(verify::verify(&key, short, &signature), Err(SignatureError::Structure(_))));
    assert!(matches!(verify::verify(&key, &digest, &long), Err(SignatureError::Structure(_))));
}

#[test]
fn the_example_of_rfc_7091_verifies() {
    example::<Example256, LIMBS_256>([
        "7f2b49e270db6d90d8595bec458b50c58585ba1d4e9b788f6689dbd8e56fd80b",
        "26f1b489d6701dd185c8413a977b3cbbaf64d1c593d26627dffb101a87ff77da",
        "2dfbc1b372d89a1188c09c52e0eec61fce52032ab1022e8e67ece6672b043ee5",
        "41aa28d2f1ab148280cd9ed56feda41974053554a42767b83ad043fd39dc0493",
        "01456c64ba4642a1653c235a98a60249bcd6d3f746b631df928014f6c5bf9c40",
    ]);
}

#[test]
fn the_512_bit_example_of_the_standard_verifies() {
    example::<Example512, LIMBS_512>([
        "115dc5bc96760c7b48598d8ab9e740d4c4a85a65be33c1815b5c320c854621dd5a515856d13314af69bc5b924c8b4ddff75c45415c1d9dd9dd33612cd530efe1",
        "37c7c90cd40b0f5621dc3ac1b751cfa0e2634fa0503b3d52639f5d7fb72afd61ea199441d943ffe7f0c70a2759a3cdb84c114e1f9339fdf27f35eca93677beec",
        "3754f3cfacc9e0615c4f4a7c4d8dab531b09b6f9c170c533a71d147035b0c5917184ee536593f4414339976c647c5d5a407adedb1d560c4fc6777d2972075b8c",
        "2f86fa60a081091a23dd795e1e3c689ee512a3c82ee0dcc2643c78eea8fcacd35492558486b20f1c9ec197c90699850260c93bcbcd9c5c3317e19344e173ae36",
        "1081b394696ffe8e6585e7a9362d26b6325f56778aadbc081c0bfbe933d52ff5823ce288e8c4f362526080df7f70ce406a6eeb1f56919cb92a9853bde73e5b4a",
    ]);
}

/// The base point lies on its curve and q times it is infinity; one less is its mirror.
fn numbers_fit_together<C: CurveNumbers<LIMBS>, const LIMBS: usize>() {
    let (x, y) = Point::<C, LIMBS>::BASE.affine().expect("a point");
    let base = Point::<C, LIMBS>::on_curve(&x, &y).expect("on the curve");
    let q = *Scalar::<C, LIMBS>::MODULUS.as_ref();
    assert!(Point::sum_of_multiples([(&q, base)]).affine().is_none());
    let last = (-Scalar::<C, LIMBS>::ONE).retrieve();
    let mirrored = (-C::Y).retrieve();
    assert_eq!(Point::sum_of_multiples([(&last, base)]).affine(), Some((x, mirrored)));
    // A sum that meets itself, its mirror and infinity on the way.
    let two = Point::sum_of_multiples([(&Uint::from(2_u8), base)]).affine();
    assert_eq!(Point::sum_of_multiples([(&Uint::ONE, base), (&Uint::ONE, base)]).affine(), two);
    assert!(Point::sum_of_multiples([(&Uint::ONE, base), (&last, base)]).affine().is_none());
}

#[test]
fn the_numbers_of_each_curve_fit_together() {
    numbers_fit_together::<Tc26A512, LIMBS_512>();
    numbers_fit_together::<Tc26A256, LIMBS_256>();
    numbers_fit_together::<CryptoProA, LIMBS_256>();
}

#[test]
fn signing_relies_on_a_being_p_minus_3() {
    let three = Field::<Tc26A512, LIMBS_512>::new(&Uint::from(3_u8));
    assert_eq!(Tc26A512::A, -three);
    assert_eq!(Tc26A512::COFACTOR, 1);
}

fn private(n: u8) -> SigningKey {
    SigningKey::from_number(&[n; 64]).expect("below q")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn both_kinds_of_arithmetic_agree(number in any::<[u8; 64]>()) {
        // q is so near to 2^512 that no drawn number reaches it.
        let key = SigningKey::from_number(&number).expect("below q");
        let times = Uint::from_be_slice(&number);
        let (x, y) = Point::sum_of_multiples([(&times, Point::<Tc26A512, LIMBS_512>::BASE)]).affine().expect("a point");
        let other = VerifyingKey::from_coordinates(Curve::Tc26A512, &x.to_be_bytes(), &y.to_be_bytes());
        prop_assert_eq!(key.verifying_key(), other.expect("on the curve"));
    }
}

#[test]
fn a_signature_holds_for_its_digest_and_key_alone() {
    let digest = streebog_512(&[b"diploma"]);
    let signature = private(1).sign(&digest, &[]);
    assert_eq!(private(1).verifying_key().verify(&digest, &signature), Ok(()));
    assert_eq!(private(2).verifying_key().verify(&digest, &signature), Err(SignatureError::Mismatch));
    let other = streebog_512(&[b"diplomb"]);
    assert_eq!(private(1).verifying_key().verify(&other, &signature), Err(SignatureError::Mismatch));
}

#[test]
fn nonces_depend_on_digest_and_hedge() {
    let (one, two) = (streebog_512(&[b"1"]), streebog_512(&[b"2"]));
    let key = private(7);
    assert_eq!(key.sign(&one, b"h"), key.sign(&one, b"h"));
    let r = |signature: Signature| signature.0[..64].to_vec();
    assert_ne!(r(key.sign(&one, b"h")), r(key.sign(&one, b"i")));
    assert_ne!(r(key.sign(&one, b"h")), r(key.sign(&two, b"h")));
    assert_eq!(key.verifying_key().verify(&one, &key.sign(&one, b"i")), Ok(()));
}

#[test]
fn a_digest_of_zero_is_signed_as_one() {
    let key = private(3);
    let signature = key.sign(&[0; 64], &[]);
    assert_eq!(key.verifying_key().verify(&[0; 64], &signature), Ok(()));
    let mut one = [0; 64];
    one[0] = 1;
    assert_eq!(key.verifying_key().verify(&one, &signature), Ok(()));
}

#[test]
fn numbers_out_of_range_are_refused() {
    let key = private(3).verifying_key();
    let digest = streebog_512(&[b"x"]);
    let good = private(3).sign(&digest, &[]).to_bytes(Layout::Rfc9215);
    let q = Scalar::<Tc26A512, LIMBS_512>::MODULUS.as_ref().to_be_bytes();
    for (at, number) in [(0, &[0; 64][..]), (64, &[0; 64]), (0, q.as_ref()), (64, q.as_ref())] {
        let mut bytes = good.clone();
        bytes[at..at + 64].copy_from_slice(number);
        let signature = Signature::from_bytes(Layout::Rfc9215, &bytes).expect("128 bytes");
        assert_eq!(key.verify(&digest, &signature), Err(SignatureError::Mismatch));
    }
    assert_eq!(SigningKey::from_number(&[0; 64]).expect_err("zero"), OutOfRange);
    let q: [u8; 64] = q.as_ref().try_into().expect("64 bytes");
    assert_eq!(SigningKey::from_number(&q).expect_err("q"), OutOfRange);
}

#[test]
fn points_off_the_curve_and_outside_the_group_are_no_keys() {
    let base = |hex: &str| bytes(hex);
    let (x, y) = (
        base("91e38443a5e82c0d880923425712b2bb658b9196932e02c78b2582fe742daa28"),
        base("32879423ab1a0375895786c4bb46e9565fde0b5344766740af268adb32322e5c"),
    );
    let key = |x: &[u8], y: &[u8]| VerifyingKey::from_coordinates(Curve::Tc26A256, x, y);
    assert!(key(&x, &y).is_ok());
    assert_eq!(key(&y, &x), Err(KeyError::NotAPoint));
    assert_eq!(key(&x[1..], &y), Err(KeyError::NotAPoint));
    assert_eq!(key(&[0xff; 32], &y), Err(KeyError::NotAPoint), "not below p");
    // A curve of even order has a point of order two: y is 0 there.
    let root = root_of_the_cubic();
    assert_eq!(key(&root, &[0; 32]), Err(KeyError::Weak));
}

/// An x with x³ + a·x + b = 0 on the 256-bit set: the greatest common divisor of that cubic and x^p − x.
fn root_of_the_cubic() -> Vec<u8> {
    type F = Field<Tc26A256, LIMBS_256>;
    /// a·b modulo the cubic, as coefficients of 1, x, x².
    fn product(a: [F; 3], b: [F; 3]) -> [F; 3] {
        let mut wide = [F::ZERO; 5];
        for (i, a) in a.iter().enumerate() {
            for (j, b) in b.iter().enumerate() {
                wide[i + j] += a * b;
            }
        }
        for power in [4, 3] {
            let high = wide[power];
            wide[power - 2] -= high * Tc26A256::A;
            wide[power - 3] -= high * Tc26A256::B;
        }
        [wide[0], wide[1], wide[2]]
    }
    let p = *F::MODULUS.as_ref();
    let mut power = [F::ONE, F::ZERO, F::ZERO];
    for bit in (0..256).rev() {
        power = product(power, power);
        if p.bit_vartime(bit) {
            power = product(power, [F::ZERO, F::ONE, F::ZERO]);
        }
    }
    // x^p − x shares exactly the one root with the cubic: c + d·x + e·x².
    let [c, d, e] = [power[0], power[1] - F::ONE, power[2]];
    let inverse = e.invert_vartime().into_option().expect("a square term");
    let (c, d) = (c * inverse, d * inverse);
    // The cubic modulo x² + d·x + c is linear: x³ = (d² − c)·x + c·d.
    let (slope, constant) = (d.square() - c + Tc26A256::A, c * d + Tc26A256::B);
    let root = -(constant * slope.invert_vartime().into_option().expect("a slope"));
    assert_eq!((root.square() + Tc26A256::A) * root + Tc26A256::B, F::ZERO, "a root");
    root.retrieve().to_be_bytes().as_ref().to_vec()
}

#[test]
fn each_layout_reads_what_it_writes_and_the_other_is_its_reverse() {
    let signature = Signature((0..128).collect());
    let national = signature.to_bytes(Layout::National);
    assert_eq!(national[..2], [63, 62], "r, its last byte first");
    let mut reversed = national.clone();
    reversed.reverse();
    assert_eq!(signature.to_bytes(Layout::Rfc9215), reversed);
    for layout in [Layout::National, Layout::Rfc9215] {
        assert_eq!(Signature::from_bytes(layout, &signature.to_bytes(layout)), Some(signature.clone()));
        assert_eq!(Signature::from_bytes(layout, &[0; 127]), None);
    }
    let key = private(9).verifying_key();
    assert_eq!(VerifyingKey::from_certificate(Curve::Tc26A512, &key.to_certificate()), Ok(key));
}

#[test]
fn the_hashes_are_those_of_the_standards() {
    // RFC 6986, section 10.1: 63 digits.
    let message: Vec<u8> = (0..63).map(|n| b'0' + n % 10).collect();
    assert_eq!(
        hex::encode(streebog_512(&[&message])),
        "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa\
         00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48"
    );
    assert_eq!(
        hex::encode(streebog_256(&[&message])),
        "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500"
    );
    // RFC 5831, section 7.3.1.
    assert_eq!(
        hex::encode(gost_94(&[b"This is message,", b" length=32 bytes"])),
        "b1c466d37519b82e8319819ff32595e047a28cb6f83eff1c6916a815a637fffa"
    );
}

#[test]
fn debug_hides_private_numbers() {
    assert_eq!(format!("{:?}", private(1)), "gost::SigningKey");
}
