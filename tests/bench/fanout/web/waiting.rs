//! The memory of those who wait: connections that have asked, and sessions to which nobody listens.

use std::{io, path::Path};

use super::{ANSWER, AT_ONCE, Door, Scale, session};
use crate::crowd::Crowd;

/// What the server says that its clients make it hold.
const ACCOUNT: &str = "pipechat_memory_used_bytes ";

/// Connections that wait, after they have asked for this.
pub(super) fn idle(program: &Path, what: &str, greeting: &str, scale: Scale) -> io::Result<String> {
    let door = Door::start(program, false)?;
    let (memory, account) = (door.server.memory()?, door.number(ACCOUNT)?);
    let mut crowd = Crowd::new(door.web, None, ANSWER)?;
    crowd.join(scale.idle, AT_ONCE, |_| greeting.to_owned())?;
    door.settle(&mut crowd)?;
    let (memory, account) = (door.server.memory()? - memory, door.number(ACCOUNT)? - account);
    let (memory, account) = (memory as f64 / scale.idle as f64, account / scale.idle as f64);
    Ok(format!("{} idle, {what}: {memory:.0} B each, {account:.0} B by its own account", scale.idle))
}

/// Sessions to which nobody listens, in no room.
pub(super) fn sessions(program: &Path, scale: Scale) -> io::Result<String> {
    let door = Door::start(program, false)?;
    let (memory, account) = (door.server.memory()?, door.number(ACCOUNT)?);
    for _ in 0..scale.sessions {
        session(&door, "leave|lobby\n")?;
    }
    let (memory, account) = (door.server.memory()? - memory, door.number(ACCOUNT)? - account);
    let (memory, account) = (memory as f64 / scale.sessions as f64, account / scale.sessions as f64);
    Ok(format!("{} sessions: {memory:.0} B each, {account:.0} B by its own account", scale.sessions))
}
