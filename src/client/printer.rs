//! How news are printed, a line each, and which of them.

use jiff::{Timestamp, tz::TimeZone};
use pipechat::{chat::composed, protocol::Lang};

use super::{Failure, filter::Filter, json::escaped_json, message::News, print};

/// What is printed of the news.
#[derive(Debug)]
pub(super) struct Printer<'a> {
    /// Those that are printed.
    pub(super) filter: Filter,
    /// Only lines with this in them.
    pub(super) part: Option<&'a str>,
    /// Objects, as the server has sent them.
    pub(super) is_json: bool,
    /// With the local time before each, unless they are objects.
    pub(super) has_times: bool,
}

impl Printer<'_> {
    /// Prints this, which came as `line`, if it is wanted. Returns whether it is.
    pub(super) fn print(&self, line: &str, news: &News, lang: Lang) -> Result<bool, Failure> {
        if !self.filter.admits(&news.event) {
            return Ok(false);
        }
        let mut bytes = if self.is_json { escaped_json(line).into_bytes() } else { news.in_text(lang) };
        if bytes.last() != Some(&b'\n') {
            bytes.push(b'\n');
        }
        let text = String::from_utf8_lossy(&bytes[..bytes.len() - 1]);
        if self.part.is_some_and(|part| !composed(&text).contains(&*composed(part))) {
            return Ok(false);
        }
        if self.has_times && !self.is_json {
            let time = news.at.unwrap_or_else(Timestamp::now).to_zoned(TimeZone::system());
            bytes.splice(..0, time.strftime("%Y-%m-%d %H:%M:%S ").to_string().into_bytes());
        }
        print(&bytes)?;
        Ok(true)
    }
}
