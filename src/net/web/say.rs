//! Requests that say something: each line of the body, in a room or to a user.

use std::rc::Rc;

use super::{
    Answer, Ended, Hub, Next, Patience, User, Web,
    ask::{Outcome, note_refusal},
    user::News,
};
use crate::{
    address::Network,
    broker::{Credit, Told},
    chat::{Command, Kinds},
    protocol::{
        FormError, Reply, Step, Verb,
        http::{Answered, BodyLength, Head, Item, Problem, RepeatKey, SayTo, Seen, Shape},
        render_taken,
    },
};

/// The longest body of known length, in bytes: its answer comes when all of it was said.
const BODY_BYTES_MAX: u64 = 4 << 20;
/// Lines that are said at once.
const BATCH_LINES_MAX: usize = 256;
/// The longest body that may be sent again as the same request, in bytes: it is said when all of it has come.
const REPEATED_BYTES_MAX: u64 = 32 << 10;
/// What asks a client for a body that it holds back until then.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Some lines of a body.
pub(super) struct Lines {
    pub(super) lines: Vec<Result<String, FormError>>,
    /// The body has ended with them.
    pub(super) has_ended: bool,
}

/// A request at work that may come again. If it is dropped before its end, it may be done then.
pub(super) struct Repeat {
    hub: Rc<Hub>,
    key: RepeatKey,
}

impl Web {
    /// Says each line of the body.
    pub(super) async fn say(&mut self, head: &Head, to: &SayTo, skips: bool) -> Result<Next, Ended> {
        let repeat = match self.begin_once(head).await? {
            Ok(repeat) => repeat,
            Err(next) => return Ok(next),
        };
        let mut user = match self.user(head).await? {
            Ok(user) => user,
            Err(next) => return Ok(next),
        };
        self.ask_for_body(head).await?;
        let mut answer = self.answer(head, Shape::Json);
        if repeat.is_some() {
            answer.set_repeatable();
        }
        let mut first_refused: Option<Credit> = None;
        let mut has_ended = false;
        while !has_ended && (skips || first_refused.is_none()) {
            let lines = match self.body_lines(head, repeat.is_some()).await {
                Ok(lines) => lines,
                Err(Ended::Problem(problem)) => return self.break_off(answer, problem).await,
                Err(Ended::Gone) => return Err(Ended::Gone),
            };
            has_ended = lines.has_ended;
            let mut steps = lines.lines.into_iter().map(|line| step(line, to)).peekable();
            while steps.peek().is_some() && (skips || first_refused.is_none()) {
                // A message for one user has no answer of its own if it is delivered at once.
                let most = if matches!(to, SayTo::User(_)) { 1 } else { BATCH_LINES_MAX };
                let some: Vec<_> = steps.by_ref().take(most).collect();
                let before = answer.bytes();
                let credit = match self.say_some(&mut user, some, skips, repeat.is_some(), &mut answer).await? {
                    Outcome::Done(credit) => credit,
                    Outcome::Ended(departure) => return self.sent_away(answer, departure).await,
                };
                if credit.refused.is_none() && answer.bytes() == before {
                    let mut line = Vec::new();
                    render_taken(&mut line, Verb::To, jiff::Timestamp::now());
                    self.put(&mut answer, line).await?;
                }
                first_refused = first_refused.or(credit.refused.map(|_| credit));
            }
            if first_refused.is_none() && !has_ended {
                self.pass_on(head, &mut answer).await?;
            }
        }
        self.keep(head, user);
        let status = match &first_refused {
            Some(credit) => {
                note_refusal(&mut answer, credit);
                Outcome::refused_status(credit).unwrap_or(400)
            }
            None if is_kept(&answer) => 202,
            None => 200,
        };
        if let Some(repeat) = repeat {
            repeat.end(status, &answer);
        }
        self.end(answer, status).await
    }

    /// Says some lines, and waits until that is done: whether or not the client does, if it may ask again.
    async fn say_some(
        &mut self,
        user: &mut User,
        lines: Vec<Step>,
        skips: bool,
        is_repeatable: bool,
        answer: &mut Answer<'_>,
    ) -> Result<Outcome, Ended> {
        let count = lines.len();
        let dialect = Shape::Json.dialect(Kinds::All, self.hub.lang);
        let mut steps = vec![Step::Request { stops_at_refusal: !skips }, Step::Speak(dialect)];
        steps.extend(lines);
        user.ask_lines(steps, count).await;
        loop {
            let news = match is_repeatable {
                true => user.next().await,
                false => self.link.unless_broken(user.next()).await?,
            };
            match news {
                News::Bytes(part) if part.told == Told::Answer => answer.take(&mut self.link, part).await?,
                News::Bytes(part) => self.link.discard(&part),
                News::Done(credit) => return Ok(Outcome::Done(credit)),
                News::End(departure) => return Ok(Outcome::Ended(departure)),
            }
        }
    }

    /// One who streams a body reads the answers as they come.
    pub(super) async fn pass_on(&mut self, head: &Head, answer: &mut Answer<'_>) -> Result<(), Ended> {
        if head.length == BodyLength::Chunked && answer.bytes() > 0 {
            let length = answer.length();
            answer.begin(&mut self.link, length);
            self.link.flush().await?;
        }
        Ok(())
    }

