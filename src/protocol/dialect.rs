//! How events look: in which format and language a connection is spoken to.

use jiff::Timestamp;

use crate::chat::Seq;

/// The language of texts for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Chinese, in the words of the tutorial.
    #[default]
    Zh,
    /// English.
    En,
}

/// The form of what a connection is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Lines for people.
    #[default]
    Text,
    /// An object a line, for programs.
    Json,
}

/// How a connection is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dialect {
    /// Lines for people, or objects for programs.
    pub format: Format,
    /// The language of what is for people.
    pub lang: Lang,
}

/// What a user has set for its own connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// No idle timeout.
    Stay,
    /// To speak without being here.
    Visit,
    /// The format.
    Format(Format),
    /// The language.
    Lang(Lang),
}

/// When an event happened, and where in the order of events it stands.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// The number of a public event; none for what one client alone is told.
    pub seq: Option<Seq>,
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
            Setting::Stay | Setting::Visit => self,
            Setting::Format(format) => Self { format, ..self },
            Setting::Lang(lang) => Self { lang, ..self },
        }
    }
}
