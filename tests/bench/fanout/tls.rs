//! What TLS costs: memory of an idle connection, a delivery beside a plain one, and a handshake beside a bare loop of rustls.
//! One thread plays all clients, so these are figures of CPU and memory, not of throughput.

use std::{
    fs,
    io::{self, Read, Write},
    net::{SocketAddr, SocketAddrV4, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    client::Resumption,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::child::{Scratch, Server, free_port};
use crate::servers::PIPECHAT_FLAGS;

const LISTENERS: usize = 100;
const IDLE: usize = 4000;
const LINE: &[u8] = b"sixty-four bytes of text that everybody is told, as in the others\n";
const PATIENCE: Duration = Duration::from_secs(60);

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Scale {
    lines: usize,
    idle: usize,
    handshakes: usize,
}

/// Plain or not.
enum Client {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Read for Client {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Client {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// A certificate that a pipechat has made.
struct Certificate {
    files: Scratch,
}

impl Certificate {
    fn make(program: &Path) -> io::Result<Self> {
        let files = Scratch::new()?;
        let status =
            Command::new(program).args(["cert", "--self-signed"]).arg(&files.path).stdout(Stdio::null()).status()?;
        if status.success() { Ok(Self { files }) } else { Err(io::Error::other("it makes no certificate")) }
    }

    fn path(&self, name: &str) -> String {
        self.files.path.join(name).display().to_string()
    }

    fn client(&self) -> io::Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        let cert = CertificateDer::from_pem_file(self.path("cert.pem")).map_err(io::Error::other)?;
        roots.add(cert).map_err(io::Error::other)?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled(); // all handshakes are whole ones
        Ok(Arc::new(config))
    }

    fn server(&self) -> io::Result<Arc<ServerConfig>> {
        let cert = CertificateDer::from_pem_file(self.path("cert.pem")).map_err(io::Error::other)?;
        let key = PrivateKeyDer::from_pem_file(self.path("key.pem")).map_err(io::Error::other)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![cert], key));
        Ok(Arc::new(config.map_err(io::Error::other)?))
    }
}

/// Prints what was measured.
pub(crate) fn run(program: &Path, rounds: usize, quick: bool) -> io::Result<()> {
    let scale = if quick {
        Scale { lines: 512, idle: 20, handshakes: 20 }
    } else {
        Scale { lines: 51_200, idle: IDLE, handshakes: 1000 }
    };
    let certificate = Certificate::make(program)?;
    let config = certificate.client()?;
    for round in 1..=rounds {
        for in_flight in [16, 256] {
            let plain = fan_out(program, &certificate, None, in_flight, scale)?;
            let tls = fan_out(program, &certificate, Some(&config), in_flight, scale)?;
            println!(
                "round {round}/{rounds}  {in_flight:3} in flight, {LISTENERS} clients: CPU/delivery plain {:.2} us, TLS {:.2} us, {:.2} x",
                plain * 1e6,
                tls * 1e6,
                tls / plain
            );
        }
        idle(program, &certificate, &config, scale)?;
        handshakes(program, &certificate, &config, scale)?;
    }
    Ok(())
}

fn start(program: &Path, certificate: &Certificate) -> io::Result<(Server, SocketAddr)> {
    let port = free_port()?;
    let (listen, cert, key) =
        (format!("tls://127.0.0.1:{port}"), certificate.path("cert.pem"), certificate.path("key.pem"));
    let tls = ["--listen", &listen, "--tls-cert", &cert, "--tls-key", &key];
    let server = Server::announced(program, &[PIPECHAT_FLAGS, &tls].concat(), None)?;
    let tls = SocketAddrV4::new(*server.address.ip(), port);
    Ok((server, tls.into()))
}

fn shake_hands(addr: SocketAddr, config: &Arc<ClientConfig>) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let tcp = TcpStream::connect(addr)?;
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    let name = "localhost".try_into().map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?, tcp);
    stream.conn.complete_io(&mut stream.sock)?;
    Ok(stream)
}

/// Connects, says this, and reads until it is answered.
fn connect(server: &Server, tls: SocketAddr, config: Option<&Arc<ClientConfig>>, greeting: &str) -> io::Result<Client> {
    let mut client = match config {
        Some(config) => Client::Tls(Box::new(shake_hands(tls, config)?)),
        None => {
            let tcp = TcpStream::connect(server.address)?;
            tcp.set_nodelay(true)?;
            tcp.set_read_timeout(Some(PATIENCE))?;
            Client::Plain(tcp)
        }
    };
    client.write_all(format!("{greeting}sync|here\n").as_bytes())?;
    read_until(&mut client, b"sync|here\n")?;
    Ok(client)
}

