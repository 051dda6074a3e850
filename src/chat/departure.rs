//! Why connections end.

/// Why a connection ended. The user is told where there is something to tell; logged once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// The client has sent its last line.
    Left,
    /// The client has sent `quit`.
    Quit,
    /// The condition that the client waited for did not hold in time; it was told so.
    WaitTimedOut,
    /// A line of the client was refused, and it had asked to leave in that case; it was told so.
    CheckFailed,
    /// The user is not here any more, and goes on speaking as a visitor.
    Visiting,
    /// The connection broke.
    Lost,
    /// The client sent no line for the idle timeout.
    Idle,
    /// More bytes waited for the client than its queue may hold.
    SlowConsumer,
    /// No queued data could be written for the write timeout.
    WriteTimeout,
    /// The user is not logged in any more, where everyone has to be.
    LoggedOut,
    /// An operator has sent the user away.
    Kicked,
    /// The user, or its address, is banned.
    Banned,
    /// The server has as many clients as it takes.
    Full,
    /// The server has as many clients from this address as it takes.
    FullForAddress,
    /// New connections come from this address faster than the server takes them.
    TooManyArrivals,
    /// The first words were an HTTP request.
    Http,
    /// The first words were those of another protocol.
    OtherProtocol,
    /// The server shuts down.
    ShuttingDown,
}

impl Departure {
    /// Every one, in the order of their numbers (`as usize`).
    pub(crate) const ALL: [Self; 18] = [
        Self::Left,
        Self::Quit,
        Self::WaitTimedOut,
        Self::CheckFailed,
        Self::Visiting,
        Self::Lost,
        Self::Idle,
        Self::SlowConsumer,
        Self::WriteTimeout,
        Self::LoggedOut,
        Self::Kicked,
        Self::Banned,
        Self::Full,
        Self::FullForAddress,
        Self::TooManyArrivals,
        Self::Http,
        Self::OtherProtocol,
        Self::ShuttingDown,
    ];

    /// Whether the client is told: all but those who left by themselves, or know.
    #[must_use]
    pub fn is_told(self) -> bool {
        !matches!(self, Self::Left | Self::Lost | Self::WaitTimedOut | Self::CheckFailed | Self::Visiting)
    }

    /// Whether the client itself has ended the connection, or its peer has: what it said before counts.
    pub(super) fn is_own(self) -> bool {
        matches!(self, Self::Left | Self::Quit | Self::Lost)
    }

    /// A word for machines, which never changes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Quit => "quit",
            Self::WaitTimedOut => "wait-timeout",
            Self::CheckFailed => "check-failed",
            Self::Visiting => "visit",
            Self::Lost => "lost",
            Self::Idle => "idle",
            Self::SlowConsumer => "slow-consumer",
            Self::WriteTimeout => "write-timeout",
            Self::LoggedOut => "logged-out",
            Self::Kicked => "kicked",
            Self::Banned => "banned",
            Self::Full => "full",
            Self::FullForAddress => "full-for-address",
            Self::TooManyArrivals => "too-many-arrivals",
            Self::Http => "http",
            Self::OtherProtocol => "other-protocol",
            Self::ShuttingDown => "shutting-down",
        }
    }

    /// The departure with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|departure| departure.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::Departure::*;

    #[test]
    fn every_departure_has_a_code_of_its_own() {
        let mut departure = Left;
        for (n, departure) in super::Departure::ALL.into_iter().enumerate() {
            assert_eq!(departure as usize, n);
        }
        loop {
            assert_eq!(super::Departure::from_code(departure.code()), Some(departure));
            // So that the compiler asks for one that was added.
            departure = match departure {
                Left => Quit,
                Quit => WaitTimedOut,
                WaitTimedOut => CheckFailed,
                CheckFailed => Visiting,
                Visiting => Lost,
                Lost => Idle,
                Idle => SlowConsumer,
                SlowConsumer => WriteTimeout,
                WriteTimeout => LoggedOut,
                LoggedOut => Kicked,
                Kicked => Banned,
                Banned => Full,
                Full => FullForAddress,
                FullForAddress => TooManyArrivals,
                TooManyArrivals => Http,
                Http => OtherProtocol,
                OtherProtocol => ShuttingDown,
                ShuttingDown => break,
            };
        }
        assert_eq!(super::Departure::from_code("out-to-lunch"), None);
    }
}
