//! What has happened before, as it is shown: what was missed once, what was asked for each time.

use std::mem;

use jiff::Timestamp;
use pipechat::{
    chat::{Done, Event},
    protocol::Verb,
};

use super::{Effect, Talk, shown};
use crate::client::message::{HISTORY_GONE, News, NewsEvent, Past, ServerMessage};

impl Talk {
    /// Takes what belongs to a history. `None` is anything else.
    pub(super) fn take_history(&mut self, message: &ServerMessage) -> Option<Effect> {
        match message {
            ServerMessage::Past(past) => {
                if self.missed.admits(past) {
                    self.say_past(past);
                }
                Some(Effect::None)
            }
            ServerMessage::Answer(Event::Done(Done::History { room, count, position, has_more })) => {
                if let Some(line) = self.missed.told(room, *position, *has_more) {
                    return Some(Effect::Send(line));
                }
                if mem::take(&mut self.has_asked) && *count == 0 {
                    self.notice(&format!("nothing is kept of {}", shown(room)));
                }
                Some(Effect::None)
            }
            ServerMessage::Refused { verb, code, room: Some(room), .. }
                if verb == Verb::History.word() && code == HISTORY_GONE =>
            {
                let line = self.missed.gone(room)?;
                if !mem::replace(&mut self.is_told_gone, true) {
                    self.notice("some of what was said meanwhile is not kept any more");
                }
                Some(Effect::Send(line))
            }
            ServerMessage::News(_)
            | ServerMessage::Answer(_)
            | ServerMessage::Set(_)
            | ServerMessage::Help(_)
            | ServerMessage::Refused { .. }
            | ServerMessage::Farewell { .. } => None,
        }
    }

    /// Whether the user knows this already.
    pub(super) fn is_known_news(&mut self, news: &News) -> bool {
        self.missed.live(news);
        match &news.event {
            NewsEvent::Public(event) => self.is_known(event),
            NewsEvent::Private { .. } | NewsEvent::Notice(_) => false,
        }
    }

    /// Shows what has happened before, with the time then, and the day if that was another one.
    fn say_past(&mut self, past: &Past) {
        let text = self.style.past(past);
        self.say_then(past.at, &text);
    }

    /// Shows this as something that has happened at that time.
    pub(super) fn say_then(&mut self, at: Timestamp, text: &str) {
        let then = at.to_zoned(self.now.time_zone().clone());
        let format = if then.date() == self.now.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        self.above.push_str(&self.style.faint(&format!("{} {text}", then.strftime(format))));
        self.above.push('\n');
    }
}
