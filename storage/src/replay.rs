//! How an opening applies the blocks above its checkpoint again: by the ledger's rules, as when they were new.

use tanba_crypto::Verified;
use tanba_ledger::{
    Block,
    merkle::NodeReader,
    state::{self, Delta, Tip},
};

/// Applies a block of the store again. It comes in from outside, so that a test may have rules of its own; every
/// node passes [`by_the_rules`]. The text of an error says why the block does not apply.
pub type Replay<'a> = dyn Fn(&Block, &Tip, &dyn NodeReader) -> Result<Delta, String> + 'a;

/// The ledger's own rules. Signatures are checked again too: the blocks were read from a disk.
pub fn by_the_rules(block: &Block, parent: &Tip, nodes: &dyn NodeReader) -> Result<Delta, String> {
    let chain = block.header.chain;
    let verified: Result<Vec<_>, _> =
        block.transactions.iter().map(|transaction| Verified::check(transaction.clone(), &chain)).collect();
    let verified = verified.map_err(|error| format!("a transaction's approvals do not verify: {error}"))?;
    state::apply(&block.header, &verified, parent, &nodes).map_err(|error| error.to_string())
}
