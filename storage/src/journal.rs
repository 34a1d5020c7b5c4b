//! The promise journal: what a validator has signed, and what that rests on, in files of our own.
//!
//! Two append-only files in `journal/`: `promises`, and `bodies` for the block bodies a promise rests on. Both
//! are lists of checksummed frames (`journal/frame.rs`), one for each append, synced, outside the database. A frame of
//! the promises holds the records that were appended together, each with its length before it; one of the bodies
//! holds a block's hash and its body. A journal is part of no backup and no snapshot: one that was put back would have
//! forgotten promises its owner made since, and forgetting a promise is how an honest validator signs two
//! contradicting ones.
//!
//! After a crash only an incomplete last append may be dropped: it was never synced, so nothing was sent that rests
//! on it. A complete frame that does not verify, and a file that is not there, mean that promises may have been
//! lost. The journal then says so, takes nothing, and waits for its owner to find out from the other validators
//! what it may still sign and to [`rewrite`](Journal::rewrite) it.
//!
//! What opening reads may lie in the system's memory alone: written by a process that was killed before its sync, or
//! whose sync failed, after which Linux counts the pages as written. So both files are written anew and synced before
//! anybody hears what they hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use tanba_crypto::{Hash, planted};
use tanba_ledger::{BlockHash, ChainId};

use crate::{Journal, JournalCondition, StoreError, fuse::Fuse};

pub(crate) mod file;
pub(crate) mod frame;

pub use file::FileLog;
use frame::{Scan, Writer};

/// Bytes of the promises, at most. The owner rewrites the journal with every decided height in which it has grown large;
/// one that comes so far in a single height is stopped.
pub const PROMISES_BYTES_MAX: u64 = 64 << 20;

/// Bytes of the bodies, at most. The bodies of one height come to a quarter of it in the views whose blocks may hold
/// something, and then to 1 KiB a view; a validator that comes so far all the same is stopped.
pub const BODIES_BYTES_MAX: u64 = 128 << 20;

/// An append-only file. A write that failed leaves it in an unknown state; nothing is written after one.
pub trait Log: Send + 'static {
    /// Everything in it, or `None` if it does not exist. Refuses more than `bytes_max`.
    fn read(&self, bytes_max: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// A part of it.
    fn read_range(&self, range: Range<u64>) -> Result<Vec<u8>, StoreError>;

    /// Appends `bytes`, which survive a power cut once [`Log::sync`] has returned.
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError>;

    /// Makes what was written durable.
    fn sync(&mut self) -> Result<(), StoreError>;

    /// Replaces it, or creates it: after a crash either the old or the new content is there. Durable when this
    /// returns.
    fn replace(&mut self, bytes: &[u8]) -> Result<(), StoreError>;
}

/// The promise journal over two files.
pub struct LogJournal<L> {
    promises: L,
    bodies: L,
    chain: ChainId,
    condition: JournalCondition,
    promises_writer: Writer,
    bodies_writer: Writer,
    index: BTreeMap<BlockHash, Body>,
    /// The bodies in the file are forgotten; the next one is written over them.
    bodies_stale: bool,
    syncs: u64,
    fuse: Fuse,
}

/// In which frame a body lies, and its checksum.
#[derive(Clone, Debug)]
struct Body {
    frame: Range<u64>,
    checksum: u32,
}

impl<L: Log> LogJournal<L> {
    /// Makes an empty journal of the network `chain`. Only the founding of a node does this: a journal made at
    /// any other time hides that one was lost.
    pub(crate) fn found(mut promises: L, mut bodies: L, chain: &ChainId) -> Result<(), StoreError> {
        if promises.read(PROMISES_BYTES_MAX)?.is_some() {
            return Err(StoreError::Exists("the promise journal".to_owned()));
        }
        // The promises last: without them there is no journal, whatever else is there.
        bodies.replace(&frame::opening(chain))?;
        promises.replace(&frame::opening(chain))
    }

