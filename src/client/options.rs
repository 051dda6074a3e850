//! How a subcommand wants its connection to begin.

use pipechat::protocol::Lang;

use super::{Outcome, endpoint::Endpoint, fields::field, token::Token};

/// How to open a connection.
#[derive(Debug)]
pub(super) struct ConnectOptions<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) name: Option<&'a str>,
    /// What to log in with.
    pub(super) token: Option<&'a Token>,
    pub(super) lang: Option<Lang>,
    /// Whether to ask for an exemption from the idle timeout.
    pub(super) idle_exempt: bool,
    /// Whether to keep the news that come before the connection is ready.
    pub(super) keeps_news: bool,
    /// Whether to speak without being announced.
    pub(super) visits: bool,
    /// Rooms to join.
    pub(super) rooms: &'a [String],
    /// Whether to leave the lobby.
    pub(super) leaves_lobby: bool,
    /// Whether to find out if the server knows the commands for history: an older one would say them in the room.
    pub(super) asks_for_history: bool,
}

impl<'a> ConnectOptions<'a> {
    /// Of a client that only asks: it has no name, and other news than its answers are nothing to it.
    pub(super) fn new(endpoint: &'a Endpoint, lang: Option<Lang>) -> Self {
        Self {
            endpoint,
            name: None,
            token: None,
            lang,
            idle_exempt: false,
            keeps_news: false,
            visits: false,
            rooms: &[],
            leaves_lobby: false,
            asks_for_history: false,
        }
    }

    /// Of one that logs in with this, if it is given.
    pub(super) fn logging_in(self, token: Option<&'a Token>) -> Self {
        Self { token, ..self }
    }

    /// Of one that nobody is told of.
    pub(super) fn visiting(self) -> Self {
        Self { visits: true, ..self }
    }

    /// Of one that stays under this name, if any, and shows all that it is told.
    pub(super) fn listening(self, name: Option<&'a str>) -> Self {
        Self { name, idle_exempt: true, keeps_news: true, ..self }
    }

    /// Of one that joins these rooms, and may leave the lobby.
    pub(super) fn joining(self, rooms: &'a [String], leaves_lobby: bool) -> Self {
        Self { rooms, leaves_lobby, ..self }
    }

    /// Of one that is to ask for history, if the server knows it.
    pub(super) fn asking_for_history(self, asks_for_history: bool) -> Self {
        Self { asks_for_history, ..self }
    }

    /// Checks what can be checked without a server.
    ///
    /// # Errors
    /// [`Failure::Usage`]
    pub(super) fn check(&self) -> Outcome {
        self.name.map_or(Ok(()), |name| field("--name", name).map(|_| ()))
    }
}
