//! GOST signatures and hashes against what others wrote: a second implementation, and a vector made by the national
//! authority's own library. Each is looked for and, where it is not there, the test says *skipped*.

#![expect(clippy::print_stdout, reason = "a skipped test says so")]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use tanba_crypto::gost::{Curve, Layout, Signature, SigningKey, VerifyingKey, streebog_256, streebog_512};

/// Python with the package gostcrypto, answering questions.
struct Second {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Second {
    fn start() -> Option<Second> {
        let python = std::env::var("TANBA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let has_it = Command::new(&python).args(["-c", "import gostcrypto"]).stderr(Stdio::null()).status();
        if !has_it.is_ok_and(|status| status.success()) {
            println!("skipped: {python} has no package gostcrypto (TANBA_PYTHON may name one that has)");
            return None;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gost_second.py");
        let (input, output) = (Stdio::piped(), Stdio::piped());
        let mut process =
            Command::new(python).arg(script).stdin(input).stdout(output).spawn().expect("it starts");
        let questions = process.stdin.take().expect("piped");
        let answers = BufReader::new(process.stdout.take().expect("piped"));
        Some(Second { process, questions, answers })
    }

    fn ask(&mut self, question: &str) -> String {
        writeln!(self.questions, "{question}").expect("it listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        assert!(answer.ends_with('\n'), "an answer to: {question}");
        answer.trim().to_owned()
    }

    fn bytes(&mut self, question: &str) -> Vec<u8> {
        hex::decode(self.ask(question)).expect("hex")
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

/// Bytes that look drawn and are the same in each run.
fn drawn(n: u64, length: usize) -> Vec<u8> {
    let blocks =
        (0..length.div_ceil(64)).map(|block| streebog_512(&[&n.to_be_bytes(), &block.to_be_bytes()]));
    blocks.flatten().take(length).collect()
}

#[test]
fn a_second_implementation_hashes_the_same() {
    let Some(mut second) = Second::start() else { return };
    for length in [0, 1, 31, 32, 63, 64, 65, 127, 128, 200, 1_000] {
        let message = drawn(7, length);
        let text = hex::encode(&message);
        assert_eq!(second.bytes(&format!("hash 512 {text}")), streebog_512(&[&message]), "{length}");
        assert_eq!(second.bytes(&format!("hash 256 {text}")), streebog_256(&[&message]), "{length}");
    }
}

#[test]
fn a_second_implementation_signs_what_verifies_here_on_each_curve() {
    let Some(mut second) = Second::start() else { return };
    for curve in [Curve::Tc26A512, Curve::Tc26A256, Curve::CryptoProA] {
        for n in 0..4 {
            let size = curve.len_bytes();
            let number = |salt| {
                // Below each q, which the 256-bit set has at 2²⁵⁴.
                let mut bytes = drawn(n * 10 + salt, size);
                bytes[0] &= 0x1f;
                bytes
            };
            let (private, digest, k) =
                (hex::encode(number(1)), drawn(n * 10 + 2, size), hex::encode(number(3)));
            let key = second.bytes(&format!("key {curve:?} {private}"));
            let (x, y) = key.split_at(size);
            let ours = VerifyingKey::from_coordinates(curve, x, y).expect("on the curve");
            let big_endian = hex::encode(reversed(&digest));
            let mut signature = second.bytes(&format!("sign {curve:?} {private} {big_endian} {k}"));
            // r ‖ s there, s ‖ r in the layout.
            signature.rotate_left(size);
            let read = |bytes: &[u8]| Signature::from_bytes(Layout::Rfc9215, bytes).expect("both numbers");
            assert_eq!(ours.verify(&digest, &read(&signature)), Ok(()), "{curve:?} {n}");
            signature[size / 2] ^= 1;
            assert!(ours.verify(&digest, &read(&signature)).is_err(), "{curve:?} {n}");
        }
    }
}

#[test]
fn a_second_implementation_verifies_what_is_signed_here() {
    let Some(mut second) = Second::start() else { return };
    for n in 0..6 {
        let private = drawn(n, 64);
        let key = SigningKey::from_number(&private.clone().try_into().expect("64 bytes")).expect("below q");
        let public = second.bytes(&format!("key Tc26A512 {}", hex::encode(&private)));
        let (x, y) = public.split_at(64);
        assert_eq!(VerifyingKey::from_coordinates(Curve::Tc26A512, x, y), Ok(key.verifying_key()));
        let digest: [u8; 64] = drawn(n + 100, 64).try_into().expect("64 bytes");
        let mut signature = key.sign(&digest, &drawn(n + 200, 32)).to_bytes(Layout::Rfc9215);
        signature.rotate_left(64);
        let (public, digest) = (hex::encode(public), hex::encode(reversed(&digest)));
        for (signature, expected) in
            [(hex::encode(&signature), "True"), (hex::encode(reversed(&signature)), "False")]
        {
            assert_eq!(second.ask(&format!("verify Tc26A512 {public} {digest} {signature}")), expected);
        }
    }
}

#[test]
fn a_signature_of_the_national_library_verifies_in_its_own_layout_alone() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/kz/ncalayer-rs/test_gost512.vectors");
    let Ok(text) = fs::read_to_string(&path) else {
        println!("skipped: no {}", path.display());
        return;
    };
    let values: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let bytes = |name: &str| hex::decode(values[name]).expect("hex");
    let digest = streebog_512(&[values["msg"].as_bytes()]);
    assert_eq!(digest[..], bytes("digest"));
    let key = VerifyingKey::from_coordinates(Curve::Tc26A512, &bytes("qx"), &bytes("qy")).expect("a key");
    let private = SigningKey::from_number(&bytes("d").try_into().expect("64 bytes")).expect("below q");
    assert_eq!(private.verifying_key(), key);
    let read = |layout, bytes: &[u8]| Signature::from_bytes(layout, bytes).expect("both numbers");
    assert_eq!(key.verify(&digest, &read(Layout::National, &bytes("sig"))), Ok(()));
    assert!(key.verify(&digest, &read(Layout::Rfc9215, &bytes("sig"))).is_err());
    assert!(key.verify(&reversed(&digest), &read(Layout::National, &bytes("sig"))).is_err());
    for byte in 0..128 {
        let mut other = bytes("sig");
        other[byte] ^= 0x10;
        assert!(key.verify(&digest, &read(Layout::National, &other)).is_err(), "byte {byte}");
    }
}
