//! A server that is older than history: the client says none of the commands for it, since they would be said in the room.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use crate::{
    DONE, REFUSED,
    evil_server::{message, run_at},
    terminal::Terminal,
};

/// What such a server answers to this line.
fn answer(line: &str) -> String {
    let event = |event: &str, rest: &str| format!("{{\"event\":\"{event}\",{rest}}}\n");
    match line.split_once('|').unwrap_or((line, "")) {
        ("help", _) => event("help", r#""text":"who - list who is online\nsync|TOKEN - answers\nquit - disconnect\n""#),
        ("sync", token) => event("sync", &format!("\"text\":\"{token}\"")) + &message("ann", "hi"),
        ("who", _) => event("users_end", "\"count\":1"),
        _ => String::new(),
    }
}

/// A server that keeps what it is sent.
fn older() -> (u16, Arc<Mutex<Vec<String>>>) {
    let sent = Arc::<Mutex<Vec<String>>>::default();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn({
        let sent = Arc::clone(&sent);
        move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &sent).ok(); // fails when the client has ended
            }
        }
    });
    (port, sent)
}

fn serve(mut stream: TcpStream, sent: &Mutex<Vec<String>>) -> io::Result<()> {
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?;
        if line == "quit" {
            break;
        }
        stream.write_all(answer(&line).as_bytes())?;
        sent.lock().expect("no panic").push(line);
    }
    Ok(())
}

#[track_caller]
fn nothing_is_said(sent: &Mutex<Vec<String>>) {
    let sent = sent.lock().expect("no panic");
    let known = ["format|json", "visit", "help", "stay", "who", "rename|bob", "sync|"];
    let said: Vec<_> = sent.iter().filter(|line| !known.iter().any(|known| line.starts_with(known))).collect();
    assert!(sent.contains(&"sync|ready".to_owned()) && said.is_empty(), "{said:?}");
}

#[test]
fn history_says_that_there_is_none() {
    let (port, sent) = older();
    for flags in [&["history", "lobby"][..], &["history", "lobby", "--since", "1h"]] {
        let told = "pipechat: the server is older than this client and has no history\n";
        assert_eq!(run_at(port, flags), (REFUSED, vec![], told.to_owned()));
    }
    nothing_is_said(&sent);
}

#[test]
fn listen_goes_on_from_now() {
    let (port, sent) = older();
    let told = "pipechat: the server is older than this client and has no history: going on from now\n";
    for (flags, told) in
        [(&["--since", "0"][..], told), (&["--since", "0", "--reconnect"], told), (&["--reconnect"], "")]
    {
        let outcome = run_at(port, &[&["listen", "--count", "1"], flags].concat());
        assert_eq!(outcome, (DONE, vec!["[a]ann:hi".to_owned()], told.to_owned()));
    }
    nothing_is_said(&sent);
}

#[test]
fn chat_begins_without_its_last_messages() {
    let (port, sent) = older();
    let mut bob = Terminal::spawn_at(port, &["chat", "--name", "bob"], &[("NO_COLOR", "1")]);
    bob.expect("/help for commands");
    bob.type_in("/history 7\r");
    bob.expect("-- the server is older than this client and has no history");
    bob.type_in("/quit\r");
    bob.exit();
    nothing_is_said(&sent);
}
