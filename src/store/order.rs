//! Order as rows of `bans`, `room_roles` and `audit`, and in `rooms`. Knows SQL, and nothing of who may do what.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use rusqlite::{Connection, Result, Row, params};

use super::rows;
use crate::chat::{Deed, OrderChange, PastOrder, Penalty, RoomOrder, RoomRole, Sanction, Sanctions, Whom};

/// The most rows of `audit`, of those in rooms and of the others each: what owners do does not push out what operators have
/// done.
const AUDIT_ROWS_MAX: u32 = 50_000;
/// Rows of `audit` that are added until those that are too many are removed.
const AUDIT_ROWS_SLACK: i64 = 1000;

/// What was kept.
pub(super) fn load(connection: &Connection, now: Timestamp) -> Result<PastOrder> {
    Ok(PastOrder { sanctions: sanctions(connection, now)?, rooms: rooms(connection)? })
}

/// The bans and mutes, without what is over at this time: that is removed.
pub(super) fn sanctions(connection: &Connection, now: Timestamp) -> Result<Sanctions> {
    connection.execute("delete from bans where until <= ?1", [rows::time(now)])?;
    let mut bans = connection
        .prepare("select kind, who, room, until, by, reason, created from bans order by created, kind, who")?;
    bans.query_map([], sanction)?.filter_map(Result::transpose).collect()
}

/// The ban or mute in a row. What is none, since somebody has edited it, is left out.
fn sanction(row: &Row<'_>) -> Result<Option<(Option<Arc<str>>, Sanction)>> {
    let (kind, who, room): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let (until, by, reason): (Option<String>, String, Option<String>) = (row.get(3)?, row.get(4)?, row.get(5)?);
    let created: String = row.get(6)?;
    let (Some(penalty), Some(whom)) = (Penalty::of(&kind), Whom::from_file(&who)) else { return Ok(None) };
    let until = match until.map(|until| until.parse()) {
        Some(Err(_)) => return Ok(None),
        Some(Ok(until)) => Some(until),
        None => None,
    };
    let created = created.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let (by, reason) = (by.into(), reason.unwrap_or_default().into());
    let room = (!room.is_empty()).then(|| room.into());
    Ok(Some((room, Sanction { penalty, whom, until, by, reason, created })))
}

fn rooms(connection: &Connection) -> Result<Vec<RoomOrder>> {
    let mut roles: HashMap<i64, Vec<(Arc<str>, RoomRole)>> = HashMap::new();
    let mut all = connection.prepare("select room, account, role from room_roles order by room, role, account")?;
    let mut all = all.query([])?;
    while let Some(row) = all.next()? {
        let (account, role): (String, String) = (row.get(1)?, row.get(2)?);
        if let Some(role) = RoomRole::of(&role) {
            roles.entry(row.get(0)?).or_default().push((account.into(), role));
        }
    }
    let mut rooms = Vec::new();
    let mut all = connection.prepare("select id, name, owner, locked from rooms where name is not null order by id")?;
    let mut all = all.query([])?;
    while let Some(row) = all.next()? {
        let (name, maker): (String, Option<String>) = (row.get(1)?, row.get(2)?);
        let (maker, is_locked, roles) = (maker.map(Into::into), row.get(3)?, roles.remove(&row.get(0)?));
        if maker.is_some() || is_locked || roles.is_some() {
            rooms.push(RoomOrder { room: name.into(), maker, is_locked, roles: roles.unwrap_or_default() });
        }
    }
    Ok(rooms)
}

/// Writes a change, but for [`OrderChange::Room`].
pub(super) fn write(connection: &Connection, change: &OrderChange) -> Result<()> {
    match change {
        OrderChange::Put(room, Sanction { penalty, whom, until, by, reason, created }) => {
            let Some(who) = whom.to_file() else { return Ok(()) };
            let (until, created) = (until.map(rows::time), rows::time(*created));
            let room = room.as_deref().unwrap_or_default();
            connection.execute(
                "insert or replace into bans (kind, who, room, until, by, reason, created)
                    values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![penalty.word(), who, room, until, by, reason, created],
            )?;
        }
        OrderChange::Gone(room, penalty, whom) => {
            let Some(who) = whom.to_file() else { return Ok(()) };
            let room = room.as_deref().unwrap_or_default();
            connection.execute(
                "delete from bans where kind = ?1 and who = ?2 and room = ?3",
                params![penalty.word(), who, room],
            )?;
        }
        OrderChange::Act(deed) => add(connection, deed)?,
        OrderChange::Room(_) => {}
    }
    Ok(())
}

fn add(connection: &Connection, Deed { at, who, act, whom, room, reason, is_operators: _ }: &Deed) -> Result<()> {
    connection.execute(
        "insert into audit (at, who, act, whom, room, reason) values (?1, ?2, ?3, ?4, ?5, ?6)",
        params![rows::time(*at), who, act.word(), whom, room, reason],
    )?;
    if connection.last_insert_rowid() % AUDIT_ROWS_SLACK == 0 {
        for which in ["is null", "is not null"] {
            let old = format!(
                "delete from audit where room {which} and rowid <=
                (select rowid from audit where room {which} order by rowid desc limit 1 offset {AUDIT_ROWS_MAX})"
            );
            connection.execute(&old, [])?;
        }
    }
    Ok(())
}

/// Writes who keeps order in the room with this id.
pub(super) fn set_room(connection: &Connection, id: i64, order: &RoomOrder) -> Result<()> {
    connection
        .execute("update rooms set owner = ?2, locked = ?3 where id = ?1", params![id, order.maker, order.is_locked])?;
    connection.execute("delete from room_roles where room = ?1", [id])?;
    let mut add = connection.prepare("insert into room_roles (room, account, role) values (?1, ?2, ?3)")?;
    for (account, role) in &order.roles {
        add.execute(params![id, account, role.word()])?;
    }
    Ok(())
}

/// The room of this id and name is no more.
pub(super) fn forget_room(connection: &Connection, id: i64, name: &str) -> Result<()> {
    connection.execute("update rooms set owner = null, locked = 0 where id = ?1", [id])?;
    connection.execute("delete from room_roles where room = ?1", [id])?;
    connection.execute("delete from bans where room = ?1 and room != ''", [name])?; // as its index says
    Ok(())
}

/// The account of this key is no more, and neither is what held for it.
pub(super) fn forget_account(connection: &Connection, key: &str) -> Result<()> {
    connection.execute("delete from room_roles where account = ?1", [key])?;
    connection.execute("update rooms set owner = null where owner = ?1", [key])?;
    // Bans name it as it was written.
    connection.execute(
        "delete from bans where who = '@' || (select name from accounts where key = ?1) or who = '@' || ?1",
        [key],
    )?;
    Ok(())
}

/// Bytes of the texts in a change.
pub(super) fn text_bytes(change: &OrderChange) -> usize {
    match change {
        OrderChange::Put(_, sanction) => sanction.reason.len() + sanction.by.len(),
        OrderChange::Gone(..) => 0,
        OrderChange::Room(order) => order.roles.iter().map(|(account, _)| account.len() + 32).sum(),
        OrderChange::Act(deed) => deed.reason.len(),
    }
}
