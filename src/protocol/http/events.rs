//! Server-sent events, as browsers read them (WHATWG HTML, 9.2): an id, and lines of data.

use std::{fmt::Display, time::Duration};

/// What tells one who reads a stream that the server is there, between events.
pub const COMMENT: &[u8] = b":\n\n";
/// How often that is told. Proxies and browsers give up on what is silent for a minute.
pub const COMMENT_INTERVAL: Duration = Duration::from_secs(15);

const DATA: &[u8] = b"data: ";

/// Makes an event of the lines that `render` appends, each with its LF; nothing where it appends nothing.
pub fn event(out: &mut Vec<u8>, id: Option<impl Display>, render: impl FnOnce(&mut Vec<u8>)) {
    let from = out.len();
    if let Some(id) = id {
        out.extend_from_slice(format!("id: {id}\n").as_bytes());
    }
    let mut at = out.len();
    render(out);
    if at == out.len() {
        return out.truncate(from);
    }
    while at < out.len() {
        out.splice(at..at, DATA.iter().copied());
        at += memchr::memchr(b'\n', &out[at..]).map_or(out.len(), |length| length + 1);
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_data_of_one_event() {
        let events = |lines: &[&str]| {
            let mut out = b"before".to_vec();
            for (n, lines) in lines.iter().enumerate() {
                event(&mut out, (n > 0).then_some(n), |out| out.extend_from_slice(lines.as_bytes()));
            }
            String::from_utf8(out).expect("UTF-8")
        };
        assert_eq!(events(&["a\n", "b\nc\n", ""]), "beforedata: a\n\nid: 1\ndata: b\ndata: c\n\n");
    }
}
