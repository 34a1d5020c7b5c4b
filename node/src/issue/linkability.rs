//! The linkability attack on what stands on the ledger: whoever knows every requisite of every graduate, the
//! issuer, the day and the program's source, but neither salts nor openings, must not tell whose an entry is.
//!
//! Four attackers are tried. Three on classes of 1, 2, 5 and 20: one recomputes commitments under guessed
//! openings, one searches the transaction's bytes for anything derived from a person alone, and one uses order,
//! by playing the same class many times and looking for a place that leans towards a person. The fourth joins a
//! published graduation list with all that the ledger tells of a batch.

use std::collections::BTreeSet;

use tanba_credential::{
    IssuerBin,
    commitment::{self, GostParts, control_of},
    disclosure, leaves,
};
use tanba_crypto::{Canonical, Hash, SigningKey};
use tanba_ledger::operation::Entry;

use super::{
    Order, PrepareError, Row, prepare,
    testkit::{CounterRandom, order, prepared, rows},
};

const CLASSES: [usize; 4] = [1, 2, 5, 20];

fn entries(rows: &[Row], seed: u8) -> Vec<Entry> {
    let asked = Order { small_consented: true, ..order() };
    prepared(rows, &asked, seed).batches.remove(0).issue().entries.clone()
}

/// Texts that a person's row gives: each requisite alone, and disclosures without a secret.
fn known_texts(row: &Row) -> Vec<String> {
    let fields = row.requisites.fields().expect("legal");
    let mut texts = vec![format!("{:?}", row.requisites)];
    for (field, value) in fields {
        let json = serde_json::to_string(&value).expect("JSON");
        texts.push(json.trim_matches('"').to_owned());
        texts.push(format!("[\"{}\",{json}]", field.name()));
        texts.push(json);
    }
    texts
}

/// Openings that a careless implementation would use: constants, or values derived from the person.
fn guessed_openings(row: &Row) -> Vec<[u8; 32]> {
    let derived = known_texts(row).into_iter().map(|text| Hash::plain(text.as_bytes()).0);
    [[0; 32], [1; 32], [0xff; 32]].into_iter().chain(derived).collect()
}

#[test]
fn guessed_openings_match_no_entry() {
    for class in CLASSES {
        let rows = rows(class);
        let entries = entries(&rows, 1);
        let targets: BTreeSet<[u8; 32]> =
            entries.iter().flat_map(|entry| [entry.fingerprint.0.0, entry.gost, entry.control.0]).collect();
        for row in &rows {
            for opening in guessed_openings(row) {
                for guess in guesses(row, &opening) {
                    assert!(!targets.contains(&guess), "a class of {class} is linkable");
                }
            }
        }
    }
}

/// F, G and control as they would be under one guessed secret for everything.
fn guesses(row: &Row, opening: &[u8; 32]) -> Vec<[u8; 32]> {
    let salt: [u8; 16] = opening[..16].try_into().expect("16 bytes");
    let fields = row.requisites.fields().expect("legal");
    let mut digests: Vec<Hash> = fields
        .into_iter()
        .map(|(field, value)| tanba_credential::Disclosure::new(&salt, field, value).expect("legal").digest())
        .collect();
    let decoys = (digests.len()..leaves::LEAVES).map(|n| disclosure::digest(&n.to_string()));
    digests.extend(decoys.collect::<Vec<_>>());
    let digests: [Hash; leaves::LEAVES] = digests.try_into().expect("32 digests");
    let issuer = IssuerBin::parse(&order().issuer.to_string()).expect("12 digits");
    let document = tanba_credential::Document::unsigned_sample(issuer, order().issued_on.0, digests, None);
    let root = leaves::field_root(&digests);
    let parts = GostParts { document: Some(document.text().as_bytes()), seal: None, consent: None };
    vec![
        commitment::fingerprint(opening, &root, document.text()).0,
        commitment::gost_commitment(opening, &parts),
        control_of(&SigningKey::ed25519(opening).public()).0,
        *opening,
    ]
}

