//! Documents of the golden vectors and of an issuer made here, and those that the IETF publishes.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tanba_crypto::{Signature, SigningKey};

use crate::{Scene, collected};

/// When the golden document was shown.
const SHOWN_AT: &str = "2026-06-30T01:00:00Z";

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/credential-signed.json");
    serde_json::from_slice(&fs::read(path).expect("a golden vector")).expect("JSON")
}

fn compact() -> String {
    golden()["sd_jwt"].as_str().expect("a text").to_owned()
}

fn jwk(key: &SigningKey) -> String {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(key.public().as_bytes()) }).to_string()
}

/// The key of the golden document.
fn issuer() -> SigningKey {
    SigningKey::ed25519(&[6; 32])
}

/// The golden document in both JSON serialisations (RFC 9901, section 8).
fn json_forms() -> [String; 2] {
    let text = compact();
    let parts: Vec<&str> = text.split('~').collect();
    let (disclosures, answer) = (&parts[1..parts.len() - 1], parts[parts.len() - 1]);
    let jws: Vec<&str> = parts[0].split('.').collect();
    let header = json!({ "disclosures": disclosures, "kb_jwt": answer });
    let [protected, payload, signature] = jws[..] else { panic!("three parts") };
    let one = json!({ "protected": protected, "signature": signature, "header": header });
    let mut flattened = one.clone();
    flattened["payload"] = payload.into();
    [flattened.to_string(), json!({ "payload": payload, "signatures": [one] }).to_string()]
}

fn answer_to<'a>(data: &'a Value, question: &str) -> &'a Value {
    let answers = data["answers"].as_array().expect("a list");
    answers.iter().find(|answer| answer["question"] == question).expect("it was asked")
}

#[test]
fn a_document_is_valid_by_its_issuers_key_in_every_form() {
    let scene = Scene::new();
    scene.write("key.json", jwk(&issuer()));
    let [flattened, general] = json_forms();
    for (form, text) in [("compact", compact()), ("json_flattened", flattened), ("json_general", general)] {
        scene.write("document", format!("{text}\n"));
        let args = ["document", "check", "document", "--issuer-key", "key.json", "--at", SHOWN_AT];
        let (code, data) = scene.data(&args);
        assert_eq!((code, &data["verdict"], &data["form"]), (0, &"valid".into(), &form.into()), "{data}");
        assert_eq!(answer_to(&data, "key_binding")["answer"], "yes");
        assert_eq!(data["disclosed"].as_array().map(Vec::len), Some(8));
        let (_, text) = scene.text(&args);
        assert!(text.starts_with("Valid: ") && text.contains("Example-0001"), "{text}");
        assert!(text.contains("for whom and when it was given is not compared"), "{text}");
    }
}

#[test]
fn without_the_issuers_key_nothing_is_valid() {
    let scene = Scene::new();
    scene.write("document", compact());
    let args = ["document", "check", "document", "--at", SHOWN_AT];
    let (code, data) = scene.data(&args);
    assert_eq!((code, &data["verdict"]), (15, &"not_checked".into()), "{data}");
    assert_eq!(answer_to(&data, "signature")["answer"], "not_checked");
    let (_, text) = scene.text(&args);
    assert!(text.starts_with("Not checked: ") && text.contains("It says, unproven"), "{text}");
    assert!(text.contains("--issuer-key"), "{text}");
}

#[test]
fn a_wrong_key_a_change_and_a_wrong_time_are_invalid_and_nothing_is_told_of_it() {
    let scene = Scene::new();
    let (text, key) = (compact(), jwk(&issuer()));
    let (head, tail) = text.split_at(text.find('~').expect("disclosures"));
    let first = tail[1..].split('~').next().expect("a disclosure");
    let twice = format!("{head}~{first}{tail}");
    let foreign = format!("{head}~{}{tail}", b64(json!(["c2FsdA", "level", 8]).to_string()));
    let dropped = format!("{head}~{}", &tail[2 + first.len()..]);
    let other = jwk(&SigningKey::ed25519(&[7; 32]));
    for (text, key, at, code) in [
        (text.as_str(), &other, SHOWN_AT, "signature"),
        (&text, &key, "2026-06-01T00:00:00Z", "issued_in_future"),
        (&twice, &key, SHOWN_AT, "repeated_disclosure"),
        (&foreign, &key, SHOWN_AT, "unreferenced"),
        (&dropped, &key, SHOWN_AT, "kb_sd_hash"),
        (&text[..text.len() - 2], &key, SHOWN_AT, "kb_signature"),
        (&head[..head.len() / 2], &key, SHOWN_AT, "unsigned"),
        ("", &key, SHOWN_AT, "form"),
    ] {
        scene.write("document", text);
        let args = ["document", "check", "document", "--issuer-key", key, "--at", at];
        let (exit, data) = scene.data(&args);
        assert_eq!((exit, data["code"].as_str()), (12, Some(code)), "{data}");
        assert!(data.get("claims").is_none(), "{data}");
        let (_, text) = scene.text(&args);
        assert!(text.starts_with(&format!("Invalid ({code})")) && !text.contains("Example-0001"), "{text}");
    }
}

