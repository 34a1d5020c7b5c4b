//! How appends lie in a file of the journal.
//!
//! ```text
//! opening  "tanba journal\n" | version u16 | chain 32 | CRC32C of these u32
//! frame    length u32 | sequence u64 | CRC32C of these u32 | content | link 32
//! ```
//!
//! Numbers are big-endian. A frame is what one append wrote, and the one before it was synced when it began: so only
//! the last can have been torn by a crash, and a frame with another after it that does not verify is damage. The first
//! checksum tells a frame that was cut short from one whose length is damaged. The link is a hash over the link before
//! it (the chain, for the first), the sequence number and the content: it seals the content, and no frame can be left
//! out, doubled, reordered or brought in from another file.

use std::ops::Range;

use tanba_crypto::{Hash, Tag};
use tanba_ledger::ChainId;

use crate::StoreError;

/// The layout this version writes and reads.
const VERSION: u16 = 2;

const MAGIC: &[u8] = b"tanba journal\n";

/// Bytes before the first frame.
pub(crate) const OPENING_BYTES: usize = MAGIC.len() + 2 + 32 + 4;

/// Bytes of a frame before its content.
const HEAD_BYTES: usize = 4 + 8 + 4;

/// What a disk writes at once: it is there, or it is not.
const SECTOR_BYTES: usize = 512;

/// Bytes of a frame after its content.
pub(crate) const LINK_BYTES: usize = 32;

/// The bytes a file of the journal begins with.
pub(crate) fn opening(chain: &ChainId) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(OPENING_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(chain.0.as_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
    bytes
}

/// Where the next frame goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Writer {
    /// Bytes of the file, up to here.
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
        let content = parts.concat();
        let length = u32::try_from(content.len()).expect("appends are far smaller than 4 GiB");
        let mut bytes = Vec::with_capacity(HEAD_BYTES + content.len() + LINK_BYTES);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
        bytes.extend_from_slice(&content);
        self.pass(&content);
        bytes.extend_from_slice(self.link.as_bytes());
        bytes
    }

    fn next_link(&self, content: &[u8]) -> Hash {
        Hash::tagged(Tag::JOURNAL, &[self.link.as_bytes(), &self.sequence.to_be_bytes(), content])
    }

    fn pass(&mut self, content: &[u8]) {
        self.link = self.next_link(content);
        self.sequence += 1;
        self.length += (HEAD_BYTES + content.len() + LINK_BYTES) as u64;
    }
}

/// What was found in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Scan {
    /// Where the content of each frame lies.
    pub(crate) frames: Vec<Range<usize>>,
    /// Where the next frame goes.
    pub(crate) writer: Writer,
    /// Whether nothing is damaged.
    pub(crate) whole: bool,
    /// Whether the remains of a frame follow that a crash cut short.
    pub(crate) has_tail: bool,
}

/// Reads a file up to its end, an incomplete frame or damage.
///
/// Fails for a file of another network or of a layout this version does not know.
pub(crate) fn scan(bytes: &[u8], chain: &ChainId) -> Result<Scan, StoreError> {
    let mut scan = Scan { frames: Vec::new(), writer: Writer::new(chain), whole: true, has_tail: false };
    if !check_opening(bytes, chain)? {
        return Ok(Scan { whole: false, ..scan });
    }
    loop {
        let at = scan.writer.length as usize;
        match next(bytes, at, &scan.writer) {
            Next::End => return Ok(scan),
            Next::Incomplete => return Ok(Scan { has_tail: true, ..scan }),
            Next::Damaged => return Ok(Scan { whole: false, ..scan }),
            Next::Frame(content) => {
                let content = at + content.start..at + content.end;
                scan.writer.pass(&bytes[content.clone()]);
                scan.frames.push(content);
            }
        }
    }
}

