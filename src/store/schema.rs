//! The tables, as people meet them in the `sqlite3` shell, and how a file of an older version becomes one of this. Knows SQL,
//! and nothing of what it is used for.

use rusqlite::{Connection, Result, Transaction, TransactionBehavior};

/// Written into the header of each store (`pipc`), so that no other program's database is taken for one.
pub(super) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"pipc");

/// What makes a file of version 1 out of an empty one, a file of version 2 out of one of version 1, and so on.
const MIGRATIONS: [&str; 3] = [VERSION_1, VERSION_2, VERSION_3];

/// What this program writes.
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// The comments are inside the statements because SQLite keeps them: `.schema` shows them.
///
/// `messages` has no foreign key: the rows of a room that is no more are removed in small steps, and a lookup for each
/// row saves nobody from anything. Its index needs no `n`: SQLite ends each entry with it.
const VERSION_1: &str = "\
create table messages (
    -- What was said and done in rooms, for as long as it is kept. The view `log` has the names of the rooms.
    n    integer primary key, -- the place in the order of all rooms together, as in positions (N.EPOCH); gaps mean nothing
    at   text not null,       -- when: UTC, as 2026-11-26T02:28:43.123Z
    room integer not null,    -- rooms.id
    kind text not null,       -- message, joined, left, offline, online, renamed, topic
    name text not null,       -- who; of `renamed`, the name before
    addr text not null,       -- the address, as IP:PORT
    text text                 -- what was said; of other kinds, a sentence behind the name, such as `has joined`
);
create index messages_by_room on messages (room);
create table rooms (
    id      integer primary key,
    name    text unique,                -- null: the room is no more, and its messages are being removed
    topic   text,                       -- null: none
    keeper  text,                       -- at whose expense the server keeps the room; null: nobody's
    lines   integer not null default 0, -- how many of its messages with n <= counted are kept
    counted integer not null default 0,
    gone    integer,                    -- the n of the last message that was removed for its age or for space
    gone_at text                        -- and when that was sent
);
create table settings (
    -- epoch: whose numbers these are, the second part of positions
    -- forgotten: the n of the last message of a room that is no more, if one is
    -- reserved: the first n that may be in use by nobody; after a crash numbers go on here
    name  text primary key,
    value
) without rowid;
create view log as
    select n, at, rooms.name as room, kind, messages.name, addr, text from messages join rooms on rooms.id = room;
";

/// Accounts, and what keeps order. SQLite writes the columns that are added, with their comments, behind those of version 1; there
/// a comment must not end with its line.
///
/// Roles and bans name accounts by their keys, which read better than numbers, and mean the same after an account was made
/// again; of one that is removed they are removed.
const VERSION_2: &str = "\
create table accounts (
    -- Names that belong to somebody. `pipechat account` changes them, also while a server runs.
    id         integer primary key,
    name       text not null unique,       -- as it was written first
    key        text not null unique,       -- names with equal keys are one name
    password   text,                       -- argon2id, as a PHC string; null: it has only tokens
    role       text not null default 'user', -- user, operator
    created    text not null,              -- when: UTC, as 2026-11-26T02:28:43.123Z
    read       integer not null default 0, -- messages.n of the last private message that was delivered
    generation integer not null            -- grows with each change that ends what was granted before
);
create table tokens (
    -- What scripts log in with. The tokens themselves are nowhere.
    account integer not null,     -- accounts.id
    label   text not null,        -- what its owner calls it
    digest  text not null unique, -- its SHA-256, in hexadecimal digits
    created text not null,
    used    text,                 -- when it was used last; null: never
    addr    text,                 -- and from where
    primary key (account, label)
) without rowid;
create table room_roles (
    -- Who may do more in a room than others.
    room    integer not null, -- rooms.id
    account text not null,    -- accounts.key
    role    text not null,    -- owner, invited
    primary key (room, account)
) without rowid;
create table bans (
    -- Who may not come in, or may not speak.
    kind    text not null,            -- ban, mute
    who     text not null,            -- an account as @NAME, an address or a network
    room    text not null default '', -- rooms.name; empty: everywhere
    until   text,                     -- null: for ever
    by      text not null,            -- accounts.name
    reason  text,
    created text not null,
    primary key (kind, who, room)
) without rowid;
create table audit (
    -- Each act of an operator or of a room's owner.
    at     text not null,
    who    text not null, -- accounts.name
    act    text not null, -- kick, ban, unban, mute, unmute, lock, unlock, invite, owner, announce, shutdown
    whom   text,
    room   text,
    reason text
);
alter table messages add column account text /* of the sender, logged in to it; null: a guest */;
alter table rooms add column owner text /* accounts.key of who made it; null: nobody with an account */;
alter table rooms add column locked integer not null default 0 /* 1: only for those who are in it or invited */;
alter table rooms add column bytes integer not null default 0 /* what the texts of the messages in lines have */;
update rooms set lines = sizes.lines, bytes = sizes.bytes, counted = max(counted, sizes.last)
    from (
        select room, count(*) as lines, coalesce(sum(octet_length(text)), 0) as bytes, max(n) as last
        from messages not indexed group by room -- in the order of the file: by the index it takes six times as long
    ) as sizes
    where rooms.id = sizes.room;
drop view if exists log;
create view log as
    select n, at, rooms.name as room, kind, messages.name, addr, text, account
    from messages join rooms on rooms.id = room;
";

/// Mutes of a room that is no more are found without looking at all.
const VERSION_3: &str = "create index if not exists bans_by_room on bans (room) where room != '';";

/// Brings a file of an older version, or an empty one, to this version, and then does `finish` for a new one. It is done
/// completely or not at all.
pub(super) fn migrate(connection: &Connection, from: u32, finish: impl Fn(&Connection) -> Result<()>) -> Result<()> {
    if from == VERSION {
        return Ok(());
    }
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    for (version, step) in (1..).zip(MIGRATIONS).filter(|(version, _)| *version > from) {
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version)?;
    }
    if from == 0 {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        finish(&transaction)?;
    }
    transaction.commit()
}
