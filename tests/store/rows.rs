//! What is kept, as the file has it and as clients in JSON are told it.

use common::{Client, Received};
use rusqlite::Connection;
use serde_json::Value;

/// A row of the view `log`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) n: u64,
    pub(crate) at: String,
    pub(crate) room: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) addr: String,
    pub(crate) text: Option<String>,
}

impl Row {
    /// All rows of a file.
    #[track_caller]
    pub(crate) fn all(file: &Connection) -> Vec<Self> {
        let mut query =
            file.prepare("select n, at, room, kind, name, addr, text from log order by n").expect("a store");
        let rows = query.query_map([], |row| {
            Ok(Self {
                n: row.get::<_, i64>(0)?.try_into().expect("positive"),
                at: row.get(1)?,
                room: row.get(2)?,
                kind: row.get(3)?,
                name: row.get(4)?,
                addr: row.get(5)?,
                text: row.get(6)?,
            })
        });
        rows.and_then(Iterator::collect).expect("rows as documented")
    }

    /// The row of a line in JSON, if it tells something that is kept, or was.
    pub(crate) fn told(line: &str) -> Option<Self> {
        let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        let text = |key: &str| object[key].as_str().map(str::to_owned);
        let (n, _) = object["pos"].as_str()?.split_once('.')?;
        let from = &object["from"];
        let from = |key: &str| from[key].as_str().map(str::to_owned);
        let (kind, name, said) = match object["event"].as_str()? {
            "message" => ("message", from("name")?, text("text")?),
            "topic" => ("topic", from("name")?, format!("topic: {}", text("text")?)),
            "joined" => ("joined", from("name")?, "has joined".to_owned()),
            "left" => ("left", from("name")?, "has left".to_owned()),
            "online" => ("online", from("name")?, "is online".to_owned()),
            "offline" => ("offline", from("name")?, format!("is offline ({})", text("code")?)),
            "known_as" => ("renamed", text("old")?, format!("is now {}", from("name")?)),
            _ => return None, // an answer
        };
        let n = n.parse().unwrap_or_else(|_| panic!("a position: {line}"));
        let kind = kind.to_owned();
        Some(Self { n, at: text("at")?, room: text("room")?, kind, name, addr: from("addr")?, text: Some(said) })
    }

    /// What a client in JSON is told until the connection ends, with its position.
    #[track_caller]
    pub(crate) fn told_to_the_end(client: &mut Client) -> Vec<Self> {
        let mut rows = Vec::new();
        loop {
            match client.receive(common::DEADLINE) {
                Received::Line(line) => rows.extend(Self::told(&line)),
                Received::Eof | Received::Reset | Received::Unfinished(_) => return rows,
                Received::Nothing => panic!("{} is told nothing, and the connection does not end", client.name),
            }
        }
    }
}

/// Has a client in JSON ask for history, or join with it. Returns what it is told until the answer of this verb, and that.
#[track_caller]
pub(crate) fn ask_json(client: &mut Client, question: &str, verb: &str) -> (Vec<Row>, Value) {
    client.say(question);
    let mut rows = Vec::new();
    loop {
        let line = client.line();
        let object: Value = serde_json::from_str(&line).expect("JSON");
        if object["verb"].as_str() == Some(verb) {
            return (rows, object);
        }
        rows.extend(Row::told(&line));
    }
}

/// These rows have growing numbers.
#[track_caller]
pub(crate) fn assert_grow(rows: &[Row]) {
    for pair in rows.windows(2) {
        assert!(pair[0].n < pair[1].n, "one position behind the other: {pair:?}");
    }
}

/// Fails with the first difference; whole lists are too long to read.
#[track_caller]
pub(crate) fn assert_same(told: &[Row], kept: &[Row], who: &str) {
    let differs = told.iter().zip(kept).position(|(told, kept)| told != kept);
    let place = differs.unwrap_or(told.len().min(kept.len()));
    let around = place.saturating_sub(2)..place + 3;
    let near = |rows: &[Row]| rows.iter().take(around.end).skip(around.start).cloned().collect::<Vec<_>>();
    assert!(
        differs.is_none() && told.len() == kept.len(),
        "{who}: {} rows were told, {} are kept; at {place}: told {:#?}, kept {:#?}",
        told.len(),
        kept.len(),
        near(told),
        near(kept)
    );
}
