//! A way to the server that can be cut.

use std::{
    io,
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// A proxy, which goes on until the tests end.
pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    is_cut: bool,
    /// Both ends of each connection.
    streams: Vec<TcpStream>,
}

impl Proxy {
    pub(crate) fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let (addr, state) = (listener.local_addr().expect("bound"), Arc::<Mutex<State>>::default());
        let of_thread = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let mut state = of_thread.lock().unwrap_or_else(PoisonError::into_inner);
                if !state.is_cut
                    && let Ok(server) = TcpStream::connect(server)
                {
                    let ends = [&client, &server].map(|end| end.try_clone().expect("a descriptor"));
                    state.streams.extend(ends);
                    let [back, forth] = [&server, &client].map(|end| end.try_clone().expect("a descriptor"));
                    thread::spawn(move || pass(client, server));
                    thread::spawn(move || pass(back, forth));
                }
            }
        });
        Self { addr, state }
    }

    /// Cuts all connections, and takes no others until it is mended.
    pub(crate) fn cut(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_cut = true;
        for stream in state.streams.drain(..) {
            stream.shutdown(Shutdown::Both).ok(); // it may have ended already
        }
    }

    pub(crate) fn mend(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_cut = false;
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    io::copy(&mut from, &mut to).ok(); // it may be cut
    to.shutdown(Shutdown::Write).ok();
}
