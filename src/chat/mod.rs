//! The rules of the chat. Knows nothing of sockets, bytes, languages, clocks or tasks: inputs go in, outputs come out, and
//! the same inputs give the same outputs. An input that means much work begins it; [`Input::Continue`] goes on with it.

mod account;
mod accounts;
mod answered;
mod command;
mod compose;
mod departure;
mod entry;
mod event;
mod history;
mod in_rooms;
mod members;
mod name;
mod opening;
mod order;
mod presence;
mod publish;
mod recent;
mod record;
mod refusal;
mod renaming;
mod replay;
mod room_set;
mod rooms;
mod stored;
mod verify;
mod visitors;
mod wait;
mod waiting;
mod work;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

use self::{
    accounts::Accounts,
    answered::Question,
    members::Members,
    order::Order,
    recent::Recent,
    rooms::Rooms,
    stored::StoreState,
    visitors::{Recipients, TellVisitors},
    wait::Waits,
    work::{List, Task},
};

pub use account::{Account, AccountChange, Role, TOKENS_MAX, Token, account_key, are_confusable, is_mailbox, mailbox};
pub use accounts::{AccountCommand, AccountDone, AccountRefusal, AccountRules, Registration};
pub use command::{Command, ROOMS_AT_ONCE_MAX, Start, Stretch, WaitFor};
pub use compose::{composed, may_be_composed};
pub use departure::Departure;
pub use entry::{Congestion, Entry, Input, Load, Output, Rules};
pub use event::{Asked, ClientId, Done, Event, Identity, Kinds, Public, PublicEvent, RoomId, Seq};
pub use history::HISTORY_MAX;
pub use name::{NAME_CHARS_MAX, NAME_MARKS_MAX, Name, NameRule, needs_isolate};
pub use order::{
    Act, Deed, Notice, NoticeKind, OrderChange, OrderCommand, OrderDone, OrderEvent, OrderRefusal, PastOrder, Penalty,
    RoomOrder, RoomRole, Sanction, Sanctions, Whom,
};
pub use recent::RecentLimits;
pub use record::{Epoch, KeptEvent, Position, Record};
pub use refusal::Refusal;
pub use room_set::RoomSet;
pub use rooms::{LOBBY, RoomLimits, RoomName};
pub use stored::{Answer, Gone, HELD_EVENTS_MAX, PastMailbox, PastRoom, PastSender, Query};
pub use verify::{
    Digest, Job, PASSWORD_BYTES, Secret, TOKEN_LENGTH, TOKEN_LETTERS, TOKEN_PREFIX, Ticket, Verdict, is_token,
    token_digest,
};

/// The longest name or part of a text that is looked for, in bytes: names have at most 32 characters, and normalising a text
/// or comparing with it must be cheap.
pub const ARGUMENT_BYTES_MAX: usize = 256;

/// Who is here, who visits, under which names, and what follows from what they do.
#[derive(Debug)]
pub struct Chat {
    rules: Rules,
    /// The time, as far as it was told.
    now: Duration,
    /// The same by the calendar.
    at: Timestamp,
    members: Members,
    /// Of members and visitors only.
    waits: Waits,
    /// What is left to do for single commands.
    tasks: VecDeque<Task>,
    /// Each with the members of `members` that are in it, which know their rooms themselves.
    rooms: Rooms,
    /// What has happened in `rooms`.
    recent: Recent,
    /// The number of the last event that is kept, and whose numbers these are.
    events: u64,
    epoch: Epoch,
    /// The number of the last text that was said.
    texts: u64,
    /// How far members are behind; no [`Congestion::None`].
    congestion: BTreeMap<ClientId, Congestion>,
    /// What clients wait for the store to answer.
    questions: BTreeMap<ClientId, Question>,
    store: StoreState,
    accounts: Accounts,
    order: Order,
    /// Tasks that wait until their client has read more.
    paused: BTreeMap<ClientId, Task>,
    is_closing: bool,
}

impl Chat {
    /// An empty chat, whose positions are those of an epoch.
    #[must_use]
    pub fn new(rules: Rules, epoch: Epoch) -> Self {
        // Those who join again are told from memory what happens while a store answers.
        let recent_min = usize::from(rules.has_store);
        let recent = RecentLimits { per_room_max: rules.recent.per_room_max.max(recent_min), ..rules.recent };
        Self {
            rooms: Rooms::new(rules.rooms),
            recent: Recent::new(recent),
            events: 0,
            epoch,
            store: if rules.has_store { StoreState::Works } else { StoreState::None },
            accounts: Accounts::default(),
            order: Order::default(),
            rules,
            now: Duration::ZERO,
            at: Timestamp::UNIX_EPOCH,
            members: Members::default(),
            waits: Waits::default(),
            tasks: VecDeque::new(),
            texts: 0,
            congestion: BTreeMap::new(),
            questions: BTreeMap::new(),
            paused: BTreeMap::new(),
            is_closing: false,
        }
    }

