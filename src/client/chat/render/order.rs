//! How order looks at a terminal: notices, bans and mutes, and what was done. Everything here stands behind the mark of what
//! the server says, which nobody can fake: a name is followed by a colon.

use pipechat::{
    chat::{Done, Event, Notice, NoticeKind, OrderDone, OrderEvent, Penalty, Sanction},
    protocol::Lang,
};

use super::{BOLD, Style, isolated};
use crate::client::words::in_text;

impl Style {
    /// What was decided, or announced to everybody: it stands out.
    pub(super) fn decided(&self, notice: &Notice) -> String {
        let text = self.in_servers_words(&Event::Order(OrderEvent::Notice(notice.clone())));
        match notice.kind {
            NoticeKind::Announced
            | NoticeKind::Kicked
            | NoticeKind::Banned
            | NoticeKind::Muted
            | NoticeKind::ShutDown
            | NoticeKind::GoesOn => self.in_colour(BOLD, &format!("-- {text}")),
            NoticeKind::Unmuted | NoticeKind::Invited | NoticeKind::Owner => self.notice(&text),
        }
    }

    pub(super) fn order(&self, event: &OrderEvent) -> String {
        match event {
            OrderEvent::Notice(notice) => self.decided(notice),
            OrderEvent::Sanction(sanction) => self.notice(&self.sanction(sanction)),
        }
    }

    /// A line of the list of bans and mutes.
    fn sanction(&self, Sanction { penalty, whom, until, reason, .. }: &Sanction) -> String {
        let what = match (penalty, self.lang) {
            (Penalty::Ban, Lang::Zh) => "封禁",
            (Penalty::Mute, Lang::Zh) => "禁言",
            (Penalty::Ban | Penalty::Mute, Lang::En) => penalty.word(),
        };
        let [up_to, because] = match self.lang {
            Lang::Zh => [",至", ":"],
            Lang::En => [" until ", ": "],
        };
        let until = until.map_or_else(String::new, |until| format!("{up_to}{until:.3}"));
        let reason = if reason.is_empty() { String::new() } else { format!("{because}{}", isolated(reason)) };
        format!("{what} {}{until}{reason}", isolated(&whom.to_string()))
    }

    /// What was done for the user who keeps order.
    pub(super) fn order_kept(&self, done: &OrderDone) -> String {
        match (done, self.lang) {
            (OrderDone::Bans(count), Lang::Zh) => format!("封禁与禁言{count}项"),
            (OrderDone::Bans(count), Lang::En) => format!("{count} bans and mutes"),
            (
                OrderDone::Only(_)
                | OrderDone::Whom(..)
                | OrderDone::Until(..)
                | OrderDone::Room(..)
                | OrderDone::InRoom(..)
                | OrderDone::ShutDown(_),
                _,
            ) => self.in_servers_words(&Event::Done(Done::Order(done.clone()))),
        }
    }

    /// The event in the text dialect, without its line end.
    fn in_servers_words(&self, event: &Event) -> String {
        String::from_utf8_lossy(&in_text(event, self.lang)).trim_end_matches('\n').to_owned()
    }
}
