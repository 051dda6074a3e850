//! Telnet's commands and keys: what is no text is taken out, however much of it comes.

use common::{EN, Server};
use rustix::process::Signal;

use crate::MB;

#[test]
fn telnet_sequences_are_removed() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    // Telnet's offers at the start, an answer, a window size with an IAC in it, NOP, and Ctrl-C's IP.
    ann.send(b"\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00\xff\xff\x00\x18\xff\xf0one\r\n");
    ann.send(b"t\xff\xf1w\xff\xfe\x01o\r\0three\xff\xf4\r\nfo\xff");
    ann.send(b"\xfb\x01ur\r\n");
    for text in ["one", "two", "three", "four"] {
        ann.expect(&(ann.says(text) + "\r"));
        bob.expect(&ann.says(text));
    }
    ann.send(b"a\xff\xffb\r\n"); // a doubled IAC is the byte itself, which is not UTF-8
    ann.expect(&format!("{}\r", EN.not_utf8));
    ann.send("张三\r\n".as_bytes());
    ann.expect(&(ann.says("张三") + "\r"));
    bob.expect(&ann.says("张三"));
}

#[test]
fn keys_of_telnet_without_end_are_one_line_and_take_no_memory() {
    let server = Server::start_alone(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    ann.send(b"\xff\xfd\x01");
    let before = server.rss();
    for keys in [&b"x\x7f"[..], b"\x08\x7f", b"\xff\xfd\x01", b"\xff\xfb\x01x\x08", b"e\xcc\x81\x7f"] {
        let mebibyte = keys.repeat((1 << 20) / keys.len());
        (0..4).for_each(|_| ann.send(&mebibyte));
    }
    // A line of the longest length, erased and typed again: nothing of it is said.
    (0..500).for_each(|_| ann.send(&[[b'x'; 4096], [b'\x7f'; 4096]].concat()));
    ann.send(b"hi\r\0");
    ann.expect(&(ann.says("hi") + "\r"));
    bob.expect(&ann.says("hi"));
    let grown = server.peak_rss() - before;
    assert!(grown < 2 * MB, "{grown} bytes more");
}

#[test]
fn lines_after_urgent_data_are_read() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    // Everything is in the socket before the server reads any of it: a read stops at urgent data.
    server.signal(Signal::STOP);
    ann.send(b"one\n\xff");
    ann.send_urgent(b"\xf2"); // telnet's Synch
    ann.send(b"two\nthree\n");
    server.signal(Signal::CONT);
    for text in ["one", "two", "three"] {
        ann.expect(&ann.says(text));
    }
}

#[test]
fn an_endless_telnet_subnegotiation_takes_no_memory() {
    let server = Server::start_alone(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let before = server.rss();
    ann.send(b"\xff\xfa");
    (0..20).for_each(|_| ann.send(&vec![b'\n'; 1 << 20]));
    ann.send(b"\xff\xf0hi\n");
    ann.expect(&ann.says("hi"));
    bob.expect(&ann.says("hi"));
    let grown = server.peak_rss() - before;
    assert!(grown < 2 * MB, "{grown} bytes more");
}