/// Whether the opening is whole. It is written together with the file's name, so a short one is damage.
fn check_opening(bytes: &[u8], chain: &ChainId) -> Result<bool, StoreError> {
    let Some(found) = bytes.get(..OPENING_BYTES) else { return Ok(false) };
    let (sealed, checksum) = found.split_at(OPENING_BYTES - 4);
    if !sealed.starts_with(MAGIC) || crc32c::crc32c(sealed).to_be_bytes() != checksum {
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
    Ok(true)
}

enum Next {
    End,
    /// The content, counted from the frame's first byte.
    Frame(Range<usize>),
    Incomplete,
    Damaged,
}

fn next(bytes: &[u8], at: usize, writer: &Writer) -> Next {
    let rest = &bytes[at..];
    if rest.is_empty() {
        return Next::End;
    }
    // A file system may have made a file longer before it wrote what belongs there. No frame is all zeros.
    if rest.len() < HEAD_BYTES || rest.iter().all(|byte| *byte == 0) {
        return Next::Incomplete;
    }
    let Some(length) = length_of(rest, writer.sequence) else {
        let is_last = !rest.windows(HEAD_BYTES).any(|head| length_of(head, writer.sequence + 1).is_some());
        return unless_torn(is_last && lacks_a_sector(bytes, at..at + HEAD_BYTES));
    };
    let content = HEAD_BYTES..HEAD_BYTES + length;
    let end = content.end + LINK_BYTES;
    let Some(link) = rest.get(content.end..end) else { return Next::Incomplete };
    if writer.next_link(&rest[content.clone()]).as_bytes() == link {
        Next::Frame(content)
    } else {
        unless_torn(end == rest.len() && lacks_a_sector(bytes, at..bytes.len()))
    }
}

fn unless_torn(is_torn: bool) -> Next {
    if is_torn { Next::Incomplete } else { Next::Damaged }
}

/// The length of the content, if this is how the frame of that number begins.
fn length_of(frame: &[u8], sequence: u64) -> Option<usize> {
    let (head, checksum) = frame.get(..HEAD_BYTES)?.split_at(HEAD_BYTES - 4);
    let (length, found) = head.split_at(4);
    if found != sequence.to_be_bytes() || crc32c::crc32c(head).to_be_bytes() != checksum {
        return None;
    }
    Some(u32::from_be_bytes(length.try_into().expect("four bytes")) as usize)
}

/// Whether a sector of these bytes was never written. A disk writes the sectors of an append in any order, and a file
/// system may make the file longer before all are written: one that is missing reads as zeros from the append's
/// first byte or up to its last, as no frame does.
fn lacks_a_sector(bytes: &[u8], range: Range<usize>) -> bool {
    let sectors = (range.start / SECTOR_BYTES * SECTOR_BYTES..range.end).step_by(SECTOR_BYTES);
    let in_file = |sector: usize| &bytes[sector.max(range.start)..(sector + SECTOR_BYTES).min(bytes.len())];
    // Shorter than a length, zeros may be a part of one.
    sectors.map(in_file).any(|part| part.len() >= 4 && part.iter().all(|byte| *byte == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: ChainId = ChainId(Hash([9; 32]));
    const CONTENTS: [&[u8]; 4] = [b"first", b"", b"third, rather longer than the others", &[0; 40]];

    /// A file of four frames, and where each ends.
    fn file() -> (Vec<u8>, Vec<usize>) {
        let mut writer = Writer::new(&CHAIN);
        let mut bytes = opening(&CHAIN);
        let mut ends = vec![bytes.len()];
        for content in CONTENTS {
            bytes.extend(writer.frame(&[content]));
            ends.push(bytes.len());
        }
        assert_eq!(writer.length, bytes.len() as u64);
        (bytes, ends)
    }

    fn contents(bytes: &[u8], scan: &Scan) -> Vec<Vec<u8>> {
        scan.frames.iter().map(|range| bytes[range.clone()].to_vec()).collect()
    }

    #[test]
    fn a_file_cut_at_any_byte_gives_the_frames_before_the_cut() {
        let (bytes, ends) = file();
        for cut in OPENING_BYTES..=bytes.len() {
            let scan = scan(&bytes[..cut], &CHAIN).expect("of this network");
            let complete = ends.iter().filter(|end| **end <= cut).count() - 1;
            assert!(scan.whole, "cut at {cut}");
            assert_eq!(contents(&bytes, &scan), CONTENTS[..complete], "cut at {cut}");
            assert_eq!(scan.has_tail, !ends.contains(&cut), "cut at {cut}");
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
                let scan = scan(&flipped, &CHAIN).expect("the opening is whole");
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
        bytes.extend([0; 100]);
        let scan = scan(&bytes, &CHAIN).expect("of this network");
        assert!(scan.whole && scan.has_tail);
        assert_eq!(scan.frames.len(), CONTENTS.len());
    }

    #[test]
    fn a_sector_that_was_never_written_tears_the_last_append_alone() {
        for length in [200, 700, 3_000, 40_000] {
            let mut writer = Writer::new(&CHAIN);
            let mut bytes = opening(&CHAIN);
            bytes.extend(writer.frame(&[&[7; 700]]));
            let synced = bytes.len();
            bytes.extend(writer.frame(&[&vec![8; length]]));
            let ends_at = bytes.len();
            let after = writer.frame(&[&[9; 20]]);
            for sector in (0..ends_at).step_by(SECTOR_BYTES) {
                let (from, to) = (sector.max(synced), (sector + SECTOR_BYTES).min(ends_at));
                if from >= to {
                    continue;
                }
                let mut torn = bytes.clone();
                torn[from..to].fill(0);
                let found = scan(&torn, &CHAIN).expect("of this network");
                assert!(found.whole && found.has_tail, "sector {sector}");
                assert_eq!((found.frames.len(), found.writer.length as usize), (1, synced));
                // With the smallest append after it, it was synced, and zeros are damage.
                torn.extend(&after);
                assert!(scan(&torn, &CHAIN).is_ok_and(|scan| !scan.whole), "sector {sector}");
            }
        }
    }

    #[test]
    fn a_frame_that_is_wrong_without_a_missing_sector_is_damage_at_the_end_too() {
        let (mut bytes, ends) = file();
        let last = ends[ends.len() - 2];
        bytes[last..last + HEAD_BYTES].fill(0xff);
        assert!(scan(&bytes, &CHAIN).is_ok_and(|scan| !scan.whole));
    }

    #[test]
    fn frames_left_out_doubled_or_reordered_are_damage() {
        let (bytes, ends) = file();
        let record = |n: usize| &bytes[ends[n]..ends[n + 1]];
        let start = &bytes[..ends[0]];
        for order in [vec![1], vec![0, 0], vec![0, 2, 1], vec![0, 1, 3]] {
            let parts: Vec<&[u8]> = std::iter::once(start).chain(order.iter().map(|n| record(*n))).collect();
            assert!(scan(&parts.concat(), &CHAIN).is_ok_and(|scan| !scan.whole), "{order:?}");
        }
    }

    #[test]
    fn a_journal_of_another_network_or_layout_is_refused() {
        let (bytes, _) = file();
        let other = ChainId(Hash([8; 32]));
        assert!(matches!(scan(&bytes, &other), Err(StoreError::WrongNetwork { .. })));
        let mut later = opening(&CHAIN);
        later[MAGIC.len() + 1] = 3;
        let sealed = OPENING_BYTES - 4;
        let checksum = crc32c::crc32c(&later[..sealed]).to_be_bytes();
        later[sealed..].copy_from_slice(&checksum);
        assert_eq!(scan(&later, &CHAIN), Err(StoreError::WrongFormat { found: 3, expected: 2 }));
    }
}
