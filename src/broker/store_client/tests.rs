//! What the chat is told of its store. The store is a real one; what becomes of commits is told by the test, where it matters
//! when.

use std::{env, fs, future::poll_fn, path::PathBuf, process, sync::atomic::AtomicU32, task::Waker, time::Duration};

use futures::{
    channel::mpsc::{UnboundedSender, unbounded},
    executor::block_on,
    future::join,
};

use super::*;
use crate::{
    chat::{Kinds, Name, Rules},
    store::{AccountFile, Options, SyncMode},
};

/// A folder for one test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let name = format!("pipechat-store-client-{}-{}", process::id(), FOLDERS.fetch_add(1, Relaxed));
        let folder = env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn open(&self) -> StoreClient {
        let options =
            Options { sync: SyncMode::Normal, lines_max: u64::MAX, unread_max: 0, days_max: 0, bytes_max: u64::MAX };
        StoreClient::open(&StoreConfig { path: self.0.join("chat.db"), options }).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok(); // its threads may be about to end
    }
}

/// Opens a store, of which the test tells what becomes of commits.
fn told_by_test(folder: &Folder) -> (StoreClient, UnboundedSender<Outcome>) {
    let (sender, outcomes) = unbounded();
    (StoreClient { outcomes, ..folder.open() }, sender)
}

fn something() -> Vec<Change> {
    vec![Change::Remember { room: "tea".into(), topic: None, keeper: None }]
}

fn failed() -> Outcome {
    Outcome::Failed { batch: 1, reason: "the disk is full".to_owned() }
}

fn poll(client: &mut StoreClient) -> Poll<Input> {
    client.poll_next(&mut Context::from_waker(Waker::noop()))
}

fn next(client: &mut StoreClient) -> Input {
    block_on(poll_fn(|cx| client.poll_next(cx)))
}

/// An input as a word; an answer with the client it is for.
fn shown(input: Option<Input>) -> String {
    match input {
        Some(Input::Answered(ClientId(client), answer)) => {
            format!("{client} {}", if answer.is_some() { "answered" } else { "failed" })
        }
        Some(Input::StoreDown) => "down".to_owned(),
        Some(Input::StoreUp) => "up".to_owned(),
        Some(other) => panic!("{other:?}"),
        None => "nothing".to_owned(),
    }
}

#[test]
fn a_commit_is_waited_for() {
    let (folder, clock) = (Folder::new(), Clock::start());
    let mut client = folder.open();
    let has_unkept = client.has_unkept();
    assert_eq!(shown(block_on(client.keep(Vec::new(), clock))), "nothing");
    for _ in 0..3 {
        assert_eq!(shown(block_on(client.keep(something(), clock))), "nothing");
        assert!(!has_unkept.load(Relaxed));
    }
    assert_eq!((client.kept, client.handed), (3, 3));
    assert_eq!(block_on(client.close(Duration::MAX)), 0, "though no clock goes so far");
}

#[test]
fn a_timer_that_fires_early_does_not_end_the_wait() {
    let (folder, clock) = (Folder::new(), Clock::start());
    let (mut client, outcomes) = told_by_test(&folder);
    client.timer.set(Duration::ZERO, clock);
    let tell = async { outcomes.unbounded_send(Outcome::Committed(1)).unwrap() };
    let (input, ()) = block_on(join(client.keep(something(), clock), tell));
    assert_eq!(shown(input), "nothing");
}

#[test]
fn a_commit_that_takes_long_is_not_waited_for_and_the_next_ones_are_not_at_all() {
    let (folder, clock) = (Folder::new(), Clock::start());
    let (mut client, outcomes) = told_by_test(&folder);
    let has_unkept = client.has_unkept();
    assert_eq!(shown(block_on(client.keep(something(), clock))), "down");
    assert!(clock.now() >= COMMIT_TIME_MAX);
    for _ in 0..2 {
        assert_eq!(shown(block_on(client.keep(something(), clock))), "nothing");
    }
    assert!(poll(&mut client).is_pending() && has_unkept.load(Relaxed));
    outcomes.unbounded_send(failed()).unwrap();
    assert!(poll(&mut client).is_pending(), "the chat knows");
    outcomes.unbounded_send(Outcome::Committed(1)).unwrap();
    assert_eq!(shown(Some(next(&mut client))), "up", "all is kept that was said before it failed");
    assert!(has_unkept.load(Relaxed), "what was handed over later is on its way");
    outcomes.unbounded_send(Outcome::Committed(3)).unwrap();
    assert!(poll(&mut client).is_pending() && !has_unkept.load(Relaxed));
}

