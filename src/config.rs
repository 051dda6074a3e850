//! What an operator can set.

mod web;

use std::{
    collections::BTreeMap,
    fmt,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    ops::RangeInclusive,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use crate::{
    address::Cidr,
    chat::{AccountRules, RecentLimits, RoomLimits, Rules},
    listen::Listen,
    origin::Origin,
    protocol::{Lang, Limits, Rate},
    store,
};

pub use web::WebConfig;

/// What an operator can set. The defaults are those of the flags; [`Config::checked`] has the bounds.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen, for plain TCP connections. Port 0 picks a free one.
    pub addr: Option<SocketAddr>,
    /// Where else to listen.
    pub listen: Vec<Listen>,
    /// From where connections with a header of the PROXY protocol may come.
    pub proxies: Vec<Cidr>,
    /// The accounts of users of this machine, who connect through the file system.
    pub peers: BTreeMap<u32, Arc<str>>,
    /// What places with TLS need.
    pub tls: Option<TlsFiles>,
    /// Which browsers may use the places that speak HTTP.
    pub web: WebConfig,
    /// The language that connections begin with.
    pub lang: Lang,
    /// What holds for each connection.
    pub limits: Limits,
    /// Maximum number of clients from one address.
    pub clients_per_ip_max: usize,
    /// Lines per second that all clients from one address may send together; 0 means no limit. The burst is in proportion to
    /// that of one client.
    pub rate_per_ip: u32,
    /// New connections per second from one address; ten seconds' worth may come at once. 0 means no limit.
    pub arrivals_per_ip: u32,
    /// Addresses that are spared the limits for one address, and nothing else.
    pub trusted: Vec<Cidr>,
    /// How many rooms there may be.
    pub rooms: RoomLimits,
    /// How much of what has happened is kept in memory; it is part of `memory_max`, and at most half of it.
    pub recent: RecentLimits,
    /// Whether arrivals and departures in the lobby are kept too.
    pub keeps_presence: bool,
    /// What holds for accounts. There are none without a store.
    pub accounts: AccountRules,
    /// Where what has happened is kept beyond that.
    pub store: Option<StoreConfig>,
    /// Bytes that clients may make the server hold, all together: queues (bytes that wait for many count once), and what
    /// they have sent that has not taken effect.
    pub memory_max: usize,
    /// Maximum time to flush queues and to finish storing at shutdown.
    pub drain_timeout: Duration,
}

/// A certificate and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those that lead from it to a root.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// A file in which events are kept, and how.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// The file.
    pub path: PathBuf,
    /// How it keeps what it keeps.
    pub options: store::Options,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addr: Some(Self::ADDR),
            listen: Vec::new(),
            proxies: Vec::new(),
            peers: BTreeMap::new(),
            tls: None,
            web: WebConfig::default(),
            lang: Lang::Zh,
            limits: Limits::default(),
            clients_per_ip_max: usize::MAX,
            rate_per_ip: 10 * Limits::default().rate.per_second,
            arrivals_per_ip: 50,
            trusted: Cidr::LOOPBACK.to_vec(),
            rooms: RoomLimits::default(),
            recent: RecentLimits::default(),
            keeps_presence: false,
            accounts: AccountRules::default(),
            store: None,
            memory_max: 256 << 20,
            drain_timeout: Duration::from_secs(5),
        }
    }
}

