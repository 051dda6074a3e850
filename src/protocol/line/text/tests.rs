//! Lines of text, beside the same as objects.

use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::protocol::{Dialect, Stamp, render_public};

#[test]
fn a_new_name_is_told_in_every_dialect() {
    let who = |name: &str| Arc::new(Identity { name: name.to_owned(), addr: "[::1]:7".to_owned(), is_account: false });
    let shown = |old: &str, new: &str| {
        let event = PublicEvent::KnownAs { old: who(old), new: who(new) };
        Dialect::ALL.map(|dialect| {
            let mut line = Vec::new();
            render_public(
                &mut line,
                &event,
                Stamp { seq: Some(7), room: Some("lobby"), ..Stamp::private(Timestamp::UNIX_EPOCH) },
                dialect,
            );
            String::from_utf8(line).unwrap()
        })
    };
    let [zh, en, json, json_en, others @ ..] = shown("[::1]:7", "张三");
    let plain = [&zh, &en, &json, &json_en];
    assert_eq!(others[..4], plain.map(|line| line.replace('\n', "\r\n")));
    let stream = &others[4..8];
    assert_eq!((&stream[2], &stream[3]), (&json, &json_en));
    assert!(
        stream[..2]
            .iter()
            .zip([&zh, &en])
            .all(|(dated, line)| dated.ends_with(line.as_str()) && dated.starts_with("history|-|"))
    );
    assert_eq!(zh, "[[::1]:7][::1]:7 已改名为[张三]\n");
    assert_eq!(en, "[[::1]:7][::1]:7 is now [张三]\n");
    let (stamp, rest) =
        (r#"{"seq":7,"at":"1970-01-01T00:00:00.000Z""#, r#""verb":null,"account":null,"pos":null,"replay":null}"#);
    let from = r#""event":"known_as","from":{"name":"张三","addr":"[::1]:7"}"#;
    let fields = r#""text":null,"code":null,"old":"[::1]:7","count":null,"room":"lobby""#;
    assert_eq!(json, format!("{stamp},{from},{fields},{rest}\n"));
    assert_eq!(json_en, json);
    let [zh, en, ..] = shown("עומר", "ann");
    assert_eq!(zh, "[[::1]:7]\u{2068}עומר\u{2069} 已改名为[ann]\n");
    assert_eq!(en, "[[::1]:7]\u{2068}עומר\u{2069} is now [ann]\n");
}
