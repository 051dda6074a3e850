//! Takes telnet's commands (RFC 854) out of the bytes, so that `telnet` is a client like any other.

const IAC: u8 = 255;
const DONT: u8 = 254;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;

/// Where in a telnet command the bytes so far have ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Telnet {
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
    pub fn strip(&mut self, bytes: &mut [u8]) -> usize {
        if *self == Self::Data && memchr::memchr(IAC, bytes).is_none() {
            return bytes.len();
        }
        let (mut kept, mut at) = (0, 0);
        while at < bytes.len() {
            let rest = &bytes[at..];
            // Text, and what is within a subnegotiation, is passed over as a whole.
            let stretch = match self {
                Self::Data | Self::Sub if rest[0] == IAC => 0, // one command after the other
                Self::Data | Self::Sub => memchr::memchr(IAC, rest).unwrap_or(rest.len()),
                Self::Command | Self::Negotiation | Self::SubCommand => 0,
            };
            if *self == Self::Data {
                bytes.copy_within(at..at + stretch, kept);
                kept += stretch;
            }
            at += stretch;
            let Some(&byte) = bytes.get(at) else { break };
            at += 1;
            let (next, is_text) = self.after(byte);
            *self = next;
            if is_text {
                bytes[kept] = byte;
                kept += 1;
            }
        }
        kept
    }

    /// Where a byte leads, and whether it is text.
    fn after(self, byte: u8) -> (Self, bool) {
        match (self, byte) {
            (Self::Data, IAC) => (Self::Command, false),
            (Self::Data, _) | (Self::Command, IAC) => (Self::Data, true),
            (Self::Command, WILL..=DONT) => (Self::Negotiation, false),
            (Self::Command, SB) => (Self::Sub, false),
            (Self::Command | Self::Negotiation, _) | (Self::SubCommand, SE) => (Self::Data, false),
            (Self::Sub, IAC) => (Self::SubCommand, false),
            (Self::Sub | Self::SubCommand, _) => (Self::Sub, false),
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
            let kept = telnet.strip(&mut packet);
            packet.truncate(kept);
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
            (b"a\xff\xf1b\xff\xf9c", b"abc"),
            ("張三\n".as_bytes(), "張三\n".as_bytes()),
        ] {
            for cut in 1..=bytes.len() {
                assert_eq!(strip(bytes, cut), text, "{bytes:?} in packets of {cut}");
            }
        }
    }
}
