//! Visitors: they speak without being here.

use common::Server;

use crate::in_both;

#[test]
fn a_visitor_is_never_announced_and_is_told_only_what_is_for_it() {
    in_both(&[], |server, texts| {
        let mut ann = server.join("ann");
        let mut ci = server.dial();
        ci.say("visit");
        ci.expect(texts.set_visit);
        ci.say("rename|ci\nbuild 1\nsync|1");
        ci.expect(&texts.renamed(&ci.addr, "ci"));
        ci.expect("sync|1");
        ann.expect(&format!("[{}]ci:build 1", ci.addr));
        ann.say("who\nto|ci|well done\nhello");
        ann.expect("[ann] is online");
        ann.expect(&format!("[{}]ann:hello", ann.addr));
        ci.expect(&texts.private("ann", "well done"));
        ci.nothing();
        ci.say("quit");
        ci.expect(texts.goodbye);
        ci.eof();
        ann.nothing();
    });
}

#[test]
fn one_who_visits_from_now_on_is_gone_for_the_others() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        ann.fence();
        bob.say("visit\nvisit\nstill here");
        bob.expect(texts.set_visit);
        bob.expect(texts.set_visit);
        ann.expect(&format!("[{}]bob:{}", bob.addr, texts.offline));
        ann.expect(&format!("[{}]bob:still here", bob.addr));
        bob.nothing();
    });
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    ann.say("format|json");
    ann.fence_anywhere();
    bob.say("visit");
    let offline = ann.line();
    assert!(offline.contains(r#""event":"offline""#) && offline.contains(r#""code":"visit""#), "{offline}");
}

#[test]
fn a_visitor_that_ends_at_once_has_spoken() {
    in_both(&[], |server, texts| {
        let mut ann = server.join("ann");
        let mut ci = server.dial();
        ci.send(b"visit\nto|ann|go\nbuild 2\n");
        let addr = ci.addr.clone();
        ci.reset();
        ann.expect(&texts.private(&addr, "go"));
        ann.expect(&format!("[{addr}]{addr}:build 2"));
        ann.nothing();
    });
}

#[test]
fn a_private_message_reaches_all_visitors_of_a_name() {
    in_both(&[], |server, texts| {
        let mut ann = server.join("ann");
        let mut visitors = ["one", "two"].map(|token| {
            let mut visitor = server.dial();
            visitor.say(&format!("visit\nrename|ci\nsync|{token}"));
            visitor.expect(texts.set_visit);
            visitor.expect(&texts.renamed(&visitor.addr, "ci"));
            visitor.expect(&format!("sync|{token}"));
            visitor
        });
        ann.say("to|ci|go\nrename|ci");
        ann.expect(texts.name_taken);
        for visitor in &mut visitors {
            visitor.expect(&texts.private("ann", "go"));
        }
    });
}
