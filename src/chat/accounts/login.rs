//! Who is which account: logging in, taking a name over, and logging out.

use std::{sync::Arc, time::Duration};

use super::{AccountDone, AccountRefusal, Begun, SESSIONS_MAX, try_later, verdict::Purpose};
use crate::{
    chat::{
        AccountChange, Asked, Chat, ClientId, Departure, Done, Event, Job, OrderRefusal, Output, Refusal, Secret, name,
        token_digest,
    },
    origin::Origin,
};

/// How long it takes until it is kept again that a token was used, while that comes from the same address.
const USE_INTERVAL: Duration = Duration::from_mins(1);

impl Chat {
    pub(super) fn login(&mut self, client: ClientId, name: &str, password: Secret) -> Result<Begun, Refusal> {
        self.check_private(client)?;
        let key: Box<str> = name::lookup_key(name).unwrap_or_default().into(); // nobody has the empty one
        self.accounts.try_login(&key, self.network_of(client), self.now)?;
        let account = self.accounts.directory.get(&key);
        let (hash, generation) = account.map_or((None, None), |it| (it.password.clone(), Some(it.generation)));
        Ok(Begun::Verifies(Purpose::Login { key, generation }, Job::Check { hash, password }))
    }

    /// A token is looked up at once: nobody can guess one, and its hash is a fast one.
    pub(super) fn login_by_token(
        &mut self,
        client: ClientId,
        token: &Secret,
        out: &mut Vec<Output>,
    ) -> Result<Begun, Refusal> {
        let network = self.network_of(client);
        if let Some(network) = &network {
            self.accounts.failures_of_network.check(network, self.now).map_err(try_later)?;
        }
        let found =
            if token.is_token() { self.accounts.directory.with_token(token_digest(token.reveal())) } else { None };
        let Some((key, label)) = found else {
            if let Some(network) = network {
                self.accounts.failures_of_network.take(network, self.now);
            }
            return Err(AccountRefusal::LoginFailed.into());
        };
        let done = self.log_in(client, &key, Some(label.clone()), out)?;
        self.note_use(client, &key, &label, out);
        Ok(done.map_or(Begun::GoesOn, Begun::Done))
    }

    /// A token was used. That is kept, but not each time.
    fn note_use(&mut self, client: ClientId, key: &str, label: &str, out: &mut Vec<Output>) {
        let Some(member) = self.members.get(client) else { return };
        let (at, addr) = (self.at, member.who.addr.clone());
        let mut is_kept = false;
        let account = self.accounts.directory.update(key, |account| {
            let Some(token) = account.tokens.iter_mut().find(|token| *token.label == *label) else { return };
            let is_recent = |(before, from): &(_, String)| {
                at.duration_since(*before).unsigned_abs() < USE_INTERVAL && ip(from) == ip(&addr)
            };
            is_kept = !token.used.as_ref().is_some_and(is_recent);
            if is_kept {
                token.used = Some((at, addr.clone()));
            }
        });
        if let Some(account) = account.filter(|_| is_kept) {
            let (account, label) = (Arc::clone(&account.name), label.to_owned());
            out.push(Output::Account(AccountChange::TokenUsed { account, label, at, addr }));
        }
    }

    /// A client arrives or visits. Where its origin is an account, it is logged in to that before it is ready.
    pub(in crate::chat) fn come(
        &mut self,
        client: ClientId,
        origin: Origin,
        begin: fn(&mut Self, ClientId, Origin, &mut Vec<Output>),
        out: &mut Vec<Output>,
    ) {
        let account = origin.account.clone();
        // One that has come before may have another name by now, of its own will.
        let is_new = self.members.get(client).is_none();
        begin(self, client, origin, out);
        if self.members.get(client).is_none() {
            return; // it was turned away
        }
        if let Some(key) = account.filter(|_| is_new).and_then(|account| self.account_key_of(&account)) {
            match self.log_in(client, &key, None, out) {
                Ok(Some(done)) => out.push(Output::tell(client, Event::Done(Done::Account(done)))),
                Ok(None) => return, // it goes on
                Err(refusal) => out.push(Output::tell(client, Event::Declined(Asked::Login, refusal))),
            }
        }
        out.push(Output::Ready(client));
    }

