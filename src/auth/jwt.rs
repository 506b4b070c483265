//! Access tokens: JSON Web Tokens, and own ones under one pinned HMAC algorithm.
//!
//! In: a subject, or a token. Out: a token, or its [`Claims`] once everything about it has been checked except whether
//! the subject may still sign in, which the database decides. jsonwebtoken signs and verifies; what a token may say is
//! read here, more strictly than it reads: `text` and `claims` serve outside tokens as well.

pub(super) mod claims;
pub(super) mod text;

use std::{fmt, time::Duration};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use uuid::Uuid;

use self::{
    claims::{Expected, Registered, Times},
    text::Text,
};
use crate::{
    config::{AuthConfig, HmacAlgorithm},
    error::{Error, Result},
};

/// By how much the clocks of two machines may differ.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// Issues and verifies own tokens.
#[derive(Clone)]
pub struct Tokens {
    header: Header,
    signing: EncodingKey,
    verifying: DecodingKey,
    expected: Expected,
    lifetime: Duration,
}

/// What a verified token of ours says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Whose token it is.
    pub subject: Uuid,
    /// The session that it belongs to; none in one that somebody else made who has the key.
    pub session: Option<Uuid>,
    /// When it was made, in whole seconds since 1970.
    pub issued_at: Option<u64>,
    /// When it ends, in seconds since 1970.
    pub expires: u64,
}

/// What is written into a token.
#[derive(Serialize)]
struct Written<'a> {
    sub: Uuid,
    role: &'a str,
    sid: Uuid,
    iat: i64,
    exp: i64,
    jti: Uuid,
    iss: &'a str,
    aud: &'a str,
}

impl Tokens {
    /// Tokens as `config` wants them; none where it has no key for own ones.
    pub fn new(config: &AuthConfig) -> Option<Self> {
        let key = config.key.as_ref()?.expose_secret().as_bytes();
        let algorithm = match config.algorithm {
            HmacAlgorithm::Hs256 => Algorithm::HS256,
            HmacAlgorithm::Hs384 => Algorithm::HS384,
            HmacAlgorithm::Hs512 => Algorithm::HS512,
        };
        Some(Self {
            header: Header::new(algorithm),
            signing: EncodingKey::from_secret(key),
            verifying: DecodingKey::from_secret(key),
            expected: Expected { issuer: config.issuer.clone(), audience: config.audience.clone() },
            lifetime: config.access_token_lifetime,
        })
    }

    /// How long a token is good for when nothing else is said.
    pub const fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A token for `subject` in its session `session`, good for `lifetime`. The role in it is for clients to read; this
    /// server asks the database.
    pub fn issue(&self, subject: Uuid, role: &str, session: Uuid, lifetime: Duration) -> Result<String> {
        let now = chrono::Utc::now().timestamp();
        let written = Written {
            sub: subject,
            role,
            sid: session,
            iat: now,
            exp: now.saturating_add_unsigned(lifetime.as_secs()),
            jti: Uuid::now_v7(),
            iss: &self.expected.issuer,
            aud: &self.expected.audience,
        };
        jsonwebtoken::encode(&self.header, &written, &self.signing).map_err(Error::internal)
    }

    /// What `token` says, if it is one of ours and good now.
    pub fn verify(&self, token: &str) -> Result<Claims> {
        Ok(self.read(&Text::read(token)?, now())?.0)
    }

    /// What a token says that was read already, and when it is good, if it is one of ours and good at `now`.
    pub(super) fn read(&self, text: &Text<'_>, now: u64) -> Result<(Claims, Times)> {
        if text.algorithm != self.header.alg {
            return Err(text::other_algorithm());
        }
        if !text.is_signed_by(&self.verifying) {
            return Err(text::other_signature());
        }
        let members = text.members()?;
        let Registered { subject, issued_at, times } = claims::registered(&members, &self.expected, now)?;
        // Not read, since the database says it: but a token of ours has no other type of it.
        claims::text(&members, "role")?;
        let subject = claims::uuid("sub", &subject)?;
        let session = claims::text(&members, "sid")?.map(|session| claims::uuid("sid", session)).transpose()?;
        Ok((Claims { subject, session, issued_at, expires: times.expires }, times))
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("algorithm", &self.header.alg)
            .field("issuer", &self.expected.issuer)
            .finish_non_exhaustive()
    }
}

/// The present, in seconds since 1970.
pub(super) fn now() -> u64 {
    // Before 1970 every token is of the future.
    u64::try_from(chrono::Utc::now().timestamp()).unwrap_or_default()
}

/// A token that cannot be read or is signed by no key of this server.
pub(super) fn bad_token(message: &str) -> Error {
    Error::unauthenticated(message).code("PGRST301")
}

/// A well-signed token whose claims are not good, or not any more.
pub(super) fn bad_claims(message: &str) -> Error {
    Error::unauthenticated(message).code("PGRST303")
}

#[cfg(test)]
mod tests;
