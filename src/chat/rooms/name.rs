//! Names of rooms: those that users can have, but for a few, and with or without `#` before them.

use std::sync::Arc;

use crate::chat::{
    ARGUMENT_BYTES_MAX, Refusal,
    name::{self, Name, NameRule},
};

/// The name of the room that users are in from their arrival, and its key.
pub const LOBBY: &str = "lobby";
/// Characters that stand before a room's name, and are no part of it.
const SIGNS: [char; 2] = ['#', '\u{ff03}'];
/// Names that mean something else in addresses and paths.
const RESERVED: [&str; 3] = [".", "..", "@"];

/// The name of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomName {
    name: Arc<str>,
    key: Box<str>,
}

impl RoomName {
    /// That of the lobby.
    pub(super) fn lobby() -> Self {
        Self { name: LOBBY.into(), key: LOBBY.into() }
    }

    /// Takes `text`, with or without `#` before it, as a name.
    ///
    /// # Errors
    /// The first rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let name = Name::parse(without_sign(text)).map_err(Refusal::RoomInvalid)?;
        let key = name::key(name.as_str());
        if RESERVED.contains(&key.as_str()) {
            return Err(Refusal::RoomInvalid(NameRule::Reserved));
        }
        if name::has_separator(&key) {
            return Err(Refusal::RoomInvalid(NameRule::Separator));
        }
        Ok(Self { name: name.as_str().into(), key: key.into() })
    }

    /// As it was first written.
    pub(in crate::chat) fn as_str(&self) -> &str {
        &self.name
    }

    pub(in crate::chat) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// Names with equal keys are those of one room.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Rooms whose names look alike have the same.
    pub(super) fn skeleton(&self) -> String {
        name::confusable_skeleton(&self.name)
    }
}

/// The key of a room's name as a user has written it. What can be no room's name has a key that no room has.
///
/// # Errors
/// If it is too long to be looked at.
pub(in crate::chat) fn room_key(text: &str) -> Result<String, Refusal> {
    if text.len() > ARGUMENT_BYTES_MAX {
        return Err(Refusal::ArgumentTooLong(ARGUMENT_BYTES_MAX));
    }
    Ok(name::lookup_key(without_sign(text)).unwrap_or_default())
}

fn without_sign(text: &str) -> &str {
    text.strip_prefix(SIGNS).unwrap_or(text)
}
