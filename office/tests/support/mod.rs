//! An office over a machine in memory, an authority that certifies everybody, and an invented class.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part of this")]

#[path = "../../../eds/tests/common/world.rs"]
mod authority;
#[path = "../../../vault/tests/support/machine.rs"]
mod machine;

use authority::{DAY_S, World, key, serial, validity};
pub(crate) use machine::{Crash, Machine, MachineFolder, MachineTree};
use tanba_credential::consent::{Language, Method};
use tanba_crypto::{Hash, SigningKey};
use tanba_eds::{
    Bin, Context, Evidence, Iin, Office as Place,
    authority::{Authority, Entity, Holder, Message, Person, Subject},
    crl::Reason,
};
use tanba_ledger::{
    Approval, Bin as LedgerBin, ChainId, Day, Height, Timestamp, operation::Basis, record::KeyRole,
    transaction::factor,
};
use tanba_office::{
    BatchId, BatchOrder, Checks, Choice, Class, Config, Consent, ConsentTerms, FileRegistry, Import,
    ImportKey, Office, OfficeError, Officer, Outcome, Row, State, Who, testkit,
};
use tanba_vault::{
    Config as VaultConfig, OfficerId, RecordId, Suite, Time, Vault, VaultId, epoch_keys::FileKeys,
};

pub(crate) const NOW: Time = Time(1_793_000_000);
pub(crate) const LIMITATION_S: u64 = 3 * 365 * 24 * 3_600;

pub(crate) type TestOffice = Office<MachineTree, MachineFolder, FileKeys<MachineFolder>>;

pub(crate) fn issuer() -> LedgerBin {
    LedgerBin::with_control_digit(26_074_000_000).expect("has a control digit")
}

fn bin(digits: &str) -> Bin {
    Bin::from_digits(digits).expect("twelve digits")
}

pub(crate) fn config() -> Config {
    let texts = |text: &str| [format!("{text} (kk)"), format!("{text} (ru)")];
    Config {
        chain: ChainId(Hash([9; 32])),
        issuer: issuer(),
        terms: ConsentTerms {
            operator: texts("Үлгі университеті"),
            days: 3_650,
            third_parties: None,
            abroad: None,
            publication: None,
        },
        service: Some(bin("000000000009")),
        limitation_s: LIMITATION_S,
        bulk: 10,
    }
}

fn vault_config() -> VaultConfig {
    let (suite, vault) = (Suite::ChaCha20, VaultId([0x4b; 32]));
    VaultConfig { vault, suite, reads_per_day_max: 100_000, bulk_max: 10, local_ahead_s: 18_000 }
}

/// Bytes that look random and are the same in every run.
pub(crate) fn random(seed: u64) -> impl FnMut(&mut [u8]) {
    let mut count = 0u64;
    move |bytes: &mut [u8]| {
        for chunk in bytes.chunks_mut(32) {
            count += 1;
            let block = Hash::plain(&[seed.to_be_bytes(), count.to_be_bytes()].concat());
            chunk.copy_from_slice(&block.as_bytes()[..chunk.len()]);
        }
    }
}

pub(crate) fn open(machine: &Machine) -> Result<TestOffice, OfficeError> {
    let (tree, folder) = (MachineTree(machine.clone()), MachineFolder(machine.clone(), "slots"));
    let keys = FileKeys::open(MachineFolder(machine.clone(), "keys"), Suite::ChaCha20)?;
    Office::open(Vault::open(tree, folder, keys, vault_config(), NOW)?, config())
}

/// A machine with an empty office.
pub(crate) fn founded() -> (Machine, TestOffice) {
    let machine = Machine::default();
    let (tree, folder) = (MachineTree(machine.clone()), MachineFolder(machine.clone(), "slots"));
    let keys = FileKeys::open(MachineFolder(machine.clone(), "keys"), Suite::ChaCha20);
    let mut keys = keys.expect("no keys yet");
    Vault::create(&tree, folder, &mut keys, &vault_config(), NOW, &mut random(1)).expect("founded");
    let office = open(&machine).expect("opened");
    (machine, office)
}

