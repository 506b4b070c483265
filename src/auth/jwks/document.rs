//! The document of a JSON Web Key Set (RFC 7517, section 5).
//!
//! In: bytes from a provider. Out: the keys in it that verify tokens here. Keys of other kinds and for other uses are
//! passed over, as the standard wants; a document that is none is refused whole.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    auth::{jwt::text::LONGEST_KID, outside::Key},
    config::{PublicAlgorithm, PublicKey},
};

/// The most keys that a document may have.
const MOST: usize = 100;

#[derive(Deserialize)]
struct Document {
    keys: Vec<Map<String, Value>>,
}

/// The keys in `bytes` that verify tokens by `algorithm`, or by any of the three if there is none; or what is wrong with
/// the document.
pub(super) fn keys(bytes: &[u8], algorithm: Option<PublicAlgorithm>) -> Result<Vec<Key>, String> {
    let document: Document =
        serde_json::from_slice(bytes).map_err(|error| format!("the document is no JSON Web Key Set: {error}"))?;
    if document.keys.len() > MOST {
        return Err(format!("the document has {} keys, more than {MOST}", document.keys.len()));
    }
    let keys = document.keys.iter().filter_map(key);
    Ok(keys.filter(|key| algorithm.is_none_or(|algorithm| key.algorithm() == algorithm)).collect())
}

/// The key that these members describe, if it is one to verify tokens with.
fn key(members: &Map<String, Value>) -> Option<Key> {
    let text = |name: &str| members.get(name)?.as_str();
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    // A member that is there and no text is not taken for one that is not there.
    let is = |name: &str, good: &str| members.get(name).is_none_or(|value| value == good);
    let verifies = match members.get("key_ops") {
        None => true,
        Some(Value::Array(operations)) => operations.iter().any(|operation| operation == "verify"),
        Some(_) => false,
    };
    // Whose private part is published as well can be signed with by everybody.
    if !is("use", "sig") || !verifies || members.contains_key("d") {
        return None;
    }
    let public = match (text("kty")?, text("crv")) {
        ("RSA", _) => PublicKey::rsa(&bytes("n")?, &bytes("e")?),
        ("EC", Some("P-256")) => PublicKey::p256(&bytes("x")?, &bytes("y")?),
        ("OKP", Some("Ed25519")) => PublicKey::ed25519(&bytes("x")?),
        _ => None,
    }?;
    if !is("alg", &public.algorithm().to_string()) {
        return None;
    }
    let kid = match members.get("kid") {
        None => None,
        Some(Value::String(kid)) if kid.len() <= LONGEST_KID => Some(kid.clone()),
        Some(_) => return None,
    };
    Some(Key::new(kid, public))
}
