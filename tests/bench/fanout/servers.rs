//! Which servers there are to compare, and how each is started: on loopback, on a free port, with whatever
//! limits it has on floods and clients off, logging nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::child::{Scratch, Server, free_port};
use crate::floor;
use crate::keeping::Keeping;
use crate::wire::Wire;
use crate::workloads::Workload;

/// How pipechat is started: no limit may get into the way of the load.
pub(crate) const PIPECHAT_FLAGS: &[&str] = &["--port", "0", "--idle-timeout", "0", "--rate", "0"];
/// The same for workloads in rooms: of those, each of the most clients may have one, beside the lobby.
const ROOMS_FLAGS: &[&str] = &["--max-rooms", "20001"];

/// Clients that every server must take; this process can open no more.
const CLIENTS_MAX: usize = 20_000;

/// A program to be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Program {
    Floor,
    Pipechat(PathBuf),
    /// The same, but for what it keeps of what is said.
    Keeping(PathBuf, Keeping),
    Peer(Peer),
}

/// A server that a user might pick instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Nats,
    Redis,
    Ngircd,
    Ncat,
}

impl Program {
    /// Starts it, for a workload in rooms or for another one.
    pub(crate) fn start(&self, in_rooms: bool) -> io::Result<Server> {
        match self {
            Self::Floor => {
                let flag = if in_rooms { floor::ROOMS_FLAG } else { floor::FLAG };
                Server::announced(&std::env::current_exe()?, &[flag], None)
            }
            Self::Pipechat(path) if in_rooms => Server::announced(path, &[PIPECHAT_FLAGS, ROOMS_FLAGS].concat(), None),
            Self::Pipechat(path) => Server::announced(path, PIPECHAT_FLAGS, None),
            Self::Keeping(path, keeping) => keeping.start(path, None, &[]),
            Self::Peer(peer) => peer.start(),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Pipechat(_) => "pipechat",
            Self::Keeping(_, keeping) => keeping.name(),
            Self::Peer(peer) => peer.name(),
        }
    }

    /// Whether it is to play this workload.
    pub(crate) fn plays(&self, workload: Workload) -> bool {
        use Workload::{History, KeptAtRest, KeptFew, KeptMore, ReplayRecent, ReplayStored, Start};
        match self {
            Self::Floor | Self::Peer(_) => !workload.is_about_keeping(),
            Self::Pipechat(_) => !workload.is_about_keeping() || matches!(workload, KeptFew | KeptMore | ReplayRecent),
            Self::Keeping(_, Keeping::Nothing) => false, // the others are compared with it
            Self::Keeping(_, Keeping::Full) => matches!(workload, KeptFew | KeptMore | KeptAtRest),
            Self::Keeping(_, Keeping::Normal) => {
                matches!(workload, KeptFew | KeptMore | KeptAtRest | History | ReplayStored | Start)
            }
        }
    }

    /// The same pipechat when it keeps less.
    pub(crate) fn keeping_less(&self) -> Option<Self> {
        match self {
            Self::Pipechat(path) => Some(Self::Keeping(path.clone(), Keeping::Nothing)),
            Self::Keeping(path, Keeping::Normal | Keeping::Full) => Some(Self::Pipechat(path.clone())),
            Self::Keeping(_, Keeping::Nothing) | Self::Floor | Self::Peer(_) => None,
        }
    }

    /// How many clients it is asked to serve at most, in small rooms or all in one.
    pub(crate) fn clients_max(&self, in_rooms: bool) -> usize {
        match self {
            Self::Floor | Self::Pipechat(_) | Self::Keeping(..) => CLIENTS_MAX,
            Self::Peer(Peer::Ngircd) if in_rooms => CLIENTS_MAX,
            Self::Peer(peer) => peer.clients_max(),
        }
    }

    pub(crate) fn wire(&self) -> Wire {
        match self {
            Self::Floor | Self::Pipechat(_) | Self::Keeping(..) => Wire::Pipe,
            Self::Peer(Peer::Nats) => Wire::Nats,
            Self::Peer(Peer::Redis) => Wire::Redis,
            Self::Peer(Peer::Ngircd) => Wire::Irc,
            Self::Peer(Peer::Ncat) => Wire::Ncat,
        }
    }
}

impl Peer {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nats => "nats",
            Self::Redis => "redis",
            Self::Ngircd => "ngircd",
            Self::Ncat => "ncat",
        }
    }

    fn clients_max(self) -> usize {
        match self {
            Self::Nats | Self::Redis => CLIENTS_MAX,
            // It could, but each of 10,000 joins a channel that tells its members' names: minutes of talk
            // before the first line.
            Self::Ngircd => 1_000,
            // It waits with select(), which ends at file descriptor 1023.
            Self::Ncat => 1_000,
        }
    }

    fn start(self) -> io::Result<Server> {
        let files = Scratch::new()?;
        let port = free_port()?;
        let (program, arguments) = match self {
            Self::Nats => ("nats-server", nats(&files.path, port)?),
            Self::Redis => ("redis-server", redis(&files.path, port)),
            Self::Ngircd => ("ngircd", ngircd(&files.path, port)?),
            Self::Ncat => {
                ("ncat", words(&format!("-l -k --chat -m {} 127.0.0.1 {port}", Self::Ncat.clients_max() + 1)))
            }
        };
        Server::silent(program, &arguments, port, files)
    }
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = [Self::Nats, Self::Redis, Self::Ngircd, Self::Ncat];
        let found = known.into_iter().find(|peer| peer.name() == name);
        found.ok_or_else(|| format!("no peer {name:?}; there are {}", known.map(Self::name).join(", ")))
    }
}

fn nats(files: &Path, port: u16) -> io::Result<Vec<String>> {
    let file = files.join("nats.conf");
    let settings = format!(
        "host: 127.0.0.1\nport: {port}\nmax_connections: {CLIENTS_MAX}\nmax_pending: 1GB\n\
         write_deadline: \"60s\"\nping_interval: \"1h\"\nlogfile: \"/dev/null\"\n"
    );
    fs::write(&file, settings)?;
    Ok(vec!["-c".into(), file.display().to_string()])
}

fn redis(files: &Path, port: u16) -> Vec<String> {
    let mut arguments = words(&format!(
        "--bind 127.0.0.1 --port {port} --maxclients {} --protected-mode no --appendonly no --loglevel warning --tcp-backlog 4096",
        // It reserves 32 descriptors for itself.
        CLIENTS_MAX - 32
    ));
    arguments.extend(["--save", "", "--client-output-buffer-limit", "pubsub 0 0 0", "--dir"].map(String::from));
    arguments.push(files.display().to_string());
    arguments
}

fn ngircd(files: &Path, port: u16) -> io::Result<Vec<String>> {
    let file = files.join("ngircd.conf");
    let settings = format!(
        "[Global]\nName = bench.example.net\nInfo = bench\nListen = 127.0.0.1\nPorts = {port}\n\
         AdminInfo1 = bench\nMotdPhrase = bench\n\
         [Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\nMaxJoins = 0\nMaxPenaltyTime = 0\n\
         PingTimeout = 3600\n\
         [Options]\nDNS = no\nIdent = no\nPAM = no\n"
    );
    fs::write(&file, settings)?;
    Ok(vec!["--nodaemon".into(), "--config".into(), file.display().to_string()])
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(String::from).collect()
}
