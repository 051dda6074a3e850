//! What has happened in rooms, told to those who ask: page by page, and then, for those who join, without a gap what happens.
//! What memory has given up is asked of the store, if there is one.

use std::sync::Arc;

use super::{
    Asked, Chat, ClientId, Done, Event, Output, Refusal, RoomId,
    command::Start,
    recent::Place,
    record::{Position, Record},
    rooms::RoomName,
    stored::{Answer, Gone, Query},
    work::{Long, PIECE_ITEMS, Task},
};

/// The most events that one `history` tells.
pub const HISTORY_MAX: usize = 1000;
/// Events that the store is asked for at once.
const PAGE_EVENTS: usize = 1000;
/// Recent events that are given back at once where there is little memory left.
const SHRINK_EVENTS: usize = 4096;
/// Bytes of events that are told in one piece, of which there is at least one: many clients may ask for long ones.
const PIECE_BYTES: usize = 32 << 10;

/// What has happened in a room, on its way to a client.
#[derive(Debug)]
pub(super) struct Replay {
    room: RoomId,
    /// The number of the last event that was looked at.
    after: u64,
    /// How many were told.
    told: usize,
    goal: Goal,
}

/// When a replay is over.
#[derive(Debug, Clone, Copy)]
enum Goal {
    /// At the event of this number, or when [`HISTORY_MAX`] were told.
    Told(u64),
    /// When there is no more. Then the client joins the room; until then it is told nothing that happens there.
    Joined,
}

/// A question to the store, and what its answer is for.
#[derive(Debug)]
pub(super) struct Question {
    replay: Replay,
    /// The beginning that was asked for.
    start: Option<Start>,
}

/// Where a replay begins.
enum Found {
    /// Behind the event of this number.
    Behind(u64),
    /// The store knows.
    Ask(Query),
    /// Nowhere: what was to come first is not kept any more.
    Gone,
}

impl Goal {
    fn asked(self) -> Asked {
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

    fn told_max(self) -> usize {
        match self {
            Self::Told(_) => HISTORY_MAX,
            Self::Joined => usize::MAX,
        }
    }
}

impl Chat {
    /// Tells what has happened in a room.
    pub(super) fn history(&mut self, client: ClientId, room: &str, start: Start, out: &mut Vec<Output>) {
        match self.room(room) {
            Ok(room) => self.begin_replay(client, room, start, Goal::Told(self.events), out),
            Err(refusal) => self.decline(client, Asked::History, refusal, out),
        }
    }

    /// The client joins a room when it was told what has happened there.
    pub(super) fn join_since(&mut self, client: ClientId, room: &str, start: Start, out: &mut Vec<Output>) {
        match self.may_open(client, room) {
            Ok((_, Some(room))) => {
                if self.is_in(client, room) {
                    out.push(Output::Part(client, room)); // what happens meanwhile is told with the rest
                }
                self.begin_replay(client, room, start, Goal::Joined, out);
            }
            Ok((name, None)) => match self.make_since(client, name, start, out) {
                Ok(room) => {
                    let replay = Replay { room, after: self.events, told: 0, goal: Goal::Joined };
                    self.end_replay(client, &replay, false, out);
                    out.push(Output::Ready(client));
                }
                Err(refusal) => self.decline(client, Asked::Join, refusal, out),
            },
            Err(refusal) => self.decline(client, Asked::Join, refusal, out),
        }
    }

    /// Makes a room for a client that has missed nothing there, as far as it is known.
    fn make_since(
        &mut self,
        client: ClientId,
        name: RoomName,
        start: Start,
        out: &mut Vec<Output>,
    ) -> Result<RoomId, Refusal> {
        let is_known = match start {
            Start::Last(_) | Start::Ago(_) | Start::At(_) => true,
            Start::Behind(n, epoch) => self.is_own(epoch) && n >= self.recent.forgotten(),
            Start::Unknown => false,
        };
        if is_known {
            self.make(client, name, out)
        } else {
            Err(Refusal::HistoryGone { room: name.shared(), oldest: None })
        }
    }

