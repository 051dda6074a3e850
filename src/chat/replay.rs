//! A history on its way to a client, piece by piece: of a room, what memory has of it at once, and the rest page by page from the
//! store; of a mailbox, all of it from the store. Who is to join a room then is told without a gap what happens.

use std::sync::Arc;

use super::{
    Asked, Chat, ClientId, Done, Event, Output, Refusal, RoomId,
    accounts::{AccountRefusal, OWN},
    history::{HISTORY_MAX, Question},
    order::OrderRefusal,
    recent::{Hold, Kept},
    record::Record,
    stored::Query,
    work::PIECE_ITEMS,
};

/// Events that the store is asked for at once.
const PAGE_EVENTS: usize = 1000;
/// Bytes of events that are told in one piece, of which there is at least one: many clients may ask for long ones.
const PIECE_BYTES: usize = 32 << 10;

/// What has happened, on its way to a client.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) source: Source,
    /// The number of the last event that was looked at.
    pub(super) after: u64,
    /// How many were told.
    pub(super) told: usize,
    pub(super) goal: Goal,
    /// The client was in the room when this began. Where it is sent out meanwhile, it does not come back by this.
    pub(super) was_in: bool,
    /// Of one who is to join: however fast the room is, memory has all that happens while the store answers.
    pub(super) hold: Option<Arc<Hold>>,
}

/// What is told.
#[derive(Debug)]
pub(super) enum Source {
    /// What has happened in a room.
    Room(RoomId),
    /// The private messages of the account of this key. Only the store has them.
    Mailbox(Box<str>),
}

/// When a replay is over.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    /// At the event of this number, or when [`HISTORY_MAX`] were told.
    Told(u64),
    /// When there is no more. Then the client joins the room, and until then it is told nothing that happens there; or it is told
    /// that it is logged in to the account.
    CaughtUp,
}

impl Replay {
    pub(super) fn behind(after: u64, source: Source, goal: Goal) -> Self {
        Self { source, after, told: 0, goal, was_in: false, hold: None }
    }

    /// What its client has asked for.
    fn asked(&self) -> Asked {
        match (self.goal, &self.source) {
            (Goal::Told(_), _) => Asked::History,
            (Goal::CaughtUp, Source::Room(_)) => Asked::Join,
            (Goal::CaughtUp, Source::Mailbox(_)) => Asked::Login,
        }
    }

    /// Whether nothing may be missing. One that logs in is told what there is.
    pub(super) fn needs_all(&self) -> bool {
        match (self.goal, &self.source) {
            (Goal::Told(_), _) | (_, Source::Room(_)) => true,
            (Goal::CaughtUp, Source::Mailbox(_)) => false,
        }
    }

    /// How many more may be told.
    pub(super) fn left(&self) -> usize {
        match self.goal {
            Goal::Told(_) => HISTORY_MAX - self.told,
            Goal::CaughtUp => usize::MAX,
        }
    }
}

impl Chat {
    /// Whether more is left to be told than one piece.
    pub(super) fn takes_pieces(&self, replay: &Replay) -> bool {
        self.in_memory(replay).nth(self.piece(replay)).is_some()
    }

    /// How many of the next events are told in one piece.
    fn piece(&self, replay: &Replay) -> usize {
        let (mut bytes, until) = (0, self.last_to_tell(replay));
        let fitting = self.in_memory(replay).take_while(|kept| kept.n() <= until).take_while(|kept| {
            let is_first = bytes == 0;
            bytes += kept.bytes();
            is_first || bytes <= PIECE_BYTES
        });
        fitting.take(PIECE_ITEMS.min(replay.left())).count()
    }

