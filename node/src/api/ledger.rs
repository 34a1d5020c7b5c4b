//! `tanba.ledger.v1`: what is final, and what the node knows of itself.

use std::sync::Arc;

use tanba_crypto::Canonical;
use tanba_ledger::{Height, block::HEADER_VERSION, proof::Checkpoint};
use tanba_proto::{
    convert::AsOf,
    ledger::v1::{
        self as wire, GetBlockRequest, GetBlockResponse, GetCheckpointRequest, GetCheckpointResponse,
        GetGenesisRequest, GetGenesisResponse, GetHeaderRequest, GetHeaderResponse, GetNodeInfoRequest,
        GetNodeInfoResponse, GetNodeStatusRequest, GetNodeStatusResponse, Heartbeat, ListPeersRequest,
        ListPeersResponse, StreamBlocksRequest, StreamBlocksResponse, ledger_service_server::LedgerService,
        stream_blocks_response::Event,
    },
};
use tanba_storage::{CertifiedBlock, StoreReader};
use tokio::time::{Instant, sleep_until};
use tonic::{Request, Response, Status, async_trait};

use super::{
    core::{Core, missing},
    limits::HEARTBEAT_EVERY,
    prove,
    status::ApiError,
    stream::{self, Answers, Outbox},
};
use crate::handle::{NodeStatus, PeerStatus, Voting};

/// The service.
pub(super) struct Ledger<R> {
    pub(super) core: Arc<Core<R>>,
}

#[async_trait]
impl<R: StoreReader> LedgerService for Ledger<R> {
    async fn get_node_info(
        &self,
        _: Request<GetNodeInfoRequest>,
    ) -> Result<Response<GetNodeInfoResponse>, Status> {
        let answer = self.core.heavy(|core| {
            let tip = core.tip();
            Ok(GetNodeInfoResponse {
                as_of: Some(super::core::as_of(&tip).into()),
                chain_id: core.backend.chain.0.0.to_vec(),
                network_kind: wire::NetworkKind::from(tip.params.kind).into(),
                // Every node keeps every block.
                lowest_height: Height::GENESIS.0,
                bucket_bits: prove::bucket_bits(core, &tip)?.into(),
                header_version: HEADER_VERSION.into(),
                software_version: env!("CARGO_PKG_VERSION").to_owned(),
            })
        });
        Ok(Response::new(answer.await?))
    }

    async fn get_node_status(
        &self,
        _: Request<GetNodeStatusRequest>,
    ) -> Result<Response<GetNodeStatusResponse>, Status> {
        Ok(Response::new(status(&self.core.backend.handle.status.borrow())))
    }

    async fn list_peers(&self, _: Request<ListPeersRequest>) -> Result<Response<ListPeersResponse>, Status> {
        let status = Arc::clone(&self.core.backend.handle.status.borrow());
        Ok(Response::new(ListPeersResponse {
            as_of: Some(status_as_of(&status).into()),
            peers: status.peers.iter().map(peer).collect(),
        }))
    }

    async fn get_genesis(
        &self,
        _: Request<GetGenesisRequest>,
    ) -> Result<Response<GetGenesisResponse>, Status> {
        let answer = self.core.heavy(|core| {
            let header =
                core.backend.reader.header(Height::GENESIS)?.ok_or_else(|| missing(Height::GENESIS))?;
            Ok(GetGenesisResponse {
                as_of: Some(core.as_of().into()),
                chain_id: core.backend.chain.0.0.to_vec(),
                genesis: core.backend.genesis.to_vec(),
                header: header.to_canonical(),
            })
        });
        Ok(Response::new(answer.await?))
    }

    async fn get_header(
        &self,
        request: Request<GetHeaderRequest>,
    ) -> Result<Response<GetHeaderResponse>, Status> {
        let height = Height(request.get_ref().height);
        let answer = self.core.heavy(move |core| {
            core.not_above_head(height)?;
            let header = core.backend.reader.header(height)?.ok_or_else(|| missing(height))?;
            let finalization = core.backend.reader.finalization(height)?;
            Ok(GetHeaderResponse {
                as_of: Some(core.as_of().into()),
                header: header.to_canonical(),
                finalization: finalization.map(|certificate| certificate.to_canonical()),
            })
        });
        Ok(Response::new(answer.await?))
    }

