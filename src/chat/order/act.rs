//! What an operator or an owner asks for takes effect, if it is one.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{Act, Actor, Notice, NoticeKind, OrderCommand, OrderDone, OrderEvent, REASON_BYTES_MAX, whom::Named};
use crate::chat::{
    AccountRefusal, Chat, ClientId, Congestion, Departure, Done, Event, Output, Refusal, RoomId,
    work::{List, LongAnswer, PIECE_ITEMS, Task},
};

/// Clients that are sent away, some at a time: as many visitors as like may bear one name.
#[derive(Debug)]
pub(in crate::chat) struct Kick {
    by: ClientId,
    notice: Notice,
    left: VecDeque<ClientId>,
}

impl Kick {
    pub(in crate::chat) fn by(&self) -> ClientId {
        self.by
    }
}

impl Chat {
    /// Does what a client asks for to keep order.
    pub(in crate::chat) fn keep_order(&mut self, client: ClientId, command: OrderCommand, out: &mut Vec<Output>) {
        let asked = command.asked();
        let done = if !self.has_store() {
            Err(AccountRefusal::NoStore.into())
        } else if command.text().len() > REASON_BYTES_MAX && command.act() != Act::Announce {
            Err(Refusal::ArgumentTooLong(REASON_BYTES_MAX))
        } else if self.store.fails() && command.is_kept() {
            Err(Refusal::NotStored)
        } else {
            self.act(client, command, out)
        };
        match done {
            Ok(None) => {} // it goes on
            Ok(Some(done)) => self.answer_order(client, done, out),
            Err(refusal) => self.decline(client, asked, refusal, out),
        }
    }

    /// Answers what there is to tell of it, unless it goes on. One who has sent itself away has been told.
    fn act(
        &mut self,
        client: ClientId,
        command: OrderCommand,
        out: &mut Vec<Output>,
    ) -> Result<Option<OrderDone>, Refusal> {
        match command {
            OrderCommand::Kick { room: None, name, reason } => self.kick(client, &name, &reason, out),
            OrderCommand::Kick { room: Some(room), name, reason } => self.kick_from(client, &room, &name, &reason, out),
            OrderCommand::Ban { who, time, reason } => self.ban(client, &who, time, &reason, out),
            OrderCommand::Unban(who) => self.unban(client, &who, out),
            OrderCommand::Mute { room, name, time, reason } => {
                self.mute(client, room.as_deref(), &name, (time, &reason), out)
            }
            OrderCommand::Unmute { room, name } => self.unmute(client, room.as_deref(), &name, out),
            OrderCommand::Bans => {
                self.operator(client)?;
                let left = self.sanctions(out).into();
                self.begin(client, Task::Tell(client, LongAnswer::List(List::Bans { left, told: 0 })), out);
                Ok(None)
            }
            OrderCommand::Lock(room) => self.set_locked(client, &room, true, out),
            OrderCommand::Unlock(room) => self.set_locked(client, &room, false, out),
            OrderCommand::Invite { room, name } => self.invite(client, &room, &name, out),
            OrderCommand::Owner { room, name } => self.make_owner(client, &room, &name, out),
            OrderCommand::Announce(text) => self.announce(client, &text, out),
            OrderCommand::ShutDown { time, reason } => self.end_server(client, time, &reason, out),
            OrderCommand::CancelShutDown => self.cancel_end(client, out),
        }
    }

    fn kick(
        &mut self,
        client: ClientId,
        name: &str,
        reason: &str,
        out: &mut Vec<Output>,
    ) -> Result<Option<OrderDone>, Refusal> {
        let actor = self.operator(client)?;
        let Named { name, bearers, .. } = self.bearers(name)?;
        if bearers.is_empty() {
            return Err(Refusal::NoSuchUser);
        }
        self.note(&actor, Act::Kick, Some(Arc::clone(&name)), None, reason, out);
        // First of all: it may be among those who are sent away.
        out.push(Output::tell(client, Event::Done(Done::Order(OrderDone::Whom(Act::Kick, name)))));
        let notice = notice(NoticeKind::Kicked, &actor, None, None, reason);
        self.begin(client, Task::Kick(Kick { by: client, notice, left: bearers.into() }), out);
        Ok(None)
    }

