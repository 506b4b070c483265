//! Own access tokens: JSON Web Tokens under one pinned HMAC algorithm.
//!
//! In: a subject, or the text of a token. Out: a token, or its [`Claims`] once everything about it has been checked
//! except whether the subject may still sign in, which the database decides.

use std::{fmt, time::Duration};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use secrecy::ExposeSecret;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::{
    config::{AuthConfig, JwtAlgorithm},
    error::{Error, Result},
};

/// By how much the clocks of two machines may differ.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// Issues and verifies tokens.
#[derive(Clone)]
pub struct Tokens {
    header: Header,
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
    issuer: String,
    audience: String,
    lifetime: Duration,
}

/// What a verified token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Whose token it is.
    pub subject: Uuid,
    /// When it ends, in seconds since 1970.
    pub expires: u64,
}

/// What is written into a token.
#[derive(Serialize)]
struct Written<'a> {
    sub: Uuid,
    role: &'a str,
    iat: i64,
    exp: i64,
    jti: Uuid,
    iss: &'a str,
    aud: &'a str,
}

/// What is read of a token. The types are strict: a claim of a wrong type, null included, is refused rather than taken
/// for one that is not there. Issuer, audience and times are judged by [`Validation`] on top.
#[derive(Deserialize)]
struct Read {
    sub: Uuid,
    exp: NumericDate,
    #[serde(rename = "iss")]
    _iss: String,
    #[serde(default, deserialize_with = "present", rename = "iat")]
    _iat: Option<NumericDate>,
    #[serde(default, deserialize_with = "present", rename = "nbf")]
    _nbf: Option<NumericDate>,
    #[serde(default, deserialize_with = "present", rename = "jti")]
    _jti: Option<String>,
    #[serde(default, deserialize_with = "present", rename = "role")]
    _role: Option<String>,
}

/// Seconds since 1970, whole or not (RFC 7519, section 2).
#[derive(Deserialize)]
#[serde(untagged)]
enum NumericDate {
    Whole(u64),
    Fraction(f64),
}

/// A claim that, being there, has a value of its type.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Tokens {
    /// Tokens as `config` wants them.
    pub fn new(config: &AuthConfig) -> Self {
        let algorithm = match config.algorithm {
            JwtAlgorithm::Hs256 => Algorithm::HS256,
            JwtAlgorithm::Hs384 => Algorithm::HS384,
            JwtAlgorithm::Hs512 => Algorithm::HS512,
        };
        let key = config.key.expose_secret().as_bytes();
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY.as_secs();
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "sub", "iss", "aud"]);
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&[&config.audience]);
        Self {
            header: Header::new(algorithm),
            signing: EncodingKey::from_secret(key),
            verifying: DecodingKey::from_secret(key),
            validation,
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            lifetime: config.access_token_lifetime,
        }
    }

    /// How long a token is good for when nothing else is said.
    pub const fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A token for `subject`, good for `lifetime`. The role in it is for clients to read; this server asks the
    /// database.
    pub fn issue(&self, subject: Uuid, role: &str, lifetime: Duration) -> Result<String> {
        let now = chrono::Utc::now().timestamp();
        let written = Written {
            sub: subject,
            role,
            iat: now,
            exp: now.saturating_add_unsigned(lifetime.as_secs()),
            jti: Uuid::now_v7(),
            iss: &self.issuer,
            aud: &self.audience,
        };
        jsonwebtoken::encode(&self.header, &written, &self.signing).map_err(Error::internal)
    }

    /// What `token` says, if it is one of ours and good now.
    pub fn verify(&self, token: &str) -> Result<Claims> {
        let data = jsonwebtoken::decode::<Read>(token, &self.verifying, &self.validation).map_err(refused)?;
        // RFC 7515, section 4.1.11: extensions that must be understood, and none is.
        if data.header.crit.is_some() {
            return Err(bad_token("The token needs extensions that are not supported"));
        }
        // RFC 8725, section 3.11: a token of another kind is not an access token.
        if data.header.typ.is_some_and(|typ| !["jwt", "at+jwt"].contains(&typ.to_ascii_lowercase().as_str())) {
            return Err(bad_token("The token is not an access token"));
        }
        let expires = match data.claims.exp {
            NumericDate::Whole(seconds) => seconds,
            // Not negative and not too large: the validation has refused both.
            NumericDate::Fraction(seconds) => seconds as u64,
        };
        Ok(Claims { subject: data.claims.sub, expires })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("algorithm", &self.header.alg)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// A token that cannot be read or is not signed by this server.
pub(super) fn bad_token(message: &str) -> Error {
    Error::unauthenticated(message).code("PGRST301")
}

/// A token of ours whose claims are not good, or not any more.
pub(super) fn bad_claims(message: &str) -> Error {
    Error::unauthenticated(message).code("PGRST303")
}

/// What the caller learns of a refusal: enough to get a better token, nothing about the key.
fn refused(error: jsonwebtoken::errors::Error) -> Error {
    let shown = match error.kind() {
        ErrorKind::ExpiredSignature => bad_claims("The token has expired"),
        ErrorKind::ImmatureSignature => bad_claims("The token is not good yet"),
        ErrorKind::InvalidIssuer => bad_claims("The token is of another issuer"),
        ErrorKind::InvalidAudience => bad_claims("The token is for another audience"),
        ErrorKind::MissingRequiredClaim(claim) => bad_claims(&format!("The token has no good claim \"{claim}\"")),
        ErrorKind::InvalidClaimFormat(claim) => bad_claims(&format!("The token's claim \"{claim}\" is malformed")),
        // What led to it would quote a claim.
        ErrorKind::Json(_) => return bad_claims("The token's header or claims are malformed"),
        ErrorKind::InvalidSignature => bad_token("The token is not signed by this server"),
        ErrorKind::InvalidAlgorithm => bad_token("The token is not signed by the algorithm of this server"),
        _ => bad_token("The token is malformed"),
    };
    shown.source(error)
}

#[cfg(test)]
mod tests;
