//! Sessions: users without a connection of their own, and the lines that they are asked to do.

use std::time::{Duration, Instant};

use crate::{
    Web,
    events::short,
    http::Answer,
    who::{PASSWORD, StorePath, register},
};

/// Where a new session is.
#[track_caller]
pub(crate) fn place(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.get("Location").expect("a place").to_owned()
}

#[test]
fn a_session_is_a_user_like_any_other() {
    let web = Web::start(&[]);
    let mut ann = web.server.join("ann");
    let answer = web.post("/sessions?name=bob", "");
    let session = place(&answer);
    let id = session.strip_prefix("/sessions/").expect("a path");
    assert!(
        id.len() >= 22 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
        "128 bits: {id}"
    );
    assert_eq!(answer.body, format!("{{\"session\":\"{id}\"}}\n"));
    ann.expect("[127.0.0.1:web1]127.0.0.1:web1:is online");
    ann.expect("[127.0.0.1:web1]127.0.0.1:web1 is now [bob]");
    ann.say("format|json\nwho");
    ann.line();
    ann.line();
    let bob = ann.line();
    assert_eq!(short(&bob), "user bob:");
    assert!(bob.contains(r#""addr":"127.0.0.1:web1""#), "{bob}");
    assert!(web.server.log().iter().all(|line| !line.contains(id)), "its id is never logged");
    assert_eq!(web.ask("DELETE", &session, &[], "").status, 204);
    while short(&ann.line()) != "offline quit #lobby bob:" {}
    assert_eq!(web.post(&session, "who").said(), "404 refused no-such-session");
}

#[test]
fn lines_are_done_in_order_and_each_has_its_answer() {
    let web = Web::start(&[]);
    let _ann = web.server.join("ann");
    let session = place(&web.post("/sessions", ""));
    let lines = "rename|bob\njoin|x\nhello\nin|x|hi\nto|ann|psst\n\nwho|x\nrooms\ntopic|x|news\nsync|1\nhistory|x|1\n\
                 leave|x\nwait|1|user|ann\nlang|en\nhelp";
    let answer = web.post(&session, lines);
    let events = answer.events();
    let help = events.last().map(|help| help.starts_with("help ")).unwrap_or_default();
    assert!(help, "{events:?}");
    assert_eq!(
        format!("{} {}", answer.status, events[..events.len() - 1].join("; ")),
        "200 renamed bob:; ok join #x 1; ok say; ok in #x; ok to; user bob:; ok who #x 1; room #lobby 2; \
         room #x 1; ok rooms 2; ok topic #x news; sync 1; topic #x bob: news; ok history #x 1; ok leave #x; \
         wait ok ann; set set: English"
    );
}

#[test]
fn lines_behind_a_refused_one_are_not_done_unless_they_are_skipped() {
    let web = Web::start(&[]);
    let session = place(&web.post("/sessions", ""));
    assert_eq!(web.post(&session, "sync|1\njoin|a b\nsync|2").said(), "400 sync 1; refused join room-invalid");
    assert_eq!(
        web.post(&format!("{session}?skip"), "sync|1\nto|joe|x\nwat|x\nformat|text\nsync|2").said(),
        "404 sync 1; refused to no-such-user; ok say; refused format malformed; sync 2"
    );
    assert_eq!(web.post(&session, "to|joe").said(), "400 refused to malformed");
    assert_eq!(web.ask("POST", &format!("{session}?what"), &[], "who").said(), "400 refused malformed");
}

#[test]
fn many_requests_at_once_are_done_one_after_the_other() {
    let web = Web::start(&["--rate", "0", "--burst", "100000"]);
    let session = place(&web.post("/sessions", ""));
    let mut conns: Vec<_> = (0..20).map(|_| web.open()).collect();
    for (n, conn) in conns.iter_mut().enumerate() {
        let lines: String = (0..50).map(|m| format!("sync|{n}-{m}\n")).collect();
        conn.send(crate::http::request("POST", &session, &[], &lines));
    }
    for (n, conn) in conns.iter_mut().enumerate() {
        let expected: Vec<_> = (0..50).map(|m| format!("sync {n}-{m}")).collect();
        assert_eq!(conn.answer(true).events(), expected);
    }
}

#[test]
fn the_end_of_a_session_may_be_asked_for_in_a_line() {
    let web = Web::start(&[]);
    let session = place(&web.post("/sessions?name=bob", ""));
    let answer = web.post(&session, "sync|1\nquit\nsync|2");
    assert_eq!(answer.said(), "200 sync 1; ok quit");
    assert_eq!(web.post(&session, "sync|3").status, 404);
    let session = place(&web.post("/sessions?name=bob", ""));
    assert_eq!(web.post(&session, "quit").said(), "200 ok quit");
    assert_eq!(web.get("/users").said(), "200 users_end 0");
}

#[test]
fn what_is_no_session_is_not_found() {
    let web = Web::start(&[]);
    for (method, target) in [("GET", "/sessions/x"), ("POST", "/sessions/x"), ("DELETE", "/sessions/x")] {
        assert_eq!(web.ask(method, target, &[], "").said(), "404 refused no-such-session");
    }
    for (method, allow) in [("GET", "POST, OPTIONS"), ("PUT", "POST, OPTIONS")] {
        let answer = web.ask(method, "/sessions", &[], "");
        assert_eq!((answer.status, answer.get("Allow")), (405, Some(allow)));
    }
    let _ann = web.server.join("ann");
    assert_eq!(web.post("/sessions?name=ann", "").said(), "409 refused rename name-taken");
    assert_eq!(web.get("/users").events().len(), 2, "who was refused is not here");
}

#[test]
fn a_session_logs_in_and_gets_what_was_kept_for_it() {
    let store = StorePath::new();
    let web = Web::start(&["--store", store.as_str()]);
    let mut ann = web.server.join("ann");
    register(&mut ann);
    ann.say("quit");
    let mut bob = web.server.join("bob");
    bob.say("wait|20|gone|ann\nto|ann|are you there?");
    bob.expect_among("wait|ok|ann");
    bob.line();
    let session = place(&web.post("/sessions", ""));
    let mut stream = web.open();
    stream.send(crate::http::request("GET", &format!("{session}?since=0"), &[], ""));
    assert_eq!(stream.head().status, 200);
    assert_eq!(web.post(&session, "login|ann|wrong horse").status, 401);
    let answer = web.post(&session, &format!("login|ann|{PASSWORD}"));
    assert!(answer.said().starts_with("200 renamed ann:; ok login"), "{}", answer.said());
    let events = stream.sse_up_to("private bob: are you there?");
    assert!(events.iter().any(|(_, event)| event == "refused login login-failed"), "{events:?}");
    bob.say("to|ann|now");
    stream.sse_up_to("private bob: now");
    let answer = web.ask("POST", "/sessions", &[&crate::who::basic(&format!("ann:{PASSWORD}"))], "");
    assert_eq!(web.post(&place(&answer), "sync|1").said(), "200 sync 1", "as often as one likes");
}

#[test]
fn a_session_to_which_nobody_listens_any_more_is_gone_after_five_seconds() {
    let web = Web::start(&[]);
    let mut ann = web.server.join("ann");
    let session = place(&web.post("/sessions?name=bob", ""));
    let streams: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = web.open();
            stream.send(crate::http::request("GET", &session, &[], ""));
            assert_eq!(stream.head().status, 200);
            stream
        })
        .collect();
    ann.fence();
    drop(streams);
    let start = Instant::now();
    ann.say("wait|20|gone|bob");
    ann.expect_among("wait|ok|bob");
    let took = start.elapsed();
    assert!(took > Duration::from_secs(4) && took < Duration::from_secs(15), "after {took:?}");
    assert_eq!(web.post(&session, "sync|1").status, 404);
}

#[test]
fn sessions_have_places_as_connections_do() {
    let web = Web::start(&["--max-clients", "3"]);
    let mut conn = web.open();
    let first = place(&conn.ask("POST", "/sessions", &[], ""));
    place(&conn.ask("POST", "/sessions", &[], ""));
    let answer = conn.ask("POST", "/sessions", &[], "");
    assert_eq!((answer.said(), answer.get("Retry-After")), ("503 refused full".to_owned(), Some("1")));
    assert_eq!(conn.ask("DELETE", &first, &[], "").status, 204);
    common::until("there is a place again", || conn.ask("POST", "/sessions", &[], "").status == 201);
    let web = Web::start(&["--trusted", "", "--max-clients-per-ip", "2"]);
    let mut conn = web.open();
    place(&conn.ask("POST", "/sessions", &[], ""));
    assert_eq!(conn.ask("POST", "/sessions", &[], "").said(), "429 refused full-for-address");
    assert_eq!(conn.ask("GET", "/users", &[], "").said(), "200 user 127.0.0.1:web:; users_end 1");
}
