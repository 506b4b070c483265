//! Refresh tokens: the texts, and the digests that stand for them in the database.
//!
//! In: chance, or what a client sent. Out: a [`RefreshToken`]. Its first half is the same in all tokens of a session, and
//! names the session's row; the second half is new at each rotation, so that a token that was rotated away is told from
//! one that never was.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// How many random bytes a half has: 192 bits cannot be guessed, so a plain digest of them cannot be turned round.
const HALF: usize = 24;

/// How many characters a half has in base64url: four for three bytes, so that the halves do not share one.
const LETTERS: usize = HALF / 3 * 4;

/// What a session goes on by.
#[derive(Clone)]
pub struct RefreshToken(SecretString);

impl RefreshToken {
    /// The first one of a new session.
    pub(super) fn random() -> Self {
        Self(format!("{}{}", half(), half()).into())
    }

    /// The next one of the same session.
    pub(super) fn next(&self) -> Self {
        Self(format!("{}{}", self.family(), half()).into())
    }

    /// The token that `text` is, if it has the form of one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (text.len() == 2 * LETTERS && text.bytes().all(letter)).then(|| Self(text.into()))
    }

    /// The text, for the one who shall hold it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The digest of what it shares with the other tokens of its session.
    pub(super) fn family_hash(&self) -> String {
        digest(self.family())
    }

    /// The digest of all of it.
    pub(super) fn hash(&self) -> String {
        digest(self.expose())
    }

    fn family(&self) -> &str {
        // ASCII, and of both halves.
        &self.expose()[..LETTERS]
    }
}

fn half() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; HALF]>())
}

fn digest(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_token_is_of_the_same_family_and_another_one() {
        let first = RefreshToken::random();
        let next = first.next();
        assert_eq!(first.family_hash(), next.family_hash());
        assert_ne!(first.hash(), next.hash());
        assert_ne!(first.family_hash(), RefreshToken::random().family_hash());
        assert_eq!(RefreshToken::parse(next.expose()).unwrap().hash(), next.hash());
    }

    #[test]
    fn what_has_not_the_form_of_a_token_is_none() {
        let good = RefreshToken::random().expose().to_owned();
        for bad in
            ["", "a", &good[1..], &format!("{good}a"), &good.replace(&good[..1], "ä"), &format!("{}=", &good[1..])]
        {
            assert!(RefreshToken::parse(bad).is_none(), "{bad}");
        }
        assert!(RefreshToken::parse(&good).is_some());
    }

    #[test]
    fn neither_debug_nor_a_digest_shows_the_token() {
        let token = RefreshToken::random();
        let shown = format!("{token:?} {} {}", token.hash(), token.family_hash());
        assert!(!shown.contains(&token.expose()[..LETTERS]) && !shown.contains(&token.expose()[LETTERS..]), "{shown}");
    }
}
