//! Work that the chat does in pieces, as the broker schedules it. In the world there are too few clients for that.

use std::{net::SocketAddr, rc::Rc, sync::Arc, time::Duration};

use jiff::Timestamp;
use pipechat::{
    Config,
    broker::{Broker, Memory, Request, outbox},
    chat::{Chat, ClientId, Command, Epoch, Input, Output, WaitFor},
    protocol::{Batch, Step},
};

const NOW: Duration = Duration::ZERO;
const SPEAKER: ClientId = ClientId(1);
const OTHER: ClientId = ClientId(2);
/// So many clients wait for texts so long that one text is compared with all of them in several pieces.
const WAITERS: u64 = 200;
const TEXT_BYTES: usize = 4000;
const TURNS_MAX: usize = 100;

fn say(text: &str) -> Step {
    Step::Command(Command::Say(text.to_owned()))
}

/// Has these done, and what the other says while the chat is at the long text, and answers what went into the chat, and who was ready when.
fn serve(broker: &mut Broker, chat: &mut Chat, batches: Vec<(ClientId, Vec<Step>)>) -> Vec<String> {
    for (client, steps) in batches {
        broker.accept(Request::Batch(client, Batch { lines: steps.len(), steps }), NOW);
    }
    let (mut log, mut out) = (Vec::new(), Vec::new());
    for _ in 0..TURNS_MAX {
        broker.begin_turn(Timestamp::UNIX_EPOCH);
        while let Some(entry) = broker.next_entry(NOW, chat) {
            match &entry.input {
                Input::Command(client, _, Command::Say(text)) if text.len() == TEXT_BYTES => {
                    log.push(format!("{client}: much"));
                    let steps = vec![say("between"), say("and again")];
                    broker.accept(Request::Batch(OTHER, Batch { lines: 2, steps }), NOW);
                }
                Input::Command(client, _, Command::Say(text)) => log.push(format!("{client}: {text}")),
                Input::Continue => log.push("continue".to_owned()),
                Input::Command(..)
                | Input::Arrive(..)
                | Input::Visit(..)
                | Input::Eof(_)
                | Input::Broken(_)
                | Input::End(..)
                | Input::Congested(..)
                | Input::Shrink(_)
                | Input::Answered(..)
                | Input::Verified(..)
                | Input::Accounts(_)
                | Input::Bans(_)
                | Input::Trusted(_)
                | Input::StoreDown
                | Input::StoreUp
                | Input::ShutDown => {}
            }
            let comes = matches!(entry.input, Input::Arrive(..));
            chat.handle(entry, &mut out);
            for output in &out {
                if let (Output::Ready(client), false) = (output, comes) {
                    log.push(format!("{client} is ready"));
                }
            }
            broker.apply(&mut out);
        }
        broker.flush(chat, NOW);
        if !broker.has_work() && chat.deadline() != Some(Duration::ZERO) {
            return log;
        }
    }
    panic!("not done after {TURNS_MAX} turns: {log:?}");
}

#[test]
fn long_work_holds_back_the_one_whose_it_is_and_nobody_else() {
    let config = Config::default();
    let memory = Memory::new(config.memory_max);
    let (mut chat, mut broker) = (
        Chat::new(config.rules(), Epoch::from_random(0)),
        Broker::new(config, Arc::clone(&memory), Rc::default(), Rc::default()),
    );
    let mut inboxes = Vec::new();
    let mut arrivals = Vec::new();
    for client in (1..=2 + WAITERS).map(ClientId) {
        let port = 1000 + u16::try_from(client.0).expect("a port");
        let (outbox, inbox) = outbox(None, Arc::clone(&memory));
        inboxes.push(inbox);
        broker.accept(Request::Connect(client, SocketAddr::from(([127, 0, 0, 1], port)).into(), outbox), NOW);
        let part = format!("{client}{}", "x".repeat(100));
        let wait = Step::Command(Command::Wait(Duration::from_secs(60), WaitFor::Text(part)));
        let steps = if client > OTHER { vec![Step::Arrive, wait] } else { vec![Step::Arrive] };
        arrivals.push((client, steps));
    }
    assert_eq!(serve(&mut broker, &mut chat, arrivals), Vec::<String>::new(), "all wait");
    let much = "y".repeat(TEXT_BYTES);
    let log = serve(&mut broker, &mut chat, vec![(SPEAKER, vec![say(&much), say("more")])]);
    let place = |what: &str| log.iter().position(|line| line == what).unwrap_or_else(|| panic!("no {what}: {log:?}"));
    assert!(place("#1: much") < place("continue") && place("continue") < place("#1 is ready"), "{log:?}");
    assert!(place("#2: between") < place("#1 is ready"), "the other waits for it: {log:?}");
    assert!(place("continue") < place("#2: and again"), "it waits for all others: {log:?}");
    assert!(place("#1 is ready") < place("#1: more"), "it overtakes itself: {log:?}");
}
