//! An answer on its way: collected until its status is known, or until it is long; then passed on as it comes. Knows no rules.

use std::mem;

use jiff::Timestamp;

use super::{Ended, Next, link::Link};
use crate::{
    broker::{Level, Queued},
    protocol::http::{Chunk, Head, Length, Method, ResponseHead, Shape},
};

/// Bytes of an answer that are collected. Of a longer one, the head says that all is well before that is known.
const COLLECTED_BYTES_MAX: usize = 128 << 10;
/// The same while memory is tight: no more than waits for a client that is not behind then, since a long answer goes on only when
/// what was told of it is written. A refusal is shorter. One with an `Idempotency-Key` is collected all the same: it is short.
const COLLECTED_BYTES_MAX_TIGHT: usize = 2 << 10;

/// The answer to a request.
pub(super) struct Answer<'h> {
    pub(super) head: &'h Head,
    content_type: &'static str,
    /// The origin whose pages may read it.
    allowed_origin: Option<String>,
    fields: Vec<(&'static str, String)>,
    /// Bytes of it so far.
    bytes: usize,
    state: State,
}

enum State {
    /// These were collected.
    Collecting(Vec<Queued>),
    /// The head is queued, and what was told so far.
    Begun(Length),
}

impl<'h> Answer<'h> {
    pub(super) fn new(head: &'h Head, content_type: &'static str, allowed_origin: Option<&str>) -> Self {
        let allowed_origin = allowed_origin.map(str::to_owned);
        let state = State::Collecting(Vec::new());
        Self { head, content_type, allowed_origin, fields: Vec::new(), bytes: 0, state }
    }

    /// Adds a field to the head.
    pub(super) fn field(&mut self, name: &'static str, value: impl Into<String>) {
        self.fields.push((name, value.into()));
    }

    /// Whether the request is done though the client does not read the answer, since it may ask again.
    fn is_repeatable(&self) -> bool {
        self.head.idempotency_key.is_some()
    }

    /// Takes a part of the answer.
    pub(super) async fn take(&mut self, link: &mut Link, part: Queued) -> Result<(), Ended> {
        self.bytes += part.bytes.len();
        if self.head.method == Method::Head {
            link.discard(&part);
            return Ok(());
        }
        let is_tight = link.shared.memory.level() >= Level::Tight && !self.is_repeatable();
        match &mut self.state {
            State::Collecting(parts) => {
                parts.push(part);
                if self.bytes <= if is_tight { COLLECTED_BYTES_MAX_TIGHT } else { COLLECTED_BYTES_MAX } {
                    return Ok(());
                }
                self.begin(link, self.length());
            }
            State::Begun(length) => pass(link, part, *length),
        }
        match link.flush().await {
            Err(Ended::Gone) if self.is_repeatable() => {
                link.writer.abort(); // and what follows is discarded
                Ok(())
            }
            flushed => flushed,
        }
    }

    /// How an answer ends whose length is not known beforehand.
    pub(super) fn length(&self) -> Length {
        if self.head.is_1_1 { Length::Chunked } else { Length::Open }
    }

    /// From here on, all is passed on as it comes.
    pub(super) fn begin(&mut self, link: &mut Link, length: Length) {
        if let State::Collecting(parts) = mem::replace(&mut self.state, State::Begun(length)) {
            self.push_head(link, 200, length, self.head.keeps_alive);
            parts.into_iter().for_each(|part| pass(link, part, length));
        }
    }

    /// Bytes of it so far.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What was collected.
    pub(super) fn collected(&self) -> Vec<u8> {
        match &self.state {
            State::Collecting(parts) => parts.iter().flat_map(|part| part.bytes.iter().copied()).collect(),
            State::Begun(_) => Vec::new(),
        }
    }

    /// Throws away what was collected.
    pub(super) fn clear(&mut self, link: &Link) {
        if let State::Collecting(parts) = &mut self.state {
            parts.drain(..).for_each(|part| link.discard(&part));
        }
        self.bytes = 0;
    }

    /// Ends the answer with this status, if that is not told yet. One that is no success but has begun is broken off: its last
    /// chunk does not come.
    pub(super) async fn end(mut self, link: &mut Link, status: u16) -> Result<Next, Ended> {
        let is_kept = self.head.keeps_alive && link.is_between() && !link.is_closing();
        match mem::replace(&mut self.state, State::Begun(Length::None)) {
            State::Begun(length) => {
                let is_whole = status < 400 && length == Length::Chunked;
                if is_whole {
                    link.push(Chunk::LAST);
                }
                link.flush().await?;
                return Ok(if is_whole && is_kept { Next::Request } else { Next::Close });
            }
            State::Collecting(mut parts) => {
                if status >= 400 && self.content_type == Shape::ServerSent.content_type() {
                    // Who is refused a stream is told so as one who asks for anything else.
                    let lines: Vec<u8> = parts.iter().flat_map(|part| part.bytes.iter().copied()).collect();
                    parts.drain(..).for_each(|part| link.discard(&part));
                    self.content_type = Shape::Json.content_type();
                    let body = plain(&lines);
                    self.push_head(link, status, Length::Bytes(body.len()), is_kept);
                    link.push(body);
                } else {
                    let length = match status {
                        204 | 304 => Length::None,
                        _ => Length::Bytes(self.bytes),
                    };
                    self.push_head(link, status, length, is_kept);
                    parts.into_iter().for_each(|part| link.writer.push(part));
                }
            }
        }
        link.flush().await?;
        Ok(if is_kept { Next::Request } else { Next::Close })
    }

    fn push_head(&self, link: &mut Link, status: u16, length: Length, keeps_alive: bool) {
        let head = ResponseHead {
            status,
            content_type: self.content_type,
            length,
            keeps_alive,
            allowed_origin: self.allowed_origin.as_deref(),
            fields: &self.fields,
        };
        link.push(head.render(Timestamp::now()));
    }
}

/// Queues a part of an answer that has begun.
fn pass(link: &mut Link, part: Queued, length: Length) {
    if length == Length::Chunked {
        link.push(Chunk::before(part.bytes.len()));
        link.writer.push(part);
        link.push(Chunk::END);
    } else {
        link.writer.push(part);
    }
}

/// The lines that are the data of server-sent events.
fn plain(events: &[u8]) -> Vec<u8> {
    let lines = events.split(|&byte| byte == b'\n');
    let data = lines.filter_map(|line| line.strip_prefix(b"data: "));
    data.flat_map(|line| line.iter().copied().chain([b'\n'])).collect()
}
