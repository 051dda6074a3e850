//! `rename`.

use common::{LONG_NAME, PUNCTUATION};

use crate::in_both;

#[test]
fn a_rename_is_confirmed_and_applies_from_the_next_line() {
    in_both(&[], |server, texts| {
        let mut ann = server.connect();
        let mut bob = server.join("bob");
        ann.fence();
        ann.say("rename|张三");
        ann.expect(&texts.renamed(&ann.addr, "张三"));
        ann.say("rename|李四");
        ann.expect(&texts.renamed("张三", "李四"));
        ann.say("hi");
        ann.expect(&format!("[{}]李四:hi", ann.addr));
        let names = [[&ann.addr, "张三"], ["张三", "李四"]];
        names.iter().for_each(|[old, new]| bob.expect(&texts.known_as(&ann.addr, old, new)));
        bob.expect(&format!("[{}]李四:hi", ann.addr));
        bob.say("who");
        bob.expect("[李四] is online");
        bob.expect("[bob] is online");
        bob.nothing();
    });
}

#[test]
fn a_rename_is_told_once_to_each_in_its_own_format() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob, mut cid] = server.join_all(["ann", "bob", "cid"]);
        cid.say("format|json");
        cid.fence_anywhere();
        ann.send("one\nrename|李四\ntwo\nrename|李四\nrename|zoe\nthree\n".as_bytes());
        // What Ann reads is the answers alone, in their places; the second one answers a rename that changes nothing.
        let said = |name: &str, text: &str| format!("[{}]{name}:{text}", ann.addr);
        let lines = [said("ann", "one"), said("李四", "two"), said("zoe", "three")];
        let told = [("ann", "李四"), ("李四", "zoe")].map(|(old, new)| texts.known_as(&ann.addr, old, new));
        for line in [&lines[0], &told[0], &lines[1], &told[1], &lines[2]] {
            bob.expect(line);
        }
        bob.nothing();
        let answers = [("ann", "李四"), ("李四", "李四"), ("李四", "zoe")].map(|(old, new)| texts.renamed(old, new));
        for line in [&lines[0], &answers[0], &lines[1], &answers[1], &answers[2], &lines[2]] {
            ann.expect(line);
        }
        ann.nothing();
        let numbers =
            ["message", "known_as", "message", "known_as", "message"].map(|event| numbered(&cid.line(), event));
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
    });
}

#[test]
fn in_json_the_one_who_renames_gets_both_the_answer_and_the_numbered_event() {
    in_both(&[], |server, _| {
        let mut ann = server.join("ann");
        ann.say("format|json");
        ann.fence_anywhere();
        ann.send(b"one\nrename|zoe\ntwo\n");
        let one = numbered(&ann.line(), "message");
        let answer = ann.line();
        let both = format!(r#""from":{{"name":"zoe","addr":"{}"}},"text":null,"code":null,"old":"ann","#, ann.addr);
        assert!(answer.starts_with(r#"{"seq":null,"#) && answer.contains(r#""event":"renamed","#), "{answer}");
        assert!(answer.contains(&both), "{answer}");
        let event = ann.line();
        assert_eq!(numbered(&event, "known_as"), one + 1);
        assert!(event.contains(&both), "{event}");
        assert_eq!(numbered(&ann.line(), "message"), one + 2);
    });
}

/// The number of an object of this event.
fn numbered(line: &str, event: &str) -> u64 {
    assert!(line.contains(&format!(r#""event":"{event}","#)), "{line}");
    let number =
        line.strip_prefix(r#"{"seq":"#).and_then(|rest| rest.split_once(',')).map(|(number, _)| number.parse());
    number.expect("an object with a number").expect("a number")
}

#[test]
fn a_taken_name_is_refused_and_a_released_one_is_free() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        for taken in ["ann", "ANN", "ａｎｎ"] {
            bob.say(&format!("rename|{taken}"));
            bob.expect(texts.name_taken);
        }
        bob.say("rename|аnn"); // with a Cyrillic а
        bob.expect(&texts.name_confusable("ann"));
        bob.say("who");
        bob.expect("[ann] is online");
        bob.expect("[bob] is online");
        ann.nothing();
        ann.say("rename|Ann");
        ann.expect(&texts.renamed("ann", "Ann"));
        bob.expect(&texts.known_as(&ann.addr, "ann", "Ann"));
        ann.say("rename|zoe");
        ann.expect(&texts.renamed("Ann", "zoe"));
        bob.expect(&texts.known_as(&ann.addr, "Ann", "zoe"));
        bob.say("rename|ann");
        bob.expect(&texts.renamed("bob", "ann"));
        let gone = format!("[{}]zoe:{}", ann.addr, texts.offline);
        drop(ann);
        bob.expect(&gone);
        bob.say("rename|zoe");
        bob.expect(&texts.renamed("ann", "zoe"));
    });
}

#[test]
fn what_runs_from_right_to_left_is_isolated() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        ann.say("rename|עומר");
        ann.expect(&texts.renamed("ann", "\u{2068}עומר\u{2069}"));
        bob.expect(&texts.known_as(&ann.addr, "ann", "\u{2068}עומר\u{2069}"));
        ann.say("שלום 1");
        let said = format!("[{}]\u{2068}עומר\u{2069}:\u{2068}שלום 1\u{2069}", ann.addr);
        ann.expect(&said);
        bob.expect(&said);
        ann.say("to|bob|שלום 1");
        bob.expect(&texts.private("\u{2068}עומר\u{2069}", "\u{2068}שלום 1\u{2069}"));
        bob.say("to|עומר|hi"); // as it was written, without the isolates
        ann.expect(&texts.private("bob", "hi"));
        bob.say("who");
        bob.expect("[\u{2068}עומר\u{2069}] is online");
        bob.expect("[bob] is online");
    });
}

#[test]
fn an_invalid_name_is_refused_with_the_rule_that_it_breaks() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        for (name, rule) in texts.name_rules {
            ann.say(&format!("rename|{name}"));
            ann.expect(&texts.name_invalid(rule));
        }
        for name in ["a[b", "a]b", "a:b", "|", "："] {
            ann.say(&format!("rename|{name}"));
            ann.expect(&texts.name_invalid(texts.name_rules[PUNCTUATION].1));
        }
        ann.say(&format!("rename|{}", &LONG_NAME[1..]));
        ann.expect(&texts.renamed("ann", &LONG_NAME[1..]));
        ann.nothing();
        bob.expect(&texts.known_as(&ann.addr, "ann", &LONG_NAME[1..]));
        bob.nothing();
    });
}
