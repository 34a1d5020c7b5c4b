//! Files of the national authority and of its test authority, where they are at hand: each gives its documented answer.

use std::fs;

use crate::{Scene, collected};

const NOW: &str = "2026-11-01T00:00:00Z";

/// Roots and authorities: of 2015 and 2018, of the tests of 2019 (whose roots are not among the files) and of 2022.
const AUTHORITIES: [&str; 8] = [
    "ncanode-old/root_gost.crt",
    "ncanode-old/nca_gost.crt",
    "ncanode-old/root_rsa.crt",
    "ncanode-old/nca_rsa.crt",
    "ncanode/nca_gost_test.crt",
    "ncanode/nca_rsa_test.crt",
    "ncanode-go/root_test_gost_2022.cer",
    "ncanode-go/nca_gost2022_test.cer",
];

const EVIDENCE: [(&str, &str); 7] = [
    ("--crl", "ncanode-go/nca_gost2022_test.crl"),
    ("--crl", "ncanode/crl/nca_gost2022_test.crl"),
    ("--crl", "ncanode/crl/nca_gost_test.crl"),
    ("--crl", "ncanode/crl/nca_rsa_test.crl"),
    ("--ocsp", "ncanode/ocsp/ocsp_response_ceo_2015_revoked.bin"),
    ("--ocsp", "ncanode/ocsp/ocsp_response_ceo_sign_2004_revoked.bin"),
    ("--ocsp", "ncanode/ocsp/ocsp_response_individual_sign_2004.bin"),
];

/// File, moment, role of the first certificate told, code.
const TABLE: &[(&str, &str, Option<&str>, &str)] = &[
    ("ncanode-old/nca_gost.crt", "2024-01-01T00:00:00Z", Some("authority"), "valid"),
    ("ncanode-old/nca_gost.crt", NOW, Some("authority"), "certificate-expired"),
    ("ncanode-old/root_rsa.crt", "2024-01-01T00:00:00Z", Some("authority"), "valid"),
    ("ncanode-go/nca_gost2022_test.cer", NOW, Some("authority"), "valid"),
    ("ncanode-go/leafs/individual_valid_individual_valid.pem", NOW, Some("person"), "valid"),
    ("ncanode-go/leafs/individual_revoked_individual_revoked.pem", NOW, Some("person"), "revoked"),
    ("ncanode-go/leafs/legal_valid_head.pem", NOW, Some("entity-head"), "valid"),
    ("ncanode-go/leafs/legal_revoked_employee.pem", NOW, Some("entity-employee"), "revoked"),
    // Its name says otherwise; the list of August 2026 has it.
    ("ncanode-go/leafs/legal_valid_infosystem.pem", NOW, Some("treasury"), "revoked"),
    ("ncanode-go/leafs/legal_valid_treasury_client.pem", NOW, Some("entity-system"), "valid"),
    ("gokalkan/test_certs_gost1.cer", "2024-01-01T00:00:00Z", Some("person"), "crl-not-yet-valid"),
    ("gokalkan/test_certs_gost2.cer", NOW, Some("person"), "certificate-expired"),
    ("ncanode/ceo_valid_sign_2004_gost.cer", "2022-06-01T00:00:00Z", Some("entity-head"), "valid"),
    ("ncanode/individual_valid_sign_2004_rsa.cer", "2022-06-01T00:00:00Z", Some("person"), "valid"),
    ("ncalayer-rs/test_gost512.cer.pem", NOW, Some("other"), "issuer-unknown"),
    ("ncanode-go/nca_gost2022_test.crl", NOW, Some("authority"), "valid"),
    ("ncanode-go/nca_gost2022_test.crl", "2027-02-08T00:00:00Z", None, "crl-stale"),
    ("ncanode/ocsp/ocsp_response_ceo_2015_revoked.bin", "2022-09-02T17:00:00Z", Some("authority"), "valid"),
    ("ncanode/ocsp/ocsp_response_ceo_2015_revoked.bin", "2022-09-02T18:00:00Z", None, "ocsp-stale"),
    // Signed when their RSA certificate had expired.
    ("ncanode/cms/signed_cms_gost_rsa.cms", "2022-09-29T00:00:00Z", Some("person"), "certificate-expired"),
    ("ncanode/tsp/tsp_response.bin", "2022-09-18T14:00:00Z", Some("time-stamping"), "valid"),
    ("ncanode/tsp/tsp_token.bin", "2022-09-18T12:00:00Z", None, "time-stamp-order"),
    ("ncalayer-rs/test_message.txt", NOW, None, "file-unknown"),
];

/// A folder with the authorities, and a scene; `None` where the files are not at hand.
fn scene() -> Option<Scene> {
    let files = collected("kz")?;
    let scene = Scene::new();
    for name in AUTHORITIES {
        let bytes = fs::read(files.join(name)).expect("it is there");
        scene.write(&format!("roots/{}", name.replace('/', "-")), bytes);
    }
    Some(scene)
}

fn check(scene: &Scene, name: &str, at: &str, devnet: bool) -> (i32, serde_json::Value) {
    let files = collected("kz").expect("found before");
    let path = |name: &str| files.join(name).display().to_string();
    let mut args = vec!["eds".to_owned(), "check".to_owned(), path(name), "--at".to_owned(), at.to_owned()];
    args.extend(["--roots".to_owned(), "roots".to_owned()]);
    args.extend(EVIDENCE.iter().flat_map(|(flag, name)| [(*flag).to_owned(), path(name)]));
    args.extend(devnet.then(|| "--devnet".to_owned()));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (_, text) = scene.text(&args);
    assert!(!text.contains("ТЕСТОВ") && !text.contains("12345678901"), "{text}");
    scene.data(&args)
}

#[test]
fn every_file_gives_its_documented_answer() {
    let Some(scene) = scene() else { return };
    for (name, at, role, code) in TABLE {
        let (exit, data) = check(&scene, name, at, true);
        assert_eq!(data["code"], *code, "{name} at {at}: {data}");
        assert_eq!(data["chain"][0]["role"].as_str(), *role, "{name}: {data}");
        let due = match data["verdict"].as_str() {
            Some("valid") => 0,
            Some("invalid") => 12,
            Some("undetermined") => 15,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(exit, due, "{name}");
    }
}

#[test]
fn outside_devnets_the_national_roots_count_and_no_others() {
    let Some(scene) = scene() else { return };
    for (name, at, code, realm) in [
        ("ncanode-old/nca_gost.crt", "2024-01-01T00:00:00Z", "valid", Some("production")),
        ("ncanode-old/nca_rsa.crt", "2024-01-01T00:00:00Z", "valid", Some("production")),
        ("ncanode-go/leafs/legal_valid_head.pem", NOW, "test-root", None),
        ("ncanode/ceo_valid_sign_2004_gost.cer", "2022-06-01T00:00:00Z", "test-root", None),
        ("ncanode-go/nca_gost2022_test.crl", NOW, "test-root", None),
    ] {
        let (exit, data) = check(&scene, name, at, false);
        assert_eq!((data["code"].as_str(), data["realm"].as_str()), (Some(code), realm), "{name}: {data}");
        assert_eq!(exit, if code == "valid" { 0 } else { 12 });
    }
}
