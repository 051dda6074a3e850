//! The head of a request: who asks for what, and how long its body is. Sans-IO: bytes in, a [`Head`] out. Decoded by httparse;
//! here are its bounds, and what RFC 9112 has a server refuse that httparse lets through.

use httparse::{EMPTY_HEADER, Header, Request, Status};

use super::{Problem, target::Target};
use crate::protocol::Lang;

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
    /// The language that the client wants first, if it is one that the server speaks.
    pub lang: Option<Lang>,
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
            lang: None,
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
        let bare_line_feed = bare_line_feed(bytes);
        let length = match request.parse(&bytes[..bare_line_feed.unwrap_or(bytes.len())]) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if bare_line_feed.is_some() => return Err(Problem::Malformed),
            Ok(Status::Partial) if bytes.len() == HEAD_BYTES_MAX => return Err(Problem::HeadTooLong),
            Ok(Status::Partial) => return Ok(Parsed::Incomplete),
            Err(httparse::Error::TooManyHeaders) => return Err(Problem::HeadTooLong),
            Err(httparse::Error::Version) => return Err(Problem::VersionNotSupported),
            Err(_) => return Err(Problem::Malformed),
        };
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
            lang: fields.first("accept-language")?.and_then(|wanted| lang(&wanted)),
            last_event_id: fields.only("last-event-id")?,
            idempotency_key,
            is_cross_site: fields
                .first("sec-fetch-site")?
                .is_some_and(|site| matches!(&*site, "cross-site" | "same-site")),
            is_navigation: fields.first("sec-fetch-mode")?.as_deref() == Some("navigate")
                && fields.first("sec-fetch-dest")?.as_deref() == Some("document"),
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

/// The first language of a list that the server speaks. Clients write what they want most first.
fn lang(wanted: &str) -> Option<Lang> {
    wanted.split(',').find_map(|tag| match tag.trim().split(['-', ';']).next()?.to_ascii_lowercase().as_str() {
        "zh" => Some(Lang::Zh),
        "en" => Some(Lang::En),
        _ => None,
    })
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

/// Where the first line ends with LF alone, as httparse allows.
fn bare_line_feed(bytes: &[u8]) -> Option<usize> {
    // Empty lines before a request are passed over (RFC 9112, 2.2), however they end.
    let begin = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    memchr::memchr_iter(b'\n', &bytes[begin..]).map(|at| begin + at).find(|at| bytes[at - 1] != b'\r')
}

#[cfg(test)]
mod tests;
