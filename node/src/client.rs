//! The other side of the API, as the command line, the devnet and the tests use it.
//!
//! A [`Client`] believes a node nothing that can be proven: proofs are checked here, by `tanba_ledger::proof`,
//! from a checkpoint the caller trusts ([`check`]). What a node says of itself is marked as its word. Errors
//! say what to do next.

pub mod blocks;
pub mod check;
pub mod error;
pub mod submit;

use std::time::Duration;

use tanba_crypto::{Canonical, PublicKey};
use tanba_ledger::{
    Bin, Block, Certificate, ChainId, Header, Height,
    limits::{BLOCK_BYTES_MAX, VALIDATORS_MAX},
    record::{NetworkKind, PeerKind},
};
use tanba_proto::{
    FieldError,
    convert::{self, AsOf},
    ledger::v1::{self as wire, ledger_service_client::LedgerServiceClient},
    registrar::v1::registrar_service_client::RegistrarServiceClient,
    verifier::v1::verifier_service_client::VerifierServiceClient,
};
use tanba_storage::CertifiedBlock;
use tonic::{
    Response, Status,
    transport::{Channel, Endpoint},
};

pub use blocks::{BlockEvent, BlockStream};
pub use check::Trust;
pub use error::{ClientError, Refused};
pub use submit::{End, Submitted};
pub use tonic::Code;

use crate::api::limits::ANSWER_BYTES_MAX;

/// A connection must stand within this.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// A call is answered, or a stream begins, within this.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// A quiet connection is asked for a sign of life so often.
const PING_EVERY: Duration = Duration::from_secs(20);

/// Canonical bytes of a header: a dozen hashes and numbers.
const HEADER_BYTES_MAX: usize = 1024;

/// Canonical bytes of a certificate.
const CERTIFICATE_BYTES_MAX: usize = 256 + VALIDATORS_MAX * 70;

/// A connection to one node. Cheap to clone; clones share the connection, which is set up again when it breaks.
#[derive(Clone, Debug)]
pub struct Client {
    address: String,
    channel: Channel,
}

/// What a node says of itself and of its network: its word, not a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    /// Its head.
    pub as_of: AsOf,
    /// The network.
    pub chain: ChainId,
    /// What kind of network it is.
    pub kind: NetworkKind,
    /// The lowest block it serves.
    pub lowest: Height,
    /// d.
    pub bucket_bits: u16,
    /// The version of its software.
    pub software_version: String,
}

/// How a node is doing: its word.
pub type NodeStatus = wire::GetNodeStatusResponse;

/// A peer that a node knows: its word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its node key.
    pub key: PublicKey,
    /// Its institution.
    pub bin: Bin,
    /// What it may do.
    pub kind: PeerKind,
    /// Whether it is connected.
    pub connected: bool,
    /// Its last known head.
    pub height: Option<Height>,
}

/// The first facts of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Canonical bytes of the document.
    pub document: Vec<u8>,
    /// The header, whose hash is the name of the network.
    pub header: Header,
}

impl Client {
    /// Connects to the node at `address`: `HOST:PORT`, with or without `http://`.
    pub async fn connect(address: &str) -> Result<Client, ClientError> {
        let endpoint = endpoint(address)?;
        let channel =
            endpoint.connect().await.map_err(|_| ClientError::Unreachable { address: address.to_owned() })?;
        Ok(Client { address: address.to_owned(), channel })
    }

    /// The address given to [`Client::connect`].
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Which network the node serves, and how far it is.
    pub async fn node_info(&self) -> Result<NodeInfo, ClientError> {
        let info = self.answer(self.ledger().get_node_info(wire::GetNodeInfoRequest {}).await)?;
        let bits = FieldError::new("bucket_bits", "at most 256");
        Ok(NodeInfo {
            chain: ChainId(convert::hash("chain_id", &info.chain_id)?),
            kind: info.network_kind().try_into()?,
            lowest: Height(info.lowest_height),
            bucket_bits: u16::try_from(info.bucket_bits).ok().filter(|bits| *bits <= 256).ok_or(bits)?,
            software_version: info.software_version,
            as_of: info.as_of.try_into()?,
        })
    }

    /// Checks that the node serves `chain`.
    pub async fn expect_chain(&self, chain: &ChainId) -> Result<NodeInfo, ClientError> {
        let info = self.node_info().await?;
        if info.chain == *chain {
            return Ok(info);
        }
        Err(ClientError::WrongNetwork {
            address: self.address.clone(),
            found: info.chain.to_string(),
            expected: chain.to_string(),
        })
    }

    /// How the node is doing.
    pub async fn node_status(&self) -> Result<NodeStatus, ClientError> {
        self.answer(self.ledger().get_node_status(wire::GetNodeStatusRequest {}).await)
    }

    /// The peers the node knows.
    pub async fn peers(&self) -> Result<Vec<Peer>, ClientError> {
        let answer = self.answer(self.ledger().list_peers(wire::ListPeersRequest {}).await)?;
        let read = |(place, peer): (usize, &wire::Peer)| {
            Peer::read(peer).map_err(|error| error.within(format_args!("peers[{place}]")).into())
        };
        answer.peers.iter().enumerate().map(read).collect()
    }

