//! Admission in virtual time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::*;
use crate::{
    address::Cidr,
    broker::Memory,
    origin::{Addr, Origin},
};

const ANN: IpAddr = ip(1);
const BOB: IpAddr = ip(2);
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const MS: Duration = Duration::from_millis(1);

const fn ip(number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits((10 << 24) + number))
}

fn payer(ip: IpAddr) -> Option<Network> {
    Origin::from(SocketAddr::new(ip, 9)).payer(&Cidr::LOOPBACK)
}

fn network(ip: IpAddr) -> Network {
    Network::of(Addr::Ip((ip, 9).into()))
}

fn admission(clients_max: usize, clients_per_ip_max: usize, arrivals_per_ip: u32) -> Admission {
    let mut config = Config { clients_per_ip_max, arrivals_per_ip, ..Config::default() };
    config.limits.clients_max = clients_max;
    Admission::new(&config, Rc::new(Metrics::new(Memory::new(1))))
}

/// How many of `arrivals` at once come in.
fn admitted(admission: &mut Admission, ip: IpAddr, arrivals: u32, now: Duration) -> u32 {
    (0..arrivals).map(|_| u32::from(admission.enter(payer(ip), now).is_ok())).sum()
}

#[test]
fn a_place_is_free_again_when_its_connection_is_closed() {
    let mut admission = admission(2, usize::MAX, 0);
    assert_eq!([ANN, BOB, LOOPBACK].map(|ip| admission.enter(payer(ip), MS)), [Ok(()), Ok(()), Err(Departure::Full)]);
    admission.leave(payer(ANN));
    assert_eq!([BOB, ANN].map(|ip| admission.enter(payer(ip), MS)), [Ok(()), Err(Departure::Full)]);
}

#[test]
fn an_address_has_its_share_unless_it_is_trusted() {
    let mut admission = admission(100, 2, 0);
    for ip in [ANN, BOB, ip(3)] {
        assert_eq!([(); 3].map(|()| admission.enter(payer(ip), MS)), [Ok(()), Ok(()), Err(Departure::FullForAddress)]);
    }
    admission.leave(payer(ANN));
    assert_eq!(admission.enter(payer(BOB), MS), Err(Departure::FullForAddress));
    assert_eq!([(); 2].map(|()| admission.enter(payer(ANN), MS)), [Ok(()), Err(Departure::FullForAddress)]);
    assert_eq!(admitted(&mut admission, LOOPBACK, 1000, MS), 94, "up to the limit for all");
}

#[test]
fn a_customer_of_ipv6_is_one_address() {
    let mut admission = admission(100, 2, 0);
    let from = |net: u16, host: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, net, 0, 0, 0, host));
    let arrivals = [from(1, 1), from(1, 2), from(1, 3), from(2, 1)].map(|ip| admission.enter(payer(ip), MS));
    assert_eq!(arrivals, [Ok(()), Ok(()), Err(Departure::FullForAddress), Ok(())]);
}

#[test]
fn ten_seconds_of_arrivals_may_come_at_once_and_then_the_rate_holds() {
    let mut admission = admission(usize::MAX, usize::MAX, 50);
    let start = Duration::from_secs(1000);
    assert_eq!(admitted(&mut admission, ANN, 1000, start), 500);
    assert_eq!(admission.enter(payer(ANN), start), Err(Departure::TooManyArrivals));
    assert_eq!(admitted(&mut admission, ANN, 1000, start + 19 * MS), 0);
    assert_eq!(admitted(&mut admission, ANN, 1000, start + 20 * MS), 1, "refused arrivals cost nothing");
    assert_eq!(admitted(&mut admission, ANN, 1000, start + 1020 * MS), 50);
    assert_eq!(admitted(&mut admission, ANN, 1000, start + 3_600_000 * MS), 500, "a pause saves up no more");
    assert_eq!(admitted(&mut admission, BOB, 1, start), 1, "another address has its own rate");
    assert_eq!(admitted(&mut admission, LOOPBACK, 10_000, start), 10_000, "a trusted one has none");
}

