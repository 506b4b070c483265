//! Tokens of an outside identity provider.
//!
//! In: a token by a public-key algorithm. Out: [`OutsideClaims`], once a key of the provider has signed it and everything
//! about it is good. Who its subject is here is said by [`identities`](super::identities).

use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

use super::{
    email::Email,
    jwks::Jwks,
    jwt::{
        claims::{self, Expected, Registered, Times},
        text::{self, Text},
    },
    users::{ROLES, check_name},
};
use crate::{
    config::{AuthConfig, OutsideKeys, PublicAlgorithm, PublicKey},
    error::Result,
};

/// How many keys a token is tried against that does not name its own.
const TRIED: usize = 10;

/// Verifies the tokens of one identity provider.
pub(super) struct Outside {
    keys: Keys,
    expected: Expected,
    role_claim: String,
}

enum Keys {
    Pinned(Box<Key>),
    Published { jwks: Jwks, algorithm: Option<PublicAlgorithm> },
}

/// A public key, ready to verify.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// What tokens call it; none for one that has no name.
    pub(super) kid: Option<String>,
    public: PublicKey,
    verifying: DecodingKey,
}

/// What a verified outside token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OutsideClaims {
    /// Whose token it is, as the provider calls it: any text, and never to be taken for a key of ours.
    pub(super) subject: String,
    /// The role in which it may act.
    pub(super) role: &'static str,
    /// The address that the provider vouches for.
    pub(super) email: Option<Email>,
    /// What the subject is called.
    pub(super) name: Option<String>,
}

impl Outside {
    /// The provider of `config`, if there is one.
    pub(super) fn new(config: &AuthConfig) -> Option<Self> {
        let outside = config.outside.as_ref()?;
        let keys = match &outside.keys {
            OutsideKeys::Pinned(key) => Keys::Pinned(Box::new(Key::new(None, key.clone()))),
            OutsideKeys::Published { url, algorithm } => {
                Keys::Published { jwks: Jwks::new(url.clone(), *algorithm), algorithm: *algorithm }
            }
        };
        Some(Self {
            keys,
            expected: Expected { issuer: config.issuer.clone(), audience: config.audience.clone() },
            role_claim: outside.role_claim.clone(),
        })
    }

    /// Which keys are known: another number, other keys.
    pub(super) fn generation(&self) -> u64 {
        match &self.keys {
            Keys::Pinned(_) => 0,
            Keys::Published { jwks, .. } => jwks.generation(),
        }
    }

    /// What a token says, when it is good, and of which generation the key is that signed it.
    ///
    /// # Errors
    /// `Unauthenticated`, or `Unavailable` while no keys are known because the provider is away.
    pub(super) async fn read(&self, text: &Text<'_>, now: u64) -> Result<(OutsideClaims, Times, u64)> {
        let algorithm = algorithm(text.algorithm).ok_or_else(text::other_algorithm)?;
        let generation = match &self.keys {
            Keys::Pinned(key) if key.algorithm() != algorithm => return Err(text::other_algorithm()),
            // There is one key, whatever the token calls it.
            Keys::Pinned(key) => text.is_signed_by(&key.verifying).then_some(0),
            Keys::Published { algorithm: Some(pinned), .. } if *pinned != algorithm => {
                return Err(text::other_algorithm());
            }
            Keys::Published { jwks, .. } => {
                let known = jwks.keys_for(algorithm, text.kid.as_deref()).await?;
                let mut fitting = known.fitting(algorithm, text.kid.as_deref()).take(TRIED);
                fitting.any(|key| text.is_signed_by(&key.verifying)).then_some(known.generation)
            }
        };
        let generation = generation.ok_or_else(text::other_signature)?;
        let members = text.members()?;
        let Registered { subject, times, .. } = claims::registered(&members, &self.expected, now)?;
        let claims = OutsideClaims {
            subject,
            role: role(&members, &self.role_claim)?,
            email: email(&members),
            name: members
                .get("name")
                .and_then(Value::as_str)
                .filter(|name| check_name(name).is_ok())
                .map(str::to_owned),
        };
        Ok((claims, times, generation))
    }
}

impl Key {
    /// `public`, which tokens call `kid`.
    pub(super) fn new(kid: Option<String>, public: PublicKey) -> Self {
        let verifying = match &public {
            PublicKey::Rsa(key) => {
                let (modulus, exponent) = PublicKey::rsa_parts(key);
                DecodingKey::from_rsa_raw_components(&modulus, &exponent)
            }
            PublicKey::P256(key) => DecodingKey::from_ec_der(&PublicKey::p256_point(key)),
            PublicKey::Ed25519(key) => DecodingKey::from_ed_der(key.as_bytes()),
        };
        Self { kid, public, verifying }
    }

    /// The one algorithm that it verifies by.
    pub(super) const fn algorithm(&self) -> PublicAlgorithm {
        self.public.algorithm()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.kid == other.kid && self.public == other.public
    }
}

/// The algorithm of outside tokens that `algorithm` is.
const fn algorithm(algorithm: Algorithm) -> Option<PublicAlgorithm> {
    match algorithm {
        Algorithm::RS256 => Some(PublicAlgorithm::Rs256),
        Algorithm::ES256 => Some(PublicAlgorithm::Es256),
        Algorithm::EdDSA => Some(PublicAlgorithm::EdDsa),
        _ => None,
    }
}

/// The address that the provider vouches for; none without one, with one that it does not vouch for, and with one that
/// is no address here.
fn email(members: &Map<String, Value>) -> Option<Email> {
    // Some providers write it as a text.
    let verified = members.get("email_verified").is_none_or(|verified| *verified == true || *verified == "true");
    let email = members.get("email").and_then(Value::as_str).filter(|_| verified)?;
    Email::parse(email).ok()
}

/// The highest of [`ROLES`] that the claim at `path` names, alone or in a list; the first of them if it names none.
fn role(members: &Map<String, Value>, path: &str) -> Result<&'static str> {
    let malformed = || claims::malformed(path);
    let names: Vec<&str> = match find(members, path).map_err(|()| malformed())? {
        None => Vec::new(),
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(list)) => list.iter().map(Value::as_str).collect::<Option<_>>().ok_or_else(malformed)?,
        Some(_) => return Err(malformed()),
    };
    let highest = ROLES.iter().rev().find(|role| names.contains(role));
    Ok(highest.unwrap_or(&ROLES[0]))
}

/// The value at `path`: of the claim that has all of it as its name, else along the names between its dots.
fn find<'m>(members: &'m Map<String, Value>, path: &str) -> Result<Option<&'m Value>, ()> {
    if let Some(value) = members.get(path) {
        return Ok(Some(value));
    }
    let mut members = members;
    let mut rest = path;
    loop {
        let (name, deeper) = rest.split_once('.').map_or((rest, None), |(name, deeper)| (name, Some(deeper)));
        match (members.get(name), deeper) {
            (value, None) => return Ok(value),
            (None, _) => return Ok(None),
            (Some(Value::Object(inner)), Some(deeper)) => (members, rest) = (inner, deeper),
            (Some(_), Some(_)) => return Err(()),
        }
    }
}

#[cfg(test)]
mod tests;
