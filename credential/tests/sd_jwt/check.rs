//! The report for people: three states, names only unless asked, and no panic on anything.

use proptest::prelude::*;
use serde_json::{Value, json};
use tanba_credential::sd_jwt::{Answer, Error, Outcome, Question, Verdict, check};
use tanba_crypto::SigningKey;

use crate::{
    issuer::{AT, claims, compact, issuer, jwk, member},
    samples::{self, samples},
};

fn document() -> String {
    let (text, digest) = member("given_name", &json!("Nobody-0001"));
    compact(&claims(json!({ "_sd": [digest] })).to_string(), &[&text])
}

#[test]
fn a_document_is_valid_by_its_key_not_checked_without_and_invalid_by_another() {
    let text = document() + "\n";
    assert_eq!(check(text.as_bytes(), Some(jwk(&issuer())), AT).verdict(), Verdict::Valid);
    assert_eq!(check(text.as_bytes(), None, AT).verdict(), Verdict::NotChecked);
    let other = check(text.as_bytes(), Some(jwk(&SigningKey::ed25519(&[1; 32]))), AT);
    assert_eq!(other.verdict(), Verdict::Invalid(Error::Signature));
    let early = check(text.as_bytes(), Some(jwk(&issuer())), 0);
    assert_eq!(early.verdict(), Verdict::Invalid(Error::IssuedInFuture));
    assert_eq!(check(b"nothing", None, AT).verdict(), Verdict::Invalid(Error::Form));
}

#[test]
fn values_are_shown_only_when_asked_for() {
    let report = check(document().as_bytes(), Some(jwk(&issuer())), AT);
    assert_eq!(report.disclosed(), ["given_name"]);
    assert!(!report.to_json(false).to_string().contains("Nobody"));
    assert!(!format!("{report:?}").contains("Nobody"));
    assert_eq!(report.to_json(true)["claims"]["given_name"], json!("Nobody-0001"));
    let held = Answer { question: Question::Signature, outcome: Outcome::Yes };
    assert!(report.answers().contains(&held));
}

#[test]
fn every_published_sample_is_valid_for_people_too() {
    for sample in samples() {
        let report = check(sample.presentation().as_bytes(), Some(sample.key), samples::AT);
        let expected =
            if sample.answers_by_a_draft() { Verdict::Invalid(Error::SdHash) } else { Verdict::Valid };
        assert_eq!(report.verdict(), expected, "{}: {:?}", sample.name, report.answers());
        let answer = report.answers().iter().find(|answer| answer.question == Question::KeyBinding);
        let held = answer.is_some_and(|answer| answer.outcome == Outcome::Yes);
        assert_eq!(held, sample.answers_holder(), "{}", sample.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let verdict = check(&bytes, Some(jwk(&issuer())), AT).verdict();
        prop_assert!(matches!(verdict, Verdict::Invalid(_)));
    }

    #[test]
    fn no_change_of_a_document_makes_it_panic_or_say_more(
        at in 0usize..400, byte in any::<u8>(), cut in 0usize..400
    ) {
        let sound = document();
        let mut bytes = sound.clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.remove(cut % sound.len());
        let report = check(&bytes, Some(jwk(&issuer())), AT);
        if report.verdict() == Verdict::Valid {
            prop_assert!(report.disclosed().is_empty(), "only a dropped tail leaves it sound");
        }
    }

    #[test]
    fn no_signed_json_makes_it_panic(text in r#"[\[\]{}:,"_sd.a1 ]{0,60}"#) {
        let report = check(compact(&text, &[]).as_bytes(), Some(jwk(&issuer())), AT);
        let known = matches!(report.verdict(), Verdict::Invalid(_));
        prop_assert!(known || serde_json::from_str::<Value>(&text).is_ok());
    }
}
