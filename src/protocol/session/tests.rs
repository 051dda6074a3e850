//! Sessions as transcripts in virtual time. Events are separated by `;`; after each, what the session hands to the broker.

mod ends;
mod listens;
mod presence;
mod telnet;

use super::{
    lines::{BATCH_LINES_MAX, BUSY_BATCH_LINES_MAX},
    *,
};
use crate::{
    chat::Command,
    protocol::{Rate, Reply, Setting},
};

/// Events:
///
/// - `+TEXT`: bytes arrive, `~` for a LF, `§` for a negotiation of telnet
/// - `eof`, `reset`, `reset 3` (and at most three lines are parsed)
/// - `credit`, `credit 7` (the next batch not before 7 s)
/// - `congested`, `tight`, `relieved`: nothing is taken of what the client sends, what it has sent by now, all
/// - `busy`, `idle`: others wait while the session parses, or nobody does
/// - `wrote 5`, `blocked 5`: a write took five bytes, and all is written, or more waits
/// - `@7`: it is 7 s, and the timer goes off if it is due; `=7`: it is 7 s, and the timer has not gone off yet
///
/// Batches are shown as `[hi who? eof]`: texts said, `VERB?` for other commands, `!code` for replies, settings, ends.
struct Play {
    session: Session,
    now: Duration,
    seen: Vec<String>,
    /// Lines dropped.
    dropped: usize,
}

fn limits() -> Limits {
    Limits {
        line_max: 10,
        idle_timeout: Duration::from_secs(10),
        write_timeout: Duration::from_secs(4),
        ..Limits::default()
    }
}

/// A client that has just connected.
fn connect(limits: Limits) -> Play {
    let session = Session::new(Arc::new(limits), Dialect::default(), Duration::ZERO);
    Play { session, now: Duration::ZERO, seen: Vec::new(), dropped: 0 }
}

/// What a client that has been announced does.
fn play(limits: Limits, script: &str) -> Play {
    let mut play = connect(limits);
    play.session.announce();
    play.poll();
    assert_eq!(mem::take(&mut play.seen), ["[arrive]"]);
    play.event("credit"); // the broker has announced it
    script.split("; ").filter(|event| !event.is_empty()).for_each(|event| play.event(event));
    play
}

#[track_caller]
fn check_by(limits: Limits, script: &str, seen: &str) {
    assert_eq!(play(limits, script).seen.join(" "), seen, "{script}");
}

#[track_caller]
fn check(script: &str, seen: &str) {
    check_by(limits(), script, seen);
}

impl Play {
    fn event(&mut self, event: &str) {
        let (what, arg) = event.split_once(' ').unwrap_or((event, ""));
        let seconds = |text: &str| Duration::from_secs_f64(text.parse().expect("seconds"));
        let (session, now) = (&mut self.session, self.now);
        match what {
            "eof" => session.eof(now),
            "reset" => {
                self.dropped += session.reset(if arg.is_empty() { usize::MAX } else { arg.parse().unwrap() }, now);
            }
            "credit" if arg.is_empty() => session.credited(now, now),
            "credit" => session.credited(seconds(arg), now),
            "busy" => session.set_busy(true),
            "idle" => session.set_busy(false),
            "congested" => session.set_intake(Intake::Nothing, now),
            "tight" => session.set_intake(Intake::Held, now),
            "relieved" => session.set_intake(Intake::All, now),
            "wrote" => session.written(arg.parse().unwrap(), false, now),
            "blocked" => session.written(arg.parse().unwrap(), true, now),
            _ => match event.split_at(1) {
                ("+", text) => session.received(&mut bytes_of(text), now),
                ("=", at) => self.now = seconds(at),
                ("@", at) => {
                    self.now = seconds(at);
                    if session.deadline().is_some_and(|deadline| deadline <= self.now) {
                        session.timeout(self.now);
                    }
                }
                _ => panic!("{event:?} is no event"),
            },
        }
        self.poll();
    }

    fn poll(&mut self) {
        while let Some(batch) = self.session.poll_batch(self.now) {
            let steps: Vec<_> = batch.steps.iter().map(shown).collect();
            self.seen.push(format!("[{}]", steps.join(" ")));
        }
    }
}

/// The bytes of a `+TEXT`.
fn bytes_of(text: &str) -> Vec<u8> {
    let parts: Vec<_> = text.split('§').map(|part| part.replace('~', "\n").into_bytes()).collect();
    parts.join(&b"\xff\xfb\x18"[..])
}

