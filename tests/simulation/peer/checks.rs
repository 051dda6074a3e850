//! What a client has read.

use pipechat::chat::Departure;

use super::{Excuse, Heard, Kind, Peer, Sending, Stage};

impl Peer {
    /// It is gone, and has read what there is to read.
    pub(crate) fn is_over(&self) -> bool {
        let has_read = self.connection.socket.outgoing.is_empty() || self.sending == Sending::Resetting;
        let is_gone = self.account.is_gone();
        matches!(self.connection.stage, Stage::Closed { .. }) && is_gone && self.connection.is_forgotten() && has_read
    }

    /// Checks all that it has read so far, and answers what was public in it.
    pub(crate) fn check(&self) -> Vec<Heard> {
        let is_lost = self.sending == Sending::Resetting;
        if let (Some(departure), false) = (self.account.departure(), is_lost) {
            let is_slow = matches!(departure, Departure::SlowConsumer | Departure::WriteTimeout);
            assert_eq!(self.connection.is_cut, is_slow, "{} has left: {departure:?}", self.client);
        }
        let excuse = Excuse {
            end_is_missing: is_lost || self.connection.stage == Stage::Closed { is_complete: false },
            has_gap: self.connection.is_cut,
        };
        self.account.check(&self.received, excuse, self.kind != Kind::Fuzzer)
    }

    /// The server is killed: it reads what is under way to it, and that is all.
    pub(crate) fn check_killed(mut self) {
        self.received.extend(self.connection.socket.outgoing.drain(..));
        self.sending = Sending::Resetting;
        self.check();
    }

    /// The highest number of a position that it has read of, in whole lines since this was asked. Positions end in this.
    pub(crate) fn last_position(&mut self, epoch: &str) -> u64 {
        let end = self.received.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        let lines = String::from_utf8_lossy(&self.received[self.looked_at.min(end)..end]).into_owned();
        self.looked_at = end;
        let number = |at: usize| {
            let digits = lines[..at].bytes().rev().take_while(u8::is_ascii_digit).count();
            lines[at - digits..at].parse().unwrap_or(0)
        };
        lines.match_indices(epoch).map(|(at, _)| number(at)).max().unwrap_or(0)
    }

    pub(crate) fn received(&self) -> String {
        String::from_utf8_lossy(&self.received).into_owned()
    }
}
