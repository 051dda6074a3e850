//! Sessions, rules and rendering under random bytes. `PROPTEST_CASES=1000000 cargo test --release --test simulation any_bytes` runs
//! for longer; `cargo +nightly fuzz run --fuzz-dir tests/fuzz wire` looks for new ways through the code.

use proptest::prelude::*;

use crate::{requests, wire};

/// Pieces of what clients send, and of what they had better not.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let words: &[&[u8]] = &[
        b"who",
        b"Who",
        b"\xe3\x80\x80\xef\xbd\x94o",
        b"Login",
        b"tokne",
        b"rename",
        b"to",
        b"say",
        b"sync",
        b"wait",
        b"stay",
        b"check",
        b"format",
        b"lang",
        b"help",
        b"quit",
        b"json",
        b"text",
        b"en",
        b"zh",
        b"user",
        b"users",
        b"gone",
        b"1",
        b"GET / HTTP/1.1",
        b"127.0.0.1:1000",
    ];
    let signs: &[&[u8]] = &[
        b"|",
        b"\xef\xbd\x9c",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r\0",
        b"\r",
        b"\0",
        b"\t",
        b"\x1b[2J",
        b"\x7f",
        b"\x08",
        b"\r",
        b"e\xcc\x81\x7f",
        b"\xff\xff",
        b"\xff\xfa",
        b"\xff\xf0",
        b"\xff\xfb\x01",
        b"\xff\xf1",
        b"\xff",
        b"\xc2\x9b",
        b"\xe2\x80\xae",
        b"\xe2\x80\xa8",
        b"\xc3",
        b"\xef\xbb\xbf",
        b"[",
        b"]:",
        b" ",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(words).prop_map(<[u8]>::to_vec),
        6 => prop::sample::select(signs).prop_map(<[u8]>::to_vec),
        2 => "[a-z0-9]{1,4}".prop_map(String::into_bytes),
        1 => "\\PC{1,4}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 1..4),
        1 => (60..70_usize).prop_map(|length| vec![b'x'; length]),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Requests over HTTP, and what had better be none.
fn any_requests() -> impl Strategy<Value = Vec<u8>> {
    let begin = (
        prop::sample::select(&["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW", ""][..]),
        prop::sample::select(TARGETS),
        prop::sample::select(&["HTTP/1.1\r\n", "HTTP/1.1\r\n", "HTTP/1.0\r\n", "HTTP/2\r\n", "HTTP/1.1\n", "\r\n"][..]),
    );
    let field = prop_oneof![
        9 => prop::sample::select(FIELDS).prop_map(str::to_owned),
        1 => (1..70_usize).prop_map(|fields| "X: y\r\n".repeat(fields)),
        1 => Just(format!("X: {}\r\n", "y".repeat(5000))),
    ];
    let head =
        (begin, prop::collection::vec(field, 0..6), prop::sample::select(&["\r\n", "\r\n", "\r\n", "\n", ""][..]));
    let head = head.prop_map(|((method, target, version), fields, end)| {
        format!("{method} {target} {version}{}{end}", fields.concat()).into_bytes()
    });
    let noise = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..4),
        (60..70_usize).prop_map(|length| vec![b'x'; length]),
        (200..300_usize).prop_map(|length| vec![b' '; length]),
    ];
    let body = prop::sample::select(BODIES).prop_map(|body| body.as_bytes().to_vec());
    let piece = prop_oneof![8 => head, 6 => body, 1 => noise];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

