//! Accounts as rows of `accounts` and `tokens`. They have two writers: a server, and whoever calls `pipechat account` meanwhile. What
//! each of them changes is kept, unless both change the same.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, Result, Row, params};

use super::{
    LOG_TARGET, order,
    rows::{self, from_integer, to_integer},
};
use crate::chat::{Account, AccountChange, Digest, Name, Role, Token, account_key, mailbox};

/// Rows as [`account`] and [`token`] read them.
const ACCOUNTS: &str = "select id, name, key, password, role, created, read, generation from accounts";
const TOKENS: &str = "select account, label, digest, created, used, addr from tokens";

/// All accounts, in the order in which they were made.
pub(super) fn all(connection: &Connection) -> Result<Vec<Account>> {
    let accounts = connection.prepare(&format!("{ACCOUNTS} order by id"))?;
    let tokens = connection.prepare(&format!("{TOKENS} order by account, created, label"))?;
    collect(accounts, tokens, [])
}

/// The account of this key.
pub(super) fn find(connection: &Connection, key: &str) -> Result<Option<Account>> {
    let accounts = connection.prepare(&format!("{ACCOUNTS} where key = ?1"))?;
    let tokens = connection.prepare(&format!(
        "{TOKENS} where account = (select id from accounts where key = ?1) order by created, label"
    ))?;
    Ok(collect(accounts, tokens, [key])?.pop())
}

/// The rows of both in the order of accounts. What is nobody's account or token, since somebody has edited it, is left out.
fn collect(
    mut accounts: rusqlite::Statement<'_>,
    mut tokens: rusqlite::Statement<'_>,
    which: impl Params + Copy,
) -> Result<Vec<Account>> {
    let mut tokens = tokens.query_map(which, |row| Ok((row.get::<_, i64>(0)?, token(row)?)))?.peekable();
    let mut found = Vec::new();
    let mut rows = accounts.query(which)?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let mut own = Vec::new();
        while let Some(next) = tokens.next_if(|next| next.as_ref().map_or(true, |(account, _)| *account <= id)) {
            let (account, token) = next?;
            own.extend(token.filter(|_| account == id));
        }
        match account(row, own)? {
            Some(account) => found.push(account),
            None => {
                log::warn!(target: LOG_TARGET, "the account with id = {id} was left out: it has no name, or another key");
            }
        }
    }
    Ok(found)
}

/// The account in a row of [`ACCOUNTS`].
fn account(row: &Row<'_>, tokens: Vec<Token>) -> Result<Option<Account>> {
    let (name, key): (String, String) = (row.get(1)?, row.get(2)?);
    if Name::parse(&name).is_err() || account_key(&name) != key {
        return Ok(None);
    }
    let (password, role): (Option<String>, String) = (row.get(3)?, row.get(4)?);
    Ok(Some(Account {
        name: name.into(),
        password: password.map(Into::into),
        role: Role::of(&role).unwrap_or(Role::User),
        created: time(row, 5)?.unwrap_or(Timestamp::UNIX_EPOCH),
        read: from_integer(row.get(6)?),
        generation: from_integer(row.get(7)?),
        tokens,
    }))
}

/// The token in a row of [`TOKENS`].
fn token(row: &Row<'_>) -> Result<Option<Token>> {
    let (label, digest, addr): (String, String, Option<String>) = (row.get(1)?, row.get(2)?, row.get(5)?);
    let (created, used) = (time(row, 3)?.unwrap_or(Timestamp::UNIX_EPOCH), time(row, 4)?);
    let used = used.map(|at| (at, addr.unwrap_or_default()));
    Ok(Digest::from_hex(&digest).map(|digest| Token { label, digest, created, used }))
}

