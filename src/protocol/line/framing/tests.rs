use super::*;
use proptest::prelude::*;

/// All the lines that come out of `packets`; `None` for a line that is too long.
fn frames<'a>(line_max: usize, packets: impl IntoIterator<Item = &'a [u8]>) -> Vec<Option<Vec<u8>>> {
    frames_of(&mut Framer::new(line_max), packets)
}

/// The same for a peer that is telnet from the beginning.
fn typed<'a>(line_max: usize, packets: impl IntoIterator<Item = &'a [u8]>) -> Vec<Option<Vec<u8>>> {
    let mut framer = Framer::new(line_max);
    framer.set_telnet();
    frames_of(&mut framer, packets)
}

fn frames_of<'a>(framer: &mut Framer, packets: impl IntoIterator<Item = &'a [u8]>) -> Vec<Option<Vec<u8>>> {
    let owned = |frame: Frame<'_>| match frame {
        Frame::Line(line) => Some(line.to_vec()),
        Frame::TooLong => None,
    };
    let mut lines = Vec::new();
    for mut packet in packets {
        while let Some(frame) = framer.next(&mut packet) {
            lines.push(owned(frame));
        }
        assert!(framer.partial.len() <= framer.line_max + 1, "holds one line's worth");
    }
    lines.extend(framer.finish().map(owned));
    lines
}

fn check(packets: &[&str], lines: &[&str]) {
    let expected: Vec<_> = lines.iter().map(|line| Some(line.as_bytes().to_vec())).collect();
    assert_eq!(frames(8, packets.iter().map(|p| p.as_bytes())), expected, "{packets:?}");
}

#[test]
fn an_empty_packet_changes_nothing() {
    let packets: [&[u8]; 4] = [b"123456789\r", b"", b"\0", b"who\n"];
    assert_eq!(frames(8, packets), [None, Some(b"who".to_vec())]);
}

#[test]
fn without_a_limit_a_line_is_as_long_as_it_is() {
    let mut framer = Framer::new(usize::MAX);
    assert_eq!(framer.next(&mut &b"o"[..]), None);
    assert_eq!(framer.next(&mut &b"ne\n"[..]), Some(Frame::Line(b"one")));
}

#[test]
fn a_line_is_a_line_not_a_packet() {
    check(&["one\ntwo\n"], &["one", "two"]);
    check(&["o", "n", "e", "\n", "two\n"], &["one", "two"]);
    check(&["one\ntw", "o\nthree\nfo", "ur\n"], &["one", "two", "three", "four"]);
    check(&["\n\n"], &["", ""]);
}

#[test]
fn the_last_line_needs_no_ending() {
    check(&["one\ntwo"], &["one", "two"]);
    check(&["one"], &["one"]);
    check(&["one\r"], &["one"]);
    check(&[], &[]);
}

#[test]
fn three_endings() {
    check(&["one\r\ntwo\r\0three\n"], &["one", "two", "three"]);
    check(&["one\r", "\ntwo\r", "\0three\n"], &["one", "two", "three"]);
    check(&["a\rb\0c\n"], &["a\rb\0c"]);
    check(&["a\0", "b\n"], &["a\0b"]);
}

#[test]
fn a_line_over_the_limit_is_one_refusal_and_the_next_works() {
    for (line, fits) in [("1234567", true), ("12345678", true), ("123456789", false), ("1234567890123", false)] {
        for ending in ["\n", "\r\n", "\r\0"] {
            let bytes = format!("{line}{ending}next\n");
            let first = fits.then(|| line.as_bytes().to_vec());
            assert_eq!(frames(8, [bytes.as_bytes()]), [first.clone(), Some(b"next".to_vec())], "{bytes:?}");
            assert_eq!(frames(8, bytes.as_bytes().chunks(1)), [first, Some(b"next".to_vec())], "{bytes:?}");
        }
    }
}

/// `keys` are typed at telnet's terminal, where lines of up to eight bytes fit.
#[track_caller]
fn check_typed(keys: &[u8], lines: &[&str]) {
    let expected: Vec<_> = lines.iter().map(|line| Some(line.as_bytes().to_vec())).collect();
    assert_eq!(typed(8, [keys]), expected, "{keys:?}");
    assert_eq!(typed(8, keys.chunks(1)), expected, "{keys:?}, each alone");
}

#[test]
fn at_a_terminal_four_endings_each_end_one_line() {
    check_typed(b"one\rtwo\r\nthree\r\0four\nfive", &["one", "two", "three", "four", "five"]);
    check_typed(b"\r\r\n\r\0\n", &["", "", "", ""]);
    check_typed(b"\n\r", &["", ""]);
    check_typed(b"a\0b\r\n\0c\r", &["a\0b", "\0c"]);
    check_typed(b"one\r\n\n", &["one", ""]);
}