    async fn get_block(
        &self,
        request: Request<GetBlockRequest>,
    ) -> Result<Response<GetBlockResponse>, Status> {
        let block = self.core.block(Height(request.get_ref().height)).await?;
        Ok(Response::new(GetBlockResponse {
            as_of: Some(self.core.as_of().into()),
            block: Some(certified(&block)),
        }))
    }

    type StreamBlocksStream = Answers<StreamBlocksResponse>;

    async fn stream_blocks(
        &self,
        request: Request<StreamBlocksRequest>,
    ) -> Result<Response<Self::StreamBlocksStream>, Status> {
        let from = Height(request.get_ref().from_height);
        let head = self.core.tip().header.height;
        if from > head.next() {
            return Err(ApiError::AboveHead { head }.into());
        }
        let core = Arc::clone(&self.core);
        Ok(Response::new(stream::start(self.core.stop.clone(), move |outbox| blocks(core, from, outbox))))
    }

    async fn get_checkpoint(
        &self,
        request: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointResponse>, Status> {
        let height = request.get_ref().height.map(Height);
        let answer = self.core.heavy(move |core| {
            let tip = core.tip();
            let height = height.unwrap_or(tip.header.height);
            core.not_above_head(height)?;
            let header = core.backend.reader.header(height)?.ok_or_else(|| missing(height))?;
            Ok(GetCheckpointResponse {
                as_of: Some(super::core::as_of(&tip).into()),
                checkpoint: Checkpoint::of(&header).to_canonical(),
            })
        });
        Ok(Response::new(answer.await?))
    }
}

/// Sends every block from `next` on, each once and in order, and a heartbeat when there is none for a while.
async fn blocks<R: StoreReader>(
    core: Arc<Core<R>>,
    mut next: Height,
    outbox: Outbox<StreamBlocksResponse>,
) -> Result<(), ApiError> {
    let mut heads = core.backend.handle.status.clone();
    let mut silent_until = Instant::now();
    loop {
        while next <= core.tip().header.height {
            let block = core.block(next).await?;
            outbox.send(StreamBlocksResponse { event: Some(Event::Block(certified(&block))) }).await?;
            next = next.next();
            silent_until = Instant::now() + HEARTBEAT_EVERY;
        }
        tokio::select! {
            changed = heads.changed() => changed.map_err(|_| ApiError::Stopping)?,
            () = sleep_until(silent_until) => {
                let heartbeat = Heartbeat { as_of: Some(core.as_of().into()) };
                outbox.send(StreamBlocksResponse { event: Some(Event::Heartbeat(heartbeat)) }).await?;
                silent_until = Instant::now() + HEARTBEAT_EVERY;
            }
        }
    }
}

fn certified(block: &CertifiedBlock) -> wire::CertifiedBlock {
    wire::CertifiedBlock {
        height: block.block.header.height.0,
        block: block.block.to_canonical(),
        finalization: block.finalization.as_ref().map(|certificate| certificate.to_canonical()),
    }
}

fn status_as_of(status: &NodeStatus) -> AsOf {
    AsOf { height: status.height, hash: status.hash, time: status.time }
}

fn status(status: &NodeStatus) -> GetNodeStatusResponse {
    let (voting, abstaining_through_height) = match status.voting {
        Voting::Voting => (wire::Voting::Voting, None),
        Voting::Observer => (wire::Voting::Observer, None),
        Voting::Recovering => (wire::Voting::Recovering, None),
        Voting::AbstainingThrough(height) => (wire::Voting::Abstaining, Some(height.0)),
        Voting::Retired => (wire::Voting::Retired, None),
    };
    let connected = status.peers.iter().filter(|peer| peer.connected).count();
    GetNodeStatusResponse {
        as_of: Some(status_as_of(status).into()),
        view: status.view.0,
        voting: voting.into(),
        abstaining_through_height,
        network_height: status.network_height.0,
        mempool_count: number(status.mempool_count),
        peers_connected: number(connected),
        peers_known: number(status.peers.len()),
        equivocations: status.equivocations,
        mempool_bytes: status.mempool_bytes as u64,
    }
}

fn peer(peer: &PeerStatus) -> wire::Peer {
    wire::Peer {
        key: peer.key.to_string(),
        bin: peer.bin.to_string(),
        kind: wire::PeerKind::from(peer.kind).into(),
        connected: peer.connected,
        height: peer.height.map(|height| height.0),
    }
}

/// Counts of things that are bounded far below.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
