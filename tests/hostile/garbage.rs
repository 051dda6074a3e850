//! Bytes that are not chat: invalid text, control characters, HTTP, TLS and noise.

use std::{io::Write, net::Shutdown, thread, time::Duration};

use common::{DEADLINE, EN, Rng, Server, binary, note};
use rustix::process::Signal;

use crate::MB;

#[test]
fn every_byte_is_text_or_is_refused_to_its_sender_alone() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    for byte in 0..=255 {
        ann.send(&[b'<', byte, b'>', b'\n']);
        ann.send(b"next\n");
        let texts = match byte {
            0 => Err(EN.nul),
            0x80..=0xff => Err(EN.not_utf8),
            b'\n' => Ok(vec!["<".to_owned(), ">".to_owned()]),
            b'\t' | b' '..=b'~' => Ok(vec![format!("<{}>", char::from(byte))]),
            _ => Ok(vec![format!("<\\u{{{byte:x}}}>")]),
        };
        match &texts {
            Ok(texts) => texts.iter().for_each(|text| ann.expect(&ann.says(text))),
            Err(refusal) => ann.expect(refusal),
        }
        ann.expect(&ann.says("next"));
        for text in texts.iter().flatten() {
            bob.expect(&ann.says(text));
        }
        bob.expect(&ann.says("next"));
    }
}

#[test]
fn a_line_ends_behind_any_byte() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    for ending in ["\n", "\r\n"] {
        ann.send(&[b"Lou\xff", ending.as_bytes(), b"to|ann|secret\n"].concat());
        ann.expect(&ann.says("Lou"));
        bob.expect(&ann.says("Lou"));
        ann.expect(&EN.private("ann", "secret"));
    }
    bob.nothing();
}

#[test]
fn a_command_with_invalid_text_is_refused_and_does_nothing() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    for line in
        [&b"rename|a\xc3\x28"[..], b"to|bob|\xf0\x9f\x92", b"to|b\x80b|hi", b"\xed\xa0\x80", b"\xc0\xaf", b"who\xfe"]
    {
        ann.send(&[line, b"\n"].concat());
        ann.expect(EN.not_utf8);
    }
    for line in [&b"rename|a\0b"[..], b"to|bob|\0", b"\0", b"who\0"] {
        ann.send(&[line, b"\n"].concat());
        ann.expect(EN.nul);
    }
    bob.nothing();
    ann.say("who");
    ann.expect("[ann] is online");
    ann.expect("[bob] is online");
}

#[test]
fn characters_split_across_packets_stay_whole() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let text = "é 三 🦀 e\u{301} 👩‍👩‍👧";
    for byte in format!("{text}\n").bytes() {
        ann.send(&[byte]);
    }
    ann.expect(&ann.says(text));
    bob.expect(&ann.says(text));
}

/// All control characters but NUL, tab and LF, with their escapes.
fn controls() -> impl Iterator<Item = (char, String)> {
    let all = ('\u{1}'..='\u{1f}').chain('\u{7f}'..='\u{9f}').filter(|c| !matches!(c, '\t' | '\n'));
    all.map(|c| (c, format!("\\u{{{:x}}}", c as u32)))
}

