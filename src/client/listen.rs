//! `pipechat listen`: prints the news, a line each, as they come.

use super::{
    Deadline, Failure, ListenArgs, Outcome,
    args::timeout,
    connection::{ConnectOptions, Connection},
    message::{ServerMessage, escaped_json},
    print,
};

impl ListenArgs {
    /// Runs the subcommand.
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
            keeps_news: true,
        };
        let mut connection = Connection::open(&options, deadline)?;
        let mut left = self.count.unwrap_or(u64::MAX);
        let mut early = std::mem::take(&mut connection.early).into_iter();
        while left > 0 {
            let (line, message) = match early.next() {
                Some(news) => news,
                None => connection.next(deadline)?,
            };
            if matches!(message, ServerMessage::News(_)) && self.print(&line, &message, &connection)? {
                left -= 1;
            }
        }
        connection.close();
        Ok(())
    }

    /// Prints this message, which came as `line`, if it matches. Returns whether it does.
    fn print(&self, line: &str, message: &ServerMessage, connection: &Connection) -> Result<bool, Failure> {
        let mut bytes = if self.json { escaped_json(line).into_bytes() } else { message.in_text(connection.lang) };
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
