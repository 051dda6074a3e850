//! The command line of the server.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use argh::FromArgs;
use pipechat::{
    Cidr, Config,
    protocol::{Lang, Limits, Rate},
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
    #[argh(option, default = "Limits::default().line_max")]
    max_line: usize,
    /// lines per second that a client may send; 0 is no limit (1000)
    #[argh(option, default = "Limits::default().rate.per_second")]
    rate: u32,
    /// lines that a client may send at once after a silence (10000)
    #[argh(option, default = "Limits::default().rate.burst")]
    burst: u32,
    /// output queue limit per client in bytes; above it the client is disconnected (33554432)
    #[argh(option, default = "Limits::default().queue_max")]
    max_queue: usize,
    /// output queue limit per client in bytes; above it for 60 seconds the client is disconnected (8388608)
    #[argh(option, default = "Limits::default().soft_queue_max")]
    soft_queue: usize,
    /// bytes that clients may make the server hold, all together (268435456)
    #[argh(option, default = "Config::default().memory_max")]
    max_memory: usize,
    /// new connections per second from one address, ten seconds' worth at once; 0 is no limit (50)
    #[argh(option, default = "Config::default().arrivals_per_ip")]
    arrivals_per_ip: u32,
    /// lines per second that all clients from one address may send; 0 is no limit (ten times the rate)
    #[argh(option)]
    rate_per_ip: Option<u32>,
    /// addresses without the limits for one address, as ADDRESS or ADDRESS/BITS, separated by commas (127.0.0.0/8,::1)
    #[argh(option, default = "Trusted(Config::default().trusted)", from_str_fn(trusted))]
    trusted: Trusted,
    /// seconds that a client may take no bytes while some wait for it; 0 is no limit (10)
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
        let limits = Limits {
            line_max: self.max_line,
            queue_max: self.max_queue,
            soft_queue_max: self.soft_queue,
            rate: Rate { per_second: self.rate, burst: self.burst },
            idle_timeout: seconds("--idle-timeout", self.idle_timeout)?,
            strict_idle: self.strict_idle,
            write_timeout: seconds("--write-timeout", self.write_timeout)?,
            wait_max: seconds("--max-wait", self.max_wait)?,
            clients_max: self.max_clients.unwrap_or(open_places),
        };
        let config = Config {
            addr: SocketAddr::new(self.host, self.port),
            lang: self.lang,
            limits,
            clients_per_ip_max: self.max_clients_per_ip.unwrap_or(usize::MAX),
            rate_per_ip: self.rate_per_ip.unwrap_or_else(|| self.rate.saturating_mul(10)),
            trusted: self.trusted.0.clone(),
            arrivals_per_ip: self.arrivals_per_ip,
            memory_max: self.max_memory,
            drain_timeout: seconds("--drain-timeout", self.drain_timeout)?,
        };
        config.checked()
    }
}

/// Blocks of addresses. (To argh, a `Vec` would be an option that may be repeated.)
#[derive(Debug)]
struct Trusted(Vec<Cidr>);

/// # Errors
/// One sentence about the first that is no block of addresses.
fn trusted(text: &str) -> Result<Trusted, String> {
    let blocks = text.split(',').map(str::trim).filter(|block| !block.is_empty());
    blocks.map(str::parse).collect::<Result<_, _>>().map(Trusted)
}

/// Open files that are no client's: 13 at rest (the standard three, the listener, two epolls with what wakes them, the
/// signals'), 32 refused connections (`REFUSED_MAX`), the one just accepted, and some to spare.
const FILES_RESERVED: usize = 64;

pub(crate) fn lang(text: &str) -> Result<Lang, String> {
    match text {
        "zh" => Ok(Lang::Zh),
        "en" => Ok(Lang::En),
        _ => Err(format!("{text:?} is no language, zh and en are")),
    }
}

/// The least time that a flag can mean, other than none at all: below it, timers go off when they are set. More is rounded
/// to nanoseconds; if this were too, so small a timeout would be 0, which can mean never.
const TIME_MIN: Duration = Duration::from_millis(1);

