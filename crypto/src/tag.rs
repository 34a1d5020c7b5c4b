//! Every purpose a hash or a signature can have, in one table. Two purposes never share a tag, so that bytes
//! made for one slot are worthless in any other; `tags_are_distinct_and_prefix_free` holds the table to it.

/// A domain-separation prefix: ASCII, ending in a zero byte, unlike every other tag of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tag(&'static str);

impl Tag {
    /// The bytes hashed or signed first.
    pub const fn as_bytes(self) -> &'static [u8] {
        self.0.as_bytes()
    }
}

macro_rules! tags {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        impl Tag {
            $($(#[$doc])* pub const $name: Tag = Tag(concat!($text, "\0"));)*
        }
        #[cfg(test)]
        const ALL: &[Tag] = &[$(Tag::$name),*];
    };
}

tags! {
    /// Hash: the name of a block, over its header's canonical bytes.
    BLOCK = "tanba/block/v1";
    /// Hash: the name of a network, over the genesis header with `chain` zero.
    CHAIN = "tanba/chain/v1";
    /// Hash: the name of a transaction, over its body; approvals are left out.
    TRANSACTION = "tanba/transaction/v1";
    /// Hash: the name of a transaction's full bytes, approvals included; what gossip and bodies go by.
    TRANSACTION_BYTES = "tanba/transaction-bytes/v1";
    /// Hash: the name of a validator set.
    VALIDATORS = "tanba/validators/v1";
    /// Hash: where a record lies in its table's trie.
    RECORD_KEY = "tanba/record-key/v1";
    /// Hash: a leaf of a state trie.
    STATE_LEAF = "tanba/state-leaf/v1";
    /// Hash: a branch of a state trie.
    STATE_BRANCH = "tanba/state-branch/v1";
    /// Hash: the list of table roots.
    STATE_ROOT = "tanba/state-root/v1";
    /// Hash: a holder's control commitment, over the control key.
    CONTROL = "tanba/control/v1";
    /// Hash: the link from a replaced token to the one that replaces it.
    REPLACE_LINK = "tanba/replace-link/v1";
    /// Hash: a salted commitment to a document named by an operation (decision, request, order).
    DOCUMENT = "tanba/document/v1";
    /// Hash: the fingerprint F of a diploma. The wording is the published vector's.
    FINGERPRINT = "kz-diploma/commit/v1";
    /// Hash: the GOST commitment G of a diploma.
    GOST_COMMITMENT = "tanba/gost-commitment/v1";
    /// Hash: the part of G that names the document.
    GOST_DOCUMENT = "tanba/gost-document/v1";
    /// Hash: the part of G that names the seal.
    GOST_SEAL = "tanba/gost-seal/v1";
    /// Hash: the part of G that names the consent.
    GOST_CONSENT = "tanba/gost-consent/v1";
    /// Hash: the part of G that says a document, seal or consent does not exist.
    GOST_NONE = "tanba/gost-none/v1";
    /// Hash: the mark by which a consent names its diploma, over a secret and F.
    CONSENT_SUBJECT = "tanba/consent-subject/v1";
    /// Signature: the institution's seal, a CMS, over a diploma's fingerprint, field root and two digests.
    SEAL = "tanba/seal/v1";
    /// Signature: an officer's or holder's approval of a transaction.
    APPROVAL = "tanba/approval/v1";
    /// Signature: a leader's proposal.
    PROPOSAL = "tanba/proposal/v1";
    /// Signature: a validator's vote.
    VOTE = "tanba/vote/v1";
    /// Signature: proof that a key in genesis is held, over network name, BIN, role and key.
    POSSESSION = "tanba/possession/v1";
    /// Signature: a witness's word on a checkpoint.
    CHECKPOINT = "tanba/checkpoint/v1";
    /// Signature: an answer to a starting validator that asks what it had signed.
    HEAD = "tanba/head/v1";
    /// Signature: that a network identity (PeerId) belongs to a node key of an institution.
    PEER = "tanba/peer/v1";
    /// Hash: one record of the promise journal, chained to the one before it.
    JOURNAL = "tanba/journal/v1";
    /// Hash: the order of a diploma's leaves, from a random seed.
    SHUFFLE = "tanba/shuffle/v1";
    /// Hash: the checksum of a holder's file, or of what a holder shows.
    HOLDER_FILE = "tanba/holder-file/v1";
    /// Associated data: a part of a record sealed in the vault.
    VAULT_PART = "tanba/vault-part/v1";
    /// Associated data: a data key of the vault, wrapped by an epoch key.
    VAULT_KEY = "tanba/vault-key/v1";
    /// Hash: the name of an imported class, and of its list, under the secret of who imports it.
    IMPORT = "tanba/import/v1";
    /// Hash: the name of a gossiped message, over its topic and data.
    GOSSIP = "tanba/gossip/v1";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_distinct_and_prefix_free() {
        for (i, a) in ALL.iter().enumerate() {
            assert_eq!(a.as_bytes().last(), Some(&0), "{a:?} ends in a zero byte");
            assert_eq!(a.as_bytes().iter().filter(|b| **b == 0).count(), 1, "{a:?} holds one zero byte");
            for b in &ALL[i + 1..] {
                assert_ne!(a, b);
            }
        }
    }
}
