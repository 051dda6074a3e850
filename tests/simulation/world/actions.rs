//! What clients do, and what goes wrong with them.

use common::Rng;
use pipechat::chat::{Command, Departure, Input};

use super::{Peer, World};
use crate::{
    generator::{garbage, wait},
    peer::Kind,
};

/// Bytes that a client has typed ahead of the network at the most.
const TYPED_MAX: usize = 2 << 10;

impl World {
    pub(super) fn type_something(&mut self) {
        let mut others: Vec<_> = self.chat.members().map(|(_, who)| who.name.clone()).collect();
        others.push("nobody".to_owned());
        let mut rng = Rng(self.rng.below(usize::MAX) as u64);
        let n = self.texts;
        let peer = self.someone();
        if peer.has_finished || peer.is_lost || peer.typed.len() > TYPED_MAX {
            return;
        }
        let lines = if rng.one_in(8) { 12 } else { 1 + rng.below(2) };
        for n in n..n + lines {
            if peer.kind == Kind::Fuzzer {
                peer.typed.extend(garbage(&mut rng));
                continue;
            }
            let is_patient = peer.kind == Kind::Witness;
            let (line, meaning) = peer.speaker.line(&mut rng, n, &others, is_patient);
            // Some settings are a witness's own for good, so that there is one of each.
            if is_patient && matches!(meaning, Ok(Command::Lang(_) | Command::Format(_))) {
                continue;
            }
            peer.meant.push_back(meaning);
            peer.typed.extend(line);
            peer.typed.extend(rng.pick::<[u8]>(&[b"\n", b"\r\n", b"\r\0"]));
        }
        self.texts += lines;
    }

    pub(super) fn someone_fails(&mut self) {
        let dice = self.rng.below(10);
        let mut rng = Rng(self.rng.below(usize::MAX) as u64);
        let peer = self.someone();
        let client = peer.client;
        if peer.kind == Kind::Witness || peer.is_lost {
            return;
        }
        match dice {
            0 if !peer.has_finished => {
                // It may end with a wait, and be gone long before the answer.
                if peer.kind == Kind::Guest && rng.one_in(2) {
                    let (line, meaning) = wait(&mut rng, "nobody".to_owned(), client.0 as usize);
                    peer.meant.push_back(meaning);
                    peer.typed.extend(format!("{line}\n").into_bytes());
                }
                // The last line needs no ending, if it is one at all.
                let cuts = rng.one_in(2);
                let is_line = peer.meant.back().is_some_and(|line| *line != Ok(Command::Blank));
                while is_line && matches!(peer.typed.back(), Some(b'\n' | b'\r' | b'\0')) && cuts {
                    peer.typed.pop_back();
                }
                peer.has_finished = true;
            }
            1 if rng.one_in(2) => {
                peer.is_broken = true;
                peer.has_finished = true;
                self.requests.push_back((client, Input::Broken));
            }
            1 => {
                peer.is_lost = true;
                peer.typed.clear();
                self.requests.push_back((client, Input::End(Departure::Lost)));
            }
            2 => self.requests.push_back((client, Input::Silent)),
            3..=5 => peer.is_stalled = true,
            _ => peer.is_stalled = false,
        }
    }

    fn someone(&mut self) -> &mut Peer {
        let place = self.rng.below(self.peers.len());
        self.peers.values_mut().nth(place).expect("one of them")
    }
}
