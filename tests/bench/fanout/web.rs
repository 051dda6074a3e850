//! What the web's door costs: server-sent events beside objects on lines, requests beside nginx where that is installed, histories,
//! and the memory of those who wait.

mod waiting;

use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddrV4, TcpStream},
    path::Path,
    time::Duration,
};

use crate::child::{Scratch, Server, free_port};
use crate::crowd::Crowd;
use crate::load::{Dialogue, Pace, Talk, Timing, converse, middle, talk};
use crate::servers::PIPECHAT_FLAGS;
use crate::wire::{MARKER, text};
use crate::workloads::HISTORY_LINES;

const LINE_BYTES: usize = 64;
const SENDERS: usize = 10;
/// Connections that ask again as soon as they are answered.
const ASKERS: usize = 50;
/// Each answer has this once: in `HTTP/1.1`.
const ANSWER: u8 = b'H';
/// Arrivals on their way.
const AT_ONCE: usize = 64;
const STILL: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(60);

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Scale {
    few: usize,
    more: usize,
    idle: usize,
    sessions: usize,
    slices: usize,
    timing: Timing,
}

const WHOLE: Scale = Scale {
    few: 100,
    more: 1_000,
    idle: 5_000,
    sessions: 1_000,
    slices: 12,
    timing: Timing { warm_up: Duration::from_millis(100), measured: Duration::from_millis(400) },
};

const QUICK: Scale = Scale {
    few: 10,
    more: 20,
    idle: 50,
    sessions: 20,
    slices: 2,
    timing: Timing { warm_up: Duration::from_millis(20), measured: Duration::from_millis(50) },
};

/// A pipechat that speaks HTTP too.
struct Door {
    server: Server,
    web: SocketAddrV4,
}

/// A crowd, and the server that it is measured with.
type Side<'s> = (Crowd, &'s Server);

/// Prints what was measured.
pub(crate) fn run(program: &Path, rounds: usize, quick: bool) -> io::Result<()> {
    let scale = if quick { QUICK } else { WHOLE };
    for round in 1..=rounds {
        let show = |row: String| println!("round {round}/{rounds}  {row}");
        for (clients, in_flight) in [(scale.few, 16), (scale.few, 256), (scale.more, 256)] {
            show(fan_out(program, clients, in_flight, scale)?);
        }
        for is_logged in [false, true] {
            show(requests(program, is_logged, scale)?);
        }
        show(histories(program, scale)?);
        let health = request("GET", "/health", "", "");
        let post = request("POST", "/rooms/x", "", "hi");
        for (what, greeting) in [("SSE", &follow()), ("keep-alive", &health), ("keep-alive, a visitor's", &post)] {
            show(waiting::idle(program, what, greeting, scale)?);
        }
        show(waiting::sessions(program, scale)?);
        show(session_streams(program, scale)?);
    }
    Ok(())
}

impl Door {
    /// Starts it, with its usual log in a file or hardly any.
    fn start(program: &Path, is_logged: bool) -> io::Result<Self> {
        let web = SocketAddrV4::new(Ipv4Addr::LOCALHOST, free_port()?);
        let listen = format!("http://{web}");
        let flags = [PIPECHAT_FLAGS, &["--rate-per-ip", "0", "--listen", &listen]].concat();
        let server =
            if is_logged { Server::logged(program, &flags, None)? } else { Server::announced(program, &flags, None)? };
        Ok(Self { server, web })
    }

    /// A number that the server tells of itself.
    fn number(&self, name: &str) -> io::Result<f64> {
        let answer = ask(&mut TcpStream::connect(self.web)?, &request("GET", "/metrics", "Connection: close\r\n", ""))?;
        let value = answer.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.ok_or_else(|| io::Error::other(format!("no {name} among the metrics")))
    }

    fn settle(&self, crowd: &mut Crowd) -> io::Result<()> {
        crowd.await_quiet(STILL)?;
        self.server.rest(PATIENCE)
    }
}

