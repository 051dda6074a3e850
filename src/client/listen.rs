//! `pipechat listen`: the news, a line each, as they come.

use super::{
    Deadline, ListenArgs, Outcome,
    args::timeout,
    connection::{ConnectOptions, Connection},
    message::ServerMessage,
    print,
};

impl ListenArgs {
    /// Listens.
    pub(crate) fn run(&self) -> Outcome {
        let deadline = match self.timeout {
            Some(seconds) => Deadline::after(timeout(seconds)?),
            None => Deadline::NEVER,
        };
        let options = ConnectOptions {
            host: &self.host,
            port: self.port,
            name: self.name.as_deref(),
            lang: self.lang,
            idle_exempt: true,
        };
        let mut connection = Connection::open(&options, deadline)?;
        let mut left = self.count.unwrap_or(u64::MAX);
        let mut early = std::mem::take(&mut connection.early).into_iter();
        while left > 0 {
            let (line, told) = match early.next() {
                Some(heard) => heard,
                None => connection.next(deadline)?,
            };
            if matches!(told, ServerMessage::News(_)) && self.print(line, &told, &connection)? {
                left -= 1;
            }
        }
        connection.close();
        Ok(())
    }

    /// Prints one line, if it is one to be printed.
    fn print(&self, line: String, told: &ServerMessage, connection: &Connection) -> Result<bool, super::Failure> {
        let mut bytes = if self.json { line.into_bytes() } else { told.in_text(connection.lang) };
        if bytes.last() != Some(&b'\n') {
            bytes.push(b'\n');
        }
        let part = self.part.as_deref().unwrap_or_default();
        if memchr::memmem::find(&bytes[..bytes.len() - 1], part.as_bytes()).is_none() {
            return Ok(false);
        }
        print(&bytes)?;
        Ok(true)
    }
}
