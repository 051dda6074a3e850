//! Which news a listener asked for: by kind and by user.

use std::str::FromStr;

use pipechat::chat::PublicEvent;
use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;

use super::{ListenArgs, message::NewsEvent};
use crate::args::one_of;

/// Kinds of events, as `--event` takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EventKinds(pub(super) Vec<EventKind>);

/// A kind of event that a listener can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    Online,
    Offline,
    KnownAs,
    Joined,
    Left,
    Topic,
    Message,
    Private,
    Notice,
}

impl EventKind {
    pub(crate) const ALL: [Self; 9] = [
        Self::Online,
        Self::Offline,
        Self::KnownAs,
        Self::Joined,
        Self::Left,
        Self::Topic,
        Self::Message,
        Self::Private,
        Self::Notice,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::KnownAs => "known_as",
            Self::Joined => "joined",
            Self::Left => "left",
            Self::Topic => "topic",
            Self::Message => "message",
            Self::Private => "private",
            Self::Notice => "notice",
        }
    }
}

impl FromStr for EventKinds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kind = |name: &str| EventKind::ALL.into_iter().find(|kind| kind.name() == name);
        let unknown =
            |name| format!("unknown event {name:?}; expected {}", one_of(&EventKind::ALL.map(EventKind::name)));
        text.split(',').map(|name| kind(name).ok_or_else(|| unknown(name))).collect::<Result<_, _>>().map(Self)
    }
}

/// What is to be printed.
#[derive(Debug)]
pub(super) struct Filter {
    kinds: Vec<EventKind>,
    /// The key of a name; `None` is everyone.
    from: Option<String>,
}

impl Filter {
    pub(super) fn of(args: &ListenArgs) -> Self {
        let mut kinds = args.event.as_ref().map_or_else(|| EventKind::ALL.to_vec(), |kinds| kinds.0.clone());
        if args.no_presence {
            kinds.retain(|kind| match kind {
                EventKind::Online | EventKind::Offline | EventKind::KnownAs | EventKind::Joined | EventKind::Left => {
                    false
                }
                EventKind::Topic | EventKind::Message | EventKind::Private | EventKind::Notice => true,
            });
        }
        Self { kinds, from: args.from.as_deref().map(key) }
    }

    /// What lets everything pass.
    pub(super) fn everything() -> Self {
        Self { kinds: EventKind::ALL.to_vec(), from: None }
    }

    pub(super) fn admits(&self, event: &NewsEvent) -> bool {
        let (kind, who, old) = match event {
            NewsEvent::Public(event) => match event {
                PublicEvent::Online(who) => (EventKind::Online, Some(who), None),
                PublicEvent::Offline(who, _) => (EventKind::Offline, Some(who), None),
                PublicEvent::KnownAs { old, new } => (EventKind::KnownAs, Some(new), Some(old)),
                PublicEvent::Joined(who) => (EventKind::Joined, Some(who), None),
                PublicEvent::Left(who) => (EventKind::Left, Some(who), None),
                PublicEvent::Topic { from, .. } => (EventKind::Topic, Some(from), None),
                PublicEvent::Message { from, .. } => (EventKind::Message, Some(from), None),
            },
            NewsEvent::Private { from, .. } => (EventKind::Private, Some(from), None),
            NewsEvent::Notice(notice) => (EventKind::Notice, notice.by.as_ref(), None),
        };
        let is_about = |name: &str| [who, old].into_iter().flatten().any(|who| key(&who.name) == *name);
        self.kinds.contains(&kind) && self.from.as_deref().is_none_or(is_about)
    }
}

/// Names with equal keys are one name to the server: equal up to case and width.
fn key(name: &str) -> String {
    UniCase::unicode(name.nfkc().collect::<String>()).to_folded_case().nfkc().collect()
}
