//! What holds of sessions, rules and rendering together, whatever bytes a peer sends and however they are cut.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use jiff::Timestamp;
use pipechat::{
    chat::{Chat, ClientId, Command, Departure, Entry, Epoch, Input, Load, Output, PublicEvent, Rules},
    protocol::{
        Dialect, FormError, Interest, Limits, Reply, Session, Stamp, Step,
        foreign::{self, Foreign, Verdict},
        parse, render_reply,
    },
};

use crate::{
    any_event::AnyEvent,
    book::{self, Piece},
    meaning::Understanding,
    reader::{Heard, dialects, ending_of, is_obeyed, plain, read},
};

/// Short, so that lines that are too long are found soon.
const LINE_MAX: usize = 64;
/// A read's worth: a session that has more unparsed wants no more.
const UNPARSED_MAX: usize = 16 << 10;

/// Lets a client send `bytes`, in packets of `packet` bytes, and panics where something does not hold.
pub(crate) fn check(bytes: &[u8], packet: usize) {
    let limits = Arc::new(Limits { line_max: LINE_MAX, ..Limits::default() });
    let steps = steps_of(bytes, packet.max(1), &limits);
    assert_eq!(steps, steps_by_the_book(bytes, &limits), "in packets of {packet}");
    check_held(bytes, packet.max(1), &limits);
    let mut commands = Vec::new();
    for step in steps {
        match step {
            Step::Command(command) => commands.push(command),
            Step::Reply(reply) => look_at_reply(&reply),
            Step::Arrive
            | Step::Visit
            | Step::Check(_)
            | Step::Speak(_)
            | Step::Request { .. }
            | Step::Broken
            | Step::Eof
            | Step::Close(_) => {}
        }
    }
    events_of(commands).iter().for_each(|(room, event)| look_at(room.as_deref(), event));
}

/// What a session makes of the bytes, for a broker that is always ready.
fn steps_of(bytes: &[u8], packet: usize, limits: &Arc<Limits>) -> Vec<Step> {
    let now = Duration::from_secs(1);
    let mut session = Session::new(Arc::clone(limits), Dialect::default(), Duration::ZERO);
    session.timeout(now); // it is announced
    let mut steps = Vec::new();
    let mut poll = |session: &mut Session| {
        while let Some(batch) = session.poll_batch(now) {
            steps.extend(batch.steps);
            if batch.lines > 0 {
                session.credited(now, now);
            }
        }
    };
    for packet in bytes.chunks(packet) {
        session.received(&mut packet.to_vec(), now);
        poll(&mut session);
    }
    session.eof(now);
    poll(&mut session);
    assert!(!session.is_over() && session.interest() == Interest::Broken, "it is still told answers");
    steps
}

/// The same by the book: each line is a command, a setting, a reply, or nothing if it is blank.
fn steps_by_the_book(bytes: &[u8], limits: &Arc<Limits>) -> Vec<Step> {
    let mut understanding = Understanding::new(Arc::clone(limits), Dialect::default());
    let mut steps = vec![Step::Arrive];
    if foreign::of_bytes(bytes) == Verdict::Foreign(Foreign::Other) {
        return vec![Step::Arrive, Step::Close(Departure::OtherProtocol)];
    }
    let mut lines = 0;
    for piece in book::pieces(bytes, LINE_MAX) {
        let line = match piece {
            Piece::Negotiation => {
                steps.extend(understanding.negotiated());
                continue;
            }
            Piece::Line(line) => line,
        };
        let is_too_long = line.is_none();
        let (line, mark) = (line.unwrap_or_default(), "\u{feff}".as_bytes());
        let line = if lines == 0 { line.strip_prefix(mark).unwrap_or(&line) } else { &line };
        lines += 1;
        let meaning = if is_too_long { Err(FormError::TooLong(LINE_MAX)) } else { parse(line) };
        let written = str::from_utf8(line).ok().filter(|line| !line.is_empty() && !line.contains('\0'));
        steps.extend(understanding.steps_of(written, &meaning));
    }
    if !matches!(steps.last(), Some(Step::Close(_))) {
        steps.push(Step::Eof);
    }
    steps
}

