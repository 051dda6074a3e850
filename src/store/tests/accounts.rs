//! Accounts, which are changed by the server and by others.

use super::*;
use crate::chat::{PastSender, Role, Secret, Token, mailbox, token_digest};

fn account(name: &str) -> Account {
    Account {
        name: name.into(),
        password: Some("$argon2id$x".into()),
        role: Role::User,
        created: NOW,
        read: 0,
        generation: 1,
        tokens: vec![],
    }
}

fn token(label: &str) -> Token {
    Token { label: label.to_owned(), digest: token_digest(label), created: NOW, used: None }
}

fn put(account: &Account) -> Change {
    Change::Account(AccountChange::Put(account.clone()))
}

fn with(account: &Account, change: impl FnOnce(&mut Account)) -> Account {
    let mut account = account.clone();
    change(&mut account);
    account
}

/// What another process does.
fn edit(folder: &Folder, name: &str, change: impl FnOnce(&mut Account)) {
    let file = AccountFile::open(&folder.file(), false).unwrap();
    file.edit(name, |account| Ok(account.map(|account| with(&account, change)))).unwrap();
}

fn remove(folder: &Folder, name: &str) {
    AccountFile::open(&folder.file(), false).unwrap().edit(name, |_| Ok(None)).unwrap();
}

/// What the chat is told at the next look, if it is.
fn told(writer: &mut Writer<'_>, outcomes: &mut Outcomes) -> Option<Vec<Account>> {
    outcomes.take();
    let look_at = writer.tables.state.watched.look_at;
    settle(writer, look_at);
    outcomes.take().into_iter().find_map(|outcome| match outcome {
        Outcome::Accounts { accounts, .. } => Some(accounts),
        Outcome::Committed(_) | Outcome::Bans { .. } | Outcome::Failed { .. } => None,
    })
}

#[test]
fn accounts_come_back() {
    let folder = Folder::new();
    let mut open = folder.open();
    let bob = Account { password: None, ..account("bob") };
    let ann = Account { role: Role::Operator, tokens: vec![token("ci"), token("laptop")], ..account("Ann") };
    open.commit(vec![put(&bob), put(&account("ANN")), put(&ann), put(&account("zoe"))]);
    open.commit(vec![Change::Account(AccountChange::Gone("Zoe".into()))]);
    let used =
        |at| AccountChange::TokenUsed { account: "ann".into(), label: "ci".to_owned(), at, addr: "::1".to_owned() };
    open.commit(vec![Change::Account(AccountChange::Read { account: "bob".into(), n: 7 }), Change::Account(used(NOW))]);
    open.commit(vec![Change::Account(AccountChange::Read { account: "bob".into(), n: 6 })]);
    open.crash();
    let ann = with(&ann, |ann| ann.tokens[0].used = Some((NOW, "::1".to_owned())));
    let bob = Account { read: 7, ..bob };
    let mut open = folder.open();
    assert_eq!(open.loaded.accounts, [bob.clone(), ann.clone()]);
    open.commit(vec![put(&with(&ann, |ann| drop(ann.tokens.remove(1))))]);
    open.close();
    assert_eq!(
        folder.ask("select group_concat(concat_ws(' ', name, key, role, label, used, addr), '; ') from accounts left join tokens on account = id"),
        "bob bob user; Ann ann operator ci 2026-11-26T02:28:43.000Z ::1"
    );
    assert_eq!(folder.open().loaded.accounts.len(), 2);
}

#[test]
fn what_is_private_is_in_a_mailbox() {
    let folder = Folder::new();
    let mut open = folder.open();
    let psst = KeptEvent::Private { from: ann(), text: "psst".to_owned() };
    let kept = record(2, NOW, &mailbox("Bob"), psst);
    open.commit([vec![put(&account("Bob"))], say("tea", [1]), vec![Change::Event(kept.clone())]].concat());
    assert_eq!(open.records("@:bob"), vec![kept.clone()]);
    open.close();
    let mut open = folder.open();
    let rooms: Vec<_> = open.loaded.rooms.iter().map(|room| &*room.name).collect();
    assert_eq!((rooms, open.records("@:bob")), (vec!["tea"], vec![kept]), "it is no room");
    open.commit(vec![Change::Account(AccountChange::Gone("bob".into()))]);
    assert_eq!(open.records("@:bob"), []);
}

