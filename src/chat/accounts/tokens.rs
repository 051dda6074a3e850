//! Tokens: what scripts log in with.

use super::{AccountDone, AccountRefusal, Begun, verdict::Purpose};
use crate::chat::{Account, AccountChange, Chat, ClientId, Done, Event, Job, Output, Refusal, TOKENS_MAX, Token};

use std::sync::Arc;

/// The longest label, in bytes.
const LABEL_BYTES_MAX: usize = 64;

impl Chat {
    pub(super) fn make_token(&mut self, client: ClientId, label: String) -> Result<Begun, Refusal> {
        let key = self.account_of(client).ok_or(AccountRefusal::LoginRequired)?;
        let account = self.accounts.directory.get(&key).ok_or(AccountRefusal::LoginRequired)?;
        if label.len() > LABEL_BYTES_MAX {
            return Err(AccountRefusal::LabelTooLong(LABEL_BYTES_MAX).into());
        }
        check_label(account, &label)?;
        Ok(Begun::Verifies(Purpose::Token { generation: account.generation, key, label }, Job::MakeToken))
    }

    /// Lists the tokens, which are few.
    pub(super) fn tokens(&mut self, client: ClientId, out: &mut Vec<Output>) -> Result<Begun, Refusal> {
        let key = self.account_of(client).ok_or(AccountRefusal::LoginRequired)?;
        let account = self.accounts.directory.get(&key).ok_or(AccountRefusal::LoginRequired)?;
        let event = |token: &Token| Event::Token(Arc::clone(&account.name), token.clone());
        out.extend(account.tokens.iter().map(|token| Output::tell(client, event(token))));
        Ok(Begun::Done(AccountDone::Tokens(account.tokens.len())))
    }

    pub(super) fn revoke(&mut self, client: ClientId, label: &str, out: &mut Vec<Output>) -> Result<Begun, Refusal> {
        let key = self.account_of(client).ok_or(AccountRefusal::LoginRequired)?;
        let mut account = self.accounts.directory.get(&key).ok_or(AccountRefusal::LoginRequired)?.clone();
        let before = account.tokens.len();
        account.tokens.retain(|token| token.label != label);
        if account.tokens.len() == before {
            return Err(AccountRefusal::NoSuchToken.into());
        }
        self.accounts.directory.insert(account.clone());
        out.push(Output::Account(AccountChange::Put(account)));
        // First of all: where everyone has to log in, it may be among those who are sent away.
        out.push(Output::tell(client, Event::Done(Done::Account(AccountDone::Revoke(label.to_owned())))));
        self.log_out_token(&key, label, out);
        if self.members.get(client).is_some() {
            out.push(Output::Ready(client));
        }
        Ok(Begun::GoesOn)
    }
}

/// Checks that the account may have a token of this label.
pub(super) fn check_label(account: &Account, label: &str) -> Result<(), AccountRefusal> {
    if account.tokens.iter().any(|token| token.label == label) {
        Err(AccountRefusal::LabelTaken)
    } else if account.tokens.len() >= TOKENS_MAX {
        Err(AccountRefusal::TooManyTokens(TOKENS_MAX))
    } else {
        Ok(())
    }
}
