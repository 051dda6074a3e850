//! Bans and mutes: whom they hold for, and until when. Time is an argument.

use std::{collections::BTreeMap, fmt, net::IpAddr, sync::Arc};

use jiff::Timestamp;

use crate::{
    address::Cidr,
    chat::{ClientId, account::account_key},
};

/// What stands before the name of an account in the file, where addresses stand too.
const ACCOUNT_SIGN: char = '@';

/// What somebody may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Penalty {
    /// Come in.
    Ban,
    /// Speak.
    Mute,
}

impl Penalty {
    /// A word for machines, which never changes.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ban => "ban",
            Self::Mute => "mute",
        }
    }

    /// The penalty of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Ban, Self::Mute].into_iter().find(|penalty| penalty.word() == word)
    }
}

/// Whom a ban or a mute holds for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// The account of this name, wherever it comes from.
    Account(Arc<str>),
    /// All who come from these addresses.
    Block(Cidr),
    /// One connection, and its address: one from where others come too that are not meant.
    Client(ClientId, Arc<str>),
}

impl Whom {
    /// As it is written to a file. A connection is not: it ends with the server.
    #[must_use]
    pub fn to_file(&self) -> Option<String> {
        match self {
            Self::Account(name) => Some(format!("{ACCOUNT_SIGN}{name}")),
            Self::Block(block) => Some(block.to_string()),
            Self::Client(..) => None,
        }
    }

    /// As it was written to a file.
    #[must_use]
    pub fn from_file(text: &str) -> Option<Self> {
        match text.strip_prefix(ACCOUNT_SIGN) {
            Some(name) => Some(Self::Account(name.into())),
            None => text.parse().ok().map(|block: Cidr| Self::Block(block.normal())),
        }
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name) => f.write_str(name),
            Self::Block(block) => block.fmt(f),
            Self::Client(_, addr) => f.write_str(addr),
        }
    }
}

/// A ban or a mute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sanction {
    /// Which of them.
    pub penalty: Penalty,
    /// Whom it holds for.
    pub whom: Whom,
    /// When it ends; none: never.
    pub until: Option<Timestamp>,
    /// The name of the account that has decided it.
    pub by: Arc<str>,
    /// Why; empty where nothing was said.
    pub reason: Arc<str>,
    /// When it was decided.
    pub created: Timestamp,
}

impl Sanction {
    /// Whether it holds at this time.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| until > at)
    }
}

/// Bans, or mutes in one place. One for each whom it may hold for.
#[derive(Debug, Default)]
pub(in crate::chat) struct Ledger {
    /// By key.
    accounts: BTreeMap<Box<str>, Sanction>,
    blocks: BTreeMap<Cidr, Sanction>,
    /// Mirrors `blocks`: how many have so many bits. Few different ones are in use.
    lengths: BTreeMap<u32, usize>,
    clients: BTreeMap<ClientId, Sanction>,
}

impl Ledger {
    pub(super) fn len(&self) -> usize {
        self.accounts.len() + self.blocks.len() + self.clients.len()
    }

