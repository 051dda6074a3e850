//! Which accounts there are: by name, by what names look like, and by token. Knows nothing of who is logged in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::chat::{
    Account, Digest,
    account::account_key,
    name::{self, Name},
};

/// All accounts.
#[derive(Debug, Default)]
pub(in crate::chat) struct Directory {
    by_key: BTreeMap<Box<str>, Account>,
    /// Mirrors `by_key`: what each name looks like, with its key.
    by_skeleton: BTreeSet<(Box<str>, Box<str>)>,
    /// Mirrors `by_key`: the keys of accounts that have a token whose digest begins with this.
    by_token: HashMap<u64, Vec<Box<str>>>,
}

impl Directory {
    /// How many there are.
    pub(in crate::chat) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The account with a name of this key.
    pub(in crate::chat) fn get(&self, key: &str) -> Option<&Account> {
        self.by_key.get(key)
    }

    /// All accounts, in order of their keys.
    pub(in crate::chat) fn iter(&self) -> impl Iterator<Item = &Account> {
        self.by_key.values()
    }

    /// All keys, in order.
    pub(in crate::chat) fn keys(&self) -> impl Iterator<Item = &str> {
        self.by_key.keys().map(Box::as_ref)
    }

    /// The name of an account that this name looks like, which is another one.
    pub(in crate::chat) fn look_alike(&self, name: &Name) -> Option<&str> {
        let key = account_key(name.as_str());
        let skeleton: Box<str> = name::confusable_skeleton(name.as_str()).into();
        let alike = self.by_skeleton.range((skeleton.clone(), "".into())..).take_while(|(of, _)| *of == skeleton);
        let other = alike.map(|(_, other)| other).find(|other| ***other != *key)?;
        Some(&self.by_key[other].name)
    }

    /// The key of the account that has the token of this digest, and what it calls it. Few are compared, each in constant time.
    pub(in crate::chat) fn with_token(&self, digest: Digest) -> Option<(Box<str>, Box<str>)> {
        self.by_token.get(&beginning(digest))?.iter().find_map(|key| {
            let token = self.by_key.get(key)?.tokens.iter().find(|token| token.digest == digest)?;
            Some((key.clone(), token.label.as_str().into()))
        })
    }

    /// The account is there, as it is from now on.
    pub(in crate::chat) fn insert(&mut self, account: Account) {
        let key: Box<str> = account.key().into();
        self.remove(&key);
        self.by_skeleton.insert((name::confusable_skeleton(&account.name).into(), key.clone()));
        for token in &account.tokens {
            self.by_token.entry(beginning(token.digest)).or_default().push(key.clone());
        }
        self.by_key.insert(key, account);
    }

    /// There is no account of this key any more.
    pub(in crate::chat) fn remove(&mut self, key: &str) -> Option<Account> {
        let (key, account) = self.by_key.remove_entry(key)?;
        for token in &account.tokens {
            let beginning = beginning(token.digest);
            let Some(keys) = self.by_token.get_mut(&beginning) else { continue };
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.by_token.remove(&beginning);
            }
        }
        self.by_skeleton.remove(&(name::confusable_skeleton(&account.name).into(), key));
        Some(account)
    }

    /// Changes what does not change how an account is found. Answers it as it is then.
    pub(in crate::chat) fn update(&mut self, key: &str, change: impl FnOnce(&mut Account)) -> Option<&Account> {
        let account = self.by_key.get_mut(key)?;
        change(account);
        Some(account)
    }
}

/// A hash is spread evenly: its beginning is a hash.
fn beginning(Digest(bytes): Digest) -> u64 {
    let (beginning, _) = bytes.split_first_chunk().expect("a digest has 32 bytes");
    u64::from_ne_bytes(*beginning)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::chat::{Role, Token, token_digest};

    fn account(name: &str, tokens: &[&str]) -> Account {
        let at = Timestamp::UNIX_EPOCH;
        let token =
            |token: &&str| Token { label: (*token).to_owned(), digest: token_digest(token), created: at, used: None };
        let (name, tokens): (Arc<str>, _) = (name.into(), tokens.iter().map(token).collect());
        Account { name, password: None, role: Role::User, created: at, read: 0, generation: 1, tokens }
    }

    #[test]
    fn an_account_is_found_by_name_by_look_and_by_token() {
        let mut directory = Directory::default();
        directory.insert(account("Ann", &["one", "two"]));
        directory.insert(account("bob", &["three"]));
        let key = |directory: &Directory, token| directory.with_token(token_digest(token));
        assert_eq!(directory.get("ann").map(|ann| &*ann.name), Some("Ann"));
        assert_eq!(key(&directory, "two"), Some(("ann".into(), "two".into())));
        assert_eq!(key(&directory, "four"), None);
        let look_alike = |name: &str| directory.look_alike(&Name::parse(name).unwrap());
        assert_eq!((look_alike("аnn"), look_alike("ANN"), look_alike("anna")), (Some("Ann"), None, None)); // Cyrillic
        directory.insert(account("Ann", &["two"]));
        assert_eq!((key(&directory, "one"), directory.len()), (None, 2));
        directory.remove("ann");
        assert_eq!((key(&directory, "two"), directory.by_skeleton.len(), directory.by_token.len()), (None, 1, 1));
    }
}