#[test]
fn control_characters_are_escaped() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let texts: Vec<_> = controls()
        .chain(
            ['\u{202e}', '\u{2066}', '\u{200f}', '\u{2028}', '\u{2029}'].map(|c| (c, format!("\\u{{{:x}}}", c as u32))),
        )
        .collect();
    for (c, visible) in &texts {
        ann.say(&format!("a{c}b"));
        ann.expect(&ann.says(&format!("a{visible}b")));
        bob.expect(&ann.says(&format!("a{visible}b")));
        ann.say(&format!("to|bob|a{c}b"));
        bob.expect(&EN.private("ann", format!("a{visible}b")));
        ann.say(&format!("rename|a{c}b"));
        let refusal = ann.line();
        assert!(refusal.starts_with("invalid name: "), "{refusal}");
        ann.say(&format!("to|a{c}b|hi"));
        ann.expect(EN.no_such_user);
        ann.say(&format!("a{c}|b")); // looks like a command
        ann.expect(&ann.says(&format!("a{visible}|b")));
        bob.expect(&ann.says(&format!("a{visible}|b")));
    }
    ann.say("a\tb");
    ann.expect(&ann.says("a\tb"));
    bob.expect(&ann.says("a\tb"));
    // A text cannot forge the beginning of another line.
    for forged in
        ["\r[1.2.3.4:5]root:hi", "\u{85}[1.2.3.4:5]root:hi", "\u{2028}[1.2.3.4:5]root:hi", "\x1b[2K\x1b[Groot:hi"]
    {
        ann.say(forged);
        let line = bob.line();
        assert!(line.starts_with(&ann.says("\\u{")), "{line}");
    }
    ann.fence();
}

#[test]
fn a_log_entry_is_one_line_whatever_clients_send() {
    let mut command = binary();
    command.env("RUST_LOG", "trace");
    let server = Server::start_with(command, &["--port", "0", "--lang", "en"]);
    let mut bob = server.join("bob");
    let mut ann = server.connect();
    bob.expect(&ann.online());
    let forged = "[2030-01-01T00:00:00+00:00 INFO  pipechat::net::broker] #99 forged";
    for line in [
        format!("hi\r{forged}"),
        format!("rename|x\r{forged}"),
        format!("rename|x\u{85}{forged}"),
        format!("to|bob|\u{2028}{forged}"),
        "\x1b[31mred\x1b[2J".to_owned(),
        format!("GET /\r{forged} HTTP/1.1"),
        "rename|\"}\\n\\x1b[31m".to_owned(),
    ] {
        ann.say(&line);
        ann.send(b"\xff\n\0\n");
    }
    ann.fence();
    ann.send(format!("half a line\r{forged}").as_bytes());
    let offline = ann.says("");
    drop(ann);
    while !bob.line().starts_with(&offline) {}
    server.signal(Signal::TERM);
    bob.expect_among(EN.shutting_down);
    drop(bob);
    let (_, _, log) = server.exit(DEADLINE);
    assert!(log.iter().any(|line| line.contains("departed")), "{log:#?}");
    for line in &log {
        let has_offset = line.get(20..).is_some_and(|rest| rest.starts_with(['+', '-']));
        let is_entry = line.starts_with("[20") && !line.starts_with("[2030") && has_offset;
        assert!(is_entry, "not the beginning of an entry: {line:?}");
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{2028}'), "{line:?}");
        // A text may be quoted in an entry; it must not look like another entry.
        assert_eq!(
            line.matches("INFO").count() + line.matches("DEBUG").count() + line.matches("TRACE").count(),
            1,
            "{line}"
        );
    }
}

#[test]
fn an_http_request_is_told_why_it_is_disconnected() {
    let server = Server::start(&[]);
    let mut bob = server.join("bob");
    for request in ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST /chat HTTP/1.1\r\nContent-Length: 3\r\n\r\nwho"]
    {
        let mut browser = server.dial();
        browser.send(request.as_bytes());
        assert_eq!(browser.rest(), [EN.http]);
    }
    bob.nothing();
}

