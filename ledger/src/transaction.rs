//! A transaction: what an institution or a holder asks for, and who approved it.
//!
//! The id covers the body alone, so that approvals may be gathered one after the other and a signature that
//! could be written in two ways cannot make two transactions of one. Gossip and bodies go by the hash of the
//! full bytes, since those are what is stored and proven.

use std::fmt;

use tanba_crypto::{
    Canonical, Hash, PublicKey, Signature, SignatureError, SigningKey, Tag, Verify,
    canonical::{Decode, Encode},
};

use crate::{Bin, ChainId, Operation, Timestamp, limits::APPROVALS_MAX, record::KeyRole};

/// The name of a transaction: SHA-256 over tag and canonical body.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct TransactionId(pub Hash);

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The head of an institution's audit log at the time of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct AuditHead {
    /// Records in the log.
    pub count: u64,
    /// The hash of the last one.
    pub head: Hash,
}

/// What is asked for, by whom, on which network, and until when.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct TransactionBody {
    /// The network this is meant for.
    pub chain: ChainId,
    /// The institution that acts (for a holder's act: the token's issuer).
    pub institution: Bin,
    /// The last block time at which this may apply; at most
    /// [`EXPIRY_MS_MAX`](crate::limits::EXPIRY_MS_MAX) after it.
    pub expiry: Timestamp,
    /// What is asked for.
    pub operation: Operation,
    /// The institution's audit head; required outside devnets.
    pub audit: Option<AuditHead>,
}

impl TransactionBody {
    /// The name of the transaction.
    pub fn id(&self) -> TransactionId {
        TransactionId(Hash::tagged(Tag::TRANSACTION, &[&self.to_canonical()]))
    }
}

/// One approval of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Approval {
    /// An officer's, in one role, with the factors by which the officer was recognised.
    Officer(OfficerApproval),
    /// The holder's, by the control key.
    Holder(HolderApproval),
}
tanba_crypto::canonical_enum!(Approval { 1 = Officer(approval), 2 = Holder(approval) });

/// An officer's approval.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct OfficerApproval {
    /// The officer's key.
    pub key: PublicKey,
    /// The role the officer acts in.
    pub role: KeyRole,
    /// How the officer was recognised ([`factor`]).
    pub factors: u16,
    /// The signature over tag, chain, transaction, role and factors.
    pub signature: Signature,
}

/// A holder's approval.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct HolderApproval {
    /// The token's control key.
    pub key: PublicKey,
    /// The signature over tag, chain, transaction, role 0 and factors 0.
    pub signature: Signature,
}

/// The bits of an officer's factor set.
pub mod factor {
    /// The officer key itself, unlocked by a passphrase or PIN.
    pub const KEY: u16 = 1 << 0;
    /// A login with a certificate of the national authority.
    pub const CERTIFICATE: u16 = 1 << 1;
    /// A one-time code.
    pub const ONE_TIME_CODE: u16 = 1 << 2;
    /// A biometric assertion bound to this transaction.
    pub const BIOMETRIC: u16 = 1 << 3;
}

impl Approval {
    /// An officer signs.
    pub fn by_officer(
        chain: &ChainId,
        id: TransactionId,
        role: KeyRole,
        factors: u16,
        key: &SigningKey,
    ) -> Approval {
        let signature = key.sign(&signing_bytes(chain, id, role as u8, factors));
        Approval::Officer(OfficerApproval { key: key.public(), role, factors, signature })
    }

    /// A holder signs with a control key.
    pub fn by_holder(chain: &ChainId, id: TransactionId, key: &SigningKey) -> Approval {
        let signature = key.sign(&signing_bytes(chain, id, 0, 0));
        Approval::Holder(HolderApproval { key: key.public(), signature })
    }

    /// The key that approved.
    pub const fn key(&self) -> &PublicKey {
        match self {
            Approval::Officer(approval) => &approval.key,
            Approval::Holder(approval) => &approval.key,
        }
    }
}

/// What an approval signs: tag, chain, transaction, role (0 for a holder), factors.
fn signing_bytes(chain: &ChainId, id: TransactionId, role: u8, factors: u16) -> Vec<u8> {
    let mut bytes = Tag::APPROVAL.as_bytes().to_vec();
    bytes.extend((*chain, id, role, factors).to_canonical());
    bytes
}

/// A body and its approvals, strictly ascending by key. Unchecked until it is
/// [`Verified`](tanba_crypto::Verified).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Transaction {
    /// What is asked for.
    pub body: TransactionBody,
    /// Who approved it.
    pub approvals: Vec<Approval>,
}

impl Transaction {
    /// The name of the transaction.
    pub fn id(&self) -> TransactionId {
        self.body.id()
    }

