//! What holds of requests over HTTP, whatever bytes a client sends and however they are cut.

use pipechat::protocol::http::{AskedAs, Guard, HEAD_BYTES_MAX, Head, Item, Request, Requests};

/// Short, so that lines that are too long are found soon.
const LINE_MAX: usize = 64;
/// What a body may hold beside a line: the line before a chunk, and what these are kept in.
const BODY_BYTES_MAX: usize = 1 << 10;

/// Lets a client send `bytes`, in packets of `packet` bytes, and panics where something does not hold.
pub(crate) fn check(bytes: &[u8], packet: usize) {
    let packet = packet.max(1);
    let items = items_of(bytes, packet);
    assert_eq!(items, items_of(bytes, bytes.len().max(1)), "in packets of {packet} as in one");
    if bytes.len() < 1000 {
        assert_eq!(items, items_of(bytes, 1), "in packets of {packet} as byte by byte"); // each byte has the head looked at again
    }
}

/// What comes of the bytes, in short.
pub(crate) fn items_of(bytes: &[u8], packet: usize) -> Vec<String> {
    let (mut requests, mut items) = (Requests::new(LINE_MAX), Vec::new());
    for packet in bytes.chunks(packet) {
        requests.received(packet);
        loop {
            match requests.take() {
                Ok(Item::Incomplete) => break,
                Ok(Item::Head(head)) => {
                    look_at(&head);
                    items.push(format!("{:?} {:?} {:?}", head.method, head.target, head.length));
                }
                Ok(Item::Line(Ok(line))) => {
                    assert!(line.len() <= LINE_MAX && !line.contains(['\n', '\0']), "{line:?}");
                    items.push(format!("> {line}"));
                }
                Ok(Item::Line(Err(error))) => items.push(format!("! {}", error.code())),
                Ok(Item::End) => items.push("end".to_owned()),
                Err(problem) => {
                    assert!((400..600).contains(&problem.status()));
                    requests.take().expect_err("what was wrong stays wrong");
                    items.push(format!("! {}", problem.code()));
                    return items;
                }
            }
        }
        // A vector that grows may take twice what it holds.
        let held_max = 2 * (HEAD_BYTES_MAX + packet.len() + LINE_MAX) + BODY_BYTES_MAX;
        assert!(requests.held_bytes() <= held_max, "{} bytes are held", requests.held_bytes());
    }
    items
}

/// It is understood or refused.
fn look_at(head: &Head) {
    let guard = Guard { hosts: vec!["chat.example.org".to_owned()], origins: vec!["https://a.b".to_owned()] };
    guard.check(head).ok();
    AskedAs::of(head).map(AskedAs::command).ok();
    match Request::of(head) {
        Ok(Request::Past(past)) => drop(past.command()),
        Ok(_) => {}
        Err(problem) => assert!((400..600).contains(&problem.status())),
    }
}
