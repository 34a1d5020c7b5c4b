//! From a path to a service, with the counting of calls: a call has a place, in all and at its address, from
//! before it is decoded until its answer is taken or dropped.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use futures::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Code, Status, body::Body, codegen::Service, codegen::http, server::NamedService};

use super::{
    limits::{CALLS_MAX, STREAMS_MAX},
    listener::Caller,
    status::ApiError,
};
use crate::metrics::Metrics;

type Request = http::Request<Body>;
type Response = http::Response<Body>;
type Handler = Box<dyn Fn(Request) -> BoxFuture<'static, Response> + Send + Sync>;

/// Methods whose answer has no end of its own. They are counted apart, so that streams never shut out calls.
const STREAMS: [&str; 5] = ["StreamBlocks", "StreamStatus", "Track", "Watch", "ServerReflectionInfo"];

/// Every method of every service, as metrics name them.
const METHODS: [&str; 18] = [
    "BatchGetStatus",
    "Check",
    "GetBlock",
    "GetBucket",
    "GetCheckpoint",
    "GetGenesis",
    "GetHeader",
    "GetNodeInfo",
    "GetNodeStatus",
    "GetReceipt",
    "GetStatus",
    "ListPeers",
    "ServerReflectionInfo",
    "StreamBlocks",
    "StreamStatus",
    "Submit",
    "Track",
    "Watch",
];

/// All services of the node.
#[derive(Clone)]
pub(super) struct Routes {
    services: Arc<BTreeMap<&'static str, Handler>>,
    calls: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    metrics: Metrics,
}

impl Routes {
    pub(super) fn new(metrics: Metrics) -> Routes {
        Routes {
            services: Arc::new(BTreeMap::new()),
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            metrics,
        }
    }

    /// Adds a service. Called before the first connection.
    pub(super) fn with<S>(mut self, service: S) -> Routes
    where
        S: Service<Request, Response = Response, Error = Infallible>,
        S: NamedService + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        let handler: Handler = Box::new(move |request| {
            let answer = service.clone().call(request);
            Box::pin(async move {
                match answer.await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            })
        });
        let services = Arc::get_mut(&mut self.services).expect("routes are complete before they are cloned");
        services.insert(S::NAME, handler);
        self
    }

    /// Places for one call: at its address, then in all.
    fn admit(&self, request: &Request, method: &str) -> Result<Held, ApiError> {
        let stream = STREAMS.contains(&method);
        let caller = request.extensions().get::<Caller>();
        let at_address = match caller {
            Some(Caller(address)) => {
                let places = if stream { &address.streams } else { &address.calls };
                let busy = ApiError::Overloaded("your address has too many calls under way here");
                Some(Arc::clone(places).try_acquire_owned().map_err(|_| busy)?)
            }
            None => None,
        };
        let places = if stream { &self.streams } else { &self.calls };
        let busy = ApiError::Overloaded("the node has too many calls under way");
        let in_all = Arc::clone(places).try_acquire_owned().map_err(|_| busy)?;
        Ok(Held { _in_all: in_all, _at_address: at_address })
    }
}

impl Service<Request> for Routes {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let routes = self.clone();
        Box::pin(async move {
            let path = request.uri().path();
            let Some((service, method)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) else {
                return Ok(unknown().into_http());
            };
            let Some((name, handler)) = routes.services.get_key_value(service) else {
                return Ok(unknown().into_http());
            };
            // A label of ours, never a text of the caller's.
            let method = METHODS.iter().find(|known| **known == method).copied().unwrap_or("other");
            let held = match routes.admit(&request, method) {
                Ok(held) => held,
                Err(error) => {
                    routes.metrics.api_call(name, method, code_name(Code::ResourceExhausted), None);
                    return Ok(Status::from(error).into_http());
                }
            };
            let asked = Instant::now();
            let response = handler(request).await;
            let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
            routes.metrics.api_call(name, method, code_name(code), Some(asked.elapsed()));
            Ok(response.map(|body| Body::new(HeldBody { body, _held: held })))
        })
    }
}

fn unknown() -> Status {
    Status::unimplemented("no such service; server reflection lists what this node serves")
}

/// A status code as the gRPC specification writes it, for metrics.
fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The places of one call.
struct Held {
    _in_all: OwnedSemaphorePermit,
    _at_address: Option<OwnedSemaphorePermit>,
}

/// An answer that keeps its place until it is taken or dropped.
struct HeldBody {
    body: Body,
    _held: Held,
}

impl http_body::Body for HeldBody {
    type Data = <Body as http_body::Body>::Data;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Status>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_above_the_limit_are_turned_away_and_streams_are_not() {
        let routes = Routes::new(Metrics::new());
        let request = Request::new(Body::empty());
        let held: Vec<_> = (0..CALLS_MAX).map(|_| routes.admit(&request, "GetBlock")).collect();
        assert!(held.iter().all(Result::is_ok));
        assert!(matches!(routes.admit(&request, "GetBlock"), Err(ApiError::Overloaded(_))));
        assert!(routes.admit(&request, "StreamBlocks").is_ok());
        drop(held);
        assert!(routes.admit(&request, "GetBlock").is_ok());
    }

    #[test]
    fn every_method_of_the_contract_is_known_by_name() {
        for (method, is_stream) in tanba_proto::methods() {
            assert!(METHODS.contains(&method.as_str()), "{method}");
            assert_eq!(STREAMS.contains(&method.as_str()), is_stream, "{method}");
        }
    }
}
