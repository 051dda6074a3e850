//! Answers to requests that were done, parsed from their objects.

use std::sync::Arc;

use pipechat::chat::{AccountDone, Done, Event, Secret};
use serde_json::Value;

use super::{ServerMessage, count, order, position, string, topic};

/// What `object` says that was done.
pub(super) fn done(object: &Value) -> Option<ServerMessage> {
    let room = || string(object, "room").map(Arc::<str>::from);
    let name = || string(object, "text").map(Arc::<str>::from);
    let done = match object["verb"].as_str()? {
        "join" => {
            Done::Join { room: room()?, members: count(object)?, position: position(object), topic: topic(object) }
        }
        "in" => Done::In(room()?, position(object)),
        "history" => Done::History {
            room: room()?,
            count: count(object)?,
            position: position(object),
            has_more: object["code"] == "more",
        },
        "leave" => Done::Leave(room()?),
        "rooms" => Done::Rooms(count(object)?),
        "who" => Done::Who(room()?, count(object)?),
        "topic" => Done::Topic(room()?, topic(object)),
        "register" => Done::Account(AccountDone::Register(name()?)),
        "login" => Done::Account(AccountDone::Login { name: name()?, kept: count(object)? }),
        "password" => Done::Account(AccountDone::Password(name()?)),
        "unregister" => Done::Account(AccountDone::Unregister(name()?)),
        "token" => {
            let token = Secret::new(string(object, "text")?);
            Done::Account(AccountDone::Token { label: String::new(), token })
        }
        "tokens" => Done::Account(AccountDone::Tokens(count(object)?)),
        "revoke" => Done::Account(AccountDone::Revoke(string(object, "text")?)),
        "to" => Done::Account(AccountDone::Kept(name()?)),
        "check" => return Some(ServerMessage::Set(format!("check|ok|{}", string(object, "text")?))),
        verb => Done::Order(order::done(verb, object)?),
    };
    Some(ServerMessage::Answer(Event::Done(done)))
}
