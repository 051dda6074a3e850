//! Which connections are let in. Counts those that are open, in all and by address, and how fast new ones come from each
//! address. Knows no sockets and no members of the chat; time is an argument.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    rc::Rc,
    time::Duration,
};

use crate::{
    Config,
    address::Network,
    broker::{Entrance, Metrics},
    chat::Departure,
};

/// How many seconds' worth of `arrivals_per_ip` may come from an address at once: a script that starts hundreds of
/// clients, or a page of reloading browsers, is no flood.
const ARRIVALS_BURST: Duration = Duration::from_secs(10);
/// Addresses without a connection that are remembered for their rate: at most half a megabyte. Each is forgotten
/// within [`ARRIVALS_BURST`] anyway, so only a flood from more addresses than this reaches the bound.
const IDLE_ADDRESSES_MAX: usize = 4096;

/// The connections that are open, and the limits on them.
#[derive(Debug)]
pub(super) struct Admission {
    clients_max: usize,
    per_address_max: usize,
    /// How much time one arrival uses up of its address's rate; zero where there is no limit.
    arrival_cost: Duration,
    /// Connections in all.
    open: usize,
    /// By address, for those that are not trusted and have a connection or a debt: arrivals that are not paid for yet.
    accounts: HashMap<Network, Account>,
    /// The addresses without a connection, by the time when their debt is paid.
    idle: BTreeSet<(Duration, Network)>,
    metrics: Rc<Metrics>,
}

/// What is known of an address.
#[derive(Debug, Clone, Copy, Default)]
struct Account {
    /// Its connections.
    open: usize,
    /// When all its arrivals are paid for: the "theoretical arrival time" of the generic cell rate algorithm, which is a
    /// token bucket and needs no other state.
    paid_at: Duration,
}

impl Admission {
    /// No connection is open yet.
    pub(super) fn new(config: &Config, metrics: Rc<Metrics>) -> Self {
        let mut this = Self {
            clients_max: 0,
            per_address_max: 0,
            arrival_cost: Duration::ZERO,
            open: 0,
            accounts: HashMap::new(),
            idle: BTreeSet::new(),
            metrics,
        };
        this.set_limits(config);
        this
    }

    /// From now on, connections are let in by these limits. Those that are open stay.
    pub(super) fn set_limits(&mut self, config: &Config) {
        self.clients_max = config.limits.clients_max;
        self.per_address_max = config.clients_per_ip_max;
        self.arrival_cost = Duration::from_secs(1).checked_div(config.arrivals_per_ip).unwrap_or_default();
    }

    /// A connection comes from this address, if the limits per address apply to it. Counts it, until [`Self::leave`].
    ///
    /// # Errors
    /// Why it can't come in. Then it is not counted, but it was an arrival all the same.
    fn enter(&mut self, address: Option<Network>, now: Duration) -> Result<(), Departure> {
        self.forget_paid(now);
        let mut account = address.map(|address| self.take_account(address)).unwrap_or_default();
        let is_in_time = account.arrive(self.arrival_cost, now);
        let result = if self.open >= self.clients_max {
            Err(Departure::Full)
        } else if address.is_some() && account.open >= self.per_address_max {
            Err(Departure::FullForAddress)
        } else if address.is_some() && !is_in_time {
            Err(Departure::TooManyArrivals)
        } else {
            self.open += 1;
            account.open += 1;
            Ok(())
        };
        if let Some(address) = address {
            self.put_account(address, account);
        }
        result
    }

    /// A connection from this address was closed.
    fn leave(&mut self, address: Option<Network>) {
        self.open -= 1;
        if let Some(address) = address {
            let mut account = self.take_account(address);
            account.open -= 1;
            self.put_account(address, account);
        }
    }

    /// Whether more than three quarters of the places are taken, of all or of those that this address may have.
    fn is_crowded(&self, address: Option<Network>) -> bool {
        let is_over = |open: usize, max: usize| open.saturating_mul(4) > max.saturating_mul(3);
        let account = address.and_then(|address| self.accounts.get(&address));
        is_over(self.open, self.clients_max)
            || account.is_some_and(|account| is_over(account.open, self.per_address_max))
    }

    fn take_account(&mut self, address: Network) -> Account {
        let account = self.accounts.remove(&address).unwrap_or_default();
        self.idle.remove(&(account.paid_at, address));
        account
    }

    fn put_account(&mut self, address: Network, account: Account) {
        self.accounts.insert(address, account);
        if account.open == 0 {
            self.idle.insert((account.paid_at, address));
        }
        if self.idle.len() > IDLE_ADDRESSES_MAX {
            self.forget_first(); // the one with the least debt, which would be forgotten next
        }
    }

    /// Forgets the addresses without a connection whose arrivals are paid for: they are like new ones.
    fn forget_paid(&mut self, now: Duration) {
        while self.idle.first().is_some_and(|&(paid_at, _)| paid_at <= now) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, address)) = self.idle.pop_first() {
            self.accounts.remove(&address);
        }
    }
}

impl Account {
    /// Counts an arrival, and answers whether it is within the rate. One that is not leaves no debt.
    fn arrive(&mut self, cost: Duration, now: Duration) -> bool {
        let paid_at = self.paid_at.max(now) + cost;
        let is_in_time = paid_at - now <= ARRIVALS_BURST;
        if is_in_time {
            self.paid_at = paid_at;
        }
        is_in_time
    }
}

/// The place of one open connection, given back on drop: to be dropped after the descriptor is closed.
#[derive(Debug)]
pub(super) struct Place {
    admission: Rc<RefCell<Admission>>,
    /// What the limits per address count it as; none where they do not apply.
    address: Option<Network>,
    entrance: Entrance,
}

impl Place {
    /// Takes a place for a connection that comes in there from this address, if the limits per address apply to it.
    ///
    /// # Errors
    /// Why it can't come in.
    pub(super) fn take(
        admission: &Rc<RefCell<Admission>>,
        entrance: Entrance,
        address: Option<Network>,
        now: Duration,
    ) -> Result<Self, Departure> {
        admission.borrow_mut().enter(address, now)?;
        admission.borrow().metrics.opened(entrance);
        Ok(Self { admission: Rc::clone(admission), address, entrance })
    }

    /// Gives it back and takes one for the same connection from another address.
    ///
    /// # Errors
    /// Why it can't come in from there.
    pub(super) fn reassign(self, address: Option<Network>, now: Duration) -> Result<Self, Departure> {
        let (admission, entrance) = (Rc::clone(&self.admission), self.entrance);
        drop(self);
        Self::take(&admission, entrance, address, now)
    }

    /// Whether places like this one are scarce.
    pub(super) fn is_crowded(&self) -> bool {
        self.admission.borrow().is_crowded(self.address)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut admission = self.admission.borrow_mut();
        admission.leave(self.address);
        admission.metrics.closed(self.entrance);
    }
}

#[cfg(test)]
mod tests;
