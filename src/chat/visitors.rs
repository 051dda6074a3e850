//! Visitors: they speak without being here. Others are not told of them, and they are told nothing but what is for them alone.

use std::{borrow::Cow, cell::LazyCell, sync::Arc};

use super::{
    Chat, ClientId, Departure, Event, Load, Output, Refusal,
    compose::composed,
    entry::Congestion,
    members::{Door, Removed},
    waiting::lookup_key,
};
use crate::origin::Origin;

/// Bytes of texts sent to visitors of one name in one piece: some fifty microseconds of work.
const PIECE_BYTES: usize = 64 << 10;
/// What it costs to tell one of them, beside the text.
const TELL_BYTES: usize = 1 << 10;

/// Who is meant by a name.
pub(super) enum Recipients {
    /// One who is here.
    One(ClientId),
    /// All visitors with a name of this key.
    Visitors(String),
}

/// A private message for all visitors of a name.
#[derive(Debug)]
pub(super) struct TellVisitors {
    from: ClientId,
    load: Load,
    key: String,
    text: String,
    /// The last one that was looked at.
    after: ClientId,
    /// At least one was told.
    is_told: bool,
}

impl TellVisitors {
    pub(super) fn new(from: ClientId, load: Load, key: String, text: String) -> Self {
        Self { from, load, key, text, after: ClientId(0), is_told: false }
    }

    pub(super) fn from(&self) -> ClientId {
        self.from
    }
}

impl Chat {
    /// A client visits: from its beginning, or from now on.
    pub(super) fn visit(&mut self, client: ClientId, origin: Origin, out: &mut Vec<Output>) {
        if let Some(Removed { who, rooms, key }) = self.members.make_visitor(client) {
            out.extend(rooms.iter().map(|room| Output::Part(client, room)));
            self.be_gone(client, &who, &rooms, Departure::Visiting, out);
            return key.into_iter().for_each(|key| self.meet_gone(key));
        }
        if self.is_closing {
            return Self::turn_away(client, out);
        }
        if self.members.get(client).is_none() && self.turn_banned_away(client, &origin, out) {
            return;
        }
        if self.wait_at_door(client, &origin, Door::Visits) {
            return self.log_in_by_origin(client, out);
        }
        if self.members.get(client).is_none() {
            self.members.insert_visitor(client, origin, None);
            self.log_in_by_origin(client, out);
        }
    }

    /// Who is meant by a name.
    ///
    /// # Errors
    /// If nobody has it, or there is nothing to tell.
    pub(super) fn recipients(&self, to: &str, text: &str) -> Result<Recipients, Refusal> {
        let Ok(key) = lookup_key(to) else { return Err(Refusal::NoSuchUser) };
        match self.members.bearers(&key) {
            None => Err(Refusal::NoSuchUser),
            Some(_) if text.is_empty() => Err(Refusal::EmptyText),
            Some(bearers) => Ok(bearers.present().map_or(Recipients::Visitors(key), Recipients::One)),
        }
    }

    /// Whether somebody with this load may send the client a private message.
    pub(super) fn may_tell(&self, to: ClientId, load: Load) -> bool {
        match (self.congestion_of(to), load) {
            (Congestion::FarBehind, _) | (Congestion::Behind, Load::Heavy) => false,
            (Congestion::None, _) | (Congestion::Behind, Load::Light) => true,
        }
    }

    /// Tells the next visitors of a name. Answers whether that were all; then the sender knows whether anybody was told.
    pub(super) fn tell_visitors(&mut self, telling: &mut TellVisitors, out: &mut Vec<Output>) -> bool {
        let Some(from) = self.members.get(telling.from).map(|member| Arc::clone(&member.who)) else { return true };
        let piece = PIECE_BYTES / (TELL_BYTES + telling.text.len()) + 1;
        // Where they have left, and one who is here has the name now, that one was not meant.
        let bearers = self.members.bearers(&telling.key);
        let others = bearers.map(|bearers| bearers.others().range(telling.after..).take(piece).copied());
        let recipients: Vec<_> = others.into_iter().flatten().collect();
        let by = self.account_of(telling.from);
        let composed = LazyCell::new(|| composed(&telling.text)); // not for each of them: that would be most of the work
        for &to in &recipients {
            telling.after = ClientId(to.0 + 1);
            let is_at_door = self.members.get(to).is_some_and(|member| member.door.is_some());
            if !is_at_door && self.may_tell(to, telling.load) {
                telling.is_told = true;
                self.waits.meet_text(to, by.as_deref(), || Cow::Borrowed(&composed));
                out.push(Output::tell(to, Event::Private { from: Arc::clone(&from), text: telling.text.clone() }));
            }
        }
        let is_done = recipients.len() < piece;
        if is_done && !telling.is_told {
            out.push(Output::tell(telling.from, Event::Refused(Refusal::RecipientBehind)));
        }
        is_done
    }
}
