//! Counts what is held for one client. The broker and the connection share it. Knows only numbers.

use std::{cell::Cell, sync::Arc, time::Duration};

use super::{memory::Memory, outbox::Queued};

/// What a queued item takes beside its bytes: a node of the channel. Counted, so that a queue of many small items is
/// bounded too.
pub const QUEUE_ITEM_OVERHEAD: usize = 96;

/// What is held for one client.
#[derive(Debug)]
pub struct QueueGauge {
    memory: Arc<Memory>,
    /// Bytes queued and not yet written to the socket, with [`QUEUE_ITEM_OVERHEAD`] for each item.
    queued: Cell<usize>,
    /// Those of them that are for this client alone.
    private: Cell<usize>,
    /// Bytes that the connection holds of what the client has sent.
    input: Cell<usize>,
    /// Items in the queue.
    items: Cell<u32>,
    /// When the queue was last empty, or the socket took some of it, in seconds by the clock of the server.
    progress_at: Cell<u32>,
    /// The broker wants to be told when `private` is no more than this; 0 if it does not want to be told.
    wanted: Cell<u32>,
    /// What is queued need not be sent any more, apart from the last item, which says why.
    is_cut: Cell<bool>,
    /// The broker may not write to the socket yet.
    is_held_back: Cell<bool>,
}

impl QueueGauge {
    /// Of a connection for which nothing is held.
    #[must_use]
    pub fn new(memory: Arc<Memory>) -> Self {
        Self {
            memory,
            queued: Cell::default(),
            private: Cell::default(),
            input: Cell::default(),
            items: Cell::default(),
            progress_at: Cell::default(),
            wanted: Cell::default(),
            is_cut: Cell::default(),
            is_held_back: Cell::default(),
        }
    }

    /// An item of so many bytes is queued.
    pub(crate) fn queue(&self, bytes: usize, is_private: bool) {
        self.memory.charge(QUEUE_ITEM_OVERHEAD);
        self.memory.queue(bytes + QUEUE_ITEM_OVERHEAD);
        self.items.update(|items| items + 1);
        self.queued.update(|queued| queued + bytes + QUEUE_ITEM_OVERHEAD);
        if is_private {
            self.private.update(|private| private + bytes);
        }
    }

    /// The socket takes what is queued.
    pub fn progressed(&self, now: Duration) {
        self.progress_at.set(u32::try_from(now.as_secs()).unwrap_or(u32::MAX));
    }

    /// So many bytes of an item were written or thrown away.
    pub fn release(&self, bytes: usize, is_private: bool) {
        self.queued.update(|queued| queued - bytes);
        self.memory.unqueue(bytes);
        if is_private {
            self.private.update(|private| private - bytes);
        }
    }

    /// An item is thrown away.
    pub fn discard(&self, item: &Queued) {
        self.release(item.bytes.len(), item.told.is_private());
        self.release_item();
    }

    /// An item is through.
    pub fn release_item(&self) {
        self.queued.update(|queued| queued - QUEUE_ITEM_OVERHEAD);
        self.items.update(|items| items - 1);
        self.memory.release(QUEUE_ITEM_OVERHEAD);
        self.memory.unqueue(QUEUE_ITEM_OVERHEAD);
    }

    /// Those of the queued bytes that are for this client alone.
    pub(super) fn private(&self) -> usize {
        self.private.get()
    }

    /// Bytes that the server holds for this client alone.
    pub(super) fn own_bytes(&self) -> usize {
        self.private.get() + self.input.get() + self.items.get() as usize * QUEUE_ITEM_OVERHEAD
    }

    /// Bytes that wait.
    pub(super) fn queued(&self) -> usize {
        self.queued.get()
    }

    /// Since when the socket has taken nothing, in seconds, if something is queued.
    pub(super) fn stuck_since(&self) -> Option<u32> {
        (self.queued.get() > 0).then_some(self.progress_at.get())
    }

    /// The account of all that clients make the server hold.
    #[must_use]
    pub fn memory(&self) -> Arc<Memory> {
        Arc::clone(&self.memory)
    }

    /// The connection holds so many bytes of input.
    pub fn set_input(&self, bytes: usize) {
        let before = self.input.replace(bytes);
        self.memory.charge(bytes);
        self.memory.release(before);
    }

    /// Has the connection tell when no more than `private` bytes wait for this client alone; 0 for not at all.
    pub(super) fn want_relief(&self, private: u32) {
        self.wanted.set(private);
    }

    /// Whether the broker is to queue all that it has for the client: what stands around it is the connection's.
    pub fn hold_back(&self, is_held_back: bool) {
        self.is_held_back.set(is_held_back);
    }

    pub(super) fn is_held_back(&self) -> bool {
        self.is_held_back.get()
    }

    /// What is queued need not be sent any more, apart from the last item.
    pub(super) fn cut(&self) {
        self.is_cut.set(true);
    }

    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.get()
    }

    /// Whether the broker wants to know that little waits for the client now. To be told once.
    pub fn take_relief(&self) -> bool {
        let wanted = self.wanted.get();
        let is_wanted = wanted > 0 && self.private.get() <= wanted as usize;
        if is_wanted {
            self.wanted.set(0);
        }
        is_wanted
    }
}

