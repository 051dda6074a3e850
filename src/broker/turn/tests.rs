use super::*;

/// What a client in this format is told of a turn in which one event is for all except it.
fn told(format: Format) -> Vec<String> {
    let (mut turn, memory) = (Turn::new(), Memory::new(0));
    let say = |text: &str| Event::WaitMet(text.to_owned());
    let [mut client, mut other] = [(); 2].map(|()| Listener::new(Dialect { format, ..Dialect::default() }));
    turn.listen(&mut client);
    turn.listen(&mut other);
    turn.publish(RoomId::LOBBY, Some(1), &say("before"));
    turn.publish_except(&mut client, RoomId::LOBBY, Some(2), &say("except"));
    turn.publish(RoomId::LOBBY, Some(3), &say("after"));
    let public = turn.end(&memory);
    [client, other]
        .map(|mut listener| {
            let mut bytes = Vec::new();
            listener.take(&public, &memory, |parts| parts.iter().for_each(|part| bytes.extend_from_slice(&part.bytes)));
            String::from_utf8(bytes).unwrap()
        })
        .into()
}

#[test]
fn in_text_exactly_the_event_is_left_out() {
    assert_eq!(
        told(Format::Text),
        ["wait|ok|before\nwait|ok|after\n", "wait|ok|before\nwait|ok|except\nwait|ok|after\n"]
    );
}

#[test]
fn in_json_no_number_is_missing() {
    let [client, other] = &told(Format::Json)[..] else { panic!("two clients") };
    assert_eq!(client, other);
    assert_eq!(client.lines().count(), 3, "{client}");
}
