//! Answers at the head.

use super::{
    super::{Bundle, Hidden, Part, ProofFailure, ProveError, Verdict, prove_bucket, prove_head},
    world::*,
};
use crate::{
    Height,
    operation::Basis,
    record::{RecordKey, Regime, RegimeKind, Standing, Visibility},
};

/// Genesis, an issue of diplomas 1 to 3 at height 1, two empty blocks.
fn issued(basis: Basis) -> World {
    let mut world = World::of_four();
    world.block(Writes::default().issue(1, basis, &[1, 2, 3]));
    world.blocks(2);
    world
}

#[test]
fn a_recorded_diploma_is_valid_with_all_it_rests_on() {
    let world = issued(Basis::Award);
    let status = world.ask(&question(2)).expect("proven");
    assert_eq!(status.head, world.checkpoint(3));
    assert_eq!((status.at, status.at_time), (Height(3), Some(world.headers[3].time)));
    let recorded = status.recorded.as_ref().expect("recorded");
    assert_eq!(recorded.token, token(2, 1));
    assert_eq!((recorded.issued_at, recorded.issued_time), (Height(1), Some(world.headers[1].time)));
    assert_eq!(recorded.institution.names.en, "Astana University");
    assert_eq!(recorded.accreditations.len(), 1);
    assert_eq!(Verdict::of(&Ok(status), &gost(2)), Verdict::Valid(Basis::Award));
}

#[test]
fn other_evidence_under_the_same_fingerprint_is_altered() {
    let status = issued(Basis::Award).ask(&question(2));
    assert_eq!(Verdict::of(&status, &gost(9)), Verdict::Altered);
}

#[test]
fn a_diploma_nobody_recorded_is_proven_absent() {
    let world = issued(Basis::Award);
    let status = world.ask(&question(9));
    assert_eq!(Verdict::of(&status, &gost(9)), Verdict::NotRecorded);
    let mut elsewhere = question(2);
    elsewhere.issuer = other_university();
    assert_eq!(world.ask(&elsewhere).expect("proven").recorded, None, "another issuer's is not ours");
}

#[test]
fn a_ledger_without_tokens_proves_absence() {
    let world = World::of_four();
    assert_eq!(world.ask(&question(1)).expect("proven").recorded, None);
    let bucket = Bundle::Bucket(world.bucket_proof(0, &question(1), 8));
    assert_eq!(world.verify(&bucket, &question(1)).expect("proven").recorded, None);
}

#[test]
fn a_bucket_answers_for_every_token_under_its_prefix() {
    let mut world = issued(Basis::Award);
    world.block(Writes::default().issue(2, Basis::Archive, &(10..60).collect::<Vec<u8>>()));
    for bits in [0, 1, 3, 6, 256] {
        for n in [1, 2, 3, 10, 59, 77, 99] {
            let bucket = Bundle::Bucket(world.bucket_proof(0, &question(n), bits));
            let mut from_bucket = world.verify(&bucket, &question(n)).expect("proven");
            let singly = world.ask(&question(n)).expect("proven");
            if let Some(recorded) = &mut from_bucket.recorded {
                let shown_alone = singly.recorded.as_ref().expect("recorded").issued_time;
                // A bucket leaves out the times of issue, but for what the head itself issued.
                recorded.issued_time = recorded.issued_time.or(shown_alone);
            }
            assert_eq!(from_bucket, singly, "{n} in a bucket of {bits} bits");
        }
    }
}

#[test]
fn a_bucket_does_not_answer_for_other_prefixes() {
    let world = issued(Basis::Award);
    let bucket = Bundle::Bucket(world.bucket_proof(0, &question(1), 256));
    for n in [2, 3, 9] {
        let flaw = world.verify(&bucket, &question(n)).expect_err("another bucket");
        assert!(matches!(flaw, ProofFailure::Path { part: Part::Bucket, .. }), "{flaw}");
    }
}

#[test]
fn a_status_does_not_answer_another_question() {
    let world = issued(Basis::Award);
    let bundle = Bundle::Status(world.status_proof(0, &question(1)));
    for n in [2, 3] {
        assert!(world.verify(&bundle, &question(n)).is_err());
    }
}

#[test]
fn an_archive_diploma_asks_no_accreditation_and_has_its_own_wording() {
    let mut world = issued(Basis::Award);
    let never = accreditation(day((2020, 1, 1)), day((2020, 1, 1)));
    world.block(Writes::default().put(RecordKey::accreditation(university(), &scope()), &never));
    world.block(Writes::default().issue(2, Basis::Archive, &[5]));
    let status = world.ask(&question(5));
    assert_eq!(status.as_ref().map(|s| s.recorded.as_ref().expect("recorded").accreditations.len()), Ok(0));
    let verdict = Verdict::of(&status, &gost(5));
    assert_eq!((verdict.code(), verdict), ("VALID_FROM_ARCHIVE", Verdict::Valid(Basis::Archive)));
}

