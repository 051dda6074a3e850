//! What accounts cost: steady talk of those who are logged in beside guests, and logins by token. Each server has a store, since
//! accounts need one. What others feel of passwords that are tried is an attack.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddrV4, TcpStream},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::child::{Scratch, Server};
use crate::crowd::Crowd;
use crate::load::{Talk, Timing, middle, talk};
use crate::servers::PIPECHAT_FLAGS;
use crate::wire::{MARKER, Wire, text};

const LINE_BYTES: usize = 64;
const IN_FLIGHT: u64 = 256;
const SENDERS: usize = 10;
/// Those who are waited for at once while a crowd gathers, and how long nothing may come when it has.
const AT_ONCE: usize = 32;
const STILL: Duration = Duration::from_millis(300);
/// Logins that are on their way on one connection.
const LOGINS_AT_ONCE: usize = 100;
const PATIENCE: Duration = Duration::from_secs(60);

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Scale {
    clients: usize,
    slices: usize,
    timing: Timing,
    /// Connections that log in, and how often each.
    visitors: usize,
    logins: usize,
}

const WHOLE: Scale = Scale {
    clients: 100,
    slices: 20,
    timing: Timing { warm_up: Duration::from_millis(100), measured: Duration::from_millis(400) },
    visitors: 10,
    logins: 5_000,
};

const QUICK: Scale = Scale {
    clients: 10,
    slices: 2,
    timing: Timing { warm_up: Duration::from_millis(20), measured: Duration::from_millis(50) },
    visitors: 2,
    logins: 200,
};

/// A server with a store that has accounts, and a token of each.
struct Store {
    server: Server,
    tokens: Vec<String>,
}

/// Prints what was measured.
pub(crate) fn run(program: &Path, rounds: usize, quick: bool) -> io::Result<()> {
    let scale = if quick { QUICK } else { WHOLE };
    for round in 1..=rounds {
        println!("round {round}/{rounds}  {}", steady(program, scale)?);
        println!("round {round}/{rounds}  {}", logins(program, scale)?);
    }
    Ok(())
}

impl Store {
    fn start(program: &Path, accounts: usize) -> io::Result<Self> {
        let files = Scratch::on_disk()?;
        let file = files.path.join("chat.db").display().to_string();
        let mut tokens = Vec::with_capacity(accounts);
        for number in 0..accounts {
            let name = format!("u{number}");
            account(program, &["add", &name, "--no-password", "--store", &file])?;
            tokens.push(account(program, &["token", &name, "bench", "--store", &file])?);
        }
        let server = Server::announced(program, &[PIPECHAT_FLAGS, &["--store", &file]].concat(), Some(files))?;
        Ok(Self { server, tokens })
    }
}

/// Manages the accounts of a store. Answers what is printed.
fn account(program: &Path, words: &[&str]) -> io::Result<String> {
    let output = Command::new(program).arg("account").args(words).stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Steady talk of guests and of as many who are logged in, by turns, so that what else the machine does hits both. Their names
/// are the same.
fn steady(program: &Path, scale: Scale) -> io::Result<String> {
    let guests = Store::start(program, 0)?;
    let owners = Store::start(program, scale.clients)?;
    let wire = Wire::Pipe;
    let gather = |store: &Store, greeting: &dyn Fn(usize) -> String| {
        let mut crowd = Crowd::new(store.server.address, wire.ping(), MARKER)?;
        crowd.join(scale.clients, AT_ONCE, greeting)?;
        crowd.await_quiet(STILL)?;
        store.server.rest(PATIENCE)?;
        Ok::<_, io::Error>(crowd)
    };
    let mut sides = [
        (gather(&guests, &|n| format!("rename|u{n}\n"))?, &guests.server),
        (gather(&owners, &|n| format!("login|{}\n", owners.tokens[n]))?, &owners.server),
    ];
    let public = Talk {
        senders: 0..SENDERS.min(scale.clients),
        line: wire.public(&text(LINE_BYTES)).into_bytes(),
        in_flight: IN_FLIGHT,
        hearers: scale.clients as u64,
    };
    let (mut rates, mut cpus) = (Vec::new(), Vec::new());
    for slice in 0..scale.slices {
        let mut paces = [None, None];
        for side in [slice % 2, 1 - slice % 2] {
            let (crowd, server) = &mut sides[side];
            paces[side] = Some(talk(crowd, server, &public, scale.timing)?);
            server.rest(PATIENCE)?;
        }
        let [Some(guests), Some(owners)] = paces else { continue };
        rates.push(owners.per_second() / guests.per_second());
        cpus.push(owners.cpu_per_delivery() / guests.cpu_per_delivery());
    }
    let (clients, rates, cpus) = (scale.clients, spread(&mut rates), spread(&mut cpus));
    Ok(format!("steady, {clients} logged in beside guests: deliveries/s {rates}, CPU/delivery {cpus}"))
}

/// The median of ratios, and between what the middle half of them is.
fn spread(ratios: &mut [f64]) -> String {
    let median = middle(ratios); // they are sorted now
    let quarter = ratios.len() / 4;
    format!("{median:.3} x ({:.3} to {:.3})", ratios[quarter], ratios[ratios.len() - 1 - quarter])
}

/// Visitors that log in again and again, each to an account of its own.
fn logins(program: &Path, scale: Scale) -> io::Result<String> {
    let store = Store::start(program, scale.visitors)?;
    let mut visitors = Vec::with_capacity(scale.visitors);
    for token in &store.tokens {
        let mut client = connect(store.server.address)?;
        ask(&mut client, "visit\nsync|here\n", "sync|here")?;
        visitors.push((client, format!("login|{token}\n").repeat(LOGINS_AT_ONCE)));
    }
    let (cpu, began) = (store.server.cpu()?, Instant::now());
    for _ in 0..scale.logins / LOGINS_AT_ONCE {
        for (client, lines) in &mut visitors {
            client.get_mut().write_all(lines.as_bytes())?;
        }
        for (client, _) in &mut visitors {
            for _ in 0..LOGINS_AT_ONCE {
                read_until(client, "login|ok|")?;
            }
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let cpu = (store.server.cpu()? - cpu).as_secs_f64();
    let logins = (scale.logins / LOGINS_AT_ONCE * LOGINS_AT_ONCE * scale.visitors) as f64;
    let (per_second, each) = (logins / seconds, cpu * 1e6 / logins);
    Ok(format!("logins by token, {} connections: {per_second:.0}/s, {each:.1} us CPU each", scale.visitors))
}

fn connect(server: SocketAddrV4) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

fn ask(client: &mut BufReader<TcpStream>, lines: &str, answer: &str) -> io::Result<()> {
    client.get_mut().write_all(lines.as_bytes())?;
    read_until(client, answer)
}

/// Reads up to a line that begins so.
fn read_until(client: &mut BufReader<TcpStream>, start: &str) -> io::Result<()> {
    let mut line = String::new();
    while !line.starts_with(start) {
        line.clear();
        if client.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}
