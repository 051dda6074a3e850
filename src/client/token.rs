//! The token by which a subcommand logs in.

use std::{fs, str::FromStr};

use pipechat::chat::Secret;

use super::Failure;

/// What stands behind `login|`: what `--token` takes, or what was typed into `chat`.
#[derive(Debug, Clone)]
pub(super) struct Token(Secret);

impl FromStr for Token {
    type Err = String;

    /// What is no token is not shown: it may be a password.
    fn from_str(text: &str) -> Result<Self, String> {
        let secret = Secret::new(text.to_owned());
        if secret.is_token() {
            Ok(Self(secret))
        } else {
            Err("expected a token, pc_ and 26 letters and digits".to_owned())
        }
    }
}

impl Token {
    /// What the server has accepted.
    pub(super) fn typed(secret: Secret) -> Self {
        Self(secret)
    }

    /// The one in the file, if there is a file, or else the one that was given.
    ///
    /// # Errors
    /// [`Failure::Usage`] if there is none in the file.
    pub(super) fn choose(given: Option<&Self>, file: Option<&str>) -> Result<Option<Self>, Failure> {
        let Some(path) = file else { return Ok(given.cloned()) };
        let text = fs::read_to_string(path);
        let text = text.map_err(|error| Failure::Usage(format!("can't read --token-file {path:?}: {error}")))?;
        match text.trim().parse() {
            Ok(token) => Ok(Some(token)),
            Err(sentence) => Err(Failure::Usage(format!("--token-file {path:?}: {sentence}"))),
        }
    }

    /// The line that logs in.
    pub(super) fn login(&self) -> String {
        format!("login|{}\n", self.0.reveal())
    }
}
