use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::chat::Secret;

fn say(text: &str) -> Result<Line, FormError> {
    Ok(Line::Command(Command::Say(text.to_owned())))
}

fn join(room: &str, start: Option<Start>) -> Result<Line, FormError> {
    Ok(Line::Command(Command::Join { room: room.to_owned(), start }))
}

fn history(room: &str, start: Start) -> Result<Line, FormError> {
    Ok(Line::Command(Command::History(Stretch::of(room.to_owned(), start))))
}

fn account(command: AccountCommand) -> Result<Line, FormError> {
    Ok(Line::Command(Command::Account(command)))
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn bob() -> Option<String> {
    Some("bob".to_owned())
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn private(to: &str, text: &str) -> Result<Line, FormError> {
    Ok(Line::Command(Command::Private { to: to.to_owned(), text: text.to_owned() }))
}

#[test]
fn verbs_and_chat() {
    for (line, command) in [
        ("", Ok(Line::Blank)),
        ("hi", say("hi")),
        (" ", say(" ")),
        ("who", Ok(Line::Command(Command::Who))),
        ("who ", Ok(Line::Command(Command::Who))),
        ("Ｗho", Ok(Line::Command(Command::Who))),
        ("Say", say("Say")),
        (" say ", say(" say ")),
        ("SAY｜ a｜b", say(" a｜b")),
        ("rename|张三", Ok(Line::Command(Command::Rename("张三".to_owned())))),
        ("rename|", Ok(Line::Command(Command::Rename(String::new())))),
        ("rename|a|b", Ok(Line::Command(Command::Rename("a|b".to_owned())))),
        ("rename", say("rename")),
        ("to|bob|hi", private("bob", "hi")),
        ("to|bob|a|b", private("bob", "a|b")),
        (" To｜bob｜a｜b ", private("bob", "a｜b ")),
        ("to|a b|x", private("a b", "x")),
        ("login bob secret", Err(FormError::Usage(Verb::Login))),
        ("logn|bob|secret", Err(FormError::UnknownVerb)),
        ("pc_0123456789abcdefghjkmnpqrs", Err(FormError::Usage(Verb::Login))),
        ("login pc_0123456789abcdefghjkmnpqrs", Err(FormError::Usage(Verb::Login))),
        ("login", Err(FormError::Usage(Verb::Login))),
        ("login|", Err(FormError::Usage(Verb::Login))),
        ("Login｜bob｜ se｜cr|et ", account(AccountCommand::Login { name: bob(), secret: secret(" se｜cr|et ") })),
        ("login|pc_x", account(AccountCommand::Login { name: None, secret: secret("pc_x") })),
        ("register|12345678", account(AccountCommand::Register(secret("12345678")))),
        ("register", Err(FormError::Usage(Verb::Register))),
        ("password|a|b|c", account(AccountCommand::Password { old: secret("a"), new: secret("b|c") })),
        ("password|a", Err(FormError::Usage(Verb::Password))),
        ("unregister|a", account(AccountCommand::Unregister(secret("a")))),
        ("token|ci", account(AccountCommand::Token("ci".to_owned()))),
        ("token|a|b", Err(FormError::Usage(Verb::Token))),
        ("token|", Err(FormError::Usage(Verb::Token))),
        ("tokens", account(AccountCommand::Tokens)),
        ("tokens|x", Err(FormError::Usage(Verb::Tokens))),
        ("tokens are short", say("tokens are short")),
        ("revoke|ci", account(AccountCommand::Revoke("ci".to_owned()))),
        ("revoke", say("revoke")),
        ("say|login|bob|secret", say("login|bob|secret")),
        ("to|bob|", private("bob", "")),
        ("to|bob", Err(FormError::PrivateUsage)),
        ("to|", Err(FormError::PrivateUsage)),
        ("to||hi", Err(FormError::PrivateUsage)),
        ("to", say("to")),
        ("a|b", say("a|b")),
        ("say|who", say("who")),
        ("say|", say("")),
        ("help", Ok(Line::Help)),
        ("quit", Ok(Line::Quit)),
        ("stay", Ok(Line::Set(Setting::Stay))),
        (" Visit", Ok(Line::Set(Setting::Visit))),
        ("visit the museum", say("visit the museum")),
        ("visit|x", Err(FormError::Usage(Verb::Visit))),
        ("who|builds", Ok(Line::Command(Command::WhoIn("builds".to_owned())))),
        ("who|", Ok(Line::Command(Command::WhoIn(String::new())))),
        ("rooms ", Ok(Line::Command(Command::Rooms))),
        ("rooms|x", Err(FormError::Usage(Verb::Rooms))),
        ("rooms are nice", say("rooms are nice")),
        ("join|#builds", join("#builds", None)),
        ("join|a|since|42", join("a", Some(Start::Behind(42, None)))),
        ("join|a|since|42.abcde", join("a", Some(Start::Behind(42, Some("abcde".parse().unwrap()))))),
        ("join|a|since|42.abc", join("a", Some(Start::Unknown))),
        ("join|a|since|99999999999999999999.abcde", join("a", Some(Start::Unknown))),
        ("join|a|since|10m", join("a", Some(Start::Ago(Duration::from_secs(600))))),
        ("join|a|since|1.5h", join("a", Some(Start::Ago(Duration::from_secs(5400))))),
        ("join|a|since|2026-11-25T09:30:00Z", join("a", Some(Start::At(time("2026-11-25T09:30:00Z"))))),
        ("join|a|since|2026-11-25T09:30:00.5+08:00", join("a", Some(Start::At(time("2026-11-25T01:30:00.5Z"))))),
        ("join｜a｜last｜0", join("a", Some(Start::Last(0)))),
        ("join|a|last|1001", Err(FormError::Usage(Verb::Join))),
        ("join|a|last|+3", Err(FormError::Usage(Verb::Join))),
        ("join|a|last|-1", Err(FormError::Usage(Verb::Join))),
        ("join|a|since|", Err(FormError::Usage(Verb::Join))),
        ("join|a|since|-", join("a", Some(Start::Unknown))),
        ("join|a|since|--", Err(FormError::Usage(Verb::Join))),
        ("join|a|since|-1", Err(FormError::Usage(Verb::Join))),
        ("join|a|since|.abcde", Err(FormError::Usage(Verb::Join))),
        ("join|a|since|.", Err(FormError::Usage(Verb::Join))),
        ("join|a|since|1.5", Err(FormError::Usage(Verb::Join))),
        ("join|a|since|5x", Err(FormError::Usage(Verb::Join))),
        ("join|a|since|99999999999999999999", Err(FormError::Usage(Verb::Join))),
        ("join|a|since|2026-11-25T09:30:00", Err(FormError::Usage(Verb::Join))),
        ("join|a|since|2026-11-25T09:30:00.0000000000000000000000000Z", Err(FormError::Usage(Verb::Join))),
        ("join|a|since|0000000000000000000000000000000000000042", join("a", Some(Start::Behind(42, None)))), // 40 digits
        ("join|a|since|00000000000000000000000000000000000000042", Err(FormError::Usage(Verb::Join))),
        ("join|a|since|000000000000000000000000000000000000000042", Err(FormError::Usage(Verb::Join))),
        ("join|a|b", Err(FormError::Usage(Verb::Join))),
        ("join|a|after|5", Err(FormError::Usage(Verb::Join))),
        ("history|a", history("a", Start::Last(20))),
        ("history|a|1000", history("a", Start::Last(1000))),
        ("history|a|since|250ms", history("a", Start::Ago(Duration::from_millis(250)))),
        ("history|a|1001", Err(FormError::Usage(Verb::History))),
        ("history|a|+3", Err(FormError::Usage(Verb::History))),
        ("history|a|last|5", Err(FormError::Usage(Verb::History))),
        ("history|a|", Err(FormError::Usage(Verb::History))),
        ("history|a|since", Err(FormError::Usage(Verb::History))),
        ("history", say("history")),
        ("join", say("join")),
        ("Leave｜builds", Ok(Line::Command(Command::Leave("builds".to_owned())))),
        ("leave", say("leave")),
        ("in|builds|a|b", Ok(Line::Command(Command::In { room: "builds".to_owned(), text: "a|b".to_owned() }))),
        ("in|builds|", Ok(Line::Command(Command::In { room: "builds".to_owned(), text: String::new() }))),
        ("in|builds", Err(FormError::Usage(Verb::In))),
        ("in", say("in")),
        ("topic|builds", Ok(Line::Command(Command::Topic { room: "builds".to_owned(), text: None }))),
        (
            "topic|builds|a|b",
            Ok(Line::Command(Command::Topic { room: "builds".to_owned(), text: Some("a|b".to_owned()) })),
        ),
        ("topic", say("topic")),
        (
            "wait|9|members|builds|2",
            Ok(Line::Command(Command::Wait(Duration::from_secs(9), WaitFor::Members("builds".to_owned(), 2)))),
        ),
        ("wait|9|members|builds", Err(FormError::Usage(Verb::Wait))),
        ("wait|9|members|builds|+2", Err(FormError::Usage(Verb::Wait))),
        ("wait|9|users|+3", Err(FormError::Usage(Verb::Wait))),
        (
            "wait|9|in|builds|a|b",
            Ok(Line::Command(Command::Wait(
                Duration::from_secs(9),
                WaitFor::In { room: "builds".to_owned(), part: "a|b".to_owned() },
            ))),
        ),
        (
            "wait|9|by|ann|builds|a|b",
            Ok(Line::Command(Command::Wait(
                Duration::from_secs(9),
                WaitFor::By { account: "ann".to_owned(), room: Some("builds".to_owned()), part: "a|b".to_owned() },
            ))),
        ),
        (
            "wait|9|by|ann|@|a",
            Ok(Line::Command(Command::Wait(
                Duration::from_secs(9),
                WaitFor::By { account: "ann".to_owned(), room: None, part: "a".to_owned() },
            ))),
        ),
        ("wait|9|by|ann|builds|", Err(FormError::Usage(Verb::Wait))),
        ("wait|9|by|ann|builds", Err(FormError::Usage(Verb::Wait))),
        ("wait|9|in|builds|", Err(FormError::Usage(Verb::Wait))),
        ("help|x", Err(FormError::Usage(Verb::Help))),
        ("quit|x", Err(FormError::Usage(Verb::Quit))),
        ("stay|x", Err(FormError::Usage(Verb::Stay))),
        ("sync|a|b", Ok(Line::Command(Command::Sync("a|b".to_owned())))),
        ("check|a|b", Ok(Line::Check("a|b".to_owned()))),
        ("check", say("check")),
        ("format|text", Ok(Line::Set(Setting::Format(Format::Text)))),
        ("format|json", Ok(Line::Set(Setting::Format(Format::Json)))),
        ("format|xml", Err(FormError::Usage(Verb::Format))),
        ("lang|zh", Ok(Line::Set(Setting::Lang(Lang::Zh)))),
        ("lang|en", Ok(Line::Set(Setting::Lang(Lang::En)))),
        ("lang|", Err(FormError::Usage(Verb::Lang))),
        (
            "wait|1.5|user|bob",
            Ok(Line::Command(Command::Wait(Duration::from_millis(1500), WaitFor::User("bob".to_owned())))),
        ),
        (
            "wait|60|gone|bob",
            Ok(Line::Command(Command::Wait(Duration::from_secs(60), WaitFor::Gone("bob".to_owned())))),
        ),
        ("wait|0|users|3", Ok(Line::Command(Command::Wait(Duration::ZERO, WaitFor::Users(3))))),
        ("wait|9|text|a|b", Ok(Line::Command(Command::Wait(Duration::from_secs(9), WaitFor::Text("a|b".to_owned()))))),
        (
            "wait|5m|user|bob",
            Ok(Line::Command(Command::Wait(Duration::from_secs(300), WaitFor::User("bob".to_owned())))),
        ),
        (
            "wait|250ms|user|bob",
            Ok(Line::Command(Command::Wait(Duration::from_millis(250), WaitFor::User("bob".to_owned())))),
        ),
        ("Wait ｜9｜users|2", Ok(Line::Command(Command::Wait(Duration::from_secs(9), WaitFor::Users(2))))),
        (
            "wait｜9|text｜a｜b",
            Ok(Line::Command(Command::Wait(Duration::from_secs(9), WaitFor::Text("a｜b".to_owned())))),
        ),
        ("wait|5w|user|bob", Err(FormError::Usage(Verb::Wait))),
        ("wait|000000000000000000000|user|bob", Err(FormError::Usage(Verb::Wait))), // 21 digits
        ("wait|9|text|", Err(FormError::Usage(Verb::Wait))),
        ("wait|-1|user|bob", Err(FormError::Usage(Verb::Wait))),
        ("wait|nan|user|bob", Err(FormError::Usage(Verb::Wait))),
        ("wait|9999999999999999999999999|user|bob", Err(FormError::Usage(Verb::Wait))),
        ("wait|0.0000000000000000000|user|bob", Err(FormError::Usage(Verb::Wait))),
        (
            "wait|0.000000000000000000|user|bob",
            Ok(Line::Command(Command::Wait(Duration::ZERO, WaitFor::User("bob".to_owned())))),
        ),
        ("wait|9|users|x", Err(FormError::Usage(Verb::Wait))),
        ("wait|9|moon|full", Err(FormError::Usage(Verb::Wait))),
        ("wait|", Err(FormError::Usage(Verb::Wait))),
        ("GET / HTTP/1.1", say("GET / HTTP/1.1")),
        ("GET me a drink", say("GET me a drink")),
        ("a\0b", Err(FormError::Nul)),
    ] {
        assert_eq!(parse(line.as_bytes()), command, "{line:?}");
    }
}

#[test]
fn every_byte_is_text_or_refused() {
    for byte in 0..=255u8 {
        let line = [b'x', byte, b'y'];
        match parse(&line) {
            Ok(Line::Command(Command::Say(text))) => assert_eq!((text.as_bytes(), byte < 0x80), (&line[..], true)),
            Err(FormError::Nul) => assert_eq!(byte, 0),
            Err(FormError::NotUtf8) => assert!(byte >= 0x80),
            other => panic!("{byte}: {other:?}"),
        }
    }
}
