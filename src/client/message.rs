//! The server's messages, parsed from its JSON dialect and rendered in its text dialect. Escapes whatever the server
//! sent: the server may be malicious, and what comes out of here goes to a terminal.

use std::{fmt::Write, sync::Arc};

use jiff::Timestamp;
use pipechat::{
    chat::{Departure, Event, Identity, NameRule, Refusal},
    protocol::{
        Dialect, Format, Lang, Reply, Setting, Stamp,
        escape::{escaped, must_escape},
        render, render_reply,
    },
};
use serde_json::Value;

/// The most values that a line may have, several times as many as any event has. Each takes many times as much memory
/// as it has bytes, so a line with more is not parsed.
const VALUES_MAX: usize = 100;

/// A message of the server. All texts and names in it are escaped: they can be printed.
#[derive(Debug)]
pub(super) enum ServerMessage {
    /// Somebody arrives, leaves, has a new name or says something.
    News(Event),
    /// The answer to a command of this client.
    Answer(Event),
    /// A setting is confirmed, in a sentence.
    Set(String),
    /// The answer to `help`: the only text of several lines.
    Help(String),
    /// A command is refused.
    Refused {
        /// The reason, for programs.
        code: String,
        /// The reason, for people.
        text: String,
    },
    /// The server ends the connection.
    Farewell {
        /// The reason, for programs.
        code: String,
        /// The reason, for people.
        text: String,
    },
}

impl ServerMessage {
    /// Parses `line`. `None` is no object of the JSON dialect, or an event that this client does not know.
    pub(super) fn parse(line: &str) -> Option<Self> {
        if !line.starts_with('{') || count_values(line) > VALUES_MAX {
            return None;
        }
        let object: Value = serde_json::from_str(line).ok()?;
        let string = |key: &str| object[key].as_str().map(escaped);
        let text = || string("text");
        let who = || {
            let field = |key: &str| object["from"][key].as_str().map(escaped);
            Some(Arc::new(Identity { name: field("name")?, addr: field("addr")? }))
        };
        let old = || Some(Arc::new(Identity { name: string("old")?, addr: who()?.addr.clone() }));
        Some(match object["event"].as_str()? {
            "online" => Self::News(Event::Online(who()?)),
            // Any departure will do: the text dialect does not show the reason.
            "offline" => Self::News(Event::Offline(who()?, Departure::Left)),
            "message" => Self::News(Event::Message { from: who()?, text: text()? }),
            "private" => Self::News(Event::Private { from: who()?, text: text()? }),
            "user" => Self::Answer(Event::User(who()?)),
            "users_end" => Self::Answer(Event::UsersEnd(usize::try_from(object["count"].as_u64()?).ok()?)),
            "renamed" => Self::Answer(Event::Renamed { old: old()?, new: who()? }),
            "known_as" => Self::News(Event::KnownAs { old: old()?, new: who()? }),
            "sync" => Self::Answer(Event::Synced(text()?)),
            "wait" if object["code"] == "ok" => Self::Answer(Event::WaitMet(text()?)),
            "wait" => Self::Answer(Event::WaitTimedOut),
            "set" => Self::Set(text()?),
            "help" => Self::Help(object["text"].as_str()?.split('\n').map(escaped).collect::<Vec<_>>().join("\n")),
            "refused" => Self::Refused { code: string("code")?, text: text()? },
            "farewell" => Self::Farewell { code: string("code")?, text: text()? },
            _ => return None,
        })
    }

