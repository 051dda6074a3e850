//! How a connection ends: what waits for the client is still sent, and its place is free when the socket is closed.

use std::{future::poll_fn, io, pin::pin, rc::Rc, time::Duration};

use async_std::task;
use futures::{
    StreamExt,
    future::{Either, select},
};
use smol_timeout::TimeoutExt;

use super::{Connection, READ_BUFFER, Stage};
use crate::{
    broker::QueueItem,
    chat::Departure,
    protocol::{Batch, Step},
    reactor::is_transient,
};

/// Reads of what a broken connection has sent: 64 KiB.
const LAST_READS: usize = 4;
/// Bytes that a client has to take in each write timeout, or all that is left, while the last ones are sent to it. One
/// that takes less would hold its place for hours.
const FLUSH_PROGRESS_BYTES: usize = 4 << 10;
/// How long the peer may take to close when all is sent.
const LINGER: Duration = Duration::from_secs(2);
/// The same while places are scarce: a departed client still holds one.
const LINGER_CROWDED: Duration = Duration::from_millis(100);

impl Connection {
    /// The peer can be told nothing any more, but what it has sent counts: one that only speaks, as in
    /// `echo hi > /dev/tcp/…`, closes without reading, which resets the connection. What has come is read once.
    pub(super) fn abort(&mut self) {
        self.writer.abort();
        let now = self.shared.clock.now();
        READ_BUFFER.with_borrow_mut(|buffer| {
            for _ in 0..LAST_READS {
                match self.socket.read(buffer) {
                    Ok(read) if read > 0 => self.session.received(&mut buffer[..read], now),
                    Ok(_) | Err(_) => break,
                }
            }
        });
        let dropped = self.session.reset(self.shared.backlog.room(), now);
        self.dropped += u32::try_from(dropped).unwrap_or(u32::MAX); // a few reads' worth
    }

    /// The staged end: what waits is written, the peer is told that it was all, and what it still sends is read and
    /// thrown away for a while. A close with unread input would reset the connection, and the peer lose the last lines.
    pub(super) async fn close(&mut self) {
        if self.inbox.is_cut() {
            self.writer.keep_last_item();
        }
        if self.flush().await && self.socket.shutdown().is_ok() {
            let linger = if self.place.is_crowded() { LINGER_CROWDED } else { LINGER };
            // A peer that goes on sending is cut off all the same.
            self.drain().timeout(linger).await;
        }
    }

    /// Writes all that waits, unless it is to be thrown away. Answers whether the peer has got all.
    async fn flush(&mut self) -> bool {
        let Some(client) = self.client.id() else { return false };
        let shared = Rc::clone(&self.shared);
        let discarded = poll_fn(|cx| shared.departed.poll_discard(client, cx));
        let is_flushed = match select(pin!(self.write_all()), pin!(discarded)).await {
            Either::Left((is_flushed, _)) => is_flushed,
            Either::Right(((), _)) => false,
        };
        let lost = self.writer.waiting();
        if lost > 0 {
            log::info!("{client} did not take its last {lost} bytes");
            self.shared.losses.add(lost);
            self.writer.abort();
        }
        is_flushed
    }

    /// Writes all that waits, however long it takes, as long as the peer takes some of it in each write timeout. Answers
    /// whether it has got all.
    async fn write_all(&mut self) -> bool {
        loop {
            let write = self.writer.write_at_least(FLUSH_PROGRESS_BYTES, self.shared.clock);
            let is_in_time = match self.shared.limits.write_timeout {
                Duration::ZERO => Some(write.await),
                timeout => write.timeout(timeout).await,
            };
            let has_progressed = match is_in_time {
                Some(written) => written.map(|()| true),
                // What it takes only now counts: the process may have stood still.
                None => self.writer.write(self.shared.clock).map(|written| written >= FLUSH_PROGRESS_BYTES),
            };
            match has_progressed {
                Err(_) => return false,
                Ok(_) if !self.writer.is_blocked() => return true,
                Ok(true) => {}
                Ok(false) => return false,
            }
        }
    }

    /// The broker has a share in the socket until it has done with the client: the descriptor is open until then, so the
    /// place is taken.
    pub(super) async fn await_hang_up(&mut self) {
        self.writer.abort();
        while let Some(item) = self.inbox.next().await {
            match item {
                QueueItem::Bytes(bytes) => self.writer.push(bytes),
                QueueItem::Credit(_) => {}
            }
            self.writer.abort();
        }
    }

    async fn drain(&self) {
        while READ_BUFFER.with_borrow_mut(|buffer| is_more(self.socket.read(buffer))) {
            poll_fn(|cx| self.socket.poll_readable(cx)).await;
            task::yield_now().await; // for the timeout's sake too
        }
    }
}

fn is_more(read: io::Result<usize>) -> bool {
    read.map_or_else(|error| is_transient(&error), |read| read > 0)
}

impl Drop for Connection {
    /// A connection future that panics is a connection that broke. What waits when the drain timeout is over is lost.
    fn drop(&mut self) {
        while let Some(item) = self.inbox.try_next() {
            self.take(item);
        }
        self.client.id().inspect(|&client| self.shared.departed.remove(client));
        if self.stage != Stage::Gone {
            self.shared.losses.add(self.writer.waiting());
        }
        if self.stage == Stage::Open && self.client.id().is_some() {
            self.send(Batch { steps: vec![Step::Close(Departure::Lost)], lines: 0 });
        }
    }
}
