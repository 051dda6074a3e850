//! A person's conversation: keys become lines and commands, messages are shown above the line that is being typed, and a
//! connection that is lost is made anew. One thread polls the terminal and the socket.
//!
//! Nothing is kept without a bound: neither lines to be sent ([`Outbox`]) nor what is to be shown.

mod drive;
mod ready;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Zoned;
use pipechat::{
    chat::{Identity, LOBBY},
    protocol::{Lang, escape::escaped},
};
use rustix::io::Errno;

use super::{
    backoff::Backoff,
    command::Command,
    link::{Attempt, Link, Target},
    outbox::Outbox,
    render::Style,
    rooms::Membership,
    talk::Talk,
};
use crate::client::{
    Failure, Outcome,
    lines::LINE_BYTES_MAX,
    terminal::{Terminal, Typed},
};

/// How long the server may be silent when the user leaves, before the client ends without its answer.
const GOODBYE_MAX: Duration = Duration::from_secs(2);
/// Bytes that are read from the terminal at once; the kernel holds 4 KiB for one.
const READ_BYTES: usize = 16 << 10;
/// Bytes of messages that may wait to be shown until all keys are read.
const ABOVE_BYTES: usize = 64 << 10;

/// What the user has asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) has_colours: bool,
    pub(super) shows_addr: bool,
    pub(super) reconnects: bool,
}

/// The terminal, the connection, and what stands between them.
pub(super) struct Session {
    target: Target,
    reconnects: bool,
    /// The name to take on the next connection, and how often that was refused.
    name: Option<String>,
    refusals: u32,
    /// The rooms to join on the next connection, where there is none.
    rooms: Membership,
    link: Link,
    backoff: Backoff,
    /// The pause that the user was told last.
    told: Duration,
    outbox: Outbox,
    talk: Talk,
    terminal: Terminal,
    stage: Stage,
    /// Why the server is about to close the connection, if it has said so.
    farewell: Option<Failure>,
}

/// Where the conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// There has been no connection yet.
    Opening,
    Talking,
    /// The user has left. Ends at this time, if the server is silent until then.
    Leaving(Instant),
}

impl Session {
    pub(super) fn new(
        target: Target,
        name: Option<String>,
        rooms: Membership,
        terminal: Terminal,
        settings: Settings,
    ) -> io::Result<Self> {
        let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let Settings { has_colours, shows_addr, reconnects } = settings;
        let style = Style { has_colours, shows_addr, lang: Lang::En, me: identity(nobody) };
        let talk = Talk::new(style, target.address(), terminal.echoes());
        Ok(Self {
            link: Link::Connecting(Attempt::start(&target, name.clone(), rooms.clone())?),
            target,
            reconnects,
            name,
            refusals: 0,
            rooms,
            backoff: Backoff::new(),
            told: Duration::ZERO,
            outbox: Outbox::default(),
            talk,
            terminal,
            stage: Stage::Opening,
            farewell: None,
        })
    }

    /// Runs until the user leaves, or the connection is lost for good.
    pub(super) fn run(mut self) -> Outcome {
        let outcome = loop {
            match self.turn() {
                Ok(None) => {}
                Ok(Some(outcome)) => break outcome,
                Err(error) => break Err(Failure::Lost(format!("the terminal is lost: {error}"))),
            }
        };
        let shown = self.talk.take_above();
        if self.terminal.draw(&shown).and_then(|()| self.terminal.erase()).is_err() {
            return Err(Failure::Unread);
        }
        outcome
    }

    /// Does what there is to do, or waits. Returns how the conversation has ended.
    ///
    /// # Errors
    /// The terminal can't be used any more.
    fn turn(&mut self) -> io::Result<Option<Outcome>> {
        let mut ready = self.poll(Some(Duration::ZERO))?;
        // While there is more to read, the line is about to change.
        if !ready.keys || self.talk.pending() > ABOVE_BYTES {
            let above = self.talk.take_above();
            self.terminal.set_prompt(self.talk.rooms.prompt());
            self.terminal.draw(&above)?;
            if !ready.keys && ready.link.is_empty() {
                let left = self.deadline().map(|at| at.saturating_duration_since(Instant::now()));
                ready = self.poll(left)?;
            }
        }
        let now = Instant::now();
        self.talk.now = Zoned::now();
        if ready.signals {
            self.terminal.on_signal()?;
        }
        if ready.keys
            && let Some(outcome) = self.read_keys(now)?
        {
            return Ok(Some(outcome));
        }
        if self.terminal.deadline().is_some_and(|at| at <= now) {
            let choices = self.terminal.complete(|before| self.talk.complete(before));
            if !choices.is_empty() {
                self.talk.notice(&choices.join("  "));
            }
        }
        if let Some(outcome) = self.drive_link(ready.link, now) {
            return Ok(Some(outcome));
        }
        match self.stage {
            Stage::Leaving(until) if until <= now => Ok(Some(self.left())),
            Stage::Opening | Stage::Talking | Stage::Leaving(_) => Ok(None),
        }
    }