    /// The first facts of the network. The header's hash is checked to be the name the node gives; that it is
    /// the right network is for the caller to know ([`Client::expect_chain`]).
    pub async fn genesis(&self) -> Result<Genesis, ClientError> {
        let answer = self.answer(self.ledger().get_genesis(wire::GetGenesisRequest {}).await)?;
        let header: Header = convert::canonical("header", &answer.header, HEADER_BYTES_MAX)?;
        let chain = convert::hash("chain_id", &answer.chain_id)?;
        let founds = header.height == Height::GENESIS && header.chain.0 == tanba_crypto::Hash::ZERO;
        if !founds || header.founded_chain() != ChainId(chain) {
            return Err(FieldError::new("header", "it does not found the network named").into());
        }
        Ok(Genesis { document: answer.genesis, header })
    }

    /// The header at `height`: the node's word until it is proven.
    pub async fn header(&self, height: Height) -> Result<(Header, Option<Certificate>), ClientError> {
        let request = wire::GetHeaderRequest { height: height.0 };
        let answer = self.answer(self.ledger().get_header(request).await)?;
        let header: Header = convert::canonical("header", &answer.header, HEADER_BYTES_MAX)?;
        if header.height != height {
            return Err(ClientError::OutOfOrder { expected: height, found: header.height });
        }
        Ok((header, certificate("finalization", answer.finalization.as_deref())?))
    }

    /// The block at `height`: the node's word until it is proven. Its transactions are those its header names.
    pub async fn block(&self, height: Height) -> Result<CertifiedBlock, ClientError> {
        let request = wire::GetBlockRequest { height: height.0 };
        let answer = self.answer(self.ledger().get_block(request).await)?;
        certified(convert::present("block", answer.block)?, height)
    }

    fn ledger(&self) -> LedgerServiceClient<Channel> {
        LedgerServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    fn registrar(&self) -> RegistrarServiceClient<Channel> {
        RegistrarServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    fn verifier(&self) -> VerifierServiceClient<Channel> {
        VerifierServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    fn answer<T>(&self, answer: Result<Response<T>, Status>) -> Result<T, ClientError> {
        match answer {
            Ok(response) => Ok(response.into_inner()),
            Err(status) => Err(ClientError::from_status(&self.address, &status)),
        }
    }
}

fn endpoint(address: &str) -> Result<Endpoint, ClientError> {
    let wrong = || ClientError::Address(address.to_owned());
    let authority = address.strip_prefix("http://").unwrap_or(address);
    let (host, port) = authority.rsplit_once(':').ok_or_else(wrong)?;
    if host.is_empty() || host.contains('/') || port.parse::<u16>().is_err() {
        return Err(wrong());
    }
    let endpoint = Endpoint::from_shared(format!("http://{authority}")).map_err(|_| wrong())?;
    Ok(endpoint
        .connect_timeout(CONNECT_WITHIN)
        .timeout(ANSWER_WITHIN)
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(CONNECT_WITHIN)
        .tcp_nodelay(true))
}

impl Peer {
    fn read(peer: &wire::Peer) -> Result<Peer, FieldError> {
        Ok(Peer {
            key: PublicKey::from_text(&peer.key)
                .map_err(|error| FieldError::new("key", error.to_string()))?,
            bin: convert::bin("bin", &peer.bin)?,
            kind: peer.kind().try_into()?,
            connected: peer.connected,
            height: peer.height.map(Height),
        })
    }
}

fn certificate(path: &str, bytes: Option<&[u8]>) -> Result<Option<Certificate>, FieldError> {
    bytes.map(|bytes| convert::canonical(path, bytes, CERTIFICATE_BYTES_MAX)).transpose()
}

/// A block as it came, checked to be the one at `height` and to hold the transactions its header names.
fn certified(block: wire::CertifiedBlock, height: Height) -> Result<CertifiedBlock, ClientError> {
    let finalization = certificate("block.finalization", block.finalization.as_deref())?;
    let bytes_max = BLOCK_BYTES_MAX + HEADER_BYTES_MAX + 64;
    let block: Block = convert::canonical("block.block", &block.block, bytes_max)?;
    if block.header.height != height {
        return Err(ClientError::OutOfOrder { expected: height, found: block.header.height });
    }
    let bytes = block.transactions.iter().map(Canonical::to_canonical);
    let whole = tanba_ledger::merkle::tree::root(bytes) == block.header.transactions;
    if !whole || block.header.count as usize != block.transactions.len() {
        let why = "the transactions are not those that the header names";
        return Err(FieldError::new("block.block", why).into());
    }
    Ok(CertifiedBlock { block, finalization })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_node_that_is_not_there_is_named_with_what_to_do() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        drop(listener);
        let error = Client::connect(&address).await.expect_err("nobody listens");
        assert!(
            error.to_string().starts_with(&format!("cannot reach {address}: is the node running?")),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_address_is_refused_before_anything_is_sent() {
        for bad in ["", "7001", "localhost", ":7001", "localhost:port", "http://a b:1", "https://x:1"] {
            assert_eq!(endpoint(bad).map(|_| ()), Err(ClientError::Address(bad.into())), "{bad}");
        }
        for good in ["localhost:7001", "http://127.0.0.1:7001", "[::1]:7001"] {
            assert!(endpoint(good).is_ok(), "{good}");
        }
    }
}
