//! Plays transcripts. A script is steps apart by `;`, and what is checked is what its last step comes to.
//!
//! Steps: `2 arrives`, `2 arrives at @1`, `2 arrives to visit`, `2 visits`, `2 LINE` (or several lines), `2 leaves`,
//! `2 is lost`, `2 is slow`, `2 breaks`, `2 quits`. A client that does not arrive in the script is there before it begins, in
//! order of number. `@2` is the address of client 2; 1 to 9 have one IP address, 10 to 19 another, and so on.
//!
//! Told: `1,3< ann@1: hi` (1 and 3 are told, and nobody else), `(1),3< @1 is now ann@1` (1 only where events are counted),
//! `1,3< #builds ann@1: hi` (in a room but the lobby), `1< ann@1> hi` (in private), `+@2`, `-ann@1 left`, `1< #builds >ann@1`
//! (ann has joined it), `1< =ann@1` (ann is here), `2 hung up: left`. That a client may go on
//! when its command is done goes without saying, and is checked for every command. So is that nobody is told anything after
//! the hang-up, and that public events are numbered without gaps.

use super::{super::*, origin};
use crate::protocol::{Line, parse};

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
    /// Who is told what happens in each room, in the order in which they came, and how much has happened there.
    rooms: BTreeMap<RoomId, (Vec<u64>, Seq)>,
}

impl Stage {
    fn new(rules: Rules) -> Self {
        Self { chat: Chat::new(rules, Epoch::from_random(0)), connected: Vec::new(), rooms: BTreeMap::new() }
    }

    /// Plays one step, and answers what it comes to.
    fn play(&mut self, client: u64, what: &str) -> String {
        let id = ClientId(client);
        let inputs = match what {
            "leaves" => vec![Input::Eof(id)],
            "breaks" => vec![Input::Broken(id)],
            "quits" => vec![Input::End(id, Departure::Quit)],
            "is silent" => vec![Input::End(id, Departure::Idle)],
            "is lost" => vec![Input::End(id, Departure::Lost)],
            "is slow" => vec![Input::End(id, Departure::SlowConsumer)],
            "arrives" => vec![Input::Arrive(id, addr(client))],
            "arrives to visit" | "visits" => vec![Input::Visit(id, addr(client))],
            _ => match what.strip_prefix("arrives at @") {
                Some(other) => vec![Input::Arrive(id, addr(number(other)))],
                None => commands(&long(what)).map(|command| Input::Command(id, Load::Light, command)).collect(),
            },
        };
        let mut told = Vec::new();
        for input in inputs {
            told.extend(self.input(client, input));
        }
        short(&told.join("; "))
    }

    fn input(&mut self, client: u64, input: Input) -> Vec<String> {
        let id = ClientId(client);
        if matches!(input, Input::Arrive(..) | Input::Visit(..)) && !self.connected.contains(&client) {
            self.connected.push(client);
        }
        let is_command = matches!(input, Input::Command(..));
        let mut out = Vec::new();
        self.chat.handle(Entry { now: Duration::ZERO, at: Timestamp::UNIX_EPOCH, input }, &mut out);
        self.chat.members.assert_mirrors();
        self.chat.rooms.assert_mirrors();
        if is_command {
            let is_ready = out.contains(&Output::Ready(id));
            let is_here = self.chat.members.get(id).is_some();
            assert_eq!(is_ready, is_here && !self.chat.waits.is_waiting(id), "{client}: {out:?}");
            out.retain(|output| *output != Output::Ready(id));
        }
        out.into_iter().filter_map(|output| self.told(output)).collect()
    }

    fn told(&mut self, output: Output) -> Option<String> {
        Some(match output {
            Output::Publish(public) => self.told_to_room(&public),
            Output::Join(ClientId(client), room) => {
                self.rooms.entry(room).or_default().0.push(client);
                return None;
            }
            Output::Part(ClientId(client), room) => {
                self.rooms.entry(room).or_default().0.retain(|&member| member != client);
                return None;
            }
            Output::Tell(ClientId(client), event) => {
                assert!(self.connected.contains(&client), "{client} has left and is told {event:?}");
                format!("{client}< {}", shown(&event))
            }
            Output::Ready(ClientId(client)) => format!("{client} ready"),
            Output::Ask(..) | Output::Remember { .. } | Output::Forget(_) => panic!("there is no store: {output:?}"),
            Output::HangUp(ClientId(client), departure) => {
                self.connected.retain(|&connected| connected != client);
                self.rooms.values_mut().for_each(|(members, _)| members.retain(|&member| member != client));
                format!("{client} hung up: {}", departure.code())
            }
        })
    }

