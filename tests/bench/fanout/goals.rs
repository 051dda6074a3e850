//! The goals of the benchmark: the one place with their bounds.

use crate::attacks::Figure;
use crate::keeping::Keeping;
use crate::metric::Metric;
use crate::servers::{Peer, Program};
use crate::workloads::Workload;

/// What a ratio or a metric must come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
    LessThan(f64),
}

impl Goal {
    pub(crate) fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::LessThan(bound) => value < bound,
        }
    }

    /// For people, the bound in whatever `unit` makes of it.
    pub(crate) fn show(self, unit: impl Fn(f64) -> String) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {}", unit(bound)),
            Self::AtMost(bound) => format!("≤ {}", unit(bound)),
            Self::LessThan(bound) => format!("< {}", unit(bound)),
        }
    }
}

/// For the ratio of pipechat's metric to that of `reference`.
pub(crate) fn ratio(workload: Workload, metric: Metric, reference: &Program) -> Option<Goal> {
    use Metric::{Cpu, CpuPerDelivery, Last, Memory, Throughput, Time};
    use Workload::{Idle, JoinStorm, OneLineFew, OneLineMore, OneLineMost, Private, Steady, SteadyMore, Trickle};
    use Workload::{Rooms, RoomsMore, RoomsOwn, RoomsSame, RoomsShared};
    let goal = match (reference, workload, metric) {
        (Program::Floor, Steady | SteadyMore, Throughput) => Goal::AtLeast(0.8),
        (Program::Floor, Steady | SteadyMore, CpuPerDelivery) => Goal::AtMost(1.4),
        (Program::Floor, Trickle, CpuPerDelivery) => Goal::AtMost(1.35),
        (Program::Floor, OneLineMore | OneLineMost, Last) => Goal::AtMost(1.15),
        (Program::Floor, JoinStorm, Time) => Goal::AtMost(1.7),
        (Program::Floor, JoinStorm, Cpu) => Goal::AtMost(2.0),
        (Program::Floor, Private, CpuPerDelivery) => Goal::AtMost(3.0),
        (Program::Floor, Rooms | RoomsMore, CpuPerDelivery) => Goal::AtMost(1.15),
        (Program::Floor, RoomsShared, CpuPerDelivery) => Goal::AtMost(1.5),
        (Program::Floor, RoomsOwn | RoomsSame, Time) => Goal::AtMost(1.5),
        (Program::Peer(Peer::Nats), Steady | SteadyMore, Throughput) => Goal::AtLeast(5.0),
        (Program::Peer(Peer::Redis), Steady | SteadyMore, Throughput) => Goal::AtLeast(2.0),
        (Program::Peer(Peer::Ngircd), Steady | SteadyMore, Throughput) => Goal::AtLeast(8.0),
        (Program::Peer(_), Trickle, CpuPerDelivery) => Goal::LessThan(1.0),
        (Program::Peer(_), OneLineFew | OneLineMore | OneLineMost, Last) => Goal::LessThan(1.0),
        (Program::Peer(Peer::Nats), Private, CpuPerDelivery) => Goal::LessThan(1.0),
        (Program::Peer(Peer::Nats), Rooms | RoomsMore, CpuPerDelivery) => Goal::AtMost(0.5),
        (Program::Peer(Peer::Ngircd), Rooms | RoomsMore, CpuPerDelivery) => Goal::AtMost(0.6),
        (Program::Peer(Peer::Nats), Idle, Memory) => Goal::AtMost(0.1),
        _ => return None,
    };
    Some(goal)
}

