//! The PROXY protocol: addresses that a proxy tells.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use common::{DEADLINE, EN, Server};

use super::tls::TlsServer;

struct Proxied {
    server: Server,
    addr: String,
}

impl Proxied {
    #[track_caller]
    fn start(flags: &[&str]) -> Self {
        let proxied = ["--listen", "tcp+proxy://127.0.0.1:0"];
        let mut server = Server::start(&[&proxied, flags].concat());
        let addr = server.next_place().strip_prefix("tcp+proxy://").expect("a URL").to_owned();
        Self { server, addr }
    }

    fn dial(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.addr).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a time");
        stream
    }

    /// Connects with this header, and answers the first line.
    #[track_caller]
    fn connect(&self, header: &[u8]) -> (String, BufReader<TcpStream>) {
        let mut stream = self.dial();
        stream.write_all(&[header, b"\n"].concat()).expect("it is connected");
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).expect("a line");
        (line.trim_end().to_owned(), stream)
    }
}

pub(crate) fn v1(addr: &str, port: u16) -> Vec<u8> {
    format!("PROXY TCP4 {addr} 192.0.2.9 {port} 443\r\n").into_bytes()
}

fn online(addr: &str) -> String {
    format!("[{addr}]{addr}:is online")
}

#[test]
fn lines_bear_the_address_that_the_proxy_tells() {
    let proxied = Proxied::start(&["--proxy-from", "127.0.0.0/8"]);
    let mut ann = proxied.server.join("ann");
    let (line, bob) = proxied.connect(&v1("192.0.2.1", 7000));
    assert_eq!(line, online("192.0.2.1:7000"));
    ann.expect(&line);
    bob.get_ref().write_all(b"hello\n").expect("it is connected");
    ann.expect("[192.0.2.1:7000]192.0.2.1:7000:hello");
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x02\xc0\x00\x02\x09\x1b\x58\x01\xbb";
    assert_eq!(proxied.connect(v2).0, online("192.0.2.2:7000"));
    let (line, stream) = proxied.connect(b"PROXY UNKNOWN\r\n");
    assert_eq!(line, online(&stream.get_ref().local_addr().expect("connected").to_string()));
}

#[test]
fn a_header_may_come_byte_by_byte_and_a_wrong_one_is_closed_on() {
    let proxied = Proxied::start(&["--proxy-from", "127.0.0.1"]);
    let mut slow = proxied.dial();
    slow.set_nodelay(true).expect("a socket");
    for byte in [&v1("192.0.2.1", 7000)[..], b"sync|1\n"].concat() {
        slow.write_all(&[byte]).expect("it is connected");
    }
    let mut lines = BufReader::new(slow).lines().map(|line| line.expect("lines come"));
    assert_eq!(lines.next(), Some(online("192.0.2.1:7000")));
    assert_eq!(lines.next().as_deref(), Some("sync|1"));
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(200));
    for header in ["hello\n", "PROXY TCP4 192.0.2.1\r\n\r\n\r\n", "GET / HTTP/1.1\r\n", &long] {
        let mut wrong = proxied.dial();
        wrong.write_all(header.as_bytes()).expect("it is connected");
        let mut got = Vec::new();
        wrong.read_to_end(&mut got).ok(); // the end, or a reset
        assert_eq!(got, b"", "{header:?}");
    }
}

#[test]
fn told_addresses_come_under_limits_even_those_that_are_trusted_otherwise() {
    let proxied = Proxied::start(&["--proxy-from", "127.0.0.1", "--max-clients-per-ip", "1"]);
    for addr in ["192.0.2.1", "127.0.0.1"] {
        let (line, _first) = proxied.connect(&v1(addr, 1));
        assert_eq!(line, online(&format!("{addr}:1")));
        assert_eq!(proxied.connect(&v1(addr, 2)).0, EN.full_for_address);
        proxied.server.expect_log(1, &format!("{addr}:2 refused: full-for-address"));
    }
    let unknown = |_| proxied.connect(b"PROXY UNKNOWN\r\n");
    for (line, _) in [1, 2, 3].map(unknown) {
        assert!(line.contains("is online"), "the proxy itself is trusted: {line}");
    }
}

#[test]
fn only_a_proxy_may_connect_there() {
    let proxied = Proxied::start(&["--proxy-from", "192.0.2.1"]);
    let mut stranger = proxied.dial();
    stranger.write_all(&v1("192.0.2.1", 1)).ok();
    let mut got = Vec::new();
    stranger.read_to_end(&mut got).ok(); // the end, or a reset
    assert_eq!(got, b"");
    proxied.server.join("ann").fence();
}

#[test]
fn tls_begins_behind_the_header() {
    let mut server = TlsServer::start("proxied", &["--listen", "tls+proxy://127.0.0.1:0", "--proxy-from", "127.0.0.1"]);
    server.addr = server.server.next_place().strip_prefix("tls+proxy://").expect("a URL").to_owned();
    let mut client = server.connect_behind(&v1("192.0.2.1", 7000)).expect("a handshake");
    client.get_mut().write_all(b"\n").expect("it is connected");
    let mut line = String::new();
    client.read_line(&mut line).expect("a line");
    assert_eq!(line.trim_end(), online("192.0.2.1:7000"));
}