    fn begin_replay(&mut self, client: ClientId, room: RoomId, start: Start, goal: Goal, out: &mut Vec<Output>) {
        let mut replay = Replay { room, after: 0, told: 0, goal };
        match self.find(room, start) {
            Found::Behind(after) => {
                replay.after = after;
                self.begin(client, Task::Tell(client, Long::History(replay)), out);
            }
            Found::Ask(query) => {
                self.set_busy(client, false);
                self.ask(client, Question { replay, start: Some(start) }, query, out);
            }
            Found::Gone => {
                self.set_busy(client, false);
                self.give_up(client, &replay, self.history_gone(room, self.recent.oldest(room)), out);
            }
        }
    }

    fn find(&self, room: RoomId, start: Start) -> Found {
        let place = match start {
            Start::Last(count) => self.recent.last(room, count),
            Start::Ago(_) | Start::At(_) => self.recent.since(room, self.time_of(start)),
            Start::Behind(n, epoch) if self.is_own(epoch) => self.recent.behind(room, n),
            Start::Behind(..) | Start::Unknown => Place::Older,
        };
        let name = || self.name_of(room).unwrap_or_default();
        match (place, start) {
            (Place::Here(after), _) => Found::Behind(after.min(self.events)),
            (Place::Older, Start::Last(count)) if self.has_store() => {
                Found::Ask(Query::SeekLast { room: name(), count, until: self.events })
            }
            (Place::Older, Start::Last(_)) => Found::Behind(self.recent.oldest(room)), // as many as there are
            (Place::Older, Start::Ago(_) | Start::At(_)) if self.has_store() => {
                Found::Ask(Query::SeekSince { room: name(), at: self.time_of(start) })
            }
            (Place::Older, Start::Behind(n, epoch)) if self.has_store() && self.is_own(epoch) => Found::Behind(n),
            // The store knows the oldest position.
            (Place::Older, Start::Behind(..) | Start::Unknown) if self.has_store() => {
                Found::Ask(Query::Page { room: name(), after: 0, until: 0, limit: 1 })
            }
            (Place::Older, Start::Ago(_) | Start::At(_) | Start::Behind(..) | Start::Unknown) => Found::Gone,
        }
    }

    fn is_own(&self, epoch: Option<super::Epoch>) -> bool {
        epoch.is_none_or(|epoch| epoch == self.epoch)
    }

    fn time_of(&self, start: Start) -> jiff::Timestamp {
        match start {
            Start::At(at) => at,
            Start::Ago(ago) => self.at.saturating_sub(ago).unwrap_or(jiff::Timestamp::MIN),
            Start::Last(_) | Start::Behind(..) | Start::Unknown => self.at,
        }
    }

    /// Asks the store, unless it fails: some of what has happened since is neither there nor in memory then.
    fn ask(&mut self, client: ClientId, question: Question, query: Query, out: &mut Vec<Output>) {
        if self.store.fails() {
            return self.give_up(client, &question.replay, Refusal::StoreFailed, out);
        }
        self.questions.insert(client, question);
        out.push(Output::Ask(client, query));
    }

