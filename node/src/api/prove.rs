//! Proofs of the present head: built, checked by the routine that clients use, and only then handed out.
//!
//! The way from a checkpoint to the head carries all signatures; it is built and checked once for each head
//! and checkpoint, and shared by every answer. What is left for one answer are hashes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tanba_crypto::{Canonical, Hash};
use tanba_ledger::{
    Certificate, Header, Height, TransactionId,
    merkle::{BucketError, Node, NodeReader, ReadError, bucket},
    proof::{
        Bundle, ChainReader, Head, HeadProof, ProofFailure, ProveError, Question, prove_bucket, prove_head,
        prove_receipt, prove_status,
    },
    record::{Quota, Table},
    state::Tip,
};
use tanba_proto::{convert::AsOf, registrar::v1::GetReceiptResponse, verifier::v1::GetBucketResponse};
use tanba_storage::{StoreError, StoreReader};

use super::{
    core::{Core, as_of, missing},
    limits::{BUCKET_TOKENS_MEAN_MIN, HEADS_KEPT_MAX, INSTITUTIONS_MAX, PROVE_TRIES_MAX},
    registrar::on_wire,
    status::ApiError,
};

/// A store as proofs read it.
struct Chain<'a, R>(&'a R);

impl<R: StoreReader> NodeReader for Chain<'_, R> {
    fn node(&self, hash: &Hash) -> Result<Node, ReadError> {
        self.0.node(hash)
    }
}

impl<R: StoreReader> ChainReader for Chain<'_, R> {
    fn final_header(&self, height: Height) -> Result<Option<Header>, ReadError> {
        Ok(self.0.header(height)?)
    }

    fn certificate_of(&self, height: Height) -> Result<Option<Certificate>, ReadError> {
        Ok(self.0.finalization(height)?)
    }

    fn history_subtree(&self, level: u8, index: u64) -> Result<Option<Hash>, ReadError> {
        Ok(self.0.history_node(level, index)?)
    }
}

/// A head with the checked way to it.
struct Proven {
    tip: Arc<Tip>,
    checkpoint: Height,
    proof: HeadProof,
    head: Head,
}

/// What is worked out once a head.
#[derive(Default)]
pub(super) struct Cache {
    heads: Mutex<Vec<Arc<Proven>>>,
    /// The root of the quotas table, and d as it follows from it.
    bits: Mutex<Option<(Hash, u16)>>,
}

/// The status of one diploma, as canonical bytes of a [`Bundle`].
pub(super) fn status<R: StoreReader>(
    core: &Core<R>,
    question: &Question,
    checkpoint: Option<u64>,
) -> Result<(AsOf, Vec<u8>), ApiError> {
    at_head(core, checkpoint, |chain, proven| {
        let bundle = Bundle::Status(prove_status(chain, proven.proof.clone(), question)?);
        bundle.answer(&proven.head, question).map_err(withheld)?;
        Ok((as_of(&proven.tip), bytes(&bundle)?))
    })
}

/// A bucket, as canonical bytes of a [`Bundle`].
pub(super) fn bucket_of<R: StoreReader>(
    core: &Core<R>,
    (prefix, bits): (Hash, u16),
    checkpoint: Option<u64>,
) -> Result<GetBucketResponse, ApiError> {
    at_head(core, checkpoint, |chain, proven| {
        let served = bucket_bits(core, &proven.tip)?;
        if bits > served || bits + 1 < served {
            return Err(ApiError::BucketBits { bits: served }.into());
        }
        let bucket = prove_bucket(chain, proven.proof.clone(), &prefix, bits)?;
        let root = proven.head.roots().of(Table::Tokens);
        bucket
            .tokens
            .verify(&root, &prefix, bits)
            .map_err(|flaw| withheld(ProofFailure::Path { part: tanba_ledger::proof::Part::Bucket, flaw }))?;
        Ok(GetBucketResponse {
            as_of: Some(as_of(&proven.tip).into()),
            proof: bytes(&Bundle::Bucket(bucket))?,
        })
    })
}

/// The receipt of a final transaction.
pub(super) fn receipt<R: StoreReader>(
    core: &Core<R>,
    id: TransactionId,
    checkpoint: Option<u64>,
) -> Result<GetReceiptResponse, ApiError> {
    let reader = &core.backend.reader;
    at_head(core, checkpoint, |chain, proven| {
        let position = reader.position(&id).map_err(ApiError::from)?.ok_or(ApiError::TransactionUnknown)?;
        let block = reader.block(position.height).map_err(ApiError::from)?;
        let block = block.ok_or_else(|| missing(position.height))?.block;
        let receipt = prove_receipt(chain, proven.proof.clone(), &block, position.index)?;
        receipt.answer(&proven.head, &id).map_err(withheld)?;
        Ok(GetReceiptResponse {
            as_of: Some(as_of(&proven.tip).into()),
            position: Some(on_wire(position)),
            proof: receipt.to_canonical(),
        })
    })
}

