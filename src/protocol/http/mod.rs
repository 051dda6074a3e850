//! HTTP/1.1 as curl and browsers speak it, sans-IO: bytes in, requests and lines out. Knows no sockets and no rules.
//!
//! [`Requests`] finds requests and the lines of their bodies in bytes; [`Request`] is what one asks for; [`ResponseHead`] and
//! [`Chunk`] are what stands around an answer, whose lines are those of a dialect.

mod asked_as;
mod body;
mod decode;
pub mod events;
mod guard;
mod head;
mod lines;
mod log;
mod metrics;
pub mod page;
mod problem;
mod repeats;
mod request;
mod response;
mod status;
mod target;

pub use asked_as::AskedAs;
pub use body::{Body, Taken};
pub use decode::{Item, Requests};
pub use guard::Guard;
pub use head::{BodyLength, HEAD_BYTES_MAX, Head, Method, Parsed};
pub use lines::steps_of;
pub use log::{Log, Logged};
pub use metrics::{CONTENT_TYPE as METRICS_CONTENT_TYPE, Health, Histogram, Labelled, Snapshot, metrics};
pub use problem::Problem;
pub use repeats::{Answered, RepeatKey, Repeats, Seen};
pub use request::{Past, Request, SayTo, Shape};
pub use response::{Chunk, Length, ResponseHead, refusal};
pub use status::{retry_after, status_of, status_of_departure};
pub use target::Target;
