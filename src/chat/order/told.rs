//! What users are told where order is kept, and why requests are refused. Values only.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::sanction::Sanction;
use crate::chat::Identity;

/// What is told of order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderEvent {
    /// What an operator, or a room's owner, has decided about the one who is told.
    Notice(Notice),
    /// A ban or a mute: one line of the answer to `bans`.
    Sanction(Sanction),
}

/// What an operator, or a room's owner, has decided about the one who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What.
    pub kind: NoticeKind,
    /// Who has decided it; none where that was before.
    pub by: Option<Arc<Identity>>,
    /// Where it holds; none: everywhere.
    pub room: Option<Arc<str>>,
    /// Until when, or when. None: for ever.
    pub until: Option<Timestamp>,
    /// Why, or what is to be told.
    pub text: Arc<str>,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// Everybody is told something.
    Announced,
    /// One is sent away.
    Kicked,
    /// One may not come in.
    Banned,
    /// One may not speak.
    Muted,
    /// One may speak again.
    Unmuted,
    /// One may come into a locked room.
    Invited,
    /// One keeps order in a room.
    Owner,
    /// The server ends.
    ShutDown,
    /// It does not.
    GoesOn,
}

impl NoticeKind {
    /// All of them.
    const ALL: [Self; 9] = [
        Self::Announced,
        Self::Kicked,
        Self::Banned,
        Self::Muted,
        Self::Unmuted,
        Self::Invited,
        Self::Owner,
        Self::ShutDown,
        Self::GoesOn,
    ];

    /// The kind of this word.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// A word for machines, which never changes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Kicked => "kicked",
            Self::Banned => "banned",
            Self::Muted => "muted",
            Self::Unmuted => "unmuted",
            Self::Invited => "invited",
            Self::Owner => "owner",
            Self::ShutDown => "shutdown",
            Self::GoesOn => "shutdown-cancelled",
        }
    }
}

/// Why a request is refused that has to do with order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderRefusal {
    /// Operators alone may do it.
    NotOperator,
    /// Owners of the room alone may do it.
    NotOwner,
    /// The one who asks may not speak until then.
    Muted(Option<Timestamp>),
    /// The account may not come in until then.
    Banned(Option<Timestamp>),
    /// Only who is in the room, or invited, may do it.
    RoomLocked,
    /// Addresses of this machine and of proxies, where others come from too, and one's own.
    NotBannable,
    /// No such ban, or no such mute, is in force.
    NoSuchBan,
    /// There are as many bans or mutes as there may be.
    TooManyBans(usize),
    /// The server is to end later than so long from now.
    TooFarAhead(Duration),
    /// As many are invited to the room, or own it, as may be.
    TooManyInvited(usize),
}

impl OrderRefusal {
    /// A word for machines, which never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotOperator | Self::NotOwner => "not-allowed",
            Self::Muted(_) => "muted",
            Self::Banned(_) => "banned",
            Self::RoomLocked => "room-locked",
            Self::NotBannable => "not-bannable",
            Self::NoSuchBan => "no-such-ban",
            Self::TooManyBans(_) => "too-many-bans",
            Self::TooFarAhead(_) => "too-far-ahead",
            Self::TooManyInvited(_) => "too-many-invited",
        }
    }
}
