//! A class of a thousand from its list to holders' files, over a vault on disk: how long each step takes, beside what
//! bounds it, measured in the same run: checks of one national signature, and syncs of one sector in the same folder.
//!
//! `cargo run --release -p tanba-office --example speed [FOLDER]`; without FOLDER in the system's folder for temporary
//! files, which may lie in memory. One thread; a server checks several signatures at once.

#![expect(clippy::print_stdout, reason = "an example prints what it found")]

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use tanba_credential::consent::{Language, Method};
use tanba_crypto::{Hash, SigningKey, gost};
use tanba_eds::{
    Bin, Context, Evidence, Iin, Office as Place, Policy, Realm, Root, Serial, Time as Moment, Trust,
    authority::{Authority, Entity, Holder, Listing, Message, Person, Subject},
};
use tanba_ledger::{
    Approval, Bin as LedgerBin, ChainId, Day, Height, Timestamp, operation::Basis, record::KeyRole,
    transaction::factor,
};
use tanba_office::{
    BatchOrder, Checks, Choice, Config, Consent, ConsentTerms, FileRegistry, Import, ImportKey, Office,
    Officer, Outcome, Row, Who, testkit,
};
use tanba_vault::{
    Config as VaultConfig, DiskKeys, DiskVault, OfficerId, RecordId, Suite, Time, VaultId, folder::DiskFolder,
};

/// A class.
const GRADUATES: usize = 1_000;
/// Consents and seals that are taken in one by one, before the rest is taken in together.
const ONE_BY_ONE: usize = 200;
const NOW: Time = Time(1_793_000_000);
const MOMENT: Moment = Moment::from_unix_s(1_793_000_000);

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let home = tempfile::tempdir_in(&folder)?;
    let town = Town::new()?;
    println!("bound by the disk: {:.0} syncs a second", syncs(&folder)?);
    println!(
        "bound by one thread: {:.0} checks of a national signature a second",
        checks(&town.graduates[0])?
    );
    day(home.path(), &town)?;
    println!("OK: measured");
    Ok(())
}

