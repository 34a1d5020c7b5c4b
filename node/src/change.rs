//! The file of a change of standing, passed between registrar and approver as a batch file is: the transaction's
//! canonical bytes, a summary computed from them, and how far it came. It names no person; with replacements it
//! holds the salts that lead to the new diplomas, so it goes to the officers alone.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use tanba_crypto::{Canonical, Hash, SignatureError, SigningKey, Verify};
use tanba_genesis::text::{KEY_ROLES, moment, word_of};
use tanba_ledger::{
    Approval, Bin, Fingerprint, Operation, Transaction, TransactionBody,
    limits::TRANSACTION_BYTES_MAX,
    operation::{Reason, replace_link},
    record::KeyRole,
};

use crate::issue::{FileError, Progress, files};

/// Bytes of a change file: the transaction in base64, and a summary line and a salt for each token.
pub const CHANGE_FILE_BYTES_MAX: usize = 1024 * 1024;

const FORMAT: &str = "tanba-change/1";

/// The word for each reason.
pub const REASONS: tanba_genesis::text::Words<Reason> = &[
    ("investigation", Reason::Investigation),
    ("investigation-closed", Reason::InvestigationClosed),
    ("court-order", Reason::CourtOrder),
    ("issued-in-error", Reason::IssuedInError),
    ("fraud", Reason::Fraud),
    ("correction", Reason::Correction),
    ("name-change", Reason::NameChange),
    ("lost", Reason::Lost),
];

/// Why a change file is not read, or a step not taken.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Not a change file of this version.
    #[error("not a change file of this version: {0}")]
    Malformed(String),
    /// Summary and transaction say different things.
    #[error("the summary does not describe the transaction: do not sign it, ask where the file comes from")]
    Summary,
    /// An approval in the file does not verify.
    #[error("an approval in the file does not hold: {0}")]
    Approval(#[from] SignatureError),
    /// The role has approved, or approves no changes.
    #[error("this role has approved already, or approves no changes")]
    Role,
    /// One person, two roles.
    #[error("this key has approved in the other role; a second person must approve")]
    SameKey,
    /// A step out of order.
    #[error("the change is {0:?}, this step does not follow")]
    Progress(Progress),
    /// The disk.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A change on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangeFile {
    transaction: Transaction,
    links: Vec<Link>,
    progress: Progress,
}

/// What opens the link of one replacement: for the holder of the old diploma and nobody else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// F of the diploma that is replaced.
    pub replaced: String,
    /// F of the new one.
    pub next: String,
    /// The salt.
    pub salt: String,
}

/// What a person reads before signing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The transaction's name.
    pub transaction_id: String,
    /// The network.
    pub chain: String,
    /// The institution that acts.
    pub institution: String,
    /// The issuer of the diplomas.
    pub issuer: String,
    /// `suspend`, `reinstate`, `revoke` or `replace`.
    pub operation: String,
    /// The diplomas, each with F, version and reason.
    pub diplomas: Vec<Changed>,
    /// Until when it may become final, in UTC.
    pub expires: String,
    /// Who approved: role and key.
    pub approvals: Vec<String>,
}

/// One diploma of a change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// F.
    pub fingerprint: String,
    /// The version of its record that is changed.
    pub version: u32,
    /// Why.
    pub reason: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    format: String,
    progress: Progress,
    summary: Summary,
    transaction: String,
    links: Vec<Link>,
}

