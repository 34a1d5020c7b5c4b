//! Whatever the bytes, a reader gives a value or an error: it does not panic, and does not run on.

#[path = "common/world.rs"]
#[allow(dead_code, reason = "each suite uses its part of the world")]
mod world;

use std::hint::black_box;

use proptest::prelude::*;
use tanba_eds::{
    Certificate, Crl, Evidence, Response, SignedData, TimeStamp,
    authority::Message,
    check::{self, Request},
    ocsp::Status,
    pem,
};
use world::{NOW, World, serial};

/// Gives `bytes` to every reader. Whatever a list says must also be askable.
fn read_all(world: &World, bytes: &[u8]) {
    let certificate = Certificate::from_der(bytes);
    black_box(certificate.map(|found| (found.role(), found.iin(), found.bin()))).ok();
    black_box(Crl::from_der(bytes).map(|found| (found.entry(&serial(3)), found.index().entry(&serial(3)))))
        .ok();
    black_box(Response::from_der(bytes)).ok();
    let message = SignedData::from_bytes(bytes);
    black_box(message.map(|found| found.check_signatures(b"content", |_| false).is_ok())).ok();
    black_box(TimeStamp::from_bytes(bytes)).ok();
    black_box(pem::decode(bytes)).ok();
    let evidence = Evidence::default();
    let context = world.context(&evidence);
    black_box(check::check(&Request { file: bytes, content: None, nonce: None, context }));
}

/// Good files of every kind.
fn files(world: &World) -> Vec<Vec<u8>> {
    let about = [(serial(3), Status::Good)];
    vec![
        world.head.certificate.as_der().to_vec(),
        world.crl(&[(serial(3), NOW, tanba_eds::crl::Reason::Hold)]),
        world.ocsp.answer(world.nca.certificate(), &about, NOW, None, Some(&[1; 8])),
        Message::new(b"content").sign_stamped(&world.head, NOW, &world.tsa, NOW, 1).attached(),
        world.tsa.stamp(b"content", NOW, 1, Some(&[1; 8])),
    ]
}

/// One thing done to the bytes of a file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Set(usize, u8),
    Cut(usize),
    Drop(usize, usize),
    Double(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        1 => any::<usize>().prop_map(Damage::Cut),
        1 => (any::<usize>(), 1..40_usize).prop_map(|(at, len)| Damage::Drop(at, len)),
        1 => (any::<usize>(), 1..40_usize).prop_map(|(at, len)| Damage::Double(at, len)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: Damage) {
    let len = bytes.len().max(1);
    match damage {
        Damage::Set(at, byte) => {
            if let Some(place) = bytes.get_mut(at % len) {
                *place = byte;
            }
        }
        Damage::Cut(at) => bytes.truncate(at % len),
        Damage::Drop(at, count) => {
            let at = at % len;
            let end = (at + count).min(bytes.len());
            bytes.drain(at.min(end)..end);
        }
        Damage::Double(at, count) => {
            let at = at % len;
            let end = (at + count).min(bytes.len());
            let part = bytes[at.min(end)..end].to_vec();
            bytes.splice(end..end, part);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn noise_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        thread_local!(static WORLD: World = World::new());
        WORLD.with(|world| read_all(world, &bytes));
    }

    #[test]
    fn damaged_files_are_survived(which in 0..5_usize, damages in proptest::collection::vec(damage(), 1..4)) {
        thread_local!(static WORLD: (World, Vec<Vec<u8>>) = {
            let world = World::new();
            let files = files(&world);
            (world, files)
        });
        WORLD.with(|(world, files)| {
            let mut bytes = files[which].clone();
            damages.iter().for_each(|damage| apply(&mut bytes, *damage));
            read_all(world, &bytes);
        });
    }
}

#[test]
fn every_beginning_of_a_file_is_survived_and_refused() {
    let world = World::new();
    for file in files(&world) {
        for end in 0..file.len() {
            let head = &file[..end];
            assert!(Certificate::from_der(head).is_err() && Crl::from_der(head).is_err());
            assert!(Response::from_der(head).is_err() && SignedData::from_bytes(head).is_err());
            assert!(TimeStamp::from_bytes(head).is_err());
        }
    }
}
