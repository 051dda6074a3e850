//! Broker and chat in turns, with clients whose batches and reads a test decides: for what needs more bytes, clients or lines
//! than the world has. Time stands still.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use bytes::Buf;
use futures::stream::FusedStream;
use jiff::Timestamp;
use pipechat::{
    Config,
    broker::{BrokenBacklog, Broker, Departed, Inbox, Memory, QueueItem, Queued, Request, outbox},
    chat::{Chat, ClientId, Departure, Entry, Epoch, Event, Output, PublicEvent},
    protocol::{Batch, Step},
};

use super::model::Model;

pub(crate) struct Stage {
    pub(crate) broker: Broker,
    pub(crate) chat: Chat,
    pub(crate) memory: Arc<Memory>,
    backlog: Rc<BrokenBacklog>,
    pub(crate) departed: Rc<Departed>,
    pub(crate) now: Duration,
    /// The same by the calendar.
    pub(crate) at: Timestamp,
    /// Says the same as the chat, where no work is so long that the chat does it in pieces.
    model: Option<Model>,
    readers: BTreeMap<ClientId, Reader>,
    /// What the model has noted.
    pub(crate) notes: Vec<String>,
    /// How often the broker was told that little waits for a client now.
    pub(crate) reliefs: usize,
}

/// A connection that has read its client's batches, and writes when the test says so.
struct Reader {
    inbox: Inbox,
    items: VecDeque<Queued>,
    has_credit: bool,
}

/// What one turn has come to.
pub(crate) struct Turn(pub(crate) Vec<(Entry, Vec<Output>)>);

impl Stage {
    pub(crate) fn new(config: Config) -> Self {
        let memory = Memory::new(config.memory_max);
        let epoch = Epoch::from_random(0);
        let (chat, model) = (Chat::new(config.rules(), epoch), Some(Model::new(config.rules(), epoch)));
        let backlog = Rc::<BrokenBacklog>::default();
        let departed = Rc::<Departed>::default();
        let broker = Broker::new(config, Arc::clone(&memory), Rc::clone(&backlog), Rc::clone(&departed));
        Self {
            broker,
            chat,
            memory,
            backlog,
            departed,
            now: Duration::ZERO,
            at: Timestamp::UNIX_EPOCH,
            model,
            readers: BTreeMap::new(),
            notes: Vec::new(),
            reliefs: 0,
        }
    }

    /// The same for so many clients, or so many entries, that the model is too slow or too simple.
    pub(crate) fn without_model(config: Config) -> Self {
        Self { model: None, ..Self::new(config) }
    }

    /// A client connects, and is announced in the next turn.
    pub(crate) fn connect(&mut self, client: u64, ip: &str) {
        self.connect_silently(client, ip);
        self.send(client, 0, vec![Step::Arrive]);
    }

    pub(crate) fn connect_silently(&mut self, client: u64, ip: &str) {
        let port = 1000 + u16::try_from(client).expect("a port");
        let addr = SocketAddr::new(ip.parse().expect("an address"), port);
        let (outbox, inbox) = outbox(None, Arc::clone(&self.memory));
        self.broker.accept(Request::Connect(ClientId(client), addr.into(), outbox), self.now);
        let reader = Reader { inbox, items: VecDeque::new(), has_credit: true };
        self.readers.insert(ClientId(client), reader);
    }

    /// A connection has this for the broker.
    pub(crate) fn send(&mut self, client: u64, lines: usize, steps: Vec<Step>) {
        self.reader(client).has_credit &= lines == 0;
        self.broker.accept(Request::Batch(ClientId(client), Batch { steps, lines }), self.now);
    }

    /// A connection breaks, and has this to say at last: as much of it as there is room for.
    pub(crate) fn break_off(&mut self, client: u64, mut steps: Vec<Step>) {
        let room = self.backlog.room();
        let mut commands = 0;
        steps.retain(|step| {
            commands += usize::from(matches!(step, Step::Command(_)));
            !matches!(step, Step::Command(_)) || commands <= room
        });
        let batch = Batch { steps, lines: commands.min(room) };
        let taken = self.backlog.take(batch.lines, batch.bytes(), commands - batch.lines);
        self.broker.accept(Request::Broken(ClientId(client), batch, taken), self.now);
    }

    /// A turn, as the broker's loop has them. Of each entry, chat and model make the same.
    pub(crate) fn turn(&mut self) -> Turn {
        let mut turn = Vec::new();
        self.broker.begin_turn(self.at);
        while let Some(entry) = self.broker.next_entry(self.now, &self.chat) {
            let mut out = Vec::new();
            self.chat.handle(entry.clone(), &mut out);
            if let Some(model) = &mut self.model {
                assert_eq!(out, model.handle(&entry), "{entry:?}");
                assert_eq!(self.chat.deadline(), model.deadline());
                assert_eq!(self.chat.recent_bytes(), model.recent_bytes());
                self.notes.extend(model.take_notes());
            }
            turn.push((entry, out.clone()));
            self.broker.apply(&mut out);
        }
        self.broker.flush(&self.chat, self.now);
        for reader in self.readers.values_mut() {
            reader.take();
        }
        Turn(turn)
    }

