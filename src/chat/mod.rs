//! The rules of the chat. Knows nothing of sockets, bytes, languages, clocks or tasks: inputs go in, outputs come out, and
//! the same inputs give the same outputs. An input that means much work begins it; [`Input::Continue`] goes on with it.

mod command;
mod entry;
mod event;
mod members;
mod name;
mod wait;
mod work;

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use self::{
    members::Members,
    wait::{TextSearch, Topic, Waits},
    work::Task,
};

pub use command::{Command, WaitFor};
pub use entry::{Capacity, Entry, Input, Output, Rules};
pub use event::{Audience, ClientId, Departure, Event, Identity, Refusal, RoomId, Seq};
pub use name::{NAME_CHARS_MAX, Name, NameRule};

/// Who is here, under which names, and what follows from what they do.
#[derive(Debug)]
pub struct Chat {
    rules: Rules,
    /// The time, as far as it was told.
    now: Duration,
    members: Members,
    /// Of members only.
    waits: Waits,
    /// What is left to do for single commands.
    tasks: VecDeque<Task>,
    /// The number of the last public event.
    seq: Seq,
    /// The number of the last text that was said.
    texts: u64,
    is_closing: bool,
}

impl Chat {
    /// An empty chat.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            now: Duration::ZERO,
            members: Members::default(),
            waits: Waits::default(),
            tasks: VecDeque::new(),
            seq: 0,
            texts: 0,
            is_closing: false,
        }
    }

    /// Takes one input, and appends to `out` what follows from it, in order.
    pub fn handle(&mut self, entry: Entry, out: &mut Vec<Output>) {
        self.now = self.now.max(entry.now);
        match entry.input {
            Input::Arrive(client, addr) => self.arrive(client, addr, out),
            Input::Command(client, command) => self.command(client, command, out),
            Input::Eof(client) => match self.members.get_mut(client) {
                Some(member) if member.is_busy => member.input_closed = true,
                Some(_) | None => self.end(client, Departure::Left, out),
            },
            Input::Broken(client) => match self.members.get_mut(client) {
                Some(_) if self.waits.is_waiting(client) => self.end(client, Departure::Lost, out),
                Some(member) => member.is_broken = true,
                None => {}
            },
            Input::End(client, departure) => self.end(client, departure, out),
            Input::Continue => self.continue_work(out),
            Input::ShutDown => self.is_closing = true,
        }
        self.answer_met(out);
    }

    /// When [`Input::Continue`] has something to do next; a time that has passed where there is work already.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        if self.has_work() { Some(Duration::ZERO) } else { self.waits.deadline() }
    }

    /// Who is here, in order of arrival.
    pub fn members(&self) -> impl Iterator<Item = (ClientId, &Arc<Identity>)> {
        self.members.iter().map(|(client, member)| (client, &member.who))
    }

    fn arrive(&mut self, client: ClientId, addr: SocketAddr, out: &mut Vec<Output>) {
        let ip = addr.ip().to_canonical();
        if let Some(departure) = self.refuses(ip) {
            out.push(Output::tell(client, Event::Farewell(departure)));
            out.push(Output::HangUp(client, departure));
            return;
        }
        let (who, key) = self.members.insert(client, SocketAddr::new(ip, addr.port()));
        self.tell_all(Event::Online(who), out);
        self.waits.meet(&Topic::Here(key.into()));
        self.waits.meet_users(self.members.len());
    }

    /// Why a client from this address can't come in.
    fn refuses(&self, ip: IpAddr) -> Option<Departure> {
        if self.is_closing {
            Some(Departure::ShuttingDown)
        } else if self.members.len() >= self.rules.capacity.total {
            Some(Departure::Full)
        } else if self.members.count_from(ip) >= self.rules.capacity.per_ip {
            Some(Departure::FullForAddress)
        } else {
            None
        }
    }

    fn command(&mut self, client: ClientId, command: Command, out: &mut Vec<Output>) {
        let Some(member) = self.members.get_mut(client) else { return };
        member.is_busy = true;
        let from = Arc::clone(&member.who);
        match command {
            Command::Say(text) => {
                self.texts += 1;
                // The sender is never among those who wait: while one waits, one's commands are held back.
                let search = self.waits.has_texts().then(|| TextSearch::new(text.clone(), self.texts));
                self.tell_all(Event::Message { from, text }, out);
                if let Some(search) = search {
                    return self.work(Task::SearchText { from: client, search }, out);
                }
            }
            Command::Private { to, text } => match self.recipient(&to, &text) {
                Ok(to) => {
                    self.waits.meet_text(to, &text);
                    out.push(Output::tell(to, Event::Private { from, text }));
                }
                Err(refusal) => out.push(Output::tell(client, Event::Refused(refusal))),
            },
            Command::Who => return self.work(Task::ListUsers { to: client, after: ClientId(0), told: 0 }, out),
            Command::Rename(name) => self.rename(client, from, &name, out),
            Command::Wait(timeout, _) if timeout > self.rules.wait_max => {
                let refusal = Refusal::WaitTooLong(self.rules.wait_max);
                out.push(Output::tell(client, Event::Refused(refusal)));
            }
            Command::Wait(timeout, wait_for) => return self.wait(client, timeout, wait_for, out),
            Command::Sync(token) => out.push(Output::tell(client, Event::Synced(token))),
        }
        self.finish(client, out);
    }

    fn rename(&mut self, client: ClientId, old: Arc<Identity>, name: &str, out: &mut Vec<Output>) {
        let renamed = match self.members.rename(client, name) {
            Ok(renamed) => renamed,
            Err(refusal) => return out.push(Output::tell(client, Event::Refused(refusal))),
        };
        out.push(Output::tell(client, Event::Renamed { old, new: renamed.new }));
        if let Some((old_key, new_key)) = renamed.keys {
            self.meet_gone(old_key);
            self.waits.meet(&Topic::Here(new_key.into()));
        }
    }

    fn recipient(&self, to: &str, text: &str) -> Result<ClientId, Refusal> {
        let to = self.members.with_key(&name::key(to)).ok_or(Refusal::NoSuchUser)?;
        if text.is_empty() { Err(Refusal::EmptyText) } else { Ok(to) }
    }

    fn wait(&mut self, client: ClientId, timeout: Duration, wait_for: WaitFor, out: &mut Vec<Output>) {
        let (topic, arg, already_satisfied) = match wait_for {
            WaitFor::User(name) => {
                let key = name::key(&name);
                let is_here = self.members.with_key(&key).is_some();
                (Topic::Here(key.into()), name.into(), is_here)
            }
            WaitFor::Gone(name) => {
                let key = name::key(&name);
                let is_gone = self.members.with_key(&key).is_none();
                (Topic::Gone(key.into()), name.into(), is_gone)
            }
            WaitFor::Users(users) => (Topic::Users(users), users.to_string().into(), self.members.len() >= users),
            WaitFor::Text(part) => {
                let part: Arc<str> = part.into();
                (Topic::Text(Arc::clone(&part)), part, false)
            }
        };
        if already_satisfied {
            out.push(Output::tell(client, Event::WaitMet(arg.as_ref().to_owned())));
            self.finish(client, out);
        } else if self.members.get(client).is_some_and(|member| member.is_broken) {
            self.end(client, Departure::Lost, out);
        } else {
            self.waits.begin(client, topic, self.now + timeout, arg, self.texts);
        }
    }

    /// The command of the client is done.
    fn finish(&mut self, client: ClientId, out: &mut Vec<Output>) {
        let Some(member) = self.members.get_mut(client) else { return };
        if member.input_closed {
            self.end(client, Departure::Left, out);
        } else {
            member.is_busy = false;
            out.push(Output::Ready(client));
        }
    }

    /// Nobody has a name of this key any more, unless somebody else has one.
    fn meet_gone(&mut self, key: String) {
        if self.members.with_key(&key).is_none() {
            self.waits.meet(&Topic::Gone(key.into()));
        }
    }

    fn end(&mut self, client: ClientId, departure: Departure, out: &mut Vec<Output>) {
        let Some((member, key)) = self.members.remove(client) else { return };
        self.waits.end(client);
        if departure.is_told() {
            out.push(Output::tell(client, Event::Farewell(departure)));
        }
        out.push(Output::HangUp(client, departure));
        self.tell_all(Event::Offline(member.who, departure), out);
        self.meet_gone(key);
    }

    fn tell_all(&mut self, event: Event, out: &mut Vec<Output>) {
        if self.is_closing {
            return; // all are on their way out
        }
        self.seq += 1;
        out.push(Output::Tell(Audience::Room(RoomId::LOBBY), Some(self.seq), event));
    }
}

#[cfg(test)]
mod tests;
