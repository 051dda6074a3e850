//! Why requests are refused.

use std::{sync::Arc, time::Duration};

use super::{accounts::AccountRefusal, name::NameRule, order::OrderRefusal, record::Position};

/// A user's mistake. Nothing has changed, and the next line works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody has this name.
    NameTaken,
    /// Somebody has a name that this one looks like: that name.
    NameConfusable(String),
    /// This can be nobody's name.
    NameInvalid(NameRule),
    /// Nobody here has this name.
    NoSuchUser,
    /// A private message without a text.
    EmptyText,
    /// The one that a private message is for is behind with reading.
    RecipientBehind,
    /// A wait of more than this.
    WaitTooLong(Duration),
    /// A name, a topic or a part of a text that is waited for, of more bytes than this.
    ArgumentTooLong(usize),
    /// No room has this name.
    NoSuchRoom,
    /// The one who asks is not in the room.
    NotInRoom,
    /// This can be no room's name.
    RoomInvalid(NameRule),
    /// A room has a name that this one looks like: that name.
    RoomConfusable(String),
    /// There are, or the one who asks is in, as many rooms as may be.
    TooManyRooms(usize),
    /// What has happened there since is not kept any more, or the position is not one of this server.
    HistoryGone {
        /// The name of the room.
        room: Arc<str>,
        /// The oldest position behind which all is kept.
        oldest: Option<Position>,
    },
    /// The store does not work, and what cannot be kept is not said.
    NotStored,
    /// The store does not work, and what it has kept cannot be told.
    StoreFailed,
    /// It has to do with an account.
    Account(AccountRefusal),
    /// It has to do with order.
    Order(OrderRefusal),
}

impl Refusal {
    /// A word for machines, which never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NameConfusable(_) => "name-confusable",
            Self::NameTaken => "name-taken",
            Self::NameInvalid(_) => "name-invalid",
            Self::NoSuchUser => "no-such-user",
            Self::EmptyText => "empty-text",
            Self::RecipientBehind => "recipient-behind",
            Self::WaitTooLong(_) => "wait-too-long",
            Self::ArgumentTooLong(_) => "argument-too-long",
            Self::NoSuchRoom => "no-such-room",
            Self::NotInRoom => "not-in-room",
            Self::RoomInvalid(_) => "room-invalid",
            Self::RoomConfusable(_) => "room-confusable",
            Self::TooManyRooms(_) => "too-many-rooms",
            Self::HistoryGone { .. } => "history-gone",
            Self::NotStored => "not-stored",
            Self::StoreFailed => "store-failed",
            Self::Account(refusal) => refusal.code(),
            Self::Order(refusal) => refusal.code(),
        }
    }
}

impl From<OrderRefusal> for Refusal {
    fn from(refusal: OrderRefusal) -> Self {
        Self::Order(refusal)
    }
}

impl From<AccountRefusal> for Refusal {
    fn from(refusal: AccountRefusal) -> Self {
        Self::Account(refusal)
    }
}
