//! What goes into the chat and what comes out.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    account::{Account, AccountChange},
    accounts::AccountRules,
    command::Command,
    departure::Departure,
    event::{ClientId, Event, Public, RoomId},
    order::{OrderChange, Sanctions},
    recent::RecentLimits,
    record::Record,
    rooms::RoomLimits,
    stored::{Answer, Query},
    verify::{Job, Ticket, Verdict},
};
use crate::{
    address::{Cidr, Network},
    origin::Origin,
};

/// What an operator decides about the chat.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The longest wait.
    pub wait_max: Duration,
    /// How many rooms there may be.
    pub rooms: RoomLimits,
    /// How much of what has happened is kept in memory.
    pub recent: RecentLimits,
    /// Whether arrivals and departures in the lobby are kept too.
    pub keeps_presence: bool,
    /// Whether a store keeps what memory gives up.
    pub has_store: bool,
    /// What holds for accounts.
    pub accounts: AccountRules,
    /// Addresses whose connections each keep rooms for themselves.
    pub trusted: Vec<Cidr>,
    /// Addresses that cannot be banned: many come from each that have nothing to do with one another.
    pub unbannable: Vec<Cidr>,
}

impl Default for Rules {
    /// The defaults of the flags, with no address trusted.
    fn default() -> Self {
        Self {
            wait_max: Duration::from_secs(3600),
            rooms: RoomLimits::default(),
            recent: RecentLimits::default(),
            keeps_presence: false,
            has_store: false,
            accounts: AccountRules::default(),
            trusted: Vec::new(),
            unbannable: Cidr::LOOPBACK.to_vec(),
        }
    }
}

/// An input, with the time at which the chat gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The time since any beginning. A clock that goes back is not followed.
    pub now: Duration,
    /// The time by the calendar.
    pub at: Timestamp,
    /// What happens.
    pub input: Input,
}

/// What happens to the chat. Inputs of clients who are not here (any more) have no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A client has connected from there. Its first command comes when that is done, as all that follow: see [`Output::Ready`].
    Arrive(ClientId, Origin),
    /// A client, which has connected from there, visits from now on: it speaks without being here. The same holds for its
    /// next command.
    Visit(ClientId, Origin),
    /// A client asks for something. Comes when the one before is done: see [`Output::Ready`].
    Command(ClientId, Load, Command),
    /// A client has sent its last command. May come while that is not done.
    Eof(ClientId),
    /// A client's connection is broken: it can be told nothing any more. Commands that it sent before may still come.
    Broken(ClientId),
    /// A client is gone, or is to go now, for this reason.
    End(ClientId, Departure),
    /// How far a client is behind with what waits for it alone.
    Congested(ClientId, Congestion),
    /// Give back so many bytes of what has happened, if there are as many: there is little memory left.
    Shrink(usize),
    /// The answer to an [`Output::Ask`] of a client; none where the store cannot be read.
    Answered(ClientId, Option<Answer>),
    /// What has come of an [`Output::Verify`] of a client, which may have left since.
    Verified(ClientId, Ticket, Verdict),
    /// All accounts: the store has loaded them, or somebody else has changed them in its file. All that the chat has changed is in
    /// it, but for what was read and which tokens were used: of that, it may know more.
    Accounts(Vec<Account>),
    /// All bans and mutes that are in the store: somebody else may have changed them in its
    /// file. They hold for what comes after; nobody is sent away.
    Bans(Sanctions),
    /// Clients from these addresses each keep rooms for themselves from now on, and no others.
    Trusted(Vec<Cidr>),
    /// The store cannot keep anything more, until it can again.
    StoreDown,
    /// The store has kept all that was told since.
    StoreUp,
    /// Go on with what is left to do. Comes when [`super::Chat::deadline`] has passed.
    Continue,
    /// The server shuts down: all clients are sent away, and nobody is told of the others.
    ShutDown,
}

/// How much the one who asks has been asking for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// No more than its share.
    Light,
    /// More than its share.
    Heavy,
}

/// How far a client is behind with what waits for it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Congestion {
    /// Not at all.
    None,
    /// Those whose load is heavy may send it nothing more in private, and its own long answers pause.
    Behind,
    /// Nobody may send it anything more in private.
    FarBehind,
}

/// What the shell has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Tell one client this event.
    Tell(ClientId, Event),
    /// Tell a room this event.
    Publish(Public),
    /// Keep this event, of which no room is told.
    Keep(Record),
    /// This client is told from now on what is told to the room.
    Join(ClientId, RoomId),
    /// And this one no more.
    Part(ClientId, RoomId),
    /// Ask the store this for a client. What was told before counts as kept.
    Ask(ClientId, Query),
    /// Keep this of a room: its topic, and at whose expense it is kept.
    Remember {
        /// The name of the room.
        room: Arc<str>,
        /// Its topic.
        topic: Option<Arc<str>>,
        /// The network that has made it, if it is not a trusted one.
        keeper: Option<Network>,
    },
    /// The room of this name is no more, and nothing of it is to be kept.
    Forget(Arc<str>),
    /// Keep this of an account.
    Account(AccountChange),
    /// Keep this of order.
    Order(OrderChange),
    /// Do this for a client, and tell what comes of it.
    Verify(ClientId, Ticket, Job),
    /// This client has come, or its command is done: its next command may come.
    Ready(ClientId),
    /// This client is here no more. Hang up when it has got what it was told.
    HangUp(ClientId, Departure),
    /// End the server, as an operator has asked for.
    ShutDown,
}

impl Output {
    /// Tells one client something.
    pub(super) fn tell(client: ClientId, event: Event) -> Self {
        Self::Tell(client, event)
    }
}
