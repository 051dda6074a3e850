//! What the model asks of a store, and what it makes of the answers; how it goes on where a store has left off.

use std::{mem, sync::Arc};

use pipechat::chat::{
    Answer, ClientId, Epoch, Event, Gone, KeptEvent, Kinds, Output, PastRoom, Position, PublicEvent, Query, Record,
    Refusal, RoomId, Rules, Start,
};

use super::{Model, Past, Wait, lists::List, replay::Replay};

/// Events that are asked for at once.
const PAGE: usize = 1000;
/// The id of rooms that were no more when the store was opened.
const NO_ROOM: RoomId = RoomId(u64::MAX);

/// What a client waits for the store to answer, and where it has asked to begin, if it does not know where that is.
pub(super) struct Question {
    pub(super) replay: Replay,
    start: Option<Start>,
}

impl Model {
    /// Goes on with what a store has kept: with this number next, with rooms in the order of their last events, and with events
    /// of rooms that there are or of others. Answers what follows from that too.
    pub(crate) fn restored(
        rules: Rules,
        epoch: Epoch,
        (next, forgotten): (u64, u64),
        rooms: &[PastRoom],
        past: impl Iterator<Item = (Record, bool)>,
    ) -> (Self, Vec<Output>) {
        let mut model = Self::new(rules, epoch);
        model.events = next - 1;
        model.forgotten = forgotten;
        // The lobby is there anyway.
        let others: Vec<_> = rooms.iter().filter(|room| room.name != "lobby").collect();
        let too_many = &others[..(others.len() + 1).saturating_sub(model.rules.rooms.rooms_max)];
        for room in rooms {
            if too_many.contains(&room) || !model.rooms.restore(room) {
                model.out.push(Output::Forget(room.name.as_str().into()));
                model.forgotten = model.forgotten.max(room.last_known());
            }
        }
        let removed = |room: &&PastRoom| model.rooms.removed.iter().any(|(_, name)| *name == room.name);
        let removed = rooms.iter().filter(removed).map(PastRoom::last_known).max().unwrap_or(0);
        model.forgotten = model.forgotten.max(removed);
        let id = |name: &str| model.rooms.all().iter().find(|room| room.name == name).map(|room| room.id);
        model.past = past
            .map(|(record, is_kept)| {
                let room = id(&record.room).filter(|_| is_kept).unwrap_or(NO_ROOM);
                Past {
                    n: record.n,
                    at: record.at,
                    room,
                    name: record.room,
                    event: public(record.event),
                    is_here: false,
                }
            })
            .collect();
        model.forget();
        let out = mem::take(&mut model.out);
        (model, out)
    }

    pub(super) fn ask(&mut self, client: ClientId, replay: Replay, start: Option<Start>, query: Query) {
        self.guest(client).expect("only guests ask").wait = Wait::Asking;
        // What has happened since it fails is not there.
        if self.is_store_down {
            self.note(client, "is given up");
            self.give_up(client, replay, Refusal::StoreFailed);
            return self.done(client);
        }
        self.questions.insert(client, Question { replay, start });
        self.out.push(Output::Ask(client, query));
    }

    /// Asks for what happened before all that is in memory.
    pub(super) fn ask_for_page(&mut self, client: ClientId, replay: Replay, until: u64, most: usize) {
        let limit = PAGE.min(most);
        let rooms = vec![(self.name_of(replay.room), replay.after)];
        let query = Query::Page { rooms, until, kinds: Kinds::All, limit };
        self.ask(client, replay, None, query);
    }

    /// Asks where it begins.
    pub(super) fn ask_for_place(&mut self, client: ClientId, replay: Replay, start: Start) {
        let rooms = vec![self.name_of(replay.room)];
        let query = match start {
            Start::Last(count) => Query::SeekLast { rooms, kinds: Kinds::All, count, until: self.events },
            Start::Ago(_) | Start::At(_) => Query::SeekSince { rooms, at: self.time_of(start) },
            Start::Behind(..) | Start::Unknown => Query::SeekOldest { rooms },
        };
        let start = match start {
            Start::Ago(_) => Start::At(self.time_of(start)),
            Start::Last(_) | Start::At(_) | Start::Behind(..) | Start::Unknown => start,
        };
        self.ask(client, replay, Some(start), query);
    }

    pub(super) fn answered(&mut self, client: ClientId, answer: Option<&Answer>) {
        let Some(Question { mut replay, start }) = self.questions.remove(&client) else { return };
        let refusal = match answer.filter(|_| !self.is_store_down) {
            _ if self.rooms.get(replay.room).is_none() => Some(Refusal::NoSuchRoom),
            None => Some(Refusal::StoreFailed),
            Some(Answer::Further { .. }) => unreachable!("few events are looked at"),
            Some(Answer::Behind { gone, .. } | Answer::Page { gone, .. }) => {
                let gone = gone[0];
                let is_gone = match start {
                    None => gone.is_some_and(|gone| gone.n > replay.after),
                    Some(Start::Last(_)) => false,
                    Some(start @ (Start::Ago(_) | Start::At(_))) => {
                        gone.is_some_and(|gone| gone.at >= self.time_of(start))
                    }
                    Some(Start::Behind(..) | Start::Unknown) => true,
                };
                is_gone.then(|| self.removed(replay.room, gone))
            }
        };
        if let Some(refusal) = refusal {
            self.note(client, "is given up");
            self.give_up(client, replay, refusal);
            return self.done(client);
        }
        match answer {
            Some(Answer::Page { records, through, .. }) => {
                self.note(client, "has a page of the store");
                for record in records.iter().take(replay.most()) {
                    replay.told += 1;
                    self.tell(client, Event::Past(record.clone(), self.epoch));
                }
                replay.after = *through;
            }
            Some(Answer::Behind { n, .. }) => replay.after = n[0],
            Some(Answer::Further { .. }) | None => {}
        }
        self.list(client, List::Past(replay));
    }

    /// The store has removed what was asked for, with all up to there.
    fn removed(&self, room: RoomId, gone: Option<Gone>) -> Refusal {
        let n = gone.map_or(0, |gone| gone.n);
        let oldest = self.position().map(|position| Position { n, ..position });
        Refusal::HistoryGone { room: self.name_of(room), oldest }
    }

    /// The same of a room, if it was made just now: so many had been made before.
    pub(super) fn remember_new(&mut self, made: u64, room: RoomId) {
        if self.rooms.made > made {
            self.remember(room);
        }
    }

    /// A room is made, or has another topic.
    pub(super) fn remember(&mut self, room: RoomId) {
        let Some(of) = self.rooms.get(room).filter(|_| self.rules.has_store) else { return };
        let topic = Some(Arc::from(of.topic.as_str())).filter(|_| !of.topic.is_empty());
        let keeper = of.keeper.as_ref().and_then(|keeper| keeper.parse().ok());
        self.out.push(Output::Remember { room: of.name.as_str().into(), topic, keeper });
    }

    /// What cannot be kept is not said.
    pub(super) fn check_stored(&self) -> Result<(), Refusal> {
        if self.is_store_down { Err(Refusal::NotStored) } else { Ok(()) }
    }
}

/// No private message is kept here.
fn public(event: KeptEvent) -> Arc<PublicEvent> {
    match event {
        KeptEvent::Public(event) => event,
        KeptEvent::Private { .. } => unreachable!("nobody has an account"),
    }
}
