//! A seeded simulation of the rules and the wire in a faulty world, what a reader can make of any line, and what the
//! server makes of any bytes.
//!
//! `PIPECHAT_SEED` replays a seed, `PIPECHAT_STEPS` makes it shorter or longer.

mod fuzz;
mod generator;
mod model;
mod peer;
mod reader;
mod wire;
mod world;

use std::{env, net::SocketAddr, panic, sync::Arc, time::Duration, time::SystemTime};

use jiff::Timestamp;
use pipechat::{
    chat::{Departure, Event, Format, Identity, Lang, Limits, Name, NameRule, Rate, Refusal, Setting, Verb},
    protocol::{Dialect, Stamp, render},
};
use proptest::prelude::*;

use reader::{Heard, is_obeyed, read, read_object};
use world::World;

/// Steps of each simulated life. Faults last for a while, then the world heals, and so on.
const STEPS: usize = 1500;
const STEPS_BETWEEN_HEALINGS: usize = 500;

/// Simulates a whole life, and answers its transcript.
fn live(seed: u64, steps: usize) -> String {
    let life = || {
        let mut world = World::new(seed);
        for step in 1..=steps {
            world.step();
            if step % STEPS_BETWEEN_HEALINGS == 0 {
                world.heal();
            }
        }
        world.heal();
        world.end()
    };
    panic::catch_unwind(life).unwrap_or_else(|_| panic!("replay with PIPECHAT_SEED={seed} PIPECHAT_STEPS={steps}"))
}

fn from_env(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().expect("a number"))
}

fn steps() -> usize {
    from_env("PIPECHAT_STEPS").map_or(STEPS, |steps| usize::try_from(steps).expect("not so many"))
}

#[test]
fn the_rules_hold_in_a_faulty_world() {
    let fresh = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.subsec_nanos().into());
    match from_env("PIPECHAT_SEED") {
        Some(seed) => drop(live(seed, steps())),
        None => [1, 2, fresh()].into_iter().for_each(|seed| drop(live(seed, steps()))),
    }
}

#[test]
fn the_same_seed_gives_the_same_transcript() {
    let seed = from_env("PIPECHAT_SEED").unwrap_or(4);
    let (one, other) = (live(seed, STEPS / 3), live(seed, STEPS / 3));
    assert!(one == other, "seed {seed}");
    assert!(one != live(seed + 1, STEPS / 3), "another seed is another world");
}

#[test]
fn everything_happens_in_it() {
    let transcript = live(5, STEPS);
    let departures = ["Left", "Quit", "WaitTimedOut", "Lost", "Idle", "SlowConsumer", "Full", "FullForAddress", "Http"];
    let departures = departures.map(|departure| format!("\tHangUp(.., {departure})"));
    let refusals = ["NameTaken", "PrivateForm", "NoSuchUser", "EmptyText", "NotUtf8", "Nul"];
    let refusals = refusals.map(|refusal| format!("Refused({refusal})"));
    let with_more = ["NameInvalid", "LineTooLong", "WaitTooLong", "Form"].map(|refusal| format!("Refused({refusal}("));
    let events =
        ["Online", "Offline", "Message", "Private", "User", "UsersEnd", "Renamed", "Help", "Synced", "WaitMet", "Set"];
    let events = events.map(|event| format!(", {event}"));
    for what in [&departures[..], &refusals, &with_more, &events, &[" Broken".to_owned()]].concat() {
        let (before, after) = what.split_once("..").unwrap_or((&what, ""));
        let is_it = |line: &str| line.contains(before) && line.contains(after);
        assert!(transcript.lines().any(is_it), "never met: {what}");
    }
}

const PUBLIC: Stamp = Stamp { seq: Some(7), at: Timestamp::UNIX_EPOCH };

fn line(event: &Event, dialect: Dialect) -> String {
    let mut line = Vec::new();
    render(&mut line, event, PUBLIC, dialect);
    String::from_utf8(line).expect("UTF-8")
}

/// Any valid name, or none: then the address stands for it.
fn any_identity() -> impl Strategy<Value = Arc<Identity>> {
    let addr = prop_oneof![
        any::<([u8; 4], u16)>().prop_map(SocketAddr::from),
        any::<([u16; 8], u16)>().prop_map(SocketAddr::from)
    ];
    let name = prop_oneof!["[a-z]{1,8}", "\\PC{1,6}", "已上线|下线|来自|from|says|张三|is"];
    let name = name.prop_filter_map("a valid name", |name| Name::parse(&name).ok());
    (addr, proptest::option::of(name)).prop_map(|(addr, name)| {
        let addr = addr.to_string();
        Arc::new(Identity { name: name.map_or_else(|| addr.clone(), |name| name.as_str().to_owned()), addr })
    })
}

/// Any text of a line.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        (0..0xa0u8).prop_map(|c| char::from(c).to_string()),
        "\\PC{0,9}",
        "[\u{200e}\u{200f}\u{2028}-\u{202e}\u{2066}-\u{2069}\u{61c}]",
        prop_oneof![
            Just("]"),
            Just("["),
            Just(":"),
            Just("|"),
            Just("]的消息,内容是:"),
            Just("] says:"),
            Just("[127.0.0.1:1]ann:")
        ]
        .prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().replace('\n', ""))
}

