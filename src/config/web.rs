//! Which browsers may use the places that speak HTTP. Knows no requests.

use std::net::Ipv6Addr;

/// The longest name of a host, and of one of its labels, in bytes: RFC 1035.
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// Which browsers may use the places that speak HTTP. Pages that the server itself has sent always may.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebConfig {
    /// Names by which browsers may know this server, besides `localhost` and addresses, as [`Self::public_host`] makes them. With
    /// any other name, a foreign page could be taken for the server's own (DNS rebinding).
    pub public_hosts: Vec<String>,
    /// Whose pages may use this server too, as [`Self::origin`] makes them.
    pub origins: Vec<String>,
}

impl WebConfig {
    /// A host's name, in lower case. `None` for anything else, such as a name with a port.
    #[must_use]
    pub fn public_host(text: &str) -> Option<String> {
        let is_label = |label: &str| {
            (1..=LABEL_BYTES_MAX).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let is_name = text.len() <= NAME_BYTES_MAX && text.split('.').all(is_label);
        is_name.then(|| text.to_ascii_lowercase())
    }

    /// An origin, as browsers write it: `https://example.org`, with a port only where that is not the scheme's own. `None` for
    /// anything else, such as a URL with a path.
    #[must_use]
    pub fn origin(text: &str) -> Option<String> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match &*scheme {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !rest.ends_with(']') => (host, Some(port)),
            Some(_) | None => (rest, None),
        };
        let host = match host.strip_prefix('[') {
            Some(host) => format!("[{}]", host.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?),
            None => Self::public_host(host)?,
        };
        let port = match port {
            Some(port) => {
                Some(port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()))?.parse::<u16>().ok()?
            }
            None => default_port,
        };
        let port = if port == default_port { String::new() } else { format!(":{port}") };
        Some(format!("{scheme}://{host}{port}"))
    }

    /// # Errors
    /// One sentence about the first that is not as it is to be.
    pub(super) fn check(&self) -> Result<(), String> {
        let is_as_made = |make: fn(&str) -> Option<String>, text: &str| make(text).is_some_and(|made| made == text);
        if let Some(host) = self.public_hosts.iter().find(|host| !is_as_made(Self::public_host, host)) {
            return Err(format!(
                "--public-host (public_hosts) takes names in lower case, without a port, not {host:?}"
            ));
        }
        if let Some(origin) = self.origins.iter().find(|origin| !is_as_made(Self::origin, origin)) {
            return Err(format!("--cors (origins) takes origins such as https://example.org, not {origin:?}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_host_is_a_name() {
        for (text, host) in
            [("chat", "chat"), ("Chat.Example.ORG", "chat.example.org"), ("chat_1.xn--fiqs8s", "chat_1.xn--fiqs8s")]
        {
            assert_eq!(WebConfig::public_host(text).as_deref(), Some(host));
        }
        let label = "a".repeat(LABEL_BYTES_MAX);
        assert!(WebConfig::public_host(&label).is_some());
        let name = [&*label; 4].join(".");
        assert_eq!(name.len(), 255);
        assert!(WebConfig::public_host(&name[2..]).is_some());
        for text in ["", ".", "a.", "a:80", "*.a", "中国", "[::1]", "http://a", "a/b", &format!("a{label}"), &name] {
            assert_eq!(WebConfig::public_host(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_origin_is_as_browsers_write_it() {
        for (text, origin) in [
            ("https://example.org", "https://example.org"),
            ("HTTPS://Example.org:443", "https://example.org"),
            ("http://example.org:443", "http://example.org:443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[0:0::1]", "http://[::1]"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(WebConfig::origin(text).as_deref(), Some(origin));
        }
        for text in [
            "",
            "*",
            "null",
            "example.org",
            "https://",
            "https://example.org/",
            "https://ann@example.org",
            "ftp://example.org",
            "https://example.org:",
            "https://example.org:+1",
            "https://example.org:65536",
            "https://[::1",
            "https://::1",
            "https://[::1]]:1",
        ] {
            assert_eq!(WebConfig::origin(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_not_as_it_is_to_be_is_told() {
        let web = |hosts: &str, origins: &str| WebConfig {
            public_hosts: hosts.split_whitespace().map(str::to_owned).collect(),
            origins: origins.split_whitespace().map(str::to_owned).collect(),
        };
        assert_eq!(web("", "").check(), Ok(()));
        assert_eq!(web("a b.c", "http://a https://b.c").check(), Ok(()));
        assert!(web("a B", "").check().unwrap_err().ends_with("not \"B\""));
        assert!(web("", "http://a https://b:443").check().unwrap_err().ends_with("not \"https://b:443\""));
    }
}
