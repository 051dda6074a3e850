//! When a client is announced.

use super::{super::presence::SETTINGS_MAX, *};

/// Plays a client that has just connected. Also answers whether its session is over.
fn connects(script: &str) -> (String, bool) {
    let mut play = connect(Limits { line_max: 99, ..limits() });
    script.split("; ").for_each(|event| play.event(event));
    (play.seen.join(" "), play.session.is_over())
}

#[track_caller]
fn check(script: &str, seen: &str) {
    assert_eq!(connects(script).0, seen, "{script}");
}

#[test]
fn a_client_is_announced_with_its_first_line() {
    check("+hi~", "[arrive hi]");
    check("+~", "[arrive]");
    check("+wh; +o~; +hi~", "[arrive who?]");
    check("+to|~", "[arrive !malformed]");
    check("+hi; eof", "[arrive hi eof]");
    check("+hi~; +ho~; credit", "[arrive hi] [ho]");
}

#[test]
fn a_client_that_says_nothing_is_announced_after_a_while() {
    check("@0.19", "");
    check("@0.2", "[arrive]");
    check("+h; @0.2; +i~", "[arrive] [hi]");
    check("@0.2; @10.1", "[arrive]");
    check("@0.2; @10.2", "[arrive] [close-idle]");
}

#[test]
fn settings_do_not_announce() {
    check("+format|json~; +lang|en~", "");
    check("+format|json~; +lang|en~; +sync|1~", "[speak-2 !set speak-3 !set arrive sync-1]");
    check("+format|json~; @0.2", "[speak-2 !set arrive]");
    check("+format|json~; eof", "[speak-2 !set close-left]");
    check("+stay~", "[arrive !stay]");
    let (seen, _) = connects(&format!("+{}", "lang|en~".repeat(SETTINGS_MAX)));
    assert!(seen.ends_with(" arrive]"), "{seen}");
}

#[test]
fn a_visitor_is_never_announced() {
    check("+visit~", "[visit !visit]");
    check("+visit~; credit; +hi~; credit; @0.3", "[visit !visit] [hi]");
    check("+format|json~; +visit~hi~", "[speak-2 !set visit !visit hi]");
    check("+visit; eof", "[visit !visit eof]");
    check("+visit~hi~; reset", "[visit !visit hi] [broken close-lost]");
    check("+hi~; credit; +visit~", "[arrive hi] [visit !visit]");
    check("@0.2; +visit~; credit; +visit~", "[arrive] [visit !visit] [visit !visit]");
    check("+visit~; @10.2", "[visit !visit]"); // the broker has not done with it
    check("+visit~; credit; @10", "[visit !visit] [close-idle]");
}

#[test]
fn a_client_that_ends_before_its_first_line_is_never_announced() {
    for script in ["eof", "@0.1; eof", "reset", "+h; reset", "eof; reset", "+format|json; reset"] {
        assert_eq!(connects(script), (String::new(), true), "{script}");
    }
    assert_eq!(connects("+hi~; reset"), ("[arrive hi] [broken close-lost]".to_owned(), true));
}

#[test]
fn another_protocol_is_told_so_and_not_announced() {
    check("+GET / HTTP/1.1~", "[close-http]");
    check("+~", "[arrive]");
    check("+~~GET / HTTP/1.1~Host: x~", "[close-http]");
    check(&format!("+{}GET / HTTP/1.1~", "~".repeat(SETTINGS_MAX + 1)), "[close-http]");
    check("+~; credit; +GET / HTTP/1.1~", "[arrive] [close-http]");
    check("+~~hi~; +~; credit", "[arrive hi] []");
    check("+~format|json~", "[speak-2 !set arrive]");
    let mut play = connect(limits());
    play.session.received(&mut b"\x16\x03\x01\x02\x00\x01".to_owned(), Duration::ZERO);
    play.poll();
    assert_eq!(play.seen, ["[close-other-protocol]"]);
}
