//! Values of each kind that there is. The compiler names what is missing here when an enum grows.

use std::{fmt::Debug, net::SocketAddr, sync::Arc, time::Duration};

use pipechat::{
    chat::{ClientId, Command, Congestion, Departure, Event, Identity, Input, Load, NameRule, Refusal, WaitFor},
    protocol::{FormError, Format, Lang, Limits, Reply, Setting, Verb},
};

/// The values that stand behind each variant of an enum. A variant that is left out breaks the build.
macro_rules! every {
    ($kind:ident { $($variant:ident: $values:expr),+ $(,)? }) => {{
        let _none_is_missing = |of: &$kind| match of { $($kind::$variant { .. } => ()),+ };
        let mut all: Vec<$kind> = Vec::new();
        $(all.extend($values);)+
        all
    }};
    ($kind:ident { $($variant:ident),+ $(,)? }) => { every!($kind { $($variant: [$kind::$variant]),+ }) };
}

pub(crate) fn departures() -> Vec<Departure> {
    every!(Departure {
        Left,
        Quit,
        WaitTimedOut,
        CheckFailed,
        Visiting,
        Lost,
        Idle,
        SlowConsumer,
        WriteTimeout,
        OtherProtocol,
        Full,
        FullForAddress,
        TooManyArrivals,
        Http,
        ShuttingDown,
    })
}

fn name_rules() -> Vec<NameRule> {
    every!(NameRule { Empty, TooLong, Space, Invisible, Marks, Punctuation, RoomSign, Address })
}

pub(crate) fn refusals() -> Vec<Refusal> {
    every!(Refusal {
        NameTaken: [Refusal::NameTaken],
        NameConfusable: [Refusal::NameConfusable("ann".to_owned())],
        NameInvalid: name_rules().into_iter().map(Refusal::NameInvalid),
        NoSuchUser: [Refusal::NoSuchUser],
        EmptyText: [Refusal::EmptyText],
        RecipientBehind: [Refusal::RecipientBehind],
        WaitTooLong: [Refusal::WaitTooLong(Duration::from_millis(1500))],
        ArgumentTooLong: [Refusal::ArgumentTooLong(256)],
    })
}

pub(crate) fn form_errors() -> Vec<FormError> {
    every!(FormError {
        Usage: Verb::ALL.map(FormError::Usage),
        PrivateUsage: [FormError::PrivateUsage],
        UnknownVerb: [FormError::UnknownVerb],
        StayForbidden: [FormError::StayForbidden],
        TooLong: [FormError::TooLong(4096)],
        NotUtf8: [FormError::NotUtf8],
        Nul: [FormError::Nul],
    })
}

pub(crate) fn settings() -> Vec<Setting> {
    every!(Setting {
        Stay: [Setting::Stay],
        Visit: [Setting::Visit],
        Format: every!(Format { Text, Json }).into_iter().map(Setting::Format),
        Lang: every!(Lang { Zh, En }).into_iter().map(Setting::Lang),
    })
}

pub(crate) fn replies() -> Vec<Reply> {
    every!(Reply {
        Refused: form_errors().into_iter().map(Reply::Refused),
        Set: settings().into_iter().map(Reply::Set),
        Checked: [None, Some("no-such-user")].map(|refused| Reply::Checked { token: "1".to_owned(), refused }),
        Help: [Reply::Help(Arc::new(Limits::default()))],
    })
}

pub(crate) fn events(who: &Arc<Identity>, text: &str) -> Vec<Event> {
    let (who, text) = (|| Arc::clone(who), || text.to_owned());
    every!(Event {
        Online: [Event::Online(who())],
        Offline: departures().into_iter().map(|departure| Event::Offline(who(), departure)),
        Message: [Event::Message { from: who(), text: text() }],
        Private: [Event::Private { from: who(), text: text() }],
        User: [Event::User(who())],
        UsersEnd: [Event::UsersEnd(3)],
        Renamed: [Event::Renamed { old: who(), new: who() }],
        KnownAs: [Event::KnownAs { old: who(), new: who() }],
        Synced: [Event::Synced(text())],
        WaitMet: [Event::WaitMet(text())],
        WaitTimedOut: [Event::WaitTimedOut],
        Refused: refusals().into_iter().map(Event::Refused),
        Farewell: departures().into_iter().map(Event::Farewell),
    })
}

