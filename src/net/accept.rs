//! The accept loops, one for each listener: they let connections in or refuse them. What they share is in `arrivals`.

use std::{convert::Infallible, io, pin::pin, rc::Rc, time::Duration};

use async_std::task;
use futures::future::{Either, select};

use super::{arrivals::Arrivals, listener::Listener};
use crate::reactor::Timer;

/// How long to wait after a failed `accept`, doubled each time. Errors pass: what is missing (descriptors, memory)
/// comes back when connections end.
const BACKOFF: Duration = Duration::from_millis(10);
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// Connections accepted before other tasks run, however many are waiting: some milliseconds of work.
const ACCEPTS_MAX: usize = 128;
/// The same for those that are refused: about a millisecond of work that is of use to no client.
const REFUSALS_MAX: usize = 64;

/// Accepts connections for ever, and has a connection future spawned for each that may come in.
pub(super) async fn run(listener: Listener, arrivals: Rc<Arrivals>) -> Infallible {
    let clock = arrivals.clock();
    let mut timer = Timer::new();
    let mut backoff = BACKOFF;
    loop {
        if let Some(deadline) = arrivals.close_refused(clock.now()) {
            timer.set(deadline, clock);
        }
        // The connections waiting behind the first are accepted directly, at one system call each.
        let accepted = match select(pin!(listener.accept()), &mut timer).await {
            Either::Left((accepted, _)) => accepted,
            Either::Right(((), _)) => continue,
        };
        let accepted = accepted.and_then(|(stream, peer)| {
            arrivals.admit(stream, peer, listener.listen())?;
            backoff = BACKOFF;
            accept_waiting(&listener, &arrivals)
        });
        let Err(error) = accepted else {
            task::yield_now().await;
            continue;
        };
        if is_about_one_connection(&error) {
            log::debug!("accept: {error}");
            continue;
        }
        if backoff == BACKOFF {
            log::warn!("accept: {error}; trying again until it works");
        }
        arrivals.close_all_refused();
        task::sleep(backoff).await;
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

/// Accepts the connections that are waiting, up to [`ACCEPTS_MAX`] with the first.
fn accept_waiting(listener: &Listener, arrivals: &Arrivals) -> io::Result<()> {
    let mut refused = 0;
    for _ in 1..ACCEPTS_MAX {
        match listener.accept_now() {
            Ok((stream, peer)) => refused += usize::from(!arrivals.admit(stream, peer, listener.listen())?),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
        if refused == REFUSALS_MAX {
            break;
        }
    }
    Ok(())
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
