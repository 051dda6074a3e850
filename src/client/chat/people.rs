//! Who is here, as far as the client has heard, to complete names. Knows no sockets.

use std::collections::BTreeMap;

use pipechat::chat::{Identity, PublicEvent};

use super::command::COMMANDS;
use crate::client::terminal::Completion;

/// How many names are kept: many more than a person chooses from. A server that sends more costs no memory.
const NAMES_MAX: usize = 10_000;
/// The longest name and the longest address, in bytes: longer than any that a server of good will knows.
pub(super) const IDENTITY_BYTES_MAX: usize = 512;
/// How many names are shown to choose from.
const CHOICES_MAX: usize = 50;

/// Names by address.
#[derive(Debug, Default)]
pub(super) struct People {
    names: BTreeMap<String, String>,
}

impl People {
    /// Learns from what happens.
    pub(super) fn observe(&mut self, event: &PublicEvent) {
        match event {
            PublicEvent::Online(who)
            | PublicEvent::Message { from: who, .. }
            | PublicEvent::KnownAs { new: who, .. }
            | PublicEvent::Joined(who)
            | PublicEvent::Topic { from: who, .. } => self.add(who),
            PublicEvent::Offline(who, _) => drop(self.names.remove(&who.addr)),
            PublicEvent::Left(_) => {}
        }
    }

    /// Learns that somebody is here.
    pub(super) fn add(&mut self, who: &Identity) {
        if who.name.len() > IDENTITY_BYTES_MAX || who.addr.len() > IDENTITY_BYTES_MAX {
            self.names.remove(&who.addr); // it is known by another name now
        } else if self.names.get(&who.addr) != Some(&who.name)
            && (self.names.len() < NAMES_MAX || self.names.contains_key(&who.addr))
        {
            self.names.insert(who.addr.clone(), who.name.clone());
        }
    }

    /// What may stand for the last word of `before`: a name, or at its beginning a command of this client.
    pub(super) fn complete(&self, before: &str) -> Completion {
        let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        if word.is_empty() {
            return Completion::None;
        }
        let start = before.len() - word.len();
        let (found, suffix): (Vec<&str>, _) = if start == 0 && word.starts_with('/') {
            (COMMANDS.iter().map(|(command, ..)| *command).filter(|command| command.starts_with(word)).collect(), " ")
        } else {
            let names = self.names.values().map(String::as_str).filter(|name| begins_with(name, word));
            (names.collect(), if start == 0 { ": " } else { " " })
        };
        choose(found, word, start, suffix)
    }
}

/// What of these may stand for a word that begins at this byte.
pub(super) fn choose(mut found: Vec<&str>, word: &str, start: usize, suffix: &str) -> Completion {
    found.sort_unstable();
    found.dedup();
    match *found {
        [] => Completion::None,
        [name] => Completion::Replace(start, format!("{name}{suffix}")),
        [first, .., last] => match common_start(first, last) {
            common if common.chars().count() > word.chars().count() => Completion::Replace(start, common.to_owned()),
            _ => Completion::Several(found.iter().take(CHOICES_MAX).map(|&name| name.to_owned()).collect()),
        },
    }
}

/// Whether this begins with that, in whatever case.
pub(super) fn begins_with(name: &str, word: &str) -> bool {
    name.to_lowercase().starts_with(&word.to_lowercase())
}

/// What two of a sorted list begin with: if they are its first and its last one, all do.
fn common_start<'a>(first: &'a str, last: &str) -> &'a str {
    let differs = first.char_indices().zip(last.chars()).find(|((_, a), b)| a != b);
    differs.map_or(first, |((at, _), _)| &first[..at])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pipechat::chat::Departure;

    use super::*;

    fn who(addr: &str, name: &str) -> Arc<Identity> {
        Arc::new(Identity { name: name.to_owned(), addr: addr.to_owned(), is_account: false })
    }

    fn people(names: &[&str]) -> People {
        let mut people = People::default();
        names.iter().for_each(|name| people.add(&who(name, name)));
        people
    }

    fn replace(start: usize, text: &str) -> Completion {
        Completion::Replace(start, text.to_owned())
    }

    #[test]
    fn names_and_commands_are_completed() {
        let people = people(&["ann", "Anna", "annabel", "bob", "张三"]);
        for (before, completion) in [
            ("b", replace(0, "bob: ")),
            ("B", replace(0, "bob: ")),
            ("hi b", replace(3, "bob ")),
            ("/msg b", replace(5, "bob ")),
            ("张", replace(0, "张三: ")),
            ("hi\u{3000}张", replace(5, "张三 ")),
            ("/m", replace(0, "/msg ")),
            ("/x", Completion::None),
            ("x", Completion::None),
            ("", Completion::None),
            ("hi ", Completion::None),
        ] {
            assert_eq!(people.complete(before), completion, "{before:?}");
        }
        let several = ["Anna", "ann", "annabel"].map(str::to_owned).to_vec();
        assert_eq!(people.complete("an"), Completion::Several(several));
        assert_eq!(self::people(&["anna", "annabel"]).complete("a"), replace(0, "anna"));
    }

    #[test]
    fn who_leaves_or_renames_is_not_completed() {
        let mut people = people(&["ann"]);
        people.observe(&PublicEvent::KnownAs { old: who("ann", "ann"), new: who("ann", "zoe") });
        assert_eq!(people.complete("a"), Completion::None);
        assert_eq!(people.complete("z"), replace(0, "zoe: "));
        people.observe(&PublicEvent::Offline(who("ann", "zoe"), Departure::Left));
        assert_eq!(people.complete("z"), Completion::None);
    }

    #[test]
    fn names_are_bounded() {
        let mut people = People::default();
        (0..NAMES_MAX + 10).for_each(|n| people.add(&who(&n.to_string(), "x")));
        assert_eq!(people.names.len(), NAMES_MAX);
        let long = "x".repeat(IDENTITY_BYTES_MAX + 1);
        people.add(&who("1", &long));
        people.add(&who(&long, "x"));
        assert_eq!(people.names.len(), NAMES_MAX - 1, "one that is too long is forgotten, and one not learnt");
    }
}
