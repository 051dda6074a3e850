//! What a person is shown: messages of the server as lines with the local time, greetings, lists. Knows no sockets and no
//! terminal; what time it is, it is told.

use std::sync::Arc;

use pipechat::{
    chat::{Event, Identity},
    protocol::{Lang, escape::escaped},
};

use super::{
    command::COMMANDS,
    people::{IDENTITY_BYTES_MAX, People},
    render::Style,
};
use crate::client::message::{ServerMessage, lang_of_set};

/// How many names the answer to `who` is shown with.
const LIST_MAX: usize = 200;

/// What has been heard, and what is to be shown of it.
pub(super) struct Talk {
    pub(super) people: People,
    style: Style,
    /// `HOST:PORT` of the server.
    address: String,
    /// The user's own messages are not shown: the terminal has echoed them.
    hides_own: bool,
    /// The local time, as it stands before each line.
    pub(super) time: String,
    /// Whole lines to be shown.
    above: String,
    roll: Roll,
}

/// The answer to `who` so far.
struct Roll {
    names: Vec<String>,
    /// It was asked for to greet the user.
    is_greeting: bool,
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
        let roll = Roll { names: Vec::new(), is_greeting: true };
        let (people, time, above) = (People::default(), String::new(), String::new());
        Self { people, style, address, hides_own, time, above, roll }
    }

    /// There is a connection, on which the user is called so. The next list of users becomes the greeting.
    pub(super) fn connected(&mut self, me: Arc<Identity>, lang: Lang) {
        self.people = People::default();
        self.roll = Roll { names: Vec::new(), is_greeting: true };
        (self.style.me, self.style.lang) = (me, lang);
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
        match message {
            ServerMessage::News(event) | ServerMessage::Answer(event) => self.people.observe(event),
            ServerMessage::Set(text) => self.style.lang = lang_of_set(text).unwrap_or(self.style.lang),
            ServerMessage::Help(_) | ServerMessage::Refused { .. } | ServerMessage::Farewell { .. } => {}
        }
        match message {
            ServerMessage::Answer(Event::User(who)) => self.enroll(who),
            ServerMessage::Answer(Event::UsersEnd(count)) => self.end_roll(*count),
            ServerMessage::News(Event::Online(who)) if who.addr == self.style.me.addr => {} // the greeting says so
            ServerMessage::News(Event::KnownAs { new, .. }) if new.addr == self.style.me.addr => {} // as the answer does
            ServerMessage::News(Event::Message { from, .. }) if self.hides_own && from.addr == self.style.me.addr => {}
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
            ServerMessage::News(_)
            | ServerMessage::Answer(_)
            | ServerMessage::Set(_)
            | ServerMessage::Help(_)
            | ServerMessage::Refused { .. } => Effect::None,
        }
    }

    fn enroll(&mut self, who: &Identity) {
        if self.roll.names.len() < LIST_MAX && who.name.len().max(who.addr.len()) <= IDENTITY_BYTES_MAX {
            self.roll.names.push(self.style.plain_name(who));
        }
    }

    fn end_roll(&mut self, count: usize) {
        let names = std::mem::take(&mut self.roll.names);
        if std::mem::take(&mut self.roll.is_greeting) {
            let (address, name) = (&self.address, &self.style.me.name);
            self.notice(&format!("connected to {address} as {name}, {count} online; /help for commands"));
            return;
        }
        let more = match count.saturating_sub(names.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        self.notice(&format!("{count} online: {}{more}", names.join(", ")));
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
    use super::*;

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
