//! Work that may be too long for one input: it is done in pieces, and other inputs come between them.

use super::{
    Asked, Chat, ClientId, Departure, Done, Event, Output, Refusal, RoomId, entry::Congestion, visitors::TellVisitors,
    wait::TextSearch,
};

/// Clients answered, listed or sent away in one piece: some ten microseconds of work.
const PIECE_CLIENTS: usize = 64;
/// Bytes of texts compared with what clients wait for in one piece: some fifty microseconds of work.
const PIECE_COMPARED_BYTES: usize = 64 << 10;

/// What is left to do for one command. At most one for each client, whose next command waits for it.
#[derive(Debug)]
pub(super) enum Task {
    /// Tell who is here, from the first client after `after`.
    ListUsers { to: ClientId, after: ClientId, told: usize },
    /// Tell who is in a room, from the first client after `after`.
    ListRoom { to: ClientId, room: RoomId, after: ClientId, told: usize },
    /// Tell which rooms there are, from the first behind the one of the key `after`.
    ListRooms { to: ClientId, after: Option<Box<str>>, told: usize },
    /// Find out who has waited for a text that this client has said.
    SearchText { from: ClientId, search: TextSearch },
    /// Tell all visitors of a name something.
    TellVisitors(TellVisitors),
}

impl Chat {
    /// Does one piece of all the work that is left.
    pub(super) fn continue_work(&mut self, out: &mut Vec<Output>) {
        self.expire(out);
        if self.is_closing {
            self.send_away(out);
        }
        if let Some(task) = self.tasks.pop_front() {
            self.work(task, out);
        }
    }

    /// Whether there is work left that waits for nothing.
    pub(super) fn has_work(&self) -> bool {
        !self.tasks.is_empty() || self.waits.has_met() || self.is_closing && self.members.all().next().is_some()
    }

    /// Begins a task of a client: does its first piece, which for most is all of it.
    pub(super) fn begin(&mut self, client: ClientId, task: Task, out: &mut Vec<Output>) {
        if let Some(member) = self.members.get_mut(client) {
            (member.is_busy, member.is_telling) = (true, matches!(task, Task::TellVisitors(_)));
        }
        // A long list begins in its turn: many clients may ask at once.
        let items = match &task {
            Task::ListUsers { .. } => self.members.len(),
            Task::ListRoom { room, .. } => self.rooms.get(*room).map_or(0, |room| room.len()),
            Task::ListRooms { .. } => self.rooms.len(),
            Task::SearchText { .. } | Task::TellVisitors(_) => 0,
        };
        if items > PIECE_CLIENTS {
            return self.tasks.push_back(task);
        }
        self.work(task, out);
    }

    fn work(&mut self, task: Task, out: &mut Vec<Output>) {
        match task {
            Task::ListUsers { to, .. } | Task::ListRoom { to, .. } | Task::ListRooms { to, .. } => {
                self.list(to, task, out);
            }
            Task::SearchText { from, mut search } => {
                if self.waits.meet_some(&mut search, PIECE_COMPARED_BYTES) {
                    self.finish(from, out);
                } else {
                    self.tasks.push_back(Task::SearchText { from, search });
                }
            }
            Task::TellVisitors(mut telling) => {
                if self.tell_visitors(&mut telling, out) {
                    self.finish(telling.from(), out);
                } else {
                    self.tasks.push_back(Task::TellVisitors(telling));
                }
            }
        }
    }

    /// Answers those whose wait is over. A client that has sent its last command leaves with the answer, and others may have
    /// waited for that.
    pub(super) fn answer_met(&mut self, out: &mut Vec<Output>) {
        for _ in 0..PIECE_CLIENTS {
            let Some((client, arg)) = self.waits.next_met() else { return };
            out.push(Output::tell(client, Event::WaitMet(arg.as_ref().to_owned())));
            self.finish(client, out);
        }
    }

