//! The gRPC server: the edge where strangers meet the ledger.
//!
//! A connection passes the `listener` (counted, HTTP/2), a call passes the `routes` (counted until its
//! answer is taken) and reaches one of three services: `registrar`, `verifier` and `ledger`. Reads go to
//! the store and wait for nobody; submissions go to the replica through its handle. Every proof is checked by
//! the routine that clients use before it leaves (`prove`). All bounds stand in [`limits`], every error is
//! mapped in [`status`]. Nothing here logs who asked, or for which diploma.

pub mod limits;
pub mod status;

mod core;
mod ledger;
mod listener;
mod prove;
mod registrar;
mod routes;
mod stream;
mod tracker;
mod verifier;

use std::sync::Arc;

use tanba_proto::{
    DESCRIPTORS, ledger::v1::ledger_service_server::LedgerServiceServer,
    registrar::v1::registrar_service_server::RegistrarServiceServer,
    verifier::v1::verifier_service_server::VerifierServiceServer,
};
use tanba_storage::StoreReader;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{server::NamedService, transport::Server};
use tonic_health::{
    ServingStatus,
    server::{HealthReporter, health_reporter},
};

pub use self::core::Backend;
pub(crate) use self::stream::stopped;
use self::{
    core::Core, ledger::Ledger, registrar::Registrar, routes::Routes, tracker::Tracker, verifier::Verifier,
};
use crate::handle::NodeHandle;

/// New connections waiting to be served: the rest waits at the door, in its own place.
const CONNECTIONS_QUEUE: usize = 16;

/// Serves the API on `listener` until `stop` says true or its sender is gone; then streams are ended with
/// `STOPPING`, calls under way are answered, and the call returns once all connections are closed, at the latest soon
/// after [`limits::PARTING_WITHIN`].
pub async fn serve<R: StoreReader>(
    listener: TcpListener,
    backend: Backend<R>,
    stop: watch::Receiver<bool>,
) -> Result<(), tonic::transport::Error> {
    let (reporter, health) = health_reporter();
    let watching = tokio::spawn(report_health(reporter, backend.handle.clone(), stop.clone()));
    let (ready, connections) = mpsc::channel(CONNECTIONS_QUEUE);
    let accepting = tokio::spawn(listener::accept(listener, ready, backend.metrics.clone(), stop.clone()));

    let routes = routes(backend, stop.clone()).with(health).with(reflection());
    let mut stop = stop;
    let served = server()
        .serve_with_incoming_shutdown(routes, ReceiverStream::new(connections), async move {
            stopped(&mut stop).await;
        })
        .await;
    accepting.abort();
    watching.abort();
    served
}

/// The transport, with every bound set that it has.
fn server() -> Server {
    Server::builder()
        .timeout(limits::CALL_WITHIN)
        .max_concurrent_streams(limits::CALLS_PER_CONNECTION_MAX)
        .max_connection_age(limits::CONNECTION_AGE_MAX)
        .http2_keepalive_interval(Some(limits::PING_EVERY))
        .http2_keepalive_timeout(Some(limits::PONG_WITHIN))
        .http2_max_header_list_size(limits::HEADERS_BYTES_MAX)
        .http2_max_pending_accept_reset_streams(Some(limits::RESETS_PENDING_MAX))
        .http2_max_local_error_reset_streams(Some(limits::RESETS_PENDING_MAX))
        .initial_connection_window_size(limits::WINDOW_CONNECTION_BYTES)
        .initial_stream_window_size(limits::WINDOW_CALL_BYTES)
}

fn routes<R: StoreReader>(backend: Backend<R>, stop: watch::Receiver<bool>) -> Routes {
    let metrics = backend.metrics.clone();
    let core = Arc::new(Core::new(backend, stop));
    let registrar = Registrar { core: Arc::clone(&core), tracker: Tracker::default() };
    let verifier = Verifier { core: Arc::clone(&core) };
    let ledger = Ledger { core };
    Routes::new(metrics)
        .with(
            RegistrarServiceServer::new(registrar)
                .max_decoding_message_size(limits::SUBMIT_BYTES_MAX)
                .max_encoding_message_size(limits::ANSWER_BYTES_MAX),
        )
        .with(
            VerifierServiceServer::new(verifier)
                .max_decoding_message_size(limits::QUERY_BYTES_MAX)
                .max_encoding_message_size(limits::ANSWER_BYTES_MAX),
        )
        .with(
            LedgerServiceServer::new(ledger)
                .max_decoding_message_size(limits::READ_BYTES_MAX)
                .max_encoding_message_size(limits::ANSWER_BYTES_MAX),
        )
}

fn reflection()
-> tonic_reflection::server::v1::ServerReflectionServer<impl tonic_reflection::server::v1::ServerReflection> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .expect("the descriptors were made at build time")
}

/// Serving, until the node stops or its replica is gone.
async fn report_health(reporter: HealthReporter, handle: NodeHandle, mut stop: watch::Receiver<bool>) {
    const NAMES: [&str; 4] = [
        "",
        LedgerServiceServer::<Nobody>::NAME,
        RegistrarServiceServer::<Nobody>::NAME,
        VerifierServiceServer::<Nobody>::NAME,
    ];
    for name in NAMES {
        reporter.set_service_status(name, ServingStatus::Serving).await;
    }
    tokio::select! {
        () = stopped(&mut stop) => {}
        () = handle.submissions.closed() => {}
    }
    for name in NAMES {
        reporter.set_service_status(name, ServingStatus::NotServing).await;
    }
}

/// Stands for an implementation where only the service's name is wanted.
enum Nobody {}

#[cfg(test)]
mod tests;
