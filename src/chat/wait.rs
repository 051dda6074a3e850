//! Who waits for what, and until when. Knows nothing of members and events.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound,
    sync::Arc,
    time::Duration,
};

use super::{compose::composed, event::ClientId};

/// What a client waits for, in a form that can be looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// Somebody with a name of this key arrives or takes it.
    Here(Arc<str>),
    /// Nobody has a name of this key any more.
    Gone(Arc<str>),
    /// This many users are here.
    Users(usize),
    /// This many are in the room of this key.
    Members(Arc<str>, usize),
    /// A text with this part, which is composed, is said in the room of this key.
    Text(Arc<str>, Arc<str>),
}

#[derive(Debug)]
struct Wait {
    topic: Topic,
    until: Duration,
    /// What is waited for, in the words of the one who waits.
    arg: Arc<str>,
    /// How many texts had been said when the wait began: none of those can meet it.
    texts_before: u64,
    /// Texts for the client alone count too.
    counts_private: bool,
    /// Of texts, only those count that this account says: its key.
    by: Option<Box<str>>,
}

/// What a client waits for.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) topic: Topic,
    /// The same in the words of the one who waits.
    pub(super) arg: Arc<str>,
    /// Texts for the client alone count too.
    pub(super) counts_private: bool,
    /// Of texts, only those count that this account says: its key.
    pub(super) by: Option<Box<str>>,
}

impl Wait {
    /// Whether a text of this account, or of nobody who is one, counts.
    fn may_be_met_by(&self, by: Option<&str>) -> bool {
        self.by.is_none() || self.by.as_deref() == by
    }
}

impl Topic {
    /// The key of the room in which it is to happen.
    fn room(&self) -> Option<&str> {
        match self {
            Self::Members(room, _) | Self::Text(room, _) => Some(room),
            Self::Here(_) | Self::Gone(_) | Self::Users(_) => None,
        }
    }

    fn is_text_in(&self, room: &str) -> bool {
        match self {
            Self::Text(of, _) => &**of == room,
            Self::Here(_) | Self::Gone(_) | Self::Users(_) | Self::Members(..) => false,
        }
    }
}

/// A text that is being compared with what clients wait for.
#[derive(Debug)]
pub(super) struct TextSearch {
    /// Composed, as the parts that are looked for.
    text: String,
    /// The key of the account that says it.
    by: Option<Box<str>>,
    /// This is the text of that number, counted from 1.
    number: u64,
    /// The last one that was compared.
    after: (Topic, ClientId),
}

impl TextSearch {
    /// For a text that is said in the room of this key, by this account.
    pub(super) fn new(room: &str, by: Option<Box<str>>, text: &str, number: u64) -> Self {
        Self { text: composed(text).into_owned(), by, number, after: (Topic::Text(room.into(), "".into()), FIRST) }
    }
}

/// All who wait. At most one wait for each client.
#[derive(Debug, Default)]
pub(super) struct Waits {
    by_client: BTreeMap<ClientId, Wait>,
    /// Mirrors `by_client`, those in `met` aside: has `(w.topic, c)` iff `by_client[c] == w`.
    by_topic: BTreeSet<(Topic, ClientId)>,
    /// Mirrors `by_client`, those in `met` aside: has `(w.until, c)` iff `by_client[c] == w`.
    by_deadline: BTreeSet<(Duration, ClientId)>,
    /// Those whose condition has held and who have not been answered, in order. Some may have left since.
    met: VecDeque<ClientId>,
}

/// What a comparison costs beside its bytes: a step in the tree, and a lookup.
const COMPARISON_BYTES: usize = 256;

const FIRST: ClientId = ClientId(0);
const LAST: ClientId = ClientId(u64::MAX);

impl Waits {
    /// Begins the wait of a client, when so many texts have been said.
    pub(super) fn begin(&mut self, client: ClientId, waiting: Waiting, until: Duration, texts_before: u64) {
        let Waiting { topic, arg, counts_private, by } = waiting;
        self.by_topic.insert((topic.clone(), client));
        self.by_deadline.insert((until, client));
        self.by_client.insert(client, Wait { topic, until, arg, texts_before, counts_private, by });
    }

    /// Ends the wait of `client`, if there is one, and answers what it was for.
    pub(super) fn end(&mut self, client: ClientId) -> Option<Arc<str>> {
        let wait = self.by_client.remove(&client)?;
        self.by_deadline.remove(&(wait.until, client));
        self.by_topic.remove(&(wait.topic, client));
        Some(wait.arg)
    }

    pub(super) fn is_waiting(&self, client: ClientId) -> bool {
        self.by_client.contains_key(&client)
    }

    /// Whether anybody waits for a text in the room of this key.
    pub(super) fn has_texts(&self, room: &str) -> bool {
        // Waits for texts are the last of all: mostly there are none.
        if !self.by_topic.last().is_some_and(|(topic, _)| matches!(topic, Topic::Text(..))) {
            return false;
        }
        let first = (Topic::Text(room.into(), "".into()), FIRST);
        self.by_topic.range(first..).next().is_some_and(|(topic, _)| topic.is_text_in(room))
    }

