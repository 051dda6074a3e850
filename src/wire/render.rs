//! Lines out of events, in a dialect.

use jiff::Timestamp;

use super::{
    json,
    visible::push_visible,
    words::{goodbye, help, in_lang, refused, set},
};
use crate::chat::{Event, Format, Lang, Setting, Who};

/// How a connection is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dialect {
    /// Lines for people, or objects for programs.
    pub format: Format,
    /// The language of what is for people.
    pub lang: Lang,
}

/// When and where in the order of events a line stands.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// The number of a public event; none for what one client alone is told.
    pub seq: Option<u64>,
    /// When the broker's turn began.
    pub at: Timestamp,
}

impl Dialect {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// All of them, in the order of [`Self::index`].
    pub const ALL: [Self; 4] = [
        Self { format: Format::Text, lang: Lang::Zh },
        Self { format: Format::Text, lang: Lang::En },
        Self { format: Format::Json, lang: Lang::Zh },
        Self { format: Format::Json, lang: Lang::En },
    ];

    /// A number below [`Self::COUNT`], one for each.
    #[must_use]
    pub fn index(self) -> usize {
        match (self.format, self.lang) {
            (Format::Text, Lang::Zh) => 0,
            (Format::Text, Lang::En) => 1,
            (Format::Json, Lang::Zh) => 2,
            (Format::Json, Lang::En) => 3,
        }
    }

    /// The dialect with this setting in force.
    #[must_use]
    pub fn with(self, setting: Setting) -> Self {
        match setting {
            Setting::Stay => self,
            Setting::Format(format) => Self { format, ..self },
            Setting::Lang(lang) => Self { lang, ..self },
        }
    }
}

/// Appends `event` to `out`, as whole lines with their LF: one, but for `help`, and none in text for the end of `who`.
pub fn render(out: &mut Vec<u8>, event: &Event, stamp: Stamp, dialect: Dialect) {
    match dialect.format {
        Format::Text => text(out, event, dialect.lang),
        Format::Json => json::object(out, event, stamp, dialect.lang),
    }
}

/// Names and addresses are visible by the rules for names; only what users say has to be made so.
fn text(out: &mut Vec<u8>, event: &Event, lang: Lang) {
    match event {
        Event::Online(who) => {
            prefix(out, who);
            put(out, &[in_lang(["已上线", "is online"], lang)]);
        }
        Event::Offline(who, _) => {
            prefix(out, who);
            put(out, &[in_lang(["下线", "is offline"], lang)]);
        }
        Event::Message { from, text } => {
            prefix(out, from);
            push_visible(out, text);
        }
        Event::Private { from, text } => {
            let [before, after] = match lang {
                Lang::Zh => ["来自:[", "]的消息,内容是:"],
                Lang::En => ["from:[", "] says:"],
            };
            put(out, &[before, &from.name, after]);
            push_visible(out, text);
        }
        Event::User(who) => put(out, &["[", &who.name, "] is online"]),
        Event::UsersEnd(_) => return,
        Event::Renamed { old, new } => {
            put(out, &[in_lang(["用户名修改成功,[", "renamed,["], lang), &old.name, "]->[", &new.name, "]"]);
        }
        Event::Help(limits) => put(out, &[help(limits, lang).trim_end()]),
        Event::Synced(token) => {
            put(out, &["sync|"]);
            push_visible(out, token);
        }
        Event::WaitMet(arg) => {
            put(out, &["wait|ok|"]);
            push_visible(out, arg);
        }
        Event::WaitTimedOut => put(out, &["wait|timeout"]),
        Event::Set(setting) => put(out, &[set(*setting, lang)]),
        Event::Refused(refusal) => put(out, &[&refused(*refusal, lang)]),
        Event::Farewell(farewell) => put(out, &[goodbye(*farewell, lang)]),
    }
    out.push(b'\n');
}

fn prefix(out: &mut Vec<u8>, who: &Who) {
    put(out, &["[", &who.addr, "]", &who.name, ":"]);
}

pub(super) fn put(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}
