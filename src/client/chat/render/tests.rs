use super::*;

const PLAIN: Look = Look { has_colours: false, shows_addr: false, lang: Lang::En };

#[derive(Clone, Copy)]
struct Look {
    has_colours: bool,
    shows_addr: bool,
    lang: Lang,
}

/// What Bob sees of this event from Ann.
fn shown(look: Look, event: &str, text: &str) -> String {
    let line = format!(r#"{{"event":"{event}","from":{{"name":"ann","addr":"1.2.3.4:5"}},"text":"{text}","old":"x"}}"#);
    shown_line(look, &line)
}

fn shown_line(look: Look, line: &str) -> String {
    let me = Arc::new(Identity { name: "bob".to_owned(), addr: "1.2.3.4:6".to_owned(), is_account: false });
    let Look { has_colours, shows_addr, lang } = look;
    let style = Style { has_colours, shows_addr, lang, me };
    style.render(&ServerMessage::parse(line).unwrap()).unwrap_or_default()
}

#[test]
fn messages_have_names_alone_unless_addresses_are_asked_for() {
    let addr = Look { shows_addr: true, ..PLAIN };
    let zh = Look { lang: Lang::Zh, ..PLAIN };
    for (look, event, expected) in [
        (PLAIN, "online", "ann is online"),
        (PLAIN, "offline", "ann is offline"),
        (PLAIN, "known_as", "x is now ann"),
        (PLAIN, "message", "ann: hi"),
        (PLAIN, "private", "ann -> you: hi"),
        (PLAIN, "renamed", "-- you are now ann"),
        (PLAIN, "sync", "sync|hi"),
        (PLAIN, "user", ""),
        (addr, "online", "[1.2.3.4:5]ann is online"),
        (addr, "known_as", "[1.2.3.4:5]x is now ann"),
        (addr, "message", "[1.2.3.4:5]ann: hi"),
        (zh, "online", "ann 已上线"),
        (zh, "known_as", "x 已改名为 ann"),
        (zh, "private", "ann -> 你: hi"),
    ] {
        assert_eq!(shown(look, event, "hi"), expected);
    }
}

#[test]
fn rooms_are_marked() {
    let zh = Look { lang: Lang::Zh, ..PLAIN };
    let colours = Look { has_colours: true, ..PLAIN };
    let from = r#""from":{"name":"ann","addr":"1.2.3.4:5"},"room":"builds""#;
    for (look, rest, expected) in [
        (PLAIN, r#""event":"message","text":"hi bob""#, "#builds * ann: hi bob"),
        (PLAIN, r#""event":"joined""#, "#builds ann has joined"),
        (PLAIN, r#""event":"left""#, "#builds ann has left"),
        (PLAIN, r#""event":"topic","text":"nightly""#, "#builds ann topic: nightly"),
        (PLAIN, r#""event":"offline""#, "#builds ann is offline"),
        (PLAIN, r#""event":"private","text":"hi""#, "ann -> you: hi"),
        (PLAIN, r#""event":"ok","verb":"join","count":2,"text":null"#, "-- you are in #builds, 2 there"),
        (PLAIN, r#""event":"ok","verb":"join","count":2,"text":"x""#, "-- you are in #builds, 2 there, topic: x"),
        (PLAIN, r#""event":"ok","verb":"in""#, "-- said in #builds"),
        (PLAIN, r#""event":"ok","verb":"leave""#, "-- you have left #builds"),
        (PLAIN, r#""event":"ok","verb":"topic","text":"x""#, "-- #builds topic: x"),
        (PLAIN, r#""event":"ok","verb":"topic","text":null"#, "-- #builds has no topic"),
        (zh, r#""event":"joined""#, "#builds ann 已加入"),
        (zh, r#""event":"ok","verb":"join","count":2,"text":"x""#, "-- 你已在 #builds,2人,主题:x"),
        (zh, r#""event":"ok","verb":"topic","text":null"#, "-- #builds 没有主题"),
    ] {
        assert_eq!(shown_line(look, &format!("{{{from},{rest}}}")), expected);
    }
    let joined = shown_line(colours, &format!(r#"{{{from},"event":"joined"}}"#));
    assert!(joined.ends_with("m#builds\x1b[0m \x1b[2mann has joined\x1b[0m"), "{joined:?}");
}

#[test]
fn order_is_told_behind_the_mark_of_the_server() {
    let zh = Look { lang: Lang::Zh, ..PLAIN };
    let from = r#""from":{"name":"ann","addr":"1.2.3.4:5"},"text":"why","old":"2026-11-25T09:30:00Z""#;
    for (rest, english, chinese) in [
        (
            r#""event":"notice","code":"muted""#,
            "-- notice[ann] you are muted until 2026-11-25T09:30:00.000Z: why",
            "-- 公告[ann] 你已被禁言,至2026-11-25T09:30:00.000Z:why",
        ),
        (
            r#""event":"sanction","code":"ban""#,
            "-- ban ann until 2026-11-25T09:30:00.000Z: why",
            "-- 封禁 ann,至2026-11-25T09:30:00.000Z:why",
        ),
        (r#""event":"ok","verb":"bans","count":2"#, "-- 2 bans and mutes", "-- 封禁与禁言2项"),
        (r#""event":"ok","verb":"kick""#, "-- kick|ok|why", "-- kick|ok|why"),
    ] {
        let line = format!("{{{from},{rest}}}");
        assert_eq!([shown_line(PLAIN, &line), shown_line(zh, &line)], [english, chinese]);
    }
    let announced = r#"{"event":"notice","code":"announced","text":"lunch","from":{"name":"ann","addr":"::1"}}"#;
    assert_eq!(
        [shown_line(PLAIN, announced), shown_line(zh, announced)],
        ["-- notice[ann] lunch", "-- 公告[ann] lunch"]
    );
    let colours = Look { has_colours: true, ..PLAIN };
    assert_eq!(shown_line(colours, announced), "\x1b[1m-- notice[ann] lunch\x1b[0m");
}

#[test]
fn mentions_stand_out() {
    let colours = Look { has_colours: true, ..PLAIN };
    assert_eq!(shown(PLAIN, "message", "hi bob"), "* ann: hi bob");
    assert!(shown(colours, "message", "hi bob").ends_with(": \x1b[1;7mhi bob\x1b[0m"));
    assert!(shown(colours, "message", "hi all").ends_with("mann\x1b[0m: hi all"));
}

#[test]
fn nothing_raw_is_rendered() {
    assert_eq!(shown(PLAIN, "message", r"\u001b[2J\u202e"), r"ann: \u{1b}[2J\u{202e}");
    assert_eq!(shown(PLAIN, "message", "שלום"), "ann: \u{2068}שלום\u{2069}");
}
