//! What has to happen in a world where everything does.

use std::{fmt::Debug, sync::Arc};

use pipechat::{
    chat::{Asked, Command, Departure, Done, Event, Identity, Input, NameRule, Refusal, WaitFor},
    protocol::{FormError, Reply, Verb},
};

use super::kinds::{
    asked, commands, departures, done, events, inputs, loads, public_events, refusals, replies, starts, waits,
};

/// All that happens in a world where everything does: two parts of one line of its transcript.
pub(crate) fn things_that_happen() -> Vec<(&'static str, String)> {
    let nobody = Arc::new(Identity { name: String::new(), addr: String::new(), is_account: false });
    // The other verbs have no wrong form, or words of their own for it.
    let can_be_wrong = |reply: &Reply| match reply {
        Reply::Refused(FormError::Usage(verb)) => has_usage(*verb),
        Reply::Checked { .. } | Reply::Alive => false, // which the broker makes, or those who listen over HTTP
        Reply::Refused(_) | Reply::Set(_) | Reply::Help(_) => true,
    };
    let mut things = Vec::new();
    let of_the_door = |departure: &Departure| {
        matches!(
            departure,
            Departure::LoggedOut
                | Departure::Kicked
                | Departure::Banned
                | Departure::Full
                | Departure::FullForAddress
                | Departure::TooManyArrivals
        )
    };
    let departures = departures().into_iter().filter(|departure| !of_the_door(departure));
    things.push(("\tPublish(", "Visiting) })".to_owned()));
    let ends = departures.filter(|departure| *departure != Departure::Visiting);
    things.extend(ends.map(|departure| ("\tHangUp(", format!(", {departure:?})"))));
    let refused = refusals().into_iter().filter(is_refused);
    things.extend(refused.map(|refusal| ("\tTell(", format!("), Refused({}", until_digit(&refusal)))));
    for asked in asked() {
        let declined = refusals().into_iter().filter(|refusal| is_declined(asked, refusal));
        things.extend(declined.map(|refusal| ("\tTell(", format!("), Declined({asked:?}, {}", until_digit(&refusal)))));
    }
    // No command of an account is made up here.
    let done = done("").into_iter().filter(|done| !matches!(done, Done::Account(_) | Done::Order(_)));
    things.extend(done.map(|done| ("\tTell(", format!("), Done({}", kind(&done)))));
    things.extend(public_events(&nobody, "").iter().map(|event| ("\tPublish(", format!("event: {}", kind(event)))));
    let is_of_account = |event: &Event| matches!(event, Event::Token(..) | Event::Order(_));
    let for_one = events(&nobody, "").into_iter().filter(|event| !is_of_account(event));
    things.extend(for_one.map(|event| ("\tTell(", format!("), {}", kind(&event)))));
    things.push(("\tPublish(", "members: 0, ".to_owned()));
    things.extend(["makes room"].map(|what| ("\tthe room ", what.to_owned())));
    let health = ["Works", "IsBusy", "Fails"];
    things.extend(health.map(|health| ("killed while the store ", health.to_owned())));
    things.extend(["Event", "Topic", "Forget"].map(|change| ("keep: ", change.to_owned())));
    let of_replays = [
        "has a page of the store",
        "is given up",
        "goes on",
        "goes on, and then it comes in",
        "ends where it was before",
    ];
    things.extend(of_replays.map(|what| ("\tthe replay of ", what.to_owned())));
    things.extend(replies().iter().filter(|reply| can_be_wrong(reply)).map(|reply| ("Reply(", until_digit(reply))));
    // No command has anything verified yet, and there are no accounts.
    let never = |input: &Input| {
        matches!(
            input,
            Input::Congested(..) | Input::Verified(..) | Input::Accounts(_) | Input::Bans(_) | Input::Trusted(_)
        )
    };
    let inputs = inputs().into_iter().filter(|input| !never(input));
    things.extend(inputs.map(|input| ("input: ", kind(&input))));
    things.extend(loads().iter().map(|load| ("input: Command(", format!("), {load:?}, "))));
    // Accounts and order are not there, and no line asks for several rooms.
    let made_up =
        |command: &Command| !matches!(command, Command::Account(_) | Command::Order(_) | Command::Follow { .. });
    let commands = commands().into_iter().filter(made_up);
    things.extend(commands.map(|command| ("input: Command(", format!("t, {}", kind(&command)))));
    things.extend(["None", "Some("].map(|text| ("t, Topic { ", format!(", text: {text}"))));
    for verb in ["t, Join {", "t, History(Stretch {"] {
        things.extend(starts().iter().map(|start| (verb, kind(start))));
    }
    things.extend(["None", "Some("].map(|position| ("\tPublish(", format!("position: {position}"))));
    let waits = waits().into_iter().filter(|wait| !matches!(wait, WaitFor::By { .. })); // nobody has an account
    things.extend(waits.map(|wait| {
        let begins = if matches!(wait, WaitFor::In { .. }) { " {" } else { "(" };
        (", Wait(", format!("s, {}{begins}", kind(&wait)))
    }));
    things
}

