//! The real files of the national authority, where they are at hand, and the trust they are checked against.

use std::{fs, path::Path};

use tanba_eds::{Certificate, Context, Evidence, Policy, Realm, Report, Request, Root, Time, Trust, check};

/// A real file; `None`, after saying so, where the shared data are not at hand.
pub(crate) fn data(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/kz").join(name);
    let found = fs::read(&path).ok();
    if found.is_none() {
        #[expect(clippy::print_stdout, reason = "a skipped test says so")]
        {
            println!("skipped: no {}", path.display());
        }
    }
    found
}

/// A real certificate.
pub(crate) fn certificate(name: &str) -> Option<Certificate> {
    let bytes = data(name)?;
    let (_, der) = check::open(&bytes).expect("a readable file");
    Some(Certificate::from_der(&der).expect("a readable certificate"))
}

/// The roots and authorities of the shared data. The roots of the older test authorities are not among the data, so
/// these authorities are pinned themselves.
pub(crate) fn trust() -> Option<Trust> {
    let root = |name: &str, realm| Root::new(certificate(name)?, realm).ok();
    Some(Trust {
        roots: vec![
            root("ncanode-go/root_test_gost_2022.cer", Realm::Test)?,
            root("ncanode/nca_gost_test.crt", Realm::Test)?,
            root("ncanode/nca_rsa_test.crt", Realm::Test)?,
            root("ncanode-old/root_gost.crt", Realm::Production)?,
            root("ncanode-old/root_rsa.crt", Realm::Production)?,
        ],
        issuers: vec![
            certificate("ncanode-go/nca_gost2022_test.cer")?,
            certificate("ncanode-old/nca_gost.crt")?,
            certificate("ncanode-old/nca_rsa.crt")?,
        ],
        devnet: true,
    })
}

/// Every list of the shared data, and every answer.
pub(crate) const LISTS: [&str; 4] = [
    "ncanode-go/nca_gost2022_test.crl",
    "ncanode/crl/nca_gost2022_test.crl",
    "ncanode/crl/nca_gost_test.crl",
    "ncanode/crl/nca_rsa_test.crl",
];
pub(crate) const ANSWERS: [&str; 3] = [
    "ncanode/ocsp/ocsp_response_ceo_2015_revoked.bin",
    "ncanode/ocsp/ocsp_response_ceo_sign_2004_revoked.bin",
    "ncanode/ocsp/ocsp_response_individual_sign_2004.bin",
];

/// Checks `file` at a moment, with this evidence.
pub(crate) fn check_at(file: &[u8], trust: &Trust, evidence: &Evidence<'_>, at: &str) -> Report {
    let at = Time::from_text(at).expect("a moment");
    let context = Context { trust, evidence, at, policy: Policy::default() };
    check::check(&Request { file, content: None, nonce: None, context })
}

/// These files, lists and answers in any order, as evidence.
pub(crate) fn evidence(files: &[Vec<u8>]) -> Evidence<'_> {
    let mut evidence = Evidence::default();
    for file in files {
        evidence.add_crl(file).or_else(|_| evidence.add_ocsp(file)).expect("a readable list or answer");
    }
    evidence
}
