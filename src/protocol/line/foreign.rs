//! Other protocols, told from chat by their first bytes or a line, before anything of theirs is said to everyone. Knows how
//! they begin and nothing of what follows; that only the beginning of a connection is checked is up to the caller.
//!
//! | what | recognized by | specified in |
//! |---|---|---|
//! | TLS | bytes | RFC 8446, 5.1 |
//! | PROXY protocol, version 2 | bytes | haproxy's `doc/proxy-protocol.txt`, 2.2 |
//! | PROXY protocol, version 1 | line | the same, 2.1 |
//! | SSH | line | RFC 4253, 4.2 |
//! | HTTP, SSDP | line | RFC 9112, 3; UPnP Device Architecture, 1.3.2 |
//! | RTSP, SIP, ICAP | line | RFC 2326, 6.1; RFC 3261, 7.1; RFC 3507, 4.3.2 |
//!
//! A request line is `METHOD TARGET VERSION`, in any case, or `METHOD TARGET`, as HTTP/0.9 had it and people type it:
//!
//! - With a version that is one of `VERSIONS`, any word may be the method, for methods get invented. The target is a path,
//!   `*`, a URI or an authority (`host:443`): `curl speaks HTTP/2` is chat.
//! - Without a version, the method is a registered one, the target is a path, `*` or a URL, and nothing comes after it:
//!   `get /tmp/x please`, `who /`, `post build:green` and `GET me a drink` are chat.

/// What a connection speaks instead of chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// HTTP, or what shares its form and version.
    Http,
    /// Something else: TLS, SSH, the PROXY protocol, RTSP, SIP or ICAP.
    Other,
}

/// What the first bytes of a connection say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// This is another protocol.
    Foreign(Foreign),
    /// So far, another protocol begins like this; the next bytes tell. Nothing has to be held back meanwhile: the lines in
    /// them are blank, or no text.
    NotYet,
    /// None that is known by its bytes. A line may still tell: see [`of_line`].
    No,
}

/// The longest beginning that [`of_bytes`] looks at: that of the PROXY protocol, version 2.
const OPENING_BYTES_MAX: usize = PROXY_V2.len();
const PROXY_V2: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The type of a TLS record that has a handshake in it, and the major version, which has been 3 since SSL 3.0.
const TLS_HANDSHAKE: [u8; 2] = [0x16, 3];
/// The largest minor version of a TLS record: TLS 1.3.
const TLS_MINOR_MAX: u8 = 4;

/// The first bytes of a connection, however they are cut into packets.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    bytes: [u8; OPENING_BYTES_MAX],
    /// How many of `bytes` have come.
    len: u8,
}

impl Opening {
    /// Takes the next bytes of the connection, as they have come: telnet's commands are still in them. Once the verdict is
    /// not [`Verdict::NotYet`], it stays what it is.
    pub fn received(&mut self, bytes: &[u8]) -> Verdict {
        let before = usize::from(self.len);
        let taken = bytes.len().min(OPENING_BYTES_MAX - before);
        self.bytes[before..before + taken].copy_from_slice(&bytes[..taken]);
        self.len = u8::try_from(before + taken).expect("at most OPENING_BYTES_MAX");
        of_bytes(&self.bytes[..before + taken])
    }
}

/// Judges a connection by its first bytes: all of them since its beginning, or as many as have come.
#[must_use]
pub fn of_bytes(first: &[u8]) -> Verdict {
    let seen = first.len().min(OPENING_BYTES_MAX);
    if first.starts_with(PROXY_V2) {
        return Verdict::Foreign(Foreign::Other);
    }
    match first.strip_prefix(&TLS_HANDSHAKE) {
        Some([minor, ..]) if *minor <= TLS_MINOR_MAX => Verdict::Foreign(Foreign::Other),
        Some([_, ..]) => Verdict::No,
        None if !PROXY_V2.starts_with(&first[..seen]) && !TLS_HANDSHAKE.starts_with(first) => Verdict::No,
        Some([]) | None => Verdict::NotYet,
    }
}

/// Judges a connection by a line, without its ending, that might be its first words.
#[must_use]
pub fn of_line(line: &str) -> Option<Foreign> {
    if is_ssh(line) || is_proxy_v1(line) { Some(Foreign::Other) } else { request(line) }
}

