//! What a store is asked for a history, and what its answers mean for that.

use super::{
    Chat, ClientId, Event, Output, Refusal,
    accounts::OWN,
    command::Start,
    record::Record,
    replay::{Replay, Source},
    stored::{Answer, Gone, Query},
    work::LongAnswer,
};

/// A question to the store, and what its answer is for.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) replay: Replay,
    /// The beginning that was asked for.
    pub(super) start: Option<Start>,
}

impl Chat {
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
                if replay.needs_all() && self.is_gone(start, &replay, &gone) =>
            {
                return self.give_up(client, &replay, self.removed(&replay.source, &gone), out);
            }
            Some(Answer::Further { count, until }) if self.members.get(client).is_some_and(|it| !it.is_broken) => {
                let rooms = self.stored_names(&replay.source);
                let query = Query::SeekLast { rooms, kinds: replay.kinds, count, until };
                return self.ask(client, Question { replay, start }, query, out);
            }
            Some(Answer::Further { .. }) => {} // nobody is told anything
            Some(Answer::Behind { n, .. }) => replay.begin_behind(&n),
            Some(Answer::Page { records, through, .. }) => {
                let most = replay.left();
                for record in records.into_iter().take(most) {
                    replay.told += 1;
                    let room = match replay.source {
                        Source::Rooms(_) => record.room,
                        Source::Mailbox(_) => OWN.into(),
                    };
                    out.push(Output::tell(client, Event::Past(Record { room, ..record }, self.epoch)));
                }
                replay.after = through;
            }
        }
        // At once: a fast room must not get further ahead.
        self.go_on_telling(client, LongAnswer::Replay(replay), out);
    }

    /// Whether the store has removed some of what was to be told: from a beginning on, or else behind what was told.
    fn is_gone(&self, start: Option<Start>, replay: &Replay, gone: &[Option<Gone>]) -> bool {
        match start {
            None => replay.stored().zip(gone).any(|(after, gone)| gone.is_some_and(|gone| gone.n > after)),
            Some(Start::Last(_)) => false,
            Some(start @ (Start::Ago(_) | Start::At(_))) => {
                let at = self.time_of(start);
                gone.iter().flatten().any(|gone| gone.at >= at)
            }
            Some(Start::Behind(..) | Start::Unknown) => true,
        }
    }

    /// The store has removed some of what was to be told. It has all behind what it has removed last.
    fn removed(&self, source: &Source, gone: &[Option<Gone>]) -> Refusal {
        let names = source.rooms().map(|(room, _)| self.name_of(room).unwrap_or_default());
        let removed = names.zip(gone).map(|(room, gone)| (room, gone.map_or(0, |gone| gone.n)));
        let (room, oldest) = match removed.reduce(|last, other| if other.1 > last.1 { other } else { last }) {
            Some(last) => last,
            None => (self.told_name(source), gone.iter().flatten().map(|gone| gone.n).max().unwrap_or(0)),
        };
        Refusal::HistoryGone { room, oldest: self.position_of(oldest) }
    }

    /// Memory has given up some of what was to be told, and there is no store.
    pub(super) fn history_gone(&self, source: &Source) -> Refusal {
        let (room, oldest) = self.shortest(source);
        Refusal::HistoryGone { room, oldest: self.position_of(oldest) }
    }
}
