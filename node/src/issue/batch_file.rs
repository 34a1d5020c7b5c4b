//! The file of one batch of diplomas: the [`Dossier`] of its transaction, and what leads from its entries to the
//! holders' files and to the university's decision. It holds no personal data: record ids are random.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tanba_crypto::Hash;
use tanba_genesis::text::moment;
use tanba_ledger::{
    Operation, TransactionBody,
    operation::{Basis, Issue, document_commitment},
};

use super::{
    RecordId,
    dossier::{self, Dossier, DossierError, Progress},
    files,
};

/// Bytes of a batch file: the transaction in base64, a record id for each entry, the envelope.
pub const BATCH_FILE_BYTES_MAX: usize = 512 * 1024;

/// Batch files of one folder.
pub const BATCH_FILES_MAX: usize = 10_000;

const FORMAT: &str = "tanba-batch/1";

/// A batch on its way.
pub type BatchFile = Dossier<Batch>;

/// What a batch has beside its transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    decision_salt: [u8; 32],
    records: Vec<RecordId>,
}

/// What a person reads before signing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The transaction's name.
    pub transaction_id: String,
    /// The network.
    pub chain: String,
    /// The institution's BIN.
    pub institution: String,
    /// How many diplomas.
    pub diplomas: usize,
    /// Month of award.
    pub awarded_month: String,
    /// Programmes and levels, `code/level`.
    pub scopes: Vec<String>,
    /// `award` or `archive`.
    pub basis: String,
    /// Whether the batch is small, as its holders must have been told.
    pub small: bool,
    /// Until when it may become final, in UTC.
    pub expires: String,
    /// Who approved: role and key.
    pub approvals: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    format: String,
    progress: Progress,
    summary: Summary,
    transaction: String,
    decision_salt: String,
    records: Vec<RecordId>,
}

impl BatchFile {
    /// A batch without approvals. `records` name the holders' files in order of the entries.
    ///
    /// Panics unless `body` issues as many diplomas as there are records.
    pub fn new(body: TransactionBody, decision_salt: [u8; 32], records: Vec<RecordId>) -> BatchFile {
        let batch = Dossier::prepared(body, Batch { decision_salt, records });
        let entries = issue_of(&batch).map(|issue| issue.entries.len());
        assert_eq!(entries, Some(batch.records().len()), "a batch issues one diploma for each record");
        batch
    }

    /// What is issued.
    pub fn issue(&self) -> &Issue {
        issue_of(self).expect("checked when the batch was made or read")
    }

    /// The holders' files, in order of the entries.
    pub fn records(&self) -> &[RecordId] {
        &self.extras.records
    }

    /// Whether the batch commits to `decision`, by its bytes.
    pub fn is_by_decision(&self, decision: &[u8]) -> bool {
        self.issue().decision == document_commitment(&self.extras.decision_salt, decision)
    }

    /// The salt under which the decision is committed to: for the inspection that asks for it.
    pub const fn decision_salt(&self) -> &[u8; 32] {
        &self.extras.decision_salt
    }

    /// What a person reads before signing, computed from the bytes to be signed.
    pub fn summary(&self) -> Summary {
        let (body, issue) = (&self.transaction().body, self.issue());
        Summary {
            transaction_id: self.id().to_string(),
            chain: body.chain.0.to_string(),
            institution: body.institution.to_string(),
            diplomas: issue.entries.len(),
            awarded_month: issue.awarded_month.to_string(),
            scopes: issue
                .scopes
                .iter()
                .map(|scope| format!("{}/{}", scope.programme.as_str(), scope.level.number()))
                .collect(),
            basis: match issue.basis {
                Basis::Award => "award".into(),
                Basis::Archive => "archive".into(),
            },
            small: issue.small,
            expires: moment(body.expiry),
            approvals: self.signers(),
        }
    }

    /// The file's bytes.
    pub fn to_json(&self) -> Vec<u8> {
        dossier::to_json(&Wire {
            format: FORMAT.into(),
            progress: self.progress(),
            summary: self.summary(),
            transaction: self.to_base64(),
            decision_salt: Hash(self.extras.decision_salt).to_string(),
            records: self.extras.records.clone(),
        })
    }

    /// Reads a file, and checks summary, records and approvals against the transaction.
    pub fn from_json(bytes: &[u8]) -> Result<BatchFile, DossierError> {
        let malformed = |why: &str| DossierError::Malformed(why.into());
        let wire: Wire = dossier::from_json(bytes, BATCH_FILE_BYTES_MAX, FORMAT)?;
        let Hash(decision_salt) = Hash::from_hex(&wire.decision_salt)
            .map_err(|_| malformed("the decision's salt is not a hash"))?;
        let extras = Batch { decision_salt, records: wire.records };
        let batch = Dossier::read(&wire.transaction, wire.progress, extras)?;
        let issue = issue_of(&batch).ok_or_else(|| malformed("the transaction issues nothing"))?;
        if issue.entries.len() != batch.records().len() {
            return Err(malformed("not one record for each entry"));
        }
        if wire.summary != batch.summary() {
            return Err(DossierError::Summary);
        }
        Ok(batch)
    }