    /// The client may hold back the body until it is asked for.
    pub(super) async fn ask_for_body(&mut self, head: &Head) -> Result<(), Ended> {
        if head.expects_continue {
            self.link.push(CONTINUE);
            self.link.flush().await?;
        }
        Ok(())
    }

    /// Waits for lines of the body that are not blank, or for all of them.
    pub(super) async fn body_lines(&mut self, head: &Head, waits_for_all: bool) -> Result<Lines, Ended> {
        let patience = match head.length {
            BodyLength::Chunked if !waits_for_all => Patience::Endless,
            BodyLength::Chunked | BodyLength::Bytes(_) => Patience::Body,
        };
        let (mut lines, mut bytes) = (Vec::new(), 0);
        loop {
            let next = match waits_for_all || lines.is_empty() {
                true => Some(self.link.next(patience).await?),
                false => self.link.try_next()?,
            };
            match next {
                Some(Item::Line(Ok(line))) if line.trim().is_empty() => {}
                Some(Item::Line(line)) => {
                    bytes += line.as_ref().map_or(0, String::len) as u64;
                    lines.push(line);
                }
                Some(Item::End) => return Ok(Lines { lines, has_ended: true }),
                None | Some(Item::Head(_) | Item::Incomplete) => return Ok(Lines { lines, has_ended: false }),
            }
            if waits_for_all {
                if bytes > REPEATED_BYTES_MAX || lines.len() > BATCH_LINES_MAX {
                    return Err(Problem::BodyTooLong(REPEATED_BYTES_MAX).into());
                }
            } else if lines.len() >= BATCH_LINES_MAX {
                return Ok(Lines { lines, has_ended: false });
            }
        }
    }

    /// The body does not go on as it should: says so behind what was answered of it, and ends the connection.
    pub(super) async fn break_off(&mut self, mut answer: Answer<'_>, problem: Problem) -> Result<Next, Ended> {
        self.put_problem(&mut answer, problem).await?;
        answer.end(&mut self.link, problem.status()).await?;
        Ok(Next::Close)
    }

    /// Begins a request with a body. Answers what makes it the same as a later one, if that may come; or what follows, if it has
    /// been answered already, or cannot be done.
    pub(super) async fn begin_once(&mut self, head: &Head) -> Result<Result<Option<Repeat>, Next>, Ended> {
        let most = if head.idempotency_key.is_some() { REPEATED_BYTES_MAX } else { BODY_BYTES_MAX };
        if matches!(head.length, BodyLength::Bytes(bytes) if bytes > most) {
            return self.refuse(head, Problem::BodyTooLong(most)).await.map(Err);
        }
        let Some(key) = self.repeat_key(head) else { return Ok(Ok(None)) };
        let now = self.link.shared.clock.now();
        let seen = self.hub.repeats.borrow_mut().begin(key.clone(), now);
        match seen {
            Seen::Never => Ok(Ok(Some(Repeat { hub: Rc::clone(&self.hub), key }))),
            Seen::AtWork => self.refuse(head, Problem::InProgress).await.map(Err),
            Seen::Answered(answered) => self.answer_again(head, answered).await.map(Err),
        }
    }

    fn repeat_key(&self, head: &Head) -> Option<RepeatKey> {
        let key = head.idempotency_key.as_deref()?;
        let network = Network::of(self.origin.addr);
        let (path, from) = (head.target.path.join("/"), network.to_string());
        let name = head.target.get("name").unwrap_or_default();
        Some(RepeatKey::new(network, &[&from, head.authorization.as_deref().unwrap_or_default(), &path, name, key]))
    }

    /// The answer of the first time, when the body has come again.
    async fn answer_again(&mut self, head: &Head, answered: Answered) -> Result<Next, Ended> {
        self.ask_for_body(head).await?;
        while !matches!(self.link.next(Patience::Body).await?, Item::End) {}
        let mut answer = self.answer(head, Shape::Json);
        self.put(&mut answer, answered.body.to_vec()).await?;
        answer.end(&mut self.link, answered.status).await
    }
}

impl Repeat {
    /// The request was answered so.
    pub(super) fn end(self, status: u16, answer: &Answer<'_>) {
        let answered = Answered { status, body: answer.collected().into() };
        self.hub.repeats.borrow_mut().end(&self.key, answered);
    }
}

impl Drop for Repeat {
    fn drop(&mut self) {
        self.hub.repeats.borrow_mut().forget_unanswered(&self.key);
    }
}

/// What a line asks for.
fn step(line: Result<String, FormError>, to: &SayTo) -> Step {
    match (line, to) {
        (Ok(text), SayTo::Room(room)) => Step::Command(Command::In { room: room.clone(), text }),
        (Ok(text), SayTo::User(name)) => Step::Command(Command::Private { to: name.clone(), text }),
        (Err(error), _) => Step::Reply(Reply::Refused(error)),
    }
}

/// Whether a message was kept for one who is away: so says its answer, in a field, where no text of a user can stand.
fn is_kept(answer: &Answer<'_>) -> bool {
    memchr::memmem::find(&answer.collected(), br#""code":"kept""#).is_some()
}
