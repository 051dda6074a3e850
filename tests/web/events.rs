//! The objects of the JSON dialect in short, so that a test can be read as a transcript.

use serde_json::Value;

/// An object in short: event, verb, code, room, who, count, text. Addresses have no ports; what a refusal says to people is left
/// out.
pub(crate) fn short(line: &str) -> String {
    let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?} is no object: {error}"));
    let text = |key: &str| object[key].as_str().map(str::to_owned);
    let event = text("event").unwrap_or_else(|| panic!("{line:?} is no event"));
    let is_refusal = event == "refused";
    let who = object["from"]["name"].as_str().map(without_port);
    let words = [
        Some(event),
        text("verb"),
        text("code"),
        text("room").map(|room| format!("#{room}")),
        who.map(|name| format!("{name}:")),
        object["count"].as_u64().map(|count| count.to_string()),
        text("text").filter(|_| !is_refusal),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// All objects of these lines in short.
pub(crate) fn short_all(lines: &str) -> Vec<String> {
    lines.lines().map(short).collect()
}

/// The value of a key of an object that is text.
#[track_caller]
pub(crate) fn value(line: &str, key: &str) -> String {
    let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?} is no object: {error}"));
    object[key].as_str().unwrap_or_else(|| panic!("no {key} in {line}")).to_owned()
}

fn without_port(name: &str) -> String {
    match name.rsplit_once(':') {
        Some((ip, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => ip.to_owned(),
        Some((ip, n)) if n.starts_with("web") => format!("{ip}:web"),
        Some(_) | None => name.to_owned(),
    }
}
