//! What a person is shown: messages of the server as lines with the local time, greetings, lists. Knows no sockets and no
//! terminal; what time it is, it is told.

mod history;

use std::sync::Arc;

use jiff::{Timestamp, Zoned, tz::TimeZone};
use pipechat::{
    chat::{Done, Event, Identity, PublicEvent},
    protocol::{Lang, escape::escaped},
};

use super::{
    command::COMMANDS,
    credentials::Credentials,
    lists::Lists,
    past::Missed,
    people::{IDENTITY_BYTES_MAX, People},
    render::{Style, shown},
    rooms::Rooms,
};
use crate::client::{
    listen::LACKS_HISTORY,
    message::{News, NewsEvent, ServerMessage},
    terminal::Completion,
    words::lang_of_set,
};

/// What has been heard, and what is to be shown of it.
pub(super) struct Talk {
    people: People,
    pub(super) rooms: Rooms,
    pub(super) credentials: Credentials,
    style: Style,
    /// `HOST:PORT` of the server.
    address: String,
    /// The user's own messages are not shown: the terminal has echoed them.
    hides_own: bool,
    /// The local time, which stands before each line.
    pub(super) now: Zoned,
    /// Whole lines to be shown.
    above: String,
    lists: Lists,
    missed: Missed,
    /// The server is older than history.
    lacks_history: bool,
    /// The user has asked for a history, and is told if there is none.
    has_asked: bool,
    /// The user was told that some of what was missed is lost.
    is_told_gone: bool,
    /// What was heard last, and may be heard once more in another room.
    last: Option<PublicEvent>,
}

/// What a message means for the connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    None,
    /// This line is to be sent.
    Send(String),
    /// The user has this name now.
    Renamed(String),
    /// The server closes the connection because the user has asked for it.
    Goodbye,
    /// The server closes the connection for this reason: its code, and a sentence.
    Farewell(String, String),
    /// The server closes the connection after a wait that timed out.
    WaitTimedOut,
}

impl Talk {
    pub(super) fn new(style: Style, address: String, hides_own: bool) -> Self {
        let (people, rooms) = (People::default(), Rooms::default());
        let now = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        Self {
            people,
            rooms,
            credentials: Credentials::default(),
            style,
            address,
            hides_own,
            now,
            above: String::new(),
            lists: Lists::new(),
            missed: Missed::default(),
            lacks_history: false,
            has_asked: false,
            is_told_gone: false,
            last: None,
        }
    }

    /// There is a connection, on which the user is called so. The next list of users becomes the greeting.
    pub(super) fn connected(&mut self, me: Arc<Identity>, lang: Lang, lacks_history: bool) {
        self.people = People::default();
        self.credentials.connected();
        (self.lists, self.last) = (Lists::new(), None);
        (self.has_asked, self.is_told_gone) = (false, false);
        (self.style.me, self.style.lang) = (me, lang);
        self.lacks_history = lacks_history;
    }

    /// What asks for what was missed in the rooms that the user is in, a line each.
    pub(super) fn ask_for_missed(&mut self) -> Vec<String> {
        if self.lacks_history { Vec::new() } else { self.missed.ask(self.rooms.joined()) }
    }

    /// What asks to be in this room.
    pub(super) fn join(&self, room: &str) -> String {
        if self.rooms.contains(room) || self.lacks_history { format!("join|{room}") } else { Missed::join(room) }
    }

    /// What asks for the last so many lines of the room where lines go, if the server knows what that is.
    pub(super) fn history(&mut self, count: usize) -> Option<String> {
        if self.lacks_history {
            self.notice(LACKS_HISTORY);
            return None;
        }
        self.has_asked = true;
        Some(format!("history|{}|{count}", self.rooms.current()))
    }

    /// What may stand for the last word of `before`.
    pub(super) fn complete(&self, before: &str) -> Completion {
        self.rooms.complete(before).unwrap_or_else(|| self.people.complete(before))
    }

    /// Takes what is to be shown.
    pub(super) fn take_above(&mut self) -> String {
        std::mem::take(&mut self.above)
    }

    /// Bytes that are to be shown.
    pub(super) fn pending(&self) -> usize {
        self.above.len()
    }

    /// Shows a line of the server.
    pub(super) fn receive(&mut self, line: &str) -> Effect {
        match ServerMessage::parse(line) {
            Some(message) => self.message(&message),
            // The user may have asked for `format|text`.
            None if !line.starts_with('{') => {
                self.say(&escaped(line));
                Effect::None
            }
            None => Effect::None,
        }
    }