#[test]
fn a_connection_that_is_refused_for_another_reason_is_an_arrival_too() {
    let mut admission = admission(usize::MAX, 1, 1);
    assert_eq!(admitted(&mut admission, ANN, 10, MS), 1);
    admission.leave(payer(ANN));
    assert_eq!(admission.enter(payer(ANN), MS), Err(Departure::TooManyArrivals));
}

#[test]
fn zero_is_no_limit_and_the_greatest_rate_is_one() {
    for rate in [0, u32::MAX] {
        assert_eq!(admitted(&mut admission(usize::MAX, usize::MAX, rate), ANN, 100_000, MS), 100_000);
    }
    assert_eq!(admitted(&mut admission(usize::MAX, usize::MAX, 1), ANN, 100, MS), 10);
}

#[test]
fn an_address_is_forgotten_when_it_has_no_connection_and_no_debt() {
    let mut admission = admission(usize::MAX, usize::MAX, 50);
    for _ in 0..2 {
        admission.enter(payer(ANN), MS).unwrap();
    }
    admission.leave(payer(ANN));
    admission.enter(payer(BOB), 1000 * MS).unwrap();
    assert_eq!((admission.accounts.len(), admission.idle.len()), (2, 0), "one of its connections is open");
    admission.leave(payer(ANN));
    admission.leave(payer(BOB));
    admission.enter(payer(ip(3)), 1019 * MS).unwrap();
    assert!(admission.accounts.contains_key(&network(BOB)) && !admission.accounts.contains_key(&network(ANN)));
    admission.enter(payer(ip(3)), 1020 * MS).unwrap();
    assert_eq!((admission.accounts.len(), admission.idle.len()), (1, 0));
}

#[test]
fn a_flood_from_many_addresses_takes_no_memory_and_does_not_clear_the_largest_debt() {
    let mut admission = admission(usize::MAX, usize::MAX, 50);
    assert_eq!(admitted(&mut admission, ANN, 501, MS), 500);
    (0..500).for_each(|_| admission.leave(payer(ANN)));
    for number in 0..100_000 {
        admission.enter(payer(ip(1000 + number)), MS).unwrap();
        admission.leave(payer(ip(1000 + number)));
    }
    assert_eq!((admission.accounts.len(), admission.idle.len()), (IDLE_ADDRESSES_MAX, IDLE_ADDRESSES_MAX));
    assert_eq!(admission.enter(payer(ANN), MS), Err(Departure::TooManyArrivals));
}

#[test]
fn it_is_crowded_when_a_quarter_is_left() {
    let is_crowded = |max, per_ip, open| {
        let mut admission = admission(max, per_ip, 0);
        assert_eq!(admitted(&mut admission, ANN, open, MS), open);
        (admission.is_crowded(payer(ANN)), admission.is_crowded(payer(BOB)), admission.is_crowded(payer(LOOPBACK)))
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
    let admission = Rc::new(RefCell::new(admission(1, 1, 0)));
    let open = || admission.borrow().metrics.snapshot().connections.iter().map(|(_, open)| open).sum::<u64>();
    let place = Place::take(&admission, Entrance::Line, payer(ANN), MS).unwrap();
    assert_eq!(Place::take(&admission, Entrance::Line, payer(ANN), MS).unwrap_err(), Departure::Full);
    assert_eq!(open(), 1);
    let place = place.reassign(payer(BOB), MS).unwrap();
    assert_eq!(open(), 1);
    drop(place);
    assert_eq!(open(), 0);
    Place::take(&admission, Entrance::Line, payer(ANN), MS).unwrap();
}

#[test]
fn a_place_is_scarce_when_most_are_taken() {
    let admission = Rc::new(RefCell::new(admission(4, 4, 0)));
    let take = || Place::take(&admission, Entrance::Line, payer(ANN), MS).unwrap();
    let places = [take(), take(), take()];
    assert!(!places[0].is_crowded());
    let last = take();
    assert!(last.is_crowded() && places[0].is_crowded());
}
