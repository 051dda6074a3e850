//! Who makes a request: nobody in particular, a name, or an account with a proof of it.

use base64ct::{Base64, Encoding};

use super::{Head, Problem};
use crate::chat::{AccountCommand, Command, Secret};

/// The longest credentials, in bytes.
const CREDENTIALS_BYTES_MAX: usize = 1 << 10;

const AUTHORIZATION: &str = "?name=NAME, or Authorization: Bearer TOKEN, or Basic NAME:PASSWORD, NAME: or :TOKEN";

/// Who asks.
#[derive(Debug, PartialEq, Eq)]
pub enum AskedAs {
    /// Nobody in particular.
    Nobody,
    /// One who takes this name.
    Name(String),
    /// The account of this name, or of the one that the token tells.
    Account(Option<String>, Secret),
}

impl AskedAs {
    /// Who asks, as its fields and its query say.
    ///
    /// # Errors
    /// If the field has another form.
    pub fn of(head: &Head) -> Result<Self, Problem> {
        let name = head.target.get("name").map(str::to_owned);
        let Some(field) = &head.authorization else { return Ok(name.map_or(Self::Nobody, Self::Name)) };
        let usage = Problem::Usage(AUTHORIZATION);
        if name.is_some() {
            return Err(usage); // who is it then?
        }
        let (scheme, rest) = field.split_once(' ').filter(|_| field.len() <= CREDENTIALS_BYTES_MAX).ok_or(usage)?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Ok(Self::Account(None, Secret::new(rest.to_owned())));
        }
        let bytes = Some(rest).filter(|_| scheme.eq_ignore_ascii_case("basic")).ok_or(usage)?;
        let text = Base64::decode_vec(bytes).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(usage)?;
        match text.split_once(':').ok_or(usage)? {
            ("", "") => Ok(Self::Nobody),
            (name, "") => Ok(Self::Name(name.to_owned())),
            ("", token) => Ok(Self::Account(None, Secret::new(token.to_owned()))),
            (name, password) => Ok(Self::Account(Some(name.to_owned()), Secret::new(password.to_owned()))),
        }
    }

    /// What one has to ask the chat for to be it.
    #[must_use]
    pub fn command(self) -> Option<Command> {
        match self {
            Self::Nobody => None,
            Self::Name(name) => Some(Command::Rename(name)),
            Self::Account(name, secret) => Some(Command::Account(AccountCommand::Login { name, secret })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::http::Parsed;

    fn head(target: &str, fields: &str) -> Head {
        match Head::parse(format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes()).expect("a head") {
            Parsed::Complete(head, _) => *head,
            Parsed::Incomplete => panic!("incomplete"),
        }
    }

    #[test]
    fn one_becomes_what_one_asks_as() {
        assert_eq!(AskedAs::Nobody.command(), None);
        assert_eq!(AskedAs::Name("ci".to_owned()).command(), Some(Command::Rename("ci".to_owned())));
        let (name, secret) = (Some("ann".to_owned()), Secret::new("secret".to_owned()));
        let login = AccountCommand::Login { name: name.clone(), secret: secret.clone() };
        assert_eq!(AskedAs::Account(name, secret).command(), Some(Command::Account(login)));
    }

    #[test]
    fn who_asks_is_told_by_a_field_or_a_name() {
        let asked = |target: &str, field: &str| {
            let fields = if field.is_empty() { String::new() } else { format!("Authorization: {field}\r\n") };
            AskedAs::of(&head(target, &fields)).map(|asked| match asked {
                AskedAs::Nobody => "nobody".to_owned(),
                AskedAs::Name(name) => format!("name {name}"),
                AskedAs::Account(name, secret) => format!("{} {}", name.unwrap_or_default(), secret.reveal()),
            })
        };
        let basic = |text: &str| format!("Basic {}", Base64::encode_string(text.as_bytes()));
        for (field, expected) in [
            (String::new(), "nobody"),
            ("Bearer pc_abc".to_owned(), " pc_abc"),
            ("bearer  pc_abc".to_owned(), " pc_abc"),
            (basic("ann:se:cret"), "ann se:cret"),
            (basic("ann:"), "name ann"),
            (basic(":pc_abc"), " pc_abc"),
            (basic("张三:x"), "张三 x"),
            (basic(":"), "nobody"),
        ] {
            assert_eq!(asked("/rooms", &field), Ok(expected.to_owned()), "{field}");
        }
        assert_eq!(asked("/rooms?name=ci", ""), Ok("name ci".to_owned()));
        assert_eq!(asked("/rooms?name=", ""), Ok("name ".to_owned()), "as where a script's variable is not set");
        assert_eq!(asked("/rooms?name=ci", "Bearer pc_abc"), Err(Problem::Usage(AUTHORIZATION)), "who is it?");
        for field in
            ["Basic", "Basic !", "Basic YQ==", "Digest a", "pc_abc", &basic(&format!("a:{}", "x".repeat(1 << 10)))]
        {
            assert_eq!(asked("/rooms", field), Err(Problem::Usage(AUTHORIZATION)), "{field}");
        }
    }
}
