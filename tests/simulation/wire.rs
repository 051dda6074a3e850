//! What holds of framing, parsing, rules and rendering together, whatever bytes a peer sends and however they are cut.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use jiff::Timestamp;
use pipechat::{
    chat::{Capacity, Chat, ClientId, Event, Input, Limits, Line, Output, Rate, Refusal, Rules},
    protocol::{Dialect, Framer, Stamp, Telnet, parse, parse_frame, render},
};

use crate::reader::{Heard, is_obeyed, read};

/// Short, so that lines that are too long are found soon.
const LINE_MAX: usize = 64;

/// Lets a client send `bytes`, in packets of `packet` bytes, and panics where something does not hold.
pub(crate) fn check(bytes: &[u8], packet: usize) {
    let lines = lines_of(bytes, packet);
    assert_eq!(lines, lines_by_the_book(bytes), "in packets of {packet}");
    let mut chat = Chat::new(Rules {
        capacity: Capacity::default(),
        wait_max: Duration::from_secs(60),
        strict_idle: false,
        limits: Arc::new(Limits {
            line_max: LINE_MAX,
            queue_max: 1 << 20,
            rate: Rate { per_second: 0, burst: 0 },
            idle_timeout: Duration::ZERO,
            write_timeout: Duration::from_secs(10),
            wait_max: Duration::from_secs(60),
            clients_max: usize::MAX,
        }),
    });
    let mut out = Vec::new();
    for client in [0_u16, 1] {
        chat.handle(
            ClientId(client.into()),
            Input::Arrive(SocketAddr::from(([127, 0, 0, 1], 1000 + client))),
            &mut out,
        );
    }
    let mut client = ClientId(0);
    for (line, n) in lines.into_iter().zip(2_u16..) {
        chat.handle(client, Input::Lines(vec![line]), &mut out);
        // A wait that lasts is ended by the clock, and with it the client; another one says the rest.
        chat.tick(Duration::from_secs(120 * u64::from(n)), &mut out);
        if chat.members().all(|(member, _)| member != client) {
            client = ClientId(n.into());
            chat.handle(client, Input::Arrive(SocketAddr::from(([127, 0, 0, 1], 1000 + n))), &mut out);
        }
    }
    chat.handle(client, Input::Eof, &mut out);
    for output in out {
        if let Output::Tell(_, event) = output {
            look_at(&event);
        }
    }
}

/// What the program makes of the bytes.
fn lines_of(bytes: &[u8], packet: usize) -> Vec<Line> {
    let (mut telnet, mut framer, mut lines) = (Telnet::default(), Framer::new(LINE_MAX), Vec::new());
    for packet in bytes.chunks(packet.max(1)) {
        let mut packet = packet.to_vec();
        let text = telnet.strip(&mut packet);
        let mut text = &packet[..text];
        while let Some(frame) = framer.next(&mut text) {
            lines.push(parse_frame(&frame, LINE_MAX));
        }
    }
    lines.extend(framer.finish().map(|frame| parse_frame(&frame, LINE_MAX)));
    lines
}

/// The same, as RFC 854 and the README have it, a byte at a time and with all of them at hand.
fn lines_by_the_book(bytes: &[u8]) -> Vec<Line> {
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    let complete = |line: &mut Vec<u8>| {
        let line = std::mem::take(line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if line.len() > LINE_MAX { Err(Refusal::LineTooLong(LINE_MAX)) } else { parse(line) }
    };
    for byte in without_telnet(bytes) {
        if byte == b'\n' || byte == 0 && line.last() == Some(&b'\r') {
            lines.push(complete(&mut line));
        } else {
            line.push(byte);
        }
    }
    if !line.is_empty() {
        lines.push(complete(&mut line));
    }
    lines
}

fn without_telnet(mut bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    loop {
        bytes = match bytes {
            [255, 255, rest @ ..] => {
                text.push(255);
                rest
            }
            [255, 250, rest @ ..] => {
                // Up to IAC SE; any other IAC takes the byte after it along.
                let mut rest = rest;
                loop {
                    rest = match rest {
                        [255, 240, after @ ..] => break after,
                        [255, _, after @ ..] | [_, after @ ..] => after,
                        [] => break &[],
                    }
                }
            }
            [255, 251..=254, _, rest @ ..] | [255, 0..=249, rest @ ..] => rest,
            [255, ..] | [] => return text, // the rest of a command has not come
            [byte, rest @ ..] => {
                text.push(*byte);
                rest
            }
        }
    }
}

/// It is whole lines in every dialect, no terminal obeys them, and who said what can be read from them.
fn look_at(event: &Event) {
    for dialect in Dialect::ALL {
        let mut line = Vec::new();
        render(&mut line, event, Stamp { seq: Some(1), at: Timestamp::UNIX_EPOCH }, dialect);
        let line = String::from_utf8(line).expect("UTF-8");
        assert!(line.is_empty() || line.ends_with('\n'), "{line:?}");
        assert!(!line.replace('\n', "").contains(is_obeyed), "{line:?}");
        // What is said in text in the very words of a notice is taken for one, of oneself; JSON tells them apart.
        let is_notice = |text: &str| ["已上线", "下线", "is online", "is offline"].contains(&text);
        let is_ambiguous = matches!(event, Event::Message { text, .. } if is_notice(text));
        let heard = Heard::of(event);
        if heard != Heard::Other && !is_ambiguous {
            assert_eq!(line.matches('\n').count(), 1, "{line:?}");
            assert_eq!(read(line.trim_end_matches('\n'), dialect), heard, "{line:?}");
        }
    }
}
