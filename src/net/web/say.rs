//! Requests that say something: each line of the body, in a room or to a user.

use super::{
    Answer, Ended, Next, Patience, User, Web,
    ask::{End, Until, collect, note_refusal, status},
    repeat::{Begun, REPEATED_BYTES_MAX},
};
use crate::{
    broker::Outcome,
    chat::{Command, Kinds},
    protocol::{
        FormError, Reply, Step, Verb,
        http::{BodyLength, Head, Item, Problem, SayTo, Shape},
        render_taken,
    },
};

/// Lines that are said at once.
const BATCH_LINES_MAX: usize = 256;
/// What asks a client for a body that it holds back until then.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Some lines of a body.
pub(super) struct Lines {
    pub(super) lines: Vec<Result<String, FormError>>,
    /// The body has ended with them.
    pub(super) has_ended: bool,
}

impl Web {
    /// Says each line of the body.
    pub(super) async fn say(&mut self, head: &Head, to: &SayTo, skips: bool) -> Result<Next, Ended> {
        let Begun { repeat, mut gathered } = self.begin_once(head).await?;
        let mut user = self.user(head).await?;
        if gathered.is_none() {
            self.ask_for_body(head).await?;
        }
        let mut answer = self.answer(head, Shape::Json);
        let dialect = Shape::Json.dialect(Kinds::All, self.lang(head));
        let until = if repeat.is_some() { Until::Done } else { Until::Broken };
        let mut total = Outcome::default();
        let mut has_ended = false;
        while !has_ended && (skips || total.refused.is_none()) {
            let lines = match gathered.take() {
                Some(lines) => lines,
                None => match self.body_lines(head, false, Some(&mut user)).await {
                    Ok(lines) => lines,
                    Err(ended) => return self.break_off(answer, ended).await,
                },
            };
            has_ended = lines.has_ended;
            let mut steps = lines.lines.into_iter().map(|line| step(line, to)).peekable();
            while steps.peek().is_some() && (skips || total.refused.is_none()) {
                // A message for one user has no answer of its own if it is delivered at once.
                let most = if matches!(to, SayTo::User(_)) { 1 } else { BATCH_LINES_MAX };
                let some: Vec<_> = steps.by_ref().take(most).collect();
                let before = answer.bytes();
                let count = some.len();
                let begins = [Step::Request { stops_at_refusal: !skips }, Step::Speak(dialect)];
                user.ask_lines(begins.into_iter().chain(some).collect(), count).await;
                let outcome = match collect(&mut self.link, &mut user, &mut answer, until).await? {
                    End::Done(outcome) => outcome,
                    End::Left(departure) => return self.sent_away(answer, departure).await,
                };
                if outcome.refused.is_none() && answer.bytes() == before {
                    let mut line = Vec::new();
                    render_taken(&mut line, Verb::To, jiff::Timestamp::now());
                    self.put(&mut answer, line).await?;
                }
                total.add(outcome);
            }
            if total.refused.is_none() && !has_ended {
                self.pass_on(head, &mut answer).await?;
            }
        }
        self.keep(head, user);
        note_refusal(&mut answer, &total);
        let status = status(&total);
        if let Some(repeat) = repeat {
            repeat.end(status, &answer);
        }
        self.end(answer, status).await
    }

    /// What comes of the body cannot be understood, or nothing comes any more.
    pub(super) async fn break_off(&mut self, mut answer: Answer<'_>, ended: Ended) -> Result<Next, Ended> {
        let Ended::Problem(problem) = ended else { return Err(ended) };
        self.put_problem(&mut answer, problem).await?;
        answer.end(&mut self.link, problem.status()).await?;
        Ok(Next::Close)
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

    /// Waits for lines of the body that are not blank, or for all of them. What is told to `user` meanwhile is no answer.
    pub(super) async fn body_lines(
        &mut self,
        head: &Head,
        waits_for_all: bool,
        mut user: Option<&mut User>,
    ) -> Result<Lines, Ended> {
        let patience = match head.length {
            BodyLength::Chunked if !waits_for_all => Patience::Endless,
            BodyLength::Chunked | BodyLength::Bytes(_) => Patience::Body,
        };
        let (mut lines, mut bytes) = (Vec::new(), 0);
        loop {
            let next = match waits_for_all || lines.is_empty() {
                true => Some(self.link.next(patience, user.as_deref_mut()).await?),
                false => self.link.try_next()?,
            };
            match next {
                Some(Item::Line(Ok(line))) if line.trim().is_empty() => {}
                Some(Item::Line(line)) => {
                    bytes += line.as_ref().map_or(0, String::capacity);
                    lines.push(line);
                    if waits_for_all {
                        self.link.charge(bytes);
                    }
                }
                Some(Item::End) => return Ok(Lines { lines, has_ended: true }),
                None | Some(Item::Head(_) | Item::Incomplete) => return Ok(Lines { lines, has_ended: false }),
            }
            if waits_for_all {
                if bytes as u64 > REPEATED_BYTES_MAX || lines.len() > BATCH_LINES_MAX {
                    return Err(Problem::BodyTooLong(REPEATED_BYTES_MAX).into());
                }
            } else if lines.len() >= BATCH_LINES_MAX {
                return Ok(Lines { lines, has_ended: false });
            }
        }
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