    /// Writes the file, all or nothing.
    pub fn save(&self, path: &Path) -> Result<(), DossierError> {
        Ok(files::write_atomic(path, &self.to_json())?)
    }

    /// Reads the file at `path`.
    pub fn load(path: &Path) -> Result<BatchFile, DossierError> {
        BatchFile::from_json(&files::read_bounded(path, BATCH_FILE_BYTES_MAX)?)
    }

    /// Reads every batch file of a folder, in order of names.
    pub fn load_folder(folder: &Path) -> Result<Vec<(PathBuf, BatchFile)>, DossierError> {
        let paths = files::list_json(folder, BATCH_FILES_MAX)?;
        paths.into_iter().map(|path| BatchFile::load(&path).map(|batch| (path, batch))).collect()
    }
}

fn issue_of(batch: &BatchFile) -> Option<&Issue> {
    let Operation::Issue(issue) = &batch.transaction().body.operation else { return None };
    Some(issue)
}

#[cfg(test)]
mod tests {
    use tanba_crypto::{Canonical, SigningKey};
    use tanba_ledger::{limits::TRANSACTION_BYTES_MAX, operation::Reason, record::KeyRole, testkit};

    use super::*;
    use crate::issue::testkit::{CounterRandom, order, prepared, rows};

    fn batch() -> BatchFile {
        prepared(&rows(20), &order(), 1).batches.remove(0)
    }

    fn approved(mut batch: BatchFile) -> BatchFile {
        for (role, seed) in [(KeyRole::Registrar, 1), (KeyRole::Approver, 2)] {
            batch.approve(role, 1, &SigningKey::ed25519(&[seed; 32])).expect("signs");
        }
        batch
    }

    /// Reads a batch after `change` of its JSON.
    fn changed(change: impl FnOnce(&mut serde_json::Value)) -> Result<BatchFile, DossierError> {
        let mut json = serde_json::from_slice(&batch().to_json()).expect("JSON");
        change(&mut json);
        BatchFile::from_json(json.to_string().as_bytes())
    }

    /// Why it is malformed.
    fn malformed(change: impl FnOnce(&mut serde_json::Value)) -> String {
        match changed(change) {
            Err(DossierError::Malformed(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_lying_summary_is_refused() {
        assert!(changed(|_| ()).is_ok());
        let lie = changed(|json| json["summary"]["diplomas"] = 2.into());
        assert!(matches!(lie, Err(DossierError::Summary)));
    }

    #[test]
    fn a_transaction_that_issues_nothing_is_refused() {
        let body =
            testkit::World::new().body(0, Operation::Revoke(testkit::changes(0, &[(1, 1)], Reason::Fraud)));
        let why = malformed(|json| json["transaction"] = Dossier::prepared(body, ()).to_base64().into());
        assert_eq!(why, "the transaction issues nothing");
    }

    #[test]
    fn a_missing_record_is_refused() {
        let why = malformed(|json| drop(json["records"].as_array_mut().expect("a list").pop()));
        assert_eq!(why, "not one record for each entry");
    }

    #[test]
    fn a_salt_of_another_length_is_refused() {
        let why = malformed(|json| json["decision_salt"] = "00".into());
        assert_eq!(why, "the decision's salt is not a hash");
    }

    #[test]
    fn the_decision_is_recognised_by_its_bytes() {
        assert!(batch().is_by_decision(order().decision));
        assert!(!batch().is_by_decision(b"another order"));
    }

    #[test]
    fn a_saved_batch_reads_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("batch.json");
        let batch = approved(batch());
        batch.save(&path).expect("saves");
        assert_eq!(BatchFile::load(&path).expect("reads"), batch);
        let listed = BatchFile::load_folder(folder.path()).expect("lists");
        assert_eq!(listed, vec![(path, batch)]);
    }

    #[test]
    fn the_largest_batch_fits_its_file() {
        let mut order = order();
        order.entries_max = 1_000;
        let prepared = super::super::prepare(&rows(1_000), &order, &mut CounterRandom::new(1));
        let batch = approved(prepared.expect("prepares").batches.remove(0));
        assert!(batch.to_json().len() <= BATCH_FILE_BYTES_MAX);
        assert!(batch.transaction().to_canonical().len() <= TRANSACTION_BYTES_MAX);
    }
}
