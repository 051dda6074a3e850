//! `pipechat wait`: an exit code for what the server's `wait` says.

use std::time::Duration;

use pipechat::chat::Event;

use super::{
    Deadline, Failure, Outcome, WaitArgs,
    args::{field, timeout},
    link::{Hello, Link},
    told::Told,
};

/// How much longer than the server the client is patient: the server's answer is the better one.
const GRACE: Duration = Duration::from_secs(5);

impl WaitArgs {
    /// Waits.
    pub(crate) fn run(&self) -> Outcome {
        let timeout = timeout(self.timeout)?;
        let (until, deadline) = (Deadline::after(timeout), Deadline::after(timeout + GRACE));
        self.check()?;
        let hello = Hello { host: &self.host, port: self.port, name: None, lang: self.lang, stays: false };
        let mut link = Link::open(&hello, deadline)?;
        // What is left of the time, as a number that the server understands: digits and a point.
        let left = until.left().unwrap_or(timeout).as_secs_f64();
        link.say(&format!("wait|{left:.3}|{}|{}\n", self.kind, self.arg)).ok();
        loop {
            match link.next_answer(deadline)? {
                Told::Answer(Event::WaitMet(_)) => break,
                Told::Answer(Event::WaitTimedOut) => return Err(Failure::TimedOut("timed out".to_owned())),
                Told::Refused { text, .. } => return Err(Failure::Refused(Some(text))),
                Told::News(_) | Told::Answer(_) | Told::Words(_) | Told::Farewell { .. } => {}
            }
        }
        link.close();
        Ok(())
    }

    fn check(&self) -> Outcome {
        let arg = &self.arg;
        match &*self.kind {
            "user" | "gone" => field("NAME", arg).map(|_| ()),
            "users" if arg.parse::<usize>().is_ok() => Ok(()),
            "users" => Err(Failure::Usage(format!("users takes a number, not {arg:?}"))),
            "text" if arg.is_empty() => Err(Failure::Usage("PART is empty".to_owned())),
            "text" if arg.contains(['\n', '\r', '\0']) => Err(Failure::Usage("PART must be one line".to_owned())),
            "text" => Ok(()),
            other => Err(Failure::Usage(format!("wait for user, gone, users or text, not for {other:?}"))),
        }
    }
}
