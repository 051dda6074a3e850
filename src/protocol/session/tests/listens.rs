//! Sessions of those who only listen.

use super::*;
use crate::{
    chat::Kinds,
    protocol::dialect::{Envelope, Format},
};

/// What one who listens does, in this envelope; what the session hands to the broker, and when it is to be called next.
fn listens(envelope: Envelope, script: &str) -> (String, Option<Duration>) {
    let dialect = Dialect { format: Format::Json, envelope, ..Dialect::default() };
    let session = Session::listening(Arc::new(limits()), dialect, Duration::ZERO);
    let mut play = Play { session, now: Duration::ZERO, seen: Vec::new(), dropped: 0 };
    script.split("; ").for_each(|event| play.event(event));
    (play.seen.join(" "), play.session.deadline())
}

const EVENTS: Envelope = Envelope::ServerSent(Kinds::All);
const LINES: Envelope = Envelope::Stream(Kinds::All);

#[test]
fn what_it_sends_means_nothing_and_is_not_held() {
    for envelope in [EVENTS, LINES] {
        assert_eq!(listens(envelope, "+hi~; +quit~; +GET / HTTP/1.1~§~; +1234567890123~; credit; +hi~").0, "");
        let dialect = Dialect { envelope, ..Dialect::default() };
        let mut session = Session::listening(Arc::new(limits()), dialect, Duration::ZERO);
        for _ in 0..100 {
            session.received(&mut [b'x'; 1000], Duration::ZERO);
        }
        assert_eq!((session.held_bytes(), session.interest()), (0, Interest::HangUp), "nor is it read");
    }
}

#[test]
fn its_end_of_input_is_its_end() {
    for envelope in [EVENTS, LINES] {
        assert_eq!(listens(envelope, "eof; eof; +hi~").0, "[close-left]");
        assert_eq!(listens(envelope, "reset").0, "[broken close-lost]");
        assert_eq!(listens(envelope, "blocked 0; @4").0, "[close-write-timeout]");
    }
}

#[test]
fn one_who_reads_server_sent_events_is_told_every_fifteen_seconds_that_the_server_is_there() {
    assert_eq!(listens(EVENTS, "@14.9").0, "");
    assert_eq!(listens(EVENTS, "@15; @29; @30").0, "[!alive] [!alive]");
    assert_eq!(listens(EVENTS, "@100; @114; @115").0, "[!alive] [!alive]", "and is not told what was missed");
    assert_eq!(listens(EVENTS, "@15").1, Some(Duration::from_secs(30)));
    assert_eq!(listens(EVENTS, "eof; @15; @30").0, "[close-left]");
    for kinds in [Kinds::All, Kinds::Messages] {
        assert_eq!(listens(Envelope::Stream(kinds), "@15; @1000"), (String::new(), None));
    }
}

#[test]
fn it_has_no_idle_timeout() {
    assert_eq!(listens(LINES, "@10; @100000"), (String::new(), None));
    assert!(!listens(EVENTS, "@10; @100000").0.contains("close"));
}
