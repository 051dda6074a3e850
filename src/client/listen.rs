//! `pipechat listen`: the news, a line each, as they come.

use super::{
    Deadline, ListenArgs, Outcome,
    args::timeout,
    link::{Hello, Link},
    print,
    told::Told,
};

impl ListenArgs {
    /// Listens.
    pub(crate) fn run(&self) -> Outcome {
        let deadline = match self.timeout {
            Some(seconds) => Deadline::after(timeout(seconds)?),
            None => Deadline::NEVER,
        };
        let hello =
            Hello { host: &self.host, port: self.port, name: self.name.as_deref(), lang: self.lang, stays: true };
        let mut link = Link::open(&hello, deadline)?;
        let mut left = self.count.unwrap_or(u64::MAX);
        let mut early = std::mem::take(&mut link.early).into_iter();
        while left > 0 {
            let (line, told) = match early.next() {
                Some(heard) => heard,
                None => link.next(deadline)?,
            };
            if matches!(told, Told::News(_)) && self.print(line, &told, &link)? {
                left -= 1;
            }
        }
        link.close();
        Ok(())
    }

    /// Prints one line, if it is one to be printed.
    fn print(&self, line: String, told: &Told, link: &Link) -> Result<bool, super::Failure> {
        let mut bytes = if self.json { line.into_bytes() } else { told.in_text(link.lang) };
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
