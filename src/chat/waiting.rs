//! What users wait for: whether it holds already, and who waits from now on.

use std::{sync::Arc, time::Duration};

use super::{
    ARGUMENT_BYTES_MAX, AccountRefusal, Chat, ClientId, Departure, Event, LOBBY, Output, Refusal, WaitFor,
    accounts::OWN,
    compose::composed,
    name,
    rooms::room_key,
    wait::{Topic, Waiting},
};

impl Chat {
    pub(super) fn wait(&mut self, client: ClientId, timeout: Duration, wait_for: WaitFor, out: &mut Vec<Output>) {
        let (waiting, already_satisfied) = match self.waiting(wait_for) {
            Ok(found) => found,
            Err(refusal) => {
                out.extend([Output::tell(client, Event::Refused(refusal)), Output::Ready(client)]);
                return;
            }
        };
        if already_satisfied {
            out.extend([Output::tell(client, Event::WaitMet(waiting.arg.as_ref().to_owned())), Output::Ready(client)]);
            return;
        }
        let Some(member) = self.members.get_mut(client) else { return };
        if member.is_broken {
            self.end(client, Departure::Lost, out);
        } else {
            member.begin();
            self.waits.begin(client, waiting, self.now + timeout, self.texts);
        }
    }

    /// What a wait is for, in a form that can be looked up, and whether it holds already.
    fn waiting(&self, wait_for: WaitFor) -> Result<(Waiting, bool), Refusal> {
        let (mut counts_private, mut by) = (false, None);
        let (topic, arg, already_satisfied): (_, Arc<str>, _) = match wait_for {
            WaitFor::User(name) => {
                let key = lookup_key(&name)?;
                let is_here = self.members.has_present(&key);
                (Topic::Here(key.into()), name.into(), is_here)
            }
            WaitFor::Gone(name) => {
                let key = lookup_key(&name)?;
                let is_gone = !self.members.has_present(&key);
                (Topic::Gone(key.into()), name.into(), is_gone)
            }
            WaitFor::Users(users) => (Topic::Users(users), users.to_string().into(), self.members.len() >= users),
            WaitFor::Members(room, members) => {
                let key = room_key(&room)?;
                let room = self.rooms.with_key(&key).and_then(|room| self.rooms.get(room));
                let are_there = room.map_or(0, |room| room.len()) >= members;
                (Topic::Members(key.into(), members), members.to_string().into(), are_there)
            }
            WaitFor::Text(part) | WaitFor::In { part, .. } | WaitFor::By { part, .. }
                if part.len() > ARGUMENT_BYTES_MAX =>
            {
                return Err(Refusal::ArgumentTooLong(ARGUMENT_BYTES_MAX));
            }
            WaitFor::Text(part) => {
                counts_private = true;
                (Topic::Text(LOBBY.into(), composed(&part).into()), part.into(), false)
            }
            WaitFor::By { account, room, part } => {
                by = Some(self.account_key_of(&account).ok_or(AccountRefusal::NoSuchAccount)?);
                counts_private = room.is_none();
                let room = room.map_or(Ok(OWN.to_owned()), |room| room_key(&room))?;
                (Topic::Text(room.into(), composed(&part).into()), part.into(), false)
            }
            WaitFor::In { room, part } => {
                (Topic::Text(room_key(&room)?.into(), composed(&part).into()), part.into(), false)
            }
        };
        Ok((Waiting { topic, arg, counts_private, by }, already_satisfied))
    }
}

/// The key of a name as a user has written it. What can be nobody's name has the empty key, which nobody has.
pub(super) fn lookup_key(name: &str) -> Result<String, Refusal> {
    if name.len() > ARGUMENT_BYTES_MAX {
        return Err(Refusal::ArgumentTooLong(ARGUMENT_BYTES_MAX));
    }
    Ok(name::lookup_key(name).unwrap_or_default())
}