    /// Turns until nothing is left to do.
    pub(crate) fn rest(&mut self) -> Turn {
        let mut all = Vec::new();
        for _ in 0..1000 {
            all.extend(self.turn().0);
            if !self.broker.has_work() && self.chat.deadline() != Some(Duration::ZERO) {
                return Turn(all);
            }
        }
        panic!("no rest");
    }

    /// The client reads so many bytes.
    pub(crate) fn read(&mut self, client: u64, bytes: usize) {
        let now = self.now;
        if self.reader(client).read(bytes, now) {
            self.reliefs += 1;
            self.broker.accept(Request::Relieved(ClientId(client)), now);
        }
    }

    /// The client reads so many bytes, and answers them.
    pub(crate) fn read_text(&mut self, client: u64, bytes: usize) -> String {
        let items = &self.reader(client).items;
        let read: Vec<u8> = items.iter().flat_map(|item| item.bytes.iter().copied()).take(bytes).collect();
        self.read(client, bytes);
        String::from_utf8(read).expect("all that is told here is ASCII")
    }

    /// The connection is broken: what waits for it is thrown away.
    pub(crate) fn discard(&mut self, client: u64) {
        let now = self.now;
        self.reader(client).read(usize::MAX, now);
    }

    /// The client reads until so much waits for it alone.
    pub(crate) fn read_until(&mut self, client: u64, private: usize) {
        while self.private(client) > private {
            let first = self.reader(client).items.front().expect("what waits is here");
            let (length, is_private) = (first.bytes.len(), first.told.is_private());
            let bytes = if is_private { length.min(self.private(client) - private) } else { length };
            self.read(client, bytes);
        }
    }

    /// Bytes that wait for the client alone.
    pub(crate) fn private(&mut self, client: u64) -> usize {
        self.reader(client).inbox.private()
    }

    /// What waits for the client, which reads it.
    pub(crate) fn received(&mut self, client: u64) -> String {
        let items = &self.reader(client).items;
        let bytes: Vec<u8> = items.iter().flat_map(|item| item.bytes.iter().copied()).collect();
        self.read(client, usize::MAX);
        String::from_utf8(bytes).expect("all that is told is text")
    }

    /// The broker has done with the client's last batch.
    pub(crate) fn has_credit(&mut self, client: u64) -> bool {
        self.reader(client).has_credit
    }

    /// The connections that the broker has hung up on write what is still to be written, and are over.
    pub(crate) fn reap(&mut self) {
        self.readers.retain(|_, reader| !reader.inbox.is_terminated());
    }

    /// The broker has hung up on the client, for which nothing waits.
    pub(crate) fn is_hung_up(&mut self, client: u64) -> bool {
        let reader = self.reader(client);
        reader.take();
        reader.items.is_empty() && reader.inbox.is_terminated()
    }

    /// The broker knows nothing of the client any more.
    pub(crate) fn is_forgotten(&self, client: u64) -> bool {
        self.readers.get(&ClientId(client)).is_none_or(|reader| Rc::strong_count(reader.inbox.gauge()) == 1)
    }

    fn reader(&mut self, client: u64) -> &mut Reader {
        self.readers.get_mut(&ClientId(client)).expect("it has connected")
    }
}

impl Reader {
    fn take(&mut self) {
        while let Some(item) = self.inbox.try_next() {
            match item {
                QueueItem::Bytes(bytes) => self.items.push_back(bytes),
                QueueItem::Credit(_) => self.has_credit = true,
                QueueItem::End(_) => {}
            }
        }
    }

    /// Answers whether the broker wanted to know.
    fn read(&mut self, mut bytes: usize, now: Duration) -> bool {
        let gauge = Rc::clone(self.inbox.gauge());
        gauge.progressed(now);
        while let Some(first) = self.items.front_mut().filter(|_| bytes > 0) {
            let read = bytes.min(first.bytes.len());
            bytes -= read;
            first.bytes.advance(read);
            gauge.release(read, first.told.is_private());
            if first.bytes.is_empty() {
                gauge.release_item();
                self.items.pop_front();
            }
        }
        gauge.take_relief()
    }
}

impl Turn {
    /// What was told to this client alone.
    pub(crate) fn told(&self, client: u64) -> Vec<&Event> {
        let told = |output| if let &Output::Tell(ClientId(to), ref event) = output { Some((to, event)) } else { None };
        self.outputs().filter_map(told).filter(|&(to, _)| to == client).map(|(_, event)| event).collect()
    }

    /// Whether all were told this.
    pub(crate) fn has_said(&self, what: &str) -> bool {
        let is_text = |event: &PublicEvent| matches!(event, PublicEvent::Message { text, .. } if text == what);
        let is_it = |output: &Output| matches!(output, Output::Publish(public) if is_text(&public.event));
        self.outputs().any(is_it)
    }

    /// Who was hung up on, and why.
    pub(crate) fn departures(&self) -> Vec<(u64, Departure)> {
        let departure = |output: &Output| {
            if let &Output::HangUp(client, departure) = output { Some((client.0, departure)) } else { None }
        };
        self.outputs().filter_map(departure).collect()
    }

    fn outputs(&self) -> impl Iterator<Item = &Output> {
        self.0.iter().flat_map(|(_, out)| out)
    }
}