fn shown(step: &Step) -> String {
    match step {
        Step::Arrive => "arrive".to_owned(),
        Step::Visit => "visit".to_owned(),
        Step::Command(Command::Say(text)) => text.clone(),
        Step::Command(Command::Who) => "who?".to_owned(),
        Step::Command(Command::Wait(..)) => "wait?".to_owned(),
        Step::Command(Command::Rename(_)) => "rename?".to_owned(),
        Step::Command(Command::Private { .. }) => "to?".to_owned(),
        Step::Command(Command::Sync(token)) => format!("sync-{token}"),
        Step::Command(Command::Account(command)) => format!("{command:?}"),
        Step::Command(Command::Order(command)) => format!("{command:?}"),
        Step::Command(Command::Rooms) => "rooms?".to_owned(),
        Step::Command(Command::WhoIn(room)) => format!("who-{room}?"),
        Step::Command(
            command @ (Command::Join { .. }
            | Command::History(_)
            | Command::Follow { .. }
            | Command::In { .. }
            | Command::Leave(_)
            | Command::Topic { .. }),
        ) => format!("{command:?}"),
        Step::Reply(Reply::Refused(error)) => format!("!{}", error.code()),
        Step::Reply(Reply::Set(Setting::Stay)) => "!stay".to_owned(),
        Step::Reply(Reply::Set(Setting::Visit)) => "!visit".to_owned(),
        Step::Reply(Reply::Set(_)) => "!set".to_owned(),
        Step::Reply(Reply::Help(_)) => "!help".to_owned(),
        Step::Reply(Reply::Checked { .. }) => unreachable!("the broker knows the answer"),
        Step::Reply(Reply::Alive) => "!alive".to_owned(),
        Step::Check(token) => format!("check-{token}"),
        Step::Speak(dialect) => format!("speak-{}", dialect.index()),
        Step::Request { .. } => unreachable!("no line begins one"),
        Step::Broken => "broken".to_owned(),
        Step::Eof => "eof".to_owned(),
        Step::Close(departure) => format!("close-{}", departure.code()),
    }
}

#[test]
fn lines_become_commands() {
    check("+hi~", "[hi]");
    check("+one~two~thr", "[one two]");
    check("+on; +e; +~", "[one]");
    check("+~", "[]"); // a sign of life costs a credit
    check("+who~", "[who?]");
    check("+sync|1~hi~", "[sync-1 hi]");
    check("+check|1~hi~", "[check-1 hi]");
}

#[test]
fn a_byte_order_mark_before_the_first_line_is_dropped() {
    check("+\u{feff}who~", "[who?]");
    check("+\u{feff}~\u{feff}hi~", "[\u{feff}hi]");
    check("+\u{feff}hi; eof", "[hi eof]");
    check("+\u{feff}GET /~", "[close-http]");
}

#[test]
fn the_next_batch_needs_a_credit() {
    check("+one~; +two~; +three~", "[one]");
    check("+one~; +two~; +three~; credit", "[one] [two three]");
    check("+one~; +tw; credit; +o~", "[one] [two]");
    check("+one~; credit; credit; +two~; +three~", "[one] [two]");
}

#[test]
fn a_command_that_may_take_long_ends_a_batch() {
    check("+who~hi~", "[who?]");
    check("+who~hi~; credit", "[who?] [hi]");
    check("+hi~wait|1|text|x~; credit", "[hi !line-too-long]");
    check_by(Limits { line_max: 99, ..limits() }, "+hi~wait|1|text|x~ho~; credit", "[hi wait?] [ho]");
    check("+help~hi~; credit", "[!help] [hi]");
}

#[test]
fn a_batch_has_so_many_lines() {
    let played = play(limits(), &format!("+{}; credit", "x~".repeat(BATCH_LINES_MAX + 3)));
    let sizes: Vec<_> = played.seen.iter().map(|batch| batch.split(' ').count()).collect();
    assert_eq!(sizes, [BATCH_LINES_MAX, 3]);
    let played = play(limits(), &format!("busy; +{}; idle; credit", "x~".repeat(BUSY_BATCH_LINES_MAX + 99)));
    let sizes: Vec<_> = played.seen.iter().map(|batch| batch.split(' ').count()).collect();
    assert_eq!(sizes, [BUSY_BATCH_LINES_MAX, 99], "while others wait");
    let slow = Limits { rate: Rate { per_second: 1, burst: 2 }, ..limits() };
    check_by(slow, "+a~b~c~", "[a b]");
    let slowest = Limits { rate: Rate { per_second: 1, burst: 0 }, ..limits() };
    check_by(slowest, "+a~b~c~", "[a]");
}

#[test]
fn a_client_that_sent_too_fast_is_heard_later() {
    check("+one~; credit 5; +two~; @4.9", "[one]");
    check("+one~; credit 5; +two~; @5", "[one] [two]");
    check("+one~; =6; credit 5; +two~", "[one] [two]"); // that time has passed already
    let played = play(limits(), "+one~; credit 5; +two~");
    assert_eq!(played.session.deadline(), Some(Duration::from_secs(5)));
}

