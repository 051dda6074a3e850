//! How a message looks at a terminal: names alone, colours, mentions. Knows no sockets, no terminal and no clock.

mod order;

use std::sync::Arc;

use pipechat::{
    chat::{AccountDone, Done, Event, Identity, LOBBY, PublicEvent, Token, needs_isolate},
    protocol::Lang,
};

use super::mention::mentions;
use crate::client::message::{News, NewsEvent, Past, ServerMessage};

/// How the user wants messages to look, and who the user is.
#[derive(Debug)]
pub(super) struct Style {
    pub(super) has_colours: bool,
    /// Whether addresses are shown beside names.
    pub(super) shows_addr: bool,
    pub(super) lang: Lang,
    /// This client, as the others see it.
    pub(super) me: Arc<Identity>,
}

/// Marks a line that mentions the user where there are no colours.
const MENTION: &str = "* ";
/// Marks a line that is from the history.
const PAST: &str = "| ";
/// SGR: bold and reversed; bold; faint; as before.
const LOUD: &str = "\x1b[1;7m";
const BOLD: &str = "\x1b[1m";
const FAINT: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

impl Style {
    /// The message as lines without the last line end. `None` where there is nothing to show.
    pub(super) fn render(&self, message: &ServerMessage) -> Option<String> {
        match message {
            ServerMessage::News(news) => Some(self.news(news)),
            ServerMessage::Answer(event) => self.answer(event),
            ServerMessage::Past(past) => Some(self.past(past)),
            ServerMessage::Set(text) | ServerMessage::Help(text) => Some(text.clone()),
            ServerMessage::Refused { text, .. } | ServerMessage::Farewell { text, .. } => Some(self.notice(text)),
        }
    }

    /// A private message that was kept, in the same way.
    pub(super) fn told_again(&self, news: &News) -> String {
        let plain = Self { has_colours: false, me: Arc::clone(&self.me), ..*self };
        format!("{PAST}{}", plain.news(news))
    }

    /// What has happened before: after a mark, and without colours, since it is to be faint as a whole.
    pub(super) fn past(&self, past: &Past) -> String {
        let plain = Self { has_colours: false, me: Arc::clone(&self.me), ..*self };
        let room = past.room.as_ref().map_or_else(String::new, |room| format!("{} ", shown(room)));
        format!("{PAST}{room}{}", plain.public(&past.event))
    }

    fn news(&self, News { event, room, .. }: &News) -> String {
        let text = match event {
            NewsEvent::Public(event) => self.public(event),
            NewsEvent::Private { from, text } => {
                format!("{} -> {}: {}", self.name(from), self.you(), self.in_colour(BOLD, &isolated(text)))
            }
            NewsEvent::Notice(notice) => self.decided(notice),
        };
        match room {
            Some(room) => format!("{} {text}", self.mark(room)),
            None => text,
        }
    }

    fn public(&self, event: &PublicEvent) -> String {
        let words = match self.lang {
            Lang::Zh => ["已上线", "下线", "已改名为", "已加入", "已离开", "主题:"],
            Lang::En => ["is online", "is offline", "is now", "has joined", "has left", "topic: "],
        };
        let [online, offline, is_now, joined, left, topic] = words;
        match event {
            PublicEvent::Online(who) => self.in_colour(FAINT, &format!("{} {online}", self.plain_name(who))),
            PublicEvent::Offline(who, _) => self.in_colour(FAINT, &format!("{} {offline}", self.plain_name(who))),
            PublicEvent::KnownAs { old, new } => {
                self.in_colour(FAINT, &format!("{} {is_now} {}", self.plain_name(old), isolated(&new.name)))
            }
            PublicEvent::Message { from, text } if from.addr != self.me.addr && mentions(text, &self.me.name) => {
                let mark = if self.has_colours { "" } else { MENTION };
                format!("{mark}{}: {}", self.name(from), self.in_colour(LOUD, &isolated(text)))
            }
            PublicEvent::Message { from, text } => format!("{}: {}", self.name(from), isolated(text)),
            PublicEvent::Joined(who) => self.in_colour(FAINT, &format!("{} {joined}", self.plain_name(who))),
            PublicEvent::Left(who) => self.in_colour(FAINT, &format!("{} {left}", self.plain_name(who))),
            PublicEvent::Topic { from, text } => {
                self.in_colour(FAINT, &format!("{} {topic}{}", self.plain_name(from), isolated(text)))
            }
        }
    }