#[test]
fn nobody_hears_what_speaks_another_protocol() {
    let server = Server::start(&[]);
    let mut bob = server.join("bob");
    let others: [(&[u8], &str); 13] = [
        (b"patch / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n\r\nsecret\r\n", EN.http),
        (b"GET /\r\nsecret\r\n", EN.http),
        (b"\r\nGET / HTTP/1.1\r\nHost: x\r\nCookie: id=secret\r\n\r\n", EN.http),
        (b"\xff\n\0\nPOST / HTTP/1.1\r\nCookie: id=secret\r\n\r\n", EN.http), // refused lines are no first words
        (b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n\r\n", EN.http),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nsecret\n", EN.http),
        (b"DESCRIBE rtsp://camera/1 RTSP/1.0\r\nCSeq: 1\r\nAuthorization: Basic secret\r\n\r\n", EN.other_protocol),
        (b"OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm\r\nsecret\r\n\r\n", EN.other_protocol),
        (b"SSH-2.0-OpenSSH_9.2p1\r\nsecret\n", EN.other_protocol),
        (b"PROXY TCP4 10.0.0.1 10.0.0.2 56324 9999\r\nsecret\r\n", EN.other_protocol),
        (b"PROXY UNKNOWN\r\nsecret\r\n", EN.other_protocol),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x0a\0\0\x01\x0a\0\0\x02\xdc\x04\x27\x0fsecret\n", EN.other_protocol),
        (b"\x16\x03\x01\0\xa5\x01\0\0\xa1\x03\x03\nsecret\nmore\n", EN.other_protocol),
    ];
    for (number, (bytes, told)) in others.into_iter().enumerate() {
        for size in [bytes.len(), 1] {
            let mut other = server.dial();
            // Cut into packets. The server may close before the last of them.
            bytes.chunks(size).for_each(|packet| drop(other.stream.write_all(packet)));
            let mut heard = other.rest();
            heard.retain(|line| line != EN.not_utf8 && line != EN.nul && *line != other.online());
            assert_eq!(heard, [told], "number {number}");
            // Lines that tell of no other protocol announce it: blank ones, and those that are refused.
            let may_be_announced = matches!(number, 2 | 3 | 11);
            let heard = bob.fence();
            let is_pair = heard == [other.online(), other.offline()];
            assert!(heard.is_empty() || may_be_announced && is_pair, "number {number}: {heard:?}");
        }
    }
    bob.nothing();
}

#[test]
fn tls_hellos_and_random_bytes_take_neither_cpu_nor_memory() {
    let server = Server::start_alone(&["--rate", "0"]);
    let mut bob = server.join("bob");
    bob.fence();
    let seed = std::env::var("PIPECHAT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    note(&format!("random bytes of PIPECHAT_SEED={seed}"));
    let mut rng = Rng(seed);
    let before = server.rss();
    let mut hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec();
    hello.extend((0..502).map(|_| rng.number() as u8 | 1)); // random, and neither LF nor NUL
    for _ in 0..20 {
        let mut browser = server.dial();
        browser.send(&hello.iter().map(|b| if *b == b'\n' || *b == 0xff { b'x' } else { *b }).collect::<Vec<_>>());
        browser.half_close();
        let heard = browser.rest();
        assert_eq!(heard, [EN.other_protocol]);
        bob.nothing();
    }
    // One client reads its answers. The other does not, so the server soon stops reading from it.
    let noise: Vec<u8> = (0..1 << 20).flat_map(|_| rng.number().to_le_bytes()).collect();
    let (mut deaf, mut noisy) = (server.connect_narrow(), server.connect());
    thread::scope(|scope| {
        let (mut writer, noise, bob, deaf) = (noisy.writer(), &noise, &mut bob, &mut deaf);
        let offline = noisy.offline();
        scope.spawn(move || {
            writer.write_all(noise).expect("the server reads");
            writer.shutdown(Shutdown::Write).expect("connected");
        });
        scope.spawn(move || {
            deaf.stream.set_write_timeout(Some(Duration::from_millis(500))).expect("not zero");
            let taken: usize = (0..5).map_while(|_| deaf.stream.write(noise).ok()).sum();
            assert!(taken < 5 * noise.len(), "the server read {taken} bytes from a client that does not read");
        });
        scope.spawn(move || while bob.line() != offline {});
        // Some lines are valid text by chance.
        let refused = noisy.rest().iter().filter(|line| line.trim_end_matches('\r') == EN.not_utf8).count(); // it may pass for telnet
        assert!(refused > 1000, "{refused} refusals");
    });
    let grown = server.peak_rss() - before;
    assert!(grown < 8 * MB, "{grown} bytes more");
    let share = server.cpu_share(Duration::from_secs(1));
    assert!(share < 0.1, "{share} of a CPU after the noise");
}
