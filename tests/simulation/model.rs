//! The rules once more, as plainly as can be: one list of guests and no index. It shares the vocabulary of `chat`, and none
//! of its code; it knows names from tables of spellings (`names`).

mod in_rooms;
mod lists;
mod names;
mod rooms;
mod waits;

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use pipechat::chat::{
    Asked, ClientId, Command, Congestion, Departure, Entry, Event, Identity, Input, Load, Output, Refusal, RoomId,
    Rules, WaitFor,
};

use super::names::same;
use lists::List;
use rooms::{Room, Rooms};

/// The longest name or part of a text that anybody is asked about, in bytes.
const ARGUMENT_MAX: usize = 256;

pub(crate) struct Model {
    rules: Rules,
    now: Duration,
    /// In order of their ids.
    guests: Vec<Guest>,
    rooms: Rooms,
    is_closing: bool,
    /// Those whose wait is over, with what they waited for. They are answered behind all else that an entry comes to.
    met: VecDeque<(ClientId, String)>,
    /// Those who have asked for a list and are to be told, in order.
    asking: VecDeque<(ClientId, List)>,
    /// Those who are told that when they have read more.
    paused: BTreeMap<ClientId, List>,
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
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rooms: Rooms::new(rules.rooms),
            rules,
            now: Duration::ZERO,
            guests: Vec::new(),
            is_closing: false,
            met: VecDeque::new(),
            asking: VecDeque::new(),
            paused: BTreeMap::new(),
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
        match &entry.input {
            Input::Arrive(client, addr) => self.arrive(*client, *addr),
            Input::Visit(client, addr) => self.visit(*client, *addr),
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
            Input::Continue => self.go_on(),
            Input::ShutDown => self.is_closing = true,
        }
        self.answer();
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
        while self.is_closing
            && let Some(guest) = self.guests.iter().min_by_key(|guest| (guest.is_visitor, guest.client))
        {
            self.end(guest.client, Departure::ShuttingDown);
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

    fn arrive(&mut self, client: ClientId, addr: SocketAddr) {
        if self.is_closing {
            self.tell(client, Event::Farewell(Departure::ShuttingDown));
            self.out.push(Output::HangUp(client, Departure::ShuttingDown));
            return;
        }
        let who = self.come(client, addr, false);
        self.enter(client, RoomId::LOBBY);
        self.publish(RoomId::LOBBY, Event::Online(who));
        let users = self.present().count();
        self.meet(|wait| matches!(wait, WaitFor::User(name) if *name == addr.to_string()));
        self.meet(|wait| matches!(wait, WaitFor::Users(n) if *n <= users));
        self.meet_members(RoomId::LOBBY);
    }

    fn visit(&mut self, client: ClientId, addr: SocketAddr) {
        let is_closing = self.is_closing;
        match self.guest(client) {
            Some(guest) if guest.is_visitor => {}
            Some(guest) => {
                guest.is_visitor = true;
                guest.current = RoomId::LOBBY;
                let who = Arc::clone(&guest.who);
                let rooms = self.rooms.with(client);
                self.out.extend(rooms.iter().map(|&room| Output::Part(client, room)));
                self.be_gone(client, &who, Departure::Visiting);
                self.meet(|wait| matches!(wait, WaitFor::Gone(gone) if same(gone, &who.name)));
            }
            None if is_closing => self.arrive(client, addr),
            None => drop(self.come(client, addr, true)),
        }
    }

    fn come(&mut self, client: ClientId, addr: SocketAddr, is_visitor: bool) -> Arc<Identity> {
        let who = Arc::new(Identity { name: addr.to_string(), addr: addr.to_string() });
        let place = self.guests.iter().take_while(|guest| guest.client < client).count();
        let guest = Guest {
            client,
            who: Arc::clone(&who),
            wait: Wait::None,
            congestion: Congestion::None,
            input_closed: false,
            is_broken: false,
            is_visitor,
            current: RoomId::LOBBY,
        };
        self.guests.insert(place, guest);
        who
    }

    fn command(&mut self, client: ClientId, load: Load, command: &Command) {
        let wait_max = self.rules.wait_max;
        let Some(guest) = self.guest(client) else { return };
        let from = Arc::clone(&guest.who);
        assert!(guest.wait == Wait::None && !guest.input_closed, "{client} speaks while it waits, or after its end");
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
            Command::Wait(timeout, wait) if !self.holds(wait) => return self.wait(client, *timeout, wait),
            Command::Wait(_, wait) => self.tell(client, Event::WaitMet(waits::arg(wait))),
            Command::Rooms => return self.list(client, List::Rooms),
            Command::WhoIn(room) => match self.rooms.find(room) {
                Ok(room) => return self.list(client, List::Members(room)),
                Err(refusal) => self.tell(client, Event::Declined(Asked::Who, refusal)),
            },
            Command::Join(_) | Command::In { .. } | Command::Leave(_) | Command::Topic { .. } => {
                let answer = match self.in_rooms(client, from, command) {
                    Ok(done) => Event::Done(done),
                    Err((asked, refusal)) => Event::Declined(asked, refusal),
                };
                self.tell(client, answer);
            }
            Command::Sync(token) => self.tell(client, Event::Synced(token.clone())),
        }
        self.out.push(Output::Ready(client));
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

    fn end(&mut self, client: ClientId, departure: Departure) {
        let Some(place) = self.guests.iter().position(|guest| guest.client == client) else { return };
        let Guest { who, is_visitor, .. } = self.guests.remove(place);
        use Departure::{CheckFailed, Left, Lost, WaitTimedOut};
        if !matches!(departure, Left | Lost | WaitTimedOut | CheckFailed) {
            self.tell(client, Event::Farewell(departure));
        }
        self.out.push(Output::HangUp(client, departure));
        self.be_gone(client, &who, departure);
        if is_visitor {
            return;
        }
        self.meet(|wait| matches!(wait, WaitFor::Gone(gone) if same(gone, &who.name)));
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
