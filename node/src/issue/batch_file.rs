//! The file that registrar and approver pass to each other: the transaction's canonical bytes in a JSON
//! envelope, with a summary for people and the memory of how far it came.
//!
//! What is signed are the bytes. The summary is computed from them on writing, and computed again and compared
//! on reading, so that an approver is never shown something else than what is signed. The file holds no
//! personal data: record ids are random.
//!
//! Submitting is resumable: *submitted* is on disk before the first byte leaves, and a node answers a
//! transaction it knows with its receipt, so whoever finds *submitted* after a crash submits again.

use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use tanba_crypto::{Canonical, Hash, SignatureError, SigningKey, Verify};
use tanba_ledger::{
    Approval, Operation, Timestamp, Transaction, TransactionBody, TransactionId,
    limits::TRANSACTION_BYTES_MAX,
    operation::{Basis, Issue, document_commitment},
    record::KeyRole,
};

use super::{FileError, RecordId, files};

/// Bytes of a batch file: the transaction in base64, a record id for each entry, the envelope.
pub const BATCH_FILE_BYTES_MAX: usize = 512 * 1024;

/// Batch files of one folder.
pub const BATCH_FILES_MAX: usize = 10_000;

const FORMAT: &str = "tanba-batch/1";

/// How far a batch came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum Progress {
    /// Made; an approval is missing.
    Prepared,
    /// Approved by a registrar and an approver.
    Approved,
    /// Sent, or about to be: its outcome is not known here.
    Submitted,
    /// Final.
    Final {
        /// The block.
        height: u64,
        /// The place in the block, from 0.
        index: u32,
    },
}

