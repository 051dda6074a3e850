//! The command line of the server.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use argh::FromArgs;
use pipechat::{
    Config,
    chat::{Capacity, Lang, Rate},
};

/// A chat server that a shell can speak: talk to it with nc.
#[derive(FromArgs, Debug)]
#[argh(
    example = "{command_name} --host 0.0.0.0 --lang en\nnc -N 127.0.0.1 9999",
    note = "pipechat and pipechat serve are the same. The other subcommands talk to a server, for their exit codes:\n\
            pipechat send     say something, confirmed\n\
            pipechat listen   print what comes\n\
            pipechat wait     until a user is here or gone, for a number of users, or for a text\n\
            pipechat chat     for a person at a terminal\n\
            Each has its own --help."
)]
pub(crate) struct Args {
    /// address to listen on (127.0.0.1)
    #[argh(option, default = "IpAddr::V4(Ipv4Addr::LOCALHOST)")]
    host: IpAddr,
    /// port to listen on; 0 takes a free one (9999)
    #[argh(option, default = "9999")]
    port: u16,
    /// seconds of silence after which a client is disconnected; 0 is never (300)
    #[argh(option, default = "300.0")]
    idle_timeout: f64,
    /// language that connections begin with, zh or en (zh)
    #[argh(option, default = "Lang::Zh", from_str_fn(lang))]
    lang: Lang,
    /// most clients at a time (what the limit on open files allows)
    #[argh(option)]
    max_clients: Option<usize>,
    /// most clients at a time from one address (no limit)
    #[argh(option)]
    max_clients_per_ip: Option<usize>,
    /// longest line, in bytes (4096)
    #[argh(option, default = "Config::default().line_max")]
    max_line: usize,
    /// lines per second that a client may send; 0 is no limit (1000)
    #[argh(option, default = "Config::default().rate.per_second")]
    rate: u32,
    /// lines that a client may send at once after a silence (10000)
    #[argh(option, default = "Config::default().rate.burst")]
    burst: u32,
    /// bytes that may wait for one client before it is cut (1048576)
    #[argh(option, default = "Config::default().queue_max")]
    max_queue: usize,
    /// bytes that may wait for all clients together (268435456)
    #[argh(option, default = "Config::default().queued_total_max")]
    max_queued_total: usize,
    /// seconds that a client may take no bytes while some wait for it (10)
    #[argh(option, default = "10.0")]
    write_timeout: f64,
    /// longest wait that a client may ask for, in seconds (3600)
    #[argh(option, default = "3600.0")]
    max_wait: f64,
    /// exempt no client from the idle timeout: refuse `stay`
    #[argh(switch)]
    strict_idle: bool,
    /// seconds to wait at the end for queues to empty (5)
    #[argh(option, default = "5.0")]
    drain_timeout: f64,
    /// print the version
    #[argh(switch)]
    pub(crate) version: bool,
}

impl Args {
    /// # Errors
    /// One sentence, where a value makes no sense.
    pub(crate) fn config(&self, open_files: usize) -> Result<Config, String> {
        let open_places = open_files.saturating_sub(FILES_RESERVED).max(1);
        Ok(Config {
            addr: SocketAddr::new(self.host, self.port),
            lang: self.lang,
            idle_timeout: seconds("--idle-timeout", self.idle_timeout)?,
            capacity: Capacity {
                total: at_least_one("--max-clients", self.max_clients.unwrap_or(open_places))?,
                per_ip: at_least_one("--max-clients-per-ip", self.max_clients_per_ip.unwrap_or(usize::MAX))?,
            },
            line_max: at_least_one("--max-line", self.max_line)?,
            rate: Rate { per_second: self.rate, burst: self.burst },
            queue_max: at_least_one("--max-queue", self.max_queue)?,
            queued_total_max: at_least_one("--max-queued-total", self.max_queued_total)?,
            write_timeout: seconds("--write-timeout", self.write_timeout)?,
            wait_max: seconds("--max-wait", self.max_wait)?,
            strict_idle: self.strict_idle,
            drain_timeout: seconds("--drain-timeout", self.drain_timeout)?,
        })
    }
}

/// Open files that are no client's: the standard three, the listener, two epolls with what wakes them, the signals', and
/// connections on their way out.
const FILES_RESERVED: usize = 64;

pub(crate) fn lang(text: &str) -> Result<Lang, String> {
    match text {
        "zh" => Ok(Lang::Zh),
        "en" => Ok(Lang::En),
        _ => Err(format!("{text:?} is no language, zh and en are")),
    }
}

pub(crate) fn seconds(flag: &str, value: f64) -> Result<Duration, String> {
    // A year bounds the sums of times that timers are set to.
    match Duration::try_from_secs_f64(value) {
        Ok(duration) if duration <= Duration::from_secs(365 * 24 * 3600) => Ok(duration),
        Ok(_) | Err(_) => Err(format!("{flag} takes seconds from 0 to a year, not {value}")),
    }
}

fn at_least_one(flag: &str, value: usize) -> Result<usize, String> {
    if value > 0 { Ok(value) } else { Err(format!("{flag} must be at least 1")) }
}