/// A session that gets no credit turns away from its socket, though the peer sends the bytes again and again: with the
/// first line, and, if it reads on since the peer has ended, with so many bytes.
fn check_held(bytes: &[u8], packet: usize, limits: &Arc<Limits>) {
    let now = Duration::from_secs(1);
    // Telnet's commands are not held, however many they are.
    let bytes: Vec<u8> = bytes.iter().map(|&byte| if byte == 255 { b'x' } else { byte }).collect();
    let mut session = Session::new(Arc::clone(limits), Dialect::default(), Duration::ZERO);
    session.timeout(now); // it is announced
    let (mut lines, mut held) = (0, 0);
    for packet in bytes.chunks(packet).cycle().take(2 * UNPARSED_MAX) {
        match session.interest() {
            Interest::Read => assert_eq!(lines, 0, "it reads on without a credit"),
            Interest::HangUp => held += packet.len(),
            Interest::Broken | Interest::Nothing => break,
        }
        session.received(&mut packet.to_vec(), now);
        while let Some(batch) = session.poll_batch(now) {
            assert!(lines == 0 || batch.lines == 0, "lines without a credit");
            lines += batch.lines;
        }
        assert!(held < UNPARSED_MAX + 2 * packet.len(), "{held} bytes are held");
    }
}

/// What all are told if one client asks for these things, one after the other, and in which room.
fn events_of(commands: Vec<Command>) -> Vec<(Option<Arc<str>>, AnyEvent)> {
    let mut chat = Chat::new(Rules { wait_max: Duration::from_secs(60), ..Rules::default() }, Epoch::from_random(0));
    let (mut out, mut now) = (Vec::new(), Duration::ZERO);
    let arrive = |chat: &mut Chat, client: u16, out: &mut Vec<Output>, now| {
        let input = Input::Arrive(ClientId(client.into()), SocketAddr::from(([127, 0, 0, 1], 1000 + client)).into());
        chat.handle(Entry { now, at: Timestamp::UNIX_EPOCH, input }, out);
    };
    arrive(&mut chat, 1, &mut out, now);
    arrive(&mut chat, 2, &mut out, now);
    let mut client = ClientId(1);
    let loads = [Load::Light, Load::Heavy].into_iter().cycle();
    for ((command, load), n) in commands.into_iter().zip(loads).zip(3_u16..) {
        chat.handle(Entry { now, at: Timestamp::UNIX_EPOCH, input: Input::Command(client, load, command) }, &mut out);
        // A wait that lasts is ended by the clock, and with it the client; another one says the rest.
        now += Duration::from_secs(120);
        while chat.deadline().is_some_and(|deadline| deadline <= now) {
            chat.handle(Entry { now, at: Timestamp::UNIX_EPOCH, input: Input::Continue }, &mut out);
        }
        if chat.members().all(|(member, _)| member != client) {
            client = ClientId(n.into());
            arrive(&mut chat, n, &mut out, now);
        }
    }
    chat.handle(Entry { now, at: Timestamp::UNIX_EPOCH, input: Input::Eof(client) }, &mut out);
    let event = |output| match output {
        Output::Tell(_, event) => Some((None, event.into())),
        Output::Publish(public) => Some((Some(public.name), (*public.event).clone().into())),
        Output::Join(..) | Output::Part(..) | Output::Ready(_) | Output::HangUp(..) => None,
        Output::Ask(..) | Output::Keep(_) | Output::Remember { .. } | Output::Forget(_) => None,
        Output::Account(_) | Output::Order(_) | Output::ShutDown | Output::Verify(..) => None,
    };
    out.into_iter().filter_map(event).collect()
}

/// It is whole lines in every dialect, no terminal obeys them, and who said what can be read from them.
fn look_at(room: Option<&str>, event: &AnyEvent) {
    for dialect in dialects() {
        let mut line = Vec::new();
        event.render(&mut line, Stamp { seq: Some(1), room, ..Stamp::private(Timestamp::UNIX_EPOCH) }, dialect);
        let line = whole_lines(line, dialect);
        // What is said in text in the very words of a notice is taken for one, of oneself; JSON tells them apart.
        let is_notice = |text: &str| ["已上线", "下线", "is online", "is offline"].contains(&text);
        let is_ambiguous = room.is_none_or(|room| room == "lobby")
            && matches!(event, AnyEvent::Public(PublicEvent::Message { text, .. }) if is_notice(text));
        let heard = Heard::in_room(room, event);
        if heard != Heard::Other && !is_ambiguous {
            assert_eq!(line.matches('\n').count(), 1, "{line:?}");
            assert_eq!(read(line.trim_end_matches(['\r', '\n']), dialect), heard, "{line:?}");
        }
    }
}

fn look_at_reply(reply: &Reply) {
    for dialect in dialects() {
        let mut line = Vec::new();
        render_reply(&mut line, reply, Timestamp::UNIX_EPOCH, dialect);
        assert!(!whole_lines(line, dialect).is_empty());
    }
}

fn whole_lines(bytes: Vec<u8>, dialect: Dialect) -> String {
    let text = String::from_utf8(bytes).expect("UTF-8");
    let ending = ending_of(dialect);
    assert!(text.is_empty() || text.ends_with(ending), "{text:?}");
    assert!(!text.split(ending).any(|line| plain(line).contains(is_obeyed)), "{text:?}");
    text
}