fn read_until(client: &mut Client, end: &[u8]) -> io::Result<()> {
    let (mut got, mut buffer) = (Vec::new(), [0; 16 << 10]);
    while !got.ends_with(end) {
        match client.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => got.extend_from_slice(&buffer[..read]),
        }
    }
    Ok(())
}

fn read_lines(client: &mut Client, count: usize) -> io::Result<()> {
    let (mut left, mut buffer) = (count, [0; 64 << 10]);
    while left > 0 {
        match client.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => left = left.saturating_sub(memchr::memchr_iter(b'\n', &buffer[..read]).count()),
        }
    }
    Ok(())
}

/// Seconds of CPU for each delivery: eight clients say so many lines at once, all read them, and so on.
fn fan_out(
    program: &Path,
    certificate: &Certificate,
    config: Option<&Arc<ClientConfig>>,
    in_flight: usize,
    scale: Scale,
) -> io::Result<f64> {
    const SENDERS: usize = 8;
    let (server, tls) = start(program, certificate)?;
    let mut clients = Vec::with_capacity(LISTENERS);
    for _ in 0..LISTENERS {
        clients.push(connect(&server, tls, config, "")?);
    }
    for (n, client) in clients.iter_mut().enumerate() {
        read_lines(client, LISTENERS - 1 - n)?; // who has come since
    }
    let lines = LINE.repeat(in_flight / SENDERS);
    let turns = (scale.lines / in_flight).max(1);
    let mut cpu = Duration::ZERO;
    for turn in 0..turns + turns / 4 + 1 {
        if turn == turns / 4 + 1 {
            cpu = server.cpu()?; // warm by now
        }
        for sender in &mut clients[..SENDERS] {
            sender.write_all(&lines)?;
        }
        for client in &mut clients {
            read_lines(client, in_flight)?;
        }
    }
    Ok((server.cpu()? - cpu).as_secs_f64() / (turns * in_flight * LISTENERS) as f64)
}

/// Bytes of resident memory for each connection that does nothing.
fn idle(program: &Path, certificate: &Certificate, config: &Arc<ClientConfig>, scale: Scale) -> io::Result<()> {
    let mut shown = Vec::new();
    for config in [None, Some(config)] {
        let (server, tls) = start(program, certificate)?;
        let before = server.memory()?;
        let mut clients = Vec::with_capacity(scale.idle);
        for _ in 0..scale.idle {
            clients.push(connect(&server, tls, config, "visit\n")?); // it hears nothing of the others
        }
        server.rest(PATIENCE)?;
        let each = server.memory()?.saturating_sub(before) / scale.idle as u64;
        shown.push(format!("{each} bytes {}", if config.is_some() { "TLS" } else { "plain" }));
    }
    println!("{} idle connections: {}", scale.idle, shown.join(", "));
    Ok(())
}

/// Whole handshakes, one after another, with the server and with as little as rustls needs.
fn handshakes(program: &Path, certificate: &Certificate, config: &Arc<ClientConfig>, scale: Scale) -> io::Result<()> {
    let (server, tls) = start(program, certificate)?;
    let (rate, cpu) = (rate(tls, config, scale.handshakes)?, server.cpu()?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (bare, server_config) = (listener.local_addr()?, certificate.server()?);
    let count = scale.handshakes;
    let loops = thread::spawn(move || bare_loop(&listener, &server_config, count));
    let bare_rate = self::rate(bare, config, count)?;
    let bare_cpu = loops.join().map_err(|_| io::Error::other("the loop has panicked"))??;
    let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / count as f64;
    println!(
        "{count} handshakes: {rate:.0}/s, {:.0} us CPU each; bare rustls {bare_rate:.0}/s, {:.0} us; {:.2} x",
        each(cpu),
        each(bare_cpu),
        rate / bare_rate
    );
    Ok(())
}

fn rate(addr: SocketAddr, config: &Arc<ClientConfig>, count: usize) -> io::Result<f64> {
    let began = Instant::now();
    for _ in 0..count {
        shake_hands(addr, config)?;
    }
    Ok(count as f64 / began.elapsed().as_secs_f64())
}

/// Answers the CPU that it took.
fn bare_loop(listener: &TcpListener, config: &Arc<ServerConfig>, count: usize) -> io::Result<Duration> {
    for _ in 0..count {
        let (mut tcp, _) = listener.accept()?;
        let mut tls = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
    }
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = schedstat.split(' ').next().and_then(|n| n.parse().ok());
    nanoseconds.map(Duration::from_nanos).ok_or_else(|| io::Error::other("no CPU time in schedstat"))
}
