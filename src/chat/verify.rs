//! What is done with secrets on a thread of its own, and what comes of it. Values only: the work is in `password` and the
//! broker's `verifier`.

use std::{fmt, ops::RangeInclusive, sync::Arc};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// How long a password is, in bytes. Longer ones are refused before they are hashed, so this is what a client can have waiting.
pub const PASSWORD_BYTES: RangeInclusive<usize> = 8..=128;
/// What a token begins with, so that programs that look for leaked secrets find it.
pub const TOKEN_PREFIX: &str = "pc_";
/// The letters of a token behind that, 5 bits each: Crockford's base32 without capitals.
pub const TOKEN_LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// How many of these a token has: 130 bits, which nobody guesses, so that a fast hash is enough.
pub const TOKEN_LENGTH: usize = 26;

/// A password or a token. It is not shown by `{:?}`, its memory is overwritten when it is dropped, and comparing it tells nothing
/// by how long that takes.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes it out of a text, whose memory becomes the secret's.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// What it is, for those who check it and for the one who is told of it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it may be a password: its length, and no `|`, in either width, which nobody could change it with.
    #[must_use]
    pub fn is_password(&self) -> bool {
        PASSWORD_BYTES.contains(&self.0.len()) && !self.0.contains(['|', '\u{ff5c}'])
    }

    /// Whether it has the form of a token.
    #[must_use]
    pub fn is_token(&self) -> bool {
        is_token(&self.0)
    }
}

/// Whether this has the form of a token.
#[must_use]
pub fn is_token(text: &str) -> bool {
    text.strip_prefix(TOKEN_PREFIX).is_some_and(|letters| {
        letters.len() == TOKEN_LENGTH && letters.bytes().all(|letter| TOKEN_LETTERS.contains(&letter))
    })
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

/// What is kept of a token: its SHA-256. Compared in constant time.
#[derive(Clone, Copy)]
pub struct Digest(pub [u8; 32]);

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl fmt::Display for Digest {
    /// In hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Digest {
    /// Reads what it is written as.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut digest = [0; 32];
        if text.len() != 2 * digest.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (at, byte) in digest.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self(digest))
    }
}

/// What is kept of a token.
#[must_use]
pub fn token_digest(token: &str) -> Digest {
    Digest(Sha256::digest(token.as_bytes()).into())
}

/// Which job a verdict is about: a client may ask for another one before it gets the verdict of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(pub u64);

/// Something that takes long, or needs random numbers. A client has at most one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Is this the password?
    Check {
        /// Of which this is the hash. None for an account that is not there, which takes as long, and it is not.
        hash: Option<Arc<str>>,
        /// What was given.
        password: Secret,
    },
    /// What is the hash of this new password?
    Hash(Secret),
    /// Is this the old password, and if so, what is the hash of the new one?
    Replace {
        /// The hash of the old one.
        hash: Arc<str>,
        /// What was given as the old one.
        old: Secret,
        /// The new one.
        new: Secret,
    },
    /// What may be a new token?
    MakeToken,
}

/// What has come of a [`Job`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Of [`Job::Check`]: whether it is the password.
    Checked(bool),
    /// Of [`Job::Hash`]: the hash, as a PHC string.
    Hashed(Arc<str>),
    /// Of [`Job::Replace`]: the hash of the new password; none if the old one is wrong.
    Replaced(Option<Arc<str>>),
    /// Of [`Job::MakeToken`].
    Token {
        /// The token, to be shown once.
        secret: Secret,
        /// What is kept of it.
        digest: Digest,
    },
    /// It could not be done: there is no thread, no memory, or there are no random numbers. The log has the reason.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("hunter22".to_owned());
        let job = Job::Check { hash: None, password: secret.clone() };
        assert_eq!(format!("{secret:?} {job:?}"), "Secret Check { hash: None, password: Secret }");
        assert!(secret == Secret::new("hunter22".to_owned()) && secret != Secret::new("hunter23".to_owned()));
    }

    #[test]
    fn passwords_have_a_length() {
        let is_password = |text: &str| Secret::new(text.to_owned()).is_password();
        assert!(is_password("12345678") && is_password(&"x".repeat(128)) && is_password("  密码 !"));
        assert!(!is_password("1234567") && !is_password(&"x".repeat(129)) && !is_password("1234|5678"));
    }

    #[test]
    fn tokens_have_a_form() {
        let is_token = |text: String| Secret::new(text).is_token();
        assert!(is_token(format!("pc_{}", "0z".repeat(13))));
        for letters in ["0".repeat(25), "0".repeat(27), "o".repeat(26), "A".repeat(26)] {
            assert!(!is_token(format!("pc_{letters}")), "{letters}");
        }
        assert!(!is_token("0".repeat(29)));
    }

    #[test]
    fn a_digest_can_be_read_again() {
        let digest = token_digest("abc");
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, B.1
        assert_eq!((digest.to_string().as_str(), Digest::from_hex(text)), (text, Some(digest)));
        assert_ne!(digest, token_digest("abd"));
        for text in ["", &text[1..], &format!("{}é", &text[2..]), &format!("+{}", &text[1..])] {
            assert_eq!(Digest::from_hex(text), None, "{text}");
        }
    }
}
