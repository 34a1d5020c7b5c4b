//! What all services share: the store's reader, the way to the replica, and the bound on heavy work.

use std::{panic::resume_unwind, sync::Arc};

use tanba_ledger::{ChainId, Height, state::Tip};
use tanba_proto::convert::AsOf;
use tanba_storage::{CertifiedBlock, StoreReader};
use tokio::{
    sync::{Semaphore, watch},
    task::spawn_blocking,
};

use super::{limits::HEAVY_AT_ONCE_MAX, prove::Cache, status::ApiError};
use crate::{handle::NodeHandle, metrics::Metrics};

/// What the API is made of.
#[derive(Clone, Debug)]
pub struct Backend<R> {
    /// What is final. Reads go there and wait for nobody.
    pub reader: R,
    /// The way to the replica.
    pub handle: NodeHandle,
    /// The network.
    pub chain: ChainId,
    /// Canonical bytes of the genesis document, as GetGenesis hands them out.
    pub genesis: Arc<[u8]>,
    /// Where calls are counted.
    pub metrics: Metrics,
}

/// The shared half of the services.
pub(super) struct Core<R> {
    pub(super) backend: Backend<R>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) cache: Cache,
    heavy: Arc<Semaphore>,
}

impl<R: StoreReader> Core<R> {
    pub(super) fn new(backend: Backend<R>, stop: watch::Receiver<bool>) -> Core<R> {
        Core { backend, stop, cache: Cache::default(), heavy: Arc::new(Semaphore::new(HEAVY_AT_ONCE_MAX)) }
    }

    /// The head.
    pub(super) fn tip(&self) -> Arc<Tip> {
        self.backend.reader.tip()
    }

    /// The moment of the head.
    pub(super) fn as_of(&self) -> AsOf {
        as_of(&self.tip())
    }

    /// Runs work that computes or reads much on a blocking thread, a few at a time. The work goes on if its
    /// caller leaves, and keeps its place.
    pub(super) async fn heavy<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Core<R>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let place = Arc::clone(&self.heavy).acquire_owned().await.expect("the semaphore is never closed");
        let core = Arc::clone(self);
        let done = spawn_blocking(move || {
            let _place = place;
            work(&core)
        });
        match done.await {
            Ok(result) => result,
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(_) => Err(ApiError::Stopping),
        }
    }

    /// The block at `height`, which must be final.
    pub(super) async fn block(self: &Arc<Self>, height: Height) -> Result<CertifiedBlock, ApiError> {
        self.heavy(move |core| {
            core.not_above_head(height)?;
            core.backend.reader.block(height)?.ok_or_else(|| missing(height))
        })
        .await
    }

    /// Refuses heights that are not final here yet.
    pub(super) fn not_above_head(&self, height: Height) -> Result<(), ApiError> {
        let head = self.tip().header.height;
        if height > head { Err(ApiError::AboveHead { head }) } else { Ok(()) }
    }
}

/// The moment of a head.
pub(super) fn as_of(tip: &Tip) -> AsOf {
    AsOf::of(&tip.header, tip.hash)
}

/// The store says that it has no block at or below its head: that is damage.
pub(super) fn missing(height: Height) -> ApiError {
    tracing::error!(%height, "the store has no block at a height at or below its head");
    ApiError::Store
}
