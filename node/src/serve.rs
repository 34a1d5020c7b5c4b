//! Pages of certified blocks for peers that catch up, read from the store without troubling the replica.

use tanba_crypto::Canonical;
use tanba_ledger::Height;
use tanba_storage::{StoreError, StoreReader};

use crate::message::{BLOCKS_PER_PAGE_MAX, CertifiedBlock, Response};

/// Canonical bytes of one page, roughly: a page ends with the block that passes this.
const PAGE_BYTES: usize = 3 << 20;

/// The page that begins at `from`; empty above the head. Genesis has no certificate and is never asked for.
pub fn blocks_page(reader: &impl StoreReader, from: Height) -> Result<Response, StoreError> {
    let mut page = Vec::new();
    let mut bytes = 0;
    let mut height = from.max(Height::GENESIS.next());
    while page.len() < BLOCKS_PER_PAGE_MAX && bytes < PAGE_BYTES {
        let Some(found) = reader.block(height)? else { break };
        let Some(finalization) = found.finalization else { break };
        let certified = CertifiedBlock { block: found.block, finalization };
        bytes += certified.to_canonical().len();
        page.push(certified);
        height = height.next();
    }
    Ok(Response::Blocks(page))
}
