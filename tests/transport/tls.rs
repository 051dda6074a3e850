//! TLS: conversations, how they end, and clients that do not do their part.

use std::{
    fs,
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::Arc,
};

use common::{DEADLINE, Server, run};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
    version::{TLS12, TLS13},
};
use socket2::{Domain, Socket, Type};

use super::Directory;

/// A server with TLS on a free port beside the plain one.
pub(crate) struct TlsServer {
    pub(crate) server: Server,
    pub(crate) directory: Directory,
    pub(crate) addr: String,
}

pub(crate) type Stream = BufReader<StreamOwned<ClientConnection, TcpStream>>;

pub(crate) fn make_certificate(directory: &Directory) {
    let (code, _, err) = run(&["cert", "--self-signed", &directory.path("")]);
    assert_eq!((code, &*err), (0, ""));
}

impl TlsServer {
    #[track_caller]
    pub(crate) fn start(name: &str, flags: &[&str]) -> Self {
        Self::start_by(Server::start, name, flags)
    }

    /// Starts one while no other server of this test program runs.
    #[track_caller]
    pub(crate) fn start_alone(name: &str, flags: &[&str]) -> Self {
        Self::start_by(Server::start_alone, name, flags)
    }

    #[track_caller]
    fn start_by(start: fn(&[&str]) -> Server, name: &str, flags: &[&str]) -> Self {
        let directory = Directory::new(name);
        make_certificate(&directory);
        let (cert, key) = (directory.path("cert.pem"), directory.path("key.pem"));
        let tls = ["--listen", "tls://127.0.0.1:0", "--tls-cert", &cert, "--tls-key", &key];
        let mut server = start(&[&tls, flags].concat());
        let addr = server.next_place().strip_prefix("tls://").expect("a URL").to_owned();
        Self { server, directory, addr }
    }

    #[track_caller]
    pub(crate) fn connect(&self, version: &'static SupportedProtocolVersion) -> Stream {
        self.try_connect(version).expect("a handshake")
    }

    pub(crate) fn connect_behind(&self, header: &[u8]) -> io::Result<Stream> {
        self.connect_behind_at(&self.addr, header)
    }

    /// The same to another place of the server.
    pub(crate) fn connect_behind_at(&self, addr: &str, header: &[u8]) -> io::Result<Stream> {
        let mut tcp = dial(addr);
        tcp.write_all(header)?;
        self.shake_hands(tcp, &TLS13)
    }

    pub(crate) fn try_connect(&self, version: &'static SupportedProtocolVersion) -> io::Result<Stream> {
        self.shake_hands(self.dial(), version)
    }

    /// Connects with a small receive buffer and small packets, so that the kernel buffers hardly anything that is not read.
    #[track_caller]
    pub(crate) fn connect_narrow(&self, version: &'static SupportedProtocolVersion) -> Stream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4096).expect("an option of SOL_SOCKET");
        socket.set_tcp_mss(1000).expect("a size above the least");
        socket.connect(&self.addr.parse::<SocketAddr>().expect("an address").into()).expect("it listens");
        socket.set_read_timeout(Some(DEADLINE)).expect("a time");
        self.shake_hands(socket.into(), version).expect("a handshake")
    }

    /// How clients connect that are willing to tell the keys that they have agreed on.
    pub(crate) fn client(&self, version: &'static SupportedProtocolVersion) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.directory.path("cert.pem")).expect("PEM")).expect("a certificate");
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .expect("it is supported")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.enable_secret_extraction = true;
        ClientConnection::new(Arc::new(config), "localhost".try_into().expect("a name")).expect("a client")
    }

    fn shake_hands(&self, tcp: TcpStream, version: &'static SupportedProtocolVersion) -> io::Result<Stream> {
        let mut stream = StreamOwned::new(self.client(version), tcp);
        stream.conn.complete_io(&mut stream.sock)?;
        Ok(BufReader::new(stream))
    }

    pub(crate) fn dial(&self) -> TcpStream {
        dial(&self.addr)
    }
}

fn dial(addr: &str) -> TcpStream {
    let tcp = TcpStream::connect(addr).expect("it listens");
    tcp.set_read_timeout(Some(DEADLINE)).expect("a time");
    tcp
}

pub(crate) fn send(stream: &mut Stream, lines: &str) {
    stream.get_mut().write_all(lines.as_bytes()).expect("it is connected");
    stream.get_mut().flush().expect("it is connected");
}

#[track_caller]
pub(crate) fn expect(stream: &mut Stream, line: &str) {
    let mut got = String::new();
    while got.trim_end() != line {
        got.clear();
        assert_ne!(stream.read_line(&mut got).expect("lines come"), 0, "no line {line:?}");
    }
}

/// What comes until the end, which has to be announced.
pub(crate) fn rest(stream: &mut Stream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("close_notify comes before the end");
    text
}

#[test]
fn a_conversation_is_as_without_tls_and_its_end_is_announced() {
    let server = TlsServer::start("talk", &[]);
    for (version, name) in [(&TLS12, "eve"), (&TLS13, "joe")] {
        let mut ann = server.server.join("ann");
        let mut other = server.connect(version);
        send(&mut other, &format!("rename|{name}\nhello\nto|ann|psst\nsync|1\n"));
        expect(&mut other, "sync|1");
        ann.expect_among(&format!("from:[{name}] says:psst"));
        ann.say("hi");
        expect(&mut other, &ann.says("hi"));
        send(&mut other, "quit\n");
        assert!(rest(&mut other).ends_with("goodbye\n"));
    }
}