    /// Takes one input, and appends to `out` what follows from it, in order.
    pub fn handle(&mut self, entry: Entry, out: &mut Vec<Output>) {
        self.now = self.now.max(entry.now);
        self.at = entry.at;
        match entry.input {
            Input::Arrive(client, origin) => self.come(client, origin, Self::arrive, out),
            Input::Visit(client, origin) => self.come(client, origin, Self::visit, out),
            Input::Command(client, load, command) => self.command(client, load, command, out),
            Input::Eof(client) => self.eof(client, out),
            Input::Broken(client) => self.broken(client, out),
            Input::End(client, departure) => self.go(client, departure, out),
            Input::Congested(client, congestion) => self.set_congestion(client, congestion),
            Input::Shrink(bytes) => self.shrink(bytes),
            Input::Answered(client, answer) => self.answered(client, answer, out),
            Input::Accounts(accounts) => self.reconcile(accounts, out),
            Input::Verified(client, ticket, verdict) => self.verified(client, ticket, verdict, out),
            Input::Bans(sanctions) => self.replace_sanctions(sanctions),
            Input::Trusted(trusted) => self.rules.trusted = trusted,
            Input::StoreDown => self.store = StoreState::Fails { since: self.events },
            Input::StoreUp => self.store = StoreState::Works,
            Input::Continue => self.continue_work(out),
            Input::ShutDown => self.is_closing = true,
        }
        self.answer_met(out);
        self.forget(out);
    }

    /// When [`Input::Continue`] has something to do next; a time that has passed where there is work already.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        if self.has_work() {
            return Some(Duration::ZERO);
        }
        self.waits.deadline().into_iter().chain(self.order.deadline()).min()
    }

    /// The accounts, in order of their keys.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.directory.iter()
    }

    /// Whether there is an account of this name.
    #[must_use]
    pub fn has_account(&self, name: &str) -> bool {
        self.account_key_of(name).is_some()
    }

    /// How many rooms there are, with the lobby.
    #[must_use]
    pub fn room_count(&self) -> usize {
        self.rooms.len()
    }

    /// Who is here, in order of arrival.
    pub fn members(&self) -> impl Iterator<Item = (ClientId, &Arc<Identity>)> {
        self.members.iter().map(|(client, member)| (client, &member.who))
    }

    fn command(&mut self, client: ClientId, load: Load, command: Command, out: &mut Vec<Output>) {
        let Some(member) = self.members.get(client) else { return };
        if self.is_closing {
            // What it says would be told and kept nowhere.
            return self.end(client, Departure::ShuttingDown, out);
        }
        let from = Arc::clone(&member.who);
        let refused = self.refused_at_door(client, &command);
        if let Some(refused) = refused.or_else(|| self.refused_by_order(client, &command)) {
            return out.extend([Output::tell(client, refused), Output::Ready(client)]);
        }
        match command {
            Command::Say(text) => return self.say(client, from, text, out),
            Command::Private { to, text } if let Some(key) = self.account_key_of(&to) => {
                return self.tell_account(client, load, &key, text, out);
            }
            Command::Private { to, text } => match self.recipients(&to, &text) {
                Ok(Recipients::One(to)) if self.may_tell(to, load) => {
                    self.waits.meet_text(to, self.account_of(client).as_deref(), || composed(&text));
                    out.push(Output::tell(to, Event::Private { from, text }));
                }
                Ok(Recipients::One(_)) => out.push(Output::tell(client, Event::Refused(Refusal::RecipientBehind))),
                Ok(Recipients::Visitors(key)) => {
                    let telling = TellVisitors::new(client, load, key, text);
                    return self.begin(client, Task::TellVisitors(telling), out);
                }
                Err(refusal) => out.push(Output::tell(client, Event::Refused(refusal))),
            },
            Command::Who => {
                return self.begin_list(client, List::Users { after: ClientId(0), told: 0 }, out);
            }
            Command::Rename(name) => self.rename(client, &name, out),
            Command::Wait(timeout, _) if timeout > self.rules.wait_max => {
                let refusal = Refusal::WaitTooLong(self.rules.wait_max);
                out.push(Output::tell(client, Event::Refused(refusal)));
            }
            Command::Wait(timeout, wait_for) => return self.wait(client, timeout, wait_for, out),
            Command::Join { room, start: None } => return self.join(client, &room, out),
            Command::Join { room, start: Some(start) } => {
                return self.follow(client, &[room], start, Kinds::All, out);
            }
            Command::Follow { rooms, start, kinds } => return self.follow(client, &rooms, start, kinds, out),
            Command::History(stretch) => return self.history(client, &stretch, out),
            Command::In { room, text } => return self.say_in(client, &room, text, out),
            Command::Leave(room) => return self.leave(client, &room, out),
            Command::Rooms => return self.begin_list(client, List::Rooms { after: None, told: 0 }, out),
            Command::WhoIn(room) => return self.who_in(client, &room, out),
            Command::Topic { room, text } => return self.topic(client, &room, text, out),
            Command::Account(command) => return self.account(client, command, out),
            Command::Order(command) => return self.keep_order(client, command, out),
            Command::Sync(token) => out.push(Output::tell(client, Event::Synced(token))),
        }
        out.push(Output::Ready(client));
    }

    /// A command that took long is done.
    fn finish(&mut self, client: ClientId, out: &mut Vec<Output>) {
        let Some(member) = self.members.get_mut(client) else { return };
        match member.end_command() {
            Some(departure) => self.end(client, departure, out),
            None => out.push(Output::Ready(client)),
        }
    }
}

#[cfg(test)]
mod tests;
