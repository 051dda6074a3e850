//! What users ask for and are told where accounts are concerned. Values only.

use std::sync::Arc;

use crate::chat::{Asked, Secret};

/// What a user asks for that has to do with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountCommand {
    /// The name of the one who asks becomes its account, with this password.
    Register(Secret),
    /// The one who asks is this account.
    Login {
        /// The name of the account; none where the secret is a token, which tells.
        name: Option<String>,
        /// The password, or the token.
        secret: Secret,
    },
    /// The account has another password from now on.
    Password {
        /// The one that it has.
        old: Secret,
        /// The one that it is to have.
        new: Secret,
    },
    /// The account of this password is to be no more.
    Unregister(Secret),
    /// A new token, to be called this.
    Token(String),
    /// Which tokens are there?
    Tokens,
    /// The token of this label is worth nothing any more.
    Revoke(String),
}

impl AccountCommand {
    /// What is asked for.
    #[must_use]
    pub fn asked(&self) -> Asked {
        match self {
            Self::Register(_) => Asked::Register,
            Self::Login { .. } => Asked::Login,
            Self::Password { .. } => Asked::Password,
            Self::Unregister(_) => Asked::Unregister,
            Self::Token(_) => Asked::Token,
            Self::Tokens => Asked::Tokens,
            Self::Revoke(_) => Asked::Revoke,
        }
    }

    /// Bytes of the texts in it.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Register(secret) | Self::Unregister(secret) => secret.reveal().len(),
            Self::Login { name, secret } => name.as_ref().map_or(0, String::len) + secret.reveal().len(),
            Self::Password { old, new } => old.reveal().len() + new.reveal().len(),
            Self::Token(label) | Self::Revoke(label) => label.len(),
            Self::Tokens => 0,
        }
    }
}

/// The answer to a request that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountDone {
    /// The name is an account now.
    Register(Arc<str>),
    /// The one who is told is this account, and was told so many messages that were kept for it.
    Login {
        /// The name of the account.
        name: Arc<str>,
        /// How many messages.
        kept: usize,
    },
    /// The account of this name has another password.
    Password(Arc<str>),
    /// The name is no account any more.
    Unregister(Arc<str>),
    /// The token that is called this.
    Token {
        /// What it is called.
        label: String,
        /// The token, which is told once.
        token: Secret,
    },
    /// There are so many tokens.
    Tokens(usize),
    /// The token that was called this is worth nothing any more.
    Revoke(String),
    /// The account of this name is away, and a message is kept for it.
    Kept(Arc<str>),
}

impl AccountDone {
    /// What was asked for.
    #[must_use]
    pub fn asked(&self) -> Asked {
        match self {
            Self::Register(_) => Asked::Register,
            Self::Login { .. } => Asked::Login,
            Self::Password(_) => Asked::Password,
            Self::Unregister(_) => Asked::Unregister,
            Self::Token { .. } => Asked::Token,
            Self::Tokens(_) => Asked::Tokens,
            Self::Revoke(_) => Asked::Revoke,
            Self::Kept(_) => Asked::To,
        }
    }
}

/// Why a request that has to do with an account is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountRefusal {
    /// There are no accounts without a store.
    NoStore,
    /// The one who asks is not logged in.
    LoginRequired,
    /// The one who asks bears an address, which can be no account.
    NameRequired,
    /// The one who asks has an account, and is logged in to it.
    AlreadyRegistered,
    /// This can be no password.
    PasswordInvalid,
    /// There are to be no more accounts.
    RegistrationClosed,
    /// Others may read what the one who asks sends.
    Insecure,
    /// There were too many attempts: the next one is looked at after so many seconds.
    TryLater(u64),
    /// The name, the password or the token is wrong.
    LoginFailed,
    /// As many are logged in to the account as may be.
    TooManyLogins(usize),
    /// The account has a token that is called this.
    LabelTaken,
    /// A label of more bytes than this.
    LabelTooLong(usize),
    /// The account has as many tokens as it may have.
    TooManyTokens(usize),
    /// The account has no token that is called this.
    NoSuchToken,
    /// The name is an account, and the one who asks is not logged in to it.
    NameOwned,
    /// Nobody has an account of this name.
    NoSuchAccount,
    /// As much is kept for the account as may be, or as much from the one who asks.
    MailboxFull,
}

impl AccountRefusal {
    /// A word for machines, which never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoStore => "no-store",
            Self::LoginRequired => "login-required",
            Self::NameRequired => "name-required",
            Self::AlreadyRegistered => "already-registered",
            Self::PasswordInvalid => "password-invalid",
            Self::RegistrationClosed => "registration-closed",
            Self::Insecure => "insecure",
            Self::TryLater(_) => "try-later",
            Self::LoginFailed => "login-failed",
            Self::TooManyLogins(_) => "too-many-logins",
            Self::LabelTaken => "label-taken",
            Self::LabelTooLong(_) => "label-too-long",
            Self::TooManyTokens(_) => "too-many-tokens",
            Self::NoSuchToken => "no-such-token",
            Self::NameOwned => "name-owned",
            Self::NoSuchAccount => "no-such-account",
            Self::MailboxFull => "mailbox-full",
        }
    }
}