#[test]
fn the_end_of_input_without_close_notify_is_one_too_and_answers_still_come() {
    let server = TlsServer::start("eof", &[]);
    let mut client = server.connect(&TLS13);
    send(&mut client, "rename|ann\nsync|1\nwait|0.2|user|nobody\n");
    client.get_ref().sock.shutdown(Shutdown::Write).expect("it is connected");
    assert!(rest(&mut client).ends_with("sync|1\nwait|timeout\n"));
    let mut client = server.connect(&TLS13);
    send(&mut client, "sync|2");
    client.get_mut().conn.send_close_notify();
    client.get_mut().flush().expect("it is connected");
    assert!(rest(&mut client).ends_with("sync|2\n"));
}

#[test]
fn who_speaks_no_tls_is_closed_without_an_answer() {
    let server = TlsServer::start("plain", &[]);
    let mut plain = server.dial();
    plain.write_all(b"rename|ann\nhello\n").expect("it is connected");
    let mut got = Vec::new();
    match plain.read_to_end(&mut got) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    assert_eq!(got, b"");
    assert!(server.server.log().is_empty(), "nor is there anything to say about it");
}

#[test]
fn a_handshake_that_stops_is_given_up_and_holds_up_no_other() {
    let server = TlsServer::start("stops", &[]);
    let mut hello = Vec::new();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("supported")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let mut tls = ClientConnection::new(Arc::new(config), "localhost".try_into().expect("a name")).expect("a client");
    tls.write_tls(&mut hello).expect("a vector takes all");
    let mut stopped: Vec<_> = (0..100)
        .map(|n| {
            let mut tcp = server.dial();
            tcp.write_all(&hello[..hello.len() * n / 100]).expect("it is connected");
            tcp
        })
        .collect();
    let mut client = server.connect(&TLS13);
    send(&mut client, "sync|1\n");
    expect(&mut client, "sync|1");
    for tcp in &mut stopped {
        let mut got = Vec::new();
        tcp.read_to_end(&mut got).expect("it is closed in time");
        assert_eq!(got, b"");
    }
    send(&mut client, "sync|2\n");
    expect(&mut client, "sync|2");
}

#[test]
fn a_reader_that_was_behind_gets_all_in_order_and_a_large_text_arrives_whole() {
    let server = TlsServer::start("behind", &["--rate", "0", "--burst", "100000", "--max-line", "64K"]);
    let mut reader = server.connect(&TLS13);
    send(&mut reader, "sync|here\n");
    expect(&mut reader, "sync|here");
    let mut writer = server.connect(&TLS12);
    let lines = |n: usize| format!("{n} {}\n", "x".repeat(if n % 100 == 7 { 60_000 } else { 2000 }));
    for n in 0..1500 {
        send(&mut writer, &lines(n));
    }
    send(&mut writer, "sync|all\n");
    expect(&mut writer, "sync|all");
    for n in 0..1500 {
        let mut line = String::new();
        while !line.contains(" x") {
            line.clear();
            reader.read_line(&mut line).expect("lines come");
        }
        assert!(line.ends_with(&format!(":{}", lines(n))), "{n}: {} bytes", line.len());
    }
}

#[test]
fn a_certificate_is_made_once_and_its_key_is_secret() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new("cert");
    make_certificate(&directory);
    let key = directory.path("key.pem");
    assert_eq!(fs::metadata(&key).expect("a key").permissions().mode() & 0o777, 0o600);
    let before = fs::read(&key).expect("a key");
    let (code, out, err) = run(&["cert", "--self-signed", &directory.path("")]);
    assert_eq!((code, &*out), (1, ""));
    assert_eq!(err, format!("pipechat: {} exists\n", directory.path("cert.pem")));
    assert_eq!(fs::read(&key).expect("a key"), before);
    let (code, _, err) = run(&["cert", "--self-signed", &directory.path("new")]);
    assert_eq!((code, &*err), (0, ""));
    assert!(fs::exists(directory.path("new/cert.pem")).expect("ours"));
}

#[test]
fn a_bad_certificate_is_a_failure_to_start() {
    let directory = Directory::new("bad");
    make_certificate(&directory);
    let start = |cert: &str, key: &str| {
        let words = ["--listen", "tls://127.0.0.1:0", "--tls-cert", cert, "--tls-key", key];
        let (code, out, err) = run(&words);
        assert_eq!((code, &*out), (1, ""));
        assert_eq!(err.lines().count(), 1, "{err}");
        err
    };
    let (cert, key) = (directory.path("cert.pem"), directory.path("key.pem"));
    assert!(start("/nowhere", &key).contains("can't read /nowhere: "));
    assert!(start(&key, &key).contains("it has no certificate in PEM"));
    assert!(start(&cert, &cert).contains(&format!("can't read {cert}: ")));
    let others = Directory::new("others");
    make_certificate(&others);
    assert!(start(&cert, &others.path("key.pem")).contains("can't use "));
    assert_eq!(run(&["--listen", "tls://127.0.0.1:0"]).0, 2);
}