/// Why a batch file is not read, or a step not taken.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// Not a batch file of this version.
    #[error("not a batch file of this version: {0}")]
    Malformed(String),
    /// Summary and transaction say different things.
    #[error("the summary does not describe the transaction: do not sign it, ask where the file comes from")]
    Summary,
    /// An approval in the file does not verify.
    #[error("an approval in the file does not hold: {0}")]
    Approval(#[from] SignatureError),
    /// A role that approves no batches.
    #[error("a batch is approved by a registrar and an approver")]
    Role,
    /// The role has approved.
    #[error("this role has approved already")]
    RoleTaken,
    /// One person, two roles.
    #[error("this key has approved in the other role; a second person must approve")]
    SameKey,
    /// A step out of order.
    #[error("the batch is {0:?}, this step does not follow")]
    Progress(Progress),
    /// The disk.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A batch on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BatchFile {
    transaction: Transaction,
    decision_salt: [u8; 32],
    records: Vec<RecordId>,
    progress: Progress,
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
        let transaction = Transaction { body, approvals: Vec::new() };
        let entries = issue_of(&transaction).map(|issue| issue.entries.len());
        assert_eq!(entries, Some(records.len()), "a batch issues one diploma for each record");
        BatchFile { transaction, decision_salt, records, progress: Progress::Prepared }
    }

    /// What is signed and sent.
    pub const fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// The transaction's name; approvals do not change it.
    pub fn id(&self) -> TransactionId {
        self.transaction.id()
    }

    /// What is issued.
    pub fn issue(&self) -> &Issue {
        issue_of(&self.transaction).expect("checked when the batch was made or read")
    }

    /// The holders' files, in order of the entries.
    pub fn records(&self) -> &[RecordId] {
        &self.records
    }

    /// How far it came.
    pub const fn progress(&self) -> Progress {
        self.progress
    }

    /// Whether the batch commits to `decision`, by its bytes.
    pub fn is_by_decision(&self, decision: &[u8]) -> bool {
        self.issue().decision == document_commitment(&self.decision_salt, decision)
    }

    /// The salt under which the decision is committed to: for the inspection that asks for it.
    pub const fn decision_salt(&self) -> &[u8; 32] {
        &self.decision_salt
    }

    /// Adds the approval of a registrar or an approver, with the factors by which the officer was recognised
    /// ([`factor`](tanba_ledger::transaction::factor)). With both, the batch is approved.
    pub fn approve(&mut self, role: KeyRole, factors: u16, key: &SigningKey) -> Result<(), BatchError> {
        if !matches!(role, KeyRole::Registrar | KeyRole::Approver) {
            return Err(BatchError::Role);
        }
        if self.progress != Progress::Prepared {
            return Err(BatchError::Progress(self.progress));
        }
        if self.has_role(role) {
            return Err(BatchError::RoleTaken);
        }
        if self.transaction.approvals.iter().any(|held| *held.key() == key.public()) {
            return Err(BatchError::SameKey);
        }
        let chain = self.transaction.body.chain;
        self.transaction.approve(Approval::by_officer(&chain, self.id(), role, factors, key));
        if self.is_approved() {
            self.progress = Progress::Approved;
        }
        Ok(())
    }

    /// Gives the batch a later expiry. The approvals were for the old one and fall away. Safe also after
    /// submitting: if the old one became final after all, the ledger refuses the same fingerprints again.
    pub fn renew(&mut self, expiry: Timestamp) -> Result<(), BatchError> {
        if matches!(self.progress, Progress::Final { .. }) {
            return Err(BatchError::Progress(self.progress));
        }
        self.transaction.body.expiry = expiry;
        self.transaction.approvals.clear();
        self.progress = Progress::Prepared;
        Ok(())
    }

    /// Marks the batch as submitted. Save it before sending; calling it again is how a submission is resumed.
    pub fn begin_submission(&mut self) -> Result<&Transaction, BatchError> {
        match self.progress {
            Progress::Approved | Progress::Submitted => {
                self.progress = Progress::Submitted;
                Ok(&self.transaction)
            }
            Progress::Prepared | Progress::Final { .. } => Err(BatchError::Progress(self.progress)),
        }
    }

    /// Records that the batch is final. Telling the same twice is no mistake.
    pub fn mark_final(&mut self, height: u64, index: u32) -> Result<(), BatchError> {
        let reached = Progress::Final { height, index };
        if self.progress != Progress::Submitted && self.progress != reached {
            return Err(BatchError::Progress(self.progress));
        }
        self.progress = reached;
        Ok(())
    }

    /// What a person reads before signing, computed from the bytes to be signed.
    pub fn summary(&self) -> Summary {
        let (body, issue) = (&self.transaction.body, self.issue());
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
            expires: utc(body.expiry),
            approvals: self.transaction.approvals.iter().map(describe).collect(),
        }
    }

    /// The file's bytes.
    pub fn to_json(&self) -> Vec<u8> {
        let wire = Wire {
            format: FORMAT.into(),
            progress: self.progress,
            summary: self.summary(),
            transaction: STANDARD.encode(self.transaction.to_canonical()),
            decision_salt: Hash(self.decision_salt).to_string(),
            records: self.records.clone(),
        };
        let mut json = serde_json::to_vec_pretty(&wire).expect("texts and numbers are JSON");
        json.push(b'\n');
        json
    }

    /// Reads a file, and checks summary and approvals against the transaction.
    pub fn from_json(bytes: &[u8]) -> Result<BatchFile, BatchError> {
        let malformed = |why: &str| BatchError::Malformed(why.into());
        if bytes.len() > BATCH_FILE_BYTES_MAX {
            return Err(malformed("longer than such a file can be"));
        }
        let wire: Wire =
            serde_json::from_slice(bytes).map_err(|error| BatchError::Malformed(error.to_string()))?;
        if wire.format != FORMAT {
            return Err(malformed("another format or version"));
        }
        let canonical =
            STANDARD.decode(&wire.transaction).map_err(|_| malformed("the transaction is not base64"))?;
        let transaction = Transaction::from_canonical(&canonical, TRANSACTION_BYTES_MAX)
            .map_err(|error| BatchError::Malformed(format!("the transaction: {error}")))?;
        let issue = issue_of(&transaction).ok_or_else(|| malformed("the transaction issues nothing"))?;
        if issue.entries.len() != wire.records.len() {
            return Err(malformed("not one record for each entry"));
        }
        let decision_salt =
            Hash::from_hex(&wire.decision_salt).map_err(|_| malformed("the decision's salt"))?.0;
        let batch = BatchFile { transaction, decision_salt, records: wire.records, progress: wire.progress };
        batch.check(&wire.summary)?;
        Ok(batch)
    }

    fn check(&self, summary: &Summary) -> Result<(), BatchError> {
        if *summary != self.summary() {
            return Err(BatchError::Summary);
        }
        if !self.transaction.approvals.is_empty() {
            self.transaction.verify(&self.transaction.body.chain)?;
        }
        if self.is_approved() == (self.progress == Progress::Prepared) {
            return Err(BatchError::Malformed("progress and approvals contradict each other".into()));
        }
        Ok(())
    }

    /// Writes the file, all or nothing.
    pub fn save(&self, path: &Path) -> Result<(), BatchError> {
        Ok(files::write_atomic(path, &self.to_json())?)
    }

    /// Reads the file at `path`.
    pub fn load(path: &Path) -> Result<BatchFile, BatchError> {
        BatchFile::from_json(&files::read_bounded(path, BATCH_FILE_BYTES_MAX)?)
    }

    /// Reads every batch file of a folder, in order of names.
    pub fn load_folder(folder: &Path) -> Result<Vec<(PathBuf, BatchFile)>, BatchError> {
        let paths = files::list_json(folder, BATCH_FILES_MAX)?;
        paths.into_iter().map(|path| BatchFile::load(&path).map(|batch| (path, batch))).collect()
    }

    fn has_role(&self, role: KeyRole) -> bool {
        self.transaction
            .approvals
            .iter()
            .any(|approval| matches!(approval, Approval::Officer(officer) if officer.role == role))
    }

    fn is_approved(&self) -> bool {
        self.has_role(KeyRole::Registrar) && self.has_role(KeyRole::Approver)
    }
}

