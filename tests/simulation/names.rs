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

/// Names of rooms that the simulation uses, each in all its spellings: what it is found by comes first, by which they are
/// in order.
pub(crate) const ROOMS: [&[&str]; 9] = [
    &["bot1", "#Bot1"],
    &["bоt1"],
    &["lobby", "#LOBBY", "ｌobby"],
    &["lоbby", "#LОBBY"],
    &["ops", "#ops", "＃ＯＰＳ", "Ops"],
    &["strasse", "straße", "#STRASSE"],
    &["שלום", "#שלום"],
    &["علیرضا", "علی‌رضا"],
    &["会议", "＃会议"],
];

/// Those of [`ROOMS`] that look like another of them: their places.
const ROOMS_ALIKE: [[usize; 2]; 2] = [[0, 1], [2, 3]];

/// What is no name of a room, and why.
pub(crate) const NO_ROOMS: [(&str, NameRule); 13] = [
    ("", NameRule::Empty),
    ("#", NameRule::Empty),
    ("a b", NameRule::Space),
    ("a:b", NameRule::Punctuation),
    ("##a", NameRule::RoomSign),
    ("#127.0.0.1", NameRule::Address),
    ("\u{301}a", NameRule::Marks),
    ("a\u{202e}b", NameRule::Invisible),
    ("looooooooooooooooooooooooooooooong", NameRule::TooLong),
    ("a/b", NameRule::Separator),
    ("a，b", NameRule::Separator),
    ("..", NameRule::Reserved),
    ("#＠", NameRule::Reserved),
];

/// More bytes are no name.
const NAME_BYTES_MAX: usize = 128;

/// The name of a room without the sign that may stand before it.
pub(crate) fn room_name(text: &str) -> Result<&str, NameRule> {
    match NO_ROOMS.iter().find(|(no_room, _)| *no_room == text) {
        Some(&(_, rule)) => Err(rule),
        None if text.len() > NAME_BYTES_MAX => Err(NameRule::TooLong),
        None => Ok(without_sign(text)),
    }
}

/// What the room is found by.
pub(crate) fn room_key(text: &str) -> String {
    match room_place(text) {
        Some(place) => ROOMS[place][0].to_owned(),
        None => without_sign(text).to_lowercase(),
    }
}

/// What rooms have in common that look alike.
pub(crate) fn room_looks(key: &str) -> String {
    let alike = |place| ROOMS_ALIKE.iter().find(|alike| alike.contains(&place));
    match room_place(key).and_then(alike) {
        Some(alike) => ROOMS[alike[0]][0].to_owned(),
        None => key.to_owned(),
    }
}

fn room_place(text: &str) -> Option<usize> {
    let name = without_sign(text);
    ROOMS.iter().position(|spellings| spellings.iter().any(|spelling| without_sign(spelling) == name))
}

fn without_sign(text: &str) -> &str {
    text.strip_prefix(['#', '＃']).unwrap_or(text)
}
