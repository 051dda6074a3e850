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
    /// The throughput, and the CPU of a delivery, to what they are when less is kept.
    ToLess,
    CpuToLess,
    /// Of the threads of the store, for a line that is stored.
    CpuPerStored,
    /// What a store adds to the time until a line is heard: to the median, and to the longest but for a hundredth.
    AddedMedian,
    AddedTail,
    /// Until the whole answer has come.
    AnswerMedian,
    AnswerTail,
    /// Until another client, who asks for little meanwhile, has its answer.
    OtherMedian,
    OtherTail,
    /// The median of that to what it is without.
    OtherSlowed,
    /// Of the whole server's memory, at most: the first time, and then.
    FirstGrowth,
    Growth,
    /// Of a file, for each message.
    FileBytes,
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
            Self::ToLess => "deliveries/s, to less kept",
            Self::CpuToLess => "CPU/delivery, to less kept",
            Self::CpuPerStored => "CPU of the store/line",
            Self::AddedMedian => "added latency, p50",
            Self::AddedTail => "added latency, p99",
            Self::AnswerMedian => "answer, p50",
            Self::AnswerTail => "answer, p99",
            Self::OtherMedian => "another's sync, p50",
            Self::OtherTail => "another's sync, p99",
            Self::OtherSlowed => "another's sync, to alone",
            Self::FirstGrowth => "memory growth, first time",
            Self::Growth => "memory growth",
            Self::FileBytes => "file/message",
        }
    }

    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Throughput => "1/s",
            Self::CpuPerDelivery | Self::First | Self::Median | Self::Last | Self::Time | Self::Cpu => "s",
            Self::CpuPerStored | Self::AddedMedian | Self::AddedTail => "s",
            Self::AnswerMedian | Self::AnswerTail | Self::OtherMedian | Self::OtherTail => "s",
            Self::Memory | Self::MemoryAfter | Self::MemoryPerRoom | Self::MemoryPerMembership => "B",
            Self::FirstGrowth | Self::Growth | Self::FileBytes => "B",
            Self::IdleCpu | Self::Kept | Self::ToLess | Self::CpuToLess | Self::OtherSlowed => "1",
        }
    }

    /// For people.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Throughput if value >= 1e6 => format!("{:.2} M/s", value / 1e6),
            Self::Throughput => format!("{:.0} k/s", value / 1e3),
            Self::CpuPerDelivery => format!("{:.3} µs", value * 1e6),
            Self::CpuPerStored => format!("{:.2} µs", value * 1e6),
            Self::AddedMedian | Self::AddedTail | Self::AnswerMedian | Self::AnswerTail => {
                format!("{:.3} ms", value * 1e3)
            }
            Self::OtherMedian | Self::OtherTail => format!("{:.3} ms", value * 1e3),
            Self::First | Self::Median | Self::Last => format!("{:.2} ms", value * 1e3),
            Self::Time | Self::Cpu => format!("{value:.2} s"),
            Self::Memory | Self::MemoryAfter => format!("{:.2} KB", value / 1024.0),
            Self::MemoryPerRoom | Self::MemoryPerMembership | Self::FileBytes => format!("{value:.0} B"),
            Self::IdleCpu => format!("{:.2} ms", value * 1e3),
            Self::FirstGrowth | Self::Growth => format!("{:.1} MB", value / f64::from(1 << 20)),
            Self::ToLess | Self::CpuToLess | Self::OtherSlowed => format!("× {value:.2}"),
            Self::Kept => format!("{:.1} %", value * 1e2),
        }
    }
}
