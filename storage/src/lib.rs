//! What is kept, and what survives.

pub mod error;
pub mod store;

pub use error::StoreError;
pub use store::{CertifiedBlock, Journal, JournalCondition, Position, READABLE_BLOCKS, Store, StoreReader};
