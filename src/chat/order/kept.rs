//! What of order outlives the server. Values only.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    request::Act,
    sanction::{Penalty, Sanction, Whom},
};

/// What is to be kept of order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderChange {
    /// A ban or a mute holds, in a room or everywhere, instead of the one for the same that there was.
    Put(Option<Arc<str>>, Sanction),
    /// It holds no more.
    Gone(Option<Arc<str>>, Penalty, Whom),
    /// Who keeps order in a room, and who may come in.
    Room(RoomOrder),
    /// Something was done.
    Act(Deed),
}

/// Bans and mutes, each with the room where it holds.
pub type Sanctions = Vec<(Option<Arc<str>>, Sanction)>;

/// Who keeps order in a room, and who may come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomOrder {
    /// The name of the room.
    pub room: Arc<str>,
    /// The key of the account that has made it.
    pub maker: Option<Arc<str>>,
    /// Only who is invited may come in.
    pub is_locked: bool,
    /// The keys of accounts, and what each of them may do.
    pub roles: Vec<(Arc<str>, RoomRole)>,
}

/// What an account may do in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomRole {
    /// Keep order.
    Owner,
    /// Come in though it is locked.
    Invited,
}

impl RoomRole {
    /// A word for machines, which never changes.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Invited => "invited",
        }
    }

    /// The role of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Owner, Self::Invited].into_iter().find(|role| role.word() == word)
    }
}

/// Something that was done to keep order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// The name of the account that did it.
    pub who: Arc<str>,
    /// That is an operator's.
    pub is_operators: bool,
    /// What.
    pub act: Act,
    /// To whom.
    pub whom: Option<Arc<str>>,
    /// In which room; none: everywhere.
    pub room: Option<Arc<str>>,
    /// Why.
    pub reason: Arc<str>,
}

/// What a store has kept of order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastOrder {
    /// Who may not come in, or not speak.
    pub sanctions: Sanctions,
    /// Who keeps order in which room.
    pub rooms: Vec<RoomOrder>,
}