fn inputs() -> Vec<Input> {
    let (client, addr) = (ClientId(1), SocketAddr::from(([127, 0, 0, 1], 1)));
    every!(Input {
        Arrive: [Input::Arrive(client, addr)],
        Visit: [Input::Visit(client, addr)],
        Command: every!(Load { Light, Heavy }).into_iter().map(|load| Input::Command(client, load, Command::Who)),
        Eof: [Input::Eof(client)],
        Broken: [Input::Broken(client)],
        End: [Input::End(client, Departure::Idle)],
        Congested: [Input::Congested(client, Congestion::Behind)],
        Continue: [Input::Continue],
        ShutDown: [Input::ShutDown],
    })
}

fn commands() -> Vec<Command> {
    let text = String::new;
    every!(Command {
        Say: [Command::Say(text())],
        Who: [Command::Who],
        Rename: [Command::Rename(text())],
        Private: [Command::Private { to: text(), text: text() }],
        Sync: [Command::Sync(text())],
        Wait: [Command::Wait(Duration::ZERO, WaitFor::Users(0))],
    })
}

fn waits() -> Vec<WaitFor> {
    let text = String::new;
    every!(WaitFor {
        User: [WaitFor::User(text())],
        Gone: [WaitFor::Gone(text())],
        Users: [WaitFor::Users(0)],
        Text: [WaitFor::Text(text())],
    })
}

/// All that happens in a world where everything does: two parts of one line of its transcript.
pub(crate) fn things_that_happen() -> Vec<(&'static str, String)> {
    let nobody = Arc::new(Identity { name: String::new(), addr: String::new() });
    // The other verbs have no wrong form, or words of their own for it.
    let can_be_wrong = |reply: &Reply| {
        let wrong = Reply::Refused(FormError::Usage(Verb::Check));
        *reply != wrong
            && !matches!(reply, Reply::Refused(FormError::Usage(Verb::Rename | Verb::To | Verb::Say | Verb::Sync)))
            && !matches!(reply, Reply::Checked { .. }) // which the broker makes
    };
    let mut things = Vec::new();
    let of_admission = |departure: &Departure| {
        matches!(departure, Departure::Full | Departure::FullForAddress | Departure::TooManyArrivals)
    };
    let departures = departures().into_iter().filter(|departure| !of_admission(departure));
    things.push(("\tTell(", "Visiting))".to_owned()));
    let ends = departures.filter(|departure| *departure != Departure::Visiting);
    things.extend(ends.map(|departure| ("\tHangUp(", format!(", {departure:?})"))));
    // Nobody in the world gets so far behind; `behind` has it.
    let refusals = refusals().into_iter().filter(|refusal| *refusal != Refusal::RecipientBehind);
    things.extend(refusals.map(|refusal| ("\tTell(One(", format!("Refused({}", until_digit(&refusal)))));
    things.extend(events(&nobody, "").iter().map(|event| ("\tTell(", format!(", {}", kind(event)))));
    things.extend(replies().iter().filter(|reply| can_be_wrong(reply)).map(|reply| ("Reply(", until_digit(reply))));
    let inputs = inputs().into_iter().filter(|input| !matches!(input, Input::Congested(..)));
    things.extend(inputs.map(|input| ("input: ", kind(&input))));
    things.extend(every!(Load { Light, Heavy }).iter().map(|load| ("input: Command(", format!("), {load:?}, "))));
    things.extend(commands().iter().map(|command| ("input: Command(", format!("t, {}", kind(command)))));
    things.extend(waits().iter().map(|wait| (", Wait(", format!("s, {}(", kind(wait)))));
    things
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
