//! Where a history begins that a client asks for: in memory, or, where memory has given that up, in the store, if there is one.
//! [`Replay`] tells it.

use super::{
    Asked, Chat, ClientId, Event, Output, Refusal, RoomId,
    command::Start,
    recent::Place,
    record::Record,
    replay::{Goal, Replay, Source},
    rooms::RoomName,
    stored::{Answer, Gone, Query},
    work::{LongAnswer, Task},
};

/// The most events that one `history` tells.
pub const HISTORY_MAX: usize = 1000;
/// Recent events that are given back at once where there is little memory left.
const SHRINK_EVENTS: usize = 4096;

/// A question to the store, and what its answer is for.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) replay: Replay,
    /// The beginning that was asked for.
    pub(super) start: Option<Start>,
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

impl Chat {
    /// Tells what has happened in a room.
    pub(super) fn history(&mut self, client: ClientId, room: &str, start: Start, out: &mut Vec<Output>) {
        let start = self.known(start);
        match self.room(room) {
            Ok(room) => {
                let replay = Replay::behind(0, Source::Room(room), Goal::Told(self.events));
                self.begin_replay(client, replay, start, out);
            }
            Err(refusal) => self.decline(client, Asked::History, refusal, out),
        }
    }

    /// The client joins a room when it was told what has happened there.
    pub(super) fn join_since(&mut self, client: ClientId, room: &str, start: Start, out: &mut Vec<Output>) {
        let start = self.known(start);
        match self.may_open(client, room) {
            Ok((_, Some(room))) => {
                let was_in = self.is_in(client, room);
                if was_in {
                    out.push(Output::Part(client, room)); // what happens meanwhile is told with the rest
                }
                let replay = Replay { was_in, ..Replay::behind(0, Source::Room(room), Goal::CaughtUp) };
                self.begin_replay(client, replay, start, out);
            }
            Ok((name, None)) => match self.make_since(client, name, start, out) {
                Ok(room) => {
                    let replay = Replay::behind(self.events, Source::Room(room), Goal::CaughtUp);
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
            Start::Behind(n, epoch) => self.is_own(epoch) && n >= self.recent.forgotten_until(),
            Start::Unknown => false,
        };
        if is_known {
            self.make(client, name, out)
        } else {
            Err(Refusal::HistoryGone { room: name.shared(), oldest: None })
        }
    }

    /// Begins a replay at what is [`Self::known`] of a beginning.
    pub(super) fn begin_replay(&mut self, client: ClientId, mut replay: Replay, start: Start, out: &mut Vec<Output>) {
        match self.find(&replay.source, start) {
            Found::Behind(after) => {
                replay.after = after;
                self.begin(client, Task::Tell(client, LongAnswer::Replay(replay)), out);
            }
            Found::Ask(query) => {
                self.set_busy(client);
                self.ask(client, Question { replay, start: Some(start) }, query, out);
            }
            Found::Gone => {
                self.set_busy(client);
                self.give_up(client, &replay, self.history_gone(&replay.source, self.oldest(&replay.source)), out);
            }
        }
    }

    fn find(&self, source: &Source, start: Start) -> Found {
        let place = match (source, start) {
            (Source::Room(room), Start::Last(count)) => self.recent.last(*room, count),
            (Source::Room(room), Start::Ago(_) | Start::At(_)) => self.recent.since(*room, self.time_of(start)),
            (Source::Room(room), Start::Behind(n, epoch)) if self.is_own(epoch) => self.recent.behind(*room, n),
            (Source::Room(_), Start::Behind(..) | Start::Unknown) | (Source::Mailbox(_), _) => Place::Older,
        };
        let name = || self.stored_name(source);
        match (place, start) {
            (Place::Here(after), _) => Found::Behind(after.min(self.events)),
            (Place::Older, Start::Last(count)) if self.has_store() => {
                Found::Ask(Query::SeekLast { room: name(), count, until: self.events })
            }
            (Place::Older, Start::Last(_)) => Found::Behind(self.oldest(source)), // as many as there are
            (Place::Older, Start::Ago(_) | Start::At(_)) if self.has_store() => {
                Found::Ask(Query::SeekSince { room: name(), at: self.time_of(start) })
            }
            (Place::Older, Start::Behind(n, epoch)) if self.has_store() && self.is_own(epoch) => {
                Found::Behind(n.min(self.events))
            }
            // The store knows the oldest position.
            (Place::Older, Start::Behind(..) | Start::Unknown) if self.has_store() => {
                Found::Ask(Query::SeekOldest { room: name() })
            }
            (Place::Older, Start::Ago(_) | Start::At(_) | Start::Behind(..) | Start::Unknown) => Found::Gone,
        }
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

    /// Whether the store has removed some of what was to be told: from a beginning on, or else behind the event of this number.
    pub(super) fn is_gone(&self, start: Option<Start>, after: u64, gone: Option<Gone>) -> bool {
        match start {
            None => gone.is_some_and(|gone| gone.n > after),
            Some(Start::Last(_)) => false,
            Some(start @ (Start::Ago(_) | Start::At(_))) => gone.is_some_and(|gone| gone.at >= self.time_of(start)),
            Some(Start::Behind(..) | Start::Unknown) => true,
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

    /// Asks the store, unless it fails: some of what has happened since is neither there nor in memory then.
    pub(super) fn ask(&mut self, client: ClientId, question: Question, query: Query, out: &mut Vec<Output>) {
        if self.store.fails() {
            return self.give_up(client, &question.replay, Refusal::StoreFailed, out);
        }
        self.questions.insert(client, question);
        out.push(Output::Ask(client, query));
    }

    /// The store has answered a client's question.
    pub(super) fn answered(&mut self, client: ClientId, answer: Option<Answer>, out: &mut Vec<Output>) {
        let Some(Question { mut replay, start }) = self.questions.remove(&client) else { return };
        if let Some(refusal) = self.ends_early(client, &replay) {
            return self.give_up(client, &replay, refusal, out);
        }
        match answer.filter(|_| !self.store.fails()) {
            None => return self.give_up(client, &replay, Refusal::StoreFailed, out),
            Some(Answer::Behind { gone, .. } | Answer::Page { gone, .. })
                if replay.needs_all() && self.is_gone(start, replay.after, gone) =>
            {
                let oldest = gone.map_or(0, |gone| gone.n);
                return self.give_up(client, &replay, self.history_gone(&replay.source, oldest), out);
            }
            Some(Answer::Behind { n, .. }) => replay.after = n,
            Some(Answer::Page { records, through, .. }) => {
                let (name, most) = (self.told_name(&replay.source), replay.left());
                for record in records.into_iter().take(most) {
                    replay.told += 1;
                    out.push(Output::tell(client, Event::Past(Record { room: name.clone(), ..record }, self.epoch)));
                }
                replay.after = through;
            }
        }
        // At once: a fast room must not get further ahead.
        self.go_on_telling(client, LongAnswer::Replay(replay), out);
    }

    pub(super) fn history_gone(&self, source: &Source, oldest: u64) -> Refusal {
        Refusal::HistoryGone { room: self.told_name(source), oldest: self.position_of(oldest) }
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
