//! Heads of requests, and what is none.

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

#[test]
fn the_language_is_the_first_that_the_server_speaks() {
    for (wanted, expected) in [
        ("zh-CN,zh;q=0.9,en;q=0.8", Some(Lang::Zh)),
        ("de, EN-us;q=0.5", Some(Lang::En)),
        ("*", None),
        ("english", None),
    ] {
        assert_eq!(with(&format!("Accept-Language: {wanted}\r\n")).expect("a head").lang, expected, "{wanted}");
    }
}