/// Seconds as they are given to a flag. What is over 0 is at least [`TIME_MIN`].
///
/// # Errors
/// One sentence, where it is no time that can be set.
pub(crate) fn seconds(flag: &str, value: f64) -> Result<Duration, String> {
    match Duration::try_from_secs_f64(value) {
        Ok(duration) if value > 0.0 && duration < TIME_MIN => Ok(TIME_MIN),
        Ok(duration) if duration <= Config::DURATION_MAX => Ok(duration),
        Ok(_) | Err(_) => Err(format!("{flag} takes seconds from 0 to a year, not {value:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a command line of just this flag.
    fn config(flag: &str, value: &str) -> Result<Config, String> {
        let args = Args::from_args(&["pipechat"], &[flag, value]).map_err(|exit| exit.output)?;
        args.config(1024)
    }

    /// These values are taken.
    fn takes(flag: &str, values: &[&str]) {
        for value in values {
            assert!(config(flag, value).is_ok(), "{flag} {value}: {:?}", config(flag, value));
        }
    }

    /// These values are refused, in a sentence that names the flag.
    fn refuses(flag: &str, values: &[&str]) {
        for value in values {
            let sentence = config(flag, value).unwrap_err();
            assert!(sentence.contains(flag) && sentence.trim_end().lines().count() <= 2, "{flag} {value}: {sentence}");
        }
    }

    const NO_NUMBERS: &[&str] = &["-1", "NaN", "inf", "1e-10", "1e300", "18446744073709551616", "", "many"];
    const USIZE_MAX: &str = "18446744073709551615";
    const ISIZE_MAX: &str = "9223372036854775807";

    #[test]
    fn the_flags_for_sizes_have_bounds() {
        for (flag, max, over) in [
            ("--max-clients", USIZE_MAX, None),
            ("--max-clients-per-ip", USIZE_MAX, None),
            ("--max-line", "1048576", Some("1048577")),
            ("--max-queue", ISIZE_MAX, Some("9223372036854775808")),
            ("--soft-queue", ISIZE_MAX, Some("9223372036854775808")),
            ("--max-memory", ISIZE_MAX, Some("9223372036854775808")),
        ] {
            takes(flag, &["1", max]);
            refuses(flag, &["0"]);
            refuses(flag, NO_NUMBERS);
            if let Some(over) = over {
                refuses(flag, &[over, USIZE_MAX]);
            }
        }
    }

    #[test]
    fn the_flags_for_rates_and_ports_take_what_fits_their_type() {
        for (flag, max, over) in [
            ("--rate", "4294967295", "4294967296"),
            ("--burst", "4294967295", "4294967296"),
            ("--rate-per-ip", "4294967295", "4294967296"),
            ("--arrivals-per-ip", "4294967295", "4294967296"),
            ("--port", "65535", "65536"),
        ] {
            takes(flag, &["0", "1", max]);
            refuses(flag, &[over]);
            refuses(flag, NO_NUMBERS);
        }
    }

    #[test]
    fn the_flags_for_times_have_bounds() {
        for flag in ["--idle-timeout", "--write-timeout", "--max-wait", "--drain-timeout"] {
            takes(flag, &["0", "-0", "1e-10", "1e-300", "0.001", "1", "31536000"]);
            refuses(flag, &["31536001", "31536000.001", "-1", "-1e-10", "NaN", "inf", "-inf", "1e300", "", "soon"]);
        }
    }

    #[test]
    fn a_tiny_time_is_not_never() {
        let idle_timeout = |value| config("--idle-timeout", value).unwrap().limits.idle_timeout;
        for (value, expected) in [("0", Duration::ZERO), ("1e-10", TIME_MIN), ("0.0009", TIME_MIN), ("0.001", TIME_MIN)]
        {
            assert_eq!(idle_timeout(value), expected, "{value}");
        }
        assert_eq!(idle_timeout("0.0015"), Duration::from_micros(1500));
    }

    #[test]
    fn trusted_addresses_are_a_list_that_may_be_empty() {
        let trusted = |text| config("--trusted", text).unwrap().trusted;
        assert_eq!(trusted(""), []);
        assert_eq!(trusted("127.0.0.0/8,::1"), Cidr::LOOPBACK);
        assert_eq!(trusted("10.0.0.1, 2001:db8::/32"), ["10.0.0.1", "2001:db8::/32"].map(|text| text.parse().unwrap()));
        refuses("--trusted", &["localhost", "10.0.0.0/33", "10.0.0.1;10.0.0.2"]);
    }
}
