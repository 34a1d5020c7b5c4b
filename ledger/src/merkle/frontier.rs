//! The right edge of an RFC 6962 tree: enough to append and to know the root, in logarithmic space.

use tanba_crypto::{
    Hash,
    canonical::{Decode, Encode},
};

/// An RFC 6962 tree by its complete subtrees, largest first: one for each bit that is set in `size`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Frontier {
    /// Leaves so far.
    pub size: u64,
    /// The complete subtrees, from the left.
    pub peaks: Vec<Hash>,
}
