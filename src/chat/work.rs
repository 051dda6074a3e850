//! Work that may be too long for one input: it is done in pieces, and other inputs come between them.

use std::{collections::VecDeque, sync::Arc};

use super::{
    Asked, Chat, ClientId, Departure, Done, Event, Output, Refusal, RoomId,
    entry::Congestion,
    order::{Announce, Kick, OrderDone, OrderEvent, OrderRefusal, Sanction},
    replay::Replay,
    rooms::Room,
    visitors::TellVisitors,
    wait::TextSearch,
};

/// Items told, clients answered or sent away in one piece: some ten microseconds of work.
pub(super) const PIECE_ITEMS: usize = 64;
/// Bytes of texts compared with what clients wait for in one piece: some fifty microseconds of work.
const PIECE_COMPARED_BYTES: usize = 64 << 10;

/// What is left to do for one command. At most one for each client, whose next command waits for it.
#[derive(Debug)]
pub(super) enum Task {
    /// Tell a client much.
    Tell(ClientId, LongAnswer),
    /// Find out who has waited for a text that this client has said.
    SearchText { from: ClientId, search: TextSearch },
    /// Tell all visitors of a name something.
    TellVisitors(TellVisitors),
    /// Tell everyone something.
    Announce(Announce),
    /// Send away all who bear a name.
    Kick(Kick),
}

/// What is left of a long answer.
#[derive(Debug)]
pub(super) enum LongAnswer {
    List(List),
    Replay(Replay),
}

/// What is left of a list, and how much was told.
#[derive(Debug)]
pub(super) enum List {
    /// Who is here, from the first client behind `after`.
    Users { after: ClientId, told: usize },
    /// Who is in a room, from the first client behind `after`.
    Members { room: RoomId, after: ClientId, told: usize },
    /// Which rooms there are, from the first behind the one of the key `after`.
    Rooms { after: Option<Box<str>>, told: usize },
    /// Who is banned or muted, as it was when that was asked.
    Bans { left: VecDeque<Sanction>, told: usize },
}

impl Chat {
    /// Does one piece of all the work that is left.
    pub(super) fn continue_work(&mut self, out: &mut Vec<Output>) {
        self.expire(out);
        self.end_if_due(out);
        self.sweep(out);
        if self.is_closing {
            self.send_away(out);
        }
        if let Some(task) = self.tasks.pop_front() {
            self.work(task, out);
        }
    }

    /// Whether there is work left that waits for nothing.
    pub(super) fn has_work(&self) -> bool {
        !self.tasks.is_empty()
            || self.order.has_work()
            || self.waits.has_met()
            || self.is_closing && self.members.all().next().is_some()
    }

    /// Begins a task of a client: does its first piece, which for most is all of it.
    pub(super) fn begin(&mut self, client: ClientId, task: Task, out: &mut Vec<Output>) {
        if let Some(member) = self.members.get_mut(client) {
            match task {
                Task::TellVisitors(_) => member.begin_telling(),
                Task::Tell(..) | Task::SearchText { .. } | Task::Announce(_) | Task::Kick(_) => member.begin(),
            }
        }
        // A long answer begins in its turn: many clients may ask at once.
        let is_long = match &task {
            Task::Tell(_, LongAnswer::List(list)) => self.length(list) > PIECE_ITEMS,
            Task::Tell(_, LongAnswer::Replay(replay)) => self.takes_pieces(replay),
            Task::SearchText { .. } | Task::TellVisitors(_) | Task::Announce(_) | Task::Kick(_) => false,
        };
        if is_long {
            return self.tasks.push_back(task);
        }
        self.work(task, out);
    }

    /// The same for a list.
    pub(super) fn begin_list(&mut self, client: ClientId, list: List, out: &mut Vec<Output>) {
        self.begin(client, Task::Tell(client, LongAnswer::List(list)), out);
    }

    fn length(&self, list: &List) -> usize {
        match list {
            List::Users { .. } => self.members.len(),
            List::Members { room, .. } => self.rooms.get(*room).map_or(0, |room| room.len()),
            List::Rooms { .. } => self.rooms.len(),
            List::Bans { left, .. } => left.len(),
        }
    }

    /// A command of the client is not done yet.
    pub(super) fn set_busy(&mut self, client: ClientId) {
        if let Some(member) = self.members.get_mut(client) {
            member.begin();
        }
    }

