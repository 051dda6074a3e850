//! The rules once more, as plainly as can be: one list of guests and no index. It shares the vocabulary of `chat`, and none
//! of its code; it knows names from tables of spellings (`names`).

mod arrivals;
mod in_rooms;
mod lists;
mod names;
mod past;
mod replay;
mod rooms;
mod stored;
mod waits;

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use pipechat::chat::{
    AccountCommand, AccountRefusal, Asked, ClientId, Command, Congestion, Departure, Entry, Epoch, Event, Identity,
    Input, Load, Output, Refusal, RoomId, Rules, WaitFor,
};

use lists::List;
pub(crate) use past::Past;
use rooms::{Room, Rooms};

use stored::Question;

/// Rooms that are left at once when the server shuts down, and those of one client more.
const PIECE_ROOMS: usize = 64;
/// The longest name or part of a text that anybody is asked about, in bytes.
const ARGUMENT_MAX: usize = 256;

pub(crate) struct Model {
    rules: Rules,
    epoch: Epoch,
    now: Duration,
    at: Timestamp,
    /// In order of their ids.
    guests: Vec<Guest>,
    rooms: Rooms,
    past: Vec<Past>,
    /// The number of the last kept event.
    events: u64,
    /// What it takes of that, in bytes, which is in memory.
    recent_bytes: usize,
    /// The number of the last kept event of a room that is no more.
    forgotten: u64,
    /// What needs the store is refused.
    is_store_down: bool,
    /// What clients wait for the store to answer.
    questions: BTreeMap<ClientId, Question>,
    is_closing: bool,
    /// Those whose wait is over, with what they waited for. They are answered behind all else that an entry comes to.
    met: VecDeque<(ClientId, String)>,
    /// Those who have asked for a list and are to be told, in order.
    asking: VecDeque<(ClientId, List)>,
    /// Those who are told that when they have read more.
    paused: BTreeMap<ClientId, List>,
    /// What has become of replays and other long answers, since that was asked for.
    notes: Vec<String>,
    /// What the entry comes to.
    out: Vec<Output>,
}

struct Guest {
    client: ClientId,
    who: Arc<Identity>,
    wait: Wait,
    congestion: Congestion,
    /// It has sent its last command, and leaves when that is answered.
    input_closed: bool,
    /// Nothing can be sent to it any more, so it waits for nothing.
    is_broken: bool,
    /// It speaks, and is not here.
    is_visitor: bool,
    /// Where its plain lines go.
    current: RoomId,
    /// It is in this room, and hears of what happens there when it was told what has happened before.
    is_told_later: Option<RoomId>,
}

#[derive(PartialEq, Eq)]
enum Wait {
    None,
    Until(Duration, WaitFor),
    /// What it waited for has happened, and it is about to be told.
    Met,
    /// It is to be told a list.
    Asking,
}

impl Model {
    pub(crate) fn new(rules: Rules, epoch: Epoch) -> Self {
        Self {
            rooms: Rooms::new(rules.rooms),
            rules,
            epoch,
            now: Duration::ZERO,
            at: Timestamp::UNIX_EPOCH,
            past: Vec::new(),
            events: 0,
            is_store_down: false,
            questions: BTreeMap::new(),
            recent_bytes: 0,
            forgotten: 0,
            guests: Vec::new(),
            is_closing: false,
            met: VecDeque::new(),
            asking: VecDeque::new(),
            paused: BTreeMap::new(),
            notes: Vec::new(),
            out: Vec::new(),
        }
    }

