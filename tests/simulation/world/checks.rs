//! What must hold at any time, and at the end.

use std::fmt::Write as _;

use pipechat::{
    broker::Request,
    chat::{Command, Entry, Input, RoomId},
    protocol::Line,
};

use super::{WITNESSES, World};
use crate::{
    generator::IN,
    names::{NAMES, ROOMS, room_looks},
    peer::{Kind, Peer, Sending},
    reader::{Heard, plain},
};

impl World {
    /// Checks what the peers whose connection is over have read, and removes them.
    pub(super) fn reap(&mut self) {
        let over: Vec<_> = self.peers.values().filter(|peer| peer.is_over()).map(|peer| peer.client).collect();
        for client in over {
            let peer = self.peers.remove(&client).expect("it is there");
            writeln!(self.transcript, "{client} has read {:?}", peer.received()).expect("a String takes all");
            peer.check();
        }
    }

    /// The witnesses, which are connected all the time, have read the same, each text once.
    fn compare_witnesses(&self) {
        let witnesses = || self.peers.values().filter(|peer| peer.kind == Kind::Witness);
        let stories: Vec<_> = witnesses().map(Peer::check).collect();
        assert!(witnesses().all(|peer| peer.account.is_here()));
        // When memory ran out, a witness that asked for much just then may have held most, and been disconnected.
        assert!(stories.len() == WITNESSES || self.slow.has_memory_run_out());
        if stories.is_empty() {
            return;
        }
        assert!(stories.iter().all(|story| stories[0].ends_with(story)));
        let mut texts: Vec<_> = stories[0].iter().filter_map(numbered).collect();
        let all = texts.len();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), all, "a text was told twice");
    }

    /// All leave by themselves, and nothing of them is left: their names are free.
    pub(crate) fn end(mut self) -> String {
        self.compare_witnesses();
        self.all_leave();
        if self.storing.is_none() {
            self.empty_rooms();
        }
        for spellings in NAMES {
            let client = self.connect_as(Kind::Guest, false);
            let rename = Command::Rename(spellings[0].to_owned());
            let line = format!("rename|{}\n", spellings[0]);
            self.peer(client).type_line(line.as_bytes(), Ok(Line::Command(rename)));
        }
        self.heal();
        let names = self.chat.members().map(|(_, who)| who.name.clone());
        assert!(names.eq(NAMES.map(|spellings| spellings[0])), "a name was not free");
        self.all_leave();
        self.transcript
    }

    /// Rooms whose topics are taken away are there no more when what has happened in them is forgotten, and their names are free.
    fn empty_rooms(&mut self) {
        let names = |world: &Self| world.model.rooms().iter().map(|room| room.name.clone()).collect::<Vec<_>>();
        let client = self.connect_as(Kind::Guest, false);
        for room in names(self) {
            let command = Command::Topic { room: room.clone(), text: Some(String::new()) };
            self.peer(client).type_line(format!("topic|{room}|\n").as_bytes(), Ok(Line::Command(command)));
        }
        self.heal();
        self.forget_all();
        self.peer(client).type_line(b"rooms\n", Ok(Line::Command(Command::Rooms)));
        self.heal();
        assert!(self.peer(client).received().ends_with("\nrooms|1|lobby|\nrooms|ok|1\n"), "a room is left");
        assert_eq!(names(self), ["lobby"]);
        // Nothing but the lobby can ever be called what looks like the lobby.
        let is_free = |room: &&str| *room == "lobby" || room_looks(room) != "lobby";
        for room in ROOMS.iter().map(|spellings| spellings[0]).filter(is_free) {
            let join = Command::Join { room: room.to_owned(), start: None };
            let leave = Command::Leave(room.to_owned());
            let peer = self.peer(client);
            peer.type_line(format!("join|{room}\n").as_bytes(), Ok(Line::Command(join)));
            peer.type_line(format!("leave|{room}\n").as_bytes(), Ok(Line::Command(leave)));
            self.heal();
            self.forget_all();
            let received = self.peer(client).received();
            let is_free = received.lines().any(|line| plain(line).starts_with(&format!("join|ok|{room}|1|")));
            assert!(is_free, "the name {room} was not free: {received}");
        }
        self.all_leave();
        assert_eq!(names(self), ["lobby"]);
    }

    /// Memory of all that has happened is given back, as when there is little left.
    fn forget_all(&mut self) {
        while self.chat.recent_bytes() > 0 {
            self.handle(Entry { now: self.now, at: self.at(), input: Input::Shrink(usize::MAX) });
        }
        self.heal();
    }

    /// The server shuts down: all are told, and nobody comes any more.
    pub(crate) fn shut_down(mut self) -> String {
        self.compare_witnesses();
        // Some are in the middle of something.
        for _ in 0..20 {
            self.step();
        }
        self.requests.push_back(Request::ShutDown);
        self.is_closing = true;
        for _ in 0..20 {
            self.step();
        }
        self.connect(Kind::Guest);
        self.heal();
        self.assert_empty();
        self.transcript
    }

    /// What waits for single clients, and what they have begun to say, is charged in any case.
    pub(super) fn check_memory(&self) {
        if self.is_committing() {
            return; // what has happened is charged when the turn ends
        }
        let connections = self.peers.values().map(|peer| &peer.connection).filter(|connection| !connection.is_cut);
        let own: usize = connections.map(|connection| connection.input() + connection.queued().1).sum();
        let own = own + self.chat.recent_bytes();
        assert!(self.memory.used() >= own, "{} bytes are charged, and {own} held", self.memory.used());
    }

    fn all_leave(&mut self) {
        for peer in self.peers.values_mut() {
            peer.sending = Sending::Ending;
        }
        self.heal();
        self.assert_empty();
    }

    fn assert_empty(&self) {
        assert_eq!(self.chat.members().count(), 0);
        for room in self.model.rooms() {
            assert_eq!(self.chat.members_of(room.id).count(), 0, "somebody is in {}", room.name);
            let is_held = room.id == RoomId::LOBBY || !room.topic.is_empty() || room.has_history;
            assert!(is_held, "nothing holds {}", room.name);
        }
        assert_eq!(self.chat.deadline(), None);
        assert!(!self.broker.has_work() && self.requests.is_empty());
        assert!(self.peers.is_empty());
        assert_eq!(self.memory.used(), self.chat.recent_bytes(), "only what has happened is held");
    }
}

/// The text of a message with a number of its own.
fn numbered(heard: &Heard) -> Option<&str> {
    match heard {
        Heard::Message { text, .. } if text.trim_start_matches(IN).starts_with('#') => Some(text),
        Heard::Message { .. }
        | Heard::Online { .. }
        | Heard::Offline { .. }
        | Heard::KnownAs { .. }
        | Heard::Private { .. }
        | Heard::User { .. }
        | Heard::Joined { .. }
        | Heard::Left { .. }
        | Heard::Topic { .. }
        | Heard::In { .. }
        | Heard::Past { .. }
        | Heard::Other => None,
    }
}
