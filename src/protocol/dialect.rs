//! How a connection's output looks: its format, its language, and what ends its lines.

use jiff::Timestamp;

use crate::chat::{Kinds, Position, Seq};

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

/// What stands around each line that a connection is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Envelope {
    /// LF behind it, as for nc.
    #[default]
    Lf,
    /// CR LF behind it, as telnet's terminal needs it (RFC 854).
    CrLf,
    /// LF behind it, over HTTP: in text, what happens in rooms stands behind its position and time, as in a history. What
    /// happens is left out where it is not of these kinds.
    Stream(Kinds),
    /// It is the data of a server-sent event, which has the position as its id. The same is left out.
    ServerSent(Kinds),
}

/// How a connection's output looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dialect {
    /// Lines for people, or objects for programs.
    pub format: Format,
    /// The language of what is for people.
    pub lang: Lang,
    /// What stands around each line.
    pub envelope: Envelope,
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

impl Envelope {
    const ALL: [Self; 6] = [
        Self::Lf,
        Self::CrLf,
        Self::Stream(Kinds::All),
        Self::Stream(Kinds::Messages),
        Self::ServerSent(Kinds::All),
        Self::ServerSent(Kinds::Messages),
    ];

    /// A number below that of all of them, one for each.
    fn index(self) -> usize {
        match self {
            Self::Lf => 0,
            Self::CrLf => 1,
            Self::Stream(Kinds::All) => 2,
            Self::Stream(Kinds::Messages) => 3,
            Self::ServerSent(Kinds::All) => 4,
            Self::ServerSent(Kinds::Messages) => 5,
        }
    }

    /// Which events it has.
    #[must_use]
    pub fn kinds(self) -> Kinds {
        match self {
            Self::Lf | Self::CrLf => Kinds::All,
            Self::Stream(kinds) | Self::ServerSent(kinds) => kinds,
        }
    }
}

impl Dialect {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// All of them, in the order of [`Self::index`].
    pub const ALL: [Self; 4 * Envelope::ALL.len()] = {
        let mut all = [Self { format: Format::Text, lang: Lang::Zh, envelope: Envelope::Lf }; 4 * Envelope::ALL.len()];
        let mut index = 0;
        while index < all.len() {
            all[index] = Self {
                format: if index % 4 < 2 { Format::Text } else { Format::Json },
                lang: if index % 2 == 0 { Lang::Zh } else { Lang::En },
                envelope: Envelope::ALL[index / 4],
            };
            index += 1;
        }
        all
    };

    /// A number below [`Self::COUNT`], one for each.
    #[must_use]
    pub fn index(self) -> usize {
        let index = match (self.format, self.lang) {
            (Format::Text, Lang::Zh) => 0,
            (Format::Text, Lang::En) => 1,
            (Format::Json, Lang::Zh) => 2,
            (Format::Json, Lang::En) => 3,
        };
        4 * self.envelope.index() + index
    }

    /// The same with lines that end in CR LF.
    #[must_use]
    pub fn with_cr_lf(self) -> Self {
        Self { envelope: Envelope::CrLf, ..self }
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
            assert_eq!(other, Dialect { format: Format::Json, lang: Lang::En, envelope: dialect.envelope });
        }
    }
}
