//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use argh::FromArgs;

use crate::servers::Peer;

/// Measures pipechat beside the floor, or beside its peers.
#[derive(FromArgs, Debug)]
pub(crate) struct Args {
    /// a pipechat to measure, may be given several times (default: the one that cargo has built)
    #[argh(option)]
    pub(crate) server: Vec<PathBuf>,

    /// rounds; medians are of these (default 5; 3 with --peers and for attacks; 1 with --quick or --connections)
    #[argh(option)]
    pub(crate) rounds: Option<usize>,

    /// what to run: numbers of workloads, as in 1,3, or attacks, tls, accounts and web, which run only on demand
    #[argh(option)]
    pub(crate) only: Option<List<Part>>,

    /// only attacks whose names begin like this, may be given several times
    #[argh(option)]
    pub(crate) attack: Vec<String>,

    /// let innocents come from other addresses than attackers
    #[argh(switch)]
    pub(crate) innocents_apart: bool,

    /// tiny sizes and short times, to see that everything works
    #[argh(switch)]
    pub(crate) quick: bool,

    /// write all metrics to this file
    #[argh(option)]
    pub(crate) json: Option<PathBuf>,

    /// compare with these instead of the floor: nats,redis,ngircd,ncat
    #[argh(option)]
    pub(crate) peers: Option<List<Peer>>,

    /// only this: connect so many clients, tell them one line, disconnect them
    #[argh(option)]
    pub(crate) connections: Option<usize>,

    /// be the floor (what the benchmark calls itself with)
    #[argh(switch)]
    pub(crate) floor: bool,

    /// be the floor for workloads in rooms
    #[argh(switch)]
    pub(crate) floor_of_rooms: bool,
}

/// Something that can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The workloads of this number.
    Workloads(u8),
    Attacks,
    Tls,
    Accounts,
    Web,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "attacks" => Ok(Self::Attacks),
            "tls" => Ok(Self::Tls),
            "accounts" => Ok(Self::Accounts),
            "web" => Ok(Self::Web),
            _ => word
                .parse()
                .map(Self::Workloads)
                .map_err(|_| format!("{word:?} is no number, nor attacks, tls, accounts or web")),
        }
    }
}

/// Several values in one, separated by commas.
#[derive(Debug)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T: FromStr> FromStr for List<T> {
    type Err = T::Err;

    fn from_str(list: &str) -> Result<Self, T::Err> {
        list.split(',').map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}
