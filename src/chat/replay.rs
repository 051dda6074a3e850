//! A history on its way to a client, piece by piece: of rooms, what memory has of it at once, and the rest page by page from the
//! store; of a mailbox, all of it from the store. Who is to join rooms then is told without a gap what happens.

mod end;
mod source;

use super::{
    Asked, Chat, ClientId, Event, Kinds, Output, RoomId, answered::Question, recent::Kept, record::Record,
    stored::Query, work::PIECE_ITEMS,
};

pub(super) use source::{Part, Source};

/// Events that the store is asked for at once.
const PAGE_EVENTS: usize = 1000;
/// Bytes of events that are told in one piece, of which there is at least one: many clients may ask for long ones.
const PIECE_BYTES: usize = 32 << 10;
/// Events that are looked at for one piece, however few of them are told: some fifty microseconds of work.
const PIECE_LOOKED: usize = 512;

/// What has happened, on its way to a client.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) source: Source,
    /// What of it is told.
    pub(super) kinds: Kinds,
    /// The number of the last event that was looked at.
    pub(super) after: u64,
    /// How many were told.
    pub(super) told: usize,
    /// How many may be.
    pub(super) most: usize,
    pub(super) goal: Goal,
}

/// When a replay is over.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    /// At the event of this number, or when as many were told as may be.
    Told(u64),
    /// When there is no more. Then the client joins the rooms, and until then it is told nothing that happens there; or it is told
    /// that it is logged in to the account.
    CaughtUp,
}

/// What is told at once.
struct Piece<'c> {
    events: Vec<(RoomId, Kept<'c>)>,
    /// The number of the last event that was looked at.
    through: u64,
    has_more: bool,
}

impl Replay {
    /// All of it behind the event of this number.
    pub(super) fn behind(after: u64, source: Source, goal: Goal) -> Self {
        Self { source, kinds: Kinds::All, after, told: 0, most: usize::MAX, goal }
    }

    /// What its client has asked for.
    fn asked(&self) -> Asked {
        match (self.goal, &self.source) {
            (Goal::Told(_), _) => Asked::History,
            (Goal::CaughtUp, Source::Rooms(_)) => Asked::Join,
            (Goal::CaughtUp, Source::Mailbox(_)) => Asked::Login,
        }
    }

    /// Whether nothing may be missing. One that logs in is told what there is.
    pub(super) fn needs_all(&self) -> bool {
        match (self.goal, &self.source) {
            (Goal::Told(_), _) | (_, Source::Rooms(_)) => true,
            (Goal::CaughtUp, Source::Mailbox(_)) => false,
        }
    }

    /// How many more may be told.
    pub(super) fn left(&self) -> usize {
        self.most - self.told
    }
}

impl Chat {
    /// Whether more is left to be told than one piece.
    pub(super) fn takes_pieces(&self, replay: &Replay) -> bool {
        self.piece(replay).has_more
    }

    /// The next events that are told at once, as far as memory has them.
    fn piece(&self, replay: &Replay) -> Piece<'_> {
        let (until, most) = (self.last_to_tell(replay), PIECE_ITEMS.min(replay.left()));
        let mut piece = Piece { events: Vec::new(), through: replay.after, has_more: false };
        let mut bytes = 0;
        for (looked, (room, kept)) in self.in_memory(replay).take_while(|(_, kept)| kept.n() <= until).enumerate() {
            if kept.is_of(replay.kinds) {
                bytes += kept.bytes();
                piece.has_more = piece.events.len() == most || (bytes > PIECE_BYTES && !piece.events.is_empty());
            } else {
                piece.has_more = looked >= PIECE_LOOKED;
            }
            if piece.has_more {
                break;
            }
            if kept.is_of(replay.kinds) {
                piece.events.push((room, kept));
            }
            piece.through = kept.n();
        }
        piece
    }

    /// The number of the last event to be told.
    pub(super) fn last_to_tell(&self, replay: &Replay) -> u64 {
        match (replay.goal, &replay.source) {
            (Goal::Told(until), _) => until,
            (Goal::CaughtUp, Source::Rooms(_)) => u64::MAX,
            (Goal::CaughtUp, Source::Mailbox(key)) => self.last_mail(key),
        }
    }

    /// Tells the next events. Answers what is left of the replay, if it goes on at once.
    pub(super) fn replay(&mut self, to: ClientId, mut replay: Replay, out: &mut Vec<Output>) -> Option<Replay> {
        self.find_made(&mut replay);
        if let Some(refusal) = self.ends_early(to, &replay).or_else(|| self.may_have_missed(&replay)) {
            self.give_up(to, &replay, refusal, out);
            return None;
        }
        let missing = self.missing(&replay);
        if let Some(until) = missing.filter(|_| replay.left() > 0) {
            if self.has_store() {
                self.ask_for_page(to, replay, until, out);
            } else {
                // What was to come next has given way to newer events meanwhile.
                self.give_up(to, &replay, self.history_gone(&replay.source), out);
            }
            return None;
        }
        let piece = self.piece(&replay);
        for (room, kept) in &piece.events {
            let room = self.name_of(*room).unwrap_or_default();
            let record = Record { n: kept.n(), at: kept.at(), room, event: kept.event().into() };
            out.push(Output::tell(to, Event::Past(record, self.epoch)));
        }
        replay.told += piece.events.len();
        replay.after = piece.through;
        let has_more = missing.is_some() || piece.has_more;
        if has_more && replay.left() > 0 {
            return Some(replay);
        }
        replay.release(); // memory has caught up with it
        match self.end_replay(to, &replay, has_more, out) {
            Ok(()) => self.finish(to, out),
            Err(refusal) => self.give_up(to, &replay, refusal, out),
        }
        None
    }

    /// Asks the store for what is not in memory up to the event of this number.
    fn ask_for_page(&mut self, to: ClientId, mut replay: Replay, until: u64, out: &mut Vec<Output>) {
        match (replay.goal, &mut replay.source) {
            (Goal::CaughtUp, Source::Rooms(parts)) => {
                for part in parts {
                    part.hold = part.room().map(|room| self.recent.hold(room));
                }
            }
            (Goal::Told(_), _) | (_, Source::Mailbox(_)) => {} // what it is to be told is in the store
        }
        let rooms = self.stored_names(&replay.source).into_iter().zip(replay.stored()).collect();
        let query = Query::Page { rooms, until, kinds: replay.kinds, limit: PAGE_EVENTS.min(replay.left()) };
        self.ask(to, Question { replay, start: None }, query, out);
    }
}
