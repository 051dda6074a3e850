//! Rooms as transcripts.

use super::{
    super::*,
    origin,
    stage::{check, check_by},
};

#[test]
fn one_who_joins_is_told_first_and_speaks_there() {
    check("2 hi; 1 join|builds", "1< #builds >@1; 1< in builds 1");
    check("1 join|builds; 2 join|#builds", "1,2< #builds >@2; 2< in builds 2");
    check("3 hi; 1 join|builds; 2 join|builds; 1 hello", "1,2< #builds @1: hello");
    check("2 hi; 1 join|builds; 1 join|alerts; 1 hello", "1< #alerts @1: hello");
    check("2 hi; 1 join|builds; 1 join|lobby; 1 hello", "1,2< @1: hello");
    check("1 join|builds; 2 hello", "1,2< @2: hello");
}

#[test]
fn one_who_joins_again_only_speaks_there_again() {
    check("1 join|builds; 1 join|alerts; 1 join|BUILDS", "1< in builds 1");
    check("1 join|builds; 1 join|alerts; 1 join|Builds; 1 hi", "1< #builds @1: hi");
    check("2 hi; 1 join|lobby", "1< in lobby 2");
}

#[test]
fn one_who_speaks_into_a_room_need_not_be_there() {
    check("1 join|builds; 2 in|#builds|green", "1< #builds @2: green; 2< said in builds");
    check("1 join|builds; 2 in|builds|green; 2 hi", "1,2< @2: hi");
    check("1 join|builds; 1 in|lobby|hi", "1< @1: hi; 1< said in lobby");
    check("1 in|nowhere|hi", "< #nowhere @1: hi; 1< said in nowhere");
    check("1 in|nowhere|hi; 1 rooms", "1< lobby 1; 1< nowhere 0; 1< 2 rooms");
    check("1 in|builds|", "1< no: empty-text");
    check("1 in|a b|x", "1< no: room-invalid(space)");
    check("1 join|builds; 2 arrives to visit; 2 in|builds|green", "1< #builds @2: green; 2< said in builds");
}

#[test]
fn one_who_leaves_is_told_and_speaks_in_the_lobby_again() {
    check("1 join|builds; 2 join|builds; 1 leave|builds", "1,2< #builds <@1; 1< out of builds");
    check("2 hi; 1 join|builds; 1 leave|builds; 1 hi", "1,2< @1: hi");
    check("2 hi; 1 join|builds; 1 join|alerts; 1 leave|builds; 1 hi", "1< #alerts @1: hi");
    check("1 join|builds; 1 leave|builds; 1 leave|builds", "1< no: not-in-room");
    check("1 join|builds; 2 leave|builds", "2< no: not-in-room");
    check("1 leave|nowhere", "1< no: no-such-room");
}

#[test]
fn one_who_has_left_the_lobby_is_online_and_hears_nothing_of_it() {
    check("2 hi; 1 leave|lobby", "1,2< <@1; 1< out of lobby");
    check("2 hi; 1 leave|lobby; 2 hi", "2< @2: hi");
    check("2 hi; 1 leave|lobby; 1 hi", "1< not-in-room");
    check("2 hi; 1 leave|lobby; 2 who", "2< =@1; 2< =@2; 2< =2");
    check("2 hi; 1 leave|lobby; 1 join|builds; 1 hi", "1< #builds @1: hi");
    check("2 hi; 1 leave|lobby; 1 in|lobby|hi", "2< @1: hi; 1< said in lobby");
    check("2 hi; 1 leave|lobby; 1 leaves", "1 hung up: left");
    check("2 hi; 1 leave|lobby; 1 rename|ann", "1< @1 is ann@1");
    check("2 hi; 1 leave|lobby; 1 join|lobby", "2,1< >@1; 1< in lobby 2");
}

