//! Every published sample changed in every way that a forger would try first.

use tanba_credential::sd_jwt::{Error, SdJwt, key_binding};

use crate::{
    issuer::{b64, unb64},
    samples::{AT, Sample, samples},
};

/// The parts of what a sample's holder presents: JWS, disclosures, the holder's answer.
fn parts(sample: &Sample) -> (String, Vec<String>, String) {
    parts_of(&sample.presentation())
}

fn parts_of(text: &str) -> (String, Vec<String>, String) {
    let read = SdJwt::read(text.as_bytes()).expect("reads");
    let compact = read.to_compact();
    let mut parts = compact.split('~').map(str::to_owned);
    let jws = parts.next().expect("a JWS");
    let mut disclosures: Vec<String> = parts.collect();
    disclosures.pop();
    (jws, disclosures, read.key_binding().unwrap_or_default().to_owned())
}

fn joined(jws: &str, disclosures: &[String], answer: &str) -> String {
    let mut all = vec![jws];
    all.extend(disclosures.iter().map(String::as_str));
    all.push(answer);
    all.join("~")
}

#[test]
fn every_changed_byte_of_an_issuers_jwt_is_refused() {
    let mut changed = 0;
    for sample in samples() {
        let (jws, disclosures, answer) = parts(&sample);
        for at in 0..jws.len() {
            let mut bad = jws.clone().into_bytes();
            bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
            let bad = joined(&String::from_utf8(bad).expect("ASCII"), &disclosures, &answer);
            assert!(sample.verify(&bad).is_err(), "{} byte {at}", sample.name);
            changed += 1;
        }
    }
    assert!(changed > 10_000 || samples().is_empty());
}

#[test]
fn every_altered_or_doubled_disclosure_is_refused() {
    let mut changed = 0;
    for sample in samples() {
        // As issued: with every disclosure.
        let (jws, disclosures, _) = parts_of(&sample.text("sd_jwt_issuance").expect("issued"));
        for at in 0..disclosures.len() {
            let with = |text: String| {
                let mut altered = disclosures.clone();
                altered[at] = text;
                sample.verify(&joined(&jws, &altered, "")).expect_err("refused")
            };
            let mut doubled = disclosures.clone();
            doubled.push(disclosures[at].clone());
            let refused = sample.verify(&joined(&jws, &doubled, ""));
            assert_eq!(refused, Err(Error::RepeatedDisclosure), "{} {at}", sample.name);
            // Salted anew: the same claim, another digest. Behind it stands whatever it disclosed below itself.
            let json = String::from_utf8(unb64(&disclosures[at])).expect("JSON");
            let salted = json.replacen("[\"", "[\"x", 1);
            assert_eq!(with(b64(salted.as_bytes())), Error::Unreferenced, "{} {at}", sample.name);
            // The same JSON in another spelling is another disclosure.
            assert_eq!(with(b64(format!("{json} ").as_bytes())), Error::Unreferenced);
            for byte in 0..disclosures[at].len() {
                let mut bad = disclosures[at].clone().into_bytes();
                bad[byte] = if bad[byte] == b'A' { b'B' } else { b'A' };
                with(String::from_utf8(bad).expect("ASCII"));
                changed += 1;
            }
        }
    }
    assert!(changed > 4_000 || samples().is_empty());
}

#[test]
fn a_dropped_disclosure_hides_its_claim_and_breaks_the_holders_answer() {
    for sample in samples() {
        let (jws, disclosures, answer) = parts(&sample);
        let whole = sample.verify(&joined(&jws, &disclosures, "")).expect("holds");
        for at in 0..disclosures.len() {
            let mut fewer = disclosures.clone();
            fewer.remove(at);
            // Either less is said, or what hung below the dropped one hangs in the air.
            match sample.verify(&joined(&jws, &fewer, "")) {
                Ok(less) => assert!(less.disclosed().len() + 1 == whole.disclosed().len()),
                Err(error) => assert_eq!(error, Error::Unreferenced, "{}", sample.name),
            }
            if sample.answers_holder() {
                let read = SdJwt::read(joined(&jws, &fewer, &answer).as_bytes()).expect("reads");
                let key = whole.holder_key().expect("names a key");
                let refused = key_binding::check(&read, &key, &sample.challenge(), AT);
                assert_eq!(refused, Err(Error::SdHash), "{}", sample.name);
            }
        }
    }
}

#[test]
fn reordered_disclosures_say_the_same_and_break_the_holders_answer() {
    for sample in samples() {
        let (jws, mut disclosures, answer) = parts(&sample);
        let whole = sample.verify(&joined(&jws, &disclosures, "")).expect("holds");
        disclosures.reverse();
        let turned = sample.verify(&joined(&jws, &disclosures, "")).expect("order says nothing");
        assert_eq!(turned, whole, "{}", sample.name);
        if sample.answers_holder() && disclosures.len() > 1 {
            let read = SdJwt::read(joined(&jws, &disclosures, &answer).as_bytes()).expect("reads");
            let key = whole.holder_key().expect("names a key");
            let refused = key_binding::check(&read, &key, &sample.challenge(), AT);
            assert_eq!(refused, Err(Error::SdHash), "{}", sample.name);
        }
    }
}

#[test]
fn every_changed_byte_of_a_holders_answer_is_refused() {
    for sample in samples().into_iter().filter(Sample::answers_holder) {
        let (jws, disclosures, answer) = parts(&sample);
        let key = sample.verify(&sample.presentation()).and_then(|v| v.holder_key()).expect("names a key");
        for at in 0..answer.len() {
            let mut bad = answer.clone().into_bytes();
            bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
            let bad = joined(&jws, &disclosures, &String::from_utf8(bad).expect("ASCII"));
            let read = SdJwt::read(bad.as_bytes()).expect("reads");
            assert!(key_binding::check(&read, &key, &sample.challenge(), AT).is_err(), "byte {at}");
        }
    }
}
