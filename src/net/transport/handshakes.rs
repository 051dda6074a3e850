//! How many handshakes go on at once. One costs as much as some hundred lines (signing takes a fifth of a millisecond), so a
//! thousand clients that connect at once would stop the chat.

use async_std::task;
use futures::{
    StreamExt,
    channel::{
        mpsc::{self, UnboundedReceiver, UnboundedSender},
        oneshot,
    },
};

/// Steps of handshakes between two turns of the broker: some milliseconds of work.
const HANDSHAKES_MAX: usize = 16;

/// What all connections of a server share to make their handshakes in turn.
#[derive(Debug)]
pub(in crate::net) struct Handshakes(UnboundedSender<oneshot::Sender<()>>);

/// The permits, and the future that grants them: it ends with them.
pub(in crate::net) fn handshakes() -> (Handshakes, impl Future<Output = ()>) {
    let (queue, waiting) = mpsc::unbounded();
    (Handshakes(queue), run(waiting))
}

impl Handshakes {
    /// Waits for the permit to take one step.
    pub(super) async fn permit(&self) {
        let (permit, granted) = oneshot::channel();
        self.0.unbounded_send(permit).ok(); // fails only at the end of the server, as below
        granted.await.ok();
    }
}

async fn run(mut waiting: UnboundedReceiver<oneshot::Sender<()>>) {
    while let Some(first) = waiting.next().await {
        // Connections that are gone don't count.
        let mut granted = usize::from(first.send(()).is_ok());
        while granted < HANDSHAKES_MAX
            && let Ok(next) = waiting.try_recv()
        {
            granted += usize::from(next.send(()).is_ok());
        }
        task::yield_now().await; // every task that is ready by now runs first
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Waker},
    };

    use futures::FutureExt;

    use super::*;

    #[test]
    fn so_many_go_on_at_once_and_the_others_in_turn() {
        let (handshakes, running) = handshakes();
        let (mut running, cx) = (pin!(running), &mut Context::from_waker(Waker::noop()));
        let mut steps: Vec<_> = (0..40).map(|_| Box::pin(handshakes.permit())).collect();
        steps.iter_mut().for_each(|step| assert!(step.poll_unpin(cx).is_pending()));
        drop(steps.remove(0));
        let mut rounds = Vec::new();
        while !steps.is_empty() {
            assert!(running.poll_unpin(cx).is_pending());
            let before = steps.len();
            steps.retain_mut(|step| step.poll_unpin(cx).is_pending());
            rounds.push(before - steps.len());
        }
        assert_eq!(rounds, [16, 16, 7]);
    }
}
