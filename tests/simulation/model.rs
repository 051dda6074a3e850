//! The rules once more, as plainly as can be: one list of guests and no index. It shares the vocabulary of `chat`, and none
//! of its code; it knows which names are the same from a table of spellings.

use std::{collections::VecDeque, mem, net::SocketAddr, sync::Arc, time::Duration};

use pipechat::chat::{
    Audience, ClientId, Command, Departure, Entry, Event, Identity, Input, NameRule, Output, Refusal, RoomId, Rules,
    Seq, WaitFor,
};

/// Names that the simulation uses, each in all its spellings.
pub(crate) const NAMES: [&[&str]; 6] = [
    &["ann", "ANN", "ａｎｎ", "аnn", "аNN"],
    &["张三"],
    &["straße", "STRASSE", "Strasse"],
    &["paypal", "pаypаl", "PAYPAL"],
    &["bot1", "botl", "BOT1"],
    &["é", "e\u{301}", "É"],
];

/// What is no name, and why.
pub(crate) const NO_NAMES: [(&str, NameRule); 6] = [
    ("", NameRule::Empty),
    ("a b", NameRule::Space),
    ("a|b", NameRule::Punctuation),
    ("127.0.0.1", NameRule::Address),
    ("a\u{202e}b", NameRule::Invisible),
    ("looooooooooooooooooooooooooooooong", NameRule::TooLong),
];

fn same(one: &str, other: &str) -> bool {
    let row = |name| NAMES.iter().position(|spellings| spellings.contains(&name));
    match (row(one), row(other)) {
        (None, None) => one == other, // addresses
        (one, other) => one == other,
    }
}

pub(crate) struct Model {
    rules: Rules,
    now: Duration,
    /// In order of their ids.
    guests: Vec<Guest>,
    /// Public events so far.
    seq: Seq,
    is_closing: bool,
    /// Those whose wait is over, with what they waited for. They are answered behind all else that an entry comes to.
    met: VecDeque<(ClientId, String)>,
    /// What the entry comes to.
    out: Vec<Output>,
}

struct Guest {
    client: ClientId,
    who: Arc<Identity>,
    addr: SocketAddr,
    wait: Wait,
    /// It says no more, and leaves when its wait is answered.
    input_closed: bool,
    /// It hears nothing, so it waits for nothing.
    is_broken: bool,
}

#[derive(PartialEq, Eq)]
enum Wait {
    None,
    Until(Duration, WaitFor),
    /// What it waited for has happened, and it is about to be told.
    Met,
}

