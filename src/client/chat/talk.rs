//! What a person is shown: messages of the server as lines with the local time, greetings, lists. Knows no sockets and no
//! terminal; what time it is, it is told.

use std::sync::Arc;

use pipechat::{
    chat::{Done, Event, Identity},
    protocol::{Lang, escape::escaped},
};

use super::{
    command::COMMANDS,
    lists::Lists,
    people::{IDENTITY_BYTES_MAX, People},
    render::Style,
    rooms::Rooms,
};
use crate::client::{message::ServerMessage, terminal::Completion, words::lang_of_set};

/// What has been heard, and what is to be shown of it.
pub(super) struct Talk {
    people: People,
    pub(super) rooms: Rooms,
    style: Style,
    /// `HOST:PORT` of the server.
    address: String,
    /// The user's own messages are not shown: the terminal has echoed them.
    hides_own: bool,
    /// The local time, as it stands before each line.
    pub(super) time: String,
    /// Whole lines to be shown.
    above: String,
    lists: Lists,
    /// What was heard last, and may be heard once more in another room.
    last: Option<Event>,
}

/// What a message means for the connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    None,
    /// The user has this name now.
    Renamed(String),
    /// The server closes the connection because the user has asked for it.
    Goodbye,
    /// The server closes the connection for this reason.
    Farewell(String),
    /// The server closes the connection after a wait that timed out.
    WaitTimedOut,
}

impl Talk {
    pub(super) fn new(style: Style, address: String, hides_own: bool) -> Self {
        let (people, rooms) = (People::default(), Rooms::default());
        let (time, above) = (String::new(), String::new());
        Self { people, rooms, style, address, hides_own, time, above, lists: Lists::new(), last: None }
    }

    /// There is a connection, on which the user is called so. The next list of users becomes the greeting.
    pub(super) fn connected(&mut self, me: Arc<Identity>, lang: Lang) {
        self.people = People::default();
        (self.lists, self.last) = (Lists::new(), None);
        (self.style.me, self.style.lang) = (me, lang);
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
        match message {
            ServerMessage::News(event, _) | ServerMessage::Answer(event) => self.people.observe(event),
            ServerMessage::Set(text) => self.style.lang = lang_of_set(text).unwrap_or(self.style.lang),
            ServerMessage::Help(_) | ServerMessage::Refused { .. } | ServerMessage::Farewell { .. } => {}
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
            ServerMessage::Answer(Event::Done(Done::In(room))) if self.rooms.contains(room) => {} // it is heard there
            ServerMessage::News(event, _) if self.is_known(event) => {}
            ServerMessage::Farewell { code, text } if code != "quit" => return Effect::Farewell(text.clone()),
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
            ServerMessage::News(..)
            | ServerMessage::Answer(_)
            | ServerMessage::Set(_)
            | ServerMessage::Help(_)
            | ServerMessage::Refused { .. } => Effect::None,
        }
    }

