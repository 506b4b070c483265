//! The registered claims of a token (RFC 7519, section 4.1), which own and outside tokens share.
//!
//! In: the members of a well-signed token. Out: what they say, once every one is of its type, the token is of this
//! server's issuer and audience, and good now. A claim of a wrong type, null included, is refused rather than taken for
//! one that is not there.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{LEEWAY, bad_claims};
use crate::error::{Error, Result};

/// The last second of the year 9999: a time after that is a mistake of units.
const LATEST: u64 = 253_402_300_799;

/// The longest subject, in characters (OpenID Connect Core, section 2).
const LONGEST_SUBJECT: usize = 255;

/// The most audiences that are looked through.
const MOST_AUDIENCES: usize = 100;

/// What must be in every token.
#[derive(Clone)]
pub(in crate::auth) struct Expected {
    /// Who made it.
    pub(in crate::auth) issuer: String,
    /// Whom it is for.
    pub(in crate::auth) audience: String,
}

/// What a good token says by registered claims.
#[derive(Debug)]
pub(in crate::auth) struct Registered {
    /// Whose it is, not empty.
    pub(in crate::auth) subject: String,
    /// When it was made.
    pub(in crate::auth) issued_at: Option<u64>,
    /// When it is good.
    pub(in crate::auth) times: Times,
}

/// When a token is good, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::auth) struct Times {
    /// Until then.
    pub(in crate::auth) expires: u64,
    /// From then on.
    not_before: Option<u64>,
}

impl Times {
    /// Refuses a token that is not good at `now`, more or less.
    pub(in crate::auth) fn check(&self, now: u64) -> Result<()> {
        if self.expires.saturating_add(LEEWAY.as_secs()) < now {
            return Err(bad_claims("The token has expired"));
        }
        if self.not_before.is_some_and(|from| is_ahead(from, now)) {
            return Err(bad_claims("The token is not good yet"));
        }
        Ok(())
    }
}

/// Whether `time` is later than what clocks may differ by.
const fn is_ahead(time: u64, now: u64) -> bool {
    time > now.saturating_add(LEEWAY.as_secs())
}

/// The registered claims among `members`.
pub(in crate::auth) fn registered(members: &Map<String, Value>, expected: &Expected, now: u64) -> Result<Registered> {
    let missing = |name: &str| bad_claims(&format!("The token has no claim \"{name}\""));
    let subject = text(members, "sub")?.ok_or_else(|| missing("sub"))?;
    if subject.is_empty() || subject.chars().count() > LONGEST_SUBJECT || subject.chars().any(char::is_control) {
        return Err(malformed("sub"));
    }
    text(members, "jti")?;
    let issued_at = time(members, "iat")?;
    let not_before = time(members, "nbf")?;
    let expires = time(members, "exp")?.ok_or_else(|| missing("exp"))?;
    let issuer = text(members, "iss")?.ok_or_else(|| missing("iss"))?;
    let audience = members.get("aud").ok_or_else(|| missing("aud"))?;
    if issuer != expected.issuer {
        return Err(bad_claims("The token is of another issuer"));
    }
    if !is_for(audience, &expected.audience)? {
        return Err(bad_claims("The token is for another audience"));
    }
    let times = Times { expires, not_before };
    times.check(now)?;
    if issued_at.is_some_and(|made| is_ahead(made, now)) {
        return Err(bad_claims("The token was made in the future"));
    }
    Ok(Registered { subject: subject.to_owned(), issued_at, times })
}

/// The text `name`, if it is there.
pub(in crate::auth) fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(malformed(name)),
    }
}

/// The UUID that the claim `name` is, in the form in which this server writes them.
pub(super) fn uuid(name: &str, text: &str) -> Result<Uuid> {
    let uuid = Uuid::try_parse(text).ok().filter(|_| text.len() == uuid::fmt::Hyphenated::LENGTH);
    uuid.ok_or_else(|| malformed(name))
}

/// The time `name`, if it is there: seconds since 1970, whole or not (RFC 7519, section 2), in whole ones.
fn time(members: &Map<String, Value>, name: &str) -> Result<Option<u64>> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let seconds = value.as_u64().or_else(|| {
        let seconds = value.as_f64().filter(|seconds| (0.0..=LATEST as f64).contains(seconds))?;
        Some(seconds as u64)
    });
    seconds.filter(|seconds| *seconds <= LATEST).map(Some).ok_or_else(|| malformed(name))
}

/// Whether the claim `aud` names `audience`, alone or in a list.
fn is_for(claim: &Value, audience: &str) -> Result<bool> {
    match claim {
        Value::String(only) => Ok(only == audience),
        Value::Array(list) if list.len() <= MOST_AUDIENCES && list.iter().all(Value::is_string) => {
            Ok(list.iter().any(|one| one == audience))
        }
        _ => Err(malformed("aud")),
    }
}

/// A claim of another type, or of a value that it cannot have.
pub(in crate::auth) fn malformed(name: &str) -> Error {
    bad_claims(&format!("The token's claim \"{name}\" is malformed"))
}
