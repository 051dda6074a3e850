//! A reader of the JSON dialect. It knows the README, and nothing of what events mean.

use jiff::Timestamp;

/// A line of the JSON dialect.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) seq: Option<u64>,
    pub(crate) at: Timestamp,
    pub(crate) event: String,
    /// The name and the address.
    pub(crate) from: Option<(String, String)>,
    /// As it was said.
    pub(crate) text: Option<String>,
    pub(crate) old: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) count: Option<u64>,
    /// Of something public, the one in which it happens.
    pub(crate) room: Option<String>,
    pub(crate) verb: Option<String>,
    /// A position.
    pub(crate) pos: Option<String>,
    /// It has happened before.
    pub(crate) is_replay: bool,
}

/// Reads an object strictly: these keys, in this order, nothing else.
pub(crate) fn read_object(line: &str) -> Object {
    let mut rest = line;
    let seq = {
        expect(&mut rest, "{\"seq\":");
        number(&mut rest)
    };
    expect(&mut rest, ",\"at\":");
    let at = time(&string(&mut rest).expect("a time"));
    expect(&mut rest, ",\"event\":");
    let event = string(&mut rest).expect("an event");
    expect(&mut rest, ",\"from\":");
    let from = rest.starts_with('{').then(|| {
        expect(&mut rest, "{\"name\":");
        let name = string(&mut rest).expect("a name");
        expect(&mut rest, ",\"addr\":");
        let addr = string(&mut rest).expect("an address");
        expect(&mut rest, "}");
        (name, addr)
    });
    if from.is_none() {
        expect(&mut rest, "null");
    }
    expect(&mut rest, ",\"text\":");
    let text = string(&mut rest);
    expect(&mut rest, ",\"code\":");
    let code = string(&mut rest);
    expect(&mut rest, ",\"old\":");
    let old = string(&mut rest);
    expect(&mut rest, ",\"count\":");
    let count = number(&mut rest);
    expect(&mut rest, ",\"room\":");
    let room = string(&mut rest);
    expect(&mut rest, ",\"verb\":");
    let verb = string(&mut rest);
    expect(&mut rest, ",\"account\":");
    let account = string(&mut rest);
    assert!(account.is_none() || account == from.as_ref().map(|(name, _)| name.clone()), "{line}");
    expect(&mut rest, ",\"pos\":");
    let pos = string(&mut rest);
    expect(&mut rest, ",\"replay\":");
    let is_replay = rest.starts_with("true");
    expect(&mut rest, if is_replay { "true" } else { "null" });
    assert_eq!(rest, "}", "{line}");
    Object { seq, at, event, from, text, old, code, count, room, verb, pos, is_replay }
}

/// A time, to the millisecond, in UTC.
pub(crate) fn time(text: &str) -> Timestamp {
    assert!(text.len() == "2026-11-25T09:30:00.000Z".len() && text.ends_with('Z'), "{text}");
    text.parse().expect("a time")
}

fn expect(rest: &mut &str, token: &str) {
    *rest = rest.strip_prefix(token).unwrap_or_else(|| panic!("{token} expected: {rest}"));
}

fn number(rest: &mut &str) -> Option<u64> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        expect(rest, "null");
        return None;
    }
    let (number, after) = rest.split_at(digits);
    *rest = after;
    number.parse().ok()
}

/// A string (RFC 8259), or null.
fn string(rest: &mut &str) -> Option<String> {
    let Some(mut chars) = rest.strip_prefix('"').map(str::chars) else {
        expect(rest, "null");
        return None;
    };
    let mut text = String::new();
    loop {
        text.push(match chars.next().expect("the string ends") {
            '"' => break,
            '\\' => match chars.next().expect("the escape ends") {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'u' => {
                    let digits: String = chars.by_ref().take(4).collect();
                    u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).expect("no surrogates")
                }
                c => c,
            },
            c => c,
        });
    }
    *rest = chars.as_str();
    Some(text)
}