    fn answer(&self, event: &Event) -> Option<String> {
        let [are_now, timed_out] = match self.lang {
            Lang::Zh => ["现在的名字是", "等待超时"],
            Lang::En => ["are now", "wait timed out"],
        };
        Some(match event {
            Event::Renamed { new, .. } => self.notice(&format!("{} {are_now} {}", self.you(), self.plain_name(new))),
            Event::WaitTimedOut => self.notice(timed_out),
            Event::WaitMet(text) => format!("wait|ok|{text}"),
            Event::Synced(text) => format!("sync|{text}"),
            Event::Done(done) => self.notice(&self.done(done)?),
            // They come as one list.
            Event::User(_) | Event::UsersEnd(_) | Event::Room { .. } => return None,
            Event::Token(_, Token { label, used: None, .. }) => self.notice(&isolated(label)),
            Event::Token(_, Token { label, used: Some((at, addr)), .. }) => {
                self.notice(&format!("{}, {at:.0}, {addr}", isolated(label)))
            }
            // In JSON they come as `refused` and `farewell`, with their texts.
            Event::Refused(_) | Event::Declined(..) | Event::Farewell(_) => return None,
            // These are news, or past.
            Event::Private { .. } | Event::Past(..) => return None,
            Event::Order(event) => self.order(event),
        })
    }

    /// What was done for the user. `None` where a list says it.
    fn done(&self, done: &Done) -> Option<String> {
        Some(match (done, self.lang) {
            (Done::Join { room, members, topic, .. }, lang) => {
                let text = match lang {
                    Lang::Zh => format!("你已在 {},{members}人", shown(room)),
                    Lang::En => format!("you are in {}, {members} there", shown(room)),
                };
                match (&**topic, lang) {
                    ("", _) => text,
                    (topic, Lang::Zh) => format!("{text},主题:{}", isolated(topic)),
                    (topic, Lang::En) => format!("{text}, topic: {}", isolated(topic)),
                }
            }
            (Done::In(room, _), Lang::Zh) => format!("已发到 {}", shown(room)),
            (Done::In(room, _), Lang::En) => format!("said in {}", shown(room)),
            (Done::Leave(room), Lang::Zh) => format!("你已离开 {}", shown(room)),
            (Done::Leave(room), Lang::En) => format!("you have left {}", shown(room)),
            (Done::Topic(room, topic), Lang::Zh) if topic.is_empty() => format!("{} 没有主题", shown(room)),
            (Done::Topic(room, topic), Lang::En) if topic.is_empty() => format!("{} has no topic", shown(room)),
            (Done::Topic(room, topic), Lang::Zh) => format!("{} 主题:{}", shown(room), isolated(topic)),
            (Done::Topic(room, topic), Lang::En) => format!("{} topic: {}", shown(room), isolated(topic)),
            (Done::Account(done), _) => self.account(done),
            (Done::Order(done), _) => self.order_kept(done),
            (Done::Rooms(_) | Done::Who(..) | Done::History { .. }, _) => return None,
        })
    }

