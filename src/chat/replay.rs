//! A history on its way to a client, piece by piece: what memory has of it at once, the rest page by page from the store. Who
//! is to join then is told without a gap what happens.

use std::sync::Arc;

use super::{
    Asked, Chat, ClientId, Done, Event, Output, Refusal, RoomId,
    history::{HISTORY_MAX, Question},
    order::OrderRefusal,
    recent::Hold,
    record::Record,
    stored::Query,
    work::PIECE_ITEMS,
};

/// Events that the store is asked for at once.
pub(super) const PAGE_EVENTS: usize = 1000;
/// Bytes of events that are told in one piece, of which there is at least one: many clients may ask for long ones.
const PIECE_BYTES: usize = 32 << 10;

/// What has happened in a room, on its way to a client.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) room: RoomId,
    /// The number of the last event that was looked at.
    pub(super) after: u64,
    /// How many were told.
    pub(super) told: usize,
    pub(super) goal: Goal,
    /// Of one who is to join: however fast the room is, memory has all that happens while the store answers.
    pub(super) hold: Option<Arc<Hold>>,
}

/// When a replay is over.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    /// At the event of this number, or when [`HISTORY_MAX`] were told.
    Told(u64),
    /// When there is no more. Then the client joins the room; until then it is told nothing that happens there.
    Joined,
}

impl Replay {
    pub(super) fn behind(after: u64, room: RoomId, goal: Goal) -> Self {
        Self { room, after, told: 0, goal, hold: None }
    }
}

impl Goal {
    pub(super) fn asked(self) -> Asked {
        match self {
            Self::Told(_) => Asked::History,
            Self::Joined => Asked::Join,
        }
    }

    /// The number of the last event to be told.
    fn until(self) -> u64 {
        match self {
            Self::Told(until) => until,
            Self::Joined => u64::MAX,
        }
    }

    pub(super) fn told_max(self) -> usize {
        match self {
            Self::Told(_) => HISTORY_MAX,
            Self::Joined => usize::MAX,
        }
    }
}

impl Chat {
    /// Whether more is left to be told than one piece.
    pub(super) fn takes_pieces(&self, replay: &Replay) -> bool {
        self.recent.after(replay.room, replay.after).nth(self.piece(replay)).is_some()
    }

    /// How many of the next events are told in one piece.
    fn piece(&self, replay: &Replay) -> usize {
        let Replay { room, after, told, goal, .. } = *replay;
        let mut bytes = 0;
        let next = self.recent.after(room, after).take_while(|kept| kept.n() <= goal.until());
        let fitting = next.take_while(|kept| {
            let is_first = bytes == 0;
            bytes += kept.bytes();
            is_first || bytes <= PIECE_BYTES
        });
        fitting.take(PIECE_ITEMS.min(goal.told_max() - told)).count()
    }

    /// Tells the next events. Answers what is left of the replay, if it goes on at once.
    pub(super) fn replay(&mut self, to: ClientId, mut replay: Replay, out: &mut Vec<Output>) -> Option<Replay> {
        let Replay { room, goal, .. } = replay;
        if !self.may_hear(to, room) {
            self.give_up(to, &replay, OrderRefusal::RoomLocked.into(), out); // it has been locked meanwhile
            return None;
        }
        let Some(name) = self.name_of(room) else {
            self.give_up(to, &replay, Refusal::NoSuchRoom, out); // it is not there any more
            return None;
        };
        let left = goal.told_max() - replay.told;
        let until = goal.until().min(self.recent.oldest(room));
        if replay.after < until && left > 0 {
            if self.has_store() {
                replay.hold = replay.hold.or_else(|| self.hold(room, goal));
                let query = Query::Page { room: name, after: replay.after, until, limit: PAGE_EVENTS.min(left) };
                self.ask(to, Question { replay, start: None }, query, out);
            } else {
                // What was to come next has given way to newer events meanwhile.
                self.give_up(to, &replay, self.history_gone(room, self.recent.oldest(room)), out);
            }
            return None;
        }
        for kept in self.recent.after(room, replay.after).take(self.piece(&replay)) {
            let n = kept.n();
            let record = Record { n, at: kept.at(), room: name.clone(), event: kept.event().into() };
            out.push(Output::tell(to, Event::Past(record, self.epoch)));
            (replay.after, replay.told) = (n, replay.told + 1);
        }
        let next = self.recent.after(room, replay.after).next();
        let has_more = replay.after < until || next.is_some_and(|kept| kept.n() <= goal.until());
        if has_more && replay.told < goal.told_max() {
            return Some(replay);
        }
        replay.hold = None; // memory has caught up with it
        self.end_replay(to, &replay, has_more, out);
        self.finish(to, out);
        None
    }

    fn hold(&mut self, room: RoomId, goal: Goal) -> Option<Arc<Hold>> {
        match goal {
            Goal::Told(_) => None, // what it is to be told is in the store
            Goal::Joined => Some(self.recent.hold(room)),
        }
    }

    /// All was told that is to be told.
    pub(super) fn end_replay(&mut self, client: ClientId, replay: &Replay, has_more: bool, out: &mut Vec<Output>) {
        let Replay { room, after, told, goal, .. } = *replay;
        let Some(name) = self.name_of(room) else { return };
        let n = if has_more { after } else { goal.until().min(self.events) };
        let position = self.position_of(n);
        out.push(Output::tell(client, Event::Done(Done::History { room: name, count: told, position, has_more })));
        match goal {
            Goal::Told(_) => {}
            Goal::Joined => {
                self.listen_again(client, replay, out);
                self.come_in(client, room, out);
            }
        }
    }

    /// The replay cannot go on. The client's next command may come.
    pub(super) fn give_up(&mut self, client: ClientId, replay: &Replay, refusal: Refusal, out: &mut Vec<Output>) {
        out.push(Output::tell(client, Event::Declined(replay.goal.asked(), refusal)));
        self.listen_again(client, replay, out);
        self.finish(client, out);
    }

    /// A client that was in the room before the replay is told again what happens there.
    fn listen_again(&self, client: ClientId, replay: &Replay, out: &mut Vec<Output>) {
        match replay.goal {
            Goal::Joined if self.is_in(client, replay.room) => out.push(Output::Join(client, replay.room)),
            Goal::Joined | Goal::Told(_) => {}
        }
    }

    /// A broken connection still joins, so that lines that it sent before are said in that room.
    pub(super) fn replay_unheard(&mut self, client: ClientId, replay: &Replay, out: &mut Vec<Output>) {
        match replay.goal {
            Goal::Told(_) => {}
            Goal::Joined => {
                self.listen_again(client, replay, out);
                if self.rooms.get(replay.room).is_some() && self.may_hear(client, replay.room) {
                    self.come_in(client, replay.room, out);
                }
            }
        }
    }

    /// The name of a room, if it is still there.
    pub(super) fn name_of(&self, room: RoomId) -> Option<Arc<str>> {
        Some(self.rooms.get(room)?.name.shared())
    }

    pub(super) fn is_in(&self, client: ClientId, room: RoomId) -> bool {
        self.members.get(client).is_some_and(|member| member.rooms.contains(room))
    }
}
