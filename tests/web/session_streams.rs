//! Streams of sessions: all that a user is told, numbered, and resumed where it broke off.

use crate::{
    Web,
    http::{Conn, End, request},
    sessions::place,
};

/// Listens to a session, as far as the head.
#[track_caller]
fn listen(web: &Web, target: &str, fields: &[&str]) -> Conn {
    let mut conn = web.open();
    conn.send(request("GET", target, fields, ""));
    let head = conn.head();
    assert_eq!((head.status, head.get("Content-Type")), (200, Some("text/event-stream")));
    conn
}

fn numbers(events: &[(String, String)]) -> Vec<u64> {
    events.iter().map(|(id, _)| id.parse().expect("a number")).collect()
}

#[test]
fn a_stream_tells_all_and_goes_on_where_it_was() {
    let web = Web::start(&[]);
    let session = place(&web.post("/sessions?name=bob", ""));
    let mut stream = listen(&web, &format!("{session}?since=0"), &[]);
    let first = stream.sse_up_to("renamed bob:");
    assert_eq!(first[0].1, "online #lobby 127.0.0.1:web:");
    assert_eq!(numbers(&first), (1..=first.len() as u64).collect::<Vec<_>>());
    web.post(&session, "join|x\nin|x|hi");
    let more = stream.sse_up_to("ok in #x");
    let all = [first, more].concat();
    assert_eq!(numbers(&all), (1..=all.len() as u64).collect::<Vec<_>>());
    assert!(all.iter().any(|(_, event)| event == "message #x bob: hi"), "{all:?}");
    // What was told while nobody listened is there on resumption.
    drop(stream);
    web.post("/rooms/x", "meanwhile");
    let (last, _) = all.last().expect("events");
    let mut stream = listen(&web, &session, &[&format!("Last-Event-ID: {last}")]);
    assert_eq!(stream.sse(), ((all.len() + 1).to_string(), "message #x 127.0.0.1: meanwhile".to_owned()));
    for n in 0..all.len() {
        let mut again = listen(&web, &format!("{session}?since={n}"), &[]);
        let events = again.sse_up_to("message #x 127.0.0.1: meanwhile");
        assert_eq!(events[..events.len() - 1], all[n..], "behind {n}");
    }
    let mut new = listen(&web, &session, &[]);
    web.post("/rooms/x", "news");
    assert_eq!(new.sse().1, "message #x 127.0.0.1: news", "from now on");
}

#[test]
fn streams_that_are_cut_anywhere_have_no_gap_and_no_repetition() {
    const EVENTS: usize = 100;
    let web = Web::start(&["--rate", "0", "--burst", "100000"]);
    let session = place(&web.post("/sessions", ""));
    let (mut seen, mut cut) = (Vec::new(), 50);
    web.post("/rooms/lobby", &(0..EVENTS).map(|n| format!("{n}\n")).collect::<String>());
    while seen.len() < EVENTS {
        let last = seen.last().copied().unwrap_or(0);
        let mut stream = listen(&web, &session, &[&format!("Last-Event-ID: {last}")]);
        let mut text = Vec::new();
        while text.len() < cut
            && !(text.ends_with(b"\n\n") && String::from_utf8_lossy(&text).contains("\"text\":\"99\""))
        {
            text.push(stream.byte());
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        for event in text.split_inclusive("\n\n").filter(|event| event.ends_with("\n\n")) {
            let id = event.strip_prefix("id: ").and_then(|rest| rest.split('\n').next()).expect("an id");
            seen.push(id.parse::<u64>().expect("a number"));
        }
        cut = (cut + 61).min(1000);
    }
    assert_eq!(seen, (1..=seen.len() as u64).collect::<Vec<_>>());
}

#[test]
fn what_is_not_kept_any_more_is_gone_and_that_is_said() {
    let web = Web::start(&["--rate", "0", "--burst", "100000"]);
    let session = place(&web.post("/sessions", ""));
    let body: String = (0..1100).map(|n| format!("{n}\n")).collect();
    assert_eq!(web.post("/rooms/lobby", &body).status, 200);
    assert_eq!(web.post(&session, "sync|1").status, 200);
    for target in [format!("{session}?since=0"), format!("{session}?since=5")] {
        assert_eq!(web.get(&target).said(), "410 refused history-gone");
    }
    for n in ["9999", "18446744073709551615", "18446744073709551614"] {
        assert_eq!(web.get(&format!("{session}?since={n}")).said(), "410 refused history-gone", "of the future");
    }
    for query in ["since=x", "since=-1", "since=99999999999999999999", "since=", "after=1"] {
        assert_eq!(web.get(&format!("{session}?{query}")).said(), "400 refused malformed", "{query}");
    }
    let mut stream = listen(&web, &format!("{session}?since=200"), &[]);
    assert_eq!(stream.sse().0, "201");
}

#[test]
fn a_stream_that_does_not_read_holds_the_session_up_only_until_it_is_cut() {
    let web = Web::start_alone(&["--rate", "0", "--burst", "1000000", "--write-timeout", "1"]);
    let session = place(&web.post("/sessions", ""));
    let mut reads = listen(&web, &session, &[]);
    let _stuck = listen(&web, &session, &[]);
    let text = "x".repeat(4000);
    let body: String = (0..500).map(|n| format!("{n} {text}\n")).collect();
    // More than the kernel takes for one that does not read.
    let mut told = 0;
    for _ in 0..6 {
        assert_eq!(web.post("/rooms/lobby", &body).status, 200);
        for n in 0..500 {
            let (_, event) = reads.sse();
            assert!(event.starts_with(&format!("message #lobby 127.0.0.1: {n} ")), "{event:.50}");
            told += 1;
        }
    }
    assert_eq!(told, 3000);
    assert_eq!(web.post(&session, "sync|1").said(), "200 sync 1");
    assert_eq!(reads.sse().1, "sync 1");
}

#[test]
fn the_end_of_a_session_is_the_end_of_its_streams() {
    let web = Web::start(&[]);
    let session = place(&web.post("/sessions", ""));
    let mut streams = [listen(&web, &session, &[]), listen(&web, &session, &[])];
    assert_eq!(web.ask("DELETE", &session, &[], "").status, 204);
    for stream in &mut streams {
        assert_eq!(stream.sse_up_to("farewell quit goodbye").len(), 1);
        assert_eq!(stream.rest(), (String::new(), End::Whole));
    }
    let session = place(&web.post("/sessions?name=bob", ""));
    let mut stream = listen(&web, &session, &[]);
    assert_eq!(web.post(&session, "sync|1\nquit").status, 200);
    stream.sse_up_to("farewell quit goodbye");
    assert_eq!(stream.rest().1, End::Whole);
}

#[test]
fn a_session_without_news_is_told_so_every_fifteen_seconds() {
    let web = Web::start(&["--idle-timeout", "1"]);
    let mut follower = listen(&web, "/rooms/x?format=sse", &[]);
    follower.sse_up_to("ok join #x 1");
    let session = place(&web.post("/sessions?name=bob", ""));
    let mut stream = listen(&web, &session, &[]);
    for stream in [&mut stream, &mut follower] {
        assert_eq!((&*stream.line(), &*stream.line()), (":", ""));
    }
    assert!(web.get("/users").said().contains("user bob:"), "it is idle, and stays");
}
