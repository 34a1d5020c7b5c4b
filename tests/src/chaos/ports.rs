//! Ports for nodes that are down again and again. The system gives a port of its own range to whoever connects next,
//! and a node that was killed would find its port taken; these lie below that range.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    ops::Range,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::network::Network;

/// Below the range from which Linux takes ports by itself (32,768 and up), and above those of known services.
const PORTS: Range<u32> = 12_000..32_000;

/// Ports taken by this process so far.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// Gives every node a port of its own for other nodes, instead of the one it was founded with.
pub(super) fn settle(network: &mut Network) {
    let homes: Vec<_> = network.nodes.iter().map(|node| node.home().config_file()).collect();
    for party in network.founded.parties.iter_mut().filter(|party| party.home.is_some()) {
        let founded = party.p2p.expect("a node listens");
        let settled = free();
        for path in &homes {
            let settings = fs::read_to_string(path).expect("was founded");
            let settings = settings.replace(&founded.to_string(), &settled.to_string());
            fs::write(path, settings).expect("can be written");
        }
        party.p2p = Some(settled);
    }
}

/// The next free port; processes begin to look at different places.
fn free() -> SocketAddr {
    let count = PORTS.end - PORTS.start;
    let first = std::process::id().wrapping_mul(61);
    let mut candidates = (0..count).map(|_| {
        let place = first.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % count;
        SocketAddr::from((Ipv4Addr::LOCALHOST, (PORTS.start + place) as u16))
    });
    candidates.find(|address| TcpListener::bind(address).is_ok()).expect("one of 20,000 ports is free")
}
