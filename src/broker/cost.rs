//! What commands cost beside what is delivered for them.

use crate::{
    chat::{ARGUMENT_BYTES_MAX, Command, NAME_CHARS_MAX, WaitFor, may_be_composed},
    protocol::escape::escaped_len_max,
};

/// The cost of each byte of a name that is not ASCII, in bytes delivered: normalising three takes up to a microsecond.
const NAME_BYTE_COST: usize = 512;

/// The cost of each byte that is added to a text where it is escaped, in bytes delivered.
const ESCAPE_BYTE_COST: usize = 2;

/// The cost of each byte of a text that is to be composed before it is compared with what clients wait for, in bytes
/// delivered: thirty take a microsecond.
const COMPOSED_BYTE_COST: usize = 40;

/// A shorter text costs little, however much of it is escaped or composed.
const LONG_TEXT_BYTES: usize = 256;
/// What stands before a text that is said: the sender's address and name, in the shortest dialect.
const SENDER_BYTES: usize = 40;
/// What stands in the notice of a rename beside both names: the address and the words.
const RENAMED_BYTES: usize = 30;
/// The longest name that anybody can be told.
const NAME_BYTES_MAX: usize = 4 * NAME_CHARS_MAX;

/// What a command costs at least if it is not refused, in bytes delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Beside what is delivered for it.
    pub(super) work: usize,
    /// What each member is told.
    pub(super) told: usize,
}

impl Cost {
    /// Of a command of a client whose name has so many bytes, if it is here: nobody is told the names of visitors.
    pub(super) fn of(command: &Command, name_bytes: Option<usize>) -> Self {
        match command {
            Command::Say(text) => {
                let added = added_by_escaping(text);
                Self { work: added * ESCAPE_BYTE_COST + composing_cost(text), told: SENDER_BYTES + text.len() + added }
            }
            Command::Sync(text) => Self { work: added_by_escaping(text) * ESCAPE_BYTE_COST, told: 0 },
            Command::Private { to, text } => {
                let of_text = added_by_escaping(text) * ESCAPE_BYTE_COST + composing_cost(text);
                Self { work: name_cost(to) + of_text, told: 0 }
            }
            Command::Rename(new) => {
                let notice = |old| RENAMED_BYTES + old + new.len().min(NAME_BYTES_MAX);
                Self { work: name_cost(new), told: name_bytes.map_or(0, notice) }
            }
            Command::Wait(_, WaitFor::User(name) | WaitFor::Gone(name)) => Self { work: name_cost(name), told: 0 },
            Command::Wait(_, WaitFor::Users(_) | WaitFor::Text(_)) | Command::Who => Self::default(),
        }
    }
}

fn name_cost(name: &str) -> usize {
    if name.is_ascii() { 0 } else { name.len().min(ARGUMENT_BYTES_MAX) * NAME_BYTE_COST }
}

fn composing_cost(text: &str) -> usize {
    if text.len() >= LONG_TEXT_BYTES && may_be_composed(text) { text.len() * COMPOSED_BYTE_COST } else { 0 }
}

/// Bytes by which a text gets longer when it is escaped, if it is long.
fn added_by_escaping(text: &str) -> usize {
    if text.len() < LONG_TEXT_BYTES { 0 } else { escaped_len_max(text) - text.len() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_long_name_costs_more_than_a_short_one_or_one_of_ascii() {
        let of = |name: &str| Cost::of(&Command::Rename(name.to_owned()), None);
        assert_eq!(of("ann"), Cost::default());
        assert!(of("张三").work > 0 && of("张三").work < of(&"张".repeat(32)).work);
        assert_eq!(of(&"张".repeat(9999)), of(&"张".repeat(999)), "no more than that is normalised");
        let private = Command::Private { to: "张三".to_owned(), text: "hi".to_owned() };
        assert_eq!(Cost::of(&private, None), of("张三"));
        assert_eq!(Cost::of(&Command::Wait(Duration::ZERO, WaitFor::User("张三".to_owned())), None), of("张三"));
    }

    #[test]
    fn a_rename_costs_what_all_are_told_of_it() {
        let told = |old: &str, new: &str| Cost::of(&Command::Rename(new.to_owned()), Some(old.len())).told;
        for (old, new) in [("127.0.0.1:50001", "ann"), ("张三", "李四"), (&"张".repeat(32), &"李".repeat(32))] {
            let notice = format!("[127.0.0.1:50001]{old} is now [{new}]\n").len();
            assert!(told(old, new).abs_diff(notice) < 5, "{} for {notice} bytes", told(old, new));
        }
        assert_eq!(told("ann", &"x".repeat(999)), told("ann", &"x".repeat(9999)), "no name is as long");
    }

    #[test]
    fn a_text_costs_as_often_as_it_is_told_and_more_where_much_of_it_is_escaped() {
        let say = |text: &str| Cost::of(&Command::Say(text.to_owned()), None);
        assert_eq!(say("hello"), Cost { work: 0, told: SENDER_BYTES + 5 });
        assert_eq!(say("\x1b"), Cost { work: 0, told: SENDER_BYTES + 1 }, "too short to be looked at");
        let long = "\x1b".repeat(4000);
        assert_eq!(say(&long), Cost { work: 20_000 * ESCAPE_BYTE_COST, told: SENDER_BYTES + 24_000 });
        let private = Command::Private { to: "ann".to_owned(), text: long.clone() };
        for command in [Command::Sync(long), private] {
            assert_eq!(Cost::of(&command, None), Cost { work: 20_000 * ESCAPE_BYTE_COST, told: 0 }, "{command:?}");
        }
        assert_eq!(Cost::of(&Command::Sync("x".repeat(4000)), None), Cost::default());
    }

    #[test]
    fn a_long_text_that_is_to_be_composed_costs_more() {
        let work = |text: &str| {
            let private = Command::Private { to: "ann".to_owned(), text: text.to_owned() };
            let [said, sent] = [Command::Say(text.to_owned()), private].map(|command| Cost::of(&command, None).work);
            assert_eq!(said, sent);
            said
        };
        assert_eq!((work(&"é".repeat(1000)), work("e\u{301}")), (0, 0));
        assert_eq!(work(&"e\u{301}".repeat(1000)), 3000 * COMPOSED_BYTE_COST);
    }
}
