//! How a replay ends: all was told, it cannot go on, or nobody hears it.

use super::{Goal, Replay, Source};
use crate::chat::{
    Chat, ClientId, Done, Event, Output, Refusal, RoomId,
    accounts::AccountRefusal,
    order::OrderRefusal,
    replay::source::{Part, PartRoom},
};

impl Chat {
    /// Why the client may be told nothing more: what it was told of may have changed meanwhile.
    pub(in crate::chat) fn ends_early(&self, client: ClientId, replay: &Replay) -> Option<Refusal> {
        let of_room = |(room, part): (RoomId, &Part)| {
            if self.rooms.get(room).is_none() {
                Some(Refusal::NoSuchRoom)
            } else if !self.may_hear(client, room) {
                Some(OrderRefusal::RoomLocked.into())
            } else {
                (part.was_in && !self.is_in(client, room)).then_some(Refusal::NotInRoom)
            }
        };
        match &replay.source {
            Source::Rooms(_) => replay.source.rooms().find_map(of_room),
            Source::Mailbox(key) if self.account_of(client).as_ref() == Some(key) => None,
            Source::Mailbox(_) => Some(AccountRefusal::LoginRequired.into()),
        }
    }

    /// All was told that is to be told.
    ///
    /// # Errors
    /// If one of the rooms that the client is to join cannot be made. It joins none then.
    pub(in crate::chat) fn end_replay(
        &mut self,
        client: ClientId,
        replay: &Replay,
        has_more: bool,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let told = |chat: &Self| {
            let n = if has_more { replay.after } else { chat.last_to_tell(replay).min(chat.events) };
            let (room, position) = (chat.told_name(&replay.source), chat.position_of(n));
            Output::tell(client, Event::Done(Done::History { room, count: replay.told, position, has_more }))
        };
        match (replay.goal, &replay.source) {
            (Goal::Told(_), _) => out.push(told(self)),
            (Goal::CaughtUp, Source::Rooms(parts)) => {
                let rooms = self.open_all(client, parts, out)?;
                out.push(told(self));
                self.listen_again(client, replay, out);
                self.come_in(client, &rooms, out);
            }
            (Goal::CaughtUp, Source::Mailbox(key)) => {
                self.end_delivery(client, key, replay.after, out);
                out.push(Output::tell(client, Event::Done(self.logged_in(key, replay.told))));
            }
        }
        Ok(())
    }

    /// The rooms of these parts, of which those are made that there are not.
    fn open_all(&mut self, client: ClientId, parts: &[Part], out: &mut Vec<Output>) -> Result<Vec<RoomId>, Refusal> {
        let (mut rooms, mut made) = (Vec::new(), Vec::new());
        let mut open = |part: &Part| match &part.room {
            PartRoom::Here(room) => Ok(*room),
            PartRoom::Missing(name) => self.make(client, name.clone(), out).inspect(|&room| made.push(room)),
        };
        let opened = parts.iter().try_for_each(|part| open(part).map(|room| rooms.push(room)));
        // One that is made may take the place of another one in which nobody is.
        let are_there = opened.and_then(|()| match rooms.iter().all(|&room| self.rooms.get(room).is_some()) {
            true => Ok(rooms),
            false => Err(Refusal::NoSuchRoom),
        });
        are_there.inspect_err(|_| made.into_iter().for_each(|room| self.rooms.settle(room)))
    }

    /// The replay cannot go on. The client's next command may come. One that logs in is logged in all the same, and what is kept
    /// for it stays for the next time.
    pub(in crate::chat) fn give_up(
        &mut self,
        client: ClientId,
        replay: &Replay,
        refusal: Refusal,
        out: &mut Vec<Output>,
    ) {
        let event = match (replay.goal, &replay.source) {
            (Goal::CaughtUp, Source::Mailbox(key)) if self.account_of(client).as_ref() == Some(key) => {
                self.break_off_delivery(client);
                Event::Done(self.logged_in(key, replay.told))
            }
            (Goal::CaughtUp | Goal::Told(_), Source::Rooms(_) | Source::Mailbox(_)) => {
                Event::Declined(replay.asked(), refusal)
            }
        };
        out.push(Output::tell(client, event));
        self.listen_again(client, replay, out);
        self.finish(client, out);
    }

    /// A client that was in rooms before the replay is told again what happens there.
    fn listen_again(&self, client: ClientId, replay: &Replay, out: &mut Vec<Output>) {
        let was_in = replay.source.rooms().filter(|(_, part)| part.was_in).map(|(room, _)| room);
        out.extend(was_in.filter(|&room| self.is_in(client, room)).map(|room| Output::Join(client, room)));
    }

    /// A broken connection can be told nothing. It still joins, so that lines that it sent before are said in that room; and what
    /// is kept for its account stays for the next time.
    pub(in crate::chat) fn replay_unheard(&mut self, client: ClientId, replay: &mut Replay, out: &mut Vec<Output>) {
        self.find_made(replay);
        match (replay.goal, &replay.source) {
            (Goal::Told(_), _) => {}
            (Goal::CaughtUp, Source::Mailbox(_)) => self.break_off_delivery(client),
            (Goal::CaughtUp, Source::Rooms(parts)) => {
                self.listen_again(client, replay, out);
                if self.ends_early(client, replay).is_none() {
                    let rooms = self.open_all(client, parts, out).unwrap_or_default();
                    self.come_in(client, &rooms, out);
                }
            }
        }
    }
}
