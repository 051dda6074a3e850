//! What somebody else has changed of accounts.

use std::collections::BTreeSet;

use super::AccountRefusal;
use crate::chat::{Account, Chat, Event, Output};

impl Chat {
    /// These are the accounts, as they are in the store: whoever is logged in to one that has changed, or is no more, is not any
    /// more; and neither has a name who had it before it became an account.
    pub(in crate::chat) fn reconcile(&mut self, accounts: Vec<Account>, out: &mut Vec<Output>) {
        let keys: BTreeSet<_> = accounts.iter().map(Account::key).collect();
        let gone: Vec<Box<str>> =
            self.accounts.directory.keys().filter(|key| !keys.contains(*key)).map(Into::into).collect();
        for key in gone {
            self.accounts.directory.remove(&key);
            self.log_out(&key, None, out);
            self.forget_account(&key, out);
        }
        for account in accounts {
            let key = account.key();
            let is_current = |before: &&Account| {
                before.generation == account.generation
                    && before.password == account.password
                    && before.role == account.role
            };
            match self.accounts.directory.get(&key).filter(is_current) {
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
                    // As long as it has the roles that it is about to lose: who is let in by them leaves.
                    self.log_out(&key, None, out);
                    let before = self.accounts.directory.get(&key).map(|before| (before.created, before.read));
                    let read = match before {
                        Some((created, read)) if created == account.created => read.max(account.read),
                        Some(_) => {
                            self.forget_account(&key, out); // it is another one of the same name
                            account.read
                        }
                        None => account.read,
                    };
                    self.accounts.directory.insert(Account { read, ..account });
                }
            }
        }
    }

    /// The account of this key is no more, and somebody else may come to have its name: nothing that was its is theirs.
    pub(super) fn forget_account(&mut self, key: &str, out: &mut Vec<Output>) {
        self.accounts.mailboxes.remove(key);
        self.forget_order_of(key, out);
        for client in self.waits.of_account(key) {
            if self.waits.end(client).is_some() {
                out.push(Output::tell(client, Event::Refused(AccountRefusal::NoSuchAccount.into())));
                self.finish(client, out);
            }
        }
    }
}