const TARGETS: &[&str] = &[
    "/",
    "/rooms/x",
    "/rooms/x,y?last=5&follow",
    "/rooms/x?since=1.abcde&format=sse",
    "/users/ann?skip",
    "/sessions",
    "/sessions/x?since=1",
    "/wait?user=%61nn",
    "/wait?text=a+b&timeout=1m",
    "/?name=\u{5f20}",
    "http://a/rooms",
    "/%zz",
    "rooms",
    "*",
    "/rooms/?&=&a=b=c",
];
const FIELDS: &[&str] = &[
    "Host: a\r\n",
    "Host: 127.0.0.1:80\r\n",
    "Host: [::1]\r\n",
    "Origin: https://a.b\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: x\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip\r\n",
    "Connection: close\r\n",
    "Expect: 100-continue\r\n",
    "Authorization: Basic YTpi\r\n",
    "Authorization: Bearer x\r\n",
    "Last-Event-ID: 7\r\n",
    "Accept: text/event-stream\r\n",
    "Idempotency-Key: k\r\n",
    "Content-Type: multipart/x\r\n",
    " folded\r\n",
    "X : y\r\n",
    "X: y\n",
    "\u{5f20}: y\r\n",
    "X: \u{5f20}\r\n",
    "X\r\n",
    ": \r\n",
];
const BODIES: &[&str] = &[
    "hello",
    "5\r\nhello\r\n",
    "2;a=b\r\n\n\n\r\n",
    "3\r\na\0b\r\n",
    "0\r\n\r\n",
    "0\r\nX: y\r\n\r\n",
    "0\r\nX: y\n\r\n",
    "ffffffffffffffff\r\n",
    "\n",
    "\r",
    "\r\n",
    "\u{e9}\n",
    "\r\0",
    "one\r\ntwo\n",
];

/// A request whose body says these lines, and what is made of it. The body has a length, or comes in chunks of such sizes.
fn well_formed() -> impl Strategy<Value = (Vec<u8>, Vec<String>)> {
    let lines = prop::collection::vec("[a-z0-9 \u{5f20}]{0,20}", 0..5);
    let chunks = prop::option::of(prop::collection::vec(1..9_usize, 1..5));
    (lines, any::<bool>(), chunks).prop_map(|(lines, is_ended, chunks)| {
        let mut body = lines.join("\r\n");
        if is_ended && !body.is_empty() {
            body.push('\n');
        }
        let (length, body) = match &chunks {
            None => (format!("Content-Length: {}", body.len()), body.into_bytes()),
            Some(sizes) => ("Transfer-Encoding: chunked".to_owned(), chunked(body.as_bytes(), sizes)),
        };
        let head = format!("POST /rooms/x HTTP/1.1\r\nHost: a\r\n{length}\r\n\r\n");
        let mut said: Vec<_> = lines.iter().map(|line| format!("> {line}")).collect();
        // What is behind the last line end is a line where it is not empty.
        if lines.last().is_some_and(String::is_empty) && (!is_ended || lines.len() == 1) {
            said.pop();
        }
        said.push("end".to_owned());
        ([head.as_bytes(), &body].concat(), said)
    })
}

fn chunked(mut body: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for size in sizes.iter().cycle() {
        let (chunk, rest) = body.split_at(body.len().min(*size));
        bytes.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
        body = rest;
        if chunk.is_empty() {
            break;
        }
    }
    bytes
}

proptest! {
    #[test]
    fn any_bytes_in_any_packets_are_the_same_requests(bytes in any_requests(), packet in 1..80_usize) {
        requests::check(&bytes, packet);
    }

    #[test]
    fn requests_that_are_well_formed_say_their_lines(sent in prop::collection::vec(well_formed(), 1..5), packet in 1..80_usize) {
        let (bytes, said): (Vec<_>, Vec<_>) = sent.into_iter().unzip();
        let bytes = bytes.concat();
        requests::check(&bytes, packet);
        let items = requests::items_of(&bytes, packet);
        let items: Vec<_> = items.into_iter().filter(|item| !item.starts_with("Post ")).collect();
        prop_assert_eq!(items, said.concat());
    }

    #[test]
    fn any_bytes_in_any_packets_are_understood_by_the_book(bytes in any_bytes(), packet in 1..80_usize) {
        wire::check(&bytes, packet);
    }
}
