//! Who has which name.

use std::sync::Arc;

use pipechat::chat::{ClientId, Congestion, Event, Identity, Load, PublicEvent, Refusal, WaitFor};

use super::{Guest, Model};
use crate::names::{NO_NAMES, look_alike, same};

impl Model {
    pub(super) fn bearer(&self, name: &str) -> Option<ClientId> {
        self.present().find(|guest| same(&guest.who.name, name)).map(|guest| guest.client)
    }

    /// The one who is here, or all visitors; of those, the ones that are not too far behind.
    pub(super) fn recipients(&self, to: &str, text: &str, load: Load) -> Result<Vec<ClientId>, Refusal> {
        let mut bearers: Vec<_> = self.guests.iter().filter(|guest| same(&guest.who.name, to)).collect();
        if bearers.is_empty() {
            return Err(Refusal::NoSuchUser);
        }
        bearers.retain(|guest| match guest.congestion {
            Congestion::None => true,
            Congestion::Behind => load == Load::Light,
            Congestion::FarBehind => false,
        });
        match bearers.is_empty() {
            _ if text.is_empty() => Err(Refusal::EmptyText),
            true => Err(Refusal::RecipientBehind),
            false => Ok(bearers.iter().map(|guest| guest.client).collect()),
        }
    }

    pub(super) fn rename(&mut self, client: ClientId, old: &Arc<Identity>, name: &str) {
        let rule = NO_NAMES.iter().find(|(no_name, _)| *no_name == name).map(|&(_, rule)| rule);
        let is_visitor = self.guest(client).expect("only guests speak").is_visitor;
        let may_share = |guest: &&Guest| is_visitor && guest.is_visitor && same(&guest.who.name, name);
        let others = self.guests.iter().filter(|guest| guest.client != client && !may_share(guest));
        let mut others = others.map(|guest| &guest.who.name);
        let refusal = if rule.is_some() {
            rule.map(Refusal::NameInvalid)
        } else if others.clone().any(|other| same(other, name)) {
            Some(Refusal::NameTaken)
        } else {
            others.find(|other| look_alike(other, name)).cloned().map(Refusal::NameConfusable)
        };
        if let Some(refusal) = refusal {
            return self.tell(client, Event::Refused(refusal));
        }
        let new = Arc::new(Identity { name: name.to_owned(), addr: old.addr.clone(), is_account: false });
        self.guest(client).expect("only guests speak").who = Arc::clone(&new);
        self.tell(client, Event::Renamed { old: Arc::clone(old), new: Arc::clone(&new) });
        if old.name != name {
            for room in self.rooms.with(client) {
                let known_as = PublicEvent::KnownAs { old: Arc::clone(old), new: Arc::clone(&new) };
                self.publish_except(room, Some(client), known_as);
            }
        }
        if !is_visitor && !same(&old.name, name) {
            self.meet(|wait| matches!(wait, WaitFor::Gone(gone) if same(gone, &old.name)));
            self.meet(|wait| matches!(wait, WaitFor::User(user) if same(user, name)));
        }
    }
}
