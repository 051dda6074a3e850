//! The rules once more, as plainly as can be: one list of guests and no index. It shares the vocabulary of `chat`, and none
//! of its code; it knows which names are the same from a table of spellings.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use pipechat::chat::{
    Audience, ClientId, Command, Departure, Event, Identity, Input, Line, NameRule, Output, Refusal, Rules, Setting,
    WaitFor,
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
    /// In order of arrival.
    guests: Vec<Guest>,
}

struct Guest {
    client: ClientId,
    who: Arc<Identity>,
    addr: SocketAddr,
    has_spoken: bool,
    idle_exempt: bool,
    /// It says no more, and leaves when its wait is answered.
    input_closed: bool,
    /// It hears nothing, and has said all that it ever will.
    is_broken: bool,
    wait: Option<(Duration, WaitFor)>,
}

impl Model {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, now: Duration::ZERO, guests: Vec::new() }
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (ClientId, &Arc<Identity>)> {
        self.guests.iter().map(|guest| (guest.client, &guest.who))
    }

    pub(crate) fn handle(&mut self, client: ClientId, input: &Input) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Arrive(addr) => self.arrive(client, *addr, &mut out),
            Input::Lines(lines) => {
                for line in lines {
                    self.line(client, line, &mut out);
                }
                if self.guest(client).is_some_and(|guest| guest.wait.is_none()) {
                    out.push(Output::Ready(client));
                }
            }
            Input::Eof => match self.guest(client) {
                Some(guest) if guest.wait.is_some() => guest.input_closed = true,
                Some(_) | None => self.end(client, Departure::Left, &mut out),
            },
            Input::Silent => {
                if self.guest(client).is_some_and(|guest| !guest.idle_exempt && guest.wait.is_none()) {
                    self.end(client, Departure::Idle, &mut out);
                }
            }
            Input::Broken => {
                if let Some(guest) = self.guest(client) {
                    guest.is_broken = true;
                    if guest.wait.is_some() {
                        self.end(client, Departure::Lost, &mut out);
                    }
                }
            }
            Input::End(departure) => self.end(client, *departure, &mut out),
        }
        out
    }

    pub(crate) fn tick(&mut self, now: Duration) -> Vec<Output> {
        self.now = self.now.max(now);
        let mut out = Vec::new();
        let now = self.now;
        while let Some((_, client)) = self.deadlines().filter(|&(until, _)| until <= now).min() {
            out.push(Output::Tell(Audience::One(client), Event::WaitTimedOut));
            self.end(client, Departure::WaitTimedOut, &mut out);
        }
        out
    }

    fn deadlines(&self) -> impl Iterator<Item = (Duration, ClientId)> {
        self.guests.iter().filter_map(|guest| guest.wait.as_ref().map(|&(until, _)| (until, guest.client)))
    }

    fn guest(&mut self, client: ClientId) -> Option<&mut Guest> {
        self.guests.iter_mut().find(|guest| guest.client == client)
    }

    fn bearer(&self, name: &str) -> Option<ClientId> {
        self.guests.iter().find(|guest| same(&guest.who.name, name)).map(|guest| guest.client)
    }

    fn arrive(&mut self, client: ClientId, addr: SocketAddr, out: &mut Vec<Output>) {
        let neighbours = self.guests.iter().filter(|guest| guest.addr.ip() == addr.ip()).count();
        let places = self.rules.capacity;
        if self.guests.len() >= places.total || neighbours >= places.per_ip {
            let full = if self.guests.len() >= places.total { Departure::Full } else { Departure::FullForAddress };
            out.push(Output::Tell(Audience::One(client), Event::Farewell(full)));
            out.push(Output::HangUp(client, full));
            return;
        }
        let who = Arc::new(Identity { name: addr.to_string(), addr: addr.to_string() });
        out.push(Output::Tell(Audience::Everyone, Event::Online(Arc::clone(&who))));
        self.guests.push(Guest {
            client,
            who,
            addr,
            has_spoken: false,
            idle_exempt: false,
            input_closed: false,
            is_broken: false,
            wait: None,
        });
        let users = self.guests.len();
        self.resolve(|wait| matches!(wait, WaitFor::User(name) if *name == addr.to_string()), out);
        self.resolve(|wait| matches!(wait, WaitFor::Users(n) if *n <= users), out);
    }

    fn line(&mut self, client: ClientId, line: &Line, out: &mut Vec<Output>) {
        let strict = self.rules.strict_idle;
        let (wait_max, limits) = (self.rules.wait_max, Arc::clone(&self.rules.limits));
        let Some(guest) = self.guest(client) else { return };
        let (from, is_first) = (Arc::clone(&guest.who), !guest.has_spoken);
        assert!(guest.wait.is_none(), "{client} waits, and its later lines with it");
        guest.has_spoken = true;
        let mut tell = |event| out.push(Output::Tell(Audience::One(client), event));
        let command = match line {
            Ok(command) => command.clone(),
            Err(refusal) => return tell(Event::Refused(*refusal)),
        };
        match command {
            Command::Blank => {}
            Command::Http(_) if is_first => self.end(client, Departure::Http, out),
            Command::Say(text) | Command::Http(text) => {
                out.push(Output::Tell(Audience::Everyone, Event::Message { from, text: text.clone() }));
                self.resolve(|wait| matches!(wait, WaitFor::Text(part) if text.contains(part)), out);
            }
            Command::Private { to, text } => match self.bearer(&to) {
                None => tell(Event::Refused(Refusal::NoSuchUser)),
                Some(_) if text.is_empty() => tell(Event::Refused(Refusal::EmptyText)),
                Some(to) => {
                    out.push(Output::Tell(Audience::One(to), Event::Private { from, text: text.clone() }));
                    if let Some((_, WaitFor::Text(part))) = &self.guest(to).expect("a bearer is here").wait
                        && text.contains(part)
                    {
                        self.answer(vec![to], out);
                    }
                }
            },
            Command::Who => {
                self.guests.iter().for_each(|guest| tell(Event::User(Arc::clone(&guest.who))));
                tell(Event::UsersEnd(self.guests.len()));
            }
            Command::Rename(name) => self.rename(client, &name, out),
            Command::Wait(timeout, _) if timeout > wait_max => tell(Event::Refused(Refusal::WaitTooLong(wait_max))),
            Command::Wait(timeout, wait) => self.wait(client, timeout, wait, out),
            Command::Sync(token) => tell(Event::Synced(token)),
            Command::Help => tell(Event::Help(limits)),
            Command::Quit => self.end(client, Departure::Quit, out),
            Command::Stay if strict => tell(Event::Refused(Refusal::StayForbidden)),
            Command::Stay => {
                guest.idle_exempt = true;
                tell(Event::Set(Setting::Stay));
            }
            Command::Format(format) => set(client, Setting::Format(format), out),
            Command::Lang(lang) => set(client, Setting::Lang(lang), out),
        }
    }

    fn rename(&mut self, client: ClientId, name: &str, out: &mut Vec<Output>) {
        let rule = NO_NAMES.iter().find(|(no_name, _)| *no_name == name).map(|&(_, rule)| rule);
        let refusal = match self.bearer(name) {
            _ if rule.is_some() => rule.map(Refusal::NameInvalid),
            Some(bearer) if bearer != client => Some(Refusal::NameTaken),
            Some(_) | None => None,
        };
        if let Some(refusal) = refusal {
            out.push(Output::Tell(Audience::One(client), Event::Refused(refusal)));
            return;
        }
        let guest = self.guest(client).expect("only guests speak");
        let old = Arc::clone(&guest.who);
        let new = Arc::new(Identity { name: name.to_owned(), addr: old.addr.clone() });
        guest.who = Arc::clone(&new);
        out.push(Output::Tell(Audience::One(client), Event::Renamed { old: Arc::clone(&old), new }));
        if !same(&old.name, name) {
            self.resolve(|wait| matches!(wait, WaitFor::Gone(gone) if same(gone, &old.name)), out);
            self.resolve(|wait| matches!(wait, WaitFor::User(user) if same(user, name)), out);
        }
    }

    fn wait(&mut self, client: ClientId, timeout: Duration, wait: WaitFor, out: &mut Vec<Output>) {
        let already_satisfied = match &wait {
            WaitFor::User(name) => self.bearer(name).is_some(),
            WaitFor::Gone(name) => self.bearer(name).is_none(),
            WaitFor::Users(users) => *users <= self.guests.len(),
            WaitFor::Text(_) => false,
        };
        if already_satisfied {
            out.push(Output::Tell(Audience::One(client), Event::WaitMet(arg(&wait))));
        } else {
            let until = self.now + timeout;
            let guest = self.guest(client).expect("only guests wait");
            guest.wait = Some((until, wait));
            if guest.is_broken {
                self.end(client, Departure::Lost, out);
            }
        }
    }

    fn resolve(&mut self, is_met: impl Fn(&WaitFor) -> bool, out: &mut Vec<Output>) {
        self.answer(self.waiters(is_met), out);
    }

    /// Those whose wait is over, in order of what they wait for and then of arrival.
    fn waiters(&self, is_met: impl Fn(&WaitFor) -> bool) -> Vec<ClientId> {
        let mut waiters: Vec<_> = self
            .guests
            .iter()
            .filter_map(|guest| match &guest.wait {
                Some((_, wait)) if is_met(wait) => Some(match wait {
                    WaitFor::Users(users) => (*users, String::new(), guest.client),
                    WaitFor::Text(part) => (0, part.clone(), guest.client),
                    WaitFor::User(_) | WaitFor::Gone(_) => (0, String::new(), guest.client),
                }),
                Some(_) | None => None,
            })
            .collect();
        waiters.sort();
        waiters.into_iter().map(|(_, _, client)| client).collect()
    }

    /// Answers them all, and then those who have waited for one of them to leave, and so on.
    fn answer(&mut self, waiters: Vec<ClientId>, out: &mut Vec<Output>) {
        let mut next = Vec::new();
        for client in waiters {
            let Some(guest) = self.guest(client) else { continue };
            let Some((_, wait)) = guest.wait.take() else { continue };
            let input_closed = guest.input_closed;
            out.push(Output::Tell(Audience::One(client), Event::WaitMet(arg(&wait))));
            if input_closed {
                next.extend(self.depart(client, Departure::Left, out));
            } else {
                out.push(Output::Ready(client));
            }
        }
        if !next.is_empty() {
            self.answer(next, out);
        }
    }

    fn end(&mut self, client: ClientId, departure: Departure, out: &mut Vec<Output>) {
        let waiters = self.depart(client, departure, out);
        self.answer(waiters, out);
    }

    fn depart(&mut self, client: ClientId, departure: Departure, out: &mut Vec<Output>) -> Vec<ClientId> {
        let Some(place) = self.guests.iter().position(|guest| guest.client == client) else { return Vec::new() };
        let guest = self.guests.remove(place);
        if !matches!(departure, Departure::Left | Departure::Lost | Departure::WaitTimedOut) {
            out.push(Output::Tell(Audience::One(client), Event::Farewell(departure)));
        }
        out.push(Output::HangUp(client, departure));
        out.push(Output::Tell(Audience::Everyone, Event::Offline(Arc::clone(&guest.who), departure)));
        self.waiters(|wait| matches!(wait, WaitFor::Gone(gone) if same(gone, &guest.who.name)))
    }
}

fn set(client: ClientId, setting: Setting, out: &mut Vec<Output>) {
    out.push(Output::Set(client, setting));
    out.push(Output::Tell(Audience::One(client), Event::Set(setting)));
}

/// What was waited for, in the words of the one who waits.
fn arg(wait: &WaitFor) -> String {
    match wait {
        WaitFor::User(arg) | WaitFor::Gone(arg) | WaitFor::Text(arg) => arg.clone(),
        WaitFor::Users(users) => users.to_string(),
    }
}
