//! What somebody else has changed of accounts.

use std::collections::BTreeSet;

use crate::chat::{Account, Chat, Output};

impl Chat {
    /// These are the accounts, as they are in the store: whoever is logged in to one that has changed, or is no more, is not any
    /// more; and neither has a name who had it before it became an account.
    pub(in crate::chat) fn reconcile(&mut self, accounts: Vec<Account>, out: &mut Vec<Output>) {
        let keys: BTreeSet<_> = accounts.iter().map(Account::key).collect();
        let gone: Vec<Box<str>> =
            self.accounts.directory.keys().filter(|key| !keys.contains(*key)).map(Into::into).collect();
        for key in gone {
            self.accounts.directory.remove(&key);
            self.accounts.mailboxes.remove(&key);
            self.log_out(&key, None, out);
            self.forget_order_of(&key, out);
        }
        for account in accounts {
            let key = account.key();
            match self.accounts.directory.get(&key).filter(|before| before.generation == account.generation) {
                // It has not changed, but for its tokens.
                Some(before) => {
                    let is_there = |digest| account.tokens.iter().any(|token| token.digest == digest);
                    let revoked = before.tokens.iter().filter(|token| !is_there(token.digest));
                    let revoked: Vec<_> = revoked.map(|token| token.label.clone()).collect();
                    let read = account.read.max(before.read);
                    if before.tokens.len() != account.tokens.len() || !revoked.is_empty() {
                        self.accounts.directory.insert(Account { read, ..account });
                    }
                    revoked.iter().for_each(|label| self.log_out_token(&key, label, out));
                }
                None => {
                    let before = self.accounts.directory.get(&key);
                    if before.is_some_and(|before| before.created != account.created) {
                        self.accounts.mailboxes.remove(&*key); // it is another account of the same name
                        self.forget_order_of(&key, out);
                    }
                    self.accounts.directory.insert(account);
                    self.log_out(&key, None, out);
                }
            }
        }
    }
}
