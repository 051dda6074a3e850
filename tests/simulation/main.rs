//! A seeded simulation of sessions, broker and chat in a faulty world, what a reader can make of any line, and what the
//! server makes of any bytes. What needs more clients, lines or bytes than the world has is tested on a stage (`stage`): which
//! clients are served when many flood, which are behind with reading, and which are disconnected when memory runs out.
//!
//! `PIPECHAT_SEED` replays a seed, `PIPECHAT_STEPS` makes it shorter or longer.

mod account;
mod answers;
mod any_event;
mod behind;
mod book;
mod connection;
mod due;
mod fair;
mod full;
mod fuzz;
mod generator;
mod happening;
mod kinds;
mod lines;
mod long_work;
mod meaning;
mod model;
mod names;
mod object;
mod peer;
mod reader;
mod replay;
mod requests;
mod room_history;
mod stage;
mod statuses;
mod store;
mod store_gap;
mod watch;
mod wire;
mod words;
mod world;

use std::{env, panic, time::SystemTime};

use world::World;

/// Steps of each simulated life. Faults last for a while, then the world heals, and so on.
const STEPS: usize = 1500;
const STEPS_BETWEEN_HEALINGS: usize = 500;

/// Simulates a whole life, and answers its transcript. It ends as its seed has it: all leave, or the server shuts down.
fn live(seed: u64, steps: usize) -> String {
    let life = || {
        let mut world = World::new(seed);
        for step in 1..=steps {
            world.step();
            if step % STEPS_BETWEEN_HEALINGS == 0 {
                world.heal();
            }
        }
        world.heal();
        if seed.is_multiple_of(2) { world.shut_down() } else { world.end() }
    };
    panic::catch_unwind(life).unwrap_or_else(|_| panic!("replay with PIPECHAT_SEED={seed} PIPECHAT_STEPS={steps}"))
}

fn from_env(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().expect("a number"))
}

fn steps() -> usize {
    from_env("PIPECHAT_STEPS").map_or(STEPS, |steps| usize::try_from(steps).expect("not so many"))
}

#[test]
fn the_rules_hold_in_a_faulty_world() {
    let fresh = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.subsec_nanos().into());
    match from_env("PIPECHAT_SEED") {
        Some(seed) => drop(live(seed, steps())),
        None => [1, 2, 3, fresh()].into_iter().for_each(|seed| drop(live(seed, steps()))),
    }
}

#[test]
fn the_same_seed_gives_the_same_transcript() {
    let seed = from_env("PIPECHAT_SEED").unwrap_or(4);
    let (one, other) = (live(seed, STEPS / 3), live(seed, STEPS / 3));
    assert!(one == other, "seed {seed}");
    assert!(one != live(seed + 1, STEPS / 3), "another seed is another world");
}

#[test]
fn everything_happens_in_it() {
    let transcripts: String = (5..=15).chain([33, 34, 35, 36]).map(|seed| live(seed, STEPS)).collect();
    let lines: Vec<_> = transcripts.lines().collect();
    let is_met = |(one, other): &(&str, String)| lines.iter().any(|line| line.contains(one) && line.contains(other));
    let never: Vec<_> = happening::things_that_happen().into_iter().filter(|thing| !is_met(thing)).collect();
    assert!(never.is_empty(), "never met: {never:?}");
}
