//! National signatures beside the multiplications that one check is made of, and hashes and cipher by the second.

use std::hint::black_box;

use crypto_bigint::{U512, const_monty_params, modular::ConstMontyForm};
use tanba_crypto::{
    Hash, SigningKey as Ed25519,
    gost::{Mgm, SigningKey, streebog_512},
};

use super::{Figure, micros};

const_monty_params!(
    P,
    U512,
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffdc7"
);

/// Multiplications modulo p in one check: 512 doublings of ten; 256 additions of sixteen, and 28 for the two tables.
const CHECK_MULTIPLICATIONS: u32 = 512 * 10 + (256 + 28) * 16;

/// A check also adds, inverts twice and reads its table.
const CHECK_RATIO_MAX: f64 = 1.6;

/// What a check takes, in microseconds: the bound of everything that is made of checks.
pub fn check_us() -> f64 {
    let digest = streebog_512(&[b"a diploma"]);
    let key = SigningKey::from_number(&[7; 64]).expect("below q");
    let (signature, public) = (key.sign(&digest, &[]), key.verifying_key());
    micros(200, || public.verify(black_box(&digest), &signature).expect("it holds"))
}

/// All of it.
pub fn measure() -> Vec<Figure> {
    let digest = streebog_512(&[b"a diploma"]);
    let key = SigningKey::from_number(&[7; 64]).expect("below q");
    let mut number = ConstMontyForm::<P, { U512::LIMBS }>::new(&U512::from_be_slice(&digest));
    let factor = number;
    let multiplication = micros(100_000, || number = black_box(number * factor));
    let bound = multiplication * f64::from(CHECK_MULTIPLICATIONS);
    let check = check_us();
    let sign = micros(100, || drop(key.sign(black_box(&digest), &[1; 32])));
    let other = Ed25519::ed25519(&[7; 32]);
    let other_signature = other.sign(b"a diploma");
    let other_check =
        micros(2_000, || other.public().verify(black_box(b"a diploma"), &other_signature).expect("it holds"));

    let (mgm, mut text) = (Mgm::new(&[9; 32]), vec![0; 64 << 10]);
    let mebibytes = text.len() as f64 / f64::from(1 << 20);
    let per_second = |us: f64| mebibytes / us * 1e6;
    let seal = micros(20, || _ = black_box(mgm.seal(&[1; 16], b"", black_box(&mut text))));
    let streebog = micros(20, || _ = black_box(streebog_512(&[black_box(&text)])));
    let sha_256 = micros(20, || _ = black_box(Hash::plain(black_box(&text))));
    let ratio = check / bound;
    vec![
        Figure {
            line: format!(
                "signature, 512 bits: checked in {check:.0} us, {ratio:.2} times its multiplications"
            ),
            ratio: Some(ratio),
            ratio_max: CHECK_RATIO_MAX,
        },
        Figure::plain(format!("signature, 512 bits: made in {sign:.0} us")),
        Figure::plain(format!(
            "signature, Ed25519: checked in {other_check:.0} us; the national one takes {:.1} times as long",
            check / other_check
        )),
        Figure::plain(format!(
            "Streebog-512: {:.0} MiB/s; SHA-256: {:.0} MiB/s",
            per_second(streebog),
            per_second(sha_256)
        )),
        Figure::plain(format!("Kuznyechik-MGM: {:.1} MiB/s", per_second(seal))),
    ]
}
