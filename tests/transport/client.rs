//! The subcommands over TLS.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use common::{TimeLimit, binary, run};

use super::tls::{TlsServer, make_certificate};
use crate::Directory;

/// Runs a subcommand against the server. Answers its exit code, stdout and stderr.
#[track_caller]
pub(crate) fn client(server: &TlsServer, words: &[&str], options: &[&str]) -> (i32, String, String) {
    let port = server.addr.rsplit(':').next().expect("a port").to_owned();
    let (subcommand, rest) = words.split_first().expect("a subcommand");
    run(&[&[*subcommand, "--port", &port], options, rest].concat())
}

#[test]
fn subcommands_speak_to_a_server_whose_certificate_they_trust() {
    let server = TlsServer::start("client", &[]);
    let ca = server.directory.path("cert.pem");
    let tls = ["--tls", "--ca", &ca];
    let mut ann = server.server.join("ann");
    assert_eq!(client(&server, &["who"], &tls), (0, "ann\n".to_owned(), String::new()));
    assert_eq!(client(&server, &["who", "--host", "localhost"], &tls).0, 0, "by its name too");
    assert_eq!(client(&server, &["send", "--name", "ci", "hello"], &tls), (0, String::new(), String::new()));
    assert!(ann.line().ends_with("ci:hello"));
    assert_eq!(client(&server, &["wait", "user", "ann"], &tls).0, 0);
    let (code, out, _) = client(&server, &["history", "lobby", "--last", "1"], &tls);
    assert!(code == 0 && out.contains("hello"), "{out}");
    ann.fence();
    // Lines enough that neither socket takes all at once.
    let (port, count) = (server.addr.rsplit(':').next().expect("a port"), 3000);
    let mut send = Command::spawn(
        binary().args(["send", "--port", port, "--tls", "--ca", &ca, "-"]).stdin(Stdio::piped()).stdout(Stdio::null()),
    )
    .expect("it runs");
    let _limit = TimeLimit::of(&send);
    let mut stdin = send.stdin.take().expect("piped");
    for n in 0..count {
        writeln!(stdin, "{n} {}", "x".repeat(500)).expect("it reads");
    }
    drop(stdin);
    assert!(send.wait().expect("ours").success());
    for n in 0..count {
        assert!(ann.line().ends_with(&format!(":{n} {}", "x".repeat(500))), "{n}");
    }
}

#[test]
fn a_server_that_nobody_vouches_for_is_refused_unless_told_otherwise() {
    let server = TlsServer::start("unknown", &[]);
    let (code, out, err) = client(&server, &["who", "--timeout", "9"], &["--tls"]);
    assert!([2, 3].contains(&code) && out.is_empty(), "{code} {err}"); // 2: the system trusts nobody
    let (code, _, err) = client(&server, &["who"], &["--tls", "--insecure"]);
    assert_eq!(code, 0);
    assert_eq!(err, "pipechat: --insecure: the certificate is not checked, anybody may be at the other end\n");
    let ca = server.directory.path("cert.pem");
    let (code, _, err) = client(&server, &["who", "--host", "127.0.0.2"], &["--tls", "--ca", &ca]);
    assert_eq!((code, err.contains("can't connect to 127.0.0.2")), (3, true), "it is not in the certificate: {err}");
    // `send` tries again while no server answers, but this one has.
    let plain = server.server.addr.port().to_string();
    let (code, _, err) = run(&["send", "--port", &plain, "--tls", "--ca", &ca, "--timeout", "0", "hello"]);
    let why = format!("pipechat: can't connect to 127.0.0.1 port {plain}: the server speaks no TLS there\n");
    assert_eq!((code, err), (3, why));
    let other = Directory::new("other");
    make_certificate(&other);
    let options = ["--tls", "--ca", &other.path("cert.pem")];
    let (code, _, err) = client(&server, &["send", "--timeout", "0", "hello"], &options);
    assert!(
        code == 3 && err.ends_with("leads to none that is trusted; --ca FILE names one to trust\n"),
        "{code} {err}"
    );
    let (code, _, err) = client(&server, &["send", "hello"], &[]);
    let why = "pipechat: connection lost, and nothing was heard: the server may want --tls\n";
    assert_eq!((code, &*err), (3, why));
    for (options, sentence) in [
        (&["--ca", &*ca][..], "--ca needs --tls"),
        (&["--insecure"], "--insecure needs --tls"),
        (&["--tls", "--ca", &ca, "--insecure"], "--ca and --insecure exclude each other"),
        (&["--tls", "--ca", "/nowhere"], "can't read /nowhere"),
    ] {
        let (code, _, err) = client(&server, &["who"], options);
        assert!(code == 2 && err.contains(sentence), "{options:?}: {code} {err}");
    }
}
