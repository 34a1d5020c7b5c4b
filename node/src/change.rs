//! The file of a change of standing: the [`Dossier`] of its transaction and, with replacements, the salts that
//! lead to the new diplomas. It names no person; because of the salts it goes to the officers alone.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tanba_crypto::Hash;
use tanba_genesis::text::{moment, word_of};
use tanba_ledger::{
    Bin, Fingerprint, Operation, TransactionBody,
    operation::{Reason, Replacement, replace_link},
};

use crate::issue::{
    DossierError, Progress,
    dossier::{self, Dossier},
    files,
};

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

/// A change on its way.
pub type ChangeFile = Dossier<Links>;

/// What a change has beside its transaction: a link for each replacement, in order; none for other operations.
pub type Links = Vec<Link>;

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
    links: Links,
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
    pub fn new(body: TransactionBody, links: Links) -> ChangeFile {
        assert!(parts_of(&body.operation).is_some(), "the operation changes standings");
        Dossier::prepared(body, links)
    }

    /// What a person reads before signing, computed from the bytes to be signed.
    pub fn summary(&self) -> Summary {
        let transaction = self.transaction();
        let body = &transaction.body;
        let (operation, issuer, changes) = parts_of(&body.operation).expect("checked when made or read");
        let changed = |(fingerprint, version, reason): (Fingerprint, u32, Reason)| Changed {
            fingerprint: fingerprint.0.to_string(),
            version,
            reason: word_of(REASONS, reason).to_owned(),
        };
        Summary {
            transaction_id: transaction.id().to_string(),
            chain: body.chain.0.to_string(),
            institution: body.institution.to_string(),
            issuer: issuer.to_string(),
            operation: operation.to_owned(),
            diplomas: changes.into_iter().map(changed).collect(),
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
            links: self.extras.clone(),
        })
    }

    /// Reads a file, and checks summary, links and approvals against the transaction.
    pub fn from_json(bytes: &[u8]) -> Result<ChangeFile, DossierError> {
        let malformed = |why: &str| DossierError::Malformed(why.into());
        let wire: Wire = dossier::from_json(bytes, CHANGE_FILE_BYTES_MAX, FORMAT)?;
        let file = Dossier::read(&wire.transaction, wire.progress, wire.links)?;
        if parts_of(&file.transaction().body.operation).is_none() {
            return Err(malformed("the transaction changes no standings"));
        }
        if wire.summary != file.summary() {
            return Err(DossierError::Summary);
        }
        if !file.links_fit() {
            return Err(malformed("the links are not those of the transaction"));
        }
        Ok(file)
    }

    /// Writes the file, all or nothing, readable by its owner alone.
    pub fn save(&self, path: &Path) -> Result<(), DossierError> {
        Ok(files::write_atomic(path, &self.to_json())?)
    }

    /// Reads the file at `path`.
    pub fn load(path: &Path) -> Result<ChangeFile, DossierError> {
        ChangeFile::from_json(&files::read_bounded(path, CHANGE_FILE_BYTES_MAX)?)
    }

    fn links_fit(&self) -> bool {
        let Operation::Replace(list) = &self.transaction().body.operation else {
            return self.extras.is_empty();
        };
        let opens = |(link, change): (&Link, &Replacement)| {
            let (Ok(salt), Ok(next)) = (Hash::from_hex(&link.salt), Hash::from_hex(&link.next)) else {
                return false;
            };
            link.replaced == change.fingerprint.0.to_string()
                && replace_link(&salt.0, &Fingerprint(next)) == change.link
        };
        self.extras.len() == list.changes.len() && self.extras.iter().zip(&list.changes).all(opens)
    }
}

#[cfg(test)]
mod tests {
    use tanba_ledger::{
        operation::Replacements,
        record::KeyRole,
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
    fn a_saved_change_reads_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("change.json");
        let (mut file, keys) = (replacement(), testkit::keys(0));
        for (role, key) in [(KeyRole::Registrar, &keys.registrar), (KeyRole::Approver, &keys.approver)] {
            file.approve(role, factor::KEY, key).expect("signs");
        }
        file.save(&path).expect("saves");
        assert_eq!(ChangeFile::load(&path).expect("reads"), file);
    }

    #[test]
    fn a_lying_summary_is_refused() {
        let json = String::from_utf8(revocation().to_json()).expect("JSON is text");
        assert!(ChangeFile::from_json(json.as_bytes()).is_ok());
        let lie = json.replace("\"operation\": \"revoke\"", "\"operation\": \"suspend\"");
        assert!(matches!(ChangeFile::from_json(lie.as_bytes()), Err(DossierError::Summary)));
    }

    #[test]
    fn a_transaction_that_changes_no_standing_is_refused() {
        let body = World::new().body(0, Operation::Issue(testkit::award(1, 1)));
        let mut json: serde_json::Value = serde_json::from_slice(&revocation().to_json()).expect("JSON");
        json["transaction"] = Dossier::prepared(body, ()).to_base64().into();
        let refused = ChangeFile::from_json(json.to_string().as_bytes()).expect_err("it issues");
        assert!(refused.to_string().ends_with("the transaction changes no standings"), "{refused}");
    }

    #[test]
    fn links_that_are_not_those_of_the_transaction_are_refused() {
        let (mut elsewhere, mut missing, mut idle) = (replacement(), replacement(), revocation());
        elsewhere.extras[0].next = testkit::fingerprint(3).0.to_string();
        missing.extras.clear();
        idle.extras = replacement().extras;
        for file in [elsewhere, missing, idle] {
            let refused = ChangeFile::from_json(&file.to_json()).expect_err("links that do not fit");
            assert!(refused.to_string().ends_with("the links are not those of the transaction"), "{refused}");
        }
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
