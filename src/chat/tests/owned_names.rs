//! Whatever happens in whatever order: a name that is owned is borne by nobody but those who have proved to be its owner.

use super::{super::*, origin, stage::token};

const NAMES: [&str; 5] = ["ann", "Ann", "bob", "cid", "аnn"]; // the last а is Cyrillic
const PASSWORDS: [&str; 2] = ["hunter22", "hunter23"];
const CLIENTS: u64 = 6;
const STEPS: usize = 20_000;

/// Numbers that look random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % n
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// A chat, and what the world knows of it.
struct World {
    chat: Chat,
    dice: Dice,
    next: u64,
    here: Vec<ClientId>,
    jobs: Vec<(ClientId, Ticket, Job)>,
    tokens: u8,
    /// Which accounts each client has proved to be, and their generations.
    proved: BTreeMap<ClientId, Vec<(String, u64)>>,
    /// The account that each has asked to be last, as it was then.
    asked: BTreeMap<ClientId, (String, u64)>,
    /// What is in the store.
    kept: BTreeMap<String, Account>,
    logins: usize,
    refused: usize,
}

impl World {
    fn new(seed: u64, requires_login: bool) -> Self {
        let accounts = AccountRules { allows_insecure: true, requires_login, ..AccountRules::default() };
        let trusted = vec!["10.0.0.0/8".parse().unwrap()];
        let rules = Rules { has_store: true, accounts, trusted, ..Rules::default() };
        Self {
            chat: Chat::new(rules, Epoch::from_random(0)),
            dice: Dice(seed),
            next: 0,
            here: Vec::new(),
            jobs: Vec::new(),
            tokens: 0,
            proved: BTreeMap::new(),
            asked: BTreeMap::new(),
            kept: BTreeMap::new(),
            logins: 0,
            refused: 0,
        }
    }

    fn step(&mut self) {
        if self.here.is_empty() || self.here.len() < CLIENTS as usize && self.dice.below(8) == 0 {
            self.next += 1;
            let (client, origin) = (ClientId(self.next), origin([10, 0, 0, 1], (self.next % 60_000) as u16 + 1));
            self.here.push(client);
            let visits = self.dice.below(3) == 0;
            return self.input(if visits { Input::Visit(client, origin) } else { Input::Arrive(client, origin) });
        }
        let client = self.dice.pick(&self.here);
        let (name, password) = (self.dice.pick(&NAMES), self.dice.pick(&PASSWORDS));
        let secret = |text: &str| Secret::new(text.to_owned());
        let command = match self.dice.below(20) {
            0..=4 => Command::Rename(name.to_owned()),
            5 | 6 => Command::Account(AccountCommand::Register(secret(password))),
            7..=10 => Command::Account(AccountCommand::Login { name: Some(name.to_owned()), secret: secret(password) }),
            11 | 12 => {
                let token = token(self.dice.below(usize::from(self.tokens) + 1) as u8);
                Command::Account(AccountCommand::Login { name: None, secret: secret(&token) })
            }
            13 => Command::Account(AccountCommand::Token("ci".to_owned())),
            14 => Command::Account(AccountCommand::Revoke("ci".to_owned())),
            15 => Command::Account(AccountCommand::Unregister(secret(password))),
            16 => {
                let (old, new) = (secret(password), secret(self.dice.pick(&PASSWORDS)));
                Command::Account(AccountCommand::Password { old, new })
            }
            17 => return self.leave(client),
            18 => return self.change_behind_its_back(name),
            _ => return self.verify(),
        };
        if !self.jobs.iter().any(|(of, ..)| *of == client) {
            if let Command::Account(AccountCommand::Login { name: None, secret }) = &command {
                let digest = token_digest(secret.reveal());
                let of = self.chat.accounts().find(|account| account.tokens.iter().any(|token| token.digest == digest));
                let proof = of.map(|account| (account.key(), account.generation));
                self.proved.entry(client).or_default().extend(proof);
            }
            if let Command::Account(AccountCommand::Login { name: Some(name), .. }) = &command {
                let account = self.kept.get(&account_key(name));
                match account {
                    Some(account) => self.asked.insert(client, (account.key(), account.generation)),
                    None => self.asked.remove(&client),
                };
            }
            self.input(Input::Command(client, Load::Light, command));
        }
    }

    fn leave(&mut self, client: ClientId) {
        let input = self.dice.pick(&[Departure::Quit, Departure::Lost, Departure::Idle]);
        self.input(Input::End(client, input));
        if self.dice.below(4) == 0 {
            // A verdict may come after that.
            self.verify();
        }
        self.jobs.retain(|(of, ..)| *of != client);
    }

