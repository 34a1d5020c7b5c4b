//! Requests and answers for catching up: one stream each, with its own size limits and a deadline.
//!
//! A request or answer that announces more than its limit fails alone; the connection stays, because its other
//! streams are not touched by it.

use std::{io, sync::Arc};

use futures::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use libp2p::{StreamProtocol, request_response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{NetworkLimits, frame, frame::Oversized, stats::Counters};

/// Bytes, with the part of a budget they hold until they are written, or taken by the node.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) bytes: Vec<u8>,
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

/// How requests and answers look on a stream.
#[derive(Clone, Debug)]
pub(super) struct Codec {
    request_bytes_max: usize,
    answer_bytes_max: usize,
    answers_in: Arc<Semaphore>,
    counters: Arc<Counters>,
}

/// The protocol on all connections.
pub(super) type Behaviour = request_response::Behaviour<Codec>;
/// What it tells the network task.
pub(super) type Event = request_response::Event<Payload, Payload>;
/// Where an answer goes.
pub(super) type AnswerTo = request_response::ResponseChannel<Payload>;

/// The behaviour for `protocol`.
pub(super) fn behaviour(
    protocol: StreamProtocol,
    counters: Arc<Counters>,
    limits: &NetworkLimits,
) -> Behaviour {
    let &NetworkLimits { request_bytes_max, answer_bytes_max, .. } = limits;
    let answers_in = Arc::new(Semaphore::new(limits.answers_in_bytes_max));
    let codec = Codec { request_bytes_max, answer_bytes_max, answers_in, counters };
    let streams_max = limits.requests_from_peer_max + limits.requests_to_peer_max;
    let config = request_response::Config::default()
        .with_request_timeout(limits.request_timeout)
        .with_max_concurrent_streams(streams_max);
    Behaviour::with_codec(codec, [(protocol, request_response::ProtocolSupport::Full)], config)
}

impl Codec {
    /// The length of the frame that follows.
    async fn length<T>(&self, io: &mut T, limit: usize) -> io::Result<usize>
    where
        T: AsyncRead + Unpin + Send,
    {
        let length = frame::read_length(io, limit).await;
        // Counted here: a request that cannot be read is never reported further up.
        if length.as_ref().is_err_and(Oversized::is) {
            self.counters.oversized_refused.one();
        }
        length?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Payload;
    type Response = Payload;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Payload>
    where
        T: AsyncRead + Unpin + Send,
    {
        let length = self.length(io, self.request_bytes_max).await?;
        Ok(Payload { bytes: frame::read_body(io, length).await?, permit: None })
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Payload>
    where
        T: AsyncRead + Unpin + Send,
    {
        let length = self.length(io, self.answer_bytes_max).await?;
        let permit = self.answers_in.clone().acquire_many_owned(NetworkLimits::permits(length)).await;
        let permit = Some(permit.expect("the budget is never closed"));
        Ok(Payload { bytes: frame::read_body(io, length).await?, permit })
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, request: Payload) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        frame::write(io, &request.bytes).await?;
        drop(request.permit);
        io.close().await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, answer: Payload) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        frame::write(io, &answer.bytes).await?;
        drop(answer.permit);
        io.close().await
    }
}