/// For pipechat's metric itself.
pub(crate) fn own(workload: Workload, metric: Metric, pipechat: &Program) -> Option<Goal> {
    let is_normal = matches!(pipechat, Program::Keeping(_, Keeping::Normal));
    if metric == Metric::ToLess {
        return to_less(workload == Workload::KeptFew, pipechat);
    }
    match (workload, metric) {
        (_, Metric::CpuPerStored) => Some(Goal::AtMost(4e-6)),
        (Workload::KeptAtRest, Metric::AddedMedian) if is_normal => Some(Goal::AtMost(0.15e-3)),
        (Workload::KeptAtRest, Metric::AddedTail) if is_normal => Some(Goal::AtMost(2e-3)),
        (Workload::History, Metric::AnswerMedian) => Some(Goal::AtMost(1e-3)),
        // "Untouched": a tenth is noise.
        (Workload::History, Metric::OtherSlowed) => Some(Goal::AtMost(1.1)),
        (Workload::ReplayRecent | Workload::ReplayStored, Metric::Throughput) => Some(Goal::AtLeast(300e3)),
        (_, Metric::Growth) => Some(Goal::AtMost(4.0 * MB)),
        (Workload::Start, Metric::Time) => Some(Goal::AtMost(0.3)),
        (Workload::Start, Metric::FileBytes) => Some(Goal::AtMost(210.0)),
        // 2.5 KB.
        (Workload::Idle, Metric::Memory) => Some(Goal::AtMost(2560.0)),
        // "≈ 0": a millisecond per second.
        (Workload::Idle, Metric::IdleCpu) => Some(Goal::AtMost(0.001)),
        // 500 for a room without a topic, 150 for a membership.
        (Workload::RoomsOwn, Metric::MemoryPerRoom) => Some(Goal::AtMost(650.0)),
        (Workload::RoomsShared, Metric::MemoryPerMembership) => Some(Goal::AtMost(150.0)),
        (Workload::StuckReader, Metric::Kept) => Some(Goal::AtLeast(0.95)),
        _ => None,
    }
}

/// For the throughput relative to that of the same pipechat when it keeps less.
fn to_less(is_few: bool, pipechat: &Program) -> Option<Goal> {
    match pipechat {
        Program::Pipechat(_) => Some(Goal::AtLeast(if is_few { 0.95 } else { 0.97 })),
        Program::Keeping(_, Keeping::Normal) => Some(Goal::AtLeast(if is_few { 0.4 } else { 0.85 })),
        Program::Keeping(_, Keeping::Full) => Some(Goal::AtLeast(if is_few { 0.35 } else { 0.8 })),
        Program::Keeping(_, Keeping::Nothing) | Program::Floor | Program::Peer(_) => None,
    }
}

/// For the CPU of a delivery relative to the floor's, at most clients against few: it "does not grow";
/// a tenth is noise.
pub(crate) const GROWTH: Goal = Goal::AtMost(1.1);

const MB: f64 = (1 << 20) as f64;

/// For the server's memory when all attackers have been gone for ten seconds.
pub(crate) const MEMORY_AFTER: Goal = Goal::AtMost(48.0 * MB);

/// For what the rounds of an attack come to, with so many connections at the same time.
pub(crate) fn attack(figure: Figure, connections: f64) -> Option<Goal> {
    match figure {
        Figure::Freeze | Figure::Delay => Some(Goal::LessThan(0.250)),
        // What every server needs, 2 KB a connection, and `--max-queued-total`.
        Figure::Peak => Some(Goal::AtMost((64.0 + 256.0) * MB + connections * 2048.0)),
        Figure::After => Some(MEMORY_AFTER),
        Figure::Cut => Some(Goal::AtMost(0.0)),
        Figure::Kept => Some(Goal::AtLeast(0.9)),
        // A megabyte an hour.
        Figure::Log => Some(Goal::AtMost(1e6)),
        Figure::Received | Figure::Answered => Some(Goal::AtLeast(1.0)),
        Figure::RawFreeze | Figure::RoundTrip | Figure::Connections | Figure::Times | Figure::AttackersCut => None,
    }
}

/// For the median over the rounds of the longest freezes, with at most [`MEMBERS_FOR_MEDIAN`].
pub(crate) const FREEZE_MEDIAN: Goal = Goal::LessThan(0.050);
pub(crate) const MEMBERS_FOR_MEDIAN: f64 = 2_000.0;