/// Whether the verb has a wrong form, and no words of its own for it.
fn has_usage(verb: Verb) -> bool {
    match verb {
        Verb::Wait
        | Verb::In
        | Verb::Join
        | Verb::History
        | Verb::Rooms
        | Verb::Visit
        | Verb::Stay
        | Verb::Format
        | Verb::Lang
        | Verb::Help
        | Verb::Quit => true,
        // No command of an account is made up here.
        Verb::Register
        | Verb::Login
        | Verb::Password
        | Verb::Unregister
        | Verb::Token
        | Verb::Tokens
        | Verb::Order(_)
        | Verb::Revoke => false,
        Verb::Who | Verb::Rename | Verb::To | Verb::Say | Verb::Sync | Verb::Check | Verb::Leave | Verb::Topic => false,
    }
}

/// Whether something that is no verb of rooms is refused for this reason.
fn is_refused(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::NameInvalid(rule) => !matches!(rule, NameRule::Reserved | NameRule::Separator),
        Refusal::NameTaken
        | Refusal::NameConfusable(_)
        | Refusal::NoSuchUser
        | Refusal::EmptyText
        | Refusal::WaitTooLong(_)
        | Refusal::ArgumentTooLong(_)
        | Refusal::NotInRoom
        | Refusal::NotStored => true,
        // Nobody in the world gets so far behind; `behind` has it.
        Refusal::RecipientBehind => false,
        Refusal::NoSuchRoom | Refusal::RoomInvalid(_) | Refusal::RoomConfusable(_) | Refusal::TooManyRooms(_) => false,
        Refusal::HistoryGone { .. } | Refusal::StoreFailed | Refusal::Account(_) | Refusal::Order(_) => false,
    }
}

/// Whether this is refused for this reason.
fn is_declined(asked: Asked, refusal: &Refusal) -> bool {
    match refusal {
        Refusal::RoomInvalid(_) | Refusal::RoomConfusable(_) => matches!(asked, Asked::Join | Asked::In),
        Refusal::TooManyRooms(_) => matches!(asked, Asked::Join | Asked::In),
        Refusal::HistoryGone { .. } => matches!(asked, Asked::Join | Asked::History),
        Refusal::NoSuchRoom | Refusal::ArgumentTooLong(_) => {
            matches!(asked, Asked::Leave | Asked::Who | Asked::Topic | Asked::History)
        }
        Refusal::NotInRoom => asked == Asked::Leave,
        Refusal::EmptyText => asked == Asked::In,
        Refusal::NotStored => matches!(asked, Asked::Join | Asked::In | Asked::Topic),
        Refusal::StoreFailed => matches!(asked, Asked::Join | Asked::History),
        Refusal::NameTaken
        | Refusal::NameConfusable(_)
        | Refusal::NameInvalid(_)
        | Refusal::NoSuchUser
        | Refusal::RecipientBehind
        | Refusal::Account(_)
        | Refusal::Order(_)
        | Refusal::WaitTooLong(_) => false,
    }
}

/// What it is called, without what is in it.
fn kind(of: &impl Debug) -> String {
    let shown = format!("{of:?}");
    shown.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// What it is called and what is in it, up to the first figure or text.
fn until_digit(of: &impl Debug) -> String {
    let shown = format!("{of:?}");
    shown.split(|c: char| c.is_ascii_digit() || c == '"').next().unwrap_or_default().to_owned()
}
