//! The validator key in this process: it signs what the promise guard let through, and nothing else.

use tanba_consensus::guard::Promise;
use tanba_crypto::{PublicKey, Signature, SigningKey};
use tanba_ledger::ChainId;

/// Holds the validator key. A [`Promise`] is the only thing it signs, and only the guard makes one.
#[derive(Debug)]
pub struct Signer {
    key: SigningKey,
}

impl Signer {
    /// Takes the key over.
    pub fn new(key: SigningKey) -> Signer {
        Signer { key }
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.key.public()
    }

    /// Signs what was promised. The promise is journaled before the signature leaves the node.
    pub(crate) fn sign(&self, promise: &Promise, chain: &ChainId) -> Signature {
        self.key.sign(&promise.utterance().signing_bytes(chain))
    }
}
