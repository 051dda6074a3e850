//! Which requests a browser may make: those of the server's own pages, and of pages that the operator has named. Neither a foreign
//! page nor one whose name was made to point here (DNS rebinding) can speak or listen.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Head, Method, Problem};

/// Which names the server has, and whose pages may use it.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// Names of the server, in lower case, besides addresses and `localhost`.
    pub hosts: Vec<String>,
    /// Origins whose pages may use it too.
    pub origins: Vec<String>,
}

impl Guard {
    /// Checks who asks.
    ///
    /// # Errors
    /// If the request is not for this server, or a page from elsewhere makes it.
    pub fn check(&self, head: &Head) -> Result<(), Problem> {
        if !head.host.as_deref().is_none_or(|host| self.is_own(host)) {
            return Err(Problem::WrongHost);
        }
        if self.allowed_origin(head).is_some() {
            return Ok(());
        }
        let is_foreign = match (&head.origin, &head.host) {
            (Some(origin), Some(host)) => !is_same_host(origin, host),
            (Some(_), None) => true,
            // Of a request without an origin, browsers tell whether another site has caused it. Links may lead to the page.
            (None, _) => {
                let is_page = head.is_navigation && head.method == Method::Get && head.target.path.is_empty();
                head.is_cross_site && !is_page
            }
        };
        let is_harmless = matches!(head.method, Method::Options);
        if is_foreign && !is_harmless { Err(Problem::ForeignOrigin) } else { Ok(()) }
    }

    /// The origin of the page that asks, if the operator has named it.
    #[must_use]
    pub fn allowed_origin<'h>(&self, head: &'h Head) -> Option<&'h str> {
        head.origin.as_deref().filter(|origin| self.origins.iter().any(|allowed| allowed == origin))
    }

    fn is_own(&self, host: &str) -> bool {
        let name = without_port(host);
        let is_address = match name.strip_prefix('[') {
            Some(address) => address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
            None => name.parse::<Ipv4Addr>().is_ok(),
        };
        is_address
            || name.eq_ignore_ascii_case("localhost")
            || self.hosts.iter().any(|own| own.eq_ignore_ascii_case(name.strip_suffix('.').unwrap_or(name)))
    }
}

/// A host without its port, if it has one.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        Some(_) | None => host,
    }
}

/// Whether an origin, such as `http://127.0.0.1:9980`, is of this host. A proxy may have taken TLS off, so the scheme does not
/// matter.
fn is_same_host(origin: &str, host: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::http::Parsed;

    fn check(fields: &str) -> Result<(), Problem> {
        check_request("POST /rooms/a", fields)
    }

    fn check_request(request: &str, fields: &str) -> Result<(), Problem> {
        let guard =
            Guard { hosts: vec!["chat.example.org".to_owned()], origins: vec!["https://app.example.org".to_owned()] };
        let bytes = format!("{request} HTTP/1.1\r\n{fields}\r\n");
        match Head::parse(bytes.as_bytes()).expect("a head") {
            Parsed::Complete(head, _) => guard.check(&head),
            Parsed::Incomplete => panic!("incomplete"),
        }
    }

    #[test]
    fn the_server_is_known_by_addresses_and_by_its_names() {
        for host in [
            "127.0.0.1:9980",
            "127.0.0.1",
            "[::1]:9980",
            "[::1]",
            "localhost:1",
            "LocalHost",
            "Chat.Example.org:80",
            "chat.example.org.",
        ] {
            assert_eq!(check(&format!("Host: {host}\r\n")), Ok(()), "{host}");
        }
        for host in [
            "evil.example:9980",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "::1",
            "",
            "example.org",
            "[evil]",
        ] {
            assert_eq!(check(&format!("Host: {host}\r\n")), Err(Problem::WrongHost), "{host}");
        }
    }

    #[test]
    fn pages_from_elsewhere_may_do_nothing() {
        for fields in [
            "Host: 127.0.0.1:9980\r\nOrigin: http://127.0.0.1:9980\r\n",
            "Host: chat.example.org\r\nOrigin: https://chat.example.org\r\n",
            "Host: 127.0.0.1:9980\r\nOrigin: https://app.example.org\r\nSec-Fetch-Site: cross-site\r\n",
            "Host: 127.0.0.1:9980\r\nSec-Fetch-Site: same-origin\r\n",
            "Host: 127.0.0.1:9980\r\nSec-Fetch-Site: none\r\n",
        ] {
            assert_eq!(check(fields), Ok(()), "{fields}");
        }
        for fields in [
            "Host: 127.0.0.1:9980\r\nOrigin: http://evil.example\r\n",
            "Host: 127.0.0.1:9980\r\nOrigin: null\r\n",
            "Host: 127.0.0.1:9980\r\nOrigin: http://127.0.0.1:8080\r\n",
            "Host: 127.0.0.1:9980\r\nOrigin: http://127.0.0.1:9980.evil.example\r\n",
            "Host: 127.0.0.1:9980\r\nSec-Fetch-Site: cross-site\r\n",
            "Host: 127.0.0.1:9980\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\n",
        ] {
            assert_eq!(check(fields), Err(Problem::ForeignOrigin), "{fields}");
        }
    }

    #[test]
    fn links_may_lead_to_the_page_and_to_nothing_else() {
        let fields = |dest: &str| {
            format!(
                "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: {dest}\r\n"
            )
        };
        assert_eq!(check_request("GET /?name=ann", &fields("document")), Ok(()));
        for (request, dest) in [
            ("GET /", "iframe"),
            ("GET /rooms/a?follow", "document"),
            ("POST /", "document"),
            ("GET /wait?users=1", "iframe"),
        ] {
            assert_eq!(check_request(request, &fields(dest)), Err(Problem::ForeignOrigin), "{request}");
        }
    }
}
