//! The server's own texts: what an event is in them, and what a text of the server means.

use jiff::Timestamp;
use pipechat::{
    chat::{Departure, Event, NameRule, PublicEvent, Refusal},
    protocol::{Dialect, Format, Lang, Reply, Setting, Stamp, render, render_public, render_reply},
};

/// The language in which this text of the server confirms a setting.
pub(super) fn lang_of_set(text: &str) -> Option<Lang> {
    [Lang::Zh, Lang::En].into_iter().find(|&lang| {
        let settings = [Setting::Format(Format::Json), Setting::Lang(lang), Setting::Stay];
        settings.into_iter().any(|setting| confirmation(setting, lang).trim_ascii_end() == text.as_bytes())
    })
}

/// Whether with this text the server confirms that the client visits from now on.
pub(super) fn is_set_visit(text: &str) -> bool {
    [Lang::Zh, Lang::En].into_iter().any(|lang| confirmation(Setting::Visit, lang).trim_ascii_end() == text.as_bytes())
}

/// Whether with this text, in either language, the server refuses a connection because it has too many.
pub(super) fn is_refusal_to_let_in(text: &str) -> bool {
    [Departure::Full, Departure::FullForAddress, Departure::TooManyArrivals].into_iter().any(|it| is_farewell(text, it))
}

/// Whether with this text, in either language, the server sends a client away because it is banned.
pub(super) fn is_ban(text: &str) -> bool {
    is_farewell(text, Departure::Banned)
}

/// Whether this is a notice that nobody has decided by name, in either language, as one about a ban is.
pub(super) fn is_notice(text: &str) -> bool {
    ["公告 ", "notice "].iter().any(|start| text.starts_with(start))
}

fn is_farewell(text: &str, departure: Departure) -> bool {
    let farewell = Event::Farewell(departure);
    [Lang::Zh, Lang::En].into_iter().any(|lang| in_text(&farewell, lang).trim_ascii_end() == text.as_bytes())
}

/// Why a text is no name, as the server would say it in English.
pub(crate) fn rule_of_names(rule: NameRule) -> String {
    let refusal = in_text(&Event::Refused(Refusal::NameInvalid(rule)), Lang::En);
    let refusal = String::from_utf8_lossy(&refusal).trim_end().to_owned();
    refusal.split_once(": ").map_or(refusal.clone(), |(_, rule)| rule.to_owned())
}

/// What the server sends a client that has asked for text.
pub(super) fn in_text(event: &Event, lang: Lang) -> Vec<u8> {
    let mut out = Vec::new();
    render(&mut out, event, Stamp::private(Timestamp::UNIX_EPOCH), Dialect { lang, ..Dialect::default() });
    out
}

/// The same of what happens in this room.
pub(super) fn public_in_text(event: &PublicEvent, room: Option<&str>, lang: Lang) -> Vec<u8> {
    let mut out = Vec::new();
    let stamp = Stamp { room, ..Stamp::private(Timestamp::UNIX_EPOCH) }; // text has nothing else of it
    render_public(&mut out, event, stamp, Dialect { lang, ..Dialect::default() });
    out
}

fn confirmation(setting: Setting, lang: Lang) -> Vec<u8> {
    let mut out = Vec::new();
    render_reply(&mut out, &Reply::Set(setting), Timestamp::UNIX_EPOCH, Dialect { lang, ..Dialect::default() });
    out
}
