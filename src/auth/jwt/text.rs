//! A token as a text: its three parts, and its header.
//!
//! In: what a client sent. Out: a [`Text`] whose header asks for nothing that is not done here; nothing of it is to be
//! believed before its signature is. A header that names keys of its own, or what must be understood and is not, is
//! refused rather than passed over (RFC 8725, sections 3.1, 3.10 and 3.11).

use std::{fmt, str::FromStr as _};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use super::{bad_claims, bad_token};
use crate::error::{Error, Result};

/// The longest token that is read.
const LONGEST: usize = 8 * 1024;

/// The longest name of a key.
pub(in crate::auth) const LONGEST_KID: usize = 256;

/// Members of a header that would bring a key, compress, encrypt, or change what is signed.
const REFUSED: [&str; 8] = ["crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc"];

/// A token that has not been verified.
#[derive(Debug)]
pub(in crate::auth) struct Text<'t> {
    /// By which algorithm it says that it is signed.
    pub(in crate::auth) algorithm: Algorithm,
    /// Which key it says that it is signed with: to be compared with the names of known ones and for nothing else.
    pub(in crate::auth) kid: Option<String>,
    /// What is signed: header and claims.
    signed: &'t str,
    claims: &'t str,
    signature: &'t str,
}

impl<'t> Text<'t> {
    /// The parts of `token`.
    pub(in crate::auth) fn read(token: &'t str) -> Result<Self> {
        let malformed = || bad_token("The token is malformed");
        if token.len() > LONGEST {
            return Err(bad_token("The token is longer than this server reads"));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
        if header.is_empty() || claims.is_empty() || signature.is_empty() || claims.contains('.') {
            return Err(malformed());
        }
        let header = members(header).ok_or_else(malformed)?;
        if REFUSED.iter().any(|name| header.contains_key(*name)) {
            return Err(bad_token("The token's header asks for what is not supported"));
        }
        // A token of another kind is not an access token.
        match header.get("typ") {
            None => {}
            Some(Value::String(typ)) if ["jwt", "at+jwt"].iter().any(|good| typ.eq_ignore_ascii_case(good)) => {}
            Some(_) => return Err(bad_token("The token is not an access token")),
        }
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) if kid.len() <= LONGEST_KID => Some(kid.clone()),
            Some(_) => return Err(malformed()),
        };
        let algorithm = header.get("alg").and_then(Value::as_str).ok_or_else(malformed)?;
        let algorithm = Algorithm::from_str(algorithm).map_err(|_| other_algorithm())?;
        Ok(Self { algorithm, kid, signed, claims, signature })
    }

    /// Whether the signature is that of `key`, by the algorithm that the header names: whether the key is one for that
    /// algorithm is to be asked before.
    pub(in crate::auth) fn is_signed_by(&self, key: &DecodingKey) -> bool {
        // An error is a signature that is no base64url, or not of the algorithm's size.
        jsonwebtoken::crypto::verify(self.signature, self.signed.as_bytes(), key, self.algorithm).unwrap_or(false)
    }

    /// The claims.
    pub(in crate::auth) fn members(&self) -> Result<Map<String, Value>> {
        members(self.claims).ok_or_else(|| bad_claims("The token's claims are malformed"))
    }
}

/// A token by an algorithm that none of the keys is for.
pub(in crate::auth) fn other_algorithm() -> Error {
    bad_token("The token is not signed by an algorithm of this server")
}

/// A token with a signature that is none of the keys'.
pub(in crate::auth) fn other_signature() -> Error {
    bad_token("The token is not signed by a key that this server knows")
}

/// The members of the object in a part. One that has a member twice is none: two programs would read two tokens.
fn members(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    match serde_json::from_slice::<Strict>(&bytes).ok()?.0 {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// A value of JSON in which no object has a member twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = entries.next_entry::<String, Strict>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is there twice"));
            }
        }
        Ok(Value::Object(members))
    }
}
