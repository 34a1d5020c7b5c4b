//! Published and golden vectors. A golden file is written anew with `TANBA_WRITE_VECTORS=1`; otherwise every
//! byte of it must be reproduced, so that a format cannot change unseen.

#[path = "common/sample.rs"]
mod sample;

use std::{fs, path::PathBuf};

use sample::{draw, requisites};
use serde_json::{Value as Json, json};
use tanba_credential::{
    Diploma, HolderFile, IssuerBin, PrintSet, Template,
    commitment::{self, GostParts, control_of},
    consent::{self, Language, Method, Operator, Statement, Terms, Withdrawal},
    disclosure, holder, leaves,
    presentation::{present, present_signed},
    requisites::Date,
    sd_jwt::{
        Jwk, SdJwt, Verdict, check,
        key_binding::{self, Challenge},
        thumbprint, vc,
    },
    seal::Sealed,
};
use tanba_crypto::{Hash, SigningKey};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors").join(name)
}

fn read(name: &str) -> Json {
    let path = path(name);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).expect("a vector is JSON")
}

fn text<'a>(json: &'a Json, member: &str) -> &'a str {
    json[member].as_str().unwrap_or_else(|| panic!("{member} is a text"))
}

fn b64url(hash: Hash) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(hash.as_bytes())
}

#[test]
fn digests_are_those_of_rfc_9901() {
    let vector = read("credential-rfc9901.json");
    let published = vector["disclosures"].as_array().expect("a list");
    assert!(published.len() >= 40);
    for one in published {
        assert_eq!(b64url(disclosure::digest(text(one, "disclosure"))), text(one, "digest"));
    }
}

#[test]
fn field_root_and_f_are_those_of_the_worked_example() {
    let vector = read("credential-worked-f.json");
    let hash = |member| Hash::from_hex(text(&vector, member)).expect("hex");
    let listed = vector["_sd"].as_array().expect("a list");
    let digests: Vec<Hash> = listed
        .iter()
        .map(|digest| {
            use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
            let bytes = URL_SAFE_NO_PAD.decode(digest.as_str().expect("a text")).expect("base64url");
            Hash(bytes.try_into().expect("32 bytes"))
        })
        .collect();
    let root = leaves::field_root(&digests.try_into().expect("32 digests"));
    assert_eq!(root, hash("field_root"));
    assert_eq!(Hash::plain(text(&vector, "document").as_bytes()), hash("document_sha256"));
    let fingerprint = commitment::fingerprint(&hash("r").0, &root, text(&vector, "document"));
    assert_eq!(fingerprint, hash("fingerprint"));
}

fn sample_file() -> HolderFile {
    let issuer = IssuerBin::parse("000000000018").expect("12 digits");
    let control = SigningKey::ed25519(&[3; 32]);
    let answers = SigningKey::ed25519(&[4; 32]).public();
    let diploma = Diploma::unsigned_sample(&requisites(), issuer, 20_634, Some(answers), &draw())
        .expect("legal requisites");
    HolderFile::new(Hash([9; 32]), &diploma, control.public(), Some([3; 32]))
}

#[test]
fn a_diploma_made_of_fixed_bytes_is_the_golden_one() {
    let file = sample_file();
    let opened = holder::open(&file).expect("opens");
    let none = GostParts::default();
    let golden = json!({
        "about": "Invented data. Random byte 32n+i of the draw is byte i of SHA-256 over the one byte n; \
                  issued on day 20634; chain 09…09; control seed 03…03, cnf seed 04…04.",
        "document": file.document,
        "disclosures": file.disclosures,
        "decoys": file.decoys,
        "field_root": field_root(&file).to_string(),
        "fingerprint": file.fingerprint.to_string(),
        "gost": Hash(file.gost).to_string(),
        "gost_none": Hash(commitment::gost_none()).to_string(),
        "gost_of_nothing_under_r_g": Hash(commitment::gost_commitment(&file.r_g, &none)).to_string(),
        "control": control_of(&file.control_key).to_string(),
        "holder_file": String::from_utf8(file.to_json()).expect("JSON is text"),
        "employer": String::from_utf8(present(&file, Template::Employer).expect("opens").to_json())
            .expect("JSON is text"),
    });
    assert_eq!(opened.control, Some(control_of(&file.control_key)));
    compare("credential-diploma.json", &golden);
}

