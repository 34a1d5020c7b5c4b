//! A key comes out of its file unchanged or not at all.

use std::{fs, os::unix::fs::PermissionsExt};

use tanba_crypto::SigningKey;
use tanba_ledger::record::NetworkKind::{Devnet, Main};
use zeroize::Zeroizing;

use super::*;

struct Scene {
    _dir: tempfile::TempDir,
    keys: Keystore,
}

fn scene() -> Scene {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keys");
    files::create_private_dir(&path).expect("created");
    Scene { keys: Keystore::open(path).expect("private"), _dir: dir }
}

fn name(name: &str) -> KeyName {
    KeyName::new(name).expect("a name")
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(Zeroizing::new(text.as_bytes().to_vec())).expect("a passphrase")
}

fn unasked() -> Result<Passphrase, PassphraseError> {
    panic!("a plain key needs no passphrase")
}

/// A keystore with one sealed key, and the key.
fn sealed() -> (Scene, SigningKey) {
    let scene = scene();
    let key = SigningKey::ed25519(&[7; 32]);
    let protection = Protection::Sealed(&passphrase("correct horse battery"));
    scene.keys.keep(&name("validator"), Purpose::Validator, &key, protection).expect("kept");
    (scene, key)
}

fn unlock(scene: &Scene, text: &str) -> Result<SigningKey, KeystoreError> {
    scene.keys.unlock(&name("validator"), Main, || Ok(passphrase(text)))
}

/// Rewrites the key file by `change`.
fn rewrite(scene: &Scene, change: impl FnOnce(String) -> String) {
    let path = scene.keys.path(&name("validator"));
    let text = fs::read_to_string(&path).expect("readable");
    let changed = change(text.clone());
    assert_ne!(changed, text, "the file is changed");
    fs::write(&path, changed).expect("written");
}

#[test]
fn a_sealed_key_opens_with_its_passphrase_alone() {
    let (scene, key) = sealed();
    assert_eq!(unlock(&scene, "correct horse battery").expect("opened").public(), key.public());
    let refused = unlock(&scene, "correct horse batterx").expect_err("refused");
    assert!(matches!(refused, KeystoreError::Seal { error: SealError::NotOpened, .. }), "{refused}");
}

#[test]
fn the_public_half_is_readable_without_passphrase() {
    let (scene, key) = sealed();
    let info = scene.keys.info(&name("validator")).expect("readable");
    let due =
        KeyInfo { name: name("validator"), purpose: Purpose::Validator, public: key.public(), sealed: true };
    assert_eq!((info.clone(), scene.keys.list().expect("listed")), (due, vec![info]));
}

#[test]
fn a_changed_byte_is_noticed_wherever_it_is() {
    let other = SigningKey::ed25519(&[8; 32]).public().to_string();
    let own = SigningKey::ed25519(&[7; 32]).public().to_string();
    let digit = |field: &'static str| {
        move |text: String| {
            let at = text.find(field).expect("a field") + field.len() + 4;
            let changed = if text.as_bytes()[at] == b'0' { "1" } else { "0" };
            [&text[..at], changed, &text[at + 1..]].concat()
        }
    };
    let changes: Vec<Box<dyn FnOnce(String) -> String>> = vec![
        Box::new(digit("\"salt\"")),
        Box::new(digit("\"nonce\"")),
        Box::new(digit("\"ciphertext\"")),
        Box::new(|text: String| text.replace("\"validator\"", "\"approver\"")),
        Box::new(move |text: String| text.replace(&own, &other)),
        Box::new(|text: String| text.replace("\"passes\": 3", "\"passes\": 2")),
    ];
    for change in changes {
        let (scene, _) = sealed();
        rewrite(&scene, change);
        let refused = unlock(&scene, "correct horse battery").expect_err("refused");
        assert!(matches!(refused, KeystoreError::Seal { error: SealError::NotOpened, .. }), "{refused}");
    }
}

