//! What has happened in a room, page by page. Trusts the server with nothing: a page has a maximum length, and each takes
//! the client on, so that none can be told for ever.

use pipechat::{
    chat::{Done, Event, HISTORY_MAX, Position},
    protocol::Verb,
};

use super::{
    Deadline, Failure, Outcome,
    connection::Connection,
    message::{HISTORY_GONE, News, Past, ServerMessage},
    start::Start,
};
use crate::args::Timeout;

/// How the server has answered.
#[derive(Debug)]
pub(super) enum Page {
    /// All of the page was told.
    Told {
        /// Behind it. `None` where the server keeps no history.
        end: Option<Position>,
        /// Whether more has happened already.
        has_more: bool,
    },
    /// It has not what was asked for; the oldest position behind which all is kept.
    Gone(Option<Position>),
    /// It refuses to tell, for this reason.
    Refused(String),
}

/// What is told.
#[derive(Debug)]
pub(super) enum Told {
    /// An event of the page.
    Past(Past),
    /// Something that happens meanwhile.
    News(News),
}

/// Asks for a page of what has happened in `room`, and hands on what comes, with its line. `after` is the last position that
/// is known, if one is. Nothing may take longer than `timeout` without getting on.
///
/// # Errors
/// As those of [`Connection::next`]; [`Failure::Lost`] if the page makes no sense; those of `take`.
pub(super) fn read_page(
    connection: &mut Connection,
    room: &str,
    start: &Start,
    mut after: Option<Position>,
    (timeout, whole): (Timeout, Deadline),
    mut take: impl FnMut(&str, Told) -> Outcome,
) -> Result<Page, Failure> {
    connection.send(&start.history(room)).ok(); // if that fails, reading tells why
    let (mut count, first) = (0, after);
    let mut deadline = Deadline::of(timeout).sooner(whole);
    loop {
        let (line, message) = connection.next(deadline)?;
        match message {
            ServerMessage::Past(past) => {
                count += 1;
                if count > HISTORY_MAX || !leads_on(after, past.position) {
                    return Err(nonsense());
                }
                after = Some(past.position);
                take(&line, Told::Past(past))?;
                deadline = Deadline::of(timeout).sooner(whole); // however long that has taken
            }
            ServerMessage::News(news) => take(&line, Told::News(news))?,
            ServerMessage::Answer(Event::Done(Done::History { position, has_more, .. })) => {
                let is_sound = match (after, position) {
                    (Some(after), Some(end)) => after.epoch == end.epoch && after.n <= end.n,
                    (None, _) => true,
                    (Some(_), None) => false,
                };
                let gets_on = match (first, position) {
                    (Some(first), Some(end)) => leads_on(Some(first), end),
                    (None, end) => end.is_some(),
                    (Some(_), None) => false,
                };
                return match has_more {
                    true if !gets_on || count == 0 => Err(nonsense()),
                    _ if !is_sound => Err(nonsense()),
                    has_more => Ok(Page::Told { end: position, has_more }),
                };
            }
            ServerMessage::Refused { verb, code, text, position, .. } if verb == Verb::History.word() => {
                return Ok(if code == HISTORY_GONE { Page::Gone(position) } else { Page::Refused(text) });
            }
            ServerMessage::Answer(_)
            | ServerMessage::Set(_)
            | ServerMessage::Help(_)
            | ServerMessage::Refused { .. }
            | ServerMessage::Farewell { .. } => {}
        }
    }
}

/// Whether this is behind that.
pub(super) fn leads_on(from: Option<Position>, to: Position) -> bool {
    from.is_none_or(|from| from.epoch == to.epoch && from.n < to.n)
}

fn nonsense() -> Failure {
    Failure::Lost("the server's history makes no sense: it does not get on".to_owned())
}
