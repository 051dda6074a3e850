//! Requests of several lines, which have one result.

use super::*;
use crate::{
    broker::{Credit, Inbox, QueueItem},
    protocol::{FormError, Refused, Reply},
};

/// A visitor that speaks.
struct Visitor {
    broker: Broker,
    chat: Chat,
    inbox: Inbox,
}

impl Visitor {
    fn new() -> Self {
        let (config, memory) = (Config::default(), Memory::new(1 << 30));
        let chat = Chat::new(config.rules(), Epoch::from_random(0));
        let mut broker = Broker::new(config, Arc::clone(&memory), Rc::default(), Rc::default());
        let (outbox, inbox) = outbox(None, memory);
        broker.accept(Request::Connect(ClientId(1), loopback(), outbox), Duration::ZERO);
        broker.accept(Request::Batch(ClientId(1), Batch { steps: vec![Step::Visit], lines: 0 }), Duration::ZERO);
        Self { broker, chat, inbox }
    }

    /// Has these steps done as the lines of one request. Answers what was said, and the credit.
    fn ask(&mut self, stops_at_refusal: bool, lines: Vec<Step>) -> (Vec<String>, Credit) {
        let count = lines.len();
        let steps = [Step::Request { stops_at_refusal }].into_iter().chain(lines).collect();
        self.broker.accept(Request::Batch(ClientId(1), Batch { steps, lines: count }), Duration::ZERO);
        let mut said = Vec::new();
        while self.broker.has_work() {
            said.extend(turn(&mut self.broker, &mut self.chat).into_iter().filter_map(|input| match input {
                Input::Command(_, _, Command::In { text, .. }) => Some(text),
                _ => None,
            }));
            self.broker.flush(&self.chat, Duration::ZERO);
        }
        let credits = std::iter::from_fn(|| self.inbox.try_next()).filter_map(|item| match item {
            QueueItem::Credit(credit) => Some(credit),
            QueueItem::Bytes(_) | QueueItem::End(_) => None,
        });
        let mut credits: Vec<_> = credits.collect();
        assert_eq!(credits.len(), 1, "{credits:?} is not one credit");
        (said, credits.remove(0))
    }
}

fn say(text: &str) -> Step {
    Step::Command(Command::In { room: "x".to_owned(), text: text.to_owned() })
}

/// What the chat refuses.
fn to_nobody() -> Step {
    Step::Command(Command::Private { to: "nobody".to_owned(), text: "hi".to_owned() })
}

/// What is refused for its form alone.
fn no_line() -> Step {
    Step::Reply(Reply::Refused(FormError::Nul))
}

fn code(credit: Credit) -> Option<&'static str> {
    match credit.outcome?.refused? {
        Refused::Chat(refusal) => Some(refusal.code()),
        Refused::Form(error) => Some(error.code()),
    }
}

#[test]
fn what_follows_a_refused_line_is_left_out_and_the_credit_tells() {
    let mut visitor = Visitor::new();
    for (refused, expected) in [(to_nobody(), "no-such-user"), (no_line(), "nul")] {
        let (said, credit) = visitor.ask(true, vec![say("a"), refused, say("b"), no_line(), say("c")]);
        assert_eq!((said, code(credit)), (vec!["a".to_owned()], Some(expected)));
    }
    let (said, credit) = visitor.ask(true, vec![say("a"), say("b")]);
    assert_eq!((said.len(), code(credit)), (2, None), "each request has a result of its own");
    let (said, credit) = visitor.ask(true, vec![say("a"), to_nobody()]);
    assert_eq!((said.len(), code(credit)), (1, Some("no-such-user")), "also where it is the last");
}

#[test]
fn all_is_done_where_a_refusal_does_not_stop_it_and_the_credit_tells_the_first() {
    let mut visitor = Visitor::new();
    let (said, credit) = visitor.ask(false, vec![say("a"), no_line(), say("b"), to_nobody(), say("c")]);
    assert_eq!((said, code(credit)), (["a", "b", "c"].map(str::to_owned).to_vec(), Some("nul")));
}

#[test]
fn what_was_left_out_is_held_no_more() {
    let mut visitor = Visitor::new();
    let before = visitor.broker.memory.used();
    let lines = [no_line()].into_iter().chain((0..200).map(|_| say(&"x".repeat(1000)))).collect();
    let (said, _) = visitor.ask(true, lines);
    assert!(said.is_empty());
    assert!(visitor.broker.memory.used() <= before + 1000, "{} bytes", visitor.broker.memory.used() - before);
}

#[test]
fn a_client_that_reads_again_is_looked_at_when_that_is_told() {
    let mut visitor = Visitor::new();
    let text = "x".repeat(4000);
    for _ in 0..100 {
        visitor.broker.accept(
            Request::Batch(ClientId(1), Batch { steps: vec![Step::Command(Command::Sync(text.clone()))], lines: 1 }),
            Duration::ZERO,
        );
        turn(&mut visitor.broker, &mut visitor.chat);
        visitor.broker.flush(&visitor.chat, Duration::ZERO);
    }
    assert!(!visitor.inbox.gauge().take_relief(), "400 KB wait");
    while let Some(item) = visitor.inbox.try_next() {
        if let QueueItem::Bytes(item) = item {
            visitor.inbox.gauge().release(item.bytes.len(), item.told.is_private());
            visitor.inbox.gauge().release_item();
        }
    }
    assert!(visitor.inbox.gauge().take_relief(), "it is to be told that nothing waits");
    assert!(!visitor.broker.urgent.iter().any(|input| matches!(input, Input::Congested(..))));
    visitor.broker.accept(Request::Relieved(ClientId(1)), Duration::ZERO);
    assert!(visitor.broker.urgent.iter().any(|input| matches!(input, Input::Congested(..))), "so that the chat knows");
}