impl Model {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            now: Duration::ZERO,
            guests: Vec::new(),
            seq: 0,
            is_closing: false,
            met: VecDeque::new(),
            out: Vec::new(),
        }
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (ClientId, &Arc<Identity>)> {
        self.guests.iter().map(|guest| (guest.client, &guest.who))
    }

    /// When there is something to do without anybody's asking.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        if self.is_closing && !self.guests.is_empty() {
            return Some(Duration::ZERO);
        }
        self.deadlines().map(|(until, _)| until).min()
    }

    /// What the entry comes to, where all of it is done at once.
    pub(crate) fn handle(&mut self, entry: &Entry) -> Vec<Output> {
        self.now = self.now.max(entry.now);
        match &entry.input {
            Input::Arrive(client, addr) => self.arrive(*client, *addr),
            Input::Command(client, command) => self.command(*client, command),
            Input::Eof(client) => match self.guest(*client) {
                Some(guest) if guest.wait != Wait::None => guest.input_closed = true,
                Some(_) | None => self.end(*client, Departure::Left),
            },
            Input::Broken(client) => match self.guest(*client) {
                Some(guest) if guest.wait != Wait::None => self.end(*client, Departure::Lost),
                Some(guest) => guest.is_broken = true,
                None => {}
            },
            Input::End(client, departure) => self.end(*client, *departure),
            Input::Continue => self.go_on(),
            Input::ShutDown => self.is_closing = true,
        }
        self.answer();
        mem::take(&mut self.out)
    }

    fn deadlines(&self) -> impl Iterator<Item = (Duration, ClientId)> {
        self.guests.iter().filter_map(|guest| match guest.wait {
            Wait::Until(until, _) => Some((until, guest.client)),
            Wait::None | Wait::Met => None,
        })
    }

    fn guest(&mut self, client: ClientId) -> Option<&mut Guest> {
        self.guests.iter_mut().find(|guest| guest.client == client)
    }

    fn bearer(&self, name: &str) -> Option<ClientId> {
        self.guests.iter().find(|guest| same(&guest.who.name, name)).map(|guest| guest.client)
    }

    fn tell(&mut self, client: ClientId, event: Event) {
        self.out.push(Output::Tell(Audience::One(client), None, event));
    }

    fn tell_all(&mut self, event: Event) {
        if !self.is_closing {
            self.seq += 1;
            self.out.push(Output::Tell(Audience::Room(RoomId::LOBBY), Some(self.seq), event));
        }
    }

    /// The waits of all are over in order of time; then, if the server shuts down, the lives of all.
    fn go_on(&mut self) {
        while let Some((_, client)) = self.deadlines().filter(|&(until, _)| until <= self.now).min() {
            self.tell(client, Event::WaitTimedOut);
            self.end(client, Departure::WaitTimedOut);
        }
        while self.is_closing
            && let Some(guest) = self.guests.first()
        {
            self.end(guest.client, Departure::ShuttingDown);
        }
    }

    fn arrive(&mut self, client: ClientId, addr: SocketAddr) {
        let neighbours = self.guests.iter().filter(|guest| guest.addr.ip() == addr.ip()).count();
        let capacity = self.rules.capacity;
        let refused = match self.guests.len() {
            _ if self.is_closing => Some(Departure::ShuttingDown),
            here if here >= capacity.total => Some(Departure::Full),
            _ if neighbours >= capacity.per_ip => Some(Departure::FullForAddress),
            _ => None,
        };
        if let Some(refused) = refused {
            self.tell(client, Event::Farewell(refused));
            self.out.push(Output::HangUp(client, refused));
            return;
        }
        let who = Arc::new(Identity { name: addr.to_string(), addr: addr.to_string() });
        self.tell_all(Event::Online(Arc::clone(&who)));
        let place = self.guests.iter().take_while(|guest| guest.client < client).count();
        let guest = Guest { client, who, addr, wait: Wait::None, input_closed: false, is_broken: false };
        self.guests.insert(place, guest);
        let users = self.guests.len();
        self.meet(|wait| matches!(wait, WaitFor::User(name) if *name == addr.to_string()));
        self.meet(|wait| matches!(wait, WaitFor::Users(n) if *n <= users));
    }

    fn command(&mut self, client: ClientId, command: &Command) {
        let wait_max = self.rules.wait_max;
        let Some(guest) = self.guest(client) else { return };
        let from = Arc::clone(&guest.who);
        assert!(guest.wait == Wait::None && !guest.input_closed, "{client} speaks while it waits, or after its end");
        match command {
            Command::Say(text) => {
                self.tell_all(Event::Message { from, text: text.clone() });
                self.meet(|wait| matches!(wait, WaitFor::Text(part) if text.contains(part)));
            }
            Command::Private { to, text } => match self.bearer(to) {
                None => self.tell(client, Event::Refused(Refusal::NoSuchUser)),
                Some(_) if text.is_empty() => self.tell(client, Event::Refused(Refusal::EmptyText)),
                Some(to) => {
                    self.tell(to, Event::Private { from, text: text.clone() });
                    self.meet_one(to, |wait| matches!(wait, WaitFor::Text(part) if text.contains(part)));
                }
            },
            Command::Who => {
                let users: Vec<_> = self.members().map(|(_, who)| Arc::clone(who)).collect();
                let count = users.len();
                users.into_iter().for_each(|who| self.tell(client, Event::User(who)));
                self.tell(client, Event::UsersEnd(count));
            }
            Command::Rename(name) => self.rename(client, &from, name),
            Command::Wait(timeout, _) if *timeout > wait_max => {
                self.tell(client, Event::Refused(Refusal::WaitTooLong(wait_max)));
            }
            Command::Wait(timeout, wait) if !self.holds(wait) => return self.wait(client, *timeout, wait),
            Command::Wait(_, wait) => self.tell(client, Event::WaitMet(arg(wait))),
            Command::Sync(token) => self.tell(client, Event::Synced(token.clone())),
        }
        self.out.push(Output::Ready(client));
    }

    fn rename(&mut self, client: ClientId, old: &Arc<Identity>, name: &str) {
        let rule = NO_NAMES.iter().find(|(no_name, _)| *no_name == name).map(|&(_, rule)| rule);
        let refusal = match self.bearer(name) {
            _ if rule.is_some() => rule.map(Refusal::NameInvalid),
            Some(bearer) if bearer != client => Some(Refusal::NameTaken),
            Some(_) | None => None,
        };
        if let Some(refusal) = refusal {
            return self.tell(client, Event::Refused(refusal));
        }
        let new = Arc::new(Identity { name: name.to_owned(), addr: old.addr.clone() });
        self.guest(client).expect("only guests speak").who = Arc::clone(&new);
        self.tell(client, Event::Renamed { old: Arc::clone(old), new });
        if !same(&old.name, name) {
            self.meet(|wait| matches!(wait, WaitFor::Gone(gone) if same(gone, &old.name)));
            self.meet(|wait| matches!(wait, WaitFor::User(user) if same(user, name)));
        }
    }

    fn holds(&self, wait: &WaitFor) -> bool {
        match wait {
            WaitFor::User(name) => self.bearer(name).is_some(),
            WaitFor::Gone(name) => self.bearer(name).is_none(),
            WaitFor::Users(users) => *users <= self.guests.len(),
            WaitFor::Text(_) => false,
        }
    }

    fn wait(&mut self, client: ClientId, timeout: Duration, wait: &WaitFor) {
        let until = self.now + timeout;
        let guest = self.guest(client).expect("only guests wait");
        guest.wait = Wait::Until(until, wait.clone());
        if guest.is_broken {
            self.end(client, Departure::Lost);
        }
    }

    /// What these wait for has happened: in order of what that is, and then of their ids.
    fn meet(&mut self, is_met: impl Fn(&WaitFor) -> bool) {
        let mut met: Vec<_> = self
            .guests
            .iter()
            .filter_map(|guest| match &guest.wait {
                Wait::Until(_, wait) if is_met(wait) => Some(match wait {
                    WaitFor::Users(users) => (*users, String::new(), guest.client),
                    WaitFor::Text(part) => (0, part.clone(), guest.client),
                    WaitFor::User(_) | WaitFor::Gone(_) => (0, String::new(), guest.client),
                }),
                Wait::Until(..) | Wait::None | Wait::Met => None,
            })
            .collect();
        met.sort();
        met.into_iter().for_each(|(_, _, client)| self.meet_one(client, &is_met));
    }

    fn meet_one(&mut self, client: ClientId, is_met: impl Fn(&WaitFor) -> bool) {
        let Some(guest) = self.guest(client) else { return };
        if let Wait::Until(_, wait) = &guest.wait
            && is_met(wait)
        {
            let arg = arg(wait);
            guest.wait = Wait::Met;
            self.met.push_back((client, arg));
        }
    }

    /// Answers them all. Who says no more leaves with the answer, and others may have waited for that.
    fn answer(&mut self) {
        while let Some((client, arg)) = self.met.pop_front() {
            let Some(guest) = self.guest(client) else { continue };
            guest.wait = Wait::None;
            let input_closed = guest.input_closed;
            self.tell(client, Event::WaitMet(arg));
            if input_closed {
                self.end(client, Departure::Left);
            } else {
                self.out.push(Output::Ready(client));
            }
        }
    }

    fn end(&mut self, client: ClientId, departure: Departure) {
        let Some(place) = self.guests.iter().position(|guest| guest.client == client) else { return };
        let who = self.guests.remove(place).who;
        if !matches!(departure, Departure::Left | Departure::Lost | Departure::WaitTimedOut) {
            self.tell(client, Event::Farewell(departure));
        }
        self.out.push(Output::HangUp(client, departure));
        self.tell_all(Event::Offline(Arc::clone(&who), departure));
        self.meet(|wait| matches!(wait, WaitFor::Gone(gone) if same(gone, &who.name)));
    }
}

/// What was waited for, in the words of the one who waits.
fn arg(wait: &WaitFor) -> String {
    match wait {
        WaitFor::User(arg) | WaitFor::Gone(arg) | WaitFor::Text(arg) => arg.clone(),
        WaitFor::Users(users) => users.to_string(),
    }
}
