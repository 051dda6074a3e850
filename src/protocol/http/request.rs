//! What a request asks for: its method, path and query, understood.

use std::time::Duration;

use super::{Head, Method, Problem, Target};
use crate::{
    chat::{Command, Epoch, Kinds, Start, Stretch, WaitFor},
    protocol::{
        dialect::{Dialect, Envelope, Format, Lang},
        line::parse_start,
    },
    units::parse_duration,
};

/// How long `GET /wait` waits unless it says so.
const WAIT_DEFAULT: Duration = Duration::from_secs(60);
/// How many events a history has unless it is asked for more.
const HISTORY_DEFAULT: usize = 20;

const PAST: &str =
    "GET /rooms/ROOM[,ROOM…]?last=N&since=START&before=POS&event=message&follow&format=json|text|sse&name=NAME";
const SAY: &str = "POST /rooms/ROOM?skip&name=NAME";
const TELL: &str = "POST /users/NAME?skip&name=NAME";
const LIST: &str = "GET /rooms, /users or /rooms/ROOM/members?format=json|text";
const WAIT: &str =
    "GET /wait?user=NAME | gone=NAME | users=N | members=N&room=ROOM | text=TEXT&room=ROOM&by=NAME; timeout=SECONDS";
const OPEN: &str = "POST /sessions?name=NAME";
const LINES: &str = "POST /sessions/ID?skip";
const LISTEN: &str = "GET /sessions/ID?since=N";

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// A file of the page: what is behind the first slash, and behind the second.
    Page(Vec<String>),
    /// Whether the server is well.
    Health,
    /// Its numbers.
    Metrics,
    /// A list: of rooms, or of users.
    List(Command, Shape),
    /// What has happened in rooms, and perhaps what happens there from now on.
    Past(Past),
    /// An answer when something is so.
    Wait(Command),
    /// To say each line in a room, or to one user.
    Say {
        /// Where.
        to: SayTo,
        /// To go on behind a line that is refused.
        skips: bool,
    },
    /// A new session.
    Open,
    /// To do each line in a session.
    Lines {
        /// Its id.
        session: String,
        /// To go on behind a line that is refused.
        skips: bool,
    },
    /// All that a session's user is told.
    Listen {
        /// Its id.
        session: String,
        /// Behind the event of this number; from now on where there is none.
        after: Option<u64>,
    },
    /// The end of a session.
    Quit(String),
    /// What may be asked for: methods.
    Options(&'static str),
}

/// To whom something is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SayTo {
    /// To all in a room.
    Room(String),
    /// To one user.
    User(String),
}

/// What has happened in rooms.
#[derive(Debug, PartialEq, Eq)]
pub struct Past {
    /// The rooms.
    pub rooms: Vec<String>,
    /// Where it begins.
    pub start: Start,
    /// What it is older than, if that was asked for.
    pub before: Option<(u64, Option<Epoch>)>,
    /// What of it is told.
    pub kinds: Kinds,
    /// What happens from now on is told too.
    pub follows: bool,
    /// How.
    pub shape: Shape,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// An object a line.
    Json,
    /// A line for people each.
    Text,
    /// Server-sent events.
    ServerSent,
}

impl Shape {
    /// What its lines are called.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/x-ndjson",
            Self::Text => "text/plain; charset=utf-8",
            Self::ServerSent => "text/event-stream",
        }
    }

    /// The dialect that has it, of these events.
    #[must_use]
    pub fn dialect(self, kinds: Kinds, lang: Lang) -> Dialect {
        match self {
            Self::Json => Dialect { format: Format::Json, lang, envelope: Envelope::Stream(kinds) },
            Self::Text => Dialect { format: Format::Text, lang, envelope: Envelope::Stream(kinds) },
            Self::ServerSent => Dialect { format: Format::Json, lang, envelope: Envelope::ServerSent(kinds) },
        }
    }
}

impl Past {
    /// What one has to ask the chat for.
    #[must_use]
    pub fn command(self) -> Command {
        let Self { rooms, start, before, kinds, .. } = self;
        match self.follows {
            true => Command::Follow { rooms, start, kinds },
            false => Command::History(Stretch { rooms, start, kinds, before, most: usize::MAX }),
        }
    }
}