    /// Whether the user knows this already: from an answer, from the terminal, or from another room.
    fn is_known(&mut self, event: &Event) -> bool {
        let me = &self.style.me.addr;
        match event {
            // The greeting says so, or the answer.
            Event::Online(who) => {
                self.last = None; // the one that went offline last may be back
                who.addr == *me
            }
            Event::Joined(who) | Event::Left(who) => who.addr == *me,
            Event::Topic { from, .. } => from.addr == *me,
            Event::Message { from, .. } => self.hides_own && from.addr == *me,
            Event::KnownAs { new, .. } if new.addr == *me => true,
            // One who is in several rooms with the user is told of in each, one after the other.
            Event::KnownAs { .. } | Event::Offline(..) => self.last.replace(event.clone()).as_ref() == Some(event),
            Event::Private { .. }
            | Event::User(_)
            | Event::UsersEnd(_)
            | Event::Renamed { .. }
            | Event::Room { .. }
            | Event::Done(_)
            | Event::Declined(..)
            | Event::Synced(_)
            | Event::WaitMet(_)
            | Event::WaitTimedOut
            | Event::Refused(_)
            | Event::Farewell(_) => false,
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
        self.above.push_str(&self.style.stamped(&self.time, text));
        self.above.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::{super::lists::LIST_MAX, *};

    fn identity(name: &str) -> Arc<Identity> {
        Arc::new(Identity { name: name.to_owned(), addr: format!("1.2.3.4:{name}") })
    }

    /// What Bob is shown of these lines of the server, and what the last one means.
    fn shown(hides_own: bool, lines: &[String]) -> (String, Effect) {
        let style = Style { has_colours: false, shows_addr: false, lang: Lang::En, me: identity("") };
        let mut talk = Talk::new(style, "host:9999".to_owned(), hides_own);
        talk.time = "12:34".to_owned();
        talk.connected(identity("bob"), Lang::En);
        let mut effect = Effect::None;
        lines.iter().for_each(|line| effect = talk.receive(line));
        (talk.take_above(), effect)
    }

    fn from(name: &str, event: &str) -> String {
        format!(r#"{{"from":{{"name":"{name}","addr":"1.2.3.4:{name}"}},"event":"{event}","text":"hi","old":"x"}}"#)
    }

    fn end(count: usize) -> String {
        format!(r#"{{"event":"users_end","count":{count}}}"#)
    }

    #[test]
    fn the_first_list_is_the_greeting() {
        let list = [from("ann", "user"), from("bob", "user"), end(2)];
        let greeting = "12:34 -- connected to host:9999 as bob, 2 online; /help for commands\n";
        assert_eq!(shown(false, &list).0, greeting);
        assert_eq!(shown(false, &[&list[..], &list].concat()).0, format!("{greeting}12:34 -- 2 online: ann, bob\n"));
        let crowd = vec![from("ann", "user"); LIST_MAX + 1];
        let (text, _) = shown(false, &[&[end(0)], &crowd[..], &[end(LIST_MAX + 1)]].concat());
        assert!(text.ends_with(", ann and 1 more\n"), "{text}");
        let long = [from(&"x".repeat(IDENTITY_BYTES_MAX), "user"), end(1)]; // its address is longer
        assert!(shown(false, &[&[end(0)], &long[..]].concat()).0.ends_with("-- 1 online:  and 1 more\n"));
    }

    #[test]
    fn ones_own_line_stands_once() {
        let own = [from("bob", "online"), from("bob", "message")];
        assert_eq!(shown(false, &own).0, "12:34 bob: hi\n");
        assert_eq!(shown(true, &own).0, "", "the terminal has echoed it");
    }

    #[test]
    fn a_new_name_is_told_once() {
        let own = [from("bob", "renamed"), from("bob", "known_as")];
        assert_eq!(shown(false, &own).0, "12:34 -- you are now bob\n");
        assert_eq!(shown(false, &[from("ann", "known_as")]).0, "12:34 x is now ann\n");
        let in_room = |line: String| line.replace('}', r#","room":"builds"}"#).replacen(r#","room":"builds"}"#, "}", 1);
        for event in ["known_as", "offline"] {
            let in_both = [from("ann", event), in_room(from("ann", event))];
            assert_eq!(shown(false, &in_both), shown(false, &in_both[..1]), "{event} in two rooms");
        }
        let again = [from("ann", "offline"), from("ann", "online"), from("ann", "offline")];
        assert_eq!(shown(false, &again).0.matches("ann is offline").count(), 2);
    }

    #[test]
    fn rooms_are_a_list() {
        let room = |name, text| format!(r#"{{"event":"room","room":"{name}","count":2,"text":{text}}}"#);
        let end = |verb, count| format!(r#"{{"event":"ok","verb":"{verb}","room":"builds","count":{count}}}"#);
        let rooms = [room("builds", "\"nightly\""), room("lobby", "null"), end("rooms", 2)];
        assert_eq!(shown(false, &rooms).0, "12:34 -- #builds (2): nightly\n12:34 -- lobby (2)\n");
        let many = [&vec![room("x", "null"); LIST_MAX + 1][..], &[end("rooms", LIST_MAX + 1)]].concat();
        let (text, _) = shown(false, &many);
        assert!(text.ends_with("12:34 -- #x (2)\n12:34 -- and 1 more\n"), "{text}");
        let members = [self::end(0), from("ann", "user"), end("who", 1)];
        assert!(shown(false, &members).0.ends_with("\n12:34 -- #builds: 1 online: ann\n"));
    }

    #[test]
    fn what_the_user_does_in_a_room_is_told_once() {
        let done = |verb| format!(r#"{{"event":"ok","verb":"{verb}","room":"builds","count":1,"text":"x"}}"#);
        for (event, verb, text) in [
            ("joined", "join", "12:34 -- you are in #builds, 1 there, topic: x\n"),
            ("left", "leave", "12:34 -- you have left #builds\n"),
            ("topic", "topic", "12:34 -- #builds topic: x\n"),
        ] {
            assert_eq!(shown(false, &[from("bob", event), done(verb)]).0, text);
        }
        assert_eq!(shown(false, &[done("in")]).0, "12:34 -- said in #builds\n");
        assert!(!shown(false, &[done("join"), done("in")]).0.contains("said"), "it is heard there");
    }

    #[test]
    fn some_messages_have_an_effect() {
        let farewell = |code| format!(r#"{{"event":"farewell","code":"{code}","text":"because"}}"#);
        for (line, text, effect) in [
            (from("rob", "renamed"), "12:34 -- you are now rob\n", Effect::Renamed("rob".to_owned())),
            (farewell("quit"), "12:34 -- because\n", Effect::Goodbye),
            (farewell("idle"), "", Effect::Farewell("because".to_owned())),
            (r#"{"event":"wait","code":"timeout"}"#.to_owned(), "12:34 -- wait timed out\n", Effect::WaitTimedOut),
            ("plain \x1b".to_owned(), "12:34 plain \\u{1b}\n", Effect::None),
            ("{".to_owned(), "", Effect::None),
        ] {
            assert_eq!(shown(false, &[line]), (text.to_owned(), effect));
        }
    }
}
