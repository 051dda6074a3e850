//! Private messages to accounts: they are kept, told at once to one who is here, and to one who is away when it logs in.

use std::{collections::BTreeMap, sync::Arc};

use super::{AccountDone, AccountRefusal};
use crate::{
    address::Network,
    chat::{
        Account, AccountChange, Asked, Chat, ClientId, Done, Event, Identity, KeptEvent, Load, Output, PastMailbox,
        PastSender, Record, Refusal, account_key, compose::composed, mailbox, stored::StoreState,
        visitors::TellVisitors, work::Task,
    },
    origin::Origin,
};

/// The most messages of one sender that are kept for an account that is away.
const OF_ONE_SENDER_MAX: u16 = 50;

/// What is kept for an account, as far as it is known without asking the store.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    /// The number of the last message; 0 if there is none.
    last: u64,
    /// How many were kept since the account was here.
    waiting: usize,
    /// The same by sender.
    by_sender: BTreeMap<Sender, u16>,
    /// The client that is being told what is kept, and before that nothing that comes.
    delivering: Option<ClientId>,
}

/// Who sends messages, for the limit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Sender {
    /// An account of this key.
    Account(Box<str>),
    /// All clients of a network that have none.
    Network(Network),
    /// A client from a trusted address that has none.
    Client(ClientId),
}

impl Mailbox {
    /// One more is kept of a sender.
    fn add(&mut self, sender: Sender) {
        self.waiting += 1;
        *self.by_sender.entry(sender).or_default() += 1;
    }
}

impl Chat {
    /// Goes on where a store has left off: with what is kept for these accounts. Who has sent it from a trusted address, and
    /// had no account, is not known any more.
    pub fn restore_mailboxes(&mut self, mailboxes: &[PastMailbox]) {
        for PastMailbox { account, last, unread } in mailboxes {
            let mut mailbox = Mailbox { last: *last, ..Mailbox::default() };
            for (sender, count) in unread {
                mailbox.waiting += count;
                if let Some(sender) = self.past_sender(sender) {
                    let of_sender = mailbox.by_sender.entry(sender).or_default();
                    *of_sender = of_sender.saturating_add(u16::try_from(*count).unwrap_or(u16::MAX));
                }
            }
            self.accounts.mailboxes.insert(account_key(account).into(), mailbox);
        }
    }

    fn past_sender(&self, sender: &PastSender) -> Option<Sender> {
        match sender {
            PastSender::Account(name) => Some(Sender::Account(account_key(name).into())),
            PastSender::Guest(addr) => {
                let origin = Origin { addr: addr.parse().ok()?, is_told: false, is_encrypted: false, account: None };
                origin.payer(&self.rules.trusted).map(Sender::Network)
            }
        }
    }

    /// The key of the account of this name, if there is one.
    pub(in crate::chat) fn account_key_of(&self, name: &str) -> Option<Box<str>> {
        let key = crate::chat::name::lookup_key(name)?;
        self.accounts.directory.get(&key).map(|_| key.into())
    }

    /// Says something in private to an account.
    pub(in crate::chat) fn tell_account(
        &mut self,
        client: ClientId,
        load: Load,
        key: &str,
        text: String,
        out: &mut Vec<Output>,
    ) {
        let told = self.try_tell_account(client, load, key, &text, out);
        match told {
            Ok(Some(name)) => {
                out.push(Output::tell(client, Event::Done(Done::Account(AccountDone::Kept(name)))));
                if self.members.bearers(key).is_some() {
                    // Those that visit as the account hear it, too.
                    let telling = TellVisitors::new(client, load, key.to_owned(), text);
                    return self.begin(client, Task::TellVisitors(telling), out);
                }
            }
            Ok(None) => {}
            Err(refusal) => out.push(Output::tell(client, Event::Declined(Asked::To, refusal))),
        }
        out.push(Output::Ready(client));
    }