    /// Shows a message of the server.
    pub(super) fn message(&mut self, message: &ServerMessage) -> Effect {
        self.rooms.observe(message);
        self.credentials.observe(message);
        match message {
            ServerMessage::News(News { event: NewsEvent::Public(event), .. }) => self.people.observe(event),
            ServerMessage::News(News { event: NewsEvent::Private { from: who, .. }, .. })
            | ServerMessage::Answer(Event::User(who) | Event::Renamed { new: who, .. }) => self.people.add(who),
            ServerMessage::Set(text) => self.style.lang = lang_of_set(text).unwrap_or(self.style.lang),
            ServerMessage::News(News { event: NewsEvent::Notice(_), .. })
            | ServerMessage::Answer(_)
            | ServerMessage::Past(_)
            | ServerMessage::Help(_)
            | ServerMessage::Refused { .. }
            | ServerMessage::Farewell { .. } => {}
        }
        if let Some(effect) = self.take_history(message) {
            return effect;
        }
        match message {
            ServerMessage::Answer(Event::User(who)) => {
                if who.name.len().max(who.addr.len()) <= IDENTITY_BYTES_MAX {
                    self.lists.user(self.style.plain_name(who));
                }
            }
            ServerMessage::Answer(Event::UsersEnd(count)) => self.end_users(None, *count),
            ServerMessage::Answer(Event::Done(Done::Who(room, count))) => {
                self.end_users(Some(room), *count);
            }
            ServerMessage::Answer(Event::Room { name, members, topic }) => self.lists.room(name, *members, topic),
            ServerMessage::Answer(Event::Done(Done::Rooms(count))) => {
                self.lists.end_rooms(*count).iter().for_each(|room| self.notice(room));
            }
            ServerMessage::Answer(Event::Done(Done::In(room, _))) if self.rooms.contains(room) => {} // it is heard there
            ServerMessage::News(news) if self.is_known_news(news) => {}
            ServerMessage::News(news @ News { at: Some(at), is_replay: true, .. }) => {
                let text = self.style.told_again(news);
                self.say_then(*at, &text);
            }
            ServerMessage::Farewell { code, text } if code != "quit" => {
                return Effect::Farewell(code.clone(), text.clone());
            }
            message => {
                if let Some(text) = self.style.render(message) {
                    self.say(&text);
                }
            }
        }
        match message {
            ServerMessage::Farewell { .. } => Effect::Goodbye,
            ServerMessage::Answer(Event::WaitTimedOut) => Effect::WaitTimedOut,
            ServerMessage::Answer(Event::Renamed { new, .. }) => {
                self.style.me = Arc::clone(new);
                Effect::Renamed(new.name.clone())
            }
            ServerMessage::News(_)
            | ServerMessage::Past(_)
            | ServerMessage::Answer(_)
            | ServerMessage::Set(_)
            | ServerMessage::Help(_)
            | ServerMessage::Refused { .. } => Effect::None,
        }
    }

    /// Whether the user knows this already: from an answer, from the terminal, or from another room.
    fn is_known(&mut self, event: &PublicEvent) -> bool {
        let me = &self.style.me.addr;
        match event {
            // The greeting says so, or the answer.
            PublicEvent::Online(who) => {
                self.last = None; // the one that went offline last may be back
                who.addr == *me
            }
            PublicEvent::Joined(who) | PublicEvent::Left(who) => who.addr == *me,
            PublicEvent::Topic { from, .. } => from.addr == *me,
            PublicEvent::Message { from, .. } => self.hides_own && from.addr == *me,
            PublicEvent::KnownAs { new, .. } if new.addr == *me => true,
            // One who is in several rooms with the user is told of in each, one after the other.
            PublicEvent::KnownAs { .. } | PublicEvent::Offline(..) => {
                self.last.replace(event.clone()).as_ref() == Some(event)
            }
        }
    }

    fn end_users(&mut self, room: Option<&str>, count: usize) {
        let text = if self.lists.take_greeting() {
            let (address, name) = (&self.address, &self.style.me.name);
            format!("connected to {address} as {name}, {count} online; /help for commands")
        } else {
            self.lists.end_users(room, count)
        };
        self.notice(&text);
    }

    /// Shows something that is not from the chat.
    pub(super) fn notice(&mut self, text: &str) {
        self.say(&self.style.notice(text));
    }

    /// Shows a private message that the user has sent.
    pub(super) fn sent(&mut self, to: &str, text: &str) {
        self.say(&self.style.sent(&escaped(to), &escaped(text)));
    }

    /// Shows the commands of this client.
    pub(super) fn help(&mut self) {
        for (command, arguments, meaning) in COMMANDS {
            self.notice(&format!("{command}{arguments}: {meaning}"));
        }
        self.notice("//TEXT: say /TEXT");
        self.notice("help: the server's commands");
    }

    /// Shows these lines, with the time before the first of them.
    fn say(&mut self, text: &str) {
        let time = self.now.strftime("%H:%M").to_string();
        self.above.push_str(&self.style.stamped(&time, text));
        self.above.push('\n');
    }
}

#[cfg(test)]
mod tests;
