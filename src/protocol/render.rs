//! Text out of events and replies, in a dialect.

use jiff::Timestamp;

use super::{
    Verb,
    dialect::{Dialect, Envelope, Format, Lang, Stamp},
    http::{Problem, events},
    line::{json, text},
    reply::Reply,
};
use crate::chat::{Event, KeptEvent, Position, PublicEvent};

/// Appends `event` to `out`, as a whole line in its envelope; in text, nothing for the end of `who`.
pub fn render(out: &mut Vec<u8>, event: &Event, stamp: Stamp<'_>, dialect: Dialect) {
    if let Event::Past(record, _) = event
        && let KeptEvent::Public(event) = &record.event
        && !dialect.envelope.kinds().include(event)
    {
        return;
    }
    enclose(out, event.position(), dialect.envelope, |out| match dialect.format {
        Format::Text => text::event(out, event, dialect.lang),
        Format::Json => json::event(out, event, stamp, dialect.lang),
    });
}

/// The same for what all who are in a room are told; nothing for what is not of the dialect's kinds.
pub fn render_public(out: &mut Vec<u8>, event: &PublicEvent, stamp: Stamp<'_>, dialect: Dialect) {
    if !dialect.envelope.kinds().include(event) {
        return;
    }
    enclose(out, stamp.position, dialect.envelope, |out| match (dialect.format, dialect.envelope) {
        (Format::Text, Envelope::Lf | Envelope::CrLf) => text::public_event(out, event, stamp.room, dialect.lang),
        (Format::Text, Envelope::Stream(_) | Envelope::ServerSent(_)) => {
            text::dated_event(out, event, stamp, dialect.lang);
        }
        (Format::Json, _) => json::public_event(out, event, stamp),
    });
}

/// Appends `reply` to `out`, as whole lines in their envelopes: one, but for `help` in text, and for a sign of life, which is a
/// comment between server-sent events and nothing elsewhere.
pub fn render_reply(out: &mut Vec<u8>, reply: &Reply, at: Timestamp, dialect: Dialect) {
    if let (Reply::Alive, Envelope::ServerSent(_)) = (reply, dialect.envelope) {
        return out.extend_from_slice(events::COMMENT);
    }
    enclose(out, None, dialect.envelope, |out| match dialect.format {
        Format::Text => text::reply(out, reply, dialect.lang),
        Format::Json => json::reply(out, reply, Stamp::private(at), dialect.lang),
    });
}

/// Appends why a request over HTTP is not served, as an object and LF.
pub fn render_unserved(out: &mut Vec<u8>, problem: Problem, at: Timestamp, lang: Lang) {
    json::unserved(out, problem, Stamp::private(at), lang);
}

/// Appends that a line was done for which nobody has another answer, as an object and LF.
pub fn render_taken(out: &mut Vec<u8>, verb: Verb, at: Timestamp) {
    json::taken(out, verb, Stamp::private(at));
}

