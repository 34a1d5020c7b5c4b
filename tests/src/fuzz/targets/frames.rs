//! The frames in which messages and requests lie on a stream.

use futures::{FutureExt as _, io::Cursor};
use tanba_node::network::frame;

use crate::fuzz::{Bound, Target};

/// What this target lets a frame announce.
const BODY_BYTES_MAX: usize = 256 * 1024;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "frames",
        input_bytes_max: 1024,
        // Up to 64 KiB are made ready for a body that has not arrived, whatever its prefix says.
        bound: Bound { factor: 4, constant_bytes: 66 * 1024 },
        seeds: || vec![vec![0, 0, 0, 2, 7, 7, 0, 0, 0, 0], vec![0, 3, 0xff, 0xff, 1], vec![0xff; 4]],
        words: &[],
        attack: read_all,
    }]
}

/// Reads frames until the stream ends or breaks. Those that were whole are written again as they came.
fn read_all(bytes: &[u8]) {
    let mut stream = Cursor::new(bytes);
    let mut again = Vec::new();
    let mut reading = Box::pin(async {
        while let Ok(Some(length)) = frame::read_length(&mut stream, BODY_BYTES_MAX).await {
            assert!(length <= BODY_BYTES_MAX, "a longer frame was refused by its prefix");
            let Ok(body) = frame::read_body(&mut stream, length).await else { break };
            frame::write(&mut again, &body).await.expect("a Vec takes everything");
        }
    });
    reading.as_mut().now_or_never().expect("memory never makes a reader wait");
    drop(reading);
    assert!(bytes.starts_with(&again), "whole frames are written again as they came");
}