proptest! {
    #[test]
    fn a_reader_recovers_sender_and_text(from in any_identity(), text in any_text()) {
        for dialect in Dialect::ALL {
            let presence = [
                Event::Online(Arc::clone(&from)),
                Event::Offline(Arc::clone(&from), Departure::Lost),
                Event::User(Arc::clone(&from)),
            ];
            for event in presence {
                prop_assert_eq!(read(line(&event, dialect).trim_end_matches('\n'), dialect), Heard::of(&event));
            }
            // A text that is just the words of presence is no forgery: it is said in one's own name, of oneself.
            let text = format!("{text}.");
            let message = Event::Message { from: Arc::clone(&from), text: text.clone() };
            let private = Event::Private { from: Arc::clone(&from), text: text.clone() };
            for event in [message, private] {
                let line = line(&event, dialect);
                prop_assert_eq!(line.matches('\n').count(), 1);
                let line = line.strip_suffix('\n').expect("the end of the line");
                prop_assert!(!line.contains(is_obeyed), "{:?}", line);
                prop_assert_eq!(read(line, dialect), Heard::of(&event));
                if dialect.format == Format::Json {
                    let object = read_object(line);
                    prop_assert_eq!(object.seq, PUBLIC.seq);
                    prop_assert_eq!(object.text.as_ref(), Some(&text));
                    prop_assert_eq!(object.from, Some((from.name.clone(), from.addr.clone())));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_event_is_whole_lines_that_no_terminal_obeys(who in any_identity(), text in any_text()) {
        for event in events(&who, &text) {
            for dialect in Dialect::ALL {
                let line = line(&event, dialect);
                let lines = match (&event, dialect.format) {
                    (Event::Help(_), Format::Text) => line.lines().count(),
                    (Event::UsersEnd(_), Format::Text) => 0,
                    _ => 1,
                };
                prop_assert_eq!(line.matches('\n').count(), lines, "{:?}", line);
                prop_assert!(line.is_empty() || line.ends_with('\n'), "{:?}", line);
                prop_assert!(!line.replace('\n', "").contains(is_obeyed), "{:?}", line);
                if dialect.format == Format::Json {
                    read_object(line.trim_end_matches('\n'));
                }
            }
        }
    }
}

/// An event of each kind.
fn events(who: &Arc<Identity>, text: &str) -> Vec<Event> {
    let (who, text) = (|| Arc::clone(who), || text.to_owned());
    let limits = Limits {
        line_max: 4096,
        queue_max: 1 << 20,
        rate: Rate { per_second: 0, burst: 0 },
        idle_timeout: Duration::ZERO,
        write_timeout: Duration::from_secs(10),
        wait_max: Duration::from_millis(1500),
        clients_max: usize::MAX,
    };
    let refusals = [
        Refusal::NameTaken,
        Refusal::PrivateForm,
        Refusal::NoSuchUser,
        Refusal::EmptyText,
        Refusal::WaitTooLong(Duration::from_millis(1500)),
        Refusal::StayForbidden,
        Refusal::LineTooLong(4096),
        Refusal::NotUtf8,
        Refusal::Nul,
    ];
    let rules = [
        NameRule::Empty,
        NameRule::TooLong,
        NameRule::Space,
        NameRule::Invisible,
        NameRule::Punctuation,
        NameRule::Address,
    ];
    let verbs = [
        Verb::Who,
        Verb::Rename,
        Verb::To,
        Verb::Say,
        Verb::Sync,
        Verb::Wait,
        Verb::Stay,
        Verb::Format,
        Verb::Lang,
        Verb::Help,
        Verb::Quit,
    ];
    let departures = [
        Departure::Left,
        Departure::Quit,
        Departure::WaitTimedOut,
        Departure::Lost,
        Departure::Idle,
        Departure::SlowConsumer,
        Departure::WriteTimeout,
        Departure::Full,
        Departure::FullForAddress,
        Departure::Http,
        Departure::ShuttingDown,
    ];
    let settings = [
        Setting::Stay,
        Setting::Format(Format::Text),
        Setting::Format(Format::Json),
        Setting::Lang(Lang::Zh),
        Setting::Lang(Lang::En),
    ];
    let mut events = vec![
        Event::Online(who()),
        Event::Message { from: who(), text: text() },
        Event::Private { from: who(), text: text() },
        Event::User(who()),
        Event::UsersEnd(3),
        Event::Renamed { old: who(), new: who() },
        Event::Help(Arc::new(limits)),
        Event::Synced(text()),
        Event::WaitMet(text()),
        Event::WaitTimedOut,
    ];
    events.extend(
        departures.into_iter().flat_map(|departure| [Event::Offline(who(), departure), Event::Farewell(departure)]),
    );
    events.extend(settings.map(Event::Set));
    let refusals = refusals.into_iter().chain(rules.map(Refusal::NameInvalid)).chain(verbs.map(Refusal::Form));
    events.extend(refusals.map(Event::Refused));
    events
}
