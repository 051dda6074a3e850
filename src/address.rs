//! Networks of addresses: which addresses count as one, and blocks of trusted ones. Knows no sockets.

use std::{
    fmt,
    net::{AddrParseError, IpAddr, Ipv6Addr},
    str::FromStr,
};

use crate::origin::Addr;

/// What counts as one address: an IPv4 address, or an IPv6 network of 64 bits, which is what one customer gets; of those who
/// connect on this machine through its file system, a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    Ip(IpAddr),
    User(u32),
}

impl Kind {
    fn of(ip: IpAddr) -> Self {
        Self::Ip(match ip.to_canonical() {
            IpAddr::V4(ip) => IpAddr::V4(ip),
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        })
    }
}

impl Network {
    /// The network that an address belongs to. IPv4 addresses in IPv6 form count as IPv4.
    #[must_use]
    pub fn of(addr: Addr) -> Self {
        Self(match addr {
            Addr::Unix { uid, .. } => Kind::User(uid),
            Addr::Ip(addr) => Kind::of(addr.ip()),
            Addr::Web { ip, .. } => Kind::of(ip),
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Ip(ip) => ip.fmt(f),
            Kind::User(uid) => write!(f, "unix:{uid}"),
        }
    }
}

impl FromStr for Network {
    type Err = AddrParseError;

    /// Reads what it is written as: its first address.
    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        match text.strip_prefix("unix:").and_then(|uid| uid.parse().ok()) {
            Some(uid) => Ok(Self(Kind::User(uid))),
            None => text.parse::<IpAddr>().map(|ip| Self::of(Addr::Ip((ip, 0).into()))),
        }
    }
}

/// A block of addresses, as `203.0.113.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cidr {
    ip: IpAddr,
    /// Bits that have to be the same.
    bits: u32,
}

impl Cidr {
    /// `127.0.0.0/8` and `::1`.
    pub const LOOPBACK: [Self; 2] = [
        Self { ip: IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 0)), bits: 8 },
        Self { ip: IpAddr::V6(Ipv6Addr::LOCALHOST), bits: 128 },
    ];

    /// The block of so many bits that an address is in, written by its first address.
    #[must_use]
    pub fn of(ip: IpAddr, bits: u32) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => {
                let bits = bits.min(32);
                let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
                Self { ip: IpAddr::V4((ip.to_bits() & mask).into()), bits }
            }
            IpAddr::V6(ip) => {
                let bits = bits.min(128);
                let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
                Self { ip: IpAddr::V6((ip.to_bits() & mask).into()), bits }
            }
        }
    }

    /// What counts as one address with this one: see [`Network`].
    #[must_use]
    pub fn around(ip: IpAddr) -> Self {
        let ip = ip.to_canonical();
        Self::of(ip, if ip.is_ipv4() { 32 } else { 64 })
    }

    /// The same block, written by its first address.
    #[must_use]
    pub fn normal(self) -> Self {
        Self::of(self.ip, self.bits)
    }

    /// Bits that have to be the same.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// Whether some address is in both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.ip) || other.contains(self.ip)
    }

    /// Whether the address is in it.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.ip, ip.to_canonical()) {
            (IpAddr::V4(one), IpAddr::V4(other)) => {
                (one.to_bits() ^ other.to_bits()).checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(one), IpAddr::V6(other)) => {
                (one.to_bits() ^ other.to_bits()).checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl fmt::Display for Cidr {
    /// As it is parsed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let max = if self.ip.is_ipv4() { 32 } else { 128 };
        if self.bits == max { self.ip.fmt(f) } else { write!(f, "{}/{}", self.ip, self.bits) }
    }
}

impl FromStr for Cidr {
    type Err = String;

    /// An address alone is a block of one.
    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("expected ADDRESS or ADDRESS/BITS, such as 203.0.113.0/24, not {text:?}");
        let (ip, bits) = text.split_once('/').map_or((text, None), |(ip, bits)| (ip, Some(bits)));
        let ip: IpAddr = ip.parse().map_err(|_| error())?;
        let max = if ip.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => max,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= max).ok_or_else(error)?,
        };
        Ok(Self { ip, bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_counts_as_one_address() {
        let network = |text| Network::of(Addr::Ip((ip(text), 9).into()));
        let is_one = |one, other| network(one) == network(other);
        assert!(is_one("10.0.0.1", "10.0.0.1") && is_one("10.0.0.1", "::ffff:10.0.0.1"));
        assert!(!is_one("10.0.0.1", "10.0.0.2"));
        assert!(is_one("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
        assert!(!is_one("2001:db8:1:2::1", "2001:db8:1:3::1"));
        let user = |uid, id| Network::of(Addr::Unix { uid, id });
        assert!(user(1000, 1) == user(1000, 2) && user(1000, 1) != user(1001, 1));
        for network in [network("10.0.0.1"), network("2001:db8:1:2::1"), user(1000, 1)] {
            assert_eq!(network.to_string().parse(), Ok(network));
        }
    }

    #[test]
    fn blocks_around_addresses() {
        let around = |addr| Cidr::around(ip(addr)).to_string();
        assert_eq!((around("10.0.0.1"), around("::ffff:10.0.0.1")), ("10.0.0.1".to_owned(), "10.0.0.1".to_owned()));
        assert_eq!(around("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
        assert_eq!(Cidr::of(ip("10.9.8.7"), 8).to_string(), "10.0.0.0/8");
        assert_eq!(
            (Cidr::of(ip("9.9.9.9"), 0).to_string(), Cidr::of(ip("9::9"), 0).to_string()),
            ("0.0.0.0/0".to_owned(), "::/0".to_owned())
        );
        let overlap = |one: &str, other: &str| one.parse::<Cidr>().unwrap().overlaps(&other.parse().unwrap());
        assert!(overlap("10.0.0.0/8", "10.1.0.0/16") && overlap("10.1.0.0/16", "10.0.0.0/8"));
        assert!(!overlap("10.0.0.0/8", "11.0.0.0/8") && !overlap("0.0.0.0/0", "::/0"));
    }

    #[test]
    fn blocks_of_addresses() {
        let contains = |block: &str, addr| block.parse::<Cidr>().unwrap().contains(ip(addr));
        assert!(contains("127.0.0.0/8", "127.9.9.9") && contains("127.0.0.0/8", "::ffff:127.0.0.1"));
        assert!(!contains("127.0.0.0/8", "128.0.0.1") && !contains("127.0.0.0/8", "::1"));
        assert!(contains("10.0.0.1", "10.0.0.1") && !contains("10.0.0.1", "10.0.0.2"));
        assert!(contains("0.0.0.0/0", "9.9.9.9") && contains("::/0", "::9") && !contains("::/0", "9.9.9.9"));
        assert!(contains("2001:db8::/32", "2001:db8:ffff::1") && !contains("2001:db8::/32", "2001:db9::1"));
        assert!(Cidr::LOOPBACK.iter().any(|block| block.contains(ip("127.0.0.1"))));
        assert!(Cidr::LOOPBACK.iter().any(|block| block.contains(ip("::1"))));
        for text in ["10.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32"] {
            assert_eq!(text.parse::<Cidr>().unwrap().to_string(), text);
        }
        for text in ["", "x", "10.0.0.1/33", "10.0.0.1/", "10.0.0.1/x", "::/129", "10.0.0/8", "10.0.0.1/-1"] {
            assert!(text.parse::<Cidr>().is_err(), "{text:?}");
        }
    }
}
