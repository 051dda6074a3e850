//! Connections that are refused: each is told why, and closed soon, whatever its peer does. They never become clients, and
//! cost neither a task nor a place in the epoll. Which ones to refuse is for `admission` to say.

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;
use rustix::{
    fd::OwnedFd,
    net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown},
};

use crate::{
    chat::{Departure, Event},
    listen::Door,
    origin::Addr,
    protocol::{
        Dialect, Stamp,
        http::{Problem, refusal},
        render,
    },
};

/// How long a refused connection stays open. A close with unread input would reset it, and the peer could lose the line that
/// says why; this is enough time to read the line, and most peers then close.
const REFUSAL_LINGER: Duration = Duration::from_millis(100);
/// Refused connections that are open at a time. They hold descriptors that are no client's (`FILES_RESERVED`); the oldest
/// is closed when there are more.
const REFUSED_MAX: usize = 32;
/// Bytes of a refused connection's input that are discarded before its close: at least what the kernel takes for it
/// while nobody reads, by default (`tcp_rmem`).
const DISCARD_BYTES: usize = 128 << 10;
/// How often refusals are logged.
const TALLY_INTERVAL: Duration = Duration::from_secs(1);

/// Refuses connections, and closes and logs them in time.
#[derive(Debug)]
pub(super) struct Refusals {
    dialect: Dialect,
    /// Connections that were told, each with the time of its close, earliest first.
    lingering: VecDeque<(Duration, OwnedFd)>,
    tally: Tally,
    /// The buffer that discarding takes. The kernel never writes to it.
    nowhere: Box<[u8]>,
}

/// What is to be logged: the first refusal at once, those that follow as a sum per interval.
#[derive(Debug, Default)]
struct Tally {
    /// When the next sum is due; none while nothing was refused.
    due_at: Option<Duration>,
    /// Of each kind: how many, and one of the addresses.
    counts: Vec<(Departure, u64, Addr)>,
}

impl Refusals {
    /// No connection is refused yet. Those that are will be told why in this dialect.
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, lingering: VecDeque::new(), tally: Tally::default(), nowhere: vec![0; DISCARD_BYTES].into() }
    }

    /// A connection was refused, and is closed without a word, or was told.
    pub(super) fn count(&mut self, addr: Addr, reason: Departure, now: Duration) {
        self.tally.add(reason, addr, now);
    }

    /// What tells a connection that comes to this door why it is refused.
    pub(super) fn line(&self, reason: Departure, door: Door) -> Vec<u8> {
        let mut line = Vec::new();
        match door {
            Door::Line => {}
            Door::Web => return refusal(Problem::Unavailable(reason), Timestamp::now(), self.dialect.lang),
        }
        render(&mut line, &Event::Farewell(reason), Stamp::private(Timestamp::now()), self.dialect);
        line
    }

    /// Tells a connection why it is refused, and keeps it for [`REFUSAL_LINGER`].
    pub(super) fn refuse(&mut self, stream: OwnedFd, addr: Addr, reason: Departure, door: Door, now: Duration) {
        self.tally.add(reason, addr, now);
        let line = self.line(reason, door);
        // Both fail only when the peer is gone already.
        send(&stream, &line, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).ok();
        shutdown(&stream, Shutdown::Write).ok();
        if self.lingering.len() == REFUSED_MAX {
            self.close_first();
        }
        self.lingering.push_back((now + REFUSAL_LINGER, stream));
    }

    /// When [`Self::timeout`] has something to do next.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let close_at = self.lingering.front().map(|&(close_at, _)| close_at);
        [close_at, self.tally.due_at].into_iter().flatten().min()
    }

    /// Closes the connections whose time is over, and logs what is due.
    pub(super) fn timeout(&mut self, now: Duration) {
        while self.lingering.front().is_some_and(|&(close_at, _)| close_at <= now) {
            self.close_first();
        }
        self.tally.timeout(now);
    }

    /// Closes all: their descriptors are needed.
    pub(super) fn close_all(&mut self) {
        while !self.lingering.is_empty() {
            self.close_first();
        }
    }

    fn close_first(&mut self) {
        if let Some((_, stream)) = self.lingering.pop_front() {
            // For a TCP socket, TRUNC means that nothing is copied, tcp(7): one system call throws away all there is.
            recv(&stream, &mut self.nowhere[..], RecvFlags::DONTWAIT | RecvFlags::TRUNC).ok();
        }
    }
}

impl Tally {
    fn add(&mut self, reason: Departure, addr: Addr, now: Duration) {
        self.timeout(now);
        if self.due_at.is_none() {
            self.due_at = Some(now + TALLY_INTERVAL);
            log::info!(target: LOG_TARGET, "{addr} refused: {}", reason.code());
            return;
        }
        match self.counts.iter_mut().find(|(other, _, _)| *other == reason) {
            Some((_, count, last)) => {
                *count += 1;
                *last = addr;
            }
            None => self.counts.push((reason, 1, addr)),
        }
    }

