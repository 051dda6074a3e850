//! The thread that hashes passwords, one at a time. It is made for the first of them: a server whose users have no accounts has none.

use std::{
    io,
    sync::mpsc,
    task::{Context, Poll},
    thread,
};

use futures::{
    StreamExt,
    channel::mpsc::{UnboundedReceiver, unbounded},
};
use rustix::process::nice;

use super::jobs::{Asked, Jobs};
use crate::{
    chat::{ClientId, Input, Job, Ticket, Verdict, token_digest},
    password,
};

/// The thread gives way to others by so much: where there is one core, the chat comes first.
const NICENESS: i32 = 10;

/// The thread, if there is one, and what it does.
#[derive(Debug, Default)]
pub(super) struct Verifier(State);

#[derive(Debug, Default)]
enum State {
    /// There is no thread.
    #[default]
    Asleep,
    Idle(Thread),
    Busy(Thread, ClientId, Ticket),
    /// There is no thread, and the job of this client was not done.
    Failed(ClientId, Ticket),
}

/// Ends when this is dropped.
#[derive(Debug)]
struct Thread {
    jobs: mpsc::Sender<Job>,
    verdicts: UnboundedReceiver<Verdict>,
}

impl Verifier {
    /// Begins with the next job, if it is not at one.
    pub(super) fn work(&mut self, jobs: &mut Jobs) {
        let thread = match std::mem::take(&mut self.0) {
            State::Asleep => None,
            State::Idle(thread) => Some(thread),
            busy @ (State::Busy(..) | State::Failed(..)) => return self.0 = busy,
        };
        let Some(Asked { client, ticket, job }) = jobs.next() else {
            return self.0 = thread.map_or(State::Asleep, State::Idle);
        };
        let begun = thread.map_or_else(Thread::begin, Ok).and_then(|thread| {
            thread.jobs.send(job).map_err(|_| io::Error::other("it has ended"))?;
            Ok(thread)
        });
        self.0 = match begun {
            Ok(thread) => State::Busy(thread, client, ticket),
            Err(error) => {
                log::error!("no password can be verified: there is no thread for it ({error})");
                State::Failed(client, ticket)
            }
        };
    }

    /// What the chat has to know when a job is done. To be asked again after [`Self::work`].
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Input> {
        let (client, ticket, verdict) = match std::mem::take(&mut self.0) {
            State::Busy(mut thread, client, ticket) => match thread.verdicts.poll_next_unpin(cx) {
                Poll::Ready(Some(verdict)) => {
                    self.0 = State::Idle(thread);
                    (client, ticket, verdict)
                }
                Poll::Ready(None) => (client, ticket, Verdict::Failed), // its panic is logged; the next job has another
                Poll::Pending => {
                    self.0 = State::Busy(thread, client, ticket);
                    return Poll::Pending;
                }
            },
            State::Failed(client, ticket) => (client, ticket, Verdict::Failed),
            idle @ (State::Asleep | State::Idle(_)) => {
                self.0 = idle;
                return Poll::Pending;
            }
        };
        Poll::Ready(Input::Verified(client, ticket, verdict))
    }
}

impl Thread {
    fn begin() -> io::Result<Self> {
        let (jobs, to_do) = mpsc::channel();
        let (done, verdicts) = unbounded();
        let work = move || {
            nice(NICENESS).ok(); // of this thread alone; without it, it only takes its share
            for job in to_do {
                done.unbounded_send(verdict(job)).ok(); // the server may have ended
            }
        };
        thread::Builder::new().name("verifier".to_owned()).spawn(work)?;
        Ok(Self { jobs, verdicts })
    }
}

/// Does a job.
fn verdict(job: Job) -> Verdict {
    let done = match job {
        Job::Check { hash, password } => Ok(Verdict::Checked(password::is_password(hash.as_deref(), &password))),
        Job::Hash(password) => password::hash(&password).map(Verdict::Hashed),
        Job::Replace { hash, old, new } if password::is_password(Some(&hash), &old) => {
            password::hash(&new).map(|hash| Verdict::Replaced(Some(hash)))
        }
        Job::Replace { .. } => Ok(Verdict::Replaced(None)),
        Job::MakeToken => password::make_token().map(|secret| {
            let digest = token_digest(secret.reveal());
            Verdict::Token { secret, digest }
        }),
    };
    done.unwrap_or_else(|reason| {
        log::error!("a password or a token could not be made: {reason}");
        Verdict::Failed
    })
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures::executor::block_on;

    use super::*;
    use crate::{
        broker::schedule::FlowKey,
        chat::{Secret, token_digest},
    };

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    /// The verdict on a job.
    fn ask(verifier: &mut Verifier, job: Job) -> Verdict {
        let mut jobs = Jobs::default();
        jobs.push(FlowKey::Arrivals, ClientId(1), Ticket(7), job);
        verifier.work(&mut jobs);
        match block_on(poll_fn(|cx| verifier.poll_next(cx))) {
            Input::Verified(ClientId(1), Ticket(7), verdict) => verdict,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn passwords_are_hashed_and_checked() {
        let verifier = &mut Verifier::default();
        let Verdict::Hashed(hash) = ask(verifier, Job::Hash(secret("one"))) else { panic!("it works") };
        let check = |verifier: &mut Verifier, hash: Option<&_>, password| {
            ask(verifier, Job::Check { hash: hash.cloned(), password: secret(password) })
        };
        assert_eq!(check(verifier, Some(&hash), "one"), Verdict::Checked(true));
        assert_eq!(check(verifier, Some(&hash), "two"), Verdict::Checked(false));
        assert_eq!(check(verifier, None, "one"), Verdict::Checked(false));
        let replace = |old| Job::Replace { hash: hash.clone(), old: secret(old), new: secret("two") };
        assert_eq!(ask(verifier, replace("two")), Verdict::Replaced(None));
        let Verdict::Replaced(Some(hash)) = ask(verifier, replace("one")) else { panic!("it works") };
        assert_eq!(check(verifier, Some(&hash), "two"), Verdict::Checked(true));
    }

    #[test]
    fn tokens_are_made() {
        let Verdict::Token { secret, digest } = ask(&mut Verifier::default(), Job::MakeToken) else {
            panic!("it works")
        };
        assert!(secret.is_token() && token_digest(secret.reveal()) == digest);
    }

    #[test]
    fn one_job_is_done_at_a_time() {
        let (mut verifier, mut jobs) = (Verifier::default(), Jobs::default());
        for client in 1..=3 {
            jobs.push(FlowKey::Client(ClientId(client)), ClientId(client), Ticket(client), Job::MakeToken);
        }
        verifier.work(&mut jobs);
        verifier.work(&mut jobs);
        jobs.remove(ClientId(2));
        let mut next = || block_on(poll_fn(|cx| verifier.poll_next(cx)));
        assert!(matches!(next(), Input::Verified(ClientId(1), Ticket(1), _)));
        verifier.work(&mut jobs);
        let mut next = || block_on(poll_fn(|cx| verifier.poll_next(cx)));
        assert!(matches!(next(), Input::Verified(ClientId(3), Ticket(3), _)), "the second is gone");
        assert!(jobs.next().is_none());
    }
}