#[test]
fn each_room_is_told_of_a_departure_and_of_a_new_name() {
    let three = "1 join|builds; 2 join|builds; 1 join|alerts; 3 hi";
    check(
        &format!("{three}; 1 rename|ann"),
        "1< @1 is ann@1; (1),2,3< @1 is now ann@1; (1),2< #builds @1 is now ann@1; (1)< #alerts @1 is now ann@1",
    );
    check(&format!("{three}; 1 leaves"), "1 hung up: left; 2,3< -@1 left; 2< #builds -@1 left; < #alerts -@1 left");
    check(&format!("{three}; 2 visits"), "1,3< -@2 visit; 1< #builds -@2 visit");
}

#[test]
fn rooms_are_listed_in_order_of_names() {
    check("1 join|zoo; 1 join|Alerts; 2 join|zoo; 3 rooms", "3< Alerts 1; 3< lobby 3; 3< zoo 2; 3< 3 rooms");
    check("1 join|zoo; 1 topic|zoo|apes|cats; 2 rooms", "2< lobby 2; 2< zoo 1 apes|cats; 2< 2 rooms");
    check("1 join|zoo; 1 leave|zoo; 2 rooms", "2< lobby 2; 2< zoo 0; 2< 2 rooms");
}

#[test]
fn those_in_a_room_are_listed_in_order_of_arrival() {
    check("3 join|builds; 1 join|builds; 1 rename|ann; 2 who|#builds", "2< =ann@1; 2< =@3; 2< 2 in builds");
    check("1 join|builds; 1 leave|builds; 2 who|builds", "2< 0 in builds");
    check("1 arrives to visit; 1 join|builds; 2 who|builds", "2< =@1; 2< 1 in builds");
}

#[test]
fn a_topic_is_told_to_the_room_and_to_those_who_ask_or_come() {
    check("1 join|builds; 2 join|builds; 1 topic|builds|red", "1,2< #builds @1 topic: red; 1< topic of builds: red");
    check("1 join|builds; 2 topic|builds|red", "1< #builds @2 topic: red; 2< topic of builds: red");
    check("1 join|builds; 1 topic|builds|red; 2 topic|builds", "2< topic of builds: red");
    check("1 join|builds; 1 topic|builds|red; 2 join|builds", "1,2< #builds >@2; 2< in builds 2 red");
    check("1 join|builds; 1 topic|builds|red; 1 topic|builds|; 2 topic|builds", "2< topic of builds:");
    check("1 topic|lobby|welcome", "1< @1 topic: welcome; 1< topic of lobby: welcome");
    check("1 topic|nowhere", "1< no: no-such-room");
    check("1 topic|nowhere|x", "1< no: no-such-room");
    check(&format!("1 join|builds; 1 topic|builds|{}", "x".repeat(257)), "1< no: argument-too-long(256)");
    let longest = "x".repeat(256);
    check(
        &format!("1 join|builds; 1 topic|builds|{longest}; 1 topic|builds"),
        &format!("1< topic of builds: {longest}"),
    );
}

#[test]
fn a_name_is_that_of_one_room_however_it_is_written() {
    check("1 join|Builds; 2 in|ＢＵＩＬＤＳ|x", "1< #Builds @2: x; 2< said in Builds");
    check("1 join|builds; 2 join|bυilds", "2< no: room-confusable(builds)");
    check("1 join|builds; 2 in|bυilds|x", "2< no: room-confusable(builds)");
    check("1 join|lоbby", "1< no: room-confusable(lobby)");
    for (name, rule) in [
        ("", "empty"),
        ("#", "empty"),
        ("##a", "room-sign"),
        ("a b", "space"),
        ("a/b", "separator"),
        ("a⁄b", "separator"),
        ("a∕b", "separator"),
        ("a‚b", "separator"),
        ("a،b", "separator"),
        ("a,b", "separator"),
        ("a／b", "separator"),
        (".", "reserved"),
        ("..", "reserved"),
        ("@", "reserved"),
        ("10.0.0.1", "address"),
    ] {
        check(&format!("1 join|{name}"), &format!("1< no: room-invalid({rule})"));
    }
    check("1 join|...", "1< #... >@1; 1< in ... 1");
}

