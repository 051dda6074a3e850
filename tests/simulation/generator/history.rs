//! Questions for what has happened in a room.

use std::time::Duration;

use common::Rng;
use jiff::{Timestamp, tz::Offset};
use pipechat::{
    chat::{Command, Epoch, Start, Stretch},
    protocol::Verb,
};

use super::Known;

/// Wrong forms.
pub(super) const WRONG: [(&str, Verb); 18] = [
    ("history|ops|", Verb::History),
    ("history|ops|x", Verb::History),
    ("history|ops|1001", Verb::History),
    ("history|ops|-1", Verb::History),
    ("history|ops|since", Verb::History),
    ("history|ops|since|", Verb::History),
    ("history|ops|since|5 m", Verb::History),
    ("history|ops|since|.abcde", Verb::History),
    ("history|ops|last|5", Verb::History),
    ("history|ops|5|5", Verb::History),
    ("join|ops|5", Verb::Join),
    ("join|ops|", Verb::Join),
    ("join|ops|last|", Verb::Join),
    ("join|ops|last|1001", Verb::Join),
    ("join|ops|last", Verb::Join),
    ("join|ops|since|1.5", Verb::Join),
    ("join|ops|since|2027-01-15", Verb::Join),
    ("join|ops|since|2027-01-15T08:00:00", Verb::Join), // where?
];

/// Asks for what has happened in this room.
pub(super) fn ask(rng: &mut Rng, room: String, known: &Known) -> (String, Command) {
    let verb = rng.pick(&["history|", "History ｜"]);
    match rng.below(8) {
        0 => (format!("{verb}{room}"), Command::History(Stretch::of(room, Start::Last(20)))),
        1 | 2 => {
            let count = count(rng);
            (format!("{verb}{room}|{count}"), Command::History(Stretch::of(room, Start::Last(count))))
        }
        _ => {
            let (text, start) = start(rng, known);
            (format!("{verb}{room}{}since|{text}", rng.pick(&["|", "｜"])), Command::History(Stretch::of(room, start)))
        }
    }
}

/// Comes into this room, and asks for what has happened before.
pub(super) fn join(rng: &mut Rng, room: String, known: &Known) -> (String, Command) {
    let (text, start) = if rng.one_in(3) {
        let count = count(rng);
        (format!("last|{count}"), Start::Last(count))
    } else {
        let (text, start) = start(rng, known);
        (format!("since|{text}"), start)
    };
    (format!("join|{room}|{text}"), Command::Join { room, start: Some(start) })
}

fn count(rng: &mut Rng) -> usize {
    [0, 1, 2, 3, 10, 64, 65, 150, 1000][rng.below(9)]
}

/// Where it begins, as it is written and as it is meant.
fn start(rng: &mut Rng, known: &Known) -> (String, Start) {
    let some = || known.positions.len().checked_sub(1);
    let dice = rng.below(24);
    match (dice, some()) {
        (0..=9, Some(last)) => {
            // The last ones more often than others.
            let back = rng.below(known.positions.len()).min(rng.below(known.positions.len()));
            let position = known.positions[last - back];
            (position.to_string(), Start::Behind(position.n, Some(position.epoch)))
        }
        (10 | 11, Some(last)) => {
            let position = known.positions[rng.below(last + 1)];
            (position.n.to_string(), Start::Behind(position.n, None))
        }
        (12, Some(last)) => {
            let position = known.positions[rng.below(last + 1)];
            let foreign = Epoch::from_random(rng.number());
            (format!("{}.{foreign}", position.n), Start::Behind(position.n, Some(foreign)))
        }
        (13, Some(last)) => {
            let position = known.positions[last];
            let n = position.n + rng.below(100) as u64;
            if rng.one_in(2) {
                return (n.to_string(), Start::Behind(n, None));
            }
            (format!("{n}.{}", position.epoch), Start::Behind(n, Some(position.epoch)))
        }
        (14, _) => (u64::MAX.to_string(), Start::Behind(u64::MAX, None)),
        (15, _) => (rng.pick(&["-", "1.abc", "2.abcdef", "99999999999999999999.abcde"]).to_owned(), Start::Unknown),
        (16..=18, _) => {
            let at = known.at - Duration::from_millis(rng.below(20_000) as u64);
            let text = match rng.below(3) {
                0 => at.to_string(),
                1 => at.display_with_offset(Offset::constant(8)).to_string(),
                _ => at.display_with_offset(Offset::constant(-3)).to_string(),
            };
            (text, Start::At(at))
        }
        (19, _) => ("1970-01-01T00:00:00Z".to_owned(), Start::At(Timestamp::UNIX_EPOCH)),
        _ => {
            let millis = |n| Duration::from_millis(n);
            let (text, ago) = [
                ("0s", Duration::ZERO),
                ("250ms", millis(250)),
                ("1.5s", millis(1500)),
                ("10s", millis(10_000)),
                ("2m", millis(120_000)),
                ("30d", millis(30 * 24 * 3_600_000)),
            ][rng.below(6)];
            (text.to_owned(), Start::Ago(ago))
        }
    }
}
