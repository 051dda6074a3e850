use super::*;
use proptest::prelude::*;

const HTTP: Option<Foreign> = Some(Foreign::Http);
const OTHER: Option<Foreign> = Some(Foreign::Other);
const CHAT: Option<Foreign> = None;

#[test]
fn lines() {
    for (line, verdict) in [
        ("GET / HTTP/1.1", HTTP),
        ("patch / HTTP/1.1", HTTP),
        ("GET /", HTTP),
        ("get /index.html", HTTP),
        ("OPTIONS *", HTTP),
        ("OPTIONS * HTTP/1.0", HTTP),
        ("M-SEARCH * HTTP/1.1", HTTP),
        ("PRI * HTTP/2.0", HTTP),
        ("GET http://example.com/ HTTP/1.1", HTTP),
        ("BREW coffee://pot HTTP/2", HTTP),
        ("FROBNICATE /x http/1.1", HTTP),
        ("GET /a b c HTTP/1.1", HTTP),
        ("GET\t/\tHTTP/1.1", HTTP),
        (" GET  / ", HTTP),
        ("CONNECT host:443 HTTP/1.1", HTTP),
        ("CONNECT 10.0.0.1:443 HTTP/1.1", HTTP),
        ("CONNECT [::1]:443 HTTP/1.1", HTTP),
        ("DESCRIBE rtsp://camera/1 RTSP/1.0", OTHER),
        ("OPTIONS / RTSP/1.0", OTHER),
        ("OPTIONS sip:x SIP/2.0", OTHER),
        ("SETUP /1", OTHER),
        ("REQMOD icap://x/y ICAP/1.0", OTHER),
        ("SSH-2.0-OpenSSH_9.2p1 Debian-2", OTHER),
        ("SSH-1.99-x", OTHER),
        ("PROXY TCP4 10.0.0.1 10.0.0.2 1 2", OTHER),
        ("PROXY TCP6 ::1 ::1 1 2", OTHER),
        ("PROXY UNKNOWN", OTHER),
        ("PROXY UNKNOWN whatever", OTHER),
        ("GET me a drink", CHAT),
        ("GET", CHAT),
        ("GET ", CHAT),
        ("GET x", CHAT),
        ("get /tmp/x please", CHAT),
        ("get /tmp/x from nginx/1.2", CHAT),
        ("curl speaks HTTP/2", CHAT),
        ("bob says: HTTP/2", CHAT),
        ("GET / HTTP/", CHAT),
        ("GET / HTTP/x", CHAT),
        ("CONNECT host:443", CHAT),
        ("post build:green", CHAT),
        ("merge https://example.com/pull/3", HTTP),
        ("say /x", CHAT),
        ("who /", CHAT),
        ("say|GET / HTTP/1.1", CHAT),
        ("to|bob|GET / HTTP/1.1", CHAT),
        ("/ HTTP/1.1", CHAT),
        ("獲取 / HTTP/1.1", CHAT),
        ("SSH-2.0", CHAT),
        ("SSH-two-x", CHAT),
        ("SSH keys, anyone?", CHAT),
        ("ssh-2.0-x", CHAT),
        ("PROXY TCP5 x", CHAT),
        ("PROXY UNKNOWNS", CHAT),
        ("proxy unknown", CHAT),
        ("PROXY", CHAT),
        ("take 9p:x HTTP/2", CHAT),
        ("tell bob,ann:hi HTTP/2", CHAT),
        ("", CHAT),
    ] {
        assert_eq!(of_line(line), verdict, "{line:?}");
    }
    let request = |method_len| format!("{} / HTTP/1.1", "x".repeat(method_len));
    assert_eq!(of_line(&request(METHOD_BYTES_MAX)), HTTP);
    for method_len in [0, METHOD_BYTES_MAX + 1, 2 * METHOD_BYTES_MAX] {
        assert_eq!(of_line(&request(method_len)), CHAT, "{method_len}");
    }
}

#[test]
fn host_headers() {
    for line in ["Host: localhost:9999", "host:", "HOST:[::1]:80", "Host:\texample.com "] {
        assert!(is_host_header(line), "{line:?}");
    }
    for line in ["Host: shall we begin?", "Host : x", "Host", "Hosts: x", " Host: x", "Host: 張三", "say|Host: x"] {
        assert!(!is_host_header(line), "{line:?}");
    }
}

/// After each byte of `bytes` the verdict is [`Verdict::NotYet`], and after the last one this.
fn check(bytes: &[u8], verdict: Verdict) {
    let mut opening = Opening::default();
    for seen in 1..=bytes.len() {
        let expected = if seen < bytes.len() { Verdict::NotYet } else { verdict };
        assert_eq!(of_bytes(&bytes[..seen]), expected, "{:?}", &bytes[..seen]);
        assert_eq!(opening.received(&bytes[seen - 1..seen]), expected, "{:?}", &bytes[..seen]);
    }
    assert_eq!(opening.received(b"\r\n and whatever follows"), verdict, "{bytes:?}: it stays");
    assert_eq!(of_bytes(&[bytes, b"\0\r\n and whatever follows"].concat()), verdict, "{bytes:?}: it stays");
}

#[test]
fn bytes() {
    let other = Verdict::Foreign(Foreign::Other);
    assert_eq!(of_bytes(b""), Verdict::NotYet);
    check(b"\r\n\r\n\0\r\nQUIT\n", other);
    check(b"\r\n\r\n\0\r\nQUIT\r", Verdict::No);
    check(b"\r\n\r\n\r", Verdict::No);
    check(b"\r\nh", Verdict::No);
    check(b"\n", Verdict::No);
    (0..=4).for_each(|minor| check(&[0x16, 3, minor], other));
    check(&[0x16, 3, 5], Verdict::No);
    check(&[0x16, 0x16], Verdict::No);
    check(&[0xff], Verdict::No);
    check(b"G", Verdict::No);
}

proptest! {
    #[test]
    fn verbs_are_chat_whatever_follows(
        verb in prop::sample::select(&["say", "to", "rename", "sync", "wait", "format", "lang", "GET", "SSH-2.0", "PROXY"][..]),
        rest in r"(.{0,9}( (/|\*|HTTP/1\.1|a:1|GET|PROXY UNKNOWN|SSH-2\.0-x)){0,3}.{0,9})",
    ) {
        let line = format!("{verb}|{rest}");
        prop_assert_eq!(of_line(&line), CHAT);
        prop_assert!(!is_host_header(&line));
    }

    #[test]
    fn one_word_is_chat_unless_it_is_of_ssh(line in r"[^ \t\x0b\x0c\r\n]{0,20}") {
        prop_assume!(!line.starts_with("SSH-"));
        prop_assert_eq!(of_line(&line), CHAT);
    }

    #[test]
    fn without_a_slash_or_a_star_a_line_of_letters_is_chat(line in r"[A-Za-z_-]{1,9}( [A-Za-z0-9:.-]{1,9}){0,3}") {
        prop_assume!(!line.starts_with("SSH-") && !line.starts_with("PROXY "));
        prop_assert_eq!(of_line(&line), CHAT);
    }

    #[test]
    fn packets_do_not_matter(
        bytes in r"(\r\n\r\n\x00\r\nQUIT\n|\x16\x03\x01|\r\n|.)(?s:.){0,5}",
        cut in 1usize..9,
    ) {
        let mut opening = Opening::default();
        let verdict = bytes.as_bytes().chunks(cut).map(|packet| opening.received(packet)).last();
        prop_assert_eq!(verdict, Some(of_bytes(bytes.as_bytes())));
    }
}
