//! Kept private messages, told to their account page by page: when it logs in, and when it asks for them.

use std::sync::Arc;

use super::{AccountDone, AccountRefusal};
use crate::chat::{
    Answer, Asked, Chat, ClientId, Done, Event, Gone, HISTORY_MAX, Output, Query, Record, Refusal, Start, mailbox,
    replay::PAGE_EVENTS,
    work::{LongAnswer, Task},
};

/// What `history` calls one's own private messages.
pub(in crate::chat) const OWN: &str = "@";

/// Kept messages on their way to a client.
#[derive(Debug)]
pub(in crate::chat) struct MailReplay {
    /// The key of the account.
    key: Box<str>,
    /// The number of the last message that was looked at.
    after: u64,
    /// How many were told.
    told: usize,
    goal: Goal,
}

/// When it is over.
#[derive(Debug, Clone, Copy)]
enum Goal {
    /// At the message of this number, or when [`HISTORY_MAX`] were told.
    Told(u64),
    /// When there is no more. Then the client is told that it is logged in.
    LoggedIn,
}

/// A question to the store, and what its answer is for.
#[derive(Debug)]
pub(super) struct MailQuestion {
    replay: MailReplay,
    /// The beginning that was asked for.
    start: Option<Start>,
}

impl Chat {
    /// Delivers what is kept behind this number.
    pub(super) fn deliver(&mut self, client: ClientId, key: &str, after: u64, out: &mut Vec<Output>) {
        let replay = MailReplay { key: key.into(), after, told: 0, goal: Goal::LoggedIn };
        self.begin(client, Task::Tell(client, LongAnswer::Mail(replay)), out);
    }

    /// Tells a client its own private messages.
    pub(in crate::chat) fn own_history(&mut self, client: ClientId, start: Start, out: &mut Vec<Output>) {
        let Some(key) = self.account_of(client) else {
            let refusal = if self.has_store() { AccountRefusal::LoginRequired } else { AccountRefusal::NoStore };
            return self.decline(client, Asked::History, refusal.into(), out);
        };
        let start = self.known(start);
        let mut replay = MailReplay { key, after: 0, told: 0, goal: Goal::Told(self.events) };
        let room = || self.mailbox_of(&replay.key);
        let query = match start {
            Start::Last(count) => Query::SeekLast { room: room(), count, until: self.events },
            Start::Ago(_) | Start::At(_) => Query::SeekSince { room: room(), at: self.time_of(start) },
            Start::Behind(n, epoch) if self.is_own(epoch) => {
                replay.after = n.min(self.events);
                return self.begin(client, Task::Tell(client, LongAnswer::Mail(replay)), out);
            }
            // The store knows the oldest position.
            Start::Behind(..) | Start::Unknown => Query::SeekOldest { room: room() },
        };
        self.set_busy(client, false);
        self.ask_mail(client, MailQuestion { replay, start: Some(start) }, query, out);
    }

    fn mailbox_of(&self, key: &str) -> Arc<str> {
        self.accounts.directory.get(key).map_or_else(|| mailbox(key), |account| mailbox(&account.name))
    }

    fn ask_mail(&mut self, client: ClientId, question: MailQuestion, query: Query, out: &mut Vec<Output>) {
        if self.store.fails() {
            return self.give_up_mail(client, &question.replay, Refusal::StoreFailed, out);
        }
        self.accounts.questions.insert(client, question);
        out.push(Output::Ask(client, query));
    }

    /// Goes on with the next page.
    pub(in crate::chat) fn mail(&mut self, client: ClientId, replay: MailReplay, out: &mut Vec<Output>) {
        if self.account_of(client).as_deref() != Some(&*replay.key) {
            // It has lost the name meanwhile, and is not to be told what is for its owner alone.
            return self.give_up_mail(client, &replay, AccountRefusal::LoginRequired.into(), out);
        }
        let (until, left) = match replay.goal {
            Goal::Told(until) => (until, HISTORY_MAX - replay.told),
            Goal::LoggedIn => (self.events, usize::MAX),
        };
        if replay.after >= until || left == 0 {
            return self.end_mail(client, &replay, replay.after < until, out);
        }
        let (room, limit) = (self.mailbox_of(&replay.key), PAGE_EVENTS.min(left));
        let query = Query::Page { room, after: replay.after, until, limit };
        self.ask_mail(client, MailQuestion { replay, start: None }, query, out);
    }

