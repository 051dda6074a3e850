//! The stream of what a session's user is told.

use std::rc::Rc;

use futures::{FutureExt, StreamExt, channel::mpsc::UnboundedReceiver, pin_mut, select_biased};

use super::{Session, StreamState};
use crate::{
    net::web::{Ended, Next, Web},
    protocol::http::{
        Head, Length, Problem, Shape,
        events::{self, COMMENT, COMMENT_INTERVAL},
    },
};

/// Bytes of events written at once.
const WRITE_BYTES_MAX: usize = 16 << 10;

impl Web {
    /// Tells what a session's user is told, until the session or the connection ends.
    pub(in crate::net::web) async fn listen(
        &mut self,
        head: &Head,
        id: &str,
        after: Option<u64>,
    ) -> Result<Next, Ended> {
        let Some(session) = self.hub.session(id) else { return self.refuse(head, Problem::NoSuchSession).await };
        session.log.borrow_mut().forget(self.link.shared.clock.now());
        let after = after.unwrap_or_else(|| session.log.borrow().last());
        if session.log.borrow().behind(after).is_none() {
            return self.refuse(head, Problem::SessionGone).await;
        }
        self.visitor = None;
        let mut listening = Listening::new(session, after);
        let mut answer = self.answer(head, Shape::ServerSent);
        answer.field("X-Accel-Buffering", "no");
        answer.begin(&mut self.link, Length::Open);
        self.link.flush().await?;
        let clock = self.link.shared.clock;
        let mut comment_at = clock.now() + COMMENT_INTERVAL;
        loop {
            while let Some(events) = listening.next_events() {
                self.link.push(events);
                self.link.flush().await?;
                comment_at = clock.now() + COMMENT_INTERVAL;
            }
            if listening.is_over() {
                return Ok(Next::Close);
            }
            let is_woken = {
                let gone = self.link.is_gone_before(comment_at).fuse();
                pin_mut!(gone);
                select_biased! {
                    _ = listening.woken.next() => true,
                    is_gone = gone => if is_gone { return Err(Ended::Gone) } else { false },
                }
            };
            let now = clock.now();
            if !is_woken && comment_at <= now {
                self.link.push(COMMENT);
                self.link.flush().await?;
                comment_at = now + COMMENT_INTERVAL;
            }
        }
    }
}

/// One who listens to a session.
struct Listening {
    session: Rc<Session>,
    stream: Rc<StreamState>,
    woken: UnboundedReceiver<()>,
}

impl Listening {
    fn new(session: Rc<Session>, after: u64) -> Self {
        let (stream, woken) = session.listen(after);
        Self { session, stream, woken }
    }

    /// The next events that it has not sent, if there are any.
    fn next_events(&mut self) -> Option<Vec<u8>> {
        let log = self.session.log.borrow();
        let mut events = Vec::new();
        for event in log.behind(self.stream.sent.get())? {
            events::event(&mut events, Some(event.n), |out| {
                out.extend_from_slice(&event.line);
                out.push(b'\n');
            });
            self.stream.sent.set(event.n);
            if events.len() >= WRITE_BYTES_MAX {
                break;
            }
        }
        drop(log);
        self.session.stream_went_on();
        Some(events).filter(|events| !events.is_empty())
    }

    /// Whether nothing more will come: the session has ended, or what came next is not kept any more.
    fn is_over(&self) -> bool {
        self.session.is_over.get() || self.session.log.borrow().behind(self.stream.sent.get()).is_none()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.session.leave(&self.stream);
    }
}
