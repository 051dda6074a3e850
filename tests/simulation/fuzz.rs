//! Sessions, rules and rendering under random bytes. `PROPTEST_CASES=1000000 cargo test --release --test simulation any_bytes` runs
//! for longer; `cargo +nightly fuzz run --fuzz-dir tests/fuzz wire` looks for new ways through the code.

use proptest::prelude::*;

use crate::wire;

/// Pieces of what clients send, and of what they had better not.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let words: &[&[u8]] = &[
        b"who",
        b"Who",
        b"\xe3\x80\x80\xef\xbd\x94o",
        b"Login",
        b"tokne",
        b"rename",
        b"to",
        b"say",
        b"sync",
        b"wait",
        b"stay",
        b"check",
        b"format",
        b"lang",
        b"help",
        b"quit",
        b"json",
        b"text",
        b"en",
        b"zh",
        b"user",
        b"users",
        b"gone",
        b"1",
        b"GET / HTTP/1.1",
        b"127.0.0.1:1000",
    ];
    let signs: &[&[u8]] = &[
        b"|",
        b"\xef\xbd\x9c",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r\0",
        b"\r",
        b"\0",
        b"\t",
        b"\x1b[2J",
        b"\x7f",
        b"\x08",
        b"\r",
        b"e\xcc\x81\x7f",
        b"\xff\xff",
        b"\xff\xfa",
        b"\xff\xf0",
        b"\xff\xfb\x01",
        b"\xff\xf1",
        b"\xff",
        b"\xc2\x9b",
        b"\xe2\x80\xae",
        b"\xe2\x80\xa8",
        b"\xc3",
        b"\xef\xbb\xbf",
        b"[",
        b"]:",
        b" ",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(words).prop_map(<[u8]>::to_vec),
        6 => prop::sample::select(signs).prop_map(<[u8]>::to_vec),
        2 => "[a-z0-9]{1,4}".prop_map(String::into_bytes),
        1 => "\\PC{1,4}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 1..4),
        1 => (60..70_usize).prop_map(|length| vec![b'x'; length]),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_in_any_packets_are_understood_by_the_book(bytes in any_bytes(), packet in 1..80_usize) {
        wire::check(&bytes, packet);
    }
}
