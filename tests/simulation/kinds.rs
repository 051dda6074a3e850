//! Values of each kind that there is. The compiler names what is missing here when an enum grows.

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

mod accounts;
mod order;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use jiff::Timestamp;
use pipechat::{
    chat::{
        Act, Asked, ClientId, Command, Congestion, Departure, Done, Epoch, Event, Identity, Input, Kinds, Load,
        NameRule, Position, PublicEvent, Record, Refusal, Start, Stretch, Ticket, Verdict, WaitFor,
    },
    protocol::{FormError, Format, Lang, Limits, Reply, Setting, Verb},
};

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
        LoggedOut,
        Kicked,
        Banned,
        Full,
        FullForAddress,
        TooManyArrivals,
        Http,
        ShuttingDown,
    })
}

fn name_rules() -> Vec<NameRule> {
    every!(NameRule { Empty, TooLong, Space, Invisible, Marks, Punctuation, RoomSign, Address, Reserved, Separator })
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
        NoSuchRoom: [Refusal::NoSuchRoom],
        NotInRoom: [Refusal::NotInRoom],
        RoomInvalid: name_rules().into_iter().map(Refusal::RoomInvalid),
        RoomConfusable: [Refusal::RoomConfusable("ops".to_owned())],
        TooManyRooms: [Refusal::TooManyRooms(100)],
        NotStored: [Refusal::NotStored],
        StoreFailed: [Refusal::StoreFailed],
        Account: accounts::refusals().into_iter().map(Refusal::Account),
        Order: order::refusals().into_iter().map(Refusal::Order),
        HistoryGone: [None, Some(position())].map(|oldest| Refusal::HistoryGone { room: "ops".into(), oldest }),
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
        Alive: [Reply::Alive],
    })
}

pub(crate) fn asked() -> Vec<Asked> {
    every!(Asked {
        Join: [Asked::Join],
        In: [Asked::In],
        Leave: [Asked::Leave],
        Rooms: [Asked::Rooms],
        Who: [Asked::Who],
        Topic: [Asked::Topic],
        History: [Asked::History],
        To: [Asked::To],
        Rename: [Asked::Rename],
        Users: [Asked::Users],
        Wait: [Asked::Wait],
        Register: [Asked::Register],
        Login: [Asked::Login],
        Password: [Asked::Password],
        Unregister: [Asked::Unregister],
        Token: [Asked::Token],
        Tokens: [Asked::Tokens],
        Revoke: [Asked::Revoke],
        Order: Act::ALL.map(Asked::Order),
    })
}

pub(crate) fn done(text: &str) -> Vec<Done> {
    let (room, topic) = (|| "ops".into(), || text.into());
    every!(Done {
        Join: [None, Some(position())].map(|position| Done::Join {
            room: room(),
            members: 3,
            position,
            topic: topic()
        }),
        In: [None, Some(position())].map(|position| Done::In(room(), position)),
        Leave: [Done::Leave(room())],
        Rooms: [Done::Rooms(3)],
        Who: [Done::Who(room(), 3)],
        Topic: [Done::Topic(room(), topic())],
        History: [true, false]
            .map(|has_more| { Done::History { room: room(), count: 3, position: Some(position()), has_more } }),
        Account: accounts::done(text).into_iter().map(Done::Account),
        Order: order::done(text).into_iter().map(Done::Order),
    })
}

fn position() -> Position {
    Position { n: 3, epoch: Epoch::from_random(0) }
}

/// What is told of an event that has happened in a room before.
pub(crate) fn past(room: &str, event: PublicEvent) -> Event {
    let at = Timestamp::UNIX_EPOCH;
    Event::Past(Record { n: 3, at, room: room.into(), event: event.into() }, Epoch::from_random(0))
}

pub(crate) fn public_events(who: &Arc<Identity>, text: &str) -> Vec<PublicEvent> {
    let (who, text) = (|| Arc::clone(who), || text.to_owned());
    every!(PublicEvent {
        Online: [PublicEvent::Online(who())],
        Offline: departures().into_iter().map(|departure| PublicEvent::Offline(who(), departure)),
        Message: [PublicEvent::Message { from: who(), text: text() }],
        KnownAs: [PublicEvent::KnownAs { old: who(), new: who() }],
        Joined: [PublicEvent::Joined(who())],
        Left: [PublicEvent::Left(who())],
        Topic: [PublicEvent::Topic { from: who(), text: text().into() }],
    })
}

