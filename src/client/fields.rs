//! Arguments that become part of a line of the wire. Refuses those that would be something else there, and those that can never
//! be what they are meant to be.

use pipechat::{
    Addr,
    chat::{Name, Refusal, RoomName},
};

use super::{Failure, Outcome, words::rule_of_names};

/// Checks that `text` can be a field of a line.
///
/// # Errors
/// [`Failure::Usage`] if it is empty, or would end the field or the line.
pub(super) fn field<'a>(what: &str, text: &'a str) -> Result<&'a str, Failure> {
    if text.is_empty() {
        Err(Failure::Usage(format!("{what} must not be empty")))
    } else if text.contains('|') || text.contains(char::is_control) {
        Err(Failure::Usage(format!("{what} must not contain | or control characters, as {text:?} does")))
    } else {
        Ok(text)
    }
}

/// Checks that a room can be called this.
///
/// # Errors
/// [`Failure::Usage`] if none can.
pub(super) fn room<'a>(what: &str, text: &'a str) -> Result<&'a str, Failure> {
    match RoomName::parse(field(what, text)?) {
        Err(Refusal::RoomInvalid(rule)) => {
            Err(Failure::Usage(format!("no room can be called {text:?}: {}", rule_of_names(rule))))
        }
        Ok(_) | Err(_) => Ok(text),
    }
}

/// Checks that a user can have this name, or be called by this address.
///
/// # Errors
/// [`Failure::Usage`] if nobody can.
pub(super) fn user_name(text: &str) -> Outcome {
    field("NAME", text)?;
    match Name::parse(text) {
        Err(rule) if text.parse::<Addr>().is_err() => {
            Err(Failure::Usage(format!("no user can be called {text:?}: {}", rule_of_names(rule))))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}