#[test]
fn an_award_without_accreditation_is_not_believed() {
    let mut world = World::of_four();
    let too_late = accreditation(day((2026, 7, 1)), day((2030, 1, 1)));
    world.block(Writes::default().put(RecordKey::accreditation(university(), &scope()), &too_late));
    world.block(Writes::default().issue(1, Basis::Award, &[1]));
    let status = world.ask(&question(1));
    assert!(matches!(status, Err(ProofFailure::Contradiction(_))), "{status:?}");
    assert_eq!(Verdict::of(&status, &gost(1)).code(), "COULD_NOT_CHECK");
}

#[test]
fn a_token_in_another_issuer_s_batch_is_not_believed() {
    let mut world = World::of_four();
    let mut foreign = batch(Basis::Award);
    foreign.issuer = other_university();
    world.block(Writes::default().put(RecordKey::batch(batch_id(1)), &foreign).token(1, &token(1, 1)));
    let first = day((2020, 1, 1));
    let other = institution(first, day((2030, 1, 1)));
    let held = accreditation(first, day((2030, 1, 1)));
    let writes = Writes::default()
        .put(RecordKey::institution(other_university()), &other)
        .put(RecordKey::accreditation(other_university(), &scope()), &held);
    world.block(writes);
    let expected = ProofFailure::Contradiction("the token's batch is another issuer's");
    assert_eq!(world.ask(&question(1)), Err(expected));
}

#[test]
fn a_token_older_than_its_batch_is_not_believed() {
    let mut world = World::of_four();
    world.block(Writes::default().token(1, &token(1, 1)));
    world.block(Writes::default().put(RecordKey::batch(batch_id(1)), &batch(Basis::Award)));
    let expected = ProofFailure::Contradiction("the token is older than its batch");
    assert_eq!(world.ask(&question(1)), Err(expected));
}

#[test]
fn a_bucket_reaches_back_to_the_oldest_issue_in_it() {
    let mut world = issued(Basis::Award);
    let mut renamed = institution(day((2020, 1, 1)), day((2030, 12, 31)));
    renamed.names.en = "Renamed University".to_owned();
    world.block(Writes::default().put(RecordKey::institution(university()), &renamed));
    world.block(Writes::default().issue(2, Basis::Award, &[10, 11, 12]));
    let bucket = Bundle::Bucket(world.bucket_proof(0, &question(1), 0));
    for (n, name) in [(1, "Astana University"), (11, "Renamed University")] {
        let status = world.verify(&bucket, &question(n)).expect("proven");
        assert_eq!(status.recorded.expect("recorded").institution.names.en, name);
    }
}

#[test]
fn an_accreditation_that_ends_later_still_covers_what_was_issued_under_it() {
    let mut world = issued(Basis::Award);
    let ended = accreditation(day((2020, 1, 1)), day((2021, 1, 1)));
    world.block(Writes::default().put(RecordKey::accreditation(university(), &scope()), &ended));
    assert_eq!(Verdict::of(&world.ask(&question(1)), &gost(1)), Verdict::Valid(Basis::Award));
}

#[test]
fn records_that_change_within_the_block_of_issue_are_judged_by_what_held_then() {
    let mut world = World::of_four();
    let key = RecordKey::accreditation(university(), &scope());
    let ended = accreditation(day((2020, 1, 1)), day((2021, 1, 1)));
    let covering = accreditation(day((2020, 1, 1)), day((2029, 1, 1)));
    world.block(Writes::default().put(key, &ended));
    let writes = Writes::default().put(key, &covering).issue(1, Basis::Award, &[1]).put(key, &ended);
    world.block(writes);
    assert_eq!(Verdict::of(&world.ask(&question(1)), &gost(1)), Verdict::Valid(Basis::Award));
}

#[test]
fn an_issuer_without_licence_on_the_day_of_issue_is_not_believed() {
    let last_day = day((2026, 6, 30));
    let unlicensed = [
        institution(day((2020, 1, 1)), last_day),
        institution(day((2026, 7, 2)), day((2030, 1, 1))),
        {
            let mut none = institution(last_day, last_day);
            none.regime = None;
            none
        },
        {
            let mut no_capital = institution(day((2020, 1, 1)), day((2030, 1, 1)));
            let regime = no_capital.regime.take().expect("a regime");
            no_capital.regime = Some(Regime { kind: RegimeKind::Permit, ..regime });
            no_capital
        },
    ];
    for institution in unlicensed {
        let mut world = World::of_four();
        world.block(Writes::default().put(RecordKey::institution(university()), &institution));
        world.block(Writes::default().issue(1, Basis::Award, &[1]));
        let status = world.ask(&question(1));
        assert!(matches!(status, Err(ProofFailure::Contradiction(_))), "{status:?}");
    }
}

