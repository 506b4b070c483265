//! Who comes with a token: the bearer of an own one, or of one of an outside identity provider.
//!
//! In: the text of a token. Out: a [`Bearer`], of which the database has still to say how it stands. What was verified is
//! remembered by a digest, since a public-key signature costs more than the rest of a request; what was refused is not,
//! and no text of a token is kept.

use std::sync::Arc;

use jsonwebtoken::Algorithm;
use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};

use super::{
    jwt::{
        self, Claims, Tokens,
        claims::Times,
        text::{self, Text},
    },
    outside::{Outside, OutsideClaims},
};
use crate::{config::AuthConfig, error::Result};

/// How many tokens are remembered.
const REMEMBERED: usize = 10_000;

/// Verifies tokens of every kind that is taken.
pub(super) struct Bearers {
    own: Option<Tokens>,
    outside: Option<Outside>,
    verified: Cache<[u8; 32], Verified>,
}

/// Who has come, by the word of a good token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bearer {
    /// Somebody who has signed in here.
    Own(Claims),
    /// Somebody who has signed in with the identity provider.
    Outside(Arc<OutsideClaims>),
}

/// A token that was found good, and how long it may be taken for that.
#[derive(Clone)]
struct Verified {
    bearer: Bearer,
    times: Times,
    /// The keys among which the one was that signed it.
    generation: u64,
}

impl Bearers {
    /// Of the tokens that `config` takes.
    pub(super) fn new(config: &AuthConfig) -> Self {
        Self { own: Tokens::new(config), outside: Outside::new(config), verified: Cache::new(REMEMBERED) }
    }

    /// What makes own tokens; none where the identity provider makes all.
    pub(super) const fn own(&self) -> Option<&Tokens> {
        self.own.as_ref()
    }

    /// Who comes with `token`.
    ///
    /// # Errors
    /// `Unauthenticated`, or `Unavailable` where only the keys of a provider that is away could tell.
    pub(super) async fn verify(&self, token: &str) -> Result<Bearer> {
        self.verify_at(token, jwt::now()).await
    }

    async fn verify_at(&self, token: &str, now: u64) -> Result<Bearer> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        if let Some(verified) = self.verified.get(&digest) {
            verified.times.check(now)?;
            if verified.generation == self.generation(&verified.bearer) {
                return Ok(verified.bearer);
            }
        }
        let text = Text::read(token)?;
        let verified = match (text.algorithm, &self.own, &self.outside) {
            (Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512, Some(own), _) => {
                let (claims, times) = own.read(&text, now)?;
                Verified { bearer: Bearer::Own(claims), times, generation: 0 }
            }
            (Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA, _, Some(outside)) => {
                let (claims, times, generation) = outside.read(&text, now).await?;
                Verified { bearer: Bearer::Outside(claims.into()), times, generation }
            }
            _ => return Err(text::other_algorithm()),
        };
        let bearer = verified.bearer.clone();
        self.verified.insert(digest, verified);
        Ok(bearer)
    }

    /// Of which generation the keys are that such a bearer's tokens are signed with.
    fn generation(&self, bearer: &Bearer) -> u64 {
        match (bearer, &self.outside) {
            (Bearer::Outside(_), Some(outside)) => outside.generation(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests;
