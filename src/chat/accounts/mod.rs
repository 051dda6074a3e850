//! Accounts: names that belong to somebody. Who may register, log in, and change what is known of an account. Knows no files,
//! no threads and no hashes: what takes long goes out as a [`Job`] and comes back as a [`Verdict`].

mod attempts;
mod directory;
mod door;
mod login;
mod mail;
mod mailbox;
mod reconcile;
mod request;
mod tokens;
mod verdict;

use std::{collections::BTreeMap, time::Duration};

use super::{Chat, ClientId, Event, Job, Output, Refusal, Secret, Ticket, account::account_key, name::Name};
use crate::address::Network;

pub(super) use mail::OWN;
pub use request::{AccountCommand, AccountDone, AccountRefusal};

use attempts::Attempts;
use directory::Directory;
use mailbox::Mailbox;
use verdict::Purpose;

/// The most accounts that users may register; those that an operator adds come on top. Each takes some kilobytes at most.
const ACCOUNTS_MAX: usize = 10_000;
/// New accounts that a network may register at once, and how long it takes until it may register one more: as many a day.
const REGISTRATIONS: (u32, Duration) = (5, Duration::from_secs(24 * 3600 / 5));
/// Attempts to log in to an account that may fail at once, and how long it takes until there is one more.
const FAILURES_OF_ACCOUNT: (u32, Duration) = (10, Duration::from_secs(10));
/// The same for all clients of a network: a class behind one address logs in within a minute.
const FAILURES_OF_NETWORK: (u32, Duration) = (60, Duration::from_secs(6));
/// The most that may be logged in to an account at once: all are told when it is no more.
const SESSIONS_MAX: usize = 100;

/// What an operator decides about accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountRules {
    /// Whether users may register accounts.
    pub registration: Registration,
    /// Whether passwords may be sent where others can read them.
    pub allows_insecure: bool,
    /// Whether nobody says or hears anything before it has logged in.
    pub requires_login: bool,
    /// The most private messages that are kept for an account that is away.
    pub offline_max: usize,
}

/// Whether users may register accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// They may.
    Open,
    /// An operator alone makes accounts.
    Closed,
}

impl Default for AccountRules {
    /// The defaults of the flags.
    fn default() -> Self {
        Self { registration: Registration::Open, allows_insecure: false, requires_login: false, offline_max: 1000 }
    }
}

/// All accounts, and what is being verified.
#[derive(Debug)]
pub(super) struct Accounts {
    pub(super) directory: Directory,
    /// What is being verified for clients. Each of them is busy.
    pending: BTreeMap<ClientId, Pending>,
    /// The last one that was given out.
    ticket: u64,
    /// What is kept for accounts, by their keys: for each at most that there is, once somebody has sent it a private message.
    mailboxes: BTreeMap<Box<str>, Mailbox>,
    registrations: Attempts<Network>,
    /// By the key of the account, whether or not there is one.
    failures_of_account: Attempts<Box<str>>,
    failures_of_network: Attempts<Network>,
}

/// Something that is being verified.
#[derive(Debug)]
struct Pending {
    ticket: Ticket,
    purpose: Purpose,
}

/// What comes of a command at once.
enum Begun {
    /// It is done.
    Done(AccountDone),
    /// It is being verified.
    Verifies(Purpose, Job),
    /// It goes on, and is answered when it is done.
    GoesOn,
}

impl Default for Accounts {
    fn default() -> Self {
        let attempts = |(at_once, interval)| Attempts::new(at_once, interval);
        Self {
            directory: Directory::default(),
            pending: BTreeMap::new(),
            ticket: 0,
            mailboxes: BTreeMap::new(),
            registrations: attempts(REGISTRATIONS),
            failures_of_account: Attempts::new(FAILURES_OF_ACCOUNT.0, FAILURES_OF_ACCOUNT.1),
            failures_of_network: attempts(FAILURES_OF_NETWORK),
        }
    }
}

impl Accounts {
    /// The client is gone, and so is what was being verified for it.
    pub(super) fn end(&mut self, client: ClientId) {
        self.pending.remove(&client);
    }

    /// Checks that an attempt to log in may be made, and takes it: it is given back if it does not fail.
    fn try_login(&mut self, key: &str, network: Option<Network>, now: Duration) -> Result<(), AccountRefusal> {
        let key: Box<str> = key.into();
        self.failures_of_account.check(&key, now).map_err(try_later)?;
        if let Some(network) = network {
            self.failures_of_network.check(&network, now).map_err(try_later)?;
            self.failures_of_network.take(network, now);
        }
        self.failures_of_account.take(key, now);
        Ok(())
    }

    /// An attempt that was made did not fail.
    fn forgive(&mut self, key: &str, network: Option<Network>, now: Duration) {
        self.failures_of_account.give_back(&key.into(), now);
        if let Some(network) = network {
            self.failures_of_network.give_back(&network, now);
        }
    }
}