    /// Another process adds, removes or changes an account.
    fn change_behind_its_back(&mut self, name: &str) {
        let name = Name::parse(name).unwrap();
        let account = Account::new(&name, Some("hunter22".into()), Timestamp::UNIX_EPOCH);
        match self.dice.below(3) {
            0 => drop(self.kept.remove(&account.key())),
            1 if self.kept.values().any(|other| are_confusable(&other.name, name.as_str())) => {}
            1 => drop(self.kept.entry(account.key()).or_insert(Account { generation: self.next * 1000, ..account })),
            _ => {
                if let Some(account) = self.kept.get_mut(&account.key()) {
                    account.generation += 1;
                }
            }
        }
        self.input(Input::Accounts(self.kept.values().cloned().collect()));
    }

    /// One of the jobs is done.
    fn verify(&mut self) {
        if self.jobs.is_empty() {
            return;
        }
        let (client, ticket, job) = self.jobs.swap_remove(self.dice.below(self.jobs.len()));
        let verdict = match job {
            _ if self.dice.below(20) == 0 => Verdict::Failed,
            Job::Check { hash, password } => Verdict::Checked(hash.as_deref() == Some(password.reveal())),
            Job::Hash(password) => Verdict::Hashed(password.reveal().into()),
            Job::Replace { hash, old, new } => Verdict::Replaced((*hash == *old.reveal()).then(|| new.reveal().into())),
            Job::MakeToken => {
                self.tokens = self.tokens.wrapping_add(1);
                let secret = Secret::new(token(self.tokens));
                Verdict::Token { digest: token_digest(secret.reveal()), secret }
            }
        };
        if verdict == Verdict::Checked(true) {
            let asked = self.asked.get(&client).cloned();
            self.proved.entry(client).or_default().extend(asked);
        }
        self.input(Input::Verified(client, ticket, verdict));
    }

    fn input(&mut self, input: Input) {
        let mut out = Vec::new();
        let now = Duration::from_secs(self.next * 3600); // so that attempts are not what it is about
        self.chat.handle(Entry { now, at: Timestamp::UNIX_EPOCH, input }, &mut out);
        for output in out {
            match output {
                Output::Verify(client, ticket, job) => self.jobs.push((client, ticket, job)),
                Output::Account(AccountChange::Put(account)) => drop(self.kept.insert(account.key(), account)),
                Output::Account(AccountChange::Gone(name)) => drop(self.kept.remove(&account_key(&name))),
                Output::Ask(client, Query::Page { until, .. }) => {
                    let answer = Answer::Page { records: Vec::new(), through: until, gone: vec![None] };
                    self.input(Input::Answered(client, Some(answer)));
                }
                Output::Tell(client, Event::Done(Done::Account(AccountDone::Register(name)))) => {
                    let account = &self.kept[&account_key(&name)];
                    self.proved.entry(client).or_default().push((account.key(), account.generation));
                }
                Output::Tell(client, Event::Done(Done::Account(AccountDone::Password(name)))) => {
                    let account = &self.kept[&account_key(&name)];
                    self.proved.entry(client).or_default().push((account.key(), account.generation));
                }
                Output::Tell(_, Event::Done(Done::Account(AccountDone::Login { .. }))) => self.logins += 1,
                Output::Tell(_, Event::Declined(..) | Event::Refused(_)) => self.refused += 1,
                Output::HangUp(client, _) => {
                    self.here.retain(|of| *of != client);
                    self.jobs.retain(|(of, ..)| *of != client);
                    self.proved.remove(&client);
                }
                _ => {}
            }
        }
        self.check();
    }

    fn check(&self) {
        self.chat.members.assert_mirrors();
        let known: Vec<_> = self.chat.accounts().collect();
        // Of what was read, and which tokens were used, the chat may know more.
        let essence = |account: &Account| {
            let tokens: Vec<_> = account.tokens.iter().map(|token| (token.label.clone(), token.digest)).collect();
            (Arc::clone(&account.name), account.password.clone(), account.generation, tokens)
        };
        assert!(
            known.iter().map(|account| essence(account)).eq(self.kept.values().map(essence)),
            "it knows what is kept"
        );
        for client in self.chat.members.all() {
            let member = self.chat.members.get(client).expect("it is one of them");
            let owned = known.iter().find(|account| account.key() == account_key(&member.who.name));
            match owned {
                Some(account) => {
                    let proof = (account.key(), account.generation);
                    let proved = self.proved.get(&client).is_some_and(|proofs| proofs.contains(&proof));
                    assert!(member.who.is_account && proved, "{client} bears {}", account.name);
                    assert_eq!(*member.who.name, *account.name);
                }
                None => assert!(!member.who.is_account, "{client} is {}, which nobody owns", member.who.name),
            }
            let is_told = !member.rooms.is_empty();
            assert!(!self.chat.rules.accounts.requires_login || !is_told || member.who.is_account, "{client} hears");
        }
    }
}

#[test]
fn a_name_that_is_owned_is_borne_by_nobody_else() {
    for (seed, requires_login) in [(1_u64, false), (2, false), (3, true), (4, true)] {
        let mut world = World::new(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed), requires_login);
        for _ in 0..STEPS {
            world.step();
        }
        assert!(world.logins > 100 && world.refused > 100, "{} logins, {} refusals", world.logins, world.refused);
    }
}