    fn work(&mut self, task: Task, out: &mut Vec<Output>) {
        match task {
            Task::Tell(to, answer) => self.go_on_telling(to, answer, out),
            Task::SearchText { from, mut search } => {
                if self.waits.meet_some(&mut search, PIECE_COMPARED_BYTES) {
                    self.finish(from, out);
                } else {
                    self.tasks.push_back(Task::SearchText { from, search });
                }
            }
            Task::Kick(mut kick) => {
                if self.kick_some(&mut kick, out) {
                    self.finish(kick.by(), out);
                } else {
                    self.tasks.push_back(Task::Kick(kick));
                }
            }
            Task::Announce(mut announce) => {
                if self.tell_some(&mut announce, out) {
                    self.finish(announce.by(), out);
                } else {
                    self.tasks.push_back(Task::Announce(announce));
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
        let mut left = PIECE_ITEMS;
        while left > 0 {
            let Some((client, arg)) = self.waits.next_met() else { return };
            let leaves = self.members.get(client).is_some_and(|member| member.progress.departure().is_some());
            left = left.saturating_sub(if leaves { self.departure_items(client) } else { 1 });
            out.push(Output::tell(client, Event::WaitMet(arg.as_ref().to_owned())));
            self.finish(client, out);
        }
    }

    /// Goes on with a long answer, if its client can be told something and reads what it is told.
    pub(super) fn go_on_telling(&mut self, to: ClientId, mut answer: LongAnswer, out: &mut Vec<Output>) {
        match self.members.get(to) {
            None => {}
            Some(member) if member.is_broken => {
                if let LongAnswer::Replay(replay) = &mut answer {
                    replay.release();
                    self.replay_unheard(to, replay, out);
                }
                self.finish(to, out);
            }
            Some(_) if self.congestion_of(to) != Congestion::None => {
                if let LongAnswer::Replay(replay) = &mut answer {
                    replay.release(); // nobody knows when the client will have read
                }
                self.paused.insert(to, Task::Tell(to, answer));
            }
            Some(_) => {
                let rest = match answer {
                    LongAnswer::List(list) => self.list(to, list, out).map(LongAnswer::List),
                    LongAnswer::Replay(replay) => self.replay(to, replay, out).map(LongAnswer::Replay),
                };
                self.tasks.extend(rest.map(|rest| Task::Tell(to, rest)));
            }
        }
    }

    /// Lists what is there when it is listed: some may come and go meanwhile. Answers what is left.
    fn list(&mut self, to: ClientId, mut list: List, out: &mut Vec<Output>) -> Option<List> {
        let before = out.len();
        let end = match &mut list {
            List::Users { after, told } => {
                for (&client, member) in self.members.after(*after).take(PIECE_ITEMS) {
                    out.push(Output::tell(to, Event::User(member.who.clone())));
                    *after = client;
                }
                *told += out.len() - before;
                Event::UsersEnd(*told)
            }
            List::Members { room, .. } if !self.may_hear(to, *room) => {
                Event::Declined(Asked::Who, OrderRefusal::RoomLocked.into()) // it has been locked meanwhile
            }
            List::Bans { left, told } => {
                let some = left.drain(..left.len().min(PIECE_ITEMS));
                out.extend(some.map(|it| Output::tell(to, Event::Order(OrderEvent::Sanction(it)))));
                *told += out.len() - before;
                Event::Done(Done::Order(OrderDone::Bans(*told)))
            }
            List::Members { room, after, told } => {
                for client in self.rooms.members_after(*room, *after).take(PIECE_ITEMS) {
                    if let Some(member) = self.members.get(client) {
                        out.push(Output::tell(to, Event::User(member.who.clone())));
                    }
                    *after = client;
                }
                *told += out.len() - before;
                match self.rooms.get(*room) {
                    Some(of) => Event::Done(Done::Who(of.name.shared(), *told)),
                    None => Event::Declined(Asked::Who, Refusal::NoSuchRoom), // it is not there any more
                }
            }
            List::Rooms { after, told } => {
                let mut last = None;
                for room in self.rooms.after(after.as_deref()).take(PIECE_ITEMS) {
                    out.push(Output::tell(to, self.room_line(to, room)));
                    last = Some(room.name.key().into());
                }
                *told += out.len() - before;
                *after = last;
                Event::Done(Done::Rooms(*told))
            }
        };
        if out.len() - before >= PIECE_ITEMS {
            return Some(list);
        }
        out.push(Output::tell(to, end));
        self.finish(to, out);
        None
    }

    /// A room as the client may know it: of one that is locked for it, the name alone.
    fn room_line(&self, to: ClientId, room: &Room) -> Event {
        let name = room.name.shared();
        let may_hear = self.rooms.with_key(room.name.key()).is_some_and(|id| self.may_hear(to, id));
        if !may_hear {
            return Event::Room { name, members: None, topic: Arc::default() };
        }
        Event::Room { name, members: Some(room.len()), topic: room.topic.clone().unwrap_or_default() }
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
        let mut left = PIECE_ITEMS;
        while left > 0 {
            let Some(client) = self.waits.overdue(self.now) else { return };
            left = left.saturating_sub(self.departure_items(client));
            out.push(Output::tell(client, Event::WaitTimedOut));
            self.end(client, Departure::WaitTimedOut, out);
        }
    }

    /// What of a piece it takes that a client leaves: each of its rooms is told.
    pub(super) fn departure_items(&self, client: ClientId) -> usize {
        self.members.get(client).map_or(0, |member| member.rooms.len()).max(1)
    }

    /// Sends some away.
    fn send_away(&mut self, out: &mut Vec<Output>) {
        let clients: Vec<_> = self.members.all().take(PIECE_ITEMS).collect();
        let mut left = PIECE_ITEMS;
        for client in clients {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(self.departure_items(client));
            self.end(client, Departure::ShuttingDown, out);
        }
    }
}