/// d: the longest prefix with which buckets hold enough tokens to hide one, by the number of tokens there are.
pub(super) fn bucket_bits<R: StoreReader>(core: &Core<R>, tip: &Tip) -> Result<u16, ApiError> {
    let root = tip.roots.of(Table::Quotas);
    if let Some((of, bits)) = *lock(&core.cache.bits)
        && of == root
    {
        return Ok(bits);
    }
    let all = bucket::bucket(&core.backend.reader, &root, &Hash::ZERO, 0, INSTITUTIONS_MAX);
    let quotas = all.map_err(|error| {
        if let BucketError::Read(read) = &error
            && is_damage(read, core.tip().hash == tip.hash)
        {
            condemn(core, read);
        }
        unreadable(&error)
    })?;
    let mut tokens = 0_u64;
    for leaf in &quotas.leaves {
        let quota =
            Quota::from_canonical(&leaf.value, leaf.value.len()).map_err(|error| unreadable(&error))?;
        tokens = tokens.saturating_add(quota.issued_total);
    }
    let bits = (tokens / BUCKET_TOKENS_MEAN_MIN).checked_ilog2().unwrap_or(0).min(32) as u16;
    *lock(&core.cache.bits) = Some((root, bits));
    Ok(bits)
}

/// Why one try at a proof failed.
enum Failure {
    Prove(ProveError),
    Api(ApiError),
}

impl From<ProveError> for Failure {
    fn from(error: ProveError) -> Failure {
        Failure::Prove(error)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Failure {
        Failure::Api(error)
    }
}

/// Builds an answer at the present head. State nodes of a head stay readable for some blocks only: if one went
/// missing while the head moved on, the answer is built again at the new one.
fn at_head<R: StoreReader, T>(
    core: &Core<R>,
    checkpoint: Option<u64>,
    build: impl Fn(&Chain<'_, R>, &Proven) -> Result<T, Failure>,
) -> Result<T, ApiError> {
    let checkpoint = checkpoint.map_or(Height::GENESIS, Height);
    let chain = Chain(&core.backend.reader);
    for _ in 0..PROVE_TRIES_MAX {
        let tip = core.tip();
        let built = proven(core, &chain, &tip, checkpoint).and_then(|proven| build(&chain, &proven));
        match built {
            Ok(answer) => return Ok(answer),
            Err(Failure::Prove(ProveError::Read(ReadError::Missing(_)))) if core.tip().hash != tip.hash => {}
            Err(Failure::Prove(error)) => return Err(not_proven(core, error, tip.header.height)),
            Err(Failure::Api(error)) => return Err(error),
        }
    }
    Err(ApiError::Overloaded("the head moves on faster than this node can prove it"))
}

/// The way from the checkpoint to `tip`, from the cache or made now.
fn proven<R: StoreReader>(
    core: &Core<R>,
    chain: &Chain<'_, R>,
    tip: &Arc<Tip>,
    checkpoint: Height,
) -> Result<Arc<Proven>, Failure> {
    let same = |held: &&Arc<Proven>| held.tip.hash == tip.hash && held.checkpoint == checkpoint;
    if let Some(held) = lock(&core.cache.heads).iter().find(same) {
        return Ok(Arc::clone(held));
    }
    let proof = prove_head(chain, tip, checkpoint)?;
    let trusted = tanba_ledger::proof::Checkpoint::of(&proof.trusted);
    // Judged at the head's own time: a client's clock is not earlier, so what is stale here is stale there.
    let head = proof.verify(&trusted, tip.header.time, 0).map_err(|failure| match failure {
        ProofFailure::CheckpointStale { .. } => ApiError::OutOfRange(failure.to_string()),
        other => withheld(other),
    })?;
    let made = Arc::new(Proven { tip: Arc::clone(tip), checkpoint, proof, head });
    let mut held = lock(&core.cache.heads);
    held.retain(|held| held.tip.header.height >= made.tip.header.height);
    if held.len() >= HEADS_KEPT_MAX {
        held.remove(0);
    }
    held.push(Arc::clone(&made));
    Ok(made)
}

/// Whether a read that failed shows that the store is damaged. The nodes of the head are all there, those of one left
/// behind need not be.
fn is_damage(error: &ReadError, of_head: bool) -> bool {
    match error {
        ReadError::Missing(_) => of_head,
        ReadError::Damaged(_) => true,
        // The store knows what it has met itself.
        ReadError::Store(_) => false,
    }
}

/// What is final is not there, or is not what was written: nothing a stranger asks for brings that about.
fn condemn<R: StoreReader>(core: &Core<R>, damage: &dyn std::error::Error) {
    core.backend.reader.condemn(StoreError::damaged("what a proof is made of", damage.to_string()));
}

fn bytes(bundle: &Bundle) -> Result<Vec<u8>, ApiError> {
    bundle.to_bytes().map_err(|error| ApiError::OutOfRange(error.to_string()))
}

/// Our own answer does not verify: this node's store or code is at fault, and nothing leaves.
fn withheld(failure: ProofFailure) -> ApiError {
    tracing::error!(code = failure.code(), "an answer did not verify and was withheld");
    ApiError::Unproven
}

fn unreadable(error: &dyn std::error::Error) -> ApiError {
    tracing::error!(%error, "the state could not be read for the API");
    ApiError::Store
}

fn not_proven<R: StoreReader>(core: &Core<R>, error: ProveError, head: Height) -> ApiError {
    match &error {
        ProveError::Read(read) if is_damage(read, true) => condemn(core, read),
        ProveError::Damaged(_) => condemn(core, &error),
        _ => {}
    }
    match error {
        ProveError::AboveHead { .. } => ApiError::AboveHead { head },
        ProveError::OutsideChain { .. } | ProveError::VersionsMany | ProveError::LinksMany => {
            ApiError::OutOfRange(error.to_string())
        }
        ProveError::BucketFull => ApiError::OutOfRange(error.to_string()),
        ProveError::Prefix(_) => tanba_proto::FieldError::new("bits", error.to_string()).into(),
        ProveError::Read(_) | ProveError::Damaged(_) => unreadable(&error),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
