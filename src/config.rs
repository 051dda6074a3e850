//! What an operator can set.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use crate::chat::{Capacity, Lang, Limits, Rate, Rules};

/// What an operator can set. The defaults are those of the flags.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen. Port 0 takes a free one.
    pub addr: SocketAddr,
    /// The language that connections begin with.
    pub lang: Lang,
    /// Silence, in lines, after which a client is disconnected. Zero: never.
    pub idle_timeout: Duration,
    /// How many may be here.
    pub capacity: Capacity,
    /// The longest line, in bytes without its ending.
    pub line_max: usize,
    /// How fast a client may send lines.
    pub rate: Rate,
    /// Bytes that may wait for one client; over it, it is cut as a slow consumer.
    pub queue_max: usize,
    /// Bytes that may wait for all clients together, each byte counted once however many wait for it.
    pub queued_total_max: usize,
    /// How long a client may take no bytes while some wait for it.
    pub write_timeout: Duration,
    /// The longest wait that a client may ask for.
    pub wait_max: Duration,
    /// No client may be exempt from the idle timeout.
    pub strict_idle: bool,
    /// How long the end of the server waits for queues to empty.
    pub drain_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 9999)),
            lang: Lang::Zh,
            idle_timeout: Duration::from_secs(300),
            capacity: Capacity::default(),
            line_max: 4096,                                 // the tutorial's read buffer
            rate: Rate { per_second: 1000, burst: 10_000 }, // a person's paste is free, a flood is not
            queue_max: 1 << 20,
            queued_total_max: 256 << 20,
            write_timeout: Duration::from_secs(10), // as NATS's write_deadline
            wait_max: Duration::from_secs(3600),
            strict_idle: false,
            drain_timeout: Duration::from_secs(5),
        }
    }
}

impl Config {
    pub(crate) fn rules(&self) -> Rules {
        let limits = Limits {
            line_max: self.line_max,
            queue_max: self.queue_max,
            rate: self.rate,
            idle_timeout: self.idle_timeout,
            write_timeout: self.write_timeout,
            wait_max: self.wait_max,
            clients_max: self.capacity.total,
        };
        Rules {
            capacity: self.capacity,
            wait_max: self.wait_max,
            strict_idle: self.strict_idle,
            limits: Arc::new(limits),
        }
    }
}