impl Request {
    /// Whether what its body says matters.
    #[must_use]
    pub fn has_body(&self) -> bool {
        matches!(self, Self::Say { .. } | Self::Lines { .. })
    }

    /// Understands a request.
    ///
    /// # Errors
    /// If there is no such thing, or it is asked for in another way.
    pub fn of(head: &Head) -> Result<Self, Problem> {
        let target = &head.target;
        let path: Vec<_> = target.path.iter().map(String::as_str).collect();
        match path[..] {
            [] | ["page", _] | ["favicon.ico"] => get(head, || {
                query(target, &["name"], PAST)?;
                Ok(Self::Page(target.path.clone()))
            }),
            ["health" | "healthz"] => get(head, || Ok(Self::Health)),
            ["metrics"] => get(head, || Ok(Self::Metrics)),
            ["rooms"] => list(head, Command::Rooms),
            ["users"] => list(head, Command::Who),
            ["rooms", room, "members"] => list(head, Command::WhoIn(room.to_owned())),
            ["rooms", room] => match head.method {
                Method::Get | Method::Head => past(head, room),
                Method::Post | Method::Put => say(head, SayTo::Room(room.to_owned()), SAY),
                Method::Options => Ok(Self::Options("GET, HEAD, POST, PUT, OPTIONS")),
                Method::Delete => Err(Problem::MethodNotAllowed("GET, HEAD, POST, PUT, OPTIONS")),
            },
            ["users", name] => match head.method {
                Method::Post | Method::Put => say(head, SayTo::User(name.to_owned()), TELL),
                Method::Options => Ok(Self::Options("POST, PUT, OPTIONS")),
                Method::Get | Method::Head | Method::Delete => Err(Problem::MethodNotAllowed("POST, PUT, OPTIONS")),
            },
            ["wait"] => get(head, || wait(target)),
            ["sessions"] => match head.method {
                Method::Post => query(target, &["name"], OPEN).map(|()| Self::Open),
                Method::Options => Ok(Self::Options("POST, OPTIONS")),
                Method::Get | Method::Head | Method::Put | Method::Delete => {
                    Err(Problem::MethodNotAllowed("POST, OPTIONS"))
                }
            },
            ["sessions", session] => {
                let session = session.to_owned();
                match head.method {
                    Method::Get => listen(head, session),
                    Method::Post | Method::Put => {
                        query(target, &["skip"], LINES)?;
                        Ok(Self::Lines { session, skips: target.get("skip").is_some() })
                    }
                    Method::Delete => Ok(Self::Quit(session)),
                    Method::Options => Ok(Self::Options("GET, POST, PUT, DELETE, OPTIONS")),
                    Method::Head => Err(Problem::MethodNotAllowed("GET, POST, PUT, DELETE, OPTIONS")),
                }
            }
            _ => Err(Problem::NotFound),
        }
    }
}

/// What may only be asked for.
fn get(head: &Head, request: impl FnOnce() -> Result<Request, Problem>) -> Result<Request, Problem> {
    const METHODS: &str = "GET, HEAD, OPTIONS";
    match head.method {
        Method::Get | Method::Head => request(),
        Method::Options => Ok(Request::Options(METHODS)),
        Method::Post | Method::Put | Method::Delete => Err(Problem::MethodNotAllowed(METHODS)),
    }
}

/// Checks that a query has no other keys than these.
fn query(target: &Target, keys: &[&str], form: &'static str) -> Result<(), Problem> {
    let is_known = |(key, _): &(String, String)| keys.contains(&key.as_str());
    if target.query.iter().all(is_known) { Ok(()) } else { Err(Problem::Usage(form)) }
}

fn list(head: &Head, command: Command) -> Result<Request, Problem> {
    get(head, || {
        query(&head.target, &["format", "name"], LIST)?;
        match shape(head, LIST)? {
            shape @ (Shape::Json | Shape::Text) => Ok(Request::List(command, shape)),
            Shape::ServerSent => Err(Problem::Usage(LIST)),
        }
    })
}

fn say(head: &Head, to: SayTo, form: &'static str) -> Result<Request, Problem> {
    query(&head.target, &["skip", "name"], form)?;
    if head.is_multipart {
        return Err(Problem::NotText);
    }
    Ok(Request::Say { to, skips: head.target.get("skip").is_some() })
}

