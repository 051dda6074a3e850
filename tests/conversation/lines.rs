//! What makes a line, and what happens to the lines before a half-close.

use std::io::Write;

use common::{EN, Server};

#[test]
fn a_line_may_arrive_in_pieces_or_several_in_one_packet() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    for byte in "one 二\ntwo\r\n".as_bytes() {
        ann.send(&[*byte]);
    }
    ann.expect(&ann.says("one 二"));
    ann.expect(&ann.says("two"));
    ann.send(b"three\nfour\nfi");
    ann.expect(&ann.says("three"));
    ann.expect(&ann.says("four"));
    // The incomplete line is delivered to nobody.
    assert_eq!(bob.fence(), ["one 二", "two", "three", "four"].map(|text| ann.says(text)));
    ann.send(b"ve\n\n\nsix\r\n\r\nseven\n");
    for text in ["five", "six", "seven"] {
        ann.expect(&ann.says(text));
    }
    ann.nothing();
    assert_eq!(bob.fence(), ["five", "six", "seven"].map(|text| ann.says(text)), "and no blank lines");
}

#[test]
fn the_last_line_needs_no_line_ending() {
    let server = Server::start(&[]);
    let [mut ann, bob] = server.join_all(["ann", "bob"]);
    let (said, gone) = (bob.says("last words"), bob.offline());
    (&bob.stream).write_all(b"last words").expect("connected");
    drop(bob);
    ann.expect(&said);
    ann.expect(&gone);
    ann.nothing();
}

#[test]
fn commands_before_a_half_close_are_answered_before_the_connection_closes() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    // As `printf 'who' | nc -N` does.
    let mut bob = server.dial();
    bob.send(b"rename|bob\nto|bob|note to self\nwho");
    bob.half_close();
    bob.expect(&bob.online());
    bob.expect(&EN.renamed(&bob.addr, "bob"));
    bob.expect(&EN.private("bob", "note to self"));
    bob.expect("[ann] is online");
    bob.expect("[bob] is online");
    bob.eof();
    ann.expect(&bob.online());
    ann.expect(&EN.known_as(&bob.addr, &bob.addr, "bob"));
    ann.expect(&format!("[{}]bob:is offline", bob.addr));
}

#[test]
fn thousands_of_lines_before_a_half_close_are_all_delivered() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    let mut bob = server.join("bob");
    let texts: Vec<_> = (0..2000).map(|number| format!("line {number}")).collect();
    bob.send(texts.join("\n").as_bytes());
    bob.half_close();
    let mut said: Vec<_> = texts.iter().map(|text| bob.says(text)).collect();
    assert_eq!(bob.rest(), said);
    said.splice(..0, [format!("[{0}]{0}:is online", bob.addr), bob.known_as()]);
    said.push(bob.offline());
    for line in said {
        ann.expect(&line);
    }
}