    /// Goes on with a list for a client, if it can be told something and reads what it is told.
    fn list(&mut self, to: ClientId, task: Task, out: &mut Vec<Output>) {
        match self.members.get(to) {
            None => {}
            Some(member) if member.is_broken => self.finish(to, out),
            Some(_) if self.congestion_of(to) != Congestion::None => drop(self.paused.insert(to, task)),
            Some(_) => match self.list_piece(task, out) {
                Ok(last) => {
                    out.push(Output::tell(to, last));
                    self.finish(to, out);
                }
                Err(rest) => self.tasks.push_back(rest),
            },
        }
    }

    /// Lists what is there when it is listed: some may come and go meanwhile. Answers what to say at the end, or what is left
    /// to do.
    fn list_piece(&self, mut task: Task, out: &mut Vec<Output>) -> Result<Event, Task> {
        let before = out.len();
        match &mut task {
            Task::ListUsers { to, after, told } => {
                for (&client, member) in self.members.after(*after).take(PIECE_CLIENTS) {
                    out.push(Output::tell(*to, Event::User(member.who.clone())));
                    *after = client;
                }
                *told += out.len() - before;
                if out.len() - before < PIECE_CLIENTS { Ok(Event::UsersEnd(*told)) } else { Err(task) }
            }
            Task::ListRoom { to, room, after, told } => {
                for client in self.rooms.members_after(*room, *after).take(PIECE_CLIENTS) {
                    if let Some(member) = self.members.get(client) {
                        out.push(Output::tell(*to, Event::User(member.who.clone())));
                    }
                    *after = client;
                }
                *told += out.len() - before;
                let name = self.rooms.get(*room).map(|room| room.name.shared());
                match name {
                    Some(_) if out.len() - before == PIECE_CLIENTS => Err(task),
                    Some(name) => Ok(Event::Done(Done::Who(name, *told))),
                    None => Ok(Event::Declined(Asked::Who, Refusal::NoSuchRoom)), // it is not there any more
                }
            }
            Task::ListRooms { to, after, told } => {
                let mut last = None;
                for room in self.rooms.after(after.as_deref()).take(PIECE_CLIENTS) {
                    let (name, topic) = (room.name.shared(), room.topic.clone().unwrap_or_default());
                    out.push(Output::tell(*to, Event::Room { name, members: room.len(), topic }));
                    last = Some(room.name.key().into());
                }
                *told += out.len() - before;
                *after = last;
                if out.len() - before < PIECE_CLIENTS { Ok(Event::Done(Done::Rooms(*told))) } else { Err(task) }
            }
            Task::SearchText { .. } | Task::TellVisitors(_) => Err(task),
        }
    }

    /// How far a client is behind has changed.
    pub(super) fn set_congestion(&mut self, client: ClientId, congestion: Congestion) {
        match congestion {
            Congestion::None => self.congestion.remove(&client),
            Congestion::Behind | Congestion::FarBehind if self.members.get(client).is_none() => return,
            Congestion::Behind | Congestion::FarBehind => self.congestion.insert(client, congestion),
        };
        if congestion == Congestion::None {
            self.tasks.extend(self.paused.remove(&client));
        }
    }

    /// How far a client is behind.
    pub(super) fn congestion_of(&self, client: ClientId) -> Congestion {
        self.congestion.get(&client).copied().unwrap_or(Congestion::None)
    }

    fn expire(&mut self, out: &mut Vec<Output>) {
        for _ in 0..PIECE_CLIENTS {
            let Some(client) = self.waits.overdue(self.now) else { return };
            out.push(Output::tell(client, Event::WaitTimedOut));
            self.end(client, Departure::WaitTimedOut, out);
        }
    }

    fn send_away(&mut self, out: &mut Vec<Output>) {
        let clients: Vec<_> = self.members.all().take(PIECE_CLIENTS).collect();
        for client in clients {
            self.end(client, Departure::ShuttingDown, out);
        }
    }
}
