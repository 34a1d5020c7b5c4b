//! Proofs of possession: whoever lists a key in genesis signs with it, so that nobody can list a key that
//! another holds, or that nobody holds.
//!
//! Signed is (network name, BIN, role, key) under its own tag. The chain id cannot be signed, since it follows
//! from the genesis these proofs lie in; the network's name stands for it.

use tanba_crypto::{Canonical, PublicKey, Signature, SignatureError, SigningKey, Tag};
use tanba_ledger::{Bin, record::KeyRole};

/// Signs that `key` is held by institution `bin` in `role` on the network named `network`.
pub fn prove(network: &str, bin: Bin, role: KeyRole, key: &SigningKey) -> Signature {
    key.sign(&signing_bytes(network, bin, role, &key.public()))
}

/// Checks what [`prove`] made. Fails for another network, institution, role or key, and for weak keys.
pub fn check(
    network: &str,
    bin: Bin,
    role: KeyRole,
    key: &PublicKey,
    proof: &Signature,
) -> Result<(), SignatureError> {
    key.verify(&signing_bytes(network, bin, role, key), proof)
}

fn signing_bytes(network: &str, bin: Bin, role: KeyRole, key: &PublicKey) -> Vec<u8> {
    let mut bytes = Tag::POSSESSION.as_bytes().to_vec();
    bytes.extend((network.to_owned(), bin, role, *key).to_canonical());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_holds_for_its_network_institution_and_role_alone() {
        let key = SigningKey::ed25519(&[7; 32]);
        let bin = Bin::with_control_digit(12_345_678_901).expect("has a control digit");
        let other = Bin::with_control_digit(12_345_678_902).expect("has a control digit");
        let proof = prove("north", bin, KeyRole::Registrar, &key);
        let holds = |network, bin, role| check(network, bin, role, &key.public(), &proof).is_ok();
        assert!(holds("north", bin, KeyRole::Registrar));
        assert!(!holds("south", bin, KeyRole::Registrar));
        assert!(!holds("north", other, KeyRole::Registrar));
        assert!(!holds("north", bin, KeyRole::Approver));
    }
}