fn try_later(wait: Duration) -> AccountRefusal {
    AccountRefusal::TryLater(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}

impl Chat {
    /// Does what a client asks for that has to do with an account.
    pub(super) fn account(&mut self, client: ClientId, command: AccountCommand, out: &mut Vec<Output>) {
        let asked = command.asked();
        match self.begin_account(client, command, out) {
            Ok(Begun::Done(done)) => {
                out.push(Output::tell(client, Event::Done(super::Done::Account(done))));
                out.push(Output::Ready(client));
            }
            Ok(Begun::Verifies(purpose, job)) => {
                self.set_busy(client);
                self.accounts.ticket += 1;
                let ticket = Ticket(self.accounts.ticket);
                self.accounts.pending.insert(client, Pending { ticket, purpose });
                out.push(Output::Verify(client, ticket, job));
            }
            Ok(Begun::GoesOn) => {}
            Err(refusal) => self.decline(client, asked, refusal, out),
        }
    }

    fn begin_account(
        &mut self,
        client: ClientId,
        command: AccountCommand,
        out: &mut Vec<Output>,
    ) -> Result<Begun, Refusal> {
        if !self.has_store() {
            return Err(AccountRefusal::NoStore.into());
        }
        match command {
            AccountCommand::Login { name: Some(name), secret } => self.login(client, &name, secret),
            AccountCommand::Login { name: None, secret } => self.login_by_token(client, &secret, out),
            AccountCommand::Register(_)
            | AccountCommand::Password { .. }
            | AccountCommand::Unregister(_)
            | AccountCommand::Token(_)
            | AccountCommand::Revoke(_)
                if self.store.fails() =>
            {
                Err(Refusal::NotStored)
            }
            AccountCommand::Register(password) => self.register(client, password),
            AccountCommand::Password { old, new } => self.change_password(client, old, new),
            AccountCommand::Unregister(password) => self.unregister(client, password),
            AccountCommand::Token(label) => self.make_token(client, label),
            AccountCommand::Tokens => self.tokens(client, out),
            AccountCommand::Revoke(label) => self.revoke(client, &label, out),
        }
    }

    fn register(&mut self, client: ClientId, password: Secret) -> Result<Begun, Refusal> {
        if self.rules.accounts.registration == Registration::Closed {
            return Err(AccountRefusal::RegistrationClosed.into());
        }
        self.check_private(client)?;
        let name = self.name_to_register(client)?;
        if !password.is_password() {
            return Err(AccountRefusal::PasswordInvalid.into());
        }
        if self.accounts.directory.len() >= ACCOUNTS_MAX {
            return Err(AccountRefusal::RegistrationClosed.into());
        }
        if let Some(network) = self.network_of(client) {
            self.accounts.registrations.check(&network, self.now).map_err(try_later)?;
            self.accounts.registrations.take(network, self.now);
        }
        Ok(Begun::Verifies(Purpose::Register(name), Job::Hash(password)))
    }

    /// The name that the client bears, if it may register that.
    fn name_to_register(&self, client: ClientId) -> Result<Name, Refusal> {
        let who = &self.members.get(client).ok_or(AccountRefusal::NameRequired)?.who;
        if who.is_account {
            return Err(AccountRefusal::AlreadyRegistered.into());
        }
        // An address is no name.
        let name = Name::parse(&who.name).map_err(|_| AccountRefusal::NameRequired)?;
        if self.members.bearers(&account_key(name.as_str())).is_some_and(|bearers| bearers.len() > 1) {
            return Err(Refusal::NameTaken); // other visitors have it too
        }
        self.check_owner(&name)?;
        Ok(name)
    }

    /// Checks that the name is that of no account, and looks like none.
    ///
    /// # Errors
    /// If it is, or does.
    pub(super) fn check_owner(&self, name: &Name) -> Result<(), Refusal> {
        if self.accounts.directory.get(&account_key(name.as_str())).is_some() {
            return Err(AccountRefusal::NameOwned.into());
        }
        match self.accounts.directory.look_alike(name) {
            Some(other) => Err(Refusal::NameConfusable(other.to_owned())),
            None => Ok(()),
        }
    }

    fn change_password(&mut self, client: ClientId, old: Secret, new: Secret) -> Result<Begun, Refusal> {
        self.check_private(client)?;
        let key = self.account_of(client).ok_or(AccountRefusal::LoginRequired)?;
        if !new.is_password() {
            return Err(AccountRefusal::PasswordInvalid.into());
        }
        let account = self.accounts.directory.get(&key).ok_or(AccountRefusal::LoginRequired)?;
        let (hash, generation) = (account.password.clone(), account.generation);
        self.accounts.try_login(&key, self.network_of(client), self.now)?;
        let job = match hash {
            Some(hash) => Job::Replace { hash, old, new },
            None => Job::Check { hash: None, password: old }, // it has tokens alone, and fails as any wrong one
        };
        Ok(Begun::Verifies(Purpose::Password { key, generation }, job))
    }

    fn unregister(&mut self, client: ClientId, password: Secret) -> Result<Begun, Refusal> {
        self.check_private(client)?;
        let key = self.account_of(client).ok_or(AccountRefusal::LoginRequired)?;
        let account = self.accounts.directory.get(&key).ok_or(AccountRefusal::LoginRequired)?;
        let (hash, generation) = (account.password.clone(), account.generation);
        self.check_unmuted(client)?; // first: what is refused for a mute is no attempt at a password
        self.accounts.try_login(&key, self.network_of(client), self.now)?;
        Ok(Begun::Verifies(Purpose::Unregister { key, generation }, Job::Check { hash, password }))
    }

    /// Checks that nobody else can read what the client sends.
    fn check_private(&self, client: ClientId) -> Result<(), AccountRefusal> {
        let is_private = self.members.get(client).is_some_and(|member| member.origin.is_private());
        if is_private || self.rules.accounts.allows_insecure { Ok(()) } else { Err(AccountRefusal::Insecure) }
    }

    /// The key of the account that the client is logged in to.
    pub(super) fn account_of(&self, client: ClientId) -> Option<Box<str>> {
        let who = &self.members.get(client)?.who;
        who.is_account.then(|| account_key(&who.name).into())
    }

    /// The network that pays for what the client tries; none where each connection is trusted.
    fn network_of(&self, client: ClientId) -> Option<Network> {
        self.members.get(client)?.origin.payer(&self.rules.trusted)
    }
}
