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
        bob.expect(&format!("[{}]李四:hi", ann.addr));
        bob.say("who");
        bob.expect("[李四] is online");
        bob.expect("[bob] is online");
        bob.nothing();
    });
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
        ann.say("rename|Ann");
        ann.expect(&texts.renamed("ann", "Ann"));
        ann.say("rename|zoe");
        ann.expect(&texts.renamed("Ann", "zoe"));
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
        bob.nothing();
    });
}