    /// What was done with the user's account.
    fn account(&self, done: &AccountDone) -> String {
        match (done, self.lang) {
            (AccountDone::Register(name), Lang::Zh) => format!("{name} 已注册"),
            (AccountDone::Register(name), Lang::En) => format!("{name} is registered"),
            (AccountDone::Login { name, kept: 0 }, Lang::Zh) => format!("已登录:{name}"),
            (AccountDone::Login { name, kept: 0 }, Lang::En) => format!("logged in as {name}"),
            (AccountDone::Login { name, kept }, Lang::Zh) => format!("已登录:{name},留言{kept}条"),
            (AccountDone::Login { name, kept }, Lang::En) => format!("logged in as {name}, {kept} kept messages"),
            (AccountDone::Password(_), Lang::Zh) => "密码已修改".to_owned(),
            (AccountDone::Password(_), Lang::En) => "password changed".to_owned(),
            (AccountDone::Unregister(name), Lang::Zh) => format!("{name} 已注销"),
            (AccountDone::Unregister(name), Lang::En) => format!("{name} is registered no more"),
            (AccountDone::Token { token, .. }, Lang::Zh) => format!("令牌,只显示这一次:{}", token.reveal()),
            (AccountDone::Token { token, .. }, Lang::En) => format!("token, shown only now: {}", token.reveal()),
            (AccountDone::Tokens(count), Lang::Zh) => format!("令牌{count}个"),
            (AccountDone::Tokens(count), Lang::En) => format!("{count} tokens"),
            (AccountDone::Revoke(label), Lang::Zh) => format!("令牌已作废:{}", isolated(label)),
            (AccountDone::Revoke(label), Lang::En) => format!("revoked: {}", isolated(label)),
            (AccountDone::Kept(name), Lang::Zh) => format!("{name} 不在线,已留言"),
            (AccountDone::Kept(name), Lang::En) => format!("{name} is offline, kept"),
        }
    }

    fn you(&self) -> &'static str {
        match self.lang {
            Lang::Zh => "你",
            Lang::En => "you",
        }
    }

    /// What stands before a line of a room.
    fn mark(&self, room: &str) -> String {
        if self.has_colours { coloured(&shown(room)) } else { shown(room) }
    }

    /// A private message that the user has sent.
    pub(super) fn sent(&self, to: &str, text: &str) -> String {
        let to = if self.has_colours { coloured(to) } else { to.to_owned() };
        format!("{} -> {to}: {}", self.you(), isolated(text))
    }

    /// What the client or the server says to the user alone.
    pub(super) fn notice(&self, text: &str) -> String {
        self.in_colour(FAINT, &format!("-- {text}"))
    }

    /// What is not live, and what is not from the chat.
    pub(super) fn faint(&self, text: &str) -> String {
        self.in_colour(FAINT, text)
    }

    /// Text with the time before it.
    pub(super) fn stamped(&self, time: &str, text: &str) -> String {
        format!("{} {text}", self.in_colour(FAINT, time))
    }

    /// A name without its colour, for lists.
    pub(super) fn plain_name(&self, who: &Identity) -> String {
        let name = isolated(&who.name);
        if self.shows_addr && who.name != who.addr { format!("[{}]{name}", who.addr) } else { name }
    }

    fn name(&self, who: &Identity) -> String {
        if !self.has_colours {
            return self.plain_name(who);
        }
        let name = coloured(&isolated(&who.name));
        if self.shows_addr && who.name != who.addr { format!("[{}]{name}", who.addr) } else { name }
    }

    fn in_colour(&self, colour: &str, text: &str) -> String {
        if self.has_colours { format!("{colour}{text}{RESET}") } else { text.to_owned() }
    }
}

/// A room as it is shown: the lobby is the one that has no sign.
pub(super) fn shown(room: &str) -> String {
    if room == LOBBY { room.to_owned() } else { format!("#{}", isolated(room)) }
}

/// `name` in a colour that depends on the name alone.
pub(super) fn coloured(name: &str) -> String {
    // FNV-1a: a few bits of any hash that is the same everywhere will do.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let colours = [31, 32, 33, 34, 35, 36, 91, 92, 93, 94, 95, 96]; // SGR: no black, no white
    let colour = colours[(hash >> 8) as usize % colours.len()];
    format!("\x1b[{colour}m{name}\x1b[0m")
}

/// A text of a user such that it cannot reorder what stands around it (UAX 9).
fn isolated(text: &str) -> String {
    if needs_isolate(text) { format!("\u{2068}{text}\u{2069}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests;
