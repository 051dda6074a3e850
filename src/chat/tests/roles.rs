//! Whatever happens in whatever order: who has no role causes no effect, and who may not enter a locked room hears nothing of
//! it. Who may what is followed beside the chat, by what it is asked for and what it answers.

use std::collections::BTreeSet;

use super::{super::*, origin};

const NAMES: [&str; 4] = ["op", "ann", "bob", "cid"];
const ROOMS: [&str; 2] = ["x", "y"];
const PASSWORD: &str = "hunter22";
const CLIENTS: u64 = 6;
const STEPS: usize = 30_000;

/// An account, as long as it is that one: its key, and when it was made.
type Owner = (String, Timestamp);

/// One who may enter a room.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Guest {
    Account(Owner),
    Client(ClientId),
}

/// What is to hold for a room.
#[derive(Debug, Default)]
struct Expected {
    owners: Vec<Owner>,
    invited: Vec<Guest>,
    is_locked: bool,
    inside: Vec<ClientId>,
    /// Those of them who came in while it was locked.
    let_in: BTreeSet<ClientId>,
}

struct World {
    chat: Chat,
    random: u64,
    now: u64,
    here: Vec<ClientId>,
    jobs: Vec<(ClientId, Ticket, Job)>,
    /// What is in the store, and rooms by name.
    kept: BTreeMap<String, Account>,
    rooms: BTreeMap<String, Expected>,
    done: usize,
    not_allowed: usize,
    locked: usize,
}

impl World {
    fn new(random: u64) -> Self {
        let accounts = AccountRules { allows_insecure: true, ..AccountRules::default() };
        let trusted = vec!["10.0.0.0/16".parse().unwrap()];
        let rules = Rules { has_store: true, accounts, trusted, ..Rules::default() };
        Self {
            chat: Chat::new(rules, Epoch::from_random(0)),
            random,
            now: 0,
            here: Vec::new(),
            jobs: Vec::new(),
            kept: BTreeMap::new(),
            rooms: BTreeMap::new(),
            done: 0,
            not_allowed: 0,
            locked: 0,
        }
    }

