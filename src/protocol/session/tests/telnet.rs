//! A peer that negotiates as telnet does. `speak-4` is the first dialect with CR LF: Chinese text.

use super::*;

#[test]
fn a_negotiation_is_no_text_and_no_line() {
    check("+§hi\r~", "[speak-4 hi]");
    check("+§", "[speak-4]");
    check("+§; +hi~; +ho~; credit", "[speak-4] [hi] [ho]");
    check("+hi~; +§; +ho~; credit", "[hi] [speak-4] [ho]"); // it needs no credit
    check("+h§i~", "[speak-4 hi]");
    check_by(Limits { line_max: 99, ..limits() }, "+a~b~§c~", "[a b speak-4]");
}

#[test]
fn a_command_without_an_option_is_no_negotiation() {
    let mut played = play(limits(), "");
    for mut bytes in [&b"\xff\xf1a\rb\x7f\n"[..], b"\xff\xfa\x18\xff\xf0", b"\xff\xff\n"].map(<[u8]>::to_vec) {
        played.session.received(&mut bytes, Duration::ZERO);
        played.poll();
        played.event("credit");
    }
    assert_eq!(played.seen, ["[a\rb\x7f]", "[!not-utf8]"]);
}

#[test]
fn keys_edit_the_line_from_the_negotiation_on() {
    check("+§heo\x7fllo\r", "[speak-4 hello]");
    check("+§heo\x08llo\r\0hi\r~; credit", "[speak-4 hello hi]");
    check("+a\x08\x7f\rb~§a\x08b\r; credit", "[a\x08\x7f\rb speak-4] [b]");
    check("+a\x08§b\x08c\r", "[speak-4 a\x08c]");
}

#[test]
fn it_is_telnet_once() {
    check("+§§a\r§b\r; +§c\r; credit", "[speak-4 a b] [c]");
    check(&"+§; ".repeat(50), "[speak-4]");
}

#[test]
fn a_negotiation_keeps_its_place_among_lines_that_wait() {
    check("+one~; +two\rx~§th\x7free\r; credit; credit", "[one] [two\rx speak-4] [tree]");
    check("+one~; +two\rx~; +th§\x7free\r; credit; credit", "[one] [two\rx speak-4] [tree]");
    check("+one~; +§a\r; +b\x7fc\r; credit", "[one] [speak-4] [a c]");
    check("+who~§a\x7fb\r; credit", "[who? speak-4] [b]");
    check("+one~; +two~§three\r; eof; credit; credit", "[one] [two speak-4] [three eof]");
}

#[test]
fn settings_and_line_ending_keep_each_other() {
    let long = || Limits { line_max: 99, ..limits() };
    check_by(long(), "+§format|json\rlang|en\r", "[speak-4 speak-6 !set speak-7 !set]");
    check_by(long(), "+format|json~; credit; +§lang|en\r", "[speak-2 !set] [speak-6 speak-7 !set]");
}

#[test]
fn a_negotiation_announces_nobody_and_is_not_lost() {
    let seen = |script: &str| {
        let mut play = connect(limits());
        script.split("; ").for_each(|event| play.event(event));
        play.seen.join(" ")
    };
    assert_eq!(seen("+§"), "");
    assert_eq!(seen("+§; @0.2"), "[speak-4 arrive]");
    assert_eq!(seen("+§hi\r"), "[speak-4 arrive hi]");
    assert_eq!(seen("+lang|en~§; +hi\r"), "[speak-1 !set speak-5 arrive hi]");
    // Closed without a line: it was never announced.
    assert_eq!(seen("+§; eof"), "");
    assert_eq!(seen("+§; reset"), "");
    assert_eq!(seen("+§quit\r"), "[speak-4 arrive close-quit]");
    assert!({
        let mut play = connect(limits());
        ["+§", "eof"].iter().for_each(|event| play.event(event));
        play.session.is_over()
    });
}

#[test]
fn nothing_follows_the_end() {
    check("+quit~§hi\r", "[close-quit]");
    check("+one~; +quit~§hi\r; credit", "[one] [close-quit]");
    check("+one~; +§quit\rhi\r; reset", "[one] [speak-4] [broken close-quit]");
    check("+one~; +two~§three\r; reset", "[one] [broken two speak-4 three close-lost]");
}

#[test]
fn lines_that_are_dropped_are_counted() {
    assert_eq!(play(limits(), "+one~; +a~b~c~; reset 1").dropped, 2);
    assert_eq!(play(limits(), "+§one~; +a\rb\r~c\r\0d~; reset 1").dropped, 3);
}

#[test]
fn what_is_erased_is_no_sign_of_life() {
    check("+§; @5; +x\x7f; @10", "[speak-4] [close-idle]");
}

#[test]
fn bytes_of_telnet_may_be_cut_anywhere() {
    let text = "a\x08~wo§\x7fho\r~quit\u{e9}\x7f\r\0~";
    let bytes = bytes_of(text);
    let whole = play(limits(), &format!("+{text}; credit; credit; credit")).seen.concat().replace("][", " ");
    assert_eq!(whole, "[a\x08 speak-4 who? close-quit]");
    for first in 1..bytes.len() {
        for second in first..bytes.len() {
            let mut played = play(limits(), "");
            for packet in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                played.session.received(&mut packet.to_vec(), Duration::ZERO);
                played.poll();
                played.event("credit");
            }
            played.event("credit");
            let seen = played.seen.concat().replace("][", " ");
            assert_eq!(seen, whole, "cut at {first} and {second}");
        }
    }
}
