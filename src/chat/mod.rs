//! The rules of the chat. Knows nothing of sockets, bytes, clocks or tasks: inputs go in, outputs come out, and the same
//! inputs give the same outputs.

mod command;
mod event;
mod name;
mod wait;

use std::{
    collections::{BTreeMap, HashMap, VecDeque, hash_map},
    mem,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use wait::{Topic, Waits};

pub use crate::broker::{Bucket, Rate};
pub use command::{Command, Line, Verb, WaitFor};
pub use event::{Audience, ClientId, Departure, Event, Format, Identity, Lang, Limits, Refusal, Setting};
pub use name::{NAME_CHARS_MAX, Name, NameRule};

/// How many may be here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Clients in all.
    pub total: usize,
    /// Clients from one IP address.
    pub per_ip: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { total: usize::MAX, per_ip: usize::MAX }
    }
}

/// What an operator decides about the chat.
#[derive(Debug, Clone)]
pub struct Rules {
    /// How many may be here.
    pub capacity: Capacity,
    /// The longest wait.
    pub wait_max: Duration,
    /// Nobody is exempt from the idle timeout.
    pub strict_idle: bool,
    /// What is told to those who ask for help. Others see to it.
    pub limits: Arc<Limits>,
}

/// What happens to the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A client has connected from this address.
    Arrive(SocketAddr),
    /// A client has sent these lines. A line that [`Command::ends_batch`] is the last of them.
    Lines(Vec<Line>),
    /// A client has sent its last line. May come while it waits for something.
    Eof,
    /// A client has been silent for the idle timeout.
    Silent,
    /// A client's connection is broken: it hears nothing any more. Lines that it sent before may still come.
    Broken,
    /// A client is gone already, or is to go now, for this reason.
    End(Departure),
}

/// What the world has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Tell the audience this event.
    Tell(Audience, Event),
    /// The lines of this client have taken effect; its next ones are welcome.
    Ready(ClientId),
    /// Speak to this client in this way from here on.
    Set(ClientId, Setting),
    /// This client is here no more. When it has got what it was told, hang up.
    HangUp(ClientId, Departure),
}

/// Who is here, under which names, and what follows from what they do.
#[derive(Debug)]
pub struct Chat {
    rules: Rules,
    /// The time, as far as it was told.
    now: Duration,
    /// In order of arrival, as ids are.
    members: BTreeMap<ClientId, Member>,
    /// Mirrors `members`: `names[k] == c` iff `key(members[c].who.name) == k`. Never iterated: a hash has no order.
    names: HashMap<Box<str>, ClientId>,
    /// Mirrors `members` in the same way, by `look(members[c].who.name)`: to find out who looks like whom.
    looks: HashMap<Box<str>, ClientId>,
    /// How many members each address has; no zeros. Never iterated.
    per_ip: HashMap<IpAddr, usize>,
    /// Of members only.
    waits: Waits,
}

#[derive(Debug)]
struct Member {
    who: Arc<Identity>,
    ip: IpAddr,
    /// Whether any line has come from it.
    has_spoken: bool,
    /// No idle timeout.
    idle_exempt: bool,
    /// It has sent its last line, and that is a wait: the answer is to be the last that it is told.
    input_closed: bool,
    /// It hears nothing any more, so it waits for nothing.
    is_broken: bool,
}

