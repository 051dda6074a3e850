//! What becomes of a turn's changes: the store keeps them at once, or later, or not before it works again; and it answers what
//! the chat has asked, or cannot be read.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    sync::Arc,
};

use common::Rng;
use pipechat::{
    chat::{ClientId, Input, KeptEvent, PastRoom, Query},
    store::Change,
};

use super::World;
use crate::{model::Model, peer::Peer, store::FakeStore};

/// Questions that are answered in one turn, at the most.
const ANSWERS_MAX: usize = 4;

/// A store, and how it is.
pub(super) struct Storing {
    pub(super) store: FakeStore,
    pub(super) health: Health,
    questions: VecDeque<(ClientId, Query)>,
    /// The last number that anybody may have been told of.
    shown: u64,
    /// Events that have happened, and are not known to be kept.
    published: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Works,
    /// A commit takes so many more steps. The broker waits for it.
    IsBusy(usize),
    /// Nothing is kept until it works again.
    Fails,
}

/// What becomes of a commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    Slow(usize),
    Failed,
}

impl Storing {
    pub(super) fn new() -> Self {
        Self {
            store: FakeStore::default(),
            health: Health::Works,
            questions: VecDeque::new(),
            shown: 0,
            published: Vec::new(),
        }
    }

    /// All was answered, and all is kept.
    pub(super) fn is_at_rest(&self) -> bool {
        self.health == Health::Works && self.questions.is_empty()
    }

    /// An event is told to a room, and to be kept.
    pub(super) fn published(&mut self, n: u64) {
        self.published.push(n);
    }

    /// All that has happened is shown from now on: it is kept, unless the store fails.
    fn show(&mut self, model: &Model) {
        if self.health == Health::Works {
            let missing = self.published.drain(..).find(|&n| !self.store.has(n));
            assert_eq!(missing, None, "shown, and not kept");
        }
        let happened = model.past().last().map_or(0, |past| past.n);
        self.shown = happened.max(self.shown);
    }

    /// The store has the rooms that there are, and no others. The lobby need not be there; its topic the server forgets at a start
    /// (`store_gap`).
    pub(super) fn check_rooms(&self, model: &Model) {
        if self.health != Health::Works {
            return;
        }
        let rooms = model.rooms().iter().map(|room| (&*room.name, &*room.topic));
        let but_lobby = |(name, _): &(&str, &str)| *name != "lobby";
        let stored: BTreeMap<_, _> = self.store.rooms().filter(but_lobby).collect();
        assert_eq!(stored, rooms.filter(but_lobby).collect());
    }

    /// What waits for clients is lost with the process.
    /// The store is opened again.
    pub(super) fn crash(&mut self) -> (u64, u64, Vec<PastRoom>) {
        self.questions.clear();
        self.published.clear();
        self.health = Health::Works;
        let (next, forgotten, rooms) = self.store.reopen();
        self.shown = next - 1;
        (next, forgotten, rooms)
    }

    fn commit(&mut self, model: &Model) {
        for (record, _) in self.store.commit() {
            let place = model.past().binary_search_by_key(&record.n, |past| past.n).expect("it has happened");
            let past = &model.past()[place];
            let event = KeptEvent::Public(Arc::clone(&past.event));
            assert_eq!((past.at, &past.name, &event), (record.at, &record.room, &record.event), "{record:?}");
        }
    }
}

impl World {
    /// What the chat is to know of the store in this turn.
    pub(super) fn hear_of_store(&mut self) {
        let (rng, is_healing) = (&mut self.rng, self.is_healing);
        let Some(storing) = &mut self.storing else { return };
        if storing.health == Health::Fails && (is_healing || rng.one_in(6)) {
            storing.commit(&self.model);
            storing.health = Health::Works;
            self.broker.tell_chat(Input::StoreUp);
        }
        if !is_healing && rng.one_in(40) {
            storing.store.remove_oldest(rng.below(100), 1 + rng.below(30));
        }
        let most = if is_healing || rng.one_in(2) { ANSWERS_MAX } else { rng.below(2) };
        for (client, query) in storing.questions.drain(..most.min(storing.questions.len())) {
            // What is held cannot be read: to leave it out would be a gap (`store_gap` has the server's part of that).
            let is_readable = !storing.store.holds(&query) && (is_healing || !rng.one_in(12));
            let answer = is_readable.then(|| storing.store.answer(&query));
            self.broker.tell_chat(Input::Answered(client, answer));
        }
    }