fn request(method: &str, target: &str, fields: &str, body: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn follow() -> String {
    request("GET", "/rooms/x?follow", "Accept: text/event-stream\r\n", "")
}

/// Says a request, and reads until the connection ends.
fn ask(stream: &mut TcpStream, request: &str) -> io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Measures two sides by turns, so that what else the machine does hits both. Answers the paces of each.
fn in_turn<'s>(
    sides: &mut [Side<'s>; 2],
    slices: usize,
    mut measure: impl FnMut(&mut Crowd, &'s Server) -> io::Result<Pace>,
) -> io::Result<[Vec<Pace>; 2]> {
    let mut paces = [Vec::new(), Vec::new()];
    for slice in 0..slices {
        for side in [slice % 2, 1 - slice % 2] {
            let (crowd, server) = &mut sides[side];
            paces[side].push(measure(crowd, server)?);
            server.rest(PATIENCE)?;
        }
    }
    Ok(paces)
}

fn median(paces: &[Pace], of: impl Fn(Pace) -> f64) -> f64 {
    middle(&mut paces.iter().copied().map(of).collect::<Vec<_>>())
}

/// The median of the ratios of two sides.
fn ratio([ours, theirs]: &[Vec<Pace>; 2], of: impl Fn(Pace) -> f64) -> f64 {
    middle(&mut ours.iter().zip(theirs).map(|(ours, theirs)| of(*ours) / of(*theirs)).collect::<Vec<_>>())
}

/// Visitors say lines in a room of listeners: to server-sent events, and to objects on lines.
fn fan_out(program: &Path, clients: usize, in_flight: u64, scale: Scale) -> io::Result<String> {
    let doors = [Door::start(program, false)?, Door::start(program, false)?];
    let gather = |door: &'_ Door, address, greeting: &str| {
        let mut crowd = Crowd::new(door.server.address, None, MARKER)?;
        crowd.join(SENDERS, AT_ONCE, |_| "visit\n".to_owned())?;
        crowd.go_to(address);
        crowd.join(clients, AT_ONCE, |_| greeting.to_owned())?;
        door.settle(&mut crowd)?;
        Ok::<_, io::Error>(crowd)
    };
    let [web, lines] = &doors;
    let events = (gather(web, web.web, &follow())?, &web.server);
    let objects = (gather(lines, lines.server.address, "format|json\njoin|x\nleave|lobby\n")?, &lines.server);
    let line = format!("in|x|{}\n", text(LINE_BYTES)).into_bytes();
    let public = Talk { senders: 0..SENDERS, line, in_flight, hearers: clients as u64 };
    let paces =
        in_turn(&mut [events, objects], scale.slices, |crowd, server| talk(crowd, server, &public, scale.timing))?;
    let [events, objects] = paces.each_ref().map(|paces| median(paces, Pace::cpu_per_delivery) * 1e6);
    Ok(format!(
        "fan-out to {clients}, {in_flight} in flight: CPU/delivery SSE {events:.3} us, objects {objects:.3} us, {:.2} x",
        ratio(&paces, Pace::cpu_per_delivery)
    ))
}

/// Those who ask again as soon as they are answered.
fn askers(address: SocketAddrV4, request: &str, marker: u8) -> io::Result<Crowd> {
    let mut crowd = Crowd::new(address, None, marker)?;
    crowd.join(ASKERS, AT_ONCE, |_| request.to_owned())?;
    crowd.await_quiet(STILL)?;
    Ok(crowd)
}

/// Lets each of them have one request on its way. An answer has so many markers.
fn ask_often(crowd: &mut Crowd, server: &Server, request: &str, markers: u64, timing: Timing) -> io::Result<Pace> {
    let dialogue = |asker| Dialogue {
        speaker: asker,
        hearer: asker,
        line: request.as_bytes().to_vec(),
        heard: markers,
        deliveries: markers,
    };
    let mut pace = converse(crowd, server, &(0..ASKERS).map(dialogue).collect::<Vec<_>>(), 1, timing)?;
    pace.deliveries /= markers;
    Ok(pace)
}

/// Requests that say a line, beside nginx's answers that say nothing.
fn requests(program: &Path, is_logged: bool, scale: Scale) -> io::Result<String> {
    let door = Door::start(program, is_logged)?;
    let post = request("POST", "/rooms/x", "", "build green");
    let measure = |crowd: &mut Crowd, server: &_| ask_often(crowd, server, &post, 1, scale.timing);
    let mut ours = (askers(door.web, &post, ANSWER)?, &door.server);
    let log = if is_logged { "its usual log" } else { "hardly a log" };
    let Ok(nginx) = nginx() else {
        let pace = measure(&mut ours.0, ours.1)?;
        let (each, per_second) = (pace.cpu_per_delivery() * 1e6, pace.per_second());
        return Ok(format!("POST, {log}: {each:.2} us CPU each, {per_second:.0}/s (nginx is not there)"));
    };
    let theirs = (askers(nginx.address, &post, ANSWER)?, &nginx);
    let paces = in_turn(&mut [ours, theirs], scale.slices, measure)?;
    let cpu = paces.each_ref().map(|paces| median(paces, Pace::cpu_per_delivery) * 1e6);
    let rate = paces.each_ref().map(|paces| median(paces, Pace::per_second));
    Ok(format!(
        "POST, {log}: {:.2} us CPU each, nginx {:.2} us, {:.2} x; {:.0}/s, nginx {:.0}/s, {:.2} x",
        cpu[0],
        cpu[1],
        ratio(&paces, Pace::cpu_per_delivery),
        rate[0],
        rate[1],
        ratio(&paces, Pace::per_second)
    ))
}

/// An nginx that answers everything with nothing, in one process.
fn nginx() -> io::Result<Server> {
    let files = Scratch::new()?;
    let port = free_port()?;
    let settings = format!(
        "daemon off;\nmaster_process off;\nworker_processes 1;\npid nginx.pid;\nerror_log /dev/null;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n  access_log off;\n  keepalive_requests 1000000000;\n\
         server {{ listen 127.0.0.1:{port}; location / {{ return 204; }} }}\n}}\n"
    );
    fs::write(files.path.join("nginx.conf"), settings)?;
    let arguments = ["-p".to_owned(), files.path.display().to_string(), "-c".to_owned(), "nginx.conf".to_owned()];
    Server::silent("nginx", &arguments, port, files)
}

/// The last messages of a room, again and again.
fn histories(program: &Path, scale: Scale) -> io::Result<String> {
    let door = Door::start(program, false)?;
    let body = format!("{}\n", text(LINE_BYTES)).repeat(HISTORY_LINES);
    ask(&mut TcpStream::connect(door.web)?, &request("POST", "/rooms/x", "Connection: close\r\n", &body))?;
    let get = request("GET", &format!("/rooms/x?last={HISTORY_LINES}"), "", "");
    let mut crowd = askers(door.web, &get, MARKER)?;
    let mut paces = Vec::new();
    for _ in 0..scale.slices {
        paces.push(ask_often(&mut crowd, &door.server, &get, HISTORY_LINES as u64, scale.timing)?);
    }
    let (each, rate) = (median(&paces, Pace::cpu_per_delivery) * 1e6, median(&paces, Pace::per_second));
    Ok(format!("history of {HISTORY_LINES}: {rate:.0}/s, {each:.1} us CPU each"))
}

/// Opens a session, which says these lines. Answers where it is.
fn session(door: &Door, lines: &str) -> io::Result<String> {
    let once = "Connection: close\r\n";
    let opened = ask(&mut TcpStream::connect(door.web)?, &request("POST", "/sessions", once, ""))?;
    let place = opened.lines().find_map(|line| line.strip_prefix("Location: "));
    let place = place.ok_or_else(|| io::Error::other(format!("no session: {opened}")))?.to_owned();
    ask(&mut TcpStream::connect(door.web)?, &request("POST", &place, once, lines))?;
    Ok(place)
}

/// The same talk as in [`fan_out`], to those who listen to sessions, as pages do.
fn session_streams(program: &Path, scale: Scale) -> io::Result<String> {
    let door = Door::start(program, false)?;
    let mut crowd = Crowd::new(door.server.address, None, MARKER)?;
    crowd.join(SENDERS, AT_ONCE, |_| "visit\n".to_owned())?;
    crowd.go_to(door.web);
    for _ in 0..scale.few {
        let place = session(&door, "join|x\nleave|lobby\n")?;
        crowd.join(1, 1, |_| request("GET", &place, "", ""))?;
    }
    door.settle(&mut crowd)?;
    let line = format!("in|x|{}\n", text(LINE_BYTES)).into_bytes();
    let public = Talk { senders: 0..SENDERS, line, in_flight: 16, hearers: scale.few as u64 };
    let pace = talk(&mut crowd, &door.server, &public, scale.timing)?;
    Ok(format!("fan-out to {} sessions: CPU/delivery {:.3} us", scale.few, pace.cpu_per_delivery() * 1e6))
}
