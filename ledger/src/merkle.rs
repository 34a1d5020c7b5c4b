//! The trees: RFC 6962 trees over lists that only grow, and one path-compressed binary trie per state table.
//!
//! Nodes go by their hash, so a root is a snapshot: whoever holds a root and the nodes under it can read and
//! prove what held then, while newer roots are written beside it.

pub mod frontier;
pub mod node;

pub use frontier::Frontier;
pub use node::{Branch, Leaf, Node, NodeReader, ReadError};