    /// Hands over what the turn has changed. Answers whether it may be told.
    pub(super) fn keep(&mut self) -> bool {
        let (changes, questions) = self.broker.take_changes();
        let fate = self.fate();
        let Some(storing) = &mut self.storing else {
            assert!(changes.is_empty() && questions.is_empty(), "there is no store");
            return true;
        };
        storing.questions.extend(questions);
        let has_changed = !changes.is_empty();
        note(&mut self.transcript, &changes);
        storing.store.hold(changes);
        if storing.health == Health::Works && has_changed {
            match fate {
                Fate::Done => storing.commit(&self.model),
                Fate::Slow(steps) => {
                    storing.health = Health::IsBusy(steps);
                    self.queued = self.peers.iter().map(|(&client, peer)| (client, queued(peer))).collect();
                    return false;
                }
                Fate::Failed => self.store_fails(),
            }
        }
        self.show();
        true
    }

    /// The broker waits for a commit.
    pub(super) fn is_committing(&self) -> bool {
        self.storing.as_ref().is_some_and(|storing| matches!(storing.health, Health::IsBusy(_)))
    }

    /// The broker waits for a commit. Answers whether it goes on now.
    pub(super) fn wait_for_commit(&mut self) -> bool {
        let (is_healing, fate) = (self.is_healing, self.fate());
        let Some(storing) = &mut self.storing else { return true };
        let Health::IsBusy(steps) = storing.health else { return true };
        if steps > 0 && !is_healing {
            storing.health = Health::IsBusy(steps - 1);
            return false;
        }
        for (client, peer) in &self.peers {
            let before = self.queued.get(client).copied().unwrap_or(0);
            assert!(queued(peer) <= before, "{client} is told something that is not kept");
        }
        storing.health = Health::Works;
        if fate == Fate::Failed {
            self.store_fails(); // it took too long
        } else {
            storing.commit(&self.model);
        }
        self.show();
        true
    }

    fn store_fails(&mut self) {
        if let Some(storing) = &mut self.storing {
            storing.health = Health::Fails;
            self.broker.tell_chat(Input::StoreDown);
        }
    }

    fn show(&mut self) {
        if let Some(storing) = &mut self.storing {
            storing.show(&self.model);
        }
    }

    fn fate(&mut self) -> Fate {
        if self.storing.is_none() || self.is_healing {
            return Fate::Done;
        }
        let rng: &mut Rng = &mut self.rng;
        match rng.below(40) {
            0..=3 => Fate::Slow(rng.below(8)),
            4 => Fate::Failed,
            _ => Fate::Done,
        }
    }

    /// Nobody has read of what was not to be shown.
    pub(super) fn check_shown(&mut self) {
        let Some(storing) = &self.storing else { return };
        let epoch = format!(".{}", self.epoch);
        for peer in self.peers.values_mut() {
            let last = peer.last_position(&epoch);

            assert!(last <= storing.shown, "{} has read of {last}, and {} may be shown", peer.client, storing.shown);
        }
    }
}

fn queued(peer: &Peer) -> usize {
    peer.connection.queued().0
}

/// What waited for each client when a commit began.
pub(super) type Queued = BTreeMap<ClientId, usize>;

fn note(transcript: &mut String, changes: &[Change]) {
    for change in changes {
        writeln!(transcript, "keep: {change:?}").expect("a String takes all");
    }
}
