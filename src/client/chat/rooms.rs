//! Which rooms the user is in, where lines that are typed go, and which rooms there are, to complete names. Knows no sockets.

use std::{collections::BTreeSet, sync::Arc};

use pipechat::chat::{Done, Event, LOBBY, NAME_CHARS_MAX};

use super::people::{begins_with, choose};
use crate::client::{
    message::{News, ServerMessage},
    terminal::Completion,
    words::is_set_visit,
};

/// How many rooms are kept, those of the user and all others. A server that sends more costs no memory.
pub(super) const ROOMS_MAX: usize = 1000;

/// The rooms that a connection is to be in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Membership {
    /// To be joined in this order: lines go to the last one.
    pub(super) joined: Vec<String>,
    pub(super) has_left_lobby: bool,
}

impl Membership {
    /// The lobby and this room, where lines go.
    pub(super) fn of(room: &str) -> Self {
        Self { joined: vec![room.to_owned()], has_left_lobby: false }
    }
}

/// What the client has heard of rooms.
#[derive(Debug)]
pub(super) struct Rooms {
    /// Those that the user is in, the lobby among them.
    joined: Vec<Arc<str>>,
    /// Where lines go.
    current: Arc<str>,
    known: BTreeSet<Arc<str>>,
    /// The user has asked to visit, and was in no room from then on. To ask again changes nothing.
    is_visitor: bool,
}

impl Default for Rooms {
    /// Those of one who has just arrived.
    fn default() -> Self {
        Self { joined: vec![LOBBY.into()], current: LOBBY.into(), known: BTreeSet::new(), is_visitor: false }
    }
}

impl Rooms {
    /// There is a connection, on which these rooms were joined.
    pub(super) fn connected(&mut self, joined: &[Arc<str>], has_left_lobby: bool) {
        let known = std::mem::take(&mut self.known);
        *self = Self { known, ..Self::default() };
        joined.iter().for_each(|room| self.join(room));
        if has_left_lobby {
            self.joined.retain(|room| **room != *LOBBY);
        }
    }

    /// Learns from what the server says.
    pub(super) fn observe(&mut self, message: &ServerMessage) {
        match message {
            ServerMessage::News(News { room: Some(room), .. })
            | ServerMessage::Answer(Event::Room { name: room, .. }) => {
                self.learn(room);
            }
            ServerMessage::Answer(Event::Done(Done::Join { room, .. })) => self.join(room),
            ServerMessage::Answer(Event::Done(Done::Leave(room))) => {
                self.joined.retain(|joined| joined != room);
                if self.current == *room {
                    self.current = LOBBY.into();
                }
            }
            ServerMessage::Set(text) if !self.is_visitor && is_set_visit(text) => {
                self.connected(&[], false);
                self.is_visitor = true;
            }
            ServerMessage::News(News { room: None, .. })
            | ServerMessage::Past(_)
            | ServerMessage::Answer(_)
            | ServerMessage::Set(_)
            | ServerMessage::Help(_)
            | ServerMessage::Refused { .. }
            | ServerMessage::Farewell { .. } => {}
        }
    }

    fn join(&mut self, room: &Arc<str>) {
        self.learn(room);
        if !self.joined.contains(room) && self.joined.len() < ROOMS_MAX {
            self.joined.push(Arc::clone(room));
        }
        self.current = Arc::clone(room);
    }

    fn learn(&mut self, room: &Arc<str>) {
        if self.known.len() < ROOMS_MAX && !self.known.contains(room) {
            self.known.insert(Arc::clone(room));
        }
    }

    /// Where lines that are typed go.
    pub(super) fn current(&self) -> &str {
        &self.current
    }

    /// Those that the user is in.
    pub(super) fn joined(&self) -> &[Arc<str>] {
        &self.joined
    }

    pub(super) fn contains(&self, room: &str) -> bool {
        self.joined.iter().any(|joined| **joined == *room)
    }

    /// What stands before the line that is being typed.
    pub(super) fn prompt(&self) -> String {
        match &*self.current {
            LOBBY => "> ".to_owned(),
            room => format!("#{}> ", room.chars().take(NAME_CHARS_MAX).collect::<String>()),
        }
    }

    /// What the next connection is to be in, as this one is.
    pub(super) fn membership(&self) -> Membership {
        let others = self.joined.iter().filter(|room| ***room != *LOBBY && **room != self.current);
        let mut joined: Vec<String> = others.map(|room| room.to_string()).collect();
        if self.contains(&self.current) && (*self.current != *LOBBY || !joined.is_empty()) {
            joined.push(self.current.to_string());
        }
        Membership { joined, has_left_lobby: !self.contains(LOBBY) }
    }

