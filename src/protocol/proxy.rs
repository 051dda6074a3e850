//! The PROXY protocol, versions 1 and 2, with which a proxy tells whose connection it passes on. Sans-IO: bytes in, a client's
//! address out. The header is decoded by proxy-header; here are its bounds.

use std::net::SocketAddr;

use proxy_header::{Error, ParseConfig, ProxyHeader};

/// The longest header of version 1, with its line end, as the specification has it.
const V1_BYTES_MAX: usize = 107;
/// The longest header of version 2 that is taken: what fits into the smallest packet of IPv4, to which the specification asks
/// senders to keep. It has room for more than 500 bytes of what nobody here needs to know.
pub const HEADER_BYTES_MAX: usize = 536;
const V1_BEGINNING: &[u8] = b"PROXY ";
const V2_BEGINNING: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Of version 2: the beginning, version and command, family, and the length of what follows.
const V2_FIXED_BYTES: usize = 16;

/// What the first bytes of a connection say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// Not all of the header is there.
    Incomplete,
    /// The header takes so many bytes, and the connection is that of this client; without one, of the proxy itself.
    Complete {
        /// The length of the header.
        bytes: usize,
        /// The address that is told.
        client: Option<SocketAddr>,
    },
    /// It is no header, or too long a one.
    Invalid,
}

impl Header {
    /// Reads the first bytes of a connection. Those behind the header do not matter.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let is_v1 = begins_with(bytes, V1_BEGINNING);
        let is_v2 = begins_with(bytes, V2_BEGINNING);
        if !is_v1 && !is_v2 {
            return Self::Invalid;
        }
        let bytes = if is_v1 { &bytes[..bytes.len().min(V1_BYTES_MAX)] } else { bytes };
        // How long it is, if that has come: then there is nothing to wait for.
        let length = match bytes.get(V2_FIXED_BYTES - 2..V2_FIXED_BYTES) {
            _ if is_v1 => bytes.iter().position(|&byte| byte == b'\n').map(|end| end + 1),
            Some(&[high, low]) => Some(V2_FIXED_BYTES + usize::from(u16::from_be_bytes([high, low]))),
            Some(_) | None => None,
        };
        if length.is_some_and(|length| length > HEADER_BYTES_MAX) {
            return Self::Invalid;
        }
        let is_complete = length.is_some_and(|length| length <= bytes.len()) || is_v1 && bytes.len() == V1_BYTES_MAX;
        match ProxyHeader::parse(bytes, ParseConfig { include_tlvs: false, allow_v1: true, allow_v2: true }) {
            Ok((header, bytes)) => Self::Complete { bytes, client: header.proxied_address().map(|addr| addr.source) },
            Err(Error::BufferTooShort) if !is_complete => Self::Incomplete,
            Err(_) => Self::Invalid,
        }
    }
}

/// Whether they begin with that, as far as they go.
fn begins_with(bytes: &[u8], beginning: &[u8]) -> bool {
    bytes.iter().zip(beginning).all(|(one, other)| one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [V2_BEGINNING, &[0x20 | command, family], &length, rest].concat()
    }

    fn ipv4() -> Vec<u8> {
        [&[192, 0, 2, 1][..], &[192, 0, 2, 9], &7000u16.to_be_bytes(), &443u16.to_be_bytes()].concat()
    }

    /// The header is read when it is complete, wherever it was cut, and whatever is behind it.
    fn check(header: &[u8], client: Option<&str>) {
        let expected = Header::Complete { bytes: header.len(), client: client.map(|addr| addr.parse().unwrap()) };
        for cut in 0..header.len() {
            assert_eq!(Header::parse(&header[..cut]), Header::Incomplete, "{cut} of {header:?}");
        }
        for behind in ["", "x", "\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", &"hello\n".repeat(1000)] {
            assert_eq!(Header::parse(&[header, behind.as_bytes()].concat()), expected, "{header:?} {behind:?}");
        }
    }

    #[test]
    fn the_client_is_told_in_either_version_wherever_the_header_is_cut() {
        check(b"PROXY TCP4 192.0.2.1 192.0.2.9 7000 443\r\n", Some("192.0.2.1:7000"));
        check(b"PROXY TCP6 2001:db8::1 ::1 7000 443\r\n", Some("[2001:db8::1]:7000"));
        check(b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n", Some("127.0.0.1:1"));
        check(&v2(1, 0x11, &ipv4()), Some("192.0.2.1:7000"));
        check(&v2(1, 0x11, &[ipv4(), vec![4, 0, 3, 1, 2, 3]].concat()), Some("192.0.2.1:7000"));
        let ipv6 = [[0x20; 32].as_slice(), &7000u16.to_be_bytes(), &443u16.to_be_bytes()].concat();
        check(&v2(1, 0x21, &ipv6), Some("[2020:2020:2020:2020:2020:2020:2020:2020]:7000"));
    }

    #[test]
    fn local_and_unknown_are_the_proxy_itself() {
        check(b"PROXY UNKNOWN\r\n", None);
        check(b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None);
        check(&v2(0, 0, &[]), None);
        check(&v2(0, 0x11, &ipv4()), None);
        check(&v2(1, 0, &[]), None);
        check(&v2(1, 0x31, &[0; 216]), None);
    }

    #[test]
    fn a_header_has_a_bound() {
        let most = |bytes| v2(1, 0x11, &[ipv4(), vec![0; bytes - V2_FIXED_BYTES - 12]].concat());
        check(&most(HEADER_BYTES_MAX), Some("192.0.2.1:7000"));
        assert_eq!(Header::parse(&most(HEADER_BYTES_MAX + 1)), Header::Invalid);
        assert_eq!(
            Header::parse(&most(HEADER_BYTES_MAX + 1)[..V2_FIXED_BYTES]),
            Header::Invalid,
            "and before it has come"
        );
        let line = |bytes: usize| format!("PROXY UNKNOWN {}\r\n", "x".repeat(bytes - 16)).into_bytes();
        check(&line(V1_BYTES_MAX), None);
        assert_eq!(Header::parse(&line(V1_BYTES_MAX + 1)), Header::Invalid);
        assert_eq!(Header::parse(&line(100_000)), Header::Invalid);
    }

    #[test]
    fn what_is_no_header_is_found_out_at_once() {
        for bytes in [
            &b"h"[..],
            b"hello",
            b"PROXYTCP4",
            b"proxy",
            b"\r\n\r\n\0\r\nQUIX",
            b"\x16\x03\x01",
            b"PROXY TCP5 1 2 3 4 \r\n",
        ] {
            assert_eq!(Header::parse(bytes), Header::Invalid, "{bytes:?}");
        }
        for line in [
            "TCP4 192.0.2.1 192.0.2.9 7000\r\n\r\n",
            "TCP4 192.0.2.1 192.0.2.9 7000 65536\r\n",
            "TCP4 192.0.2.256 192.0.2.9 7000 443\r\n",
            "TCP4 2001:db8::1 ::1 7000 443\r\n",
            "TCP4 192.0.2.1 192.0.2.9 7000 443\rx",
        ] {
            assert_eq!(Header::parse(format!("PROXY {line}").as_bytes()), Header::Invalid, "{line:?}");
        }
        assert_eq!(Header::parse(&v2(2, 0x11, &ipv4())), Header::Invalid, "no such command");
        assert_eq!(Header::parse(&v2(1, 0x11, &ipv4()[..11])), Header::Invalid, "too short for its family");
    }
}