    fn below(&mut self, n: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random >> 33).expect("31 bits") % n
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_second(i64::try_from(self.now).unwrap()).unwrap()
    }

    /// The account that a client is logged in to.
    fn account(&self, client: ClientId) -> Option<&Account> {
        let who = &self.chat.members.get(client)?.who;
        if who.is_account { self.kept.get(&account_key(&who.name)) } else { None }
    }

    fn owner(&self, client: ClientId) -> Option<Owner> {
        self.account(client).map(|account| (account.key(), account.created))
    }

    fn is_operator(&self, client: ClientId) -> bool {
        self.account(client).is_some_and(|account| account.role == Role::Operator)
    }

    /// Whether the client may do this.
    fn may(&self, client: ClientId, command: &OrderCommand) -> bool {
        let room = match command {
            OrderCommand::Kick { room, .. } | OrderCommand::Mute { room, .. } | OrderCommand::Unmute { room, .. } => {
                room.as_ref()
            }
            OrderCommand::Lock(room)
            | OrderCommand::Unlock(room)
            | OrderCommand::Invite { room, .. }
            | OrderCommand::Owner { room, .. } => Some(room),
            OrderCommand::Ban { .. }
            | OrderCommand::Unban(_)
            | OrderCommand::Bans
            | OrderCommand::Announce(_)
            | OrderCommand::ShutDown { .. }
            | OrderCommand::CancelShutDown => None,
        };
        let owns = |room: &String| {
            let owner = self.owner(client);
            self.rooms.get(room).is_some_and(|of| owner.is_some_and(|owner| of.owners.contains(&owner)))
        };
        self.is_operator(client) || room.is_some_and(owns)
    }

    /// Whether the client may enter the room.
    fn may_enter(&self, client: ClientId, room: &str) -> bool {
        let Some(of) = self.rooms.get(room).filter(|of| of.is_locked) else { return true };
        of.inside.contains(&client) || self.is_invited(client, of)
    }

    /// Whether the client may be in the room though it is locked.
    fn is_invited(&self, client: ClientId, of: &Expected) -> bool {
        let owner = self.owner(client);
        of.invited.contains(&Guest::Client(client))
            || owner.is_some_and(|owner| of.owners.contains(&owner) || of.invited.contains(&Guest::Account(owner)))
    }

    fn step(&mut self) {
        self.now += 1;
        if self.here.is_empty() || self.here.len() < CLIENTS as usize && self.below(6) == 0 {
            let (client, network) = (ClientId(self.now), [10, self.below(3) as u8, 0, 1]);
            let origin = origin(network, (self.now % 60_000) as u16 + 1);
            self.here.push(client);
            let input = if self.below(4) == 0 { Input::Visit(client, origin) } else { Input::Arrive(client, origin) };
            return self.input(input, None);
        }
        let which = self.below(self.here.len());
        let client = self.here[which];
        let (name, room) = (NAMES[self.below(4)].to_owned(), ROOMS[self.below(2)].to_owned());
        let secret = || Secret::new(PASSWORD.to_owned());
        let (time, reason) = (Duration::from_secs(self.below(20) as u64), String::new());
        let place = (self.below(2) == 0).then(|| room.clone());
        let order = |command| Command::Order(command);
        let command = match self.below(32) {
            0..=2 => Command::Rename(name),
            3 => Command::Account(AccountCommand::Register(secret())),
            4..=7 => Command::Account(AccountCommand::Login { name: Some(name), secret: secret() }),
            8 => Command::Account(AccountCommand::Unregister(secret())),
            9 | 10 => Command::Join { room, start: None },
            11 if self.rooms.values().all(|of| !of.inside.contains(&client)) => {
                Command::Follow { rooms: ROOMS.map(str::to_owned).to_vec(), start: Start::Last(0), kinds: Kinds::All }
            }
            11 => Command::History(Stretch {
                rooms: ROOMS.map(str::to_owned).to_vec(),
                ..Stretch::of(room, Start::Last(9))
            }),
            12 => Command::Leave(room),
            13 | 14 => Command::In { room, text: "hi".to_owned() },
            15 => Command::History(Stretch::of(room, Start::Last(9))),
            16 => Command::WhoIn(room),
            17 => Command::Topic { room, text: Some("t".to_owned()) },
            18 => order(OrderCommand::Kick { room: place, name, reason }),
            19 => order(OrderCommand::Ban { who: name, time: time + Duration::from_secs(1), reason }),
            20 => order(OrderCommand::Unban(name)),
            21 => order(OrderCommand::Mute { room: place, name, time: time + Duration::from_secs(1), reason }),
            22 => order(OrderCommand::Unmute { room: place, name }),
            23 => order(OrderCommand::Lock(room)),
            24 => order(if self.below(2) == 0 { OrderCommand::Unlock(room) } else { OrderCommand::Bans }),
            25 => order(OrderCommand::Invite { room, name }),
            26 => order(OrderCommand::Owner { room, name }),
            27 => order(OrderCommand::Announce("hi".to_owned())),
            28 => order(OrderCommand::ShutDown { time: Duration::from_secs(300_000_000), reason }),
            29 => return self.input(Input::End(client, Departure::Quit), None),
            30 => return self.change_behind_its_back(&name),
            _ => return self.verify(),
        };
        if !self.jobs.iter().any(|(of, ..)| *of == client) {
            self.input(Input::Command(client, Load::Light, command.clone()), Some((client, command)));
        }
    }

    /// Another process adds, removes or changes an account, or makes it again.
    fn change_behind_its_back(&mut self, name: &str) {
        let what = self.below(5);
        let new = Account::new(&Name::parse(name).unwrap(), Some(PASSWORD.into()), self.at());
        let known = self.kept.get_mut(name);
        match (what, known) {
            (0, Some(_)) => drop(self.kept.remove(name)),
            (1, _) | (_, None) => drop(self.kept.insert(name.to_owned(), new)),
            (_, Some(account)) => {
                account.role = if what == 2 { Role::User } else { Role::Operator };
                account.generation += 1;
            }
        }
        self.input(Input::Accounts(self.kept.values().cloned().collect()), None);
    }

    fn verify(&mut self) {
        if self.jobs.is_empty() {
            return;
        }
        let which = self.below(self.jobs.len());
        let (client, ticket, job) = self.jobs.swap_remove(which);
        let verdict = match job {
            Job::Check { hash, password } => Verdict::Checked(hash.as_deref() == Some(password.reveal())),
            Job::Hash(password) => Verdict::Hashed(password.reveal().into()),
            Job::Replace { .. } | Job::MakeToken => Verdict::Failed,
        };
        self.input(Input::Verified(client, ticket, verdict), None);
    }

    fn input(&mut self, input: Input, asked: Option<(ClientId, Command)>) {
        let comes = matches!(input, Input::Arrive(..) | Input::Visit(..));
        let order = asked.as_ref().and_then(|(client, command)| match command {
            Command::Order(command) => Some((*client, self.may(*client, command))),
            _ => None,
        });
        let made = asked.as_ref().map(|(client, _)| (*client, self.owner(*client)));
        let may_enter = |world: &Self, client, room: &str| world.may_enter(client, room);
        let allowed: BTreeMap<_, _> = ROOMS
            .iter()
            .flat_map(|room| self.here.iter().map(move |client| (*client, *room)))
            .map(|key| (key, may_enter(self, key.0, key.1)))
            .collect();
        let mut out = Vec::new();
        let (now, at) = (Duration::from_secs(self.now * 3600), self.at());
        self.chat.handle(Entry { now, at, input }, &mut out);
        self.chat.members.assert_mirrors();
        let mut is_done = false;
        for output in out {
            let by_operator_or_owner = order.is_some_and(|(_, may)| may);
            match output {
                Output::Verify(client, ticket, job) => self.jobs.push((client, ticket, job)),
                Output::Account(AccountChange::Put(account)) => drop(self.kept.insert(account.key(), account)),
                Output::Account(AccountChange::Gone(name)) => drop(self.kept.remove(&account_key(&name))),
                Output::Ask(client, Query::Page { until, .. }) => {
                    let answer = Answer::Page { records: Vec::new(), through: until, gone: vec![None] };
                    self.input(Input::Answered(client, Some(answer)), None);
                }
                Output::Ask(client, _) => {
                    let answer = Answer::Behind { n: vec![0], gone: vec![None] };
                    self.input(Input::Answered(client, Some(answer)), None);
                }
                Output::Order(OrderChange::Room(_)) => {} // also where a room is made, or an account is no more
                Output::Order(change) => assert!(by_operator_or_owner, "{asked:?} caused {change:?}"),
                Output::ShutDown => panic!("that is long hence"),
                Output::Tell(client, Event::Order(event)) => {
                    assert!(by_operator_or_owner || comes, "{asked:?} had {client} told {event:?}");
                }
                Output::Tell(_, Event::Done(Done::Order(_))) => {
                    assert!(by_operator_or_owner, "{asked:?} was done");
                    (self.done, is_done) = (self.done + 1, true);
                }
                Output::Tell(client, Event::Declined(_, Refusal::Order(refusal))) => match refusal {
                    OrderRefusal::NotOperator | OrderRefusal::NotOwner => self.not_allowed += 1,
                    OrderRefusal::RoomLocked => {
                        self.locked += 1;
                        let (_, command) = asked.as_ref().expect("a command");
                        let is_named = |room: &&str| format!("{command:?}").contains(&format!("{room:?}"));
                        let is_locked = ROOMS.into_iter().filter(is_named).any(|room| !allowed[&(client, room)]);
                        assert!(is_locked, "{asked:?} was refused");
                    }
                    _ => {}
                },
                Output::Tell(client, Event::Past(record, _)) if ROOMS.contains(&&*record.room) => {
                    assert!(allowed[&(client, &*record.room)], "{asked:?} was told of a locked room");
                }
                Output::Tell(client, Event::Done(Done::In(room, _) | Done::Who(room, _) | Done::Topic(room, _))) => {
                    assert!(allowed[&(client, &*room)], "{asked:?} was done in a locked room");
                }
                Output::Join(client, room) => {
                    let Some(name) = self.chat.name_of(room).filter(|name| ROOMS.contains(&&**name)) else { continue };
                    if !self.rooms.contains_key(&*name) {
                        self.make(&name, &made);
                    }
                    assert!(allowed[&(client, &*name)], "{asked:?} entered");
                    let of = self.rooms.entry(name.to_string()).or_default();
                    of.inside.push(client);
                    if of.is_locked {
                        of.let_in.insert(client);
                    }
                }
                Output::Part(client, room) => {
                    let is_own = order.is_none();
                    assert!(is_own || by_operator_or_owner, "{asked:?} put {client} out");
                    if let Some(name) = self.chat.name_of(room) {
                        let of = self.rooms.entry(name.to_string()).or_default();
                        of.inside.retain(|inside| *inside != client);
                        of.let_in.remove(&client);
                    }
                }
                Output::Remember { room, .. } if !self.rooms.contains_key(&*room) => self.make(&room, &made),
                Output::Forget(room) => drop(self.rooms.remove(&*room)),
                Output::HangUp(client, departure) => {
                    let is_sanction = matches!(departure, Departure::Kicked | Departure::Banned);
                    assert!(!is_sanction || by_operator_or_owner || comes, "{asked:?} sent {client} away");
                    self.here.retain(|of| *of != client);
                    self.jobs.retain(|(of, ..)| *of != client);
                    for of in self.rooms.values_mut() {
                        of.inside.retain(|inside| *inside != client);
                        of.let_in.remove(&client);
                        of.invited.retain(|guest| *guest != Guest::Client(client));
                    }
                }
                _ => {}
            }
        }
        if let (true, Some((_, Command::Order(command)))) = (is_done, asked) {
            self.learn(command);
        }
        // Accounts that are no more, or are others of the same name, own nothing.
        let is_there = |(key, created): &Owner| self.kept.get(key).is_some_and(|account| account.created == *created);
        for of in self.rooms.values_mut() {
            of.owners.retain(is_there);
            of.invited.retain(|guest| match guest {
                Guest::Account(owner) => is_there(owner),
                Guest::Client(_) => true,
            });
        }
        for (room, of) in &self.rooms {
            for &client in &of.let_in {
                assert!(self.is_invited(client, of), "{client} is in {room} without the account that it came in as");
            }
        }
    }

    fn make(&mut self, room: &str, made: &Option<(ClientId, Option<Owner>)>) {
        let owners = made.iter().filter_map(|(_, owner)| owner.clone()).collect();
        self.rooms.insert(room.to_owned(), Expected { owners, ..Expected::default() });
    }

    /// What was done by one who may.
    fn learn(&mut self, command: OrderCommand) {
        let guests = |world: &Self, name: &str| match world.kept.get(name) {
            Some(account) => vec![Guest::Account((account.key(), account.created))],
            None => {
                let bearers = world.chat.members.bearers(name).into_iter().flat_map(|bearers| bearers.iter());
                bearers.map(Guest::Client).collect()
            }
        };
        match command {
            OrderCommand::Lock(room) => self.rooms.entry(room).or_default().is_locked = true,
            OrderCommand::Unlock(room) => {
                let of = self.rooms.entry(room).or_default();
                of.is_locked = false;
                of.let_in.clear();
            }
            OrderCommand::Invite { room, name } => {
                let guests = guests(self, &name);
                self.rooms.entry(room).or_default().invited.extend(guests);
            }
            OrderCommand::Owner { room, name } => {
                let account = &self.kept[&name];
                self.rooms.entry(room).or_default().owners.push((account.key(), account.created));
            }
            OrderCommand::Kick { room: Some(room), name, .. } => {
                let gone = guests(self, &name);
                let of = self.rooms.entry(room).or_default();
                of.owners.retain(|owner| !gone.contains(&Guest::Account(owner.clone())));
                of.invited.retain(|guest| !gone.contains(guest));
            }
            _ => {}
        }
    }
}

#[test]
fn who_has_no_role_causes_no_effect_in_whatever_order() {
    for seed in 1..=4_u64 {
        let mut world = World::new(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        for _ in 0..STEPS {
            world.step();
        }
        let World { done, not_allowed, locked, .. } = world;
        assert!(done > 100 && not_allowed > 100 && locked > 100, "{done} done, {not_allowed} not, {locked} locked");
    }
}
