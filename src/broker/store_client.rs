//! The broker's dealings with the store: what a turn made public is committed before anyone is told, unless the store fails.
//! Knows what is in flight, and nothing of rules.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures::{
    FutureExt, StreamExt,
    channel::{mpsc::UnboundedReceiver, oneshot},
    future::{Either, select},
    stream::FuturesUnordered,
};

use jiff::Timestamp;

use super::{by_payer::ByPayer, random, schedule::FlowKey};
use crate::{
    chat::{Account, AccountChange, Answer, Chat, ClientId, Epoch, Input, Query, Sanctions},
    config::StoreConfig,
    reactor::{Clock, Timer},
    store::{Change, Loaded, Outcome, Store},
};

/// How long a commit may take before the chat goes on without it.
const COMMIT_TIME_MAX: Duration = Duration::from_secs(1);
/// Questions to the store whose answers the chat has not had yet: so many pages are in memory at most.
const QUESTIONS_MAX: usize = 4;

/// A store, and what it has been asked.
#[derive(Debug)]
pub struct StoreClient {
    store: Store,
    /// What it had when it was opened, until the chat has it.
    loaded: Option<Loaded>,
    outcomes: UnboundedReceiver<Outcome>,
    /// The last batch of changes that was handed over, and the last one that is known to be kept.
    handed: u64,
    kept: u64,
    /// The chat was told that the store fails, when this batch had been handed over.
    down_since: Option<u64>,
    /// Something was handed over that is not known to be kept.
    has_unkept: Arc<AtomicBool>,
    /// What is to be asked for clients.
    questions: ByPayer<(ClientId, Query)>,
    /// What has been asked; at most [`QUESTIONS_MAX`].
    answers: FuturesUnordered<Pin<Box<Pending>>>,
    /// The last batch that has to be in what the chat is told of accounts: the chat knows it.
    accounts_handed: u64,
    /// The accounts, as another process has left them, until the chat is told.
    accounts: Option<(u64, Vec<Account>)>,
    /// The bans, as the store had them when this batch was kept, until the chat is told.
    bans: Option<(u64, Sanctions)>,
    /// The chat has been told of these since the last batch: what it changes now it changes in these.
    seen: Option<u64>,
    timer: Timer,
}

/// An answer to come.
#[derive(Debug)]
struct Pending {
    client: ClientId,
    answer: oneshot::Receiver<Result<Answer, String>>,
}

impl Future for Pending {
    type Output = Input;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Input> {
        let client = self.client;
        self.answer.poll_unpin(cx).map(|answer| match answer {
            Ok(Ok(answer)) => Input::Answered(client, Some(answer)),
            Ok(Err(reason)) => {
                log::warn!("the store cannot be read: {reason}");
                Input::Answered(client, None)
            }
            Err(oneshot::Canceled) => Input::Answered(client, None), // it was said why
        })
    }
}

impl StoreClient {
    /// Opens the store, which is this process's alone until it is closed.
    ///
    /// # Errors
    /// One sentence that says what is wrong with the file.
    pub fn open(config: &StoreConfig) -> Result<Self, String> {
        let (store, loaded, outcomes) = Store::open(&config.path, config.options, Timestamp::now(), random())?;
        Ok(Self {
            store,
            loaded: Some(loaded),
            outcomes,
            handed: 0,
            kept: 0,
            down_since: None,
            has_unkept: Arc::default(),
            questions: ByPayer::default(),
            answers: FuturesUnordered::new(),
            accounts_handed: 0,
            accounts: None,
            bans: None,
            seen: None,
            timer: Timer::new(),
        })
    }

