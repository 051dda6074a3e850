//! Where a history begins that a client asks for: in memory, or, where memory has given that up, in the store, if there is one.
//! [`Replay`] tells it.

use super::{
    Asked, Chat, ClientId, Kinds, Output, ROOMS_AT_ONCE_MAX, Refusal, RoomId, Stretch,
    accounts::OWN,
    answered::Question,
    command::Start,
    recent::Place,
    replay::{Goal, Part, Replay, Source},
    rooms::RoomName,
    stored::Query,
    work::{LongAnswer, Task},
};

/// The most events that one `history` tells.
pub const HISTORY_MAX: usize = 1000;
/// Recent events that are given back at once where there is little memory left.
const SHRINK_EVENTS: usize = 4096;

/// Where a replay begins.
enum Found {
    /// In each room behind an event that it knows by now.
    Here,
    /// The store knows.
    Ask(Query),
    /// Nowhere: what was to come first is not kept any more.
    Gone,
}

impl Chat {
    /// Tells what has happened in rooms, or what was said to the client alone.
    pub(super) fn history(&mut self, client: ClientId, stretch: &Stretch, out: &mut Vec<Output>) {
        let is_own = stretch.rooms == [OWN];
        let source = if is_own { self.own_history(client) } else { self.parts_to_tell(&stretch.rooms) };
        let source = match source {
            Ok(source) => source,
            Err(refusal) => return self.decline(client, Asked::History, refusal, out),
        };
        let (start, until) = match stretch.before {
            None => (self.known(stretch.start), self.events),
            Some((n, epoch)) if self.known(Start::Behind(n, epoch)) == Start::Unknown || !self.is_own(epoch) => {
                (Start::Unknown, self.events)
            }
            Some((n, _)) => (self.known(stretch.start), self.events.min(n.saturating_sub(1))),
        };
        let kinds = if is_own { Kinds::All } else { stretch.kinds }; // all of that was said
        let replay = Replay { kinds, most: stretch.most, ..Replay::behind(0, source, Goal::Told(until)) };
        self.begin_replay(client, replay, start, out);
    }

    /// The client joins rooms when it was told what has happened there.
    pub(super) fn follow(
        &mut self,
        client: ClientId,
        rooms: &[String],
        start: Start,
        kinds: Kinds,
        out: &mut Vec<Output>,
    ) {
        let start = self.known(start);
        let parts = match self.parts_to_join(client, rooms, start) {
            Ok(parts) => parts,
            Err(refusal) => return self.decline(client, Asked::Join, refusal, out),
        };
        let is_nothing_there = parts.iter().all(|part| part.room().is_none());
        let was_in = parts.iter().filter(|part| part.was_in).filter_map(Part::room);
        out.extend(was_in.map(|room| Output::Part(client, room))); // what happens meanwhile is told with the rest
        let replay = Replay { kinds, ..Replay::behind(self.events, Source::Rooms(parts), Goal::CaughtUp) };
        if !is_nothing_there {
            return self.begin_replay(client, replay, start, out);
        }
        match self.end_replay(client, &replay, false, out) {
            Ok(()) => out.push(Output::Ready(client)),
            Err(refusal) => self.decline(client, Asked::Join, refusal, out),
        }
    }

    /// The rooms of which a client wants to be told.
    fn parts_to_tell(&self, names: &[String]) -> Result<Source, Refusal> {
        check_count(names)?;
        let mut rooms: Vec<RoomId> = Vec::new();
        for name in names {
            let room = self.room(name)?;
            if !rooms.contains(&room) {
                rooms.push(room);
            }
        }
        Ok(Source::Rooms(rooms.into_iter().map(|room| Part::here(room, false)).collect()))
    }

    /// The rooms that a client wants to join when it was told of them.
    ///
    /// # Errors
    /// If it cannot join all of them.
    fn parts_to_join(&self, client: ClientId, names: &[String], start: Start) -> Result<Vec<Part>, Refusal> {
        check_count(names)?;
        let mut parsed: Vec<RoomName> = Vec::new();
        for name in names {
            let name = RoomName::parse(name)?;
            if parsed.iter().all(|other| other.key() != name.key()) {
                parsed.push(name);
            }
        }
        self.may_join(client, &parsed)?;
        let part = |name: RoomName| match self.rooms.with_key(name.key()) {
            Some(room) => Ok(Part::here(room, self.is_in(client, room))),
            None if !self.is_known_of_new(start) => Err(Refusal::HistoryGone { room: name.shared(), oldest: None }),
            None => self.may_make(&name).map(|()| Part::missing(name, self.events)),
        };
        parsed.into_iter().map(part).collect()
    }

    /// Whether a client has missed nothing in a room that is made now, as far as it is known.
    fn is_known_of_new(&self, start: Start) -> bool {
        match start {
            Start::Last(_) | Start::Ago(_) | Start::At(_) => true,
            Start::Behind(n, epoch) => self.is_own(epoch) && n >= self.recent.forgotten_until(),
            Start::Unknown => false,
        }
    }