    /// What may stand for the last word of `before`, if that is to be a room.
    pub(super) fn complete(&self, before: &str) -> Option<Completion> {
        let (command, word) = before.rsplit_once(' ')?;
        if !["/join", "/leave"].contains(&command.trim_end()) {
            return None;
        }
        let start = before.len() - word.len();
        let (start, word) = word.strip_prefix('#').map_or((start, word), |word| (start + 1, word));
        let found = self.known.iter().map(|room| &**room).filter(|room| begins_with(room, word));
        Some(choose(found.collect(), word, start, ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> Rooms {
        let mut rooms = Rooms::default();
        lines.iter().for_each(|line| rooms.observe(&ServerMessage::parse(line).unwrap()));
        rooms
    }

    const JOIN_BUILDS: &str = r#"{"event":"ok","verb":"join","room":"builds","count":1}"#;
    const JOIN_DEPLOYS: &str = r#"{"event":"ok","verb":"join","room":"deploys","count":1}"#;
    const JOIN_LOBBY: &str = r#"{"event":"ok","verb":"join","room":"lobby","count":1}"#;
    const LEAVE_DEPLOYS: &str = r#"{"event":"ok","verb":"leave","room":"deploys"}"#;
    const VISIT: &str = r#"{"event":"set","text":"set: visitor"}"#;
    const LEAVE_LOBBY: &str = r#"{"event":"ok","verb":"leave","room":"lobby"}"#;

    #[test]
    fn lines_go_to_the_last_room_that_was_joined() {
        for (lines, prompt, joined, has_left_lobby) in [
            (&[][..], "> ", &[][..], false),
            (&[JOIN_BUILDS], "#builds> ", &["builds"], false),
            (&[JOIN_DEPLOYS, JOIN_BUILDS, JOIN_DEPLOYS], "#deploys> ", &["builds", "deploys"], false),
            (&[JOIN_BUILDS, JOIN_DEPLOYS, LEAVE_DEPLOYS], "> ", &["builds", "lobby"], false),
            (&[JOIN_BUILDS, JOIN_LOBBY], "> ", &["builds", "lobby"], false),
            (&[JOIN_BUILDS, LEAVE_LOBBY], "#builds> ", &["builds"], true),
            (&[JOIN_BUILDS, VISIT], "> ", &[], false),
            (&[JOIN_BUILDS, VISIT, JOIN_BUILDS, VISIT], "#builds> ", &["builds"], false),
        ] {
            let rooms = heard(lines);
            assert_eq!(rooms.prompt(), prompt, "{lines:?}");
            let joined = joined.iter().map(|&room| room.to_owned()).collect();
            let membership = Membership { joined, has_left_lobby };
            assert_eq!(rooms.membership(), membership, "{lines:?}");
            let mut next = Rooms::default();
            let joined: Vec<Arc<str>> = membership.joined.iter().map(|room| room.as_str().into()).collect();
            next.connected(&joined, has_left_lobby);
            assert_eq!((next.prompt(), next.membership()), (prompt.to_owned(), membership), "{lines:?}");
        }
    }

    #[test]
    fn rooms_are_completed_where_one_is_to_be_named() {
        let replace = |start, text: &str| Some(Completion::Replace(start, text.to_owned()));
        let rooms = heard(&[JOIN_BUILDS, r#"{"event":"room","room":"backups","count":1}"#]);
        for (before, completion) in [
            ("/join bu", replace(6, "builds")),
            ("/join #bu", replace(7, "builds")),
            ("/leave BA", replace(7, "backups")),
            ("/join b", Some(Completion::Several(vec!["backups".to_owned(), "builds".to_owned()]))),
            ("/join x", Some(Completion::None)),
            ("/msg b", None),
            ("b", None),
        ] {
            assert_eq!(rooms.complete(before), completion, "{before:?}");
        }
    }

    #[test]
    fn rooms_are_bounded() {
        let mut rooms = Rooms::default();
        (0..ROOMS_MAX + 10).for_each(|n| rooms.join(&n.to_string().into()));
        assert_eq!((rooms.joined.len(), rooms.known.len()), (ROOMS_MAX, ROOMS_MAX));
        rooms.join(&"x".repeat(1000).into());
        assert!(rooms.prompt().len() < 40);
    }
}
