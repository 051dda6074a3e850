//! The server's numbers as text for Prometheus, and whether all is well. Knows what the numbers are called, and not where they
//! come from.

use std::{
    fmt::{self, Display, Write},
    time::Duration,
};

/// What the text of [`metrics`] is: version 0.0.4 of Prometheus' text format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Whether the server does all that it is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Ok,
    /// It shuts down.
    Draining,
    /// The store does not work, and what cannot be kept is refused.
    StoreFails,
}

impl Health {
    /// A word for machines, which never changes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Draining => "draining",
            Self::StoreFails => "store-fails",
        }
    }
}

/// A number for each value of a label; no value twice.
pub type Labelled = Vec<(&'static str, u64)>;

/// The server's numbers at one time. Totals are since the server began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Open connections, by where they came in.
    pub connections: Labelled,
    /// Connections that were let in, by where.
    pub accepted: Labelled,
    /// Connections that were refused, by reason.
    pub refused: Labelled,
    /// Clients that were introduced to the chat and have not left.
    pub clients: u64,
    /// Rooms, with the lobby.
    pub rooms: u64,
    /// Lines that clients have sent.
    pub lines: u64,
    /// Pieces of output that were given to clients: what one turn has for a client is one, or some.
    pub deliveries: u64,
    /// Their bytes.
    pub delivered_bytes: u64,
    /// Bytes in clients' queues, as the limits of a queue count them.
    pub queued_bytes: u64,
    /// Clients that have left, by reason.
    pub disconnects: Labelled,
    /// Lines that were refused, by code.
    pub refusals: Labelled,
    /// How long turns took, each until all that came of it was sent.
    pub turns: Histogram,
    /// How long turns waited for the store to commit.
    pub commits: Histogram,
    /// Bytes that clients make the server hold.
    pub memory_used: u64,
    /// Bytes that they may make it hold. `None` is no limit.
    pub memory_max: Option<u64>,
    /// Bytes of recent events: a part of `memory_used`.
    pub recent_bytes: u64,
}

/// How long something took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Times, in order, and how often it took no more than each.
    pub buckets: Vec<(Duration, u64)>,
    /// How often it took any time.
    pub count: u64,
    /// How long it took together.
    pub sum: Duration,
}

/// The numbers in Prometheus' text format.
#[must_use]
pub fn metrics(snapshot: &Snapshot) -> String {
    let mut text = Text(String::new());
    let Snapshot { connections, accepted, refused, disconnects, refusals, turns, commits, .. } = snapshot;
    text.labelled("pipechat_connections", Kind::Gauge, "Open connections.", "door", connections);
    let help = "Connections that were let in.";
    text.labelled("pipechat_connections_accepted_total", Kind::Counter, help, "door", accepted);
    let help = "Connections that were refused when they came.";
    text.labelled("pipechat_connections_refused_total", Kind::Counter, help, "reason", refused);
    text.gauge("pipechat_clients", "Clients, present and visiting.", snapshot.clients);
    text.labelled("pipechat_disconnects_total", Kind::Counter, "Clients that have left.", "reason", disconnects);
    text.gauge("pipechat_rooms", "Rooms, with the lobby.", snapshot.rooms);
    text.counter("pipechat_lines_total", "Lines that clients have sent.", snapshot.lines);
    text.labelled("pipechat_refusals_total", Kind::Counter, "Lines that were refused.", "code", refusals);
    text.counter(
        "pipechat_deliveries_total",
        "Pieces of output, at least one per client and turn.",
        snapshot.deliveries,
    );
    text.counter("pipechat_delivered_bytes_total", "Bytes of output, sent or queued.", snapshot.delivered_bytes);
    let help = "Bytes in clients' queues, as --max-queue counts them.";
    text.gauge("pipechat_queued_bytes", help, snapshot.queued_bytes);
    let help = "Bytes that clients make the server hold, as --max-memory counts them.";
    text.gauge("pipechat_memory_used_bytes", help, snapshot.memory_used);
    let max: &dyn Display = snapshot.memory_max.as_ref().map_or(&"+Inf", |max| max);
    text.gauge("pipechat_memory_max_bytes", "Bytes that they may make it hold.", max);
    text.gauge("pipechat_recent_bytes", "Bytes of recent events, a part of those.", snapshot.recent_bytes);
    text.histogram("pipechat_turn_seconds", "Time from a turn's first step until all is sent.", turns);
    text.histogram("pipechat_commit_seconds", "Time that a turn waits for the store to commit.", commits);
    text.0
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

struct Text(String);

impl Text {
    fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.begin(name, Kind::Counter, help);
        self.line(format_args!("{name} {value}"));
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.begin(name, Kind::Gauge, help);
        self.line(format_args!("{name} {value}"));
    }

    fn labelled(&mut self, name: &str, kind: Kind, help: &str, label: &str, values: &Labelled) {
        self.begin(name, kind, help);
        for (of, value) in values {
            self.line(format_args!("{name}{{{label}=\"{}\"}} {value}", escaped(of)));
        }
    }

    fn histogram(&mut self, name: &str, help: &str, Histogram { buckets, count, sum }: &Histogram) {
        self.begin(name, Kind::Histogram, help);
        for (most, within) in buckets {
            self.line(format_args!("{name}_bucket{{le=\"{}\"}} {within}", most.as_secs_f64()));
        }
        self.line(format_args!("{name}_bucket{{le=\"+Inf\"}} {count}"));
        self.line(format_args!("{name}_sum {}", sum.as_secs_f64()));
        self.line(format_args!("{name}_count {count}"));
    }

    fn begin(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a String takes all");
    }
}

/// The value of a label, as it stands between quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests;