    /// Whether the store's answer for this client is about its private messages. If so, it is told them.
    pub(in crate::chat) fn mail_answered(
        &mut self,
        client: ClientId,
        answer: Option<Answer>,
        out: &mut Vec<Output>,
    ) -> Option<Option<Answer>> {
        let Some(MailQuestion { mut replay, start }) = self.accounts.questions.remove(&client) else {
            return Some(answer);
        };
        if self.account_of(client).as_deref() != Some(&*replay.key) {
            self.give_up_mail(client, &replay, AccountRefusal::LoginRequired.into(), out);
            return None;
        }
        // One that logs in is told what there is.
        let is_gone = |gone: Option<Gone>| match replay.goal {
            Goal::Told(_) => self.is_gone(start, replay.after, gone),
            Goal::LoggedIn => false,
        };
        match answer.filter(|_| !self.store.fails()) {
            None => {
                self.give_up_mail(client, &replay, Refusal::StoreFailed, out);
                return None;
            }
            Some(Answer::Behind { gone, .. } | Answer::Page { gone, .. }) if is_gone(gone) => {
                let oldest = gone.map_or(0, |gone| gone.n);
                let refusal = Refusal::HistoryGone { room: OWN.into(), oldest: self.position_of(oldest) };
                self.give_up_mail(client, &replay, refusal, out);
                return None;
            }
            Some(Answer::Behind { n, .. }) => replay.after = n,
            Some(Answer::Page { records, through, .. }) => {
                replay.told += records.len();
                let past = |record| Event::Past(Record { room: OWN.into(), ..record }, self.epoch);
                out.extend(records.into_iter().map(|record| Output::tell(client, past(record))));
                replay.after = through;
            }
        }
        let is_over = match replay.goal {
            Goal::Told(until) => replay.after >= until,
            Goal::LoggedIn => start.is_none() && !self.has_more_mail(&replay.key, replay.after),
        };
        if is_over {
            self.end_mail(client, &replay, false, out);
        } else {
            self.go_on_telling(client, LongAnswer::Mail(replay), out);
        }
        None
    }

    fn end_mail(&mut self, client: ClientId, replay: &MailReplay, has_more: bool, out: &mut Vec<Output>) {
        let done = match replay.goal {
            Goal::Told(until) => {
                let n = if has_more { replay.after } else { until };
                Done::History { room: OWN.into(), count: replay.told, position: self.position_of(n), has_more }
            }
            Goal::LoggedIn => {
                self.end_delivery(client, &replay.key, replay.after, out);
                self.logged_in(&replay.key, replay.told)
            }
        };
        out.push(Output::tell(client, Event::Done(done)));
        self.finish(client, out);
    }

    fn logged_in(&self, key: &str, kept: usize) -> Done {
        let name = self.accounts.directory.get(key).map_or_else(|| key.into(), |account| Arc::clone(&account.name));
        Done::Account(AccountDone::Login { name, kept })
    }

    /// It cannot go on. A client that logs in is logged in all the same, and what is kept stays for the next time.
    fn give_up_mail(&mut self, client: ClientId, replay: &MailReplay, refusal: Refusal, out: &mut Vec<Output>) {
        self.break_off_delivery(client);
        let event = match replay.goal {
            Goal::Told(_) => Event::Declined(Asked::History, refusal),
            Goal::LoggedIn if self.account_of(client).as_deref() == Some(&*replay.key) => {
                Event::Done(self.logged_in(&replay.key, replay.told))
            }
            Goal::LoggedIn => Event::Declined(Asked::Login, refusal),
        };
        out.push(Output::tell(client, event));
        self.finish(client, out);
    }

    /// A broken connection can be told nothing, and what is kept stays for the next time.
    pub(in crate::chat) fn mail_unheard(&mut self, client: ClientId) {
        self.break_off_delivery(client);
    }
}
