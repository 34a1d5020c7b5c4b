//! A frame: four bytes of length, big-endian, then so many bytes. The length is checked before anything is read
//! or allocated for it, and memory grows only as bytes arrive, so that a lying prefix costs nothing.

use std::io;

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The most that is allocated ahead of bytes that have not arrived.
const STEP_BYTES: usize = 64 * 1024;

/// A frame announced more bytes than its protocol allows. Carried inside an [`io::Error`] of kind `InvalidData`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a frame of {bytes} bytes was announced, the limit is {limit}")]
pub struct Oversized {
    /// What the prefix says.
    pub bytes: usize,
    /// What the protocol allows.
    pub limit: usize,
}

impl Oversized {
    /// Whether `error` is this.
    pub fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Oversized>())
    }
}

/// Reads the length of the next frame; `None` if the stream ended cleanly before it.
pub async fn read_length<R>(io: &mut R, limit: usize) -> io::Result<Option<usize>>
where
    R: AsyncRead + Unpin,
{
    let mut prefix = [0; 4];
    let first = io.read(&mut prefix).await?;
    if first == 0 {
        return Ok(None);
    }
    io.read_exact(&mut prefix[first..]).await?;
    let bytes = u32::from_be_bytes(prefix) as usize;
    if bytes > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, Oversized { bytes, limit }));
    }
    Ok(Some(bytes))
}

/// Reads the `length` bytes after the prefix.
pub async fn read_body<R>(io: &mut R, length: usize) -> io::Result<Vec<u8>>
where
    R: AsyncRead + Unpin,
{
    let mut body = Vec::new();
    while body.len() < length {
        let have = body.len();
        body.resize(length.min(have + have.max(STEP_BYTES)), 0);
        io.read_exact(&mut body[have..]).await?;
    }
    Ok(body)
}

/// Writes one frame, without flushing. The caller has checked the limit of the protocol.
pub async fn write<W>(io: &mut W, body: &[u8]) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    let length = u32::try_from(body.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    io.write_all(&length.to_be_bytes()).await?;
    io.write_all(body).await
}

#[cfg(test)]
mod tests {
    use futures::{executor::block_on, io::Cursor};

    use super::*;

    fn framed(body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        block_on(write(&mut bytes, body)).expect("a Vec takes everything");
        bytes
    }

    async fn read(io: &mut Cursor<impl AsRef<[u8]> + Unpin>, limit: usize) -> io::Result<Vec<u8>> {
        let length = read_length(io, limit).await?.expect("not at its end");
        read_body(io, length).await
    }

    #[test]
    fn a_frame_reads_back() {
        for body in [vec![], vec![7; 3], vec![9; 3 * STEP_BYTES + 1]] {
            let read = block_on(read(&mut Cursor::new(framed(&body)), body.len()));
            assert_eq!(read.expect("a whole frame"), body);
        }
    }

    #[test]
    fn an_oversized_frame_is_refused_by_its_prefix_alone() {
        let prefix = 11u32.to_be_bytes();
        let error = block_on(read(&mut Cursor::new(prefix), 10)).expect_err("too large");
        assert!(Oversized::is(&error), "{error}");
    }

    #[test]
    fn a_cut_frame_is_an_error_and_a_clean_end_is_not() {
        let mut cut = framed(&[1, 2, 3]);
        cut.pop();
        let error = block_on(read(&mut Cursor::new(cut), 10)).expect_err("a byte is missing");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(block_on(read_length(&mut Cursor::new([]), 10)).expect("a clean end"), None);
        assert!(block_on(read_length(&mut Cursor::new([0, 0]), 10)).is_err(), "half a prefix");
    }
}