    /// Reads what was typed, and does it.
    fn read_keys(&mut self, now: Instant) -> io::Result<Option<Outcome>> {
        let mut bytes = [0; READ_BYTES];
        let typed = match rustix::io::read(io::stdin(), &mut bytes) {
            Ok(0) => vec![Typed::Leave],
            Ok(read) => self.terminal.take(&bytes[..read], now)?,
            Err(Errno::AGAIN | Errno::INTR) => Vec::new(),
            Err(errno) => return Err(errno.into()),
        };
        for typed in typed {
            let outcome = match typed {
                Typed::Leave => self.leave(now),
                Typed::Line(line) => self.enter(&line, now),
                Typed::TooLong => {
                    self.talk.notice(&format!("line too long, not sent: more than {LINE_BYTES_MAX} bytes"));
                    None
                }
            };
            if outcome.is_some() {
                return Ok(outcome);
            }
        }
        Ok(None)
    }

    /// Does what a line asks for.
    fn enter(&mut self, line: &str, now: Instant) -> Option<Outcome> {
        if matches!(self.stage, Stage::Leaving(_)) {
            return None; // `quit` is on its way already
        }
        let has_room = !self.outbox.is_full() || matches!(self.link, Link::Up(_));
        match Command::parse(line) {
            Command::Quit => return self.leave(now),
            Command::Nothing => {}
            Command::Send(_)
            | Command::Private { .. }
            | Command::Join(_)
            | Command::Leave(_)
            | Command::Topic(_)
            | Command::History(_)
                if !has_room =>
            {
                self.talk.notice("not connected, and too many lines wait: not sent");
            }
            Command::Send(line) => {
                self.talk.credentials.sent(&line);
                self.outbox.push(&line);
            }
            Command::Private { to, text, line } => {
                self.outbox.push(&line);
                self.talk.sent(&to, &text);
            }
            Command::Join(room) => self.outbox.push(&self.talk.join(&room)),
            Command::History(count) => {
                if let Some(line) = self.talk.history(count) {
                    self.outbox.push(&line);
                }
            }
            Command::Leave(room) => match room.as_deref().unwrap_or(self.talk.rooms.current()) {
                LOBBY if room.is_none() => self.talk.notice("usage: /leave ROOM"),
                room => self.outbox.push(&format!("leave|{room}")),
            },
            Command::Topic(text) => {
                let text = text.map_or_else(String::new, |text| format!("|{text}"));
                self.outbox.push(&format!("topic|{}{text}", self.talk.rooms.current()));
            }
            Command::Help => self.talk.help(),
            Command::Mistake(text) => self.talk.notice(&escaped(&text)),
        }
        None
    }

    /// Sends `quit`, after all lines that wait. Ends at once where there is no connection, or when the user leaves for the
    /// second time.
    fn leave(&mut self, now: Instant) -> Option<Outcome> {
        let waits_for_server = match self.link {
            Link::Up(_) => true,
            Link::Connecting(_) | Link::Waiting(_) => self.stage == Stage::Opening && !self.outbox.is_empty(),
        };
        if matches!(self.stage, Stage::Leaving(_)) || !waits_for_server {
            return Some(self.left());
        }
        self.outbox.push("quit");
        self.stage = Stage::Leaving(now + GOODBYE_MAX);
        None
    }

    /// How it ends when the user has left.
    fn left(&self) -> Outcome {
        if self.outbox.is_empty() { Ok(()) } else { Err(Failure::Lost("not all lines were sent".to_owned())) }
    }
}

fn identity(addr: SocketAddr) -> Arc<Identity> {
    Arc::new(Identity { name: addr.to_string(), addr: addr.to_string(), is_account: false })
}
