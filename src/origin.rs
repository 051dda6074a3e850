//! Where a client comes from: its address, and what that is worth. Knows no sockets.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use crate::address::{Cidr, Network};

/// The address of a client, as lines of the chat show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Addr {
    /// `IP:PORT`.
    Ip(SocketAddr),
    /// `unix:UID:ID`: a process of this user on the same machine.
    Unix {
        /// The user, as the kernel tells it.
        uid: u32,
        /// Which of the server's connections of this kind it is.
        id: u64,
    },
    /// `IP:webN`: a session over HTTP, which has no connection of its own.
    Web {
        /// Where it was made from.
        ip: IpAddr,
        /// Which of the server's sessions it is.
        id: u64,
    },
}

impl Addr {
    /// The address in the network; none of a process of the same machine.
    #[must_use]
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Ip(addr) => Some(addr.ip()),
            Self::Web { ip, .. } => Some(ip),
            Self::Unix { .. } => None,
        }
    }
}

/// Where a client comes from, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its address.
    pub addr: Addr,
    /// A proxy has told that address, so that nothing is known of it for certain.
    pub is_told: bool,
    /// Nobody on the way to the server can read what it says.
    pub is_encrypted: bool,
    /// The account that the operator has given to this user of the machine.
    pub account: Option<Arc<str>>,
}

impl Origin {
    /// Whether it is spared the limits for one address. `trusted` are the blocks of addresses that are; a user of the same
    /// machine always is, and an address that a proxy tells never is.
    #[must_use]
    pub fn is_trusted(&self, trusted: &[Cidr]) -> bool {
        match self.addr.ip() {
            None => true,
            Some(ip) => !self.is_told && trusted.iter().any(|block| block.contains(ip)),
        }
    }

    /// Whether a password may be sent over it: nobody else can read it on the way.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.is_encrypted
            || match self.addr.ip() {
                None => true,
                Some(ip) => !self.is_told && ip.to_canonical().is_loopback(),
            }
    }

    /// Who pays for what it does; none where each connection pays for itself.
    #[must_use]
    pub fn payer(&self, trusted: &[Cidr]) -> Option<Network> {
        (!self.is_trusted(trusted)).then(|| Network::of(self.addr))
    }
}

impl From<SocketAddr> for Origin {
    /// A plain connection from this address. A listener on `::` accepts IPv4 peers too, with IPv6 addresses; nothing else sees
    /// those.
    fn from(addr: SocketAddr) -> Self {
        let addr = Addr::Ip(SocketAddr::new(addr.ip().to_canonical(), addr.port()));
        Self { addr, is_told: false, is_encrypted: false, account: None }
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(addr) => addr.fmt(f),
            Self::Unix { uid, id } => write!(f, "unix:{uid}:{id}"),
            Self::Web { ip: IpAddr::V4(ip), id } => write!(f, "{ip}:web{id}"),
            Self::Web { ip: IpAddr::V6(ip), id } => write!(f, "[{ip}]:web{id}"),
        }
    }
}

impl FromStr for Addr {
    type Err = ();

    /// Reads what it is shown as.
    fn from_str(text: &str) -> Result<Self, ()> {
        if let Some((ip, id)) = text.rsplit_once(":web") {
            let ip = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
            return Ok(Self::Web { ip: ip.parse().map_err(drop)?, id: id.parse().map_err(drop)? });
        }
        if let Some((uid, id)) = text.strip_prefix("unix:").and_then(|user| user.split_once(':')) {
            return Ok(Self::Unix { uid: uid.parse().map_err(drop)?, id: id.parse().map_err(drop)? });
        }
        text.parse().map(Self::Ip).map_err(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(addr: &str) -> Origin {
        addr.parse::<SocketAddr>().unwrap().into()
    }

    #[test]
    fn an_address_is_shown_as_in_lines_of_the_chat() {
        for (addr, shown) in
            [("10.0.0.1:9", "10.0.0.1:9"), ("[::ffff:10.0.0.1]:9", "10.0.0.1:9"), ("[::1]:9", "[::1]:9")]
        {
            assert_eq!(origin(addr).addr.to_string(), shown);
        }
        for (addr, shown) in [
            (Addr::Unix { uid: 1000, id: 7 }, "unix:1000:7"),
            (Addr::Web { ip: [10, 0, 0, 1].into(), id: 7 }, "10.0.0.1:web7"),
            (Addr::Web { ip: IpAddr::V6(std::net::Ipv6Addr::LOCALHOST), id: 7 }, "[::1]:web7"),
            (Addr::Ip(([10, 0, 0, 1], 9).into()), "10.0.0.1:9"),
        ] {
            assert_eq!((addr.to_string().as_str(), shown.parse()), (shown, Ok(addr)));
        }
        for text in ["", "10.0.0.1", "10.0.0.1:web", "unix:1000", "ann"] {
            assert_eq!(text.parse::<Addr>(), Err(()), "{text}");
        }
    }

    #[test]
    fn what_an_origin_is_worth() {
        let web = |ip: [u8; 4]| Origin { addr: Addr::Web { ip: ip.into(), id: 7 }, ..origin("10.0.0.1:9") };
        let unix = Origin { addr: Addr::Unix { uid: 1000, id: 7 }, ..origin("10.0.0.1:9") };
        let told = |origin| Origin { is_told: true, ..origin };
        let encrypted = |origin| Origin { is_encrypted: true, ..origin };
        for (origin, is_trusted, is_private) in [
            (origin("127.0.0.1:9"), true, true),
            (origin("[::ffff:127.0.0.1]:9"), true, true),
            (origin("10.0.0.1:9"), false, false),
            (encrypted(origin("10.0.0.1:9")), false, true),
            (told(origin("127.0.0.1:9")), false, false),
            (told(encrypted(origin("127.0.0.1:9"))), false, true),
            (web([10, 0, 0, 1]), false, false),
            (web([127, 0, 0, 1]), true, true),
            (unix, true, true),
        ] {
            assert_eq!(origin.is_trusted(&Cidr::LOOPBACK), is_trusted, "{origin:?}");
            assert_eq!(origin.is_private(), is_private, "{origin:?}");
            assert_eq!(origin.payer(&Cidr::LOOPBACK).is_none(), is_trusted);
        }
    }
}
