//! A peer that negotiates as telnet does. From that point of its input on, BS and DEL edit the line, and the lines that it is
//! sent end in CR LF. The negotiation is no line: it announces nobody and costs no credit. Only the first one counts.

use std::{mem, time::Duration};

use super::{InputState, Session, Step};

impl Session {
    /// Parses text, as far as there is credit, and keeps the rest.
    pub(super) fn parse_or_keep(&mut self, mut text: &[u8], now: Duration) {
        if self.input != InputState::Open {
            return; // the text before it has ended the connection
        }
        if self.may_parse() && self.unparsed.is_empty() {
            self.parse(&mut text, self.batch_lines_max(), now);
        }
        self.unparsed.extend_from_slice(text);
    }

    /// The peer has negotiated, after all the text so far.
    pub(super) fn negotiated(&mut self) {
        if self.input != InputState::Open {
            return; // what follows the end is dropped
        }
        if self.unparsed.is_empty() {
            self.become_telnet();
        } else {
            self.before_negotiation = Some(self.unparsed.len());
        }
    }

    /// Parses what is unparsed, up to so many lines.
    pub(super) fn parse_unparsed(&mut self, lines_max: usize, now: Duration) {
        let unparsed = mem::take(&mut self.unparsed);
        let Some(length) = self.before_negotiation else {
            let mut rest = &unparsed[..];
            self.parse(&mut rest, lines_max, now);
            self.unparsed = rest.to_vec();
            return;
        };
        let (mut before, mut after) = unparsed.split_at(length);
        let lines = self.batch.lines;
        self.parse(&mut before, lines_max, now);
        let lines_left = lines_max - (self.batch.lines - lines);
        if self.input == InputState::Closed {
            return; // what follows the end is dropped
        }
        if before.is_empty() {
            self.before_negotiation = None;
            self.become_telnet();
            if self.may_parse() || self.is_broken {
                self.parse(&mut after, lines_left, now);
            }
        } else {
            self.before_negotiation = Some(before.len());
        }
        self.unparsed = [before, after].concat();
    }

    fn become_telnet(&mut self) {
        self.framer.set_telnet();
        self.dialect = self.dialect.with_cr_lf();
        self.batch.steps.push(Step::Speak(self.dialect));
    }
}
