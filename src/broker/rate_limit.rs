//! Token buckets: how fast one connection may send lines, and all connections from one address. Time is an argument.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use crate::{Config, address::Network, origin::Origin, protocol::Rate};

/// The token bucket of a connection or an address. It goes into debt rather than refuse: what was read is never dropped, only
/// the next read comes later.
#[derive(Debug, Clone, Default)]
pub(super) struct RateLimit {
    /// When the bucket was, or will be, without debt if nothing more is taken: the "theoretical arrival time" of the
    /// generic cell rate algorithm, which needs no other state.
    clear_at: Duration,
}

impl RateLimit {
    /// Takes `lines` tokens at `now` and tells when the next line may be read: not after `now` while there are tokens.
    pub(super) fn take(&mut self, rate: Rate, lines: usize, now: Duration) -> Duration {
        if rate.per_second == 0 {
            return now;
        }
        let cost = |lines| Duration::from_secs(lines) / rate.per_second;
        let taken = cost(u64::try_from(lines).unwrap_or(u64::MAX));
        self.clear_at = self.clear_at.max(now).saturating_add(taken);
        self.clear_at.saturating_sub(cost(u64::from(rate.burst)))
    }
}

/// Networks whose tokens are remembered after their last line. More than that send lines within a few seconds only where an
/// attacker has as many addresses, and then the oldest is forgotten.
const NETWORKS_MAX: usize = 16_384;

/// The tokens of networks that have sent lines lately. A connection that closes leaves its debt to the next one.
#[derive(Debug, Default)]
pub(super) struct AddressRates {
    by_network: HashMap<Network, RateLimit>,
    /// Networks in the order in which they were first seen.
    order: VecDeque<Network>,
}

impl AddressRates {
    /// When the next line may come from there, if it sends so many now.
    pub(super) fn spend(&mut self, origin: &Origin, config: &Config, lines: usize, now: Duration) -> Duration {
        let rate = config.address_rate();
        if lines == 0 || rate.per_second == 0 || config.trusts(origin) {
            return now;
        }
        let network = Network::of(origin.addr);
        if !self.by_network.contains_key(&network) {
            self.forget(now);
            self.order.push_back(network);
        }
        self.by_network.entry(network).or_default().take(rate, lines, now)
    }

    /// Forgets networks whose bucket is full again, and the oldest if there are too many.
    fn forget(&mut self, now: Duration) {
        while let Some(oldest) = self.order.front()
            && (self.order.len() >= NETWORKS_MAX || self.by_network[oldest].clear_at <= now)
        {
            self.by_network.remove(oldest);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const RATE: Rate = Rate { per_second: 10, burst: 100 };

    #[test]
    fn a_burst_is_free_and_what_follows_is_paced() {
        let mut bucket = RateLimit::default();
        let now = 5 * SECOND;
        assert!(bucket.take(RATE, 100, now) <= now);
        assert_eq!(bucket.take(RATE, 10, now), now + SECOND);
        assert_eq!(bucket.take(RATE, 10, now + SECOND), now + 2 * SECOND);
    }

    #[test]
    fn silence_fills_it_up_to_the_burst_and_no_further() {
        let mut bucket = RateLimit::default();
        bucket.take(RATE, 100, SECOND);
        assert!(bucket.take(RATE, 50, 6 * SECOND) <= 6 * SECOND);
        let later = 1000 * SECOND;
        assert!(bucket.take(RATE, 100, later) <= later);
        assert_eq!(bucket.take(RATE, 1, later), later + SECOND / 10);
    }

    #[test]
    fn over_any_stretch_it_lets_through_the_burst_and_the_rate() {
        let mut bucket = RateLimit::default();
        let (mut now, mut lines) = (SECOND, 0);
        while now < 61 * SECOND {
            lines += 7;
            now = now.max(bucket.take(RATE, 7, now));
        }
        assert!((700..=707).contains(&lines), "{lines}: 100 at once and 10 a second for a minute");
    }

    #[test]
    fn zero_is_no_limit() {
        let mut bucket = RateLimit::default();
        assert_eq!(bucket.take(Rate { per_second: 0, burst: 0 }, 1_000_000, SECOND), SECOND);
    }

    #[test]
    fn the_largest_numbers_saturate() {
        for rate in [Rate { per_second: 1, burst: u32::MAX }, Rate { per_second: u32::MAX, burst: 0 }] {
            let mut bucket = RateLimit::default();
            bucket.take(rate, usize::MAX, Duration::MAX);
            let until = bucket.take(rate, usize::MAX, Duration::MAX);
            assert_eq!(until, Duration::MAX - Duration::from_secs(rate.burst.into()), "{rate:?}");
        }
    }

    fn origin(ip: &str) -> Origin {
        SocketAddr::new(ip.parse().unwrap(), 9).into()
    }

    #[test]
    fn an_address_keeps_its_debt_over_connections_and_trusted_ones_have_none() {
        let config = Config { rate_per_ip: 10, trusted: vec!["127.0.0.1".parse().unwrap()], ..Config::default() };
        let burst = config.address_rate().burst as usize;
        let [ip, neighbour, other, trusted] = ["2001:db8::1", "2001:db8::2", "10.0.0.1", "127.0.0.1"].map(origin);
        let mut rates = AddressRates::default();
        assert!(rates.spend(&ip, &config, burst, SECOND) <= SECOND);
        assert_eq!(rates.spend(&neighbour, &config, 10, SECOND), 2 * SECOND);
        assert!(rates.spend(&other, &config, burst, SECOND) <= SECOND);
        assert!(rates.spend(&trusted, &config, 10 * burst, SECOND) <= SECOND);
        assert_eq!(rates.by_network.len(), 2);
        // Long after, nothing of it is remembered.
        rates.spend(&origin("10.0.0.2"), &config, 1, 10_000 * SECOND);
        assert_eq!((rates.by_network.len(), rates.order.len()), (1, 1));
    }
}
