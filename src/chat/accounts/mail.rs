//! Kept private messages, told to their account when it logs in, and when it asks for them.

use std::sync::Arc;

use super::{AccountDone, AccountRefusal};
use crate::chat::{
    Chat, ClientId, Done, Output, Refusal, mailbox,
    replay::{Goal, Replay, Source},
    work::{LongAnswer, Task},
};

/// What `history` calls one's own private messages.
pub(in crate::chat) const OWN: &str = "@";

impl Chat {
    /// Delivers what is kept behind this number. Then the client is told that it is logged in.
    pub(super) fn deliver(&mut self, client: ClientId, key: &str, after: u64, out: &mut Vec<Output>) {
        let replay = Replay::behind(after, Source::Mailbox(key.into()), Goal::CaughtUp);
        self.begin(client, Task::Tell(client, LongAnswer::Replay(replay)), out);
    }

    /// The private messages of the account that a client is logged in to.
    pub(in crate::chat) fn own_history(&self, client: ClientId) -> Result<Source, Refusal> {
        match self.account_of(client) {
            Some(key) => Ok(Source::Mailbox(key)),
            None if self.has_store() => Err(AccountRefusal::LoginRequired.into()),
            None => Err(AccountRefusal::NoStore.into()),
        }
    }

    /// What the store calls the private messages of an account.
    pub(in crate::chat) fn mailbox_of(&self, key: &str) -> Arc<str> {
        self.accounts.directory.get(key).map_or_else(|| mailbox(key), |account| mailbox(&account.name))
    }

    /// What one is told who is logged in to the account, and was told so many messages that were kept for it.
    pub(in crate::chat) fn logged_in(&self, key: &str, kept: usize) -> Done {
        let name = self.accounts.directory.get(key).map_or_else(|| key.into(), |account| Arc::clone(&account.name));
        Done::Account(AccountDone::Login { name, kept })
    }
}
