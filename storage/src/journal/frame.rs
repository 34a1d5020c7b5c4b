//! How appends lie in a file of the journal.
//!
//! ```text
//! file     the opening's sector, then frames
//! opening  "tanba journal\n" | version u16 | chain 32 | CRC32C of these u32 | zeros
//! frame    whole sectors of 512 bytes, each with a mark in its first byte: BEGINS in the first, GOES_ON in the others.
//!          After the marks lie, put together:
//!          length u32 | sequence u64 | CRC32C of these u32 | content | link 32 | zeros
//! ```
//!
//! Numbers are big-endian. A frame is what one append wrote, and the one before it was synced when it began: so only
//! the last can have been torn by a crash. No sector holds parts of two, and no content can look like a mark, so that
//! a frame which does not verify is the last exactly if no sector after its first begins one. What a disk did not write
//! of the last are whole sectors: they read as zeros, as no sector of a frame does, or the file ends before them.
//! Anything else that does not verify is damage. The link is a hash over the link before it (the chain, for the first),
//! the sequence number and the content: it seals the content, and no frame can be left out, doubled, reordered or
//! brought in from another file.
//!
//! What this cannot tell apart: a disk that wiped the sectors of the last appends after they were synced, to the end of
//! the file, leaves what a torn append leaves.

use std::ops::Range;

use tanba_crypto::{Hash, Tag};
use tanba_ledger::ChainId;

use crate::StoreError;

/// The layout this version writes and reads.
const VERSION: u16 = 3;

const MAGIC: &[u8] = b"tanba journal\n";

/// What a disk writes at once: it is there, or it is not.
const SECTOR_BYTES: usize = 512;

/// The first byte of a sector in which a frame begins. Several bits from zero and from the other.
const BEGINS: u8 = 0xa5;

/// The first byte of a sector in which a frame goes on.
const GOES_ON: u8 = 0x5a;

/// Bytes of a sector after its mark.
const ROOM_BYTES: usize = SECTOR_BYTES - 1;

/// Bytes before the first frame.
pub(crate) const OPENING_BYTES: usize = SECTOR_BYTES;

/// Bytes of an opening that say something.
const SEALED_BYTES: usize = MAGIC.len() + 2 + 32;

/// Bytes of a frame before its content.
const HEAD_BYTES: usize = 4 + 8 + 4;

/// Bytes of a frame after its content.
const LINK_BYTES: usize = 32;

/// The bytes a file of the journal begins with.
pub(crate) fn opening(chain: &ChainId) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(OPENING_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(chain.0.as_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
    bytes.resize(OPENING_BYTES, 0);
    bytes
}

/// Where the next frame goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Writer {
    /// Bytes of the file, up to here: whole sectors.
    pub(crate) length: u64,
    sequence: u64,
    link: Hash,
}

impl Writer {
    /// At the end of an opening.
    pub(crate) fn new(chain: &ChainId) -> Writer {
        Writer { length: OPENING_BYTES as u64, sequence: 0, link: chain.0 }
    }

    /// The bytes of the next frame, whose content is `parts` one after the other. It must be appended by itself.
    pub(crate) fn frame(&mut self, parts: &[&[u8]]) -> Vec<u8> {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let mut plain = Vec::with_capacity(HEAD_BYTES + length + LINK_BYTES);
        plain.extend_from_slice(
            &u32::try_from(length).expect("appends are far smaller than 4 GiB").to_be_bytes(),
        );
        plain.extend_from_slice(&self.sequence.to_be_bytes());
        plain.extend_from_slice(&crc32c::crc32c(&plain).to_be_bytes());
        parts.iter().for_each(|part| plain.extend_from_slice(part));
        self.pass(&plain[HEAD_BYTES..]);
        plain.extend_from_slice(self.link.as_bytes());
        marked(&plain)
    }

    fn next_link(&self, content: &[u8]) -> Hash {
        Hash::tagged(Tag::JOURNAL, &[self.link.as_bytes(), &self.sequence.to_be_bytes(), content])
    }

    fn pass(&mut self, content: &[u8]) {
        self.link = self.next_link(content);
        self.sequence += 1;
        self.length += frame_bytes(content.len()) as u64;
    }
}

/// Bytes that a frame takes in the file.
fn frame_bytes(content_length: usize) -> usize {
    (HEAD_BYTES + content_length + LINK_BYTES).div_ceil(ROOM_BYTES) * SECTOR_BYTES
}