impl Drop for QueueGauge {
    fn drop(&mut self) {
        self.memory.release(self.items.get() as usize * QUEUE_ITEM_OVERHEAD + self.input.get());
        self.memory.unqueue(self.queued.get());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        net::{TcpListener, TcpStream},
        rc::Rc,
    };

    use bytes::Bytes;

    use super::*;
    use crate::{
        broker::{QueueItem, Told, outbox, outbox_counted, turn::Part},
        reactor::{Poller, Socket, Token},
    };

    #[test]
    fn what_is_held_for_one_client_alone_is_its_own_and_so_is_what_items_take() {
        let memory = Memory::new(1000);
        let (outbox, mut inbox) = outbox(None, Arc::clone(&memory));
        let part = |bytes: &'static [u8], told| Part { bytes: Bytes::from_static(bytes), told };
        outbox.send(&[part(b"to all", Told::Public), part(b"to you", Told::Private)], Duration::from_secs(7));
        let gauge = Rc::clone(inbox.gauge());
        gauge.set_input(5);
        assert_eq!(gauge.own_bytes(), 6 + 5 + 2 * QUEUE_ITEM_OVERHEAD);
        assert_eq!((gauge.queued(), gauge.stuck_since()), (12 + 2 * QUEUE_ITEM_OVERHEAD, Some(7)));
        assert_eq!(memory.queued(), gauge.queued());
        assert_eq!(memory.used(), 5 + 2 * QUEUE_ITEM_OVERHEAD, "shared bytes are charged where they are made");
        outbox.send(&[part(b"more", Told::Public)], Duration::from_secs(8));
        assert_eq!(gauge.stuck_since(), Some(7), "something was queued before");
        gauge.progressed(Duration::from_millis(9500));
        assert_eq!(gauge.stuck_since(), Some(9));
        while let Some(QueueItem::Bytes(item)) = inbox.try_next() {
            gauge.release(item.bytes.len(), item.told.is_private());
            gauge.release_item();
        }
        assert_eq!((gauge.own_bytes(), gauge.queued(), gauge.stuck_since()), (5, 0, None));
        assert_eq!(memory.queued(), 0);
        outbox.send(&[part(b"and more", Told::Answer)], Duration::from_secs(9));
        drop((outbox, inbox, gauge));
        assert_eq!((memory.used(), memory.queued()), (0, 0), "what was not sent is held no more");
    }

    #[test]
    fn the_broker_is_told_once_that_little_waits_and_only_if_it_wants_to_know() {
        let gauge = QueueGauge::new(Memory::new(1000));
        assert!(!gauge.take_relief(), "nothing waits, and it does not want to know");
        gauge.queue(10, true);
        gauge.want_relief(5);
        gauge.release(4, true);
        assert!(!gauge.take_relief());
        gauge.release(1, true);
        assert!(gauge.take_relief() && !gauge.take_relief());
        gauge.want_relief(5);
        gauge.want_relief(0);
        assert!(!gauge.take_relief(), "not any more");
    }

    #[test]
    fn what_nobody_takes_is_held_no_more_when_the_inbox_is_gone() {
        let memory = Memory::new(1000);
        let gauge = Rc::new(QueueGauge::new(Arc::clone(&memory)));
        let part = |bytes: &'static [u8], told| Part { bytes: Bytes::from_static(bytes), told };
        for _ in 0..3 {
            // A connection over HTTP has one gauge for all the users of its requests.
            let (outbox, mut inbox) = outbox_counted(None, Rc::clone(&gauge));
            outbox.send(&[part(b"to all", Told::Public), part(b"to you", Told::Answer)], Duration::ZERO);
            let taken = inbox.try_next();
            drop(inbox);
            assert_eq!(
                (gauge.queued(), gauge.private()),
                (6 + QUEUE_ITEM_OVERHEAD, 0),
                "what was taken is counted yet"
            );
            outbox.send(&[part(b"and more", Told::Answer)], Duration::ZERO);
            assert_eq!(gauge.queued(), 6 + QUEUE_ITEM_OVERHEAD, "nothing is queued for one who is gone");
            if let Some(QueueItem::Bytes(item)) = taken {
                gauge.release(item.bytes.len(), item.told.is_private());
                gauge.release_item();
            }
            assert_eq!((gauge.own_bytes(), gauge.queued(), memory.used(), memory.queued()), (0, 0, 0, 0));
        }
    }

    #[test]
    fn while_the_output_is_held_back_the_broker_writes_to_no_socket() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let socket = Rc::new(Socket::new(stream, Token(1), Rc::new(Poller::new().unwrap())).unwrap());
        let gauge = Rc::new(QueueGauge::new(Memory::new(1000)));
        let (outbox, mut inbox) = outbox_counted(Some(socket), Rc::clone(&gauge));
        let send = |bytes: &'static [u8]| {
            outbox.send(&[Part { bytes: Bytes::from_static(bytes), told: Told::Private }], Duration::ZERO);
        };
        gauge.hold_back(true);
        send(b"behind a head\n");
        let queued = inbox.try_next();
        let Some(QueueItem::Bytes(item)) = queued else { panic!("{queued:?} is not queued") };
        assert_eq!(&item.bytes[..], b"behind a head\n");
        gauge.release(item.bytes.len(), true);
        gauge.release_item();
        gauge.hold_back(false);
        send(b"at once\n");
        assert!(inbox.try_next().is_none());
        let mut got = [0; 8];
        peer.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"at once\n", "and nothing came before");
    }
}