impl Config {
    /// Where a server listens unless told otherwise.
    pub const ADDR: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9999));
    /// The longest time that can be set: a year, which is as good as for ever. Sums with the time that the server has run do
    /// not overflow.
    pub const DURATION_MAX: Duration = Duration::from_secs(365 * 24 * 3600);
    /// The longest line that can be allowed, in bytes. A connection holds one while it is incomplete, and a message of that
    /// size goes to everyone at once.
    pub const LINE_BYTES_MAX: usize = 1 << 20;
    /// What a count of bytes can be set to, which is no limit: no memory is larger, and sums of two do not overflow.
    pub const MEMORY_BYTES_MAX: usize = isize::MAX.unsigned_abs();

    /// The same, if every setting is within its bounds.
    ///
    /// # Errors
    /// One sentence about the first that is not: its flag and field, its bounds, and what it was.
    pub fn checked(self) -> Result<Self, String> {
        let memory = 1..=Self::MEMORY_BYTES_MAX;
        if self.proxies.is_empty()
            && let Some(place) = self.listen.iter().find(|place| place.is_proxied())
        {
            return Err(format!("{place} needs --proxy-from: anybody could tell any address"));
        }
        if self.tls.is_none()
            && let Some(place) = self.listen.iter().find(|place| place.is_tls())
        {
            return Err(format!("{place} needs --tls-cert and --tls-key"));
        }
        self.web.check()?;
        size("--max-clients (clients_max)", "clients", 1..=usize::MAX, self.limits.clients_max)?;
        size("--max-clients-per-ip (clients_per_ip_max)", "clients", 1..=usize::MAX, self.clients_per_ip_max)?;
        size("--max-rooms (rooms_max)", "rooms", 1..=usize::MAX, self.rooms.rooms_max)?;
        size("--max-rooms-per-client (per_client_max)", "rooms", 1..=usize::MAX, self.rooms.per_client_max)?;
        size("--max-line (line_max)", "bytes", 1..=Self::LINE_BYTES_MAX, self.limits.line_max)?;
        size("--max-queue (queue_max)", "bytes", memory.clone(), self.limits.queue_max)?;
        size("--soft-queue (soft_queue_max)", "bytes", memory.clone(), self.limits.soft_queue_max)?;
        size("--max-memory (memory_max)", "bytes", memory, self.memory_max)?;
        let recent = 0..=Self::MEMORY_BYTES_MAX;
        size("--recent-memory (recent.bytes_max)", "bytes", recent, self.recent.bytes_max)?;
        time("--idle-timeout (idle_timeout)", self.limits.idle_timeout)?;
        time("--write-timeout (write_timeout)", self.limits.write_timeout)?;
        time("--max-wait (wait_max)", self.limits.wait_max)?;
        time("--drain-timeout (drain_timeout)", self.drain_timeout)?;
        if !self.peers.is_empty() && self.store.is_none() {
            return Err("--peer needs --store: there are no accounts without one".to_owned());
        }
        if self.accounts.requires_login && self.store.is_none() {
            return Err("--require-login needs --store: there are no accounts without one".to_owned());
        }
        Ok(self)
    }

    /// How fast all clients from one address may send lines together, with the burst.
    pub(crate) fn address_rate(&self) -> Rate {
        let Rate { per_second, burst } = self.limits.rate;
        let burst = u64::from(burst) * u64::from(self.rate_per_ip) / u64::from(per_second.max(1));
        Rate { per_second: self.rate_per_ip, burst: u32::try_from(burst).unwrap_or(u32::MAX) }
    }

    /// Whether a client is spared the limits for one address.
    pub(crate) fn trusts(&self, origin: &Origin) -> bool {
        origin.is_trusted(&self.trusted)
    }

    /// The part of it that the chat's rules need.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            wait_max: self.limits.wait_max,
            rooms: self.rooms,
            // They may take half of all memory: the rest is for clients.
            recent: RecentLimits { bytes_max: self.recent.bytes_max.min(self.memory_max / 2), ..self.recent },
            keeps_presence: self.keeps_presence,
            has_store: self.store.is_some(),
            accounts: self.accounts,
            trusted: self.trusted.clone(),
            unbannable: Cidr::LOOPBACK.into_iter().chain(self.proxies.iter().copied()).collect(),
        }
    }
}

/// # Errors
/// One sentence, where it is out of its bounds.
fn size(setting: &str, unit: &str, bounds: RangeInclusive<usize>, value: usize) -> Result<(), String> {
    within(setting, &format!("{} to {} {unit}", bounds.start(), bounds.end()), bounds.contains(&value), &value)
}

