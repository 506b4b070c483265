//! `Idempotency-Key`: a request that may come twice happens once, and is told twice.
//!
//! In: the header of a POST. Out: the key, and the answer as it is kept beside the rows.

use super::write::Told;
use crate::error::{Error, Result};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use serde::{Deserialize, Serialize};

/// What tells an answer that was told before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How long a key may be.
const LONGEST: usize = 255;

/// The key of a request, if it has one.
///
/// # Errors
/// A key that is empty, too long, or not of visible ASCII; and several of them.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<&str>> {
    let mut values = headers.get_all(KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let is_key = |text: &&str| (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    match (value.to_str().ok().filter(is_key), values.next()) {
        (Some(key), None) => Ok(Some(key)),
        _ => Err(Error::bad_request("The Idempotency-Key is not understood")
            .code("22023")
            .hint(format!("It is one text of 1 to {LONGEST} visible ASCII characters, like a UUID"))),
    }
}

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// An answer as a text.
pub(super) fn keep(told: &Told) -> Result<String> {
    let text = |(name, value): &(HeaderName, String)| (name.as_str().to_owned(), value.clone());
    let kept = Kept {
        status: told.status.as_u16(),
        headers: told.headers.iter().map(text).collect(),
        body: String::from_utf8(told.body.to_vec()).map_err(Error::internal)?,
    };
    serde_json::to_string(&kept).map_err(Error::internal)
}

/// The answer that was kept as a text.
pub(super) fn again(text: &str) -> Result<Told> {
    let kept: Kept = serde_json::from_str(text).map_err(Error::internal)?;
    let named = |(name, value): (String, String)| Ok((name.parse().map_err(Error::internal)?, value));
    let mut told = Told {
        status: StatusCode::from_u16(kept.status).map_err(Error::internal)?,
        headers: kept.headers.into_iter().map(named).collect::<Result<_>>()?,
        body: kept.body.into(),
    };
    told.set(REPLAYED, "true");
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_key_is_one_visible_text() {
        let with = |values: &[&[u8]]| {
            let values = values.iter().map(|value| (KEY, HeaderValue::from_bytes(value).unwrap()));
            let mut headers = HeaderMap::new();
            values.for_each(|(name, value)| _ = headers.append(name, value));
            key(&headers).map(|key| key.map(str::to_owned)).map_err(|error| error.code.into_owned())
        };
        assert_eq!(with(&[]), Ok(None));
        assert_eq!(with(&[b"\"a-b\""]), Ok(Some("\"a-b\"".to_owned())));
        let longest = [b'x'; LONGEST];
        assert!(with(&[&longest]).is_ok());
        for wrong in [&[b"".as_slice()][..], &[b"a b"], &[b"\xfc"], &[&[b'x'; LONGEST + 1]], &[b"a", b"a"]] {
            assert_eq!(with(wrong), Err("22023".to_owned()), "{wrong:?}");
        }
    }

    #[test]
    fn an_answer_is_told_again_as_it_was() {
        let mut told = Told { status: StatusCode::CREATED, headers: Vec::new(), body: "{\"a\":\"ü\"}".into() };
        told.set(axum::http::header::LOCATION, "/trees/5");
        let twice = again(&keep(&told).unwrap()).unwrap();
        assert_eq!((twice.status, &twice.body), (told.status, &told.body));
        told.set(REPLAYED, "true");
        assert_eq!(twice.headers, told.headers);
    }
}
