use proptest::prelude::*;
use unicode_script::Script;
use unicode_security::skeleton;

use super::*;

#[test]
fn what_may_be_a_name() {
    for name in [
        "ann",
        "张三",
        "O'Brien",
        "a",
        "Ünal",
        "x_1-2.3",
        "C#",
        "🦀",
        "1.2.3",
        "LouisⅠ",
        "x¹",
        "नमस्ते",
        "दुःख",
        "લુઃખ",
        "Việt",
        "ệ\u{323}\u{325}",
        "လျှို့ဝှက်",
        "ஸ்ரீ",
        "علي",
        "على",
        "עומר",
        "한국인",
        "ディスコ",
        "㌖",
        // Joiners in words.
        "ශ්‍රී",
        "علی‌رضا",
        "می‌شود",
        "خبر‌گزاری",
        "ക്‌ഷ",
        "അനില്‍",
        "ক্‍ষ",
        // Emoji in several characters.
        "❤️",
        "❤︎",
        "❤️‍🔥",
        "👩‍💻",
        "👩🏽‍💻",
        "👨‍👩‍👧",
        "🏳️‍🌈",
        "🐻‍❄️",
        "👩‍⚕️",
        "👁️‍🗨️",
        "ann❤️",
        "1️⃣",
        "™️",
        "🇮🇱",
        &"长".repeat(32),
        &"🦀".repeat(32),
    ] {
        assert_eq!(Name::parse(name).as_ref().map(Name::as_str), Ok(name), "{name:?}");
    }
}

#[test]
fn what_may_not() {
    use NameRule::{Address, Empty, Invisible, Marks, Punctuation, RoomSign, Space, TooLong};
    let many = |c: &str, n| c.repeat(n);
    for (rule, names) in [
        (Empty, &[""][..]),
        (TooLong, &[&many("x", 33), &many("长", 33), &many("x", 4096), &many("ﷺ", 8), &many("㌖", 17)]),
        (
            Space,
            &["a b", " a", "a\tb", "a\u{a0}b", "a\u{3000}b", "a\u{2028}b", "\u{2800}", "\u{1d159}", "\u{b4}a", "ﷺ"],
        ),
        (Punctuation, &["a|b", "[a", "a]", "a:b", "127.0.0.1:80", "[::1]", "::1"]),
        (Punctuation, &["a：b", "［a", "a］", "a｜b", "a￨b", "a︲b", "a︓b", "a︰b", "﹇a", "a﹕b", "a⑊|b"]),
        (Punctuation, &["bobːyes", "aǀb", "aǁb", "a∶b", "a꞉b", "a˸b", "a׃b", "a։b", "a፡b", "aꓽb", "a𐅛b", "a≔b"]),
        (Punctuation, &["a∣b", "a│b", "a┃b", "a║b", "a¦b", "a❘b", "a⏽b", "a।b", "a॥b", "a၊b", "a⟦b", "a⦋b", "a‖b"]),
        (Punctuation, &["aः", "1ः", "१ः", "bobः80", "🦀ः", "aंः", "कઃ"]),
        (Punctuation, &["10.0.0.1ː80", "127.0.0.Iː80", "fe80ːː1", "10.0.0.1ः80"]),
        (RoomSign, &["#", "#a", "＃a", "﹟a", "♯a", "#️⃣"]),
        (Address, &["127.0.0.1", "１２７.0.0.1", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "127۔0۔0۔1"]),
        (Address, &["l0.O.0.1", "127.0.0.I", "127.0.0.l", "127.0.0.Ӏ", "127.О.О.1", "127.0.0.ا", "127·0·0·1"]),
        (Address, &["१२७.०.०.१", "١٢٧.٠.٠.١", "127٠0٠0٠1", "१२७٠0۰0٠1", "๑๒๗.๐.๐.๑", "127.०.o.l", "1̲27.0.0.1"]),
        (Address, &["127.000.000.001", "①②⑦.0.0.1", "𝟏𝟐𝟕.𝟎.𝟎.𝟏", "999.999.999.999", "⒈⒈⒈1"]),
        (Invisible, &["a\x1bb", "a\x7fb", "a\u{9b}b", "a\0b", "a\u{ad}b", "a\u{e000}", "a\u{378}", "a\u{ffff}"]),
        (Invisible, &["a\u{202e}b", "a\u{2066}b", "a\u{2069}b", "a\u{200e}b", "a\u{200f}b", "a\u{61c}b"]),
        (Invisible, &["a\u{200b}b", "a\u{2060}b", "a\u{feff}b", "a\u{3164}b", "a\u{ffa0}b", "a\u{34f}b", "a\u{17b4}"]),
        (Invisible, &["a\u{16fe4}", "a\u{e0041}", "🏴\u{e0067}\u{e0062}\u{e007f}", "a\u{600}b"]),
        // Joiners where nothing joins.
        (Invisible, &["a\u{200d}b", "a\u{200c}b", "\u{200d}", "\u{200d}a", "ශ්\u{200d}\u{200d}ර", "ක\u{200d}ර"]),
        (Invisible, &["علی\u{200c}", "\u{200c}علی", "علی\u{200c}a", "علی\u{200c}\u{200c}رضا", "علی\u{200d}رضا"]),
        (
            Invisible,
            &["ශ්\u{200c}", "ശ്\u{200c}a", "a\u{94d}\u{200d}", "क्\u{200d}\u{93e}", "👩\u{200c}💻", "张\u{200c}三"],
        ),
        (Invisible, &["👩\u{200d}", "\u{200d}👩", "👩\u{200d}a", "a\u{200d}👩", "1\u{200d}2", "👩\u{200d}\u{200d}💻"]),
        // Selectors of nothing.
        (
            Invisible,
            &["a\u{fe0f}", "1\u{fe0f}", "1\u{fe0f}2", "张\u{fe00}", "❤\u{fe0f}\u{fe0f}", "葛\u{e0100}", "\u{fe0f}❤"],
        ),
        (Marks, &["\u{301}a", "\u{301}", "\u{93e}", "\u{20e3}", "ﾞ"]),
        (Marks, &[&format!("a{}", many("\u{301}", 5)), &format!("a{}", many("\u{301}", 31)), "ệ\u{323}\u{323}\u{323}"]),
    ] {
        for name in names {
            assert_eq!(Name::parse(name), Err(rule), "{name:?}");
        }
    }
}

