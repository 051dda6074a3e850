//! What the protocol answers a connection without the chat: errors of form, settings and help; and the limits that help lists.

use std::{sync::Arc, time::Duration};

use super::dialect::Setting;
use crate::chat::{AccountRefusal, Act, Asked, Refusal};

/// An answer to one line, in its place among the chat's answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The line is no command.
    Refused(FormError),
    /// This holds for the connection from here on.
    Set(Setting),
    /// What can be asked for, and the limits.
    Help(Arc<Limits>),
    /// Whether anything was refused since the last answer of this kind.
    Checked {
        /// What the client has sent, so that it recognizes this answer.
        token: String,
        /// The code of the first refusal. The connection ends with it.
        refused: Option<&'static str>,
    },
}

/// Why a line is no command. Nothing has changed, and the next line works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormError {
    /// It begins with a verb and `|`, and the rest is not what the verb takes.
    Usage(Verb),
    /// `to|` without a name or without a second `|`: the tutorial has words of its own for this.
    PrivateUsage,
    /// Its first word is, or nearly is, a command that carries a secret on other servers: nothing of it may be said.
    UnknownVerb,
    /// This server exempts nobody from the idle timeout.
    StayForbidden,
    /// It has more bytes than this.
    TooLong(usize),
    /// It is not UTF-8.
    NotUtf8,
    /// It has a NUL in it.
    Nul,
}

impl FormError {
    /// A word for machines, which never changes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Usage(_) | Self::PrivateUsage => "malformed",
            Self::UnknownVerb => "unknown-verb",
            Self::StayForbidden => "stay-forbidden",
            Self::TooLong(_) => "line-too-long",
            Self::NotUtf8 => "not-utf8",
            Self::Nul => "nul",
        }
    }

    /// The verb of the line, if that is known.
    #[must_use]
    pub fn verb(self) -> Option<Verb> {
        match self {
            Self::Usage(verb) => Some(verb),
            Self::PrivateUsage => Some(Verb::To),
            Self::StayForbidden => Some(Verb::Stay),
            Self::UnknownVerb | Self::TooLong(_) | Self::NotUtf8 | Self::Nul => None,
        }
    }
}

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
            Refusal::Account(AccountRefusal::MailboxFull) => Self::To,
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

/// How fast a client may send lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Lines per second; 0 means no limit.
    pub per_second: u32,
    /// Lines that may come at once after a silence.
    pub burst: u32,
}

/// The limits of a connection, as `help` tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest line, in bytes without its ending.
    pub line_max: usize,
    /// Bytes that may wait for one client; above it the client is disconnected.
    pub queue_max: usize,
    /// Bytes above which a client's queue may be for a minute; after that the client is disconnected.
    pub soft_queue_max: usize,
    /// How fast a client may send lines.
    pub rate: Rate,
    /// A client that sends no line for so long is disconnected. Zero: never.
    pub idle_timeout: Duration,
    /// No client may be exempt from the idle timeout.
    pub strict_idle: bool,
    /// A client for which queued data could not be written for so long is disconnected. Zero: never.
    pub write_timeout: Duration,
    /// The longest wait.
    pub wait_max: Duration,
    /// Maximum number of clients.
    pub clients_max: usize,
}

impl Default for Limits {
    /// The defaults of the flags, without a limit on the number of clients.
    fn default() -> Self {
        Self {
            line_max: 4096, // the tutorial's read buffer
            queue_max: 32 << 20,
            soft_queue_max: 8 << 20,
            rate: Rate { per_second: 1000, burst: 10_000 }, // a paste of this many lines is not slowed down
            idle_timeout: Duration::from_secs(300),
            strict_idle: false,
            write_timeout: Duration::from_secs(10), // as NATS's write_deadline
            wait_max: Duration::from_secs(3600),
            clients_max: usize::MAX,
        }
    }
}