/// The operation's word, the issuer, and what is changed of which diploma in which version.
type Parts = (&'static str, Bin, Vec<(Fingerprint, u32, Reason)>);

/// The parts of a change of standing; `None` for another operation.
fn parts_of(operation: &Operation) -> Option<Parts> {
    let (word, list) = match operation {
        Operation::Suspend(list) => ("suspend", list),
        Operation::Reinstate(list) => ("reinstate", list),
        Operation::Revoke(list) => ("revoke", list),
        Operation::Replace(list) => {
            let each = list.changes.iter().map(|change| (change.fingerprint, change.version, change.reason));
            return Some(("replace", list.issuer, each.collect()));
        }
        Operation::Issue(_) | Operation::Restrict(_) | Operation::Lift(_) | Operation::Withdraw(_) => {
            return None;
        }
    };
    let each = list.changes.iter().map(|change| (change.fingerprint, change.version, change.reason));
    Some((word, list.issuer, each.collect()))
}

impl ChangeFile {
    /// A change without approvals. Panics unless `body` changes standings.
    pub fn new(body: TransactionBody, links: Vec<Link>) -> ChangeFile {
        assert!(parts_of(&body.operation).is_some(), "the operation changes standings");
        ChangeFile {
            transaction: Transaction { body, approvals: Vec::new() },
            links,
            progress: Progress::Prepared,
        }
    }

    /// What is signed and sent.
    pub const fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// How far it came.
    pub const fn progress(&self) -> Progress {
        self.progress
    }

    /// Adds the approval of a registrar or an approver. With both, the change is approved.
    pub fn approve(&mut self, role: KeyRole, factors: u16, key: &SigningKey) -> Result<(), ChangeError> {
        if self.progress != Progress::Prepared {
            return Err(ChangeError::Progress(self.progress));
        }
        if !matches!(role, KeyRole::Registrar | KeyRole::Approver) || self.has_role(role) {
            return Err(ChangeError::Role);
        }
        if self.transaction.approvals.iter().any(|held| *held.key() == key.public()) {
            return Err(ChangeError::SameKey);
        }
        let (chain, id) = (self.transaction.body.chain, self.transaction.id());
        self.transaction.approve(Approval::by_officer(&chain, id, role, factors, key));
        if self.is_approved() {
            self.progress = Progress::Approved;
        }
        Ok(())
    }

    /// Marks the change as submitted. Save it before sending; calling it again resumes a submission.
    pub fn begin_submission(&mut self) -> Result<&Transaction, ChangeError> {
        match self.progress {
            Progress::Approved | Progress::Submitted => {
                self.progress = Progress::Submitted;
                Ok(&self.transaction)
            }
            Progress::Prepared | Progress::Final { .. } => Err(ChangeError::Progress(self.progress)),
        }
    }

    /// Records that the change is final.
    pub fn mark_final(&mut self, height: u64, index: u32) -> Result<(), ChangeError> {
        if self.progress != Progress::Submitted {
            return Err(ChangeError::Progress(self.progress));
        }
        self.progress = Progress::Final { height, index };
        Ok(())
    }

    /// What a person reads before signing, computed from the bytes to be signed.
    pub fn summary(&self) -> Summary {
        let body = &self.transaction.body;
        let (operation, issuer, changes) = parts_of(&body.operation).expect("checked when made or read");
        let changed = |(fingerprint, version, reason): (Fingerprint, u32, Reason)| Changed {
            fingerprint: fingerprint.0.to_string(),
            version,
            reason: word_of(REASONS, reason).to_owned(),
        };
        let approval = |approval: &Approval| match approval {
            Approval::Officer(officer) => format!("{} {}", word_of(KEY_ROLES, officer.role), officer.key),
            Approval::Holder(holder) => format!("holder {}", holder.key),
        };
        Summary {
            transaction_id: self.transaction.id().to_string(),
            chain: body.chain.0.to_string(),
            institution: body.institution.to_string(),
            issuer: issuer.to_string(),
            operation: operation.to_owned(),
            diplomas: changes.into_iter().map(changed).collect(),
            expires: moment(body.expiry),
            approvals: self.transaction.approvals.iter().map(approval).collect(),
        }
    }

    /// The file's bytes.
    pub fn to_json(&self) -> Vec<u8> {
        let wire = Wire {
            format: FORMAT.into(),
            progress: self.progress,
            summary: self.summary(),
            transaction: STANDARD.encode(self.transaction.to_canonical()),
            links: self.links.clone(),
        };
        let mut json = serde_json::to_vec_pretty(&wire).expect("texts and numbers are JSON");
        json.push(b'\n');
        json
    }

    /// Reads a file, and checks summary, links and approvals against the transaction.
    pub fn from_json(bytes: &[u8]) -> Result<ChangeFile, ChangeError> {
        let malformed = |why: &str| ChangeError::Malformed(why.into());
        let wire: Wire =
            serde_json::from_slice(bytes).map_err(|error| ChangeError::Malformed(error.to_string()))?;
        if wire.format != FORMAT {
            return Err(malformed("another format or version"));
        }
        let canonical =
            STANDARD.decode(&wire.transaction).map_err(|_| malformed("the transaction is not base64"))?;
        let transaction = Transaction::from_canonical(&canonical, TRANSACTION_BYTES_MAX)
            .map_err(|error| ChangeError::Malformed(format!("the transaction: {error}")))?;
        if parts_of(&transaction.body.operation).is_none() {
            return Err(malformed("the transaction changes no standings"));
        }
        let file = ChangeFile { transaction, links: wire.links, progress: wire.progress };
        if wire.summary != file.summary() {
            return Err(ChangeError::Summary);
        }
        if !file.links_fit() {
            return Err(malformed("the links are not those of the transaction"));
        }
        if !file.transaction.approvals.is_empty() {
            file.transaction.verify(&file.transaction.body.chain)?;
        }
        if file.is_approved() == (file.progress == Progress::Prepared) {
            return Err(malformed("progress and approvals contradict each other"));
        }
        Ok(file)
    }

    /// Writes the file, all or nothing, readable by its owner alone.
    pub fn save(&self, path: &Path) -> Result<(), ChangeError> {
        Ok(files::write_atomic(path, &self.to_json())?)
    }

    /// Reads the file at `path`.
    pub fn load(path: &Path) -> Result<ChangeFile, ChangeError> {
        ChangeFile::from_json(&files::read_bounded(path, CHANGE_FILE_BYTES_MAX)?)
    }

    fn links_fit(&self) -> bool {
        let Operation::Replace(list) = &self.transaction.body.operation else { return self.links.is_empty() };
        let opens = |(link, change): (&Link, &tanba_ledger::operation::Replacement)| {
            let (Ok(salt), Ok(next)) = (Hash::from_hex(&link.salt), Hash::from_hex(&link.next)) else {
                return false;
            };
            link.replaced == change.fingerprint.0.to_string()
                && replace_link(&salt.0, &Fingerprint(next)) == change.link
        };
        self.links.len() == list.changes.len() && self.links.iter().zip(&list.changes).all(opens)
    }

    fn has_role(&self, role: KeyRole) -> bool {
        let is_of =
            |approval: &Approval| matches!(approval, Approval::Officer(officer) if officer.role == role);
        self.transaction.approvals.iter().any(is_of)
    }

    fn is_approved(&self) -> bool {
        self.has_role(KeyRole::Registrar) && self.has_role(KeyRole::Approver)
    }
}

#[cfg(test)]
mod tests {
    use tanba_ledger::{
        operation::{Replacement, Replacements},
        testkit::{self, World},
        transaction::factor,
    };

    use super::*;

    fn revocation() -> ChangeFile {
        let changes = testkit::changes(0, &[(1, 1), (2, 1)], Reason::Fraud);
        ChangeFile::new(World::new().body(0, Operation::Revoke(changes)), Vec::new())
    }

    fn replacement() -> ChangeFile {
        let (fingerprint, next, salt) = (testkit::fingerprint(1), testkit::fingerprint(2), [7; 32]);
        let link = replace_link(&salt, &next);
        let change = Replacement { fingerprint, version: 1, reason: Reason::Correction, link };
        let list = Replacements { issuer: testkit::bin(0), changes: vec![change] };
        let link = Link {
            replaced: fingerprint.0.to_string(),
            next: next.0.to_string(),
            salt: Hash(salt).to_string(),
        };
        ChangeFile::new(World::new().body(0, Operation::Replace(list)), vec![link])
    }

    #[test]
    fn a_change_goes_from_two_people_to_final() {
        let mut file = revocation();
        let keys = testkit::keys(0);
        file.approve(KeyRole::Registrar, factor::KEY, &keys.registrar).expect("registrar");
        assert!(matches!(
            file.approve(KeyRole::Approver, factor::KEY, &keys.registrar),
            Err(ChangeError::SameKey)
        ));
        assert!(file.begin_submission().is_err(), "one approval is not enough");
        file.approve(KeyRole::Approver, factor::KEY, &keys.approver).expect("approver");
        file.begin_submission().expect("approved");
        let mut resumed = ChangeFile::from_json(&file.to_json()).expect("reads back");
        assert_eq!(resumed, file);
        resumed.begin_submission().expect("resumed");
        resumed.mark_final(7, 0).expect("submitted");
        assert!(resumed.begin_submission().is_err());
    }

    #[test]
    fn a_lying_summary_is_refused() {
        let json = String::from_utf8(revocation().to_json()).expect("JSON is text");
        assert!(ChangeFile::from_json(json.as_bytes()).is_ok());
        let lie = json.replace("\"operation\": \"revoke\"", "\"operation\": \"suspend\"");
        assert!(matches!(ChangeFile::from_json(lie.as_bytes()), Err(ChangeError::Summary)));
    }

    #[test]
    fn a_link_that_leads_elsewhere_is_refused() {
        let file = replacement();
        assert_eq!(ChangeFile::from_json(&file.to_json()).expect("reads back"), file);
        let mut other = file;
        other.links[0].next = testkit::fingerprint(3).0.to_string();
        assert!(matches!(ChangeFile::from_json(&other.to_json()), Err(ChangeError::Malformed(_))));
    }

    #[test]
    fn a_thousand_replacements_fit_their_file() {
        let tokens: Vec<(u64, u32)> = (0..1_000).map(|number| (number, 1)).collect();
        let list = testkit::replacements(0, &tokens);
        let link = |change: &Replacement| Link {
            replaced: change.fingerprint.0.to_string(),
            next: change.fingerprint.0.to_string(),
            salt: change.link.to_string(),
        };
        let links = list.changes.iter().map(link).collect();
        let file = ChangeFile::new(World::new().body(0, Operation::Replace(list)), links);
        assert!(file.to_json().len() <= CHANGE_FILE_BYTES_MAX);
    }
}
