//! The options of the server, and the `Config` that they make.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use argh::{ArgsInfo, FromArgs};
use pipechat::{
    Config, Listen, StoreConfig, TlsFiles, WebConfig,
    chat::{AccountRules, RecentLimits, Registration, RoomLimits},
    protocol::{Lang, Limits, Rate},
    store::{self, SyncMode},
};

use super::values::{
    Names, Peers, Places, Trusted, any_count, any_size, at_once, duration, lang, line_size, origins, per_second,
    public_hosts, registration, server_port, store_file, sync_mode, unlimited_count, unlimited_lines, unlimited_size,
};

/// A chat server you can use from a shell: talk to it with nc.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(
    example = "{command_name} --host 0.0.0.0 --lang en",
    example = "nc -N 127.0.0.1 9999",
    example = "{command_name} --config chat.toml --check",
    note = "DURATION is 5 or 5s, 250ms, 5m, 1h or 2d; SIZE is a number of bytes, 64K or 1M. Each option can also be set by an \
            environment variable (--max-clients by PIPECHAT_MAX_CLIENTS) and, but for --config and --check, in the file \
            (max-clients = 100). An option comes before a variable, and a variable before the file.",
    error_code(0, "ended by a signal"),
    error_code(1, "cannot listen or open the store, or could not store all that was told"),
    error_code(2, "usage error"),
    error_code(130, "ended by a second signal")
)]
pub(crate) struct ServeArgs {
    /// address or name to listen on, or HOST:PORT (127.0.0.1)
    #[argh(option, arg_name = "HOST")]
    host: Option<String>,
    /// port to listen on; 0 picks a free port (9999)
    #[argh(option, arg_name = "PORT", from_str_fn(server_port))]
    port: Option<u16>,
    /// listen here, and not on the default address and port unless --host or --port is given: tcp://HOST:PORT or
    /// unix:/path for lines, http://HOST:PORT for browsers and curl; tls:// and https:// are the same through TLS; tcp+proxy://,
    /// tls+proxy:// and so on for the PROXY protocol; may be repeated
    #[argh(option, arg_name = "URL")]
    listen: Vec<Places>,
    /// listen here too, for browsers and curl: http:// on the host; 0 picks a free port
    #[argh(option, arg_name = "PORT", from_str_fn(server_port))]
    http: Option<u16>,
    /// name by which browsers may know this server, besides localhost and addresses; may be repeated
    #[argh(option, arg_name = "NAME", from_str_fn(public_hosts))]
    public_host: Vec<Names>,
    /// whose pages may use this server too, as https://example.org; may be repeated
    #[argh(option, arg_name = "ORIGIN", from_str_fn(origins))]
    cors: Vec<Names>,
    /// addresses of proxies, which may connect to tcp+proxy://, tls+proxy:// and so on and tell whom for: ADDRESS or
    /// ADDRESS/BITS, separated by commas
    #[argh(option, arg_name = "ADDRESSES")]
    proxy_from: Option<Trusted>,
    /// the processes of this user of the machine, by number, are logged in to this account when they connect to unix:/path; may
    /// be repeated
    #[argh(option, arg_name = "UID=NAME")]
    peer: Vec<Peers>,
    /// certificate for tls:// and https:// in PEM, with those that lead to a root
    #[argh(option, arg_name = "FILE")]
    tls_cert: Option<String>,
    /// its key in PEM
    #[argh(option, arg_name = "FILE")]
    tls_key: Option<String>,
    /// language that connections begin with (zh)
    #[argh(option, arg_name = "zh|en", default = "Config::default().lang", from_str_fn(lang))]
    lang: Lang,

    /// maximum number of clients; 0 means the default (what the limit on open files allows)
    #[argh(option, arg_name = "N", default = "usize::MAX", from_str_fn(unlimited_count))]
    max_clients: usize,
    /// maximum number of clients from one address; 0 means no limit (no limit)
    #[argh(option, arg_name = "N", default = "usize::MAX", from_str_fn(unlimited_count))]
    max_clients_per_ip: usize,
    /// new connections per second from one address, ten seconds' worth at once; 0 means no limit (50)
    #[argh(option, arg_name = "N", default = "Config::default().arrivals_per_ip", from_str_fn(per_second))]
    arrivals_per_ip: u32,
    /// addresses without the limits for one address: ADDRESS or ADDRESS/BITS, separated by commas; '' means none (127.0.0.0/8,::1)
    #[argh(option, arg_name = "ADDRESSES", default = "Trusted(Config::default().trusted)")]
    trusted: Trusted,
    /// disconnect a client that sends nothing for this long; 0 disables it (5m)
    #[argh(option, arg_name = "DURATION", default = "Limits::default().idle_timeout", from_str_fn(duration))]
    idle_timeout: Duration,
    /// exempt no client from the idle timeout: refuse `stay`
    #[argh(switch)]
    strict_idle: bool,
    /// longest `wait` that a client may ask for (1h)
    #[argh(option, arg_name = "DURATION", default = "Limits::default().wait_max", from_str_fn(duration))]
    max_wait: Duration,

