//! What is measured of an attack. Times are in seconds, memory is in bytes.

use crate::load::middle;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Figure {
    /// The longest round trip of an innocent, without what was lost to other processes.
    Freeze,
    /// The same by the clock.
    RawFreeze,
    /// The median of these round trips.
    RoundTrip,
    /// Most resident memory.
    Peak,
    /// Resident memory after all attackers have left: when it was low enough, or ten seconds later.
    After,
    /// Innocents that were disconnected.
    Cut,
    /// Connections that the attack had at the same time; the goal for memory depends on it.
    Connections,
    /// Part of the talkers' throughput that is kept.
    Kept,
    /// Until a newcomer from another address has its first answer.
    Delay,
    /// Bytes of log that the attack would cost in an hour.
    Log,
    /// Part of what a client should hear last.
    Received,
    /// Whether the very last line has come, as 0 or 1.
    Answered,
    /// How often the attack was repeated.
    Times,
    /// Attackers that were disconnected.
    AttackersCut,
}

impl Figure {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Freeze => "freeze",
            Self::RawFreeze => "by the clock",
            Self::RoundTrip => "round trip",
            Self::Peak => "peak",
            Self::After => "after",
            Self::Cut => "cut",
            Self::Connections => "connections",
            Self::Kept => "kept",
            Self::Delay => "newcomer's delay",
            Self::Log => "log/hour",
            Self::Received => "received",
            Self::Answered => "last line",
            Self::Times => "times",
            Self::AttackersCut => "attackers cut",
        }
    }

    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Freeze | Self::RawFreeze | Self::RoundTrip | Self::Delay => "s",
            Self::Peak | Self::After | Self::Log => "B",
            Self::Cut | Self::Connections | Self::Kept | Self::Received | Self::Answered => "1",
            Self::Times | Self::AttackersCut => "1",
        }
    }

    /// For people.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Freeze | Self::RawFreeze | Self::Delay if value >= 1.0 => format!("{value:.2} s"),
            Self::Freeze | Self::RawFreeze | Self::Delay => format!("{:.0} ms", value * 1e3),
            Self::RoundTrip => format!("{:.2} ms", value * 1e3),
            Self::Peak | Self::After => format!("{:.0} MB", value / f64::from(1 << 20)),
            Self::Log => format!("{:.2} MB", value / 1e6),
            Self::Kept => format!("{value:.2}"),
            Self::Received => format!("{:.1} %", value * 1e2),
            Self::Answered => if value < 1.0 { "missing" } else { "came" }.into(),
            Self::Cut | Self::Connections | Self::Times | Self::AttackersCut => format!("{value:.0}"),
        }
    }

    /// Whether it has a column of its own in the table.
    pub(crate) fn has_column(self) -> bool {
        matches!(self, Self::Freeze | Self::RoundTrip | Self::Peak | Self::After | Self::Cut)
    }

    /// What all rounds come to: ratios and ordinary times are medians, of all else the worst counts.
    pub(crate) fn of_rounds(self, values: &[f64]) -> f64 {
        match self {
            Self::RoundTrip | Self::Kept => middle(&mut values.to_vec()),
            Self::Received | Self::Answered => values.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Freeze | Self::RawFreeze | Self::Peak | Self::After | Self::Cut | Self::Connections => worst(values),
            Self::Delay | Self::Log | Self::Times | Self::AttackersCut => worst(values),
        }
    }
}

fn worst(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}
