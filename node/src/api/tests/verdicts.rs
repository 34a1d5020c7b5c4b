//! A diploma from the class list to every verdict, online and from the saved proof.

use std::collections::BTreeMap;

use tanba_credential::{
    Field, HolderFile, OpenError, Opened, Part, Presentation, Template, Value, presentation,
};
use tanba_crypto::SigningKey;
use tanba_ledger::{
    Fingerprint, Operation,
    operation::{Basis, HolderAct, Reason, StandingChange, StandingChanges},
    proof::{Bundle, Hidden, ProofFailure},
    record::NetworkKind,
    testkit,
};

use super::rig::{Node, Served};
use crate::{
    client::ClientError,
    issue::testkit::{CounterRandom, line, order},
    issue::{Order, Roster, prepare},
    verify::{
        Alteration, Checked, Obstacle, Questions, Shown, Terms, Verdict, Verifier, check_bundle, check_online,
    },
};

/// A node on whose chain a class is recorded, and the graduates' files.
struct Scene {
    node: Node,
    served: Served,
    files: Vec<HolderFile>,
}

async fn scene() -> Scene {
    let mut node = Node::new();
    let code = testkit::scope().programme.as_str().to_owned();
    let header = crate::issue::testkit::HEADER.to_owned();
    let lines = (1..=20).map(|n| line(n).replace("6B06101", &code));
    let list = std::iter::once(header).chain(lines).collect::<Vec<_>>().join("\n");
    let rows = Roster::parse(list.as_bytes()).expect("an invented class has no mistakes").rows;
    let expiry = node.world.next_time().saturating_add_ms(1_000);
    let order = Order { chain: node.world.chain, issuer: testkit::bin(0), expiry, ..order() };
    let made = prepare(&rows, &order, &mut CounterRandom::new(1)).expect("prepares");
    for batch in &made.batches {
        let issue = node.world.by_officers(0, batch.transaction().body.clone());
        node.commit(&[issue]);
    }
    let served = node.serve().await;
    Scene { node, served, files: made.holders.into_values().collect() }
}

impl Scene {
    fn terms(&self) -> Terms {
        Terms { trust: self.node.trust(), kind: NetworkKind::Devnet }
    }

    async fn check(&self, opened: &Opened) -> Checked {
        check_online(&self.served.client().await, &self.terms(), opened).await
    }

    fn opened(&self) -> Opened {
        opened(&self.files[0])
    }

    fn change(&mut self, version: u32, operation: fn(StandingChanges) -> Operation) {
        let fingerprint = Fingerprint(self.files[0].fingerprint);
        let change = StandingChange { fingerprint, version, reason: Reason::Investigation };
        let list = StandingChanges { issuer: testkit::bin(0), changes: vec![change] };
        let transaction = self.node.world.operation(0, operation(list));
        self.node.commit(&[transaction]);
    }

    fn act(&mut self, version: u32, operation: fn(HolderAct) -> Operation) {
        let file = &self.files[0];
        let key = SigningKey::ed25519(&file.control_secret.expect("drawn by prepare"));
        let fingerprint = Fingerprint(file.fingerprint);
        let act = HolderAct { issuer: testkit::bin(0), fingerprint, version, request: None };
        let body = self.node.world.body(0, operation(act));
        let transaction = self.node.world.by_holder(body, &key);
        self.node.commit(&[transaction]);
    }
}

fn opened(file: &HolderFile) -> Opened {
    Shown::read(&file.to_json()).expect("opens").opened
}

#[tokio::test]
async fn a_recorded_diploma_is_valid_with_the_ledgers_facts() {
    let scene = scene().await;
    let checked = scene.check(&scene.opened()).await;
    assert_eq!(checked.verdict, Verdict::Valid(Basis::Award));
    let facts = checked.facts.as_ref().expect("recorded");
    assert_eq!((facts.issuer, facts.names.en.as_str()), (testkit::bin(0), "Institution 0"));
    assert_eq!((facts.accredited, facts.version), (Some(true), 1));
    assert!(checked.proof_bytes > 0 && checked.as_of.is_some());
    let questions = Questions::of(&checked);
    let words = questions.each().map(|(_, _, answer)| answer.word());
    assert_eq!(words, ["yes", "yes", "yes", "not checked", "yes"]);
}

#[tokio::test]
async fn a_presentation_is_checked_like_the_whole_file() {
    let scene = scene().await;
    let shown = presentation::present(&scene.files[0], Template::Employer).expect("opens");
    let shown: Presentation = Presentation::from_json(&shown.to_json()).expect("reads back");
    let opened = Shown::read(&shown.to_json()).expect("opens").opened;
    assert_eq!(opened.control, None);
    assert_eq!(scene.check(&opened).await.verdict, Verdict::Valid(Basis::Award));
}

#[tokio::test]
async fn a_saved_proof_gives_the_same_verdict_offline() {
    let scene = scene().await;
    let online = scene.check(&scene.opened()).await;
    let bytes = online.bundle.as_ref().expect("a proof").to_bytes().expect("short enough");
    let bundle = Bundle::from_bytes(&bytes).expect("reads back");
    let offline = check_bundle(&bundle, &scene.terms(), &scene.opened());
    assert_eq!((&offline.verdict, &offline.facts), (&online.verdict, &online.facts));
    assert_eq!((offline.as_of, offline.proof_bytes), (online.as_of, bytes.len()));
    // It speaks of the day it was saved, and says so when that is too long ago.
    let mut later = scene.terms();
    later.trust.now = later.trust.now.saturating_add_ms(1);
    let stale = check_bundle(&bundle, &later, &scene.opened());
    let failure = ProofFailure::Stale { age_ms: 1 };
    assert_eq!(stale.verdict, Verdict::CouldNotCheck(Obstacle::Proof(failure)));
    assert_eq!(stale.facts, None);
}