    /// lines per second that a client may send; 0 means no limit (1000)
    #[argh(option, arg_name = "N", default = "Limits::default().rate.per_second", from_str_fn(per_second))]
    rate: u32,
    /// lines that a client may send at once after a silence (10000)
    #[argh(option, arg_name = "N", default = "Limits::default().rate.burst", from_str_fn(at_once))]
    burst: u32,
    /// lines per second that all clients from one address may send; 0 means no limit (ten times the rate)
    #[argh(option, arg_name = "N", from_str_fn(per_second))]
    rate_per_ip: Option<u32>,

    /// maximum number of rooms; 0 means no limit (10000)
    #[argh(option, arg_name = "N", default = "RoomLimits::default().rooms_max", from_str_fn(unlimited_count))]
    max_rooms: usize,
    /// maximum number of rooms that a client may be in, or that an address may have made; 0 means no limit (100)
    #[argh(option, arg_name = "N", default = "RoomLimits::default().per_client_max", from_str_fn(unlimited_count))]
    max_rooms_per_client: usize,
    /// messages and notices of each room that are kept in memory; 0 keeps none (1000)
    #[argh(option, arg_name = "N", default = "RecentLimits::default().per_room_max", from_str_fn(any_count))]
    recent: usize,
    /// memory for those of all rooms together; the room that has been silent longest gives first (16M)
    #[argh(option, arg_name = "SIZE", default = "RecentLimits::default().bytes_max", from_str_fn(any_size))]
    recent_memory: usize,
    /// keep arrivals and departures in the lobby too
    #[argh(switch)]
    history_presence: bool,
    /// keep messages and notices in this SQLite database, which is made if there is none
    #[argh(option, arg_name = "FILE", from_str_fn(store_file))]
    store: Option<String>,
    /// what a commit to the store survives: normal, the end of the process; full, a power cut too (normal)
    #[argh(option, arg_name = "normal|full", default = "SyncMode::Normal", from_str_fn(sync_mode))]
    sync: SyncMode,
    /// messages and notices of each room that the store keeps; 0 means no limit (10000)
    #[argh(option, arg_name = "N", default = "10_000", from_str_fn(unlimited_lines))]
    history_lines: u64,
    /// days after which the store gives up a message; 0 means no limit (30)
    #[argh(option, arg_name = "N", default = "30", from_str_fn(per_second))]
    history_days: u32,
    /// size of the store above which the oldest messages of the largest room go; 0 means no limit (1G)
    #[argh(option, arg_name = "SIZE", default = "1 << 30", from_str_fn(unlimited_size))]
    store_max: usize,

    /// whether users may register accounts: open, or closed (open)
    #[argh(option, arg_name = "open|closed", default = "Registration::Open", from_str_fn(registration))]
    registration: Registration,
    /// accept passwords over connections that are neither encrypted nor from this machine
    #[argh(switch)]
    insecure_login: bool,
    /// let nobody say or hear anything before it has logged in
    #[argh(switch)]
    require_login: bool,
    /// private messages that are kept for an account that is away (1000)
    #[argh(option, arg_name = "N", default = "AccountRules::default().offline_max", from_str_fn(any_count))]
    offline_max: usize,

    /// longest line (4K)
    #[argh(option, arg_name = "SIZE", default = "Limits::default().line_max", from_str_fn(line_size))]
    max_line: usize,
    /// output queue limit per client; above it the client is disconnected; 0 means no limit (32M)
    #[argh(option, arg_name = "SIZE", default = "Limits::default().queue_max", from_str_fn(unlimited_size))]
    max_queue: usize,
    /// output queue limit per client; above it for 60 seconds the client is disconnected; 0 means no limit (8M)
    #[argh(option, arg_name = "SIZE", default = "Limits::default().soft_queue_max", from_str_fn(unlimited_size))]
    soft_queue: usize,
    /// memory that all clients together may make the server hold; 0 means no limit (256M)
    #[argh(option, arg_name = "SIZE", default = "Config::default().memory_max", from_str_fn(unlimited_size))]
    max_memory: usize,
    /// disconnect a client after this long without write progress; 0 disables it (10s)
    #[argh(option, arg_name = "DURATION", default = "Limits::default().write_timeout", from_str_fn(duration))]
    write_timeout: Duration,

    /// maximum time to flush queues and to finish storing at shutdown (5s)
    #[argh(option, arg_name = "DURATION", default = "Config::default().drain_timeout", from_str_fn(duration))]
    drain_timeout: Duration,
    /// read options from this TOML file
    #[argh(option, arg_name = "FILE")]
    #[expect(dead_code, reason = "read before argh parses, by `Settings`")]
    config: Option<String>,
    /// print the options in force and where each value comes from, and exit
    #[argh(switch)]
    pub(crate) check: bool,
}