    /// The name of exactly these bytes, approvals included.
    pub fn bytes_hash(&self) -> Hash {
        Hash::tagged(Tag::TRANSACTION_BYTES, &[&self.to_canonical()])
    }

    /// Adds an approval in its place; one of the same key is replaced.
    pub fn approve(&mut self, approval: Approval) {
        match self.approvals.binary_search_by(|held| held.key().cmp(approval.key())) {
            Ok(at) => self.approvals[at] = approval,
            Err(at) => self.approvals.insert(at, approval),
        }
    }
}

impl Verify for Transaction {
    type Context<'a> = &'a ChainId;

    fn verify(&self, chain: &ChainId) -> Result<(), SignatureError> {
        if self.body.chain != *chain {
            return Err(SignatureError::Structure("the transaction is for another network"));
        }
        if self.approvals.is_empty() || self.approvals.len() > APPROVALS_MAX {
            return Err(SignatureError::Structure("a transaction has 1 to 4 approvals"));
        }
        if !self.approvals.is_sorted_by(|a, b| a.key() < b.key()) {
            return Err(SignatureError::Structure("approvals are strictly ascending by key"));
        }
        let id = self.id();
        self.approvals.iter().try_for_each(|approval| match approval {
            Approval::Officer(OfficerApproval { key, role, factors, signature }) => {
                key.verify(&signing_bytes(chain, id, *role as u8, *factors), signature)
            }
            Approval::Holder(HolderApproval { key, signature }) => {
                key.verify(&signing_bytes(chain, id, 0, 0), signature)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fingerprint, operation::HolderAct};

    const CHAIN: ChainId = ChainId(Hash([9; 32]));

    fn key(n: u8) -> SigningKey {
        SigningKey::ed25519(&[n; 32])
    }

    fn transaction() -> Transaction {
        let issuer = Bin::with_control_digit(10_000_000_000).expect("control digit");
        let act = HolderAct { issuer, fingerprint: Fingerprint(Hash([3; 32])), version: 1, request: None };
        let body = TransactionBody {
            chain: CHAIN,
            institution: issuer,
            expiry: Timestamp(1_000),
            operation: Operation::Restrict(act),
            audit: None,
        };
        let id = body.id();
        let mut transaction = Transaction { body, approvals: vec![] };
        transaction.approve(Approval::by_officer(&CHAIN, id, KeyRole::Registrar, factor::KEY, &key(1)));
        transaction.approve(Approval::by_officer(&CHAIN, id, KeyRole::Approver, factor::KEY, &key(2)));
        transaction
    }

    #[test]
    fn approvals_are_checked_and_do_not_change_the_id() {
        let transaction = transaction();
        assert_eq!(transaction.verify(&CHAIN), Ok(()));
        let other = Transaction { approvals: transaction.approvals[..1].to_vec(), ..transaction.clone() };
        assert_eq!(other.id(), transaction.id());
        assert_ne!(other.bytes_hash(), transaction.bytes_hash());
    }

    #[test]
    fn a_changed_role_factor_body_or_chain_breaks_the_approval() {
        let good = transaction();
        let mut role = good.clone();
        let mut factors = good.clone();
        let Approval::Officer(changed) = &mut role.approvals[0] else { panic!("an officer's") };
        changed.role = KeyRole::Admin;
        let Approval::Officer(changed) = &mut factors.approvals[0] else { panic!("an officer's") };
        changed.factors = factor::BIOMETRIC;
        let mut body = good.clone();
        body.body.expiry = Timestamp(1_001);
        for bad in [role, factors, body] {
            assert_eq!(bad.verify(&CHAIN), Err(SignatureError::Mismatch));
        }
        assert!(good.verify(&ChainId(Hash([8; 32]))).is_err());
    }

    #[test]
    fn unsorted_repeated_and_missing_approvals_are_refused() {
        let good = transaction();
        let reversed =
            Transaction { approvals: good.approvals.iter().rev().copied().collect(), ..good.clone() };
        let repeated = Transaction { approvals: vec![good.approvals[0]; 2], ..good.clone() };
        let none = Transaction { approvals: vec![], ..good.clone() };
        for bad in [reversed, repeated, none] {
            assert!(matches!(bad.verify(&CHAIN), Err(SignatureError::Structure(_))));
        }
    }

    #[test]
    fn a_reserved_operation_does_not_decode() {
        let mut bytes = transaction().body.operation.to_canonical();
        assert!(Operation::from_canonical(&bytes, 1024).is_ok());
        for reserved in (9..=23).chain([0, 24, 255]) {
            bytes[0] = reserved;
            assert!(Operation::from_canonical(&bytes, 1024).is_err(), "number {reserved}");
        }
    }
}
