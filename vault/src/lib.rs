//! Personal data, sealed at home, under keys that can be destroyed.
//!
//! The ledger holds commitments; what they commit to lies here, on the institution's own server. Read in this order:
//! [`name`] (what a record is made of), [`seal`](Vault::seal) and [`read`] (in, and the one door out), [`erase`] and
//! [`rights`] (what its subject may ask for), [`epoch`](Vault::turn_epoch) (why older copies die), [`register`] and
//! [`calendar`] (by when it must be done), [`vault`] (opening, after any crash), [`disk`].
//!
//! # What lies where
//!
//! Each part of a record is sealed under a data key of its own (Kuznyechik-MGM or ChaCha20-Poly1305) and lies in the
//! database. The data keys of a record lie in its slot, one sector of a file that is overwritten in place, each
//! wrapped by the epoch key. Epoch keys lie elsewhere ([`epoch_keys::EpochKeys`]). A copy of database and slots opens
//! only while the key of its epoch is there; an erased record's keys are in no later slot file.
//!
//! A home holds `LOCK`, `store/` (the database) and `slots/slots.<epoch>`. In the database there is one ordered map; the
//! first byte of a key is its table. Values are canonical bytes and a CRC32C, as the node's store has them; sealed parts
//! are theirs alone, cut into pieces.
//!
//! | byte | table | key | value |
//! |---|---|---|---|
//! | 01 | probe | | how often it was opened |
//! | 02 | format | | layout number, vault |
//! | 03 | epoch | | the epoch in force, since when |
//! | 04 | past epoch | epoch | since when, and when its key was destroyed |
//! | 05 | pending | | slots that are being given keys |
//! | 10 | part | record, part | a sealed part |
//! | 11 | record | record | slot, suite, lengths, what was destroyed, restriction, hold |
//! | 20 | open request | request | record, kind, deadline |
//! | 21 | closed request | request | the same, and its outcome |
//! | 30 | disclosure | record, time, officer, count | who, why, what |
//! | 31 | reads | officer, day | how many |
//! | 80 | [`beside`] | whoever works with the vault | its own tables, in one copy with the records |
//!
//! # What is trusted
//!
//! The database is the truth: a key is destroyed because a record says so, and opening makes it so. It is guarded by
//! checksums against damage, not against somebody who may write to it; such a person can lift a hold or lose a record,
//! and opens nothing. Whoever reads slots, database and the epoch key together reads the vault. Names and logs hold
//! random numbers; lengths of parts show in steps of 256 bytes, and how many records there are, and when.
//!
//! # Copies
//!
//! A copy of the vault is of use until its epoch ends, so one is made after each turn: of the slots first and then of
//! the database, or while nobody has it open. Slots newer than their database are refused at opening rather than
//! wiped. Epoch keys are not copied with it: whoever holds both holds the vault, erased records and all, until the
//! turn.
//!
//! There is no search but by record: an index over names, even a keyed one, would be one more thing to erase.

// The derives of canonical bytes name the crate `bincode`; ours stands in for it.
extern crate tanba_crypto as bincode;

pub mod beside;
pub mod calendar;
pub mod disk;
mod epoch;
pub mod epoch_keys;
pub mod erase;
pub mod error;
pub mod folder;
pub mod name;
mod part;
pub mod read;
mod record;
pub mod register;
pub mod rights;
mod seal;
mod slots;
mod suite;
mod table;
pub mod vault;

pub use beside::Beside;
pub use disk::{DiskKeys, DiskVault};
pub use error::VaultError;
pub use name::{ActId, Epoch, OfficerId, Part, RecipientId, RecordId, RequestId, Time, VaultId};
pub use record::{Destruction, Hold};
pub use seal::{Addition, BATCH_MAX, Draft, PART_BYTES_MAX};
pub use slots::SLOTS_MAX;
pub use suite::{Key, Suite};
pub use vault::{Config, Random, Vault};
