//! A world without faults for a while.

use std::time::Duration;

use super::{EVENT_BYTES, PER_ROOM_MAX, RATE, RATE_PER_IP, World, storing::Storing};
use crate::{generator::WAIT_MAX, peer::Peer};

/// The clock, the packets and the readers of a world without faults, in a step.
const HEALED: (Duration, usize, usize) = (Duration::from_millis(50), 64, 1024);

impl World {
    /// Nobody types any more, everyone reads, and the clock runs evenly, until nothing is under way. How long that takes is
    /// bounded by what was typed: packets, lines at their rate, waits to the end; and by a queue.
    pub(crate) fn heal(&mut self) {
        self.is_healing = true;
        let (tick, packet, bytes) = HEALED;
        let steps = |time: Duration| time.as_millis().div_ceil(tick.as_millis()) as usize;
        let (of_a_line, of_a_wait) = (2 + steps(Duration::from_secs(1) / RATE.per_second), steps(WAIT_MAX));
        let stored = self.storing.as_ref().map_or(0, |storing| storing.store.longest());
        let longest = PER_ROOM_MAX.max(stored);
        let bound = |peer: &Peer| {
            let (lines, waits) = peer.unheard();
            let (queue, past) = (2 * self.limits.queue_max, peer.unheard_past() * longest * EVENT_BYTES);
            10 + peer.typed() / packet + lines * of_a_line + (1 + waits) * of_a_wait + (queue + past) / bytes
        };
        let lines: usize = self.peers.values().map(|peer| peer.unheard().0).sum();
        let of_all = lines * steps(Duration::from_secs(1) / RATE_PER_IP.per_second);
        let bound = of_all + self.peers.values().map(bound).max().unwrap_or(0);
        self.peers.values_mut().for_each(|peer| peer.reads = usize::MAX);
        for _ in 0..bound {
            self.now += tick;
            self.stay_awake();
            for peer in self.peers.values_mut() {
                peer.deliver(packet);
                peer.work_off(self.now, &mut self.requests);
            }
            self.turn(usize::MAX, self.now);
            for peer in self.peers.values_mut() {
                peer.work_off(self.now, &mut self.requests);
                peer.read(bytes);
            }
            self.check_shown();
            self.reap();
            let is_idle = !self.broker.has_work() && self.requests.is_empty();
            let is_idle = is_idle && self.storing.as_ref().is_none_or(Storing::is_at_rest);
            if is_idle && self.peers.values().all(|peer| peer.is_quiet(self.now)) {
                let held: usize = self.peers.values().map(|peer| peer.connection.input()).sum();
                let (used, recent) = (self.memory.used(), self.chat.recent_bytes());
                assert_eq!(used, held + recent, "nothing waits, and only the beginnings of lines are held");
                self.is_healing = false;
                return;
            }
        }
        panic!("not quiet after {bound} healthy steps");
    }
}