#[test]
fn waits_for_members_and_for_texts_in_a_room() {
    check(
        "1 wait|9|members|builds|2; 2 join|builds; 3 join|builds",
        "2,3< #builds >@3; 3< in builds 2; 1< met 2; 1 ready",
    );
    check("2 join|builds; 1 wait|9|members|#builds|1", "1< met 1");
    check("1 wait|9|members|builds|1; 2 join|alerts", "2< #alerts >@2; 2< in alerts 1");
    check("1 wait|9|in|builds|ok; 2 in|builds|all ok", "< #builds @2: all ok; 2< said in builds; 1< met ok; 1 ready");
    check("1 wait|9|in|builds|ok; 2 ok", "1,2< @2: ok");
    check("1 wait|9|in|lobby|ok; 2 ok", "1,2< @2: ok; 1< met ok; 1 ready");
    check("1 wait|9|in|lobby|ok; 2 to|@1|ok", "1< @2> ok");
    check("1 wait|9|text|ok; 2 join|builds; 2 ok", "2< #builds @2: ok");
    check("1 wait|9|text|ok; 2 to|@1|ok", "1< @2> ok; 1< met ok; 1 ready");
}

#[test]
fn what_is_waited_for_has_so_many_bytes() {
    let [longest, too_long] = [256, 257].map(|bytes| "x".repeat(bytes));
    for kind in ["user", "gone", "text", "in|builds"] {
        let refused = "1< argument-too-long(256)";
        check(&format!("1 wait|9|{kind}|{too_long}"), refused);
        check(&format!("1 wait|9|{kind}|{too_long}x"), refused);
    }
    check(&format!("1 wait|9|user|{longest}"), "");
    check(&format!("1 wait|9|gone|{longest}"), &format!("1< met {longest}"));
    check(&format!("1 wait|9|text|{longest}; 2 {longest}"), &format!("1,2< @2: {longest}; 1< met {longest}; 1 ready"));
}

fn limits(rooms_max: usize, per_client_max: usize) -> Rules {
    Rules { rooms: RoomLimits { rooms_max, per_client_max }, ..Rules::default() }
}

#[test]
fn the_room_that_has_been_silent_longest_is_forgotten_first() {
    let two = "1 join|a; 1 topic|a|x; 1 join|b; 1 topic|b|x; 1 leave|a; 1 leave|b";
    let listed = "2< b 0 x; 2< c 1; 2< lobby 2; 2< 3 rooms";
    check_by(limits(3, 9), &format!("{two}; 2 join|c; 2 rooms"), listed);
    let listed = "2< a 0 x; 2< c 1; 2< lobby 2; 2< 3 rooms";
    check_by(limits(3, 9), &format!("{two}; 2 in|a|hi; 2 join|c; 2 rooms"), listed);
    check_by(limits(2, 9), "1 join|a; 2 join|b", "2< no: too-many-rooms(2)");
    check_by(limits(2, 9), "1 join|a; 2 join|a", "1,2< #a >@2; 2< in a 2");
}

#[test]
fn who_keeps_most_rooms_loses_one_first() {
    let kept = "1 in|old|x; 11 in|new|x; 11 in|junk1|x; 11 in|junk2|x; ";
    let listed = "2< fresh 0; 2< junk1 0; 2< junk2 0; 2< lobby 4; 2< old 0; 2< 5 rooms";
    check_by(limits(5, 9), &format!("{kept}12 in|fresh|x; 2 rooms"), listed);
    let listed = "2< fresh 0; 2< junk2 0; 2< lobby 4; 2< more 0; 2< old 0; 2< 5 rooms";
    check_by(limits(5, 9), &format!("{kept}12 in|fresh|x; 11 in|more|x; 2 rooms"), listed);
    let used_again = "1 in|old|x; 1 in|newer|x; 11 in|a|x; 11 in|b|x; 1 in|old|y; ";
    let listed = "2< a 0; 2< b 0; 2< fresh 0; 2< lobby 4; 2< old 0; 2< 5 rooms";
    check_by(limits(5, 9), &format!("{used_again}12 in|fresh|x; 2 rooms"), listed);
}

