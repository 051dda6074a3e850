//! Requests with a body that may come again, since their client does not know whether they came before: each is done once.

use std::rc::Rc;

use super::{Answer, Ended, Hub, Web, say::Lines};
use crate::{
    address::Network,
    protocol::http::{Answered, BodyLength, Head, Problem, RepeatKey, Seen, Shape},
    reactor::Clock,
};

/// The longest body of known length, in bytes: its answer comes when all of it was said.
const BODY_BYTES_MAX: u64 = 4 << 20;
/// The longest body of a request that may come again, in bytes: it is done when all of it has come.
pub(super) const REPEATED_BYTES_MAX: u64 = 32 << 10;

/// A request with a body that begins.
pub(super) struct Begun {
    /// If it may come again, what it is known by then.
    pub(super) repeat: Option<Repeat>,
    /// If it may, all of its body.
    pub(super) gathered: Option<Lines>,
}

/// A request at work that may come again. If it is dropped before its end, it may be done then.
pub(super) struct Repeat {
    hub: Rc<Hub>,
    clock: Clock,
    key: RepeatKey,
}

impl Web {
    /// Begins a request with a body, unless it has been answered already, or cannot be done.
    pub(super) async fn begin_once(&mut self, head: &Head) -> Result<Begun, Ended> {
        let most = if head.idempotency_key.is_some() { REPEATED_BYTES_MAX } else { BODY_BYTES_MAX };
        if matches!(head.length, BodyLength::Bytes(bytes) if bytes > most) {
            return Err(Ended::Answered(self.refuse(head, Problem::BodyTooLong(most)).await?));
        }
        let Some(key) = head.idempotency_key.as_deref() else {
            return Ok(Begun { repeat: None, gathered: None });
        };
        self.ask_for_body(head).await?;
        let lines = self.body_lines(head, true, None).await?;
        let key = self.repeat_key(head, key, &lines);
        let seen = self.hub.repeats.borrow_mut().begin(key.clone(), self.link.shared.clock.now());
        match seen {
            Seen::Never => {
                let repeat = Repeat { hub: Rc::clone(&self.hub), clock: self.link.shared.clock, key };
                Ok(Begun { repeat: Some(repeat), gathered: Some(lines) })
            }
            Seen::AtWork => Err(Ended::Answered(self.refuse(head, Problem::InProgress).await?)),
            Seen::Answered(Answered { status, body }) => {
                let mut answer = self.answer(head, Shape::Json);
                self.put(&mut answer, body.to_vec()).await?;
                Err(Ended::Answered(answer.end(&mut self.link, status).await?))
            }
        }
    }

    /// What makes the request the same as another one.
    fn repeat_key(&self, head: &Head, key: &str, lines: &Lines) -> RepeatKey {
        let network = Network::of(self.origin.addr);
        let (path, from) = (head.target.path.join("/"), network.to_string());
        let name = head.target.get("name").unwrap_or_default();
        let asked = [&*from, head.authorization.as_deref().unwrap_or_default(), &path, name, key];
        let lines = lines.lines.iter().map(|line| line.as_deref().unwrap_or_default());
        RepeatKey::new(network, asked.into_iter().chain(lines))
    }
}

impl Repeat {
    /// The request was answered so.
    pub(super) fn end(self, status: u16, answer: &Answer<'_>) {
        let (answered, now) = (Answered { status, body: answer.collected().into() }, self.clock.now());
        self.hub.repeats.borrow_mut().end(&self.key, answered, now);
    }
}

impl Drop for Repeat {
    fn drop(&mut self) {
        self.hub.repeats.borrow_mut().forget(&self.key); // if it was answered, that stays
    }
}
