//! The connection of a session: what the server sends on it, its end, and the attempts to make the next one.

use std::{
    mem,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use pipechat::protocol::escape::escaped;
use rustix::event::PollFlags;

use super::{
    super::{
        link::{Attempt, Link, Target, Up},
        outbox::Outbox,
        rooms::Membership,
        talk::Effect,
    },
    GOODBYE_MAX, Session, Stage, identity,
};
use crate::client::{
    Failure, Outcome,
    connection::{Connection, NOT_JOINED},
    message::farewell,
    reader::Received,
};

/// How often a name that the user had is asked for again, with growing pauses: the server may take a while to notice that
/// the connection before is lost. Then the client connects without it.
const NAME_ATTEMPTS: u32 = 5;

impl Session {
    /// Handles what poll has found for the link. Returns how the conversation has ended.
    pub(super) fn drive_link(&mut self, ready: PollFlags, now: Instant) -> Option<Outcome> {
        match &mut self.link {
            Link::Waiting(until) if *until <= now => self.attempt(now),
            Link::Waiting(_) => None,
            Link::Connecting(_) if ready.is_empty() => None,
            Link::Connecting(_) => {
                let Link::Connecting(attempt) = mem::replace(&mut self.link, Link::Waiting(now)) else { return None };
                match attempt.finish() {
                    Ok(connection) => self.connected(connection, now),
                    Err(failure) => self.not_connected(failure, now),
                }
            }
            Link::Up(up) => {
                if ready.contains(PollFlags::OUT) {
                    up.flush(&mut self.outbox);
                }
                if ready.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) { self.receive(now) } else { None }
            }
        }
    }

    fn attempt(&mut self, now: Instant) -> Option<Outcome> {
        let login = self.talk.credentials.login().or(self.target.token.as_ref()).cloned();
        let target = Target { token: login, ..self.target.clone() };
        match Attempt::start(&target, self.name.clone(), self.rooms.clone()) {
            Ok(attempt) => {
                self.link = Link::Connecting(attempt);
                None
            }
            Err(error) => self.not_connected(Failure::Lost(format!("can't connect: {error}")), now),
        }
    }

    fn connected(&mut self, mut connection: Connection, now: Instant) -> Option<Outcome> {
        let (early, lang, me) = (mem::take(&mut connection.early), connection.lang, connection.me.take());
        let (joined, lacks_history) = (mem::take(&mut connection.joined), connection.lacks_history);
        let (reader, stream) = connection.split();
        let addr = stream.local_addr().unwrap_or(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
        match Up::new(reader, stream, now) {
            Ok(up) => self.link = Link::Up(up),
            Err(error) => return self.not_connected(Failure::Lost(format!("connection lost: {error}")), now),
        }
        self.talk.connected(me.unwrap_or_else(|| identity(addr)), lang, lacks_history);
        self.talk.rooms.connected(&joined, self.rooms.has_left_lobby);
        // Before lines that were typed meanwhile.
        let mut first = self.talk.ask_for_missed();
        first.push("who".to_owned());
        self.outbox.restart_with(&first.join("\n"));
        for (_, news) in early {
            self.talk.message(&news);
        }
        (self.refusals, self.told, self.farewell) = (0, Duration::ZERO, None);
        match &mut self.stage {
            Stage::Opening => self.stage = Stage::Talking,
            Stage::Talking => {}
            Stage::Leaving(until) => *until = now + GOODBYE_MAX,
        }
        // More may have come together with what said that the connection is ready.
        self.show(None, now)
    }

    fn not_connected(&mut self, failure: Failure, now: Instant) -> Option<Outcome> {
        match self.stage {
            Stage::Opening | Stage::Leaving(_) => return Some(Err(failure)),
            Stage::Talking if matches!(failure, Failure::SentAway(_)) => return Some(Err(failure)),
            Stage::Talking => {}
        }
        if matches!(&failure, Failure::Refused(Some(text)) if text.starts_with(NOT_JOINED)) {
            self.give_up_rooms();
        } else if matches!(failure, Failure::Refused(_)) {
            self.refusals += 1;
            if self.refusals >= NAME_ATTEMPTS {
                self.name = None;
                self.talk.credentials.forget();
            }
        }
        let (_, sentence) = failure.exit();
        self.wait(sentence.unwrap_or_default(), Duration::ZERO, now);
        None
    }

    /// A room that the user was in is refused. What was typed for it must not be said elsewhere.
    fn give_up_rooms(&mut self) {
        self.rooms = Membership::default();
        self.talk.rooms.connected(&[], false);
        if !self.outbox.is_empty() {
            self.outbox = Outbox::default();
            self.talk.notice("lines that waited are not sent");
        }
    }

    /// Reads what the server has sent.
    fn receive(&mut self, now: Instant) -> Option<Outcome> {
        let Link::Up(up) = &mut self.link else { return None };
        let end = up.reader.read();
        if let Stage::Leaving(until) = &mut self.stage {
            *until = now + GOODBYE_MAX;
        }
        self.show(end, now)
    }

    /// Shows the lines that have been read, after which the connection may have ended.
    fn show(&mut self, mut end: Option<Received>, now: Instant) -> Option<Outcome> {
        let Link::Up(up) = &mut self.link else { return None };
        while let Some(received) = up.reader.buffered() {
            let Received::Line(line) = received else {
                end = Some(received);
                break;
            };
            match self.talk.receive(&line) {
                Effect::None => {}
                Effect::Send(line) => self.outbox.push(&line),
                Effect::Renamed(name) => self.name = Some(name),
                Effect::Goodbye => return Some(Ok(())),
                Effect::Farewell(code, text) => self.farewell = Some(farewell(&code, text)),
                Effect::WaitTimedOut => self.farewell = Some(Failure::TimedOut("timed out".to_owned())),
            }
        }
        let failure = match end? {
            Received::Ended(reason) => Failure::Lost(reason),
            Received::TooLong => Received::too_long(),
            Received::Line(_) | Received::TimedOut => return None,
        };
        self.rooms = self.talk.rooms.membership();
        let lasted = now.saturating_duration_since(up.since);
        let failure = self.farewell.take().unwrap_or(failure);
        self.lost(failure, lasted, now)
    }

    fn lost(&mut self, failure: Failure, lasted: Duration, now: Instant) -> Option<Outcome> {
        match self.stage {
            Stage::Leaving(_) => return Some(self.left()),
            Stage::Opening | Stage::Talking if !self.reconnects || matches!(failure, Failure::SentAway(_)) => {
                return Some(Err(failure));
            }
            Stage::Opening | Stage::Talking => {}
        }
        let reason = match failure {
            Failure::TimedOut(_) => "the server has ended the connection".to_owned(), // as it does after such a wait
            failure => failure.exit().1.unwrap_or_default().to_owned(),
        };
        self.wait(&reason, lasted, now);
        None
    }

    /// Waits for the next attempt to connect, after a connection that lasted this long. The reason may be the server's, raw.
    fn wait(&mut self, reason: &str, lasted: Duration, now: Instant) {
        let pause = self.backoff.pause(lasted);
        self.link = Link::Waiting(now + pause);
        // Once the pause grows no more, neither does what is shown.
        if pause != self.told {
            self.told = pause;
            self.talk.notice(&format!("{}; connecting again in {} s", escaped(reason), pause.as_secs()));
        }
    }
}
