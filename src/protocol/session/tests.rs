//! Sessions as transcripts in virtual time. Events are apart by `;`; after each, what the session has for the broker.

use super::{lines::BATCH_LINES_MAX, *};
use crate::{
    chat::Command,
    protocol::{Reply, Setting},
};

/// Events:
///
/// - `+TEXT`: bytes arrive, `~` for a LF
/// - `eof`, `reset`
/// - `credit`, `credit 7` (the next batch not before 7 s)
/// - `congested`, `relieved`
/// - `wrote 5`, `blocked 5`: a write took five bytes, and all is written, or more waits
/// - `@7`: it is 7 s, and the timer goes off if it is due; `=7`: it is 7 s, and the timer has not gone off yet
///
/// Batches are shown as `[hi who? eof]`: texts said, `VERB?` for other commands, `!code` for replies, settings, ends.
struct Play {
    session: Session,
    now: Duration,
    seen: Vec<String>,
}

fn limits() -> Limits {
    Limits {
        line_max: 10,
        idle_timeout: Duration::from_secs(10),
        write_timeout: Duration::from_secs(4),
        ..Limits::default()
    }
}

fn play(limits: Limits, script: &str) -> Play {
    let session = Session::new(Arc::new(limits), Dialect::default(), Duration::ZERO);
    let mut play = Play { session, now: Duration::ZERO, seen: Vec::new() };
    play.poll();
    assert_eq!(mem::take(&mut play.seen), ["[arrive]"], "the first thing that a session has to say");
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
            "reset" => session.reset(),
            "credit" if arg.is_empty() => session.credited(None, now),
            "credit" => session.credited(Some(seconds(arg)), now),
            "congested" => session.set_congested(true, now),
            "relieved" => session.set_congested(false, now),
            "wrote" => session.written(arg.parse().unwrap(), false, now),
            "blocked" => session.written(arg.parse().unwrap(), true, now),
            _ => match event.split_at(1) {
                ("+", text) => session.received(&mut text.replace('~', "\n").into_bytes(), now),
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

fn shown(step: &Step) -> String {
    match step {
        Step::Arrive => "arrive".to_owned(),
        Step::Command(Command::Say(text)) => text.clone(),
        Step::Command(Command::Who) => "who?".to_owned(),
        Step::Command(Command::Wait(..)) => "wait?".to_owned(),
        Step::Command(Command::Rename(_)) => "rename?".to_owned(),
        Step::Command(Command::Private { .. }) => "to?".to_owned(),
        Step::Command(Command::Sync(token)) => format!("sync-{token}"),
        Step::Reply(Reply::Refused(error)) => format!("!{}", error.code()),
        Step::Reply(Reply::Set(Setting::Stay)) => "!stay".to_owned(),
        Step::Reply(Reply::Set(_)) => "!set".to_owned(),
        Step::Reply(Reply::Help(_)) => "!help".to_owned(),
        Step::Speak(dialect) => format!("speak-{}", dialect.index()),
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
    let played = play(limits(), &format!("+{}", "x~".repeat(BATCH_LINES_MAX + 3)));
    assert_eq!(played.seen, [format!("[{}]", ["x"; BATCH_LINES_MAX].join(" "))]);
    let played = play(limits(), &format!("+{}; credit", "x~".repeat(BATCH_LINES_MAX + 3)));
    assert_eq!(played.seen[1..], ["[x x x]"]);
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
    check("+format|xml~who|~", "[!malformed !malformed]");
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
fn telnet_commands_are_no_text() {
    let mut played = play(limits(), "");
    played.session.received(&mut b"\xff\xfd\x03hi\r\n".to_owned(), Duration::ZERO);
    played.poll();
    assert_eq!(played.seen, ["[hi]"]);
}

#[test]
fn http_as_first_line_closes_and_later_is_chat() {
    let long = || Limits { line_max: 99, ..limits() };
    check_by(long(), "+GET / HTTP/1.1~Host: x~~", "[close-http]");
    check_by(long(), "+GET / HTTP/1.1; eof", "[close-http]");
    for first in ["hi", "", "to|"] {
        let played = play(long(), &format!("+{first}~GET / HTTP/1.1~"));
        assert!(played.seen.concat().ends_with("GET / HTTP/1.1]"), "{first:?}: {:?}", played.seen);
    }
}

#[test]
fn nothing_is_said_after_quit() {
    check("+hi~quit~ho~", "[hi close-quit]");
    check("+quit~; credit; +hi~; eof", "[close-quit]");
    check("+quit; eof", "[close-quit]");
}

#[test]
fn the_end_of_input_comes_behind_all_lines() {
    check("eof", "[eof]");
    check("+hi~; eof", "[hi] [eof]");
    check("+hi; eof", "[hi eof]"); // the last line needs no ending
    check("+one~; +two~; eof", "[one]");
    check("+one~; +two~; eof; credit", "[one] [two eof]");
    check("+one~; +two; eof", "[one]");
    check("+one~; +two; eof; credit", "[one] [two eof]");
    check("+one~; credit 5; +two; eof; @4; @5", "[one] [two eof]");
    check("+one~; congested; +two; eof; credit; relieved", "[one] [two eof]");
    check("+1234567890123; eof", "[!line-too-long eof]");
    check("eof; eof; +hi~", "[eof]");
}

#[test]
fn the_end_of_input_is_told_while_a_wait_goes_on() {
    let long = || Limits { line_max: 99, ..limits() };
    check_by(long(), "+wait|9|text|x~; eof", "[wait?] [eof]");
    check_by(long(), "+wait|9|text|x; eof", "[wait? eof]");
    check_by(long(), "+wait|9|text|x~hi~; eof; credit", "[wait?] [hi eof]");
}

#[test]
fn a_broken_connection_is_heard_to_its_last_line() {
    check("reset", "[broken]");
    check("reset; eof", "[broken] [close-lost]");
    check("+hi~; reset; +ho~; eof", "[hi] [broken]");
    check("+hi~; reset; +ho~; eof; credit", "[hi] [broken] [ho close-lost]");
    check("+hi; reset; eof", "[broken] [close-lost]"); // a line that was begun is none
    check("reset; reset", "[broken]");
    check("+hi~; eof; reset", "[hi] [eof] [broken]"); // it may wait for an answer
    assert!(play(limits(), "reset; eof").session.is_over());
    assert!(!play(limits(), "eof").session.is_over(), "the answer to a wait may still come");
    assert!(play(limits(), "eof; reset").session.is_over());
}

#[test]
fn what_the_session_wants_of_its_socket() {
    let interest = |script: &str| play(limits(), script).session.interest();
    assert_eq!(interest(""), Interest::Read);
    assert_eq!(interest("+hi~"), Interest::HangUp);
    assert_eq!(interest("+hi~; credit"), Interest::Read);
    assert_eq!(interest("+hi~; credit 5"), Interest::HangUp);
    assert_eq!(interest("+hi~; credit 5; @5"), Interest::Read);
    assert_eq!(interest("congested"), Interest::Broken);
    assert_eq!(interest("congested; relieved"), Interest::Read);
    assert_eq!(interest("eof"), Interest::Broken);
    assert_eq!(interest("+quit~"), Interest::Broken);
    assert_eq!(interest("reset"), Interest::Read);
    assert_eq!(interest("reset; eof"), Interest::Nothing);
    let full = format!("+x~; +{}", "y".repeat(UNPARSED_BYTES_MAX));
    assert_eq!(interest(&full), Interest::Broken, "no more than a read is held");
}

#[test]
fn a_client_that_sends_no_line_is_idle() {
    check("@9.9", "");
    check("@10", "[close-idle]");
    check("=5; +h; @10", "[close-idle]"); // a part of a line is none
    check("=5; +~; credit; @14.9", "[]");
    check("=5; +~; credit; @15", "[] [close-idle]");
    check("@10; +hi~; eof", "[close-idle]");
    check_by(Limits { idle_timeout: Duration::ZERO, ..limits() }, "@99999", "");
    assert_eq!(play(Limits { idle_timeout: Duration::ZERO, ..limits() }, "").session.deadline(), None);
}

#[test]
fn a_client_is_not_idle_while_the_server_holds_it_back() {
    check("+hi~; @99", "[hi]"); // no credit: it may wait for something
    check("+hi~; =99; credit; @108", "[hi]");
    check("+hi~; =99; credit; @109", "[hi] [close-idle]");
    check("+hi~; credit 50; @50; @59", "[hi]");
    check("+hi~; credit 50; @50; @60", "[hi] [close-idle]");
    check("congested; @50; relieved; @59", "");
    check("congested; @50; relieved; @60", "[close-idle]");
    check("eof; @99", "[eof]"); // it can say nothing any more
    check("+stay~; credit; @9999", "[!stay]");
}

#[test]
fn what_came_while_the_process_stood_still_counts_before_time_does() {
    check("=99; +hi~; @99", "[hi]");
    check("=99; +hi~; credit; @99", "[hi]");
    check("=99; eof; @99", "[eof]");
    check("blocked 5; =99; +hi~; wrote 5; @99", "[hi]");
    check("blocked 5; =99; +hi~; blocked 5; @99", "[hi]"); // there was progress just now
}

#[test]
fn a_socket_that_takes_nothing_for_too_long_ends_the_connection() {
    check("blocked 0; @3.9", "");
    check("blocked 0; @4", "[close-write-timeout]");
    check("blocked 0; =3; blocked 1; @6.9", "");
    check("blocked 0; =3; blocked 1; @7", "[close-write-timeout]");
    check("blocked 0; =3; blocked 0; @4", "[close-write-timeout]"); // no progress
    check("blocked 0; =3; wrote 1; @9", "");
    check("+hi~; blocked 0; @4", "[hi] [close-write-timeout]"); // whatever the broker is at
    check("eof; blocked 0; @4", "[eof] [close-write-timeout]");
    check("blocked 0; reset; @5", "[broken]"); // nothing is to be written any more
    check("blocked 0; @4; +hi~; eof; @99", "[close-write-timeout]");
    check("blocked 0; @4; blocked 1; @99", "[close-write-timeout]"); // once is enough
    check("+quit~; blocked 1; @99", "[close-quit]");
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
