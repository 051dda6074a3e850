//! The workloads of the benchmark, and how big they are. Does not know how they are played.

use std::time::Duration;

use crate::archives::Contents;
use crate::load::Timing;

const LINE_BYTES: usize = 64;
const LONG_LINE_BYTES: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Workload {
    Steady,
    SteadyMore,
    SteadyLong,
    Trickle,
    OneLineFew,
    OneLineMore,
    OneLineMost,
    JoinStorm,
    Private,
    Idle,
    StuckReader,
    Languages,
    Json,
    Who,
    /// Many small rooms, each with one line in flight.
    Rooms,
    /// The same with several.
    RoomsMore,
    /// Each client is in the lobby and in many rooms.
    RoomsShared,
    /// Each client joins a room of its own, and leaves it.
    RoomsOwn,
    /// All join the same one.
    RoomsSame,
    /// Steady talk, with a store and without.
    KeptFew,
    KeptMore,
    /// Single lines of one client, with a store and without.
    KeptAtRest,
    /// The last messages of rooms of a large store.
    History,
    /// A client is told all that was said in a room, out of memory.
    ReplayRecent,
    /// The same out of a store.
    ReplayStored,
    /// A start with a large store.
    Start,
    /// As many connections as one process may have open; on demand only.
    Full,
}

/// How big and how long the workloads are.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    pub(crate) few: usize,
    pub(crate) more: usize,
    pub(crate) most: usize,
    pub(crate) full: usize,
    pub(crate) repeats: usize,
    pub(crate) timing: Timing,
    pub(crate) idle: Duration,
    /// Lines of one client, for which a store is compared with none.
    pub(crate) kept_lines: usize,
    /// What is in a large store.
    pub(crate) archive: Contents,
    /// How often it is asked.
    pub(crate) questions: usize,
    /// The messages in a room that is replayed.
    pub(crate) replayed: usize,
}

/// How many messages of a room are asked for.
pub(crate) const HISTORY_LINES: usize = 100;
/// The text of a message in a store.
pub(crate) const MESSAGE_BYTES: usize = 100;

/// Members of a small room.
pub(crate) const ROOM_MEMBERS: usize = 10;

impl Scale {
    pub(crate) const WHOLE: Self = Self {
        few: 100,
        more: 1_000,
        most: 10_000,
        full: 19_000,
        repeats: 50,
        timing: Timing { warm_up: Duration::from_millis(500), measured: Duration::from_secs(2) },
        idle: Duration::from_secs(3),
        kept_lines: 1_000,
        archive: Contents { messages: 1_000_000, rooms: 1_000 },
        questions: 1_000,
        replayed: 100_000,
    };

    /// To see that everything works, on any machine.
    pub(crate) const QUICK: Self = Self {
        few: 20,
        more: 50,
        most: 200,
        full: 200,
        repeats: 5,
        timing: Timing { warm_up: Duration::from_millis(50), measured: Duration::from_millis(150) },
        idle: Duration::from_millis(200),
        kept_lines: 20,
        archive: Contents { messages: 10_000, rooms: 50 },
        questions: 20,
        replayed: 2_000,
    };

    /// Rooms of [`ROOM_MEMBERS`].
    pub(crate) fn small_rooms(&self) -> usize {
        self.most / ROOM_MEMBERS
    }

    /// Rooms that clients share in different ways.
    pub(crate) fn shared_rooms(&self) -> usize {
        self.more / 5
    }

    /// In how many of them each is.
    pub(crate) fn memberships(&self) -> usize {
        self.shared_rooms() / 10
    }
}

impl Workload {
    pub(crate) const ALL: [Self; 26] = [
        Self::Steady,
        Self::SteadyMore,
        Self::SteadyLong,
        Self::Trickle,
        Self::OneLineFew,
        Self::OneLineMore,
        Self::OneLineMost,
        Self::JoinStorm,
        Self::Private,
        Self::Idle,
        Self::StuckReader,
        Self::Languages,
        Self::Json,
        Self::Who,
        Self::Rooms,
        Self::RoomsMore,
        Self::RoomsShared,
        Self::RoomsOwn,
        Self::RoomsSame,
        Self::KeptFew,
        Self::KeptMore,
        Self::KeptAtRest,
        Self::History,
        Self::ReplayRecent,
        Self::ReplayStored,
        Self::Start,
    ];

