//! Issuing as a registrar and an approver do it: prepared, approved twice, submitted, followed to its end.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use tanba_credential::HolderFile;
use tanba_ledger::{
    Approval, Operation, Scope, Timestamp, Transaction, TransactionBody, limits::SMALL_BATCH,
    operation::Basis, record::KeyRole, transaction::factor,
};
use tokio::{sync::RwLock, time::Instant};

use super::{DevnetError, Founded, Party};
use crate::{
    client::{Client, ClientError, End},
    clock,
    home::files::{self, FileError},
    issue::{Order, Roster, Row, SystemRandom, prepare},
};

/// A transaction may become final within this of being made, in milliseconds.
const EXPIRES_AFTER_MS: u64 = 3_600_000;

/// The folder of the graduates' files.
pub(crate) const GRADUATES: &str = "graduates";

/// A submission is tried again on another node at most so often.
const TRIES_MAX: usize = 200;

/// From one try to the next.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// A diploma that was prepared: the graduate's file, and who issues it.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    pub(super) university: usize,
    pub(super) file: HolderFile,
}

/// A batch on its way.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) university: usize,
    pub(super) transaction: Transaction,
    pub(super) diplomas: usize,
}

/// The class, read and checked: every mistake of the list is told before anything is made.
pub(super) fn read(list: &[u8], universities: usize) -> Result<Roster, DevnetError> {
    let roster = Roster::parse(list).map_err(|refused| DevnetError::Class(refused.to_string()))?;
    let numbers: Vec<String> = (1..=universities).map(|number| number.to_string()).collect();
    let known = |row: &&Row| row.university.as_ref().is_some_and(|name| numbers.contains(name));
    if let Some(row) = roster.rows.iter().find(|row| !known(row)) {
        let what =
            format!("line {}: the column `university` must hold a number from 1 to {universities}", row.line);
        return Err(DevnetError::Class(what));
    }
    for university in 0..universities {
        let count = rows_of(&roster, university).len();
        if count < SMALL_BATCH {
            let what =
                format!("university {} has {count} rows, at least {SMALL_BATCH} are needed", university + 1);
            return Err(DevnetError::Class(what));
        }
    }
    Ok(roster)
}

/// Writes the graduates' files, one each, under names that say nothing.
pub(super) fn write_files(folder: &Path, issued: &[Issued]) -> Result<(), DevnetError> {
    let failed = |error: FileError| DevnetError::Founding(error.to_string());
    let graduates = folder.join(GRADUATES);
    files::create_private_dir(&graduates).map_err(failed)?;
    for (number, one) in issued.iter().enumerate() {
        let path = graduates.join(format!("{number:04}.json"));
        files::create_file(&path, &one.file.to_json(), files::MODE_PRIVATE).map_err(failed)?;
    }
    Ok(())
}

/// The rows of a university, numbered from 0.
pub(super) fn rows_of(roster: &Roster, university: usize) -> Vec<&Row> {
    let name = (university + 1).to_string();
    roster.rows.iter().filter(|row| row.university.as_deref() == Some(&name)).collect()
}

/// What each university must be accredited for.
pub(super) fn scopes(roster: &Roster, universities: usize) -> Vec<BTreeSet<Scope>> {
    (0..universities).map(|number| rows_of(roster, number).iter().map(|row| row.scope()).collect()).collect()
}

/// Prepares rows of one university and has registrar and approver sign.
pub(super) fn make(
    founded: &Founded,
    university: usize,
    rows: &[&Row],
    entries_max: usize,
) -> Result<(Vec<Batch>, Vec<Issued>), DevnetError> {
    let party = &founded.universities()[university];
    let order = Order {
        chain: founded.genesis.chain_id(),
        issuer: party.bin,
        issued_on: clock::now().day(),
        expiry: expiry(),
        audit: None,
        basis: Basis::Award,
        decision: b"an invented decision to award",
        entries_max,
        small_consented: entries_max < SMALL_BATCH,
    };
    let prepared = prepare(rows.iter().copied(), &order, &mut SystemRandom)?;
    let issued = prepared.holders.into_values().map(|file| Issued { university, file }).collect();
    let mut batches = Vec::new();
    for mut batch in prepared.batches {
        for (role, key) in [(KeyRole::Registrar, &party.registrar), (KeyRole::Approver, &party.approver)] {
            batch.approve(role, factor::KEY, key).map_err(|error| DevnetError::Class(error.to_string()))?;
        }
        let diplomas = batch.issue().entries.len();
        let transaction = batch.begin_submission().map_err(|error| DevnetError::Class(error.to_string()))?;
        batches.push(Batch { university, transaction: transaction.clone(), diplomas });
    }
    Ok((batches, issued))
}

/// Until when a transaction made now may become final.
pub(super) fn expiry() -> Timestamp {
    clock::now().saturating_add_ms(EXPIRES_AFTER_MS)
}

/// An operation of a university, approved by the officers given.
pub(super) fn operation(
    founded: &Founded,
    party: &Party,
    operation: Operation,
    roles: &[KeyRole],
) -> Transaction {
    let chain = founded.genesis.chain_id();
    let body = TransactionBody { chain, institution: party.bin, expiry: expiry(), operation, audit: None };
    let id = body.id();
    let mut transaction = Transaction { body, approvals: Vec::new() };
    for role in roles {
        let key = match role {
            KeyRole::Registrar => &party.registrar,
            _ => &party.approver,
        };
        transaction.approve(Approval::by_officer(&chain, id, *role, factor::KEY, key));
    }
    transaction
}

/// The clients of the validators that answer now, by university.
pub(super) type Clients = Arc<RwLock<Vec<Option<Client>>>>;

/// One submission, from its first try to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub(super) began: Instant,
    pub(super) ended: Instant,
}

/// Submits through the university's own node, or through another while that one is down, until it is final.
pub(super) async fn submit(
    clients: Clients,
    university: usize,
    transaction: Transaction,
) -> Result<Done, DevnetError> {
    let began = Instant::now();
    let mut last = None;
    for attempt in 0..TRIES_MAX {
        let client = {
            let clients = clients.read().await;
            let up: Vec<&Client> = clients[university].iter().chain(clients.iter().flatten()).collect();
            up.get(attempt % up.len().max(1)).map(|client| (*client).clone())
        };
        if let Some(client) = client {
            match client.submit_and_track(&transaction).await {
                Ok(End::Final { .. }) => return Ok(Done { began, ended: Instant::now() }),
                Ok(End::Refused(refused)) => return Err(ClientError::Refused(refused).into()),
                Err(ClientError::Refused(refused)) if refused.retry_after.is_none() => {
                    return Err(ClientError::Refused(refused).into());
                }
                Err(error) => last = Some(error),
            }
        }
        tokio::time::sleep(TRY_AGAIN_AFTER).await;
    }
    let what = last.map_or_else(|| "no node answers".to_owned(), |error| error.to_string());
    Err(DevnetError::broken("issuing", format!("a submission found no end: {what}")))
}
