//! The way to one client: the broker's end (outbox) and the connection's end (inbox). Knows bytes and sockets, no events.
//!
//! A socket has two writers, in turn. While nothing waits for a client, the broker writes to its socket: waking a task for
//! each client of each line would cost as much as half a `send`. What the socket does not take at once goes into the queue,
//! and from then on the connection writes, until the queue is empty. An outbox without a socket only queues.
//!
//! Queues are bounded in bytes by the broker, which never waits: it counts, and disconnects a client whose queue is too long.

use std::{
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::{
    Stream,
    channel::mpsc::{self, TrySendError, UnboundedReceiver, UnboundedSender},
    stream::FusedStream,
};

use super::{gauge::QueueGauge, memory::Memory, turn::Part};
use crate::{chat::Departure, protocol::Refused, reactor::Socket};

/// Bytes in the queue of one client.
#[derive(Debug)]
pub struct Queued {
    /// The bytes.
    pub bytes: Bytes,
    /// Why the client is told them.
    pub told: Told,
}

/// Why a client is told something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It is in the room where that has happened.
    Public,
    /// It is meant alone, whatever it has asked.
    Private,
    /// It has asked.
    Answer,
}

impl Told {
    /// Whether it is for this client alone.
    #[must_use]
    pub fn is_private(self) -> bool {
        match self {
            Self::Public => false,
            Self::Private | Self::Answer => true,
        }
    }
}

/// What the broker hands to a connection.
#[derive(Debug)]
pub enum QueueItem {
    /// Whole lines for the client; behind a write that was cut short, the rest of one.
    Bytes(Queued),
    /// The broker has done with the last batch.
    Credit(Credit),
    /// The client is here no more, for this reason. Nothing follows.
    End(Departure),
}

/// The broker has done with a batch.
#[derive(Debug, PartialEq, Eq)]
pub struct Credit {
    /// The next batch must not come before this time, by the clock of the server.
    pub not_before: Duration,
    /// What has come of the request that ends with the batch, if it was one.
    pub outcome: Option<Box<Outcome>>,
}

/// What has come of a request.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What of it was refused first.
    pub refused: Option<Refused>,
    /// A message was kept for one who is away.
    pub is_kept: bool,
}

impl Outcome {
    /// What has come of a later part of the same request.
    pub fn add(&mut self, later: Self) {
        self.refused = self.refused.take().or(later.refused);
        self.is_kept |= later.is_kept;
    }
}

/// The broker's end. Dropping it hangs up, after what is queued.
#[derive(Debug)]
pub struct Outbox {
    /// Disconnected if the connection is over.
    items: UnboundedSender<QueueItem>,
    gauge: Rc<QueueGauge>,
    socket: Option<Rc<Socket>>,
}

/// The connection's end.
#[derive(Debug)]
pub struct Inbox {
    items: UnboundedReceiver<QueueItem>,
    gauge: Rc<QueueGauge>,
}

/// The two ends of a new queue. Without a socket, all bytes are queued.
#[must_use]
pub fn outbox(socket: Option<Rc<Socket>>, memory: Arc<Memory>) -> (Outbox, Inbox) {
    outbox_counted(socket, Rc::new(QueueGauge::new(memory)))
}

/// The same, which counts what is queued by this gauge. While that holds the output back, all bytes are queued.
#[must_use]
pub fn outbox_counted(socket: Option<Rc<Socket>>, gauge: Rc<QueueGauge>) -> (Outbox, Inbox) {
    let (sender, receiver) = mpsc::unbounded();
    (Outbox { items: sender, gauge: Rc::clone(&gauge), socket }, Inbox { items: receiver, gauge })
}

impl Outbox {
    /// Sends whole lines: as far as the socket takes them at once, while nothing else waits. The rest is the connection's,
    /// which also finds out if the socket is broken.
    pub(super) fn send(&self, parts: &[Part], now: Duration) {
        let mut written = 0;
        if self.queued() == 0 {
            self.gauge.progressed(now);
            if let Some(socket) = self.socket.as_ref().filter(|_| !self.gauge.is_held_back()) {
                written = socket.write(parts.iter().map(|part| &part.bytes[..])).unwrap_or(0);
            }
        }
        for Part { bytes, told } in parts {
            let taken = written.min(bytes.len());
            written -= taken;
            if taken < bytes.len() {
                self.queue(Queued { bytes: bytes.slice(taken..), told: *told });
            }
        }
    }

    fn queue(&self, item: Queued) {
        let (bytes, is_private) = (item.bytes.len(), item.told.is_private());
        if self.push(QueueItem::Bytes(item)).is_err() {
            return; // the connection has ended, and its last batch is on its way or in its turn
        }
        self.gauge.queue(bytes, is_private);
    }

    /// The connection is broken: hangs up at once, so that its socket is closed.
    pub(super) fn close(&mut self) {
        self.socket = None;
        self.items.disconnect();
    }

    /// Lets the connection send its next batch.
    pub(super) fn credit(&self, credit: Credit) {
        self.push(QueueItem::Credit(credit)).ok();
    }

    /// Hangs up, after what is queued.
    pub(super) fn end(&self, departure: Departure) {
        self.push(QueueItem::End(departure)).ok();
    }

    fn push(&self, item: QueueItem) -> Result<(), QueueItem> {
        self.items.unbounded_send(item).map_err(TrySendError::into_inner)
    }

    /// Bytes that are queued.
    pub(super) fn queued(&self) -> usize {
        self.gauge.queued()
    }

    /// Those of them that are for this client alone.
    pub(super) fn private(&self) -> usize {
        self.gauge.private()
    }