pub(crate) fn events(who: &Arc<Identity>, text: &str) -> Vec<Event> {
    let (who, text) = (|| Arc::clone(who), || text.to_owned());
    every!(Event {
        Private: [Event::Private { from: who(), text: text() }],
        User: [Event::User(who())],
        UsersEnd: [Event::UsersEnd(3)],
        Renamed: [Event::Renamed { old: who(), new: who() }],
        Room: [
            Event::Room { name: "ops".into(), members: Some(3), topic: text().into() },
            Event::Room { name: "ops".into(), members: None, topic: "".into() }
        ],
        Order: order::events(&who(), &text()).into_iter().map(Event::Order),
        Token: accounts::tokens(&text()).into_iter().map(|token| Event::Token("ann".into(), token)),
        Past: [
            past("ops", PublicEvent::Joined(who())),
            past("lobby", PublicEvent::Message { from: who(), text: text() })
        ],
        Done: done(&text()).into_iter().map(Event::Done),
        Declined: asked()
            .into_iter()
            .flat_map(|asked| refusals().into_iter().map(move |refusal| Event::Declined(asked, refusal))),
        Synced: [Event::Synced(text())],
        WaitMet: [Event::WaitMet(text())],
        WaitTimedOut: [Event::WaitTimedOut],
        Refused: refusals().into_iter().map(Event::Refused),
        Farewell: departures().into_iter().map(Event::Farewell),
    })
}

pub(crate) fn inputs() -> Vec<Input> {
    let (client, addr) = (ClientId(1), SocketAddr::from(([127, 0, 0, 1], 1)));
    every!(Input {
        Arrive: [Input::Arrive(client, addr.into())],
        Visit: [Input::Visit(client, addr.into())],
        Command: loads().into_iter().map(|load| Input::Command(client, load, Command::Who)),
        Eof: [Input::Eof(client)],
        Broken: [Input::Broken(client)],
        End: [Input::End(client, Departure::Idle)],
        Congested: [Input::Congested(client, Congestion::Behind)],
        Shrink: [Input::Shrink(9)],
        Answered: [Input::Answered(client, None)],
        Verified: [Input::Verified(client, Ticket(0), Verdict::Failed)],
        Accounts: [Input::Accounts(Vec::new())],
        Bans: [Input::Bans(Vec::new())],
        Trusted: [Input::Trusted(Vec::new())],
        StoreDown: [Input::StoreDown],
        StoreUp: [Input::StoreUp],
        Continue: [Input::Continue],
        ShutDown: [Input::ShutDown],
    })
}

pub(crate) fn commands() -> Vec<Command> {
    let text = String::new;
    every!(Command {
        Say: [Command::Say(text())],
        Who: [Command::Who],
        Rename: [Command::Rename(text())],
        Private: [Command::Private { to: text(), text: text() }],
        Join: [None, Some(Start::Unknown)].map(|start| Command::Join { room: text(), start }),
        History: [Command::History(Stretch::of(text(), Start::Unknown))],
        Follow: [Command::Follow { rooms: vec![text()], start: Start::Unknown, kinds: Kinds::All }],
        In: [Command::In { room: text(), text: text() }],
        Leave: [Command::Leave(text())],
        Rooms: [Command::Rooms],
        WhoIn: [Command::WhoIn(text())],
        Topic: [None, Some(text())].map(|topic| Command::Topic { room: text(), text: topic }),
        Sync: [Command::Sync(text())],
        Account: accounts::commands().into_iter().map(Command::Account),
        Order: order::commands().into_iter().map(Command::Order),
        Wait: [Command::Wait(Duration::ZERO, WaitFor::Users(0))],
    })
}

pub(crate) fn loads() -> Vec<Load> {
    every!(Load { Light, Heavy })
}

pub(crate) fn starts() -> Vec<Start> {
    every!(Start {
        Last: [Start::Last(3)],
        Ago: [Start::Ago(Duration::ZERO)],
        At: [Start::At(Timestamp::UNIX_EPOCH)],
        Behind: [Start::Behind(3, None), Start::Behind(3, Some(Epoch::from_random(0)))],
        Unknown: [Start::Unknown],
    })
}

pub(crate) fn waits() -> Vec<WaitFor> {
    let text = String::new;
    every!(WaitFor {
        User: [WaitFor::User(text())],
        Gone: [WaitFor::Gone(text())],
        Users: [WaitFor::Users(0)],
        Text: [WaitFor::Text(text())],
        Members: [WaitFor::Members(text(), 0)],
        By: [WaitFor::By { account: text(), room: None, part: text() }],
        In: [WaitFor::In { room: text(), part: text() }],
    })
}
