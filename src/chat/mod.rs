//! The rules of the chat. Knows nothing of sockets, bytes, clocks or tasks: inputs go in, outputs come out, and the same
//! inputs give the same outputs.

mod bucket;
mod command;
mod event;
mod name;

use std::{
    collections::{BTreeMap, HashMap, hash_map},
    mem,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

pub use bucket::{Bucket, Rate};
pub use command::{Command, Line};
pub use event::{Audience, ClientId, Event, Farewell, Lang, Refusal, Who};
pub use name::{NAME_CHARS_MAX, Name, NameRule};

/// How many may be here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// Clients in all.
    pub total: usize,
    /// Clients from one IP address.
    pub per_ip: usize,
}

impl Default for Places {
    fn default() -> Self {
        Self { total: usize::MAX, per_ip: usize::MAX }
    }
}

/// What happens to the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A client has connected from this address.
    Arrive(SocketAddr),
    /// A client has sent these lines. A line that [`Command::ends_batch`] is the last of them.
    Lines(Vec<Line>),
    /// A client has sent its last line.
    Eof,
    /// A client has been silent for the idle timeout.
    Silent,
    /// A client is gone already, or is to go now, for this reason.
    End(Farewell),
}

/// What the world has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Tell the audience this event.
    Tell(Audience, Event),
    /// The lines of this client have taken effect; its next ones are welcome.
    Ready(ClientId),
    /// This client is here no more. When it has got what it was told, hang up.
    HangUp(ClientId, Farewell),
}

/// Who is here, under which names, and what follows from what they do.
#[derive(Debug, Default)]
pub struct Chat {
    places: Places,
    /// In order of arrival, as ids are.
    members: BTreeMap<ClientId, Member>,
    /// Mirrors `members`: `names[k] == c` iff `key(members[c].who.name) == k`. Never iterated: a hash has no order.
    names: HashMap<String, ClientId>,
    /// How many members each address has; no zeros. Never iterated.
    per_ip: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Member {
    who: Arc<Who>,
    ip: IpAddr,
    /// Whether any line has come from it.
    has_spoken: bool,
}

impl Chat {
    /// An empty chat.
    #[must_use]
    pub fn new(places: Places) -> Self {
        Self { places, ..Self::default() }
    }

    /// Takes one input from `client` and appends to `out` what follows from it, in order. Inputs of clients who are not
    /// here (any more) have no effect.
    pub fn handle(&mut self, client: ClientId, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Arrive(addr) => self.arrive(client, addr, out),
            Input::Lines(lines) => self.lines(client, lines, out),
            Input::Eof => self.end(client, Farewell::Left, out),
            Input::Silent => self.end(client, Farewell::Idle, out),
            Input::End(farewell) => self.end(client, farewell, out),
        }
    }

    /// Who is here, in order of arrival.
    pub fn members(&self) -> impl Iterator<Item = (ClientId, &Arc<Who>)> {
        self.members.iter().map(|(&client, member)| (client, &member.who))
    }

    /// How this client is known, and whether it has said anything yet.
    #[must_use]
    pub fn member(&self, client: ClientId) -> Option<(&Arc<Who>, bool)> {
        self.members.get(&client).map(|member| (&member.who, member.has_spoken))
    }

    fn arrive(&mut self, client: ClientId, addr: SocketAddr, out: &mut Vec<Output>) {
        let ip = addr.ip().to_canonical();
        let from_ip = self.per_ip.get(&ip).copied().unwrap_or(0);
        let full = if self.members.len() >= self.places.total {
            Some(Farewell::Full)
        } else if from_ip >= self.places.per_ip {
            Some(Farewell::FullForAddress)
        } else {
            None
        };
        if let Some(farewell) = full {
            out.push(Output::Tell(Audience::One(client), Event::Farewell(farewell)));
            out.push(Output::HangUp(client, farewell));
            return;
        }
        let addr = SocketAddr::new(ip, addr.port()).to_string();
        let who = Arc::new(Who { name: addr.clone(), addr });
        // An address never has to be refused: no name is one, and no two clients have the same at a time. If the kernel
        // reuses one before the old connection's end is noticed, the old one merely can't be found by it any more.
        self.names.insert(name::key(&who.name), client);
        self.per_ip.insert(ip, from_ip + 1);
        self.members.insert(client, Member { who: Arc::clone(&who), ip, has_spoken: false });
        out.push(Output::Tell(Audience::Everyone, Event::Online(who)));
    }

