//! What nodes say to one another, in canonical bytes. Protobuf is for people outside; no hash or signature
//! ever depends on it.
//!
//! Every list has a limit that is checked when a message is read ([`Message::read`] and its siblings), before
//! anything in it is believed. Signatures are checked next: of transactions at this door, since the chain's
//! name is all they need; of votes, proposals and certificates in the replica, which knows the validators of
//! each height.

use tanba_consensus::{
    limits::{PAGE_CERTIFICATES_MAX, STANDING_VOTES_MAX},
    message::{SignedProposal, Standing, Wanted},
    recovery::{Answer, Inquiry, SHOWN_MAX},
};
use tanba_crypto::{
    Canonical, DecodeError, Hash, Verified,
    canonical::{Decode, Encode},
};
use tanba_ledger::{Block, BlockHash, Certificate, ChainId, Header, Height, SignedVote, Transaction, limits};

/// Canonical bytes of one message among validators: a proposal that names a full block's transactions.
pub const MESSAGE_BYTES_MAX: usize = 2 << 20;

/// Canonical bytes of one question.
pub const REQUEST_BYTES_MAX: usize = 256 << 10;

/// Canonical bytes of one answer: a page of blocks.
pub const RESPONSE_BYTES_MAX: usize = 8 << 20;

/// Blocks of one page, whatever their size.
pub const BLOCKS_PER_PAGE_MAX: usize = 128;

/// What one node says to another; the answer is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A leader proposes.
    Proposal(Box<ProposalMessage>),
    /// A validator votes.
    Vote(SignedVote),
    /// A certificate, passed on once.
    Certificate(Certificate),
    /// Certificates for a peer that lags: one page.
    Justification(Vec<Certificate>),
    /// Work for the leader.
    Transactions(Vec<Transaction>),
    /// The sender's head, said on every connect.
    Head(Height),
    /// Where the sender stands, repeated while its view lasts.
    Standing(Box<Standing>),
    /// The sender lacks these certificates; they come back as a justification.
    Wanted(Wanted),
}
tanba_crypto::canonical_enum!(Message {
    1 = Proposal(proposal),
    2 = Vote(vote),
    3 = Certificate(certificate),
    4 = Justification(certificates),
    5 = Transactions(transactions),
    6 = Head(height),
    7 = Standing(standing),
    8 = Wanted(wanted),
});

/// A proposal with what it takes to judge it, bodies left out: every node has them from gossip, or pulls them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ProposalMessage {
    /// What the leader signed.
    pub proposal: SignedProposal,
    /// The certificate of the parent view, if there is one.
    pub notarization: Option<Certificate>,
    /// What the block is made of; missing when a leader proposes once more what it could not fetch itself.
    pub outline: Option<Outline>,
}

/// A block without the bodies of its transactions.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Outline {
    /// The block's header.
    pub header: Header,
    /// The names of its transactions' bytes, in order.
    pub transactions: Vec<Hash>,
}

/// What one node asks another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Certified blocks from a height on.
    Blocks(Height),
    /// The body of a block that is not decided yet.
    Body(BlockHash),
    /// Some transactions of a block that is not decided yet, by the names of their bytes.
    Transactions(BlockHash, Vec<Hash>),
    /// A starting validator asks what is remembered of it.
    Memory(Inquiry),
}
tanba_crypto::canonical_enum!(Request {
    1 = Blocks(from),
    2 = Body(block),
    3 = Transactions(block, names),
    4 = Memory(inquiry),
});

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// Blocks in order, each with its certificate; empty if there are none.
    Blocks(Vec<CertifiedBlock>),
    /// A body, if it is held.
    Body(Option<Block>),
    /// Those of the transactions asked for that are held.
    Transactions(Vec<Transaction>),
    /// What is remembered.
    Memory(Box<Answer>),
}
tanba_crypto::canonical_enum!(Response {
    1 = Blocks(blocks),
    2 = Body(block),
    3 = Transactions(transactions),
    4 = Memory(answer),
});

/// A block with the certificate that made it final.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CertifiedBlock {
    /// The block.
    pub block: Block,
    /// q `Finalize` votes for it.
    pub finalization: Certificate,
}

/// A head, announced to everyone by gossip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Announcement {
    /// The height decided.
    pub height: Height,
    /// The block decided.
    pub block: BlockHash,
}