    /// Opens what is there; it need not be anything.
    pub(crate) fn open(promises: L, bodies: L, chain: &ChainId) -> Result<LogJournal<L>, StoreError> {
        let mut journal = LogJournal {
            promises,
            bodies,
            chain: *chain,
            condition: JournalCondition::Missing,
            promises_writer: Writer::new(chain),
            bodies_writer: Writer::new(chain),
            index: BTreeMap::new(),
            bodies_stale: false,
            syncs: 0,
            fuse: Fuse::default(),
        };
        let read = journal.promises.read(PROMISES_BYTES_MAX).and_then(|promises| {
            let bodies = journal.bodies.read(BODIES_BYTES_MAX)?;
            Ok((promises, bodies))
        });
        let (promises, bodies) = match read {
            Ok((Some(promises), bodies)) => (promises, bodies),
            Ok((None, _)) => return Ok(journal),
            // Far longer than it may become: nothing in it is looked at.
            Err(StoreError::JournalDamaged { .. }) => {
                journal.condition = JournalCondition::Damaged { readable: 0 };
                return Ok(journal);
            }
            Err(error) => return Err(error),
        };
        let scan = frame::scan(&promises, chain)?;
        let records = records_in(&promises, &scan)?.len();
        let bodies_whole = match &bodies {
            Some(bytes) => journal.take_bodies(bytes)?,
            None => false,
        };
        journal.promises_writer = scan.writer;
        journal.condition = JournalCondition::Damaged { readable: records as u64 };
        if let Some(bodies) = bodies.filter(|_| bodies_whole && scan.whole) {
            keep(&mut journal.bodies, &bodies, &journal.bodies_writer)?;
            keep(&mut journal.promises, &promises, &journal.promises_writer)?;
            journal.condition = JournalCondition::Whole;
        }
        Ok(journal)
    }

    /// Takes in the file of bodies; whether it was whole.
    fn take_bodies(&mut self, bytes: &[u8]) -> Result<bool, StoreError> {
        let Scan { frames, writer, whole } = frame::scan(bytes, &self.chain)?;
        for range in frames {
            let content = frame::content(&bytes[range.clone()]);
            let Some((hash, body)) = body_in(&content) else { return Ok(false) };
            let entry = Body { frame: range.start as u64..range.end as u64, checksum: crc32c::crc32c(body) };
            self.index.insert(hash, entry);
        }
        self.bodies_writer = writer;
        Ok(whole)
    }

    fn check_whole(&self) -> Result<(), StoreError> {
        match self.condition {
            JournalCondition::Whole => Ok(()),
            JournalCondition::Missing => Err(StoreError::JournalLost("missing")),
            JournalCondition::Damaged { .. } => Err(StoreError::JournalLost("damaged")),
        }
    }
}

impl<L: Log> Journal for LogJournal<L> {
    fn condition(&self) -> JournalCondition {
        self.condition
    }

    fn records(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        self.fuse.run(|| {
            let Some(bytes) = self.promises.read(PROMISES_BYTES_MAX)? else { return Ok(Vec::new()) };
            let scan = frame::scan(&bytes, &self.chain)?;
            records_in(&bytes, &scan)
        })
    }

    fn append(&mut self, records: &[Vec<u8>]) -> Result<(), StoreError> {
        self.check_whole()?;
        self.fuse.run(|| {
            let bytes = self.promises_writer.frame(&[&together(records)]);
            check_room(self.promises_writer.length, PROMISES_BYTES_MAX, "the promises")?;
            self.promises.write(&bytes)?;
            planted!(SendBeforeSync => return Ok(()));
            self.promises.sync()?;
            self.syncs += 1;
            Ok(())
        })
    }

    fn rewrite(&mut self, records: &[Vec<u8>]) -> Result<(), StoreError> {
        let lost = self.condition != JournalCondition::Whole;
        self.fuse.run(|| {
            let mut writer = Writer::new(&self.chain);
            let mut bytes = frame::opening(&self.chain);
            bytes.extend(writer.frame(&[&together(records)]));
            check_room(writer.length, PROMISES_BYTES_MAX, "the promises")?;
            self.promises.replace(&bytes)?;
            self.syncs += 2;
            self.promises_writer = writer;
            if lost {
                // After the promises: with both files whole a journal reads as whole, which it must not before the
                // promises are these.
                self.bodies.replace(&frame::opening(&self.chain))?;
                self.bodies_writer = Writer::new(&self.chain);
                self.index.clear();
                self.bodies_stale = false;
            }
            Ok(())
        })?;
        self.condition = JournalCondition::Whole;
        Ok(())
    }

    fn size_bytes(&self) -> u64 {
        match self.condition {
            JournalCondition::Missing => 0,
            _ => self.promises_writer.length,
        }
    }

    fn syncs(&self) -> u64 {
        self.syncs
    }

