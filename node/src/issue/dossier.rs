//! What registrar and approver pass to each other: a transaction, who approved it, and how far it came. A batch
//! file and a change file are a dossier each, with a summary and extras of their own.
//!
//! Nobody acts alone: a registrar and an approver sign, each with a key of their own. What they sign are the
//! transaction's bytes. A summary for people is computed from them on writing, and computed again and compared
//! on reading, so that an approver is never shown something else than what is signed.
//!
//! Submitting is resumable: *submitted* is on disk before the first byte leaves, and a node answers a
//! transaction it knows with its receipt, so whoever finds *submitted* after a crash submits again.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tanba_crypto::{Canonical, SignatureError, SigningKey, Verify};
use tanba_genesis::text::{KEY_ROLES, word_of};
use tanba_ledger::{
    Approval, Timestamp, Transaction, TransactionBody, TransactionId, limits::TRANSACTION_BYTES_MAX,
    record::KeyRole,
};
use tanba_office::approvals::{self, ApprovalError};

use super::FileError;

/// A transaction on its way from its makers through two officers to the ledger. `X` is what one kind of file has
/// beside it: see [`BatchFile`](super::BatchFile) and [`ChangeFile`](crate::change::ChangeFile).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dossier<X> {
    transaction: Transaction,
    progress: Progress,
    pub(crate) extras: X,
}

/// How far a dossier came.
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

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Progress::Prepared => f.write_str("prepared, and an approval is missing"),
            Progress::Approved => f.write_str("approved"),
            Progress::Submitted => f.write_str("submitted"),
            Progress::Final { height, .. } => write!(f, "final in block {height}"),
        }
    }
}

