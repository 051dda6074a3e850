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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::{
        chat::{Audience, Chat, Departure, Event, Input, Output, Rules},
        protocol::parse,
    };

    /// Plays steps apart by `;`: `2 arrives`, `2 LINE`, `2 leaves`, `2 silent`, `2 breaks`, `@SECONDS`. Answers what waits
    /// came to, as `CLIENT<ok ARG`, `CLIENT<timeout`, `CLIENT<ready` and `CLIENT<gone REASON`.
    fn play(script: &str) -> String {
        let mut chat = Chat::new(Rules::default());
        let (mut out, mut seen) = (Vec::new(), Vec::new());
        for step in script.split(';').map(str::trim) {
            if let Some(seconds) = step.strip_prefix('@') {
                chat.tick(Duration::from_secs_f64(seconds.parse().unwrap()), &mut out);
            } else {
                let (client, what) = step.split_once(' ').unwrap();
                let client = ClientId(client.parse().unwrap());
                let port = u16::try_from(client.0).unwrap();
                let input = match what {
                    "arrives" => Input::Arrive(SocketAddr::from(([127, 0, 0, 1], port))),
                    "leaves" => Input::Eof,
                    "silent" => Input::Silent,
                    "breaks" => Input::Broken,
                    line => Input::Lines(vec![parse(line.as_bytes())]),
                };
                chat.handle(client, input, &mut out);
            }
            seen.extend(out.drain(..).filter_map(|output| match output {
                Output::Tell(Audience::One(ClientId(c)), Event::WaitMet(arg)) => Some(format!("{c}<ok {arg}")),
                Output::Tell(Audience::One(ClientId(c)), Event::WaitTimedOut) => Some(format!("{c}<timeout")),
                Output::Ready(ClientId(c)) if c == 1 => Some(format!("{c}<ready")),
                Output::HangUp(ClientId(c), departure) if c == 1 => Some(format!("{c}<gone {}", departure.code())),
                _ => None,
            }));
        }
        seen.join("; ")
    }

    fn check(script: &str, seen: &str) {
        assert_eq!(play(script), seen, "{script}");
    }

    #[test]
    fn for_a_user() {
        check("1 arrives; 1 wait|9|user|bob; 2 arrives; 2 rename|bob", "1<ok bob; 1<ready");
        check("1 arrives; 2 arrives; 2 rename|bob; 1 wait|9|user|BOB", "1<ok BOB; 1<ready");
        check("1 arrives; 1 wait|9|user|127.0.0.1:2; 2 arrives", "1<ok 127.0.0.1:2; 1<ready");
        check("1 arrives; 1 wait|9|user|bob; 2 arrives; 2 rename|bobo; 2 leaves", "");
    }

    #[test]
    fn for_a_departure() {
        check("1 arrives; 1 wait|9|gone|bob", "1<ok bob; 1<ready");
        check("1 arrives; 2 arrives; 2 rename|bob; 1 wait|9|gone|bob; 2 leaves", "1<ok bob; 1<ready");
        check("1 arrives; 2 arrives; 2 rename|bob; 1 wait|9|gone|bob; 2 rename|rob", "1<ok bob; 1<ready");
        check("1 arrives; 2 arrives; 2 rename|bob; 1 wait|9|gone|bob; 2 rename|BOB", "");
    }

    #[test]
    fn for_a_number_of_users() {
        check("1 arrives; 1 wait|9|users|1", "1<ok 1; 1<ready");
        check("1 arrives; 1 wait|9|users|3; 2 arrives; 3 arrives", "1<ok 3; 1<ready");
        check("1 arrives; 1 wait|9|users|3; 2 arrives; 2 leaves; 3 arrives", "");
        check("1 arrives; 2 arrives; 1 wait|9|users|4; 2 wait|9|users|3; 3 arrives", "2<ok 3");
    }

    #[test]
    fn for_a_text_of_somebody_else() {
        check("1 arrives; 2 arrives; 1 wait|9|text|done; 2 all done", "1<ok done; 1<ready");
        check("1 arrives; 2 arrives; 1 wait|9|text|done; 2 to|127.0.0.1:1|done", "1<ok done; 1<ready");
        check("1 arrives; 2 arrives; 3 arrives; 1 wait|9|text|done; 2 to|127.0.0.1:3|done", "");
        check("1 arrives; 2 arrives; 2 done; 1 wait|9|text|done; 2 do; 2 ne", "");
        check("1 arrives; 1 done; 1 wait|9|text|done", "1<ready");
        check("1 arrives; 2 arrives; 3 arrives; 1 wait|9|text|a; 2 wait|9|text|b; 3 ab", "1<ok a; 1<ready; 2<ok b");
    }

    #[test]
    fn in_vain() {
        check("1 arrives; @5; 1 wait|9|user|bob; @13.9", "");
        check("1 arrives; @5; 1 wait|9|user|bob; @14; 2 arrives; 2 rename|bob", "1<timeout; 1<gone wait-timeout");
        check("1 arrives; 1 wait|0|text|x; @0", "1<timeout; 1<gone wait-timeout");
        check(
            "1 arrives; 2 arrives; 1 wait|2|user|x; 2 wait|1|user|y; @9",
            "2<timeout; 1<timeout; 1<gone wait-timeout",
        );
        check("1 arrives; 1 wait|9|user|bob; 1 leaves; @99", "1<timeout; 1<gone wait-timeout");
    }

    #[test]
    fn as_the_last_line_it_is_answered_last() {
        check("1 arrives; 2 arrives; 1 wait|9|text|x; 1 leaves; 2 x; 2 y", "1<ok x; 1<gone left");
        check("1 arrives; 2 arrives; 1 wait|9|gone|127.0.0.1:2; 1 leaves; 2 leaves", "1<ok 127.0.0.1:2; 1<gone left");
    }

    #[test]
    fn nobody_waits_who_can_hear_no_answer() {
        check("1 arrives; 1 wait|9|user|bob; 1 breaks", "1<gone lost");
        check("1 arrives; 1 breaks; 1 wait|9|user|bob", "1<gone lost");
        check("1 arrives; 1 breaks; 1 wait|9|users|1; 1 hi", "1<ok 1; 1<ready; 1<ready");
        check("1 arrives; 2 arrives; 2 wait|9|text|x; 1 breaks; 1 x", "2<ok x; 1<ready");
    }

    #[test]
    fn too_long_is_refused_and_the_clock_never_goes_back() {
        check("1 arrives; 1 wait|3600.5|user|bob; @9999", "1<ready");
        check("1 arrives; @50; @10; 1 wait|9|user|bob; @20; @58; @59", "1<timeout; 1<gone wait-timeout");
    }

    #[test]
    fn a_waiter_is_never_idle() {
        check("1 arrives; 1 wait|9|user|bob; 1 silent", "");
        check("1 arrives; 1 wait|9|users|1; 1 silent", "1<ok 1; 1<ready; 1<gone idle");
        check("1 arrives; 1 stay; 1 silent", "1<ready");
    }

    #[test]
    fn a_deadline_is_known_while_somebody_waits() {
        let mut chat = Chat::new(Rules::default());
        let mut out = Vec::new();
        let (ann, second) = (ClientId(1), Duration::from_secs(1));
        chat.handle(ann, Input::Arrive(SocketAddr::from(([127, 0, 0, 1], 1))), &mut out);
        assert_eq!(chat.deadline(), None);
        chat.tick(second, &mut out);
        chat.handle(ann, Input::Lines(vec![parse(b"wait|9|user|bob")]), &mut out);
        assert_eq!(chat.deadline(), Some(10 * second));
        chat.handle(ann, Input::End(Departure::Lost), &mut out);
        assert_eq!(chat.deadline(), None);
    }
}
