//! What commands cost beside what is delivered for them.

use crate::{
    chat::{
        ARGUMENT_BYTES_MAX, AccountCommand, Command, NAME_CHARS_MAX, OrderCommand, ROOMS_AT_ONCE_MAX, WaitFor,
        may_be_composed,
    },
    protocol::escape::escaped_len_max,
};

/// The cost of each byte of a name that is not ASCII, in bytes delivered: normalising three takes up to a microsecond.
const NAME_BYTE_COST: usize = 512;

/// The cost of each byte that is added to a text where it is escaped, in bytes delivered.
const ESCAPE_BYTE_COST: usize = 2;

/// The cost of each byte of a text that is to be composed before it is compared with what clients wait for, in bytes
/// delivered: thirty take a microsecond.
const COMPOSED_BYTE_COST: usize = 40;

/// The cost of a history of one room, beside what is delivered at once, in bytes delivered: it may be looked for in the store.
const HISTORY_COST: usize = 2 << 10;

/// The cost of a change of an account, in bytes delivered: some twenty rows of the store are written.
const ACCOUNT_COST: usize = 32 << 10;
/// The cost of what is said or done in a room that has no members, in bytes delivered: it may have to be made, and another one
/// forgotten for it, which takes up to ten microseconds.
const ROOM_COST: usize = 12 << 10;

/// A shorter text costs little, however much of it is escaped or composed.
const LONG_TEXT_BYTES: usize = 256;
/// What stands before a text that is said: the sender's address and name, in the shortest dialect.
const SENDER_BYTES: usize = 40;
/// What stands in a notice beside names: the address and the words.
const NOTICE_BYTES: usize = 30;
/// The longest name that anybody can be told.
const NAME_BYTES_MAX: usize = 4 * NAME_CHARS_MAX;

/// What a command costs at least if it is not refused, in bytes delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Beside what is delivered for it.
    pub(super) work: usize,
    /// What each of its audience is told.
    pub(super) told: usize,
    /// How many are told of it.
    pub(super) audience: usize,
}

impl Cost {
    /// Of a command of a client whose name has so many bytes, when so many are told of it.
    pub(super) fn of(command: &Command, name_bytes: usize, audience: usize) -> Self {
        let room_cost = |room: &str| name_cost(room) + if audience == 0 { ROOM_COST } else { 0 };
        let (work, told) = match command {
            Command::Say(text) => of_text(text),
            Command::In { room, text } => {
                let (work, told) = of_text(text);
                (work + room_cost(room), told)
            }
            Command::Topic { room, text } => {
                let (work, told) = text.as_ref().map_or((0, 0), |text| of_text(text));
                (work + name_cost(room), told)
            }
            // All are told of one that logs in, as of a rename, and of the one that has lost the name to it.
            Command::Account(command) => (account_cost(command), 2 * (NOTICE_BYTES + name_bytes)),
            Command::Order(command) => (order_cost(command), 0),
            Command::Sync(text) => (added_by_escaping(text) * ESCAPE_BYTE_COST, 0),
            Command::Private { to, text } => (name_cost(to) + of_text(text).0, 0),
            Command::Rename(new) => (name_cost(new), NOTICE_BYTES + name_bytes + new.len().min(NAME_BYTES_MAX)),
            Command::History(stretch) => (history_cost(&stretch.rooms), 0),
            Command::Follow { rooms, .. } => {
                // Beside one room whose members are told, there may be others that have to be made.
                let made = rooms.len().saturating_sub(usize::from(audience > 0)).min(ROOMS_AT_ONCE_MAX);
                (history_cost(rooms) + made * ROOM_COST, NOTICE_BYTES + name_bytes)
            }
            Command::Join { room, start } => {
                let history = if start.is_some() { HISTORY_COST } else { 0 };
                (room_cost(room) + history, NOTICE_BYTES + name_bytes)
            }
            Command::Leave(room) => (name_cost(room), NOTICE_BYTES + name_bytes),
            Command::WhoIn(name)
            | Command::Wait(
                _,
                WaitFor::User(name) | WaitFor::Gone(name) | WaitFor::Members(name, _) | WaitFor::In { room: name, .. },
            ) => (name_cost(name), 0),
            Command::Wait(_, WaitFor::By { account, room, .. }) => {
                (name_cost(account) + room.as_deref().map_or(0, name_cost), 0)
            }
            Command::Wait(_, WaitFor::Users(_) | WaitFor::Text(_)) | Command::Who | Command::Rooms => (0, 0),
        };
        Self { work, told, audience }
    }

    /// All of it.
    pub(super) fn total(self) -> usize {
        self.work + self.told * self.audience
    }
}

/// What it costs to make a text visible and to compare it with what clients wait for, and what each is told of it.
fn of_text(text: &str) -> (usize, usize) {
    let added = added_by_escaping(text);
    (added * ESCAPE_BYTE_COST + composing_cost(text), SENDER_BYTES + text.len() + added)
}

/// Of what has to do with an account: what is changed is written to the store, with all tokens.
fn account_cost(command: &AccountCommand) -> usize {
    match command {
        AccountCommand::Login { name: Some(name), .. } => name_cost(name),
        AccountCommand::Login { name: None, .. } | AccountCommand::Tokens => 0,
        AccountCommand::Register(_)
        | AccountCommand::Password { .. }
        | AccountCommand::Unregister(_)
        | AccountCommand::Token(_)
        | AccountCommand::Revoke(_) => ACCOUNT_COST,
    }
}

/// Of what keeps order: somebody is looked for, and what is done is written to the store.
fn order_cost(command: &OrderCommand) -> usize {
    ACCOUNT_COST + command.names().into_iter().map(name_cost).sum::<usize>()
}

