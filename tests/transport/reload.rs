//! SIGHUP: limits and certificate are read again, and nobody is disconnected.

use std::fs;

use common::{DEADLINE, EN, Server};
use rustix::process::Signal;
use rustls::version::TLS13;

use super::{
    Directory,
    tls::{TlsServer, make_certificate},
};

#[test]
fn a_new_certificate_holds_for_new_connections_and_a_bad_one_for_none() {
    let server = TlsServer::start("renew", &[]);
    let mut ann = server.server.join("ann");
    let cert = server.directory.path("cert.pem");
    server.try_connect(&TLS13).expect("the first certificate");
    fs::write(&cert, "no certificate").expect("a file");
    server.server.signal(Signal::HUP);
    server.server.expect_log(1, "not reloaded: can't read ");
    for name in ["cert.pem", "key.pem"] {
        fs::remove_file(server.directory.path(name)).expect("a file");
    }
    make_certificate(&server.directory);
    server.try_connect(&TLS13).map(drop).expect_err("the first certificate is still in force");
    server.server.signal(Signal::HUP);
    server.server.expect_log(1, "reloaded: limits, certificate and bans");
    server.try_connect(&TLS13).expect("the second certificate");
    ann.fence();
}

#[test]
fn limits_are_read_again_from_the_file_and_nobody_is_disconnected() {
    let directory = Directory::new("limits");
    let file = directory.path("chat.toml");
    fs::write(&file, "max-line = 100\n").expect("a file");
    let server = Server::start(&["--config", &file]);
    let mut ann = server.join("ann");
    fs::write(&file, "max-line = nonsense\n").expect("a file");
    server.signal(Signal::HUP);
    server.expect_log(1, "not reloaded: ");
    fs::write(&file, "max-line = 10\nmax-clients = 2\n").expect("a file");
    server.signal(Signal::HUP);
    server.expect_log(1, "INFO  pipechat::net] reloaded: ");
    ann.say("this is longer than ten bytes");
    ann.fence();
    let mut bob = server.join("bob");
    bob.say("this is longer than ten bytes");
    bob.expect_among(&EN.line_too_long(10));
    let mut eve = server.dial();
    eve.expect(EN.full);
    ann.fence();
    server.signal(Signal::TERM);
    assert_eq!(server.exit(DEADLINE).0.code(), Some(0));
}

#[test]
fn bans_are_read_again_from_the_store_and_nobody_is_disconnected() {
    let directory = Directory::new("bans");
    let (config, store) = (directory.path("chat.toml"), directory.path("chat.db"));
    fs::write(&config, format!("store = {store:?}\n")).expect("a file");
    let server = Server::start(&["--config", &config]);
    let mut ann = server.join("ann");
    let file = rusqlite::Connection::open(&store).expect("the store");
    let ban = "insert into bans (kind, who, room, by, reason, created)
        values ('ban', '127.0.0.1', '', 'hand', 'flood', '2026-11-26T09:30:00.000Z')";
    file.execute(ban, []).expect("a ban");
    server.signal(Signal::HUP);
    server.expect_log(1, "bans and mutes were read again: 1");
    ann.fence();
    server.dial().expect("notice you are banned: flood");
    file.execute("delete from bans", []).expect("no ban");
    server.signal(Signal::HUP);
    server.expect_log(1, "bans and mutes were read again: 0");
    server.join("bob").fence();
}
