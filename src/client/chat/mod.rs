//! `pipechat chat`: for a person at a terminal ([`session`]), and for scripts in a pipe ([`pipe`]).

mod backoff;
mod command;
mod credentials;
mod link;
mod lists;
mod mention;
mod outbox;
mod past;
mod people;
mod pipe;
mod render;
mod rooms;
mod session;
mod talk;

use std::{
    env,
    io::{self, IsTerminal},
};

use link::Target;
use rooms::Membership;
use session::{Session, Settings};

use super::{
    ChatArgs, Failure, Outcome,
    endpoint::Endpoint,
    fields::room,
    terminal::{Terminal, is_dumb},
    token::Token,
};

impl ChatArgs {
    /// Runs the subcommand.
    pub(crate) fn run(&self) -> Outcome {
        let rooms = match &self.room {
            Some(name) => Membership::of(room("--room", name)?),
            None => Membership::default(),
        };
        let endpoint = Endpoint::new(&self.host, self.port, self.tls, self.ca.as_deref(), self.insecure)?;
        let token = Token::choose(self.token.as_ref(), self.token_file.as_deref())?;
        let target = Target { endpoint, lang: self.lang, token };
        let wants_colours = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let has_colours = io::stdout().is_terminal() && wants_colours && !is_dumb();
        let history = if self.no_history { None } else { Terminal::history_path() };
        let terminal = Terminal::open(history);
        match terminal.map_err(|error| Failure::Lost(format!("can't use the terminal: {error}")))? {
            Some(terminal) => {
                let settings = Settings { has_colours, shows_addr: self.addr, reconnects: !self.no_reconnect };
                let session = Session::new(target, self.name.clone(), rooms, terminal, settings);
                session.map_err(|error| Failure::Lost(format!("can't connect: {error}")))?.run()
            }
            None => pipe::run(target.open(self.name.as_deref(), &rooms)?, has_colours),
        }
    }
}