#[test]
fn errors_of_form_keep_their_place() {
    check("+one~to|~two~", "[one !malformed two]");
    check("+one~12345678901~two~", "[one !line-too-long two]");
    check("+a\0b~hi~", "[!nul hi]");
    check("+format|xml~quit|~", "[!malformed !malformed]");
    let mut played = play(limits(), "");
    played.session.received(&mut b"\xe9\nhi\n".to_owned(), Duration::ZERO);
    played.poll();
    assert_eq!(played.seen, ["[!not-utf8 hi]"]);
}

#[test]
fn settings_hold_from_their_line_on() {
    check("+hi~lang|en~ho~", "[hi speak-1 !set ho]");
    check_by(Limits { line_max: 99, ..limits() }, "+format|json~lang|en~", "[speak-2 !set speak-3 !set]");
    check("+stay~", "[!stay]");
    check_by(Limits { strict_idle: true, ..limits() }, "+stay~", "[!stay-forbidden]");
}

#[test]
fn another_protocol_is_told_by_its_first_words_and_nothing_of_it_is_said() {
    let long = || Limits { line_max: 99, ..limits() };
    for (first, departure) in [
        ("GET / HTTP/1.1~Host: x~~", "http"),
        ("GET / HTTP/1.1~Host: x~Cookie: y~~who~", "http"),
        ("patch / HTTP/1.1~", "http"),
        ("GET /~", "http"),
        ("~GET / HTTP/1.1~Cookie: secret~", "http"),
        ("M-SEARCH * HTTP/1.1~", "http"),
        ("Host: x~", "http"),
        ("GET http://x/~", "http"),
        ("DESCRIBE rtsp://x/y RTSP/1.0~", "other-protocol"),
        ("OPTIONS sip:x SIP/2.0~", "other-protocol"),
        ("SSH-2.0-OpenSSH_9.2~", "other-protocol"),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 1 2~", "other-protocol"),
    ] {
        check_by(long(), &format!("+{first}"), &format!("[close-{departure}]"));
        let cut = first.split_inclusive(' ').map(|part| format!("+{part}")).collect::<Vec<_>>().join("; ");
        let played = play(long(), &cut.replace("; ", "; credit; "));
        assert_eq!(played.seen.concat().replace("[]", ""), format!("[close-{departure}]"), "{first}");
    }
    check_by(long(), "+GET / HTTP/1.1; eof", "[close-http]");
    // Commands are no chat.
    check_by(long(), "+who~; credit; +GET / HTTP/1.1~", "[who?] [close-http]");
    check_by(long(), "+rename|ann~sync|1~GET / HTTP/1.1~Cookie: x~", "[rename? sync-1 close-http]");
    for bytes in [&b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03 hi\nho\n"[..], b"\r\n\r\n\0\r\nQUIT\n\x21\x11\nhi\n"] {
        for cut in 1..bytes.len() {
            let mut played = play(long(), "");
            for packet in bytes.chunks(cut) {
                played.session.received(&mut packet.to_vec(), Duration::ZERO);
                played.poll();
                played.event("credit");
            }
            let seen = played.seen.concat().replace("[]", "").replace("[!nul]", "");
            assert_eq!(seen, "[close-other-protocol]", "{bytes:?} in packets of {cut}");
        }
    }
}

#[test]
fn what_only_looks_like_another_protocol_is_chat() {
    let long = || Limits { line_max: 99, ..limits() };
    check_by(long(), "+GET me a drink~", "[GET me a drink]");
    check_by(long(), "+hi~GET / HTTP/1.1~", "[hi GET / HTTP/1.1]");
    check_by(long(), "+say|GET / HTTP/1.1~", "[GET / HTTP/1.1]");
    check_by(long(), "+hi~ho~Host: x~", "[hi ho Host: x]");
    check_by(long(), "+what is this~Host: x~", "[what is this close-http]");
}

#[test]
fn nothing_is_said_after_quit() {
    check("+hi~quit~ho~", "[hi close-quit]");
    check("+quit~; credit; +hi~; eof", "[close-quit]");
    check("+quit; eof", "[close-quit]");
}

#[test]
fn bytes_may_be_cut_anywhere() {
    let text = "+one~who~two~to|~\r\n~three~quit~";
    let whole = play(limits(), &format!("{text}; credit; credit; credit; credit; credit"));
    let whole = whole.seen.concat();
    let bytes = &text.as_bytes()[1..];
    for cut in 1..bytes.len() {
        let parts: Vec<_> = bytes.chunks(cut).map(|part| format!("+{}", str::from_utf8(part).unwrap())).collect();
        let cut_up = play(limits(), &format!("{}; credit; credit; credit", parts.join("; credit; ")));
        let steps = |seen: &str| seen.replace("[]", "").replace("][", " ");
        assert_eq!(steps(&cut_up.seen.concat()), steps(&whole), "in pieces of {cut}");
    }
}
