//! What stands around an answer: its head, and the sizes of its pieces where its length is not known beforehand.

use std::fmt::Write;

use jiff::Timestamp;

use super::{Problem, Shape};
use crate::protocol::{Lang, render_unserved};

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// After so many bytes.
    Bytes(usize),
    /// With a chunk of no bytes.
    Chunked,
    /// With the connection.
    Open,
    /// It has none, as its status says.
    None,
}

/// The head of an answer.
#[derive(Debug, Clone)]
pub struct ResponseHead<'a> {
    /// Its status.
    pub status: u16,
    /// What it is.
    pub content_type: &'a str,
    /// How it ends.
    pub length: Length,
    /// More requests may follow on this connection.
    pub keeps_alive: bool,
    /// The origin whose pages may read it, besides the server's own.
    pub allowed_origin: Option<&'a str>,
    /// Other fields.
    pub fields: &'a [(&'static str, String)],
}

/// A piece of an answer whose length is not known beforehand.
#[derive(Debug)]
pub struct Chunk;

impl ResponseHead<'_> {
    /// The bytes of the head.
    #[must_use]
    pub fn render(&self, at: Timestamp) -> String {
        let mut head = String::with_capacity(256);
        let Self { status, content_type, length, keeps_alive, allowed_origin, fields } = self;
        let mut put = |line: std::fmt::Arguments<'_>| head.write_fmt(line).expect("a String takes all");
        put(format_args!("HTTP/1.1 {status} {}\r\n", reason(*status)));
        put(format_args!("Date: {}\r\n", at.strftime("%a, %d %b %Y %H:%M:%S GMT")));
        if *length != Length::None {
            put(format_args!("Content-Type: {content_type}\r\n"));
        }
        match length {
            Length::Bytes(bytes) => put(format_args!("Content-Length: {bytes}\r\n")),
            Length::Chunked => put(format_args!("Transfer-Encoding: chunked\r\n")),
            Length::Open | Length::None => {}
        }
        let is_kept = *keeps_alive && *length != Length::Open;
        put(format_args!("Connection: {}\r\n", if is_kept { "keep-alive" } else { "close" }));
        if *status == 401 {
            put(format_args!("WWW-Authenticate: Bearer\r\n")); // RFC 9110, 15.5.2; a browser asks for no password then
        }
        // What is told is of this moment.
        if !fields.iter().any(|(name, _)| *name == "Cache-Control") {
            put(format_args!("Cache-Control: no-store\r\n"));
        }
        if !fields.iter().any(|(name, _)| *name == "X-Content-Type-Options") {
            put(format_args!("X-Content-Type-Options: nosniff\r\n"));
        }
        if let Some(origin) = allowed_origin {
            put(format_args!("Access-Control-Allow-Origin: {origin}\r\nVary: Origin\r\n"));
        }
        for (name, value) in *fields {
            put(format_args!("{name}: {value}\r\n"));
        }
        put(format_args!("\r\n"));
        head
    }
}

/// The whole answer to one who is refused before it has asked.
#[must_use]
pub fn refusal(problem: Problem, at: Timestamp, lang: Lang) -> Vec<u8> {
    let mut body = Vec::new();
    render_unserved(&mut body, problem, at, lang);
    let head = ResponseHead {
        status: problem.status(),
        content_type: Shape::Json.content_type(),
        length: Length::Bytes(body.len()),
        keeps_alive: false,
        allowed_origin: None,
        fields: &[("Retry-After", "1".to_owned())],
    };
    [head.render(at).into_bytes(), body].concat()
}

impl Chunk {
    /// What ends a chunk, and what ends all of them.
    pub const END: &'static [u8] = b"\r\n";
    /// The last one.
    pub const LAST: &'static [u8] = b"0\r\n\r\n";

    /// What stands before so many bytes.
    #[must_use]
    pub fn before(bytes: usize) -> String {
        format!("{bytes:x}\r\n")
    }
}

/// What a status means, for people (RFC 9110, 15).
fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_how_its_answer_ends() {
        let head = |length, keeps_alive| {
            let head = ResponseHead {
                status: 409,
                content_type: "text/plain",
                length,
                keeps_alive,
                allowed_origin: None,
                fields: &[("Retry-After", "7".to_owned())],
            };
            head.render(Timestamp::UNIX_EPOCH)
        };
        let sized = head(Length::Bytes(3), true);
        assert_eq!(
            sized,
            "HTTP/1.1 409 Conflict\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: text/plain\r\n\
             Content-Length: 3\r\nConnection: keep-alive\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nRetry-After: 7\r\n\r\n"
        );
        assert!(head(Length::Chunked, true).contains("Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n"));
        for (length, keeps_alive) in [(Length::Open, true), (Length::Bytes(0), false)] {
            assert!(head(length, keeps_alive).contains("Connection: close\r\n"));
        }
        assert_eq!(Chunk::before(26), "1a\r\n");
    }

    #[test]
    fn one_who_has_to_log_in_is_told_how() {
        for (status, count) in [(401, 1), (403, 0)] {
            let head = ResponseHead {
                status,
                content_type: "text/plain",
                length: Length::Bytes(3),
                keeps_alive: true,
                allowed_origin: None,
                fields: &[],
            };
            let head = head.render(Timestamp::UNIX_EPOCH);
            assert_eq!(head.matches("\r\nWWW-Authenticate: Bearer\r\n").count(), count, "{head}");
        }
    }

    #[test]
    fn pages_from_a_named_origin_may_read_it() {
        let head = ResponseHead {
            status: 204,
            content_type: "",
            length: Length::None,
            keeps_alive: true,
            allowed_origin: Some("https://app.example.org"),
            fields: &[("Cache-Control", "max-age=60".to_owned())],
        };
        let head = head.render(Timestamp::UNIX_EPOCH);
        assert!(head.contains("Access-Control-Allow-Origin: https://app.example.org\r\nVary: Origin\r\n"));
        assert!(!head.contains("\r\nContent-") && head.matches("Cache-Control").count() == 1, "{head}");
    }
}