    /// Whether `line` is news, decided without parsing all of it: `event` comes before all that users can choose.
    pub(super) fn is_news(line: &str) -> bool {
        let event = line.split_once(r#""event":""#).and_then(|(_, rest)| rest.split_once('"'));
        matches!(event, Some(("online" | "offline" | "known_as" | "message" | "private", _)))
    }

    /// The message in the text dialect, as whole lines.
    pub(super) fn in_text(&self, lang: Lang) -> Vec<u8> {
        match self {
            Self::News(event) | Self::Answer(event) => in_text(event, lang),
            Self::Set(text) | Self::Help(text) | Self::Refused { text, .. } | Self::Farewell { text, .. } => {
                format!("{text}\n").into_bytes()
            }
        }
    }

    /// The same message with `change` applied to the names of users.
    pub(super) fn with_names(self, change: impl Fn(&str) -> String) -> Self {
        let who = |who: &Identity| Arc::new(Identity { name: change(&who.name), addr: who.addr.clone() });
        let event = |event| match event {
            Event::Online(it) => Event::Online(who(&it)),
            Event::Offline(it, departure) => Event::Offline(who(&it), departure),
            Event::Message { from, text } => Event::Message { from: who(&from), text },
            Event::Private { from, text } => Event::Private { from: who(&from), text },
            Event::User(it) => Event::User(who(&it)),
            Event::Renamed { old, new } => Event::Renamed { old: who(&old), new: who(&new) },
            Event::KnownAs { old, new } => Event::KnownAs { old: who(&old), new: who(&new) },
            Event::UsersEnd(_)
            | Event::Synced(_)
            | Event::WaitMet(_)
            | Event::WaitTimedOut
            | Event::Refused(_)
            | Event::Farewell(_) => event,
        };
        match self {
            Self::News(it) => Self::News(event(it)),
            Self::Answer(it) => Self::Answer(event(it)),
            Self::Set(_) | Self::Help(_) | Self::Refused { .. } | Self::Farewell { .. } => self,
        }
    }
}

/// The number of values in `json`, a line of valid JSON: those in containers, of which each follows a bracket or a
/// comma.
fn count_values(json: &str) -> usize {
    let (mut in_string, mut is_escaped, mut count) = (false, false, 0);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' | b',' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

/// `json`, a line of valid JSON, with what must not reach a terminal raw escaped as JSON escapes it.
pub(super) fn escaped_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\r' => out.push(' '), // white space between values: a control character is not valid within a string
            c if must_escape(c) => write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes all"),
            c => out.push(c),
        }
    }
    out
}

/// The language in which this text of the server confirms a setting.
pub(super) fn lang_of_set(text: &str) -> Option<Lang> {
    [Lang::Zh, Lang::En].into_iter().find(|&lang| {
        let settings = [Setting::Format(Format::Json), Setting::Lang(lang), Setting::Stay];
        settings.into_iter().any(|setting| confirmation(setting, lang).trim_ascii_end() == text.as_bytes())
    })
}

/// Whether with this text, in either language, the server refuses a connection because it has too many.
pub(super) fn is_refusal_to_let_in(text: &str) -> bool {
    [Departure::Full, Departure::FullForAddress, Departure::TooManyArrivals].into_iter().any(|departure| {
        let farewell = Event::Farewell(departure);
        [Lang::Zh, Lang::En].into_iter().any(|lang| in_text(&farewell, lang).trim_ascii_end() == text.as_bytes())
    })
}

/// Why a text is no name, as the server would say it in English.
pub(super) fn rule_of_names(rule: NameRule) -> String {
    let refusal = in_text(&Event::Refused(Refusal::NameInvalid(rule)), Lang::En);
    let refusal = String::from_utf8_lossy(&refusal).trim_end().to_owned();
    refusal.split_once(": ").map_or(refusal.clone(), |(_, rule)| rule.to_owned())
}

fn confirmation(setting: Setting, lang: Lang) -> Vec<u8> {
    let mut out = Vec::new();
    render_reply(&mut out, &Reply::Set(setting), Timestamp::UNIX_EPOCH, Dialect { lang, ..Dialect::default() });
    out
}