pub(crate) fn officer(n: u8, role: KeyRole) -> Officer {
    Officer { id: OfficerId([n; 16]), role }
}

pub(crate) fn registrar() -> Officer {
    officer(1, KeyRole::Registrar)
}

pub(crate) fn approver() -> Officer {
    officer(2, KeyRole::Approver)
}

pub(crate) fn both() -> Who<'static> {
    Who::Officers(registrar(), approver())
}

/// The key of an officer.
pub(crate) fn signing_key(role: KeyRole) -> SigningKey {
    SigningKey::ed25519(&[role as u8 + 100; 32])
}

pub(crate) fn document_key() -> SigningKey {
    SigningKey::ed25519(&[7; 32])
}

/// The control key that graduate `n` made.
pub(crate) fn control_key(n: usize) -> SigningKey {
    SigningKey::ed25519(Hash::plain(&n.to_be_bytes()).as_bytes())
}

/// Everybody with a certificate.
pub(crate) struct Town {
    world: World,
    crl: Vec<u8>,
    pub(crate) graduates: Vec<Holder>,
    pub(crate) head: Holder,
    pub(crate) signer: Holder,
    pub(crate) employee: Holder,
    pub(crate) stranger: Holder,
    pub(crate) service: Holder,
}

impl Town {
    /// With so many graduates, numbered from 1.
    pub(crate) fn of(graduates: usize) -> Town {
        let world = World::new();
        let person = |iin| Person { surname: "ҮЛГІ", name: "МЫСАЛ", iin };
        let issue = |subject: &Subject<'_>, n: u8| world.nca.issue(subject, key(n), &serial(n), validity());
        let digits = issuer().to_string();
        let ours = Entity { name: "ҮЛГІ УНИВЕРСИТЕТІ", bin: bin(&digits) };
        let state = Entity { name: "МЕМЛЕКЕТТІК ҚЫЗМЕТ", bin: bin("000000000009") };
        let other = Entity { name: "БАСҚА", bin: bin("000000000003") };
        let at = |place, entity, n: usize| Subject::Officer(person(testkit::iin(900 + n)), entity, place);
        let graduates = (1..=graduates)
            .map(|n| issue(&Subject::Person(person(testkit::iin(n))), 100 + n as u8))
            .collect();
        let crl = world.crl(&[]);
        Town {
            graduates,
            head: issue(&at(Place::Head, ours, 1), 10),
            signer: issue(&at(Place::Signer, ours, 2), 11),
            employee: issue(&at(Place::Employee, ours, 3), 12),
            stranger: issue(&at(Place::Head, other, 4), 13),
            service: issue(&Subject::System("SERVICE", state), 14),
            crl,
            world,
        }
    }

    /// A certificate of graduate `n` that had its time a day before the moment.
    pub(crate) fn expired(&self, n: usize) -> Holder {
        let subject =
            Subject::Person(Person { surname: "ҮЛГІ", name: "МЫСАЛ", iin: testkit::iin(n) });
        let (from, _) = validity();
        let to = authority::NOW.plus_s(-3_600);
        self.world.nca.issue(&subject, key(90), &serial(90), (from, to))
    }

    /// A certificate of graduate `n` by an authority that nobody knows.
    pub(crate) fn impostor(&self, n: usize) -> Holder {
        let subject =
            Subject::Person(Person { surname: "ҮЛГІ", name: "МЫСАЛ", iin: testkit::iin(n) });
        let root = Authority::root("NOBODY", key(91), &serial(91), validity());
        root.issue(&subject, key(92), &serial(92), validity())
    }