    fn told_to_room(&mut self, public: &Public) -> String {
        let (members, seq) = self.rooms.entry(public.room).or_default();
        *seq += 1;
        assert_eq!((public.seq, public.members), (*seq, members.len()), "{:?}", public.event);
        let shown_client = |&client: &u64| {
            if public.except == Some(ClientId(client)) { format!("({client})") } else { client.to_string() }
        };
        let members: Vec<_> = members.iter().map(shown_client).collect();
        let room = if public.room == RoomId::LOBBY { String::new() } else { format!("#{} ", public.name) };
        format!("{}< {room}{}", members.join(","), shown(&public.event))
    }
}

/// The commands that these lines are; blank lines are none.
fn commands(lines: &str) -> impl Iterator<Item = Command> {
    lines.split('\n').filter_map(|line| match parse(line.as_bytes()) {
        Ok(Line::Command(command)) => Some(command),
        Ok(Line::Blank) => None,
        other => panic!("{line:?} is no command: {other:?}"),
    })
}

fn number(client: &str) -> u64 {
    client.parse().expect("a client's number")
}

fn addr(client: u64) -> Origin {
    let [network, port] = [client / 10, client].map(|n| u16::try_from(n).expect("few clients"));
    origin([10, 0, 0, network.to_be_bytes()[1]], port)
}

/// With addresses in full; higher numbers first, since `@1` is a part of `@12`.
pub(super) fn long(text: &str) -> String {
    (1..30)
        .rev()
        .fold(text.to_owned(), |text, client| text.replace(&format!("@{client}"), &addr(client).addr.to_string()))
}

fn short(text: &str) -> String {
    (1..30)
        .rev()
        .fold(text.to_owned(), |text, client| text.replace(&addr(client).addr.to_string(), &format!("@{client}")))
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
        Event::KnownAs { old, new } => format!("{} is now {}", known_as(old), known_as(new)),
        Event::Joined(who) => format!(">{}", known_as(who)),
        Event::Left(who) => format!("<{}", known_as(who)),
        Event::Topic { from, text } => format!("{} topic: {text}", known_as(from)),
        Event::Room { name, members, topic } => format!("{name} {members} {topic}").trim_end().to_owned(),
        Event::Past(record, _) => {
            let room = if *record.room == *LOBBY { String::new() } else { format!("#{} ", record.room) };
            format!("{}| {room}{}", record.n, shown(&record.event))
        }
        Event::Done(Done::Join { room, members, topic, .. }) => {
            format!("in {room} {members} {topic}").trim_end().to_owned()
        }
        Event::Done(Done::In(room, _)) => format!("said in {room}"),
        Event::Done(Done::Leave(room)) => format!("out of {room}"),
        Event::Done(Done::Rooms(count)) => format!("{count} rooms"),
        Event::Done(Done::Who(room, count)) => format!("{count} in {room}"),
        Event::Done(Done::Topic(room, topic)) => format!("topic of {room}: {topic}").trim_end().to_owned(),
        Event::Done(Done::History { room, count, position, has_more }) => {
            let n = position.map_or(0, |position| position.n);
            format!("{count} of {room} until {n}{}", if *has_more { ", more" } else { "" })
        }
        Event::Declined(_, Refusal::HistoryGone { oldest, .. }) => {
            format!("no: history-gone, oldest {}", oldest.map_or(0, |position| position.n))
        }
        Event::Declined(_, Refusal::RoomConfusable(name)) => format!("no: room-confusable({name})"),
        Event::Declined(_, refusal) => format!("no: {}", kebab(&format!("{refusal:?}"))),
        Event::Synced(token) => format!("sync {token}"),
        Event::WaitMet(arg) => format!("met {arg}"),
        Event::WaitTimedOut => "not met".to_owned(),
        Event::Refused(Refusal::NameConfusable(name)) => format!("name-confusable({name})"),
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
