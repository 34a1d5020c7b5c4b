//! The first facts of a network: who takes part, under which keys and rules, from when. TOML in; canonical
//! bytes, block 0 and the chain id out.
//!
//! Read in this order: [`model`] (what genesis holds), [`possession`] (why a listed key is known to be held),
//! [`document`] (a [`Genesis`] that was checked, as bytes and as text), [`mod@file`] and [`reader`] (the text form,
//! with every mistake kept and placed), `check` (every reason to refuse), [`template`] (where a new file comes
//! from). The crate does no IO and draws nothing at random: texts, times and keys come in as arguments.
//!
//! A genesis file is written by people from several institutions, read aloud at a ceremony and never changed
//! again. So its reader reports *all* mistakes at once, each with file, line, column and remedy.

// The derives of canonical bytes name the crate `bincode`; ours stands in for it.
extern crate tanba_crypto as bincode;

mod check;
pub mod document;
mod draft;
pub mod file;
pub mod mistake;
pub mod model;
pub mod nearest;
pub mod possession;
pub mod reader;
pub mod template;
pub mod text;
mod write;

pub use document::{Founding, GENESIS_BYTES_MAX, GenesisDocument};
pub use file::{GENESIS_TEXT_BYTES_MAX, Join};
pub use mistake::{Finding, Mistake, Mistakes};
pub use model::{Genesis, Member, MemberKey};
