//! What is measured: names and units. Times are in seconds, memory is in bytes.

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Metric {
    /// Deliveries per second.
    Throughput,
    /// Until the first, the median, the last listener has heard a line.
    First,
    Median,
    Last,
    /// Until all is done.
    Time,
    CpuPerDelivery,
    Cpu,
    /// Per connection.
    Memory,
    /// Per connection that was there, after all have left.
    MemoryAfter,
    /// Per room with one client, which it counts with.
    MemoryPerRoom,
    /// Per room that a client is in, beside the rooms themselves.
    MemoryPerMembership,
    /// CPU time per second.
    IdleCpu,
    /// Part of the throughput that is kept.
    Kept,
}

impl Metric {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Throughput => "deliveries/s",
            Self::CpuPerDelivery => "CPU/delivery",
            Self::First => "first listener",
            Self::Median => "median listener",
            Self::Last => "last listener",
            Self::Time => "time",
            Self::Cpu => "CPU",
            Self::Memory => "memory/connection",
            Self::MemoryAfter => "memory/connection, all gone",
            Self::MemoryPerRoom => "memory/room of one",
            Self::MemoryPerMembership => "memory/membership",
            Self::IdleCpu => "CPU per second",
            Self::Kept => "throughput kept",
        }
    }

    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Throughput => "1/s",
            Self::CpuPerDelivery | Self::First | Self::Median | Self::Last | Self::Time | Self::Cpu => "s",
            Self::Memory | Self::MemoryAfter | Self::MemoryPerRoom | Self::MemoryPerMembership => "B",
            Self::IdleCpu | Self::Kept => "1",
        }
    }

    /// For people.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Throughput if value >= 1e6 => format!("{:.2} M/s", value / 1e6),
            Self::Throughput => format!("{:.0} k/s", value / 1e3),
            Self::CpuPerDelivery => format!("{:.3} µs", value * 1e6),
            Self::First | Self::Median | Self::Last => format!("{:.2} ms", value * 1e3),
            Self::Time | Self::Cpu => format!("{value:.2} s"),
            Self::Memory | Self::MemoryAfter => format!("{:.2} KB", value / 1024.0),
            Self::MemoryPerRoom | Self::MemoryPerMembership => format!("{value:.0} B"),
            Self::IdleCpu => format!("{:.2} ms", value * 1e3),
            Self::Kept => format!("{:.1} %", value * 1e2),
        }
    }
}
