//! Signatures that this thread has checked or made before, for simulations that live through the same minute
//! thousands of times.
//!
//! Behind the feature `memo`, and off until [`remember`] is called on a thread; no production crate does
//! either. It changes how long a check takes and nothing else: what is remembered is the whole question (key,
//! signature, message) with its answer; a signature of Ed25519 is a function of key and message, and one that was made
//! with a key verifies with it.

use std::{cell::RefCell, collections::HashMap};

use crate::{PublicKey, Signature, SignatureError};

/// Entries of one table; then it begins anew.
const ENTRIES_MAX: usize = 1 << 16;

thread_local! {
    static MEMO: RefCell<Option<Memo>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Memo {
    verified: HashMap<(PublicKey, Signature), (Vec<u8>, bool)>,
    signed: HashMap<(PublicKey, Vec<u8>), Signature>,
}

/// From now on this thread checks each signature once, and makes each once.
pub fn remember() {
    MEMO.with_borrow_mut(|memo| {
        memo.get_or_insert_default();
    });
}

/// Checks by `check` what is not known to hold.
pub(crate) fn verify(
    key: &PublicKey,
    message: &[u8],
    signature: &Signature,
    check: impl FnOnce() -> Result<(), SignatureError>,
) -> Result<(), SignatureError> {
    MEMO.with_borrow_mut(|memo| {
        let Some(memo) = memo else { return check() };
        match memo.verified.get(&(*key, *signature)) {
            Some((known, true)) if known == message => return Ok(()),
            Some((known, false)) if known == message => return Err(SignatureError::Mismatch),
            _ => {}
        }
        let answer = check();
        // A key that verifies nothing is another answer, and rare.
        if matches!(answer, Ok(()) | Err(SignatureError::Mismatch)) {
            memo.answer(key, message, signature, answer.is_ok());
        }
        answer
    })
}

/// Signs by `sign` what was not signed before.
pub(crate) fn sign(key: &PublicKey, message: &[u8], sign: impl FnOnce() -> Signature) -> Signature {
    MEMO.with_borrow_mut(|memo| {
        let Some(memo) = memo else { return sign() };
        let question = (*key, message.to_vec());
        if let Some(known) = memo.signed.get(&question) {
            return *known;
        }
        let signature = sign();
        if memo.signed.len() >= ENTRIES_MAX {
            memo.signed.clear();
        }
        memo.signed.insert(question, signature);
        // Whoever was sent it would find out the same.
        memo.answer(key, message, &signature, true);
        signature
    })
}

impl Memo {
    fn answer(&mut self, key: &PublicKey, message: &[u8], signature: &Signature, holds: bool) {
        if self.verified.len() >= ENTRIES_MAX {
            self.verified.clear();
        }
        self.verified.insert((*key, *signature), (message.to_vec(), holds));
    }
}

#[cfg(test)]
mod tests {
    use crate::{SignatureError, SigningKey};

    #[test]
    fn what_is_remembered_is_the_whole_question() {
        super::remember();
        let (key, other) = (SigningKey::ed25519(&[1; 32]), SigningKey::ed25519(&[2; 32]));
        let signature = key.sign(b"one");
        assert_eq!(key.sign(b"one"), signature);
        for _ in 0..2 {
            let checked = key.public().verify_strict(b"one", &signature);
            assert_eq!(key.public().verify(b"one", &signature), checked, "known from signing");
            assert_eq!(key.public().verify(b"one", &signature), Ok(()));
            assert_eq!(key.public().verify(b"two", &signature), Err(SignatureError::Mismatch));
            assert_eq!(other.public().verify(b"one", &signature), Err(SignatureError::Mismatch));
        }
    }
}
