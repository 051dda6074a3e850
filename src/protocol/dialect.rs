//! How a connection's output looks: its format, its language, and what ends its lines.

use jiff::Timestamp;

use crate::chat::{Position, Seq};

/// The language of texts for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Chinese, in the words of the tutorial.
    #[default]
    Zh,
    /// English.
    En,
}

/// The format of what a connection is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Lines for people.
    #[default]
    Text,
    /// An object a line, for programs.
    Json,
}

/// What ends the lines that a connection is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineEnding {
    /// LF, as for nc.
    #[default]
    Lf,
    /// CR LF, as telnet's terminal needs it (RFC 854).
    CrLf,
}

/// How a connection's output looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dialect {
    /// Lines for people, or objects for programs.
    pub format: Format,
    /// The language of what is for people.
    pub lang: Lang,
    /// What ends each line.
    pub ending: LineEnding,
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

/// When an event happened, in which room, and where in the order of its events it stands.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// The number of a public event; none for what one client alone is told.
    pub seq: Option<Seq>,
    /// When the broker's turn began.
    pub at: Timestamp,
    /// The name of the room of a public event.
    pub room: Option<&'a str>,
    /// Where a public event stands among all that are kept, if it is.
    pub position: Option<Position>,
    /// It has happened before, and is told now to one who has asked for it.
    pub is_replay: bool,
}

impl Stamp<'_> {
    /// Of what one client alone is told.
    #[must_use]
    pub fn private(at: Timestamp) -> Self {
        Self { seq: None, at, room: None, position: None, is_replay: false }
    }
}

impl Dialect {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// All of them, in the order of [`Self::index`].
    pub const ALL: [Self; 8] = [
        Self { format: Format::Text, lang: Lang::Zh, ending: LineEnding::Lf },
        Self { format: Format::Text, lang: Lang::En, ending: LineEnding::Lf },
        Self { format: Format::Json, lang: Lang::Zh, ending: LineEnding::Lf },
        Self { format: Format::Json, lang: Lang::En, ending: LineEnding::Lf },
        Self { format: Format::Text, lang: Lang::Zh, ending: LineEnding::CrLf },
        Self { format: Format::Text, lang: Lang::En, ending: LineEnding::CrLf },
        Self { format: Format::Json, lang: Lang::Zh, ending: LineEnding::CrLf },
        Self { format: Format::Json, lang: Lang::En, ending: LineEnding::CrLf },
    ];

    /// A number below [`Self::COUNT`], one for each.
    #[must_use]
    pub fn index(self) -> usize {
        let index = match (self.format, self.lang) {
            (Format::Text, Lang::Zh) => 0,
            (Format::Text, Lang::En) => 1,
            (Format::Json, Lang::Zh) => 2,
            (Format::Json, Lang::En) => 3,
        };
        match self.ending {
            LineEnding::Lf => index,
            LineEnding::CrLf => index + Self::COUNT / 2,
        }
    }

    /// The same with lines that end in CR LF.
    #[must_use]
    pub fn with_cr_lf(self) -> Self {
        Self { ending: LineEnding::CrLf, ..self }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_has_its_own_place() {
        let places = Dialect::ALL.map(Dialect::index);
        assert!(places.into_iter().eq(0..Dialect::COUNT), "{places:?}");
    }

    #[test]
    fn settings_keep_the_line_ending() {
        for dialect in Dialect::ALL {
            let other = dialect.with(Setting::Format(Format::Json)).with(Setting::Lang(Lang::En));
            assert_eq!(other, Dialect { format: Format::Json, lang: Lang::En, ending: dialect.ending });
        }
    }
}
