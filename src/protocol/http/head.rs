//! The head of a request: who asks for what, and how long its body is. Sans-IO: bytes in, a [`Head`] out. Decoded by httparse;
//! here are its bounds, and what RFC 9112 has a server refuse that httparse lets through.

use httparse::{EMPTY_HEADER, Header, Request, Status};

use super::{Problem, target::Target};

/// The longest head, with the line that ends it.
pub const HEAD_BYTES_MAX: usize = 8 << 10;
/// The most fields of a head.
const FIELDS_MAX: usize = 64;
/// The longest key that makes a request one with an earlier one.
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 128;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// To be told something.
    Get,
    /// As [`Self::Get`], but without the body of the answer.
    Head,
    /// To say something.
    Post,
    /// The same: what `curl -T` sends.
    Put,
    /// To leave.
    Delete,
    /// What may be asked for.
    Options,
}

/// How the body of a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// After so many bytes; 0 where there is none.
    Bytes(u64),
    /// With a chunk of no bytes (RFC 9112, 7.1).
    Chunked,
}

/// The head of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What is asked for.
    pub method: Method,
    /// Of what.
    pub target: Target,
    /// The name, and perhaps the port, by which the client knows the server.
    pub host: Option<Box<str>>,
    /// Whose page asks, if a browser does.
    pub origin: Option<Box<str>>,
    /// Who asks, with a proof of it.
    pub authorization: Option<Box<str>>,
    /// Which kinds of answers are welcome.
    pub accept: Option<Box<str>>,
    /// What a stream of events goes on behind.
    pub last_event_id: Option<Box<str>>,
    /// A request with the key of an earlier one is the same one.
    pub idempotency_key: Option<Box<str>>,
    /// A page from another site has caused it, as the browser says.
    pub is_cross_site: bool,
    /// It leads somebody to a page, and is not made by one.
    pub is_navigation: bool,
    /// The body is of several parts, which are no text.
    pub is_multipart: bool,
    /// Which form of a resource the client has already.
    pub if_none_match: Option<Box<str>>,
    /// How its body ends.
    pub length: BodyLength,
    /// The client sends the body when it has been told to go on.
    pub expects_continue: bool,
    /// More requests may follow on this connection.
    pub keeps_alive: bool,
    /// The client knows HTTP/1.1, and so the chunks of an answer.
    pub is_1_1: bool,
}

/// What the first bytes of a request are.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The beginning of a head.
    Incomplete,
    /// A head of so many bytes.
    Complete(Box<Head>, usize),
}

impl Head {
    /// That of a request that cannot be understood.
    #[must_use]
    pub fn unknown() -> Self {
        Self {
            method: Method::Get,
            target: Target { path: Vec::new(), query: Vec::new() },
            host: None,
            origin: None,
            authorization: None,
            accept: None,
            last_event_id: None,
            idempotency_key: None,
            is_cross_site: false,
            is_navigation: false,
            is_multipart: false,
            if_none_match: None,
            length: BodyLength::Bytes(0),
            expects_continue: false,
            keeps_alive: false,
            is_1_1: true,
        }
    }

    /// Reads a request from its first byte on. What follows the head does not matter.
    ///
    /// # Errors
    /// What is wrong with the head: the connection cannot go on, since nobody knows where the next request begins.
    pub fn parse(bytes: &[u8]) -> Result<Parsed, Problem> {
        let bytes = &bytes[..bytes.len().min(HEAD_BYTES_MAX)];
        let mut fields = [EMPTY_HEADER; FIELDS_MAX];
        let mut request = Request::new(&mut fields);
        let length = match request.parse(bytes) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if bytes.len() == HEAD_BYTES_MAX => return Err(Problem::HeadTooLong),
            Ok(Status::Partial) => {
                return if has_bare_line_feed(bytes) { Err(Problem::Malformed) } else { Ok(Parsed::Incomplete) };
            }
            Err(httparse::Error::TooManyHeaders) => return Err(Problem::HeadTooLong),
            Err(httparse::Error::Version) => return Err(Problem::VersionNotSupported),
            Err(_) => return Err(Problem::Malformed),
        };
        if has_bare_line_feed(&bytes[..length]) {
            return Err(Problem::Malformed);
        }
        let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
            return Err(Problem::Malformed);
        };
        let is_1_1 = version == 1;
        let fields = Fields(request.headers);
        let host = fields.only("host")?;
        if host.is_none() && is_1_1 {
            return Err(Problem::Malformed); // RFC 9112, 3.2
        }
        let length_of_body = body_length(fields, is_1_1)?;
        let connection = fields.list("connection");
        let keeps_alive = match is_1_1 {
            true => !connection.contains(&"close".to_owned()),
            false => connection.contains(&"keep-alive".to_owned()),
        };
        let expects_continue = match fields.only("expect")? {
            None => false,
            Some(expectation) if expectation.eq_ignore_ascii_case("100-continue") => is_1_1,
            Some(_) => return Err(Problem::ExpectationFailed),
        };
        let idempotency_key = fields.only("idempotency-key")?;
        if idempotency_key.as_ref().is_some_and(|key| key.is_empty() || key.len() > IDEMPOTENCY_KEY_BYTES_MAX) {
            return Err(Problem::Malformed);
        }
        let head = Self {
            method: Method::parse(method)?,
            target: Target::parse(target)?,
            host,
            origin: fields.only("origin")?,
            authorization: fields.only("authorization")?,
            accept: fields.first("accept")?,
            last_event_id: fields.only("last-event-id")?,
            idempotency_key,
            is_cross_site: fields
                .first("sec-fetch-site")?
                .is_some_and(|site| matches!(&*site, "cross-site" | "same-site")),
            is_navigation: fields.first("sec-fetch-mode")?.as_deref() == Some("navigate"),
            if_none_match: fields.first("if-none-match")?,
            is_multipart: fields
                .only("content-type")?
                .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/")),
            length: length_of_body,
            expects_continue,
            keeps_alive,
            is_1_1,
        };
        Ok(Parsed::Complete(Box::new(head), length))
    }
}

