//! Where everyone has to log in: clients that have not wait at the door. They say and hear nothing, and nobody is told of them.

use std::sync::Arc;

use crate::{
    chat::{
        AccountCommand, AccountRefusal, Asked, Chat, ClientId, Command, Event, Output, PublicEvent, Refusal, RoomId,
        members::Door, wait::Topic,
    },
    origin::Origin,
};

impl Chat {
    /// A client that is not logged in waits at the door, if there is one. Answers whether there is.
    pub(in crate::chat) fn wait_at_door(&mut self, client: ClientId, origin: &Origin, door: Door) -> bool {
        if self.rules.accounts.requires_login {
            match self.members.get_mut(client) {
                Some(member) => member.door = member.door.map(|_| door),
                None => self.members.insert_visitor(client, origin.clone(), Some(door)),
            }
        }
        self.rules.accounts.requires_login
    }

    /// What a client is told that may not ask for this: it waits at the door, where it can only log in, or get an account.
    pub(in crate::chat) fn refused_at_door(&self, client: ClientId, command: &Command) -> Option<Event> {
        let asked = match command {
            _ if self.members.get(client).is_none_or(|member| member.door.is_none()) => return None,
            Command::Account(AccountCommand::Login { .. } | AccountCommand::Register(_))
            | Command::Rename(_)
            | Command::Sync(_) => return None,
            Command::Say(_) => None,
            Command::Who => Some(Asked::Users),
            Command::Wait(..) => Some(Asked::Wait),
            Command::Private { .. } => Some(Asked::To),
            Command::Join { .. } | Command::Follow { .. } => Some(Asked::Join),
            Command::History(_) => Some(Asked::History),
            Command::In { .. } => Some(Asked::In),
            Command::Leave(_) => Some(Asked::Leave),
            Command::Rooms => Some(Asked::Rooms),
            Command::WhoIn(_) => Some(Asked::Who),
            Command::Topic { .. } => Some(Asked::Topic),
            Command::Account(command) => Some(command.asked()),
            Command::Order(command) => Some(command.asked()),
        };
        let refusal = Refusal::from(AccountRefusal::LoginRequired);
        Some(match asked {
            Some(asked) => Event::Declined(asked, refusal),
            None => Event::Refused(refusal),
        })
    }

    /// Whether the client is here, or will be when it has logged in.
    pub(super) fn is_present_behind_door(&self, client: ClientId) -> bool {
        let door = self.members.get(client).and_then(|member| member.door);
        self.members.is_present(client) || door == Some(Door::Arrives)
    }

    /// The client is logged in, and comes in if it waits at the door.
    pub(super) fn come_through_door(&mut self, client: ClientId, out: &mut Vec<Output>) {
        let Some(member) = self.members.get_mut(client) else { return };
        match member.door.take() {
            None | Some(Door::Visits) => {}
            Some(Door::Arrives) => {
                let who = Arc::clone(&member.who);
                self.members.make_present(client);
                self.enter(client, RoomId::LOBBY, out);
                self.publish(RoomId::LOBBY, PublicEvent::Online(Arc::clone(&who)), out);
                self.waits.meet(&Topic::Here(crate::chat::account_key(&who.name).into()));
                self.waits.meet_users(self.members.len());
                self.meet_members(RoomId::LOBBY);
            }
        }
    }
}
