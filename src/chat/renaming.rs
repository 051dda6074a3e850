//! A user takes another name: whether it may, and who is told of it.

use std::sync::Arc;

use super::{
    AccountRefusal, Asked, Chat, ClientId, Event, Name, Output, PublicEvent, Refusal, account_key, members::Renamed,
    wait::Topic,
};

impl Chat {
    pub(super) fn rename(&mut self, client: ClientId, name: &str, out: &mut Vec<Output>) {
        let renamed = Name::parse(name).map_err(Refusal::NameInvalid).and_then(|name| {
            let is_own = self.account_of(client).is_some_and(|key| *key == *account_key(name.as_str()));
            if is_own {
                return Ok(None); // its account has one spelling
            }
            self.check_owner(&name)?;
            if self.rules.accounts.requires_login && self.account_of(client).is_some() {
                return Err(AccountRefusal::LoginRequired.into());
            }
            self.members.rename(client, &name).map(Some)
        });
        match renamed {
            Ok(Some(renamed)) => self.tell_renamed(client, renamed, out),
            Ok(None) => {
                let Some(who) = self.members.get(client).map(|member| Arc::clone(&member.who)) else { return };
                out.push(Output::tell(client, Event::Renamed { old: Arc::clone(&who), new: who }));
            }
            // The others tell by themselves what was asked for.
            Err(refusal @ Refusal::Account(AccountRefusal::LoginRequired)) => {
                out.push(Output::tell(client, Event::Declined(Asked::Rename, refusal)));
            }
            Err(refusal) => out.push(Output::tell(client, Event::Refused(refusal))),
        }
    }

    /// A client is told its new name, and so are all in its rooms. Where it is not the same account any more, it loses what it
    /// was let in to as that.
    pub(super) fn tell_renamed(&mut self, client: ClientId, renamed: Renamed, out: &mut Vec<Output>) {
        let Renamed { old, new, keys } = renamed;
        self.remember_name(client, &old);
        out.push(Output::tell(client, Event::Renamed { old: Arc::clone(&old), new: Arc::clone(&new) }));
        if old.name != new.name {
            let rooms = self.members.get(client).map(|member| member.rooms.clone()).unwrap_or_default();
            for room in rooms.iter() {
                let event = PublicEvent::KnownAs { old: Arc::clone(&old), new: Arc::clone(&new) };
                self.publish_except(room, Some(client), event, out);
            }
        }
        if old.is_account {
            self.leave_locked(client, &account_key(&old.name), out);
        }
        if let Some((old_key, new_key)) = keys {
            self.meet_gone(old_key);
            self.waits.meet(&Topic::Here(new_key.into()));
        }
    }
}
