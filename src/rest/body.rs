//! The body of a write: a JSON object whose members are columns, or an array of such.
//!
//! In: bytes and their media type. Out: an argument a column and a row, with the digits of every number as they were
//! written.

use crate::{
    engine::bind::{Argument, MAX_MEMBERS},
    error::{Error, Kind, Result},
};
use axum::http::{HeaderMap, header};
use serde::Deserialize as _;
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeSet};

/// A row of a body: its members, in their order.
pub(super) type Row = Vec<(String, Argument)>;

/// What a body holds.
#[derive(Debug)]
pub(super) enum Rows {
    /// One object.
    One(Row),
    /// An array of objects, all with the same members.
    Many(Vec<Row>),
}

/// The one object of a body.
///
/// # Errors
/// `UnsupportedMediaType` for anything but JSON, `PGRST102` for what is no JSON object.
pub(super) fn object(headers: &HeaderMap, bytes: &[u8]) -> Result<Row> {
    let text = json(headers, bytes)?;
    if text.trim_start().starts_with('[') {
        return Err(malformed("The body is an array, and one object at a time is written".to_owned()));
    }
    row(text)
}

/// The rows of a body.
///
/// # Errors
/// Those of [`object`], and `PGRST102` for rows whose members differ.
pub(super) fn rows(headers: &HeaderMap, bytes: &[u8]) -> Result<Rows> {
    let text = json(headers, bytes)?;
    if !text.trim_start().starts_with('[') {
        return row(text).map(Rows::One);
    }
    let items: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| malformed(format!("The body is no array of JSON objects: {error}")))?;
    let rows = items.into_iter().map(|item| row(item.get())).collect::<Result<Vec<_>>>()?;
    let mut names = rows.iter().map(|row| row.iter().map(|(name, _)| name.as_str()).collect::<BTreeSet<_>>());
    let first = names.next().unwrap_or_default();
    if names.any(|names| names != first) {
        return Err(malformed("All object keys must match".to_owned()));
    }
    Ok(Rows::Many(rows))
}

fn malformed(message: String) -> Error {
    Error::bad_request(message).code("PGRST102")
}

fn json<'b>(headers: &HeaderMap, bytes: &'b [u8]) -> Result<&'b str> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        let message = if media.is_empty() {
            "The body has no Content-Type".to_owned()
        } else {
            format!("A body of type {media} is not read")
        };
        return Err(Error::new(Kind::UnsupportedMediaType, message).hint("Send application/json"));
    }
    std::str::from_utf8(bytes).map_err(|_| malformed("The body is not UTF-8".to_owned()))
}

fn row(text: &str) -> Result<Row> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = Members::deserialize(&mut deserializer).and_then(|members| deserializer.end().map(|()| members));
    let members = members.map_err(|error| malformed(format!("The body is no JSON object: {error}")))?;
    let argument = |token: &str| Argument::from_json(token).ok_or_else(|| malformed("A text is malformed".to_owned()));
    members.0.into_iter().map(|(name, value)| Ok((name, argument(value.get())?))).collect()
}

/// The members of an object; one that is there twice is an error, for no reading of it is what everybody would expect.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object whose members are columns")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members: Vec<(String, &'de RawValue)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
                    if members.len() == MAX_MEMBERS {
                        return Err(serde::de::Error::custom(format!("it has more than {MAX_MEMBERS} members")));
                    }
                    if members.iter().any(|(other, _)| *other == name) {
                        return Err(serde::de::Error::custom(format!("the member \"{name}\" is there twice")));
                    }
                    members.push((name.into_owned(), value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(body: &str) -> Result<usize> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        object(&headers, body.as_bytes()).map(|members| members.len())
    }

    #[test]
    fn a_body_of_very_many_members_is_refused() {
        let body = |count: usize| {
            let members: Vec<_> = (0..count).map(|member| format!("\"m{member}\":1")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(read(&body(MAX_MEMBERS)).unwrap(), MAX_MEMBERS);
        assert_eq!(read(&body(MAX_MEMBERS + 1)).unwrap_err().code, "PGRST102");
    }
}