    fn timeout(&mut self, now: Duration) {
        if self.due_at.is_some_and(|due_at| due_at <= now) {
            self.due_at = (!self.counts.is_empty()).then(|| now + TALLY_INTERVAL);
            self.log();
        }
    }

    fn log(&mut self) {
        for (reason, count, last) in self.counts.drain(..) {
            match count {
                1 => log::info!(target: LOG_TARGET, "{last} refused: {}", reason.code()),
                _ => log::info!(target: LOG_TARGET, "{count} more refused: {}, the last {last}", reason.code()),
            }
        }
    }
}

/// What refusals are logged as: a kind of its own, so that a flood of them silences no others.
const LOG_TARGET: &str = "pipechat::refused";

impl Drop for Tally {
    fn drop(&mut self) {
        self.log();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{ErrorKind, Read, Write},
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::protocol::Lang;

    const MS: Duration = Duration::from_millis(1);

    fn refusals(lang: Lang) -> Refusals {
        Refusals::new(Dialect { lang, ..Dialect::default() })
    }

    /// Refuses a connection, and answers its peer.
    fn refuse(refusals: &mut Refusals, said_before: &[u8], now: Duration) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        peer.write_all(said_before).unwrap();
        let (stream, addr) = listener.accept().unwrap();
        refusals.refuse(stream.into(), Addr::Ip(addr), Departure::Full, Door::Line, now);
        peer
    }

    fn read(mut peer: &TcpStream) -> String {
        let mut text = String::new();
        peer.read_to_string(&mut text).unwrap();
        text
    }

    /// The server's end is closed: what the peer sends now is answered with a reset.
    fn is_closed(mut peer: &TcpStream) -> bool {
        let failure = (0..2).find_map(|_| peer.write_all(b"x").err().map(|error| error.kind()));
        failure.is_some_and(|kind| matches!(kind, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset))
    }

    #[test]
    fn each_is_told_why_and_closed_in_time_though_the_peer_stays() {
        let mut refusals = refusals(Lang::En);
        assert_eq!(refusals.deadline(), None);
        let peer = refuse(&mut refusals, b"", 5 * MS);
        assert_eq!(read(&peer), "the server is full, please try again later\n");
        assert_eq!(refusals.deadline(), Some(105 * MS));
        refusals.timeout(104 * MS);
        assert!(!is_closed(&peer));
        refusals.timeout(105 * MS);
        assert!(is_closed(&peer));
        assert_eq!(refusals.deadline(), Some(1005 * MS), "the sum of what was refused is due");
        refusals.timeout(1005 * MS);
        assert_eq!(refusals.deadline(), None);
    }

    #[test]
    fn one_that_has_sent_much_is_not_reset() {
        let mut refusals = refusals(Lang::Zh);
        let peer = refuse(&mut refusals, &[b'x'; 64 << 10], MS);
        refusals.close_all();
        assert_eq!(read(&peer), "服务器已满,请稍后再试\n");
        assert!(peer.take_error().unwrap().is_none());
    }

    #[test]
    fn the_oldest_is_closed_when_there_are_too_many() {
        let mut refusals = refusals(Lang::En);
        let peers: Vec<_> = (0..=REFUSED_MAX).map(|_| refuse(&mut refusals, b"", MS)).collect();
        assert_eq!(refusals.lingering.len(), REFUSED_MAX);
        assert!(is_closed(&peers[0]) && !is_closed(&peers[1]));
    }

    #[test]
    fn all_are_closed_when_their_descriptors_are_needed() {
        let mut refusals = refusals(Lang::En);
        let peers = [(); 3].map(|()| refuse(&mut refusals, b"", MS));
        refusals.close_all();
        assert!(peers.iter().all(is_closed));
    }

    #[test]
    fn refusals_are_summed_up_once_a_second() {
        let mut tally = Tally::default();
        let addr = Addr::Ip(([10, 0, 0, 1], 9).into());
        for reason in [Departure::Full, Departure::Full, Departure::FullForAddress, Departure::Full] {
            tally.add(reason, addr, MS);
        }
        assert_eq!(tally.counts, [(Departure::Full, 2, addr), (Departure::FullForAddress, 1, addr)]);
        tally.timeout(1000 * MS);
        assert_eq!((tally.counts.len(), tally.due_at), (2, Some(1001 * MS)));
        tally.timeout(1001 * MS);
        assert_eq!((tally.counts.len(), tally.due_at), (0, Some(2001 * MS)));
        tally.timeout(2001 * MS);
        assert_eq!(tally.due_at, None, "the next one is logged at once");
    }
}
