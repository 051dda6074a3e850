//! A terminal without escape sequences: it sends whole lines, which may arrive in pieces.

use super::Typed;
use crate::client::lines::LINE_BYTES_MAX;

/// The beginning of a line.
#[derive(Debug, Default)]
pub(in crate::client) struct Plain {
    partial: Vec<u8>,
}

impl Plain {
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<Typed> {
        let mut typed = Vec::new();
        for &byte in bytes {
            if byte != b'\n' {
                // One byte more than a line may have, so that it is seen to be too long.
                if self.partial.len() <= LINE_BYTES_MAX {
                    self.partial.push(byte);
                }
            } else if self.partial.len() > LINE_BYTES_MAX {
                self.partial.clear();
                typed.push(Typed::TooLong);
            } else {
                typed.push(Typed::Line(String::from_utf8_lossy(&self.partial).into_owned()));
                self.partial.clear();
            }
        }
        typed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_arrive_in_pieces() {
        let mut plain = Plain::default();
        assert_eq!(plain.take(b"a\tb\nc"), [Typed::Line("a\tb".to_owned())]);
        assert_eq!(plain.take(b"d\n\n"), [Typed::Line("cd".to_owned()), Typed::Line(String::new())]);
        assert_eq!(plain.take(&vec![b'x'; LINE_BYTES_MAX + 1]), []);
        assert_eq!(plain.take(b"x\nnext\n"), [Typed::TooLong, Typed::Line("next".to_owned())]);
    }
}
