//! From rows to what is signed: a holder's file for each graduate, and the transactions.
//!
//! Rows are grouped by month of award, since a transaction names one, and dealt by the rules of the office
//! ([`tanba_office::deal`]): neither a batch nor a place in it follows the list. A batch below [`SMALL_BATCH`] entries
//! would let a published graduation list point at few tokens: it is made only where the holders were told and the
//! registrar says so.

use std::collections::{BTreeMap, BTreeSet};

use tanba_credential::{
    Diploma, Draw, DrawError, HolderFile, IssuerBin, commitment::control_of, requisites::FieldError,
};
use tanba_crypto::{Hash, SigningKey};
use tanba_ledger::{
    Bin, ChainId, Day, Fingerprint, Month, Operation, Timestamp, TransactionBody,
    limits::{ENTRIES_MAX, SCOPES_MAX, SMALL_BATCH},
    operation::{Basis, Entry, document_commitment},
    transaction::AuditHead,
};
use tanba_office::deal::{deal, issue, makes_small};
use zeroize::Zeroizing;

use super::{BatchFile, RandomError, RandomSource, RecordId, Row};

/// What a registrar asks for, beside the rows.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The network.
    pub chain: ChainId,
    /// The institution that issues.
    pub issuer: Bin,
    /// The day of the documents.
    pub issued_on: Day,
    /// Until when the transactions may become final; at most a day ahead. A late approval renews it.
    pub expiry: Timestamp,
    /// The head of the institution's audit log; required outside devnets.
    pub audit: Option<AuditHead>,
    /// Whether the diplomas were just awarded, or are confirmed from the archive.
    pub basis: Basis,
    /// The bytes of the university's decision to award; only a salted commitment leaves this machine.
    pub decision: &'a [u8],
    /// Diplomas in one transaction, at most [`ENTRIES_MAX`].
    pub entries_max: usize,
    /// Whether the holders of small batches were told so in their consents.
    pub small_consented: bool,
}

/// What was made of the rows.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// One file for each graduate, by record id.
    pub holders: BTreeMap<RecordId, HolderFile>,
    /// The transactions, without approvals.
    pub batches: Vec<BatchFile>,
}

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// No rows.
    #[error("there are no rows to issue")]
    NoRows,
    /// A batch size that the ledger refuses.
    #[error("{entries_max} diplomas in a transaction; choose 1 to {ENTRIES_MAX}")]
    EntriesMax {
        /// What was asked.
        entries_max: usize,
    },
    /// Too few to hide among, and no word that the holders were told.
    #[error(
        "a batch of {month} would hold {count}, below {SMALL_BATCH}, which lets a published list point at its holders; \
         wait for more, allow more in a transaction, or state that the holders consented to a small batch"
    )]
    Small {
        /// The month of award.
        month: Month,
        /// Its rows.
        count: usize,
    },
    /// More programmes and levels than one transaction names.
    #[error(
        "a batch of {month} has {count} programmes and levels, the limit is {SCOPES_MAX}; choose smaller batches"
    )]
    Scopes {
        /// The month of award.
        month: Month,
        /// How many.
        count: usize,
    },
    /// A row that breaks a rule of the document.
    #[error("line {line}: {error}")]
    Requisites {
        /// Where the row stood.
        line: u64,
        /// What is wrong.
        error: FieldError,
    },
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// Random bytes that are not random.
    #[error(transparent)]
    Draw(#[from] DrawError),
}

/// Makes everything of `rows`, or nothing. The same rows, order and random bytes give the same result.
pub fn prepare<'a>(
    rows: impl IntoIterator<Item = &'a Row>,
    order: &Order<'_>,
    random: &mut impl RandomSource,
) -> Result<Prepared, PrepareError> {
    if !(1..=ENTRIES_MAX).contains(&order.entries_max) {
        return Err(PrepareError::EntriesMax { entries_max: order.entries_max });
    }
    let mut months: BTreeMap<Month, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        months.entry(month_of(row)).or_default().push(row);
    }
    if months.is_empty() {
        return Err(PrepareError::NoRows);
    }
    let mut planned = Vec::new();
    for (month, rows) in months {
        planned.extend(plan(month, rows, order, random)?);
    }
    let mut prepared = Prepared { holders: BTreeMap::new(), batches: Vec::new() };
    for (month, rows) in planned {
        let batch = make_batch(month, &rows, order, random, &mut prepared.holders)?;
        prepared.batches.push(batch);
    }
    Ok(prepared)
}

fn month_of(row: &Row) -> Month {
    let date = row.requisites.award_date;
    Month::new(date.year(), date.month()).expect("a day has a month")
}

