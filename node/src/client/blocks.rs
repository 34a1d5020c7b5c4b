//! The blocks of a node as one stream that outlives its connections.

use std::time::Duration;

use tanba_ledger::{BlockHash, Height};
use tanba_proto::{
    convert::{self, AsOf},
    ledger::v1::{self as wire, stream_blocks_response::Event},
};
use tanba_storage::CertifiedBlock;
use tokio::time::{sleep, timeout};
use tonic::Streaming;

use super::{Client, ClientError, certified};

/// A stream says something every 15 s; one that was silent for twice that is lost.
pub(super) const SILENT_AFTER: Duration = Duration::from_secs(30);

/// So often in a row a broken stream is opened again before the error is the caller's.
const RESUMES_MAX: u32 = 20;

/// The next event of a [`BlockStream`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockEvent {
    /// The next block. Its parent is the block before, and its transactions are those its header names; that
    /// it is final is the node's word until its certificate is checked.
    Block(Box<CertifiedBlock>),
    /// Nothing new; the node's head.
    Heartbeat(AsOf),
}

/// Blocks from a height on: each once, in order, each the child of the one before. A broken connection is set up
/// again behind it, from the block that is due.
#[derive(Debug)]
pub struct BlockStream {
    client: Client,
    next: Height,
    parent: Option<BlockHash>,
    stream: Option<Streaming<wire::StreamBlocksResponse>>,
}

impl Client {
    /// The blocks from `from` on, and then new ones as they become final.
    pub fn blocks(&self, from: Height) -> BlockStream {
        BlockStream { client: self.clone(), next: from, parent: None, stream: None }
    }
}

impl BlockStream {
    /// The height that is due next.
    pub fn next_height(&self) -> Height {
        self.next
    }

    /// Waits for the next event. An error is final for this call alone: calling again opens the stream again.
    pub async fn next(&mut self) -> Result<BlockEvent, ClientError> {
        let mut resumes = 0;
        loop {
            let error = match self.receive().await {
                Ok(event) => return Ok(event),
                Err(error) => error,
            };
            self.stream = None;
            let Some(pause) = error.resume_after().filter(|_| resumes < RESUMES_MAX) else {
                return Err(error);
            };
            resumes += 1;
            sleep(pause).await;
        }
    }

    /// Waits for the next block, over heartbeats.
    pub async fn next_block(&mut self) -> Result<CertifiedBlock, ClientError> {
        loop {
            if let BlockEvent::Block(block) = self.next().await? {
                return Ok(*block);
            }
        }
    }

    async fn receive(&mut self) -> Result<BlockEvent, ClientError> {
        let ended = || ClientError::Ended { address: self.client.address.clone() };
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let request = wire::StreamBlocksRequest { from_height: self.next.0 };
                let answer = self.client.ledger().stream_blocks(request).await;
                self.stream.insert(self.client.answer(answer)?)
            }
        };
        let message = timeout(SILENT_AFTER, stream.message()).await.map_err(|_| ended())?;
        let message = message.map_err(|status| ClientError::from_status(&self.client.address, &status))?;
        match convert::present("event", message.ok_or_else(ended)?.event)? {
            Event::Heartbeat(heartbeat) => Ok(BlockEvent::Heartbeat(heartbeat.as_of.try_into()?)),
            Event::Block(block) => {
                let block = certified(block, self.next)?;
                if self.parent.is_some_and(|parent| block.block.header.parent != parent) {
                    let why = "the block does not extend the one sent before";
                    return Err(tanba_proto::FieldError::new("block.block", why).into());
                }
                self.parent = Some(block.block.hash());
                self.next = self.next.next();
                Ok(BlockEvent::Block(Box::new(block)))
            }
        }
    }
}