    /// Runs `work` with what signatures are checked against at the moment, while `revoked` is on the list.
    pub(crate) fn checked_without<R>(
        &self,
        revoked: Option<&Holder>,
        work: impl FnOnce(&Checks<'_>) -> R,
    ) -> R {
        let since = authority::NOW.plus_s(-2 * 3_600);
        let entries: Vec<_> = revoked
            .iter()
            .map(|holder| (holder.certificate.serial().clone(), since, Reason::KeyCompromise))
            .collect();
        let crl = if entries.is_empty() { self.crl.clone() } else { self.world.crl(&entries) };
        let mut evidence = Evidence::default();
        evidence.add_crl(&crl).expect("a list");
        let lists = [Hash::plain(&crl)];
        work(&Checks { context: self.world.context(&evidence), answers: &[], lists: &lists })
    }

    pub(crate) fn checked<R>(&self, work: impl FnOnce(&Checks<'_>) -> R) -> R {
        self.checked_without(None, work)
    }

    /// `text` signed by these, content inside.
    pub(crate) fn sign(&self, text: &[u8], by: &[&Holder]) -> Vec<u8> {
        let signed = by
            .iter()
            .fold(Message::new(text), |message, holder| message.sign(holder, authority::NOW.plus_s(-60)));
        signed.attached()
    }

    /// Graduate `n` fetches the draft and consents, small group or not.
    pub(crate) fn consent(
        &self,
        office: &mut TestOffice,
        record: RecordId,
        n: usize,
        small_group: bool,
    ) -> Result<(), OfficeError> {
        let cms = self.signed_consent(office, record, n, small_group)?;
        self.give(office, record, n, &cms)
    }

    /// The consent of graduate `n`, signed.
    pub(crate) fn signed_consent(
        &self,
        office: &mut TestOffice,
        record: RecordId,
        n: usize,
        small_group: bool,
    ) -> Result<Vec<u8>, OfficeError> {
        let choice = Choice { language: Language::Kk, method: Method::Eds, small_group };
        let offer = office.draft(record, Who::Holder(&testkit::iin(n)), &choice, NOW)?;
        Ok(self.sign(offer.text.as_bytes(), &[&self.graduates[n - 1]]))
    }

    /// Brings a consent to the office, as graduate `n`.
    pub(crate) fn give(
        &self,
        office: &mut TestOffice,
        record: RecordId,
        n: usize,
        cms: &[u8],
    ) -> Result<(), OfficeError> {
        let (iin, control) = (testkit::iin(n), control_key(n).public());
        let consent = Consent { record, who: Who::Holder(&iin), cms, control };
        self.checked(|checks| office.consent(&consent, checks, &mut random(n as u64 + 1_000)))
    }

    /// The head seals a record.
    pub(crate) fn seal(&self, office: &mut TestOffice, record: RecordId) -> Result<(), OfficeError> {
        let bytes = office.to_seal(&[record], registrar(), NOW)?;
        let cms = self.sign(&bytes[0], &[&self.head]);
        self.put_seal(office, record, &cms)
    }

    /// Everybody of a class consents, also to a small group, and the head seals.
    pub(crate) fn seal_class(&self, office: &mut TestOffice, class: &Class) {
        for (n, record) in (1..).zip(records(office, class)) {
            self.consent(office, record, n, true).expect("consented");
            self.seal(office, record).expect("sealed");
        }
    }

    pub(crate) fn put_seal(
        &self,
        office: &mut TestOffice,
        record: RecordId,
        cms: &[u8],
    ) -> Result<(), OfficeError> {
        self.checked(|checks| office.seal(record, cms, registrar(), checks, &mut random(5_000)))
    }
}

/// What the national registry has of a class of so many.
pub(crate) fn registry_json(count: usize) -> String {
    let one = |n: usize| {
        format!(
            r#"{{"iin":"{}","lastName":"ҮЛГІ-ҚИЯЛ","firstName":"Мысал-{n}","patronymic":"",
                "professionCode":"6B06101","iacDiplomaSeries":"TEST-BD","iacDiplomaNumber":"{n:07}",
                "registrationNumber":"R-{n}","diplomaDate":"2026-06-30","diplomaHonor":false}}"#,
            testkit::iin(n).digits()
        )
    };
    format!(r#"{{"graduates":[{}]}}"#, (1..=count).map(one).collect::<Vec<_>>().join(","))
}

pub(crate) fn registry(count: usize) -> FileRegistry {
    FileRegistry::parse(registry_json(count).as_bytes()).expect("a registry")
}

/// Imports an invented class of so many under key `key`.
pub(crate) fn prepare_as(office: &mut TestOffice, count: usize, key: u8) -> Result<Class, OfficeError> {
    import(office, count, key, Basis::Award, &mut registry(count))
}

/// The same for another reason, or by another registry.
pub(crate) fn import(
    office: &mut TestOffice,
    count: usize,
    key: u8,
    basis: Basis,
    registry: &mut FileRegistry,
) -> Result<Class, OfficeError> {
    let rows = testkit::rows(count);
    let rows: Vec<&Row> = rows.iter().collect();
    let list = testkit::csv((1..=count).map(testkit::line));
    let (import_key, issued_on) = (ImportKey([key; 32]), Day(20_700));
    let import = Import { key: import_key, list: list.as_bytes(), rows: &rows, issued_on, basis };
    office.prepare(&import, registry, &document_key(), registrar(), NOW, &mut random(u64::from(key)))
}

pub(crate) fn prepare(office: &mut TestOffice, count: usize) -> Class {
    prepare_as(office, count, 3).expect("prepared")
}

/// The records of a class, in order of its list.
pub(crate) fn records(office: &TestOffice, class: &Class) -> Vec<RecordId> {
    let lines = office.lines(class.id, 0, 500).expect("listed");
    lines.into_iter().map(|line| line.record).collect()
}

pub(crate) fn states(office: &TestOffice, class: &Class) -> Vec<State> {
    let lines = office.lines(class.id, 0, 500).expect("listed");
    lines.into_iter().map(|line| line.state.expect("ready")).collect()
}

pub(crate) const DECISION: &[u8] = b"order no. 1 of an invented university";

pub(crate) const EXPIRY: Timestamp = Timestamp(NOW.0 * 1_000 + 23 * 3_600_000);

pub(crate) fn order<'a>(classes: &'a [tanba_office::ClassId], small: bool) -> BatchOrder<'a> {
    let entries_max = 1_000;
    BatchOrder { classes, decision: DECISION, entries_max, expiry: EXPIRY, audit: None, small }
}

