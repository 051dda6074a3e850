//! The server is killed, and started again with what its store has.

use std::{fmt::Write as _, mem, rc::Rc, sync::Arc};

use pipechat::{
    broker::{Broker, Memory},
    chat::{Chat, Command, Start},
    protocol::Line,
};

use super::{RATE_PER_IP, SlowReaders, World};
use crate::{model::Model, names::ROOMS, peer::Kind, watch::Tokens};

impl World {
    /// All connections end, with what the kernels have of them. The witnesses come again, and others, who go on from positions that
    /// they know.
    pub(super) fn crash(&mut self) {
        let Some(storing) = &mut self.storing else { return };
        writeln!(self.transcript, "killed while the store {:?}", storing.health).expect("a String takes all");
        storing.check_rooms(&self.model);
        let (next, forgotten, rooms) = storing.crash();
        mem::take(&mut self.peers).into_values().for_each(|peer| peer.check_killed());
        self.requests.clear();
        let past = storing.store.all().map(|(record, is_kept)| (record.clone(), is_kept));
        let (model, expected) = Model::restored(self.config.rules(), self.epoch, (next, forgotten), &rooms, past);
        self.model = model;
        self.chat = Chat::new(self.config.rules(), self.epoch);
        self.memory = Memory::new(self.memory_max);
        (self.backlog, self.departed) = (Rc::default(), Rc::default());
        let (memory, backlog, departed) =
            (Arc::clone(&self.memory), Rc::clone(&self.backlog), Rc::clone(&self.departed));
        self.broker = Broker::new(self.config.clone(), memory, backlog, departed);
        let mut out = Vec::new();
        self.chat.restore(next, forgotten, &rooms, &mut out);
        assert_eq!(out, expected, "restored with {rooms:?}");
        self.broker.apply(&mut out);
        (self.tokens, self.slow) = (Tokens::new(RATE_PER_IP, self.now), SlowReaders::new(self.limits.queue_max));
        self.connect_witnesses();
        for room in ROOMS.map(|spellings| spellings[0]) {
            let Some(&position) = self.positions.get(self.rng.below(self.positions.len().max(1))) else { return };
            let client = self.connect_as(Kind::Guest, false);
            let start = Some(Start::Behind(position.n, Some(position.epoch)));
            let join = Command::Join { room: room.to_owned(), start };
            let line = format!("join|{room}|since|{position}\n");
            self.peer(client).type_line(line.as_bytes(), Ok(Line::Command(join)));
        }
    }
}