impl Chat {
    /// An empty chat.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            now: Duration::ZERO,
            members: BTreeMap::new(),
            names: HashMap::new(),
            looks: HashMap::new(),
            per_ip: HashMap::new(),
            waits: Waits::default(),
        }
    }

    /// It is `now`, a time since any beginning. What has waited long enough is answered. A clock that goes back is not
    /// followed.
    pub fn tick(&mut self, now: Duration, out: &mut Vec<Output>) {
        self.now = self.now.max(now);
        while let Some(client) = self.waits.overdue(self.now) {
            out.push(Output::Tell(Audience::One(client), Event::WaitTimedOut));
            self.end(client, Departure::WaitTimedOut, out);
        }
    }

    /// When [`Self::tick`] has something to do next.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.waits.deadline()
    }

    /// Takes one input from `client` and appends to `out` what follows from it, in order. Inputs of clients who are not
    /// here (any more) have no effect.
    pub fn handle(&mut self, client: ClientId, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Arrive(addr) => self.arrive(client, addr, out),
            Input::Lines(lines) => self.lines(client, lines, out),
            Input::Eof => match self.members.get_mut(&client) {
                Some(member) if self.waits.is_waiting(client) => member.input_closed = true,
                Some(_) | None => self.end(client, Departure::Left, out),
            },
            Input::Silent => {
                let stays = self.members.get(&client).is_some_and(|member| member.idle_exempt);
                if !stays && !self.waits.is_waiting(client) {
                    self.end(client, Departure::Idle, out);
                }
            }
            Input::Broken => match self.members.get_mut(&client) {
                Some(_) if self.waits.is_waiting(client) => self.end(client, Departure::Lost, out),
                Some(member) => member.is_broken = true,
                None => {}
            },
            Input::End(departure) => self.end(client, departure, out),
        }
    }

    /// Who is here, in order of arrival.
    pub fn members(&self) -> impl Iterator<Item = (ClientId, &Arc<Identity>)> {
        self.members.iter().map(|(&client, member)| (client, &member.who))
    }

    /// How this client is known, and whether it has said anything yet.
    #[must_use]
    pub fn member(&self, client: ClientId) -> Option<(&Arc<Identity>, bool)> {
        self.members.get(&client).map(|member| (&member.who, member.has_spoken))
    }

    fn arrive(&mut self, client: ClientId, addr: SocketAddr, out: &mut Vec<Output>) {
        let ip = addr.ip().to_canonical();
        let from_ip = self.per_ip.get(&ip).copied().unwrap_or(0);
        let full = if self.members.len() >= self.rules.capacity.total {
            Some(Departure::Full)
        } else if from_ip >= self.rules.capacity.per_ip {
            Some(Departure::FullForAddress)
        } else {
            None
        };
        if let Some(departure) = full {
            out.push(Output::Tell(Audience::One(client), Event::Farewell(departure)));
            out.push(Output::HangUp(client, departure));
            return;
        }
        let addr = SocketAddr::new(ip, addr.port()).to_string();
        let who = Arc::new(Identity { name: addr.clone(), addr });
        // An address never has to be refused: no name is one, and no two clients have the same at a time. If the kernel
        // reuses one before the old connection's end is noticed, the old one merely can't be found by it any more.
        let key = name::key(&who.name);
        self.names.insert(key.as_str().into(), client);
        self.looks.insert(name::confusable_skeleton(&who.name).into(), client);
        self.per_ip.insert(ip, from_ip + 1);
        let member = Member {
            who: Arc::clone(&who),
            ip,
            has_spoken: false,
            idle_exempt: false,
            input_closed: false,
            is_broken: false,
        };
        self.members.insert(client, member);
        out.push(Output::Tell(Audience::Everyone, Event::Online(who)));
        let users = self.members.len(); // before any of them leaves with its answer
        self.resolve(self.waits.on(&Topic::Here(key)), out);
        self.resolve(self.waits.on_users(users), out);
    }

    fn lines(&mut self, client: ClientId, lines: Vec<Line>, out: &mut Vec<Output>) {
        for line in lines {
            let Some(member) = self.members.get_mut(&client) else { return };
            let is_first = !mem::replace(&mut member.has_spoken, true);
            match line {
                Ok(Command::Http(_)) if is_first => self.end(client, Departure::Http, out),
                Ok(command) => {
                    let from = Arc::clone(&member.who);
                    self.command(client, from, command, out);
                }
                Err(refusal) => out.push(Output::refuse(client, refusal)),
            }
        }
        if self.members.contains_key(&client) && !self.waits.is_waiting(client) {
            out.push(Output::Ready(client));
        }
    }

    fn command(&mut self, client: ClientId, from: Arc<Identity>, command: Command, out: &mut Vec<Output>) {
        let mut tell = |event| out.push(Output::Tell(Audience::One(client), event));
        match command {
            Command::Blank => {}
            Command::Say(text) | Command::Http(text) => {
                let waiters = self.waits.on_text(&text);
                out.push(Output::Tell(Audience::Everyone, Event::Message { from, text }));
                // The speaker is never among them: while one waits, one's lines are held back.
                self.resolve(waiters, out);
            }
            Command::Private { to, text } => match self.recipient(&to, &text) {
                Ok(to) => {
                    let is_met = self.waits.on_text(&text).contains(&to);
                    out.push(Output::Tell(Audience::One(to), Event::Private { from, text }));
                    if is_met {
                        self.resolve(vec![to], out);
                    }
                }
                Err(refusal) => tell(Event::Refused(refusal)),
            },
            Command::Who => {
                self.members.values().for_each(|member| tell(Event::User(Arc::clone(&member.who))));
                tell(Event::UsersEnd(self.members.len()));
            }
            Command::Rename(new) => match self.rename(client, &new) {
                Ok((new, changed)) => {
                    tell(Event::Renamed { old: from, new });
                    if let Some((old_key, new_key)) = changed {
                        self.resolve(self.waiters_on_gone(old_key), out);
                        self.resolve(self.waits.on(&Topic::Here(new_key)), out);
                    }
                }
                Err(refusal) => tell(Event::Refused(refusal)),
            },
            Command::Wait(timeout, _) if timeout > self.rules.wait_max => {
                tell(Event::Refused(Refusal::WaitTooLong(self.rules.wait_max)));
            }
            Command::Wait(timeout, wait_for) => self.wait(client, timeout, wait_for, out),
            Command::Sync(token) => tell(Event::Synced(token)),
            Command::Help => tell(Event::Help(Arc::clone(&self.rules.limits))),
            Command::Quit => self.end(client, Departure::Quit, out),
            Command::Stay if self.rules.strict_idle => tell(Event::Refused(Refusal::StayForbidden)),
            Command::Stay => {
                self.members.get_mut(&client).expect("only members' lines are handled").idle_exempt = true;
                tell(Event::Set(Setting::Stay));
            }
            Command::Format(format) => Self::set(client, Setting::Format(format), out),
            Command::Lang(lang) => Self::set(client, Setting::Lang(lang), out),
        }
    }

    /// The confirmation is the first that comes in the new way.
    fn set(client: ClientId, setting: Setting, out: &mut Vec<Output>) {
        out.push(Output::Set(client, setting));
        out.push(Output::Tell(Audience::One(client), Event::Set(setting)));
    }

    fn wait(&mut self, client: ClientId, timeout: Duration, wait_for: WaitFor, out: &mut Vec<Output>) {
        let (topic, arg, already_satisfied) = match wait_for {
            WaitFor::User(name) => {
                let key = name::key(&name);
                let already_satisfied = self.names.contains_key(key.as_str());
                (Topic::Here(key), name, already_satisfied)
            }
            WaitFor::Gone(name) => {
                let key = name::key(&name);
                let already_satisfied = !self.names.contains_key(key.as_str());
                (Topic::Gone(key), name, already_satisfied)
            }
            WaitFor::Users(users) => (Topic::Users(users), users.to_string(), self.members.len() >= users),
            WaitFor::Text(part) => (Topic::Text(part.clone()), part, false),
        };
        if already_satisfied {
            out.push(Output::Tell(Audience::One(client), Event::WaitMet(arg)));
        } else if self.members[&client].is_broken {
            self.end(client, Departure::Lost, out);
        } else {
            self.waits.begin(client, topic, self.now + timeout, arg);
        }
    }

    /// Answers those whose waits are over; their next lines are welcome. Who has sent its last line leaves with the answer,
    /// and that may be what others wait for: a loop, for a chain of them may be as long as the chat.
    fn resolve(&mut self, waiters: Vec<ClientId>, out: &mut Vec<Output>) {
        let mut waiters = VecDeque::from(waiters);
        while let Some(client) = waiters.pop_front() {
            let Some(arg) = self.waits.end(client) else { continue };
            out.push(Output::Tell(Audience::One(client), Event::WaitMet(arg)));
            if self.members.get(&client).is_some_and(|member| member.input_closed) {
                waiters.extend(self.depart(client, Departure::Left, out));
            } else {
                out.push(Output::Ready(client));
            }
        }
    }

    /// Those who wait for nobody to have a name of this key: none, while somebody has one.
    fn waiters_on_gone(&self, key: String) -> Vec<ClientId> {
        if self.names.contains_key(key.as_str()) { Vec::new() } else { self.waits.on(&Topic::Gone(key)) }
    }

    /// The member under its new name, and the keys before and now where those differ.
    #[expect(clippy::type_complexity, reason = "a pair of keys needs no name")]
    fn rename(&mut self, client: ClientId, new: &str) -> Result<(Arc<Identity>, Option<(String, String)>), Refusal> {
        let new = Name::parse(new).map_err(Refusal::NameInvalid)?;
        let member = self.members.get_mut(&client).expect("only members' lines are handled");
        let (old_key, new_key) = (name::key(&member.who.name), name::key(new.as_str()));
        let (old_look, new_look) =
            (name::confusable_skeleton(&member.who.name), name::confusable_skeleton(new.as_str()));
        if self.looks.get(new_look.as_str()).is_some_and(|&bearer| bearer != client) {
            return Err(Refusal::NameTaken);
        }
        let changed = match self.names.entry(new_key.as_str().into()) {
            hash_map::Entry::Occupied(taken) if *taken.get() != client => return Err(Refusal::NameTaken),
            hash_map::Entry::Occupied(_) => None, // the same name in another spelling
            hash_map::Entry::Vacant(free) => {
                free.insert(client);
                forget(&mut self.names, &old_key, client);
                Some((old_key, new_key))
            }
        };
        forget(&mut self.looks, &old_look, client);
        self.looks.insert(new_look.into(), client);
        member.who = Arc::new(Identity { name: new.as_str().to_owned(), addr: member.who.addr.clone() });
        Ok((Arc::clone(&member.who), changed))
    }

    fn recipient(&self, to: &str, text: &str) -> Result<ClientId, Refusal> {
        let &to = self.names.get(name::key(to).as_str()).ok_or(Refusal::NoSuchUser)?;
        if text.is_empty() { Err(Refusal::EmptyText) } else { Ok(to) }
    }

    fn end(&mut self, client: ClientId, departure: Departure, out: &mut Vec<Output>) {
        let waiters = self.depart(client, departure, out);
        self.resolve(waiters, out);
    }

    /// Takes the client out of the chat. Answers who has waited for that.
    fn depart(&mut self, client: ClientId, departure: Departure, out: &mut Vec<Output>) -> Vec<ClientId> {
        let Some(member) = self.members.remove(&client) else { return Vec::new() };
        let key = name::key(&member.who.name);
        forget(&mut self.names, &key, client);
        forget(&mut self.looks, &name::confusable_skeleton(&member.who.name), client);
        self.waits.end(client);
        if let hash_map::Entry::Occupied(mut count) = self.per_ip.entry(member.ip) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        if departure.is_told() {
            out.push(Output::Tell(Audience::One(client), Event::Farewell(departure)));
        }
        out.push(Output::HangUp(client, departure));
        out.push(Output::Tell(Audience::Everyone, Event::Offline(member.who, departure)));
        self.waiters_on_gone(key)
    }
}

impl Default for Rules {
    /// No limits but the longest wait: an hour.
    fn default() -> Self {
        let wait_max = Duration::from_secs(3600);
        let limits = Limits {
            line_max: 4096,
            queue_max: 1 << 20,
            rate: Rate { per_second: 0, burst: 0 },
            idle_timeout: Duration::ZERO,
            write_timeout: Duration::from_secs(10),
            wait_max,
            clients_max: usize::MAX,
        };
        Self { capacity: Capacity::default(), wait_max, strict_idle: false, limits: Arc::new(limits) }
    }
}

impl Output {
    fn refuse(client: ClientId, refusal: Refusal) -> Self {
        Self::Tell(Audience::One(client), Event::Refused(refusal))
    }
}

/// Takes `key` from `client`, unless it is another's by now.
fn forget(names: &mut HashMap<Box<str>, ClientId>, key: &str, client: ClientId) {
    if names.get(key) == Some(&client) {
        names.remove(key);
    }
}

#[cfg(test)]
mod tests;