fn past(head: &Head, rooms: &str) -> Result<Request, Problem> {
    let (target, usage) = (&head.target, Problem::Usage(PAST));
    query(target, &["last", "since", "before", "event", "follow", "format", "name"], PAST)?;
    let kinds = match target.get("event") {
        None => Kinds::All,
        Some("message") => Kinds::Messages,
        Some(_) => return Err(usage),
    };
    let shape = shape(head, PAST)?;
    let wants_more = target.get("follow").is_some() || shape == Shape::ServerSent;
    let follows = wants_more && head.method == Method::Get; // else nobody is there to be told
    let last_event = Some(&head.last_event_id).filter(|_| shape == Shape::ServerSent);
    let last_event = last_event.and_then(Option::as_deref);
    let since = last_event.or_else(|| target.get("since"));
    let start = match (since, target.get("last")) {
        (Some(_), Some(_)) if last_event.is_none() => return Err(usage),
        (Some(start), _) => parse_start(start).ok_or(usage)?,
        (None, Some(count)) => Start::Last(number(count).ok_or(usage)?),
        (None, None) => Start::Last(if follows { 0 } else { HISTORY_DEFAULT }),
    };
    let before = match target.get("before").map(parse_start) {
        None => None,
        Some(Some(Start::Behind(n, epoch))) if !follows => Some((n, epoch)),
        Some(_) => return Err(usage),
    };
    let rooms = rooms.split(',').filter(|room| !room.is_empty()).map(str::to_owned).collect();
    Ok(Request::Past(Past { rooms, start, before, kinds, follows, shape }))
}

/// The form that an answer is to have.
fn shape(head: &Head, form: &'static str) -> Result<Shape, Problem> {
    match head.target.get("format") {
        Some("json") => return Ok(Shape::Json),
        Some("text") => return Ok(Shape::Text),
        Some("sse") => return Ok(Shape::ServerSent),
        Some(_) => return Err(Problem::Usage(form)),
        None => {}
    }
    let accept = head.accept.as_deref().unwrap_or_default();
    // The first that is known, as clients that want something in particular write it alone or first.
    let kinds = accept.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let known = kinds.into_iter().find_map(|kind| match kind {
        "text/event-stream" => Some(Shape::ServerSent),
        "text/plain" => Some(Shape::Text),
        "application/x-ndjson" | "application/json" | "application/jsonl" => Some(Shape::Json),
        _ => None,
    });
    Ok(known.unwrap_or(Shape::Json))
}

fn wait(target: &Target) -> Result<Request, Problem> {
    let usage = Problem::Usage(WAIT);
    query(target, &["user", "gone", "users", "members", "text", "room", "by", "timeout", "name"], WAIT)?;
    let timeout = target.get("timeout").map_or(Some(WAIT_DEFAULT), parse_duration).ok_or(usage)?;
    let get = |key| target.get(key).filter(|value| !value.is_empty()).map(str::to_owned);
    let conditions = ["user", "gone", "users", "members", "text"].map(get);
    let wait_for = match (conditions, get("room"), get("by")) {
        ([Some(name), None, None, None, None], None, None) => WaitFor::User(name),
        ([None, Some(name), None, None, None], None, None) => WaitFor::Gone(name),
        ([None, None, Some(users), None, None], None, None) => WaitFor::Users(number(&users).ok_or(usage)?),
        ([None, None, None, Some(members), None], Some(room), None) => {
            WaitFor::Members(room, number(&members).ok_or(usage)?)
        }
        ([None, None, None, None, Some(part)], room, Some(account)) => WaitFor::By { account, room, part },
        ([None, None, None, None, Some(part)], Some(room), None) => WaitFor::In { room, part },
        ([None, None, None, None, Some(part)], None, None) => WaitFor::Text(part),
        _ => return Err(usage),
    };
    Ok(Request::Wait(Command::Wait(timeout, wait_for)))
}

fn listen(head: &Head, session: String) -> Result<Request, Problem> {
    query(&head.target, &["since"], LISTEN)?;
    let after = head.last_event_id.as_deref().or_else(|| head.target.get("since"));
    let after = after.map(|n| number(n).ok_or(Problem::Usage(LISTEN))).transpose()?;
    Ok(Request::Listen { session, after })
}

/// A number of digits alone.
fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