fn time(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>> {
    let text: Option<String> = row.get(column)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

/// Writes an account and its tokens over the one of its key. Nothing that somebody has edited makes it fail.
pub(super) fn put(connection: &Connection, account: &Account) -> Result<()> {
    let Account { name, password, role, created, read, generation, tokens } = account;
    let key = account.key();
    connection.execute(
        "delete from tokens where account in (select id from accounts where key = ?1 or name = ?2)",
        params![key, name],
    )?;
    let id: i64 = connection.query_row(
        "insert or replace into accounts (id, name, key, password, role, created, read, generation)
        values ((select id from accounts where key = ?2), ?1, ?2, ?3, ?4, ?5, ?6, ?7) returning id",
        params![name, key, password, role.word(), rows::time(*created), to_integer(*read), to_integer(*generation)],
        |row| row.get(0),
    )?;
    let mut add = connection.prepare(
        "insert or replace into tokens (account, label, digest, created, used, addr) values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for Token { label, digest, created, used } in tokens {
        let (used, addr) = used.as_ref().map(|(at, addr)| (rows::time(*at), addr)).unzip();
        add.execute(params![id, label, digest.to_string(), rows::time(*created), used, addr])?;
    }
    Ok(())
}

/// Removes the account of this key, with its tokens and its roles. Its mailbox is a room of the file.
pub(super) fn remove(connection: &Connection, key: &str) -> Result<()> {
    order::forget_account(connection, key)?;
    connection.execute("delete from tokens where account in (select id from accounts where key = ?1)", [key])?;
    connection.execute("delete from accounts where key = ?1", [key])?;
    Ok(())
}

/// The room of the file that is the mailbox of the account of this name, if there is one.
pub(super) fn find_mailbox(connection: &Connection, name: &str) -> Result<Option<i64>> {
    connection.query_row("select id from rooms where name = ?1", [mailbox(name)], |row| row.get(0)).optional()
}

/// The mailbox of the account of this name is no more. Its rows go with those of other rooms that are no more.
pub(super) fn forget_mailbox(connection: &Connection, name: &str) -> Result<()> {
    let Some(id) = find_mailbox(connection, name)? else { return Ok(()) };
    connection.execute("update rooms set name = null where id = ?1", [id])?;
    connection.execute(
        "insert into settings (name, value) select 'forgotten', max(n) from messages where room = ?1 having max(n) > 0
        on conflict (name) do update set value = max(value, excluded.value)",
        [id],
    )?;
    Ok(())
}

/// What is to be in the file of an account that was `base` when its two writers saw it last, where the other has made `theirs` of it
/// and the one that writes now makes `ours`. Of what both have changed, the other's is kept: it was first, and is an
/// operator's.
pub(super) fn merge(base: Option<&Account>, theirs: Option<Account>, ours: &Account) -> Option<Account> {
    let (base, theirs) = match (base, theirs) {
        (None, None) => return Some(ours.clone()),
        (None, Some(theirs)) => return Some(theirs),
        (Some(_), None) => return None,
        (Some(base), Some(theirs)) => (base, theirs),
    };
    if theirs.created != base.created {
        return Some(theirs); // it is another account of the same name
    }
    let has = |account: &Account, token: &Token| account.tokens.iter().any(|other| other.digest == token.digest);
    let kept = ours.tokens.iter().filter(|token| has(&theirs, token) || !has(base, token));
    let added = theirs.tokens.iter().filter(|token| !has(base, token) && !has(ours, token));
    let tokens = kept.chain(added).cloned().collect();
    // Where both have another one, what comes of it is neither's.
    let are_both_new = ours.generation != base.generation && theirs.generation != base.generation;
    let generation = theirs.generation.max(ours.generation) + u64::from(are_both_new);
    Some(Account {
        name: if theirs.name == base.name { ours.name.clone() } else { theirs.name },
        password: if theirs.password == base.password { ours.password.clone() } else { theirs.password },
        role: if theirs.role == base.role { ours.role } else { theirs.role },
        created: base.created,
        read: theirs.read.max(ours.read),
        generation,
        tokens,
    })
}

/// Whether nobody would have to be told that one has become the other: what was read and which tokens were used does not count.
pub(super) fn are_same(one: &Account, other: &Account) -> bool {
    let fixed = |account: &Account| {
        let tokens = account.tokens.iter().map(|token| Token { used: None, ..token.clone() }).collect();
        Account { read: 0, tokens, ..account.clone() }
    };
    fixed(one) == fixed(other)
}

/// Bytes of the texts in it.
pub(super) fn text_bytes(change: &AccountChange) -> usize {
    match change {
        AccountChange::Put(Account { name, password, tokens, .. }) => {
            let tokens: usize = tokens.iter().map(|token| size_of::<Token>() + token.label.len()).sum();
            name.len() + password.as_deref().map_or(0, str::len) + tokens
        }
        AccountChange::Gone(account) | AccountChange::Read { account, .. } => account.len(),
        AccountChange::TokenUsed { account, label, addr, .. } => account.len() + label.len() + addr.len(),
    }
}