fn in_text(event: &Event, lang: Lang) -> Vec<u8> {
    let mut out = Vec::new();
    let stamp = Stamp { seq: None, at: Timestamp::UNIX_EPOCH }; // text has none
    render(&mut out, event, stamp, Dialect { lang, ..Dialect::default() });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `line` is in the text dialect; "" if it is not understood.
    fn shown(line: &str) -> String {
        let text = ServerMessage::parse(line).map(|message| message.in_text(Lang::En));
        String::from_utf8(text.unwrap_or_default()).unwrap()
    }

    const FROM: &str = r#""from":{"name":"a\u001b[2J\u202eb\nc","addr":"\u009b1\r"}"#;

    #[test]
    fn each_field_is_escaped() {
        let name = r"a\u{1b}[2J\u{202e}b\u{a}c";
        let addr = r"\u{9b}1\u{d}";
        let from = format!("[{addr}]{name}:");
        for (rest, expected) in [
            (r#""event":"online""#, format!("{from}is online\n")),
            (r#""event":"offline""#, format!("{from}is offline\n")),
            (r#""event":"message","text":"\u0007\u2028""#, format!("{from}\\u{{7}}\\u{{2028}}\n")),
            (r#""event":"private","text":"\u007f""#, format!("from:[{name}] says:\\u{{7f}}\n")),
            (r#""event":"user""#, format!("[{name}] is online\n")),
            (r#""event":"renamed","old":"\u0085""#, format!("renamed,[\\u{{85}}]->[{name}]\n")),
            (r#""event":"known_as","old":"\u0085""#, format!("[{addr}]\\u{{85}} is now [{name}]\n")),
            (r#""event":"sync","text":"\n""#, "sync|\\u{a}\n".to_owned()),
            (r#""event":"wait","code":"ok","text":"\n""#, "wait|ok|\\u{a}\n".to_owned()),
            (r#""event":"set","text":"a\n\u001b""#, "a\\u{a}\\u{1b}\n".to_owned()),
            (r#""event":"refused","code":"","text":"a\n\u001b""#, "a\\u{a}\\u{1b}\n".to_owned()),
            (r#""event":"farewell","code":"","text":"a\n\u001b""#, "a\\u{a}\\u{1b}\n".to_owned()),
            (r#""event":"help","text":"a\r\nb\u001b""#, "a\\u{d}\nb\\u{1b}\n".to_owned()),
        ] {
            assert_eq!(shown(&format!("{{{FROM},{rest}}}")), expected, "{rest}");
        }
    }

    #[test]
    fn names_are_changed_after_they_are_escaped() {
        let message = ServerMessage::parse(&format!(r#"{{{FROM},"event":"user"}}"#)).unwrap();
        let text = message.with_names(|name| format!("\x1b[31m{name}\x1b[0m")).in_text(Lang::En);
        assert_eq!(text, b"[\x1b[31ma\\u{1b}[2J\\u{202e}b\\u{a}c\x1b[0m] is online\n");
    }

    #[test]
    fn what_is_no_event_is_ignored() {
        let deep = format!("{}{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
        let wide = format!(r#"{{"event":"sync","text":"x","a":[{}0]}}"#, "0,".repeat(VALUES_MAX));
        for line in [
            "",
            "{",
            "{}",
            "[]",
            "null",
            "\"event\"",
            "7",
            "[{\"event\":\"sync\"}]",
            &"[".repeat(1_000_000),
            &deep,
            &wide,
            r#"{"event":7}"#,
            r#"{"event":"moon"}"#,
            r#"{"event":"sync"}"#,
            r#"{"event":"message","text":"x"}"#,
            r#"{"event":"message","text":"x","from":7}"#,
            r#"{"event":"message","text":"x","from":{"name":[],"addr":{}}}"#,
            r#"{"event":"users_end","count":-1}"#,
            r#"{"event":"users_end","count":1.5}"#,
            r#"{"event":"users_end","count":18446744073709551616}"#,
            r#"{"event":"users_end","count":1e999999999}"#,
            r#"{"event":"sync","text":"\ud800"}"#,
            "{\"event\":\"sync\",\"text\":\"\x1b\"}",
        ] {
            assert_eq!(shown(line), "", "{line:.100}");
        }
        let commas = ",[{".repeat(VALUES_MAX);
        assert_eq!(shown(&format!(r#"{{"event":"sync","text":"\"{commas}"}}"#)), format!("sync|\"{commas}\n"));
    }

    #[test]
    fn json_stays_valid_when_it_is_escaped() {
        let json = "{\"b\":\r\"\u{9b}\u{7f}\u{202e}\u{2069} \\u001b é\",\t\"a\u{85}\":1}";
        let escaped = escaped_json(json);
        assert_eq!(escaped, "{\"b\": \"\\u009b\\u007f\\u202e\\u2069 \\u001b é\",\t\"a\\u0085\":1}");
        let [before, after]: [Value; 2] = [json, &escaped].map(|json| serde_json::from_str(json).unwrap());
        assert_eq!(before, after);
    }
}