/// Of a look into the past of these rooms. More than may be named at once are refused.
fn history_cost(rooms: &[String]) -> usize {
    rooms.iter().take(ROOMS_AT_ONCE_MAX).map(|room| name_cost(room) + HISTORY_COST).sum()
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
    use crate::chat::{Kinds, Start, Stretch};

    fn of(command: &Command) -> Cost {
        Cost::of(command, 3, 1)
    }

    #[test]
    fn a_long_name_costs_more_than_a_short_one_or_one_of_ascii() {
        let work = |name: &str| of(&Command::Rename(name.to_owned())).work;
        assert_eq!(work("ann"), 0);
        assert!(work("张三") > 0 && work("张三") < work(&"张".repeat(32)));
        assert_eq!(work(&"张".repeat(9999)), work(&"张".repeat(999)), "no more than that is normalised");
        let name = || "张三".to_owned();
        for command in [
            Command::Private { to: name(), text: "hi".to_owned() },
            Command::Wait(Duration::ZERO, WaitFor::User(name())),
            Command::Wait(Duration::ZERO, WaitFor::Members(name(), 2)),
            Command::Join { room: name(), start: None },
            Command::WhoIn(name()),
            Command::In { room: name(), text: "hi".to_owned() },
        ] {
            assert_eq!(of(&command).work, work("张三"), "{command:?}");
        }
    }

    #[test]
    fn a_rename_costs_what_all_are_told_of_it() {
        let told = |old: &str, new: &str| Cost::of(&Command::Rename(new.to_owned()), old.len(), 9).told;
        for (old, new) in [("127.0.0.1:50001", "ann"), ("张三", "李四"), (&"张".repeat(32), &"李".repeat(32))] {
            let notice = format!("[127.0.0.1:50001]{old} is now [{new}]\n").len();
            assert!(told(old, new).abs_diff(notice) < 5, "{} for {notice} bytes", told(old, new));
        }
        assert_eq!(told("ann", &"x".repeat(999)), told("ann", &"x".repeat(9999)), "no name is as long");
        let rename = Cost::of(&Command::Rename("bob".to_owned()), 3, 9);
        assert_eq!(rename.total(), 9 * rename.told);
    }

    #[test]
    fn a_text_costs_as_often_as_it_is_told_and_more_where_much_of_it_is_escaped() {
        let say = |text: &str| of(&Command::Say(text.to_owned()));
        assert_eq!((say("hello").work, say("hello").told), (0, SENDER_BYTES + 5));
        assert_eq!(say("\x1b").told, SENDER_BYTES + 1, "too short to be looked at");
        let long = "\x1b".repeat(4000);
        let cost = (20_000 * ESCAPE_BYTE_COST, SENDER_BYTES + 24_000);
        assert_eq!((say(&long).work, say(&long).told), cost);
        for command in [
            Command::In { room: "builds".to_owned(), text: long.clone() },
            Command::Topic { room: "builds".to_owned(), text: Some(long.clone()) },
        ] {
            assert_eq!((of(&command).work, of(&command).told), cost, "{command:?}");
        }
        let private = Command::Private { to: "ann".to_owned(), text: long.clone() };
        for command in [Command::Sync(long), private] {
            assert_eq!((of(&command).work, of(&command).told), (cost.0, 0), "{command:?}");
        }
        assert_eq!(of(&Command::Sync("x".repeat(4000))).total(), 0);
    }

    #[test]
    fn a_history_costs_more_than_its_name() {
        for start in [Start::Last(9), Start::Unknown] {
            let room = || "builds".to_owned();
            assert_eq!(of(&Command::History(Stretch::of(room(), start))).work, HISTORY_COST);
            let join = of(&Command::Join { room: room(), start: Some(start) });
            assert_eq!((join.work, join.told), (HISTORY_COST, NOTICE_BYTES + 3), "and others are told of it");
        }
        let two = || vec!["builds".to_owned(), "张三".to_owned()];
        let start = Start::Last(9);
        let stretch = Stretch { rooms: two(), ..Stretch::of(String::new(), start) };
        let work = name_cost("张三") + 2 * HISTORY_COST;
        assert_eq!(of(&Command::History(stretch)).work, work);
        let follow = |audience| Cost::of(&Command::Follow { rooms: two(), start, kinds: Kinds::All }, 3, audience);
        assert_eq!((follow(9).work, follow(9).told), (work + ROOM_COST, NOTICE_BYTES + 3), "one may have to be made");
        assert_eq!(follow(0).work, work + 2 * ROOM_COST);
    }

    #[test]
    fn a_room_that_may_have_to_be_made_costs_more() {
        let room = || "builds".to_owned();
        for command in [
            Command::In { room: room(), text: "hi".to_owned() },
            Command::Join { room: room(), start: None },
            Command::Join { room: room(), start: Some(Start::Last(9)) },
        ] {
            let work = |audience| Cost::of(&command, 3, audience).work;
            assert_eq!(work(0) - work(1), ROOM_COST, "{command:?}");
        }
    }

    #[test]
    fn a_long_text_that_is_to_be_composed_costs_more() {
        let work = |text: &str| {
            let private = Command::Private { to: "ann".to_owned(), text: text.to_owned() };
            let [said, sent] = [Command::Say(text.to_owned()), private].map(|command| of(&command).work);
            assert_eq!(said, sent);
            said
        };
        assert_eq!((work(&"é".repeat(1000)), work("e\u{301}")), (0, 0));
        assert_eq!(work(&"e\u{301}".repeat(1000)), 3000 * COMPOSED_BYTE_COST);
    }
}