    /// Whether something was handed over that is not known to be kept, from now on.
    #[must_use]
    pub fn has_unkept(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.has_unkept)
    }

    /// Whose numbers the numbers of events are.
    pub(super) fn epoch(&self) -> Option<Epoch> {
        self.loaded.as_ref().map(|loaded| loaded.epoch)
    }

    /// Has the chat go on where the store has left off.
    pub(super) fn restore(&mut self, chat: &mut Chat, out: &mut Vec<crate::chat::Output>) {
        let Some(Loaded { next, forgotten, rooms, accounts, mailboxes, order, epoch: _ }) = self.loaded.take() else {
            return;
        };
        self.accounts = (!accounts.is_empty()).then_some((0, accounts)); // what is loaded has no number
        chat.restore_mailboxes(&mailboxes);
        chat.restore(next, forgotten, &rooms, out);
        chat.restore_order(order);
    }

    /// Keeps what a turn has changed, and waits until that is done, but not for long. Answers what the chat has to know.
    pub(super) async fn keep(&mut self, mut changes: Vec<Change>, clock: Clock) -> Option<Input> {
        if !changes.is_empty() {
            if let Some(number) = self.seen.take() {
                changes.insert(0, Change::AccountsSeen(number));
            }
            let is_about_account =
                |change: &Change| matches!(change, Change::Account(AccountChange::Put(_) | AccountChange::Gone(_)));
            let has_account = changes.iter().any(is_about_account);
            self.handed = self.store.commit(changes);
            if has_account {
                self.accounts_handed = self.handed;
            }
            self.has_unkept.store(true, Relaxed);
        }
        if self.down_since.is_some() {
            return None; // it keeps them as soon as it can
        }
        // Also without changes: of those before, some may be on their way since the store was down.
        let deadline = clock.now() + COMMIT_TIME_MAX;
        while self.kept < self.handed {
            self.timer.set(deadline, clock); // it may fire early
            let outcome = match select(self.outcomes.next(), &mut self.timer).await {
                Either::Left((outcome, _)) => outcome,
                Either::Right(((), _)) if clock.now() < deadline => continue,
                Either::Right(((), _)) => {
                    log::error!(
                        "a commit takes more than {} s: messages are refused until it is done",
                        COMMIT_TIME_MAX.as_secs()
                    );
                    return Some(self.fail());
                }
            };
            if let Some(input) = self.take_outcome(outcome) {
                return Some(input);
            }
        }
        None
    }

    /// Asks for clients, as far as they are still here and have a payer; few at a time, and the fewer, the more answers the
    /// chat has not had yet.
    pub(super) fn ask(
        &mut self,
        questions: Vec<(ClientId, Query)>,
        answers: usize,
        payer: impl Fn(ClientId) -> Option<FlowKey>,
    ) {
        for (client, query) in questions {
            if self.down_since.is_some() {
                // Nobody answers: what this turn has changed would be missing.
                self.answers.push(Box::pin(Pending { client, answer: oneshot::channel().1 }));
            } else if let Some(payer) = payer(client) {
                self.questions.push(payer, (client, query));
            }
        }
        while self.answers.len() + answers < QUESTIONS_MAX
            && let Some((client, query)) = self.questions.next()
        {
            if payer(client).is_some() {
                self.answers.push(Box::pin(Pending { client, answer: self.store.read(query) }));
            }
        }
    }

    /// Has the chat told of the bans in the file, which somebody may have changed.
    pub(super) fn reread_bans(&self) {
        self.store.tell_bans();
    }

    /// The next thing that the chat has to know.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Input> {
        if let Poll::Ready(Some(input)) = self.answers.poll_next_unpin(cx) {
            return Poll::Ready(input);
        }
        while let Poll::Ready(outcome) = self.outcomes.poll_next_unpin(cx) {
            let is_over = outcome.is_none();
            if let Some(input) = self.take_outcome(outcome) {
                return Poll::Ready(input);
            }
            if is_over {
                return Poll::Pending; // it fails for ever, and the chat knows
            }
        }
        match self.bans.take() {
            Some((batch, sanctions)) if batch >= self.handed => {
                log::info!("bans and mutes were read again: {}", sanctions.len());
                return Poll::Ready(Input::Bans(sanctions));
            }
            Some(_) => self.store.tell_bans(), // the chat may have changed some meanwhile
            None => {}
        }
        let Some((number, accounts)) = self.accounts.take() else { return Poll::Pending };
        self.seen = Some(number);
        Poll::Ready(Input::Accounts(accounts))
    }

    /// Closes the store. Answers how many changes are lost.
    pub(crate) async fn close(self, patience: Duration) -> u64 {
        self.store.close(patience).await.unwrap_or(u64::MAX)
    }

    /// Answers what the chat has to know of this.
    fn take_outcome(&mut self, outcome: Option<Outcome>) -> Option<Input> {
        match outcome {
            Some(Outcome::Committed(batch)) => {
                self.kept = batch;
                self.has_unkept.store(self.kept < self.handed, Relaxed);
                if self.down_since.is_some_and(|batch| self.kept >= batch) {
                    self.down_since = None;
                    log::warn!("the store works again");
                    return Some(Input::StoreUp);
                }
                None
            }
            Some(Outcome::Accounts { batch, number, accounts }) => {
                if batch >= self.accounts_handed {
                    self.accounts = Some((number, accounts));
                } else {
                    self.store.tell_accounts(); // the chat has changed some meanwhile
                }
                None
            }
            Some(Outcome::Bans { batch, sanctions }) => {
                self.bans = Some((batch, sanctions));
                None
            }
            Some(Outcome::Failed { reason, .. }) => {
                log::error!("the store fails, and messages are refused until it works again: {reason}");
                self.down_since.is_none().then(|| self.fail())
            }
            None => self.down_since.is_none().then(|| self.fail()),
        }
    }

    fn fail(&mut self) -> Input {
        self.down_since = Some(self.handed);
        Input::StoreDown
    }
}

#[cfg(test)]
mod tests;
