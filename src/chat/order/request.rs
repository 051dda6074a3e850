//! What users ask for where order is kept, and what they are answered. Values only.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::chat::event::Asked;

/// What can be done to keep order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// To send somebody away, or out of a room.
    Kick,
    /// To let somebody in no more.
    Ban,
    /// To let somebody in again.
    Unban,
    /// To let somebody speak no more.
    Mute,
    /// To let somebody speak again.
    Unmute,
    /// To see who is banned or muted.
    Bans,
    /// To let into a room only who is invited.
    Lock,
    /// To let everybody into a room.
    Unlock,
    /// To let somebody into a room.
    Invite,
    /// To let somebody keep order in a room.
    Owner,
    /// To tell everybody something.
    Announce,
    /// To end the server.
    ShutDown,
}

impl Act {
    /// All of them, in the order in which `help` lists them.
    pub const ALL: [Self; 12] = [
        Self::Kick,
        Self::Ban,
        Self::Unban,
        Self::Mute,
        Self::Unmute,
        Self::Bans,
        Self::Lock,
        Self::Unlock,
        Self::Invite,
        Self::Owner,
        Self::Announce,
        Self::ShutDown,
    ];

    /// The word that asks for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Kick => "kick",
            Self::Ban => "ban",
            Self::Unban => "unban",
            Self::Mute => "mute",
            Self::Unmute => "unmute",
            Self::Bans => "bans",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Invite => "invite",
            Self::Owner => "owner",
            Self::Announce => "announce",
            Self::ShutDown => "shutdown",
        }
    }
}

/// What an operator, or the owner of a room, asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderCommand {
    /// Send somebody away; out of a room, if one is named.
    Kick {
        /// The name of the room.
        room: Option<String>,
        /// Who.
        name: String,
        /// Why.
        reason: String,
    },
    /// Let somebody in no more.
    Ban {
        /// An account, an address, a network, or somebody's name.
        who: String,
        /// For how long; zero: for ever.
        time: Duration,
        /// Why.
        reason: String,
    },
    /// Let somebody in again.
    Unban(String),
    /// Let somebody speak no more; in a room, if one is named.
    Mute {
        /// The name of the room.
        room: Option<String>,
        /// Who.
        name: String,
        /// For how long; zero: for ever.
        time: Duration,
        /// Why.
        reason: String,
    },
    /// Let somebody speak again.
    Unmute {
        /// The name of the room.
        room: Option<String>,
        /// Who.
        name: String,
    },
    /// Who is banned or muted?
    Bans,
    /// Let into this room only who is invited.
    Lock(String),
    /// Let everybody into this room.
    Unlock(String),
    /// Let somebody into a room.
    Invite {
        /// The name of the room.
        room: String,
        /// Who.
        name: String,
    },
    /// Let an account keep order in a room.
    Owner {
        /// The name of the room.
        room: String,
        /// The name of the account.
        name: String,
    },
    /// Tell everybody this.
    Announce(String),
    /// End the server.
    ShutDown {
        /// In how long.
        time: Duration,
        /// Why.
        reason: String,
    },
    /// Do not end the server.
    CancelShutDown,
}

impl OrderCommand {
    /// What is asked for.
    #[must_use]
    pub fn act(&self) -> Act {
        match self {
            Self::Kick { .. } => Act::Kick,
            Self::Ban { .. } => Act::Ban,
            Self::Unban(_) => Act::Unban,
            Self::Mute { .. } => Act::Mute,
            Self::Unmute { .. } => Act::Unmute,
            Self::Bans => Act::Bans,
            Self::Lock(_) => Act::Lock,
            Self::Unlock(_) => Act::Unlock,
            Self::Invite { .. } => Act::Invite,
            Self::Owner { .. } => Act::Owner,
            Self::Announce(_) => Act::Announce,
            Self::ShutDown { .. } | Self::CancelShutDown => Act::ShutDown,
        }
    }

    /// Whether it has to outlive the server, besides that it was done.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        match self {
            Self::Kick { room, .. } => room.is_some(),
            Self::Ban { .. }
            | Self::Unban(_)
            | Self::Mute { .. }
            | Self::Unmute { .. }
            | Self::Lock(_)
            | Self::Unlock(_)
            | Self::Invite { .. }
            | Self::Owner { .. } => true,
            Self::Bans | Self::Announce(_) | Self::ShutDown { .. } | Self::CancelShutDown => false,
        }
    }

    /// The same, as an answer is told.
    #[must_use]
    pub fn asked(&self) -> Asked {
        Asked::Order(self.act())
    }

    /// The name of somebody, or of a room, that has to be looked up.
    #[must_use]
    pub fn names(&self) -> [&str; 2] {
        match self {
            Self::Kick { room, name, .. } | Self::Mute { room, name, .. } | Self::Unmute { room, name } => {
                [room.as_deref().unwrap_or_default(), name]
            }
            Self::Invite { room, name } | Self::Owner { room, name } => [room, name],
            Self::Ban { who: name, .. } | Self::Unban(name) | Self::Lock(name) | Self::Unlock(name) => ["", name],
            Self::Bans | Self::Announce(_) | Self::ShutDown { .. } | Self::CancelShutDown => ["", ""],
        }
    }

    /// What is told or kept of it in words of the one who asks.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Kick { reason, .. }
            | Self::Ban { reason, .. }
            | Self::Mute { reason, .. }
            | Self::ShutDown { reason, .. }
            | Self::Announce(reason) => reason,
            Self::Unban(_)
            | Self::Unmute { .. }
            | Self::Bans
            | Self::Lock(_)
            | Self::Unlock(_)
            | Self::Invite { .. }
            | Self::Owner { .. }
            | Self::CancelShutDown => "",
        }
    }

    /// Bytes of the texts in it.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        self.names().iter().map(|name| name.len()).sum::<usize>() + self.text().len()
    }
}

/// The answer to a request that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderDone {
    /// It was done.
    Only(Act),
    /// It was done to this one.
    Whom(Act, Arc<str>),
    /// It was done to this one until then; for ever where there is no time.
    Until(Act, Arc<str>, Option<Timestamp>),
    /// It was done to this room.
    Room(Act, Arc<str>),
    /// It was done in this room to this one.
    InRoom(Act, Arc<str>, Arc<str>),
    /// There are so many bans and mutes.
    Bans(usize),
    /// The server ends then; it goes on where there is no time.
    ShutDown(Option<Timestamp>),
}

impl OrderDone {
    /// What was done.
    #[must_use]
    pub fn act(&self) -> Act {
        match self {
            Self::Only(act)
            | Self::Whom(act, _)
            | Self::Until(act, ..)
            | Self::Room(act, _)
            | Self::InRoom(act, ..) => *act,
            Self::Bans(_) => Act::Bans,
            Self::ShutDown(_) => Act::ShutDown,
        }
    }
}