/// Lays bytes out in marked sectors, the last filled with zeros.
fn marked(plain: &[u8]) -> Vec<u8> {
    let mut sectors = Vec::with_capacity(plain.len().div_ceil(ROOM_BYTES) * SECTOR_BYTES);
    for part in plain.chunks(ROOM_BYTES) {
        sectors.push(if sectors.is_empty() { BEGINS } else { GOES_ON });
        sectors.extend_from_slice(part);
    }
    sectors.resize(sectors.len().next_multiple_of(SECTOR_BYTES), 0);
    sectors
}

/// The bytes of sectors without their marks.
pub(crate) fn unmarked(sectors: &[u8]) -> Vec<u8> {
    let contents: Vec<&[u8]> = sectors.chunks(SECTOR_BYTES).map(|sector| &sector[1..]).collect();
    contents.concat()
}

/// The content of a frame that was found whole.
pub(crate) fn content(frame: &[u8]) -> Vec<u8> {
    let mut plain = unmarked(frame);
    let length = u32::from_be_bytes(plain[..4].try_into().expect("four bytes")) as usize;
    plain.truncate(HEAD_BYTES + length);
    plain.split_off(HEAD_BYTES)
}

/// What was found in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Scan {
    /// Where each frame lies.
    pub(crate) frames: Vec<Range<usize>>,
    /// Where the next frame goes.
    pub(crate) writer: Writer,
    /// Whether nothing is damaged. What follows the last frame then are the remains of an append that a crash cut
    /// short, if anything.
    pub(crate) whole: bool,
}

/// Reads a file up to its end, an incomplete frame or damage.
///
/// Fails for a file of another network or of a layout this version does not know.
pub(crate) fn scan(bytes: &[u8], chain: &ChainId) -> Result<Scan, StoreError> {
    let mut scan = Scan { frames: Vec::new(), writer: Writer::new(chain), whole: true };
    if !check_opening(bytes, chain)? {
        return Ok(Scan { whole: false, ..scan });
    }
    loop {
        let at = scan.writer.length as usize;
        let rest = &bytes[at..];
        if rest.is_empty() {
            return Ok(scan);
        }
        let Some(content) = next(rest, &scan.writer) else {
            let whole = is_torn(rest, scan.writer.sequence);
            return Ok(Scan { whole, ..scan });
        };
        scan.writer.pass(&content);
        scan.frames.push(at..scan.writer.length as usize);
    }
}

/// Whether the opening is whole. It is written together with the file's name, so a short one is damage.
fn check_opening(bytes: &[u8], chain: &ChainId) -> Result<bool, StoreError> {
    let Some((sealed, rest)) = bytes.split_at_checked(SEALED_BYTES) else { return Ok(false) };
    let Some((checksum, rest)) = rest.split_first_chunk::<4>() else { return Ok(false) };
    if !sealed.starts_with(MAGIC) || crc32c::crc32c(sealed).to_be_bytes() != *checksum {
        return Ok(false);
    }
    let (version, found_chain) = sealed[MAGIC.len()..].split_at(2);
    let version = u16::from_be_bytes(version.try_into().expect("two bytes"));
    if version != VERSION {
        return Err(StoreError::WrongFormat { found: u32::from(version), expected: u32::from(VERSION) });
    }
    if found_chain != chain.0.as_bytes() {
        let found_chain = ChainId(Hash(found_chain.try_into().expect("a hash")));
        return Err(StoreError::WrongNetwork { found: found_chain.to_string(), expected: chain.to_string() });
    }
    let filling = rest.get(..OPENING_BYTES - SEALED_BYTES - checksum.len());
    Ok(filling.is_some_and(|filling| filling.iter().all(|byte| *byte == 0)))
}

/// The content of the frame that `rest` begins with, if every byte of it is as it was written.
fn next(rest: &[u8], writer: &Writer) -> Option<Vec<u8>> {
    let length = length_of(rest, writer.sequence)?;
    let sectors = rest.get(..frame_bytes(length))?;
    if sectors.chunks(SECTOR_BYTES).skip(1).any(|sector| sector[0] != GOES_ON) {
        return None;
    }
    let plain = unmarked(sectors);
    let (content, after) = plain[HEAD_BYTES..].split_at(length);
    let (link, filling) = after.split_at(LINK_BYTES);
    let is_whole = writer.next_link(content).as_bytes() == link && filling.iter().all(|byte| *byte == 0);
    is_whole.then(|| content.to_vec())
}

