mod requests;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::*;
use crate::{
    broker::{Request, outbox},
    chat::{
        Account, Answer, Chat, Command, Departure, Epoch, Identity, KeptEvent, Name, PastRoom, PublicEvent, Record,
        Start, Stretch, Ticket, Verdict,
    },
    config::StoreConfig,
    origin::Origin,
    protocol::{Batch, Step},
    store::{BATCH_CHANGES_MAX, Options, SyncMode},
};

fn loopback() -> Origin {
    SocketAddr::from(([127, 0, 0, 1], 9)).into()
}

#[test]
fn it_is_told_once_that_somebody_has_left() {
    let (config, memory) = (Config::default(), Memory::new(1 << 20));
    let chat = Chat::new(config.rules(), Epoch::from_random(0));
    let mut broker = Broker::new(config, Arc::clone(&memory), Rc::default(), Rc::default());
    let (client, now) = (ClientId(1), Duration::ZERO);
    let (outbox, _inbox) = outbox(None, memory);
    broker.accept(Request::Connect(client, loopback(), outbox), now);
    assert!(!broker.take_departed());
    broker.accept(Request::Batch(client, Batch { steps: vec![Step::Close(Departure::Http)], lines: 1 }), now);
    broker.begin_turn(Timestamp::UNIX_EPOCH);
    assert!(broker.next_entry(now, &chat).is_none());
    broker.flush(&chat, now);
    assert!(broker.take_departed() && !broker.take_departed());
}

#[test]
fn of_connections_that_break_with_lines_in_the_queue_some_are_heard() {
    const LINES: usize = 256;
    let (config, memory, backlog) = (Config::default(), Memory::new(1 << 30), Rc::<BrokenBacklog>::default());
    let mut chat = Chat::new(config.rules(), Epoch::from_random(0));
    let mut broker = Broker::new(config, Arc::clone(&memory), Rc::clone(&backlog), Rc::default());
    for client in (1..=100).map(ClientId) {
        let (outbox, _inbox) = outbox(None, Arc::clone(&memory));
        broker.accept(Request::Connect(client, loopback(), outbox), Duration::ZERO);
        let mut steps = vec![Step::Arrive];
        steps.resize(1 + LINES, Step::Command(Command::Say("x".to_owned())));
        broker.accept(Request::Batch(client, Batch { steps, lines: LINES }), Duration::ZERO);
        let last = Batch { steps: vec![Step::Broken, Step::Close(Departure::Lost)], lines: 0 };
        broker.accept(Request::Broken(client, last, backlog.take(0, 0, 0)), Duration::ZERO);
    }
    assert!(memory.used() < 4 << 20, "{} bytes", memory.used());
    let (mut said, mut departed, mut out) = (0, 0, Vec::new());
    while broker.has_work() {
        broker.begin_turn(Timestamp::UNIX_EPOCH);
        while let Some(entry) = broker.next_entry(Duration::ZERO, &chat) {
            said += usize::from(matches!(entry.input, Input::Command(..)));
            departed += usize::from(matches!(entry.input, Input::End(..)));
            chat.handle(entry, &mut out);
            broker.apply(&mut out);
        }
        broker.flush(&chat, Duration::ZERO);
    }
    assert_eq!((said, departed), (10_000, 100), "as many as may wait, and all have left");
    assert_eq!(memory.used(), chat.recent_bytes());
    assert_eq!(backlog.room(), 10_000);
}

const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// A broker and a chat with a store, which has events of the room `builds`. Nothing waits for anything in it.
fn with_store() -> (Broker, Chat) {
    let options = Options { sync: SyncMode::Normal, lines_max: 1, unread_max: 0, days_max: 0, bytes_max: u64::MAX };
    let store = StoreConfig { path: "nowhere".into(), options };
    let (config, memory) = (Config { store: Some(store), ..Config::default() }, Memory::new(1 << 30));
    let mut chat = Chat::new(config.rules(), Epoch::from_random(0));
    let builds =
        PastRoom { name: "builds".to_owned(), topic: None, keeper: None, is_locked: false, last: 9, gone: None };
    chat.restore(10, 0, &[builds], &mut Vec::new());
    (Broker::new(config, memory, Rc::default(), Rc::default()), chat)
}

/// A client comes, and says this.
fn come(broker: &mut Broker, client: u64, commands: Vec<Command>) {
    let (outbox, _) = outbox(None, Arc::clone(&broker.memory));
    broker.accept(Request::Connect(ClientId(client), HERE.into(), outbox), Duration::ZERO);
    let lines = commands.len();
    let steps = [Step::Arrive].into_iter().chain(commands.into_iter().map(Step::Command)).collect();
    broker.accept(Request::Batch(ClientId(client), Batch { steps, lines }), Duration::ZERO);
}

/// A turn, which ends before it is flushed. Answers what went into the chat.
fn turn(broker: &mut Broker, chat: &mut Chat) -> Vec<Input> {
    let (mut inputs, mut out) = (Vec::new(), Vec::new());
    broker.begin_turn(Timestamp::UNIX_EPOCH);
    while let Some(entry) = broker.next_entry(Duration::ZERO, chat) {
        inputs.push(entry.input.clone());
        chat.handle(entry, &mut out);
        broker.apply(&mut out);
    }
    inputs
}