    /// The client is this account from now on. One that is here takes the name over; a visitor shares it. Answers what it is
    /// told at the end, unless it is told something else before.
    pub(super) fn log_in(
        &mut self,
        client: ClientId,
        key: &str,
        token: Option<Box<str>>,
        out: &mut Vec<Output>,
    ) -> Result<Option<AccountDone>, Refusal> {
        let name = self.become_account(client, key, token, out)?;
        match self.begin_delivery(client, key) {
            Some(after) => {
                self.deliver(client, key, after, out);
                Ok(None)
            }
            None => Ok(Some(AccountDone::Login { name, kept: 0 })),
        }
    }

    /// The client bears the account's name, which it answers.
    fn become_account(
        &mut self,
        client: ClientId,
        key: &str,
        token: Option<Box<str>>,
        out: &mut Vec<Output>,
    ) -> Result<Arc<str>, Refusal> {
        let name = Arc::clone(&self.accounts.directory.get(key).ok_or(AccountRefusal::LoginFailed)?.name);
        if let Some(ban) = self.ban_of_account(key) {
            return Err(OrderRefusal::Banned(ban.until).into());
        }
        let is_logged_in = self.account_of(client).as_deref() == Some(key);
        let sessions = self.members.bearers(key).map_or(0, |bearers| bearers.len());
        if !is_logged_in && sessions >= SESSIONS_MAX {
            return Err(AccountRefusal::TooManyLogins(SESSIONS_MAX).into());
        }
        if self.is_present_behind_door(client)
            && let Some(bearer) = self.members.bearers(key).and_then(|bearers| bearers.present())
            && bearer != client
        {
            self.lose_name(bearer, out);
        }
        if !is_logged_in {
            let renamed = self.members.bear(client, (*name).to_owned(), true);
            self.tell_renamed(client, renamed, out);
        }
        if let Some(member) = self.members.get_mut(client) {
            member.token = token;
        }
        self.come_through_door(client, out);
        Ok(name)
    }

    /// All who are logged in to the account are not any more, apart from one.
    pub(super) fn log_out(&mut self, key: &str, except: Option<ClientId>, out: &mut Vec<Output>) {
        for bearer in self.members.all_bearers(key).into_iter().filter(|bearer| Some(*bearer) != except) {
            self.lose_name(bearer, out);
        }
    }

    /// All who have logged in to the account by a token of this label are not logged in any more.
    pub(super) fn log_out_token(&mut self, key: &str, label: &str, out: &mut Vec<Output>) {
        for bearer in self.members.all_bearers(key) {
            if self.members.get(bearer).is_some_and(|member| member.token.as_deref() == Some(label)) {
                self.lose_name(bearer, out);
            }
        }
    }

    /// The client is called by its address again.
    pub(super) fn lose_name(&mut self, client: ClientId, out: &mut Vec<Output>) {
        self.break_off_delivery(client);
        let Some(addr) = self.members.get(client).map(|member| member.who.addr.clone()) else { return };
        let renamed = self.members.bear(client, addr, false);
        self.tell_renamed(client, renamed, out);
        self.refuse_wait(client, out);
        if self.rules.accounts.requires_login {
            self.end(client, Departure::LoggedOut, out);
        }
    }

    /// The client keeps its name, which is no account any more. Where everyone has to log in, it leaves when it is told.
    pub(super) fn keep_name_only(&mut self, client: ClientId, out: &mut Vec<Output>) {
        if self.rules.accounts.requires_login
            && let Some(member) = self.members.get_mut(client)
        {
            member.leave_when_done(member.progress.departure().unwrap_or(Departure::LoggedOut));
        }
        let Some(name) = self.members.get(client).map(|member| member.who.name.clone()) else { return };
        let before = crate::chat::account_key(&name);
        self.members.bear(client, name, false);
        self.leave_locked(client, &before, out);
    }
}

/// An address without the port.
fn ip(addr: &str) -> &str {
    addr.rsplit_once(':').map_or(addr, |(ip, _)| ip)
}
