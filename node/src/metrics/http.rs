//! `GET /metrics`, and nothing else: one request a connection, all of it bounded.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::timeout,
};

use super::Metrics;

/// Connections served at once; more wait in the system's queue.
const CONNECTIONS_MAX: usize = 8;

/// Head of a request, in bytes.
const REQUEST_BYTES_MAX: usize = 4 * 1024;

/// A request must come, and its answer be taken, within this.
const REQUEST_WITHIN: Duration = Duration::from_secs(5);

/// A pause after an error of `accept` itself, so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `metrics` until `stop` says true or its sender is gone. Requests under way are finished.
pub async fn serve(listener: TcpListener, metrics: Metrics, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let Some((stream, place)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let metrics = metrics.clone();
        tokio::spawn(async move {
            let _place = place;
            // Whoever is too slow, or hangs up, gets nothing; that is theirs alone.
            let _ = timeout(REQUEST_WITHIN, answer(stream, &metrics)).await;
        });
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.expect("the semaphore is never closed");
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            tracing::warn!(%error, "a connection to the metrics port could not be accepted");
            None
        }
    }
}

async fn answer(mut stream: TcpStream, metrics: &Metrics) -> std::io::Result<()> {
    let head = read_head(&mut stream).await?;
    let (status, body) = respond(head.as_deref(), metrics);
    let response = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\
         content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}

/// The bytes up to the empty line, or `None` if there is none within the limit.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut head = Vec::with_capacity(512);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() >= REQUEST_BYTES_MAX || stream.read_buf(&mut head).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(head))
}

fn respond(head: Option<&[u8]>, metrics: &Metrics) -> (&'static str, String) {
    let line = head.and_then(|head| head.split(|byte| *byte == b'\r').next()).unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let http_1 = version.is_some_and(|version| version.starts_with(b"HTTP/1."));
    match (method, target) {
        _ if !http_1 => ("400 Bad Request", "this port answers GET /metrics over HTTP/1.1\n".into()),
        (Some(b"GET"), Some(b"/metrics")) => ("200 OK", metrics.text()),
        (Some(b"GET"), _) => ("404 Not Found", "metrics are at /metrics\n".into()),
        _ => ("405 Method Not Allowed", "this port answers GET /metrics\n".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(request: &[u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(serve(listener, Metrics::new(), stopped));
        let mut stream = TcpStream::connect(address).await.expect("the server listens");
        stream.write_all(request).await.expect("sent");
        stream.shutdown().await.expect("half closed");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("answered");
        stop.send(true).expect("the server runs");
        server.await.expect("it stopped");
        String::from_utf8(answer).expect("text")
    }

    #[tokio::test]
    async fn metrics_are_served() {
        let answer = ask(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("tanba_head_height 0\n") && answer.ends_with("# EOF\n"), "{answer}");
    }

    #[tokio::test]
    async fn other_paths_methods_and_garbage_get_their_answer() {
        for (request, status) in [
            (&b"GET / HTTP/1.1\r\n\r\n"[..], "404 "),
            (b"POST /metrics HTTP/1.1\r\n\r\n", "405 "),
            (b"\x00\x01\x02 garbage", "400 "),
            (b"PRI * HTTP/2.0\r\n\r\n", "400 "),
        ] {
            let answer = ask(request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        }
    }

    #[tokio::test]
    async fn an_endless_head_is_cut_off() {
        let head = [b"GET /metrics HTTP/1.1\r\nx: ".to_vec(), vec![b'a'; REQUEST_BYTES_MAX]].concat();
        assert!(ask(&head).await.starts_with("HTTP/1.1 400 "));
    }
}
