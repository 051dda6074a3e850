use std::os::unix::net::UnixStream;

use futures::poll;
use rustls::{ClientConfig, ClientConnection, RootCertStore, crypto::ring, pki_types::PrivateKeyDer, version::TLS12};

use super::{super::handshakes, *};
use crate::{
    broker::{Memory, outbox},
    reactor::{Executor, Poller, Token},
};

/// The two sides of a handshake with TLS 1.2.
fn sides() -> (Arc<ServerConfig>, ClientConnection) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(client), "localhost".try_into().unwrap()).unwrap();
    (Arc::new(server), client)
}

/// Sends all that the client has to say.
fn say(client: &mut ClientConnection, stream: &mut UnixStream) {
    while client.wants_write() {
        client.write_tls(stream).unwrap();
    }
}

#[test]
fn a_handshake_is_over_when_the_last_word_of_it_is_sent() {
    let (config, mut client) = sides();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let poller = Rc::new(Poller::new().unwrap());
    let executor = Executor::new(Rc::clone(&poller));
    let socket = Rc::new(Socket::new(ours, Token(1), poller).unwrap());
    let (permits, granting) = handshakes();
    executor.spawn(granting).detach();
    executor.run(async move {
        let (_outbox, inbox) = outbox(None, Memory::new(1 << 20));
        let mut accept = Box::pin(TlsSocket::accept(Rc::clone(&socket), config, inbox.gauge(), &permits));
        say(&mut client, &mut theirs);
        while !client.wants_write() {
            assert!(poll!(&mut accept).is_pending());
            match client.read_tls(&mut theirs) {
                Ok(_) => drop(client.process_new_packets().unwrap()),
                Err(error) => assert!(is_transient(&error), "{error}"),
            }
            task::yield_now().await;
        }
        // Something is on its way to the client, and it takes no more.
        let mut filled = 0;
        while let Ok(written) = socket.write(iter::once(&[0; 4096][..])) {
            filled += written;
        }
        say(&mut client, &mut theirs);
        while !socket.peek(&mut [0]).is_err_and(|error| is_transient(&error)) {
            assert!(poll!(&mut accept).is_pending());
            task::yield_now().await;
        }
        assert!(poll!(&mut accept).is_pending(), "the client was not told that it is over");
        while filled > 0 {
            let most = filled.min(4096);
            filled -= theirs.read(&mut [0; 4096][..most]).unwrap();
        }
        let accepted = accept.await.unwrap();
        assert!(!accepted.has_unsent());
        while client.is_handshaking() {
            client.read_tls(&mut theirs).unwrap();
            client.process_new_packets().unwrap();
        }
    });
}
