use super::{super::lists::LIST_MAX, *};

fn identity(name: &str) -> Arc<Identity> {
    Arc::new(Identity { name: name.to_owned(), addr: format!("1.2.3.4:{name}"), is_account: false })
}

/// What Bob is shown of these lines of the server, and what the last one means.
fn shown(hides_own: bool, lines: &[String]) -> (String, Effect) {
    let style = Style { has_colours: false, shows_addr: false, lang: Lang::En, me: identity("") };
    let mut talk = Talk::new(style, "host:9999".to_owned(), hides_own);
    talk.now = "1970-01-01T12:34[UTC]".parse().unwrap();
    talk.connected(identity("bob"), Lang::En, false);
    let mut effect = Effect::None;
    lines.iter().for_each(|line| effect = talk.receive(line));
    (talk.take_above(), effect)
}

fn from(name: &str, event: &str) -> String {
    format!(r#"{{"from":{{"name":"{name}","addr":"1.2.3.4:{name}"}},"event":"{event}","text":"hi","old":"x"}}"#)
}

fn end(count: usize) -> String {
    format!(r#"{{"event":"users_end","count":{count}}}"#)
}

#[test]
fn the_first_list_is_the_greeting() {
    let list = [from("ann", "user"), from("bob", "user"), end(2)];
    let greeting = "12:34 -- connected to host:9999 as bob, 2 online; /help for commands\n";
    assert_eq!(shown(false, &list).0, greeting);
    assert_eq!(shown(false, &[&list[..], &list].concat()).0, format!("{greeting}12:34 -- 2 online: ann, bob\n"));
    let crowd = vec![from("ann", "user"); LIST_MAX + 1];
    let (text, _) = shown(false, &[&[end(0)], &crowd[..], &[end(LIST_MAX + 1)]].concat());
    assert!(text.ends_with(", ann and 1 more\n"), "{text}");
    let long = [from(&"x".repeat(IDENTITY_BYTES_MAX), "user"), end(1)]; // its address is longer
    assert!(shown(false, &[&[end(0)], &long[..]].concat()).0.ends_with("-- 1 online:  and 1 more\n"));
}

#[test]
fn ones_own_line_stands_once() {
    let own = [from("bob", "online"), from("bob", "message")];
    assert_eq!(shown(false, &own).0, "12:34 bob: hi\n");
    assert_eq!(shown(true, &own).0, "", "the terminal has echoed it");
}

#[test]
fn a_new_name_is_told_once() {
    let own = [from("bob", "renamed"), from("bob", "known_as")];
    assert_eq!(shown(false, &own).0, "12:34 -- you are now bob\n");
    assert_eq!(shown(false, &[from("ann", "known_as")]).0, "12:34 x is now ann\n");
    let in_room = |line: String| line.replace('}', r#","room":"builds"}"#).replacen(r#","room":"builds"}"#, "}", 1);
    for event in ["known_as", "offline"] {
        let in_both = [from("ann", event), in_room(from("ann", event))];
        assert_eq!(shown(false, &in_both), shown(false, &in_both[..1]), "{event} in two rooms");
    }
    let again = [from("ann", "offline"), from("ann", "online"), from("ann", "offline")];
    assert_eq!(shown(false, &again).0.matches("ann is offline").count(), 2);
}

#[test]
fn rooms_are_a_list() {
    let room = |name, text| format!(r#"{{"event":"room","room":"{name}","count":2,"text":{text}}}"#);
    let end = |verb, count| format!(r#"{{"event":"ok","verb":"{verb}","room":"builds","count":{count}}}"#);
    let rooms = [room("builds", "\"nightly\""), room("lobby", "null"), end("rooms", 2)];
    assert_eq!(shown(false, &rooms).0, "12:34 -- #builds (2): nightly\n12:34 -- lobby (2)\n");
    let many = [&vec![room("x", "null"); LIST_MAX + 1][..], &[end("rooms", LIST_MAX + 1)]].concat();
    let (text, _) = shown(false, &many);
    assert!(text.ends_with("12:34 -- #x (2)\n12:34 -- and 1 more\n"), "{text}");
    let members = [self::end(0), from("ann", "user"), end("who", 1)];
    assert!(shown(false, &members).0.ends_with("\n12:34 -- #builds: 1 online: ann\n"));
}

#[test]
fn what_the_user_does_in_a_room_is_told_once() {
    let done = |verb| format!(r#"{{"event":"ok","verb":"{verb}","room":"builds","count":1,"text":"x"}}"#);
    for (event, verb, text) in [
        ("joined", "join", "12:34 -- you are in #builds, 1 there, topic: x\n"),
        ("left", "leave", "12:34 -- you have left #builds\n"),
        ("topic", "topic", "12:34 -- #builds topic: x\n"),
    ] {
        assert_eq!(shown(false, &[from("bob", event), done(verb)]).0, text);
    }
    assert_eq!(shown(false, &[done("in")]).0, "12:34 -- said in #builds\n");
    assert!(!shown(false, &[done("join"), done("in")]).0.contains("said"), "it is heard there");
}

#[test]
fn some_messages_have_an_effect() {
    let farewell = |code| format!(r#"{{"event":"farewell","code":"{code}","text":"because"}}"#);
    for (line, text, effect) in [
        (from("rob", "renamed"), "12:34 -- you are now rob\n", Effect::Renamed("rob".to_owned())),
        (farewell("quit"), "12:34 -- because\n", Effect::Goodbye),
        (farewell("idle"), "", Effect::Farewell("idle".to_owned(), "because".to_owned())),
        (r#"{"event":"wait","code":"timeout"}"#.to_owned(), "12:34 -- wait timed out\n", Effect::WaitTimedOut),
        ("plain \x1b".to_owned(), "12:34 plain \\u{1b}\n", Effect::None),
        ("{".to_owned(), "", Effect::None),
    ] {
        assert_eq!(shown(false, &[line]), (text.to_owned(), effect));
    }
}

#[test]
fn what_has_happened_before_stands_behind_a_mark_with_its_own_time() {
    let past = |at: &str, event: &str| {
        let line = from("ann", event).replace("hi", r"hi bob\u001b");
        line.replacen('{', &format!(r#"{{"at":"{at}","pos":"7.abcde","replay":true,"room":"builds","#), 1)
    };
    let today = past("1970-01-01T09:30:00Z", "message");
    assert_eq!(shown(false, std::slice::from_ref(&today)).0, "09:30 | #builds * ann: hi bob\\u{1b}\n");
    assert_eq!(shown(true, &[today.replace("ann", "bob")]).0.matches("| #builds bob: ").count(), 1, "nobody echoed it");
    assert_eq!(
        shown(false, &[past("1969-12-31T23:59:59Z", "joined")]).0,
        "1969-12-31 23:59 | #builds ann has joined\n"
    );
    let kept = today.replace("message", "private").replace("\"room\":\"builds\"", "\"room\":null");
    assert_eq!(shown(false, &[kept]).0, "09:30 | ann -> you: hi bob\\u{1b}\n");
    let ends = r#"{"event":"ok","verb":"history","room":"builds","count":1,"pos":"7.abcde"}"#.to_owned();
    assert_eq!(shown(false, std::slice::from_ref(&ends)), (String::new(), Effect::None));
    for line in [past("x", "message"), today.replace("7.abcde", "7"), today.replace("\"pos\"", "\"x\"")] {
        assert_eq!(shown(false, &[line]).0, "", "without a time or a position it is none");
    }
}
