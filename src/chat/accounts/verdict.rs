//! What was verified takes effect, unless the account has changed meanwhile.

use super::{AccountDone, AccountRefusal, Pending, tokens::check_label, try_later};
use crate::chat::{
    Account, AccountChange, Asked, Chat, ClientId, Done, Event, Name, Output, Refusal, Ticket, Token, Verdict,
};
use std::{sync::Arc, time::Duration};

/// What is verified for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// The client wants an account of this name.
    Register(Name),
    /// The client wants to be this account.
    Login {
        /// The key of its name.
        key: Box<str>,
        /// Which it was then; none if there was none.
        generation: Option<u64>,
    },
    /// The account that the client is logged in to is to have another password.
    Password { key: Box<str>, generation: u64 },
    /// It is to be no more.
    Unregister { key: Box<str>, generation: u64 },
    /// It is to have a token of this label.
    Token { key: Box<str>, generation: u64, label: String },
}

impl Purpose {
    fn asked(&self) -> Asked {
        match self {
            Self::Register(_) => Asked::Register,
            Self::Login { .. } => Asked::Login,
            Self::Password { .. } => Asked::Password,
            Self::Unregister { .. } => Asked::Unregister,
            Self::Token { .. } => Asked::Token,
        }
    }
}

impl Chat {
    /// What was verified for a client takes effect. What has become of no use meanwhile does not.
    pub(in crate::chat) fn verified(
        &mut self,
        client: ClientId,
        ticket: Ticket,
        verdict: Verdict,
        out: &mut Vec<Output>,
    ) {
        if self.accounts.pending.get(&client).is_none_or(|pending| pending.ticket != ticket) {
            return;
        }
        let Some(Pending { purpose, .. }) = self.accounts.pending.remove(&client) else { return };
        let asked = purpose.asked();
        match self.take_effect(client, purpose, verdict, out) {
            Ok(Some(done)) => out.push(Output::tell(client, Event::Done(Done::Account(done)))),
            Ok(None) => return, // it goes on
            Err(refusal) => out.push(Output::tell(client, Event::Declined(asked, refusal))),
        }
        self.finish(client, out);
    }

    fn take_effect(
        &mut self,
        client: ClientId,
        purpose: Purpose,
        verdict: Verdict,
        out: &mut Vec<Output>,
    ) -> Result<Option<AccountDone>, Refusal> {
        let failed = || Refusal::from(try_later(Duration::from_secs(1)));
        match (purpose, verdict) {
            (Purpose::Register(name), Verdict::Hashed(hash)) => self.registered(client, &name, hash, out).map(Some),
            (Purpose::Register(_), _) => {
                if let Some(network) = self.network_of(client) {
                    self.accounts.registrations.give_back(&network, self.now);
                }
                Err(failed())
            }
            (Purpose::Login { key, generation }, Verdict::Checked(true)) => {
                self.accounts.forgive(&key, self.network_of(client), self.now);
                if generation.is_none() || generation != self.generation(&key) {
                    return Err(AccountRefusal::LoginFailed.into());
                }
                self.log_in(client, &key, None, out)
            }
            (Purpose::Password { key, generation }, Verdict::Replaced(Some(hash))) => {
                self.accounts.forgive(&key, self.network_of(client), self.now);
                self.check_current(client, &key, generation)?;
                let at = self.at;
                let account = self.accounts.directory.update(&key, |account| {
                    account.password = Some(hash);
                    account.generation = Account::next_generation(account.generation, at);
                });
                let account = account.cloned().ok_or(AccountRefusal::LoginFailed)?;
                let name = Arc::clone(&account.name);
                out.push(Output::Account(AccountChange::Put(account)));
                self.log_out(&key, Some(client), out);
                Ok(Some(AccountDone::Password(name)))
            }
            (Purpose::Unregister { key, generation }, Verdict::Checked(true)) => {
                self.accounts.forgive(&key, self.network_of(client), self.now);
                self.check_current(client, &key, generation)?;
                self.check_unmuted(client)?; // it may have been muted meanwhile
                let account = self.accounts.directory.remove(&key).ok_or(AccountRefusal::LoginFailed)?;
                out.push(Output::Account(AccountChange::Gone(Arc::clone(&account.name))));
                self.log_out(&key, Some(client), out);
                self.keep_name_only(client, out);
                self.forget_account(&key, out);
                Ok(Some(AccountDone::Unregister(account.name)))
            }
            (Purpose::Token { key, generation, label }, Verdict::Token { secret, digest }) => {
                self.check_current(client, &key, generation)?;
                let account = self.accounts.directory.get(&key).ok_or(AccountRefusal::LoginFailed)?;
                check_label(account, &label)?;
                let token = Token { label: label.clone(), digest, created: self.at, used: None };
                let mut account = account.clone();
                account.tokens.push(token);
                self.accounts.directory.insert(account.clone());
                out.push(Output::Account(AccountChange::Put(account)));
                Ok(Some(AccountDone::Token { label, token: secret }))
            }
            (
                Purpose::Login { .. } | Purpose::Password { .. } | Purpose::Unregister { .. },
                Verdict::Checked(false) | Verdict::Replaced(None),
            ) => Err(AccountRefusal::LoginFailed.into()),
            (Purpose::Login { key, .. } | Purpose::Password { key, .. } | Purpose::Unregister { key, .. }, _) => {
                self.accounts.forgive(&key, self.network_of(client), self.now);
                Err(failed())
            }
            (Purpose::Token { .. }, _) => Err(failed()),
        }
    }

    fn registered(
        &mut self,
        client: ClientId,
        name: &Name,
        hash: Arc<str>,
        out: &mut Vec<Output>,
    ) -> Result<AccountDone, Refusal> {
        if self.store.fails() {
            return Err(Refusal::NotStored);
        }
        // Somebody else may have become the account of this name meanwhile, or of one that looks like it.
        if self.name_to_register(client)? != *name {
            return Err(AccountRefusal::NameRequired.into());
        }
        let account = Account::new(name, Some(hash), self.at);
        let name = Arc::clone(&account.name);
        self.accounts.directory.insert(account.clone());
        out.push(Output::Account(AccountChange::Put(account)));
        self.members.bear(client, (*name).to_owned(), true);
        self.come_through_door(client, out);
        Ok(AccountDone::Register(name))
    }

    fn generation(&self, key: &str) -> Option<u64> {
        self.accounts.directory.get(key).map(|account| account.generation)
    }

    /// Checks that the client is logged in to the account, and that this has not changed since.
    fn check_current(&self, client: ClientId, key: &str, generation: u64) -> Result<(), Refusal> {
        if self.account_of(client).as_deref() != Some(key) || self.generation(key) != Some(generation) {
            return Err(AccountRefusal::LoginFailed.into());
        }
        if self.store.fails() { Err(Refusal::NotStored) } else { Ok(()) }
    }
}
