//! What the user has missed in each room, and has to be shown once. Knows no sockets: what is to be sent is returned.

use std::sync::Arc;

use pipechat::chat::{LOBBY, Position};

use super::rooms::ROOMS_MAX;
use crate::client::{
    message::{News, Past},
    pages::leads_on,
    start::{Since, Start},
};

/// How many lines a room begins with.
const FIRST: usize = 20;

/// How far each room was shown.
#[derive(Debug, Default)]
pub(super) struct Missed {
    /// At most [`ROOMS_MAX`].
    rooms: Vec<Room>,
}

#[derive(Debug)]
struct Room {
    name: Arc<str>,
    /// All up to there was shown.
    shown: Option<Position>,
    wait: Wait,
}

/// What was asked for on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// Nothing, or it is here.
    None,
    /// What was missed.
    Missed {
        /// What happens meanwhile is shown at once: the first and the last of that.
        live: Option<(Position, Position)>,
        /// Where the page begins that was asked for last.
        from: Option<Position>,
    },
}

impl Missed {
    /// There is a connection, in these rooms. Returns what asks for what was missed there.
    pub(super) fn ask(&mut self, rooms: &[Arc<str>]) -> Vec<String> {
        self.rooms.iter_mut().for_each(|room| room.wait = Wait::None);
        let ask = |name: &Arc<str>| {
            let room = self.room(name)?;
            room.wait = Wait::Missed { live: None, from: room.shown };
            let start = room.shown.map_or(Start::Last(FIRST), |shown| Start::Since(Since::from(shown)));
            Some(start.history(name).trim_end().to_owned())
        };
        rooms.iter().filter_map(ask).collect()
    }

    /// What asks to be in this room.
    pub(super) fn join(room: &str) -> String {
        Start::Last(FIRST).join(room).trim_end().to_owned()
    }

    /// This happens, and is shown.
    pub(super) fn live(&mut self, news: &News) {
        let Some(position) = news.position else { return };
        let Some(room) = self.room(&name_of(news.room.as_ref())) else { return };
        match room.wait {
            Wait::Missed { live, from } => {
                let first = live.map_or(position, |(first, _)| first);
                room.wait = Wait::Missed { live: Some((first, position)), from };
            }
            Wait::None => room.shown = Some(position),
        }
    }

    /// Whether this is to be shown. What the user has asked for is, whatever was shown before.
    pub(super) fn admits(&mut self, past: &Past) -> bool {
        let Some(room) = self.room(&name_of(past.room.as_ref())) else { return true };
        let Wait::Missed { live, .. } = room.wait else { return true };
        let is_live = live.is_some_and(|(first, _)| !leads_on(Some(past.position), first));
        let is_shown =
            room.shown == Some(past.position) || room.shown.is_some_and(|shown| leads_on(Some(past.position), shown));
        if is_live || is_shown {
            return false;
        }
        room.shown = Some(past.position);
        true
    }

    /// A history of this room is told, up to there. Returns what asks for more of what was missed, if there is more. A server
    /// that does not get on is not asked again.
    pub(super) fn told(&mut self, name: &Arc<str>, end: Option<Position>, has_more: bool) -> Option<String> {
        let room = self.room(name)?;
        let Wait::Missed { live, from } = room.wait else { return None };
        let is_missed = |end: Position| live.is_none_or(|(first, _)| leads_on(Some(end), first));
        match end {
            Some(end) if has_more && leads_on(from, end) && is_missed(end) => {
                room.wait = Wait::Missed { live, from: Some(end) };
                Some(Start::Since(Since::from(end)).history(name).trim_end().to_owned())
            }
            Some(_) | None => {
                room.wait = Wait::None;
                room.shown = live.map(|(_, last)| last).or(end).or(room.shown);
                None
            }
        }
    }

