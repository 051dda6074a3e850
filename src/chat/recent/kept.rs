//! An event that is kept in memory, and what it takes there.

use std::sync::Arc;

use jiff::Timestamp;

use crate::chat::{Departure, Identity, PublicEvent};

/// What an event takes that has a block of its own, beside its texts: that block, and what the allocator needs for two.
const BLOCK_BYTES: usize = size_of::<PublicEvent>() + 4 * size_of::<usize>();

/// An event, as it is kept. Small: there may be one for each membership.
#[derive(Debug)]
pub(in crate::chat) struct Kept {
    pub(in crate::chat) n: u64,
    /// In milliseconds: events have no more precise times.
    at: i64,
    event: Small,
}

/// An event that takes no block of its own where there are very many of its kind.
#[derive(Debug)]
enum Small {
    Joined(Arc<Identity>),
    Left(Arc<Identity>),
    Offline(Arc<Identity>, Departure),
    Other(Arc<PublicEvent>),
}

impl Kept {
    pub(in crate::chat) fn new(n: u64, at: Timestamp, event: &Arc<PublicEvent>) -> Self {
        let event = match &**event {
            PublicEvent::Joined(who) => Small::Joined(Arc::clone(who)),
            PublicEvent::Left(who) => Small::Left(Arc::clone(who)),
            PublicEvent::Offline(who, departure) => Small::Offline(Arc::clone(who), *departure),
            PublicEvent::Online(_)
            | PublicEvent::Message { .. }
            | PublicEvent::KnownAs { .. }
            | PublicEvent::Topic { .. } => Small::Other(Arc::clone(event)),
        };
        Self { n, at: at.as_millisecond(), event }
    }

    pub(in crate::chat) fn at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.at).unwrap_or_default() // it was one
    }

    pub(in crate::chat) fn event(&self) -> Arc<PublicEvent> {
        match &self.event {
            Small::Joined(who) => Arc::new(PublicEvent::Joined(Arc::clone(who))),
            Small::Left(who) => Arc::new(PublicEvent::Left(Arc::clone(who))),
            Small::Offline(who, departure) => Arc::new(PublicEvent::Offline(Arc::clone(who), *departure)),
            Small::Other(event) => Arc::clone(event),
        }
    }

    /// What it takes, in bytes. A user counts with each event: it may be held by this one alone.
    pub(in crate::chat) fn bytes(&self) -> usize {
        let user = |who: &Identity| size_of::<Identity>() + who.name.len() + who.addr.len();
        let event = match &self.event {
            Small::Joined(who) | Small::Left(who) | Small::Offline(who, _) => user(who),
            Small::Other(event) => {
                BLOCK_BYTES
                    + match &**event {
                        PublicEvent::Message { from, text } => user(from) + text.len(),
                        PublicEvent::Topic { from, text } => user(from) + text.len(),
                        PublicEvent::KnownAs { old, new } => user(old) + user(new),
                        PublicEvent::Online(who)
                        | PublicEvent::Offline(who, _)
                        | PublicEvent::Joined(who)
                        | PublicEvent::Left(who) => user(who),
                    }
            }
        };
        size_of::<Self>() + event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kept_event_counts_with_its_texts_and_users() {
        let at = Timestamp::from_second(7).unwrap();
        let who = |name: &str| Arc::new(Identity { name: name.to_owned(), addr: "1:2".to_owned(), is_account: false });
        let kept = |event| Kept::new(0, at, &Arc::new(event));
        let user = size_of::<Identity>() + "1:2".len();
        for (event, of_it) in [
            (PublicEvent::Message { from: who("ann"), text: "12345".to_owned() }, BLOCK_BYTES + user + 8),
            (PublicEvent::Topic { from: who("ann"), text: "12345".into() }, BLOCK_BYTES + user + 8),
            (PublicEvent::KnownAs { old: who("ann"), new: who("anna") }, BLOCK_BYTES + 2 * user + 7),
            (PublicEvent::Online(who("ann")), BLOCK_BYTES + user + 3),
            (PublicEvent::Offline(who("ann"), Departure::Left), user + 3),
            (PublicEvent::Joined(who("ann")), user + 3),
            (PublicEvent::Left(who("ann")), user + 3),
        ] {
            let kept = kept(event.clone());
            assert_eq!(kept.bytes(), size_of::<Kept>() + of_it, "{event:?}");
            assert_eq!((kept.at(), &*kept.event()), (at, &event));
        }
    }
}