#[test]
fn a_client_can_be_in_so_many_rooms() {
    check_by(limits(9, 2), "1 join|a; 1 join|b; 1 join|c", "1< no: too-many-rooms(2)");
    check_by(limits(9, 2), "1 join|a; 1 join|b; 1 join|a", "1< in a 1");
    check_by(limits(9, 2), "1 join|a; 1 join|b; 1 leave|a; 1 join|c", "1< #c >@1; 1< in c 1");
    check_by(limits(9, 2), "1 join|a; 1 join|b; 1 join|c|last|5", "1< no: too-many-rooms(2)");
    check_by(limits(9, 2), "1 join|a; 1 join|b; 11 join|c; 1 join|c", "1< no: too-many-rooms(2)");
}

#[test]
fn an_address_keeps_so_many_rooms_without_members_that_it_has_made() {
    let left = |client, name: &str| format!("{client} join|{name}; {client} topic|{name}|x; {client} leave|{name}; ");
    let three = left(1, "a") + &left(1, "b") + &left(2, "c");
    check_by(limits(9, 2), &format!("{three}2 rooms"), "2< b 0 x; 2< c 0 x; 2< lobby 2; 2< 3 rooms");
    check_by(limits(9, 2), &format!("{three}2 topic|b|y; 2 in|d|x"), "2< no: too-many-rooms(2)");
    check_by(limits(9, 2), &format!("{three}11 in|d|x"), "< #d @11: x; 11< said in d");
    let busy = left(1, "a") + &left(1, "b") + "2 in|a|x; " + &left(1, "c");
    check_by(limits(9, 2), &format!("{busy}2 rooms"), "2< a 0 x; 2< c 0 x; 2< lobby 2; 2< 3 rooms");
    let other = left(1, "a") + &left(1, "b") + &left(11, "c");
    let listed = "2< a 0 x; 2< b 0 x; 2< c 0 x; 2< lobby 3; 2< 4 rooms";
    check_by(limits(9, 2), &format!("{other}2 rooms"), listed);
    let trusted = Rules { trusted: vec!["10.0.0.0/8".parse().unwrap()], ..limits(9, 2) };
    let listed = "2< a 0 x; 2< b 0 x; 2< c 0 x; 2< lobby 2; 2< 4 rooms";
    check_by(trusted.clone(), &format!("{three}2 rooms"), listed);
    check_by(trusted, "1 in|a|x; 1 in|b|x; 1 in|c|x", "1< no: too-many-rooms(2)");
}

#[test]
fn an_address_makes_so_many_rooms_and_none_of_others_is_forgotten_for_more() {
    let others = "11 in|old|x; 1 join|a; 2 join|b; ";
    check_by(limits(4, 2), &format!("{others}3 join|c"), "3< no: too-many-rooms(2)");
    check_by(
        limits(4, 2),
        &format!("{others}2 leave|b; 3 join|c; 3 rooms"),
        "3< a 1; 3< c 1; 3< lobby 4; 3< old 0; 3< 4 rooms",
    );
}

#[test]
fn a_room_stays_while_it_has_members_a_topic_or_a_history() {
    check("1 join|a; 1 leave|a; 2 in|b|x; 2 rooms", "2< a 0; 2< b 0; 2< lobby 2; 2< 3 rooms");
    let forgetful =
        || Rules { recent: RecentLimits { per_room_max: 0, ..RecentLimits::default() }, ..Rules::default() };
    check_by(forgetful(), "1 join|a; 1 leave|a; 2 in|b|x; 2 rooms", "2< lobby 2; 2< 1 rooms");
    check_by(forgetful(), "1 join|a; 1 leave|a; 1 leave|a", "1< no: no-such-room");
    let topic = "1 join|a; 1 topic|a|red; 1 leave|a; ";
    check_by(forgetful(), &format!("{topic}2 rooms"), "2< a 0 red; 2< lobby 2; 2< 2 rooms");
    check_by(forgetful(), &format!("{topic}2 join|a"), "2< #a >@2; 2< in a 1 red");
    check_by(forgetful(), &format!("{topic}2 topic|a|; 2 rooms"), "2< lobby 2; 2< 1 rooms");
    let little = Rules { recent: RecentLimits { bytes_max: 1500, ..RecentLimits::default() }, ..Rules::default() };
    let long = "x".repeat(900);
    check_by(little, &format!("1 in|a|{long}; 1 in|b|{long}; 2 rooms"), "2< b 0; 2< lobby 2; 2< 2 rooms");
}

