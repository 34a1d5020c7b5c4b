//! Forged proofs: whatever a server sends, a verifier is told what the ledger holds, or that it could not be found out.

use std::sync::OnceLock;

use serde_json::Value;
use tanba_crypto::Canonical;
use tanba_ledger::{
    Timestamp, TransactionId,
    proof::{Bundle, Checkpoint, Question, Receipt, Verdict, verify},
};

use super::vectors;
use crate::fuzz::{Bound, Target};

/// Past every time in the vectors' world, and near enough to its heads.
const AGE_MS_MAX: u64 = 60_000;

pub(super) fn targets() -> Vec<Target> {
    // Decoding, then maps of the parts of a proof; signatures of one certificate at a time.
    let bound = Bound { factor: 80, constant_bytes: 64 * 1024 };
    let of =
        |name, seeds, attack| Target { name, input_bytes_max: 16 * 1024, bound, seeds, words: &[], attack };
    vec![of("proof-status", status_seeds, forge_status), of("proof-receipt", receipt_seeds, forge_receipt)]
}

/// A question of the golden vectors with its true answer.
#[derive(Debug)]
struct Known {
    question: Question,
    now: Timestamp,
    gost: [u8; 32],
    verdict: String,
    honest: Vec<u8>,
}

fn known() -> &'static [Known] {
    static KNOWN: OnceLock<Vec<Known>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let Value::Array(all) = vectors::file("ledger-proofs.json") else { panic!("a list of vectors") };
        all.iter().filter_map(read_known).collect()
    })
}

fn read_known(vector: &Value) -> Option<Known> {
    let question = vectors::field(vector, "question")?;
    let now = vector["now_ms (text)"].as_str()?.parse().expect("milliseconds");
    Some(Known {
        question: Question::from_canonical(&question, question.len()).expect("a golden question"),
        now: Timestamp(now),
        gost: vectors::field(vector, "gost")?.try_into().expect("32 bytes"),
        verdict: vector["verdict (text)"].as_str()?.to_owned(),
        honest: vectors::field(vector, "bytes")?,
    })
}

/// The golden questions in their canonical bytes.
pub(super) fn questions() -> Vec<Vec<u8>> {
    known().iter().map(|known| known.question.to_canonical()).collect()
}

/// What the verifier trusts: genesis of the vectors' world.
pub(super) fn checkpoint() -> Checkpoint {
    static CHECKPOINT: OnceLock<Checkpoint> = OnceLock::new();
    *CHECKPOINT.get_or_init(|| {
        let bytes = vectors::bytes("ledger-proofs.json", &["checkpoint on genesis"]).remove(0);
        Checkpoint::from_canonical(&bytes, bytes.len()).expect("a golden checkpoint")
    })
}

/// The number of a golden question and an honest proof of it.
fn status_seeds() -> Vec<Vec<u8>> {
    let numbered = known().iter().zip(0u8..);
    numbered.map(|(known, number)| [vec![number], known.honest.clone()].concat()).collect()
}

fn forge_status(bytes: &[u8]) {
    let Some((number, proof)) = bytes.split_first() else { return };
    let known = &known()[usize::from(*number) % known().len()];
    let Ok(bundle) = Bundle::from_bytes(proof) else { return };
    let status = verify(&bundle, &known.question, &checkpoint(), known.now, AGE_MS_MAX);
    match Verdict::of(&status, &known.gost) {
        Verdict::CouldNotCheck(_) => {}
        verdict => assert_eq!(verdict.code(), known.verdict, "a proof that verifies tells the truth"),
    }
}

fn receipt() -> (Vec<u8>, TransactionId) {
    let Value::Array(all) = vectors::file("ledger-proofs.json") else { panic!("a list of vectors") };
    let vector = all.iter().find(|vector| vector["transaction"].is_string()).expect("a golden receipt");
    let field = |name| vectors::field(vector, name).expect("a golden receipt has its parts");
    let id = field("transaction");
    (field("bytes"), TransactionId::from_canonical(&id, id.len()).expect("a name"))
}

fn receipt_seeds() -> Vec<Vec<u8>> {
    vec![receipt().0]
}

fn forge_receipt(bytes: &[u8]) {
    static TRUE: OnceLock<(TransactionId, u64)> = OnceLock::new();
    let place = |bytes: &[u8], id: &TransactionId| {
        let receipt = Receipt::from_canonical(bytes, bytes.len()).ok()?;
        let head = receipt.head.verify(&checkpoint(), known()[0].now, AGE_MS_MAX).ok()?;
        receipt.answer(&head, id).ok().map(|included| included.height.0)
    };
    let (id, height) = TRUE.get_or_init(|| {
        let (honest, id) = receipt();
        (id, place(&honest, &id).expect("the golden receipt holds"))
    });
    if let Some(claimed) = place(bytes, id) {
        assert_eq!(claimed, *height, "a receipt that verifies tells the true place");
    }
}
