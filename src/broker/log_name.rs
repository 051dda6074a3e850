//! What the log calls a client. Knows no rules and writes nothing.

use std::{fmt, sync::Arc};

use crate::{
    chat::{ClientId, Identity},
    origin::Addr,
    protocol::escape::escaped,
};

/// `#5 127.0.0.1:42112 李四`; the first two alone for a client that has no name yet.
#[derive(Debug)]
pub(super) struct LogName {
    pub(super) id: ClientId,
    pub(super) addr: Addr,
    pub(super) who: Option<Arc<Identity>>,
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.addr)?;
        match &self.who {
            Some(who) => write!(f, " {}", escaped(&who.name)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_follows_the_address_and_is_escaped() {
        let log_name = |name: Option<&str>| {
            let addr = Addr::Ip(([127, 0, 0, 1], 42112).into());
            let who = |name: &str| Arc::new(Identity { name: name.to_owned(), addr: addr.to_string() });
            LogName { id: ClientId(5), addr, who: name.map(who) }.to_string()
        };
        assert_eq!(log_name(None), "#5 127.0.0.1:42112");
        assert_eq!(log_name(Some("李四")), "#5 127.0.0.1:42112 李四");
        assert_eq!(log_name(Some("\x1b[2J\n")), r"#5 127.0.0.1:42112 \u{1b}[2J\u{a}");
    }
}
