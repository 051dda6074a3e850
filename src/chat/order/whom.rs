//! Whom somebody means: an account, an address, or one who is here or was here lately.

use std::{net::IpAddr, sync::Arc};

use super::{OrderRefusal, Whom};
use crate::{
    address::{Cidr, Network},
    chat::{Chat, ClientId, Identity, Refusal, waiting::lookup_key},
    origin::{Addr, Origin},
};

/// What stands before the address of one who has come through the file system of this machine.
const UNIX: &str = "unix:";

/// Who has a name, or had it lately.
enum Found {
    /// An account, whether or not somebody is logged in to it.
    Account(Arc<str>),
    /// Guests, one of them who is here if one is.
    Guests(Vec<ClientId>),
    /// A guest from there who has it no more.
    Former(Cidr),
}

/// Who is meant by a name.
pub(super) struct Named {
    /// The name, as the one who bears it writes it.
    pub(super) name: Arc<str>,
    /// The key of the account, if it is that of one.
    pub(super) key: Option<Box<str>>,
    /// All who bear it.
    pub(super) bearers: Vec<ClientId>,
}

impl Chat {
    fn find_name(&self, name: &str) -> Result<Found, Refusal> {
        let key = lookup_key(name)?;
        if let Some(account) = self.accounts.directory.get(&key) {
            return Ok(Found::Account(Arc::clone(&account.name)));
        }
        if let Some(bearers) = self.members.bearers(&key) {
            return Ok(Found::Guests(bearers.iter().collect()));
        }
        self.order.former.find(&key, self.at).map(Found::Former).ok_or(Refusal::NoSuchUser)
    }

    /// Whom a ban of this is to hold for.
    ///
    /// # Errors
    /// If that is nobody, or addresses from where others come too.
    pub(super) fn to_ban(&self, who: &str) -> Result<Whom, Refusal> {
        let block = match parse_block(who) {
            Some(block) => block,
            None if who.starts_with(UNIX) => return Err(OrderRefusal::NotBannable.into()),
            None => match self.find_name(who)? {
                Found::Account(name) => return Ok(Whom::Account(name)),
                Found::Guests(guests) => {
                    let origin = guests.first().and_then(|&guest| self.origin(guest)).ok_or(Refusal::NoSuchUser)?;
                    block_of(origin).ok_or(OrderRefusal::NotBannable)?
                }
                Found::Former(block) => block,
            },
        };
        if self.rules.unbannable.iter().any(|other| other.overlaps(&block)) {
            return Err(OrderRefusal::NotBannable.into());
        }
        Ok(Whom::Block(block))
    }

    /// Whom a mute of this is to hold for: of guests, their address, unless that is one from where others come too.
    pub(super) fn to_mute(&self, name: &str) -> Result<Whom, Refusal> {
        match self.find_name(name)? {
            Found::Account(name) => Ok(Whom::Account(name)),
            Found::Former(block) => {
                let others = self.rules.unbannable.iter().chain(&self.rules.trusted);
                if others.into_iter().any(|other| other.overlaps(&block)) {
                    return Err(OrderRefusal::NotBannable.into());
                }
                Ok(Whom::Block(block))
            }
            Found::Guests(guests) => {
                let guest = *guests.first().ok_or(Refusal::NoSuchUser)?;
                let member = self.members.get(guest).ok_or(Refusal::NoSuchUser)?;
                let block = block_of(&member.origin).filter(|_| !member.origin.is_trusted(&self.rules.trusted));
                Ok(block.map_or_else(|| Whom::Client(guest, member.who.addr.as_str().into()), Whom::Block))
            }
        }
    }

    /// Whom a name means that is to be sent away or let in, and those of them who are connected.
    pub(super) fn bearers(&self, name: &str) -> Result<Named, Refusal> {
        match self.find_name(name)? {
            Found::Account(name) => {
                let key = crate::chat::account_key(&name);
                Ok(Named { name, bearers: self.members.all_bearers(&key), key: Some(key.into()) })
            }
            Found::Guests(guests) => {
                let who = guests.first().and_then(|&guest| self.members.get(guest)).ok_or(Refusal::NoSuchUser)?;
                Ok(Named { name: who.who.name.as_str().into(), key: None, bearers: guests })
            }
            Found::Former(_) => Err(Refusal::NoSuchUser),
        }
    }

    fn origin(&self, client: ClientId) -> Option<&Origin> {
        self.members.get(client).map(|member| &member.origin)
    }

    /// The client has this name no more, or is about to.
    pub(in crate::chat) fn remember_name(&mut self, client: ClientId, who: &Identity) {
        let Some(member) = self.members.get(client) else { return };
        if who.is_account || who.name == who.addr {
            return; // both are found without it
        }
        if let (Some(block), Ok(key)) = (block_of(&member.origin), lookup_key(&who.name)) {
            let network = Network::of(member.origin.addr);
            self.order.former.remember(&key, block, network, self.at);
        }
    }
}

/// What a ban of one who comes from there holds for.
fn block_of(origin: &Origin) -> Option<Cidr> {
    origin.addr.ip().map(Cidr::around)
}

/// An address, `IP:PORT`, or a network.
fn parse_block(text: &str) -> Option<Cidr> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(Cidr::around(ip));
    }
    if let Some(ip) = text.parse::<Addr>().ok().and_then(Addr::ip) {
        return Some(Cidr::around(ip));
    }
    text.contains('/').then(|| text.parse::<Cidr>().ok()).flatten().map(Cidr::normal)
}

#[cfg(test)]
mod tests {
    use super::parse_block;

    #[test]
    fn addresses_as_people_write_them() {
        let block = |text| parse_block(text).map(|block| block.to_string());
        for (text, shown) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:4321", "203.0.113.7"),
            ("203.0.113.7:web4", "203.0.113.7"),
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("[2001:db8::1]:4321", "2001:db8::/64"),
            ("2001:db8::1", "2001:db8::/64"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
        ] {
            assert_eq!(block(text).as_deref(), Some(shown), "{text}");
        }
        for text in ["", "ann", "203.0.113", "203.0.113.7/33", "a/b"] {
            assert_eq!(block(text), None, "{text}");
        }
    }
}