    fn lines(&mut self, client: ClientId, lines: Vec<Line>, out: &mut Vec<Output>) {
        for line in lines {
            let Some(member) = self.members.get_mut(&client) else { return };
            let is_first = !mem::replace(&mut member.has_spoken, true);
            match line {
                Ok(Command::Http(_)) if is_first => self.end(client, Farewell::Http, out),
                Ok(command) => {
                    let from = Arc::clone(&member.who);
                    self.command(client, from, command, out);
                }
                Err(refusal) => out.push(Output::refuse(client, refusal)),
            }
        }
        if self.members.contains_key(&client) {
            out.push(Output::Ready(client));
        }
    }

    fn command(&mut self, client: ClientId, from: Arc<Who>, command: Command, out: &mut Vec<Output>) {
        let to_asker = Audience::One(client);
        match command {
            Command::Blank => {}
            Command::Say(text) | Command::Http(text) => {
                out.push(Output::Tell(Audience::Everyone, Event::Message { from, text }));
            }
            Command::Who => {
                out.extend(self.members.values().map(|m| Output::Tell(to_asker, Event::User(Arc::clone(&m.who)))));
            }
            Command::Rename(new) => match self.rename(client, &new) {
                Ok(new) => out.push(Output::Tell(to_asker, Event::Renamed { old: from, new })),
                Err(refusal) => out.push(Output::refuse(client, refusal)),
            },
            Command::Private { to, text } => match self.recipient(&to, &text) {
                Ok(to) => out.push(Output::Tell(Audience::One(to), Event::Private { from, text })),
                Err(refusal) => out.push(Output::refuse(client, refusal)),
            },
        }
    }

    fn rename(&mut self, client: ClientId, new: &str) -> Result<Arc<Who>, Refusal> {
        let new = Name::parse(new).map_err(Refusal::NameInvalid)?;
        let member = self.members.get_mut(&client).expect("only members' lines are handled");
        let old_key = name::key(&member.who.name);
        match self.names.entry(name::key(new.as_str())) {
            hash_map::Entry::Occupied(taken) if *taken.get() != client => return Err(Refusal::NameTaken),
            hash_map::Entry::Occupied(_) => {} // the same name in another spelling
            hash_map::Entry::Vacant(free) => {
                free.insert(client);
                forget(&mut self.names, &old_key, client);
            }
        }
        member.who = Arc::new(Who { name: new.as_str().to_owned(), addr: member.who.addr.clone() });
        Ok(Arc::clone(&member.who))
    }

    fn recipient(&self, to: &str, text: &str) -> Result<ClientId, Refusal> {
        let &to = self.names.get(&name::key(to)).ok_or(Refusal::NoSuchUser)?;
        if text.is_empty() { Err(Refusal::EmptyText) } else { Ok(to) }
    }

    fn end(&mut self, client: ClientId, farewell: Farewell, out: &mut Vec<Output>) {
        let Some(member) = self.members.remove(&client) else { return };
        forget(&mut self.names, &name::key(&member.who.name), client);
        if let hash_map::Entry::Occupied(mut count) = self.per_ip.entry(member.ip) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        if farewell.is_told() {
            out.push(Output::Tell(Audience::One(client), Event::Farewell(farewell)));
        }
        out.push(Output::HangUp(client, farewell));
        out.push(Output::Tell(Audience::Everyone, Event::Offline(member.who, farewell)));
    }
}

impl Output {
    fn refuse(client: ClientId, refusal: Refusal) -> Self {
        Self::Tell(Audience::One(client), Event::Refused(refusal))
    }
}

/// Takes `key` from `client`, unless it is another's by now.
fn forget(names: &mut HashMap<String, ClientId>, key: &str, client: ClientId) {
    if names.get(key) == Some(&client) {
        names.remove(key);
    }
}

#[cfg(test)]
mod tests;
