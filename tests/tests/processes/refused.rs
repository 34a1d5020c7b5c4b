//! What the door of a running network refuses: each with its code, a sentence and what to do next, and each
//! without harm to what is final.

use tanba_crypto::{Canonical, Hash};
use tanba_ledger::{
    Approval, ChainId, Operation, Timestamp, Transaction, limits::TRANSACTION_BYTES_MAX, record::KeyRole,
    transaction::factor,
};
use tanba_node::{api::limits::SUBMIT_BYTES_MAX, client::ClientError};
use tanba_proto::registrar::v1::{SubmitRequest, registrar_service_client::RegistrarServiceClient};
use tanba_tests::network::{Network, OBSERVER, award};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::shared::{UNACCREDITED, UNLICENSED, shared};

/// Makes a batch final, has `wrong` refused with exactly this code and next step, and sees that the node goes
/// on and that the batch is still proven. `number` is that of the test's first diploma; each has a thousand.
#[track_caller]
fn refused(
    number: u64,
    code: &str,
    next_step: &str,
    wrong: impl AsyncFnOnce(&Network, &Transaction) -> Transaction,
) {
    shared(async |network| {
        let before = network.issue(0, number, 20);
        network.make_final(0, &before).await;
        let wrong = wrong(network, &before).await;
        match network.client(1).submit(&wrong).await {
            Err(ClientError::Refused(refused)) => {
                assert_eq!(refused.reason, code, "{refused}");
                assert!(refused.message.ends_with(&format!("; {next_step}")), "{refused}");
                assert_eq!(refused.retry_after, None, "the same bytes will not do better");
            }
            other => panic!("{code} was expected: {other:?}"),
        }
        goes_on(network, number + 20, &before).await;
    });
}

/// Both nodes still make things final, and what was final before is proven.
async fn goes_on(network: &Network, number: u64, before: &Transaction) {
    let after = network.issue(0, number, 20);
    network.make_final(1, &after).await;
    network.proven(0, before.id()).await;
    network.proven(1, before.id()).await;
}

#[test]
fn a_university_whose_permit_lapsed_cannot_issue() {
    let next_step = "have the renewed regime recorded; holders and status are unaffected";
    refused(1_000, "REGIME_ENDED", next_step, async |network, _| network.issue(UNLICENSED, 1_100, 20));
}

#[test]
fn a_university_whose_accreditation_lapsed_cannot_award_after_it() {
    let next_step = "correct the month of award, or have the regulator correct the accreditation";
    refused(2_000, "NOT_ACCREDITED_THEN", next_step, async |network, _| {
        network.issue(UNACCREDITED, 2_100, 20)
    });
}

#[test]
fn a_fingerprint_is_recorded_once() {
    let next_step = "leave it out: the diploma is on the ledger";
    // Nineteen new ones, and one that is there.
    refused(3_000, "ALREADY_RECORDED", next_step, async |network, _| network.issue(0, 3_019, 20));
}

#[test]
fn a_transaction_that_expired_is_refused() {
    let next_step = "prepare it again with a later expiry and have it approved again";
    refused(4_000, "EXPIRED", next_step, async |network, before| {
        let mut body = network.body(0, Operation::Issue(award(4_100, 20)));
        body.expiry = Timestamp(before.body.expiry.0 - 2 * 3_600_000);
        network.approved(0, body)
    });
}

#[test]
fn one_approval_is_not_enough() {
    let next_step = "have the missing officer approve the same transaction";
    refused(5_000, "APPROVAL_MISSING", next_step, async |network, _| {
        let mut half = network.issue(0, 5_100, 20);
        half.approvals.truncate(1);
        half
    });
}

#[test]
fn one_key_cannot_approve_in_both_roles() {
    let next_step = "have it approved again and submit it anew";
    refused(6_000, "INVALID_APPROVALS", next_step, async |network, _| {
        let mut alone = network.issue(0, 6_100, 20);
        let (chain, id) = (alone.body.chain, alone.id());
        let key = &network.founded.universities()[0].registrar;
        let role = |role| Approval::by_officer(&chain, id, role, factor::KEY, key);
        alone.approvals = vec![role(KeyRole::Registrar), role(KeyRole::Approver)];
        alone
    });
}

#[test]
fn two_registrars_are_no_approver() {
    let next_step = "approve in the role the key is registered for, by two officers";
    refused(7_000, "WRONG_ROLE", next_step, async |network, _| {
        let mut wrong = network.issue(0, 7_100, 20);
        let (chain, id) = (wrong.body.chain, wrong.id());
        let party = &network.founded.universities()[0];
        wrong.approvals.clear();
        wrong.approve(Approval::by_officer(&chain, id, KeyRole::Registrar, factor::KEY, &party.registrar));
        wrong.approve(Approval::by_officer(&chain, id, KeyRole::Registrar, factor::KEY, &party.approver));
        wrong
    });
}