#[test]
fn knowing_the_document_but_not_the_openings_matches_nothing() {
    // Stronger than the attacker asked for: even the salts are known, only r and r_g are not.
    let rows = rows(20);
    let made = prepared(&rows, &order(), 1);
    for (record, entry) in made.batches[0].records().iter().zip(&made.batches[0].issue().entries) {
        let file = &made.holders[record];
        let document = tanba_credential::Document::parse(&file.document).expect("a document");
        let root = leaves::field_root(document.digests());
        for guess in [[0; 32], root.0, Hash::plain(file.document.as_bytes()).0, entry.gost] {
            assert_ne!(commitment::fingerprint(&guess, &root, &file.document), entry.fingerprint.0);
            let parts = GostParts { document: Some(file.document.as_bytes()), ..GostParts::default() };
            assert_ne!(commitment::gost_commitment(&guess, &parts), entry.gost);
        }
        // The same computation with the right openings does match: the attack itself works.
        assert_eq!(commitment::fingerprint(&file.r, &root, &file.document), entry.fingerprint.0);
    }
}

#[test]
fn the_transaction_holds_nothing_of_a_person() {
    for class in CLASSES {
        let rows = rows(class);
        let asked = Order { small_consented: true, ..order() };
        let bytes = prepared(&rows, &asked, 1).batches[0].transaction().to_canonical();
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        assert!(holds(b"6B06101"), "the search finds what is there: the programme of the batch");
        for row in &rows {
            let names = [&row.requisites.family_name, &row.requisites.given_name];
            for text in names.iter().flat_map(|texts| [&texts.kk, &texts.ru, &texts.en]) {
                assert!(!holds(text.as_bytes()));
            }
            for text in known_texts(row) {
                assert!(!holds(Hash::plain(text.as_bytes()).as_bytes()));
            }
        }
    }
}

#[test]
fn one_person_issued_twice_shares_nothing() {
    for class in CLASSES {
        let rows = rows(class);
        let parts = |seed| -> BTreeSet<[u8; 32]> {
            let entries = entries(&rows, seed);
            entries.iter().flat_map(|entry| [entry.fingerprint.0.0, entry.gost, entry.control.0]).collect()
        };
        assert_eq!(parts(1).len(), 3 * class);
        assert!(parts(1).is_disjoint(&parts(2)));
    }
}

#[test]
fn no_place_leans_towards_a_person() {
    // The first of the list, over many runs: each place of a class of five should be hers about as often.
    let rows = rows(5);
    let asked = Order { small_consented: true, ..order() };
    let mut places = [0u32; 5];
    for seed in 0..=249 {
        let made = prepared(&rows, &asked, seed);
        let batch = &made.batches[0];
        let place = batch.records().iter().position(|record| {
            let opened = tanba_credential::holder::open(&made.holders[record]).expect("opens");
            opened.fields == rows[0].requisites.fields().expect("legal")
        });
        places[place.expect("she is in the batch")] += 1;
    }
    // 250 runs, 50 expected each; a fixed seed makes this the same on every run.
    assert!(places.iter().all(|count| (30..=70).contains(count)), "{places:?}");
}

#[test]
fn a_class_below_twenty_is_not_made_without_consent() {
    for class in CLASSES {
        let made = prepare(&rows(class), &order(), &mut CounterRandom::new(1));
        assert_eq!(matches!(made, Err(PrepareError::Small { .. })), class < 20);
    }
}

#[test]
fn a_published_graduation_list_leaves_at_least_twenty_people_for_each_token() {
    let list = include_bytes!("../../../examples/class-2026.csv");
    let published = crate::issue::Roster::parse(list).expect("the sample class").rows;
    for university in ["1", "2", "3", "4"] {
        let own: Vec<Row> =
            published.iter().filter(|row| row.university.as_deref() == Some(university)).cloned().collect();
        for batch in prepared(&own, &Order { entries_max: 20, ..order() }, 7).batches {
            let issue = batch.issue();
            // All that the ledger tells of each of its tokens, joined with all that the list tells.
            let fits = |row: &&Row| {
                let date = row.requisites.award_date;
                let month = tanba_ledger::Month::new(date.year(), date.month());
                month == Some(issue.awarded_month) && issue.scopes.contains(&row.scope())
            };
            let candidates = own.iter().filter(fits).count();
            assert!(
                !issue.small && candidates >= 20,
                "{candidates} people for a token of university {university}"
            );
        }
    }
}

#[test]
fn a_draw_is_never_shared_between_graduates() {
    let made = prepared(&rows(20), &order(), 1);
    let secrets: BTreeSet<[u8; 32]> = made
        .holders
        .values()
        .flat_map(|file| [file.r, file.r_g, file.control_secret.expect("drawn here")])
        .collect();
    assert_eq!(secrets.len(), 60);
    let texts: BTreeSet<&String> =
        made.holders.values().flat_map(|file| file.disclosures.iter().chain(&file.decoys)).collect();
    assert_eq!(texts.len(), 20 * leaves::LEAVES);
}