#[test]
fn what_was_not_delivered_is_told_at_a_start() {
    let folder = Folder::new();
    let mut open = folder.open();
    let private = |n, from: &Arc<Identity>| {
        let event = KeptEvent::Private { from: Arc::clone(from), text: "psst".to_owned() };
        Change::Event(record(n, NOW, &mailbox("Bob"), event))
    };
    let zoe = Arc::new(Identity { name: "Zoe".to_owned(), is_account: true, ..(*ann()).clone() });
    open.commit([put(&account("Bob")), put(&account("Zoe"))].into_iter().chain(say("tea", [1])).collect());
    open.commit(vec![private(2, &zoe), private(3, &zoe), private(4, &ann()), private(5, &zoe), private(6, &ann())]);
    let read = |n| Change::Account(AccountChange::Read { account: "Bob".into(), n });
    let mailboxes =
        |unread: &[(PastSender, usize)]| vec![PastMailbox { account: "Bob".into(), last: 6, unread: unread.to_vec() }];
    let (guest, zoe) = (PastSender::Guest("10.0.0.1:9".to_owned()), PastSender::Account("Zoe".to_owned()));
    open.commit(vec![read(2)]);
    open.crash();
    let mut open = folder.open();
    assert_eq!(open.loaded.mailboxes, mailboxes(&[(guest, 2), (zoe, 2)]));
    open.commit(vec![read(6)]);
    open.close();
    assert_eq!(folder.open().loaded.mailboxes, mailboxes(&[]));
}

#[test]
fn what_others_change_is_told() {
    let folder = Folder::new();
    with_writer(&folder, OPTIONS, |writer, _, outcomes| {
        let now = Instant::now();
        assert_eq!(told(writer, outcomes), None);
        let ann = account("ann");
        commit(writer, 1, vec![put(&ann), put(&account("bob"))]);
        assert_eq!(told(writer, outcomes), None, "it is the chat's own");
        folder.shell().execute_batch("insert into rooms (name) values ('coffee')").unwrap();
        assert_eq!(told(writer, outcomes), None, "it is about no account");
        edit(&folder, "Ann", |ann| ann.role = Role::Operator);
        let operator = Account { role: Role::Operator, ..ann.clone() };
        assert_eq!(told(writer, outcomes), Some(vec![operator.clone(), account("bob")]));
        remove(&folder, "bob");
        assert_eq!(told(writer, outcomes), Some(vec![operator.clone()]));
        let file = AccountFile::open(&folder.file(), false).unwrap();
        file.edit("zoe", |none| Ok(none.or(Some(account("zoe"))))).unwrap();
        writer.take(Task::Commit { batch: 2, changes: say("tea", [1]) }, now);
        writer.take(Task::TellAccounts, now);
        writer.work(writer.tables.state.watched.look_at);
        let accounts = vec![operator, account("zoe")];
        assert_eq!(outcomes.take(), [Outcome::Committed(2), Outcome::Accounts { batch: 2, number: 3, accounts }]);
        writer.take(Task::TellAccounts, now);
        assert_eq!(told(writer, outcomes).map(|accounts| accounts.len()), Some(2), "it was asked for");
        assert_eq!(told(writer, outcomes), None);
    });
}

#[test]
fn what_both_change_is_kept_where_it_can_be() {
    let folder = Folder::new();
    with_writer(&folder, OPTIONS, |writer, _, outcomes| {
        let ann = Account { tokens: vec![token("old"), token("ci")], ..account("ann") };
        commit(writer, 1, vec![put(&ann), put(&account("bob"))]);
        edit(&folder, "ann", |ann| {
            (ann.role, ann.generation) = (Role::Operator, 5);
            ann.tokens = vec![token("ci"), token("theirs")];
        });
        remove(&folder, "bob");
        let ours = Account {
            password: Some("new".into()),
            generation: 4,
            read: 9,
            tokens: vec![token("old"), token("ci"), token("ours")],
            ..ann.clone()
        };
        let bob = Account { password: Some("new".into()), ..account("bob") };
        commit(
            writer,
            2,
            vec![put(&ours), put(&bob), Change::Account(AccountChange::Read { account: "bob".into(), n: 3 })],
        );
        let tokens = ["ci", "ours", "theirs"].map(token).to_vec();
        let both = Account { role: Role::Operator, generation: 6, tokens, ..ours };
        assert_eq!(told(writer, outcomes), Some(vec![both.clone()]), "bob was removed, and stays so");
        // The chat has not heard of that yet, and then it has.
        let unaware = Account { role: Role::User, read: 10, ..both.clone() };
        commit(writer, 3, vec![put(&unaware)]);
        let both = Account { read: 10, generation: 7, ..both };
        assert_eq!(AccountFile::open(&folder.file(), false).unwrap().all(), Ok(vec![both.clone()]));
        let both = Account { role: Role::User, ..both };
        let number = writer.tables.state.watched.told.as_ref().unwrap().number;
        commit(writer, 4, vec![Change::AccountsSeen(number), put(&both)]);
        assert_eq!(AccountFile::open(&folder.file(), false).unwrap().all(), Ok(vec![both.clone()]));
        told(writer, outcomes);
        edit(&folder, "ann", |ann| ann.password = Some("theirs".into()));
        commit(writer, 5, vec![put(&Account { password: Some("ours".into()), ..both.clone() })]);
        let theirs = Account { password: Some("theirs".into()), ..both };
        assert_eq!(told(writer, outcomes), Some(vec![theirs]), "the operator was first");
        assert_eq!(told(writer, outcomes), None);
    });
}

