//! How fast GOST signatures are, beside what the same machine needs at least: the multiplications that one check is
//! made of, taken alone in the same run. `cargo run --release -p tanba-crypto --example gost_speed`
#![expect(clippy::print_stdout, reason = "a report is printed")]

use std::{hint::black_box, time::Instant};

use crypto_bigint::{U512, const_monty_params, modular::ConstMontyForm};
use tanba_crypto::{
    SigningKey as Ed25519,
    gost::{Mgm, SigningKey, streebog_512},
};

const_monty_params!(
    P,
    U512,
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffdc7"
);

/// Multiplications modulo p in one check: 512 doublings of ten; 256 additions of sixteen, and 28 for the two tables.
const CHECK_MULTIPLICATIONS: u32 = 512 * 10 + (256 + 28) * 16;

/// Microseconds that `work` takes, the best of several rounds.
fn micros(times: u32, mut work: impl FnMut()) -> f64 {
    let mut round = |_| {
        let begun = Instant::now();
        (0..times).for_each(|_| work());
        begun.elapsed().as_secs_f64() * 1e6 / f64::from(times)
    };
    (0..5).map(&mut round).fold(f64::INFINITY, f64::min)
}

fn main() {
    let digest = streebog_512(&[b"a diploma"]);
    let key = SigningKey::from_number(&[7; 64]).expect("below q");
    let (signature, public) = (key.sign(&digest, &[]), key.verifying_key());
    let ed25519 = Ed25519::ed25519(&[7; 32]);
    let ed25519_signature = ed25519.sign(b"a diploma");

    let mut number = ConstMontyForm::<P, { U512::LIMBS }>::new(&U512::from_be_slice(&digest));
    let factor = number;
    let multiplication = micros(100_000, || number = black_box(number * factor));
    let bound = multiplication * f64::from(CHECK_MULTIPLICATIONS);
    let check = micros(200, || public.verify(black_box(&digest), &signature).expect("it holds"));
    let sign = micros(100, || drop(key.sign(black_box(&digest), &[1; 32])));
    let ed25519_check = micros(2_000, || {
        ed25519.public().verify(black_box(b"a diploma"), &ed25519_signature).expect("it holds")
    });
    println!("multiplication modulo p         {multiplication:10.3} us");
    println!(
        "check, 512-bit set              {check:10.1} us   {:.2} times its multiplications",
        check / bound
    );
    println!(
        "check, Ed25519                  {ed25519_check:10.1} us   512-bit set: {:.0} times as long",
        check / ed25519_check
    );
    println!("sign, 512-bit set               {sign:10.1} us");

    let (mgm, mut text) = (Mgm::new(&[9; 32]), vec![0; 64 << 10]);
    let mebibytes = text.len() as f64 / f64::from(1 << 20);
    let seal =
        micros(20, || _ = black_box(mgm.seal(&[1; 16], b"", black_box(&mut text)).expect("a good nonce")));
    let hash = micros(20, || _ = black_box(streebog_512(&[black_box(&text)])));
    println!("Kuznyechik-MGM, 64 KiB          {:10.1} MiB/s", mebibytes / seal * 1e6);
    println!("Streebog-512, 64 KiB            {:10.1} MiB/s", mebibytes / hash * 1e6);
}