#[test]
fn a_licence_that_ended_later_leaves_diplomas_valid() {
    let mut world = issued(Basis::Award);
    let ended = institution(day((2020, 1, 1)), day((2026, 7, 1)));
    world.block(Writes::default().put(RecordKey::institution(university()), &ended));
    let status = world.ask(&question(1)).expect("proven");
    let recorded = status.recorded.as_ref().expect("recorded");
    assert_eq!(recorded.institution_now, ended);
    assert_ne!(recorded.institution, ended);
    assert_eq!(Verdict::of(&Ok(status), &gost(1)), Verdict::Valid(Basis::Award));
}

#[test]
fn visibility_never_improves_a_standing() {
    let table = [
        (Standing::Valid, Visibility::Open, Verdict::Valid(Basis::Award)),
        (Standing::Valid, Visibility::Restricted, Verdict::NotAvailable(Hidden::Restricted, Basis::Award)),
        (Standing::Valid, Visibility::Withdrawn, Verdict::NotAvailable(Hidden::Withdrawn, Basis::Award)),
        (Standing::Suspended, Visibility::Restricted, Verdict::Suspended(Basis::Award)),
        (Standing::Revoked, Visibility::Withdrawn, Verdict::Revoked(Basis::Award)),
        (
            Standing::Replaced(tanba_crypto::Hash::ZERO),
            Visibility::Withdrawn,
            Verdict::Replaced(Basis::Award),
        ),
    ];
    for (standing, visibility, expected) in table {
        let mut world = issued(Basis::Award);
        let mut changed = token(1, 1);
        (changed.standing, changed.visibility) = (standing, visibility);
        world.block(Writes::default().token(1, &changed));
        assert_eq!(Verdict::of(&world.ask(&question(1)), &gost(1)), expected);
    }
}

#[test]
fn every_verdict_has_its_own_code() {
    let of_basis = |basis| {
        [
            Verdict::Valid(basis),
            Verdict::Replaced(basis),
            Verdict::Suspended(basis),
            Verdict::Revoked(basis),
            Verdict::NotAvailable(Hidden::Restricted, basis),
            Verdict::NotAvailable(Hidden::Withdrawn, basis),
        ]
    };
    let others =
        [Verdict::NotRecorded, Verdict::Altered, Verdict::CouldNotCheck(ProofFailure::OtherCheckpoint)];
    let all: Vec<Verdict> =
        of_basis(Basis::Award).into_iter().chain(of_basis(Basis::Archive)).chain(others).collect();
    let codes: std::collections::BTreeSet<&str> = all.iter().map(Verdict::code).collect();
    assert_eq!(codes.len(), all.len());
}

#[test]
fn a_bundle_reads_back_from_its_bytes() {
    let world = issued(Basis::Award);
    let bundles = [
        Bundle::Status(world.status_proof(0, &question(1))),
        Bundle::Bucket(world.bucket_proof(0, &question(1), 0)),
    ];
    for bundle in bundles {
        let bytes = bundle.to_bytes().expect("small");
        assert_eq!(Bundle::from_bytes(&bytes), Ok(bundle));
    }
}

#[test]
fn one_verified_head_serves_many_answers() {
    let world = issued(Basis::Award);
    let proof = prove_head(&world, &world.tip(), Height(0)).expect("a head");
    let head = proof.verify(&world.checkpoint(0), world.now(), 60_000).expect("proven");
    for n in [1, 2, 9] {
        let answer = world.status_proof(0, &question(n)).answer(&head, &question(n));
        assert_eq!(answer, world.ask(&question(n)));
    }
}

#[test]
fn an_answer_does_not_pass_for_another_head() {
    let mut world = issued(Basis::Award);
    let stale = world.status_proof(0, &question(1));
    let mut revoked = token(1, 1);
    revoked.standing = Standing::Revoked;
    world.block(Writes::default().token(1, &revoked));
    let head = prove_head(&world, &world.tip(), Height(0)).expect("a head");
    let head = head.verify(&world.checkpoint(0), world.now(), 60_000).expect("proven");
    assert!(stale.answer(&head, &question(1)).is_err());
}

#[test]
fn an_overlong_prefix_is_refused() {
    let world = issued(Basis::Award);
    let head = prove_head(&world, &world.tip(), Height(0)).expect("a head");
    let refused = prove_bucket(&world, head, &question(1).record_key().key, 257);
    assert_eq!(refused, Err(ProveError::Prefix(257)));
}