/// An answer whose transactions' signatures hold.
#[derive(Clone, Debug)]
pub enum CheckedResponse {
    /// See [`Response::Blocks`].
    Blocks(Vec<CheckedBlock>),
    /// See [`Response::Body`].
    Body(Option<(Header, Vec<Verified<Transaction>>)>),
    /// See [`Response::Transactions`].
    Transactions(Vec<Verified<Transaction>>),
    /// See [`Response::Memory`].
    Memory(Box<Answer>),
}

/// A certified block whose transactions' signatures hold; the certificate is still to be checked.
#[derive(Clone, Debug)]
pub struct CheckedBlock {
    /// The header.
    pub header: Header,
    /// The transactions.
    pub transactions: Vec<Verified<Transaction>>,
    /// The certificate.
    pub finalization: Certificate,
}

/// Why a peer's bytes are refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MessageError {
    /// Not canonical bytes of a message.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A list is longer than its limit.
    #[error("too many {what}: {count}, the limit is {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// Received.
        count: usize,
        /// Allowed.
        limit: usize,
    },
    /// A transaction's signature does not hold.
    #[error("a transaction's approvals do not verify")]
    Signature,
}

fn at_most(what: &'static str, count: usize, limit: usize) -> Result<(), MessageError> {
    if count > limit { Err(MessageError::TooMany { what, count, limit }) } else { Ok(()) }
}

impl Message {
    /// Reads a peer's bytes and checks the limits of every list in them.
    pub fn read(bytes: &[u8]) -> Result<Message, MessageError> {
        let message = Message::from_canonical(bytes, MESSAGE_BYTES_MAX)?;
        match &message {
            Message::Proposal(proposal) => {
                let count = proposal.outline.as_ref().map_or(0, |outline| outline.transactions.len());
                at_most("transactions", count, limits::TRANSACTIONS_MAX)?;
            }
            Message::Standing(standing) => {
                at_most("votes", standing.votes.len(), STANDING_VOTES_MAX)?;
                at_most("certificates", standing.justification.len(), PAGE_CERTIFICATES_MAX)?;
            }
            Message::Justification(list) => at_most("certificates", list.len(), PAGE_CERTIFICATES_MAX)?,
            Message::Transactions(list) => at_most("transactions", list.len(), limits::TRANSACTIONS_MAX)?,
            Message::Vote(_) | Message::Certificate(_) | Message::Head(_) | Message::Wanted(_) => {}
        }
        Ok(message)
    }
}

impl Request {
    /// Reads a peer's bytes and checks the limits of every list in them.
    pub fn read(bytes: &[u8]) -> Result<Request, MessageError> {
        let request = Request::from_canonical(bytes, REQUEST_BYTES_MAX)?;
        if let Request::Transactions(_, names) = &request {
            at_most("transactions", names.len(), limits::TRANSACTIONS_MAX)?;
        }
        Ok(request)
    }
}

impl Response {
    /// Reads a peer's bytes, checks the limits of every list in them and the approvals of every transaction.
    pub fn read(bytes: &[u8], chain: &ChainId) -> Result<CheckedResponse, MessageError> {
        Ok(match Response::from_canonical(bytes, RESPONSE_BYTES_MAX)? {
            Response::Blocks(blocks) => {
                at_most("blocks", blocks.len(), BLOCKS_PER_PAGE_MAX)?;
                CheckedResponse::Blocks(
                    blocks.into_iter().map(|b| CheckedBlock::check(b, chain)).collect::<Result<_, _>>()?,
                )
            }
            Response::Body(None) => CheckedResponse::Body(None),
            Response::Body(Some(block)) => {
                CheckedResponse::Body(Some((block.header, check_all(block.transactions, chain)?)))
            }
            Response::Transactions(list) => CheckedResponse::Transactions(check_all(list, chain)?),
            Response::Memory(answer) => {
                at_most("signatures", answer.votes.len() + answer.proposals.len(), SHOWN_MAX)?;
                CheckedResponse::Memory(answer)
            }
        })
    }
}

impl CheckedBlock {
    fn check(certified: CertifiedBlock, chain: &ChainId) -> Result<CheckedBlock, MessageError> {
        let Block { header, transactions } = certified.block;
        let transactions = check_all(transactions, chain)?;
        Ok(CheckedBlock { header, transactions, finalization: certified.finalization })
    }
}

/// Checks the approvals of every transaction.
fn check_all(list: Vec<Transaction>, chain: &ChainId) -> Result<Vec<Verified<Transaction>>, MessageError> {
    at_most("transactions", list.len(), limits::TRANSACTIONS_MAX)?;
    list.into_iter()
        .map(|transaction| Verified::check(transaction, chain).map_err(|_| MessageError::Signature))
        .collect()
}