    /// All rooms.
    pub(crate) fn rooms(&self) -> &[Room] {
        self.rooms.all()
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (ClientId, &Arc<Identity>)> {
        self.present().map(|guest| (guest.client, &guest.who))
    }

    fn present(&self) -> impl Iterator<Item = &Guest> {
        self.guests.iter().filter(|guest| !guest.is_visitor)
    }

    /// When there is something to do without anybody's asking.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        if self.is_closing && !self.guests.is_empty() || !self.asking.is_empty() {
            return Some(Duration::ZERO);
        }
        self.deadlines().map(|(until, _)| until).min()
    }

    /// What the entry comes to, where all of it is done at once.
    pub(crate) fn handle(&mut self, entry: &Entry) -> Vec<Output> {
        self.now = self.now.max(entry.now);
        self.at = entry.at;
        match &entry.input {
            Input::Arrive(client, origin) => {
                self.arrive(*client, origin.addr);
                self.has_come(*client);
            }
            Input::Visit(client, origin) => {
                self.visit(*client, origin.addr);
                self.has_come(*client);
            }
            Input::Command(client, load, command) => self.command(*client, *load, command),
            Input::Eof(client) => match self.guest(*client) {
                Some(guest) if guest.wait != Wait::None => guest.input_closed = true,
                Some(_) | None => self.end(*client, Departure::Left),
            },
            Input::Broken(client) => match self.guest(*client) {
                Some(guest) if matches!(guest.wait, Wait::Until(..)) => self.end(*client, Departure::Lost),
                Some(guest) => guest.is_broken = true,
                None => {}
            },
            Input::End(client, departure) => self.end(*client, *departure),
            Input::Congested(client, congestion) => self.congested(*client, *congestion),
            Input::Shrink(bytes) => self.shrink(*bytes),
            Input::Answered(client, answer) => self.answered(*client, answer.as_ref()),
            Input::Verified(..) | Input::Accounts(_) | Input::Bans(_) | Input::Trusted(_) => {} // no command needs them yet
            Input::StoreDown => (self.is_store_down, self.rooms.makes_none) = (true, true),
            Input::StoreUp => (self.is_store_down, self.rooms.makes_none) = (false, false),
            Input::Continue => self.go_on(),
            Input::ShutDown => self.is_closing = true,
        }
        self.answer();
        self.forget();
        mem::take(&mut self.out)
    }

    fn deadlines(&self) -> impl Iterator<Item = (Duration, ClientId)> {
        self.guests.iter().filter_map(|guest| match guest.wait {
            Wait::Until(until, _) => Some((until, guest.client)),
            Wait::None | Wait::Met | Wait::Asking => None,
        })
    }

    fn guest(&mut self, client: ClientId) -> Option<&mut Guest> {
        self.guests.iter_mut().find(|guest| guest.client == client)
    }

    fn tell(&mut self, client: ClientId, event: Event) {
        self.out.push(Output::Tell(client, event));
    }

    /// The waits of all are over in order of time; then, if the server shuts down, the lives of all, visitors last.
    /// Then one who has asked for a list is told.
    fn go_on(&mut self) {
        while let Some((_, client)) = self.deadlines().filter(|&(until, _)| until <= self.now).min() {
            self.tell(client, Event::WaitTimedOut);
            self.end(client, Departure::WaitTimedOut);
        }
        let mut rooms = 0;
        while self.is_closing
            && rooms < PIECE_ROOMS
            && let Some(guest) = self.guests.iter().min_by_key(|guest| (guest.is_visitor, guest.client))
        {
            let client = guest.client;
            rooms += self.rooms.with(client).len();
            self.end(client, Departure::ShuttingDown);
        }
        if let Some((client, list)) = self.asking.pop_front() {
            self.list(client, list);
        }
    }

    /// What took long is done. One that says no more leaves.
    fn done(&mut self, client: ClientId) {
        let Some(guest) = self.guest(client) else { return };
        guest.wait = Wait::None;
        if guest.input_closed {
            self.end(client, Departure::Left);
        } else {
            self.out.push(Output::Ready(client));
        }
    }

    fn command(&mut self, client: ClientId, load: Load, command: &Command) {
        let wait_max = self.rules.wait_max;
        let is_closing = self.is_closing;
        let Some(guest) = self.guest(client) else { return };
        let from = Arc::clone(&guest.who);
        assert!(guest.wait == Wait::None && !guest.input_closed, "{client} speaks while it waits, or after its end");
        if is_closing {
            return self.end(client, Departure::ShuttingDown);
        }
        match command {
            Command::Say(text) => self.say(client, from, text),
            Command::Private { to, text } => match self.recipients(to, text, load) {
                Ok(recipients) => {
                    for to in recipients {
                        self.tell(to, Event::Private { from: Arc::clone(&from), text: text.clone() });
                        self.meet_one(to, |wait| matches!(wait, WaitFor::Text(part) if has(text, part)));
                    }
                }
                Err(refusal) => self.tell(client, Event::Refused(refusal)),
            },
            Command::Who => return self.list(client, List::Users),
            Command::Rename(name) => self.rename(client, &from, name),
            Command::Wait(timeout, _) if *timeout > wait_max => {
                self.tell(client, Event::Refused(Refusal::WaitTooLong(wait_max)));
            }
            Command::Wait(_, wait) if waits::is_too_long(wait) => {
                self.tell(client, Event::Refused(Refusal::ArgumentTooLong(ARGUMENT_MAX)));
            }
            Command::Wait(_, WaitFor::By { .. }) => {
                self.tell(client, Event::Refused(Refusal::Account(AccountRefusal::NoSuchAccount)));
            }
            Command::Wait(timeout, wait) if !self.holds(wait) => return self.wait(client, *timeout, wait),
            Command::Wait(_, wait) => self.tell(client, Event::WaitMet(waits::arg(wait))),
            Command::Rooms => return self.list(client, List::Rooms),
            Command::WhoIn(room) => match self.rooms.find(room) {
                Ok(room) => return self.list(client, List::Members(room)),
                Err(refusal) => self.tell(client, Event::Declined(Asked::Who, refusal)),
            },
            Command::History(stretch) => match self.history(client, &stretch.rooms[0], stretch.start) {
                Ok(()) => return,
                Err(refusal) => self.tell(client, Event::Declined(Asked::History, refusal)),
            },
            Command::Join { room, start: Some(start) } => match self.join_since(client, room, *start) {
                Ok(()) => return,
                Err(refusal) => self.tell(client, Event::Declined(Asked::Join, refusal)),
            },
            Command::Join { start: None, .. } | Command::In { .. } | Command::Leave(_) | Command::Topic { .. } => {
                let answer = match self.in_rooms(client, from, command) {
                    Ok(done) => Event::Done(done),
                    Err((asked, refusal)) => Event::Declined(asked, refusal),
                };
                self.tell(client, answer);
            }
            Command::Follow { .. } => unreachable!("no line asks for it"),
            Command::Account(command) => self.account(client, command),
            Command::Order(command) => {
                self.tell(client, Event::Declined(command.asked(), Refusal::Account(AccountRefusal::NoStore)));
            }
            Command::Sync(token) => self.tell(client, Event::Synced(token.clone())),
        }
        self.out.push(Output::Ready(client));
    }

    /// Nobody has an account.
    fn account(&mut self, client: ClientId, command: &AccountCommand) {
        assert!(!self.rules.has_store, "none is made up");
        self.tell(client, Event::Declined(command.asked(), Refusal::Account(AccountRefusal::NoStore)));
    }

    /// Answers them all. Who says no more leaves with the answer, and others may have waited for that.
    fn answer(&mut self) {
        while let Some((client, arg)) = self.met.pop_front() {
            if self.guest(client).is_some() {
                self.tell(client, Event::WaitMet(arg));
                self.done(client);
            }
        }
    }
}

/// Whether a part is found in a text.
fn has(text: &str, part: &str) -> bool {
    composed(text).contains(&composed(part))
}

/// The one letter with an accent that the simulation uses, in the shorter of its spellings.
fn composed(text: &str) -> String {
    text.replace("e\u{301}", "é")
}