    /// Sends the next ones away. Answers whether those were all.
    pub(in crate::chat) fn kick_some(&mut self, kick: &mut Kick, out: &mut Vec<Output>) -> bool {
        let mut items = PIECE_ITEMS;
        while items > 0
            && let Some(bearer) = kick.left.pop_front()
        {
            items = items.saturating_sub(self.departure_items(bearer));
            self.notify(bearer, &kick.notice, out);
            self.end(bearer, Departure::Kicked, out);
        }
        kick.left.is_empty()
    }

    /// Tells a client that its request was done.
    pub(super) fn answer_order(&mut self, client: ClientId, done: OrderDone, out: &mut Vec<Output>) {
        out.push(Output::tell(client, Event::Done(Done::Order(done))));
        out.push(Output::Ready(client));
    }

    /// Tells a client what was decided about it.
    pub(super) fn notify(&self, client: ClientId, notice: &Notice, out: &mut Vec<Output>) {
        if self.members.get(client).is_some() {
            out.push(Output::tell(client, Event::Order(OrderEvent::Notice(notice.clone()))));
        }
    }

    /// Tells clients what was decided about them, but for those that do not read what they are told.
    pub(super) fn notify_all(&self, clients: &[ClientId], notice: &Notice, out: &mut Vec<Output>) {
        for &client in clients.iter().filter(|&&client| self.congestion_of(client) == Congestion::None) {
            self.notify(client, notice, out);
        }
    }

    /// When something ends that holds for so long from now on; none where it holds for ever.
    pub(super) fn until(&self, time: Duration) -> Option<Timestamp> {
        if time.is_zero() { None } else { self.at.checked_add(time).ok() }
    }

    /// The room of a name, and the one who asks, if it may keep order there.
    pub(super) fn room_of_owner(&self, client: ClientId, room: &str) -> Result<(RoomId, Actor), Refusal> {
        let room = self.room(room)?;
        Ok((room, self.owner(client, room)?))
    }
}

/// What is told to one about whom something was decided.
pub(super) fn notice(
    kind: NoticeKind,
    actor: &Actor,
    room: Option<Arc<str>>,
    until: Option<Timestamp>,
    text: &str,
) -> Notice {
    Notice { kind, by: Some(Arc::clone(&actor.who)), room, until, text: text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Command, Entry, Epoch, Identity, Input, Load, Rules, tests::origin};

    #[test]
    fn those_are_kicked_in_pieces_who_are_in_many_rooms() {
        let (mut chat, mut out) = (Chat::new(Rules::default(), Epoch::from_random(0)), Vec::new());
        let mut input = |chat: &mut Chat, input| {
            chat.handle(Entry { now: Duration::ZERO, at: Timestamp::UNIX_EPOCH, input }, &mut out);
        };
        for client in 1..=100 {
            input(&mut chat, Input::Arrive(ClientId(client), origin([10, 0, 0, 1], 1)));
            for room in 0..60 {
                let join = Command::Join { room: format!("r{room}"), start: None };
                input(&mut chat, Input::Command(ClientId(client), Load::Light, join));
            }
        }
        let who = Arc::new(Identity { name: "op".to_owned(), addr: "1:2".to_owned(), is_account: true });
        let actor = Actor { name: "op".into(), who, is_operator: true };
        let notice = notice(NoticeKind::Kicked, &actor, None, None, "flood");
        let mut kick = Kick { by: ClientId(101), notice, left: (1..=100).map(ClientId).collect() };
        let mut pieces = 0;
        loop {
            let (mut out, before) = (Vec::new(), chat.members().count());
            pieces += 1;
            let is_over = chat.kick_some(&mut kick, &mut out);
            assert_eq!(before - chat.members().count(), 2, "as many as are in 64 rooms");
            if is_over {
                break;
            }
        }
        assert_eq!((pieces, chat.members().count()), (50, 0));
    }
}
