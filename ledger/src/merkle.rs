//! The trees: RFC 6962 trees over lists that only grow, and one path-compressed binary trie per state table.
//!
//! Nodes go by their hash, so a root is a snapshot: whoever holds a root and the nodes under it can read and
//! prove what held then, while newer roots are written beside it.

pub mod bucket;
pub mod error;
pub mod frontier;
pub mod map;
pub mod map_proof;
pub mod memory;
pub mod node;
pub mod tree;
pub mod tree_proof;

pub use bucket::{BucketError, MapBucket};
pub use error::ProofError;
pub use frontier::Frontier;
pub use map::MapUpdate;
pub use map_proof::{MapProof, Step};
pub use memory::MemoryNodes;
pub use node::{Branch, Leaf, Node, NodeReader, ReadError};
pub use tree_proof::{ConsistencyProof, InclusionProof};