    /// The next events, as far as memory has them.
    fn in_memory(&self, replay: &Replay) -> impl Iterator<Item = Kept<'_>> {
        let room = match replay.source {
            Source::Room(room) => Some(room),
            Source::Mailbox(_) => None,
        };
        let after = replay.after;
        room.into_iter().flat_map(move |room| self.recent.after(room, after))
    }

    /// Behind which event memory has all.
    pub(super) fn oldest(&self, source: &Source) -> u64 {
        match source {
            Source::Room(room) => self.recent.oldest(*room),
            Source::Mailbox(_) => u64::MAX,
        }
    }

    /// The number of the last event to be told.
    fn last_to_tell(&self, replay: &Replay) -> u64 {
        match (replay.goal, &replay.source) {
            (Goal::Told(until), _) => until,
            (Goal::CaughtUp, Source::Room(_)) => u64::MAX,
            (Goal::CaughtUp, Source::Mailbox(key)) => self.last_mail(key),
        }
    }

    /// Why the client may be told nothing more: what it was told of may have changed meanwhile.
    pub(super) fn ends_early(&self, client: ClientId, replay: &Replay) -> Option<Refusal> {
        match &replay.source {
            Source::Room(room) if self.rooms.get(*room).is_none() => Some(Refusal::NoSuchRoom),
            Source::Room(room) if !self.may_hear(client, *room) => Some(OrderRefusal::RoomLocked.into()),
            Source::Room(room) if replay.was_in && !self.is_in(client, *room) => Some(Refusal::NotInRoom),
            Source::Mailbox(key) if self.account_of(client).as_ref() != Some(key) => {
                Some(AccountRefusal::LoginRequired.into())
            }
            Source::Room(_) | Source::Mailbox(_) => None,
        }
    }

    /// Tells the next events. Answers what is left of the replay, if it goes on at once.
    pub(super) fn replay(&mut self, to: ClientId, mut replay: Replay, out: &mut Vec<Output>) -> Option<Replay> {
        if let Some(refusal) = self.ends_early(to, &replay) {
            self.give_up(to, &replay, refusal, out);
            return None;
        }
        let (until, oldest) = (self.last_to_tell(&replay), self.oldest(&replay.source));
        let stored = until.min(oldest);
        if replay.after < stored && replay.left() > 0 {
            if self.has_store() {
                self.hold(&mut replay);
                let (room, limit) = (self.stored_name(&replay.source), PAGE_EVENTS.min(replay.left()));
                let query = Query::Page { room, after: replay.after, until: stored, limit };
                self.ask(to, Question { replay, start: None }, query, out);
            } else {
                // What was to come next has given way to newer events meanwhile.
                self.give_up(to, &replay, self.history_gone(&replay.source, oldest), out);
            }
            return None;
        }
        let (name, before) = (self.told_name(&replay.source), out.len());
        let (mut after, piece) = (replay.after, self.piece(&replay));
        for kept in self.in_memory(&replay).take(piece) {
            let record = Record { n: kept.n(), at: kept.at(), room: name.clone(), event: kept.event().into() };
            out.push(Output::tell(to, Event::Past(record, self.epoch)));
            after = kept.n();
        }
        (replay.after, replay.told) = (after, replay.told + out.len() - before);
        let next = self.in_memory(&replay).next();
        let has_more = replay.after < stored || next.is_some_and(|kept| kept.n() <= until);
        if has_more && replay.left() > 0 {
            return Some(replay);
        }
        replay.hold = None; // memory has caught up with it
        self.end_replay(to, &replay, has_more, out);
        self.finish(to, out);
        None
    }

    fn hold(&mut self, replay: &mut Replay) {
        match (replay.goal, &replay.source) {
            (Goal::CaughtUp, Source::Room(room)) => replay.hold = Some(self.recent.hold(*room)),
            (Goal::Told(_), _) | (_, Source::Mailbox(_)) => {} // what it is to be told is in the store
        }
    }

    /// All was told that is to be told.
    pub(super) fn end_replay(&mut self, client: ClientId, replay: &Replay, has_more: bool, out: &mut Vec<Output>) {
        let told = |chat: &Self| {
            let n = if has_more { replay.after } else { chat.last_to_tell(replay).min(chat.events) };
            let (room, position) = (chat.told_name(&replay.source), chat.position_of(n));
            Output::tell(client, Event::Done(Done::History { room, count: replay.told, position, has_more }))
        };
        match (replay.goal, &replay.source) {
            (Goal::Told(_), _) => out.push(told(self)),
            (Goal::CaughtUp, Source::Room(room)) => {
                out.push(told(self));
                self.listen_again(client, replay, out);
                self.come_in(client, *room, out);
            }
            (Goal::CaughtUp, Source::Mailbox(key)) => {
                self.end_delivery(client, key, replay.after, out);
                out.push(Output::tell(client, Event::Done(self.logged_in(key, replay.told))));
            }
        }
    }

    /// The replay cannot go on. The client's next command may come. One that logs in is logged in all the same, and what is kept
    /// for it stays for the next time.
    pub(super) fn give_up(&mut self, client: ClientId, replay: &Replay, refusal: Refusal, out: &mut Vec<Output>) {
        let event = match (replay.goal, &replay.source) {
            (Goal::CaughtUp, Source::Mailbox(key)) if self.account_of(client).as_ref() == Some(key) => {
                self.break_off_delivery(client);
                Event::Done(self.logged_in(key, replay.told))
            }
            (Goal::CaughtUp | Goal::Told(_), Source::Room(_) | Source::Mailbox(_)) => {
                Event::Declined(replay.asked(), refusal)
            }
        };
        out.push(Output::tell(client, event));
        self.listen_again(client, replay, out);
        self.finish(client, out);
    }

    /// A client that was in the room before the replay is told again what happens there.
    fn listen_again(&self, client: ClientId, replay: &Replay, out: &mut Vec<Output>) {
        match replay.source {
            Source::Room(room) if replay.was_in && self.is_in(client, room) => out.push(Output::Join(client, room)),
            Source::Room(_) | Source::Mailbox(_) => {}
        }
    }

    /// A broken connection can be told nothing. It still joins, so that lines that it sent before are said in that room; and what
    /// is kept for its account stays for the next time.
    pub(super) fn replay_unheard(&mut self, client: ClientId, replay: &Replay, out: &mut Vec<Output>) {
        match (replay.goal, &replay.source) {
            (Goal::Told(_), _) => {}
            (Goal::CaughtUp, Source::Mailbox(_)) => self.break_off_delivery(client),
            (Goal::CaughtUp, Source::Room(room)) => {
                self.listen_again(client, replay, out);
                if self.ends_early(client, replay).is_none() {
                    self.come_in(client, *room, out);
                }
            }
        }
    }

    /// What the store knows it as.
    pub(super) fn stored_name(&self, source: &Source) -> Arc<str> {
        match source {
            Source::Room(room) => self.name_of(*room).unwrap_or_default(),
            Source::Mailbox(key) => self.mailbox_of(key),
        }
    }

    /// What the client knows it as.
    pub(super) fn told_name(&self, source: &Source) -> Arc<str> {
        match source {
            Source::Room(room) => self.name_of(*room).unwrap_or_default(),
            Source::Mailbox(_) => OWN.into(),
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
