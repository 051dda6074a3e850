//! Values of what accounts have brought.

use std::sync::Arc;

use jiff::Timestamp;
use pipechat::chat::{AccountCommand, AccountDone, AccountRefusal, Secret, Token, token_digest};

fn secret() -> Secret {
    Secret::new("pc_0123456789abcdefghjkmnpqrs".to_owned())
}

pub(super) fn refusals() -> Vec<AccountRefusal> {
    every!(AccountRefusal {
        NoStore: [AccountRefusal::NoStore],
        LoginRequired: [AccountRefusal::LoginRequired],
        NameRequired: [AccountRefusal::NameRequired],
        AlreadyRegistered: [AccountRefusal::AlreadyRegistered],
        PasswordInvalid: [AccountRefusal::PasswordInvalid],
        RegistrationClosed: [AccountRefusal::RegistrationClosed],
        Insecure: [AccountRefusal::Insecure],
        TryLater: [AccountRefusal::TryLater(7)],
        LoginFailed: [AccountRefusal::LoginFailed],
        TooManyLogins: [AccountRefusal::TooManyLogins(1000)],
        LabelTaken: [AccountRefusal::LabelTaken],
        LabelTooLong: [AccountRefusal::LabelTooLong(64)],
        TooManyTokens: [AccountRefusal::TooManyTokens(20)],
        NoSuchToken: [AccountRefusal::NoSuchToken],
        NameOwned: [AccountRefusal::NameOwned],
        NoSuchAccount: [AccountRefusal::NoSuchAccount],
        MailboxFull: [AccountRefusal::MailboxFull],
    })
}

pub(super) fn done(text: &str) -> Vec<AccountDone> {
    let (name, label): (fn() -> Arc<str>, _) = (|| "ann".into(), || text.to_owned());
    every!(AccountDone {
        Register: [AccountDone::Register(name())],
        Login: [AccountDone::Login { name: name(), kept: 3 }],
        Password: [AccountDone::Password(name())],
        Unregister: [AccountDone::Unregister(name())],
        Token: [AccountDone::Token { label: label(), token: secret() }],
        Tokens: [AccountDone::Tokens(3)],
        Revoke: [AccountDone::Revoke(label())],
        Kept: [AccountDone::Kept(name())],
    })
}

pub(super) fn commands() -> Vec<AccountCommand> {
    every!(AccountCommand {
        Register: [AccountCommand::Register(secret())],
        Login: [AccountCommand::Login { name: None, secret: secret() }],
        Password: [AccountCommand::Password { old: secret(), new: secret() }],
        Unregister: [AccountCommand::Unregister(secret())],
        Token: [AccountCommand::Token(String::new())],
        Tokens: [AccountCommand::Tokens],
        Revoke: [AccountCommand::Revoke(String::new())],
    })
}

pub(super) fn tokens(text: &str) -> Vec<Token> {
    let created = Timestamp::UNIX_EPOCH;
    let used = [None, Some((created, "10.0.0.1:9".to_owned()))];
    used.map(|used| Token { label: text.to_owned(), digest: token_digest("x"), created, used }).to_vec()
}
