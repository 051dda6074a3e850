//! Takes telnet's commands (RFC 854) out of the bytes, so that `telnet` is a client like any other, and finds the peer's first
//! negotiation, which shows that it is telnet.

use std::mem;

const IAC: u8 = 255;
const DONT: u8 = 254;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;
/// No command is below this one: end of file (RFC 1184).
const COMMAND_MIN: u8 = 236;

/// Finds telnet's commands, however the bytes are cut into packets.
#[derive(Debug, Default)]
pub struct Telnet {
    state: State,
    /// The peer has negotiated, as no plain client does.
    has_negotiated: bool,
}

/// What [`Telnet::strip`] has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// Bytes of text, at the front.
    pub len: usize,
    /// How many of them came before the peer's first negotiation, if that was among these bytes.
    pub before_negotiation: Option<usize>,
}

/// Where in a telnet command the bytes so far have ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In none.
    #[default]
    Data,
    /// After IAC.
    Command,
    /// After IAC WILL, WONT, DO or DONT: the option comes.
    Negotiation,
    /// In a subnegotiation.
    Sub,
    /// In a subnegotiation, after IAC.
    SubCommand,
}

impl Telnet {
    /// Moves what is text to the front of `bytes` and tells how much it is. 0xFF occurs in no UTF-8, so other clients lose
    /// nothing.
    pub fn strip(&mut self, bytes: &mut [u8]) -> Text {
        if self.state == State::Data && memchr::memchr(IAC, bytes).is_none() {
            return Text { len: bytes.len(), before_negotiation: None };
        }
        let (mut kept, mut at, mut before_negotiation) = (0, 0, None);
        while at < bytes.len() {
            let rest = &bytes[at..];
            // Text, and what is within a subnegotiation, is passed over as a whole.
            let stretch = match self.state {
                State::Data | State::Sub if rest[0] == IAC => 0, // one command after the other
                State::Data | State::Sub => memchr::memchr(IAC, rest).unwrap_or(rest.len()),
                State::Command | State::Negotiation | State::SubCommand => 0,
            };
            if self.state == State::Data {
                bytes.copy_within(at..at + stretch, kept);
                kept += stretch;
            }
            at += stretch;
            let Some(&byte) = bytes.get(at) else { break };
            at += 1;
            if self.state == State::Negotiation && !mem::replace(&mut self.has_negotiated, true) {
                before_negotiation = Some(kept);
            }
            let (next, text) = self.state.after(byte);
            self.state = next;
            if let Some(text) = text {
                bytes[kept] = text;
                kept += 1;
            }
        }
        Text { len: kept, before_negotiation }
    }
}

impl State {
    /// Where a byte leads, and what text it is.
    fn after(self, byte: u8) -> (Self, Option<u8>) {
        match (self, byte) {
            (Self::Data, IAC) => (Self::Command, None),
            // Not telnet, but a stray 0xFF. A line ends where it ends, or the next one would be said as a part of it.
            (Self::Command, b'\n' | b'\r') | (Self::Data, _) => (Self::Data, Some(byte)),
            // Likewise: the line is not UTF-8.
            (Self::Command, IAC | ..COMMAND_MIN) => (Self::Data, Some(IAC)),
            (Self::Command, WILL..=DONT) => (Self::Negotiation, None),
            (Self::Command, SB) => (Self::Sub, None),
            (Self::Command | Self::Negotiation, _) | (Self::SubCommand, SE) => (Self::Data, None),
            (Self::Sub, IAC) => (Self::SubCommand, None),
            (Self::Sub | Self::SubCommand, _) => (Self::Sub, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(bytes: &[u8], cut: usize) -> Vec<u8> {
        let mut telnet = Telnet::default();
        let strip = |packet: &[u8]| {
            let mut packet = packet.to_vec();
            let text = telnet.strip(&mut packet);
            packet.truncate(text.len);
            packet
        };
        bytes.chunks(cut).flat_map(strip).collect()
    }

    #[test]
    fn commands_vanish_and_text_stays() {
        for (bytes, text) in [
            (&b"plain\r\n"[..], &b"plain\r\n"[..]),
            (b"\xff\xfd\x03\xff\xfb\x18hi\r\n", b"hi\r\n"),
            (b"\xff\xfa\x18\x00xterm\n\xff\xff\xff\xf0hi", b"hi"),
            (b"a\xff\xffb", b"a\xffb"),
            (b"a\xff\xf1b\xff\xf9c\xff\xecd", b"abcd"),
            (b"a\xff\nb\xff\r\nc", b"a\nb\r\nc"),
            (b"a\xffbc\xff\0\n", b"a\xffc\xff\n"),
            ("張三\n".as_bytes(), "張三\n".as_bytes()),
        ] {
            for cut in 1..=bytes.len() {
                assert_eq!(strip(bytes, cut), text, "{bytes:?} in packets of {cut}");
            }
        }
    }

    #[test]
    fn the_first_negotiation_is_told_once_and_where() {
        for (bytes, before) in [
            (&b"plain\r\n"[..], None),
            (b"\xff\xfb\x18hi", Some(0)),
            (b"a\xff\xffb\xff\xfe\x01c\xff\xfd\x03", Some(3)),
            (b"\xff\xf1a\xff\xfa\x18\xff\xfb\x01\xff\xf0b\xff\xfb", None), // within a subnegotiation, and the beginning of one
        ] {
            for cut in 1..=bytes.len() {
                let (mut telnet, mut text, mut found) = (Telnet::default(), 0, None);
                for packet in bytes.chunks(cut) {
                    let stripped = telnet.strip(&mut packet.to_vec());
                    let here = stripped.before_negotiation.map(|before| text + before);
                    assert!(found.is_none() || here.is_none(), "{bytes:?} in packets of {cut}: told twice");
                    found = found.or(here);
                    text += stripped.len;
                }
                assert_eq!(found, before, "{bytes:?} in packets of {cut}");
            }
        }
    }
}
