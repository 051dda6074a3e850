//! The text dialects: lines for people.

use super::{
    escape::push_escaped,
    messages::{form_error, goodbye, help, in_lang, refused, set},
};
use crate::{
    chat::{Event, Identity, needs_isolate},
    protocol::{Lang, Reply},
};

/// Names and addresses are visible by the rules for names; only what users say has to be made so.
pub(in crate::protocol) fn event(out: &mut Vec<u8>, event: &Event, lang: Lang) {
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
            isolated(out, text, |out| push_escaped(out, text));
        }
        Event::Private { from, text } => {
            let [before, after] = match lang {
                Lang::Zh => ["来自:[", "]的消息,内容是:"],
                Lang::En => ["from:[", "] says:"],
            };
            put(out, &[before]);
            name(out, from);
            put(out, &[after]);
            isolated(out, text, |out| push_escaped(out, text));
        }
        Event::User(who) => {
            put(out, &["["]);
            name(out, who);
            put(out, &["] is online"]);
        }
        Event::UsersEnd(_) => return,
        Event::Renamed { old, new } => {
            put(out, &[in_lang(["用户名修改成功,[", "renamed,["], lang)]);
            name(out, old);
            put(out, &["]->["]);
            name(out, new);
            put(out, &["]"]);
        }
        Event::Synced(token) => {
            put(out, &["sync|"]);
            push_escaped(out, token);
        }
        Event::WaitMet(arg) => {
            put(out, &["wait|ok|"]);
            push_escaped(out, arg);
        }
        Event::WaitTimedOut => put(out, &["wait|timeout"]),
        Event::Refused(refusal) => put(out, &[&refused(refusal, lang)]),
        Event::Farewell(departure) => put(out, &[goodbye(*departure, lang)]),
    }
    out.push(b'\n');
}

/// Appends a reply.
pub(in crate::protocol) fn reply(out: &mut Vec<u8>, reply: &Reply, lang: Lang) {
    match reply {
        Reply::Refused(error) => put(out, &[&form_error(*error, lang)]),
        Reply::Set(setting) => put(out, &[set(*setting, lang)]),
        Reply::Checked { token, refused } => {
            put(out, &["check|", refused.unwrap_or("ok"), "|"]);
            push_escaped(out, token);
        }
        Reply::Help(limits) => put(out, &[help(limits, lang).trim_end()]),
    }
    out.push(b'\n');
}

fn prefix(out: &mut Vec<u8>, who: &Identity) {
    put(out, &["[", &who.addr, "]"]);
    name(out, who);
    put(out, &[":"]);
}

fn name(out: &mut Vec<u8>, who: &Identity) {
    isolated(out, &who.name, |out| put(out, &[&who.name]));
}

/// Appends a text of a user such that it cannot reorder what the server has written around it: right-to-left text stands
/// between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE (UAX 9).
fn isolated(out: &mut Vec<u8>, text: &str, append: impl FnOnce(&mut Vec<u8>)) {
    let is_isolated = needs_isolate(text);
    if is_isolated {
        put(out, &["\u{2068}"]);
    }
    append(out);
    if is_isolated {
        put(out, &["\u{2069}"]);
    }
}

pub(super) fn put(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}
