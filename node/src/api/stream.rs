//! Streams to clients: each is one task that writes into a short queue and ends with the reader, with age, with
//! silence or with the node, always saying why.

use std::future::Future;

use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{
    limits::{STREAM_AGE_MAX, STREAM_QUEUE, STREAM_STALLED_AFTER},
    status::ApiError,
};

/// What a client reads.
pub(super) type Answers<T> = ReceiverStream<Result<T, Status>>;

/// Where the task of a stream writes.
pub(super) struct Outbox<T>(mpsc::Sender<Result<T, Status>>);

impl<T> Outbox<T> {
    /// Waits until the reader has room, but not for ever.
    pub(super) async fn send(&self, message: T) -> Result<(), ApiError> {
        match timeout(STREAM_STALLED_AFTER, self.0.send(Ok(message))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(ApiError::StreamEnded("the reader left")),
            Err(_) => Err(ApiError::StreamEnded("nothing was read from this stream for a minute")),
        }
    }
}

/// Starts the task of one stream. Its number is bounded by the places that [`super::routes`] gives out; a
/// reader that leaves ends the task at once.
pub(super) fn start<T, F>(
    mut stop: watch::Receiver<bool>,
    work: impl FnOnce(Outbox<T>) -> F + Send + 'static,
) -> Answers<T>
where
    T: Send + 'static,
    F: Future<Output = Result<(), ApiError>> + Send,
{
    let (queue, answers) = mpsc::channel(STREAM_QUEUE);
    tokio::spawn(async move {
        let end = tokio::select! {
            done = work(Outbox(queue.clone())) => done,
            () = sleep(STREAM_AGE_MAX) => Err(ApiError::StreamEnded("this stream is an hour old")),
            () = stopped(&mut stop) => Err(ApiError::Stopping),
            () = queue.closed() => return,
        };
        if let Err(error) = end {
            // A reader that does not take even this has lost the stream already.
            let _ = timeout(STREAM_STALLED_AFTER, queue.send(Err(error.into()))).await;
        }
    });
    ReceiverStream::new(answers)
}

/// Returns when the node stops. A sender that is gone is a node that stopped.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
