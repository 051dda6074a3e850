//! What all connections over HTTP have in common: who may ask, answers that may be asked for again, and sessions.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    future::Future,
    pin::Pin,
    rc::Rc,
};

use futures::{
    StreamExt,
    channel::mpsc::{self, UnboundedReceiver, UnboundedSender},
    select,
    stream::FuturesUnordered,
};

use super::session::Session;
use crate::{
    broker::Entrance,
    chat::Departure,
    config::WebConfig,
    net::{
        admission::{Admission, Place},
        connection::Shared,
    },
    origin::{Addr, Origin},
    protocol::{
        Lang,
        http::{Guard, Repeats},
    },
};

type Running = Pin<Box<dyn Future<Output = ()>>>;

/// What all connections over HTTP have in common.
pub(in crate::net) struct Hub {
    pub(super) guard: RefCell<Guard>,
    pub(super) repeats: RefCell<Repeats>,
    pub(super) lang: Lang,
    sessions: RefCell<HashMap<String, Rc<Session>>>,
    next_session: Cell<u64>,
    admission: Rc<RefCell<Admission>>,
    /// Where sessions run.
    running: UnboundedSender<Running>,
}

impl Hub {
    /// A hub, and the future in which its sessions run: it ends with the last of them, when the hub is gone.
    pub(in crate::net) fn new(
        web: &WebConfig,
        lang: Lang,
        admission: &Rc<RefCell<Admission>>,
    ) -> (Rc<Self>, impl Future<Output = ()> + use<>) {
        let (running, sessions) = mpsc::unbounded();
        let hub = Self {
            guard: RefCell::default(),
            repeats: RefCell::default(),
            lang,
            sessions: RefCell::default(),
            next_session: Cell::new(1),
            admission: Rc::clone(admission),
            running,
        };
        hub.reload(web);
        (Rc::new(hub), run(sessions))
    }

    /// Who may ask from now on.
    pub(in crate::net) fn reload(&self, web: &WebConfig) {
        self.guard.replace(Guard { hosts: web.public_hosts.clone(), origins: web.origins.clone() });
    }

    /// A place for a session of one who asks from there, and where the session comes from.
    pub(super) fn place(&self, origin: &Origin, shared: &Shared) -> Result<(Place, Origin), Departure> {
        let payer = origin.payer(&shared.trusted.borrow());
        let place = Place::take(&self.admission, Entrance::Session, payer, shared.clock.now())?;
        shared.metrics.accepted(Entrance::Session);
        let id = self.next_session.get();
        self.next_session.set(id + 1);
        let addr = origin.addr.ip().map_or(origin.addr, |ip| Addr::Web { ip, id });
        Ok((place, Origin { addr, ..origin.clone() }))
    }

    /// The session of this id.
    pub(super) fn session(&self, id: &str) -> Option<Rc<Session>> {
        self.sessions.borrow().get(id).cloned()
    }

    /// A session begins, which runs until this future ends.
    pub(super) fn begin(self: &Rc<Self>, id: String, session: Rc<Session>, run: impl Future<Output = ()> + 'static) {
        self.sessions.borrow_mut().insert(id.clone(), session);
        let hub = Rc::clone(self);
        let running = async move {
            run.await;
            hub.sessions.borrow_mut().remove(&id);
        };
        self.running.unbounded_send(Box::pin(running)).ok(); // fails only at the end of the server
    }
}

async fn run(mut begun: UnboundedReceiver<Running>) {
    let mut sessions = FuturesUnordered::new();
    loop {
        select! {
            session = begun.next() => match session {
                Some(session) => sessions.push(session),
                None => break,
            },
            _ = sessions.select_next_some() => {}
        }
    }
    while sessions.next().await.is_some() {}
}
