//! How callers are known: by which keys tokens are signed and verified.
//!
//! In: the options about tokens. Out: an [`AuthConfig`] whose keys are strong enough and fit their algorithms, or one
//! line that names the variable that is wrong.

use std::{fmt, num::NonZeroU32, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{ConfigError, DatabaseConfig, HIDDEN, Options, key, public_key::PublicKey};

/// The algorithms by which own tokens are signed: HMAC, since both ends are this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HmacAlgorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

/// The algorithms by which an outside identity provider signs: its public key verifies, and cannot sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicAlgorithm {
    /// RSA, PKCS#1 v1.5, with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl fmt::Display for PublicAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        })
    }
}

/// What `JWT_ALGORITHM` pins: the algorithm of own tokens, or that of outside ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtAlgorithm {
    /// Of own tokens. That of outside ones follows from their keys.
    Own(HmacAlgorithm),
    /// Of outside tokens. Own ones are signed by HS256.
    Outside(PublicAlgorithm),
}

/// How callers are known.
#[derive(Clone)]
pub struct AuthConfig {
    /// What own tokens are signed with, 32 bytes or more; none where an outside identity provider signs all tokens.
    pub key: Option<SecretString>,
    /// The one algorithm by which own tokens are signed and verified.
    pub algorithm: HmacAlgorithm,
    /// The outside identity provider whose tokens are taken.
    pub outside: Option<OutsideConfig>,
    /// Written into own tokens and required of all.
    pub issuer: String,
    /// Written into own tokens and required of all.
    pub audience: String,
    /// How long an own token is good for.
    pub access_token_lifetime: Duration,
    /// How long a refresh token is good for.
    pub refresh_token_lifetime: Duration,
    /// How often a minute an address, and an account, may use the ways to sign in.
    pub rate_limit_per_minute: NonZeroU32,
}

/// An outside identity provider.
#[derive(Debug, Clone)]
pub struct OutsideConfig {
    /// What its tokens are verified with.
    pub keys: OutsideKeys,
    /// Where its tokens carry the role: the name of a claim, or a path of names with dots between.
    pub role_claim: String,
}

/// What the tokens of an outside identity provider are verified with.
#[derive(Debug, Clone)]
pub enum OutsideKeys {
    /// One key, which never changes.
    Pinned(PublicKey),
    /// The keys that it publishes.
    Published {
        /// Where.
        url: Url,
        /// The one algorithm that is taken; none for each key's own.
        algorithm: Option<PublicAlgorithm>,
    },
}

impl AuthConfig {
    /// The part of `options` about tokens. A server that only this machine reaches, on a database file, keeps a random
    /// key of its own; any other must be given one, since its instances have to share it, or an outside identity provider.
    pub fn new(options: &Options, database: &DatabaseConfig) -> Result<Self, ConfigError> {
        let outside = OutsideConfig::new(options)?;
        let key = match &options.jwt_secret_key {
            Some(key) => Some(key::checked(key.clone(), "JWT_SECRET_KEY")?),
            None if outside.is_some() => None,
            None if database.is_sqlite() && options.bind_addr.ip().to_canonical().is_loopback() => {
                Some(match database.sqlite_file() {
                    Some(file) => key::kept_beside(&file)?,
                    None => key::random(),
                })
            }
            None => {
                return Err(ConfigError::new(
                    "JWT_SECRET_KEY",
                    "must be set, to 32 bytes or more that nobody can guess (openssl rand -base64 48), unless the \
                     server listens on loopback with SQLite, or an outside identity provider signs the tokens",
                ));
            }
        };
        let algorithm = match options.jwt_algorithm {
            JwtAlgorithm::Own(algorithm) => algorithm,
            JwtAlgorithm::Outside(_) => HmacAlgorithm::Hs256,
        };
        Ok(Self {
            key,
            algorithm,
            outside,
            issuer: options.jwt_issuer.clone(),
            audience: options.jwt_audience.clone(),
            access_token_lifetime: Duration::from_secs(options.access_token_expire_minutes * 60),
            refresh_token_lifetime: Duration::from_secs(options.refresh_token_expire_days * 86_400),
            rate_limit_per_minute: u32::try_from(options.rate_limit_auth_per_minute)
                .ok()
                .and_then(NonZeroU32::new)
                .unwrap_or(NonZeroU32::MAX),
        })
    }
}

impl OutsideConfig {
    fn new(options: &Options) -> Result<Option<Self>, ConfigError> {
        let pinned = match options.jwt_algorithm {
            JwtAlgorithm::Own(_) => None,
            JwtAlgorithm::Outside(algorithm) => Some(algorithm),
        };
        let keys = match (&options.jwt_public_key, &options.jwt_jwks_url) {
            (Some(_), Some(_)) => {
                return Err(ConfigError::new("JWT_PUBLIC_KEY", "and JWT_JWKS_URL must not both be set"));
            }
            (Some(pem), None) => {
                let key = PublicKey::from_variable(pem.expose_secret())
                    .map_err(|what| ConfigError::new("JWT_PUBLIC_KEY", what))?;
                if let Some(algorithm) = pinned.filter(|algorithm| *algorithm != key.algorithm()) {
                    let what = format!("is a key for {}, and JWT_ALGORITHM is {algorithm}", key.algorithm());
                    return Err(ConfigError::new("JWT_PUBLIC_KEY", what));
                }
                OutsideKeys::Pinned(key)
            }
            (None, Some(url)) => OutsideKeys::Published { url: url.clone(), algorithm: pinned },
            (None, None) => match pinned {
                Some(algorithm) => {
                    let what = format!("must not be {algorithm} without JWT_PUBLIC_KEY or JWT_JWKS_URL");
                    return Err(ConfigError::new("JWT_ALGORITHM", what));
                }
                None => return Ok(None),
            },
        };
        Ok(Some(Self { keys, role_claim: options.jwt_role_claim.clone() }))
    }
}

impl fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthConfig")
            .field("key", &self.key.as_ref().map(|_| HIDDEN))
            .field("algorithm", &self.algorithm)
            .field("outside", &self.outside)
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("access_token_lifetime", &self.access_token_lifetime)
            .field("refresh_token_lifetime", &self.refresh_token_lifetime)
            .field("rate_limit_per_minute", &self.rate_limit_per_minute)
            .finish()
    }
}
