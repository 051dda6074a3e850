//! Plays transcripts. A script is steps apart by `;`, and what is checked is what its last step comes to.
//!
//! Steps: `2 arrives`, `2 arrives at @1`, `2 arrives as ann` or `2 visits as ann` (an account that its origin is), `2 arrives to
//! visit`, `2 visits`, `2 LINE` (or several lines), `2 leaves`, `2 is lost`, `2 is slow`, `2 is behind` (with what is for it
//! alone), `2 breaks`, `2 quits`, `2 is verified` (what its last command has to have verified), `2 is answered` (by the store, of
//! private messages that were kept). `1 is made operator` (the role of its account, which logs it out), `1 waits 60` (seconds,
//! for what is due then). A client that does not arrive in the script is there before it begins, in order of number. `@2` is the
//! address of client 2; 1 to 9 have one IP address, 10 to 19 another, and so on.
//!
//! Told: `1,3< ann@1: hi` (1 and 3 are told, and nobody else), `(1),3< @1 is now ann@1` (1 only where events are counted),
//! `1,3< #builds ann@1: hi` (in a room but the lobby), `1< ann@1> hi` (in private), `+@2`, `-ann@1 left`, `1< #builds >ann@1`
//! (ann has joined it), `1< =ann@1` (ann is here), `1< =ann!@1` (and logged in), `2 hung up: left`. That a client may go on
//! when it has come, and when its command is done, goes without saying, and is checked each time. So is that nobody is told
//! anything after the hang-up, and that public events are numbered without gaps.

mod order;
mod shown;

use super::{super::*, origin};
use crate::{
    Origin,
    protocol::{Line, parse},
};
use shown::{short, shown, shown_public};

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
        let arrives = |(who, what): &(&str, &str)| {
            number(who) == client && (what.starts_with("arrives") || what.starts_with("visits as "))
        };
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
    /// What is to be verified for clients.
    jobs: BTreeMap<u64, (Ticket, Job)>,
    /// Tokens that were made.
    tokens: u8,
    /// What is kept of private messages.
    mail: Vec<Record>,
    /// What the store is asked for clients.
    asked: BTreeMap<u64, Query>,
    /// Seconds since the beginning.
    now: u32,
}

