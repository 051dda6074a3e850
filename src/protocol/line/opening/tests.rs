use super::*;

#[test]
fn a_verb_is_known_however_it_is_typed() {
    for (line, verb, arguments) in [
        ("who", Verb::Who, None),
        ("WHO", Verb::Who, None),
        ("who ", Verb::Who, None),
        ("\t Who\u{3000}", Verb::Who, None),
        ("ｗｈｏ", Verb::Who, None),
        ("ＷHｏ", Verb::Who, None),
        ("to|bob|x", Verb::To, Some("bob|x")),
        ("To |bob|x", Verb::To, Some("bob|x")),
        (" tＯ｜bob｜x", Verb::To, Some("bob｜x")),
        ("\u{200b}\u{feff}to\u{200b}|bob|\u{200b}", Verb::To, Some("bob|\u{200b}")),
        ("\u{200e}who\u{200e}", Verb::Who, None),
        ("\u{1b}[A\u{1b}OB \u{1b}[3~\u{1b}[1;5Cto\u{1b}[D|bob|x", Verb::To, Some("bob|x")),
        ("\u{1b}who\u{1b}[", Verb::Who, None),
        ("say| x ", Verb::Say, Some(" x ")),
        ("RENAME|", Verb::Rename, Some("")),
        ("\u{200b}to|bob|x", Verb::To, Some("bob|x")),
        ("t\u{ad}o\u{200b} \u{feff}|bob|x", Verb::To, Some("bob|x")),
        ("\u{1b}[200~ to|bob|x", Verb::To, Some("bob|x")),
        ("tp\u{8}o|bob|x", Verb::To, Some("bob|x")),
        ("hi\u{7f}\u{7f}who", Verb::Who, None),
    ] {
        assert_eq!(Opening::of(line), Opening::Verb(verb, arguments), "{line:?}");
    }
}

#[test]
fn every_verb_is_known() {
    for verb in Verb::ALL {
        let word = verb.word();
        assert_eq!(Opening::of(&format!("{}|", word.to_uppercase())), Opening::Verb(verb, Some("")), "{word}");
        let wide: String =
            word.chars().map(|c| char::from_u32(u32::from(c) - 0x21 + 0xff01).expect("a wide letter")).collect();
        assert_eq!(Opening::of(&wide), Opening::Verb(verb, None), "{wide}");
    }
}

#[test]
fn what_may_carry_a_secret_is_never_said() {
    for line in [
        "login bob x",
        "ｌｏｇｉｎ bob",
        "logn|bob|x",
        "loginn bob x",
        "lögin|bob|x",
        "log1n|bob|x",
        "lgoin|bob|x",
        "olgin|bob|x",
        "ogin|bob|x",
        "/login bob x",
        "／login bob x",
        "login:bob:x",
        "password=x",
        "Pasword|x",
        "passwrod x",
        "token please",
        "tokn|x",
        "taken |x",
        "regsiter|bob|x",
        "\u{200b}login bob x",
        "\u{1b}[Alogin bob x",
        "taken\u{200b}|x",
        "unregisterr|x",
        "unregster|x",
        "log\u{200b}in bob x",
        "\u{feff}l\u{ad}ogin bob x",
        "\u{1b}[200~login bob x",
        "lgoi\u{8}\u{8}\u{8}ogin bob x",
        "/join\u{8}\u{8}\u{8}\u{8}login bob x",
        "passwd|old|new",
        "pc_0123456789abcdefghjkmnpqrs",
        " \u{200b}pc_0123456789abcdefghjkmnpqrs ",
        "\u{1b}[200~`pc_0123456789abcdefghjkmnpqrs`",
        "\"pc_0123456789abcdefghjkmnpqrs\"。",
        "login pc_0123456789abcdefghjkmnpqrs",
        "Login: pc_0123456789abcdefghjkmnpqrs",
        "/login pc_0123456789abcdefghjkmnpqrs",
    ] {
        assert!(matches!(Opening::of(line), Opening::Secret(_)), "{line:?}");
    }
}

#[test]
fn all_else_is_chat() {
    for line in [
        "",
        " ",
        "hi",
        "who is there?",
        "who?",
        "whoo",
        "wh o",
        "/who",
        "a|b",
        "|to|bob|x",
        "to: bob",
        "tp|bob|x",
        "log in",
        "lgon bob",
        "loixn|bob|x",
        "lixgn|bob|x",
        "logic says so",
        "Taken!",
        "tokens are short",
        "passwd is a file",
        "my token is gone",
        "loginbob|x",
        "登录|x",
        "你好login",
        "login失败了",
        "passphrase|x",
        "w𝗵o",
        "unregisterrrrrrrrrr|x",
    ] {
        assert_eq!(Opening::of(line), Opening::Chat, "{line:?}");
    }
}
