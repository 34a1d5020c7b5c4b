//! Texts that a graduate signs, their withdrawals, and proofs of consent: what is read is written back to the byte.

use tanba_credential::consent::{ConsentProof, Statement, TakenIn, Withdrawal};
use tanba_eds::{Policy, Time, Trust};

use super::vectors;
use crate::fuzz::{Bound, Target};

const WORDS: &[&str] = &[
    "tanba-consent/1 kk\n",
    "tanba-withdrawal/1 ru\n",
    "\n",
    "нет",
    "жоқ",
    "да",
    "2031-06-30",
    "000000000018",
    "\"consent\":\"",
    "\"lists\":[",
    "\"checked_at\":\"2026-01-01T00:00:00Z\"",
];

pub(super) fn targets() -> Vec<Target> {
    let bound = Bound { factor: 64, constant_bytes: 64 * 1024 };
    let of =
        |name, seeds, attack| Target { name, input_bytes_max: 16 * 1024, bound, seeds, words: WORDS, attack };
    vec![
        of(
            "consent-text",
            || golden("consent"),
            |bytes| {
                if let Ok(read) = Statement::from_text(bytes) {
                    assert_eq!(read.to_text().as_bytes(), bytes, "one text, one spelling");
                }
            },
        ),
        of(
            "consent-withdrawal",
            || golden("withdrawal"),
            |bytes| {
                if let Ok(read) = Withdrawal::from_text(bytes) {
                    assert_eq!(read.to_text().as_bytes(), bytes, "one text, one spelling");
                }
            },
        ),
        of("consent-proof", proofs, |bytes| {
            if let Ok(read) = ConsentProof::from_json(bytes) {
                let shown = read.verify(None, None, &Trust::default(), Policy::default());
                assert!(shown.is_err(), "nobody is trusted here");
            }
        }),
    ]
}

/// The golden texts, in both languages.
fn golden(which: &str) -> Vec<Vec<u8>> {
    let vector = vectors::file("credential-consent.json");
    let texts = vector["texts"].as_array().expect("a list").iter();
    texts.map(|text| text[which].as_str().expect("a text").as_bytes().to_vec()).collect()
}

fn proofs() -> Vec<Vec<u8>> {
    let der = |tag| vec![tag, 0];
    let consent = TakenIn {
        cms: vec![0x30, 0x80],
        checked_at: Time::YEAR_2050,
        lists: vec![der(0x30)],
        answers: vec![der(0x30)],
    };
    vec![ConsentProof::new(consent).to_json()]
}