    /// Begins a replay at what is [`Self::known`] of a beginning.
    fn begin_replay(&mut self, client: ClientId, mut replay: Replay, start: Start, out: &mut Vec<Output>) {
        match self.find(&mut replay, start) {
            Found::Here => self.begin(client, Task::Tell(client, LongAnswer::Replay(replay)), out),
            Found::Ask(query) => {
                self.set_busy(client);
                self.ask(client, Question { replay, start: Some(start) }, query, out);
            }
            Found::Gone => {
                self.set_busy(client);
                self.give_up(client, &replay, self.history_gone(&replay.source), out);
            }
        }
    }

    fn find(&self, replay: &mut Replay, start: Start) -> Found {
        let until = self.last_to_tell(replay).min(self.events);
        if let Some(numbers) = self.find_in_memory(replay, start, until) {
            replay.begin_behind(&numbers);
            return Found::Here;
        }
        let (rooms, kinds) = (self.stored_names(&replay.source), replay.kinds);
        match start {
            Start::Last(count) if self.has_store() => Found::Ask(Query::SeekLast { rooms, kinds, count, until }),
            Start::Last(_) => {
                let lost = self.recent.lost(replay.source.rooms().map(|(room, _)| room));
                replay.begin_behind(&self.behind_in_each(replay, lost.unwrap_or(0))); // as many as there are
                Found::Here
            }
            Start::Ago(_) | Start::At(_) if self.has_store() => {
                Found::Ask(Query::SeekSince { rooms, at: self.time_of(start) })
            }
            Start::Behind(n, epoch) if self.has_store() && self.is_own(epoch) => {
                replay.after = n.min(self.events);
                Found::Here
            }
            // The store knows the oldest position.
            Start::Behind(..) | Start::Unknown if self.has_store() => Found::Ask(Query::SeekOldest { rooms }),
            Start::Ago(_) | Start::At(_) | Start::Behind(..) | Start::Unknown => Found::Gone,
        }
    }

    /// Behind which event it begins in each of its rooms, if all that follows is in memory.
    fn find_in_memory(&self, replay: &Replay, start: Start, until: u64) -> Option<Vec<u64>> {
        let mut rooms = match replay.source {
            Source::Rooms(_) => replay.source.rooms().map(|(room, _)| room),
            Source::Mailbox(_) => return None,
        };
        let here = |place| match place {
            Place::Here(n) => Some(n),
            Place::Older => None,
        };
        match start {
            Start::Last(count) => {
                let place = self.recent.last(&rooms.collect::<Vec<_>>(), replay.kinds, count, until);
                here(place).map(|n| self.behind_in_each(replay, n))
            }
            Start::Ago(_) | Start::At(_) => {
                let at = self.time_of(start);
                rooms.map(|room| here(self.recent.since(room, at))).collect()
            }
            Start::Behind(n, epoch) if self.is_own(epoch) => {
                let n = n.min(self.events);
                rooms.all(|room| self.recent.behind(room, n) == Place::Here(n)).then(|| self.behind_in_each(replay, n))
            }
            Start::Behind(..) | Start::Unknown => None,
        }
    }

    /// Behind the event of this number in each room, or behind what was before the room.
    fn behind_in_each(&self, replay: &Replay, n: u64) -> Vec<u64> {
        replay.source.rooms().map(|(room, _)| n.max(self.recent.oldest(room))).collect()
    }

    /// A beginning that stays the same until the store has answered: so long ago is counted from now. A position ahead of all is
    /// none of ours, though its epoch is: the store may be an older copy of its file.
    pub(super) fn known(&self, start: Start) -> Start {
        match start {
            Start::Ago(_) => Start::At(self.time_of(start)),
            Start::Behind(n, Some(_)) if n > self.events => Start::Unknown,
            Start::Last(_) | Start::At(_) | Start::Behind(..) | Start::Unknown => start,
        }
    }

    pub(super) fn is_own(&self, epoch: Option<super::Epoch>) -> bool {
        epoch.is_none_or(|epoch| epoch == self.epoch)
    }

    pub(super) fn time_of(&self, start: Start) -> jiff::Timestamp {
        match start {
            Start::At(at) => at,
            Start::Ago(ago) => self.at.saturating_sub(ago).unwrap_or(jiff::Timestamp::MIN),
            Start::Last(_) | Start::Behind(..) | Start::Unknown => self.at,
        }
    }

    /// Gives back memory.
    pub(super) fn shrink(&mut self, bytes: usize) {
        let emptied = self.recent.shrink(self.recent.bytes().saturating_sub(bytes), SHRINK_EVENTS);
        self.forget_history(emptied);
    }

    /// What recent events take, in bytes.
    #[must_use]
    pub fn recent_bytes(&self) -> usize {
        self.recent.bytes()
    }
}

/// # Errors
/// If these are more rooms than one command may name, or none.
fn check_count(names: &[String]) -> Result<(), Refusal> {
    match names.len() {
        0 => Err(Refusal::NoSuchRoom),
        1..=ROOMS_AT_ONCE_MAX => Ok(()),
        _ => Err(Refusal::TooManyRooms(ROOMS_AT_ONCE_MAX)),
    }
}
