//! Why a proof proves nothing. Always the sender's fault: nothing of the reader's own is at stake.

/// A flaw of a proof, whatever tree it speaks of.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProofError {
    /// The index lies outside the tree, or the sizes stand in the wrong order.
    #[error("index or sizes do not fit a tree")]
    Bounds,
    /// A path of another length than index and sizes ask for.
    #[error("the path has the wrong length")]
    Length,
    /// The bits of a trie path are not strictly increasing below 256.
    #[error("the bits of the path do not increase")]
    Bits,
    /// A leaf that a walk along the key asked for cannot reach.
    #[error("the leaf does not lie where the key leads")]
    Elsewhere,
    /// Leaves that are not strictly ascending by key.
    #[error("the leaves are not in order")]
    Order,
    /// The hashes do not add up to the root.
    #[error("the hashes do not lead to the root")]
    Root,
}
