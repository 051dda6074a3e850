//! HTTP, for browsers and `curl`.

mod metrics;

pub use metrics::{CONTENT_TYPE, Health, Histogram, Labelled, Snapshot, metrics};