    /// All of them: accounts by name, then addresses, then connections.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Sanction> {
        self.accounts.values().chain(self.blocks.values()).chain(self.clients.values())
    }

    /// Whether there is one for exactly this.
    pub(super) fn has(&self, whom: &Whom) -> bool {
        match whom {
            Whom::Account(name) => self.accounts.contains_key(account_key(name).as_str()),
            Whom::Block(block) => self.blocks.contains_key(&block.normal()),
            Whom::Client(client, _) => self.clients.contains_key(client),
        }
    }

    /// It holds from now on, instead of the one that there was for the same.
    pub(super) fn put(&mut self, sanction: Sanction) {
        match &sanction.whom {
            Whom::Account(name) => drop(self.accounts.insert(account_key(name).into(), sanction)),
            Whom::Block(block) => {
                let block = block.normal();
                if self.blocks.insert(block, sanction).is_none() {
                    *self.lengths.entry(block.bits()).or_default() += 1;
                }
            }
            Whom::Client(client, _) => drop(self.clients.insert(*client, sanction)),
        }
    }

    /// The one for exactly this holds no more. Answers what it was.
    pub(super) fn remove(&mut self, whom: &Whom) -> Option<Sanction> {
        match whom {
            Whom::Account(name) => self.accounts.remove(account_key(name).as_str()),
            Whom::Block(block) => {
                let block = block.normal();
                let removed = self.blocks.remove(&block)?;
                match self.lengths.get_mut(&block.bits()) {
                    Some(count) if *count > 1 => *count -= 1,
                    Some(_) | None => drop(self.lengths.remove(&block.bits())),
                }
                Some(removed)
            }
            Whom::Client(client, _) => self.clients.remove(client),
        }
    }

    /// What holds for the account of this key.
    pub(super) fn of_account(&self, key: &str, at: Timestamp) -> Option<&Sanction> {
        self.accounts.get(key).filter(|sanction| sanction.holds(at))
    }

    /// What holds for this address: of several, that of the largest block.
    pub(super) fn of_ip(&self, ip: IpAddr, at: Timestamp) -> Option<&Sanction> {
        let found = self.lengths.keys().filter_map(|&bits| self.blocks.get(&Cidr::of(ip, bits)));
        found.into_iter().find(|sanction| sanction.holds(at))
    }

    /// What holds for this connection.
    pub(super) fn of_client(&self, client: ClientId, at: Timestamp) -> Option<&Sanction> {
        self.clients.get(&client).filter(|sanction| sanction.holds(at))
    }

    /// The connections for which there is one.
    pub(super) fn clients(&self) -> impl Iterator<Item = ClientId> {
        self.clients.keys().copied()
    }

    /// Only those for connections are left.
    pub(super) fn keep_clients(&mut self) {
        let clients = std::mem::take(&mut self.clients);
        *self = Self { clients, ..Self::default() };
    }

    /// The connection is gone.
    pub(super) fn end(&mut self, client: ClientId) {
        self.clients.remove(&client);
    }

    /// Takes out those that are over.
    pub(super) fn take_expired(&mut self, at: Timestamp) -> Vec<Sanction> {
        let over: Vec<_> = self.iter().filter(|sanction| !sanction.holds(at)).map(|it| it.whom.clone()).collect();
        over.iter().filter_map(|whom| self.remove(whom)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn ban(whom: Whom, until: Option<i64>) -> Sanction {
        let (by, reason) = ("op".into(), "".into());
        Sanction { penalty: Penalty::Ban, whom, until: until.map(at), by, reason, created: at(0) }
    }

    fn block(text: &str) -> Whom {
        Whom::Block(text.parse().unwrap())
    }

    #[test]
    fn an_address_is_in_blocks_of_any_length_until_they_end() {
        let mut ledger = Ledger::default();
        for (whom, until) in [("10.1.2.3", Some(10)), ("10.1.2.9/24", Some(20)), ("2001:db8::/64", None)] {
            ledger.put(ban(block(whom), until));
        }
        let found = |ledger: &Ledger, ip: &str, second| {
            ledger.of_ip(ip.parse().unwrap(), at(second)).map(|sanction| sanction.whom.to_string())
        };
        assert_eq!(found(&ledger, "10.1.2.3", 5), Some("10.1.2.9/24".to_owned()));
        assert_eq!(found(&ledger, "::ffff:10.1.2.3", 15), Some("10.1.2.9/24".to_owned()));
        assert_eq!((found(&ledger, "10.1.2.3", 20), found(&ledger, "10.1.3.3", 5)), (None, None));
        assert_eq!(found(&ledger, "2001:db8::7:8", i64::from(i32::MAX)), Some("2001:db8::/64".to_owned()));
        assert_eq!(ledger.take_expired(at(10)).len(), 1);
        assert!(!ledger.has(&block("10.1.2.3")) && ledger.has(&block("10.1.2.0/24")));
        assert!(ledger.remove(&block("10.1.2.0/24")).is_some() && ledger.remove(&block("10.1.2.0/24")).is_none());
        assert_eq!((ledger.len(), ledger.lengths.len()), (1, 1));
    }

    #[test]
    fn an_account_is_banned_under_each_spelling_of_its_name() {
        let mut ledger = Ledger::default();
        ledger.put(ban(Whom::Account("Ann".into()), Some(10)));
        ledger.put(ban(Whom::Account("ANN".into()), None));
        assert_eq!(ledger.len(), 1);
        assert!(ledger.of_account("ann", at(20)).is_some());
        assert!(ledger.remove(&Whom::Account("aNN".into())).is_some() && ledger.of_account("ann", at(0)).is_none());
    }

    #[test]
    fn whom_a_ban_holds_for_is_written_and_read_again() {
        for (text, shown) in [("@Ann", "Ann"), ("10.0.0.0/8", "10.0.0.0/8"), ("10.0.0.1", "10.0.0.1")] {
            let whom = Whom::from_file(text).unwrap();
            assert_eq!((whom.to_file().as_deref(), whom.to_string().as_str()), (Some(text), shown));
        }
        assert_eq!((Whom::from_file("ann"), Whom::Client(ClientId(1), "x".into()).to_file()), (None, None));
    }
}