#[test]
fn a_failure_is_told_once_and_so_is_its_end() {
    let (folder, clock) = (Folder::new(), Clock::start());
    let (mut client, outcomes) = told_by_test(&folder);
    outcomes.unbounded_send(Outcome::Committed(1)).unwrap();
    assert_eq!(shown(block_on(client.keep(something(), clock))), "nothing");
    outcomes.unbounded_send(failed()).unwrap();
    assert_eq!(shown(block_on(client.keep(something(), clock))), "down");
    outcomes.unbounded_send(Outcome::Committed(1)).unwrap();
    assert!(poll(&mut client).is_pending(), "the second one is not kept yet");
    outcomes.unbounded_send(Outcome::Committed(2)).unwrap();
    assert_eq!(shown(Some(next(&mut client))), "up");
    drop(outcomes);
    assert_eq!(shown(Some(next(&mut client))), "down", "its thread has ended");
    assert!(poll(&mut client).is_pending());
}

#[test]
fn when_the_store_works_again_what_is_still_on_its_way_is_waited_for() {
    let (folder, clock) = (Folder::new(), Clock::start());
    let (mut client, outcomes) = told_by_test(&folder);
    outcomes.unbounded_send(failed()).unwrap();
    assert_eq!(shown(block_on(client.keep(something(), clock))), "down");
    assert_eq!(shown(block_on(client.keep(something(), clock))), "nothing");
    outcomes.unbounded_send(Outcome::Committed(1)).unwrap();
    assert_eq!(shown(Some(next(&mut client))), "up");
    let tell = async { outcomes.unbounded_send(Outcome::Committed(2)).unwrap() };
    let (input, ()) = block_on(join(client.keep(Vec::new(), clock), tell));
    assert_eq!((shown(input), client.kept), ("nothing".to_owned(), 2), "before it is asked anything");
}

#[test]
fn a_store_that_fails_is_not_asked() {
    let (folder, clock) = (Folder::new(), Clock::start());
    let (mut client, outcomes) = told_by_test(&folder);
    outcomes.unbounded_send(failed()).unwrap();
    assert_eq!(shown(block_on(client.keep(something(), clock))), "down");
    let question = (ClientId(1), Query::SeekLast { rooms: vec!["tea".into()], kinds: Kinds::All, count: 1, until: 9 });
    client.ask(vec![question], 0, |client| Some(FlowKey::Client(client)));
    outcomes.unbounded_send(Outcome::Committed(1)).unwrap();
    let inputs = [next(&mut client), next(&mut client)].map(|input| shown(Some(input)));
    assert_eq!(inputs, ["1 failed", "up"], "whatever it can do by now");
}

#[test]
fn few_questions_are_asked_at_once_and_none_for_those_who_have_left() {
    let folder = Folder::new();
    let mut client = folder.open();
    let query = || Query::SeekLast { rooms: vec!["tea".into()], kinds: Kinds::All, count: 1, until: 9 };
    let questions = (1..=7).map(|client| (ClientId(client), query())).collect();
    let payer = |client| (client != ClientId(2)).then_some(FlowKey::Client(client));
    client.ask(questions, 0, payer);
    assert_eq!(client.answers.len(), QUESTIONS_MAX);
    let mut answered: Vec<_> = (0..QUESTIONS_MAX).map(|_| shown(Some(next(&mut client)))).collect();
    client.ask(Vec::new(), QUESTIONS_MAX, payer);
    assert!(poll(&mut client).is_pending(), "the chat has not had the answers yet");
    client.ask(Vec::new(), QUESTIONS_MAX - 1, payer);
    assert_eq!(client.answers.len(), 1);
    client.ask(Vec::new(), 0, payer);
    answered.extend((0..2).map(|_| shown(Some(next(&mut client)))));
    assert!(poll(&mut client).is_pending());
    answered.sort();
    assert_eq!(answered, [1, 3, 4, 5, 6, 7].map(|client| format!("{client} answered")));
}