    /// The store has answered a client's question.
    pub(super) fn answered(&mut self, client: ClientId, answer: Option<Answer>, out: &mut Vec<Output>) {
        let Some(Question { mut replay, start }) = self.questions.remove(&client) else { return };
        let Some(name) = self.name_of(replay.room) else {
            return self.give_up(client, &replay, Refusal::NoSuchRoom, out);
        };
        let is_gone = |gone: Option<Gone>| match start {
            None => gone.is_some_and(|gone| gone.n > replay.after),
            Some(Start::Last(_)) => false,
            Some(start @ (Start::Ago(_) | Start::At(_))) => gone.is_some_and(|gone| gone.at >= self.time_of(start)),
            Some(Start::Behind(..) | Start::Unknown) => true,
        };
        match answer.filter(|_| !self.store.fails()) {
            None => return self.give_up(client, &replay, Refusal::StoreFailed, out),
            Some(Answer::Behind { gone, .. } | Answer::Page { gone, .. }) if is_gone(gone) => {
                let oldest = gone.map_or(0, |gone| gone.n);
                return self.give_up(client, &replay, self.history_gone(replay.room, oldest), out);
            }
            Some(Answer::Behind { n, .. }) => replay.after = n,
            Some(Answer::Page { records, through, .. }) => {
                let most = replay.goal.told_max() - replay.told;
                for record in records.into_iter().take(most) {
                    replay.told += 1;
                    out.push(Output::tell(client, Event::Past(Record { room: name.clone(), ..record }, self.epoch)));
                }
                replay.after = through;
            }
        }
        // At once: a fast room must not get further ahead.
        self.tell(client, Long::History(replay), out);
    }

    fn history_gone(&self, room: RoomId, oldest: u64) -> Refusal {
        let name = self.name_of(room).unwrap_or_default();
        Refusal::HistoryGone { room: name, oldest: self.position().map(|position| Position { n: oldest, ..position }) }
    }

    /// Whether more is left to be told than one piece.
    pub(super) fn takes_pieces(&self, replay: &Replay) -> bool {
        self.recent.after(replay.room, replay.after).nth(self.piece(replay)).is_some()
    }

    /// How many of the next events are told in one piece.
    fn piece(&self, replay: &Replay) -> usize {
        let Replay { room, after, told, goal } = *replay;
        let mut bytes = 0;
        let next = self.recent.after(room, after).take_while(|kept| kept.n <= goal.until());
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
        let Some(name) = self.name_of(room) else {
            self.give_up(to, &replay, Refusal::NoSuchRoom, out); // it is not there any more
            return None;
        };
        let left = goal.told_max() - replay.told;
        let until = goal.until().min(self.recent.oldest(room));
        if replay.after < until && left > 0 {
            if self.has_store() {
                let query = Query::Page { room: name, after: replay.after, until, limit: PAGE_EVENTS.min(left) };
                self.ask(to, Question { replay, start: None }, query, out);
            } else {
                // What was to come next has given way to newer events meanwhile.
                self.give_up(to, &replay, self.history_gone(room, self.recent.oldest(room)), out);
            }
            return None;
        }
        for kept in self.recent.after(room, replay.after).take(self.piece(&replay)) {
            let record = Record { n: kept.n, at: kept.at, room: name.clone(), event: kept.event.clone() };
            out.push(Output::tell(to, Event::Past(record, self.epoch)));
            (replay.after, replay.told) = (kept.n, replay.told + 1);
        }
        let next = self.recent.after(room, replay.after).next();
        let has_more = replay.after < until || next.is_some_and(|kept| kept.n <= goal.until());
        if has_more && replay.told < goal.told_max() {
            return Some(replay);
        }
        self.end_replay(to, &replay, has_more, out);
        self.finish(to, out);
        None
    }

    /// All was told that is to be told.
    fn end_replay(&mut self, client: ClientId, replay: &Replay, has_more: bool, out: &mut Vec<Output>) {
        let Replay { room, after, told, goal } = *replay;
        let Some(name) = self.name_of(room) else { return };
        let n = if has_more { after } else { goal.until().min(self.events) };
        let position = self.position().map(|position| Position { n, ..position });
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
    fn give_up(&mut self, client: ClientId, replay: &Replay, refusal: Refusal, out: &mut Vec<Output>) {
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
                if self.rooms.get(replay.room).is_some() {
                    self.come_in(client, replay.room, out);
                }
            }
        }
    }

    /// The name of a room, if it is still there.
    pub(super) fn name_of(&self, room: RoomId) -> Option<Arc<str>> {
        Some(self.rooms.get(room)?.name.shared())
    }

    fn is_in(&self, client: ClientId, room: RoomId) -> bool {
        self.members.get(client).is_some_and(|member| member.rooms.contains(room))
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
