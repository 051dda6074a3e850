//! The manual: a page per subject, in Markdown. `pipechat help TOPIC` prints a page, these modules show it, and the tests run
//! its examples and compare its tables with the code. Knows nothing of how a page is printed.

/// A page of the manual.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// The word that asks for it.
    pub topic: &'static str,
    /// What it is about, in a few words.
    pub summary: &'static str,
    /// The page, in Markdown. Prose and headings are at most 80 columns wide.
    pub text: &'static str,
}

impl Page {
    /// The page on this topic.
    #[must_use]
    pub fn on(topic: &str) -> Option<&'static Self> {
        PAGES.iter().find(|page| page.topic == topic)
    }
}

/// Each page is a constant in [`PAGES`] and a module, whose documentation it is.
macro_rules! pages {
    ($($topic:ident: $summary:literal;)*) => {
        /// All pages, in the order in which help lists them.
        pub const PAGES: &[Page] = &[$(Page {
            topic: stringify!($topic),
            summary: $summary,
            text: include_str!(concat!(stringify!($topic), ".md")),
        }),*];

        $(
            #[doc = include_str!(concat!(stringify!($topic), ".md"))]
            pub mod $topic {}
        )*
    };
}

pages! {
    protocol: "lines, chat commands, names, who is told what";
    errors: "error codes and disconnect reasons";
    rooms: "join, leave, speak into a room, topics";
    history: "what was said, and coming back without a gap";
    store: "history in a file: promises, failures, its tables";
    accounts: "names that are yours, tokens, messages for the absent";
    order: "operators, room owners: kick, ban, mute, lock, announce";
    scripts: "sync, wait, check, ready-made examples, scenarios";
    json: "the JSON format, with jq";
    http: "curl, programs and browsers: requests, sessions, the page, proxies";
    client: "send, listen, history, wait, who, chat, and their exit codes";
    netcat: "how each netcat ends its input";
    options: "the server's flags, environment and configuration file";
    transport: "places to listen on: TLS, sockets in the file system, proxies";
    operating: "logs, signals, exit codes, security";
    limits: "every limit, why, and what happens above it";
    performance: "how fast, beside what, measured how";
    internals: "map of the source, threads, async-std";
}