/// Deals the rows of one month into batches, at random.
fn plan<'a>(
    month: Month,
    rows: Vec<&'a Row>,
    order: &Order<'_>,
    random: &mut impl RandomSource,
) -> Result<Vec<(Month, Vec<&'a Row>)>, PrepareError> {
    if makes_small(rows.len(), order.entries_max) && !order.small_consented {
        return Err(PrepareError::Small { month, count: rows.len() });
    }
    let mut failed = None;
    let mut fill = |bytes: &mut [u8]| failed = random.fill(bytes).err().or(failed.take());
    let dealt = deal(rows, order.entries_max, &mut fill);
    failed.map_or(Ok(()), Err)?;
    let checked = |rows: Vec<&'a Row>| {
        let count = rows.iter().map(|row| row.scope()).collect::<BTreeSet<_>>().len();
        if count > SCOPES_MAX { Err(PrepareError::Scopes { month, count }) } else { Ok((month, rows)) }
    };
    dealt.into_iter().map(checked).collect()
}

fn make_batch(
    month: Month,
    rows: &[&Row],
    order: &Order<'_>,
    random: &mut impl RandomSource,
    holders: &mut BTreeMap<RecordId, HolderFile>,
) -> Result<BatchFile, PrepareError> {
    let mut entries = BTreeMap::new();
    for row in rows {
        let file = make_holder_file(row, order, random)?;
        let entry = Entry {
            fingerprint: Fingerprint(file.fingerprint),
            gost: file.gost,
            control: control_of(&file.control_key),
        };
        let id = RecordId::draw(random)?;
        assert!(holders.insert(id, file).is_none(), "128 random bits do not repeat");
        assert!(entries.insert(entry, id).is_none(), "256 random bits do not repeat");
    }
    let decision_salt: [u8; 32] = random.array()?;
    let scopes = rows.iter().map(|row| row.scope());
    let decision = document_commitment(&decision_salt, order.decision);
    let issue = issue(scopes, entries.keys().copied().collect(), month, order.basis, decision);
    let body = TransactionBody {
        chain: order.chain,
        institution: order.issuer,
        expiry: order.expiry,
        operation: Operation::Issue(issue),
        audit: order.audit,
    };
    Ok(BatchFile::new(body, decision_salt, entries.into_values().collect()))
}