/// Batches of a class.
pub(crate) fn batches(office: &mut TestOffice, class: &Class, small: bool) -> Vec<BatchId> {
    let classes = [class.id];
    let made = office.make_batches(&order(&classes, small), registrar(), NOW, &mut random(77));
    made.expect("made").batches
}

/// The approval of an officer's key.
pub(crate) fn approval(office: &TestOffice, batch: BatchId, role: KeyRole) -> Approval {
    let transaction = office.transaction(batch).expect("there");
    let (chain, id) = (transaction.body.chain, transaction.id());
    Approval::by_officer(&chain, id, role, factor::KEY, &signing_key(role))
}

/// The approver opens the sample, and both approve.
pub(crate) fn approve(office: &mut TestOffice, batch: BatchId) {
    for number in 0..office.summary(batch).expect("there").sample.len() {
        office.open_sample(batch, number, approver(), NOW).expect("opened");
    }
    for officer in [approver(), registrar()] {
        let approval = approval(office, batch, officer.role);
        office.approve(batch, approval, officer, NOW).expect("approved");
    }
}

/// A batch on its way to its end.
pub(crate) fn submit(office: &mut TestOffice, batch: BatchId) {
    office.begin_submission(batch, registrar()).expect("submitted");
    office.finished(batch, Outcome::Final(Height(7), 0)).expect("final");
}

/// A class of so many whose every record is sealed, each in favour of a small group.
pub(crate) fn sealed(count: usize) -> (Machine, TestOffice, Town, Class) {
    let (machine, mut office) = founded();
    let town = Town::of(count);
    let class = prepare(&mut office, count);
    town.seal_class(&mut office, &class);
    (machine, office, town, class)
}
