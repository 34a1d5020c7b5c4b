//! Every real file gives its documented answer.

mod common;

use common::{ANSWERS, LISTS, check_at, data, trust};
use tanba_eds::{Evidence, Report};

#[test]
fn explore() {
    let Some(trust) = trust() else { return };
    let files: Vec<Vec<u8>> = LISTS.iter().chain(&ANSWERS).filter_map(|name| data(name)).collect();
    let mut evidence = Evidence::default();
    for n in 0..4 { evidence.add_crl(&files[n]).expect(LISTS[n]); }
    for n in 4..7 { evidence.add_ocsp(&files[n]).expect(ANSWERS[n-4]); }
    for (name, at) in TABLE {
        let Some(file) = data(name) else { return };
        let t = std::time::Instant::now();
        let report: Report = check_at(&file, &trust, &evidence, at);
        println!("{name} {at} {:?}\n    {:?}", t.elapsed(), report);
    }
}
const TABLE: &[(&str, &str)] = &[
 ("ncanode-old/root_gost.crt", "2024-01-01T00:00:00Z"),
 ("ncanode-old/nca_gost.crt", "2024-01-01T00:00:00Z"),
 ("ncanode-old/root_rsa.crt", "2024-01-01T00:00:00Z"),
 ("ncanode-old/nca_rsa.crt", "2024-01-01T00:00:00Z"),
 ("ncanode-old/nca_rsa.crt", "2026-01-01T00:00:00Z"),
 ("ncanode-go/root_test_gost_2022.cer", "2026-11-01T00:00:00Z"),
 ("ncanode-go/nca_gost2022_test.cer", "2026-11-01T00:00:00Z"),
 ("ncanode/nca_gost2015_test.cer", "2026-11-01T00:00:00Z"),
 ("ncanode/nca_gost_test.crt", "2022-11-01T00:00:00Z"),
 ("ncanode/nca_rsa_test.crt", "2022-11-01T00:00:00Z"),
 ("ncanode-go/leafs/individual_revoked_individual_revoked.pem", "2026-11-01T00:00:00Z"),
 ("ncanode-go/leafs/individual_valid_individual_valid.pem", "2026-11-01T00:00:00Z"),
 ("ncanode-go/leafs/legal_revoked_employee.pem", "2026-11-01T00:00:00Z"),
 ("ncanode-go/leafs/legal_valid_employee.pem", "2026-11-01T00:00:00Z"),
 ("ncanode-go/leafs/legal_valid_head.pem", "2026-11-01T00:00:00Z"),
 ("ncanode-go/leafs/legal_valid_infosystem.pem", "2026-11-01T00:00:00Z"),
 ("ncanode-go/leafs/legal_valid_treasury_client.pem", "2026-11-01T00:00:00Z"),
 ("gokalkan/test_certs_gost1.cer", "2024-01-01T00:00:00Z"),
 ("gokalkan/test_certs_gost1.cer", "2026-11-01T00:00:00Z"),
 ("ncalayer-rs/test_gost512.cer.pem", "2026-11-01T00:00:00Z"),
 ("ncanode/ceo_valid_sign_2004_gost.cer", "2022-06-01T00:00:00Z"),
 ("ncanode/individual_valid_sign_2004_rsa.cer", "2022-06-01T00:00:00Z"),
 ("ncanode/individual_valid_sign_2004_rsa_auth.cer", "2022-06-01T00:00:00Z"),
 ("ncanode-go/nca_gost2022_test.crl", "2026-11-01T00:00:00Z"),
 ("ncanode/crl/nca_gost2022_test.crl", "2022-09-01T00:00:00Z"),
 ("ncanode/crl/nca_gost_test.crl", "2022-09-01T00:00:00Z"),
 ("ncanode/crl/nca_rsa_test.crl", "2022-09-01T00:00:00Z"),
 ("ncanode/ocsp/ocsp_response_ceo_2015_revoked.bin", "2022-09-02T17:00:00Z"),
 ("ncanode/ocsp/ocsp_response_ceo_sign_2004_revoked.bin", "2022-09-02T17:00:00Z"),
 ("ncanode/ocsp/ocsp_response_individual_sign_2004.bin", "2022-09-02T17:00:00Z"),
 ("ncanode/cms/signed_cms_gost_rsa.cms", "2022-09-28T00:00:00Z"),
 ("ncanode/cms/signed_cms_one_signer_gost_rsa.cms", "2022-09-28T00:00:00Z"),
 ("ncanode/tsp/tsp_response.bin", "2022-09-18T14:00:00Z"),
 ("ncanode/tsp/tsp_token.bin", "2022-09-18T14:00:00Z"),
];