#[test]
fn at_a_terminal_backspace_takes_away_the_last_character() {
    check_typed(b"heo\x7fllo\r\0", &["hello"]);
    check_typed(b"heo\x08llo\r\0", &["hello"]);
    check_typed("\u{e9}\u{5f20}\x7f!\r".as_bytes(), &["\u{e9}!"]);
    check_typed("he\u{301}\x08i\r".as_bytes(), &["hi"]);
    check_typed(b"one\rt\x7f\x7f\x7f\x08two\r", &["one", "two"]); // what is said stays said
    check_typed(b"\x7f\x08\r", &[""]);
    check_typed(b"x\x7f", &[]);
}

#[test]
fn the_limit_holds_for_what_is_left_of_a_line() {
    check_typed(&[&b"12345678\x7f".repeat(3)[..9], b"8\r"].concat(), &["12345678"]);
    check_typed(&[&b"x\x7f".repeat(99)[..], b"hi\r"].concat(), &["hi"]);
    check_typed(b"123456789\x7f\r", &["12345678"]);
    // Its bytes are gone: nobody knows what would be left.
    let next = Some(b"next".to_vec());
    for keys in [&b"1234567890\x7f\x7f\x7f\rnext\r"[..], b"123456789\rnext\r", b"123456789012\x08\r\nnext\r\n"] {
        assert_eq!(typed(8, [keys]), [None, next.clone()], "{keys:?}");
        assert_eq!(typed(8, keys.chunks(1)), [None, next.clone()], "{keys:?}");
    }
}

#[test]
fn what_was_erased_is_not_held() {
    let mut framer = Framer::new(4096);
    framer.set_telnet();
    for _ in 0..3 {
        assert_eq!(framer.next(&mut &b"x".repeat(4096)[..]), None);
        assert_eq!(framer.next(&mut &b"\x7f".repeat(9999)[..]), None);
        assert!(framer.held_bytes() <= 2 * 4096 && !framer.is_within_line());
    }
    assert_eq!(framer.next(&mut &b"\r"[..]), Some(Frame::Line(b"")));
    assert_eq!(framer.held_bytes(), 0);
}

#[test]
fn what_came_before_the_terminal_was_known_is_content() {
    for (before, after, lines) in [
        (&b"a\x08b\rc"[..], &b"\x7fd\r"[..], &["a\x08b\rd"][..]),
        (b"one\r", b"\ntwo\r", &["one", "two"]),
        (b"one\r", b"\0two\r", &["one", "two"]),
        (b"one\r", b"two\r", &["one\rtwo"]),
        (b"one\r", b"\x7f\0\r", &["one\0"]),
        (b"one\n", b"\ntwo\r", &["one", "", "two"]),
    ] {
        let mut framer = Framer::new(8);
        let mut lines_before = Vec::new();
        let mut input = before;
        while let Some(Frame::Line(line)) = framer.next(&mut input) {
            lines_before.push(Some(line.to_vec()));
        }
        framer.set_telnet();
        lines_before.extend(frames_of(&mut framer, [after]));
        let expected: Vec<_> = lines.iter().map(|line| Some(line.as_bytes().to_vec())).collect();
        assert_eq!(lines_before, expected, "{before:?}, then {after:?}");
    }
    let mut framer = Framer::new(8);
    assert_eq!(framer.next(&mut &b"123456789012\r"[..]), None);
    framer.set_telnet();
    let too_long = [None, Some(b"next".to_vec())]; // and nothing of it is erased, its CR neither
    assert_eq!(frames_of(&mut framer, [&b"\x7f\0next\r"[..]]), too_long);
}

#[test]
fn every_way_to_cut_what_is_typed_gives_the_same_lines() {
    for sample in ["h\u{e9}\x7fi\r\n\x08\r\0o\r\r\n", "a\0\r\u{5f20}\u{301}\x08b\n\r\0\0", "123456789\x7f0\x7f\r12"] {
        let bytes = sample.as_bytes();
        let whole = typed(8, [bytes]);
        for cuts in 0..1_u32 << (bytes.len() - 1) {
            let mut packets = vec![];
            let mut start = 0;
            for end in 1..=bytes.len() {
                if end == bytes.len() || cuts >> (end - 1) & 1 == 1 {
                    packets.extend([&bytes[start..end], &[]]);
                    start = end;
                }
            }
            assert_eq!(typed(8, packets), whole, "{sample:?} cut at {cuts:b}");
        }
    }
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_lines(
        bytes in proptest::collection::vec(
            prop_oneof![Just(b'\n'), Just(b'\r'), Just(0u8), Just(BS), Just(DEL), 1u8..=255],
            0..200,
        ),
        cuts in proptest::collection::vec(1usize..12, 1..200),
    ) {
        let (whole, typed_whole) = (frames(8, [&bytes[..]]), typed(8, [&bytes[..]]));
        let (mut rest, mut packets) = (&bytes[..], Vec::new());
        for cut in cuts.into_iter().cycle() {
            if rest.is_empty() { break }
            let (packet, after) = rest.split_at(cut.min(rest.len()));
            packets.extend([packet, &[]]); // telnet's commands alone are a packet without text
            rest = after;
        }
        prop_assert_eq!(typed(8, packets.iter().copied()), typed_whole);
        prop_assert_eq!(frames(8, packets), whole);
    }
}
