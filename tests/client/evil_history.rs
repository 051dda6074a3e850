//! Malicious and broken servers, and the history: a subcommand asks for no end, keeps no more than a page, and writes nothing
//! but a position to its file.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    process,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    DONE, LOST, REFUSED, TIMED_OUT,
    evil_server::{READY, run_at, serve},
    terminal::Terminal,
};

fn past(n: u64, text: &str) -> String {
    let from = r#""from":{"name":"n\u001b","addr":"a"}"#;
    format!(
        "{{\"at\":\"2026-11-25T09:30:00Z\",\"event\":\"message\",{from},\"text\":\"{text}\",\"room\":\"builds\",\
         \"pos\":\"{n}.abcde\",\"replay\":true}}\n"
    )
}

fn told(end: u64, code: &str) -> String {
    format!(r#"{{"event":"ok","verb":"history","room":"builds","count":1,"code":"{code}","pos":"{end}.abcde"}}"#) + "\n"
}

fn joined(pos: &str) -> String {
    format!(r#"{{"event":"ok","verb":"join","room":"builds","count":1,"pos":"{pos}"}}"#) + "\n"
}

fn gone(verb: &str, pos: &str) -> String {
    let room = r#""room":"\u001b[2J""#;
    format!(r#"{{"event":"refused","verb":"{verb}","code":"history-gone",{room},"text":"\u001b[2J","pos":"{pos}"}}"#)
        + "\n"
}

/// A server that answers each line that the client sends; the lines are counted.
fn answering(answer: impl Fn(usize, &str) -> String + Clone + Send + 'static) -> u16 {
    serve(move |stream: &mut TcpStream| {
        stream.write_all(READY.as_bytes())?;
        let lines = BufReader::new(stream.try_clone()?).lines();
        for (count, line) in lines.enumerate() {
            match line?.as_str() {
                "quit" => return Ok(()),
                line => stream.write_all(answer(count, line).as_bytes())?,
            }
        }
        Ok(())
    })
}

const NONSENSE: &str = "pipechat: the server's history makes no sense: it does not get on\n";

#[test]
fn pages_that_do_not_get_on_are_not_asked_for_again() {
    for (what, pages) in [
        ("the same page", vec![told(9, "ok"), past(3, "x") + &told(3, "more"), past(3, "x") + &told(3, "more")]),
        ("no page", vec![told(9, "ok"), told(3, "more")]),
        ("a page that ends before it begins", vec![told(9, "ok"), past(3, "x") + &told(2, "more")]),
        ("events out of order", vec![told(9, "ok"), past(3, "x") + &past(2, "y")]),
        ("an event twice", vec![told(9, "ok"), past(3, "x") + &past(3, "x")]),
        ("two orders", vec![told(9, "ok"), past(3, "x") + &past(4, "y").replace("abcde", "zzzzz")]),
        ("a page without end", vec![told(9000, "ok"), (1..=1001).map(|n| past(n, "x")).collect()]),
    ] {
        let port = answering(move |count, _| pages.get(count).cloned().unwrap_or_default());
        let (code, lines, stderr) = run_at(port, &["history", "builds", "--since", "0"]);
        assert_eq!((code, &*stderr), (LOST, NONSENSE), "{what}");
        assert!(lines.len() <= 1000, "{what}: {} lines", lines.len());
    }
}

#[test]
fn a_history_ends_where_it_ended_when_it_was_asked_for() {
    // Each page has the next event, and there is always more.
    let next = |count: usize, _: &str| match u64::try_from(count).expect("few") {
        0 => told(5, "ok"),
        n => past(n, "x") + &told(n, "more"),
    };
    let (code, lines, stderr) = run_at(answering(next), &["history", "builds", "--since", "0"]);
    assert_eq!((code, lines.len(), &*stderr), (DONE, 5, ""));
}

#[test]
fn what_is_replayed_is_escaped() {
    let page = past(1, r"hi\u001b[31m\n\u202e") + &past(2, "no time").replace("2026-11-25T09:30:00Z", "\\u001b");
    let page = page + &past(3, "no position").replace("3.abcde", "3.abcde\\u001b") + &told(3, "ok");
    let port = answering(move |count, _| if count == 0 { page.clone() } else { String::new() });
    let (code, lines, stderr) = run_at(port, &["history", "builds"]);
    assert_eq!((code, lines.len(), &*stderr), (DONE, 1, ""), "{lines:?}");
    assert!(lines[0].ends_with(r" #builds [a]n\u{1b}:hi\u{1b}[31m\u{a}\u{202e}"), "{lines:?}");
    let port = answering(|_, _| gone("history", "7.abcde"));
    let (code, _, stderr) = run_at(port, &["history", "builds"]);
    let shown = "pipechat: builds: older history is gone; the oldest is what follows 7.abcde (--since 7.abcde)\n";
    assert_eq!((code, &*stderr), (REFUSED, shown));
}

#[test]
fn a_server_whose_history_is_always_gone_is_not_asked_for_ever() {
    for pos in ["7.abcde", "\\u001b[2J"] {
        let asked = Arc::new(AtomicUsize::new(0));
        let port = answering({
            let asked = Arc::clone(&asked);
            move |_, line| {
                asked.fetch_add(1, Ordering::SeqCst);
                gone(line.split('|').next().expect("a verb"), pos)
            }
        });
        for flags in [&["listen", "--since", "1.abcde"][..], &["listen", "--since", "1h", "--room", "a", "--room", "b"]]
        {
            let (code, _, stderr) = run_at(port, flags);
            assert!(code == LOST && !stderr.contains('\x1b'), "{code} {stderr}");
            assert!(stderr.lines().count() < 30, "{stderr}");
        }
        assert!(asked.load(Ordering::SeqCst) < 60, "{asked:?}");
    }
}

#[test]
fn only_positions_get_into_the_file() {
    let folder = env::temp_dir().join(format!("pipechat-evil-{}", process::id()));
    fs::create_dir_all(&folder).expect("a folder of ours");
    let path = folder.join("pos");
    for pos in
        ["x", "7.abcde\\nrm -rf", "7.ABCDE", "99999999999999999999.abcde", "+7.abcde", "../../etc/passwd", "7.abcde "]
    {
        let port =
            answering(move |_, _| joined(pos) + &past(3, "live").replace("3.abcde", pos).replace("true", "null"));
        let flags = ["listen", "--count", "1", "--resume", path.to_str().expect("UTF-8")];
        let (code, lines, stderr) = run_at(port, &flags);
        assert_eq!((code, lines.len(), &*stderr), (DONE, 1, ""), "{pos}");
        assert_eq!(fs::read_to_string(&path).expect("it is made"), "", "{pos}");
    }
    let port = answering(|_, _| joined("7.abcde"));
    let flags = ["listen", "--timeout", "0.3", "--resume", path.to_str().expect("UTF-8")];
    assert_eq!(run_at(port, &flags).0, TIMED_OUT);
    assert_eq!(fs::read_to_string(&path).expect("it is made"), "7.abcde\n");
    fs::remove_dir_all(folder).expect("ours");
}

#[test]
fn a_flood_while_rooms_are_joined_is_not_kept() {
    // More than is held back while the second room is joined; the page that is merged before is short.
    let port = answering(|_, line| match line.split('|').next() {
        Some("history") => told(1, "ok"),
        _ if line.starts_with("join|a") => {
            joined("1.abcde") + &(2..=30_000).map(|n| past(n, "x").replace("true", "null")).collect::<String>()
        }
        _ => joined("30001.abcde"),
    });
    let flags = ["listen", "--since", "1.abcde", "--room", "a", "--room", "b", "--count", "29999"];
    let (code, lines, stderr) = run_at(port, &flags);
    assert_eq!((code, lines.len(), &*stderr), (DONE, 29_999, ""));
}

#[test]
fn chat_asks_for_no_history_without_end() {
    let asked = Arc::new(AtomicUsize::new(0));
    let port = answering({
        let asked = Arc::clone(&asked);
        move |_, line| {
            let alone = "{\"event\":\"users_end\",\"count\":1}\n".to_owned();
            match line.split('|').next() {
                Some("history") => {
                    asked.fetch_add(1, Ordering::SeqCst);
                    (past(3, r"\u001b[2J") + &told(3, "more")).replace("\"builds\"", "\"lobby\"")
                }
                Some("who") => alone,
                Some(_) | None => gone("history", "\\u001b").replace("\\u001b[2J", "lobby"),
            }
        }
    });
    let mut bob = Terminal::spawn_at(port, &["chat"], &[("NO_COLOR", "1")]);
    bob.expect("/help for commands");
    bob.type_in("sync|1\rsync|2\r/history 7\r");
    bob.expect(r"| n\u{1b}: \u{1b}[2J");
    bob.type_in("/quit\r");
    bob.exit();
    assert!(asked.load(Ordering::SeqCst) <= 5, "{asked:?}");
}
