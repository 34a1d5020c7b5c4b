//! What is kept, and what survives.
//!
//! Read in this order: [`store`] (the doors), [`tree`] (the seam under which the bytes lie), [`tree_store`],
//! [`reader`] and [`write_behind`] (one store over any tree), [`disk`] and [`memory`] (the two trees),
//! [`real_sync`] (why sled can be trusted here at all), [`journal`].
//!
//! # What lies where
//!
//! A home holds `LOCK`, the folder `store/` (sled), the folder `journal/` (two files of our own), and stores that
//! were set aside. In the
//! store there is one ordered map; the first byte of a key is its table. Numbers are big-endian, values are
//! canonical bytes followed by a CRC32C over key and value, and a value longer than
//! [`VALUE_BYTES_MAX`](tree::VALUE_BYTES_MAX) goes on under its key with a 16-bit number behind it.
//!
//! | byte | table | key | value | kind |
//! |---|---|---|---|---|
//! | 01 | probe | | how often the store was opened; 8 bytes, no checksum | mark |
//! | 02 | format | | layout number, chain id | mark |
//! | 03 | head | | height and hash of the last final block | truth |
//! | 04 | pending | | height and numbers of pieces of the block being committed | mark |
//! | 05 | derived | | height of the checkpoint in force | mark |
//! | 10 | header | height | header | truth |
//! | 11 | finalization | height | certificate | truth |
//! | 12 | body | height | transactions | truth |
//! | 20 | checkpoint | height | hash, table roots, history frontier, both validator sets, parameters | derived |
//! | 21 | node | hash | state node, without a checksum: it must hash to its key | derived |
//! | 22 | height | block hash | height | derived |
//! | 23 | position | transaction id | height and place | derived |
//! | 24 | history | level, index | hash of a complete subtree of the history tree | derived |
//! | 25 | doomed | height | branches that died up to this checkpoint | derived |
//!
//! *Truth* is behind the barrier before a commit returns. What is *derived* follows from it: it waits in memory
//! ([`overlay`]) and is written in the background, together with a checkpoint that says how far it goes.
//!
//! # Why a crash at any point is harmless
//!
//! The tree promises this much: what was written before a barrier survives, and what was written after it does
//! or does not, entry by entry. A commit writes `pending`, then header, certificate and body, then a barrier, then `head`, then
//! a barrier. A crash
//!
//! * *before the first barrier*: `head` is the old one. Any part of the new block may be there; readers ask
//!   `head` first and see nothing of it. Opening removes what `pending` lists, without a scan; if `pending`
//!   itself did not survive, what is left is written over when the height is committed again, for it was decided
//!   and so is the same block.
//! * *between the barriers*: the same, or the whole block is there and `head` names it. It was decided, so both
//!   are right; nobody was told it is final yet.
//! * *after the second barrier*: the block is the head. State above the checkpoint in force was in memory;
//!   opening applies those blocks again and compares each state root. [`REPLAY_BYTES_MAX`] bounds how many.
//!
//! A write-behind writes nodes, places and the new checkpoint, then a barrier, then `derived`, then a barrier. A
//! crash
//!
//! * *before `derived` is down*: the old checkpoint is in force, and none of its nodes was removed. New nodes
//!   that survived lie under their own hash, where the replay would put them; a new checkpoint and its list of
//!   dead branches are removed at opening. The replay treats every branch that dies in it as written, so none
//!   is left behind for ever, and opening ends with such a write.
//! * *after it*: the new checkpoint is in force, and the old one's record is removed then or at the next
//!   opening.
//! * *while dead branches are removed*: these died at or before the checkpoint in force, at least
//!   [`READABLE_BLOCKS`] ago. Their list goes only after a barrier, so it is worked through again. It goes before the
//!   next list is begun: however often a node dies, what is left to remove does not grow.
//!
//! Founding a store writes `format` last; on disk the folder gets its name only then.
//!
//! # Damage
//!
//! Nothing read is believed: records carry checksums, nodes their hash, the head its certificate, a replayed
//! block its state root. What does not fit is [`StoreError::Damaged`], and the first error is the last: from
//! then on every call fails, and this life of the node is over. A damaged store is set aside ([`disk::aside`]) and one
//! made anew from the peers; [`check`] finds damage that nobody has met yet.

// The derives of canonical bytes name the crate `bincode`; ours stands in for it.
extern crate tanba_crypto as bincode;

mod blocks;
pub mod check;
pub mod disk;
pub mod error;
mod fuse;
pub mod journal;
mod keys;
pub mod memory;
mod open;
pub mod overlay;
pub mod reader;
pub mod real_sync;
mod record;
pub mod replay;
mod shared;
pub mod store;
pub mod tree;
pub mod tree_store;
pub mod value;
pub mod write_behind;

pub use disk::{DiskReader, DiskStore, FileJournal, STORE_BYTES_ADVISED_MAX, SledTree};
pub use error::StoreError;
pub use memory::{MemoryDisk, MemoryJournal, MemoryReader, MemoryStore};
pub use overlay::{OVERLAY_BYTES_MAX, REPLAY_BLOCKS_MAX, REPLAY_BYTES_MAX};
pub use reader::TreeReader;
pub use replay::Replay;
pub use store::{CertifiedBlock, Journal, JournalCondition, Position, READABLE_BLOCKS, Store, StoreReader};
pub use tree_store::TreeStore;
pub use write_behind::WriteBehind;
