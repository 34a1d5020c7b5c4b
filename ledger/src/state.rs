//! The state: what all blocks so far add up to. Blocks go in, a [`Delta`] comes out.

pub mod tip;

pub use tip::{Delta, HistoryNode, TableRoots, Tip};
