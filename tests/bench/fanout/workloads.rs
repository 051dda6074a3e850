//! The workloads of the benchmark, and how big they are. Does not know how they are played.

use std::time::Duration;

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
}

impl Scale {
    pub(crate) const WHOLE: Self = Self {
        few: 100,
        more: 1_000,
        most: 10_000,
        full: 19_000,
        repeats: 50,
        timing: Timing { warm_up: Duration::from_millis(500), measured: Duration::from_secs(2) },
        idle: Duration::from_secs(3),
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
    };
}

impl Workload {
    pub(crate) const ALL: [Self; 14] = [
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
            Self::Full => format!("{} connections", scale.full),
        };
        format!("{} {title}", self.number())
    }

    /// Whether other chat servers and brokers have something like it.
    pub(crate) fn is_for_peers(self) -> bool {
        [1, 2, 3, 5, 6].contains(&self.number())
    }

    /// How many clients it has.
    pub(crate) fn clients(self, scale: &Scale) -> usize {
        match self {
            Self::Steady | Self::SteadyLong | Self::Trickle | Self::OneLineFew | Self::Private => scale.few,
            Self::StuckReader | Self::Languages | Self::Json => scale.few,
            Self::SteadyMore | Self::OneLineMore | Self::Who => scale.more,
            Self::OneLineMost | Self::JoinStorm | Self::Idle => scale.most,
            Self::Full => scale.full,
        }
    }

    /// How long a line is, as it is typed, with its ending.
    pub(crate) fn line_bytes(self) -> usize {
        if self == Self::SteadyLong { LONG_LINE_BYTES } else { LINE_BYTES }
    }
}