    /// Its number on the command line; workloads of a kind share one.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Steady | Self::SteadyMore | Self::SteadyLong => 1,
            Self::Trickle => 2,
            Self::OneLineFew | Self::OneLineMore | Self::OneLineMost => 3,
            Self::JoinStorm => 4,
            Self::Private => 5,
            Self::Idle => 6,
            Self::StuckReader => 7,
            Self::Languages | Self::Json | Self::Who => 8,
            Self::Full => 9,
            Self::Rooms | Self::RoomsMore | Self::RoomsShared => 10,
            Self::RoomsOwn | Self::RoomsSame => 11,
            Self::KeptFew | Self::KeptMore => 12,
            Self::KeptAtRest => 13,
            Self::History | Self::ReplayRecent | Self::ReplayStored => 14,
            Self::Start => 15,
        }
    }

    pub(crate) fn title(self, scale: &Scale) -> String {
        let title = match self {
            Self::Steady | Self::SteadyMore | Self::SteadyLong => {
                format!("steady, {} clients, {} B", self.clients(scale), self.line_bytes())
            }
            Self::Trickle => format!("trickle, {} clients", scale.few),
            Self::OneLineFew | Self::OneLineMore | Self::OneLineMost => {
                format!("one line to {}", self.clients(scale))
            }
            Self::JoinStorm => format!("join storm, {}", scale.most),
            Self::Private => format!("private, {} clients", scale.few),
            Self::Idle => format!("idle, {} clients", scale.most),
            Self::StuckReader => "beside a stuck reader".into(),
            Self::Languages => "half English, half Chinese".into(),
            Self::Json => "half text, half JSON".into(),
            Self::Who => format!("`who` by {} of {}", scale.few, scale.more),
            Self::Rooms => format!("{} rooms × {ROOM_MEMBERS}, 1 in flight", scale.small_rooms()),
            Self::RoomsMore => format!("{} rooms × {ROOM_MEMBERS}, 16 in flight", scale.small_rooms()),
            Self::RoomsShared => {
                format!("{} in {} of {} rooms", scale.more, scale.memberships(), scale.shared_rooms())
            }
            Self::RoomsOwn => format!("{} join rooms, leave", scale.most),
            Self::RoomsSame => format!("{} join one room, leave", scale.most),
            Self::KeptFew | Self::KeptMore => format!("kept, {} clients", self.clients(scale)),
            Self::KeptAtRest => "one line at rest, kept".into(),
            Self::History => format!("history of {HISTORY_LINES} in {}", scale.archive.messages),
            Self::ReplayRecent => format!("replay of {}, memory", scale.replayed),
            Self::ReplayStored => format!("replay of {}, store", scale.replayed),
            Self::Start => format!("start with {} kept", scale.archive.messages),
            Self::Full => format!("{} connections", scale.full),
        };
        format!("{} {title}", self.number())
    }

    /// Whether other chat servers and brokers have something like it.
    pub(crate) fn is_for_peers(self) -> bool {
        [1, 2, 3, 5, 6, 10].contains(&self.number())
    }

    /// Whether it is about rooms beside the lobby.
    pub(crate) fn is_in_rooms(self) -> bool {
        [10, 11].contains(&self.number())
    }

    /// How many clients it has.
    pub(crate) fn clients(self, scale: &Scale) -> usize {
        match self {
            Self::KeptAtRest | Self::ReplayStored | Self::Start => 1,
            Self::History | Self::ReplayRecent => 2,
            Self::KeptFew => scale.few,
            Self::KeptMore => scale.more,
            Self::Steady | Self::SteadyLong | Self::Trickle | Self::OneLineFew | Self::Private => scale.few,
            Self::StuckReader | Self::Languages | Self::Json => scale.few,
            Self::SteadyMore | Self::OneLineMore | Self::Who | Self::RoomsShared => scale.more,
            Self::OneLineMost | Self::JoinStorm | Self::Idle => scale.most,
            Self::Rooms | Self::RoomsMore | Self::RoomsOwn | Self::RoomsSame => scale.most,
            Self::Full => scale.full,
        }
    }

    /// Whether it is about what is kept of what is said.
    pub(crate) fn is_about_keeping(self) -> bool {
        (12..=15).contains(&self.number())
    }

    /// How long a line is, as it is typed, with its ending.
    pub(crate) fn line_bytes(self) -> usize {
        if self == Self::SteadyLong {
            LONG_LINE_BYTES
        } else if self == Self::ReplayRecent {
            MESSAGE_BYTES + 1
        } else {
            LINE_BYTES
        }
    }
}