/// The length of the content, if this is the first sector of the frame of that number.
fn length_of(rest: &[u8], sequence: u64) -> Option<usize> {
    let (mark, rest) = rest.get(..SECTOR_BYTES)?.split_first()?;
    let (head, checksum) = rest[..HEAD_BYTES].split_at(HEAD_BYTES - 4);
    let (length, found) = head.split_at(4);
    if *mark != BEGINS || found != sequence.to_be_bytes() || crc32c::crc32c(head).to_be_bytes() != checksum {
        return None;
    }
    Some(u32::from_be_bytes(length.try_into().expect("four bytes")) as usize)
}

/// Whether `rest`, which does not begin with a whole frame, is what a crash can have left of the last append.
fn is_torn(rest: &[u8], sequence: u64) -> bool {
    if rest.chunks(SECTOR_BYTES).skip(1).any(|sector| sector[0] == BEGINS) {
        return false;
    }
    // A file system may have made the file longer before it wrote what belongs there.
    let lacks_a_sector =
        rest.chunks(SECTOR_BYTES).any(|sector| sector.len() < SECTOR_BYTES || sector.iter().all(|b| *b == 0));
    match length_of(rest, sequence).map(frame_bytes) {
        Some(frame_bytes) if rest.len() > frame_bytes => false,
        Some(frame_bytes) => rest.len() < frame_bytes || lacks_a_sector,
        None => rest.len() < SECTOR_BYTES || rest[..SECTOR_BYTES].iter().all(|byte| *byte == 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: ChainId = ChainId(Hash([9; 32]));

    /// Contents of all kinds of lengths: none, a sector to the byte, zeros, several sectors.
    fn contents() -> Vec<Vec<u8>> {
        let filled = ROOM_BYTES - HEAD_BYTES - LINK_BYTES;
        vec![b"first".to_vec(), vec![], vec![7; filled], vec![0; 1_300], vec![8; filled + 1], vec![0xa5; 700]]
    }

    /// A file with a frame for each of `contents`, and where each ends.
    fn file_of(contents: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
        let mut writer = Writer::new(&CHAIN);
        let mut bytes = opening(&CHAIN);
        let mut ends = vec![bytes.len()];
        for content in contents {
            bytes.extend(writer.frame(&[content]));
            ends.push(bytes.len());
        }
        assert_eq!(writer.length, bytes.len() as u64);
        (bytes, ends)
    }

    fn file() -> (Vec<u8>, Vec<usize>) {
        file_of(&contents())
    }

    fn found(bytes: &[u8]) -> Scan {
        scan(bytes, &CHAIN).expect("of this network")
    }

    fn contents_of(bytes: &[u8], scan: &Scan) -> Vec<Vec<u8>> {
        scan.frames.iter().map(|range| content(&bytes[range.clone()])).collect()
    }

    #[test]
    fn a_file_cut_at_any_byte_gives_the_frames_before_the_cut() {
        let (bytes, ends) = file();
        for cut in OPENING_BYTES..=bytes.len() {
            let scan = found(&bytes[..cut]);
            let complete = ends.iter().filter(|end| **end <= cut).count() - 1;
            assert!(scan.whole, "cut at {cut}");
            assert_eq!(contents_of(&bytes, &scan), contents()[..complete], "cut at {cut}");
            assert_eq!(scan.writer.length as usize, ends[complete]);
        }
    }

    #[test]
    fn any_flipped_bit_is_damage_and_spares_the_frames_before_it() {
        let (bytes, ends) = file();
        for at in OPENING_BYTES..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                let scan = found(&flipped);
                assert!(!scan.whole, "byte {at} bit {bit}");
                assert_eq!(scan.frames.len(), ends.iter().filter(|end| **end <= at).count() - 1);
            }
        }
    }

    #[test]
    fn a_flipped_bit_in_the_opening_leaves_nothing_readable() {
        let (bytes, _) = file();
        for at in 0..OPENING_BYTES {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(
                scan(&flipped, &CHAIN).is_ok_and(|scan| !scan.whole && scan.frames.is_empty()),
                "byte {at}"
            );
        }
    }

    #[test]
    fn zeros_after_the_last_frame_are_a_write_that_never_happened() {
        let (mut bytes, _) = file();
        for zeros in [100, SECTOR_BYTES, 3_000] {
            bytes.truncate(file().0.len());
            bytes.resize(bytes.len() + zeros, 0);
            let scan = found(&bytes);
            assert!(scan.whole, "{zeros} zeros");
            assert_eq!(scan.frames.len(), contents().len());
        }
    }

    /// What one power cut leaves of an append: any of its sectors, the file perhaps shorter.
    #[test]
    fn any_sectors_of_the_last_append_may_be_missing_and_it_alone_is_lost() {
        for length in [20, 700, 1_500, 2_500] {
            let before = contents();
            let (synced, _) = file_of(&before);
            let (bytes, _) = file_of(&[before.clone(), vec![vec![8; length]]].concat());
            let sectors = (bytes.len() - synced.len()) / SECTOR_BYTES;
            for written in 0..1_u32 << sectors {
                let mut torn = synced.clone();
                for sector in (0..sectors).filter(|sector| written >> sector & 1 == 1) {
                    let at = synced.len() + sector * SECTOR_BYTES;
                    torn.resize(at, 0);
                    torn.extend_from_slice(&bytes[at..at + SECTOR_BYTES]);
                }
                for length in [torn.len(), bytes.len()] {
                    torn.resize(length, 0);
                    let is_complete = written == (1 << sectors) - 1;
                    let scan = found(&torn);
                    assert!(scan.whole, "{sectors} sectors, of which {written:b} were written");
                    assert_eq!(scan.frames.len(), before.len() + usize::from(is_complete));
                }
            }
        }
    }

    /// Whatever was followed by another append had been synced. Many short frames, and every run of sectors that
    /// spares the last frame's first.
    #[test]
    fn sectors_wiped_before_the_last_append_are_damage_and_never_a_torn_append() {
        let contents: Vec<Vec<u8>> = (0..60_usize).map(|n| vec![n as u8; n * 37 % 1_100]).collect();
        let (bytes, ends) = file_of(&contents);
        let last = ends[ends.len() - 2] / SECTOR_BYTES;
        for from in 1..last {
            for to in [from + 1, from + 2, from + 8, last] {
                let mut wiped = bytes.clone();
                let range = from * SECTOR_BYTES..to.min(last) * SECTOR_BYTES;
                wiped[range.clone()].fill(0);
                let scan = found(&wiped);
                assert!(!scan.whole, "sectors {from} to {to}");
                assert_eq!(scan.frames.len(), ends.iter().filter(|end| **end <= range.start).count() - 1);
            }
        }
    }

    #[test]
    fn a_frame_that_is_wrong_without_a_missing_sector_is_damage_at_the_end_too() {
        let (bytes, ends) = file();
        let last = ends[ends.len() - 2];
        for (at, length) in [(last, HEAD_BYTES), (last, SECTOR_BYTES), (last + SECTOR_BYTES, SECTOR_BYTES)] {
            let mut wrong = bytes.clone();
            wrong[at..at + length].fill(0xff);
            assert!(!found(&wrong).whole);
            // Zeros that another append left do not make it one that was torn.
            wrong.resize(wrong.len() + SECTOR_BYTES, 0);
            assert!(!found(&wrong).whole);
        }
    }

    #[test]
    fn frames_left_out_doubled_or_reordered_are_damage() {
        let (bytes, ends) = file();
        let record = |n: usize| &bytes[ends[n]..ends[n + 1]];
        let start = &bytes[..ends[0]];
        for order in [vec![1], vec![0, 0], vec![0, 2, 1], vec![0, 1, 3]] {
            let parts: Vec<&[u8]> = std::iter::once(start).chain(order.iter().map(|n| record(*n))).collect();
            assert!(!found(&parts.concat()).whole, "{order:?}");
        }
    }

    #[test]
    fn a_journal_of_another_network_or_layout_is_refused() {
        let (bytes, _) = file();
        let other = ChainId(Hash([8; 32]));
        assert!(matches!(scan(&bytes, &other), Err(StoreError::WrongNetwork { .. })));
        let mut later = opening(&CHAIN);
        later[MAGIC.len() + 1] = 4;
        let checksum = crc32c::crc32c(&later[..SEALED_BYTES]).to_be_bytes();
        later[SEALED_BYTES..SEALED_BYTES + 4].copy_from_slice(&checksum);
        assert_eq!(scan(&later, &CHAIN), Err(StoreError::WrongFormat { found: 4, expected: 3 }));
    }
}