#[test]
fn officers_of_another_university_cannot_approve() {
    let next_step = "approve with a key registered for the acting institution";
    refused(8_000, "UNKNOWN_KEY", next_step, async |network, _| {
        network.approved(1, network.body(0, Operation::Issue(award(8_100, 20))))
    });
}

#[test]
fn an_unsorted_list_is_refused() {
    let next_step = "sort the list in ascending order and remove repetitions";
    refused(9_000, "LIST_ORDER", next_step, async |network, _| {
        let mut unsorted = award(9_100, 20);
        unsorted.entries.swap(0, 1);
        network.approved(0, network.body(0, Operation::Issue(unsorted)))
    });
}

#[test]
fn a_transaction_for_another_network_is_refused() {
    let next_step = "prepare and sign the transaction for this network's chain id";
    refused(10_000, "WRONG_CHAIN", next_step, async |network, _| {
        let mut body = network.body(0, Operation::Issue(award(10_100, 20)));
        body.chain = ChainId(Hash::plain(b"another network"));
        network.approved(0, body)
    });
}

#[test]
fn a_replayed_transaction_gets_the_receipt_it_has() {
    shared(async |network| {
        let transaction = network.issue(0, 11_000, 20);
        let place = network.make_final(0, &transaction).await;
        network.reaches(2, place.height).await;
        for number in [0, 2] {
            let again = network.client(number).submit(&transaction).await.expect("known");
            assert_eq!(again.position, Some(place));
        }
        goes_on(network, 11_020, &transaction).await;
    });
}

#[test]
fn an_observer_takes_a_transaction_to_the_validators() {
    shared(async |network| {
        let transaction = network.issue(1, 12_000, 20);
        let place = network.make_final(OBSERVER, &transaction).await;
        assert_eq!(network.proven(OBSERVER, transaction.id()).await, place.height);
    });
}

/// Submits bytes that need not be a transaction, and expects them to be refused with this code; the node goes on.
#[track_caller]
fn bytes_refused(
    number: u64,
    code: Code,
    check: impl FnOnce(&Status),
    bytes: impl FnOnce(Vec<u8>) -> Vec<u8>,
) {
    shared(async |network| {
        let before = network.issue(0, number, 20);
        network.make_final(0, &before).await;
        let address = format!("http://{}", network.nodes[1].grpc);
        let mut registrar = RegistrarServiceClient::connect(address).await.expect("the node answers");
        let transaction = bytes(network.issue(0, number + 100, 20).to_canonical());
        let status = registrar.submit(SubmitRequest { transaction }).await.expect_err("refused");
        assert_eq!(status.code(), code, "{status}");
        check(&status);
        goes_on(network, number + 20, &before).await;
    });
}

/// The answer names the field at fault, what is expected of it, and what to do.
fn names_the_field(status: &Status) {
    let details = status.get_error_details();
    assert_eq!(details.error_info().map(|info| info.reason.as_str()), Some("INVALID_FIELD"), "{status}");
    assert_eq!(details.bad_request().map(|bad| bad.field_violations[0].field.as_str()), Some("transaction"));
    assert!(status.message().ends_with("; correct the field and ask again"), "{status}");
}

#[test]
fn a_reserved_operation_is_refused() {
    bytes_refused(13_000, Code::InvalidArgument, names_the_field, |mut bytes| {
        // Chain, institution and expiry stand before the number of the operation.
        const NUMBER_AT: usize = 32 + 8 + 8;
        let number = bytes[NUMBER_AT..].iter().position(|byte| *byte != 0).expect("a number");
        assert_eq!(bytes[NUMBER_AT + number], 1, "an issue is operation 1");
        bytes[NUMBER_AT + number] = 9;
        bytes
    });
}

#[test]
fn malformed_bytes_are_refused() {
    bytes_refused(14_000, Code::InvalidArgument, names_the_field, |bytes| {
        bytes.iter().map(|byte| !byte).collect()
    });
}

#[test]
fn bytes_after_a_transaction_are_refused() {
    bytes_refused(15_000, Code::InvalidArgument, names_the_field, |bytes| [bytes, vec![0]].concat());
}

#[test]
fn no_bytes_are_refused() {
    bytes_refused(16_000, Code::InvalidArgument, names_the_field, |_| Vec::new());
}

#[test]
fn a_transaction_above_the_limit_is_refused() {
    bytes_refused(17_000, Code::InvalidArgument, names_the_field, |_| vec![0; TRANSACTION_BYTES_MAX + 1]);
}

#[test]
fn a_message_above_the_limit_is_refused_by_its_length() {
    let names_the_limit = |status: &Status| assert!(status.message().contains("limit"), "{status}");
    bytes_refused(18_000, Code::OutOfRange, names_the_limit, |_| vec![0; SUBMIT_BYTES_MAX + 1]);
}