/// # Errors
/// One sentence, where it is longer than a year.
fn time(setting: &str, value: Duration) -> Result<(), String> {
    within(setting, "at most a year", value <= Config::DURATION_MAX, &value)
}

fn within(setting: &str, bounds: &str, is_within: bool, value: &dyn fmt::Debug) -> Result<(), String> {
    if is_within { Ok(()) } else { Err(format!("{setting} takes {bounds}, not {value:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A default configuration but for one setting: whether it is within its bounds.
    fn check(setting: &str, is_within: bool, set: impl FnOnce(&mut Config)) {
        let mut config = Config::default();
        set(&mut config);
        match config.clone().checked() {
            Ok(_) => assert!(is_within, "{config:?}"),
            Err(sentence) => {
                assert!(!is_within, "{config:?}: {sentence}");
                assert!(sentence.starts_with("--") && sentence.contains(&format!("({setting})")), "{sentence}");
                assert!(sentence.contains(" takes ") && sentence.contains(", not "), "{sentence}");
            }
        }
    }

    #[test]
    fn the_defaults_are_within_their_bounds() {
        Config::default().checked().unwrap();
    }

    #[test]
    fn sizes_have_bounds() {
        type Set = fn(&mut Config, usize);
        let sizes: [(&str, usize, Set); 8] = [
            ("soft_queue_max", isize::MAX.unsigned_abs(), |config, value| config.limits.soft_queue_max = value),
            ("clients_max", usize::MAX, |config, value| config.limits.clients_max = value),
            ("clients_per_ip_max", usize::MAX, |config, value| config.clients_per_ip_max = value),
            ("rooms_max", usize::MAX, |config, value| config.rooms.rooms_max = value),
            ("per_client_max", usize::MAX, |config, value| config.rooms.per_client_max = value),
            ("line_max", 1 << 20, |config, value| config.limits.line_max = value),
            ("queue_max", isize::MAX.unsigned_abs(), |config, value| config.limits.queue_max = value),
            ("memory_max", isize::MAX.unsigned_abs(), |config, value| config.memory_max = value),
        ];
        for (setting, max, set) in sizes {
            for (value, is_within) in [(0, false), (1, true), (max, true), (usize::MAX, max == usize::MAX)] {
                check(setting, is_within, |config| set(config, value));
            }
            if let Some(over) = max.checked_add(1) {
                check(setting, false, |config| set(config, over));
            }
        }
    }

    #[test]
    fn times_have_bounds() {
        type Set = fn(&mut Config, Duration);
        let times: [(&str, Set); 4] = [
            ("idle_timeout", |config, value| config.limits.idle_timeout = value),
            ("write_timeout", |config, value| config.limits.write_timeout = value),
            ("wait_max", |config, value| config.limits.wait_max = value),
            ("drain_timeout", |config, value| config.drain_timeout = value),
        ];
        let (year, moment) = (Config::DURATION_MAX, Duration::from_nanos(1));
        for (setting, set) in times {
            for value in [Duration::ZERO, moment, year] {
                check(setting, true, |config| set(config, value));
            }
            for value in [year + moment, Duration::MAX] {
                check(setting, false, |config| set(config, value));
            }
        }
    }

    #[test]
    fn any_rate_will_do() {
        for value in [0, 1, u32::MAX] {
            check("rate", true, |config| config.limits.rate = Rate { per_second: value, burst: value });
        }
    }

    #[test]
    fn a_server_does_not_begin_out_of_bounds() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut config = Config { addr: Some(addr), ..Config::default() };
        config.limits.idle_timeout = Duration::MAX;
        let error = crate::Server::bind(config).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        let sentence = "--idle-timeout (idle_timeout) takes at most a year, not 18446744073709551615.999999999s";
        assert_eq!(error.to_string(), sentence);
    }
}
