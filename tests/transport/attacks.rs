//! Clients that make the server work with TLS alone: an innocent client must be answered all the time. A debug build on a busy
//! machine takes longer for everything, so the bounds are wide.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use common::{DEADLINE, Innocent, note, until};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::{
    ClientConnection, ConnectionTrafficSecrets, ContentType, ProtocolVersion,
    crypto::cipher::{OutboundChunks, OutboundPlainMessage},
    version::{TLS12, TLS13},
};

use super::tls::{TlsServer, expect, send};

/// How long an innocent client may wait for an answer.
const LIMIT: Duration = Duration::from_secs(2);
const ATTACKERS: usize = 200;

/// Shakes hands, and answers what is left of the client: its socket, and its side of TLS.
fn attacker(server: &TlsServer) -> (TcpStream, ClientConnection) {
    let (tls, tcp) = server.connect(&TLS13).into_inner().into_parts();
    (tcp, tls)
}

/// All attackers send their bytes as fast as they are taken, or until they are disconnected, beside an innocent client.
fn attack(server: &TlsServer, attackers: Vec<(TcpStream, Vec<u8>)>) -> Vec<TcpStream> {
    let innocent = Innocent::start(server.server.connect());
    let began = Instant::now();
    let chunks = attackers.len() / 4;
    let mut attackers = attackers;
    thread::scope(|scope| {
        for attackers in attackers.chunks_mut(chunks) {
            scope.spawn(move || {
                // A piece of each in turn, so that all are at it all the time.
                for piece in 0..16 {
                    for (tcp, bytes) in &mut *attackers {
                        let of = |n: usize| bytes.len() * n / 16;
                        tcp.set_write_timeout(Some(DEADLINE)).expect("a time");
                        tcp.write_all(&bytes[of(piece)..of(piece + 1)]).ok();
                    }
                }
            });
        }
    });
    note(&format!("sent within {:.1?}", began.elapsed()));
    innocent.finish_within(LIMIT);
    attackers.into_iter().map(|(tcp, _)| tcp).collect()
}

/// So many records without text, encrypted with the keys that were agreed on.
fn records(tls: ClientConnection, count: u64) -> Vec<u8> {
    let suite = tls.negotiated_cipher_suite().and_then(|suite| suite.tls13()).expect("TLS 1.3");
    let (first, secrets) = tls.dangerous_extract_secrets().expect("it is willing to").tx;
    let mut encrypter = match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv }
        | ConnectionTrafficSecrets::Aes256Gcm { key, iv }
        | ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => suite.aead_alg.encrypter(key, iv),
        _ => panic!("another cipher"),
    };
    let mut bytes = Vec::new();
    for n in 0..count {
        let record = OutboundPlainMessage {
            typ: ContentType::ApplicationData,
            version: ProtocolVersion::TLSv1_2,
            payload: OutboundChunks::Single(b""),
        };
        bytes.extend(encrypter.encrypt(record, first + n).expect("it fits").encode());
    }
    bytes
}

#[test]
fn new_keys_again_and_again() {
    let server = TlsServer::start_alone("keys", &[]);
    let attackers = (0..ATTACKERS).map(|_| {
        let (tcp, mut tls) = attacker(&server);
        let mut bytes = Vec::new();
        for _ in 0..500 {
            tls.refresh_traffic_keys().expect("TLS 1.3");
            tls.writer().write_all(b"x").expect("it has room"); // updates without data between them are misbehaviour
            while tls.wants_write() {
                tls.write_tls(&mut bytes).expect("a vector takes all");
            }
        }
        (tcp, bytes)
    });
    let attackers = attackers.collect();
    let before = server.server.rss();
    attack(&server, attackers);
    let grown = server.server.peak_rss().saturating_sub(before);
    assert!(grown < 32 << 20, "{grown} bytes more");
}

#[test]
fn new_keys_without_a_word_between() {
    let server = TlsServer::start("misbehaves", &[]);
    let (mut tcp, mut tls) = attacker(&server);
    let mut bytes = Vec::new();
    for _ in 0..100 {
        tls.refresh_traffic_keys().expect("TLS 1.3");
        tls.write_tls(&mut bytes).expect("a vector takes all");
    }
    tcp.write_all(&bytes).ok();
    if let Err(error) = tcp.read_to_end(&mut Vec::new()) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "it is disconnected");
    }
    server.server.join("ann").fence();
}

#[test]
fn records_with_nothing_in_them() {
    let server = TlsServer::start_alone("empty", &[]);
    let attackers = (0..ATTACKERS).map(|_| {
        let (tcp, tls) = attacker(&server);
        (tcp, records(tls, 5000))
    });
    let attackers = attackers.collect();
    let before = server.server.rss();
    attack(&server, attackers);
    let grown = server.server.peak_rss().saturating_sub(before);
    assert!(grown < 32 << 20, "{grown} bytes more");
}

#[test]
fn handshakes_that_stop_half_way() {
    const STOPPED: usize = 2000;
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files }).expect("up to the maximum");
    let server = TlsServer::start_alone("half", &[]);
    let innocent = Innocent::start(server.server.connect());
    let mut hello = Vec::new();
    server.client(&TLS13).write_tls(&mut hello).expect("a vector takes all");
    // Half of them have the server sign its certificate, and say nothing more.
    let stopped: Vec<_> = (0..STOPPED)
        .map(|n| {
            let mut tcp = server.dial();
            tcp.write_all(&hello[..hello.len() / (1 + n % 2)]).expect("it is connected");
            tcp
        })
        .collect();
    for n in 0..10 {
        let began = Instant::now();
        server.server.join(&format!("plain{n}")).fence();
        assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
        // This one waits for its turn, but not as long as a handshake may take.
        let mut client = server.connect(if n % 2 == 0 { &TLS12 } else { &TLS13 });
        send(&mut client, "sync|1\n");
        expect(&mut client, "sync|1");
        note(&format!("another client with TLS: {:.1?}", began.elapsed()));
    }
    innocent.finish_within(LIMIT);
    drop(stopped);
}

#[test]
fn connections_that_do_nothing_count_as_memory() {
    const CLIENTS: usize = 400;
    let server = TlsServer::start_alone("memory", &["--max-memory", "2M"]);
    let files = server.server.open_files();
    let clients: Vec<_> = (0..CLIENTS)
        .filter_map(|_| {
            // One whose handshake takes memory when there is none left may be the one that has to go.
            let mut client = server.try_connect(&TLS13).ok()?;
            client.get_mut().write_all(b"format|json\n").ok();
            Some(client)
        })
        .collect();
    // What rustls holds for a connection is 8 KB of the account: no more of them can stay than it has room for.
    until("some were disconnected", || server.server.open_files() <= files + (2 << 20) / (8 << 10));
    server.server.expect_log(CLIENTS / 4, "slow-consumer");
    server.server.join("ann").fence();
    drop(clients);
}

#[test]
fn handshakes_that_stop_half_way_give_way_when_memory_runs_out() {
    let server = TlsServer::start("half-way", &["--max-memory", "100k"]);
    let mut ann = server.server.join("ann");
    let began = Instant::now();
    let half: Vec<_> = (0..40).map(|_| server.dial()).collect();
    for tcp in &half {
        tcp.set_nonblocking(true).expect("a socket");
    }
    let is_closed = |mut tcp: &TcpStream| match tcp.read(&mut [0]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    };
    while !half.iter().any(is_closed) {
        ann.fence();
        assert!(began.elapsed() < Duration::from_secs(9), "that they take too long is another thing");
    }
    ann.fence();
}