#[tokio::test]
async fn each_standing_has_its_verdict() {
    let mut scene = scene().await;
    scene.change(1, Operation::Suspend);
    assert_eq!(scene.check(&scene.opened()).await.verdict, Verdict::Suspended(Basis::Award));
    scene.change(2, Operation::Reinstate);
    assert_eq!(scene.check(&scene.opened()).await.verdict, Verdict::Valid(Basis::Award));
    scene.change(3, Operation::Revoke);
    let revoked = scene.check(&scene.opened()).await;
    assert_eq!(revoked.verdict, Verdict::Revoked(Basis::Award));
    assert_eq!(revoked.facts.expect("recorded").reason, Some(Reason::Investigation));
}

#[tokio::test]
async fn what_the_holder_hides_is_not_told() {
    let mut scene = scene().await;
    scene.act(1, Operation::Restrict);
    let hidden = scene.check(&scene.opened()).await;
    assert_eq!(hidden.verdict, Verdict::NotAvailable(Hidden::Restricted, Basis::Award));
    assert_eq!(hidden.facts, None);
    scene.act(2, Operation::Lift);
    assert_eq!(scene.check(&scene.opened()).await.verdict, Verdict::Valid(Basis::Award));
    scene.act(3, Operation::Withdraw);
    let withdrawn = scene.check(&scene.opened()).await;
    assert_eq!(withdrawn.verdict, Verdict::NotAvailable(Hidden::Withdrawn, Basis::Award));
}

#[tokio::test]
async fn what_was_never_recorded_is_not_recorded() {
    let scene = scene().await;
    let mut forged = scene.opened();
    forged.fingerprint.0[0] ^= 1;
    let checked = scene.check(&forged).await;
    assert_eq!((checked.verdict, checked.facts), (Verdict::NotRecorded, None));
}

#[tokio::test]
async fn a_document_that_contradicts_the_ledger_is_altered() {
    let scene = scene().await;
    let altered = |change: &dyn Fn(&mut Opened)| {
        let mut opened = scene.opened();
        change(&mut opened);
        opened
    };
    let other = scene.files[1].gost;
    let set = |fields: &mut BTreeMap<Field, Value>, field, value| drop(fields.insert(field, value));
    for (opened, alteration) in [
        (altered(&|opened| opened.gost = other), Alteration::Gost),
        (altered(&|opened| opened.control = Some(opened.fingerprint)), Alteration::ControlKey),
        (altered(&|opened| set(&mut opened.fields, Field::Level, Value::Level(8))), Alteration::Programme),
        (altered(&|opened| drop(opened.fields.remove(&Field::AwardDate))), Alteration::AwardMonth),
    ] {
        let checked = scene.check(&opened).await;
        assert_eq!((checked.verdict, checked.facts), (Verdict::Altered(alteration), None));
    }
}

#[tokio::test]
async fn a_changed_file_is_altered_and_a_broken_one_could_not_be_checked() {
    let scene = scene().await;
    let mut file = scene.files[0].clone();
    file.r[0] ^= 1;
    let error = Shown::read(&file.to_json()).expect_err("altered");
    assert_eq!(Verdict::of_unopened(error), Verdict::Altered(Alteration::File(Part::Fingerprint)));
    let error = Shown::read(b"{}").expect_err("no file");
    assert!(matches!(
        Verdict::of_unopened(error),
        Verdict::CouldNotCheck(Obstacle::File(OpenError::Malformed { .. }))
    ));
}

#[tokio::test]
async fn an_outage_says_nothing_about_the_diploma() {
    let scene = scene().await;
    let client = scene.served.client().await;
    scene.served.stop.send_replace(true);
    scene.served.server.await.expect("no panic").expect("stopped");
    let terms = Terms { trust: scene.node.trust(), kind: NetworkKind::Devnet };
    let checked = check_online(&client, &terms, &opened(&scene.files[0])).await;
    let Verdict::CouldNotCheck(Obstacle::Node(ClientError::Unreachable { .. })) = checked.verdict else {
        panic!("{:?}", checked.verdict)
    };
}

#[tokio::test]
async fn unsigned_samples_hold_on_devnets_alone() {
    let scene = scene().await;
    let terms = Terms { kind: NetworkKind::Main, ..scene.terms() };
    let checked = check_online(&scene.served.client().await, &terms, &scene.opened()).await;
    assert_eq!(checked.verdict, Verdict::CouldNotCheck(Obstacle::Unsealed));
}

#[tokio::test]
async fn a_diploma_of_another_network_is_not_asked_for() {
    let scene = scene().await;
    let mut opened = scene.opened();
    opened.chain.0[0] ^= 1;
    assert_eq!(scene.check(&opened).await.verdict, Verdict::CouldNotCheck(Obstacle::OtherNetwork));
}

#[tokio::test]
async fn a_folder_of_diplomas_is_checked_by_shared_buckets() {
    let scene = scene().await;
    let client = scene.served.client().await;
    let mut verifier = Verifier::new(&client, scene.terms());
    for file in &scene.files {
        assert_eq!(verifier.check(&opened(file)).await.verdict, Verdict::Valid(Basis::Award));
    }
}