#[test]
fn the_messages_of_an_account_that_somebody_has_removed_are_nobodys() {
    let folder = Folder::new();
    with_writer(&folder, OPTIONS, |writer, reader, outcomes| {
        let psst =
            |n| Change::Event(record(n, NOW, "@:ann", KeptEvent::Private { from: ann(), text: "psst".to_owned() }));
        let read = |reader: &mut Reader<'_>| match reader
            .answer(&Query::Page { rooms: vec![("@:ann".into(), 0)], until: u64::MAX, kinds: Kinds::All, limit: 9 })
            .unwrap()
        {
            Answer::Page { records, .. } => records.iter().map(|record| record.n).collect::<Vec<_>>(),
            Answer::Behind { .. } | Answer::Further { .. } => panic!("a page was asked for"),
        };
        commit(writer, 1, vec![put(&account("ann")), psst(1)]);
        assert_eq!(read(reader), [1]);
        remove(&folder, "ann");
        let again = Account { created: NOW + Duration::from_secs(1), ..account("ann") };
        AccountFile::open(&folder.file(), false).unwrap().edit("ann", |_| Ok(Some(again.clone()))).unwrap();
        assert_eq!(told(writer, outcomes), Some(vec![again]));
        assert_eq!(read(reader), NONE);
        commit(writer, 2, vec![psst(2)]);
        assert_eq!(read(reader), [2], "the new one has a mailbox of its own");
        assert_eq!(folder.ask_number("select count(*) from messages"), 1, "the rows of the other are gone");
        // By hand, too.
        folder.shell().execute_batch("delete from accounts").unwrap();
        assert_eq!((told(writer, outcomes), read(reader)), (Some(vec![]), vec![]));
    });
}

#[test]
fn nothing_that_somebody_has_edited_makes_a_commit_fail() {
    let folder = Folder::new();
    let mut open = folder.open();
    open.commit(vec![put(&Account { tokens: vec![token("ci")], ..account("ann") }), put(&account("bob"))]);
    open.close();
    folder
        .shell()
        .execute_batch(
            "update accounts set key = 'x', role = 'king', created = 'once' where name = 'ann';
            insert into accounts (id, name, key, created, generation) values (7, 'a b', 'a b', 'never', -1);
            insert into tokens (account, label, digest, created) values (1, 'bad', 'zz', 'now'), (99, 'lost', 'yy', 'now')",
        )
        .unwrap();
    let mut open = folder.open();
    assert_eq!(open.loaded.accounts, [account("bob")]);
    let ann = Account { tokens: vec![token("ci")], ..account("ann") };
    open.commit(vec![put(&ann)]);
    open.close();
    assert_eq!(folder.open().loaded.accounts, [account("bob"), ann]);
}

#[test]
fn accounts_wait_for_a_disk_that_fails() {
    let folder = Folder::new();
    let mut open = folder.open();
    let shell = folder.shell();
    shell.execute_batch("begin immediate").unwrap();
    open.store.commit(vec![put(&account("ann"))]);
    assert!(matches!(block_on(open.outcomes.next()), Some(Outcome::Failed { batch: 1, .. })));
    shell.execute_batch("rollback").unwrap();
    assert_eq!(block_on(open.outcomes.next()), Some(Outcome::Committed(1)));
    open.crash();
    assert_eq!(folder.open().loaded.accounts, [account("ann")]);
}

#[test]
fn a_file_for_accounts_is_made_only_when_it_is_asked_for() {
    let folder = Folder::new();
    let error = AccountFile::open(&folder.file(), false).unwrap_err();
    assert_eq!(error, format!("cannot open store {:?}: there is no such file", folder.file()));
    let file = AccountFile::open(&folder.file(), true).unwrap();
    let password = crate::password::hash(&Secret::new("hunter22".to_owned())).unwrap();
    let ann = Account { password: Some(password), ..account("ann") };
    file.edit("ann", |_| Ok(Some(ann.clone()))).unwrap();
    assert_eq!(file.edit("ann", |_| Err("no".to_owned())), Err("no".to_owned()));
    assert_eq!(file.all(), Ok(vec![ann.clone()]));
    let open = folder.open();
    assert_eq!((open.loaded.accounts, open.loaded.next), (vec![ann], 1), "no number is left out");
}

#[test]
fn what_the_chat_ends_is_not_what_somebody_has_made_again_meanwhile() {
    let folder = Folder::new();
    with_writer(&folder, OPTIONS, |writer, _, outcomes| {
        commit(writer, 1, vec![put(&account("ann"))]);
        remove(&folder, "ann");
        let again = Account { created: NOW + Duration::from_millis(1), ..account("ann") };
        AccountFile::open(&folder.file(), false).unwrap().edit("ann", |_| Ok(Some(again.clone()))).unwrap();
        commit(writer, 2, vec![Change::Account(AccountChange::Gone("ann".into()))]);
        assert_eq!(told(writer, outcomes), Some(vec![again.clone()]), "the chat did not know of it");
        commit(writer, 3, vec![Change::AccountsSeen(1), Change::Account(AccountChange::Gone("ann".into()))]);
        assert_eq!(told(writer, outcomes), None);
        assert_eq!(AccountFile::open(&folder.file(), false).unwrap().all(), Ok(vec![]), "that one was meant");
    });
}