fn day(home: &Path, town: &Town) -> Result<(), Failure> {
    let mut random = |bytes: &mut [u8]| getrandom::fill(bytes).expect("the system has random bytes");
    let (suite, vault) = (Suite::Kuznyechik, VaultId([1; 32]));
    let sealing =
        VaultConfig { vault, suite, reads_per_day_max: 100_000, bulk_max: 100, local_ahead_s: 18_000 };
    let mut keys = DiskKeys::open(DiskFolder::open(&home.join("keys"))?, suite)?;
    DiskVault::create_in(&home.join("vault"), &mut keys, &sealing, NOW, &mut random)?;
    let vault = DiskVault::open_in(&home.join("vault"), keys, sealing, NOW)?;
    let mut office = Office::open(vault, config())?;
    let registrar = Officer { id: OfficerId([1; 16]), role: KeyRole::Registrar };
    let approver = Officer { id: OfficerId([2; 16]), role: KeyRole::Approver };
    let begun = Instant::now();

    let rows = testkit::rows(GRADUATES);
    let rows: Vec<&Row> = rows.iter().collect();
    let list = testkit::csv((1..=GRADUATES).map(testkit::line));
    let import = Import {
        key: ImportKey([3; 32]),
        list: list.as_bytes(),
        rows: &rows,
        issued_on: Day(20_700),
        basis: Basis::Award,
    };
    let key = SigningKey::ed25519(&[7; 32]);
    let mut registry = FileRegistry::parse(registry().as_bytes())?;
    let class = timed(GRADUATES, "prepared", || {
        office.prepare(&import, &mut registry, &key, registrar, NOW, &mut random)
    })?;
    let mut records = Vec::new();
    while records.len() < GRADUATES {
        records
            .extend(office.lines(class.id, records.len() as u32, 500)?.into_iter().map(|line| line.record));
    }
    let choice = Choice { language: Language::Kk, method: Method::Eds, small_group: false };
    let mut texts = Vec::new();
    timed(GRADUATES, "fetched by their holders", || -> Result<(), Failure> {
        for (n, record) in (1..).zip(&records) {
            texts.push(office.draft(*record, Who::Holder(&testkit::iin(n)), &choice, NOW)?.text);
        }
        Ok(())
    })?;
    let mut consents = Vec::new();
    timed(GRADUATES, "signed by their holders", || {
        for (text, holder) in texts.iter().zip(&town.graduates) {
            consents.push(Message::new(text.as_bytes()).sign(holder, MOMENT).attached());
        }
    });
    let evidence = town.evidence()?;
    let context = Context { trust: &town.trust, evidence: &evidence, at: MOMENT, policy: Policy::default() };
    let lists = [Hash::plain(&town.crl)];
    let checks = Checks { context, answers: &[], lists: &lists };
    let iins: Vec<Iin> = (1..=GRADUATES).map(testkit::iin).collect();
    let mut given = Vec::new();
    for ((record, cms), iin) in records.iter().zip(&consents).zip(&iins) {
        let control = SigningKey::ed25519(Hash::plain(&record.0).as_bytes()).public();
        given.push(Consent { record: *record, who: Who::Holder(iin), cms, control });
    }
    let (single, many) = given.split_at(ONE_BY_ONE);
    timed(single.len(), "consents checked and taken in, one by one", || -> Result<(), Failure> {
        single.iter().try_for_each(|consent| Ok(office.consent(consent, &checks, &mut random)?))
    })?;
    timed(many.len(), "consents checked and taken in, together", || -> Result<(), Failure> {
        let outcomes = office.consent_all(many, &checks, &mut random)?;
        outcomes.into_iter().try_for_each(|outcome| Ok(outcome?))
    })?;
    let to_sign = timed(GRADUATES, "handed out to be sealed", || office.to_seal(&records, registrar, NOW))?;
    let mut seals: Vec<(RecordId, Vec<u8>)> = Vec::new();
    timed(GRADUATES, "signed by the university", || {
        for (record, bytes) in records.iter().zip(&to_sign) {
            seals.push((*record, Message::new(bytes).sign(&town.head, MOMENT).attached()));
        }
    });
    let seals: Vec<(RecordId, &[u8])> = seals.iter().map(|(record, cms)| (*record, &cms[..])).collect();
    let (single, many) = seals.split_at(ONE_BY_ONE);
    timed(single.len(), "seals checked and taken in, one by one", || -> Result<(), Failure> {
        single
            .iter()
            .try_for_each(|(record, cms)| Ok(office.seal(*record, cms, registrar, &checks, &mut random)?))
    })?;
    timed(many.len(), "seals checked and taken in, together", || -> Result<(), Failure> {
        let outcomes = office.seal_all(many, registrar, &checks, &mut random)?;
        outcomes.into_iter().try_for_each(|outcome| Ok(outcome?))
    })?;
    let classes = [class.id];
    let expiry = Timestamp(NOW.0 * 1_000 + 3_600_000);
    let order = BatchOrder {
        classes: &classes,
        decision: b"order",
        entries_max: 1_000,
        expiry,
        audit: None,
        small: false,
    };
    let made =
        timed(GRADUATES, "dealt into batches", || office.make_batches(&order, registrar, NOW, &mut random))?;
    timed(GRADUATES, "approved, after the sample", || -> Result<(), Failure> {
        for batch in &made.batches {
            for number in 0..office.summary(*batch)?.sample.len() {
                office.open_sample(*batch, number, approver, NOW)?;
            }
            for officer in [approver, registrar] {
                let body = office.transaction(*batch)?.body;
                let key = SigningKey::ed25519(&[officer.role as u8 + 100; 32]);
                let approval = Approval::by_officer(&body.chain, body.id(), officer.role, factor::KEY, &key);
                office.approve(*batch, approval, officer, NOW)?;
            }
            office.begin_submission(*batch, registrar)?;
            office.finished(*batch, Outcome::Final(Height(1), 0))?;
        }
        Ok(())
    })?;
    timed(GRADUATES, "given out", || -> Result<(), Failure> {
        for (n, record) in (1..).zip(&records) {
            office.deliver(*record, Who::Holder(&testkit::iin(n)), None, NOW)?;
        }
        Ok(())
    })?;
    println!("all of it: {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// Runs `work` once, which does something to so many, and says how long that took.
fn timed<R>(count: usize, what: &str, work: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let done = work();
    let seconds = start.elapsed().as_secs_f64();
    println!("{count} {what}: {seconds:.2} s, {:.0} a second", count as f64 / seconds);
    done
}

/// Everybody with a certificate.
struct Town {
    trust: Trust,
    crl: Vec<u8>,
    graduates: Vec<Holder>,
    head: Holder,
}

impl Town {
    fn new() -> Result<Town, Failure> {
        let validity = (MOMENT.plus_s(-86_400), MOMENT.plus_s(365 * 86_400));
        let key = |n: usize| {
            let mut number = [0; 64];
            number[56..].copy_from_slice(&(n as u64 + 1).to_be_bytes());
            gost::SigningKey::from_number(&number).expect("a number below q")
        };
        let serial = |n: usize| {
            let number = 0x4000_0000 + u32::try_from(n).expect("a class is small");
            Serial::from_bytes(&number.to_be_bytes()).expect("a number above zero")
        };
        let root = Authority::root("ROOT", key(0), &serial(0), validity);
        let nca = root.issuing("NCA", key(1), &serial(1), validity);
        let person = |n| Person { surname: "ҮЛГІ", name: "МЫСАЛ", iin: testkit::iin(n) };
        let digits = issuer().to_string();
        let ours = Entity {
            name: "ҮЛГІ УНИВЕРСИТЕТІ", bin: Bin::from_digits(&digits).expect("digits")
        };
        let head = Subject::Officer(person(900_000), ours, Place::Head);
        let graduate = |n| nca.issue(&Subject::Person(person(n)), key(n + 10), &serial(n + 10), validity);
        let updates = (MOMENT.plus_s(-3_600), MOMENT.plus_s(86_400));
        let listing = Listing { number: 1, amends: None, updates, revoked: &[], removed: &[] };
        Ok(Town {
            trust: Trust {
                roots: vec![Root::new(root.certificate().clone(), Realm::Test)?],
                issuers: vec![nca.certificate().clone()],
                devnet: true,
            },
            crl: nca.crl(&listing),
            head: nca.issue(&head, key(2), &serial(2), validity),
            graduates: (1..=GRADUATES).map(graduate).collect(),
        })
    }

    fn evidence(&self) -> Result<Evidence<'_>, Failure> {
        let mut evidence = Evidence::default();
        evidence.add_crl(&self.crl)?;
        Ok(evidence)
    }
}

fn issuer() -> LedgerBin {
    LedgerBin::with_control_digit(26_074_000_000).expect("has a control digit")
}

fn config() -> Config {
    let operator = ["Үлгі университеті".to_owned(), "Университет-образец".to_owned()];
    Config {
        chain: ChainId(Hash([9; 32])),
        issuer: issuer(),
        terms: ConsentTerms { operator, days: 3_650, third_parties: None, abroad: None, publication: None },
        service: None,
        limitation_s: 3 * 365 * 86_400,
        bulk: 100,
    }
}

fn registry() -> String {
    let one = |n: usize| {
        format!(
            r#"{{"iin":"{}","lastName":"Үлгі-Қиял","firstName":"Мысал-{n}","professionCode":"6B06101",
                "iacDiplomaSeries":"TEST-BD","iacDiplomaNumber":"{n:07}"}}"#,
            testkit::iin(n).digits()
        )
    };
    format!(r#"{{"graduates":[{}]}}"#, (1..=GRADUATES).map(one).collect::<Vec<_>>().join(","))
}

/// Checks of one national signature a second, on one thread.
fn checks(holder: &Holder) -> Result<f64, Failure> {
    let cms = Message::new(b"text").sign(holder, MOMENT).attached();
    let message = tanba_eds::SignedData::from_bytes(&cms)?;
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed().as_secs_f64() < 1.0 {
        message.check_signatures(b"text", |_| true)?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

/// Syncs of one sector a second.
fn syncs(folder: &Path) -> Result<f64, Failure> {
    let mut file: File = tempfile::tempfile_in(folder)?;
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed().as_secs_f64() < 1.0 {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[count as u8; 512])?;
        file.sync_data()?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}