#[test]
fn pages_of_the_store_keep_nobody_waiting() {
    const ASKERS: u64 = 20;
    let (mut broker, mut chat) = with_store();
    for client in 1..=ASKERS {
        let room = "builds".to_owned();
        come(&mut broker, client, vec![Command::History(Stretch::of(room, Start::Behind(0, None)))]);
    }
    turn(&mut broker, &mut chat);
    broker.flush(&chat, Duration::ZERO);
    let who = Arc::new(Identity { name: "ann".to_owned(), addr: HERE.to_string(), is_account: false });
    let record = |n| {
        let event = Arc::new(PublicEvent::Message { from: Arc::clone(&who), text: "\x1b".repeat(4000) });
        Record { n, at: Timestamp::UNIX_EPOCH, room: "builds".into(), event: KeptEvent::Public(event) }
    };
    for client in 1..=ASKERS {
        let records = (1..=8).map(record).collect();
        let page = Answer::Page { records, through: 8, gone: vec![None] };
        broker.tell_chat(Input::Answered(ClientId(client), Some(page)));
    }
    come(&mut broker, 99, vec![Command::Sync("x".to_owned())]);
    let inputs = turn(&mut broker, &mut chat);
    let is_answer = |input: &&Input| matches!(input, Input::Answered(..));
    let before = inputs.iter().take_while(|input| !matches!(input, Input::Command(..))).filter(is_answer).count();
    assert!(before <= 1, "{before} pages are told before who asks for little is answered");
    let told = inputs.iter().filter(is_answer).count() as u64;
    assert!((1..ASKERS).contains(&told) && broker.has_work(), "{told} pages are told in one turn");
}

#[test]
fn a_turn_has_only_so_many_changes() {
    let (mut broker, mut chat) = with_store();
    let said = Command::In { room: "builds".to_owned(), text: "x".to_owned() };
    come(&mut broker, 1, vec![said; BATCH_CHANGES_MAX]);
    turn(&mut broker, &mut chat);
    let (changes, _) = broker.take_changes();
    assert_eq!(changes.len(), BATCH_CHANGES_MAX / 2, "and there is more to do");
    assert!(broker.has_work());
}

#[test]
fn what_others_have_changed_of_accounts_is_known_before_passwords_that_were_verified() {
    let (mut broker, mut chat) = with_store();
    let account = |generation| {
        let name = Name::parse("ann").expect("a name");
        Account { generation, ..Account::new(&name, None, Timestamp::UNIX_EPOCH) }
    };
    broker.tell_chat(Input::Verified(ClientId(1), Ticket(1), Verdict::Failed));
    broker.tell_chat(Input::Accounts(vec![account(1)]));
    broker.tell_chat(Input::Accounts(vec![account(2)]));
    let inputs = turn(&mut broker, &mut chat);
    assert!(matches!(&inputs[..2], [Input::Accounts(accounts), Input::Verified(..)] if accounts[0].generation == 2));
}

#[test]
fn the_chat_learns_whom_a_new_configuration_trusts_and_bans_are_read_again() {
    let (mut broker, mut chat) = with_store();
    assert!(!broker.takes_bans());
    let trusted = vec!["10.0.0.0/8".parse().unwrap()];
    let config = Config { trusted: trusted.clone(), ..broker.config.clone() };
    broker.accept(Request::Reload(Box::new(config)), Duration::ZERO);
    assert_eq!(turn(&mut broker, &mut chat), [Input::Trusted(trusted)]);
    assert!(broker.takes_bans() && !broker.takes_bans());
}

#[test]
fn where_memory_has_run_out_handshakes_go_that_hold_most() {
    let (config, memory, departed) = (Config::default(), Memory::new(100_000), Rc::<Departed>::default());
    let chat = Chat::new(config.rules(), Epoch::from_random(0));
    let mut broker = Broker::new(config, Arc::clone(&memory), Rc::default(), Rc::clone(&departed));
    come(&mut broker, 1, vec![Command::Who]);
    let network = |text: &str| Some(text.parse().unwrap());
    let begin = |id, network, bytes| {
        let (_, inbox) = outbox(None, Arc::clone(&memory));
        inbox.gauge().set_input(bytes);
        departed.begin(ClientId(id), network, Rc::clone(inbox.gauge()));
    };
    (2..=9).for_each(|id| begin(id, network("10.0.0.1"), 10_000));
    begin(10, network("10.0.0.2"), 20_000);
    assert_eq!(memory.level(), Level::Full);
    broker.begin_turn(Timestamp::UNIX_EPOCH);
    broker.flush(&chat, Duration::ZERO);
    let cx = &mut std::task::Context::from_waker(std::task::Waker::noop());
    let discarded: Vec<_> = (1..=10).filter(|&id| departed.poll_discard(ClientId(id), cx).is_ready()).collect();
    assert_eq!(discarded, [9], "one of those of the address that holds most");
}
