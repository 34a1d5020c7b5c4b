//! Connections that end when they are closed.
//!
//! Closing a connection says goodbye first, and on a network that swallows packets nobody takes it: once the system's
//! buffers are full the goodbye waits until TCP gives up, a quarter of an hour later. All that time the swarm counts the
//! connection as one of its peer's, and the protocols may go on sending into it, although a new one stands beside it.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use tokio::time::{Sleep, sleep};

/// A goodbye takes no longer than this.
const GOODBYE_MAX: Duration = Duration::from_secs(1);

/// A connection whose closing ends within [`GOODBYE_MAX`].
pub(super) struct Closing<M> {
    connection: M,
    /// Set once it is being closed.
    goodbye: Option<Pin<Box<Sleep>>>,
}

impl<M> Closing<M> {
    /// To be told of its closing.
    pub(super) const fn new(connection: M) -> Closing<M> {
        Closing { connection, goodbye: None }
    }
}

impl<M: StreamMuxer + Unpin> StreamMuxer for Closing<M> {
    type Substream = M::Substream;
    type Error = M::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, Self::Error>> {
        Pin::new(&mut self.connection).poll_inbound(context)
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, Self::Error>> {
        Pin::new(&mut self.connection).poll_outbound(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let closed = Pin::new(&mut self.connection).poll_close(context);
        if closed.is_ready() {
            return closed;
        }
        let goodbye = self.goodbye.get_or_insert_with(|| Box::pin(sleep(GOODBYE_MAX)));
        goodbye.as_mut().poll(context).map(Ok)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<StreamMuxerEvent, Self::Error>> {
        Pin::new(&mut self.connection).poll(context)
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future::poll_fn};

    use libp2p::core::muxing::SubstreamBox;
    use tokio::time::Instant;

    use super::*;

    /// A connection that is closed after so many seconds.
    struct Slow(Pin<Box<Sleep>>);

    impl StreamMuxer for Slow {
        type Substream = SubstreamBox;
        type Error = Infallible;

        fn poll_inbound(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Result<Self::Substream, Self::Error>> {
            Poll::Pending
        }

        fn poll_outbound(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Result<Self::Substream, Self::Error>> {
            Poll::Pending
        }

        fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            self.0.as_mut().poll(context).map(Ok)
        }

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<StreamMuxerEvent, Self::Error>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn closing_ends_when_the_connection_is_closed_and_soon_when_it_never_is() {
        for (closed_after, ends_after) in [(100, 100), (900_000, 1_000)] {
            let began = Instant::now();
            let slow = Slow(Box::pin(sleep(Duration::from_millis(closed_after))));
            let mut connection = Closing::new(slow);
            let closed = poll_fn(|context| Pin::new(&mut connection).poll_close(context)).await;
            assert!(closed.is_ok());
            assert_eq!(began.elapsed(), Duration::from_millis(ends_after));
        }
    }
}
