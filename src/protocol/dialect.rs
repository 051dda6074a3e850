//! How events look: one text for each dialect.

use jiff::Timestamp;

use super::line::{json, text};
use crate::chat::{Event, Format, Lang, Setting};

/// How a connection is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dialect {
    /// Lines for people, or objects for programs.
    pub format: Format,
    /// The language of what is for people.
    pub lang: Lang,
}

/// When and where in the order of events a line stands.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// The number of a public event; none for what one client alone is told.
    pub seq: Option<u64>,
    /// When the broker's turn began.
    pub at: Timestamp,
}

impl Dialect {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// All of them, in the order of [`Self::index`].
    pub const ALL: [Self; 4] = [
        Self { format: Format::Text, lang: Lang::Zh },
        Self { format: Format::Text, lang: Lang::En },
        Self { format: Format::Json, lang: Lang::Zh },
        Self { format: Format::Json, lang: Lang::En },
    ];

    /// A number below [`Self::COUNT`], one for each.
    #[must_use]
    pub fn index(self) -> usize {
        match (self.format, self.lang) {
            (Format::Text, Lang::Zh) => 0,
            (Format::Text, Lang::En) => 1,
            (Format::Json, Lang::Zh) => 2,
            (Format::Json, Lang::En) => 3,
        }
    }

    /// The dialect with this setting in force.
    #[must_use]
    pub fn with(self, setting: Setting) -> Self {
        match setting {
            Setting::Stay => self,
            Setting::Format(format) => Self { format, ..self },
            Setting::Lang(lang) => Self { lang, ..self },
        }
    }
}

/// Appends `event` to `out`, as whole lines with their LF: one, but for `help`, and none in text for the end of `who`.
pub fn render(out: &mut Vec<u8>, event: &Event, stamp: Stamp, dialect: Dialect) {
    match dialect.format {
        Format::Text => text::lines(out, event, dialect.lang),
        Format::Json => json::object(out, event, stamp, dialect.lang),
    }
}
