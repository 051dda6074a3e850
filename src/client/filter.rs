//! Which news a listener asked for: by kind and by user.

use pipechat::chat::Event;
use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;

use super::{ListenArgs, args::EventKind};

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
                EventKind::Online | EventKind::Offline | EventKind::KnownAs => false,
                EventKind::Message | EventKind::Private => true,
            });
        }
        Self { kinds, from: args.from.as_deref().map(key) }
    }

    pub(super) fn admits(&self, event: &Event) -> bool {
        let (kind, who, old) = match event {
            Event::Online(who) => (EventKind::Online, who, None),
            Event::Offline(who, _) => (EventKind::Offline, who, None),
            Event::KnownAs { old, new } => (EventKind::KnownAs, new, Some(old)),
            Event::Message { from, .. } => (EventKind::Message, from, None),
            Event::Private { from, .. } => (EventKind::Private, from, None),
            Event::User(_)
            | Event::UsersEnd(_)
            | Event::Renamed { .. }
            | Event::Synced(_)
            | Event::WaitMet(_)
            | Event::WaitTimedOut
            | Event::Refused(_)
            | Event::Farewell(_) => return false,
        };
        let is_about = |name: &str| [Some(who), old].into_iter().flatten().any(|who| key(&who.name) == *name);
        self.kinds.contains(&kind) && self.from.as_deref().is_none_or(is_about)
    }
}

/// Names with equal keys are one name to the server: equal up to case and width.
fn key(name: &str) -> String {
    UniCase::unicode(name.nfkc().collect::<String>()).to_folded_case().nfkc().collect()
}