#[test]
fn what_cannot_be_read_is_an_answer_too() {
    let folder = Folder::new();
    let mut client = folder.open();
    for (id, reason) in [(1, Some("the disk is broken".to_owned())), (2, None)] {
        let (sender, answer) = oneshot::channel();
        match reason {
            Some(reason) => sender.send(Err(reason)).unwrap(),
            None => drop(sender),
        }
        client.answers.push(Box::pin(Pending { client: ClientId(id), answer }));
        assert_eq!(shown(Some(next(&mut client))), format!("{id} failed"));
    }
}

#[test]
fn a_chat_goes_on_with_what_the_store_has() {
    let (folder, clock) = (Folder::new(), Clock::start());
    let mut client = folder.open();
    let epoch = client.epoch();
    let room = |room: &str, topic: Option<&str>, keeper: &str| Change::Remember {
        room: room.into(),
        topic: topic.map(Into::into),
        keeper: keeper.parse().ok(),
    };
    block_on(client.keep(vec![room("tea", Some("hot"), "10.0.0.1"), room("empty", None, "nobody")], clock));
    block_on(client.close(Duration::ZERO));
    let mut client = folder.open();
    assert!(epoch.is_some() && client.epoch() == epoch);
    let mut chat = Chat::new(Rules { has_store: true, ..Rules::default() }, Epoch::from_random(0));
    let mut out = Vec::new();
    client.restore(&mut chat, &mut out);
    assert_eq!(out, [crate::chat::Output::Forget("empty".into())]);
    client.restore(&mut chat, &mut out);
    assert_eq!((out.len(), client.epoch()), (1, None), "once");
}

#[test]
fn what_is_lost_is_counted_when_the_store_is_closed() {
    let (folder, clock) = (Folder::new(), Clock::start());
    let mut client = folder.open();
    let shell = rusqlite::Connection::open(folder.0.join("chat.db")).unwrap();
    shell.execute_batch("begin immediate").unwrap();
    let changes = [something(), something()].concat();
    assert_eq!(shown(block_on(client.keep(changes, clock))), "down");
    assert_eq!(block_on(client.close(Duration::ZERO)), 2);
}

#[test]
fn the_chat_is_told_of_accounts_that_have_all_that_it_has_changed() {
    let path = env::temp_dir().join(format!("pipechat-accounts-{}.db", process::id()));
    let file = AccountFile::open(&path, true).unwrap();
    let make = |name: &str| {
        let account = Account::new(&Name::parse(name).unwrap(), None, Timestamp::UNIX_EPOCH);
        file.edit(name, |_| Ok(Some(account.clone()))).unwrap();
        account
    };
    let ann = make("ann");
    let options = Options { sync: SyncMode::Normal, lines_max: 9, unread_max: 0, days_max: 0, bytes_max: 1 << 30 };
    let mut client = StoreClient::open(&StoreConfig { path: path.clone(), options }).unwrap();
    assert_eq!(client.loaded.as_ref().unwrap().accounts.as_slice(), std::slice::from_ref(&ann));
    let bob = make("bob");
    // The chat has changed something that is not in this yet.
    client.accounts_handed = 1;
    assert_eq!(client.take_outcome(Some(Outcome::Accounts { batch: 0, number: 1, accounts: vec![ann.clone()] })), None);
    assert_eq!(client.accounts, None);
    client.accounts_handed = 0;
    let told = block_on(poll_fn(|cx| client.poll_next(cx)));
    assert_eq!(told, Input::Accounts(vec![ann, bob]));
    assert_eq!(block_on(client.close(Duration::ZERO)), 0);
    for end in ["", ".lock", "-wal", "-shm"] {
        fs::remove_file(format!("{}{end}", path.display())).ok();
    }
}

#[test]
fn bans_are_told_with_all_that_the_chat_has_changed() {
    let (folder, clock) = (Folder::new(), Clock::start());
    let (mut client, outcomes) = told_by_test(&folder);
    let tell = |outcome| outcomes.unbounded_send(outcome).unwrap();
    tell(Outcome::Committed(1));
    assert_eq!(shown(block_on(client.keep(something(), clock))), "nothing");
    tell(Outcome::Bans { batch: 0, sanctions: Vec::new() });
    assert!(poll(&mut client).is_pending(), "the chat has changed something since");
    tell(Outcome::Bans { batch: 1, sanctions: Vec::new() });
    assert_eq!(poll(&mut client), Poll::Ready(Input::Bans(Vec::new())));
    assert!(poll(&mut client).is_pending());
}
