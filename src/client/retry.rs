//! Connecting again and again: at the start, while no server answers yet, and after a connection was lost.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    ANSWER_MAX, Deadline, Failure, Outcome, complain, connection::Connection, dial::connect, options::ConnectOptions,
};

/// Between attempts at the start: a server that is being started is there within a second.
const START_DELAYS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// After a connection was lost, and between attempts: a server that hangs up at once is not called more than ten times a
/// second.
const RECONNECT_DELAYS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));
/// How long no server answers at the start before the user is told.
const SILENT_TIME: Duration = Duration::from_secs(1);

/// Opens a connection. Keeps trying until the deadline while no server answers; if one answers with an error, that is final.
///
/// # Errors
/// As those of [`Connection::open`].
pub(super) fn open_when_up(options: &ConnectOptions<'_>, deadline: Deadline) -> Result<Connection, Failure> {
    options.check()?;
    let (start, mut is_told) = (Instant::now(), false);
    let mut delay = Delay::new(START_DELAYS);
    let stream = loop {
        let failure = match connect(options.endpoint, deadline.sooner(Deadline::after(ANSWER_MAX))) {
            Ok(stream) => break stream,
            Err(failure @ Failure::NoTls(_)) => return Err(failure),
            Err(failure) => failure,
        };
        if let (_, Some(why)) = failure.exit()
            && start.elapsed() >= SILENT_TIME
            && !is_told
        {
            complain(&format!("{why}; trying again"));
            is_told = true;
        }
        if !delay.wait(deadline) {
            return Err(failure);
        }
    };
    Connection::set_up(stream, options, deadline)
}

/// Opens a connection, however often that has to be tried. Only what the server refuses at the start is an end.
///
/// # Errors
/// As those of [`open_when_up`], at the deadline.
pub(super) fn open_persistently(options: &ConnectOptions<'_>, deadline: Deadline) -> Result<Connection, Failure> {
    match open_when_up(options, deadline) {
        Err(Failure::Lost(reason) | Failure::TimedOut(reason)) if !deadline.has_passed() => {
            reopen(options, &reason, deadline)
        }
        outcome => outcome,
    }
}

/// Replaces a connection that was lost for this reason, however many attempts that takes. A refusal is a reason to try again,
/// too: the server may still hold the name for the connection that was lost. Only one who is kicked or banned stays away.
///
/// # Errors
/// [`Failure::TimedOut`] at the deadline.
pub(super) fn reopen(options: &ConnectOptions<'_>, lost: &str, deadline: Deadline) -> Result<Connection, Failure> {
    reopen_with(options, lost, deadline, |_| Ok(()))
}

/// The same, of a connection with which something has to be done before it counts as one.
///
/// # Errors
/// As those of [`reopen`]; of `prepare`, those that are not about the connection.
pub(super) fn reopen_with(
    options: &ConnectOptions<'_>,
    lost: &str,
    deadline: Deadline,
    mut prepare: impl FnMut(&mut Connection) -> Outcome,
) -> Result<Connection, Failure> {
    complain(&format!("{lost}; reconnecting"));
    let mut delay = Delay::new(RECONNECT_DELAYS);
    while delay.wait(deadline) {
        let opened = Connection::open(options, deadline.sooner(Deadline::after(ANSWER_MAX)));
        match opened.and_then(|mut connection| prepare(&mut connection).map(|()| connection)) {
            Ok(connection) => {
                complain("connected again");
                return Ok(connection);
            }
            Err(failure @ (Failure::SentAway(_) | Failure::Usage(_) | Failure::Output(_) | Failure::Unread)) => {
                return Err(failure);
            }
            Err(Failure::Refused(_) | Failure::Lost(_) | Failure::NoTls(_) | Failure::TimedOut(_)) => {}
        }
    }
    Err(Failure::TimedOut("timed out: not connected again".to_owned()))
}

/// The time between two attempts, doubled each time.
struct Delay {
    next: Duration,
    max: Duration,
}

impl Delay {
    fn new((first, max): (Duration, Duration)) -> Self {
        Self { next: first, max }
    }

    /// Waits until the next attempt, or until the deadline: then there is none, and this returns false.
    fn wait(&mut self, deadline: Deadline) -> bool {
        let time = deadline.left().map_or(self.next, |left| left.min(self.next));
        thread::sleep(time);
        self.next = (self.next * 2).min(self.max);
        !deadline.has_passed()
    }
}