fn issue_of(transaction: &Transaction) -> Option<&Issue> {
    match &transaction.body.operation {
        Operation::Issue(issue) => Some(issue),
        _ => None,
    }
}

fn describe(approval: &Approval) -> String {
    match approval {
        Approval::Officer(officer) => format!("{:?} {}", officer.role, officer.key),
        Approval::Holder(holder) => format!("Holder {}", holder.key),
    }
}

fn utc(time: Timestamp) -> String {
    let moment = i64::try_from(time.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    moment.map_or_else(|| format!("{} ms after 1970", time.0), |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::testkit::{CounterRandom, order, prepared, rows};

    fn key(n: u8) -> SigningKey {
        SigningKey::ed25519(&[n; 32])
    }

    fn batch() -> BatchFile {
        prepared(&rows(20), &order(), 1).batches.remove(0)
    }

    fn approved() -> BatchFile {
        let mut batch = batch();
        batch.approve(KeyRole::Registrar, 1, &key(1)).expect("registrar");
        batch.approve(KeyRole::Approver, 1, &key(2)).expect("approver");
        batch
    }

    #[test]
    fn two_officers_make_it_approved_and_the_ledger_believes_them() {
        let batch = approved();
        assert_eq!(batch.progress(), Progress::Approved);
        assert_eq!(batch.transaction().verify(&order().chain), Ok(()));
    }

    #[test]
    fn one_key_in_both_roles_is_refused() {
        let mut batch = batch();
        batch.approve(KeyRole::Registrar, 1, &key(1)).expect("registrar");
        assert!(matches!(batch.approve(KeyRole::Approver, 1, &key(1)), Err(BatchError::SameKey)));
        assert!(matches!(batch.approve(KeyRole::Registrar, 1, &key(3)), Err(BatchError::RoleTaken)));
        assert!(matches!(batch.approve(KeyRole::Admin, 1, &key(4)), Err(BatchError::Role)));
        assert_eq!(batch.progress(), Progress::Prepared);
    }

    #[test]
    fn the_steps_follow_each_other_and_resume() {
        let mut early = batch();
        assert!(matches!(early.begin_submission(), Err(BatchError::Progress(Progress::Prepared))));
        let mut batch = approved();
        assert!(batch.mark_final(7, 0).is_err(), "not submitted yet");
        batch.begin_submission().expect("approved");
        let mut resumed = BatchFile::from_json(&batch.to_json()).expect("reads back");
        assert_eq!(resumed.begin_submission().expect("resumes"), batch.transaction());
        resumed.mark_final(7, 0).expect("submitted");
        resumed.mark_final(7, 0).expect("the same again");
        assert!(resumed.mark_final(8, 0).is_err());
        assert!(resumed.begin_submission().is_err());
        assert!(resumed.renew(Timestamp(1)).is_err());
    }

    #[test]
    fn a_renewed_batch_needs_its_approvals_anew() {
        let mut batch = approved();
        let old = batch.id();
        batch.renew(Timestamp(order().expiry.0 + 1)).expect("not final");
        assert_ne!(batch.id(), old);
        assert_eq!((batch.progress(), batch.transaction().approvals.len()), (Progress::Prepared, 0));
    }

    #[test]
    fn a_lying_summary_is_refused() {
        let json = String::from_utf8(approved().to_json()).expect("JSON is text");
        assert!(BatchFile::from_json(json.as_bytes()).is_ok());
        let lie = json.replace("\"diplomas\": 20", "\"diplomas\": 2");
        assert!(matches!(BatchFile::from_json(lie.as_bytes()), Err(BatchError::Summary)));
    }

    #[test]
    fn a_false_approval_or_progress_is_refused() {
        let mut forged = approved();
        let Approval::Officer(approval) = &mut forged.transaction.approvals[0] else {
            panic!("an officer's")
        };
        approval.factors = 0xffff;
        assert!(matches!(BatchFile::from_json(&forged.to_json()), Err(BatchError::Approval(_))));
        let mut claimed = batch();
        claimed.progress = Progress::Approved;
        assert!(matches!(BatchFile::from_json(&claimed.to_json()), Err(BatchError::Malformed(_))));
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
        approved().save(&path).expect("saves");
        assert_eq!(BatchFile::load(&path).expect("reads"), approved());
        let listed = BatchFile::load_folder(folder.path()).expect("lists");
        assert_eq!(listed, vec![(path, approved())]);
    }

    #[test]
    fn the_largest_batch_fits_its_file() {
        let mut order = order();
        order.entries_max = 1_000;
        let mut batch = super::super::prepare(&rows(1_000), &order, &mut CounterRandom::new(1))
            .expect("prepares")
            .batches
            .remove(0);
        batch.approve(KeyRole::Registrar, 1, &key(1)).expect("registrar");
        batch.approve(KeyRole::Approver, 1, &key(2)).expect("approver");
        assert!(batch.to_json().len() <= BATCH_FILE_BYTES_MAX);
        assert!(batch.transaction().to_canonical().len() <= TRANSACTION_BYTES_MAX);
    }
}
