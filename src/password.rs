//! Passwords and tokens: what is kept of them, and the system's random numbers. Hashing a password takes about 25 ms and 19 MB,
//! so it is nothing for the thread of the chat.

use std::sync::Arc;

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use rustix::rand::{GetRandomFlags, getrandom};
use zeroize::Zeroizing;

use crate::chat::{Secret, TOKEN_LENGTH, TOKEN_LETTERS, TOKEN_PREFIX};

/// What a password is compared with where there is no account: the hash of nothing, at the same cost as others.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The hash of a new password, with a salt of its own, as a PHC string: argon2id at its default cost.
///
/// # Errors
/// Why there is none, for the log: the system has no random numbers, or too little memory.
pub fn hash(password: &Secret) -> Result<Arc<str>, String> {
    let salt = random::<{ argon2::RECOMMENDED_SALT_LEN }>()?;
    let hash = Argon2::default().hash_password_with_salt(password.reveal().as_bytes(), salt.as_slice());
    Ok(hash.map_err(|error| error.to_string())?.to_string().into())
}

/// Whether this is the password of this hash. Without one it is not, which takes as long.
#[must_use]
pub fn is_password(hash: Option<&str>, password: &Secret) -> bool {
    let is_it = Argon2::default().verify_password(password.reveal().as_bytes(), hash.unwrap_or(NOBODYS)).is_ok();
    is_it && hash.is_some()
}

/// A new token, which nobody can guess.
///
/// # Errors
/// Why there is none, for the log.
pub fn make_token() -> Result<Secret, String> {
    let random = random::<TOKEN_LENGTH>()?;
    // The 32 letters divide the 256 values of a byte: none is more frequent.
    let letter = |byte: &u8| char::from(TOKEN_LETTERS[usize::from(*byte) % TOKEN_LETTERS.len()]);
    let mut token = String::with_capacity(TOKEN_PREFIX.len() + TOKEN_LENGTH); // it does not move, and leaves nothing behind
    token.push_str(TOKEN_PREFIX);
    token.extend(random.iter().map(letter));
    Ok(Secret::new(token))
}

/// The id of a new session over HTTP, which nobody can guess: 128 bits, in hexadecimal.
///
/// # Errors
/// Why there is none, for the log.
pub fn make_session_id() -> Result<String, String> {
    Ok(random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Bytes that nobody knows.
fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, String> {
    const { assert!(N <= 256, "the system gives as many at once or none") };
    let mut bytes = Zeroizing::new([0; N]);
    match getrandom(bytes.as_mut(), GetRandomFlags::empty()) {
        Ok(got) if got == N => Ok(bytes),
        Ok(_) => Err("the system has given too few random numbers".to_owned()),
        Err(error) => Err(format!("the system has given no random numbers: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_password_is_known_by_its_hash() {
        let [one, other] = [(); 2].map(|()| hash(&secret("correct horse")).unwrap());
        assert_ne!(one, other, "each has a salt");
        assert!(
            is_password(Some(&one), &secret("correct horse")) && is_password(Some(&other), &secret("correct horse"))
        );
        assert!(!is_password(Some(&one), &secret("correct horsf")));
        assert!(!is_password(None, &secret("")) && !is_password(Some("x"), &secret("x")));
        let cost = |hash: &str| hash.rsplitn(3, '$').last().unwrap().to_owned();
        assert_eq!(cost(&one), cost(NOBODYS), "no account takes as long as one");
        assert!(!format!("{}", Argon2::default().verify_password(b"x", NOBODYS).unwrap_err()).contains("encoding"));
    }

    #[test]
    fn tokens_are_of_their_form_and_differ() {
        let [one, other] = [(); 2].map(|()| make_token().unwrap());
        assert!(one.is_token() && other.is_token() && one != other);
    }
}
