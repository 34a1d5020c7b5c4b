//! Proofs fetched and checked. A node is asked, and believed nothing.

use tanba_crypto::Canonical;
use tanba_ledger::{
    Timestamp, TransactionId,
    proof::{
        At, BUNDLE_BYTES_MAX, Bundle, Checkpoint, Head, Included, ProofFailure, Question, Receipt, Status,
        verify,
    },
};
use tanba_proto::{
    FieldError, convert,
    registrar::v1::GetReceiptRequest,
    verifier::v1::{BatchGetStatusRequest, GetBucketRequest, GetStatusRequest, StatusQuery, status_item},
};

use super::{Client, ClientError, Refused};

/// What a verifier trusts and how old an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trust {
    /// Where proofs begin: told by witnesses, or genesis on a devnet, or the head of an earlier answer.
    pub checkpoint: Checkpoint,
    /// The verifier's clock.
    pub now: Timestamp,
    /// The head of an answer may be so old, in milliseconds.
    pub max_age_ms: u64,
}

/// A checked status, with the proof to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What was proven.
    pub status: Status,
    /// The proof, which [`verify`] accepts again, offline.
    pub bundle: Bundle,
}

/// A checked bucket: answers for every diploma whose record key has its prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    bundle: Bundle,
    head: Head,
    bits: u16,
}

impl Bucket {
    /// The proof, to be kept.
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The head it rests on.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The length of its prefix.
    pub const fn bits(&self) -> u16 {
        self.bits
    }

    /// The status of one diploma of the bucket, at the bucket's head.
    pub fn status(&self, question: &Question) -> Result<Status, ClientError> {
        self.bundle.answer(&self.head, question).map_err(|failure| ClientError::from(&failure))
    }
}

impl Client {
    /// The present status of one diploma, asked for privately: the node learns only in which bucket it lies.
    pub async fn status_by_bucket(&self, question: &Question, trust: &Trust) -> Result<Checked, ClientError> {
        let bits = self.node_info().await?.bucket_bits;
        let bucket = self.bucket(question, bits, trust).await?;
        Ok(Checked { status: bucket.status(question)?, bundle: bucket.bundle })
    }

    /// The bucket of `bits` bits in which a diploma lies. `bits` is the node's own `bucket_bits`, or one less.
    pub async fn bucket(&self, question: &Question, bits: u16, trust: &Trust) -> Result<Bucket, ClientError> {
        if question.at != At::Head {
            return Err((&ProofFailure::BucketAtPast).into());
        }
        let request = GetBucketRequest {
            prefix: convert::prefix_of(&question.record_key().key, bits),
            bits: bits.into(),
            checkpoint_height: Some(trust.checkpoint.height.0),
        };
        let answer = self.answer(self.verifier().get_bucket(request).await)?;
        let bundle = bundle("proof", &answer.proof)?;
        let Bundle::Bucket(proof) = &bundle else {
            return Err(FieldError::new("proof", "not a bucket").into());
        };
        if proof.bits != bits {
            return Err(FieldError::new("proof", "not the bucket that was asked for").into());
        }
        let head = proof.head.verify(&trust.checkpoint, trust.now, trust.max_age_ms);
        let head = head.map_err(|failure| ClientError::from(&failure))?;
        Ok(Bucket { bundle, head, bits })
    }

    /// The status of one diploma, now or earlier. The node sees the fingerprint; [`Client::status_by_bucket`]
    /// hides it, for the present.
    pub async fn status(&self, question: &Question, trust: &Trust) -> Result<Checked, ClientError> {
        let request = GetStatusRequest {
            query: Some(StatusQuery::from(question)),
            checkpoint_height: Some(trust.checkpoint.height.0),
        };
        let answer = self.answer(self.verifier().get_status(request).await)?;
        check(&answer.proof, question, trust)
    }

    /// The status of up to 256 diplomas; each answers for itself, in order. The node sees the fingerprints.
    pub async fn statuses(
        &self,
        questions: &[Question],
        trust: &Trust,
    ) -> Result<Vec<Result<Checked, ClientError>>, ClientError> {
        let request = BatchGetStatusRequest {
            queries: questions.iter().map(StatusQuery::from).collect(),
            checkpoint_height: Some(trust.checkpoint.height.0),
        };
        let answer = self.answer(self.verifier().batch_get_status(request).await)?;
        if answer.items.len() != questions.len() {
            return Err(FieldError::new("items", "one item for each query is expected").into());
        }
        let item = |(item, question): (_, &Question)| match item {
            Some(status_item::Result::Proof(proof)) => check(&proof, question, trust),
            Some(status_item::Result::Problem(problem)) => Err(ClientError::Refused(Refused {
                code: problem.code.into(),
                reason: problem.reason,
                message: problem.message,
                field: None,
                retry_after: None,
            })),
            None => Err(FieldError::new("items.result", "the field is missing").into()),
        };
        Ok(answer.items.into_iter().map(|item| item.result).zip(questions).map(item).collect())
    }

    /// The receipt of a final transaction, checked: that it is final, and where.
    pub async fn receipt(
        &self,
        id: TransactionId,
        trust: &Trust,
    ) -> Result<(Included, Receipt), ClientError> {
        let request = GetReceiptRequest {
            transaction_id: id.0.0.to_vec(),
            checkpoint_height: Some(trust.checkpoint.height.0),
        };
        let answer = self.answer(self.registrar().get_receipt(request).await)?;
        let receipt: Receipt = convert::canonical("proof", &answer.proof, BUNDLE_BYTES_MAX)?;
        let head = receipt.head.verify(&trust.checkpoint, trust.now, trust.max_age_ms);
        let included = head.and_then(|head| receipt.answer(&head, &id));
        let included = included.map_err(|failure| ClientError::from(&failure))?;
        Ok((included, receipt))
    }

    /// The checkpoint at `height`, or at the head: the node's word, to be compared with what others say.
    pub async fn checkpoint(&self, height: Option<tanba_ledger::Height>) -> Result<Checkpoint, ClientError> {
        let request = tanba_proto::ledger::v1::GetCheckpointRequest { height: height.map(|height| height.0) };
        let answer = self.answer(self.ledger().get_checkpoint(request).await)?;
        Ok(convert::canonical("checkpoint", &answer.checkpoint, 256)?)
    }
}

fn check(proof: &[u8], question: &Question, trust: &Trust) -> Result<Checked, ClientError> {
    let bundle = bundle("proof", proof)?;
    let status = verify(&bundle, question, &trust.checkpoint, trust.now, trust.max_age_ms);
    let status = status.map_err(|failure| ClientError::from(&failure))?;
    Ok(Checked { status, bundle })
}

fn bundle(path: &str, bytes: &[u8]) -> Result<Bundle, FieldError> {
    Bundle::from_canonical(bytes, BUNDLE_BYTES_MAX)
        .map_err(|_| FieldError::new(path, "these are not the canonical bytes of a proof"))
}