#[test]
fn which_names_are_the_same() {
    for (one, other) in [
        ("bob", "BOB"),
        ("bob", "ｂｏｂ"),
        ("straße", "STRASSE"),
        ("e\u{301}", "é"),
        ("ﬁ", "fi"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Дима", "ДИМА"),
        ("علی‌رضا", "علیرضا"),
        ("❤️", "❤"),
        ("👩‍💻", "👩💻"),
    ] {
        assert_eq!(key(one), key(other), "{one} {other}");
        assert_eq!(lookup_key(one), Some(key(other)), "{one} {other}");
    }
}

#[test]
fn which_names_look_alike() {
    for (one, other) in [
        ("admin", "аdmin"),
        ("admin", "АDMIN"),
        ("paypal", "pаypаl"),
        ("paypal", "pɑypal"),
        ("PETER", "РЕТЕR"),
        ("BOB", "ВОВ"),
        ("hans", "Нans"),
        ("IVAN", "ІVАN"),
        ("ivan", "іvan"),
        ("lan", "ӏan"),
        ("Дима", "Димa"),
        ("Ιωάννης", "Iωάννης"),
        ("bot1", "bot١"),
        ("bot0", "bot०"),
        ("O'Brien", "O’Brien"),
        ("力", "カ"),
        ("a-b", "a‐b"),
    ] {
        assert_ne!(key(one), key(other), "{one} {other}");
        assert_eq!(confusable_skeleton(one), confusable_skeleton(other), "{one} {other}");
    }
}

#[test]
fn which_names_differ() {
    for (one, other) in [
        ("bob", "bobo"),
        ("张三", "张三三"),
        ("bot1", "bot11"),
        ("ann", "anna"),
        ("é", "e"),
        ("Ian", "Lan"),
        ("Lisa", "Iisa"),
        ("Lia", "Iia"),
        ("kern", "kem"),
        ("Turner", "Tumer"),
        ("bot1", "botl"),
        ("paypaI", "paypal"),
        ("ADMlN", "ADMIN"),
        ("R00T", "ROOT"),
        ("node1", "nodel"),
        ("node1", "nodeI"),
        ("علي", "على"),
        ("이", "오"),
    ] {
        assert_ne!(key(one), key(other), "{one} {other}");
        assert_ne!(confusable_skeleton(one), confusable_skeleton(other), "{one} {other}");
    }
}

#[test]
fn what_is_too_long_is_nobodys_name() {
    assert_eq!(lookup_key(&"x".repeat(NAME_LOOKUP_BYTES_MAX)).as_deref(), Some(&*"x".repeat(NAME_LOOKUP_BYTES_MAX)));
    assert_eq!(lookup_key(&"x".repeat(NAME_LOOKUP_BYTES_MAX + 1)), None);
    assert_eq!(lookup_key(&"\u{fdfa}".repeat(8)), None);
    assert_eq!(lookup_key("[fe80::1%123]:65535").as_deref(), Some("[fe80::1%123]:65535"));
    assert_eq!(lookup_key(&"ﬃ".repeat(32)), lookup_key(&"ffi".repeat(32)));
}

#[test]
fn what_runs_from_right_to_left_is_isolated() {
    for text in ["עומר", "علی", "ann-עומר", "٣٤", "ܫܠܡܐ", "ދިވެހި", "ߒߞߏ", "𞤀𞤣𞤤𞤢𞤥", "ﷺ", "שׁ"]
    {
        assert!(needs_isolate(text), "{text}");
    }
    for text in ["", "ann", "127.0.0.1:80", "张三", "Ünal", "नमस्ते", "한국인", "🦀", "👩‍💻", "Дима", "—…“”", "\u{200f}"]
    {
        assert!(!needs_isolate(text), "{text}");
    }
}

/// All but those whose properties are those of their block: ideographs, syllables, private use.
fn all_chars() -> impl Iterator<Item = char> {
    let blocks = ['\u{3400}'..='\u{4dbf}', '\u{4e00}'..='\u{9fff}', '\u{ac00}'..='\u{d7a3}', '\u{20000}'..='\u{dffff}'];
    let is_in_block = move |c: &char| blocks.iter().any(|block| block.contains(c));
    ('\0'..='\u{e0fff}').filter(move |c| !is_in_block(c) && c.general_category() != GeneralCategory::PrivateUse)
}

#[test]
fn ignorable_is_what_the_confusables_leave_out() {
    for c in all_chars() {
        assert_eq!(invisible::is_ignorable(c), skeleton(&c.to_string()).next().is_none(), "{c:?}");
        assert!(invisible::is_ignorable(c) || !c.nfkc().any(invisible::is_ignorable), "{c:?}");
    }
}

#[test]
fn letters_from_right_to_left_are_in_the_blocks_for_them() {
    use Script::{Adlam, Arabic, Hanifi_Rohingya, Hebrew, Mandaic, Nko, Samaritan, Syriac, Thaana};
    let scripts = [Adlam, Arabic, Hanifi_Rohingya, Hebrew, Mandaic, Nko, Samaritan, Syriac, Thaana];
    for c in all_chars().filter(|c| scripts.contains(&c.script())) {
        assert!(needs_isolate(&c.to_string()) || !c.is_alphabetic(), "{c:?} {:?}", c.script());
    }
}

#[test]
fn the_key_of_a_key_is_itself_for_every_character() {
    for c in all_chars() {
        let once = key(&c.to_string());
        assert_eq!(key(&once), once, "{c:?}");
        assert_eq!(key(&c.to_lowercase().to_string()), once, "{c:?}");
        // The dotless i is an I in capitals, and stays a name of its own in small letters.
        assert!(c == 'ı' || key(&c.to_uppercase().to_string()) == once, "{c:?}");
    }
}

proptest! {
    #[test]
    fn the_short_way_through_ascii_ends_where_the_long_one_does(text in "[ -~]{1,40}|[\\x00-\\x7f]{1,8}") {
        prop_assert_eq!(key(&text), any_key(&text));
        prop_assert_eq!(confusable_skeleton(&text), any_skeleton(&text));
        prop_assert_eq!(lookup_key(&text), expand(&text).map(fold));
    }

    #[test]
    fn ascii_names_look_alike_only_if_they_are_the_same(one in "[01ilLIoOmrn]{1,3}", other in "[01ilLIoOmrn]{1,3}") {
        prop_assert_eq!(key(&one) == key(&other), confusable_skeleton(&one) == confusable_skeleton(&other));
    }

    #[test]
    fn a_name_shows_itself(text in "\\PC{1,40}|.{1,40}|[a-z01.👩💻❤क्ःක්ری\u{200c}\u{200d}\u{fe0f}\u{301}]{1,9}") {
        if let Ok(name) = Name::parse(&text) {
            let name = name.as_str();
            prop_assert!(name.chars().count() <= NAME_CHARS_MAX);
            prop_assert!(!name.contains(['|', '[', ']', ':']));
            prop_assert!(!name.contains(|c: char| c.is_control() || c.is_whitespace()));
            prop_assert!(!key(name).is_empty());
            prop_assert!(!confusable_skeleton(name).is_empty());
            prop_assert_eq!(lookup_key(name), Some(key(name)));
        }
    }

    #[test]
    fn a_key_is_its_own_key(text in "\\PC{1,40}|[\u{345}\u{301}\u{327}αΑιάᾳΣςİıſKÅﬁ\u{200d}]{1,8}") {
        prop_assert_eq!(key(&key(&text)), key(&text));
    }

    #[test]
    fn case_and_compatibility_make_no_other_name(text in "[a-zA-Zéß张ﬁΣςДя]{1,16}|\\PC{1,16}") {
        prop_assert_eq!(key(&text), key(&text.nfkc().collect::<String>()));
        prop_assert_eq!(key(&text), key(&text.nfd().collect::<String>()));
        prop_assert_eq!(key(&text), key(&UniCase::unicode(text).to_folded_case()));
    }
}