    /// Some of what was missed in this room is not kept any more. Returns what asks for what is, if anything was missed.
    pub(super) fn gone(&mut self, name: &Arc<str>) -> Option<String> {
        let room = self.room(name)?;
        let Wait::Missed { live, .. } = room.wait else { return None };
        room.shown.take()?;
        room.wait = Wait::Missed { live, from: None };
        Some(Start::Last(FIRST).history(name).trim_end().to_owned())
    }

    fn room(&mut self, name: &Arc<str>) -> Option<&mut Room> {
        let at = self.rooms.iter().position(|room| room.name == *name);
        let at = at.or_else(|| {
            (self.rooms.len() < ROOMS_MAX).then(|| {
                self.rooms.push(Room { name: Arc::clone(name), shown: None, wait: Wait::None });
                self.rooms.len() - 1
            })
        })?;
        self.rooms.get_mut(at)
    }
}

fn name_of(room: Option<&Arc<str>>) -> Arc<str> {
    room.map_or_else(|| LOBBY.into(), Arc::clone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::message::ServerMessage;

    fn event(n: u64, is_replay: bool) -> ServerMessage {
        let line = format!(
            r#"{{"at":"2026-11-25T09:30:00Z","event":"message","from":{{"name":"ann","addr":"a"}},"text":"hi","room":"builds","pos":"{n}.abcde","replay":{is_replay}}}"#
        );
        ServerMessage::parse(&line).unwrap()
    }

    fn admits(missed: &mut Missed, n: u64) -> bool {
        let ServerMessage::Past(past) = event(n, true) else { panic!("it is past") };
        missed.admits(&past)
    }

    fn live(missed: &mut Missed, n: u64) {
        let ServerMessage::News(news) = event(n, false) else { panic!("it is live") };
        missed.live(&news);
    }

    fn end(n: u64) -> Option<Position> {
        Some(format!("{n}.abcde").parse().unwrap())
    }

    #[test]
    fn what_was_missed_is_shown_once() {
        let (mut missed, builds) = (Missed::default(), Arc::<str>::from("builds"));
        let rooms = [Arc::clone(&builds)];
        assert_eq!(missed.ask(&rooms), ["history|builds|20"]);
        live(&mut missed, 7);
        assert_eq!([5, 6, 7, 8].map(|n| admits(&mut missed, n)), [true, true, false, false]);
        assert_eq!(missed.told(&builds, end(8), false), None);
        live(&mut missed, 9);
        assert!(admits(&mut missed, 5), "the user has asked for it");
        // Another connection, which is lost before all was told.
        assert_eq!(missed.ask(&rooms), ["history|builds|since|9.abcde"]);
        assert!(admits(&mut missed, 10) && !admits(&mut missed, 10));
        live(&mut missed, 14);
        assert_eq!(missed.told(&builds, end(11), true).as_deref(), Some("history|builds|since|11.abcde"));
        assert_eq!(missed.ask(&rooms), ["history|builds|since|10.abcde"]);
        assert_eq!([10, 11, 12].map(|n| admits(&mut missed, n)), [false, true, true]);
        assert_eq!(missed.told(&builds, end(12), true).as_deref(), Some("history|builds|since|12.abcde"));
        assert_eq!(missed.told(&builds, end(9), true), None, "a server that does not get on");
    }

    #[test]
    fn what_is_gone_is_not_asked_for_again() {
        let (mut missed, builds) = (Missed::default(), Arc::<str>::from("builds"));
        live(&mut missed, 7);
        assert_eq!(missed.ask(&[Arc::clone(&builds)]), ["history|builds|since|7.abcde"]);
        assert_eq!(missed.gone(&builds).as_deref(), Some("history|builds|20"));
        assert_eq!(missed.gone(&builds), None);
    }

    #[test]
    fn rooms_are_bounded() {
        let mut missed = Missed::default();
        let rooms: Vec<Arc<str>> = (0..ROOMS_MAX + 10).map(|n| n.to_string().into()).collect();
        assert_eq!(missed.ask(&rooms).len(), ROOMS_MAX);
        assert!(admits(&mut missed, 1));
    }
}
