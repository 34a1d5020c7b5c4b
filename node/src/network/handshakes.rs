//! One address cannot take every place for handshakes.
//!
//! The number of connections that have not shown yet whose they are is bounded for all together; without a share
//! for each address, one stranger that opens connections and says nothing would hold all those places, and
//! admitted peers could not come in. Sharing an address is no fault, so nothing is remembered of it.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{IpAddr, Ipv6Addr},
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    multiaddr::Protocol,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm, behaviour::ConnectionEstablished, dummy,
    },
};

/// Refuses incoming connections of an address that holds its share of places for handshakes.
#[derive(Debug)]
pub(super) struct Behaviour {
    per_address_max: usize,
    under_way: BTreeMap<ConnectionId, IpAddr>,
}

#[derive(Debug, thiserror::Error)]
#[error("too many handshakes under way from one address")]
struct TooMany;

impl Behaviour {
    /// With room for `per_address_max` handshakes from each address.
    pub(super) fn new(per_address_max: usize) -> Behaviour {
        Behaviour { per_address_max, under_way: BTreeMap::new() }
    }

    fn begin(&mut self, connection: ConnectionId, address: IpAddr) -> Result<(), TooMany> {
        // At most `connections_pending_max` stand here.
        let held = self.under_way.values().filter(|other| **other == address).count();
        if held >= self.per_address_max {
            return Err(TooMany);
        }
        self.under_way.insert(connection, address);
        Ok(())
    }
}

/// The address a connection is counted under: of IPv6 the /64, which one customer usually holds as a whole.
fn counted_as(remote: &Multiaddr) -> Option<IpAddr> {
    match remote.iter().next()? {
        Protocol::Ip4(address) => Some(IpAddr::V4(address)),
        Protocol::Ip6(address) => Some(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        }),
        _ => None,
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        // TCP addresses begin with the other side's address; the total bound holds for anything else.
        let Some(address) = counted_as(remote) else { return Ok(()) };
        self.begin(connection, address).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { connection_id, .. }) => {
                self.under_way.remove(&connection_id);
            }
            // Also after a refusal, by this guard or another.
            FromSwarm::ListenFailure(failure) => {
                self.under_way.remove(&failure.connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        counted_as(&text.parse().expect("a multiaddress")).expect("an address")
    }

    #[test]
    fn one_address_holds_its_share_and_another_is_not_kept_out() {
        let mut handshakes = Behaviour::new(2);
        let (one, other) = (address("/ip4/192.0.2.1/tcp/1"), address("/ip4/192.0.2.2/tcp/1"));
        let mut begin = |n, address| handshakes.begin(ConnectionId::new_unchecked(n), address).is_ok();
        assert_eq!(
            [(1, one), (2, one), (3, one), (4, other)].map(|(n, at)| begin(n, at)),
            [true, true, false, true]
        );
        handshakes.under_way.remove(&ConnectionId::new_unchecked(1));
        assert!(handshakes.begin(ConnectionId::new_unchecked(5), one).is_ok(), "its place is free again");
    }

    #[test]
    fn one_ipv6_network_is_one_address_and_a_mapped_one_is_ipv4() {
        assert_eq!(address("/ip6/2001:db8::1/tcp/1"), address("/ip6/2001:db8::2/tcp/9"));
        assert_ne!(address("/ip6/2001:db8::1/tcp/1"), address("/ip6/2001:db8:0:1::1/tcp/1"));
        assert_eq!(address("/ip6/::ffff:192.0.2.1/tcp/1"), address("/ip4/192.0.2.1/tcp/1"));
    }
}