    /// What is held for the client, as the connection sees it too.
    pub(super) fn gauge(&self) -> &Rc<QueueGauge> {
        &self.gauge
    }

    /// Has the connection tell when no more than `private` bytes wait for this client alone.
    pub(super) fn want_relief(&self, private: u32) {
        self.gauge.want_relief(private);
    }

    /// Whether the connection is over, and takes nothing more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.items.is_closed()
    }

    /// Has what is queued discarded, except the last item, which says why.
    pub(super) fn cut(&self) {
        self.gauge.cut();
    }
}

impl Inbox {
    /// The count of what is queued.
    #[must_use]
    pub fn gauge(&self) -> &Rc<QueueGauge> {
        &self.gauge
    }

    /// Bytes that are queued.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.gauge.queued()
    }

    /// Those of them that are for this client alone.
    #[must_use]
    pub fn private(&self) -> usize {
        self.gauge.private()
    }

    /// Whether only the last item is to be sent.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.gauge.is_cut()
    }

    /// The next item, if one is there already.
    pub fn try_next(&mut self) -> Option<QueueItem> {
        self.items.try_recv().ok()
    }
}

impl Drop for Inbox {
    /// What nobody takes is not held any more.
    fn drop(&mut self) {
        while let Some(item) = self.try_next() {
            if let QueueItem::Bytes(item) = item {
                self.gauge.discard(&item);
            }
        }
    }
}

impl Stream for Inbox {
    type Item = QueueItem;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<QueueItem>> {
        Pin::new(&mut self.items).poll_next(cx)
    }
}

impl FusedStream for Inbox {
    fn is_terminated(&self) -> bool {
        self.items.is_terminated()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        net::{TcpListener, TcpStream},
    };

    use futures::{FutureExt, StreamExt};

    use super::*;
    use crate::{
        broker::QUEUE_ITEM_OVERHEAD,
        reactor::{Poller, Token},
    };

    const PART_BYTES: usize = 64 << 10;

    fn part(byte: u8, told: Told) -> Part {
        Part { bytes: vec![byte; PART_BYTES].into(), told }
    }

    #[test]
    fn what_a_socket_does_not_take_is_queued_behind_what_it_has_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let socket = Socket::new(stream, Token(1), Rc::new(Poller::new().unwrap())).unwrap();
        let (outbox, mut inbox) = outbox(Some(Rc::new(socket)), Memory::new(1 << 30));
        outbox.send(&[Part { bytes: Bytes::from_static(b"hi\n"), told: Told::Private }], Duration::ZERO);
        assert_eq!(outbox.queued(), 0);
        assert!(inbox.try_next().is_none(), "nothing is left for the connection to do");

        // More than two kernels hold, and then something behind it.
        let parts: Vec<_> = (0..=250).map(|n| part(n, if n % 3 == 0 { Told::Answer } else { Told::Public })).collect();
        outbox.send(&parts, Duration::ZERO);
        outbox.send(&[part(251, Told::Private)], Duration::ZERO);
        let (mut queued, mut private, mut items) = (Vec::new(), 0, 0);
        while let Some(QueueItem::Bytes(item)) = inbox.try_next() {
            assert_eq!(item.told.is_private(), item.bytes[0] % 3 == 0 || item.bytes[0] == 251);
            private += if item.told.is_private() { item.bytes.len() } else { 0 };
            queued.extend_from_slice(&item.bytes);
            items += 1;
        }
        assert_eq!(outbox.queued(), queued.len() + items * QUEUE_ITEM_OVERHEAD);
        assert_eq!(outbox.private(), private);
        let mut all = vec![0; 3 + 252 * PART_BYTES - queued.len()];
        assert!(all.len() > 3, "it takes something");
        peer.read_exact(&mut all).unwrap();
        all.extend(queued);
        let told: Vec<_> = (0..=251).map(|n| vec![n; PART_BYTES]).collect();
        assert!(all == [b"hi\n".to_vec(), told.concat()].concat());
    }

    #[test]
    fn both_ends_see_what_is_queued_and_what_is_wanted() {
        let (outbox, inbox) = outbox(None, Memory::new(1 << 30));
        outbox.send(&[part(1, Told::Private), part(2, Told::Public)], Duration::ZERO);
        assert_eq!((inbox.queued(), outbox.queued()), (outbox.queued(), 2 * (PART_BYTES + QUEUE_ITEM_OVERHEAD)));
        assert_eq!((inbox.private(), outbox.private()), (PART_BYTES, PART_BYTES));
        assert!(!inbox.gauge().take_relief() && !inbox.is_cut());
        outbox.want_relief(u32::MAX);
        outbox.cut();
        assert!(inbox.gauge().take_relief() && inbox.is_cut());
    }

    #[test]
    fn the_end_comes_behind_what_is_queued() {
        let (outbox, mut inbox) = outbox(None, Memory::new(1 << 30));
        assert!(inbox.next().now_or_never().is_none(), "it waits");
        outbox.send(&[part(7, Told::Public)], Duration::ZERO);
        outbox.credit(Credit { not_before: Duration::from_secs(5), outcome: None });
        outbox.end(Departure::Quit);
        drop(outbox);
        let mut next = || inbox.next().now_or_never().expect("it is there");
        assert!(matches!(next(), Some(QueueItem::Bytes(item)) if item.bytes.len() == PART_BYTES));
        assert!(matches!(next(), Some(QueueItem::Credit(credit)) if credit.not_before == Duration::from_secs(5)));
        assert!(matches!(next(), Some(QueueItem::End(Departure::Quit))));
        assert!(next().is_none() && inbox.is_terminated());
    }
}