    fn put_body(&mut self, block: BlockHash, body: &[u8]) -> Result<(), StoreError> {
        self.check_whole()?;
        if self.index.contains_key(&block) {
            return self.fuse.check();
        }
        self.fuse.run(|| {
            let is_first = self.bodies_stale;
            if is_first {
                self.bodies_writer = Writer::new(&self.chain);
            }
            let from = self.bodies_writer.length;
            let frame = self.bodies_writer.frame(&[block.0.as_bytes(), body]);
            check_room(self.bodies_writer.length, BODIES_BYTES_MAX, "the bodies")?;
            if is_first {
                // A new file, not the old one cut: a power cut within a cut may leave its length as it was and
                // its first block wiped, which reads as damage.
                self.bodies.replace(&[frame::opening(&self.chain), frame].concat())?;
                self.bodies_stale = false;
            } else {
                self.bodies.write(&frame)?;
                self.bodies.sync()?;
            }
            // A file that takes the place of another is synced, and its folder after it.
            self.syncs += if is_first { 2 } else { 1 };
            let frame = from..self.bodies_writer.length;
            self.index.insert(block, Body { frame, checksum: crc32c::crc32c(body) });
            Ok(())
        })
    }

    fn body(&self, block: &BlockHash) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(Body { frame, checksum }) = self.index.get(block).cloned() else {
            return self.fuse.check().map(|()| None);
        };
        self.fuse.run(|| {
            let content = frame::content(&self.bodies.read_range(frame)?);
            match body_in(&content) {
                Some((found, body)) if found == *block && crc32c::crc32c(body) == checksum => {
                    Ok(Some(body.to_vec()))
                }
                _ => Err(StoreError::journal_damaged(format!("body {block}"), "the checksum does not fit")),
            }
        })
    }

    fn forget_bodies(&mut self) -> Result<(), StoreError> {
        self.fuse.check()?;
        self.index.clear();
        self.bodies_stale = true;
        Ok(())
    }
}

/// Makes what was read of a file durable, up to where its last whole frame ends.
fn keep(file: &mut impl Log, read: &[u8], writer: &Writer) -> Result<(), StoreError> {
    let whole = &read[..writer.length as usize];
    planted!(TrustTheCache => if whole.len() == read.len() { return Ok(()); });
    file.replace(whole)
}

/// Records as one append writes them.
fn together(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(records.iter().map(|record| 4 + record.len()).sum());
    for record in records {
        let length = u32::try_from(record.len()).expect("records are far smaller than 4 GiB");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(record);
    }
    bytes
}

/// The records in the frames of a file. Their seals fit, so that what cannot be taken apart was never written by us.
fn records_in(bytes: &[u8], scan: &Scan) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut records = Vec::new();
    for frame in &scan.frames {
        let content = frame::content(&bytes[frame.clone()]);
        let mut rest = &content[..];
        while !rest.is_empty() {
            let split = rest
                .split_first_chunk::<4>()
                .and_then(|(length, rest)| rest.split_at_checked(u32::from_be_bytes(*length) as usize));
            let Some((record, after)) = split else {
                let place = format!("the frame at byte {}", frame.start);
                return Err(StoreError::journal_damaged(place, "its records do not fill it"));
            };
            records.push(record.to_vec());
            rest = after;
        }
    }
    Ok(records)
}

/// The block and the body in a frame of bodies.
fn body_in(content: &[u8]) -> Option<(BlockHash, &[u8])> {
    let (hash, body) = content.split_first_chunk::<32>()?;
    Some((BlockHash(Hash(*hash)), body))
}

/// The blocks whose bodies are in a file's bytes, as far as they are whole.
pub(crate) fn bodies_of(bytes: &[u8], chain: &ChainId) -> BTreeSet<BlockHash> {
    let Ok(scan) = frame::scan(bytes, chain) else { return BTreeSet::new() };
    let contents = scan.frames.iter().map(|frame| frame::content(&bytes[frame.clone()]));
    contents.filter_map(|content| Some(body_in(&content)?.0)).collect()
}

/// The records of a file's bytes, as far as they are whole.
pub(crate) fn records_of(bytes: &[u8], chain: &ChainId) -> Vec<Vec<u8>> {
    frame::scan(bytes, chain).and_then(|scan| records_in(bytes, &scan)).unwrap_or_default()
}

fn check_room(length: u64, length_max: u64, what: &str) -> Result<(), StoreError> {
    if length <= length_max {
        return Ok(());
    }
    let doing = format!("writing {what} of the journal");
    Err(StoreError::Io { doing, source_text: format!("they would outgrow {length_max} bytes") })
}
