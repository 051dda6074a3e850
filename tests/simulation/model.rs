//! The rules once more, as plainly as can be: one list of guests and no index. It shares the vocabulary of `chat`, and none
//! of its code; it knows names from tables of spellings (`names`).

use std::{
    collections::{BTreeSet, VecDeque},
    mem,
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use pipechat::chat::{
    Audience, ClientId, Command, Congestion, Departure, Entry, Event, Identity, Input, Load, Output, Refusal, RoomId,
    Rules, Seq, WaitFor,
};

use super::names::{NO_NAMES, look_alike, same};

/// The longest name or part of a text that anybody is asked about, in bytes.
const ARGUMENT_MAX: usize = 256;

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
    /// The clients whose `who` is to be answered, in order.
    asking: VecDeque<ClientId>,
    /// The clients whose `who` waits until they have read more.
    paused: BTreeSet<ClientId>,
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
}

#[derive(PartialEq, Eq)]
enum Wait {
    None,
    Until(Duration, WaitFor),
    /// What it waited for has happened, and it is about to be told.
    Met,
    /// It is to be told who is here.
    Asking,
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
            asking: VecDeque::new(),
            paused: BTreeSet::new(),
            out: Vec::new(),
        }
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

    fn bearer(&self, name: &str) -> Option<ClientId> {
        self.present().find(|guest| same(&guest.who.name, name)).map(|guest| guest.client)
    }

    fn tell(&mut self, client: ClientId, event: Event) {
        self.out.push(Output::Tell(Audience::One(client), None, event));
    }

    fn tell_all(&mut self, event: Event) {
        self.publish(Audience::Room(RoomId::LOBBY), event);
    }

    fn publish(&mut self, audience: Audience, event: Event) {
        if !self.is_closing {
            self.seq += 1;
            self.out.push(Output::Tell(audience, Some(self.seq), event));
        }
    }

    /// Only whose congestion ends tries again.
    fn congested(&mut self, client: ClientId, congestion: Congestion) {
        let Some(guest) = self.guest(client) else { return };
        guest.congestion = congestion;
        if congestion == Congestion::None && self.paused.remove(&client) {
            self.asking.push_back(client);
        }
    }

    /// Ends the waits that are overdue, in order of their deadlines; if the server shuts down, ends all clients, visitors last;
    /// then answers one `who`.
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
        if let Some(client) = self.asking.pop_front() {
            self.list(client);
        }
    }

    fn list(&mut self, client: ClientId) {
        let Some(guest) = self.guest(client) else { return };
        guest.wait = Wait::Asking;
        if !guest.is_broken && guest.congestion != Congestion::None {
            self.paused.insert(client);
            return;
        }
        if !guest.is_broken {
            let users: Vec<_> = self.members().map(|(_, who)| Arc::clone(who)).collect();
            let count = users.len();
            users.into_iter().for_each(|who| self.tell(client, Event::User(who)));
            self.tell(client, Event::UsersEnd(count));
        }
        self.done(client);
    }

    /// A command that took long is done. A client that has sent its last command leaves.
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
        let who = self.enter(client, addr, false);
        self.tell_all(Event::Online(who));
        let users = self.present().count();
        self.meet(|wait| matches!(wait, WaitFor::User(name) if *name == addr.to_string()));
        self.meet(|wait| matches!(wait, WaitFor::Users(n) if *n <= users));
    }

    fn visit(&mut self, client: ClientId, addr: SocketAddr) {
        let is_closing = self.is_closing;
        match self.guest(client) {
            Some(guest) if guest.is_visitor => {}
            Some(guest) => {
                guest.is_visitor = true;
                let who = Arc::clone(&guest.who);
                self.tell_all(Event::Offline(Arc::clone(&who), Departure::Visiting));
                self.meet(|wait| matches!(wait, WaitFor::Gone(gone) if same(gone, &who.name)));
            }
            None if is_closing => self.arrive(client, addr),
            None => drop(self.enter(client, addr, true)),
        }
    }

    fn enter(&mut self, client: ClientId, addr: SocketAddr, is_visitor: bool) -> Arc<Identity> {
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
            Command::Say(text) => {
                self.tell_all(Event::Message { from, text: text.clone() });
                self.meet(|wait| matches!(wait, WaitFor::Text(part) if composed(text).contains(&composed(part))));
            }
            Command::Private { to, text } => match self.recipients(to, text, load) {
                Ok(recipients) => {
                    for to in recipients {
                        self.tell(to, Event::Private { from: Arc::clone(&from), text: text.clone() });
                        self.meet_one(
                            to,
                            |wait| matches!(wait, WaitFor::Text(part) if composed(text).contains(&composed(part))),
                        );
                    }
                }
                Err(refusal) => self.tell(client, Event::Refused(refusal)),
            },
            Command::Who => return self.list(client),
            Command::Rename(name) => self.rename(client, &from, name),
            Command::Wait(timeout, _) if *timeout > wait_max => {
                self.tell(client, Event::Refused(Refusal::WaitTooLong(wait_max)));
            }
            Command::Wait(_, WaitFor::User(arg) | WaitFor::Gone(arg) | WaitFor::Text(arg))
                if arg.len() > ARGUMENT_MAX =>
            {
                self.tell(client, Event::Refused(Refusal::ArgumentTooLong(ARGUMENT_MAX)));
            }
            Command::Wait(timeout, wait) if !self.holds(wait) => return self.wait(client, *timeout, wait),
            Command::Wait(_, wait) => self.tell(client, Event::WaitMet(arg(wait))),
            Command::Sync(token) => self.tell(client, Event::Synced(token.clone())),
        }
        self.out.push(Output::Ready(client));
    }

    /// The user of this name who is present, or all visitors of this name that are not too far behind.
    fn recipients(&self, to: &str, text: &str, load: Load) -> Result<Vec<ClientId>, Refusal> {
        let mut bearers: Vec<_> = self.guests.iter().filter(|guest| same(&guest.who.name, to)).collect();
        if bearers.is_empty() {
            return Err(Refusal::NoSuchUser);
        }
        bearers.retain(|guest| match guest.congestion {
            Congestion::None => true,
            Congestion::Behind => load == Load::Light,
            Congestion::FarBehind => false,
        });
        match bearers.is_empty() {
            _ if text.is_empty() => Err(Refusal::EmptyText),
            true => Err(Refusal::RecipientBehind),
            false => Ok(bearers.iter().map(|guest| guest.client).collect()),
        }
    }

    fn rename(&mut self, client: ClientId, old: &Arc<Identity>, name: &str) {
        let rule = NO_NAMES.iter().find(|(no_name, _)| *no_name == name).map(|&(_, rule)| rule);
        let is_visitor = self.guest(client).expect("only guests speak").is_visitor;
        let may_share = |guest: &&Guest| is_visitor && guest.is_visitor && same(&guest.who.name, name);
        let others = self.guests.iter().filter(|guest| guest.client != client && !may_share(guest));
        let mut others = others.map(|guest| &guest.who.name);
        let refusal = if rule.is_some() {
            rule.map(Refusal::NameInvalid)
        } else if others.clone().any(|other| same(other, name)) {
            Some(Refusal::NameTaken)
        } else {
            others.find(|other| look_alike(other, name)).cloned().map(Refusal::NameConfusable)
        };
        if let Some(refusal) = refusal {
            return self.tell(client, Event::Refused(refusal));
        }
        let new = Arc::new(Identity { name: name.to_owned(), addr: old.addr.clone() });
        self.guest(client).expect("only guests speak").who = Arc::clone(&new);
        self.tell(client, Event::Renamed { old: Arc::clone(old), new: Arc::clone(&new) });
        if is_visitor {
            return;
        }
        if old.name != name {
            let known_as = Event::KnownAs { old: Arc::clone(old), new };
            self.publish(Audience::RoomExcept(RoomId::LOBBY, client), known_as);
        }
        if !same(&old.name, name) {
            self.meet(|wait| matches!(wait, WaitFor::Gone(gone) if same(gone, &old.name)));
            self.meet(|wait| matches!(wait, WaitFor::User(user) if same(user, name)));
        }
    }

    fn holds(&self, wait: &WaitFor) -> bool {
        match wait {
            WaitFor::User(name) => self.bearer(name).is_some(),
            WaitFor::Gone(name) => self.bearer(name).is_none(),
            WaitFor::Users(users) => *users <= self.present().count(),
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
                    WaitFor::Text(part) => (0, composed(part), guest.client),
                    WaitFor::User(_) | WaitFor::Gone(_) => (0, String::new(), guest.client),
                }),
                Wait::Until(..) | Wait::None | Wait::Met | Wait::Asking => None,
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

    /// Answers all waits that are met. A client that has sent its last command leaves with the answer, which may meet other waits.
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
        if is_visitor {
            return;
        }
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

/// The one letter with an accent that the simulation uses, in the shorter of its spellings.
fn composed(text: &str) -> String {
    text.replace("e\u{301}", "é")
}
