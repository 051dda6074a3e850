//! What a connection has for the broker, which knows of it only when it has something.

use std::{mem, net::SocketAddr};

use super::Connection;
use crate::{
    broker::{Outbox, Request},
    chat::ClientId,
    protocol::{Batch, Step},
};

/// What the broker knows of the connection.
pub(super) enum Client {
    /// Nothing yet: this is what it will get.
    Unknown(SocketAddr, Outbox),
    /// Who it is.
    Known(ClientId),
    /// Nothing, for ever: it has ended before it was announced.
    Abandoned,
}

impl Client {
    pub(super) fn id(&self) -> Option<ClientId> {
        match self {
            Self::Known(client) => Some(*client),
            Self::Unknown(..) | Self::Abandoned => None,
        }
    }
}

impl Connection {
    /// Who the client is: a number in order of arrival. The broker is told of it first. `None`: it was never here.
    fn introduce(&mut self) -> Option<ClientId> {
        match mem::replace(&mut self.client, Client::Abandoned) {
            Client::Unknown(addr, outbox) => {
                let client = self.shared.next_client.get();
                self.shared.next_client.set(ClientId(client.0 + 1));
                // Fails only when the broker is dead; then the inbox ends too.
                self.shared.broker.unbounded_send(Request::Connect(client, addr, outbox)).ok();
                self.client = Client::Known(client);
            }
            known => self.client = known,
        }
        self.client.id()
    }

    pub(super) fn send(&mut self, batch: Batch) {
        let Some(client) = self.introduce() else { return };
        let request = if batch.steps.contains(&Step::Broken) {
            let taken = self.shared.backlog.take(batch.lines, batch.bytes(), mem::take(&mut self.dropped) as usize);
            Request::Broken(client, batch, taken)
        } else {
            Request::Batch(client, batch)
        };
        // Fails only when the broker is dead; then the inbox ends too.
        self.shared.broker.unbounded_send(request).ok();
    }
}