/// Puts the lines that `render` appends into their envelope. They end with LF, which stands nowhere else in them.
fn enclose(out: &mut Vec<u8>, position: Option<Position>, envelope: Envelope, render: impl FnOnce(&mut Vec<u8>)) {
    let from = out.len();
    match envelope {
        Envelope::Lf | Envelope::Stream(_) => render(out),
        Envelope::CrLf => {
            render(out);
            let mut at = from;
            while let Some(length) = memchr::memchr(b'\n', &out[at..]) {
                out.insert(at + length, b'\r');
                at += length + b"\r\n".len();
            }
        }
        Envelope::ServerSent(_) => events::event(out, position, render),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        chat::{Epoch, Identity, Kinds, Record, Refusal},
        protocol::Limits,
    };

    const ID: &str = "id: 7.abcde\n";

    #[test]
    fn each_line_stands_in_its_envelope() {
        let (event, help) = (Event::Refused(Refusal::NoSuchUser), Reply::Help(Arc::new(Limits::default())));
        let stamp = Stamp::private(Timestamp::UNIX_EPOCH);
        for dialect in Dialect::ALL {
            let rendered = |dialect: Dialect| {
                let mut out = b"before\n".to_vec();
                render(&mut out, &event, stamp, dialect);
                render_reply(&mut out, &help, stamp.at, dialect);
                let lines = out.strip_prefix(b"before\n").expect("what was there stays");
                String::from_utf8(lines.to_vec()).expect("UTF-8")
            };
            let (plain, own) = (rendered(Dialect { envelope: Envelope::Lf, ..dialect }), rendered(dialect));
            assert!(plain.ends_with('\n') && !plain.contains('\r'), "{plain:?}");
            match dialect.envelope {
                Envelope::Lf | Envelope::Stream(_) => assert_eq!(own, plain),
                Envelope::CrLf => assert_eq!(own, plain.replace('\n', "\r\n")),
                Envelope::ServerSent(_) => {
                    let events: Vec<_> = own.split_terminator("\n\n").collect();
                    assert_eq!(events.len(), 2, "{own:?}");
                    let lines = events.iter().flat_map(|event| event.lines());
                    let data: Vec<_> = lines.map(|line| line.strip_prefix("data: ").expect("a line of data")).collect();
                    assert_eq!(data.join("\n") + "\n", plain);
                }
            }
        }
    }

    #[test]
    fn a_sign_of_life_is_a_comment_between_server_sent_events_and_nothing_elsewhere() {
        for dialect in Dialect::ALL {
            let mut out = Vec::new();
            render_reply(&mut out, &Reply::Alive, Timestamp::UNIX_EPOCH, dialect);
            let expected = if matches!(dialect.envelope, Envelope::ServerSent(_)) { ":\n\n" } else { "" };
            assert_eq!(String::from_utf8_lossy(&out), expected, "{dialect:?}");
        }
    }

    /// What is told of an event of a room, live and from its history.
    fn told(event: PublicEvent, dialect: Dialect) -> [String; 2] {
        let epoch = Epoch::from_random(0);
        let position = Position { n: 7, epoch };
        let at = Timestamp::UNIX_EPOCH;
        let stamp = Stamp { seq: Some(3), room: Some("zoo"), position: Some(position), ..Stamp::private(at) };
        let (mut live, mut past) = (Vec::new(), Vec::new());
        render_public(&mut live, &event, stamp, dialect);
        let record = Record { n: 7, at, room: "zoo".into(), event: Arc::new(event).into() };
        render(&mut past, &Event::Past(record, epoch), Stamp::private(at), dialect);
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8").replace(&position.to_string(), "7.abcde");
        [text(live), text(past)]
    }

    #[test]
    fn over_http_what_happens_is_told_as_in_a_history_and_has_its_position() {
        let ann = Arc::new(Identity { name: "ann".into(), addr: "1.2.3.4:5".into(), is_account: false });
        let said = || PublicEvent::Message { from: Arc::clone(&ann), text: "hi".to_owned() };
        for kinds in [Kinds::All, Kinds::Messages] {
            let dialect = |format, envelope| Dialect { format, lang: Lang::En, envelope };
            let dated = "history|7.abcde|1970-01-01T00:00:00.000Z|#zoo [1.2.3.4:5]ann:hi\n".to_owned();
            let text = told(said(), dialect(Format::Text, Envelope::Stream(kinds)));
            assert_eq!(text, [dated.clone(), dated]);
            for told in told(said(), dialect(Format::Json, Envelope::ServerSent(kinds))) {
                let data =
                    told.strip_prefix(ID).and_then(|told| told.strip_prefix("data: {")).expect("an id, and data");
                assert!(data.ends_with("}\n\n"), "{data:?}");
            }
            let left = told(PublicEvent::Left(Arc::clone(&ann)), dialect(Format::Json, Envelope::ServerSent(kinds)));
            assert_eq!(left.map(|told| told.is_empty()), [kinds == Kinds::Messages; 2]);
        }
    }
}