#[test]
fn a_file_that_is_no_key_file_is_refused_without_quoting_it() {
    let (scene, _) = sealed();
    rewrite(&scene, |text| text.replace("\"format\"", "\"secret-field\""));
    let refused = unlock(&scene, "correct horse battery").expect_err("refused").to_string();
    assert!(
        refused.contains("this is no key file: line 2") && !refused.contains("secret-field"),
        "{refused}"
    );
}

#[test]
fn a_cost_that_would_stall_or_weaken_is_refused() {
    for cost in ["\"memory_kib\": 4194304", "\"memory_kib\": 8"] {
        let (scene, _) = sealed();
        rewrite(&scene, |text| text.replace("\"memory_kib\": 65536", cost));
        let refused = unlock(&scene, "correct horse battery").expect_err("refused");
        assert!(matches!(refused, KeystoreError::Seal { error: SealError::Cost { .. }, .. }), "{refused}");
    }
}

#[test]
fn a_key_file_is_private_and_one_that_others_can_read_is_refused() {
    let (scene, _) = sealed();
    let path = scene.keys.path(&name("validator"));
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");
    let refused = unlock(&scene, "correct horse battery").expect_err("refused");
    assert!(matches!(refused, KeystoreError::File(FileError::TooOpen { mode: 0o644, .. })), "{refused}");
    assert_eq!(refused.next_step(), format!("run: chmod 600 {}", path.display()));
}

#[test]
fn a_key_is_never_overwritten() {
    let (scene, key) = sealed();
    let again = scene.keys.generate(&name("validator"), Purpose::Validator, Protection::PlainForDevnet);
    assert!(matches!(again, Err(KeystoreError::File(FileError::Exists(_)))));
    assert_eq!(scene.keys.info(&name("validator")).expect("readable").public, key.public());
}

#[test]
fn a_plain_key_says_so_and_opens_on_a_devnet_alone() {
    let scene = scene();
    let made = scene.keys.generate(&name("node"), Purpose::Node, Protection::PlainForDevnet).expect("made");
    assert!(!made.sealed);
    let text = fs::read_to_string(scene.keys.path(&name("node"))).expect("readable");
    assert!(text.contains("not sealed: for a devnet alone"), "{text}");
    let opened = scene.keys.unlock(&name("node"), Devnet, unasked).expect("opened");
    assert_eq!(opened.public(), made.public);
    let refused = scene.keys.unlock(&name("node"), Main, unasked).expect_err("refused");
    assert!(matches!(refused, KeystoreError::PlainOutsideDevnet(_)), "{refused}");
}

#[test]
fn a_sealed_file_holds_no_private_byte_in_the_clear() {
    let (scene, key) = sealed();
    let text = fs::read_to_string(scene.keys.path(&name("validator"))).expect("readable");
    assert!(!text.contains(&hex::encode(key.seed().as_slice())));
}

#[test]
fn two_keys_drawn_are_different() {
    let scene = scene();
    let draw = |n: &str| scene.keys.generate(&name(n), Purpose::Node, Protection::PlainForDevnet);
    assert_ne!(draw("a").expect("made").public, draw("b").expect("made").public);
}

#[test]
fn debug_of_a_plain_file_hides_the_seed() {
    let key = SigningKey::ed25519(&[7; 32]);
    let shown = format!("{:?}", KeyFile::plain(Purpose::Node, &key));
    assert!(!shown.contains(&hex::encode(&key.seed()[..4])), "{shown}");
}

#[test]
fn a_missing_key_and_a_bad_name_are_refused() {
    let scene = scene();
    assert!(matches!(scene.keys.info(&name("none")), Err(KeystoreError::NotFound { .. })));
    for bad in ["", "-a", "../a", "A", "a.b", &"a".repeat(65)] {
        assert_eq!(KeyName::new(bad), None, "{bad}");
    }
}
