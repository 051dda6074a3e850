//! Names that the simulation uses, as tables: which are the same, which look alike, and what is none. It knows nothing of
//! Unicode.

use pipechat::chat::NameRule;

/// Names that the simulation uses, each in all its spellings.
pub(crate) const NAMES: [&[&str]; 7] = [
    &["ann", "ANN", "ａｎｎ"],
    &["张三"],
    &["straße", "STRASSE", "Strasse"],
    &["علی‌رضا", "علیرضا"],
    &["bot1", "BOT1"],
    &["botl", "BOTL"],
    &["é", "e\u{301}", "É"],
];

/// More names, each in all its spellings: they look like the one in that place of [`NAMES`], and are not found by it.
pub(crate) const LOOK_ALIKES: [(usize, &[&str]); 4] =
    [(0, &["аnn", "АNN"]), (0, &["anո"]), (4, &["bоt1"]), (5, &["botӏ"])];

/// What is no name, and why.
pub(crate) const NO_NAMES: [(&str, NameRule); 8] = [
    ("", NameRule::Empty),
    ("a b", NameRule::Space),
    ("a|b", NameRule::Punctuation),
    ("#a", NameRule::RoomSign),
    ("127.0.0.1", NameRule::Address),
    ("\u{301}a", NameRule::Marks),
    ("a\u{202e}b", NameRule::Invisible),
    ("looooooooooooooooooooooooooooooong", NameRule::TooLong),
];

/// The name that a text is a spelling of, and what that looks like; none for addresses.
fn known(name: &str) -> Option<(usize, usize)> {
    let own = NAMES.iter().enumerate().map(|(looks, spellings)| (looks, *spellings));
    let all = own.chain(LOOK_ALIKES);
    all.enumerate().find(|(_, (_, spellings))| spellings.contains(&name)).map(|(place, (looks, _))| (place, looks))
}

pub(crate) fn same(one: &str, other: &str) -> bool {
    match (known(one), known(other)) {
        (None, None) => one == other,
        (one, other) => one == other,
    }
}

pub(crate) fn look_alike(one: &str, other: &str) -> bool {
    let looks = |name| known(name).map(|(_, looks)| looks);
    looks(one).is_some() && looks(one) == looks(other)
}
