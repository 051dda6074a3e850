//! The end of input, breaks, and timers.

use super::{
    super::{lines::BATCH_LINES_MAX, *},
    *,
};

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
fn what_a_client_has_sent_is_heard_while_memory_is_tight() {
    check("+one~; +two~; tight; credit", "[one] [two]");
    check("+one~; +two~; congested; credit", "[one]");
    check("+one~; +two~; congested; credit; tight", "[one] [two]");
}

#[test]
fn the_end_of_input_is_told_while_a_wait_goes_on() {
    let long = || Limits { line_max: 99, ..limits() };
    check_by(long(), "+wait|9|text|x~; eof", "[wait?] [eof]");
    check_by(long(), "+wait|9|text|x; eof", "[wait? eof]");
    check_by(long(), "+wait|9|text|x~hi~; eof; credit", "[wait?] [hi eof]");
}

#[test]
fn a_broken_connection_is_heard_to_its_last_line_at_once() {
    check("reset", "[broken close-lost]");
    check("+hi~; reset", "[hi] [broken close-lost]");
    check("+hi~; +ho~; reset", "[hi] [broken ho close-lost]"); // whatever the credit
    check("+hi~; +one~two~thr; reset", "[hi] [broken one two close-lost]"); // a line that was begun is none
    check("+hi~; credit 99; +ho~; reset", "[hi] [broken ho close-lost]");
    check("congested; +hi~; reset", "[broken hi close-lost]");
    check("+hi~; +who~to|~ho~; reset", "[hi] [broken who? ho close-lost]"); // replies are for nobody
    check("+hi~; +to|~check|1~ho~; reset", "[hi] [broken close-check-failed]");
    check("+hi~; +check|1~to|~ho~; reset", "[hi] [broken check-1 ho close-lost]");
    check("+hi~; +one~quit~two~; reset", "[hi] [broken one close-quit]");
    check("reset; reset; +hi~; eof", "[broken close-lost]");
    check("+hi~; +ho; eof; reset", "[hi] [broken ho close-lost]"); // the last line needs no ending
    check("+hi~; eof; reset", "[hi] [eof] [broken]"); // it may wait for an answer
    let many = play(limits(), &format!("+hi~; +{}; reset", "x~".repeat(BATCH_LINES_MAX + 3)));
    assert_eq!(many.seen[1], format!("[broken {} close-lost]", ["x"; BATCH_LINES_MAX + 3].join(" ")));
    check("+hi~; +one~two~three~four~; reset 2", "[hi] [broken one two close-lost]");
    assert_eq!(play(limits(), "+hi~; +one~two~three~four~fi; reset 2").dropped, 2);
    assert_eq!(play(limits(), "+hi~; +one~two~; reset 0").dropped, 2);
    assert!(play(limits(), "reset").session.is_over());
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
    assert_eq!(interest("tight"), Interest::Broken);
    assert_eq!(interest("tight; relieved"), Interest::Read);
    assert_eq!(interest("eof"), Interest::Broken);
    assert_eq!(interest("+quit~"), Interest::Broken);
    assert_eq!(interest("reset"), Interest::Nothing);
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
    check("tight; @50; relieved; @59", "");
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
    check_by(
        Limits { write_timeout: Duration::ZERO, idle_timeout: Duration::ZERO, ..limits() },
        "blocked 0; @9999",
        "",
    );
    check("blocked 0; @4", "[close-write-timeout]");
    check("blocked 0; =3; blocked 1; @6.9", "");
    check("blocked 0; =3; blocked 1; @7", "[close-write-timeout]");
    check("blocked 0; =3; blocked 0; @4", "[close-write-timeout]"); // no progress
    check("blocked 0; =3; wrote 1; @9", "");
    check("+hi~; blocked 0; @4", "[hi] [close-write-timeout]"); // whatever the broker is at
    check("eof; blocked 0; @4", "[eof] [close-write-timeout]");
    check("blocked 0; reset; @5", "[broken close-lost]"); // nothing is to be written any more
    check("blocked 0; @4; +hi~; eof; @99", "[close-write-timeout]");
    check("blocked 0; @4; blocked 1; @99", "[close-write-timeout]"); // once is enough
    check("+quit~; blocked 1; @99", "[close-quit]");
}

#[test]
fn what_a_session_holds_is_counted_and_given_back() {
    let held = |script: &str| play(limits(), script).session.held_bytes();
    assert_eq!(held(""), 0);
    assert_eq!(held("+hi~"), 0);
    assert!((6..20).contains(&held("+123456")), "a line that was begun");
    assert_eq!(held("+123456; +7~"), 0);
    let many = "1234567~".repeat(100);
    assert!((800..2000).contains(&held(&format!("+hi~; +{many}"))), "lines that wait for a credit");
    assert_eq!(held(&format!("+hi~; +{many}; credit")), 0);
}

#[test]
fn nothing_is_held_of_one_that_the_broker_has_hung_up_on() {
    let mut played = play(limits(), "+hi~; +123~456");
    played.session.discard_input();
    for event in ["", "credit", "+789", "+~", "eof"] {
        if !event.is_empty() {
            played.event(event);
        }
        assert_eq!(played.session.held_bytes(), 0, "{event}");
    }
    assert_eq!(played.seen, ["[hi]"]);
}
