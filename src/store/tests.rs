//! A store as its caller has it: what is committed is read again, now and after the next start. The folders are tests' own.

mod accounts;
mod failing;
mod keeping_up;
mod merged;
mod opening;
mod order;
mod reading;
mod removing;

use std::{
    env, fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Instant,
};

use futures::{StreamExt, executor::block_on};

use super::{database::Tables, open::Opened, reader::Reader, writer::Writer, *};
use crate::chat::{Departure, Identity, KeptEvent, Kinds, PastOrder, PublicEvent};

const OPTIONS: Options =
    Options { sync: SyncMode::Normal, lines_max: u64::MAX, unread_max: 0, days_max: 0, bytes_max: u64::MAX };
const NOW: Timestamp = Timestamp::constant(1_795_660_123, 0);

const NONE: [u64; 0] = [];

/// A folder for one test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let name = format!("pipechat-store-{}-{}", process::id(), FOLDERS.fetch_add(1, Relaxed));
        let folder = env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("chat.db")
    }

    /// Another connection to the file, as a `sqlite3` shell has one.
    fn shell(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }

    fn ask(&self, sql: &str) -> String {
        self.shell().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn ask_number(&self, sql: &str) -> u64 {
        let number: i64 = self.shell().query_row(sql, [], |row| row.get(0)).unwrap();
        number.try_into().unwrap()
    }

    fn open(&self) -> Open {
        let (store, loaded, outcomes) = Store::open(&self.file(), OPTIONS, NOW, 0).unwrap();
        Open { store, loaded, outcomes }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A store that is open.
struct Open {
    store: Store,
    loaded: Loaded,
    outcomes: UnboundedReceiver<Outcome>,
}

impl Open {
    /// Commits, and waits for it.
    fn commit(&mut self, changes: Vec<Change>) {
        let batch = self.store.commit(changes);
        assert_eq!(block_on(self.outcomes.next()), Some(Outcome::Committed(batch)));
    }

    fn read(&self, query: Query) -> Answer {
        block_on(self.store.read(query)).unwrap().unwrap()
    }

    /// All events of a room.
    fn records(&self, room: &str) -> Vec<Record> {
        match self.read(Query::Page { rooms: vec![(room.into(), 0)], until: u64::MAX, kinds: Kinds::All, limit: 1000 })
        {
            Answer::Page { records, .. } => records,
            Answer::Behind { .. } | Answer::Further { .. } => panic!("a page was asked for"),
        }
    }

    fn numbers(&self, room: &str) -> Vec<u64> {
        self.records(room).iter().map(|record| record.n).collect()
    }

    fn close(self) -> u64 {
        block_on(self.store.close(Duration::ZERO)).unwrap()
    }

    /// As after a crash, but when the file can be opened again.
    fn crash(self) {
        let Self { store, outcomes, .. } = self;
        drop(store);
        block_on(outcomes.for_each(|_| async {}));
    }
}

/// The writer without its thread: a test has the time.
fn with_writer(folder: &Folder, options: Options, test: impl FnOnce(&mut Writer<'_>, &mut Reader<'_>, &mut Outcomes)) {
    let (Opened { database, reader }, _) = open::open(&folder.file(), options, NOW, 0).unwrap();
    let tables = Tables::new(&database.connection, database.state).unwrap();
    let (outcomes, receiver) = unbounded();
    test(&mut Writer::new(tables, outcomes), &mut Reader::new(&reader).unwrap(), &mut Outcomes(receiver));
}

struct Outcomes(UnboundedReceiver<Outcome>);

impl Outcomes {
    /// Those since it was last asked.
    fn take(&mut self) -> Vec<Outcome> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

/// Hands a batch over and does what is to be done at once.
fn commit(writer: &mut Writer<'_>, batch: u64, changes: Vec<Change>) {
    let now = Instant::now();
    writer.take(Task::Commit { batch, changes }, now);
    settle(writer, now);
}

fn settle(writer: &mut Writer<'_>, now: Instant) {
    while writer.due(now).is_some_and(|due| due <= now) {
        writer.work(now);
    }
}

/// Whether there is nothing to do but to look at what others have done.
fn is_idle(writer: &Writer<'_>) -> bool {
    writer.due(Instant::now()) == Some(writer.tables.state.watched.look_at)
}

fn ann() -> Arc<Identity> {
    Arc::new(Identity { name: "ann".to_owned(), addr: "10.0.0.1:9".to_owned(), is_account: false })
}

fn record(n: u64, at: Timestamp, room: &str, event: impl Into<KeptEvent>) -> Record {
    Record { n, at, room: room.into(), event: event.into() }
}

fn message(text: &str) -> PublicEvent {
    PublicEvent::Message { from: ann(), text: text.to_owned() }
}

/// A message for each of these numbers.
fn say(room: &str, numbers: impl IntoIterator<Item = u64>) -> Vec<Change> {
    numbers.into_iter().map(|n| Change::Event(record(n, NOW, room, message(&format!("line {n}"))))).collect()
}

fn network(text: &str) -> Network {
    text.parse().expect("an address")
}

fn topic(room: &str, topic: Option<&str>, keeper: Option<&str>) -> Change {
    Change::Remember { room: room.into(), topic: topic.map(Into::into), keeper: keeper.map(network) }
}

#[test]
fn the_file_reads_like_a_log_in_the_shell() {
    let folder = Folder::new();
    let mut open = folder.open();
    let at: Timestamp = "2026-11-26T02:28:43.123987Z".parse().unwrap();
    let bea = Arc::new(Identity { name: "bea".to_owned(), ..(*ann()).clone() });
    let events = [PublicEvent::Joined(ann()), message("hello"), PublicEvent::KnownAs { old: ann(), new: bea }];
    open.commit((1..).zip(events).map(|(n, event)| Change::Event(record(n, at, "tea", event))).collect());
    let lines = |sql: &str| folder.ask(&format!("select group_concat(line, '\n') from ({sql})"));
    assert_eq!(
        lines("select concat_ws(' ', at, name, text) as line from messages order by n desc limit 2"),
        "2026-11-26T02:28:43.123Z ann is now bea\n2026-11-26T02:28:43.123Z ann hello"
    );
    assert_eq!(
        lines("select concat_ws(' ', room, kind, name, addr, text) as line from log order by n"),
        "tea joined ann 10.0.0.1:9 has joined\ntea message ann 10.0.0.1:9 hello\ntea renamed ann 10.0.0.1:9 is now bea"
    );
    for table in ["messages", "rooms", "settings", "accounts", "tokens", "room_roles", "bans", "audit"] {
        let sql: String = folder.ask(&format!("select sql from sqlite_schema where name = '{table}'"));
        assert!(sql.contains("--"), "{table} is documented");
    }
}

#[test]
fn rooms_come_back_in_the_order_of_their_last_events() {
    let folder = Folder::new();
    let mut open = folder.open();
    assert_eq!(
        open.loaded,
        Loaded {
            epoch: Epoch::from_random(0),
            next: 1,
            forgotten: 0,
            rooms: vec![],
            accounts: vec![],
            mailboxes: vec![],
            order: PastOrder::default()
        }
    );
    open.commit(vec![topic("empty", None, Some("10.0.0.1"))]);
    open.commit([say("b", [1]), say("a", [2]), say("c", [3]), say("b", [4])].concat());
    open.commit(vec![topic("a", Some("first"), None)]);
    open.commit(vec![topic("a", Some("second"), Some("10.0.0.2"))]);
    open.commit(vec![topic("c", Some("away"), Some("10.0.0.3")), topic("c", None, None)]);
    let room = |name: &str, last| {
        let (topic, keeper) = match name {
            "a" => (Some("second"), Some("10.0.0.2")),
            "empty" => (None, Some("10.0.0.1")),
            _ => (None, None),
        };
        let (topic, keeper) = (topic.map(Into::into), keeper.map(network));
        PastRoom { name: name.to_owned(), topic, keeper, is_locked: false, last, gone: None }
    };
    let rooms = [room("empty", 0), room("a", 2), room("c", 3), room("b", 4)];
    open.crash();
    let open = folder.open();
    assert_eq!(open.loaded.rooms, rooms, "after a crash");
    open.close();
    assert_eq!(folder.open().loaded.rooms, rooms, "after a close");
}

#[test]
fn batches_are_committed_in_their_order() {
    let folder = Folder::new();
    let mut open = folder.open();
    let batches: Vec<_> = (0..300).map(|n| open.store.commit(say("tea", 3 * n + 1..=3 * n + 3))).collect();
    assert_eq!(batches, (1..=300).collect::<Vec<_>>());
    let mut last = 0;
    while last < 300 {
        let Some(Outcome::Committed(batch)) = block_on(open.outcomes.next()) else { panic!("nothing fails") };
        assert!(batch > last, "{batch} after {last}");
        last = batch;
    }
    assert_eq!(open.numbers("tea"), (1..=900).collect::<Vec<_>>());
    assert_eq!(open.store.commit(vec![]), 301);
    assert_eq!(block_on(open.outcomes.next()), Some(Outcome::Committed(301)), "a batch of nothing has an outcome");
}

#[test]
fn what_waits_is_committed_together_up_to_a_bound() {
    let folder = Folder::new();
    with_writer(&folder, OPTIONS, |writer, _, outcomes| {
        let now = Instant::now();
        for batch in 1..=5 {
            let first = 4000 * (batch - 1) + 1;
            writer.take(Task::Commit { batch, changes: say("tea", first..first + 4000) }, now);
            assert_eq!(writer.takes_more(), batch < 3, "{batch}");
        }
        let mut next = || {
            writer.work(now);
            (outcomes.take(), folder.ask_number("select count(*) from messages"))
        };
        assert_eq!(next(), (vec![Outcome::Committed(2)], 8000));
        assert_eq!(next(), (vec![Outcome::Committed(4)], 16_000));
        assert_eq!(next(), (vec![Outcome::Committed(5)], 20_000));
    });
}

#[test]
fn what_is_committed_together_has_a_bound_in_bytes_too() {
    let folder = Folder::new();
    with_writer(&folder, OPTIONS, |writer, _, outcomes| {
        let now = Instant::now();
        let text = message(&"x".repeat(3_000_000));
        for batch in 1..=4 {
            let said = Change::Event(record(batch, NOW, "tea", text.clone()));
            writer.take(Task::Commit { batch, changes: vec![said] }, now);
            assert_eq!(writer.takes_more(), batch < 3, "{batch}");
        }
        writer.work(now);
        assert_eq!(outcomes.take(), [Outcome::Committed(2)]);
    });
}

#[test]
fn a_room_that_comes_again_is_a_new_one() {
    let folder = Folder::new();
    let mut open = folder.open();
    open.commit([say("tea", [1]), vec![topic("tea", Some("old"), None)]].concat());
    open.commit([vec![Change::Forget("tea".into())], say("tea", [2]), vec![Change::Forget("coffee".into())]].concat());
    assert_eq!(open.numbers("tea"), [2]);
    open.commit([vec![Change::Forget("tea".into())], say("tea", [3]), vec![Change::Forget("tea".into())]].concat());
    assert_eq!(open.numbers("tea"), NONE);
    open.commit(say("tea", [4]));
    assert_eq!(open.numbers("tea"), [4]);
    open.crash();
    let open = folder.open();
    assert_eq!((open.loaded.rooms.len(), &open.loaded.rooms[0].topic, open.loaded.rooms[0].last), (1, &None, 4));
    assert_eq!(open.loaded.forgotten, 3);
}
