//! What requests ask for.

use super::*;
use crate::protocol::http::Parsed;

fn head(method: &str, target: &str, fields: &str) -> Head {
    match Head::parse(format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes()).expect("a head") {
        Parsed::Complete(head, _) => *head,
        Parsed::Incomplete => panic!("incomplete"),
    }
}

fn request(method: &str, target: &str) -> Result<Request, Problem> {
    Request::of(&head(method, target, ""))
}

fn past_of(target: &str, fields: &str) -> Past {
    match Request::of(&head("GET", target, fields)) {
        Ok(Request::Past(past)) => past,
        other => panic!("{target}: {other:?}"),
    }
}

#[test]
fn what_is_said_has_its_room_or_its_user() {
    let say = |to, skips| Ok(Request::Say { to, skips });
    let room = || SayTo::Room("构建".to_owned());
    assert_eq!(request("POST", "/rooms/构建"), say(room(), false));
    assert_eq!(request("PUT", "/rooms/%E6%9E%84%E5%BB%BA?skip"), say(room(), true));
    assert_eq!(request("POST", "/users/ann?name=ci"), say(SayTo::User("ann".to_owned()), false));
    assert_eq!(request("POST", "/rooms/a?since=3"), Err(Problem::Usage(SAY)));
    assert_eq!(request("DELETE", "/users/ann").map_err(Problem::status), Err(405));
    let form = head("POST", "/rooms/a", "Content-Type: multipart/form-data; boundary=x\r\n");
    assert_eq!(Request::of(&form), Err(Problem::NotText));
}

#[test]
fn a_history_has_a_beginning_a_filter_and_a_form() {
    let past = past_of("/rooms/a,b", "");
    assert_eq!(past.rooms, ["a", "b"]);
    assert_eq!((past.start, past.kinds, past.follows, past.shape), (Start::Last(20), Kinds::All, false, Shape::Json));
    let past = past_of("/rooms/a?since=10m&follow&event=message&format=text", "");
    assert_eq!((past.start, past.kinds), (Start::Ago(Duration::from_secs(600)), Kinds::Messages));
    assert_eq!((past.follows, past.shape), (true, Shape::Text));
    assert_eq!(past_of("/rooms/a?follow", "").start, Start::Last(0));
    assert!(matches!(request("HEAD", "/rooms/a?follow"), Ok(Request::Past(Past { follows: false, .. }))));
    assert_eq!(past_of("/rooms/a?last=5000", "").start, Start::Last(5000));
    assert_eq!(past_of("/rooms/a?last=5&before=7", "").before, Some((7, None)));
    for wrong in [
        "since=10m&last=1",
        "last=-1",
        "last=x",
        "last=",
        "since=soon",
        "event=all",
        "format=xml",
        "lsat=5",
        "before=10m",
        "before=7&follow",
    ] {
        assert_eq!(request("GET", &format!("/rooms/a?{wrong}")), Err(Problem::Usage(PAST)), "{wrong}");
    }
}

#[test]
fn a_browsers_stream_goes_on_behind_its_last_event() {
    let accept = "Accept: text/event-stream\r\n";
    let past = past_of("/rooms/a?since=3", &format!("{accept}Last-Event-ID: 7\r\n"));
    assert_eq!((past.start, past.follows, past.shape), (Start::Behind(7, None), true, Shape::ServerSent));
    assert_eq!(past_of("/rooms/a?since=3", accept).start, Start::Behind(3, None));
    assert_eq!(past_of("/rooms/a?since=3", "Last-Event-ID: 7\r\n").start, Start::Behind(3, None), "of another stream");
}

#[test]
fn the_form_of_an_answer_is_what_the_client_wants_first() {
    for (accept, expected) in [
        ("*/*", Shape::Json),
        ("text/plain", Shape::Text),
        ("application/x-ndjson, text/plain", Shape::Json),
        ("text/html, text/plain;q=0.5, */*", Shape::Text),
        ("text/html", Shape::Json),
    ] {
        assert_eq!(shape(&head("GET", "/rooms", &format!("Accept: {accept}\r\n")), LIST), Ok(expected), "{accept}");
    }
    assert_eq!(request("GET", "/rooms?format=sse"), Err(Problem::Usage(LIST)));
    assert_eq!(request("GET", "/rooms?format=text"), Ok(Request::List(Command::Rooms, Shape::Text)));
}

#[test]
fn a_wait_has_one_condition() {
    let wait = |seconds, wait_for| Ok(Request::Wait(Command::Wait(Duration::from_secs(seconds), wait_for)));
    let text = str::to_owned;
    for (query, seconds, wait_for) in [
        ("user=ann", 60, WaitFor::User(text("ann"))),
        ("gone=ann&timeout=5", 5, WaitFor::Gone(text("ann"))),
        ("users=3&timeout=2m", 120, WaitFor::Users(3)),
        ("members=3&room=a", 60, WaitFor::Members(text("a"), 3)),
        ("text=go+on&room=a", 60, WaitFor::In { room: text("a"), part: text("go on") }),
        ("text=go", 60, WaitFor::Text(text("go"))),
        ("text=go&by=ann", 60, WaitFor::By { account: text("ann"), room: None, part: text("go") }),
        ("text=go&by=ann&room=a", 60, WaitFor::By { account: text("ann"), room: Some(text("a")), part: text("go") }),
    ] {
        assert_eq!(request("GET", &format!("/wait?{query}")), wait(seconds, wait_for), "{query}");
    }
    for wrong in [
        "",
        "user=",
        "user=a&gone=b",
        "members=3",
        "members=x&room=a",
        "users=-1",
        "user=a&timeout=soon",
        "by=ann",
        "room=a",
        "user=a&room=b",
        "user=a&x",
    ] {
        assert_eq!(request("GET", &format!("/wait?{wrong}")), Err(Problem::Usage(WAIT)), "{wrong}");
    }
}

#[test]
fn sessions_have_an_id_and_an_order() {
    let session = || "f00d".to_owned();
    assert_eq!(request("POST", "/sessions?name=ann"), Ok(Request::Open));
    assert_eq!(request("POST", "/sessions/f00d?skip"), Ok(Request::Lines { session: session(), skips: true }));
    assert_eq!(request("GET", "/sessions/f00d?since=0"), Ok(Request::Listen { session: session(), after: Some(0) }));
    assert_eq!(request("GET", "/sessions/f00d"), Ok(Request::Listen { session: session(), after: None }));
    assert_eq!(request("DELETE", "/sessions/f00d"), Ok(Request::Quit(session())));
    assert_eq!(request("GET", "/sessions/f00d?since=x"), Err(Problem::Usage(LISTEN)));
    assert_eq!(request("GET", "/sessions").map_err(Problem::status), Err(405));
}

#[test]
fn what_is_not_there_is_not_found() {
    for path in ["/nothing", "/rooms/a/b", "/rooms/a/members/b", "/users/a/b", "/page", "/page/a/b", "/sessions/a/b"] {
        assert_eq!(request("GET", path), Err(Problem::NotFound), "{path}");
    }
    assert_eq!(request("GET", "/?name=ann"), Ok(Request::Page(Vec::new())));
    assert_eq!(request("HEAD", "/healthz"), Ok(Request::Health));
    assert_eq!(request("OPTIONS", "/metrics"), Ok(Request::Options("GET, HEAD, OPTIONS")));
}
