//! Trie nodes in memory: for genesis, for whoever verifies a downloaded set of nodes, and for tests.

use std::collections::BTreeMap;

use tanba_crypto::Hash;

use super::{MapUpdate, Node, NodeReader, ReadError};

/// Nodes by their hashes. What comes in is hashed at the door, so what is read is what was asked for. Holds
/// whatever it is given: the caller bounds it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MemoryNodes {
    nodes: BTreeMap<Hash, Node>,
}

impl MemoryNodes {
    /// No nodes: enough to read the empty trie.
    pub fn new() -> MemoryNodes {
        MemoryNodes::default()
    }

    /// Adds a node from anywhere and returns its hash.
    pub fn insert(&mut self, node: Node) -> Hash {
        let hash = node.hash();
        self.nodes.insert(hash, node);
        hash
    }

    /// Adds the nodes of an update and drops the branches it left dead, so that only its root stays readable.
    pub fn apply(&mut self, update: &MapUpdate) {
        self.extend(&update.nodes);
        for dead in &update.dead {
            self.nodes.remove(dead);
        }
    }

    /// Adds nodes that this program hashed itself, such as those of a [`MapUpdate`]; older roots stay
    /// readable. Panics in debug builds if a name is not its node's hash.
    pub fn extend(&mut self, nodes: &[(Hash, Node)]) {
        for (hash, node) in nodes {
            debug_assert_eq!(node.hash(), *hash, "a node goes by its hash");
            self.nodes.insert(*hash, node.clone());
        }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

impl NodeReader for MemoryNodes {
    fn node(&self, hash: &Hash) -> Result<Node, ReadError> {
        self.nodes.get(hash).cloned().ok_or(ReadError::Missing(*hash))
    }
}