impl Stage {
    fn new(rules: Rules) -> Self {
        Self {
            chat: Chat::new(rules, Epoch::from_random(0)),
            connected: Vec::new(),
            rooms: BTreeMap::new(),
            jobs: BTreeMap::new(),
            tokens: 0,
            mail: Vec::new(),
            asked: BTreeMap::new(),
            now: 0,
        }
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
            "is behind" => vec![Input::Congested(id, Congestion::Behind)],
            "is slow" => vec![Input::End(id, Departure::SlowConsumer)],
            "is made operator" | "is made user" => vec![self.with_role(id, what)],
            "arrives" => vec![Input::Arrive(id, addr(client))],
            "knows that the store fails" => vec![Input::StoreDown],
            "knows that nobody is trusted" => vec![Input::Trusted(Vec::new())],
            "is verified" => {
                let (ticket, job) = self.jobs.remove(&client).expect("something to be verified");
                vec![Input::Verified(id, ticket, self.verdict(job))]
            }
            "is answered" => {
                let query = self.asked.remove(&client).expect("a question");
                vec![Input::Answered(id, Some(self.answer(&query)))]
            }
            "arrives to visit" | "visits" => vec![Input::Visit(id, addr(client))],
            _ if what.starts_with("waits ") => {
                self.now += what["waits ".len()..].parse::<u32>().expect("seconds");
                vec![Input::Continue]
            }
            _ => match what.strip_prefix("arrives at @") {
                Some(other) => vec![Input::Arrive(id, addr(number(other)))],
                None if what.starts_with("arrives as ") || what.starts_with("visits as ") => {
                    let (begins, name) = what.split_once(" as ").expect("as above");
                    let origin = Origin { account: Some(name.into()), ..addr(client) };
                    vec![if begins == "visits" { Input::Visit(id, origin) } else { Input::Arrive(id, origin) }]
                }
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
        let is_command = matches!(input, Input::Command(..) | Input::Arrive(..) | Input::Visit(..));
        let mut out = Vec::new();
        let now = Duration::from_secs(self.now.into());
        let at = Timestamp::from_second(self.now.into()).expect("a time");
        self.chat.handle(Entry { now, at, input }, &mut out);
        self.chat.members.assert_mirrors();
        self.chat.rooms.assert_mirrors();
        for output in &out {
            if let Output::Verify(ClientId(client), ticket, job) = output {
                self.jobs.insert(*client, (*ticket, job.clone()));
            }
            if let Output::Keep(record) = output {
                self.mail.push(record.clone());
            }
            if let Output::Ask(ClientId(client), query) = output {
                self.asked.insert(*client, query.clone());
            }
        }
        let has_store = self.chat.has_store();
        out.retain(|output| match output {
            Output::Verify(..) => false,
            Output::Ask(..) => !has_store,
            Output::Remember { .. } | Output::Forget(_) | Output::Account(_) | Output::Order(_) | Output::Keep(_) => {
                !has_store
            }
            _ => true,
        });
        if is_command {
            let is_ready = out.contains(&Output::Ready(id));
            let is_here = self.chat.members.get(id).is_some();
            assert_eq!(
                is_ready,
                is_here
                    && !self.chat.waits.is_waiting(id)
                    && !self.jobs.contains_key(&client)
                    && !self.asked.contains_key(&client),
                "{client}: {out:?}"
            );
            out.retain(|output| *output != Output::Ready(id));
        }
        out.into_iter().filter_map(|output| self.told(output)).collect()
    }

    /// What the store answers, which has pages of two.
    fn answer(&self, query: &Query) -> Answer {
        let of = |room: &Arc<str>, until: u64| {
            let kept = self.mail.iter().filter(|record| record.room == *room && record.n <= until);
            kept.cloned().collect::<Vec<_>>()
        };
        match query {
            Query::Page { rooms, until, limit, .. } => {
                let [(room, after)] = &rooms[..] else { panic!("a mailbox is one room: {rooms:?}") };
                let mut records = of(room, *until);
                records.retain(|record| record.n > *after);
                let is_all = records.len() <= 2.min(*limit);
                records.truncate(2.min(*limit));
                let through = if is_all { *until } else { records.last().map_or(*after, |last| last.n) };
                Answer::Page { records, through, gone: vec![None] }
            }
            Query::SeekLast { rooms, count, until, .. } => {
                let kept = of(&rooms[0], *until);
                let first = kept.len().saturating_sub(*count);
                Answer::Behind { n: vec![first.checked_sub(1).map_or(0, |before| kept[before].n)], gone: vec![None] }
            }
            Query::SeekOldest { .. } | Query::SeekSince { .. } => Answer::Behind { n: vec![0], gone: vec![None] },
        }
    }

    /// All accounts, of which that of the client has another role.
    fn with_role(&self, client: ClientId, what: &str) -> Input {
        let key = self.chat.account_of(client).expect("an account");
        let role = if what.ends_with("operator") { Role::Operator } else { Role::User };
        let changed = |account: &Account| {
            let is_it = account.key() == *key;
            let (generation, before) = (account.generation + u64::from(is_it), account.role);
            Account { generation, role: if is_it { role } else { before }, ..account.clone() }
        };
        Input::Accounts(self.chat.accounts().map(changed).collect())
    }

    /// What comes of a job, where the hash of a password is the password.
    fn verdict(&mut self, job: Job) -> Verdict {
        match job {
            Job::Check { hash, password } => Verdict::Checked(hash.as_deref() == Some(password.reveal())),
            Job::Hash(password) => Verdict::Hashed(password.reveal().into()),
            Job::Replace { hash, old, new } => Verdict::Replaced((*hash == *old.reveal()).then(|| new.reveal().into())),
            Job::MakeToken => {
                self.tokens += 1;
                let secret = Secret::new(token(self.tokens));
                let digest = token_digest(secret.reveal());
                Verdict::Token { secret, digest }
            }
        }
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
            Output::Ask(..) | Output::Remember { .. } | Output::Forget(_) | Output::Account(_) | Output::Keep(_) => {
                panic!("there is no store: {output:?}")
            }
            Output::Verify(..) => panic!("there are no accounts: {output:?}"),
            Output::Order(_) => panic!("there is no order"),
            Output::ShutDown => "the server ends".to_owned(),
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
        assert_eq!(public.seq, *seq, "{:?}", public.event);
        // One that is in the room, and is told first what has happened there, is not told now.
        let told_later = public.members.checked_sub(members.len());
        assert!(told_later.is_some_and(|later| later <= self.asked.len()), "{:?}", public.event);
        let shown_client = |&client: &u64| {
            if public.except == Some(ClientId(client)) { format!("({client})") } else { client.to_string() }
        };
        let members: Vec<_> = members.iter().map(shown_client).collect();
        let room = if public.room == RoomId::LOBBY { String::new() } else { format!("#{} ", public.name) };
        format!("{}< {room}{}", members.join(","), shown_public(&public.event))
    }
}

/// The token that is made as this one.
pub(super) fn token(n: u8) -> String {
    format!("{TOKEN_PREFIX}{n:0TOKEN_LENGTH$}")
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