impl ServeArgs {
    /// The configuration, on a machine that allows so many open files. Looks up the host.
    ///
    /// # Errors
    /// One sentence, where the host has no address.
    pub(crate) fn config(&self, open_files: usize) -> Result<Config, String> {
        let limits = Limits {
            line_max: self.max_line,
            queue_max: self.max_queue,
            soft_queue_max: self.soft_queue,
            rate: Rate { per_second: self.rate, burst: self.burst },
            idle_timeout: self.idle_timeout,
            strict_idle: self.strict_idle,
            write_timeout: self.write_timeout,
            wait_max: self.max_wait,
            clients_max: match self.max_clients {
                usize::MAX => open_files.saturating_sub(FILES_RESERVED).max(1),
                clients => clients,
            },
            rooms_max: self.max_rooms_per_client,
        };
        let config = Config {
            addr: self.addr()?,
            listen: self.places()?,
            proxies: self.proxy_from.as_ref().map(|blocks| blocks.0.clone()).unwrap_or_default(),
            peers: self.peers()?,
            tls: self.tls()?,
            web: WebConfig {
                public_hosts: self.public_host.iter().flat_map(|names| names.0.clone()).collect(),
                origins: self.cors.iter().flat_map(|names| names.0.clone()).collect(),
            },
            lang: self.lang,
            limits,
            clients_per_ip_max: self.max_clients_per_ip,
            rate_per_ip: self.rate_per_ip.unwrap_or_else(|| self.rate.saturating_mul(10)),
            trusted: self.trusted.0.clone(),
            arrivals_per_ip: self.arrivals_per_ip,
            recent: RecentLimits { per_room_max: self.recent, bytes_max: self.recent_memory },
            keeps_presence: self.history_presence,
            accounts: AccountRules {
                registration: self.registration,
                allows_insecure: self.insecure_login,
                requires_login: self.require_login,
                offline_max: self.offline_max,
            },
            store: self.store.clone().map(|path| StoreConfig {
                path: path.into(),
                options: store::Options {
                    sync: self.sync,
                    lines_max: self.history_lines,
                    unread_max: u64::try_from(self.offline_max).unwrap_or(u64::MAX),
                    days_max: self.history_days,
                    bytes_max: self.store_max as u64,
                },
            }),
            rooms: RoomLimits { rooms_max: self.max_rooms, per_client_max: limits.rooms_max },
            memory_max: self.max_memory,
            drain_timeout: self.drain_timeout,
        };
        config.checked()
    }

    /// # Errors
    /// One sentence, where a user is to be two accounts.
    fn peers(&self) -> Result<BTreeMap<u32, Arc<str>>, String> {
        let mut peers = BTreeMap::new();
        for (uid, name) in self.peer.iter().flat_map(|peers| &peers.0) {
            if let Some(other) = peers.insert(*uid, Arc::clone(name)).filter(|other| other != name) {
                return Err(format!("--peer: the user {uid} can't be both {other} and {name}"));
            }
        }
        Ok(peers)
    }

    /// # Errors
    /// One sentence, where one of the files is missing.
    fn tls(&self) -> Result<Option<TlsFiles>, String> {
        match (&self.tls_cert, &self.tls_key) {
            (None, None) => Ok(None),
            (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert: cert.into(), key: key.into() })),
            (Some(_), None) => Err("--tls-cert needs --tls-key".to_owned()),
            (None, Some(_)) => Err("--tls-key needs --tls-cert".to_owned()),
        }
    }

    /// The first address of the host, with the port; none where other places were given instead.
    fn addr(&self) -> Result<Option<SocketAddr>, String> {
        if self.host.is_none() && self.port.is_none() && !self.listen.is_empty() {
            return Ok(None);
        }
        self.on_host(self.port.unwrap_or(Config::ADDR.port())).map(Some)
    }

    /// All other places.
    fn places(&self) -> Result<Vec<Listen>, String> {
        let http = self.http.map(|port| self.on_host(port).map(Listen::http)).transpose()?;
        Ok(self.listen.iter().flat_map(|places| places.0.clone()).chain(http).collect())
    }

    /// This port of the host.
    fn on_host(&self, port: u16) -> Result<SocketAddr, String> {
        let Some(host) = &self.host else { return Ok(SocketAddr::new(Config::ADDR.ip(), port)) };
        let mut addrs =
            (&**host, port).to_socket_addrs().map_err(|error| format!("can't find host {host:?}: {error}"))?;
        addrs.next().ok_or_else(|| format!("host {host:?} has no address"))
    }
}

/// Open files that are no client's: 13 at rest (the standard three, the listener, two epolls with what wakes them, the
/// signals'), 32 refused connections (`REFUSED_MAX`), the one just accepted, and some to spare.
const FILES_RESERVED: usize = 64;

#[cfg(test)]
mod tests;
