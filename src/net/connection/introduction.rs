//! What a connection sends to the broker. The broker does not know of a connection before its first batch.

use std::mem;

use super::Connection;
use crate::{
    broker::{Outbox, Request},
    chat::ClientId,
    origin::Origin,
    protocol::{Batch, Step},
};

/// What the broker knows of the connection.
pub(super) enum Client {
    /// Nothing yet: with the first batch it gets these. Boxed, since few connections stay so.
    Unknown(Box<(Origin, Outbox)>),
    /// The client, by this id.
    Known(ClientId),
    /// Nothing, and it never will: the connection ended before its first batch.
    Abandoned,
}

impl Client {
    pub(super) fn id(&self) -> Option<ClientId> {
        match self {
            Self::Known(client) => Some(*client),
            Self::Unknown(_) | Self::Abandoned => None,
        }
    }
}

impl Connection {
    /// The client's id; ids are numbers in the order in which clients are introduced. Introduces the client to the broker if it
    /// does not know it yet. `None` if the connection was abandoned.
    fn introduce(&mut self) -> Option<ClientId> {
        match mem::replace(&mut self.client, Client::Abandoned) {
            Client::Unknown(unknown) => {
                let (origin, outbox) = *unknown;
                let client = self.shared.next_id();
                // Fails only when the broker is dead; then the inbox ends too.
                self.shared.broker.unbounded_send(Request::Connect(client, origin, outbox)).ok();
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
