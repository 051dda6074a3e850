//! Conversations with the real binary over sockets, as the tutorial describes them: every text of the protocol in both
//! languages, what makes a line, how a connection ends, and the program around it.

mod accounts;
mod failures;
mod history;
mod history_forgotten;
mod history_gone;
mod history_joins;
mod history_json;
mod history_paused;
mod lines;
mod messages;
mod names;
mod order;
mod presence;
mod program;
mod rooms;
mod rooms_json;
mod telnet;
mod visitors;

use common::{EN, Server, Texts, ZH, binary};

/// Runs the test in each language, with the server's other flags.
fn in_both(flags: &[&str], test: impl Fn(Server, &Texts)) {
    for texts in [&ZH, &EN] {
        test(Server::start_with(binary(), &[&["--port", "0", "--lang", texts.lang], flags].concat()), texts);
    }
}