fn make_holder_file(
    row: &Row,
    order: &Order<'_>,
    random: &mut impl RandomSource,
) -> Result<HolderFile, PrepareError> {
    let bytes = Zeroizing::new(random.array::<{ Draw::BYTES }>()?);
    let draw = Draw::from_bytes(&bytes)?;
    let issuer = IssuerBin::parse(&order.issuer.to_string()).expect("a BIN has 12 digits");
    let diploma = Diploma::unsigned_sample(&row.requisites, issuer, order.issued_on.0, None, &draw)
        .map_err(|error| PrepareError::Requisites { line: row.line, error })?;
    let control_seed = Zeroizing::new(random.array::<32>()?);
    let control_key = SigningKey::ed25519(&control_seed).public();
    let Hash(chain) = order.chain.0;
    Ok(HolderFile::new(Hash(chain), &diploma, control_key, Some(*control_seed)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::testkit::{CounterRandom, order, prepared, rows};

    #[test]
    fn the_same_random_bytes_give_the_same_batches() {
        let (rows, order) = (rows(45), order());
        let (one, same, other) =
            (prepared(&rows, &order, 1), prepared(&rows, &order, 1), prepared(&rows, &order, 2));
        assert_eq!((&one.holders, &one.batches), (&same.holders, &same.batches));
        assert_ne!(one.batches[0].id(), other.batches[0].id());
    }

    #[test]
    fn batches_hold_every_row_once_in_order_of_f() {
        let rows = rows(130);
        let made = prepared(&rows, &Order { entries_max: 60, ..order() }, 1);
        let sizes: Vec<usize> = made.batches.iter().map(|batch| batch.issue().entries.len()).collect();
        assert_eq!(sizes, [44, 43, 43]);
        assert_eq!(made.holders.len(), 130);
        let mut numbers = BTreeSet::new();
        for batch in &made.batches {
            assert!(batch.issue().entries.is_sorted_by(|a, b| a.fingerprint < b.fingerprint));
            for (entry, record) in batch.issue().entries.iter().zip(batch.records()) {
                let opened = tanba_credential::holder::open(&made.holders[record]).expect("opens");
                assert_eq!(opened.fingerprint, entry.fingerprint.0);
                let number = &opened.fields[&tanba_credential::Field::DiplomaNumber];
                assert!(numbers.insert(format!("{number:?}")));
            }
        }
        assert_eq!(numbers.len(), 130);
    }

    #[test]
    fn which_batch_a_row_falls_into_does_not_follow_the_list() {
        let rows = rows(60);
        let made = prepared(&rows, &Order { entries_max: 20, ..order() }, 1);
        let first: BTreeSet<String> = made.batches[0]
            .records()
            .iter()
            .map(|record| {
                let opened = tanba_credential::holder::open(&made.holders[record]).expect("opens");
                format!("{:?}", opened.fields[&tanba_credential::Field::RegistrationNumber])
            })
            .collect();
        let from_the_top = (1..=20).filter(|n| first.contains(&format!("Text(\"R-{n}\")"))).count();
        assert!((1..=14).contains(&from_the_top), "{from_the_top} of the first twenty rows");
    }

    #[test]
    fn each_month_of_award_has_its_own_batches() {
        let mut rows = rows(60);
        for row in &mut rows[..25] {
            row.requisites.award_date = tanba_credential::requisites::Date::new(2026, 7, 1).expect("a day");
        }
        let made = prepared(&rows, &order(), 1);
        let months: Vec<_> = made.batches.iter().map(|batch| batch.issue()).collect();
        assert_eq!((months[0].awarded_month.to_string(), months[0].entries.len()), ("2026-06".into(), 35));
        assert_eq!((months[1].awarded_month.to_string(), months[1].entries.len()), ("2026-07".into(), 25));
    }

    #[test]
    fn scopes_are_collected_once_and_ascending() {
        let mut rows = rows(40);
        rows[0].requisites.programme.code = "7M04105".into();
        rows[0].requisites.level = 7;
        rows[1].requisites.programme.code = "6B01501".into();
        let made = prepared(&rows, &order(), 1);
        let scopes = made.batches[0].summary().scopes;
        assert_eq!(scopes, ["6B01501/6", "6B06101/6", "7M04105/7"]);
    }

    #[test]
    fn a_small_batch_is_made_only_by_explicit_consent() {
        for (count, entries_max) in [(1, 1_000), (19, 1_000), (30, 20)] {
            let asked = Order { entries_max, ..order() };
            let refused = prepare(&rows(count), &asked, &mut CounterRandom::new(1));
            assert!(matches!(refused, Err(PrepareError::Small { .. })), "{count} by {entries_max}");
            let made = prepared(&rows(count), &Order { small_consented: true, ..asked }, 1);
            assert!(made.batches.iter().all(|batch| batch.issue().small));
        }
        let made = prepared(&rows(20), &Order { small_consented: true, ..order() }, 1);
        assert!(!made.batches[0].issue().small, "twenty are not small, whatever was consented to");
    }

    #[test]
    fn too_many_scopes_and_odd_sizes_are_refused() {
        let mut many = rows(130);
        for (n, row) in many.iter_mut().enumerate() {
            row.requisites.programme.code = format!("6B{n:05}");
        }
        let refused = prepare(&many, &order(), &mut CounterRandom::new(1));
        assert!(matches!(refused, Err(PrepareError::Scopes { count: 130, .. })));
        assert!(prepare(&many, &Order { entries_max: 60, ..order() }, &mut CounterRandom::new(1)).is_ok());
        for entries_max in [0, ENTRIES_MAX + 1] {
            let refused = prepare(&many, &Order { entries_max, ..order() }, &mut CounterRandom::new(1));
            assert!(matches!(refused, Err(PrepareError::EntriesMax { .. })));
        }
        assert!(matches!(prepare(&[], &order(), &mut CounterRandom::new(1)), Err(PrepareError::NoRows)));
    }

    #[test]
    fn a_broken_random_source_makes_nothing() {
        struct Zeros;
        impl RandomSource for Zeros {
            fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
                bytes.fill(0);
                Ok(())
            }
        }
        assert!(matches!(prepare(&rows(20), &order(), &mut Zeros), Err(PrepareError::Draw(DrawError))));
    }

    #[test]
    fn credential_and_ledger_compute_the_same_control_commitment() {
        let key = SigningKey::ed25519(&[1; 32]).public();
        assert_eq!(control_of(&key), tanba_ledger::operation::control_of(&key));
    }

    #[test]
    fn the_example_class_makes_fifty_batches_of_twenty() {
        let roster = crate::issue::Roster::parse(include_bytes!("../../../examples/class-2026.csv"));
        let roster = roster.expect("no mistakes");
        let mut batches = 0;
        for university in ["1", "2", "3", "4"] {
            let asked = Order { entries_max: 20, ..order() };
            let made = prepare(roster.of_university(university), &asked, &mut CounterRandom::new(1));
            let made = made.expect("prepares");
            assert!(made.batches.iter().all(|batch| batch.issue().entries.len() == 20));
            batches += made.batches.len();
        }
        assert_eq!(batches, 50);
    }
}