#[test]
fn what_it_says_commands_no_terminal() {
    let scene = Scene::new();
    let key = issuer();
    let header = json!({ "alg": "EdDSA", "typ": "dc+sd-jwt", "kid": "\u{1b}[31m" });
    let payload = json!({
        "iss": "urn:example", "vct": "urn:example:1", "iat": 1_782_777_600,
        "\u{9b}2J": "\u{1b}]0;title\u{7}", "name": "\u{202e}reversed\nValid: line",
    });
    let input = format!("{}.{}", b64(header.to_string()), b64(payload.to_string()));
    let Signature::Ed25519(signature) = key.sign(input.as_bytes());
    scene.write("document", format!("{input}.{}~", b64(signature)));
    let key = jwk(&key);
    let args = ["document", "check", "document", "--issuer-key", &key, "--at", SHOWN_AT];
    // `text` looks at every character.
    let (code, text) = scene.text(&args);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("\\u{202e}reversed\\nValid: line"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("Valid")).count(), 1, "{text}");
}

#[test]
fn keys_that_check_nothing_are_refused() {
    let scene = Scene::new();
    scene.write("document", compact());
    let check = |key: &str| scene.error(&["document", "check", "document", "--issuer-key", key]);
    let invalid = (3, "JWK_INVALID".to_owned());
    assert_eq!(check(r#"{"kty":"oct","k":"AA"}"#), invalid);
    assert_eq!(check("{"), invalid);
    let private = jwk(&issuer()).replacen('{', r#"{"d":"AA","#, 1);
    assert_eq!(check(&private), invalid, "a private key is in the wrong hands");
    assert_eq!(check("nowhere.json"), (4, "FILE_NOT_FOUND".to_owned()));
    scene.write("long", vec![b'a'; 300 * 1024]);
    assert_eq!(scene.error(&["document", "check", "long"]), (3, "FILE_TOO_LONG".to_owned()));
}

#[test]
fn every_published_sample_is_valid_by_its_key() {
    let Some(folder) = collected("credentials") else { return };
    let mut checked = 0;
    for group in ["rfc9901-sd-jwt", "sd-jwt-vc"] {
        let read = |name: &str| -> Value {
            let bytes = fs::read(folder.join(group).join(name)).expect("readable");
            serde_json::from_slice(&bytes).expect("a sample is JSON")
        };
        let mut key = read("_settings-keys.json")["key_settings"]["issuer_key"].clone();
        key.as_object_mut().expect("a key").remove("d");
        for entry in fs::read_dir(folder.join(group)).expect("readable") {
            let name = entry.expect("an entry").file_name().into_string().expect("text");
            let sample = read(&name);
            // The JSON samples are of an older draft; see the tests of `credential`.
            let Some(text) = sample["sd_jwt_presentation.txt"].as_str() else { continue };
            let scene = Scene::new();
            scene.write("sample", text);
            scene.write("key", key.to_string());
            let at = "2026-11-23T02:18:50Z";
            let args = ["document", "check", "sample", "--at", at, "--issuer-key", "key"];
            let (code, data) = scene.data(&args);
            assert_eq!((code, &data["verdict"]), (0, &"valid".into()), "{group}/{name}: {data}");
            scene.text(&args);
            assert_eq!(scene.data(&args[..5]).0, 15, "{group}/{name} without its key");
            checked += 1;
        }
    }
    assert!(checked >= 10, "{checked} samples");
}