impl Method {
    fn parse(name: &str) -> Result<Self, Problem> {
        match name {
            "GET" => Ok(Self::Get),
            "HEAD" => Ok(Self::Head),
            "POST" => Ok(Self::Post),
            "PUT" => Ok(Self::Put),
            "DELETE" => Ok(Self::Delete),
            "OPTIONS" => Ok(Self::Options),
            _ => Err(Problem::MethodNotKnown),
        }
    }
}

/// The fields of a head.
#[derive(Clone, Copy)]
struct Fields<'h>(&'h [Header<'h>]);

impl<'h> Fields<'h> {
    fn all(self, name: &'static str) -> impl Iterator<Item = &'h [u8]> {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }

    /// The value of a field that nobody may give twice.
    fn only(self, name: &'static str) -> Result<Option<Box<str>>, Problem> {
        if self.all(name).nth(1).is_some() { Err(Problem::Malformed) } else { self.first(name) }
    }

    fn first(self, name: &'static str) -> Result<Option<Box<str>>, Problem> {
        let value = self.all(name).next().map(str::from_utf8).transpose().map_err(|_| Problem::Malformed)?;
        Ok(value.map(|value| value.trim_matches([' ', '\t']).into()))
    }

    /// The words of a list, which may be spread over several fields, in lower case.
    fn list(self, name: &'static str) -> Vec<String> {
        let words = self.all(name).flat_map(|value| value.split(|&byte| byte == b','));
        words.map(|word| String::from_utf8_lossy(word).trim().to_ascii_lowercase()).collect()
    }
}

/// RFC 9112, 6.3: a request of which two could find different ends is none.
fn body_length(fields: Fields<'_>, is_1_1: bool) -> Result<BodyLength, Problem> {
    let length = fields.only("content-length")?;
    let coding = fields.only("transfer-encoding")?;
    match (length, coding) {
        (None, None) => Ok(BodyLength::Bytes(0)),
        (Some(digits), None) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map(BodyLength::Bytes).map_err(|_| Problem::Malformed)
        }
        (None, Some(coding)) if is_1_1 && coding.eq_ignore_ascii_case("chunked") => Ok(BodyLength::Chunked),
        (None, Some(_)) if is_1_1 => Err(Problem::CodingNotSupported),
        (Some(_), _) | (None, Some(_)) => Err(Problem::Malformed),
    }
}

/// Whether a line ends with LF alone, as httparse allows.
fn has_bare_line_feed(bytes: &[u8]) -> bool {
    // Empty lines before a request are passed over (RFC 9112, 2.2), however they end.
    let begin = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    let head = &bytes[begin..];
    head.iter().enumerate().any(|(at, &byte)| byte == b'\n' && (at == 0 || head[at - 1] != b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(bytes: &str) -> Result<Head, Problem> {
        match Head::parse(bytes.as_bytes())? {
            Parsed::Complete(head, length) => {
                assert_eq!(length, bytes.len(), "{bytes:?}");
                Ok(*head)
            }
            Parsed::Incomplete => panic!("incomplete: {bytes:?}"),
        }
    }

    fn with(fields: &str) -> Result<Head, Problem> {
        head(&format!("POST /rooms/builds HTTP/1.1\r\nHost: a\r\n{fields}\r\n"))
    }

    #[test]
    fn a_head_cut_anywhere_is_incomplete_until_it_ends() {
        let bytes = "POST /rooms/builds?skip HTTP/1.1\r\nHost: 127.0.0.1:9980\r\nUser-Agent: curl/8\r\nAccept: */*\r\n\
                     Content-Length: 11\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n";
        for end in 0..bytes.len() {
            assert_eq!(Head::parse(&bytes.as_bytes()[..end]), Ok(Parsed::Incomplete), "{end}");
        }
        let head = head(bytes).expect("a head");
        assert_eq!((head.method, head.length), (Method::Post, BodyLength::Bytes(11)));
        assert_eq!((head.host.as_deref(), head.accept.as_deref()), (Some("127.0.0.1:9980"), Some("*/*")));
        assert!(head.keeps_alive && head.is_1_1 && !head.expects_continue && !head.is_multipart);
        let more = format!("{bytes}build green");
        assert!(matches!(Head::parse(more.as_bytes()), Ok(Parsed::Complete(_, length)) if length == bytes.len()));
    }

    #[test]
    fn the_end_of_a_body_is_known_or_refused() {
        let length = |fields: &str| with(fields).map(|head| head.length);
        assert_eq!(length(""), Ok(BodyLength::Bytes(0)));
        assert_eq!(length("content-length:  7 \r\n"), Ok(BodyLength::Bytes(7)));
        assert_eq!(length("Transfer-Encoding: Chunked\r\n"), Ok(BodyLength::Chunked));
        for fields in [
            "Content-Length: 7\r\nContent-Length: 7\r\n",
            "Content-Length: 7, 7\r\n",
            "Content-Length: +7\r\n",
            "Content-Length: -7\r\n",
            "Content-Length: 0x7\r\n",
            "Content-Length: \r\n",
            "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding : chunked\r\n",
        ] {
            assert_eq!(length(fields), Err(Problem::Malformed), "{fields:?}");
        }
        assert_eq!(length("Content-Length: 99999999999999999999999\r\n"), Err(Problem::Malformed));
        for coding in ["gzip, chunked", "chunked, chunked", "identity"] {
            assert_eq!(length(&format!("Transfer-Encoding: {coding}\r\n")), Err(Problem::CodingNotSupported));
        }
        let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(head(old).map(|head| head.length), Err(Problem::Malformed));
    }

    #[test]
    fn what_two_could_read_differently_is_refused() {
        for bytes in [
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\n",
            "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\t2\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
            "G\0T / HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            assert_eq!(Head::parse(bytes.as_bytes()), Err(Problem::Malformed), "{bytes:?}");
        }
        assert!(head("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").is_ok(), "empty lines may come first");
    }

    #[test]
    fn connections_stay_or_close_as_the_client_wants() {
        let keeps = |version: &str, connection: &str| {
            let head = head(&format!("GET / HTTP/{version}\r\nHost: a\r\nConnection: {connection}\r\n\r\n"));
            head.expect("a head").keeps_alive
        };
        assert!(keeps("1.1", "keep-alive") && keeps("1.1", "") && keeps("1.0", "Keep-Alive"));
        assert!(!keeps("1.1", "TE, Close") && !keeps("1.0", "") && !keeps("1.0", "close"));
        assert_eq!(head("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), Err(Problem::VersionNotSupported));
    }

    #[test]
    fn what_is_too_much_or_not_known_has_its_own_problem() {
        let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(HEAD_BYTES_MAX));
        assert_eq!(Head::parse(&long.as_bytes()[..HEAD_BYTES_MAX - 1]), Ok(Parsed::Incomplete));
        assert_eq!(Head::parse(long.as_bytes()), Err(Problem::HeadTooLong));
        assert_eq!(with(&"X: y\r\n".repeat(FIELDS_MAX)), Err(Problem::HeadTooLong));
        assert_eq!(head("BREW / HTTP/1.1\r\nHost: a\r\n\r\n"), Err(Problem::MethodNotKnown));
        assert_eq!(with("Expect: a cup of tea\r\n"), Err(Problem::ExpectationFailed));
        assert!(with("Expect: 100-Continue\r\n").expect("a head").expects_continue);
        assert!(with("Content-Type: Multipart/form-data; boundary=x\r\n").expect("a head").is_multipart);
        assert_eq!(with("Idempotency-Key: \r\n"), Err(Problem::Malformed));
        assert_eq!(with(&format!("Idempotency-Key: {}\r\n", "k".repeat(129))), Err(Problem::Malformed));
        assert_eq!(with("Idempotency-Key: k\r\n").expect("a head").idempotency_key.as_deref(), Some("k"));
    }
}