/// Why the file of a dossier is not read, or a step not taken.
#[derive(Debug, thiserror::Error)]
pub enum DossierError {
    /// Not a file of the kind and version asked for.
    #[error("not a file of this kind and version: {0}")]
    Malformed(String),
    /// Summary and transaction say different things.
    #[error("the summary does not describe the transaction: do not sign it, ask where the file comes from")]
    Summary,
    /// An approval in the file does not verify.
    #[error("an approval in the file does not hold: {0}")]
    Approval(#[from] SignatureError),
    /// A role that signs no dossiers.
    #[error("a registrar and an approver sign, a key of role {} does not", word_of(KEY_ROLES, *.0))]
    Role(KeyRole),
    /// The role has approved.
    #[error("a key of role {} has approved already", word_of(KEY_ROLES, *.0))]
    RoleTaken(KeyRole),
    /// One person, two roles.
    #[error("this key has approved in the other role; a second person must approve")]
    SameKey,
    /// A step out of order.
    #[error("the transaction is {0}: this step does not follow")]
    Progress(Progress),
    /// The disk.
    #[error(transparent)]
    File(#[from] FileError),
}

impl<X> Dossier<X> {
    /// A transaction that nobody approved yet.
    pub(crate) const fn prepared(body: TransactionBody, extras: X) -> Dossier<X> {
        let transaction = Transaction { body, approvals: Vec::new() };
        Dossier { transaction, progress: Progress::Prepared, extras }
    }

    /// What a file says of transaction and progress. The approvals verify and are those that the progress claims;
    /// whether operation and extras fit the kind of file is for the caller to ask.
    pub(crate) fn read(base64: &str, progress: Progress, extras: X) -> Result<Dossier<X>, DossierError> {
        let canonical = STANDARD
            .decode(base64)
            .map_err(|_| DossierError::Malformed("the transaction is not base64".into()))?;
        let transaction = Transaction::from_canonical(&canonical, TRANSACTION_BYTES_MAX)
            .map_err(|error| DossierError::Malformed(format!("the transaction: {error}")))?;
        if !transaction.approvals.is_empty() {
            transaction.verify(&transaction.body.chain)?;
        }
        let dossier = Dossier { transaction, progress, extras };
        if dossier.is_approved() == (progress == Progress::Prepared) {
            return Err(DossierError::Malformed("progress and approvals contradict each other".into()));
        }
        Ok(dossier)
    }

    /// The transaction as files carry it: its canonical bytes in base64.
    pub(crate) fn to_base64(&self) -> String {
        STANDARD.encode(self.transaction.to_canonical())
    }

    /// The transaction's name; approvals do not change it.
    pub fn id(&self) -> TransactionId {
        self.transaction.id()
    }

    /// What is signed and sent.
    pub const fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// How far it came.
    pub const fn progress(&self) -> Progress {
        self.progress
    }

    /// Who approved, as summaries say it: role and key.
    pub fn signers(&self) -> Vec<String> {
        let signer = |approval: &Approval| match approval {
            Approval::Officer(officer) => format!("{} {}", word_of(KEY_ROLES, officer.role), officer.key),
            Approval::Holder(holder) => format!("holder {}", holder.key),
        };
        self.transaction.approvals.iter().map(signer).collect()
    }

    /// Adds the approval of a registrar or an approver, with the factors by which the officer was recognised
    /// ([`factor`](tanba_ledger::transaction::factor)). With both, the transaction is approved.
    pub fn approve(&mut self, role: KeyRole, factors: u16, key: &SigningKey) -> Result<(), DossierError> {
        if self.progress != Progress::Prepared {
            return Err(DossierError::Progress(self.progress));
        }
        let (chain, id) = (self.transaction.body.chain, self.id());
        let approval = Approval::by_officer(&chain, id, role, factors, key);
        approvals::add(&mut self.transaction, approval).map_err(|refused| match refused {
            ApprovalError::Role => DossierError::Role(role),
            ApprovalError::RoleTaken(role) => DossierError::RoleTaken(role),
            ApprovalError::SameKey => DossierError::SameKey,
            ApprovalError::Signature(error) => DossierError::Approval(error),
        })?;
        if self.is_approved() {
            self.progress = Progress::Approved;
        }
        Ok(())
    }

    /// Gives the transaction a later expiry. The approvals were for the old one and fall away. Safe also after
    /// submitting: if the old one became final after all, the ledger refuses the new one, whose fingerprints are
    /// then recorded or whose versions are past.
    pub fn renew(&mut self, expiry: Timestamp) -> Result<(), DossierError> {
        if matches!(self.progress, Progress::Final { .. }) {
            return Err(DossierError::Progress(self.progress));
        }
        self.transaction.body.expiry = expiry;
        self.transaction.approvals.clear();
        self.progress = Progress::Prepared;
        Ok(())
    }

    /// Marks the transaction as submitted. Save it before sending; calling it again is how a submission is
    /// resumed.
    pub fn begin_submission(&mut self) -> Result<&Transaction, DossierError> {
        match self.progress {
            Progress::Approved | Progress::Submitted => {
                self.progress = Progress::Submitted;
                Ok(&self.transaction)
            }
            Progress::Prepared | Progress::Final { .. } => Err(DossierError::Progress(self.progress)),
        }
    }

    /// Records that the transaction is final. Telling the same twice is no mistake.
    pub fn mark_final(&mut self, height: u64, index: u32) -> Result<(), DossierError> {
        let reached = Progress::Final { height, index };
        if self.progress != Progress::Submitted && self.progress != reached {
            return Err(DossierError::Progress(self.progress));
        }
        self.progress = reached;
        Ok(())
    }

    fn is_approved(&self) -> bool {
        approvals::is_approved(&self.transaction)
    }
}

/// The bytes of a dossier's file.
pub(crate) fn to_json(file: &impl Serialize) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(file).expect("texts and numbers are JSON");
    json.push(b'\n');
    json
}

/// Reads what [`to_json`] wrote: at most `bytes_max` bytes, of this `format`.
pub(crate) fn from_json<F: DeserializeOwned>(
    bytes: &[u8],
    bytes_max: usize,
    format: &str,
) -> Result<F, DossierError> {
    /// Read first, so that a file of another kind is called so, whatever else it holds.
    #[derive(Deserialize)]
    struct Kind {
        format: String,
    }
    if bytes.len() > bytes_max {
        return Err(DossierError::Malformed(format!("it is longer than {bytes_max} bytes")));
    }
    let malformed = |error: serde_json::Error| DossierError::Malformed(error.to_string());
    let kind: Kind = serde_json::from_slice(bytes).map_err(malformed)?;
    if kind.format != format {
        return Err(DossierError::Malformed(format!("its format is not {format}")));
    }
    serde_json::from_slice(bytes).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use tanba_ledger::{
        Operation,
        operation::Reason,
        testkit::{self, World},
        transaction::factor,
    };

    use super::*;

    const REACHED: Progress = Progress::Final { height: 7, index: 0 };

    fn prepared() -> Dossier<()> {
        let changes = testkit::changes(0, &[(1, 1)], Reason::Fraud);
        Dossier::prepared(World::new().body(0, Operation::Revoke(changes)), ())
    }

    fn approved() -> Dossier<()> {
        let (mut dossier, keys) = (prepared(), testkit::keys(0));
        dossier.approve(KeyRole::Registrar, factor::KEY, &keys.registrar).expect("registrar");
        dossier.approve(KeyRole::Approver, factor::KEY, &keys.approver).expect("approver");
        dossier
    }

    fn submitted() -> Dossier<()> {
        let mut dossier = approved();
        dossier.begin_submission().expect("approved");
        dossier
    }

    fn finished() -> Dossier<()> {
        let mut dossier = submitted();
        dossier.mark_final(7, 0).expect("submitted");
        dossier
    }

    fn read_back(dossier: &Dossier<()>) -> Result<Dossier<()>, DossierError> {
        Dossier::read(&dossier.to_base64(), dossier.progress(), ())
    }

    /// Why it is malformed.
    fn malformed<T: fmt::Debug>(refused: Result<T, DossierError>) -> String {
        match refused {
            Err(DossierError::Malformed(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    /// The state for which a step was refused.
    fn out_of_order<T: fmt::Debug>(refused: Result<T, DossierError>) -> Progress {
        match refused {
            Err(DossierError::Progress(progress)) => progress,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn two_officers_make_it_approved_and_the_ledger_believes_them() {
        let dossier = approved();
        assert_eq!(dossier.progress(), Progress::Approved);
        let transaction = dossier.transaction();
        assert_eq!(transaction.verify(&transaction.body.chain), Ok(()));
    }

    #[test]
    fn signers_are_named_by_role_and_key() {
        let keys = testkit::keys(0);
        let mut named = [
            (keys.registrar.public(), format!("registrar {}", keys.registrar.public())),
            (keys.approver.public(), format!("approver {}", keys.approver.public())),
        ];
        named.sort_by_key(|(key, _)| *key);
        assert_eq!(approved().signers(), named.map(|(_, line)| line));
    }

    #[test]
    fn a_role_that_signs_nothing_is_refused() {
        let refused = prepared().approve(KeyRole::Admin, factor::KEY, &testkit::seeded_key("admin"));
        assert!(matches!(refused, Err(DossierError::Role(KeyRole::Admin))));
    }

    #[test]
    fn a_role_signs_once() {
        let mut dossier = prepared();
        dossier.approve(KeyRole::Registrar, factor::KEY, &testkit::keys(0).registrar).expect("registrar");
        let refused = dossier.approve(KeyRole::Registrar, factor::KEY, &testkit::seeded_key("other"));
        assert!(matches!(refused, Err(DossierError::RoleTaken(KeyRole::Registrar))));
    }

    #[test]
    fn one_key_in_both_roles_is_refused() {
        let (mut dossier, key) = (prepared(), testkit::keys(0).registrar);
        dossier.approve(KeyRole::Registrar, factor::KEY, &key).expect("registrar");
        let refused = dossier.approve(KeyRole::Approver, factor::KEY, &key);
        assert!(matches!(refused, Err(DossierError::SameKey)));
        assert_eq!(dossier.progress(), Progress::Prepared);
    }

    #[test]
    fn what_is_approved_is_not_signed_again() {
        let refused = approved().approve(KeyRole::Registrar, factor::KEY, &testkit::seeded_key("other"));
        assert_eq!(out_of_order(refused), Progress::Approved);
    }

    #[test]
    fn what_lacks_an_approval_is_not_submitted() {
        let mut dossier = prepared();
        dossier.approve(KeyRole::Registrar, factor::KEY, &testkit::keys(0).registrar).expect("registrar");
        assert_eq!(out_of_order(dossier.begin_submission()), Progress::Prepared);
    }

    #[test]
    fn a_submission_is_resumed_after_a_crash_and_ends_when_final() {
        let mut resumed = read_back(&submitted()).expect("reads back");
        assert_eq!(resumed.begin_submission().expect("resumes"), approved().transaction());
        resumed.mark_final(7, 0).expect("submitted");
        assert_eq!(out_of_order(resumed.begin_submission()), REACHED);
    }

    #[test]
    fn only_what_was_submitted_becomes_final() {
        assert_eq!(out_of_order(approved().mark_final(7, 0)), Progress::Approved);
    }

    #[test]
    fn the_same_end_may_be_told_twice_and_another_may_not() {
        let mut dossier = finished();
        dossier.mark_final(7, 0).expect("the same again");
        assert_eq!(out_of_order(dossier.mark_final(8, 0)), REACHED);
    }

    #[test]
    fn a_renewed_transaction_needs_its_approvals_anew() {
        let mut dossier = submitted();
        let old = dossier.id();
        dossier.renew(Timestamp(dossier.transaction().body.expiry.0 + 1)).expect("not final");
        assert_ne!(dossier.id(), old);
        assert_eq!((dossier.progress(), dossier.signers()), (Progress::Prepared, Vec::new()));
    }

    #[test]
    fn what_is_final_is_not_renewed() {
        assert_eq!(out_of_order(finished().renew(Timestamp(1))), REACHED);
    }

    #[test]
    fn every_state_reads_back() {
        for dossier in [prepared(), approved(), submitted(), finished()] {
            assert_eq!(read_back(&dossier).expect("reads back"), dossier);
        }
    }

    #[test]
    fn a_transaction_that_is_not_base64_is_refused() {
        assert_eq!(malformed(Dossier::read("?", Progress::Prepared, ())), "the transaction is not base64");
    }

    #[test]
    fn bytes_that_are_no_transaction_are_refused() {
        let why = malformed(Dossier::read("AAAA", Progress::Prepared, ()));
        assert!(why.starts_with("the transaction: "), "{why}");
    }

    #[test]
    fn a_forged_approval_is_refused() {
        let mut forged = approved();
        let Approval::Officer(approval) = &mut forged.transaction.approvals[0] else {
            panic!("an officer's")
        };
        approval.factors = 0xffff;
        assert!(matches!(read_back(&forged), Err(DossierError::Approval(_))));
    }

    #[test]
    fn a_progress_that_the_approvals_deny_is_refused() {
        for claimed in [
            Dossier { progress: Progress::Approved, ..prepared() },
            Dossier { progress: Progress::Prepared, ..approved() },
        ] {
            assert_eq!(malformed(read_back(&claimed)), "progress and approvals contradict each other");
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Note {
        format: String,
    }

    fn note() -> Vec<u8> {
        to_json(&Note { format: "note/1".into() })
    }

    #[test]
    fn a_file_reads_back_up_to_its_limit() {
        let read = from_json::<Note>(&note(), note().len(), "note/1");
        assert_eq!(to_json(&read.expect("reads back")), note());
        let refused = from_json::<Note>(&note(), note().len() - 1, "note/1");
        assert!(malformed(refused).contains("longer than"));
    }

    #[test]
    fn a_file_of_another_format_is_called_so_whatever_it_holds() {
        let refused = from_json::<Note>(br#"{"format":"note/2","text":"new"}"#, 100, "note/1");
        assert_eq!(malformed(refused), "its format is not note/1");
    }

    #[test]
    fn a_key_that_has_no_meaning_is_refused() {
        let refused = from_json::<Note>(br#"{"format":"note/1","text":"new"}"#, 100, "note/1");
        assert!(malformed(refused).contains("unknown field"));
    }
}