    /// Keeps a message, and tells the account of it if it is here. Answers the name of one that is away.
    fn try_tell_account(
        &mut self,
        client: ClientId,
        load: Load,
        key: &str,
        text: &str,
        out: &mut Vec<Output>,
    ) -> Result<Option<Arc<str>>, Refusal> {
        if text.is_empty() {
            return Err(Refusal::EmptyText);
        }
        if self.store.fails() {
            return Err(Refusal::NotStored);
        }
        let (Some(from), Some(account)) = (self.members.get(client), self.accounts.directory.get(key)) else {
            return Err(Refusal::NoSuchUser);
        };
        let (from, name, read) = (Arc::clone(&from.who), Arc::clone(&account.name), account.read);
        let present = self.members.bearers(key).and_then(|bearers| bearers.present());
        let mailbox = self.accounts.mailboxes.entry(key.into()).or_default();
        match present {
            Some(to) if mailbox.delivering != Some(to) => {
                let was_read = mailbox.last <= read;
                if !self.may_tell(to, load) {
                    return Err(Refusal::RecipientBehind);
                }
                let n = self.keep_private(key, &name, &from, text, out);
                if was_read {
                    self.mark_read(key, n, out);
                }
                let by = self.account_of(client);
                self.waits.meet_text(to, by.as_deref(), || composed(text));
                out.push(Output::tell(to, Event::Private { from, text: text.to_owned() }));
                Ok(None)
            }
            Some(_) | None => {
                let sender = self.sender(client);
                let most = self.rules.accounts.offline_max;
                let mailbox = self.accounts.mailboxes.entry(key.into()).or_default();
                let of_sender = mailbox.by_sender.get(&sender).copied().unwrap_or(0);
                if mailbox.waiting >= most || of_sender >= OF_ONE_SENDER_MAX {
                    return Err(AccountRefusal::MailboxFull.into());
                }
                mailbox.add(sender);
                self.keep_private(key, &name, &from, text, out);
                Ok(Some(name).filter(|_| present.is_none()))
            }
        }
    }

    fn sender(&self, client: ClientId) -> Sender {
        let account = self.account_of(client).map(Sender::Account);
        let network = || self.network_of(client).map(Sender::Network);
        account.or_else(network).unwrap_or(Sender::Client(client))
    }

    /// Has the store keep a message, and answers its number.
    fn keep_private(&mut self, key: &str, name: &str, from: &Arc<Identity>, text: &str, out: &mut Vec<Output>) -> u64 {
        debug_assert_eq!(self.store, StoreState::Works);
        self.events += 1;
        let event = KeptEvent::Private { from: Arc::clone(from), text: text.to_owned() };
        out.push(Output::Keep(Record { n: self.events, at: self.at, room: mailbox(name), event }));
        let mailbox = self.accounts.mailboxes.entry(key.into()).or_default();
        mailbox.last = self.events;
        self.events
    }

    /// All up to this number was delivered.
    fn mark_read(&mut self, key: &str, n: u64, out: &mut Vec<Output>) {
        let account = self.accounts.directory.update(key, |account: &mut Account| account.read = n);
        if let Some(account) = account {
            let account = Arc::clone(&account.name);
            out.push(Output::Account(AccountChange::Read { account, n }));
        }
    }

    /// What is kept for the account is to be delivered to this client, if it is here: a visitor leaves it for the person. Answers
    /// behind which number, unless there is nothing.
    pub(super) fn begin_delivery(&mut self, client: ClientId, key: &str) -> Option<u64> {
        let read = self.accounts.directory.get(key)?.read;
        let is_present = self.members.is_present(client);
        let mailbox = self.accounts.mailboxes.get_mut(key).filter(|mailbox| is_present && mailbox.last > read)?;
        mailbox.delivering = Some(client);
        Some(read)
    }

    /// The number of the last message that is kept for the account; 0 if there is none.
    pub(in crate::chat) fn last_mail(&self, key: &str) -> u64 {
        self.accounts.mailboxes.get(key).map_or(0, |mailbox| mailbox.last)
    }

    /// All that is kept was delivered.
    pub(in crate::chat) fn end_delivery(&mut self, client: ClientId, key: &str, through: u64, out: &mut Vec<Output>) {
        let is_new = self.accounts.directory.get(key).is_some_and(|account| account.read < through);
        if let Some(mailbox) = self.accounts.mailboxes.get_mut(key)
            && mailbox.delivering == Some(client)
        {
            *mailbox = Mailbox { last: mailbox.last, ..Mailbox::default() };
            if is_new {
                self.mark_read(key, through, out);
            }
        }
    }

    /// The client is told nothing more of what is kept.
    pub(in crate::chat) fn break_off_delivery(&mut self, client: ClientId) {
        let Some(key) = self.account_of(client) else { return };
        if let Some(mailbox) = self.accounts.mailboxes.get_mut(&key)
            && mailbox.delivering == Some(client)
        {
            mailbox.delivering = None;
        }
    }
}
