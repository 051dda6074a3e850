//! Which server to connect to, and how to know it.

use std::sync::Arc;

use rustls::ClientConfig;

use super::{Failure, complain, tls};

/// Where a server is, and what is spoken there.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) host: String,
    pub(super) port: u16,
    /// What TLS needs; none for a plain connection.
    pub(super) tls: Option<Arc<ClientConfig>>,
}

impl Endpoint {
    /// Says on stderr that anybody can be that server, where `is_insecure`.
    ///
    /// # Errors
    /// [`Failure::Usage`], where the options do not go together, or there are no certificates to trust.
    pub(super) fn new(
        host: &str,
        port: u16,
        has_tls: bool,
        ca: Option<&str>,
        is_insecure: bool,
    ) -> Result<Self, Failure> {
        let tls = match (has_tls, ca, is_insecure) {
            (false, None, false) => None,
            (false, Some(_), _) => return Err(Failure::Usage("--ca needs --tls".to_owned())),
            (false, None, true) => return Err(Failure::Usage("--insecure needs --tls".to_owned())),
            (true, Some(_), true) => return Err(Failure::Usage("--ca and --insecure exclude each other".to_owned())),
            (true, ca, false) => Some(tls::verified(ca).map_err(Failure::Usage)?),
            (true, None, true) => {
                complain("--insecure: the certificate is not checked, anybody may be at the other end");
                Some(tls::unverified())
            }
        };
        Ok(Self { host: host.to_owned(), port, tls })
    }

    /// As `HOST:PORT`.
    pub(super) fn address(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}
