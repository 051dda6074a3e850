//! What has happened is told to those who ask, some of it at a time.

use std::sync::Arc;

use pipechat::chat::{Asked, ClientId, Done, Event, Output, Position, Record, Refusal, RoomId, Start};

use super::{Model, Wait, lists::List, past::Past};
use crate::names::room_name;

/// Events told at one time; as many that are left can wait for their turn.
const PIECE: usize = 64;
/// Bytes that those may take, if they are more than one.
const PIECE_BYTES: usize = 32 << 10;
/// Events told to one who asks for them, without coming in.
const HISTORY_MAX: usize = 1000;

/// What one is to be told.
#[derive(Clone, Copy)]
pub(super) struct Replay {
    pub(super) room: RoomId,
    /// It was told all up to here.
    pub(super) after: u64,
    pub(super) told: usize,
    /// It comes in then. Otherwise it was promised all up to this event.
    until: Option<u64>,
    /// Memory keeps what happens meanwhile.
    pub(super) holds: bool,
}

/// How a replay goes on.
pub(super) enum Next {
    /// This is left.
    Left(Replay),
    /// The store was asked.
    Asked,
    Over,
}

/// How many of these are told at one time.
fn piece(left: &[&Past]) -> usize {
    let fits = |count: &usize| left[..*count].iter().map(|past| past.bytes()).sum::<usize>() <= PIECE_BYTES;
    (2..=left.len().min(PIECE)).take_while(fits).last().unwrap_or(1)
}

impl Replay {
    fn asked(self) -> Asked {
        if self.until.is_some() { Asked::History } else { Asked::Join }
    }

    /// How many more it may be told.
    pub(super) fn most(self) -> usize {
        if self.until.is_some() { HISTORY_MAX - self.told } else { usize::MAX }
    }
}

impl Model {
    pub(super) fn history(&mut self, client: ClientId, room: &str, start: Start) -> Result<(), Refusal> {
        let (start, room) = (self.known(start), self.rooms.find(room)?);
        let until = Some(self.events);
        self.begin_replay(client, Replay { room, after: 0, told: 0, until, holds: false }, start);
        Ok(())
    }

    pub(super) fn join_since(&mut self, client: ClientId, room: &str, start: Start) -> Result<(), Refusal> {
        let (start, name) = (self.known(start), room_name(room).map_err(Refusal::RoomInvalid)?);
        let Some(room) = self.rooms.may_open(client, name)? else {
            if !self.has_missed_nothing(start) {
                return Err(Refusal::HistoryGone { room: name.into(), oldest: None });
            }
            let room = self.rooms.make_for(self.payer(client), name)?;
            self.remember(room);
            let after = self.events;
            self.end_replay(client, Replay { room, after, told: 0, until: None, holds: false }, false);
            self.out.push(Output::Ready(client));
            return Ok(());
        };
        // One that is there already is told of nothing until it was told the rest.
        if self.rooms.with(client).contains(&room) {
            self.guest(client).expect("only guests speak").is_told_later = Some(room);
            self.out.push(Output::Part(client, room));
        }
        self.begin_replay(client, Replay { room, after: 0, told: 0, until: None, holds: false }, start);
        Ok(())
    }

    /// What is long begins when its turn comes.
    fn begin_replay(&mut self, client: ClientId, replay: Replay, start: Start) {
        let Some(after) = self.find(replay.room, start) else {
            if self.rules.has_store {
                return self.ask_for_place(client, replay, start);
            }
            self.give_up(client, replay, self.history_gone(replay.room));
            self.out.push(Output::Ready(client));
            return;
        };
        let replay = Replay { after, ..replay };
        let left: Vec<_> = self.here(replay.room).into_iter().filter(|past| past.n > replay.after).collect();
        if left.len() > piece(&left) {
            self.guest(client).expect("only guests speak").wait = Wait::Asking;
            self.asking.push_back((client, List::Past(replay)));
        } else {
            self.list(client, List::Past(replay));
        }
    }

    /// Tells a client some of it. Answers whether that was all for now, and what is left.
    pub(super) fn replay(&mut self, client: ClientId, mut replay: Replay) -> Next {
        let (room, asked) = (replay.room, replay.asked());
        if self.rooms.get(room).is_none() {
            self.note(client, "has no room any more");
            self.give_up(client, replay, Refusal::NoSuchRoom);
            return Next::Over;
        }
        let name = self.name_of(room);
        let until = self.oldest(room).min(replay.until.unwrap_or(u64::MAX));
        let is_overtaken = until > replay.after;
        if is_overtaken && replay.most() > 0 {
            if self.rules.has_store {
                if replay.until.is_none() {
                    replay.holds = true;
                    self.begin_past(room);
                }
                self.ask_for_page(client, replay, until, replay.most());
                return Next::Asked;
            }
            self.note(client, "is overtaken");
            self.give_up(client, replay, self.history_gone(room));
            return Next::Over;
        }
        let is_promised = |n: u64| replay.until.is_none_or(|until| n <= until);
        let mut left = self.here(room);
        left.retain(|past| past.n > replay.after && is_promised(past.n));
        let most = piece(&left).min(replay.most());
        let records: Vec<_> = left
            .into_iter()
            .map(|past| Record {
                n: past.n,
                at: past.at,
                room: Arc::clone(&name),
                event: Arc::clone(&past.event).into(),
            })
            .collect();
        for record in records.iter().take(most) {
            (replay.after, replay.told) = (record.n, replay.told + 1);
            self.tell(client, Event::Past(record.clone(), self.epoch));
        }
        let has_more = records.len() > most || is_overtaken;
        if has_more && replay.most() > 0 {
            self.note(client, if asked == Asked::History { "goes on" } else { "goes on, and then it comes in" });
            return Next::Left(replay);
        }
        self.end_replay(client, replay, has_more);
        Next::Over
    }

    /// All was told that is to be told now.
    fn end_replay(&mut self, client: ClientId, replay: Replay, has_more: bool) {
        let name = self.name_of(replay.room);
        let end = self.position().map(|end| Position { n: replay.until.unwrap_or(end.n), ..end });
        let position = if has_more { end.map(|end| Position { n: replay.after, ..end }) } else { end };
        self.tell(client, Event::Done(Done::History { room: name, count: replay.told, position, has_more }));
        if replay.until.is_none() {
            self.be_told_again(client);
            let done = self.come_in(client, replay.room);
            self.tell(client, Event::Done(done));
        }
    }

    /// It cannot be told what it has asked for.
    pub(super) fn give_up(&mut self, client: ClientId, replay: Replay, refusal: Refusal) {
        self.tell(client, Event::Declined(replay.asked(), refusal));
        self.be_told_again(client);
    }

    /// One that can be told nothing comes in at once.
    pub(super) fn skip(&mut self, client: ClientId, replay: Replay) {
        if replay.until.is_none() && self.rooms.get(replay.room).is_some() {
            self.be_told_again(client);
            let done = self.come_in(client, replay.room);
            self.tell(client, Event::Done(done));
        }
    }

    pub(super) fn note(&mut self, client: ClientId, what: &str) {
        self.notes.push(format!("the replay of {client} {what}"));
    }

    /// One that was in the room before hears what happens there again.
    fn be_told_again(&mut self, client: ClientId) {
        if let Some(room) = self.guest(client).and_then(|guest| guest.is_told_later.take()) {
            self.note(client, "ends where it was before");
            self.out.push(Output::Join(client, room));
        }
    }
}
