use super::*;

const COSTLY: usize = QUANTUM as usize / 2;

fn client(n: u64) -> FlowKey {
    FlowKey::Client(ClientId(n))
}

/// Serves `steps` steps, each of this cost, and answers whose they were. `left` says how many steps a client has left.
fn serve(schedule: &mut Schedule, left: &mut HashMap<u64, usize>, steps: usize, cost: usize) -> Vec<u64> {
    let mut served = Vec::new();
    while served.len() < steps
        && let Some(next) = schedule.next()
    {
        let steps = left.get_mut(&next.client.0).unwrap();
        if *steps == 0 {
            schedule.done(next.flow);
            left.remove(&next.client.0);
            continue;
        }
        *steps -= 1;
        schedule.charge(next.flow, cost);
        served.push(next.client.0);
    }
    served
}

/// A schedule in which these clients have so many steps to do, each client in a flow of its own.
fn schedule(work: &[(u64, usize)]) -> (Schedule, HashMap<u64, usize>) {
    let mut schedule = Schedule::default();
    for &(n, _) in work {
        schedule.push(client(n), ClientId(n));
    }
    (schedule, work.iter().copied().collect())
}

#[test]
fn heavy_flows_take_turns() {
    let (mut schedule, mut left) = schedule(&[(1, 100), (2, 100), (3, 100)]);
    let served = serve(&mut schedule, &mut left, 30, COSTLY);
    for n in 1..=3 {
        let share = served.iter().filter(|&&client| client == n).count();
        assert!((8..=12).contains(&share), "{n} was served {share} times of 30: {served:?}");
    }
}

#[test]
fn a_flow_with_little_to_do_comes_before_heavy_ones() {
    let (mut schedule, mut left) = schedule(&[(1, 100), (2, 100)]);
    serve(&mut schedule, &mut left, 10, COSTLY);
    for again in 0..3 {
        schedule.push(client(9), ClientId(9));
        left.insert(9, 1);
        assert_eq!(serve(&mut schedule, &mut left, 2, 0)[0], 9, "{again}");
    }
}

#[test]
fn a_costly_step_waits_for_as_many_turns_as_it_is_worth() {
    let (mut schedule, _) = schedule(&[(1, 1), (2, 1), (3, 1)]);
    let cost = |next: Next| if next.client.0 == 3 { 2 * COSTLY } else { 6 * COSTLY + 1 };
    let (mut served, mut passed) = (Vec::new(), 0);
    while let Some(next) = schedule.next() {
        if schedule.affords(next, cost(next)) {
            served.push(next.client.0);
            schedule.done(next.flow);
        } else {
            passed += 1;
        }
    }
    assert_eq!((served.as_slice(), passed), (&[3, 1, 2][..], 7));
}

#[test]
fn flows_that_save_up_for_a_costly_step_hold_nobody_up() {
    let costly = 1000 * QUANTUM as usize;
    let (mut schedule, mut left) = schedule(&[(1, 100), (2, 1), (3, 1)]);
    serve(&mut schedule, &mut left, 3, COSTLY); // they are heavy
    for n in 4..400 {
        // Little by little, the heavy ones are owed much.
        schedule.push(client(n), ClientId(n));
        left.insert(n, 1);
        let mut passed = 0;
        loop {
            let next = schedule.next().unwrap();
            let cost = if next.client.0 < 4 { costly } else { 0 };
            if schedule.affords(next, cost) {
                assert_eq!(next.client.0, n, "nobody has saved up enough yet");
                schedule.charge(next.flow, 0);
                schedule.done(next.flow);
                break;
            }
            passed += 1;
        }
        assert!(passed <= 3, "{n} waits for {passed} turns of others");
    }
}

#[test]
fn flows_that_are_always_sparse_do_not_starve_a_heavy_one() {
    let (mut schedule, mut left) = schedule(&[(1, 1000)]);
    serve(&mut schedule, &mut left, 4, COSTLY);
    let mut of_heavy = 0;
    for _ in 0..50 {
        for n in 10..20 {
            if left.insert(n, 1).is_none() {
                schedule.push(client(n), ClientId(n));
            }
        }
        of_heavy += serve(&mut schedule, &mut left, 10, 0).into_iter().filter(|&client| client == 1).count();
    }
    assert!(of_heavy > 20, "{of_heavy} of 500 steps");
}

#[test]
fn many_connections_from_one_address_are_one_flow() {
    let mut schedule = Schedule::default();
    let crowd = FlowKey::Network("10.0.0.1".parse().unwrap());
    let mut left = HashMap::new();
    for n in 1..=100 {
        schedule.push(crowd, ClientId(n));
        left.insert(n, 100);
    }
    schedule.push(client(200), ClientId(200));
    left.insert(200, 100);
    let served = serve(&mut schedule, &mut left, 100, COSTLY);
    let mut others = served;
    others.retain(|&client| client != 200);
    let share = 100 - others.len();
    assert!((40..=60).contains(&share), "{share} of 100 against a hundred connections");
    others.sort_unstable();
    others.dedup();
    assert!(others.len() > 20, "the connections of one address take turns: {others:?}");
}

#[test]
fn a_flow_that_has_nothing_to_do_is_gone() {
    let (mut schedule, mut left) = schedule(&[(1, 1), (2, 0)]);
    assert!(!schedule.is_empty());
    assert_eq!(serve(&mut schedule, &mut left, 9, 0), [1]);
    assert!(schedule.is_empty() && schedule.flows.is_empty() && schedule.by_key.is_empty());
}