/// Whether the line is the header field that every request of HTTP/1.1 has (RFC 9112, 3.2), for where the request line
/// itself was not to be recognized. `Host: shall we begin?` is chat: a host has no spaces in it.
#[must_use]
pub fn is_host_header(line: &str) -> bool {
    let Some((name, value)) = line.split_at_checked("Host:".len()) else { return false };
    name.eq_ignore_ascii_case("Host:") && value.trim_ascii().bytes().all(|byte| byte.is_ascii_graphic())
}

/// The names of versions that request lines end with, and what they tell.
const VERSIONS: [(&str, Foreign); 4] =
    [("HTTP", Foreign::Http), ("RTSP", Foreign::Other), ("SIP", Foreign::Other), ("ICAP", Foreign::Other)];

/// The methods of HTTP (IANA's registry at <https://www.iana.org/assignments/http-methods>, as of 2026-06-17), and of SSDP
/// and GENA, which are HTTP as well (UPnP Device Architecture, 1 and 4).
const HTTP_METHODS: &str = "\
    ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY \
    MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PRI PROPFIND PROPPATCH PUT \
    QUERY REBIND REPORT SEARCH TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL \
    M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE";

/// The methods of RTSP (RFC 2326, 10) and of SIP (IANA's registry at <https://www.iana.org/assignments/sip-parameters>) that
/// HTTP does not have.
const OTHER_METHODS: &str = "\
    DESCRIBE ANNOUNCE SETUP PLAY PAUSE TEARDOWN GET_PARAMETER SET_PARAMETER REDIRECT RECORD ACK BYE CANCEL INFO \
    INVITE MESSAGE PRACK PUBLISH REFER REGISTER";

/// The longest method, in bytes: `UPDATEREDIRECTREF` has 17, and some private ones may be longer.
const METHOD_BYTES_MAX: usize = 64;

/// A request line of HTTP or one of those that took its form. Words may be separated by any of the white space that
/// RFC 9112, 3 lets a server be lenient about.
fn request(line: &str) -> Option<Foreign> {
    let is_space = |c| matches!(c, ' ' | '\t' | '\x0b' | '\x0c' | '\r');
    // Every line of chat comes here until one was said: most are told by their first few letters.
    let line = line.trim_start_matches(is_space);
    let of_method = |&byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_');
    let method_len = line.bytes().take(METHOD_BYTES_MAX).take_while(of_method).count();
    // Behind a longer one there is a letter, and no space.
    let (method, rest) = line.split_at(method_len);
    let mut words = rest.strip_prefix(is_space)?.split(is_space).filter(|word| !word.is_empty());
    let target = words.next()?;
    let is_path = target == "*" || target.starts_with('/') || target.contains("://");
    match words.next_back() {
        None if is_path => registered(method),
        Some(last) if is_path || is_uri(target) || is_authority(target) => version(last),
        None | Some(_) => None,
    }
}

fn registered(method: &str) -> Option<Foreign> {
    let is_one_of = |methods: &str| methods.split(' ').any(|known| known.eq_ignore_ascii_case(method));
    if is_one_of(HTTP_METHODS) {
        Some(Foreign::Http)
    } else if is_one_of(OTHER_METHODS) {
        Some(Foreign::Other)
    } else {
        None
    }
}

/// `HTTP/1.1` and its like.
fn version(word: &str) -> Option<Foreign> {
    let (name, number) = word.split_once('/')?;
    let is_number = number.starts_with(|first: char| first.is_ascii_digit())
        && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let (_, foreign) = VERSIONS.iter().find(|(known, _)| is_number && known.eq_ignore_ascii_case(name))?;
    Some(*foreign)
}

/// `scheme:` and something (RFC 3986, 3.1).
fn is_uri(target: &str) -> bool {
    let is_of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    target.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(is_of_scheme)
            && !rest.is_empty()
    })
}

/// `host:port`, the target of CONNECT (RFC 9112, 3.2.3).
fn is_authority(target: &str) -> bool {
    target.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// `SSH-protoversion-softwareversion`, in this case alone.
fn is_ssh(line: &str) -> bool {
    let Some((version, _)) = line.strip_prefix("SSH-").and_then(|rest| rest.split_once('-')) else { return false };
    !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// `PROXY TCP4 …`, in this case alone and with just one space.
fn is_proxy_v1(line: &str) -> bool {
    let family = line.strip_prefix("PROXY ").and_then(|rest| rest.split([' ', '\r']).next());
    family.is_some_and(|family| matches!(family, "TCP4" | "TCP6" | "UNKNOWN"))
}

#[cfg(test)]
mod tests;
