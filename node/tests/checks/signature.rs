//! Files of a throw-away authority: each kind, valid and spoiled, and what is missing.

use tanba_crypto::gost::SigningKey;
use tanba_eds::{
    Bin, Iin, Office, Serial, Time,
    authority::{Authority, Entity, Holder, Listing, Message, Person, Subject},
    crl::Reason,
    ocsp::Status,
    pem,
};

use crate::Scene;

const NOW: Time = Time::from_unix_s(1_793_000_000);
const DAY_S: i64 = 86_400;
const SURNAME: &str = "ҮЛГІБЕКОВА";
const IIN: &str = "000000000001";

fn key(number: u8) -> SigningKey {
    SigningKey::from_number(&[number; 64]).expect("a number below q")
}

fn serial(number: u8) -> Serial {
    Serial::from_bytes(&[0x40, number]).expect("a number above zero")
}

struct World {
    root: Authority,
    nca: Authority,
    head: Holder,
    ocsp: Holder,
    tsa: Holder,
}

impl World {
    fn named(name: &str) -> World {
        let validity = (NOW.plus_s(-DAY_S), NOW.plus_s(365 * DAY_S));
        let root = Authority::root(&format!("ROOT {name}"), key(1), &serial(1), validity);
        let nca = root.issuing(&format!("NCA {name}"), key(2), &serial(2), validity);
        let person =
            Person { surname: SURNAME, name: "МЫСАЛ", iin: Iin::from_digits(IIN).expect("digits") };
        let entity =
            Entity { name: "УНИВЕРСИТЕТ", bin: Bin::from_digits("000000000018").expect("digits") };
        let head = Subject::Officer(person, entity, Office::Head);
        World {
            head: nca.issue(&head, key(3), &serial(3), validity),
            ocsp: nca.issue(&Subject::OcspResponder, key(4), &serial(4), validity),
            tsa: nca.issue(&Subject::TimeStamping, key(5), &serial(5), validity),
            root,
            nca,
        }
    }

    fn crl(&self, revoked: &[(Serial, Time, Reason)]) -> Vec<u8> {
        let updates = (NOW.plus_s(-3600), NOW.plus_s(DAY_S));
        self.nca.crl(&Listing { number: 10, amends: None, updates, revoked, removed: &[] })
    }

    fn message(&self) -> Message<'_> {
        Message::new(b"the diploma").sign_stamped(&self.head, NOW, &self.tsa, NOW, 7)
    }
}

/// The world's files: `roots/`, `nca.crl`, and one of each kind.
fn scene(world: &World) -> Scene {
    let scene = Scene::new();
    scene.write("roots/root.cer", world.root.certificate().as_der());
    scene.write("roots/nca.pem", pem::encode("CERTIFICATE", world.nca.certificate().as_der()));
    scene.write("roots/README.txt", "of this devnet alone");
    scene.write("nca.crl", world.crl(&[]));
    scene.write("head.cer", world.head.certificate.as_der());
    scene.write("attached.cms", world.message().attached());
    scene.write("detached.pem", pem::encode("CMS", &world.message().detached()));
    scene.write("content", "the diploma");
    scene.write("other", "another diploma");
    let about = [(serial(3), Status::Good)];
    let answer = world.ocsp.answer(world.nca.certificate(), &about, NOW, Some(NOW.plus_s(60)), None);
    scene.write("answer.ocsp", answer);
    scene.write("stamp.tsp", world.tsa.stamp(b"the diploma", NOW, 8, None));
    scene
}

/// The command with all that the devnet has.
fn whole<'a>(file: &'a str, at: &'a str) -> Vec<&'a str> {
    vec!["eds", "check", file, "--roots", "roots", "--crl", "nca.crl", "--at", at, "--devnet"]
}

fn without<'a>(args: &[&'a str], flag: &str, values: usize) -> Vec<&'a str> {
    let place = args.iter().position(|arg| *arg == flag).expect("it stands there");
    [&args[..place], &args[place + 1 + values..]].concat()
}

fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

#[test]
fn each_kind_is_recognised_and_valid_with_all_it_needs() {
    let scene = scene(&World::named("OF A TEST"));
    let at = NOW.to_string();
    for (file, kind, links) in [
        ("head.cer", "certificate", 3),
        ("attached.cms", "message", 0),
        ("nca.crl", "revocation-list", 2),
        ("answer.ocsp", "revocation-answer", 2),
        ("stamp.tsp", "time-stamp", 3),
    ] {
        let (code, data) = scene.data(&whole(file, &at));
        assert_eq!((code, &data["verdict"], &data["code"]), (0, &"valid".into(), &"valid".into()), "{data}");
        assert_eq!((&data["kind"], &data["realm"]), (&kind.into(), &"test".into()), "{file}");
        assert_eq!(data["chain"].as_array().map(Vec::len), Some(links), "{file}: {data}");
    }
    let (_, data) = scene.data(&whole("attached.cms", &at));
    assert_eq!(data["signers"][0]["chain"][0]["role"], "entity-head", "{data}");
    assert_eq!(data["signers"][0]["chain"][0]["issuer"], "NCA OF A TEST", "{data}");
    assert_eq!(data["signers"][0]["stamped_at"], at.as_str(), "{data}");
}

