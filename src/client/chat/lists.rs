//! Answers of many lines, which are shown when they are complete: who is here, and which rooms there are.

use super::render::shown;

/// How many names, or rooms, are shown.
pub(super) const LIST_MAX: usize = 200;

/// The answers so far.
#[derive(Debug)]
pub(super) struct Lists {
    names: Vec<String>,
    rooms: Vec<String>,
    /// The next list of users was asked for to greet the user.
    is_greeting: bool,
}

impl Lists {
    pub(super) fn new() -> Self {
        Self { names: Vec::new(), rooms: Vec::new(), is_greeting: true }
    }

    /// Whether the list of users that is complete is the greeting, which has no names.
    pub(super) fn take_greeting(&mut self) -> bool {
        if self.is_greeting {
            self.names.clear();
        }
        std::mem::take(&mut self.is_greeting)
    }

    pub(super) fn user(&mut self, name: String) {
        if self.names.len() < LIST_MAX {
            self.names.push(name);
        }
    }

    pub(super) fn room(&mut self, room: &str, members: Option<usize>, topic: &str) {
        if self.rooms.len() < LIST_MAX {
            let topic = if topic.is_empty() { String::new() } else { format!(": {topic}") };
            let members = members.map_or_else(|| "-".to_owned(), |members| members.to_string()); // it is locked
            self.rooms.push(format!("{} ({members}){topic}", shown(room)));
        }
    }

    /// Those who are here, or in a room: so many.
    pub(super) fn end_users(&mut self, room: Option<&str>, count: usize) -> String {
        let names = std::mem::take(&mut self.names);
        let place = room.map_or_else(String::new, |room| format!("{}: ", shown(room)));
        let more = match count.saturating_sub(names.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{place}{count} online: {}{more}", names.join(", "))
    }

    /// The rooms that there are, so many: a line each.
    pub(super) fn end_rooms(&mut self, count: usize) -> Vec<String> {
        let mut rooms = std::mem::take(&mut self.rooms);
        let more = count.saturating_sub(rooms.len());
        if more > 0 {
            rooms.push(format!("and {more} more"));
        }
        rooms
    }
}
