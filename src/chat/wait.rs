//! Who waits for what, and until when.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::event::ClientId;

/// What a client waits for, in a form that can be looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// Somebody with a name of this key comes.
    Here(String),
    /// Nobody has a name of this key any more.
    Gone(String),
    /// So many users are here.
    Users(usize),
    /// A text with this part is delivered.
    Text(String),
}

#[derive(Debug, Clone)]
struct Wait {
    topic: Topic,
    until: Duration,
    /// What was waited for, in the words of the one who waits.
    arg: String,
}

/// All who wait. One wait for each client at the most.
#[derive(Debug, Default)]
pub(super) struct Waits {
    by_client: BTreeMap<ClientId, Wait>,
    /// Mirrors `by_client`: has `(w.topic, c)` iff `by_client[c] == w`.
    by_topic: BTreeSet<(Topic, ClientId)>,
    /// Mirrors `by_client`: has `(w.until, c)` iff `by_client[c] == w`.
    by_deadline: BTreeSet<(Duration, ClientId)>,
}

const FIRST: ClientId = ClientId(0);
const LAST: ClientId = ClientId(u64::MAX);

impl Waits {
    pub(super) fn begin(&mut self, client: ClientId, topic: Topic, until: Duration, arg: String) {
        self.end(client);
        self.by_topic.insert((topic.clone(), client));
        self.by_deadline.insert((until, client));
        self.by_client.insert(client, Wait { topic, until, arg });
    }

    /// Ends the wait of `client`, and answers what it was for.
    pub(super) fn end(&mut self, client: ClientId) -> Option<String> {
        let wait = self.by_client.remove(&client)?;
        self.by_topic.remove(&(wait.topic, client));
        self.by_deadline.remove(&(wait.until, client));
        Some(wait.arg)
    }

    pub(super) fn is_waiting(&self, client: ClientId) -> bool {
        self.by_client.contains_key(&client)
    }

    /// When the first of them has waited long enough.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.by_deadline.first().map(|&(until, _)| until)
    }

    /// Somebody who has waited long enough at `now`.
    pub(super) fn overdue(&self, now: Duration) -> Option<ClientId> {
        self.by_deadline.first().filter(|&&(until, _)| until <= now).map(|&(_, client)| client)
    }

    /// Those whose wait is for exactly this.
    pub(super) fn on(&self, topic: &Topic) -> Vec<ClientId> {
        self.range(topic.clone(), topic.clone())
    }

    /// Those who wait for no more than `users` users.
    pub(super) fn on_users(&self, users: usize) -> Vec<ClientId> {
        self.range(Topic::Users(0), Topic::Users(users))
    }

    /// Those who wait for a part of `text`.
    pub(super) fn on_text(&self, text: &str) -> Vec<ClientId> {
        let from = (Topic::Text(String::new()), FIRST);
        let all = self.by_topic.range(from..); // texts are the last of the topics
        all.filter(|(topic, _)| matches!(topic, Topic::Text(part) if text.contains(part))).map(|&(_, c)| c).collect()
    }

    fn range(&self, from: Topic, to: Topic) -> Vec<ClientId> {
        self.by_topic.range((from, FIRST)..=(to, LAST)).map(|&(_, client)| client).collect()
    }
}
