//! Where a server listens, as a URL. Knows no sockets.

use std::{
    fmt,
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
    str::FromStr,
};

/// Bytes of a path that a socket can have: `sun_path` of `struct sockaddr_un`, with the zero at its end, unix(7).
const PATH_BYTES_MAX: usize = 107;

/// What is spoken at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Lines, which anyone with `nc` can type.
    Line,
    /// HTTP, for browsers and `curl`.
    Web,
}

/// A place to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// `tcp://HOST:PORT` or `http://HOST:PORT`; through TLS, `tls://` and `https://`; with a proxy before it, `tcp+proxy://`,
    /// `tls+proxy://` and so on.
    Tcp {
        /// The address; port 0 picks a free one.
        addr: SocketAddr,
        /// What is spoken there.
        door: Door,
        /// Whether clients speak TLS.
        is_tls: bool,
        /// Whether each connection begins with a header of the PROXY protocol.
        is_proxied: bool,
    },
    /// `unix:/path`: a socket in the file system.
    Unix(PathBuf),
}

impl Listen {
    /// For lines over plain connections to this address.
    #[must_use]
    pub fn plain(addr: SocketAddr) -> Self {
        Self::Tcp { addr, door: Door::Line, is_tls: false, is_proxied: false }
    }

    /// For HTTP over plain connections to this address.
    #[must_use]
    pub fn http(addr: SocketAddr) -> Self {
        Self::Tcp { addr, door: Door::Web, is_tls: false, is_proxied: false }
    }

    /// What is spoken there.
    #[must_use]
    pub fn door(&self) -> Door {
        match self {
            Self::Tcp { door, .. } => *door,
            Self::Unix(_) => Door::Line,
        }
    }

    /// Whether clients speak TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        match self {
            Self::Tcp { is_tls, .. } => *is_tls,
            Self::Unix(_) => false,
        }
    }

    /// Whether each connection begins with a header of the PROXY protocol.
    #[must_use]
    pub fn is_proxied(&self) -> bool {
        match self {
            Self::Tcp { is_proxied, .. } => *is_proxied,
            Self::Unix(_) => false,
        }
    }
}

impl fmt::Display for Listen {
    /// As it is parsed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { addr, door, is_tls, is_proxied } => {
                let scheme = match (door, is_tls) {
                    (Door::Line, false) => "tcp",
                    (Door::Line, true) => "tls",
                    (Door::Web, false) => "http",
                    (Door::Web, true) => "https",
                };
                let proxy = if *is_proxied { "+proxy" } else { "" };
                write!(f, "{scheme}{proxy}://{addr}")
            }
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    /// Looks up the host, and takes its first address.
    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("expected tcp, tls, http or https with ://HOST:PORT, or unix:/path, not {text:?}");
        if let Some(path) = text.strip_prefix("unix:") {
            if !path.starts_with('/') {
                return Err(error());
            }
            if path.len() > PATH_BYTES_MAX {
                return Err(format!("the path of a socket has at most {PATH_BYTES_MAX} bytes, not {}", path.len()));
            }
            return Ok(Self::Unix(path.into()));
        }
        let (scheme, host) = text.split_once("://").ok_or_else(error)?;
        let (scheme, is_proxied) = scheme.strip_suffix("+proxy").map_or((scheme, false), |scheme| (scheme, true));
        let (door, is_tls) = match scheme {
            "tcp" => (Door::Line, false),
            "tls" => (Door::Line, true),
            "http" => (Door::Web, false),
            "https" => (Door::Web, true),
            _ => return Err(error()),
        };
        if !host.contains(':') {
            return Err(error());
        }
        let mut addrs = host.to_socket_addrs().map_err(|why| format!("can't find {host:?}: {why}"))?;
        let addr = addrs.next();
        addr.map(|addr| Self::Tcp { addr, door, is_tls, is_proxied }).ok_or_else(|| format!("{host:?} has no address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_url() {
        for text in [
            "tcp://127.0.0.1:9999",
            "tls://127.0.0.1:9998",
            "tcp+proxy://127.0.0.1:9998",
            "tls+proxy://[::]:1",
            "tcp://[::1]:0",
            "http://127.0.0.1:9980",
            "https://[::1]:443",
            "http+proxy://127.0.0.1:9980",
            "https+proxy://127.0.0.1:9980",
            "unix:/run/pipechat.sock",
        ] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "9999",
            "127.0.0.1:9999",
            "tcp://127.0.0.1",
            "tcp://:",
            "tcp://1.2.3.4:http!",
            "http://127.0.0.1",
            "http://127.0.0.1:9980/",
            "ws://127.0.0.1:9980",
            "unix+proxy:/a",
            "unix:",
            "unix:a",
        ] {
            assert!(text.parse::<Listen>().is_err(), "{text:?}");
        }
        let path = |bytes| format!("unix:/{}", "x".repeat(bytes - 1)).parse::<Listen>();
        assert!(path(PATH_BYTES_MAX).is_ok() && path(PATH_BYTES_MAX + 1).is_err());
    }
}
