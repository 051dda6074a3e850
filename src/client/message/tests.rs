use super::*;

#[test]
fn news_are_told_apart_without_parsing() {
    for event in ["online", "offline", "known_as", "joined", "left", "topic", "message", "private", "notice"] {
        assert!(ServerMessage::is_news(&format!(r#"{{"seq":1,"event":"{event}","from":null}}"#)), "{event}");
    }
    for event in ["user", "users_end", "room", "ok", "sync", "wait", "refused", "renamed", "set", "sanction"] {
        assert!(!ServerMessage::is_news(&format!(r#"{{"seq":1,"event":"{event}","from":null}}"#)), "{event}");
    }
}

/// What `line` is in the text dialect; "" if it is not understood.
fn shown(line: &str) -> String {
    let text = ServerMessage::parse(line).map(|message| message.in_text(Lang::En));
    String::from_utf8(text.unwrap_or_default()).unwrap()
}

const FROM: &str = r#""from":{"name":"a\u001b[2J\u202eb\nc","addr":"\u009b1\r"}"#;

#[test]
fn each_field_is_escaped() {
    let name = r"a\u{1b}[2J\u{202e}b\u{a}c";
    let addr = r"\u{9b}1\u{d}";
    let from = format!("[{addr}]{name}:");
    for (rest, expected) in [
        (r#""event":"online""#, format!("{from}is online\n")),
        (r#""event":"offline""#, format!("{from}is offline\n")),
        (r#""event":"message","text":"\u0007\u2028""#, format!("{from}\\u{{7}}\\u{{2028}}\n")),
        (r#""event":"private","text":"\u007f""#, format!("from:[{name}] says:\\u{{7f}}\n")),
        (r#""event":"user""#, format!("[{name}] is online\n")),
        (r#""event":"renamed","old":"\u0085""#, format!("renamed,[\\u{{85}}]->[{name}]\n")),
        (r#""event":"known_as","old":"\u0085""#, format!("[{addr}]\\u{{85}} is now [{name}]\n")),
        (r#""event":"joined","room":"\u001b""#, format!("#\\u{{1b}} [{addr}]{name} has joined\n")),
        (r#""event":"offline","room":"r""#, format!("#r [{addr}]{name} is offline\n")),
        (r#""event":"left","room":"lobby""#, format!("[{addr}]{name} has left\n")),
        (r#""event":"topic","room":"r","text":"\n""#, format!("#r [{addr}]{name} topic: \\u{{a}}\n")),
        (r#""event":"message","room":"r","text":"hi""#, format!("#r {from}hi\n")),
        (r#""event":"private","room":"r","text":"hi""#, format!("from:[{name}] says:hi\n")),
        (r#""event":"room","room":"\n","count":2,"text":null"#, "rooms|2|\\u{a}|\n".to_owned()),
        (r#""event":"ok","verb":"join","room":"\n","count":2,"text":"t""#, "join|ok|\\u{a}|2|-|t\n".to_owned()),
        (r#""event":"ok","verb":"who","room":"r","count":2"#, "who|ok|r|2\n".to_owned()),
        (r#""event":"ok","verb":"check","text":"\n""#, "check|ok|\\u{a}\n".to_owned()),
        (r#""event":"refused","verb":"in","code":"\n","text":"\n""#, "in|\\u{a}|\\u{a}\n".to_owned()),
        (r#""event":"refused","verb":"\n","code":"x","text":"no""#, "no\n".to_owned()),
        (
            r#""event":"message","room":"\u001b","text":"\n","at":"2026-11-25T09:30:00Z","pos":"7.abcde","replay":true"#,
            format!("history|7.abcde|2026-11-25T09:30:00.000Z|#\\u{{1b}} {from}\\u{{a}}\n"),
        ),
        (r#""event":"message","text":"x","at":"soon","pos":"7.abcde","replay":true"#, String::new()),
        (r#""event":"message","text":"x","at":"2026-11-25T09:30:00Z","pos":"7.\u001b","replay":true"#, String::new()),
        (
            r#""event":"ok","verb":"history","room":"r","count":2,"code":"more","pos":"7.abcde""#,
            "history|more|r|2|7.abcde\n".to_owned(),
        ),
        (r#""event":"ok","verb":"in","room":"r","pos":"\u001b""#, "in|ok|r|-\n".to_owned()),
        (
            r#""event":"notice","text":"\n","code":"announced""#,
            r"notice[a\u{1b}[2J\u{202e}b\u{a}c] \u{a}".to_owned() + "\n",
        ),
        (
            r#""event":"sanction","text":"\n","code":"ban","old":null"#,
            r"bans|-|ban|a\u{1b}[2J\u{202e}b\u{a}c|-|\u{a}".to_owned() + "\n",
        ),
        (r#""event":"ok","verb":"kick","text":"\n""#, "kick|ok|\\u{a}\n".to_owned()),
        (
            r#""event":"refused","verb":"join","code":"history-gone","room":"\n","pos":"7.abcde","text":"\n""#,
            "join|history-gone|\\u{a}|7.abcde|\\u{a}\n".to_owned(),
        ),
        (r#""event":"sync","text":"\n""#, "sync|\\u{a}\n".to_owned()),
        (r#""event":"wait","code":"ok","text":"\n""#, "wait|ok|\\u{a}\n".to_owned()),
        (r#""event":"set","text":"a\n\u001b""#, "a\\u{a}\\u{1b}\n".to_owned()),
        (r#""event":"refused","code":"","text":"a\n\u001b""#, "a\\u{a}\\u{1b}\n".to_owned()),
        (r#""event":"farewell","code":"","text":"a\n\u001b""#, "a\\u{a}\\u{1b}\n".to_owned()),
        (r#""event":"help","text":"a\r\nb\u001b""#, "a\\u{d}\nb\\u{1b}\n".to_owned()),
    ] {
        assert_eq!(shown(&format!("{{{FROM},{rest}}}")), expected, "{rest}");
    }
}

#[test]
fn what_keeps_order_is_shown_as_the_server_writes_it() {
    let (op, by) = (r#""from":{"name":"op","addr":"::1"}"#, "notice[op]");
    let until = r#""old":"2026-11-25T09:30:00Z""#;
    for (rest, expected) in [
        (format!(r#"{op},"event":"notice","text":"lunch","code":"announced""#), format!("{by} lunch")),
        (format!(r#"{op},"event":"notice","text":"x","code":"kicked""#), format!("{by} you were kicked: x")),
        (
            format!(r#"{op},"event":"notice","code":"muted","room":"r",{until}"#),
            format!("{by} you are muted in room #r until 2026-11-25T09:30:00.000Z"),
        ),
        (r#""from":null,"event":"notice","code":"banned""#.to_owned(), "notice you are banned".to_owned()),
        (
            format!(r#"{op},"event":"sanction","text":"x","code":"mute",{until}"#),
            "bans|2026-11-25T09:30:00.000Z|mute|op|-|x".to_owned(),
        ),
        (
            format!(r#""event":"ok","verb":"ban","text":"bob",{until}"#),
            "ban|ok|bob|2026-11-25T09:30:00.000Z".to_owned(),
        ),
        (r#""event":"ok","verb":"mute","text":"bob","old":null"#.to_owned(), "mute|ok|bob|-".to_owned()),
        (r#""event":"ok","verb":"bans","count":2"#.to_owned(), "bans|ok|2".to_owned()),
        (r#""event":"ok","verb":"lock","room":"r""#.to_owned(), "lock|ok|r".to_owned()),
        (r#""event":"ok","verb":"invite","room":"r","text":"bob""#.to_owned(), "invite|ok|r|bob".to_owned()),
        (r#""event":"ok","verb":"announce""#.to_owned(), "announce|ok".to_owned()),
        (r#""event":"ok","verb":"shutdown","old":null"#.to_owned(), "shutdown|ok|-".to_owned()),
    ] {
        assert_eq!(shown(&format!("{{{rest}}}")), format!("{expected}\n"), "{rest}");
    }
}

#[test]
fn names_are_changed_after_they_are_escaped() {
    let message = ServerMessage::parse(&format!(r#"{{{FROM},"event":"user"}}"#)).unwrap();
    let text = message.with_names(|name| format!("\x1b[31m{name}\x1b[0m")).in_text(Lang::En);
    assert_eq!(text, b"[\x1b[31ma\\u{1b}[2J\\u{202e}b\\u{a}c\x1b[0m] is online\n");
}

#[test]
fn what_is_no_event_is_ignored() {
    let deep = format!("{}{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    let wide = format!(r#"{{"event":"sync","text":"x","a":[{}0]}}"#, "0,".repeat(VALUES_MAX));
    for line in [
        "",
        "{",
        "{}",
        "[]",
        "null",
        "\"event\"",
        "7",
        "[{\"event\":\"sync\"}]",
        &"[".repeat(1_000_000),
        &deep,
        &wide,
        r#"{"event":7}"#,
        r#"{"event":"moon"}"#,
        r#"{"event":"sync"}"#,
        r#"{"event":"message","text":"x"}"#,
        r#"{"event":"message","text":"x","from":7}"#,
        r#"{"event":"message","text":"x","from":{"name":[],"addr":{}}}"#,
        r#"{"event":"ok","verb":"moon","room":"x"}"#,
        r#"{"event":"ok","verb":"join","room":"x"}"#,
        r#"{"event":"notice","text":"x"}"#,
        r#"{"event":"notice","text":"x","code":"moon"}"#,
        r#"{"event":"notice","text":"x","code":"muted","old":"soon"}"#,
        r#"{"event":"sanction","code":"ban"}"#,
        r#"{"event":"users_end","count":-1}"#,
        r#"{"event":"users_end","count":1.5}"#,
        r#"{"event":"users_end","count":18446744073709551616}"#,
        r#"{"event":"users_end","count":1e999999999}"#,
        r#"{"event":"sync","text":"\ud800"}"#,
        "{\"event\":\"sync\",\"text\":\"\x1b\"}",
    ] {
        assert_eq!(shown(line), "", "{line:.100}");
    }
    let commas = ",[{".repeat(VALUES_MAX);
    assert_eq!(shown(&format!(r#"{{"event":"sync","text":"\"{commas}"}}"#)), format!("sync|\"{commas}\n"));
}
