//! Truth: blocks, their certificates and the head.

use tanba_crypto::Canonical;
use tanba_ledger::{Block, Certificate, CertificateKind, Header, Height, Transaction, merkle::tree};

use crate::{
    CertifiedBlock, StoreError,
    keys::Table,
    record::Pending,
    tree::Tree,
    value::{self, Entry},
};

/// What a block writes, and the list of it that is written first.
pub(crate) struct BlockEntries {
    pub(crate) pending: Pending,
    pub(crate) entries: Vec<Entry>,
    /// Bytes of the body: what a replay of this block has to work through.
    pub(crate) body_bytes: usize,
}

impl BlockEntries {
    /// The entries of `block` and its certificate (none for genesis).
    pub(crate) fn of(block: &Block, finalization: Option<&Certificate>) -> BlockEntries {
        let height = block.header.height;
        let body = block.transactions.to_canonical();
        let body_bytes = body.len();
        let mut entries = Vec::new();
        let mut add = |table: Table, bytes: &[u8]| {
            let pieces = value::sealed(table.at(height), bytes);
            let count = u16::try_from(pieces.len()).expect("pieces are bounded");
            entries.extend(pieces);
            count
        };
        let header = add(Table::Header, &block.header.to_canonical());
        let finalization = finalization.map_or(0, |it| add(Table::Finalization, &it.to_canonical()));
        let body = add(Table::Body, &body);
        BlockEntries { pending: Pending { height, header, finalization, body }, entries, body_bytes }
    }
}

/// Removes what a block that never became the head left behind.
pub(crate) fn remove<T: Tree>(tree: &T, pending: &Pending) -> Result<(), StoreError> {
    let remove =
        |table: Table, count: u16| value::remove_pieces(tree, &table.at(pending.height), usize::from(count));
    remove(Table::Header, pending.header)?;
    remove(Table::Finalization, pending.finalization)?;
    remove(Table::Body, pending.body)
}

/// The header at a height not above the head.
pub(crate) fn header<T: Tree>(tree: &T, height: Height) -> Result<Header, StoreError> {
    let header: Option<Header> = value::read_record(tree, &Table::Header.at(height))?;
    match header {
        Some(header) if header.height == height => Ok(header),
        Some(header) => Err(damaged(height, format!("the header is of height {}", header.height))),
        None => Err(damaged(height, "the header is missing")),
    }
}

/// The certificate at a height not above the head; `None` for genesis.
pub(crate) fn finalization<T: Tree>(tree: &T, height: Height) -> Result<Option<Certificate>, StoreError> {
    if height == Height::GENESIS {
        return Ok(None);
    }
    let found = value::read_record(tree, &Table::Finalization.at(height))?;
    found.map(Some).ok_or_else(|| damaged(height, "the certificate is missing"))
}

/// The block at a height not above the head, with its certificate: what is handed to peers and clients. Header and
/// body are bound to the certificate by hashes; its signatures were checked when it came.
pub(crate) fn block<T: Tree>(tree: &T, height: Height) -> Result<CertifiedBlock, StoreError> {
    let header = header(tree, height)?;
    let finalization = finalization(tree, height)?;
    let transactions: Option<Vec<Transaction>> = value::read_record(tree, &Table::Body.at(height))?;
    let transactions = transactions.ok_or_else(|| damaged(height, "the body is missing"))?;
    if transactions.len() != header.count as usize {
        return Err(damaged(height, "the body does not hold as many transactions as the header says"));
    }
    if let Some(certificate) = &finalization {
        if !certifies(certificate, &header) {
            return Err(damaged(height, "the certificate is of another block"));
        }
        if tree::root(transactions.iter().map(Canonical::to_canonical)) != header.transactions {
            return Err(damaged(height, "the body is not the one under the header's root"));
        }
    }
    Ok(CertifiedBlock { block: Block { header, transactions }, finalization })
}

/// Whether `certificate` claims to make the block of `header` final; its signatures are another question.
pub(crate) fn certifies(certificate: &Certificate, header: &Header) -> bool {
    certificate.kind() == CertificateKind::Finalization
        && certificate.slot().height == header.height
        && certificate.vote.block() == Some(header.hash())
}

fn damaged(height: Height, what: impl Into<String>) -> StoreError {
    StoreError::damaged(format!("block {height}"), what)
}
