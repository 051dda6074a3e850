//! The words that commands begin with.

use crate::chat::{AccountRefusal, Act, Asked, Refusal};

/// The first word of a line that is a command. Each has one right form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `who`, `who|ROOM`
    Who,
    /// `rename|NAME`
    Rename,
    /// `to|NAME|TEXT`
    To,
    /// `say|TEXT`
    Say,
    /// `sync|TOKEN`
    Sync,
    /// `wait|SECONDS|user|NAME` and its kin
    Wait,
    /// `check|TOKEN`
    Check,
    /// `join|ROOM` and its kin
    Join,
    /// `in|ROOM|TEXT`
    In,
    /// `leave|ROOM`
    Leave,
    /// `rooms`
    Rooms,
    /// `topic|ROOM|TEXT`, `topic|ROOM`
    Topic,
    /// `history|ROOM` and its kin
    History,
    /// `register|PASSWORD`
    Register,
    /// `login|NAME|PASSWORD`, `login|TOKEN`
    Login,
    /// `password|OLD|NEW`
    Password,
    /// `unregister|PASSWORD`
    Unregister,
    /// `token|LABEL`
    Token,
    /// `tokens`
    Tokens,
    /// `revoke|LABEL`
    Revoke,
    /// `kick|NAME|REASON` and what else keeps order
    Order(Act),
    /// `visit`
    Visit,
    /// `stay`
    Stay,
    /// `format|json`, `format|text`
    Format,
    /// `lang|zh`, `lang|en`
    Lang,
    /// `help`
    Help,
    /// `quit`
    Quit,
}

impl Verb {
    /// All of them, in the order in which `help` lists them.
    pub const ALL: [Self; 38] = [
        Self::Who,
        Self::Rename,
        Self::To,
        Self::Say,
        Self::Sync,
        Self::Wait,
        Self::Check,
        Self::Join,
        Self::In,
        Self::Leave,
        Self::Rooms,
        Self::Topic,
        Self::History,
        Self::Register,
        Self::Login,
        Self::Password,
        Self::Unregister,
        Self::Token,
        Self::Tokens,
        Self::Revoke,
        Self::Order(Act::Kick),
        Self::Order(Act::Ban),
        Self::Order(Act::Unban),
        Self::Order(Act::Mute),
        Self::Order(Act::Unmute),
        Self::Order(Act::Bans),
        Self::Order(Act::Lock),
        Self::Order(Act::Unlock),
        Self::Order(Act::Invite),
        Self::Order(Act::Owner),
        Self::Order(Act::Announce),
        Self::Order(Act::ShutDown),
        Self::Visit,
        Self::Stay,
        Self::Format,
        Self::Lang,
        Self::Help,
        Self::Quit,
    ];

    /// The verb as it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Who => "who",
            Self::Rename => "rename",
            Self::To => "to",
            Self::Say => "say",
            Self::Sync => "sync",
            Self::Wait => "wait",
            Self::Check => "check",
            Self::Join => "join",
            Self::In => "in",
            Self::Leave => "leave",
            Self::Rooms => "rooms",
            Self::Topic => "topic",
            Self::History => "history",
            Self::Register => "register",
            Self::Login => "login",
            Self::Password => "password",
            Self::Unregister => "unregister",
            Self::Token => "token",
            Self::Tokens => "tokens",
            Self::Revoke => "revoke",
            Self::Order(act) => act.word(),
            Self::Visit => "visit",
            Self::Stay => "stay",
            Self::Format => "format",
            Self::Lang => "lang",
            Self::Help => "help",
            Self::Quit => "quit",
        }
    }

    /// The verb that the chat refuses for this reason.
    #[must_use]
    pub fn of_refusal(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NameTaken | Refusal::NameConfusable(_) | Refusal::NameInvalid(_) => Self::Rename,
            Refusal::NoSuchUser | Refusal::EmptyText | Refusal::RecipientBehind => Self::To,
            Refusal::Account(AccountRefusal::NameOwned) => Self::Rename,
            Refusal::Account(AccountRefusal::NoSuchAccount) => Self::Wait,
            Refusal::Account(_) => Self::Say,
            Refusal::WaitTooLong(_) | Refusal::ArgumentTooLong(_) => Self::Wait,
            Refusal::HistoryGone { .. } | Refusal::StoreFailed => Self::History,
            Refusal::NotInRoom | Refusal::NotStored => Self::Say, // the others are answered as `VERB|CODE|SENTENCE`
            Refusal::Order(_) => Self::Say,
            Refusal::NoSuchRoom | Refusal::RoomInvalid(_) | Refusal::RoomConfusable(_) | Refusal::TooManyRooms(_) => {
                Self::Join
            }
        }
    }

    /// The verb that asks for this.
    #[must_use]
    pub fn of_asked(asked: Asked) -> Self {
        match asked {
            Asked::Join => Self::Join,
            Asked::In => Self::In,
            Asked::Leave => Self::Leave,
            Asked::Rooms => Self::Rooms,
            Asked::Who => Self::Who,
            Asked::Topic => Self::Topic,
            Asked::History => Self::History,
            Asked::To => Self::To,
            Asked::Rename => Self::Rename,
            Asked::Users => Self::Who,
            Asked::Wait => Self::Wait,
            Asked::Register => Self::Register,
            Asked::Login => Self::Login,
            Asked::Password => Self::Password,
            Asked::Unregister => Self::Unregister,
            Asked::Token => Self::Token,
            Asked::Tokens => Self::Tokens,
            Asked::Revoke => Self::Revoke,
            Asked::Order(act) => Self::Order(act),
        }
    }

    /// Whether every answer to the verb begins with it: `VERB|ok|…` or `VERB|CODE|SENTENCE`. The tutorial's verbs, and those
    /// that came soon after, have answers of other forms.
    #[must_use]
    pub fn begins_its_answers(self) -> bool {
        match self {
            Self::Join | Self::In | Self::Leave | Self::Rooms | Self::Topic | Self::History => true,
            Self::Register
            | Self::Login
            | Self::Password
            | Self::Unregister
            | Self::Token
            | Self::Tokens
            | Self::Revoke
            | Self::Order(_) => true,
            Self::Who
            | Self::Rename
            | Self::To
            | Self::Say
            | Self::Sync
            | Self::Wait
            | Self::Check
            | Self::Visit
            | Self::Stay
            | Self::Format
            | Self::Lang
            | Self::Help
            | Self::Quit => false,
        }
    }
}