#[test]
fn what_is_missing_is_never_valid_and_named() {
    let scene = scene(&World::named("OF A TEST"));
    let at = NOW.to_string();
    let (args, detached, stamp) =
        (whole("attached.cms", &at), whole("detached.pem", &at), whole("stamp.tsp", &at));
    for (args, exit, code) in [
        (without(&args, "--devnet", 0), 12, "test-root"),
        (without(&args, "--roots", 1), 15, "issuer-unknown"),
        (without(&args, "--crl", 1), 15, "revocation-unknown"),
        (detached.clone(), 15, "cms-content-missing"),
        (with(&detached, &["--content", "content"]), 0, "valid"),
        (with(&detached, &["--content", "other"]), 12, "cms-digest"),
        (with(&args, &["--content", "other"]), 12, "cms-content-differs"),
        (with(&stamp, &["--content", "content"]), 0, "valid"),
        (with(&stamp, &["--content", "other"]), 12, "time-stamp-imprint"),
        // The signer's answer is at hand, one about the time-stamp service is not.
        (with(&without(&args, "--crl", 1), &["--ocsp", "answer.ocsp"]), 15, "revocation-unknown"),
        (with(&without(&whole("head.cer", &at), "--crl", 1), &["--ocsp", "answer.ocsp"]), 0, "valid"),
    ] {
        let (found, data) = scene.data(&args);
        assert_eq!((found, data["code"].as_str()), (exit, Some(code)), "{args:?}: {data}");
        assert_eq!(data["next_step"].is_null(), exit == 0, "{data}");
    }
}

#[test]
fn what_is_spoiled_revoked_or_late_is_invalid() {
    let world = World::named("OF A TEST");
    let scene = scene(&world);
    let at = NOW.to_string();
    let mut spoiled = world.message().attached();
    let place = spoiled.windows(11).position(|bytes| bytes == b"the diploma").expect("it lies inside");
    spoiled[place] ^= 1;
    scene.write("spoiled.cms", &spoiled);
    scene.write("cut.cms", &world.message().attached()[..200]);
    scene.write("text.txt", "no signature at all");
    scene.write("revoked.crl", world.crl(&[(serial(3), NOW.plus_s(-60), Reason::KeyCompromise)]));
    let late = NOW.plus_s(400 * DAY_S).to_string();
    let revoked =
        ["eds", "check", "head.cer", "--roots", "roots", "--crl", "revoked.crl", "--at", &at, "--devnet"];
    for (args, code) in [
        (whole("spoiled.cms", &at), "cms-digest"),
        (whole("cut.cms", &at), "der-truncated"),
        (whole("text.txt", &at), "file-unknown"),
        (whole("head.cer", &late), "certificate-expired"),
        (revoked.to_vec(), "revoked"),
    ] {
        let (found, data) = scene.data(&args);
        assert_eq!((found, data["code"].as_str()), (12, Some(code)), "{args:?}: {data}");
        let (found, text) = scene.text(&args);
        assert_eq!(found, 12);
        assert!(text.starts_with(&format!("Invalid ({code}): ")) && text.contains("\nnext: "), "{text}");
    }
}

#[test]
fn nothing_of_a_person_is_told_and_no_name_commands_the_terminal() {
    let scene = scene(&World::named("\u{1b}[2J\u{202e}OF A TEST"));
    let at = NOW.to_string();
    for file in ["head.cer", "attached.cms", "nca.crl", "answer.ocsp", "stamp.tsp"] {
        let (code, text) = scene.text(&whole(file, &at));
        assert_eq!(code, 0, "{text}");
        assert!(text.starts_with("Valid (devnet, without legal force): "), "{text}");
        let json = String::from_utf8(scene.run(&[&whole(file, &at)[..], &["--json"]].concat()).stdout);
        for said in [text, json.expect("text")] {
            assert!(!said.contains(SURNAME) && !said.contains(IIN) && !said.contains("МЫСАЛ"), "{said}");
        }
    }
    let (_, text) = scene.text(&whole("head.cer", &at));
    assert!(text.contains("NCA \\u{1b}[2J\\u{202e}OF A TEST"), "{text}");
}

#[test]
fn what_it_is_checked_against_must_be_readable() {
    let world = World::named("OF A TEST");
    let scene = scene(&world);
    scene.write("leafs/head.cer", world.head.certificate.as_der());
    scene.write("empty/README", "");
    scene.write("wrong/root.cer", world.root.certificate().as_der().split_last().expect("bytes").1);
    scene.write("label.pem", pem::encode("CMS", &world.crl(&[])));
    let at = NOW.to_string();
    let args = ["eds", "check", "head.cer", "--at", &at];
    let check = |more: &[&'static str]| scene.error(&with(&args, more));
    assert_eq!(check(&["--roots", "leafs"]), (3, "EDS_ROOTS".to_owned()), "a person is no authority");
    assert_eq!(check(&["--roots", "wrong"]), (3, "EDS_ROOTS".to_owned()));
    assert_eq!(check(&["--roots", "empty"]), (4, "EDS_ROOTS".to_owned()));
    assert_eq!(check(&["--roots", "nowhere"]), (4, "FILE_NOT_FOUND".to_owned()));
    assert_eq!(check(&["--crl", "head.cer"]), (3, "EDS_EVIDENCE".to_owned()));
    assert_eq!(check(&["--crl", "label.pem"]), (3, "EDS_EVIDENCE".to_owned()));
    assert_eq!(check(&["--ocsp", "nca.crl"]), (3, "EDS_EVIDENCE".to_owned()));
    assert_eq!(check(&["--content", "nowhere"]), (4, "FILE_NOT_FOUND".to_owned()));
    assert_eq!(scene.error(&["eds", "check", "nowhere"]), (4, "FILE_NOT_FOUND".to_owned()));
    assert_eq!(scene.error(&["eds", "check", "head.cer", "--at", "today"]), (2, "USAGE".to_owned()));
}