#[test]
fn a_signed_diploma_made_of_fixed_bytes_is_the_golden_one() {
    let issuer = IssuerBin::parse("000000000018").expect("12 digits");
    let key = SigningKey::ed25519(&[6; 32]);
    let (control, holder_key) = (SigningKey::ed25519(&[3; 32]), SigningKey::ed25519(&[4; 32]));
    let (seal, consent) = (b"bytes in place of a seal".to_vec(), b"bytes in place of a consent".to_vec());
    let draft = Diploma::sign(&requisites(), issuer, 20_634, Some(holder_key.public()), &draw(), &key)
        .expect("legal requisites");
    let (gost_of_draft, field_root) = (draft.gost, leaves::field_root(draft.document.digests()));
    let sealed = Sealed::of(draft.fingerprint, &draft.document).expect("signed");
    let diploma = draft.complete(seal, consent);
    let file = HolderFile::new(Hash([9; 32]), &diploma, control.public(), None);
    let opened = holder::open_signed(&file, &key.public()).expect("opens");
    let employer = present_signed(&file, Template::Employer, &key.public()).expect("opens");
    let print_set = PrintSet::of(&file, diploma.document.digests()).expect("one subtree");
    let at = 20_634 * 86_400 + 3_600;
    let asked = Challenge { audience: "urn:kz:bin:000000000026", nonce: "n-0S6_WzA2Mj", age_s_max: 300 };
    let shown = SdJwt::read(employer.to_sd_jwt().as_bytes()).expect("an SD-JWT");
    let sd_jwt = key_binding::answer(&shown, &asked, at, &holder_key);
    let golden = json!({
        "about": "Invented data, drawn as in credential-diploma.json. Document key seed 06…06, cnf seed 04…04, control \
                  seed 03…03; seal and consent are placeholders, not CMS.",
        "document_key": key.public().to_string(),
        "key_id": thumbprint(&key.public()),
        "document": file.document,
        "disclosures": file.disclosures,
        "decoys": file.decoys,
        "field_root": field_root.to_string(),
        "fingerprint": file.fingerprint.to_string(),
        "seal_bytes": hex(&sealed.to_bytes()),
        "gost_without_seal_and_consent": Hash(gost_of_draft).to_string(),
        "seal": "bytes in place of a seal",
        "consent": "bytes in place of a consent",
        "consent_commitment": employer.consent_commitment.map(|bytes| Hash(bytes).to_string()),
        "gost": Hash(file.gost).to_string(),
        "print_set": print_set,
        "presented_at": at,
        "sd_jwt": sd_jwt,
        "holder_file": String::from_utf8(file.to_json()).expect("JSON is text"),
        "employer": String::from_utf8(employer.to_json()).expect("JSON is text"),
    });
    assert_eq!((opened.fingerprint, opened.signer), (diploma.fingerprint, Some(key.public())));
    assert_eq!(print_set.open().map(|printed| printed.fingerprint), Ok(diploma.fingerprint));
    let report = check(sd_jwt.as_bytes(), Some(Jwk::Ed25519(key.public())), at);
    assert_eq!(report.verdict(), Verdict::Valid, "{:?}", report.answers());
    assert_eq!((report.disclosed().len(), report.withheld()), (8, 24));
    let read = SdJwt::read(sd_jwt.as_bytes()).expect("reads");
    let holder_key = vc::verify(&read, &Jwk::Ed25519(key.public()), at).and_then(|said| said.holder_key());
    assert_eq!(key_binding::check(&read, &holder_key.expect("names a key"), &asked, at + 300), Ok(()));
    compare("credential-signed.json", &golden);
}

#[test]
fn consents_of_fixed_terms_are_the_golden_ones() {
    let (fingerprint, r_f) = (Hash([1; 32]), [2; 32]);
    let terms = Terms {
        operator: Operator {
            name: "Үлгі университеті".into(),
            bin: IssuerBin::parse("000000000018").expect("12 digits"),
        },
        person: "Үлгіұлы-Әуеқала Мысал-0001".into(),
        until: Date::new(2031, 6, 30).expect("a day"),
        third_parties: None,
        abroad: Some("KG".into()),
        publication: None,
        small_group: false,
    };
    let subject = consent::subject(&fingerprint, &r_f);
    let texts = Language::ALL.map(|language| {
        let statement = Statement::new(language, Method::Eds, terms.clone(), subject).expect("legal terms");
        json!({
            "language": language.code(),
            "form_sha256": consent::form_hash(language).to_string(),
            "consent": statement.to_text(),
            "withdrawal": Withdrawal::of(&statement).to_text(),
        })
    });
    let golden = json!({
        "about": "Invented data. F is 01…01, r_f is 02…02. The texts are what is signed, to the byte.",
        "version": consent::VERSION,
        "subject": subject.to_string(),
        "texts": texts,
    });
    compare("credential-consent.json", &golden);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn field_root(file: &HolderFile) -> Hash {
    let document = tanba_credential::Document::parse(&file.document).expect("a document");
    leaves::field_root(document.digests())
}

fn compare(name: &str, made: &Json) {
    let made = format!("{made:#}\n");
    if std::env::var_os("TANBA_WRITE_VECTORS").is_some() {
        fs::write(path(name), &made).expect("the vectors' folder is writable");
    }
    let golden = fs::read_to_string(path(name)).unwrap_or_default();
    assert!(
        made == golden,
        "{name} is not reproduced; if the format was meant to change, write it anew:\n{made}"
    );
}