#[test]
fn those_are_counted_who_will_be_told_of_a_command() {
    let mut chat = Chat::new(Rules::default(), Epoch::from_random(0));
    let join = |room: &str| Command::Join { room: room.to_owned(), start: None };
    let mut input =
        |input| chat.handle(Entry { now: Duration::ZERO, at: Timestamp::UNIX_EPOCH, input }, &mut Vec::new());
    for client in 1..=3 {
        input(Input::Arrive(ClientId(client.into()), origin([10, 0, 0, 1], client)));
    }
    for client in [1, 2] {
        input(Input::Command(ClientId(client), Load::Light, join("two")));
    }
    let [room, text] = ["two", "hi"].map(str::to_owned);
    let topic = |text| Command::Topic { room: "two".to_owned(), text };
    for (client, command, audience) in [
        (1, Command::Say("hi".to_owned()), 2),
        (3, Command::Say("hi".to_owned()), 3),
        (3, Command::In { room, text: text.clone() }, 2),
        (3, join("two"), 2),
        (3, join("none"), 0),
        (1, Command::Leave("two".to_owned()), 2),
        (3, topic(Some(text)), 2),
        (3, topic(None), 0),
        (1, Command::Rename("ann".to_owned()), 5),
        (3, Command::Rename("ann".to_owned()), 3),
        (1, Command::Who, 0),
        (9, Command::Say("hi".to_owned()), 0),
    ] {
        assert_eq!(chat.audience(ClientId(client), &command), audience, "{client} {command:?}");
    }
}

#[test]
fn many_rooms_and_many_members_are_listed_in_pieces() {
    let mut chat = Chat::new(limits(10_000, 1000), Epoch::from_random(0));
    let mut out = Vec::new();
    let mut input = |input, out: &mut Vec<Output>| {
        out.clear();
        chat.handle(Entry { now: Duration::ZERO, at: Timestamp::UNIX_EPOCH, input }, out);
        chat.deadline()
    };
    let command = |client, command| Input::Command(ClientId(client), Load::Light, command);
    for client in 1..=200 {
        input(Input::Arrive(ClientId(client), origin([10, 0, 0, 1], u16::try_from(client).unwrap())), &mut out);
        input(command(client, Command::Join { room: "all".to_owned(), start: None }), &mut out);
        input(command(client, Command::Join { room: format!("own-{client}"), start: None }), &mut out);
    }
    for (asked, items, last) in
        [(Command::Rooms, 202, Done::Rooms(202)), (Command::WhoIn("all".to_owned()), 200, Done::Who("all".into(), 200))]
    {
        let (mut told, mut deadline) = (Vec::new(), input(command(7, asked), &mut out));
        assert_eq!(out, [], "it begins in its turn");
        while deadline.is_some() {
            assert!(out.len() <= 66, "{} at once", out.len());
            told.append(&mut out);
            deadline = input(Input::Continue, &mut out);
        }
        told.append(&mut out);
        assert_eq!(told.len(), items + 2);
        assert_eq!(told[items..], [Output::tell(ClientId(7), Event::Done(last)), Output::Ready(ClientId(7))]);
    }
}

#[test]
fn who_keeps_rooms_for_itself_follows_what_is_trusted_now() {
    let rooms = RoomLimits { per_client_max: 1, ..RoomLimits::default() };
    let rules = Rules { rooms, trusted: vec!["10.0.0.0/8".parse().unwrap()], ..Rules::default() };
    let told = |script: &str, told: &str| check_by(rules.clone(), script, told);
    told("1 in|a|x; 2 in|b|x", "< #b @2: x; 2< said in b");
    told("1 knows that nobody is trusted; 1 in|a|x; 2 in|b|x", "2< no: too-many-rooms(1)");
}
