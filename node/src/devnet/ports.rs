//! Ports of the loopback that are kept for one throw-away network. Its nodes are told each other's addresses before
//! any of them listens, and a stopped node must find its port free when it starts again, so a port that merely was
//! free a moment ago is not enough: on a busy machine somebody else is given it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::net::TcpSocket;

/// A TCP port of 127.0.0.1 that the system gives to nobody who asks for any port, neither to listen nor to connect
/// from, while this lives.
///
/// On Linux a bound socket that does not listen keeps the port, and whoever names the port can still listen on it
/// when both sockets say `SO_REUSEADDR` (socket(7)), as the nodes' do. Other systems would refuse the node, so there
/// the port is let go at once and could be taken.
#[derive(Debug)]
pub struct ReservedPort {
    address: SocketAddr,
    _keeper: Option<TcpSocket>,
}

impl ReservedPort {
    /// Reserves a port that is free now. Fails when the system has none, or no descriptor is left.
    pub fn any() -> io::Result<ReservedPort> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = socket.local_addr()?;
        Ok(ReservedPort { address, _keeper: cfg!(target_os = "linux").then_some(socket) })
    }

    /// 127.0.0.1 with the port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, net::TcpListener};

    use super::*;

    #[test]
    fn who_names_a_reserved_port_can_listen_on_it_again_and_again() {
        let port = ReservedPort::any().expect("a port is free");
        for _ in 0..2 {
            let listener = TcpListener::bind(port.address()).expect("it listens");
            TcpListener::bind(port.address()).expect_err("one at a time");
            drop(listener);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn who_asks_for_any_port_is_never_given_a_reserved_one() {
        let reserved: Vec<ReservedPort> = (0..200).map(|_| ReservedPort::any().expect("free")).collect();
        let kept: HashSet<SocketAddr> = reserved.iter().map(ReservedPort::address).collect();
        assert_eq!(kept.len(), reserved.len(), "each once");
        for _ in 0..20_000 {
            let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("free");
            assert!(!kept.contains(&any.local_addr().expect("bound")));
        }
    }
}
