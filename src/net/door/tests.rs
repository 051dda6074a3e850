//! The door, in virtual time.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;

const ANN: IpAddr = ip(1);
const BOB: IpAddr = ip(2);
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const MS: Duration = Duration::from_millis(1);

const fn ip(number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits((10 << 24) + number))
}

fn door(clients_max: usize, clients_per_ip_max: usize, arrivals_per_ip: u32) -> Door {
    let mut config = Config { clients_per_ip_max, arrivals_per_ip, ..Config::default() };
    config.limits.clients_max = clients_max;
    Door::new(&config)
}

/// How many of `arrivals` at once come in.
fn admitted(door: &mut Door, ip: IpAddr, arrivals: u32, now: Duration) -> u32 {
    (0..arrivals).map(|_| u32::from(door.enter(ip, now).is_ok())).sum()
}

#[test]
fn there_are_so_many_places_in_all_and_one_that_is_left_is_free() {
    let mut door = door(2, usize::MAX, 0);
    assert_eq!([ANN, BOB, LOOPBACK].map(|ip| door.enter(ip, MS)), [Ok(()), Ok(()), Err(Departure::Full)]);
    door.leave(ANN);
    assert_eq!([BOB, ANN].map(|ip| door.enter(ip, MS)), [Ok(()), Err(Departure::Full)]);
}

#[test]
fn an_address_has_its_share_unless_it_is_trusted() {
    let mut door = door(100, 2, 0);
    for ip in [ANN, BOB, ip(3)] {
        assert_eq!([(); 3].map(|()| door.enter(ip, MS)), [Ok(()), Ok(()), Err(Departure::FullForAddress)]);
    }
    door.leave(ANN);
    assert_eq!(door.enter(BOB, MS), Err(Departure::FullForAddress));
    assert_eq!([(); 2].map(|()| door.enter(ANN, MS)), [Ok(()), Err(Departure::FullForAddress)]);
    assert_eq!(admitted(&mut door, LOOPBACK, 1000, MS), 94, "up to the limit for all");
}

#[test]
fn a_customer_of_ipv6_is_one_address() {
    let mut door = door(100, 2, 0);
    let from = |net: u16, host: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, net, 0, 0, 0, host));
    let arrivals = [from(1, 1), from(1, 2), from(1, 3), from(2, 1)].map(|ip| door.enter(ip, MS));
    assert_eq!(arrivals, [Ok(()), Ok(()), Err(Departure::FullForAddress), Ok(())]);
}

#[test]
fn ten_seconds_of_arrivals_may_come_at_once_and_then_the_rate_holds() {
    let mut door = door(usize::MAX, usize::MAX, 50);
    let start = Duration::from_secs(1000);
    assert_eq!(admitted(&mut door, ANN, 1000, start), 500);
    assert_eq!(door.enter(ANN, start), Err(Departure::TooManyArrivals));
    assert_eq!(admitted(&mut door, ANN, 1000, start + 19 * MS), 0);
    assert_eq!(admitted(&mut door, ANN, 1000, start + 20 * MS), 1, "refused ones have cost nothing");
    assert_eq!(admitted(&mut door, ANN, 1000, start + 1020 * MS), 50);
    assert_eq!(admitted(&mut door, ANN, 1000, start + 3_600_000 * MS), 500, "a pause saves up no more");
    assert_eq!(admitted(&mut door, BOB, 1, start), 1, "another address has its own rate");
    assert_eq!(admitted(&mut door, LOOPBACK, 10_000, start), 10_000, "a trusted one has none");
}

#[test]
fn one_that_is_refused_for_another_reason_is_an_arrival_too() {
    let mut door = door(usize::MAX, 1, 1);
    assert_eq!(admitted(&mut door, ANN, 10, MS), 1);
    door.leave(ANN);
    assert_eq!(door.enter(ANN, MS), Err(Departure::TooManyArrivals));
}

#[test]
fn zero_is_no_limit_and_the_greatest_rate_is_one() {
    for rate in [0, u32::MAX] {
        assert_eq!(admitted(&mut door(usize::MAX, usize::MAX, rate), ANN, 100_000, MS), 100_000);
    }
    assert_eq!(admitted(&mut door(usize::MAX, usize::MAX, 1), ANN, 100, MS), 10);
}

#[test]
fn an_address_is_forgotten_when_it_has_no_connection_and_no_debt() {
    let mut door = door(usize::MAX, usize::MAX, 50);
    for _ in 0..2 {
        door.enter(ANN, MS).unwrap();
    }
    door.leave(ANN);
    door.enter(BOB, 1000 * MS).unwrap();
    assert_eq!((door.accounts.len(), door.idle.len()), (2, 0), "one of its connections is open");
    door.leave(ANN);
    door.leave(BOB);
    door.enter(ip(3), 1019 * MS).unwrap();
    assert!(door.accounts.contains_key(&Network::of(BOB)) && !door.accounts.contains_key(&Network::of(ANN)));
    door.enter(ip(3), 1020 * MS).unwrap();
    assert_eq!((door.accounts.len(), door.idle.len()), (1, 0));
}

#[test]
fn a_flood_from_many_addresses_takes_no_memory_and_does_not_forgive_who_owes_most() {
    let mut door = door(usize::MAX, usize::MAX, 50);
    assert_eq!(admitted(&mut door, ANN, 501, MS), 500);
    (0..500).for_each(|_| door.leave(ANN));
    for number in 0..100_000 {
        door.enter(ip(1000 + number), MS).unwrap();
        door.leave(ip(1000 + number));
    }
    assert_eq!((door.accounts.len(), door.idle.len()), (IDLE_ADDRESSES_MAX, IDLE_ADDRESSES_MAX));
    assert_eq!(door.enter(ANN, MS), Err(Departure::TooManyArrivals));
}

#[test]
fn it_is_crowded_when_a_quarter_is_left() {
    let is_crowded = |max, per_ip, open| {
        let mut door = door(max, per_ip, 0);
        assert_eq!(admitted(&mut door, ANN, open, MS), open);
        (door.is_crowded(ANN), door.is_crowded(BOB), door.is_crowded(LOOPBACK))
    };
    assert_eq!(is_crowded(8, usize::MAX, 6), (false, false, false));
    assert_eq!(is_crowded(8, usize::MAX, 7), (true, true, true));
    assert_eq!(is_crowded(100, 8, 6), (false, false, false));
    assert_eq!(is_crowded(100, 8, 7), (true, false, false));
    assert_eq!(is_crowded(1, 1, 1), (true, true, true));
    assert_eq!(is_crowded(usize::MAX, usize::MAX, 1000), (false, false, false));
}

#[test]
fn a_place_is_given_back_on_drop() {
    let door = Rc::new(RefCell::new(door(1, 1, 0)));
    let place = Place::take(&door, ANN, MS).unwrap();
    assert_eq!(Place::take(&door, ANN, MS).unwrap_err(), Departure::Full);
    drop(place);
    Place::take(&door, ANN, MS).unwrap();
}

#[test]
fn a_place_is_scarce_when_most_are_taken() {
    let door = Rc::new(RefCell::new(door(4, 4, 0)));
    let take = || Place::take(&door, ANN, MS).unwrap();
    let places = [take(), take(), take()];
    assert!(!places[0].is_crowded());
    let last = take();
    assert!(last.is_crowded() && places[0].is_crowded());
}
