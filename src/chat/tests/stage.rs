//! Plays transcripts. A script is steps apart by `;`, and what is checked is what its last step comes to.
//!
//! Steps: `2 arrives`, `2 arrives at @1`, `2 LINE` (or several lines, as one batch), `2 leaves`, `2 is silent`, `2 is lost`,
//! `2 is slow`, `2 is told to go`. Who does not arrive in the script is there before it begins, in order of number.
//! `@2` is the address of client 2; 1 to 9 have one IP address, 10 to 19 another, and so on.
//!
//! ServerMessage: `1,3< ann@1: hi` (1 and 3 hear it, and nobody else), `1< ann@1> hi` (in private), `+@2`, `-ann@1 left`, `1< =ann@1`
//! (here is ann), `2 hung up: left`. That a client's next lines are welcome after its batch goes without saying, and is
//! checked for every batch. So is that nobody is told anything after the hang-up.

use super::super::*;
use crate::protocol::parse;

pub(super) fn check(script: &str, told: &str) {
    check_by(Rules::default(), script, told);
}

pub(super) fn check_by(rules: Rules, script: &str, told: &str) {
    let steps: Vec<_> = script.split(';').map(|step| step.trim_start().split_once(' ').expect("CLIENT STEP")).collect();
    let mut stage = Stage::new(rules);
    let mut clients: Vec<_> = steps.iter().map(|(client, _)| number(client)).collect();
    clients.sort_unstable();
    clients.dedup();
    for client in clients {
        let arrives = |(who, what): &(&str, &str)| number(who) == client && what.starts_with("arrives");
        if !steps.iter().any(arrives) {
            stage.play(client, "arrives");
        }
    }
    let mut last = String::new();
    for (client, what) in steps {
        last = stage.play(number(client), what);
    }
    assert_eq!(last, told, "{script}");
}

/// A chat, and who is connected to it as the world sees it.
struct Stage {
    chat: Chat,
    connected: Vec<u64>,
}

impl Stage {
    fn new(rules: Rules) -> Self {
        Self { chat: Chat::new(rules), connected: Vec::new() }
    }

    /// Plays one step, and answers what it comes to.
    fn play(&mut self, client: u64, what: &str) -> String {
        let input = match what {
            "leaves" => Input::Eof,
            "is silent" => Input::Silent,
            "is lost" => Input::End(Departure::Lost),
            "is slow" => Input::End(Departure::SlowConsumer),
            "is told to go" => Input::End(Departure::ShuttingDown),
            "arrives" => Input::Arrive(addr(client)),
            _ => match what.strip_prefix("arrives at @") {
                Some(other) => Input::Arrive(addr(number(other))),
                None => Input::Lines(long(what).split('\n').map(|line| parse(line.as_bytes())).collect()),
            },
        };
        if matches!(input, Input::Arrive(_)) {
            self.connected.push(client);
        }
        let speaks = matches!(input, Input::Lines(_));
        let mut out = Vec::new();
        self.chat.handle(ClientId(client), input, &mut out);
        self.assert_mirrors();
        if speaks {
            let is_ready = out.last() == Some(&Output::Ready(ClientId(client)));
            let is_here = self.chat.members.contains_key(&ClientId(client));
            let is_welcome = is_here && !self.chat.waits.is_waiting(ClientId(client));
            assert_eq!(is_ready, is_welcome, "after {what:?}: {out:?}");
            out.truncate(out.len() - usize::from(is_ready));
        }
        let told: Vec<_> = out.into_iter().map(|output| self.told(output)).collect();
        short(&told.join("; "))
    }

    fn told(&mut self, output: Output) -> String {
        match output {
            Output::Tell(Audience::Everyone, event) => {
                let everyone: Vec<_> = self.connected.iter().map(u64::to_string).collect();
                format!("{}< {}", everyone.join(","), shown(&event))
            }
            Output::Tell(Audience::One(ClientId(client)), event) => {
                assert!(self.connected.contains(&client), "{client} has left and is told {event:?}");
                format!("{client}< {}", shown(&event))
            }
            Output::Ready(ClientId(client)) => format!("{client} ready"),
            Output::Set(ClientId(client), setting) => format!("{client} set: {setting:?}"),
            Output::HangUp(ClientId(client), departure) => {
                self.connected.retain(|&connected| connected != client);
                format!("{client} hung up: {}", departure.code())
            }
        }
    }

    /// Names, and the counts of addresses, are those of the members.
    fn assert_mirrors(&self) {
        let Chat { members, names, per_ip, .. } = &self.chat;
        for (client, Member { who, ip, .. }) in members {
            let found = names.get(name::key(&who.name).as_str()).expect("a member's name is known");
            let is_shadow = found > client && who.name == who.addr && members[found].who.addr == who.addr;
            assert!(found == client || is_shadow, "{} leads to {found}, not {client}", who.name);
            assert_eq!(per_ip[ip], members.values().filter(|member| member.ip == *ip).count());
        }
        assert!(names.values().all(|client| members.contains_key(client)), "a name of nobody");
        assert_eq!(per_ip.values().sum::<usize>(), members.len());
    }
}

fn number(client: &str) -> u64 {
    client.parse().expect("a client's number")
}

fn addr(client: u64) -> SocketAddr {
    let [network, port] = [client / 10, client].map(|n| u16::try_from(n).expect("few clients"));
    SocketAddr::from(([10, 0, 0, network.to_be_bytes()[1]], port))
}

/// With addresses in full; higher numbers first, since `@1` is a part of `@12`.
pub(super) fn long(text: &str) -> String {
    (1..30).rev().fold(text.to_owned(), |text, client| text.replace(&format!("@{client}"), &addr(client).to_string()))
}

fn short(text: &str) -> String {
    (1..30).rev().fold(text.to_owned(), |text, client| text.replace(&addr(client).to_string(), &format!("@{client}")))
}

fn shown(event: &Event) -> String {
    match event {
        Event::Online(who) => format!("+{}", known_as(who)),
        Event::Offline(who, departure) => format!("-{} {}", known_as(who), departure.code()),
        Event::Message { from, text } => format!("{}: {text}", known_as(from)),
        Event::Private { from, text } => format!("{}> {text}", known_as(from)),
        Event::User(who) => format!("={}", known_as(who)),
        Event::UsersEnd(users) => format!("={users}"),
        Event::Renamed { old, new } => format!("{} is {}", known_as(old), known_as(new)),
        Event::Help(_) => "help".to_owned(),
        Event::Synced(token) => format!("sync {token}"),
        Event::WaitMet(arg) => format!("met {arg}"),
        Event::WaitTimedOut => "not met".to_owned(),
        Event::Set(setting) => format!("set {setting:?}"),
        Event::Refused(refusal) => kebab(&format!("{refusal:?}")),
        Event::Farewell(departure) => format!("bye {}", departure.code()),
    }
}

/// `ann@1`, or `@1` for one who has no name.
fn known_as(who: &Identity) -> String {
    let name = if who.name == who.addr { "" } else { &who.name };
    format!("{name}{}", who.addr)
}

/// `NameInvalid(TooLong)` as `name-invalid(too-long)`.
fn kebab(words: &str) -> String {
    let mut kebab = String::new();
    for c in words.chars() {
        if c.is_uppercase() && kebab.ends_with(char::is_alphanumeric) {
            kebab.push('-');
        }
        kebab.extend(c.to_lowercase());
    }
    kebab
}