    /// Those who wait for what the account of this key says.
    pub(super) fn of_account(&self, key: &str) -> Vec<ClientId> {
        let waits = self.by_client.iter().filter(|(_, wait)| wait.by.as_deref() == Some(key));
        waits.map(|(&client, _)| client).collect()
    }

    /// Those who wait for something in the room of this key.
    pub(super) fn in_room(&self, room: &str) -> Vec<ClientId> {
        let is_there = |(topic, _): &&(Topic, ClientId)| topic.room() == Some(room);
        let from = |topic| self.by_topic.range((topic, FIRST)..).take_while(is_there).map(|&(_, client)| client);
        from(Topic::Members(room.into(), 0)).chain(from(Topic::Text(room.into(), "".into()))).collect()
    }

    /// The key of the room in which the client waits for something, unless that has happened already.
    pub(super) fn room_of(&self, client: ClientId) -> Option<&str> {
        let topic = &self.by_client.get(&client)?.topic;
        topic.room().filter(|_| self.by_topic.contains(&(topic.clone(), client)))
    }

    /// When the first of them has waited long enough.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.by_deadline.first().map(|&(until, _)| until)
    }

    /// Somebody who has waited long enough at `now`.
    pub(super) fn overdue(&self, now: Duration) -> Option<ClientId> {
        self.by_deadline.first().filter(|&&(until, _)| until <= now).map(|&(_, client)| client)
    }

    /// The condition of exactly this topic holds.
    pub(super) fn meet(&mut self, topic: &Topic) {
        self.meet_all(topic.clone(), topic.clone());
    }

    /// There are so many users.
    pub(super) fn meet_users(&mut self, users: usize) {
        self.meet_all(Topic::Users(0), Topic::Users(users));
    }

    /// So many are in the room of this key.
    pub(super) fn meet_members(&mut self, room: &str, members: usize) {
        let room: Arc<str> = room.into();
        self.meet_all(Topic::Members(Arc::clone(&room), 0), Topic::Members(room, members));
    }

    /// A text of the account `by` is delivered to `client` alone. `composed` composes it, when that is needed.
    pub(super) fn meet_text<'a>(
        &mut self,
        client: ClientId,
        by: Option<&str>,
        composed: impl FnOnce() -> Cow<'a, str>,
    ) {
        let is_met = |wait: &Wait| match &wait.topic {
            Topic::Text(_, part) => wait.counts_private && wait.may_be_met_by(by) && composed().contains(&**part),
            Topic::Here(_) | Topic::Gone(_) | Topic::Users(_) | Topic::Members(..) => false,
        };
        if self.by_client.get(&client).is_some_and(is_met) {
            self.mark_met(client);
        }
    }

    /// Compares a text that is delivered to all with what clients wait for, until about `budget` bytes have been compared.
    /// Answers whether it has been compared with all.
    pub(super) fn meet_some(&mut self, search: &mut TextSearch, budget: usize) -> bool {
        let (mut compared, mut met) = (0, Vec::new());
        let rest = self.by_topic.range((Bound::Excluded(&search.after), Bound::Unbounded));
        let mut last = None;
        for entry @ (topic, client) in rest {
            if compared >= budget {
                break;
            }
            let (Topic::Text(room, part), Topic::Text(of, _)) = (topic, &search.after.0) else { break };
            if room != of {
                break;
            }
            compared += COMPARISON_BYTES + search.text.len() + part.len();
            last = Some(entry);
            let wait = &self.by_client[client];
            let counts = wait.texts_before < search.number && wait.may_be_met_by(search.by.as_deref());
            if counts && search.text.contains(&**part) {
                met.push(*client);
            }
        }
        let last = last.cloned();
        let is_done = compared < budget;
        met.into_iter().for_each(|client| self.mark_met(client));
        if let Some(last) = last {
            search.after = last;
        }
        is_done
    }

    /// The next one to be answered, and what it has waited for.
    pub(super) fn next_met(&mut self) -> Option<(ClientId, Arc<str>)> {
        loop {
            let client = self.met.pop_front()?;
            if let Some(wait) = self.by_client.remove(&client) {
                return Some((client, wait.arg));
            }
        }
    }

    /// Whether somebody is to be answered.
    pub(super) fn has_met(&self) -> bool {
        !self.met.is_empty()
    }

    fn meet_all(&mut self, from: Topic, to: Topic) {
        let range = self.by_topic.range((from, FIRST)..=(to, LAST));
        let met: Vec<_> = range.map(|&(_, client)| client).collect();
        met.into_iter().for_each(|client| self.mark_met(client));
    }

    /// From here on the client is neither met again nor overdue.
    fn mark_met(&mut self, client: ClientId) {
        let Some(wait) = self.by_client.get(&client) else { return };
        if !self.by_topic.remove(&(wait.topic.clone(), client)) {
            return; // it is to be answered already
        }
        self.by_deadline.remove(&(wait.until, client));
        self.met.push_back(client);
    }
}
