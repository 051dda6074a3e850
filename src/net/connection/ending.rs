//! How a connection ends: what is queued for the client is still sent, and its place is free once the socket is closed.

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
    net::transport::Received,
    protocol::{Batch, Step},
    reactor::{Socket, is_transient},
};

/// Reads of what a broken connection has sent: 64 KiB.
const LAST_READS: usize = 4;
/// How long the peer may take to close when all is sent.
pub(in crate::net) const LINGER: Duration = Duration::from_secs(2);
/// The same while places are scarce: a departed client still holds one.
const LINGER_CROWDED: Duration = Duration::from_millis(100);

impl Connection {
    /// The connection is broken. Nothing can be sent any more, but what the client has sent still counts: a client that only
    /// writes, as in `echo hi > /dev/tcp/…`, closes without reading, which resets the connection. Reads at most
    /// [`LAST_READS`] times.
    pub(super) fn abort(&mut self) {
        self.writer.abort();
        let now = self.shared.clock.now();
        READ_BUFFER.with_borrow_mut(|buffer| {
            for _ in 0..LAST_READS {
                match self.transport.read(buffer) {
                    Ok(Received::Bytes { read, .. }) => self.session.received(&mut buffer[..read], now),
                    Ok(Received::Nothing { .. } | Received::End) | Err(_) => break,
                }
            }
        });
        let dropped = self.session.reset(self.shared.backlog.room(), now);
        self.dropped += u32::try_from(dropped).unwrap_or(u32::MAX); // a few reads' worth
    }

    /// Ends the connection in stages: writes what is queued, shuts down the output, and for a while reads and discards what the
    /// peer still sends. A close with unread input would reset the connection, and the peer could lose the last lines.
    pub(super) async fn close(&mut self) {
        if self.inbox.is_cut() {
            self.writer.keep_last_item(&mut self.transport);
        }
        if self.flush_all().await && self.transport.socket().shutdown().is_ok() {
            let linger = if self.place.is_crowded() { LINGER_CROWDED } else { LINGER };
            // The timeout also ends a peer that goes on sending.
            drain(self.transport.socket()).timeout(linger).await;
        }
    }

    /// Writes all that is queued, and that this is all.
    async fn flush_all(&mut self) -> bool {
        self.flush().await && (!self.transport.end_output() || self.flush().await)
    }

    /// Writes all that is queued, unless the broker has it discarded. Answers whether all was written.
    async fn flush(&mut self) -> bool {
        let Some(client) = self.client.id() else { return false };
        let shared = Rc::clone(&self.shared);
        let discarded = poll_fn(|cx| shared.departed.poll_discard(client, cx));
        let timeout = self.shared.limits.borrow().write_timeout;
        let write_all = self.writer.write_all(&mut self.transport, timeout, self.shared.clock);
        let is_flushed = match select(pin!(write_all), pin!(discarded)).await {
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

    /// Waits until the broker drops its share of the socket: the descriptor is open until then, so the place is taken.
    pub(super) async fn await_hang_up(&mut self) {
        self.writer.abort();
        while let Some(item) = self.inbox.next().await {
            match item {
                QueueItem::Bytes(bytes) => self.writer.push(bytes),
                QueueItem::Credit(_) | QueueItem::End(_) => {}
            }
            self.writer.abort();
        }
    }
}

/// Throws away what the peer still sends, until it closes: nobody needs to decrypt that.
pub(in crate::net) async fn drain(socket: &Socket) {
    while READ_BUFFER.with_borrow_mut(|buffer| is_more(socket.read(buffer))) {
        poll_fn(|cx| socket.poll_readable(cx)).await;
        task::yield_now().await; // also so that a timeout is polled
    }
}

fn is_more(read: io::Result<usize>) -> bool {
    read.map_or_else(|error| is_transient(&error), |read| read > 0)
}

impl Drop for Connection {
    /// Also runs when the connection future panics, which counts as a lost connection, and at the end of the drain timeout,
    /// when what is still queued is lost.
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
