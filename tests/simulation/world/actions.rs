//! What clients do, and what happens to them.

use common::Rng;
use pipechat::protocol::{Line, Setting};

use super::{IDLE_TIMEOUT, World};
use crate::{
    generator::{Known, garbage, wait},
    peer::{Kind, Peer, Sending},
};

/// Bytes that a client has typed ahead of the network at the most.
const TYPED_MAX: usize = 2 << 10;

impl World {
    pub(super) fn type_something(&mut self) {
        let mut others: Vec<_> = self.chat.members().map(|(_, who)| who.name.clone()).collect();
        others.push("nobody".to_owned());
        let known = Known { others, positions: self.positions.clone(), at: self.at() };
        let mut rng = Rng(self.rng.number());
        let n = self.texts;
        let peer = self.someone();
        if peer.sending != Sending::Open || peer.typed() > TYPED_MAX {
            return;
        }
        let lines = if rng.one_in(8) { 12 } else { 1 + rng.below(2) };
        for n in n..n + lines {
            if peer.kind == Kind::Fuzzer {
                peer.type_bytes(&garbage(&mut rng));
                continue;
            }
            let is_patient = peer.kind == Kind::Witness;
            let (line, meaning) = peer.speaker.line(&mut rng, n, &known, is_patient);
            // Some settings are a witness's own for good, so that there is one of each.
            if is_patient && matches!(meaning, Ok(Line::Set(Setting::Lang(_) | Setting::Format(_)))) {
                continue;
            }
            let ending = peer.speaker.ending(&mut rng, &line);
            peer.type_line(&[&line, ending].concat(), meaning);
        }
        self.texts += lines;
    }

    /// Where nobody is exempt from the idle timeout, witnesses send a sign of life in time.
    pub(super) fn stay_awake(&mut self) {
        let every = IDLE_TIMEOUT / 6;
        let is_due = self.now.as_millis() / every.as_millis() != self.awake_at.as_millis() / every.as_millis();
        if self.limits.strict_idle && is_due {
            let witnesses = self.peers.values_mut().filter(|peer| peer.kind == Kind::Witness);
            for peer in witnesses.filter(|peer| peer.sending == Sending::Open) {
                peer.type_line(b"\n", Ok(Line::Blank));
            }
            self.awake_at = self.now;
        }
    }

    pub(super) fn someone_fails(&mut self) {
        let dice = self.rng.below(10);
        let mut rng = Rng(self.rng.number());
        let peer = self.someone();
        if peer.kind == Kind::Witness || peer.sending == Sending::Resetting {
            return;
        }
        match dice {
            0 if peer.sending == Sending::Open => {
                // It may end with a wait, and be gone long before the answer.
                if peer.kind == Kind::Guest && rng.one_in(2) {
                    let n = rng.below(10);
                    let (line, meaning) = wait(&mut rng, "nobody".to_owned(), n);
                    peer.type_line(format!("{line}\n").as_bytes(), meaning);
                }
                if rng.one_in(2) {
                    peer.leave_last_line_open();
                }
                peer.sending = Sending::Ending;
            }
            1 => {
                let typed = peer.typed();
                peer.reset(if rng.one_in(2) { typed } else { rng.below(typed + 1) });
            }
            2 | 3 => peer.reads = 0,
            4 => peer.reads = 1 + rng.below(40),
            _ => peer.reads = usize::MAX,
        }
    }

    fn someone(&mut self) -> &mut Peer {
        let place = self.rng.below(self.peers.len());
        self.peers.values_mut().nth(place).expect("one of them")
    }
}
